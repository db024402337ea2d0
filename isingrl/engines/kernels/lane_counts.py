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

from isingrl.engines.kernels.vectors import prefer_wide_vectors


@njit(inline="always")
def add2(a, b):
    """Sum of two bits, and carry, in every lane."""
    return a ^ b, a & b


@njit(inline="always")
def add3(a, b, c):
    """Sum of three bits, and carry, in every lane."""
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


@njit(forceinline=True)
def count_satisfied(
    words, addresses, tile, negative, mask, inverse, start, width, planes, own, offset, runs, places
):
    """Count the neighbours that agree, or differ across a negative bond, for part of one tile.

    Parameters as in `count_agreeing`, and:

    Parameters
    ----------
    negative : uint64 array, shape (z, n_words)
        Lanes in which the bond in each slot of neighbours is negative, by the address of the site;
        with the shape (0, 0) none is.
    runs : uint64 array, shape ((1 + z) capacity,)
        Receives the sites' spins, and their neighbours' with the signs of the bonds.
    places : uint64 array, shape (1, 1 + z)
        Where each begins in `runs`.
    """
    if negative.size == 0:
        count_agreeing(words, addresses, tile, mask, inverse, start, width, planes, own, offset)
        return
    x = addresses[tile, 0] + start
    for slot in range(addresses.shape[1]):
        _turn(words, addresses[tile, slot] + start, negative, slot, x, width, runs, places[0, slot])
    count_agreeing(runs, places, 0, mask, inverse, np.uint64(0), width, planes, own, offset)


@njit(nogil=True, cache=True)
def _turn(words, first, negative, slot, x, width, runs, place):
    """Copy a run, with the signs of the bonds to it if it is one of neighbours, slot 1 to z."""
    prefer_wide_vectors()
    if slot == 0:
        for j in range(width):
            runs[place + j] = words[first + j]
    else:
        row = np.uint64(slot - 1)
        for j in range(width):
            runs[place + j] = words[first + j] ^ negative[row, x + j]


@njit(inline="always")
def _count_2(words, addresses, tile, mask, inverse, start, width, planes, own, offset):
    x, a, b = addresses[tile, 0] + start, addresses[tile, 1] + start, addresses[tile, 2] + start
    zero, one = np.uint64(0), np.uint64(1)
    for j in range(width):
        s = words[x + j]
        flip = ~((s & mask) ^ inverse)
        own[offset + j] = s
        ones, twos = add2(words[a + j] ^ flip, words[b + j] ^ flip)
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
        half, twos = add3(words[a + j] ^ flip, words[b + j] ^ flip, words[c + j] ^ flip)
        ones, carry = add2(half, words[d + j] ^ flip)
        twos, fours = add2(twos, carry)
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
        half, twos = add3(words[a + j] ^ flip, words[b + j] ^ flip, words[c + j] ^ flip)
        rest, more = add3(words[d + j] ^ flip, words[e + j] ^ flip, words[f + j] ^ flip)
        ones, carry = add2(half, rest)
        twos, fours = add3(twos, more, carry)
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
        half, twos = add3(words[a + j] ^ flip, words[b + j] ^ flip, words[c + j] ^ flip)
        rest, more = add3(words[d + j] ^ flip, words[e + j] ^ flip, words[f + j] ^ flip)
        last, most = add2(words[g + j] ^ flip, words[h + j] ^ flip)
        ones, carry = add3(half, rest, last)
        twos, fours = add3(twos, more, most)
        twos, carry = add2(twos, carry)
        fours, eights = add2(fours, carry)
        planes[zero, offset + j] = ones
        planes[one, offset + j] = twos
        planes[two, offset + j] = fours
        planes[three, offset + j] = eights


@njit(inline="always")
def add9(a, b, c, d, e, f, g, h, i):
    """Bits of the sum of nine: ones, twos, fours, eights."""
    a0, a1 = add3(a, b, c)
    d0, d1 = add3(d, e, f)
    g0, g1 = add3(g, h, i)
    ones, c1 = add3(a0, d0, g0)
    twos, b2 = add3(a1, d1, g1)
    twos, c2 = add2(twos, c1)
    fours, eights = add2(b2, c2)
    return ones, twos, fours, eights


@njit(inline="always")
def _count_26(words, addresses, tile, mask, inverse, start, width, planes, own, offset):
    # 26 loads in one loop are more than the compiler vectorizes: 8, then twice 9
    x = addresses[tile, 0] + start
    _count_8(words, addresses, tile, mask, inverse, start, width, planes, own, offset)
    four = np.uint64(4)
    for j in range(width):
        planes[four, offset + j] = np.uint64(0)
    for slot in range(9, 27, 9):
        _add_nine(words, addresses, tile, slot, x, mask, inverse, start, width, planes, offset)


@njit(nogil=True, cache=True)
def _add_nine(words, addresses, tile, slot, x, mask, inverse, start, width, planes, offset):
    """Add the agreeing neighbours in nine slots from `slot` on to the counts."""
    prefer_wide_vectors()
    zero, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    three, four = np.uint64(3), np.uint64(4)
    a, b = addresses[tile, slot] + start, addresses[tile, slot + 1] + start
    c, d = addresses[tile, slot + 2] + start, addresses[tile, slot + 3] + start
    e, f = addresses[tile, slot + 4] + start, addresses[tile, slot + 5] + start
    g, h = addresses[tile, slot + 6] + start, addresses[tile, slot + 7] + start
    i = addresses[tile, slot + 8] + start
    for j in range(width):
        flip = ~((words[x + j] & mask) ^ inverse)
        ones, twos, fours, eights = add9(
            words[a + j] ^ flip,
            words[b + j] ^ flip,
            words[c + j] ^ flip,
            words[d + j] ^ flip,
            words[e + j] ^ flip,
            words[f + j] ^ flip,
            words[g + j] ^ flip,
            words[h + j] ^ flip,
            words[i + j] ^ flip,
        )
        k = offset + j
        planes[zero, k], carry = add2(planes[zero, k], ones)
        planes[one, k], carry = add3(planes[one, k], twos, carry)
        planes[two, k], carry = add3(planes[two, k], fours, carry)
        planes[three, k], carry = add3(planes[three, k], eights, carry)
        planes[four, k] ^= carry
