"""Metropolis mixes from every start, at every field, coupling and temperature above 0."""

import functools
import itertools
import zlib

import numpy as np
import pytest
from scipy.sparse import csr_array, identity
from scipy.sparse.csgraph import connected_components

from analysis import exact
from isingrl import HeatBath, Ising, Lattice, Metropolis, Rule, simulate
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS
from isingrl.tables import LAZY, RuleTable
from tests import oracles
from tests.statistical import Z_LIMIT, z_of_chains

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


def table_in_use(rule, model, temperature, schedule="checkerboard"):
    compiled = rule.compile(model, np.array([temperature]))
    return compiled.for_schedule(model.lattice, schedule).up[0, 0]


MODELS = {
    "ferromagnet": (1.0, 0.0, 0.8),
    "antiferromagnet": (-1.0, 0.0, 0.8),
    "field": (1.0, 0.4, 0.8),
    "antiferromagnet-field": (-1.0, 0.4, 0.8),
    "resonant-field": (1.0, 2.0, 0.8),
    "strong-field": (-1.0, 5.0, 0.8),
    "weak-field": (1.0, 1e-6, 0.8),
    "weak-coupling": (1e-7, 0.0, 0.8),
    "hot": (1.0, 0.5, 1e9),
    "infinite-T": (1.0, 0.0, np.inf),
}


@pytest.mark.parametrize("rule", RULES)
@every_lattice
def test_one_closed_class_with_the_boltzmann_distribution(lattice, rule):
    for name, (coupling, field, reduced) in MODELS.items():
        model = Ising(lattice, coupling, field)
        temperature = reduced * lattice.coordination_number
        matrix = sweep_matrix(lattice, table_in_use(rule, model, temperature))
        np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-12, err_msg=name)
        law = boltzmann(model, temperature)
        np.testing.assert_allclose(law @ matrix, law, rtol=1e-10, atol=1e-14, err_msg=name)
        assert n_closed_classes(matrix) == 1, name


def slowest(matrix):
    """Largest modulus of an eigenvalue below 1: what remains of the slowest part after a sweep."""
    return np.sort(abs(np.linalg.eigvals(matrix.toarray())))[-2]


@pytest.mark.parametrize("coupling", [1.0, -1.0, 1e-6])
@pytest.mark.parametrize(
    "lattice", [Lattice(4), Lattice(6), Lattice((2, 3)), Lattice(5, boundary="free")], ids=str
)
def test_mixing_is_quick_whatever_the_field(lattice, coupling):
    """No slower than four times the heat bath, or than 3/4 a sweep, which a lazy spin keeps."""
    fields, temperatures = [0.0, 1e-9, 1e-5, 1e-3, 0.4, 2.0, 3.9999], [1.2, 3.0, 30.0, 1e9]
    for field, temperature in itertools.product(fields, temperatures):
        model = Ising(lattice, coupling, field)
        own, bath = (
            slowest(sweep_matrix(lattice, table_in_use(rule, model, temperature)))
            for rule in (Metropolis(), HeatBath())
        )
        assert own <= max(bath**0.25, 0.8), f"h = {field}, T = {temperature}"


@pytest.mark.parametrize("n", [4, 6, 8])
def test_bare_metropolis_is_reducible_on_rings(n):
    """Why flips are lazy: domain walls would move ballistically, and never meet."""
    lattice = Lattice((n,))
    bare = Metropolis().table(Ising(lattice), np.array([1.6]))[0]
    assert n_closed_classes(sweep_matrix(lattice, bare)) > 1


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


# Starts from which sure flips lead nowhere: found by search on small lattices.


def trapped(model):
    """Configurations that only sure flips ever change, shape (n, n_sites).

    A flip is sure both ways where it costs nothing.
    """
    lattice = model.lattice
    start = oracles.configurations(lattice.n_sites).astype(np.int8)
    moved = np.pad(start, ((0, 0), (0, 1)))
    for site in np.argsort(lattice.sublattices.ravel(), kind="stable"):
        around = moved[:, lattice.neighbors[site]].sum(axis=1, dtype=np.int64)
        sure = abs(model.coupling * around + model.field) < 1e-3
        start, moved = start[sure], moved[sure]
        moved[:, site] *= -1
    weights = 1 << np.arange(lattice.n_sites)
    while True:
        before, after = (((each + 1) // 2) @ weights for each in (start, moved[:, :-1]))
        stays = np.isin(after, before)
        if stays.all():
            return start.astype(np.int64)
        start, moved = start[stays], moved[stays]


def resonances(lattice):
    """Fields at which some configuration makes flips cost nothing, or almost nothing."""
    sums = 2 * lattice.n_up - lattice.coordination_number
    return sorted({*np.abs(sums).tolist(), 1e-7})


SMALL = [
    Lattice(shape, neighborhood, boundary)
    for shape in [(8,), (7,), (12,), (4, 4), (3, 4), (2, 4), (2, 2, 4), (3, 2, 2)]
    for neighborhood in NEIGHBORHOODS
    for boundary in BOUNDARIES
    if len(shape) > 1 or neighborhood == "von_neumann"
]


def lattice_name(lattice):
    return f"{'x'.join(map(str, lattice.shape))}-{lattice.neighborhood}-{lattice.boundary}"


def name_of(model):
    return f"{lattice_name(model.lattice)}-J{model.coupling:g}-h{model.field:g}"


@functools.cache
def traps(lattice):
    """Models on a lattice that have trapped configurations, with these."""
    models = [
        Ising(lattice, coupling, field) for coupling in (1.0, -1.0) for field in resonances(lattice)
    ]
    return {model: found for model in models if len(found := trapped(model))}


def test_there_are_traps():
    lattices = [lattice for lattice in SMALL if traps(lattice)]
    assert len(lattices) > 8
    assert {lattice.ndim for lattice in lattices} == {1, 2, 3}


@pytest.mark.parametrize("lattice", SMALL, ids=lattice_name)
def test_traps_are_left(lattice):
    """Moments from every trap, against enumeration."""
    chains, schedules = 48, ("checkerboard", "typewriter", "random-site")
    temperature = 0.8 * lattice.coordination_number
    for model, found in traps(lattice).items():
        start = found[np.arange(chains) % len(found)].reshape(1, chains, *lattice.shape)
        expected = exact.enumeration(model, temperature)
        for schedule in schedules:
            name = f"{name_of(model)} {schedule}"
            data = simulate(
                model, Metropolis(), temperature, sweeps=600, thermalization=150, interval=2,
                chains=chains, start=start, schedule=schedule, seed=zlib.crc32(name.encode()),
            )  # fmt: skip
            e, m = data["energy"].values[0], data["magnetization"].values[0]
            for observable, values in (
                ("energy", e),
                ("energy_squared", e**2),
                ("abs_magnetization", abs(m)),
                ("magnetization_squared", m**2),
            ):
                z = z_of_chains(values.mean(axis=1), float(expected[observable][0]))
                assert abs(z) < Z_LIMIT, f"{name}, {observable}: z = {z:.2f}"


# The same on large lattices: patterns.


def columns(*places):
    return places[-1] % 2


def diagonal_stripes(*places):
    return sum(places) // 2 % 2


def up(*places):
    return np.ones_like(places[0])


PATTERNS = [
    (Ising(Lattice((32, 32))), columns),
    (Ising(Lattice((32, 32))), diagonal_stripes),
    (Ising(Lattice((6, 6))), columns),
    (Ising(Lattice((8, 8)), -1.0), diagonal_stripes),
    (Ising(Lattice((8, 8, 8))), diagonal_stripes),
    (Ising(Lattice(256)), diagonal_stripes),
    (Ising(Lattice(256), field=1e-6), diagonal_stripes),
    (Ising(Lattice((32, 32)), -1.0, 4.0), up),
    (Ising(Lattice((32, 32)), -1.0, 4.0001), up),
    (Ising(Lattice((8, 8, 8)), -1.0, 6.0), up),
    (Ising(Lattice((16, 16), "moore"), -1.0, 8.0), up),
    (Ising(Lattice((16, 16)), 1e-7), up),
]


@functools.cache
def of_heat_bath(model, temperature):
    """Mean and squared error of e and |m| from random spins."""
    data = simulate(
        model, HeatBath(), temperature, sweeps=1500, thermalization=500, interval=3, chains=64,
        seed=1,
    )  # fmt: skip
    means = np.array([data["energy"].mean("draw"), abs(data["magnetization"]).mean("draw")])[:, 0]
    return means.mean(axis=1), means.var(axis=1, ddof=1) / means.shape[1]


@pytest.mark.parametrize("reduced", [0.75, 1.5, 12.0, 1e5])
@pytest.mark.parametrize(
    ("model", "pattern"),
    PATTERNS,
    ids=[f"{name_of(model)}-{pattern.__name__}" for model, pattern in PATTERNS],
)
def test_patterns_are_left(model, pattern, reduced):
    """Moments from patterns that sure flips only turn into each other, against the heat bath."""
    temperature = reduced * model.lattice.coordination_number
    start = 2 * pattern(*np.indices(model.lattice.shape)) - 1
    data = simulate(
        model, Metropolis(), temperature, sweeps=1500, thermalization=500, interval=3, chains=64,
        start=start.astype(np.int8), seed=2,
    )  # fmt: skip
    means = np.array([data["energy"].mean("draw"), abs(data["magnetization"]).mean("draw")])[:, 0]
    expected, variance = of_heat_bath(model, temperature)
    error = np.sqrt(variance + means.var(axis=1, ddof=1) / means.shape[1])
    assert (abs(means.mean(axis=1) - expected) < Z_LIMIT * error).all()


@pytest.mark.parametrize("start", ["up", "random"])
def test_synchronous_flips_end_at_infinite_temperature_too(start):
    data = simulate(
        Ising(Lattice((16, 16))), Metropolis(), np.inf, sweeps=400, thermalization=50, chains=32,
        start=start, schedule="synchronous", seed=3,
    )  # fmt: skip
    assert abs(z_of_chains(data["energy"].values[0].mean(axis=1), 0.0)) < Z_LIMIT


# Which tables are made lazy.


def own_rule(table, **attributes):
    made = {"name": "own", "table": lambda self, model, temperature: table(model, temperature)}
    return type("Own", (Rule,), made | attributes)()


def test_a_flip_and_its_reverse_are_made_rarer_alike():
    model = Ising(Lattice((8, 8)), field=0.1)
    temperature = np.array([0.3, 2.0, 20.0, np.inf])
    bare = Metropolis().compile(model, temperature).up[:, 0]
    lazy = Metropolis().compile(model, temperature).for_schedule(model.lattice, "checkerboard")
    rises, falls = bare[:, 0], 1 - bare[:, 1]
    both = np.minimum(rises, falls) >= 0.75
    assert both.any(axis=1).tolist() == [False, True, True, True]
    factor = np.where(both, LAZY, 1)
    np.testing.assert_allclose(lazy.up[:, 0, 0], rises * factor)
    np.testing.assert_allclose(1 - lazy.up[:, 0, 1], falls * factor, atol=1e-15)


@pytest.mark.parametrize(
    ("field", "temperature"),
    [*((0.0, t) for t in (0.0, 1e-3, 0.01, 0.5, 2.0, 1e9, np.inf)), (1e-6, 1e-3), (1e-6, 2.0)],
)
@pytest.mark.parametrize("coupling", [1.0, -1.0])
def test_ties_are_lazy_at_any_temperature(coupling, field, temperature):
    model = Ising(Lattice((8, 8)), coupling, field)
    table = table_in_use(Metropolis(), model, temperature)
    assert table[0, 2] == pytest.approx(LAZY, rel=2e-3)
    assert table[1, 2] == pytest.approx(1 - LAZY, rel=2e-2)


@pytest.mark.parametrize("schedule", ["random-site", "sequential"])
def test_sites_drawn_at_random_need_no_rest(schedule):
    model = Ising(Lattice((8, 8)))
    table = Metropolis().compile(model, np.array([1.5, np.inf]))
    assert table.for_schedule(model.lattice, schedule) is table


def test_a_rule_of_ones_own_that_obeys_detailed_balance_is_made_lazy():
    model = Ising(Lattice((8, 8)))
    own = own_rule(lambda model, t: Metropolis().table(Ising(model.lattice, 0.7, 0.01), t))
    assert table_in_use(own, model, 2.0)[0, 2] < 0.9


@pytest.mark.parametrize(
    "table",
    [
        pytest.param([[0, 0, 1, 0, 0], [1, 1, 0, 1, 1]], id="Q2R"),
        pytest.param([[0.9, 0.92, 0.9, 0.92, 0.9], [0.1] * 5], id="no-detailed-balance"),
    ],
)
@pytest.mark.parametrize("schedule", ["checkerboard", "typewriter", "synchronous"])
def test_other_rules_are_believed(table, schedule):
    """Their law would change."""
    model = Ising(Lattice((8, 8)))
    compiled = own_rule(lambda model, t: np.array([table])).compile(model, np.array([1.0]))
    np.testing.assert_array_equal(compiled.for_schedule(model.lattice, schedule).up, compiled.up)


def with_own_bonds(lattice, bonds, temperature):
    """Metropolis by the joint configuration of the neighbours, bonds (n_sites, z) of each site."""
    states = np.arange(2**lattice.coordination_number)
    spins = 2 * (states[:, None] >> np.arange(lattice.coordination_number) & 1) - 1
    spins = np.where((lattice.neighbors == lattice.n_sites)[:, None], 0, spins[None])
    cost = 2 * (bonds[:, None, :] * spins).sum(axis=-1) / temperature
    rises, falls = np.exp(np.minimum(cost, 0)), np.exp(np.minimum(-cost, 0))
    return RuleTable(np.stack([rises, 1 - falls], axis=1)[None], lattice.neighbors)


@pytest.mark.parametrize(
    "lattice", [Lattice(12), Lattice((4, 4)), Lattice((3, 4), boundary="free")], ids=str
)
def test_bonds_of_a_rules_own_are_made_lazy_where_they_are_mutual(lattice):
    """Random signs of bonds: a Gibbs measure if i feels j as j feels i, else none."""
    rng = np.random.default_rng(1)
    sign = rng.choice([-1.0, 1.0], size=(lattice.n_sites + 1, lattice.n_sites + 1))
    sign = np.triu(sign) + np.triu(sign, 1).T
    bonds = sign[np.arange(lattice.n_sites)[:, None], lattice.neighbors]
    table = with_own_bonds(lattice, bonds, 2.0)
    lazy = table.for_schedule(lattice, "checkerboard")
    assert (lazy.up != table.up).any()
    assert set(np.unique(lazy.up[lazy.up != table.up]).round(9)) == {1 - LAZY, LAZY}
    one_sided = bonds.copy()
    one_sided[0] *= -1
    other = with_own_bonds(lattice, one_sided, 2.0)
    np.testing.assert_array_equal(other.for_schedule(lattice, "checkerboard").up, other.up)
