"""One random decision a site for 64 chains at once: exact Bernoulli trials, bit by bit.

A lane's probability p is compared with a uniform number r, one random word a binary digit. The
first `UNROLLED` digits are compared for all lanes in straight-line code that keeps generator and
masks in vector registers; a lane in which all of them are equal (one in 4096) is settled by
comparing the remaining 64 bits as integers. Probabilities so keep the 2**-53 of a float64.

The digits are compared from the least to the most significant: ``below = r < p`` then takes one
three-input operation a digit, and ``undecided`` another.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import overload

from isingrl._kernels.random import jsf_step, next_word
from isingrl._kernels.vectors import prefer_wide_vectors

UNROLLED = 12

_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_POSITIONS = np.zeros(64, dtype=np.uint64)
for _bit in range(64):
    _POSITIONS[((int(_DE_BRUIJN) << _bit) % 2**64) >> 58] = _bit


@njit(inline="always")
def _pick(bit, zero, one):
    return zero ^ (bit & (zero ^ one))


@njit(inline="always")
def _pick2(n, t):
    return _pick(n[0], t[0], t[1])


@njit(inline="always")
def _pick4(n, t):
    return _pick(n[1], _pick2(n, t[:2]), _pick2(n, t[2:]))


@njit(inline="always")
def _pick8(n, t):
    return _pick(n[2], _pick4(n, t[:4]), _pick4(n, t[4:]))


@njit(inline="always")
def _pick3(n, t):
    return _pick(n[1], _pick2(n, t[:2]), t[2])


@njit(inline="always")
def _pick5(n, t):
    return _pick(n[2], _pick4(n, t[:4]), t[4])


@njit(inline="always")
def _pick7(n, t):
    return _pick(n[2], _pick4(n, t[:4]), _pick3(n, t[4:]))


@njit(inline="always")
def _pick9(n, t):
    return _pick(n[3], _pick8(n, t[:8]), t[8])


@njit(inline="always")
def _pick27(n, t):
    high = _pick(n[3], _pick8(n, t[16:24]), _pick3(n, t[24:]))
    return _pick(n[4], _pick(n[3], _pick8(n, t[:8]), _pick8(n, t[8:16])), high)


@njit
def select(n, own, t):
    """Entry of `t` for each lane, by its count, and by its own spin where `t` is that long.

    Numba drops the branches that the tuples' lengths rule out. `n` holds 2, 3, 3, 4, 5 planes
    for z = 2, 4, 6, 8, 26; `t` one entry for each count above z / 2 (where the rest is certain,
    see `certain`), or for each count 0 … z, or that for own spin down and then for up.
    """
    if len(n) == 2:
        if len(t) == 1:
            return t[0]
        elif len(t) == 3:
            return _pick3(n, t)
        else:
            return _pick(own, _pick3(n, t[:3]), _pick3(n, t[3:]))
    elif len(n) == 3:
        if len(t) == 2:
            return _pick(n[2], t[0], t[1])
        elif len(t) == 3:
            return _pick3(n, t)
        elif len(t) == 5:
            return _pick5(n, t)
        elif len(t) == 7:
            return _pick7(n, t)
        elif len(t) == 10:
            return _pick(own, _pick5(n, t[:5]), _pick5(n, t[5:]))
        else:
            return _pick(own, _pick7(n, t[:7]), _pick7(n, t[7:]))
    elif len(n) == 4:
        if len(t) == 4:
            return _pick(n[3], _pick(n[1], t[0], _pick2(n, t[1:3])), t[3])
        elif len(t) == 9:
            return _pick9(n, t)
        else:
            return _pick(own, _pick9(n, t[:9]), _pick9(n, t[9:]))
    else:
        if len(t) == 13:
            high = _pick(n[3], _pick8(n, t[2:10]), _pick3(n, t[10:]))
            return _pick(n[4], _pick2(n, t[:2]), high)
        elif len(t) == 27:
            return _pick27(n, t)
        else:
            return _pick(own, _pick27(n, t[:27]), _pick27(n, t[27:]))


@njit
def certain(n, t):
    """Lanes whose count is at most z / 2, if `t` has entries for the counts above only."""
    if len(n) == 2:
        if len(t) == 1:
            return ~n[1]
        else:
            return np.uint64(0)
    elif len(n) == 3:
        if len(t) == 2:
            return ~(n[2] | (n[1] & n[0]))
        elif len(t) == 3:
            return ~n[2]
        else:
            return np.uint64(0)
    elif len(n) == 4:
        if len(t) == 4:
            return ~(n[3] | (n[2] & (n[1] | n[0])))
        else:
            return np.uint64(0)
    else:
        if len(t) == 13:
            return ~(n[4] | (n[3] & n[2] & n[1]))
        else:
            return np.uint64(0)


@njit
def lazy_lanes(n, t):
    """Entry of `t` for each lane whose count is at most z / 2; `t` is empty or has z / 2 + 1."""
    if len(t) == 0:
        return np.uint64(0)
    elif len(t) == 2:
        return _pick2(n, t)
    elif len(t) == 3:
        return _pick3(n, t)
    elif len(t) == 4:
        return _pick4(n, t)
    elif len(t) == 5:
        return _pick5(n, t)
    else:
        return _pick(n[3], _pick8(n, t[:8]), _pick(n[2], _pick4(n, t[8:12]), _pick2(n, t[12:])))


class Mirrored(NamedTuple):
    """Entries for n = z/2 … z, the chance to follow the many: P(up | z - n) = 1 - P(up | n)."""

    entries: tuple[np.uint64, ...]


@njit
def _select_mirrored(n, t):
    """Entry |n - z/2| of `t`, which holds 2, 3, 4, 5 for z = 2, 4, 6, 8."""
    if len(t) == 2:
        return _pick(n[0], t[1], t[0])
    elif len(t) == 3:
        return _pick(n[0], _pick(n[1], t[2], t[0]), t[1])
    elif len(t) == 4:
        return _pick(n[0], _pick(n[1] ^ n[2], t[3], t[1]), _pick(n[1], t[2], t[0]))
    else:
        even = _pick(n[1], _pick(n[2], t[4], t[0]), t[2])
        return _pick(n[0], even, _pick(n[1] ^ n[2], t[3], t[1]))


@njit
def _minority(n, t):
    """Lanes in which fewer than z/2 neighbours are up."""
    if len(t) == 2:
        return ~(n[0] | n[1])
    elif len(t) == 3:
        return ~(n[1] | n[2])
    elif len(t) == 4:
        return ~(n[2] | (n[1] & n[0]))
    else:
        return ~(n[2] | n[3])


def _chance(n, own, t):
    """Entry of `t` for each lane."""
    return _select_mirrored(n, t.entries) if isinstance(t, Mirrored) else select(n, own, t)


@overload(_chance)
def _chance_by_type(n, own, t):
    if isinstance(t, types.BaseNamedTuple):
        return lambda n, own, t: _select_mirrored(n, t.entries)
    return lambda n, own, t: select(n, own, t)


def _certain_or_mirrored(n, t):
    """Lanes that are certain whatever their entry, and lanes whose outcome is mirrored."""
    if isinstance(t, Mirrored):
        return np.uint64(0), _minority(n, t.entries)
    return certain(n, t), np.uint64(0)


@overload(_certain_or_mirrored)
def _certain_or_mirrored_by_type(n, t):
    if isinstance(t, types.BaseNamedTuple):
        return lambda n, t: (np.uint64(0), _minority(n, t.entries))
    return lambda n, t: (certain(n, t), np.uint64(0))


@njit
def _counts_at(planes, j):
    if len(planes) == 2:
        return planes[0][j], planes[1][j]
    elif len(planes) == 3:
        return planes[0][j], planes[1][j], planes[2][j]
    elif len(planes) == 4:
        return planes[0][j], planes[1][j], planes[2][j], planes[3][j]
    else:
        return planes[0][j], planes[1][j], planes[2][j], planes[3][j], planes[4][j]


@njit(inline="always")
def _digit(a, b, c, d, below, undecided, p):
    """Draw one digit r for all lanes and put it in front of the digits compared so far."""
    a, b, c, d = jsf_step(a, b, c, d)
    differs = d ^ p
    below ^= differs & (below ^ p)
    undecided &= ~differs
    return a, b, c, d, below, undecided


@njit(nogil=True)
def decide(planes, own, keep, digits, always, lazy, state, result, open_lanes, size):
    """Set ``result = chosen ^ (own & keep)`` with P(chosen) given by count and own spin.

    With `Mirrored` entries, chosen is turned round where fewer than half the neighbours count.

    Parameters
    ----------
    planes : tuple of uint64 arrays, shape (capacity,)
        Bit planes of the counts.
    own : uint64 array, shape (capacity,)
    keep : uint64
        All ones if `chosen` flips the own spin, 0 if it sets the spin.
    digits : tuple of UNROLLED tuples of uint64, or of as many `Mirrored`
        Bit k of ``digits[i][e]`` is digit i, the most significant first, of lane k's
        probability in entry e (see `select`).
    always : tuple of uint64, or `Mirrored`
        Lanes whose probability in an entry is 1.
    lazy : tuple of uint64
        For counts 0 … z/2 that `certain` decides: lanes whose probability is 7/8 and not 1. They
        take the three digits that are drawn anyway. Empty where there are none.
    state : uint64 array, shape (4, capacity)
        Generators, one a site of the buffer.
    result, open_lanes : uint64 arrays, shape (capacity,)
        Receive the outcome, and the lanes that `settle` must decide (not chosen so far).
    """
    prefer_wide_vectors()
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    for j in range(size):
        n = _counts_at(planes, j)
        x = own[j]
        a, b, c, d = s0[j], s1[j], s2[j], s3[j]
        sure, mirrored = _certain_or_mirrored(n, always)
        rests = sure & lazy_lanes(n, lazy)
        sure |= _chance(n, x, always)
        undecided = ~sure
        below = np.uint64(0)
        p = _chance(n, x, digits[11])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        p = _chance(n, x, digits[10])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        p = _chance(n, x, digits[9])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        p = _chance(n, x, digits[8])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        p = _chance(n, x, digits[7])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        p = _chance(n, x, digits[6])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        p = _chance(n, x, digits[5])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        p = _chance(n, x, digits[4])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        p = _chance(n, x, digits[3])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        p = _chance(n, x, digits[2])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        rests &= d
        p = _chance(n, x, digits[1])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        rests &= d
        p = _chance(n, x, digits[0])
        a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
        rests &= d
        s0[j], s1[j], s2[j], s3[j] = a, b, c, d
        result[j] = ((below | sure) & ~rests) ^ (x & keep) ^ mirrored
        open_lanes[j] = undecided


@njit(nogil=True, cache=True)
def settle(planes, own, rest, state, result, open_lanes, size):
    """Decide the lanes whose first digits were all equal, by the 64 digits that follow.

    Parameters
    ----------
    planes : uint64 array, shape (n_planes, capacity)
    rest : uint64 array, shape (64, 2, z + 1)
        The further digits of every lane's probability by own spin and count.
    state : uint64 array, shape (4,)
        The generator of these rare decisions.
    open_lanes : uint64 array, shape (capacity + 7,)
    """
    prefer_wide_vectors()
    zero, one, eight = np.uint64(0), np.uint64(1), np.uint64(8)
    n_planes = np.uint64(planes.shape[0])
    for j in range(size, size + np.uint64(7)):
        open_lanes[j] = zero
    j = zero
    while j < size:
        # most words are closed: look at eight together
        if (
            open_lanes[j]
            | open_lanes[j + one]
            | open_lanes[j + np.uint64(2)]
            | open_lanes[j + np.uint64(3)]
            | open_lanes[j + np.uint64(4)]
            | open_lanes[j + np.uint64(5)]
            | open_lanes[j + np.uint64(6)]
            | open_lanes[j + np.uint64(7)]
        ) == zero:
            j += eight
            continue
        for k in range(j, j + eight):
            lanes = open_lanes[k]
            while lanes != zero:
                lowest = lanes & (~lanes + one)
                lanes ^= lowest
                lane = _POSITIONS[(lowest * _DE_BRUIJN) >> np.uint64(58)]
                count = zero
                for p in range(n_planes):
                    count |= ((planes[p, k] >> lane) & one) << p
                if next_word(state) < rest[lane, (own[k] >> lane) & one, count]:
                    result[k] ^= lowest
        j += eight
