"""Slow and obvious versions of what the engine does, in plain Python."""

from __future__ import annotations

import itertools
import math

import numpy as np

MASK = 2**64 - 1


def site_list(shape):
    """Coordinates of all sites, in C order."""
    return list(itertools.product(*(range(side) for side in shape)))


def neighbors_of(site, shape, neighborhood, boundary):
    """Coordinates of the neighbours of a site, one that is met twice listed twice."""
    found = []
    for step in itertools.product((-1, 0, 1), repeat=len(shape)):
        n_moves = sum(map(abs, step))
        if n_moves == 0 or (neighborhood == "von_neumann" and n_moves > 1):
            continue
        other = tuple(x + d for x, d in zip(site, step, strict=True))
        if boundary == "periodic":
            found.append(tuple(x % side for x, side in zip(other, shape, strict=True)))
        elif all(0 <= x < side for x, side in zip(other, shape, strict=True)):
            found.append(other)
    return found


def neighbor_indices(lattice):
    """Neighbours of every site as lists of flat indices."""
    sites = site_list(lattice.shape)
    index = {site: i for i, site in enumerate(sites)}
    return [
        [
            index[n]
            for n in neighbors_of(site, lattice.shape, lattice.neighborhood, lattice.boundary)
        ]
        for site in sites
    ]


def bonds(lattice):
    """Pairs i < j of flat indices, a pair that is joined twice listed twice."""
    return [(i, j) for i, others in enumerate(neighbor_indices(lattice)) for j in others if i < j]


def energy(model, spins):
    """Energy per site of one configuration."""
    s = np.asarray(spins).ravel().tolist()
    total = -model.coupling * sum(s[i] * s[j] for i, j in bonds(model.lattice))
    return (total - model.field * sum(s)) / len(s)


def two_colorable(adjacency):
    """Whether a graph, given as lists of neighbours, is bipartite: by walking through it."""
    color = [None] * len(adjacency)
    for root in range(len(adjacency)):
        if color[root] is not None:
            continue
        color[root] = 0
        queue = [root]
        for node in queue:  # grows while it is read
            for other in adjacency[node]:
                if color[other] is None:
                    color[other] = 1 - color[node]
                    queue.append(other)
                elif color[other] == color[node]:
                    return False
    return True


class Random:
    """Jenkins's small fast generator on Python integers."""

    def __init__(self, state):
        self.state = [int(word) for word in state]

    def word(self):
        """Next 64 random bits."""
        a, b, c, d = self.state
        e = (a - _rotate(b, 39)) & MASK
        a = b ^ _rotate(c, 11)
        b = (c + d) & MASK
        c = (d + e) & MASK
        d = (e + a) & MASK
        self.state = [a, b, c, d]
        return d

    def uniform(self):
        """Next number in [0, 1)."""
        return (self.word() >> 11) / 2**53

    def below(self, bound):
        """Next integer in 0 … bound - 1."""
        return ((self.word() >> 32) * bound) >> 32


def _rotate(word, count):
    return ((word << count) | (word >> (64 - count))) & MASK


def n_up(spins, neighbors, site, z):
    """Number of up neighbours, a missing one counted as one half."""
    present = [spins[other] for other in neighbors[site]]
    return present.count(1) + (z - len(present)) / 2


def visited_sites(lattice, schedule, random):
    """Sites in the order of their updates in one sweep."""
    sites = range(lattice.n_sites)
    if schedule == "sequential":
        for _ in sites:
            yield random.below(lattice.n_sites)
    else:
        yield from sorted(sites, key=lambda site: lattice.sublattices.ravel()[site])


def sweep(spins, lattice, table, schedule, random):
    """Make one sweep of a list of spins, in place."""
    neighbors = neighbor_indices(lattice)
    states = list(lattice.n_up)
    before = spins if schedule != "synchronous" else list(spins)
    for site in visited_sites(lattice, schedule, random):
        state = states.index(n_up(before, neighbors, site, lattice.coordination_number))
        own = 0 if before[site] == -1 else 1
        spins[site] = 1 if random.uniform() < table[own][state] else -1


def softmax_up(q_down, q_up, tau):
    """P(up) of the softmax policy."""
    if q_up == q_down or tau == math.inf:
        return 0.5
    if tau == 0:
        return 1.0 if q_up > q_down else 0.0
    return 1 / (1 + math.exp(-(q_up - q_down) / tau))


def learn(spins, lattice, rewards, taus, learning_rate, discount, schedule, random):
    """Let agents learn; returns values, visits and the three histories."""
    neighbors, z = neighbor_indices(lattice), lattice.coordination_number
    states = list(lattice.n_up)
    q = [[0.0, 0.0] for _ in states]
    visits = [[0, 0] for _ in states]
    last = [None] * lattice.n_sites
    q_history, reward_history, magnetization_history = [], [], []
    for tau in taus:
        seen = spins if schedule != "synchronous" else list(spins)
        paid = 0.0
        for site in visited_sites(lattice, schedule, random):
            state = states.index(n_up(seen, neighbors, site, z))
            if last[site] is not None:
                before, action = last[site]
                up = softmax_up(*q[state], tau)
                value = up * q[state][1] + (1 - up) * q[state][0]
                visits[before][action] += 1
                rate = max(learning_rate, 1 / visits[before][action])
                target = rewards[before][action] + discount * value
                q[before][action] += rate * (target - q[before][action])
            action = 1 if random.uniform() < softmax_up(*q[state], tau) else 0
            spins[site] = 2 * action - 1
            last[site] = state, action
            paid += rewards[state][action]
        q_history.append([list(pair) for pair in q])
        reward_history.append(paid / lattice.n_sites)
        magnetization_history.append(sum(spins) / lattice.n_sites)
    return q, visits, q_history, reward_history, magnetization_history


def configurations(n_sites):
    """All 2**n configurations, shape (2**n, n_sites); bit i of a row's number is spin i."""
    numbers = np.arange(2**n_sites)
    return np.stack([2 * ((numbers >> site) & 1) - 1 for site in range(n_sites)], axis=1)


def site_transitions(lattice, table, site):
    """For all configurations: the configuration with the site flipped, and its chance."""
    spins = configurations(lattice.n_sites)
    neighbors = neighbor_indices(lattice)[site]
    z = lattice.coordination_number
    up = (spins[:, neighbors] == 1).sum(axis=1) + (z - len(neighbors)) / 2
    state = np.searchsorted(lattice.n_up, up)
    own = (spins[:, site] + 1) // 2
    chance_up = np.asarray(table)[own, state]
    flipped = np.arange(len(spins)) ^ (1 << site)
    return flipped, np.where(own == 1, 1 - chance_up, chance_up)
