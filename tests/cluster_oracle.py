"""Cluster updates by loops over sites and a slow search, with the random numbers of the kernels."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import sparse

from isingrl import Ising, Potts, RandomBonds
from tests.oracles import MASK, neighbor_indices, site_list, steps_of, strength

GHOST = -1


def probability(model, energy, temperature):
    """1 - exp(-2 |energy| / T) of Ising spins, 1 - exp(-|energy| / T) of Potts spins."""
    cost = abs(energy) * (2 if isinstance(model, Ising) else 1)
    if cost == 0 or temperature == math.inf:
        return 0.0
    return 1.0 if temperature == 0 else -math.expm1(-cost / temperature)


def along_field(model, partner):
    """The spin along the field, and of Potts spins only the partner of 0 if the field is not."""
    if isinstance(model, Ising):
        return 1 if model.field > 0 else -1
    return 0 if model.field >= 0 else partner(0)


def drawn_partners(model, random):
    """Partner of each state in a sweep of Swendsen-Wang; None if all states may follow."""
    if isinstance(model, Ising):
        return lambda spin: -spin
    if model.states == 2:
        return lambda spin: 1 - spin
    if model.field >= 0 and (model.couplings >= 0).all():
        return None
    powers = [2**k for k in range(8) if 2**k < model.states]
    number = 1 + random.below(sum(powers))
    return lambda spin: spin ^ number


def happens(chance, places, random):
    """Which of some places, 0 … 63, have an event: their digits are below those of the chance."""
    threshold = MASK if chance == 1 else int(chance * 2**64)
    if threshold == MASK:
        return set(places)
    undecided, happened = set(places), set()
    for digit in range(63, -1, -1):
        if not undecided or threshold % 2 ** (digit + 1) == 0:
            break
        word = random.word()
        for place in sorted(undecided):
            own, wanted = word >> place & 1, threshold >> digit & 1
            if own != wanted:
                undecided.remove(place)
                if own < wanted:
                    happened.add(place)
    return happened


def forward_steps(lattice):
    """Steps to the neighbours behind a site in C order."""
    steps = steps_of(lattice.neighborhood, lattice.ndim)
    return [step for step in steps if step > (0,) * lattice.ndim]


def ahead(lattice, site, step):
    """Coordinates of the site a step ahead; None if it is missing."""
    if step not in steps_of(lattice.neighborhood, lattice.ndim, site):
        return None
    moved = tuple(x + d for x, d in zip(site, step, strict=True))
    if lattice.boundary == "periodic":
        return tuple(x % side for x, side in zip(moved, lattice.shape, strict=True))
    inside = all(0 <= x < side for x, side in zip(moved, lattice.shape, strict=True))
    return moved if inside else None


def draw_bonds(spins, model, temperature, random, partner):
    """Bonds (site, other, step) of a sweep, other sites `GHOST` for bonds of the field."""
    lattice, sites = model.lattice, site_list(model.lattice.shape)
    index = {site: i for i, site in enumerate(sites)}
    length = lattice.shape[-1]
    words = [range(first, min(first + 64, length)) for first in range(0, length, 64)]
    rows = list(dict.fromkeys(site[:-1] for site in sites))
    found = []
    layers = model.couplings if isinstance(model.coupling, RandomBonds) else [None]
    for layer, row, step, word in itertools.product(layers, rows, forward_steps(lattice), words):
        coupling = strength(model, step, None) if layer is None else layer
        chance = probability(model, coupling, temperature)
        satisfied = {}
        for x in word:
            own, other = spins[index[*row, x]], ahead(lattice, (*row, x), step)
            held = other and strength(model, step, (*row, x)) == coupling
            if held and spins[index[other]] == (own if coupling >= 0 else partner(own)):
                satisfied[x - word[0]] = index[*row, x], index[other], step
        found += [satisfied[place] for place in sorted(happens(chance, satisfied, random))]
    along = along_field(model, partner)
    chance = probability(model, model.field, temperature)
    for row, word in itertools.product(rows, words):
        if chance > 0:
            places = {x - word[0]: index[*row, x] for x in word if spins[index[*row, x]] == along}
            found += [(places[place], GHOST, None) for place in happens(chance, places, random)]
    return found


def clusters_of(n_sites, bonds):
    """Sets of sites that bonds connect, one of them with the ghost."""
    joined = {site: set() for site in (GHOST, *range(n_sites))}
    for i, j, _ in bonds:
        joined[i].add(j)
        joined[j].add(i)
    left, clusters = set(joined), []
    while left:
        reached = [left.pop()]
        for site in reached:  # grows while it is read
            new = joined[site] & left
            left -= new
            reached += sorted(new)
        clusters.append(set(reached))
    return clusters


def swendsen_wang(spins, model, temperature, random):
    """Make one sweep of a list of spins, in place; return the clusters."""
    lattice = model.lattice
    partner = drawn_partners(model, random)
    bonds = draw_bonds(spins, model, temperature, random, partner)
    clusters = clusters_of(lattice.n_sites, bonds)
    along_row = {i for i, _, step in bonds if step and step[-1] == 1 and not any(step[:-1])}
    # sites joined along a row without crossing its end share a label, and 0 is the ghost's
    labels, last = {}, 0
    for site, (*_, x) in enumerate(site_list(lattice.shape)):
        last += x == 0 or site - 1 not in along_row
        labels[site] = last
    if partner is None:
        new = [random.below(model.states) for _ in range(last)]
    else:
        words = [random.word() for _ in range(last // 64 + 1)]
    for cluster in clusters:
        if GHOST in cluster:
            continue
        label = min(labels[site] for site in cluster)
        for site in cluster:
            if partner is None:
                spins[site] = new[label - 1]
            elif (
                words[label // 64] >> label % 64 & 1
                and partner(spins[site]) < len(model.values) - 1
            ):
                spins[site] = partner(spins[site])
    return clusters


def wolff(spins, model, temperature, random, number):
    """Make a number of clusters on a list of spins, in place; return the sites met in them."""
    neighbors, z = slots(model.lattice), model.lattice.coordination_number
    by_site, fits = isinstance(model.coupling, RandomBonds), 64 // z * z
    if not by_site:
        of_slots = [strength(model, step, None) for step in model.lattice.offsets]
        of_places = [of_slots[place % z] for place in range(fits)]
        of_places += [model.couplings[0]] * (64 - fits)
    sites = site_list(model.lattice.shape)
    bonds, met = [], 0
    for _ in range(number):
        cluster = [random.below(len(spins))]
        first = spins[cluster[0]]
        second = -first
        if isinstance(model, Potts):
            others = [state for state in range(model.states) if state != first]
            second = others[random.below(len(others))]
        exchanged = {first: second, second: first}
        # if the pair lacks the state 0, no site is along the field
        along = along_field(model, lambda spin, pair=exchanged: pair.get(spin))
        held_by, passed = math.inf, 0
        if model.field and temperature < math.inf:
            mean = temperature / (abs(model.field) * (2 if isinstance(model, Ising) else 1))
            held_by = math.floor(-math.log(1 - random.uniform()) * mean)
        for site in cluster:  # grows while it is read
            passed += spins[site] == along
            if not bonds:
                happened = {}
                for each in model.couplings:
                    chance = probability(model, each, temperature)
                    places = range(fits)
                    if not by_site:
                        places = [place for place in range(64) if of_places[place] == each]
                    happened[each] = happens(chance, places, random)
                rows = [range(first, first + z) for first in range(0, 64 - z + 1, z)]
                bonds = [
                    [{each for each in happened if place in happened[each]} for place in row]
                    for row in rows
                ]
            drawn = bonds.pop(0)
            for other, kinds, step in zip(
                neighbors[site], drawn, model.lattice.offsets, strict=True
            ):
                if other is None:
                    continue
                coupling = strength(model, step, sites[site])
                new = coupling in kinds and other not in cluster
                wanted = spins[site] if coupling >= 0 else exchanged[spins[site]]
                if new and spins[other] == wanted:
                    cluster.append(other)
            if passed > held_by:
                break
        else:
            for site in cluster:
                spins[site] = exchanged[spins[site]]
        met += len(cluster)
    return met


def slots(lattice):
    """Neighbours of every site by slot, None if missing."""
    sites = site_list(lattice.shape)
    index = {site: i for i, site in enumerate(sites)}
    forward = forward_steps(lattice)
    steps = [tuple(-x for x in step) for step in reversed(forward)] + forward
    found = [
        [None if (other := ahead(lattice, site, step)) is None else index[other] for step in steps]
        for site in sites
    ]
    present = [[other for other in each if other is not None] for each in found]
    assert present == neighbor_indices(lattice)
    return found


def mean_numbers_of_clusters(lattice, chance, states):
    """Expected number of Fortuin-Kasteleyn clusters of each size, over all sets of bonds."""
    n_sites = lattice.n_sites
    first, slot = np.nonzero(lattice.neighbors < np.arange(n_sites)[:, None])
    pairs = np.stack([first, lattice.neighbors[first, slot]], axis=1)
    numbers, total = np.zeros(n_sites + 1), 0.0
    for held in itertools.product((False, True), repeat=len(pairs)):
        graph = sparse.coo_array(
            (np.ones(sum(held)), pairs[np.array(held)].T), shape=(n_sites, n_sites)
        )
        found, label = sparse.csgraph.connected_components(graph)
        weight = float(states) ** found * math.prod(chance if each else 1 - chance for each in held)
        numbers += weight * np.bincount(np.bincount(label), minlength=n_sites + 1)
        total += weight
    return numbers / total
