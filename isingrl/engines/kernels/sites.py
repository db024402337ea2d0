"""The byte-site engine: one byte a spin, any lattice, any schedule, any table.

A byte holds the state of a site, 0 … q - 1, or q for a missing neighbour; of Ising spins 0 is down
and 1 is up. What a site sees is a sum of codes, one for each site that it looks at, by the state
of that one and by the slot in which it stands; the sum is an index into the table. Counts, joint
configurations, free boundaries and unequal bonds so differ in nothing but the codes.

With many states such a table would be too long. Codes by the slot alone add up over the neighbours
that are in one state, and so say what speaks for it; a table then compares two states.

Indices are unsigned, which spares Numba's handling of negative ones.
"""

import numpy as np
from numba import njit

from isingrl.engines.kernels.random import below, jsf_step, uniform

IN_ORDER, RANDOM_SITE, SYNCHRONOUS = 0, 1, 2
SPINS = np.array([-1, 1, 0], dtype=np.int8)
"""Ising spins of the states down, up and missing."""


@njit(inline="always")
def seen_from(site, spins, sites, codes):
    """Sum of the codes of what one site (uint64) sees; parameters as in `sweep`."""
    k, seen = np.uint64(sites.shape[1]), 0
    first = site * k * np.uint64(codes.shape[0] > sites.shape[1])
    for slot in range(k):
        seen += codes[first + slot, np.uint64(spins[np.uint64(sites[site, slot])])]
    return np.uint64(seen)


@njit(inline="always")
def support_of(state, site, spins, sites, codes):
    """Sum of the codes of neighbours in one state (uint64); parameters as in `sweep`."""
    last = np.uint64(codes.size - 1)
    support = codes[last] * np.uint64(state == np.uint64(0))
    for slot in range(last):
        other = np.uint64(spins[np.uint64(sites[site, slot])])
        support += codes[slot] * np.uint64(other == state)
    return support


@njit(nogil=True, cache=True)
def sweep(spins, sites, codes, index, order, table, schedule, state, sweeps):
    """Make `sweeps` sweeps of one chain.

    Parameters
    ----------
    spins : uint8 array, shape (n_sites + 1,)
        States of the sites; the last entry is q and stands for missing neighbours.
    sites : int32 array, shape (n_sites, k)
        Whose spins a site sees.
    codes : int32 array, shape (k, q + 1) or (n_sites k, q + 1); or uint64 array, shape (k + 1,)
        What each of them adds to the state seen, by its slot and its own state; of all sites or of
        one after the other. Or what it adds to the support of its own state, by its slot, and last
        what the field adds to that of state 0.
    index : int32 array, or None
        Place in a table of q states by the sum of the codes; None if this is the sum.
    order : int array, shape (n_sites,)
        Sites in the order of their updates, unless they are drawn at random.
    table : float64 array, shape (n_tables, 2, n_states) or (n_tables, q or 1, n_states, q - 1)
        For all sites or for each: P(up | own state, state seen); or P(new state > s | the same) for
        s = 0 … q - 2, perhaps the same for each own state. For codes by slot it has the shape
        (n, n), by the supports of another state and of the own one: the chance of changing to that
        other one, which is drawn at random. Or the shape (1, n, n): the weight of a state of one
        support over that of another; the new state is drawn by these weights.
    schedule : int
        IN_ORDER, RANDOM_SITE or SYNCHRONOUS.
    state : uint64 array, shape (4,)
    """
    n_sites, q = sites.shape[0], np.uint64(spins[-1])
    several = np.uint64(table.shape[0] > 1)
    by_own = np.uint64(table.shape[1] > 1)
    weights = np.zeros(q, dtype=np.float64)
    a, b, c, d = state[0], state[1], state[2], state[3]
    for _ in range(sweeps):
        source = spins
        if schedule == SYNCHRONOUS:
            source = spins.copy()
        # No calls with arrays in this loop: Numba counts references to them, at 5 ns each.
        for visit in range(n_sites):
            if schedule == RANDOM_SITE:
                a, b, c, d = jsf_step(a, b, c, d)
                site = np.uint64(below(d, n_sites))
            else:
                site = np.uint64(order[visit])
            own = np.uint64(source[site])
            # The numbers of dimensions are known when this is compiled.
            if codes.ndim == 1:
                if table.ndim == 2:
                    a, b, c, d = jsf_step(a, b, c, d)
                    other = np.uint64(below(d, q - np.uint64(1)))
                    other += np.uint64(other >= own)
                    for_own = support_of(own, site, source, sites, codes)
                    for_other = support_of(other, site, source, sites, codes)
                    a, b, c, d = jsf_step(a, b, c, d)
                    spins[site] = other if uniform(d) < table[for_other, for_own] else own
                else:
                    best = support_of(np.uint64(0), site, source, sites, codes)
                    for each in range(np.uint64(1), q):
                        support = support_of(each, site, source, sites, codes)
                        best = support if table[0, support, best] > 1 else best
                    total = 0.0
                    for each in range(q):
                        support = support_of(each, site, source, sites, codes)
                        total += table[0, support, best]
                        weights[each] = total
                    a, b, c, d = jsf_step(a, b, c, d)
                    chance = total * uniform(d)
                    new = 0
                    for each in range(q - np.uint64(1)):
                        new += chance >= weights[each]
                    spins[site] = new
            else:
                seen = seen_from(site, source, sites, codes)
                row = site * several
                a, b, c, d = jsf_step(a, b, c, d)
                chance = uniform(d)
                if table.ndim == 3:
                    spins[site] = chance < table[row, own, seen]
                else:
                    if index is not None:
                        seen = np.uint64(index[seen])
                    new = 0
                    for threshold in range(np.uint64(table.shape[3])):
                        new += chance < table[row, own * by_own, seen, threshold]
                    spins[site] = new
    state[0], state[1], state[2], state[3] = a, b, c, d


@njit(nogil=True, cache=True)
def measure(spins, neighbors, signs, sums):
    """Measure sums of s_i s_j over bonds, of s_i over sites, and of s_i with signs.

    Without signs measure the bonds between equal states, and the sites in each state.

    If z is even, the second half of a site's neighbours are those ahead of it, so that every bond
    is met once. If z is odd, all are looked at, and every bond is met twice.

    Parameters
    ----------
    neighbors : int32 array, shape (n_kinds, n_sites, z)
        Neighbours by kind of bond.
    signs : int8 array, shape (n_sites,), or None
        1 and -1 on two sublattices; 0 where there are others.
    sums : int64 array, shape (n_kinds + 2,) or (n_kinds + q,)
        Receives the sums: of bonds by kind, then the others.
    """
    n_kinds, n_sites, z = neighbors.shape
    first, times = (0, 2) if z % 2 else (z // 2, 1)
    if signs is None:
        for kind in range(np.uint64(n_kinds)):
            equal = 0
            for site in range(np.uint64(n_sites)):
                for slot in range(np.uint64(first), np.uint64(z)):
                    equal += spins[np.uint64(neighbors[kind, site, slot])] == spins[site]
            sums[kind] = equal // times
        sums[n_kinds:] = 0
        for site in range(np.uint64(n_sites)):
            sums[np.uint64(n_kinds) + np.uint64(spins[site])] += 1
        return
    total, staggered = 0, 0
    for kind in range(np.uint64(n_kinds)):
        bonds = 0
        for site in range(np.uint64(n_sites)):
            ahead = 0
            for slot in range(np.uint64(first), np.uint64(z)):
                ahead += SPINS[np.uint64(spins[np.uint64(neighbors[kind, site, slot])])]
            own = SPINS[np.uint64(spins[site])]
            bonds += own * ahead
            if kind == np.uint64(0):
                total += own
                staggered += signs[site] * own
        sums[kind] = bonds // times
    sums[n_kinds], sums[n_kinds + 1] = total, staggered


@njit(nogil=True, cache=True)
def record(
    spins, sites, codes, index, order, table, schedule, state, neighbors, signs, interval, sums
):  # fmt: skip
    """Sweep one chain and measure it after every `interval` sweeps.

    Parameters
    ----------
    neighbors, signs
        As in `measure`.
    sums : int64 array, shape (n_draws, n_kinds + 2) or (n_draws, n_kinds + q)
        Receives the sums of each draw.
    """
    for draw in range(sums.shape[0]):
        sweep(spins, sites, codes, index, order, table, schedule, state, interval)
        measure(spins, neighbors, signs, sums[draw])
