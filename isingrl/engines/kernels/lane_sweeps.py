"""Sweeps of the bit-lane engine: count, decide, settle and write back, buffer by buffer."""

import numpy as np
from numba import njit

from isingrl.engines.kernels.gates import meet, take
from isingrl.engines.kernels.lane_counts import count_satisfied
from isingrl.engines.kernels.lane_decisions import decide, settle
from isingrl.engines.kernels.lane_measures import add_satisfied, add_up


@njit(nogil=True, cache=True)
def close_rows(words, begin, rows, half_row, strips, first_strip):
    """Repeat the sites across the ends of half rows in the words before and after each.

    Lanes are grouped by chain, `strips` neighbouring lanes each; a strip's end touches the start
    of the next strip, and the last one that of the first. `first_strip` marks the lanes of every
    chain's first strip. With one strip a chain the row simply closes on itself.
    """
    one = np.uint64(1)
    around = strips - one
    last_strip = first_strip << around
    for _ in range(rows):
        end = begin + half_row - one
        first, last = words[begin], words[end]
        words[begin - one] = ((last << one) & ~first_strip) | ((last >> around) & first_strip)
        words[end + one] = ((first >> one) & ~last_strip) | ((first << around) & last_strip)
        begin = end + one + one + one


@njit(nogil=True, cache=True)
def update_tiles(
    source, target, addresses, negative, rows, start, stop, half_row, strips, rule, state, tail,
    buffers,
):  # fmt: skip
    """Update the sites of tiles `start` … `stop` - 1, reading `source` and writing `target`.

    Parameters
    ----------
    source, target : uint64 arrays, flat
        The same array, if no two sites of the tiles are neighbours; else two.
    addresses : uint64 array, shape (n_tiles, 1 + z)
    negative : uint64 array, shape (z, n_words) or (0, 0)
        See `count_satisfied`.
    rows : uint64 array, shape (n_tiles,)
        Half rows in each tile, of `half_row` sites and a closing word at either end.
    strips : tuple
        Number of strips and mask of the first ones, see `close_rows`.
    rule : tuple
        ``(mask, inverse, keep, address, digits, lazy, rest)``, see `count_agreeing`, `decide` and
        `settle`.
    state, tail : uint64 arrays, shapes (4, capacity) and (4,)
        The generators of this band of tiles.
    buffers : tuple
        ``(planes, own, result, open_lanes, runs, places)``, the last two for `count_satisfied`.
    """
    mask, inverse, keep, address, digits, lazy, rest = rule
    planes, own, result, open_lanes, runs, places = buffers
    zero, two = np.uint64(0), np.uint64(2)
    capacity = np.uint64(own.size)
    stride = half_row + two
    first = start
    while first < stop:
        last = first + 1
        width = rows[first] * stride - two
        size = width
        while last < stop and size + rows[last] * stride - two <= capacity:
            size += rows[last] * stride - two
            last += 1
        begin = zero  # a single tile may be longer than the buffer
        while begin < width:
            size = zero
            for tile in range(first, last):
                part = min(rows[tile] * stride - two - begin, capacity)
                count_satisfied(
                    source, addresses, tile, negative, mask, inverse, begin, part, planes, own,
                    size, runs, places,
                )  # fmt: skip
                size += part
            decide(address, planes, own, keep, digits, lazy, state, result, open_lanes, size)
            settle(planes, own, rest, tail, result, open_lanes, size)
            size = zero
            for tile in range(first, last):
                part = min(rows[tile] * stride - two - begin, capacity)
                to = addresses[tile, 0] + begin
                for j in range(part):
                    target[to + j] = result[size + j]
                size += part
            begin += capacity if last == first + 1 else width
        for tile in range(first, last):
            close_rows(target, addresses[tile, 0], rows[tile], half_row, strips[0], strips[1])
        first = last


@njit(nogil=True, cache=True)
def sweep(
    source, target, addresses, negative, rows, bands, half_row, strips, rule, states, tails,
    buffers, crew, sweeps,
):  # fmt: skip
    """Make `sweeps` sweeps of one block, from `source` to `target` and back.

    After an odd number of sweeps with two arrays the last one is in `target`.

    Parameters
    ----------
    bands : int array, shape (n_sublattices, n_bands + 1)
        Bounds that cut the tiles of each sublattice into bands. Each band has its own
        generators, whatever the number of threads.
    states, tails : uint64 arrays, shapes (n_bands, 4, capacity) and (n_bands, 4)
    crew : tuple
        ``(worker, workers, gate, taken)``: this thread, how many share the block, the array by
        which they meet and take bands (see `meet` and `take`), and this thread's count of the
        bands that were taken so far, shape (1,).
    """
    _, workers, gate, taken = crew
    n_bands = bands.shape[1] - 1
    for _ in range(sweeps):
        for sublattice in range(bands.shape[0]):
            band = take(gate) - taken[0]
            while band < n_bands:
                update_tiles(
                    source, target, addresses, negative, rows,
                    bands[sublattice, band], bands[sublattice, band + 1],
                    half_row, strips, rule, states[band], tails[band], buffers,
                )  # fmt: skip
                band = take(gate) - taken[0]
            taken[0] += n_bands + workers  # each worker took one in vain
            meet(gate, workers)
        source, target = target, source


@njit(nogil=True, cache=True)
def record(
    source, target, addresses, negative, rows, bands, half_row, strips, rule, states, tails,
    buffers, crew, interval, counted, signs, measured, meters, agreeing, up,
):  # fmt: skip
    """Sweep one block and measure it after every `interval` sweeps; see `sweep`.

    Parameters
    ----------
    counted : int
        The neighbours in tiles 0 … `counted` - 1 are summed.
    signs : uint64 array, shape (n_sums, z, n_words) or (1, 0, 0)
        Negative bonds, as `count_satisfied` takes them, for each sum of satisfied bonds.
    measured : int64 array, shape (n, 3)
        First and end of runs of half rows, and the place in `up` of their sublattice.
    meters : tuple
        ``(planes, counters, carries)``, see `add_satisfied`.
    agreeing, up : int64 arrays, shapes (n_draws, n_sums, 64) and (n_draws, n_sublattices, 64)
        Receive this worker's part of the sums of every lane.
    """
    planes, counters, carries = meters
    worker, workers, gate, _ = crew
    agreeing[:] = 0
    up[:] = 0
    for draw in range(agreeing.shape[0]):
        sweep(
            source, target, addresses, negative, rows, bands, half_row, strips, rule, states,
            tails, buffers, crew, interval,
        )  # fmt: skip
        if interval % 2:
            source, target = target, source
        planes[:] = np.uint64(0)
        for kind in range(agreeing.shape[1]):
            add_satisfied(
                source, addresses, signs[kind], rows, counted * worker // workers,
                counted * (worker + 1) // workers, half_row, planes, buffers, counters, carries,
                agreeing[draw, kind],
            )  # fmt: skip
        for run in range(measured.shape[0]):
            begin, length = measured[run, 0], measured[run, 1] - measured[run, 0]
            first = begin + length * worker // workers
            stop = begin + length * (worker + 1) // workers
            sums = up[draw, measured[run, 2]]
            add_up(source, first, stop, half_row, planes, counters, carries, sums)
        meet(gate, workers)
