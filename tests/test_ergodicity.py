"""Exact transition matrices of one sweep on lattices of a few sites."""

import numpy as np
import pytest
from scipy.sparse import csr_array, identity
from scipy.sparse.csgraph import connected_components

from isingrl import HeatBath, Ising, Lattice, Metropolis
from isingrl._ergodicity import with_rests
from tests import oracles

RULES = [pytest.param(rule, id=rule.name) for rule in (Metropolis(), HeatBath())]
LATTICES = [
    *(Lattice((n,)) for n in range(2, 9)),
    Lattice((5,), boundary="free"),
    Lattice((8,), boundary="free"),
    *(
        Lattice(shape, neighborhood, boundary)
        for shape in [(2, 2), (2, 3), (2, 4), (3, 3), (2, 2, 2)]
        for neighborhood in ("von_neumann", "moore")
        for boundary in ("periodic", "free")
    ),
]
every_lattice = pytest.mark.parametrize(
    "lattice",
    [
        pytest.param(lattice, id=f"{lattice.shape}-{lattice.neighborhood}-{lattice.boundary}")
        for lattice in LATTICES
    ],
)


def sweep_matrix(lattice, table):
    """Chances from every configuration to every other in one checkerboard sweep.

    Sites of one sublattice do not see each other, so that their moves in turn are their moves at
    once.
    """
    n_states = 2**lattice.n_sites
    matrix = identity(n_states, format="csr")
    start = np.arange(n_states)
    for site in np.argsort(lattice.sublattices.ravel(), kind="stable"):
        flipped, chance = oracles.site_transitions(lattice, table, site)
        rows, columns = np.concatenate([start, start]), np.concatenate([start, flipped])
        chances = np.concatenate([1 - chance, chance])
        possible = chances > 0
        step = csr_array(
            (chances[possible], (rows[possible], columns[possible])), shape=(n_states, n_states)
        )
        matrix = matrix @ step
    return matrix


def n_closed_classes(matrix):
    """Numbers of sets of configurations that a chain never leaves."""
    n_classes, label = connected_components(matrix, directed=True, connection="strong")
    rows, columns = matrix.nonzero()
    leaving = label[rows] != label[columns]
    return n_classes - np.unique(label[rows[leaving]]).size


def boltzmann(model, temperature):
    spins = oracles.configurations(model.lattice.n_sites)
    energy = model.energy(spins.reshape(-1, *model.lattice.shape)) * model.lattice.n_sites
    weights = np.exp(-(energy - energy.min()) / temperature)
    return weights / weights.sum()


def table_in_use(rule, model, temperature):
    tables = rule.table(model, np.array([temperature]))
    return with_rests(tables, model.lattice, "checkerboard")[0]


@pytest.mark.parametrize(
    ("coupling", "field", "reduced"),
    [
        (1.0, 0.0, 0.8),
        (-1.0, 0.0, 0.8),
        (1.0, 0.4, 0.8),
        (-1.0, 0.4, 0.8),
        (1.0, 2.0, 0.8),
        (-1.0, 5.0, 0.8),
        (1.0, 0.0, np.inf),
    ],
    ids=[
        "ferromagnet",
        "antiferromagnet",
        "field",
        "antiferromagnet-field",
        "resonant-field",
        "strong-field",
        "infinite-T",
    ],
)
@pytest.mark.parametrize("rule", RULES)
@every_lattice
def test_one_closed_class_with_the_boltzmann_distribution(lattice, rule, coupling, field, reduced):
    model = Ising(lattice, coupling, field)
    temperature = reduced * lattice.coordination_number
    matrix = sweep_matrix(lattice, table_in_use(rule, model, temperature))
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-12)
    law = boltzmann(model, temperature)
    np.testing.assert_allclose(law @ matrix, law, rtol=1e-10, atol=1e-14)
    assert n_closed_classes(matrix) == 1


@pytest.mark.parametrize("n", [4, 6, 8])
def test_bare_metropolis_is_reducible_on_rings(n):
    """Why tables rest: domain walls would move ballistically, and never meet."""
    model = Ising(Lattice((n,)))
    bare = Metropolis().table(model, np.array([1.6]))[0]
    assert n_closed_classes(sweep_matrix(model.lattice, bare)) > 1
    assert (
        n_closed_classes(sweep_matrix(model.lattice, table_in_use(Metropolis(), model, 1.6))) == 1
    )


def test_bare_metropolis_has_traps_on_the_4x4_torus():
    """Diagonal stripes, in which no spin feels its neighbours, only move on."""
    lattice = Lattice((4, 4))
    table = Metropolis().table(Ising(lattice), np.array([3.0]))[0]
    x, y = np.indices(lattice.shape)
    stripes = np.where((x + y) % 4 < 2, 1, -1).ravel().tolist()
    random = oracles.Random([1, 2, 3, 4])
    met = set()
    for _ in range(50):
        oracles.sweep(stripes, lattice, table, "checkerboard", random)
        met.add(tuple(stripes))
        assert Ising(lattice).energy(np.reshape(stripes, lattice.shape)) == 0
    assert len(met) < 5


def test_rests_leave_stationary_what_was():
    """Resting is the mean of the table and of staying put."""
    lattice = Lattice((6,))
    tables = Metropolis().table(Ising(lattice), np.array([0.0, 1.5, np.inf]))
    rested = with_rests(tables, lattice, "checkerboard")
    np.testing.assert_allclose(rested[:, 0], tables[:, 0] / 2)
    np.testing.assert_allclose(1 - rested[:, 1], (1 - tables[:, 1]) / 2)


@pytest.mark.parametrize("schedule", ["sequential", "synchronous"])
def test_other_schedules_take_the_table_as_it_is(schedule):
    lattice = Lattice((6,))
    tables = Metropolis().table(Ising(lattice), np.array([1.5, np.inf]))
    assert with_rests(tables, lattice, schedule) is tables


def test_tables_rest_only_where_they_must():
    large = Lattice((8, 8))
    tables = Metropolis().table(Ising(large), np.array([1.5, np.inf]))
    rested = with_rests(tables, large, "checkerboard")
    np.testing.assert_array_equal(rested[0], tables[0])
    np.testing.assert_array_equal(rested[1], 0.5)
    for small in (Lattice((8, 4)), Lattice((1000,))):
        heat_bath = HeatBath().table(Ising(small), np.array([0.0, 1.5, np.inf]))
        np.testing.assert_array_equal(with_rests(heat_bath, small, "checkerboard"), heat_bath)
        in_field = Metropolis().table(Ising(small, field=0.3), np.array([1.5]))
        np.testing.assert_array_equal(with_rests(in_field, small, "checkerboard"), in_field)
