"""Frequencies of single-site transitions against the tables, rule by rule and engine by engine."""

import functools
import zlib

import numpy as np
import pytest
from scipy import stats

import isingrl.engines.lane_bonds
from isingrl import HeatBath, Ising, Lattice, MeanFieldQ, Metropolis, simulate, train
from tests import lanes
from tests.statistical import FALSE_ALARM, check_bernoulli

LATTICES = {
    "1D": Lattice((256,)),
    "2D": Lattice((16, 16)),
    "3D": Lattice((4, 8, 8)),
    "2D-moore": Lattice((16, 16), "moore"),
    "3D-moore": Lattice((4, 8, 8), "moore"),
}
ENGINES = ("lanes", "sites")
CHAINS = 256

every_rule = pytest.mark.parametrize("rule", ["metropolis", "heat-bath", "policy"])
every_model = pytest.mark.parametrize(
    "model",
    [
        pytest.param(Ising(lattice, coupling, field), id=f"{name}-J{coupling:g}-h{field:g}")
        for name, lattice in LATTICES.items()
        for coupling in (1.0, -1.0)
        for field in (0.0, 0.3)
    ],
)


def temperature_of(model):
    return 0.6 * model.lattice.coordination_number


def rule_of(name, model):
    if name == "policy":
        return train(model, MeanFieldQ("mean"), temperature_of(model), sweeps=300, seed=1)
    return {"metropolis": Metropolis(), "heat-bath": HeatBath()}[name]


@functools.cache
def table_and_transitions(model, rule, engine, schedule):
    """The table in use, and numbers of up spins and trials after one sweep, shape (2, z + 1)."""
    lattice = model.lattice
    # A start that shows all counts: each chain has its own magnetization.
    rng = np.random.default_rng(zlib.crc32(repr(model).encode()))
    up = np.linspace(0, 1, CHAINS).reshape(1, -1, *[1] * lattice.ndim)
    start = np.where(rng.random((1, CHAINS, *lattice.shape)) < up, 1, -1).astype(np.int8)
    temperature = temperature_of(model)
    made = rule_of(rule, model)
    with pytest.MonkeyPatch.context() as patch:
        if engine == "sites":
            patch.setattr(isingrl.engines.lane_bonds, "fits", lambda lattice: False)
        data = simulate(
            model, made, temperature, sweeps=1, chains=CHAINS, start=start, schedule=schedule,
            snapshots=1, seed=ENGINES.index(engine),
        )  # fmt: skip
    before, after = start[0], data["spins"].values[0, :, 0]
    compiled = made.compile(model, np.array([temperature]))
    table = compiled.for_schedule(lattice, schedule).up[0, 0]
    if schedule == "synchronous":
        successes, trials = lanes.tally(lattice, before, before, after)
        return table, successes.sum(axis=0), trials.sum(axis=0)
    successes = trials = 0
    for color in range(lattice.n_sublattices):
        # What a sublattice sees: the earlier ones after their moves, the later ones before.
        seen = np.where(lattice.sublattices < color, after, before)
        more = lanes.tally(lattice, before, seen, after, sites=lattice.sublattices == color)
        successes, trials = successes + more[0].sum(axis=0), trials + more[1].sum(axis=0)
    return table, successes, trials


@pytest.mark.parametrize("schedule", ["checkerboard", "synchronous"])
@pytest.mark.parametrize("engine", ENGINES)
@every_rule
@every_model
def test_transitions_have_the_chances_of_the_table(model, rule, engine, schedule):
    table, successes, trials = table_and_transitions(model, rule, engine, schedule)
    assert trials.sum() == CHAINS * model.lattice.n_sites
    assert (trials > 0).mean() > 0.8
    check_bernoulli(successes, trials, table)


@pytest.mark.parametrize("schedule", ["checkerboard", "synchronous"])
@every_rule
@every_model
def test_the_engines_agree_table_by_table(model, rule, schedule):
    """Homogeneity of two samples in every entry that either engine could get wrong."""
    _, ups, trials = table_and_transitions(model, rule, "lanes", schedule)
    _, other_ups, other_trials = table_and_transitions(model, rule, "sites", schedule)
    total = trials + other_trials
    pooled = (ups + other_ups) / np.maximum(total, 1)
    rare = np.minimum(pooled, 1 - pooled)
    frequent = np.minimum(trials, other_trials) * rare >= 10
    u, v, n, m = (a[frequent] for a in (ups, other_ups, trials, other_trials))
    p = pooled[frequent]
    square = np.sum((u / n - v / m) ** 2 / (p * (1 - p) * (1 / n + 1 / m)))
    assert stats.chi2.sf(square, p.size) > FALSE_ALARM
    settled = (trials > 100) & (other_trials > 100) & (rare == 0)
    np.testing.assert_array_equal(
        ups[settled] / trials[settled], other_ups[settled] / other_trials[settled]
    )


def test_sequential_updates_have_the_chances_of_the_table():
    """Free spins in a field: an update forgets the past, and a site is missed with chance 1/e."""
    model = Ising(Lattice((64, 64)), coupling=0.0, field=1.0)
    data = simulate(
        model, HeatBath(), 1.0, sweeps=1, chains=64, start="down", schedule="sequential",
        snapshots=1, seed=1,
    )  # fmt: skip
    n = model.lattice.n_sites
    chance = (1 - (1 - 1 / n) ** n) / (1 + np.exp(-2.0))
    ups = int((data["spins"].values == 1).sum())
    # Sites compete for visits, so that the binomial's variance is an upper bound.
    trials = 64 * n
    assert abs(ups - trials * chance) < 4.5 * np.sqrt(trials * chance * (1 - chance))
