"""Lattices of one spin a bit, or of some bits: rows along the last axis, in whole 64-bit words.

Bit k of word w is site 64 w + k of its row, 1 for an up spin. Bits behind the last site are 0.
Spins of q states have a *plane* of such rows for every binary digit of the state, the lowest one
first, one plane behind the other.

Bonds are named by their lower end and an offset. Offset k leads from a row to ``rows[row, k]``, -1
if that is missing, and by ``shifts[k]``, -1, 0 or 1, along the row. Offset 0 leads along the row.
Bonds lie in *layers*: all in one, or if couplings differ from site to site, those of each kind in
one of their own. ``ends[layer, row % n, k, w]`` has the bits of the sites in word w that have such
a bond, for n different rows, and ``kinds[layer, k]`` is its kind. These arrays, `rows`, `shifts`,
`ends` and `kinds`, and the number of sites of a row make a `layout`.
"""

import numpy as np
from numba import njit

from isingrl.engines.kernels.bits import count_ones

TOP = np.uint64(63)
"""Place of the last bit of a word."""


@njit(inline="always")
def shifted(words, row, word, shift, length):
    """Word with the bits that lie `shift`, -1, 0 or 1, sites on in a row that is a ring."""
    zero, one = np.uint64(0), np.uint64(1)
    last = np.uint64(words.shape[1] - 1)
    here = words[row, word]
    if shift == 0:
        return here
    in_last = (length - one) & TOP  # place of the row's last site
    if shift > 0:
        if word < last:
            return (here >> one) | (words[row, word + one] << TOP)
        return (here >> one) | ((words[row, zero] & one) << in_last)
    if word > zero:
        return (here << one) | (words[row, word - one] >> TOP)
    return (here << one) | ((words[row, last] >> in_last) & one)


@njit(inline="always")
def sites_of(word, n_words, length):
    """Word with the bits that are sites."""
    ones = ~np.uint64(0)
    if word + np.uint64(1) == n_words:
        return ones >> (~(length - np.uint64(1)) & TOP)
    return ones


@njit(inline="always")
def plane_of(state, plane):
    """Word of all 0 or all 1: the bit of a state in a plane."""
    return np.uint64(0) - ((state >> plane) & np.uint64(1))


@njit(inline="always")
def differing_by(exchange, spins, row, other, word, n_rows, n_planes, shift, length):
    """Sites whose state and that of the site `shift` sites on in row `other` differ by `exchange`.

    These bits differ, and no others. Bits that are no sites may be anything.
    """
    one = np.uint64(1)
    differ = spins[row, word] ^ shifted(spins, other, word, shift, length)
    found = ~(differ ^ plane_of(exchange, np.uint64(0)))
    for plane in range(one, n_planes):
        above = plane * n_rows
        differ = spins[above + row, word] ^ shifted(spins, above + other, word, shift, length)
        found &= ~(differ ^ plane_of(exchange, plane))
    return found


@njit(inline="always")
def in_state(state, spins, row, word, n_rows, n_planes):
    """Sites in a state; bits that are no sites may be anything."""
    found = ~np.uint64(0)
    for plane in range(n_planes):
        found &= ~(spins[plane * n_rows + row, word] ^ plane_of(state, plane))
    return found


@njit(nogil=True, cache=True)
def measure_states(spins, layout, sums):
    """Measure bonds between equal states by kind, and the sites in each state.

    Parameters
    ----------
    spins : uint64 array, shape (n_planes * n_rows, n_words)
    layout : tuple
        As described above.
    sums : int64 array, shape (n_kinds + q,)
        Receives the numbers: of bonds by kind, then of sites.
    """
    rows, shifts, ends, kinds, length = layout
    n_rows, n_words = np.uint64(rows.shape[0]), np.uint64(spins.shape[1])
    n_planes = np.uint64(spins.shape[0]) // n_rows
    n_bonds, n_rows_apart = kinds.max() + 1, np.uint64(ends.shape[1])
    sums[:] = 0
    for row in range(n_rows):
        for word in range(n_words):
            sites = sites_of(word, n_words, length)
            for state in range(np.uint64(sums.size - n_bonds)):
                held = in_state(state, spins, row, word, n_rows, n_planes) & sites
                sums[np.uint64(n_bonds) + state] += np.int64(count_ones(held))
        for k in range(np.uint64(shifts.size)):
            if rows[row, k] < 0:
                continue
            other, equal = np.uint64(rows[row, k]), np.uint64(0)
            for word in range(n_words):
                alike = differing_by(
                    np.uint64(0), spins, row, other, word, n_rows, n_planes, shifts[k], length
                )
                equal += count_ones(alike & ends[0, row % n_rows_apart, k, word])
            sums[kinds[0, k]] += np.int64(equal)


@njit(nogil=True, cache=True)
def measure(spins, second, layout, sums):
    """Measure sums of s_i s_j over bonds, of s_i over sites, and of s_i with signs.

    Parameters
    ----------
    spins : uint64 array, shape (n_rows, n_words)
    second : uint64 array, shape (n_rows, n_words)
        Sites of the second sublattice.
    layout : tuple
        As described above.
    sums : int64 array, shape (n_kinds + 2,)
        Receives the sums: of bonds by kind, then the other two.
    """
    rows, shifts, ends, kinds, length = layout
    n_rows, n_words = np.uint64(spins.shape[0]), np.uint64(spins.shape[1])
    up, staggered = np.uint64(0), np.uint64(0)
    n_rows_apart = np.uint64(ends.shape[1])
    sums[:] = 0
    for row in range(n_rows):
        for word in range(n_words):
            up += count_ones(spins[row, word])
            staggered += count_ones(spins[row, word] ^ second[row, word])
        own = row % n_rows_apart
        for k in range(np.uint64(shifts.size)):
            if rows[row, k] < 0:
                continue
            other = np.uint64(rows[row, k])
            for layer in range(np.uint64(ends.shape[0])):
                agreeing, bonds = np.uint64(0), np.uint64(0)
                for word in range(n_words):
                    differ = spins[row, word] ^ shifted(spins, other, word, shifts[k], length)
                    agreeing += count_ones(~differ & ends[layer, own, k, word])
                    bonds += count_ones(ends[layer, own, k, word])
                sums[kinds[layer, k]] += np.int64(agreeing + agreeing - bonds)
    n_sites = n_rows * length
    sums[sums.size - 2] = np.int64(up + up - n_sites)
    sums[sums.size - 1] = np.int64(staggered + staggered - n_sites)
