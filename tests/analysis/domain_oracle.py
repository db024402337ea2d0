"""Domains found slowly: a walk from site to site, remembering how it went around the torus."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tests.oracles import steps_of


def steps(spins, lattice):
    """Every step (site, neighbour, boundaries crossed) between neighbours of equal spin."""
    for site in np.ndindex(spins.shape):
        for offset in steps_of(lattice.neighborhood, lattice.ndim, site):
            moved = np.add(site, offset)
            crossed = moved // spins.shape
            if crossed.any() and not lattice.periodic:
                continue
            other = tuple(moved - crossed * spins.shape)
            if spins[other] == spins[site]:
                yield site, other, tuple(crossed.tolist())


def partition(spins, lattice):
    """Labels of scipy's connected components."""
    pairs = [
        (np.ravel_multi_index(a, spins.shape), np.ravel_multi_index(b, spins.shape))
        for a, b, _ in steps(spins, lattice)
    ]
    first, second = np.array(pairs, dtype=int).reshape(-1, 2).T
    graph = coo_array((np.ones(first.size), (first, second)), shape=(spins.size, spins.size))
    return connected_components(graph, directed=False)[1].reshape(spins.shape)


def wrapped_axes(spins, lattice):
    """For every domain, in the order of first sites, the axes that it wraps."""
    neighbors = {}
    for a, b, crossed in steps(spins, lattice):
        neighbors.setdefault(a, []).append((b, crossed))
    where, found = {}, []
    for start in np.ndindex(spins.shape):
        if start in where:
            continue
        where[start] = (0,) * spins.ndim
        waiting, axes = [start], np.zeros(spins.ndim, dtype=bool)
        while waiting:
            site = waiting.pop()
            for other, crossed in neighbors.get(site, []):
                place = tuple(np.add(where[site], crossed).tolist())
                if other not in where:
                    where[other] = place
                    waiting.append(other)
                axes |= np.not_equal(where[other], place)
        found.append(axes)
    return np.array(found)
