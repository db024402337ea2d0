"""Agents that see nothing, measured while they learn: Weiss's mean-field theory."""

import numpy as np
import pytest
from scipy.optimize import brentq

from analysis.exact import ring
from analysis.thermodynamics import thermodynamics
from isingrl import Ising, Lattice, Learning, simulate, train
from isingrl.agents import IndependentQ
from tests.statistical import Z_LIMIT

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

SOAK = pytest.mark.soak
BELOW, ABOVE = (0.5, 0.65, 0.8, 0.9), (1.15, 1.3, 1.6, 2.0)
LATTICES = {
    "ring": Lattice((1024,)),
    "square": Lattice((32, 32)),
    "moore": Lattice((32, 32), "moore"),
    "cubic": Lattice((10, 10, 10)),
}


def weiss(model, temperature):
    """Root of m = tanh((J z m + h) / T): the positive one, or 0 where there is none."""
    z = model.lattice.coordination_number

    def excess(m):
        return np.tanh((model.coupling * z * m + model.field) / temperature) - m

    if model.field == 0 and temperature >= model.coupling * z:
        return 0.0
    return brentq(excess, 1e-6, 1.0)


def measured(model, agent, temperatures, seed, sweeps=4000, thermalization=1500):
    """Means and errors of agents that go on learning."""
    data = simulate(
        model, Learning(agent), temperatures, start="up", sweeps=sweeps,
        thermalization=thermalization, chains=4, seed=seed,
    )  # fmt: skip
    return thermodynamics(data)


def memory_of_ten_sweeps(model, **options):
    """A longer memory lags behind, a shorter one is so noisy that m is shifted by it."""
    return IndependentQ(learning_rate=1 / (10 * model.lattice.n_sites), **options)


def check_weiss(summary, model, precision):
    """Magnetization and energy within errors that are no larger than `precision` somewhere."""
    temperatures = summary["temperature"].values
    m = np.array([weiss(model, temperature) for temperature in temperatures])
    z = model.lattice.coordination_number
    expected = {
        "magnetization": m,
        "energy": -model.coupling * z * m**2 / 2 - model.field * m,
    }
    for name, values in expected.items():
        scores = (summary[name].values - values) / summary[f"{name}_error"].values
        assert (abs(scores) < Z_LIMIT).all(), f"{name}: {scores}"
    assert summary["magnetization_error"].min() < precision
    assert summary["magnetization_error"].max() < 30 * precision


@pytest.mark.parametrize(
    "name", ["ring", *(pytest.param(name, marks=SOAK) for name in ("square", "moore", "cubic"))]
)
def test_magnetization_is_that_of_weiss(name):
    """Below and above the transition of Weiss's theory."""
    model = Ising(LATTICES[name])
    temperatures = np.array(BELOW + ABOVE) * model.lattice.coordination_number
    summary = measured(model, memory_of_ten_sweeps(model), temperatures, seed=3)
    check_weiss(summary, model, precision=2e-4)
    # the theory itself orders below z alone, and the agents with it
    assert (summary["magnetization"][: len(BELOW)] > 0.5).all()
    assert (abs(summary["magnetization"][len(BELOW) :]) < 0.02).all()


@pytest.mark.parametrize(("coupling", "field"), [pytest.param(1.0, 0.4, marks=SOAK), (0.5, 1.0)])
def test_a_field_enters_as_weiss_has_it(coupling, field):
    model = Ising(LATTICES["square"], coupling, field)
    temperatures = np.array([0.6, 0.9, 1.0, 1.2, 2.0]) * 4 * coupling
    summary = measured(model, memory_of_ten_sweeps(model), temperatures, seed=5, sweeps=2000)
    check_weiss(summary, model, precision=2e-4)


def test_a_table_a_site_follows_weiss_too():
    model = Ising(LATTICES["square"])
    # Each site remembers by itself: its noise shifts m, the less the longer it remembers.
    agent = IndependentQ(learning_rate=0.008, shared=False)
    summary = measured(model, agent, [3.0, 8.0], seed=6, sweeps=9000, thermalization=5000)
    check_weiss(summary, model, precision=1e-3)


def test_the_ring_is_ordered_where_the_true_one_is_not():
    model = Ising(LATTICES["ring"])
    temperature = 1.3
    summary = measured(model, memory_of_ten_sweeps(model), [temperature], seed=7, sweeps=2000)
    true = ring(1024, [temperature])
    assert summary["abs_magnetization"].item() > 0.7
    assert true["abs_magnetization"].item() < 0.1
    assert summary["energy"].item() < true["energy"].item() - 0.05


def test_noise_of_a_short_memory_shifts_the_magnetization():
    model = Ising(LATTICES["square"])
    wanted = weiss(model, 3.5)
    long, short = (
        measured(model, IndependentQ(learning_rate=rate), [3.5], seed=8) for rate in (1e-4, 0.05)
    )
    shift = short["magnetization"].item() - wanted
    assert shift < -10 * short["magnetization_error"].item()
    assert abs(long["magnetization"].item() - wanted) < abs(shift) / 10


def test_frozen_agents_are_independent_coins():
    model = Ising(LATTICES["square"])
    policy = train(model, IndependentQ(), 2.0, sweeps=50, start="up", annealing=0, seed=1)
    up = policy.compile(model, np.array([2.0])).up
    assert up.shape == (1, 1, 2, 5)
    assert np.ptp(up) == 0
    advantage = float(policy.q_values.diff("action").item())
    assert up[0, 0, 0, 0] == pytest.approx(1 / (1 + np.exp(-advantage / 2.0)), rel=1e-12)
    summary = thermodynamics(simulate(model, policy, sweeps=4000, chains=2, seed=2))
    m = 2 * up[0, 0, 0, 0] - 1
    assert 0.5 < m < 1
    for name, value in [("magnetization", m), ("energy", -2 * m**2)]:
        z = (summary[name].item() - value) / summary[f"{name}_error"].item()
        assert abs(z) < Z_LIMIT
