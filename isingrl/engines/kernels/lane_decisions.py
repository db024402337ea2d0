"""One random decision a site for 64 chains at once: exact Bernoulli trials, bit by bit.

A lane's probability p is compared with a uniform number r, one random word a binary digit. The
first `UNROLLED` digits are compared for all lanes in straight-line code that keeps generator and
masks in vector registers; a lane in which all of them are equal (one in 4096) is settled by
comparing the remaining 64 bits as integers. Probabilities so keep the 2**-53 of a float64.

The digits are compared from the least to the most significant: ``below = r < p`` then takes one
three-input operation a digit, and ``undecided`` another.
"""

import functools
from typing import NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import intrinsic, overload

from isingrl.engines.kernels.random import jsf_step, next_word
from isingrl.engines.kernels.vectors import prefer_wide_vectors

UNROLLED = 12
"""How many digits `decision` compares, which are written out there."""

_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_POSITIONS = np.zeros(64, dtype=np.uint64)
for _bit in range(64):
    _POSITIONS[((int(_DE_BRUIJN) << _bit) % 2**64) >> 58] = _bit


@njit(forceinline=True)
def _pick(bit, zero, one):
    return zero ^ (bit & (zero ^ one))


@njit(forceinline=True)
def _pick2(n, t):
    return _pick(n[0], t[0], t[1])


@njit(forceinline=True)
def _pick4(n, t):
    return _pick(n[1], _pick2(n, t[:2]), _pick2(n, t[2:]))


@njit(forceinline=True)
def _pick8(n, t):
    return _pick(n[2], _pick4(n, t[:4]), _pick4(n, t[4:]))


@njit(forceinline=True)
def _pick3(n, t):
    return _pick(n[1], _pick2(n, t[:2]), t[2])


@njit(forceinline=True)
def _pick5(n, t):
    return _pick(n[2], _pick4(n, t[:4]), t[4])


@njit(forceinline=True)
def _pick7(n, t):
    return _pick(n[2], _pick4(n, t[:4]), _pick3(n, t[4:]))


@njit(forceinline=True)
def _pick9(n, t):
    return _pick(n[3], _pick8(n, t[:8]), t[8])


@njit(forceinline=True)
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
        if len(t) == 3:
            return _pick3(n, t)
        return _pick(own, _pick3(n, t[:3]), _pick3(n, t[3:]))
    if len(n) == 3:
        if len(t) == 2:
            return _pick(n[2], t[0], t[1])
        if len(t) == 3:
            return _pick3(n, t)
        if len(t) == 5:
            return _pick5(n, t)
        if len(t) == 7:
            return _pick7(n, t)
        if len(t) == 10:
            return _pick(own, _pick5(n, t[:5]), _pick5(n, t[5:]))
        return _pick(own, _pick7(n, t[:7]), _pick7(n, t[7:]))
    if len(n) == 4:
        if len(t) == 4:
            return _pick(n[3], _pick(n[1], t[0], _pick2(n, t[1:3])), t[3])
        if len(t) == 9:
            return _pick9(n, t)
        return _pick(own, _pick9(n, t[:9]), _pick9(n, t[9:]))
    if len(t) == 13:
        high = _pick(n[3], _pick8(n, t[2:10]), _pick3(n, t[10:]))
        return _pick(n[4], _pick2(n, t[:2]), high)
    if len(t) == 27:
        return _pick27(n, t)
    return _pick(own, _pick27(n, t[:27]), _pick27(n, t[27:]))


@njit
def certain(n, t):
    """Lanes whose count is at most z / 2, if `t` has entries for the counts above only."""
    if len(n) == 2:
        if len(t) == 1:
            return ~n[1]
        return np.uint64(0)
    if len(n) == 3:
        if len(t) == 2:
            return ~(n[2] | (n[1] & n[0]))
        if len(t) == 3:
            return ~n[2]
        return np.uint64(0)
    if len(n) == 4:
        if len(t) == 4:
            return ~(n[3] | (n[2] & (n[1] | n[0])))
        return np.uint64(0)
    if len(t) == 13:
        return ~(n[4] | (n[3] & n[2] & n[1]))
    return np.uint64(0)


@njit
def lazy_lanes(n, t):
    """Entry of `t` for each lane whose count is at most z / 2; `t` is empty or has z / 2 + 1."""
    if len(t) == 0:
        return np.uint64(0)
    if len(t) == 2:
        return _pick2(n, t)
    if len(t) == 3:
        return _pick3(n, t)
    if len(t) == 4:
        return _pick4(n, t)
    if len(t) == 5:
        return _pick5(n, t)
    return _pick(n[3], _pick8(n, t[:8]), _pick(n[2], _pick4(n, t[8:12]), _pick2(n, t[12:])))


class Mirrored(NamedTuple):
    """Entries for n = z/2 … z, the chance to follow the many: P(up | z - n) = 1 - P(up | n)."""

    entries: tuple[np.uint64, ...]


@njit
def select_mirrored(n, t):
    """Entry |n - z/2| of `t`, which holds 2, 3, 4, 5 for z = 2, 4, 6, 8."""
    if len(t) == 2:
        return _pick(n[0], t[1], t[0])
    if len(t) == 3:
        return _pick(n[0], _pick(n[1], t[2], t[0]), t[1])
    if len(t) == 4:
        return _pick(n[0], _pick(n[1] ^ n[2], t[3], t[1]), _pick(n[1], t[2], t[0]))
    even = _pick(n[1], _pick(n[2], t[4], t[0]), t[2])
    return _pick(n[0], even, _pick(n[1] ^ n[2], t[3], t[1]))


@njit
def minority(n, t):
    """Lanes in which fewer than z/2 neighbours are up."""
    if len(t) == 2:
        return ~(n[0] | n[1])
    if len(t) == 3:
        return ~(n[1] | n[2])
    if len(t) == 4:
        return ~(n[2] | (n[1] & n[0]))
    return ~(n[2] | n[3])


def _chance(n, own, t):
    """Entry of `t` for each lane."""
    return select_mirrored(n, t.entries) if isinstance(t, Mirrored) else select(n, own, t)


@overload(_chance)
def _chance_by_type(n, own, t):
    if isinstance(t, types.BaseNamedTuple):
        return lambda n, own, t: select_mirrored(n, t.entries)
    return lambda n, own, t: select(n, own, t)


def _certain_or_mirrored(n, t):
    """Lanes that are certain whatever their entry, and lanes whose outcome is mirrored."""
    if isinstance(t, Mirrored):
        return np.uint64(0), minority(n, t.entries)
    return certain(n, t), np.uint64(0)


@overload(_certain_or_mirrored)
def _certain_or_mirrored_by_type(n, t):
    if isinstance(t, types.BaseNamedTuple):
        return lambda n, t: (np.uint64(0), minority(n, t.entries))
    return lambda n, t: (certain(n, t), np.uint64(0))


@intrinsic(prefer_literal=True)
def _tuple_of(typing_context, words, first, step, length, mirrored):
    """``(words.flat[first], words.flat[first + step], …)``, in `Mirrored` if that is 1.

    `words` is in C order; `length` and `mirrored` are constants when a kernel is compiled.
    """
    n = length.literal_value
    inner = types.Tuple((types.uint64,) * n)
    outer = types.NamedTuple((inner,), Mirrored) if mirrored.literal_value else inner

    def codegen(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place, loaded = arguments[1], []
        for _ in range(n):
            loaded.append(builder.load(builder.gep(data, [place])))
            place = builder.add(place, arguments[2])
        entries = context.make_tuple(builder, inner, loaded)
        return entries if outer is inner else context.make_tuple(builder, outer, [entries])

    return outer(words, types.uint64, types.uint64, length, mirrored), codegen


@njit(forceinline=True)
def _digit(a, b, c, d, below, undecided, p):
    """Draw one digit r for all lanes and put it in front of the digits compared so far."""
    a, b, c, d = jsf_step(a, b, c, d)
    differs = d ^ p
    below ^= differs & (below ^ p)
    undecided &= ~differs
    return a, b, c, d, below, undecided


_WORDS, _TABLE = types.uint64[::1], types.uint64[:, ::1]
_ARGUMENTS = (
    _TABLE, _WORDS, types.uint64, _TABLE, _WORDS, _TABLE, _WORDS, _WORDS, types.uint64,
)  # fmt: skip

_kept: list[object] = []  # kernels, with which their code would go


@functools.cache
def decision(n_planes, n_entries, mirrored, n_lazy):
    """Address of a kernel that decides by tables of one form; `decide` calls it.

    It alone is compiled for every form: sweeps, which are larger, know no more than its address.

    Parameters
    ----------
    n_planes : int
        Of the counts.
    n_entries : int
        Of `digits`, see `select`.
    mirrored : int
        1 for `Mirrored` entries, with which chosen is turned round where fewer than half the
        neighbours count; else 0.
    n_lazy : int
        Of `lazy`: z/2 + 1, or 0.
    """
    assert UNROLLED == 12, "the digits t0 to t11 are written out"

    @njit(nogil=True, cache=True)
    def kernel(planes, own, keep, digits, lazy, state, result, open_lanes, size):
        prefer_wide_vectors()
        capacity = np.uint64(planes.shape[1])
        always = _tuple_of(digits, UNROLLED * n_entries, 1, n_entries, mirrored)
        rest = _tuple_of(lazy, 0, 1, n_lazy, 0)
        t0 = _tuple_of(digits, 0 * n_entries, 1, n_entries, mirrored)
        t1 = _tuple_of(digits, 1 * n_entries, 1, n_entries, mirrored)
        t2 = _tuple_of(digits, 2 * n_entries, 1, n_entries, mirrored)
        t3 = _tuple_of(digits, 3 * n_entries, 1, n_entries, mirrored)
        t4 = _tuple_of(digits, 4 * n_entries, 1, n_entries, mirrored)
        t5 = _tuple_of(digits, 5 * n_entries, 1, n_entries, mirrored)
        t6 = _tuple_of(digits, 6 * n_entries, 1, n_entries, mirrored)
        t7 = _tuple_of(digits, 7 * n_entries, 1, n_entries, mirrored)
        t8 = _tuple_of(digits, 8 * n_entries, 1, n_entries, mirrored)
        t9 = _tuple_of(digits, 9 * n_entries, 1, n_entries, mirrored)
        t10 = _tuple_of(digits, 10 * n_entries, 1, n_entries, mirrored)
        t11 = _tuple_of(digits, 11 * n_entries, 1, n_entries, mirrored)
        s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
        for j in range(size):
            n = _tuple_of(planes, j, capacity, n_planes, 0)
            x = own[j]
            a, b, c, d = s0[j], s1[j], s2[j], s3[j]
            sure, turned = _certain_or_mirrored(n, always)
            rests = sure & lazy_lanes(n, rest)
            sure |= _chance(n, x, always)
            undecided = ~sure
            below = np.uint64(0)
            p = _chance(n, x, t11)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            p = _chance(n, x, t10)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            p = _chance(n, x, t9)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            p = _chance(n, x, t8)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            p = _chance(n, x, t7)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            p = _chance(n, x, t6)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            p = _chance(n, x, t5)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            p = _chance(n, x, t4)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            p = _chance(n, x, t3)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            p = _chance(n, x, t2)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            rests &= d
            p = _chance(n, x, t1)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            rests &= d
            p = _chance(n, x, t0)
            a, b, c, d, below, undecided = _digit(a, b, c, d, below, undecided, p)
            rests &= d
            s0[j], s1[j], s2[j], s3[j] = a, b, c, d
            result[j] = ((below | sure) & ~rests) ^ (x & keep) ^ turned
            open_lanes[j] = undecided

    kernel.compile(_ARGUMENTS)
    compiled = kernel.overloads[_ARGUMENTS]
    _kept.append(kernel)
    name = compiled.fndesc.llvm_func_name
    return np.uint64(compiled.library.get_pointer_to_function(name))


@intrinsic
def decide(
    typing_context, address, planes, own, keep, digits, lazy, state, result, open_lanes, size
):
    """Set ``result = chosen ^ (own & keep)`` with P(chosen) given by count and own spin.

    Parameters
    ----------
    address : uint64
        Of a `decision`.
    planes : uint64 array, shape (n_planes, capacity)
        Bit planes of the counts.
    own : uint64 array, shape (capacity,)
    keep : uint64
        All ones if `chosen` flips the own spin, 0 if it sets the spin.
    digits : uint64 array, shape (UNROLLED + 1, n_entries)
        Bit k of ``digits[i, e]`` is digit i, the most significant first, of lane k's probability
        in entry e (see `select`); the last row has the lanes whose probability is 1.
    lazy : uint64 array, shape (n_lazy,)
        For counts 0 … z/2 that `certain` decides: lanes whose probability is 7/8 and not 1. They
        take the three digits that are drawn anyway. Empty where there are none.
    state : uint64 array, shape (4, capacity)
        Generators, one a site of the buffer.
    result, open_lanes : uint64 arrays, shape (capacity,)
        Receive the outcome, and the lanes that `settle` must decide (not chosen so far).
    size : uint64
    """

    def codegen(context, builder, signature, arguments):
        types_of = signature.args[1:]
        kind = context.call_conv.get_function_type(types.none, types_of)
        kernel = builder.inttoptr(arguments[0], kind.as_pointer())
        context.call_conv.call_function(builder, kernel, types.none, types_of, arguments[1:])
        return context.get_dummy_value()

    return types.none(types.uint64, *_ARGUMENTS), codegen


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
