"""Slow and obvious versions of what the engine does, in plain Python."""

from __future__ import annotations

import itertools
import math
import operator

import numpy as np

from isingrl import RandomBonds
from isingrl.agents.view import neighbor_count, view_of

MASK = 2**64 - 1


def site_list(shape):
    """Coordinates of all sites, in C order."""
    return list(itertools.product(*(range(side) for side in shape)))


def steps_of(neighborhood, ndim, site=None):
    """All steps to neighbours, ascending; those of a site of the honeycomb lattice."""
    if neighborhood == "honeycomb":
        if site is None:
            return [(-1, 0), (0, -1), (0, 1), (1, 0)]
        return [(0, -1), (-1 if sum(site) % 2 else 1, 0), (0, 1)]
    if neighborhood[-1].isdigit():
        forward = [tuple(map(int, step.split(","))) for step in neighborhood.split()]
        return sorted(forward + [tuple(-each for each in step) for step in forward])
    near = itertools.product((-1, 0, 1), repeat=ndim)
    if neighborhood == "triangular":
        return [step for step in near if any(step) and step[0] * step[1] >= 0]
    longest = 1 if neighborhood == "von_neumann" else ndim
    return [step for step in near if 0 < sum(map(abs, step)) <= longest]


def neighbors_of(site, shape, neighborhood, boundary):
    """Coordinates of the neighbours of a site, one that is met twice listed twice."""
    found = []
    for step in steps_of(neighborhood, len(shape), site):
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


def strength(model, step, site):
    """Coupling of the bond from a site along a step."""
    if isinstance(model.coupling, float):
        return model.coupling
    ahead = max(step, tuple(-each for each in step))
    place = model.lattice.forward_offsets.index(ahead)
    if not isinstance(model.coupling, RandomBonds):
        return model.coupling[place]
    if step != ahead:  # the bond begins at its other end
        sides = model.lattice.shape
        site = tuple((x + d) % side for x, d, side in zip(site, step, sides, strict=True))
    return float(model.coupling.couplings[place][site])


def coupled_neighbors(model):
    """Pairs (other site, coupling) of every site, one for each bond."""
    lattice, sites = model.lattice, site_list(model.lattice.shape)
    index = {site: i for i, site in enumerate(sites)}
    found = []
    for site in sites:
        found.append([])
        for step in steps_of(lattice.neighborhood, lattice.ndim, site):
            other = tuple(x + d for x, d in zip(site, step, strict=True))
            wrapped = tuple(x % side for x, side in zip(other, lattice.shape, strict=True))
            if lattice.boundary == "periodic" or wrapped == other:
                found[-1].append((index[wrapped], strength(model, step, site)))
    return found


def local_field(model, spins, site):
    """Sum of J s over the neighbours of a site, plus h."""
    return sum(j * spins[other] for other, j in coupled_neighbors(model)[site]) + model.field


def bond_sums(model, spins):
    """Sums of s_i s_j over the bonds of each of the model's couplings."""
    pairs = [
        (i, other, j) for i, found in enumerate(coupled_neighbors(model)) for other, j in found
    ]
    return [
        sum(spins[i] * spins[other] for i, other, j in pairs if j == each) // 2
        for each in model.couplings
    ]


def energy(model, spins):
    """Energy per site of one configuration."""
    s = np.asarray(spins).ravel().tolist()
    sums = bond_sums(model, s)
    total = -sum(j * each for j, each in zip(model.couplings, sums, strict=True))
    return float(total - model.field * sum(s)) / len(s)


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
    if schedule in ("random-site", "sequential"):
        for _ in sites:
            yield random.below(lattice.n_sites)
    elif schedule == "typewriter":
        yield from sites
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


def state_by_kind(spins, bonds, site):
    """State of the neighbours of a site: the entry of ``bonds.neighbor_sums`` with their sums."""
    lattice, place = bonds.lattice, site_list(bonds.lattice.shape)[site]
    sums = [0.0] * bonds.n_kinds
    for step, kind in zip(lattice.offsets, bonds.kinds, strict=True):
        if step not in steps_of(lattice.neighborhood, lattice.ndim, place):
            step = tuple(-each for each in step)  # of a honeycomb lattice
        other = tuple(x + d for x, d in zip(place, step, strict=True))
        wrapped = tuple(x % side for x, side in zip(other, lattice.shape, strict=True))
        if lattice.boundary == "periodic" or wrapped == other:
            sums[kind] += spins[site_list(lattice.shape).index(wrapped)]
    return bonds.neighbor_sums.tolist().index(sums)


def chance_of_up(spins, lattice, rule, chain, site):
    """P(up) of one site by a compiled rule: its own table if it has one, by what it sees."""
    if rule.bonds is not None:
        state = state_by_kind(spins, rule.bonds, site)
    elif rule.sites is None:
        seen = n_up(spins, neighbor_indices(lattice), site, lattice.coordination_number)
        state = list(lattice.n_up).index(seen)
    else:
        state = sum(2**j for j, other in enumerate(rule.sites[site]) if spins[other] == 1)
    tables = rule.up[chain]
    return tables[site if len(tables) > 1 else 0][0 if spins[site] == -1 else 1][state]


def sweep_by_rule(spins, lattice, rule, chain, schedule, random):
    """Make one sweep of a list of spins by a compiled rule, in place."""
    before = spins if schedule != "synchronous" else list(spins)
    for site in visited_sites(lattice, schedule, random):
        up = chance_of_up(before, lattice, rule, chain, site)
        spins[site] = 1 if random.uniform() < up else -1


def sweep_by_codes(states, lattice, sites, codes, table, schedule, random):
    """Make one sweep of a list of states 0 … q - 1, the last entry q, in place.

    `table` holds P(new state > s) for own tables or one, own state, sum of the codes, and s.
    """
    before = states if schedule != "synchronous" else list(states)
    for site in visited_sites(lattice, schedule, random):
        seen = sum(int(codes[slot][before[other]]) for slot, other in enumerate(sites[site]))
        passed = table[site if len(table) > 1 else 0][before[site]][seen]
        draw = random.uniform()
        states[site] = sum(1 for chance in passed if draw < chance)


def softmax_up(q_down, q_up, tau):
    """P(up) of the softmax policy."""
    if q_up == q_down or tau == math.inf:
        return 0.5
    if tau == 0:
        return 1.0 if q_up > q_down else 0.0
    return 1 / (1 + math.exp(-(q_up - q_down) / tau))


class Learners:
    """Agents on one lattice that learn by loops over sites, with a table each or one for all.

    `agent` is the agent whose settings are followed. With a table and no replay, values move at
    once; else `gathered` lists what was experienced in a sweep: (table, state, action, target).
    """

    spin_of = (-1, 1)

    def __init__(self, spins, model, agent, schedule, random):
        lattice, self.bonds = model.lattice, model.bonds
        rewards = agent.reward_function.table(model).tolist()
        self.spins, self.lattice, self.agent, self.random = list(spins), lattice, agent, random
        self.rewards, self.schedule = rewards, schedule
        self.view, self.model = view_of(agent, model), model
        self.neighbors = neighbor_indices(lattice)
        self.counts = list(lattice.n_up)
        n_tables = 1 if agent.shared else lattice.n_sites
        none = [0] * model.n_spin_states
        self.q = [[[0.0 for _ in none] for _ in self.view.states] for _ in range(n_tables)]
        self.visits = [[list(none) for _ in self.view.states] for _ in range(n_tables)]
        self.target = None
        self.pending = [None] * lattice.n_sites
        self.memory = [[] for _ in range(n_tables)]
        self.remembered = [0] * n_tables
        self.sweeps = 0
        self.online = agent.network is None and agent.replay is None
        self.at_once = agent.discount == 0 and agent.reward_time == "before"

    def look(self, spins, site):
        """State that the reward depends on, and what the agent sees."""
        z = self.lattice.coordination_number
        number = self.counts.index(n_up(spins, self.neighbors, site, z))
        paid = state_by_kind(spins, self.bonds, site) if self.bonds.n_kinds > 1 else number
        if self.view.sites is not None:
            others = self.view.sites[site]
            return paid, sum(2**j for j, other in enumerate(others) if spins[other] == 1)
        chances = self.view.channel[number]
        if len(chances) == 1:
            return paid, 0
        if len(chances) == len(self.counts) and chances[number] == 1:
            return paid, number
        draw, total = self.random.uniform(), 0.0
        possible = [state for state, chance in enumerate(chances) if chance > 0]
        for state in possible[:-1]:
            total += chances[state]
            if draw < total:
                return paid, state
        return paid, possible[-1]

    def chance(self, table, state, tau):
        """P(up)."""
        up = softmax_up(*self.q[table][state], tau)
        if self.q[table][state][0] == self.q[table][state][1] or tau == math.inf:
            return 0.5
        return (1 - self.agent.epsilon) * up + self.agent.epsilon / 2

    def chances(self, table, state, tau):
        """Chances of the actions."""
        up = self.chance(table, state, tau)
        return [1 - up, up]

    def draw(self, table, state, tau):
        """An action."""
        return 1 if self.random.uniform() < self.chance(table, state, tau) else 0

    def paid(self, spins, site, count, action):
        """Reward of an action, if `count` is what `look` returned."""
        return self.rewards[count][action]

    def value(self, table, state, tau):
        """V of a state."""
        q = (self.q if self.agent.target_interval is None else self.target)[table][state]
        if self.agent.next_value == "max":
            return max(q)
        return sum(map(operator.mul, self.chances(table, state, tau), q))

    def sweep(self, tau):
        """One learning sweep; returns mean reward, mean squared error and magnetization."""
        agent, random = self.agent, self.random
        interval = agent.target_interval
        if interval is not None and self.sweeps % interval == 0:
            self.target = [[list(pair) for pair in table] for table in self.q]
        self.sweeps += 1
        paid, self.gathered = 0.0, []
        errors = [[] for _ in self.q]
        for iteration in range(agent.inner_iterations):
            counts = iteration == agent.inner_iterations - 1
            source = self.spins if self.schedule != "synchronous" else list(self.spins)
            for site in visited_sites(self.lattice, self.schedule, random):
                table = 0 if agent.shared else site
                count, state = self.look(source, site)
                action = self.draw(table, state, tau)
                now_paid = self.paid(source, site, count, action)
                self.spins[site] = self.spin_of[action]
                if counts:
                    paid += now_paid
                now = (state, action, now_paid) if counts else None
                learned = now
                if not self.at_once:
                    learned, self.pending[site] = self.pending[site], now
                if learned is None:
                    continue
                seen, done, reward = learned
                if agent.reward_time == "after":
                    reward = self.paid(source, site, count, done)
                if agent.replay is not None:
                    self.remember(table, (seen, done, reward, state))
                    continue
                target = reward
                if agent.discount > 0:
                    target += agent.discount * self.value(table, state, tau)
                if self.online:
                    errors[table].append(self.improve(table, seen, done, target) ** 2)
                else:
                    self.gathered.append((table, seen, done, target))
        if agent.replay is not None:
            self.recall(tau)
        self.table_loss = [sum(own) / max(1, len(own)) for own in errors]
        loss = sum(map(sum, errors)) / max(1, sum(map(len, errors)))
        n_sites = self.lattice.n_sites
        return paid / n_sites, loss, sum(self.spins) / n_sites

    def improve(self, table, seen, action, target):
        """Move a value towards its target; returns the error before."""
        self.visits[table][seen][action] += 1
        rate = self.agent.learning_rate
        if self.agent.falling_rate:
            rate = max(rate, 1 / self.visits[table][seen][action])
        error = target - self.q[table][seen][action]
        self.q[table][seen][action] += rate * error
        return error

    def remember(self, table, experience):
        """Keep the last experiences of a table, each in the slot of the oldest."""
        slot = self.remembered[table] % self.agent.replay
        self.memory[table][slot : slot + 1] = [experience]
        self.remembered[table] += 1

    def recall(self, tau):
        """Draw a batch for every table, with replacement."""
        for table, memory in enumerate(self.memory):
            for _ in range(self.agent.batch_size if memory else 0):
                seen, done, reward, then = memory[self.random.below(len(memory))]
                target = reward
                if self.agent.discount > 0:
                    target += self.agent.discount * self.value(table, then, tau)
                self.gathered.append((table, seen, done, target))


class PottsLearners(Learners):
    """Agents on a Potts model; their spins are the states 0 … q - 1."""

    spin_of = range(255)

    def look(self, spins, site):
        """Nothing, and what the agent sees."""
        q, view = self.model.states, self.view
        if view.sites is not None:
            return None, sum(q**j * spins[other] for j, other in enumerate(view.sites[site]))
        if len(view.states) == 1:
            return None, 0
        present = [spins[other] for other in self.neighbors[site]]
        counts = " ".join(str(present.count(state)) for state in range(q))
        every = neighbor_count(self.lattice, None, q).states.tolist()
        number = every.index(counts)
        if len(view.states) == len(every):
            return None, number
        draw, chances = self.random.uniform(), view.channel[number].tolist()
        last = max(state for state, chance in enumerate(chances) if chance > 0)
        passed = itertools.accumulate(chances[:last])
        return None, sum(1 for each in passed if draw >= each)

    def chances(self, table, state, tau):
        """Chances of the actions."""
        q, epsilon = self.q[table][state], self.agent.epsilon
        weights = [boltzmann(each - max(q), tau) for each in q]
        return [(1 - epsilon) * each / sum(weights) + epsilon / len(q) for each in weights]

    def draw(self, table, state, tau):
        """An action."""
        draw = self.random.uniform()
        passed = list(itertools.accumulate(self.chances(table, state, tau)))
        return sum(1 for each in passed[:-1] if draw >= each)

    def paid(self, spins, site, count, action):
        """Reward of an action beside these neighbours."""
        model, own = self.model, coupled_neighbors(self.model)[site]
        numbers = [
            sum(1 for other, j in own if j == each and spins[other] == action)
            for each in model.couplings
        ]
        row = model.bonds.supports.tolist().index(numbers)
        return self.rewards[row + (len(self.rewards) // 2 if action == 0 else 0)]


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


def equal_neighbors(model, states, site):
    """Of a Potts model: sum of J over the neighbours in each state, plus h for the state 0."""
    gains = [0.0] * model.states
    gains[0] = model.field
    for other, j in coupled_neighbors(model)[site]:
        gains[states[other]] += j
    return gains


def potts_energy(model, states):
    """Energy per site of one configuration of a Potts model."""
    s = np.asarray(states).ravel().tolist()
    pairs = [(i, *each) for i, found in enumerate(coupled_neighbors(model)) for each in found]
    total = -sum(j for i, other, j in pairs if s[i] == s[other]) / 2 - model.field * s.count(0)
    return total / len(s)


def boltzmann(gain, temperature):
    """exp(gain / T) of a gain of at most 0; temperatures 0 and ∞ included."""
    if gain == 0 or temperature == math.inf:
        return 1.0
    return 0.0 if temperature == 0 else math.exp(gain / temperature)


def potts_sweep(states, model, rule, temperature, schedule, random):
    """Make one sweep of a list of states by Metropolis or the heat bath, in place."""
    lazy = model.states == 2 and schedule not in ("random-site", "sequential")
    before = states if schedule != "synchronous" else list(states)
    for site in visited_sites(model.lattice, schedule, random):
        gains, own = equal_neighbors(model, before, site), before[site]
        if rule == "metropolis":
            other = random.below(model.states - 1)
            other += other >= own
            there, back = (
                boltzmann(min(0.0, gain), temperature)
                for gain in (gains[other] - gains[own], gains[own] - gains[other])
            )
            if lazy and min(there, back) >= 0.75:
                there *= 0.875
            states[site] = other if random.uniform() < there else own
        else:
            weights = [boltzmann(gain - max(gains), temperature) for gain in gains]
            passed = list(itertools.accumulate(weights))
            draw = passed[-1] * random.uniform()
            states[site] = sum(1 for each in passed[:-1] if draw >= each)
