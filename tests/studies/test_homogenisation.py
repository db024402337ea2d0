"""Agents whose bonds differ: Weiss, the model of the mean coupling, and the exact one."""

from dataclasses import replace

import numpy as np
import pytest

import isingrl as irl
from analysis import exact, thermodynamics
from studies import _homogenisation_runs, homogenisation
from studies._homogenisation_disorder import averaging, measure_bonds, odd, shells
from studies._homogenisation_disorder_figure import BOND_METHODS, OWN_TABLES
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
    draws=60,
    updates=4e6,
    training_sweeps=300,
    thermalization=100,
    sweeps=200,
    shell_temperature=(4.7, 5.6, 2),
    realizations=2,
    bond_temperature=(1.25, 2.5, 2),
)
SOAK = pytest.mark.soak
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


@pytest.mark.parametrize(
    "method",
    [
        pytest.param(each, marks=[] if each in ("mean-field-q", "neighborhood-q") else SOAK)
        for each in METHODS
    ],
)
def test_order_is_that_of_the_theory(method):
    """At six temperatures below all transitions, J_a = 1.8 and J_b = 0.2."""
    ratio = 9.0
    study = replace(SMALL, temperature=(0.9, 1.4, 6), training_sweeps=2_000, sweeps=2_000)
    order = thermodynamics(measure_order(study, ratio, method, seed=1))
    z = deviations(order, method, ratio)
    assert z.size == 6
    assert (abs(z) < Z_LIMIT).all(), z.values
    others = [theory(each, ratio, 1.4)["abs_magnetization"].item() for each in METHODS[:3]]
    own = theory(method, ratio, 1.4)["abs_magnetization"].item()
    apart = min(abs(own - each) for each in others if each != own)
    assert order["abs_magnetization_error"][-1] < apart / Z_LIMIT


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
    found = _homogenisation_runs._energy_of_mean_coupling(data).values.ravel()
    spins = data["spins"].values.reshape(-1, 8, 8)
    np.testing.assert_array_equal(found, exact.homogenised(model).energy(spins))


def test_draws_follow_one_another_faster_where_they_cost_too_much():
    study = Homogenisation()
    assert study.interval("swendsen-wang", 24) == 2
    assert study.interval("mean-field-q", 8) == int(8**2.17)
    assert study.interval("mean-field-q", 24) == int(study.updates / (64 * 24**2 * study.draws))


def test_the_summary_has_every_method(quick):
    assert dict(quick.sizes) == {
        "shown": 1, "method": 4, "temperature": 3, "ratio": 2,
        "shell_method": 5, "shell_temperature": 2,
        "random_share": 2, "random_realization": 2, "random_method": 4, "random_temperature": 2,
    }  # fmt: skip
    assert quick["method"].values.tolist() == list(METHODS)
    np.testing.assert_allclose(quick["critical_temperature"], quick["known_temperature"], rtol=0.2)
    assert (quick["abs_magnetization"].isel(temperature=0) > 0.98).all()
    order = quick["abs_magnetization"].sel(shown=9.0, temperature=2.0)
    assert (order.diff("method").isel(method=slice(2)) < 0).all()  # who sees less is more ordered


def test_the_figure_has_three_theories_and_all_methods(quick):
    figure = QUICK.plot(quick)
    order, critical, deviation, *_ = figure.axes
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


def test_the_figure_has_shells_and_random_bonds(quick):
    *_, shells, energy, overlap, glass_energy, glass_overlap = QUICK.plot(quick).axes
    assert len(shells.containers) == 5
    assert shells.get_legend_handles_labels()[1][0] == "$T_c$, mean coupling"
    titles = [each.get_title() for each in (energy, glass_energy)]
    assert titles == [r"bonds $\pm J$, 0.95 of them $+J$", r"bonds $\pm J$, 0.5 of them $+J$"]
    assert "overlap" in overlap.get_ylabel()
    at = quick["random_overlap"].sel(random_share=0.5, random_method="heat-bath")
    measured = glass_overlap.containers[3].lines[0].get_ydata()
    np.testing.assert_allclose(measured, at.mean("random_realization"))


def test_shells_have_two_couplings_with_the_mean_1():
    model = shells(8, 3.0)
    assert model.mean_coupling == 1.0
    pairs = zip(model.lattice.forward_offsets, model.coupling, strict=True)
    assert all(each == (1.5 if 0 in step else 0.5) for step, each in pairs)


def test_near_and_diagonal_neighbours_are_not_alike():
    """Given how many are up, near ones are up more often: so the mean action is not exact."""
    model = irl.Ising(irl.Lattice((16, 16), "moore"))
    data = irl.simulate(model, irl.HeatBath(), 6.0, sweeps=2_000, chains=8, snapshots=50, seed=1)
    spins = data["spins"].values.reshape(-1, 16, 16).astype(int)

    def total(*steps):
        return sum(np.roll(spins, step, (1, 2)) for step in steps)

    near = total((0, 1), (0, -1), (1, 0), (-1, 0))
    diagonal = total((1, 1), (1, -1), (-1, 1), (-1, -1))
    difference = (near - diagonal)[near + diagonal == 6]
    assert difference.mean() > 0.3  # one of eight is down: by chance 0, at most 2


def test_odd_tables_know_no_up_and_down():
    model = shells(8, 3.0)
    policy = irl.train(model, averaging(), 4.0, sweeps=50, chains=2, annealing=0.0, seed=1)
    up = odd(policy).compile(model, policy.temperature, 2).up
    np.testing.assert_allclose(up + up[..., ::-1], 1.0, atol=1e-12)
    before = policy.compile(model, policy.temperature, 2).up
    assert abs(before + before[..., ::-1] - 1).max() > 1e-4


@pytest.fixture(scope="module")
def bonds():
    """Random bonds at two temperatures, as `measure_bonds` leaves them, by method."""
    study = replace(SMALL, side=32, bond_temperature=(1.6, 3.2, 2), training_sweeps=2_000)
    return {
        method: measure_bonds(study, 0.5, 1, method, seed=k)
        for k, method in enumerate(BOND_METHODS)
    }


def test_one_table_makes_a_paramagnet_of_a_glass(bonds):
    data = bonds["mean-field-q"]
    known = exact.torus((32, 32), data["temperature"].values, abs(data["mean_coupling"].item()))
    order = thermodynamics(data[["energy", "magnetization"]])
    assert (abs(order["energy"] - known["energy"]) < 0.02).all()
    assert (abs(data["overlap"]) < 0.02).all()


def test_tables_of_their_own_freeze_a_glass(bonds):
    frozen, exactly = (bonds[each]["overlap"].values for each in (OWN_TABLES, "heat-bath"))
    assert frozen[0] > 0.3
    assert abs(exactly).max() < 0.1
    assert frozen[1] < 0.1


def test_agents_that_tell_neighbours_apart_are_the_heat_bath_of_a_glass(bonds):
    found, known = (
        thermodynamics(bonds[each][["energy", "magnetization"]])
        for each in ("neighborhood-q", "heat-bath")
    )
    error = np.hypot(found["energy_error"], known["energy_error"])
    assert (abs(found["energy"] - known["energy"]) < Z_LIMIT * error).all()
    assert (error < 0.01).all()
