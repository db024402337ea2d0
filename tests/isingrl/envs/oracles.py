"""Slow and obvious versions of the environments, in plain Python."""

import itertools
import math

from tests.oracles import n_up, neighbor_indices, site_list


class Game:
    """The spins of one lattice, by loops over sites; the rules as of `IsingEnv`."""

    def __init__(self, model, spins, observation, radius, reward, reward_time, schedule):
        self.model, self.spins = model, [int(s) for s in spins]
        self.observation, self.radius = observation, radius
        self.reward, self.reward_time, self.schedule = reward, reward_time, schedule
        self.steps = 0
        self.lattice = model.lattice
        self.neighbors = neighbor_indices(self.lattice)
        self.sites = site_list(self.lattice.shape)

    def acts(self, site):
        """Whether a site's next answer is carried out."""
        turn = self.steps % self.lattice.n_sublattices
        return self.schedule == "synchronous" or self.lattice.sublattices.ravel()[site] == turn

    def up_at(self, place):
        """1 for up, 0 for down, 0.5 where there is no site."""
        shape = self.lattice.shape
        if self.lattice.periodic:
            place = tuple(x % side for x, side in zip(place, shape, strict=True))
        if place not in self.sites:
            return 0.5
        return (self.spins[self.sites.index(place)] + 1) // 2

    def observe(self, site):
        """Flat list of what a site observes."""
        here = self.sites[site]
        ndim, z = self.lattice.ndim, self.lattice.coordination_number
        if self.observation == "mean-action":
            return [n_up(self.spins, self.neighbors, site, z) / z]
        if self.observation == "configuration":
            moore = self.lattice.neighborhood == "moore"
            steps = [
                step
                for step in itertools.product((-1, 0, 1), repeat=ndim)
                if any(step) and (moore or sum(map(abs, step)) == 1)
            ]
            return [self.up_at(_moved(here, step)) for step in steps]
        reach = range(-self.radius, self.radius + 1)
        return [self.up_at(_moved(here, step)) for step in itertools.product(reach, repeat=ndim)]

    def paid(self, site, action):
        """Reward of an action beside the neighbours as they are."""
        z = self.lattice.coordination_number
        a = 2 * action - 1
        total = 2 * n_up(self.spins, self.neighbors, site, z) - z
        energy = a * (self.model.coupling * total + self.model.field)
        matches = (z + a * total) / 2
        return {
            "energy": lambda: energy,
            "half": lambda: energy / 2,
            "mean": lambda: energy / z,
            "chapter-1d": lambda: 2 * (-1 + 0.9 * matches),
            "chapter-2d": lambda: math.tanh(5 * (matches / z - 0.5)),
        }[self.reward]()

    def step(self, actions):
        """Let all sites answer; returns what they are paid."""
        paid = [self.paid(site, action) for site, action in enumerate(actions)]
        moved = list(self.spins)
        for site, action in enumerate(actions):
            if self.acts(site):
                moved[site] = self.model.values[action]
        self.spins = moved
        self.steps += 1
        if self.reward_time == "after":
            paid = [self.paid(site, action) for site, action in enumerate(actions)]
        return paid


class PottsGame(Game):
    """The same with q states."""

    def at(self, place):
        """Shares of the states at a place, all alike where there is no site."""
        q, shape = self.model.states, self.lattice.shape
        if self.lattice.periodic:
            place = tuple(x % side for x, side in zip(place, shape, strict=True))
        if place not in self.sites:
            return [1 / q] * q
        return [float(self.spins[self.sites.index(place)] == state) for state in range(q)]

    def observe(self, site):
        """Flat list of what a site observes."""
        here = self.sites[site]
        ndim = self.lattice.ndim
        near = list(itertools.product((-1, 0, 1), repeat=ndim))
        if self.observation == "window":
            near = itertools.product(range(-self.radius, self.radius + 1), repeat=ndim)
        else:
            moore = self.lattice.neighborhood == "moore"
            near = [s for s in near if any(s) and (moore or sum(map(abs, s)) == 1)]
        seen = [self.at(_moved(here, step)) for step in near]
        if self.observation == "mean-action":
            return [sum(each) / len(seen) for each in zip(*seen, strict=True)]
        return list(itertools.chain(*seen))

    def paid(self, site, action):
        """Reward of an action beside the neighbours as they are."""
        z = self.lattice.coordination_number
        matches = [self.spins[other] for other in self.neighbors[site]].count(action)
        energy = self.model.coupling * matches + (self.model.field if action == 0 else 0)
        return {
            "energy": energy,
            "half": energy / 2,
            "mean": energy / z,
            "chapter-1d": 2 * (-1 + 0.9 * matches),
            "chapter-2d": math.tanh(5 * (matches / z - 0.5)),
        }[self.reward]


def _moved(place, step):
    return tuple(x + d for x, d in zip(place, step, strict=True))
