"""Potts models of few sites, state by state, and Ising data as those of two states."""

from functools import cache

import numpy as np

from isingrl import Lattice
from tests.oracles import neighbor_indices


def all_configurations(model):
    """Every configuration, shape (n, n_sites)."""
    q, n_sites = model.states, model.lattice.n_sites
    return np.stack(np.unravel_index(np.arange(q**n_sites), (q,) * n_sites), axis=1)


class Enumeration:
    """Weights, energies and order parameters of all configurations at a temperature."""

    def __init__(self, model, temperature):
        self.spins, self.n_sites = all_configurations(model), model.lattice.n_sites
        self.temperature, q = temperature, model.states
        equal = sum(
            self.spins[:, site] == self.spins[:, other]
            for site, others in enumerate(neighbor_indices(model.lattice))
            for other in others
        )
        shares = np.stack([(self.spins == state).mean(axis=1) for state in range(q)], axis=1)
        # every pair was met from both of its sites
        self.energy = -model.coupling * equal / 2 / self.n_sites - model.field * shares[:, 0]
        self.order = (q * shares.max(axis=1) - 1) / (q - 1)
        self.square = (q * (shares**2).sum(axis=1) - 1) / (q - 1)
        weight = np.exp(-(self.energy - self.energy.min()) * self.n_sites / temperature)
        self.weight = weight / weight.sum()

    def mean(self, values):
        return self.weight @ values

    def observables(self):
        def variance(values):
            return self.mean(values**2) - self.mean(values) ** 2

        n, t = self.n_sites, self.temperature
        return {
            "energy": self.mean(self.energy),
            "order_parameter": self.mean(self.order),
            "specific_heat": n * variance(self.energy) / t**2,
            "susceptibility": n * variance(self.order) / t,
            "binder_cumulant": 1 - self.mean(self.order**4) / (3 * self.mean(self.order**2) ** 2),
        }


@cache
def enumerated(model, temperature):
    """Return an `Enumeration`, kept for the next test."""
    return Enumeration(model, temperature)


def as_potts(data):
    """Data of an Ising model as those of two states, the first up, at twice the coupling."""
    sides = tuple(map(int, data.sides.item().split("x")))
    lattice = Lattice(sides, data.neighborhood.item(), data.boundary.item())
    coupling = data.coupling.item()
    found = data.drop_vars(["magnetization", "staggered_magnetization"], errors="ignore")
    found["energy"] = data.energy - coupling * lattice.n_bonds / lattice.n_sites
    found["order_parameter"] = abs(data.magnetization)
    if "spins" in data:
        found["spins"] = ((1 - data.spins) // 2).astype(np.uint8)
    return found.assign_coords(coupling=2 * coupling, states=2)
