"""Sweeps and measurements of bit lanes on a GPU, word for word those of `lane_sweeps`.

A block of threads serves one band of one block of lanes and goes through its buffers as one thread
of a CPU does, a thread for each word of a buffer. A thread keeps its generator in registers. The
few lanes that the first digits leave open take numbers of the band's last generator, in the order
of words and lanes. Thread 0 draws these numbers, and each thread finds its own by the counts of the
threads before it.

Kernels are made for one form of tables, as by `lane_decisions.decision`.
"""

import functools

import numpy as np
from numba import cuda, njit, types

from isingrl.engines.kernels.lane_counts import add2, add3, add9
from isingrl.engines.kernels.lane_decisions import (
    UNROLLED,
    certain,
    lazy_lanes,
    minority,
    select,
    select_mirrored,
)
from isingrl.engines.kernels.random import jsf_step

FIRST, LAST, CLOSING, KINDS = 1, 2, 4, 8
"""Kinds of words: the first and the last site of a half row, and a closing word, which is no site.
``places`` hold KINDS times the place in the tile, plus the kind."""
WARP = 32
_NUMBERS = 256  # numbers for open lanes that are drawn together
_COUNTER = 10  # planes of a running counter
_LARGEST = 2**_COUNTER - 1


@njit
def _none(n, t):
    return np.uint64(0)


@njit
def _chance_mirrored(n, own, t):
    return select_mirrored(n, t)


@njit
def _digit(state, below, undecided, p):
    """Draw a digit for all lanes and put it in front of those compared so far."""
    state = jsf_step(state[0], state[1], state[2], state[3])
    differs = state[3] ^ p
    return state, below ^ (differs & (below ^ p)), undecided & ~differs


@njit
def _lowest(lanes):
    """Mask of the lowest lane."""
    return lanes & (~lanes + np.uint64(1))


@njit
def _count_of(n, lane):
    """Count of a lane from its planes."""
    one = np.uint64(1)
    count = ((n[0] >> lane) & one) | (((n[1] >> lane) & one) << one)
    if len(n) > 2:
        count |= ((n[2] >> lane) & one) << np.uint64(2)
    if len(n) > 3:
        count |= ((n[3] >> lane) & one) << np.uint64(3)
    if len(n) > 4:
        count |= ((n[4] >> lane) & one) << np.uint64(4)
    return count


@njit
def _planes_4(a, b, c, d):
    half, twos = add3(a, b, c)
    ones, carry = add2(half, d)
    twos, fours = add2(twos, carry)
    return ones, twos, fours


@njit
def _planes_6(a, b, c, d, e, f):
    half, twos = add3(a, b, c)
    rest, more = add3(d, e, f)
    ones, carry = add2(half, rest)
    twos, fours = add3(twos, more, carry)
    return ones, twos, fours


@njit
def _plus(n, m):
    """Five planes of the sum of a count of four planes or five, and one of four."""
    ones, carry = add2(n[0], m[0])
    twos, carry = add3(n[1], m[1], carry)
    fours, carry = add3(n[2], m[2], carry)
    eights, carry = add3(n[3], m[3], carry)
    return ones, twos, fours, eights, (n[4] if len(n) > 4 else np.uint64(0)) ^ carry


@cuda.jit(device=True)
def _draw(numbers, wanted, state):
    """Draw as many numbers as wanted, or as there is room for; return the generator."""
    for i in range(min(wanted, _NUMBERS)):
        state = jsf_step(state[0], state[1], state[2], state[3])
        numbers[i] = state[3]
    return state


@functools.cache
def _row(length):
    """Device function that reads a row of a table as a tuple."""
    if length < 2:

        @cuda.jit(device=True)
        def read(table, row):
            return (table[row, 0],) if length else ()

    else:
        first, place = _row(length - 1), length - 1

        @cuda.jit(device=True)
        def read(table, row):
            return first(table, row) + (table[row, place],)  # noqa: RUF005 - Numba cannot unpack

    return read


@functools.cache
def _counts(z, signed):
    """Device function for the planes of a count of neighbours.

    It counts the neighbours of word x whose spins differ from ``turn``, at `place` in a tile; they
    agree across a negative bond.
    """

    @cuda.jit(device=True)
    def near(words, addresses, negative, tile, place, slot, x, turn):
        word = words[addresses[tile, slot] + place] ^ turn
        return word ^ negative[slot - 1, x] if signed else word

    @cuda.jit(device=True)
    def eight(w, s, g, t, p, x, r, i, ninth):
        return add9(
            near(w, s, g, t, p, i, x, r), near(w, s, g, t, p, i + 1, x, r),
            near(w, s, g, t, p, i + 2, x, r), near(w, s, g, t, p, i + 3, x, r),
            near(w, s, g, t, p, i + 4, x, r), near(w, s, g, t, p, i + 5, x, r),
            near(w, s, g, t, p, i + 6, x, r), near(w, s, g, t, p, i + 7, x, r), ninth,
        )  # fmt: skip

    @cuda.jit(device=True)
    def nine(w, s, g, t, p, x, r, i):
        return eight(w, s, g, t, p, x, r, i, near(w, s, g, t, p, i + 8, x, r))

    @cuda.jit(device=True)
    def of_2(w, s, g, t, p, x, r):
        return add2(near(w, s, g, t, p, 1, x, r), near(w, s, g, t, p, 2, x, r))

    @cuda.jit(device=True)
    def of_4(w, s, g, t, p, x, r):
        return _planes_4(
            near(w, s, g, t, p, 1, x, r), near(w, s, g, t, p, 2, x, r),
            near(w, s, g, t, p, 3, x, r), near(w, s, g, t, p, 4, x, r),
        )  # fmt: skip

    @cuda.jit(device=True)
    def of_6(w, s, g, t, p, x, r):
        return _planes_6(
            near(w, s, g, t, p, 1, x, r), near(w, s, g, t, p, 2, x, r),
            near(w, s, g, t, p, 3, x, r), near(w, s, g, t, p, 4, x, r),
            near(w, s, g, t, p, 5, x, r), near(w, s, g, t, p, 6, x, r),
        )  # fmt: skip

    @cuda.jit(device=True)
    def of_8(w, s, g, t, p, x, r):
        return eight(w, s, g, t, p, x, r, 1, np.uint64(0))

    @cuda.jit(device=True)
    def of_26(w, s, g, t, p, x, r):
        first = _plus(of_8(w, s, g, t, p, x, r), nine(w, s, g, t, p, x, r, 9))
        return _plus(first, nine(w, s, g, t, p, x, r, 18))

    return {2: of_2, 4: of_4, 6: of_6, 8: of_8, 26: of_26}[z]


@functools.cache
def sweeper(z, n_planes, n_entries, mirrored, n_lazy, signed, threads):
    """Kernel that sweeps a band for each block of `threads` threads.

    The grid is (n_bands, blocks of lanes). Several sublattices or sweeps at a time are possible if
    there is one band.

    Parameters of the kernel
    ------------------------
    source, target : uint64 arrays, shape (n_blocks, n_words)
        See `lane_sweeps.sweep`.
    addresses : int64 array, shape (n_tiles, 1 + z)
    negative : uint64 array, shape (z, n_words); of any shape unless `signed`
    tiles, places : int32 arrays, shape (n_buffers, capacity)
        Tile of each word of each buffer, -1 beyond the last word, and its place, see `KINDS`.
    bounds : int32 array, shape (n_sublattices, n_bands + 1)
        First buffer of each band.
    first, stop, sweeps : int
        Sublattices to update, and how often.
    half_row : int
    around, first_strip, last_strip : uint64
        See `lane_sweeps.close_rows`.
    blocks : int32 array, one for each y of the grid
        Blocks of lanes; the following arrays have a row for each y.
    forms : uint64 array, shape (…, 3)
        ``keep``, ``mask`` and ``inverse``.
    digits : uint64 array, shape (…, UNROLLED + 1, n_entries)
    lazy : uint64 array, shape (…, 1, n_lazy), or longer if that is 0
    rest : uint64 array, shape (…, 64, 2, z + 1)
    states : uint64 array, shape (n_blocks, n_bands, 4, capacity)
    tails : uint64 array, shape (n_blocks, n_bands, 4)
    """
    count = _counts(z, signed)
    row, lazy_row = _row(n_entries), _row(n_lazy)
    chance, turned_of = (_chance_mirrored, minority) if mirrored else (select, _none)
    certain_of = _none if mirrored else certain
    warps, rows, lazy_entries = threads // WARP, UNROLLED + 1, max(1, n_lazy)
    nobody = (np.uint64(0),) * n_planes

    @cuda.jit
    def kernel(
        source, target, addresses, negative, tiles, places, bounds, first, stop, sweeps, half_row,
        around, first_strip, last_strip, blocks, forms, digits, lazy, rest, states, tails,
    ):  # fmt: skip
        c, band, y = cuda.threadIdx.x, cuda.blockIdx.x, cuda.blockIdx.y
        block = blocks[y]
        table = cuda.shared.array((rows, n_entries), types.uint64)
        lazies = cuda.shared.array((1, lazy_entries), types.uint64)
        flags = cuda.shared.array((2, warps), types.uint32)  # of threads with open lanes
        opened = cuda.shared.array(threads, types.int32)
        numbers = cuda.shared.array(_NUMBERS, types.uint64)
        total = cuda.shared.array(1, types.int32)
        zero, one = np.uint64(0), np.uint64(1)
        for i in range(c, rows * n_entries, threads):
            table[i // n_entries, i % n_entries] = digits[y, i // n_entries, i % n_entries]
        for i in range(c, n_lazy, threads):
            lazies[0, i] = lazy[y, 0, i]
        if c < warps:
            flags[0, c] = flags[1, c] = np.uint32(0)
        keep, mask, inverse = forms[y, 0], forms[y, 1], forms[y, 2]
        state = (
            states[block, band, 0, c], states[block, band, 1, c],
            states[block, band, 2, c], states[block, band, 3, c],
        )  # fmt: skip
        tail = (
            tails[block, band, 0], tails[block, band, 1],
            tails[block, band, 2], tails[block, band, 3],
        )  # fmt: skip
        words, others = source[block], target[block]
        parity = 0
        cuda.syncthreads()
        for _ in range(sweeps):
            for sublattice in range(first, stop):
                for buffer in range(bounds[sublattice, band], bounds[sublattice, band + 1]):
                    tile = tiles[buffer, c]
                    undecided, result, own, n = zero, zero, zero, nobody
                    x, kind = np.int64(0), 0
                    if tile >= 0:
                        place = np.int64(places[buffer, c]) // KINDS
                        kind = places[buffer, c] % KINDS
                        x = addresses[tile, 0] + place
                        own = words[x]
                        turn = ~((own & mask) ^ inverse)
                        n = count(words, addresses, negative, tile, place, x, turn)
                        always = row(table, UNROLLED)
                        sure = certain_of(n, always)
                        rests = sure & lazy_lanes(n, lazy_row(lazies, 0))
                        sure |= chance(n, own, always)
                        below, undecided = zero, ~sure
                        for digit in range(UNROLLED - 1, -1, -1):
                            p = chance(n, own, row(table, digit))
                            state, below, undecided = _digit(state, below, undecided, p)
                            if digit < 3:
                                rests &= state[3]
                        result = ((below | sure) & ~rests) ^ (own & keep) ^ turned_of(n, always)
                    number = cuda.popc(undecided)
                    if number > 0:
                        opened[c] = number
                        cuda.atomic.or_(flags, (parity, c // WARP), np.uint32(1 << (c % WARP)))
                    cuda.syncthreads()
                    before, every = 0, 0
                    if number > 0 or c == 0:
                        for warp in range(warps):
                            left = flags[parity, warp]
                            while left != 0:
                                other = WARP * warp + cuda.ffs(left) - 1
                                left &= left - np.uint32(1)
                                every += opened[other]
                                if other < c:
                                    before += opened[other]
                    if c == 0:
                        total[0] = every
                        tail = _draw(numbers, every, tail)
                    if c < warps:
                        flags[1 - parity, c] = np.uint32(0)
                    cuda.syncthreads()
                    every = total[0]
                    for drawn in range(0, every, _NUMBERS):
                        if drawn > 0:  # next to never
                            cuda.syncthreads()
                            if c == 0:
                                tail = _draw(numbers, every - drawn, tail)
                            cuda.syncthreads()
                        i, left = before - drawn, undecided
                        while left != zero:
                            lowest = _lowest(left)
                            left ^= lowest
                            if 0 <= i < _NUMBERS:
                                lane = np.uint64(cuda.popc(lowest - one))
                                digit = rest[y, lane, (own >> lane) & one, _count_of(n, lane)]
                                if numbers[i] < digit:
                                    result ^= lowest
                            i += 1
                    parity = 1 - parity
                    if tile >= 0 and kind < CLOSING:
                        others[x] = result
                        if kind & FIRST:
                            others[x + half_row] = ((result >> one) & ~last_strip) | (
                                (result << around) & last_strip
                            )
                        if kind & LAST:
                            others[x - half_row] = ((result << one) & ~first_strip) | (
                                (result >> around) & first_strip
                            )
                if sweeps * (stop - first) > 1:
                    cuda.syncthreads()
            words, others = others, words
        for i in range(4):
            states[block, band, i, c] = state[i]
            if c == 0:
                tails[block, band, i] = tail[i]

    return kernel


@cuda.jit(device=True)
def _clear(counter):
    for plane in range(_COUNTER):
        counter[plane] = np.uint64(0)


@cuda.jit(device=True)
def _count_up(counter, carry):
    for plane in range(_COUNTER):
        counter[plane], carry = add2(counter[plane], carry)


@cuda.jit(device=True)
def _empty(counter, sums):
    """Add what a thread counted to the sums of the lanes."""
    for i in range(64):
        lane = (i + cuda.threadIdx.x) % 64  # each thread begins with another one
        found = 0
        for plane in range(_COUNTER):
            found += np.int32((counter[plane] >> np.uint64(lane)) & np.uint64(1)) << plane
        cuda.atomic.add(sums, lane, np.int32(found))


@cuda.jit(device=True)
def _hand_over(sums, totals):
    cuda.syncthreads()
    for lane in range(cuda.threadIdx.x, 64, cuda.blockDim.x):
        cuda.atomic.add(totals, lane, np.int64(sums[lane]))


@functools.cache
def bond_meter(z, n_planes, signed):
    """Kernel that adds the satisfied bonds of the sites in the first buffers.

    The grid is (any number, n_blocks). See `sweeper` for its parameters; `totals` has the shape
    (n_blocks, 64).
    """
    count = _counts(z, signed)
    room = _LARGEST // z

    @cuda.jit
    def kernel(source, addresses, negative, tiles, places, n_buffers, totals):
        c, block = cuda.threadIdx.x, cuda.blockIdx.y
        sums = cuda.shared.array(64, types.int32)
        counter = cuda.local.array(_COUNTER, types.uint64)
        for lane in range(c, 64, cuda.blockDim.x):
            sums[lane] = 0
        _clear(counter)
        cuda.syncthreads()
        words, used = source[block], 0
        for buffer in range(cuda.blockIdx.x, n_buffers, cuda.gridDim.x):
            tile = tiles[buffer, c]
            if tile < 0 or places[buffer, c] % KINDS >= CLOSING:
                continue
            place = np.int64(places[buffer, c]) // KINDS
            x = addresses[tile, 0] + place
            n = count(words, addresses, negative, tile, place, x, ~words[x])
            carry = np.uint64(0)
            for plane in range(n_planes):
                counter[plane], carry = add3(counter[plane], n[plane], carry)
            for plane in range(n_planes, _COUNTER):
                counter[plane], carry = add2(counter[plane], carry)
            used += 1
            if used == room:
                _empty(counter, sums)
                _clear(counter)
                used = 0
        if used:
            _empty(counter, sums)
        _hand_over(sums, totals[block])

    return kernel


@cuda.jit
def spin_meter(source, kinds, half_row, totals):
    """Add the up spins of half rows, by the kinds of those.

    The grid is (any number, n_blocks); `kinds` is an int32 array over half rows, each 0 or 1, and
    `totals` has the shape (n_blocks, n_kinds, 64).
    """
    block, n_kinds = cuda.blockIdx.y, totals.shape[1]
    sums = cuda.shared.array((2, 64), types.int32)
    first = cuda.local.array(_COUNTER, types.uint64)
    second = cuda.local.array(_COUNTER, types.uint64)
    for lane in range(cuda.threadIdx.x, 64, cuda.blockDim.x):
        sums[0, lane] = sums[1, lane] = 0
    _clear(first)
    _clear(second)
    cuda.syncthreads()
    words, stride, used = source[block], half_row + 2, 0
    for x in range(cuda.grid(1), words.size, cuda.gridsize(1)):
        if not 0 < x % stride <= half_row:
            continue  # a closing word
        if kinds[x // stride] == 0:
            _count_up(first, words[x])
        else:
            _count_up(second, words[x])
        used += 1
        if used == _LARGEST:
            _empty(first, sums[0])
            _empty(second, sums[1])
            _clear(first)
            _clear(second)
            used = 0
    if used:
        _empty(first, sums[0])
        _empty(second, sums[1])
    for kind in range(n_kinds):
        _hand_over(sums[kind], totals[block, kind])
