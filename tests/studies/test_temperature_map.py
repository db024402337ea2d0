"""The study of the map from softmax temperature to temperature."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import thermodynamics
from isingrl import HeatBath, simulate
from studies.temperature_map import TemperatureMap, _thermodynamic
from tests.studies.outcomes import summary_of

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

SMALL = TemperatureMap(
    shape=(8, 8), ring=32, reduced_temperature=(0.8, 1.6, 3), training_sweeps=300,
    network_training_sweeps=300, sweeps=2_000, thermalization=100, chains=4, seed=2,
)  # fmt: skip
QUICK = replace(SMALL, ring=8, network_training_sweeps=2, sweeps=100)
EXACT = [case for case in SMALL.cases if case.reward != "chapter-2d"]
SOLVED = [case.name for case in EXACT if case.lattice != "moore"]


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return summary_of(SMALL, "temperature-map", tmp_path_factory.mktemp("temperature-map"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The same tables, but neither networks nor runs that show a temperature."""
    return summary_of(QUICK, "temperature-map", tmp_path_factory.mktemp("temperature-map"))


def test_every_reward_where_it_belongs(quick):
    assert dict(quick.sizes)["case"] == 8
    ratio = (quick["temperature"] / quick["softmax_temperature"]).isel(reduced_temperature=0)
    expected = {"energy, von Neumann": 1, "half, Moore": 2, "mean, von Neumann": 4,
                "chapter-1d, ring": 1 / 0.9, "chapter-2d, Moore": 3.2}  # fmt: skip
    for name, value in expected.items():
        assert float(ratio.sel(case=name)) == pytest.approx(value)


def test_tables_are_at_the_mapped_temperature(quick):
    table = quick.sel(learner="table", case=[case.name for case in EXACT])
    assert abs(table["effective_residual"]).max() < 1e-13
    assert table["nonlinearity"].max() < 1e-12


@pytest.mark.soak
def test_networks_come_near_it(summary):
    network = summary.sel(learner="network", case=[case.name for case in EXACT])
    residual = abs(network["effective_residual"])
    assert residual.max() < 0.2
    assert residual.min() > 0


@pytest.mark.soak
def test_the_energy_tells_the_same_temperature(summary):
    table = summary.sel(learner="table", case=SOLVED)
    z = (table["thermodynamic_residual"] / table["thermodynamic_residual_error"]).values
    assert z.shape == (4, 3)
    assert (abs(z) < 4.5).all(), z


def test_the_energy_tells_a_wrong_temperature():
    model, right = SMALL.model("von_neumann"), np.array([2.6])
    run_hot = simulate(model, HeatBath(), right * 1.2, sweeps=4_000, chains=4, start="up", seed=1)
    found, error = _thermodynamic(SMALL, "von_neumann", right, thermodynamics(run_hot))
    assert abs(found - 1.2 * right) < 4.5 * error
    assert abs(found - right) > 4.5 * error


def test_the_bent_reward_lies_between_its_limits(quick):
    one = quick.sel(case="chapter-2d, Moore", learner="table")
    ratio = one["effective_temperature"] / one["softmax_temperature"]
    assert ((ratio > 3.2) & (ratio < 8 / np.tanh(2.5))).all()
    assert (np.diff(ratio) < 0).all()  # less order, smaller sums, nearer to the slope at S = 0
    assert (one["nonlinearity"] > 0.1).all()
    sums = 2 * one["n_up"] - 8
    np.testing.assert_allclose(one["advantage"], 2 * np.tanh(5 * sums / 16), atol=1e-12)


def test_figure(quick):
    figure = QUICK.plot(quick)
    labels = {ax.get_ylabel() for ax in figure.axes}
    assert "effective temperature" in figure.axes[0].get_ylabel()
    assert "softmax temperature" in figure.axes[0].get_xlabel()
    assert {"$T(e)/T - 1$ from the energy", "distance from the map"} <= labels
