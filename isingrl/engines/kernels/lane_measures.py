"""Sums over the sites of a block, for its 64 lanes at once, by bit-sliced counters."""

import numpy as np
from numba import njit

from isingrl.engines.kernels.lane_counts import add2, add3, count_satisfied
from isingrl.engines.kernels.vectors import prefer_wide_vectors

_LIMIT = 255  # what the eight planes of a running counter hold
COUNTER_PLANES = 8 + 12  # room for a fold over up to 2**12 words


@njit(nogil=True, cache=True)
def _add_to_counters(counters, planes, size):
    """Add numbers of up to five bits to the eight-bit counters of `size` words."""
    prefer_wide_vectors()
    c0, c1, c2, c3 = counters[0], counters[1], counters[2], counters[3]
    c4, c5, c6, c7 = counters[4], counters[5], counters[6], counters[7]
    p0, p1, p2, p3, p4 = planes[0], planes[1], planes[2], planes[3], planes[4]
    for j in range(size):
        c0[j], carry = add2(c0[j], p0[j])
        c1[j], carry = add3(c1[j], p1[j], carry)
        c2[j], carry = add3(c2[j], p2[j], carry)
        c3[j], carry = add3(c3[j], p3[j], carry)
        c4[j], carry = add3(c4[j], p4[j], carry)
        c5[j], carry = add2(c5[j], carry)
        c6[j], carry = add2(c6[j], carry)
        c7[j] ^= carry


@njit(nogil=True, cache=True)
def _empty_counters(counters, carries, width, totals):
    """Add what the counters of `width` words hold to the lanes' totals, and clear them."""
    zero, one = np.uint64(0), np.uint64(1)
    n_planes = 8
    while width > 1:
        half = (width + 1) // 2
        carries[:half] = zero
        for plane in range(n_planes):
            for j in range(width - half):
                counters[plane, j], carries[j] = add3(
                    counters[plane, j], counters[plane, half + j], carries[j]
                )
        for j in range(half):  # by a slice it would compile two seconds longer, for its errors
            counters[n_planes, j] = carries[j]
        n_planes += 1
        width = half
    for plane in range(n_planes):
        for lane in range(64):
            bit = (counters[plane, 0] >> np.uint64(lane)) & one
            totals[lane] += np.int64(bit) << plane
    counters[:] = zero


@njit(nogil=True, cache=True)
def add_satisfied(
    words, addresses, negative, rows, start, stop, half_row, planes, buffers, counters, carries,
    totals,
):  # fmt: skip
    """Add the number of satisfied bonds of the sites of some tiles to the lanes' totals.

    Parameters
    ----------
    words, addresses, negative, rows, start, stop, half_row, buffers
        As in `update_tiles`.
    planes : uint64 array, shape (5, capacity), zero beyond the planes that a count needs
    counters : uint64 array, shape (COUNTER_PLANES, capacity), zero
    carries : uint64 array, shape (capacity,)
    totals : int64 array, shape (64,)
    """
    _, own, _, _, runs, places = buffers
    zero, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    ones = ~zero
    capacity = np.uint64(own.size)
    stride = half_row + two
    z = addresses.shape[1] - 1
    room = _LIMIT // z
    used, widest = 0, zero
    for tile in range(start, stop):
        width = rows[tile] * stride - two
        begin = zero
        while begin < width:
            part = min(width - begin, capacity)
            count_satisfied(
                words, addresses, tile, negative, ones, zero, begin, part, planes, own, zero,
                runs, places,
            )  # fmt: skip
            gap = half_row
            while gap < begin + part:  # the closing words between rows are no sites
                for word in (gap, gap + one):
                    if begin <= word < begin + part:
                        for plane in range(planes.shape[0]):
                            planes[plane, word - begin] = zero
                gap += stride
            _add_to_counters(counters, planes, part)
            widest = max(widest, part)
            used += 1
            if used == room:
                _empty_counters(counters, carries, np.int64(widest), totals)
                used, widest = 0, zero
            begin += part
    _empty_counters(counters, carries, np.int64(widest), totals)


@njit(nogil=True, cache=True)
def add_up(words, start, stop, half_row, planes, counters, carries, totals):
    """Add the number of up spins in half rows `start` … `stop` - 1 to the lanes' totals.

    Parameters as in `add_satisfied`; the half rows follow each other in `words`.
    """
    zero, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    capacity = np.uint64(carries.size)
    stride = half_row + two
    planes[3:] = zero
    begin = zero
    while begin < half_row:
        part = min(half_row - begin, capacity)
        used = 0
        row = start
        while row < stop:
            base = np.uint64(row) * stride + one + begin
            together = min(stop - row, 7)
            if together == 7:
                _sum_seven(words, base, stride, part, planes)
            else:
                together = 1
                for j in range(part):
                    planes[0, j] = words[base + j]
                planes[1, :part] = zero
                planes[2, :part] = zero
            _add_to_counters(counters, planes, part)
            row += together
            used += 1
            if used == _LIMIT // 7:
                _empty_counters(counters, carries, np.int64(part), totals)
                used = 0
        _empty_counters(counters, carries, np.int64(part), totals)
        begin += part


@njit(nogil=True, cache=True)
def _sum_seven(words, base, stride, size, planes):
    """Bit planes of the sum of seven rows of words."""
    prefer_wide_vectors()
    n0, n1, n2 = planes[0], planes[1], planes[2]
    b, c, d = base + stride, base + np.uint64(2) * stride, base + np.uint64(3) * stride
    e, f, g = b + np.uint64(3) * stride, c + np.uint64(3) * stride, d + np.uint64(3) * stride
    for j in range(size):
        x0, x1 = add3(words[base + j], words[b + j], words[c + j])
        y0, y1 = add3(words[d + j], words[e + j], words[f + j])
        n0[j], z1 = add3(x0, y0, words[g + j])
        n1[j], n2[j] = add3(x1, y1, z1)
