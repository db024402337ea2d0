"""Wolff clusters on bytes: one cluster at a time, by a search from a random site.

A cluster has sites in the state of the first one and in another state, drawn at random: spins in
these two are those of an Ising model, and the cluster exchanges the two states.

A site that has joined is marked until the cluster is complete, so that it cannot join again. Only
neighbours across bonds that were drawn are looked at; whether they join is no branch, because it
could not be foretold. Their places are computed, except at the boundary, because a table of all
neighbours of a large lattice fills the caches.
"""

import numpy as np
from numba import njit

from isingrl.engines.kernels.bits import lowest_one
from isingrl.engines.kernels.chances import happen
from isingrl.engines.kernels.random import below, jsf_step, uniform
from isingrl.engines.kernels.sites import measure


@njit(nogil=True, cache=True)
def clusters(spins, states, lattice, bond, of_sites, field, state, queue, number, most, sizes):
    """Make `number` clusters and flip them, or fewer if they have `most` sites together.

    Each spin along the field has a bond to the ghost spin with probability 1 - exp(-1 / free), so
    that it is known beforehand which of these spins has the first one. A cluster that meets this
    spin is given up. States of a pair differ by one number x as s and s ^ x do.

    Parameters
    ----------
    spins : uint8 or uint16 array, shape (n_sites + 1,)
        States 0 … q - 1; the last entry is q and stands for missing neighbours.
    states : uint64 or None
        Number of states q, of spins in two bytes; None for Ising spins, in one byte. What is so
        known when this is compiled makes these faster.
    lattice : tuple
        Neighbours, int32 (n_sites, z); how far they lie ahead in most places, uint64 (z,); and
        whether those of a site lie elsewhere, bool (n_sites,).
    bond : tuple
        Thresholds of `chances` for a bond between satisfied spins by kind of bond, uint64
        (n_kinds,); the bits of the slots of each kind, as often as they fit in a word, uint64
        (n_kinds,); and a uint64 with the bits of those slots in which unequal spins are satisfied.
    of_sites : tuple or None
        If bonds differ from site to site: the slots of each kind, uint64 (n_sites, n_kinds), and
        those in which unequal spins are satisfied, uint64 (n_sites,). Then `bond` has all slots for
        each kind, and none of unequal spins.
    field : tuple
        `free`, infinite without a field, and whether not state 0 is along the field, but the other
        one of its pair (uint64).
    state : uint64 array, shape (4,)
        Random stream.
    queue : int32 array, shape (n_sites + 1,)
        Room for the sites of a cluster.
    sizes : int64 array
        Receives the sites met in the first clusters, as many as it has entries.

    Returns
    -------
    number, sites : int
        Clusters made, and sites met in them.
    """
    one = np.uint64(1)
    neighbors, steps, elsewhere = lattice
    thresholds, kinds, opposite = bond
    by_kind = np.zeros(thresholds.size, dtype=np.uint64)
    free, partner = field
    n_sites, z = neighbors.shape
    slots = np.uint64(z)
    # what marks the spins of a cluster is above all states
    mark = np.uint64(4) if states is None else np.uint64(256)
    first, exchange = np.uint64(0), one
    a, b, c, d = state[0], state[1], state[2], state[3]
    bonds, sites_left = np.uint64(0), 0
    made, met = 0, 0
    while made < number and met < most:
        a, b, c, d = jsf_step(a, b, c, d)
        seed = below(d, n_sites)
        if states is not None:
            first = np.uint64(spins[seed])
            a, b, c, d = jsf_step(a, b, c, d)
            second = np.uint64(below(d, states - one))
            exchange = first ^ (second + np.uint64(second >= first))
        along = exchange * partner
        spins[seed] += mark
        queue[0] = seed
        head, tail = np.uint64(0), one
        held_by, passed = np.inf, 0
        if free < np.inf:
            a, b, c, d = jsf_step(a, b, c, d)
            held_by = np.floor(-np.log(1 - uniform(d)) * free)
        while head < tail and passed <= held_by:
            site = np.uint64(queue[head])
            head += one
            own = np.uint64(spins[site]) ^ mark
            passed += own == along
            if sites_left == 0:
                bonds = np.uint64(0)
                for kind in range(thresholds.size):
                    more, a, b, c, d = happen(thresholds[kind], kinds[kind], a, b, c, d)
                    if of_sites is None:
                        bonds |= more
                    else:
                        by_kind[kind] = more
                sites_left = 64 // z
            sites_left -= 1
            if of_sites is None:
                drawn = bonds & ((one << slots) - one)
                bonds >>= slots
            else:
                drawn = np.uint64(0)
                for kind in range(thresholds.size):
                    drawn |= by_kind[kind] & of_sites[0][site, kind]
                    by_kind[kind] >>= slots
                opposite = of_sites[1][site]
            at_boundary = elsewhere[site]
            # bits of the slots in which the other state of the pair than `first` satisfies bonds
            satisfying = opposite ^ (np.uint64(0) - np.uint64(own != first))
            while drawn != np.uint64(0):
                slot = lowest_one(drawn)
                drawn &= drawn - one
                other = np.uint64(neighbors[site, slot]) if at_boundary else site + steps[slot]
                wanted = first ^ (exchange * ((satisfying >> slot) & one))
                joins = np.uint64(np.uint64(spins[other]) == wanted)
                spins[other] += joins * mark
                queue[tail] = other
                tail += joins
        change = mark ^ (exchange * np.uint64(passed <= held_by))
        for place in range(tail):
            spins[np.uint64(queue[place])] ^= change
        if made < sizes.size:
            sizes[made] = tail
        made += 1
        met += np.int64(tail)
    state[0], state[1], state[2], state[3] = a, b, c, d
    return made, met


@njit(nogil=True, cache=True)
def thermalize(spins, states, lattice, bond, of_sites, field, state, queue, history, sweeps):
    """Make sweeps that end once their clusters have as many sites as the lattice.

    Parameters
    ----------
    history : int64 array, shape (5,)
        Sweeps so far, then clusters and sites of two spans: since the last sweep whose number is
        a power of two, and since the one before it. So both together have the last half of all
        sweeps at least, however many sweeps follow.
    """
    n_sites, no_sizes = spins.size - 1, np.empty(0, dtype=np.int64)
    for _ in range(sweeps):
        made, met = clusters(
            spins, states, lattice, bond, of_sites, field, state, queue, n_sites, n_sites, no_sizes
        )
        history[0] += 1
        history[1] += made
        history[2] += met
        if history[0] & (history[0] - 1) == 0:
            history[3], history[4] = history[1], history[2]
            history[1] = history[2] = 0


@njit(nogil=True, cache=True)
def sweep(spins, states, lattice, bond, of_sites, field, state, queue, number, sweeps, sizes):
    """Make sweeps of `number` clusters each; return the number of sites met in them.

    `sizes` as in `clusters`, of the last sweep.
    """
    met = 0
    for _ in range(sweeps):
        # bits that were drawn but not used are dropped, so that calls may be cut anywhere
        most = number * spins.size  # never met
        met += clusters(
            spins, states, lattice, bond, of_sites, field, state, queue, number, most, sizes
        )[1]
    return met


@njit(nogil=True, cache=True)
def record(
    spins, states, lattice, bond, of_sites, field, state, queue, number, by_kind, signs, interval,
    sums, met, edges, histogram,
):  # fmt: skip
    """Sweep one chain and measure it after every `interval` sweeps.

    Parameters
    ----------
    by_kind, signs
        As in `sites.measure`.
    sums : int64 array, shape (n_draws, n_kinds + 2) or (n_draws, n_kinds + q)
        Receives what `sites.measure` finds.
    met : int64 array, shape (n_draws,)
        Receives the number of sites met in the last sweep.
    edges : int64 array, shape (n_bins + 1,)
        Of bins of cluster sizes; no bins for no histogram.
    histogram : float64 array, shape (n_draws, n_bins)
        Receives estimates of the number of clusters of the lattice by size, from the clusters of
        the last sweep. A cluster of s sites is met with a probability proportional to s.
    """
    n_sites = spins.size - 1
    sizes = np.empty(number if edges.size > 1 else 0, dtype=np.int64)
    for draw in range(met.size):
        sweep(
            spins, states, lattice, bond, of_sites, field, state, queue, number, interval - 1, sizes
        )
        met[draw] = sweep(
            spins, states, lattice, bond, of_sites, field, state, queue, number, 1, sizes
        )
        for size in sizes:
            place = np.searchsorted(edges, size, side="right") - 1
            histogram[draw, place] += n_sites / (size * number)
        measure(spins, by_kind, signs, sums[draw])
