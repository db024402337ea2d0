"""Detailed balance of tables with a model, against all configurations in plain Python."""

import itertools
import math

import numpy as np
import pytest

from isingrl import HeatBath, Ising, Lattice, Metropolis
from isingrl.gibbs import gibbs_violation
from isingrl.tables import RuleTable
from tests import oracles

LATTICES = {
    "ring": Lattice((5,)),
    "free": Lattice((2, 3), boundary="free"),
    "joined twice": Lattice((2, 3)),
    "moore": Lattice((3, 3), "moore"),
}


def by_configuration(model, temperature, *, own=True, seen=None):
    """The heat bath as tables by the configuration of the sites seen, one a site or one for all."""
    lattice = model.lattice
    neighbors = oracles.neighbor_indices(lattice)
    if seen is None:
        seen = [sorted(set(each)) for each in neighbors]
    width = max(map(len, seen))
    sites = np.full((lattice.n_sites, width), lattice.n_sites, dtype=np.int32)
    up = np.empty((lattice.n_sites, 2, 2**width))
    for site, others in enumerate(seen):
        sites[site, : len(others)] = others
        for bits in itertools.product((0, 1), repeat=width):
            state = sum(bit << slot for slot, bit in enumerate(bits))
            spins = {other: 2 * bit - 1 for other, bit in zip(others, bits, strict=False)}
            local = model.coupling * sum(spins.get(k, 0) for k in neighbors[site]) + model.field
            up[site, :, state] = 1 / (1 + math.exp(-2 * local / temperature))
    return RuleTable((up if own else up[:1])[None], sites)


def balanced(table, model, temperature):
    """Whether π(s) P(s → s') = π(s') P(s' → s) for all configurations and sites."""
    lattice = model.lattice
    for spins in oracles.configurations(lattice.n_sites).tolist():
        energy = oracles.energy(model, spins) * lattice.n_sites
        for site in range(lattice.n_sites):
            if spins[site] == 1:
                continue
            other = list(spins)
            other[site] = 1
            rise = oracles.energy(model, other) * lattice.n_sites - energy
            rises = oracles.chance_of_up([*spins, 0], lattice, table, 0, site)
            falls = 1 - oracles.chance_of_up([*other, 0], lattice, table, 0, site)
            if not math.isclose(rises * math.exp(rise / temperature), falls, rel_tol=1e-6):
                return False
    return True


@pytest.mark.parametrize("name", ["ring", "free", "joined twice"])
@pytest.mark.parametrize(("coupling", "field"), [(1.0, 0.0), (-0.7, 0.3)])
def test_violations_are_those_of_plain_python(name, coupling, field):
    model, temperature = Ising(LATTICES[name], coupling, field), 1.7
    one = np.array([temperature])
    n = model.lattice.n_sites
    broken = by_configuration(model, temperature)
    broken.up[0, -1, :, 0] *= 1.001
    tables = {
        "metropolis": Metropolis().compile(model, one),
        "heat bath": HeatBath().compile(model, one),
        "lazy": Metropolis().compile(model, one).for_schedule(model.lattice, "checkerboard"),
        "warmer": HeatBath().compile(model, one + 0.1),
        "by configuration": by_configuration(model, temperature),
        "by all sites": by_configuration(
            model, temperature, seen=[[k for k in range(n) if k != site] for site in range(n)]
        ),
        "broken at one site": broken,
        "one neighbour": by_configuration(
            model, temperature, seen=[each[:1] for each in oracles.neighbor_indices(model.lattice)]
        ),
    }
    if name == "ring":
        right, left = (np.roll(np.arange(n), step) for step in (-1, 1))
        seen = np.stack([left, right], axis=1).tolist()
        tables["one for all"] = by_configuration(model, temperature, own=False, seen=seen)
    wrong = {"warmer", "broken at one site", "one neighbour"}
    for kind, table in tables.items():
        found = gibbs_violation(table, model, one, 1)
        assert (found is None) == balanced(table, model, temperature) == (kind not in wrong), kind


def test_violations_name_their_place():
    model = Ising(LATTICES["ring"], 1.0, (0.0, 0.5))
    temperatures = np.array([0.0, 2.0, np.inf])
    both = [HeatBath().compile(each, temperatures, 2).up for each in model.each_field]
    up = np.stack([each.reshape(3, 2, *each.shape[1:]) for each in both], axis=1)
    table = RuleTable(up.reshape(-1, *up.shape[3:]))
    assert gibbs_violation(table, model, temperatures, 2) is None
    up[1, 1, 1, 0, :, 2] = 0.5
    found = gibbs_violation(RuleTable(up.reshape(-1, *up.shape[3:])), model, temperatures, 2)
    assert found.startswith("at T = 2, h = 0.5 and 2 up neighbours up is favoured by a factor of 1")
    alone = Ising(LATTICES["ring"], 1.0, 0.5)
    seen = by_configuration(alone, 2.0)
    seen.up[0, 3, :, 1] = 0.5
    found = gibbs_violation(seen, alone, temperatures[1:2], 1)
    assert found.startswith("at T = 2 and configuration 1 of the sites seen up is favoured by")
    blind = by_configuration(alone, 2.0, seen=[[k] for k in range(5)])
    assert gibbs_violation(blind, alone, temperatures[1:2], 1) == (
        "sites do not see all their neighbours"
    )
