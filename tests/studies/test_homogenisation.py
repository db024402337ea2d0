"""Agents whose bonds differ: Weiss, the model of the mean coupling, and the exact one."""

from dataclasses import replace

import numpy as np
import pytest

import isingrl as irl
from analysis import exact, thermodynamics
from studies import homogenisation
from studies._homogenisation_figure import METHODS, critical_temperature, theory
from studies.homogenisation import Homogenisation, measure_order, rough_critical_temperature
from tests.statistical import Z_LIMIT
from tests.studies.outcomes import summary_of

# warned of: lattices so small deviate from one curve
pytestmark = [
    pytest.mark.filterwarnings("ignore::analysis.FitWarning"),
    pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning"),
]

SMALL = Homogenisation(
    shown=(9.0,),
    ratios=(3.0, 9.0),
    temperature=(1.0, 3.4, 13),
    draws=2_000,
    updates=4e8,
    sweeps=4_000,
    seed=2,
)
QUICK = replace(
    SMALL,
    ratios=(1.0, 4.0),
    side=16,
    temperature=(1.0, 3.0, 3),
    sizes=(4, 6, 8, 10),
    draws=100,
    updates=1e7,
    training_sweeps=1_000,
    sweeps=500,
)
AWAY = 0.25
"""Least distance in J/k_B from a critical temperature, where 64² sites are as good as infinite."""


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    """Read from the files, so that the study runs once."""
    return summary_of(SMALL, "homogenisation", tmp_path_factory.mktemp("homogenisation"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Of lattices so small that only the figure is looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            homogenisation,
            "rough_critical_temperature",
            lambda _, ratio, method: critical_temperature(method, ratio),
        )
        return summary_of(QUICK, "homogenisation", tmp_path_factory.mktemp("homogenisation"))


def deviations(order, method, ratio):
    """Deviations of |m| from a theory in errors, where it has order, away from its transition."""
    known = theory(method, ratio, order["temperature"].values)
    below = order["temperature"] < known.attrs["critical_temperature"] - AWAY
    z = (order["abs_magnetization"] - known["abs_magnetization"]) / order["abs_magnetization_error"]
    return z[below.values]


@pytest.mark.soak
@pytest.mark.parametrize("method", METHODS)
def test_order_is_that_of_the_theory(summary, method):
    z = deviations(summary.sel({"method": method, "shown": 9.0}), method, 9.0)
    assert z.size >= 3
    assert (abs(z) < Z_LIMIT).all(), z.values


@pytest.mark.soak
def test_critical_temperatures_are_those_of_the_theories(summary):
    found, known = summary["critical_temperature"], summary["known_temperature"]
    error, systematic = (summary[f"critical_temperature_{end}"] for end in ("error", "systematic"))
    assert (abs(found - known) < Z_LIMIT * error + systematic).all()
    assert (error < 0.015 * known).all()
    np.testing.assert_allclose(known.sel(ratio=3.0), [4, 2.26919, 2.0781, 2.0781], atol=5e-5)


@pytest.mark.soak
@pytest.mark.parametrize("method", METHODS[1:])
def test_the_scan_finds_the_neighbourhood_of_the_critical_temperature(method):
    found = rough_critical_temperature(SMALL, 9.0, method)
    # sizes so small cross above the transition if one direction is nearly a chain
    assert found == pytest.approx(critical_temperature(method, 9.0), rel=0.025)


@pytest.mark.parametrize("method", METHODS)
def test_order_at_one_temperature(method):
    ratio, t = 3.0, 1.75
    study = replace(SMALL, temperature=(t, t, 1), side=48, training_sweeps=2_000, sweeps=2_000)
    order = thermodynamics(measure_order(study, ratio, method, seed=1))
    assert (abs(deviations(order, method, ratio)) < Z_LIMIT).all()
    others = [theory(each, ratio, t)["abs_magnetization"].item() for each in METHODS[:3]]
    assert order["abs_magnetization_error"].item() < min(-np.diff(others)) / Z_LIMIT


def test_the_theories():
    assert [critical_temperature(each, 1.0) for each in METHODS[1:]] == [
        exact.CRITICAL_TEMPERATURE
    ] * 3
    for method, known in zip(METHODS, (4, 2.269185, 1.685331, 1.685331), strict=True):
        assert critical_temperature(method, 9.0) == pytest.approx(known, abs=1e-6)
    assert Homogenisation().model(9.0).coupling == pytest.approx((1.8, 0.2))


def test_agents_that_count_are_reweighted_by_the_energy_of_the_mean_coupling():
    model = irl.Ising(irl.Lattice((8, 8)), [1.8, 0.2])
    data = irl.simulate(model, irl.HeatBath(), 2.0, sweeps=20, snapshots=20, seed=1)
    found = homogenisation._energy_of_mean_coupling(data).values.ravel()
    spins = data["spins"].values.reshape(-1, 8, 8)
    np.testing.assert_array_equal(found, exact.homogenised(model).energy(spins))


def test_draws_follow_one_another_faster_where_they_cost_too_much():
    study = Homogenisation()
    assert study.interval("swendsen-wang", 24) == 2
    assert study.interval("mean-field-q", 8) == int(8**2.17)
    assert study.interval("mean-field-q", 24) == int(study.updates / (64 * 24**2 * study.draws))


def test_the_summary_has_every_method(quick):
    assert dict(quick.sizes) == {"shown": 1, "method": 4, "temperature": 3, "ratio": 2}
    assert quick["method"].values.tolist() == list(METHODS)
    np.testing.assert_allclose(quick["critical_temperature"], quick["known_temperature"], rtol=0.2)
    assert (quick["abs_magnetization"].isel(temperature=0) > 0.98).all()
    order = quick["abs_magnetization"].sel(shown=9.0, temperature=2.0)
    assert (order.diff("method").isel(method=slice(2)) < 0).all()  # who sees less is more ordered


def test_the_figure_has_three_theories_and_all_methods(quick):
    figure = QUICK.plot(quick)
    order, critical, deviation = figure.axes
    assert order.get_ylabel() == "absolute magnetization per site"
    assert "J/k" in order.get_xlabel()
    labels = order.get_legend_handles_labels()[1]
    assert labels[:3] == ["Weiss", "exact, mean coupling", "exact, $J_a$ and $J_b$"]
    assert len(labels) == 7
    assert len(critical.containers) == len(deviation.containers) == 4
    assert "J/k" in critical.get_ylabel()
    measured = critical.containers[1].lines[0].get_ydata()
    expected = quick["critical_temperature"].sel({"method": "mean-field-q"})
    np.testing.assert_array_equal(measured, expected)
    assert [each.get_text() for each in deviation.get_xticklabels()] == ["1", "4"]
