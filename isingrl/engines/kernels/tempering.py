"""Exchanges between neighbouring temperatures of one chain and field.

A walker is a configuration that is swept for the whole run; a place is a temperature of one chain
in one field. An exchange lets two walkers trade places, so that no spin moves.
"""

import math

import numpy as np
from numba import njit

from isingrl.engines.kernels.random import next_word, uniform

_ROUNDING = 1e-14  # relative error of an energy difference


@njit(nogil=True, cache=True)
def exchange(first, exchanges, bonds, totals, accepted, swapped):
    """Try to exchange every second pair of neighbouring temperatures, from pair `first` on.

    Parameters
    ----------
    first : int
        0 or 1.
    exchanges : tuple
        ``(ladders, gaps, couplings, fields, walkers, random)``:

        - places by temperature, int64, shape (n_ladders, n_temperatures), coldest first;
        - the fall of 1/T from each of these temperatures to the next, shape (n_temperatures - 1,);
        - the coupling of each kind of bond, and the field of each ladder;
        - the walker at each place, int64, which is changed;
        - the generator, uint64, shape (4,): one random number for each pair that is tried.
    bonds : int64 array, shape (n_walkers, n_kinds)
        Sums of s_i s_j over bonds by kind, up to a number that all share.
    totals : int64 array, shape (n_walkers,)
        Sums of s_i over sites.
    accepted : int64 array, shape (n_places,)
        Receives 1 at the colder place of each pair that was exchanged.
    swapped : int64 array, shape (n_places // 2, 2)
        Receives the walkers of these pairs.

    Returns
    -------
    int
        Number of pairs that were exchanged.
    """
    ladders, gaps, couplings, fields, walkers, random = exchanges
    number = 0
    for ladder in range(ladders.shape[0]):
        for pair in range(first, gaps.size, 2):
            cold, hot = ladders[ladder, pair], ladders[ladder, pair + 1]
            a, b = walkers[cold], walkers[hot]
            of_spins = fields[ladder] * (totals[b] - totals[a])
            excess, size = of_spins, abs(of_spins)  # of the colder walker's energy over the other's
            for kind in range(couplings.size):
                of_bonds = couplings[kind] * (bonds[b, kind] - bonds[a, kind])
                excess += of_bonds
                size += abs(of_bonds)
            chance = uniform(next_word(random))
            # 1/T may be infinite: do not multiply it by 0, nor by a rounding error
            rounding = _ROUNDING * size
            if excess >= -rounding or chance < math.exp(gaps[pair] * excess):
                walkers[cold], walkers[hot] = b, a
                accepted[cold] = 1
                swapped[number, 0], swapped[number, 1] = a, b
                number += 1
    return number


@njit(nogil=True, cache=True)
def swap_lanes(a, b, strips, digits, lazy, rest):
    """Exchange the tables of two chains on lanes.

    Parameters
    ----------
    a, b : int
        The chains.
    strips : int
        Neighbouring lanes of each chain.
    digits, lazy, rest : uint64 arrays, shapes (n_blocks, n, n_entries), (n_blocks, n_lazy) and \
(n_blocks, 64, 2, z + 1)
        Tables of all blocks, see `decide` and `settle`.
    """
    chains = 64 // strips
    block, other = a // chains, b // chains
    lane, place = (a % chains) * strips, (b % chains) * strips
    to, back = np.uint64(lane), np.uint64(place)
    own = ~np.uint64(0) >> np.uint64(64 - strips)
    for row in range(digits.shape[1]):
        for entry in range(digits.shape[2]):
            differ = (digits[block, row, entry] >> to) ^ (digits[other, row, entry] >> back)
            digits[block, row, entry] ^= (differ & own) << to
            digits[other, row, entry] ^= (differ & own) << back
    for entry in range(lazy.shape[1]):
        differ = (lazy[block, entry] >> to) ^ (lazy[other, entry] >> back)
        lazy[block, entry] ^= (differ & own) << to
        lazy[other, entry] ^= (differ & own) << back
    for strip in range(strips):
        for spin in range(2):
            for count in range(rest.shape[3]):
                kept = rest[block, lane + strip, spin, count]
                rest[block, lane + strip, spin, count] = rest[other, place + strip, spin, count]
                rest[other, place + strip, spin, count] = kept
