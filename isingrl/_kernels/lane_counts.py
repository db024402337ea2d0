"""Counts of agreeing neighbours, 64 chains at a time, as bit planes.

A *tile* is a run of sites in contiguous words, bit k of each for lane k, of which no two are
neighbours. The table ``addresses[tile]`` says where in the flat array of words the tile begins,
and where the z runs of its neighbours begin; the kernels know nothing else of the geometry. A
count n is spread over planes: plane p holds bit p of n for every lane.

Indices are unsigned, which spares Numba's handling of negative ones, and arrays are not sliced,
which spares reference counts: both would cost more than the arithmetic.
"""

import numpy as np
from numba import njit

from isingrl._kernels.vectors import prefer_wide_vectors


@njit(inline="always")
def _add2(a, b):
    return a ^ b, a & b


@njit(inline="always")
def _add3(a, b, c):
    half = a ^ b
    return half ^ c, (a & b) | (half & c)


@njit(nogil=True, cache=True)
def count_agreeing(words, addresses, tile, mask, inverse, start, width, planes, own, offset):
    """Count the neighbours that agree with a reference spin, for part of one tile.

    The reference is ``(own & mask) ^ inverse``: own spin (mask all ones, inverse 0), the
    opposite spin (both all ones) or up (mask 0, inverse all ones).

    Parameters
    ----------
    words : uint64 array, flat
    addresses : uint64 array, shape (n_tiles, 1 + z)
        Addresses of every tile and of its neighbours; z is 2, 4, 6, 8 or 26.
    tile : int
    start, width : uint64
        First word and number of words within the tile.
    planes : uint64 array, shape (n_planes, capacity)
        Receives the counts from column `offset` (uint64) on.
    own : uint64 array, shape (capacity,)
        Receives the sites' own spins.
    """
    prefer_wide_vectors()
    z = addresses.shape[1] - 1
    if z == 2:
        _count_2(words, addresses, tile, mask, inverse, start, width, planes, own, offset)
    elif z == 4:
        _count_4(words, addresses, tile, mask, inverse, start, width, planes, own, offset)
    elif z == 6:
        _count_6(words, addresses, tile, mask, inverse, start, width, planes, own, offset)
    elif z == 8:
        _count_8(words, addresses, tile, mask, inverse, start, width, planes, own, offset)
    else:
        _count_26(words, addresses, tile, mask, inverse, start, width, planes, own, offset)


@njit(inline="always")
def _count_2(words, addresses, tile, mask, inverse, start, width, planes, own, offset):
    x, a, b = addresses[tile, 0] + start, addresses[tile, 1] + start, addresses[tile, 2] + start
    zero, one = np.uint64(0), np.uint64(1)
    for j in range(width):
        s = words[x + j]
        flip = ~((s & mask) ^ inverse)
        own[offset + j] = s
        ones, twos = _add2(words[a + j] ^ flip, words[b + j] ^ flip)
        planes[zero, offset + j] = ones
        planes[one, offset + j] = twos


@njit(inline="always")
def _count_4(words, addresses, tile, mask, inverse, start, width, planes, own, offset):
    x = addresses[tile, 0] + start
    a, b, c, d = (
        addresses[tile, 1] + start,
        addresses[tile, 2] + start,
        addresses[tile, 3] + start,
        addresses[tile, 4] + start,
    )
    zero, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    for j in range(width):
        s = words[x + j]
        flip = ~((s & mask) ^ inverse)
        own[offset + j] = s
        half, twos = _add3(words[a + j] ^ flip, words[b + j] ^ flip, words[c + j] ^ flip)
        ones, carry = _add2(half, words[d + j] ^ flip)
        twos, fours = _add2(twos, carry)
        planes[zero, offset + j] = ones
        planes[one, offset + j] = twos
        planes[two, offset + j] = fours


@njit(inline="always")
def _count_6(words, addresses, tile, mask, inverse, start, width, planes, own, offset):
    x = addresses[tile, 0] + start
    a, b, c = addresses[tile, 1] + start, addresses[tile, 2] + start, addresses[tile, 3] + start
    d, e, f = addresses[tile, 4] + start, addresses[tile, 5] + start, addresses[tile, 6] + start
    zero, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    for j in range(width):
        s = words[x + j]
        flip = ~((s & mask) ^ inverse)
        own[offset + j] = s
        half, twos = _add3(words[a + j] ^ flip, words[b + j] ^ flip, words[c + j] ^ flip)
        rest, more = _add3(words[d + j] ^ flip, words[e + j] ^ flip, words[f + j] ^ flip)
        ones, carry = _add2(half, rest)
        twos, fours = _add3(twos, more, carry)
        planes[zero, offset + j] = ones
        planes[one, offset + j] = twos
        planes[two, offset + j] = fours


@njit(inline="always")
def _count_8(words, addresses, tile, mask, inverse, start, width, planes, own, offset):
    x = addresses[tile, 0] + start
    a, b, c, d = (
        addresses[tile, 1] + start,
        addresses[tile, 2] + start,
        addresses[tile, 3] + start,
        addresses[tile, 4] + start,
    )
    e, f, g, h = (
        addresses[tile, 5] + start,
        addresses[tile, 6] + start,
        addresses[tile, 7] + start,
        addresses[tile, 8] + start,
    )
    zero, one, two, three = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
    for j in range(width):
        s = words[x + j]
        flip = ~((s & mask) ^ inverse)
        own[offset + j] = s
        half, twos = _add3(words[a + j] ^ flip, words[b + j] ^ flip, words[c + j] ^ flip)
        rest, more = _add3(words[d + j] ^ flip, words[e + j] ^ flip, words[f + j] ^ flip)
        last, most = _add2(words[g + j] ^ flip, words[h + j] ^ flip)
        ones, carry = _add3(half, rest, last)
        twos, fours = _add3(twos, more, most)
        twos, carry = _add2(twos, carry)
        fours, eights = _add2(fours, carry)
        planes[zero, offset + j] = ones
        planes[one, offset + j] = twos
        planes[two, offset + j] = fours
        planes[three, offset + j] = eights


@njit(inline="always")
def _add3_at(words, addresses, tile, slot, j, flip):
    """Add the neighbours in three slots from `slot` on."""
    a = words[addresses[tile, slot] + j]
    b = words[addresses[tile, slot + 1] + j]
    c = words[addresses[tile, slot + 2] + j]
    return _add3(a ^ flip, b ^ flip, c ^ flip)


@njit(inline="always")
def _count_26(words, addresses, tile, mask, inverse, start, width, planes, own, offset):
    zero, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    three, four = np.uint64(3), np.uint64(4)
    for k in range(width):
        j = start + k
        s = words[addresses[tile, 0] + j]
        flip = ~((s & mask) ^ inverse)
        own[offset + k] = s
        # 26 ones become 9 ones and 9 twos …
        a0, a1 = _add3_at(words, addresses, tile, 1, j, flip)
        b0, b1 = _add3_at(words, addresses, tile, 4, j, flip)
        c0, c1 = _add3_at(words, addresses, tile, 7, j, flip)
        d0, d1 = _add3_at(words, addresses, tile, 10, j, flip)
        e0, e1 = _add3_at(words, addresses, tile, 13, j, flip)
        f0, f1 = _add3_at(words, addresses, tile, 16, j, flip)
        g0, g1 = _add3_at(words, addresses, tile, 19, j, flip)
        h0, h1 = _add3_at(words, addresses, tile, 22, j, flip)
        i0, i1 = _add2(words[addresses[tile, 25] + j] ^ flip, words[addresses[tile, 26] + j] ^ flip)
        # … then one, and 13 twos, …
        l0, l1 = _add3(a0, b0, c0)
        m0, m1 = _add3(d0, e0, f0)
        n0, n1 = _add3(g0, h0, i0)
        ones, o1 = _add3(l0, m0, n0)
        # … then one, and 6 fours, …
        a1, a2 = _add3(a1, b1, c1)
        d1, d2 = _add3(d1, e1, f1)
        g1, g2 = _add3(g1, h1, i1)
        l1, l2 = _add3(l1, m1, n1)
        a1, m2 = _add3(a1, d1, g1)
        twos, n2 = _add3(a1, l1, o1)
        # … then one, and 3 eights.
        a2, a3 = _add3(a2, d2, g2)
        l2, l3 = _add3(l2, m2, n2)
        fours, c3 = _add2(a2, l2)
        eights, sixteens = _add3(a3, l3, c3)
        planes[zero, offset + k] = ones
        planes[one, offset + k] = twos
        planes[two, offset + k] = fours
        planes[three, offset + k] = eights
        planes[four, offset + k] = sixteens
