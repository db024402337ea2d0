"""Orders of updates: Gibbs, two interleaved copies, and Little's law."""

import itertools

import numpy as np
import pytest

from analysis import exact
from isingrl import Ising, Lattice
from studies.running.runner import run
from studies.schedules import Schedules

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

SMALL = Schedules(
    shape=(4, 4), reduced_temperature=(1.2, 1.6, 2), training_sweeps=100, sweeps=3_000,
    thermalization=200, interval=20, chains=4, seed=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return run(SMALL)


@pytest.fixture(scope="module")
def summary(data):
    return SMALL.summarize(data)


def little(model, temperature):
    """Energy per site under π ∝ Π cosh(S_i / T), by enumeration (Peretto 1984)."""
    n = model.lattice.n_sites
    spins = np.array(list(itertools.product((-1, 1), repeat=n)), dtype=np.int8)
    sums = spins[:, model.lattice.neighbors].sum(axis=-1, dtype=np.int64)
    weight = np.exp(np.log(np.cosh(sums / temperature)).sum(axis=1) - n)
    return (weight * -(spins * sums).sum(axis=1) / (2 * n)).sum() / weight.sum()


def z_scores(summary, name, reference, **which):
    chosen = summary.sel(which)
    return ((chosen[name] - reference) / chosen[f"{name}_error"]).values


def test_one_site_or_sublattice_at_a_time_is_gibbs(summary):
    for neighborhood in SMALL.neighborhoods:
        t = SMALL.temperatures(neighborhood)
        known = exact.enumeration(Ising(Lattice((4, 4), neighborhood)), t)["energy"].values
        for schedule in ("checkerboard", "sequential"):
            for name in ("energy", "two_time_energy"):
                z = z_scores(summary, name, known, neighborhood=neighborhood, schedule=schedule)
                assert (abs(z) < 4.5).all(), (neighborhood, schedule, name, z)


def test_all_at_once_on_a_bipartite_lattice_are_two_copies(summary):
    gibbs = exact.torus((4, 4), SMALL.temperatures("von_neumann"))["energy"].values
    which = {"neighborhood": "von_neumann", "schedule": "synchronous"}
    assert (abs(z_scores(summary, "energy", 0.0, **which)) < 4.5).all()
    assert (abs(z_scores(summary, "two_time_energy", gibbs, **which)) < 4.5).all()


def test_all_at_once_on_the_moore_lattice_is_littles_law(summary):
    model = Ising(Lattice((4, 4), "moore"))
    temperature = SMALL.temperatures("moore")
    known = np.array([little(model, t) for t in temperature])
    gibbs = exact.enumeration(model, temperature)["energy"].values
    which = {"neighborhood": "moore", "schedule": "synchronous"}
    assert (abs(z_scores(summary, "energy", known, **which)) < 4.5).all()
    assert (abs(z_scores(summary, "energy", gibbs, **which)) > 4.5).all()


def test_copies_from_random_spins_order_alike_or_oppositely():
    config = Schedules(
        shape=(16, 16), reduced_temperature=(0.75, 0.75, 1), neighborhoods=("von_neumann",),
        methods=("heat-bath",), schedules=("checkerboard", "synchronous"), sweeps=400,
        thermalization=2_000, chains=16, seed=1,
    )  # fmt: skip
    summary = config.summarize(run(config)).sel(start="random").squeeze()
    m = float(exact.square_lattice(config.temperatures("von_neumann"))["abs_magnetization"][0])
    both = summary.sel(schedule="synchronous")["staggered_by_chain"].values
    opposite = abs(both - m) < 0.05
    alike = both < 0.1
    assert opposite.any()
    assert alike.any()
    assert (opposite | alike).mean() > 0.5  # the others are striped
    assert (summary.sel(schedule="checkerboard")["staggered_by_chain"] < 0.1).all()


def test_from_all_up_both_copies_are_up_below_the_transition():
    config = Schedules(
        shape=(32, 32), reduced_temperature=(0.8, 0.8, 1), neighborhoods=("von_neumann",),
        methods=("mean-field-q",), schedules=("synchronous",), training_sweeps=50, sweeps=2_000,
        thermalization=200, seed=3,
    )  # fmt: skip
    summary = config.summarize(run(config)).sel(start="up").squeeze()
    m = float(exact.square_lattice(config.temperatures("von_neumann"))["abs_magnetization"][0])
    for name, known in (("abs_magnetization", m), ("energy", -2 * m**2)):
        assert abs((summary[name] - known) / summary[f"{name}_error"]) < 4.5


def test_data_lies_over_all_that_is_varied(data):
    assert dict(data.sizes) == {
        "neighborhood": 2, "method": 2, "schedule": 3, "start": 2, "reduced_temperature": 2,
        "chain": 4, "draw": 150,
    }  # fmt: skip
    mean = (data["magnetization_a"] + data["magnetization_b"]) / 2
    np.testing.assert_allclose(mean, data["magnetization"])


def test_figure_has_three_panels_a_neighbourhood(summary):
    axes = SMALL.plot(summary).axes
    assert len(axes) == 6
    for row in (axes[:3], axes[3:]):
        assert [ax.get_ylabel()[:6] for ax in row] == ["absolu", "energy", "stagge"]
        assert all(ax.get_xlabel().startswith("temperature") for ax in row)
