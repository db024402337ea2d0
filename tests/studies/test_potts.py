"""Agents with q actions: mean-field Q beside the Potts model, independent Q beside Weiss."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import isingrl as irl
from analysis import exact
from studies import _potts_numbers as numbers
from studies.potts import Potts, measure_curve, measure_energies, measure_order
from studies.running.executors import InProcess
from studies.running.files import open_dataset
from studies.running.progress import Display
from studies.running.runner import complete, joined_data
from tests.statistical import Z_LIMIT
from tests.studies.outcomes import summary_of

# warned of: lattices so small deviate from one curve
pytestmark = [
    pytest.mark.filterwarnings("ignore::analysis.FitWarning"),
    pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning"),
]

QUICK = Potts(
    states=(2, 3, 5),
    side=16,
    reduced_temperatures=(0.8, 0.9, 1.1, 1.2),
    training_sweeps=500,
    sweeps=1_000,
    sizes=(4, 6, 8, 10),
    draws=60,
    updates=1e6,
    energy_side=8,
    energy_sweeps=400,
    phase_side=16,
    phase_sweeps=400,
    independent_side=16,
    memory=4.0,
    memories=60,
    steps=4,
    step=0.05,
    curve_points=5,
    seed=2,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("potts")


@pytest.fixture(scope="module")
def summary(folder):
    """Read from the files, so that the study runs once."""
    return summary_of(QUICK, "potts", folder)


def test_the_summary_has_every_part(summary):
    assert summary["states"].values.tolist() == [2, 3, 5]
    assert dict(summary["order_parameter"].sizes) == {"states": 3, "method": 2, "point": 4}
    assert (summary["value_error"] < 1e-9).all()
    assert (summary["order_parameter"].isel(point=0) > 0.8).all()
    assert (summary["order_parameter_chi_square"] < 60).all()
    assert summary["near_states"].values.tolist() == [2, 3]
    np.testing.assert_allclose(summary["near_known_temperature"], [1.134593, 0.994973], rtol=1e-6)
    known = summary["near_known_temperature"]
    np.testing.assert_allclose(summary["near_critical_temperature"], known, rtol=0.2)
    assert summary["end_states"].values.tolist() == [3, 5]
    ends = summary["end_known_end"].sel(end_states=3)
    np.testing.assert_allclose(ends, [1.456853, 4 / 3], rtol=1e-6)
    assert summary["phases_states"].values.tolist() == [5]
    width = summary["energies_energy"].diff("energies_energy")
    total = (summary["energies_density"] * width[0].item()).sum("energies_energy")
    np.testing.assert_allclose(total, 1)


def test_the_figure_has_a_panel_for_each_number_of_states(summary):
    figure = QUICK.plot(summary)
    axes = [ax for ax in figure.get_axes() if ax.get_title()]
    titles = [ax.get_title() for ax in axes]
    assert titles[:6] == [f"$q = {q}$" for q in (2, 3, 5)] * 2
    assert "J/k" in axes[0].get_xlabel()
    order = summary["order_parameter"].sel({"method": "mean-field-q", "states": 3})
    np.testing.assert_array_equal(axes[1].containers[1].lines[0].get_ydata(), order)
    assert len(axes[6].containers) == 4
    assert [each.get_text() for each in axes[7].get_xticklabels()] == ["$q = 2$", "$q = 3$"]


def test_a_study_that_lost_results_makes_the_same_again(summary, folder, tmp_path):
    again = tmp_path / "tasks"
    shutil.copytree(folder / "tasks", again)
    ledger = again / "ledger.jsonl"
    lines = ledger.read_text().splitlines()
    ledger.write_text("\n".join(lines[4:]) + "\n")
    with Display("potts", again, shown=False) as display:
        done = complete(QUICK, again, InProcess(), display)
    data = joined_data(QUICK, done).load()
    with open_dataset(folder / "data.nc") as known:
        xr.testing.assert_equal(known.load(), data)


def test_agents_go_on_from_their_training(tmp_path):
    whole = measure_curve(QUICK, 3, "ordered", seed=5, folder=tmp_path)
    shutil.rmtree(tmp_path / "run")
    xr.testing.assert_identical(measure_curve(QUICK, 3, "ordered", seed=5, folder=tmp_path), whole)
    assert whole.sizes["draw"] >= 100


def test_mean_field_q_is_the_heat_bath():
    study = replace(QUICK, reduced_temperatures=(0.9, 0.95, 1.05, 1.1), side=32, sweeps=2_000)
    runs = [measure_order(study, 3, each, seed=7) for each in ("heat-bath", "mean-field-q")]
    data = xr.concat(runs, "method", coords="different", compat="equals", combine_attrs="drop")
    found = numbers._order(data)
    assert found["value_error"] == 0
    for name in ("order_parameter", "energy"):
        assert (abs(found[f"{name}_deviation"]) < Z_LIMIT).all()
        assert (found[f"{name}_error"] < 0.05).all()


def test_half_of_the_chains_begin_disordered():
    study = replace(QUICK, energy_sweeps=80, energy_side=32, phase_sweeps=80)
    data = measure_energies(study, 11, seed=3)
    first = data["energy"].isel(draw=0).squeeze().values
    assert first[:16].max() < first[16:].min()


def test_the_weiss_coupling_and_its_error():
    for q, t in ((2, [1.0, 1.9]), (3, [1.3, 1.45]), (10, [0.5, 0.87])):
        order = numbers.weiss(q, t).rename(order_parameter_ordered="x")["x"]
        error = xr.full_like(order, 1e-6)
        known = {"order_parameter_error": error, "temperature": order["temperature"]}
        found = numbers._weiss_coupling(xr.Dataset({"order_parameter": order, **known}), q)
        np.testing.assert_allclose(found["weiss_coupling"], 4)
        above = numbers._weiss_coupling(xr.Dataset({"order_parameter": order + 1e-6, **known}), q)
        change = abs(above["weiss_coupling"] - 4)
        np.testing.assert_allclose(change, found["weiss_coupling_error"], rtol=0.01)


def test_crossings_tend_to_the_critical_temperature():
    small, large = np.array([8.0, 12, 16]), np.array([24.0, 32, 48])
    shift = (large**-0.8 - small**-0.8) / (large**1.2 - small**1.2)
    crossings = xr.Dataset(
        {
            "crossing_temperature": ("pair", 1.0 + 0.5 * shift),
            "crossing_temperature_error": ("pair", np.full(3, 2e-4)),
            "small": ("pair", small),
            "large": ("pair", large),
        }
    )
    found = {name: value for name, (_, value, *_) in numbers._extrapolated(crossings, 3).items()}
    assert found["critical_temperature"] == pytest.approx(1, abs=1e-12)
    assert found["chi_square"] == pytest.approx(0, abs=1e-12)
    assert 1e-4 < found["critical_temperature_error"] < 6e-4
    assert 0 < found["critical_temperature_systematic"] < 6e-4


def test_a_dip_lies_between_two_peaks():
    generator = np.random.default_rng(1)
    x = np.arange(40)
    one = np.exp(-((x - 20) ** 2) / 50)
    two = np.exp(-((x - 10) ** 2) / 20) + 0.1 * np.exp(-((x - 30) ** 2) / 20)
    noise = 1 + 0.05 * generator.normal(size=(32, 40))
    assert numbers._dip(one * noise)["peaks"][1] == 1
    found = numbers._dip(two * noise)
    assert found["peaks"][1] == 2
    assert found["dip"][1] == pytest.approx(0.85, abs=0.15)


def test_a_phase_ends_where_it_first_does_not_last():
    temperature = np.array([[1.0, 1.1, 1.2, 1.3], [0.7, 0.8, 0.9, 1.0]])
    order = np.array([[0.8, 0.7, 0.0, 0.3], [0.9, 0.0, 0.9, 0.0]])
    series = np.repeat(order[:, :, None, None], 20, axis=-1)
    data = xr.Dataset(
        {
            "order_parameter": (("start", "point", "chain", "draw"), series),
            "temperature": (("start", "point"), temperature),
        },
        {"start": ["ordered", "random"], "states": 3},
    )
    found = numbers._ends(data)
    np.testing.assert_allclose(found["end_temperature"], [1.15, 0.95])
    np.testing.assert_allclose(found["end_resolution"], 0.05)
    for value in (0.0, 0.9):  # of all: no end is seen
        ends = numbers._ends(data.assign(order_parameter=0 * data["order_parameter"] + value))
        assert np.isnan(ends["end_temperature"]).all()


def test_the_temperatures():
    study = Potts()
    assert (study.continuous, study.first_order, study.with_ends) == ([2, 3, 4], [10], [3, 4, 10])
    for q in study.with_ends:
        about = exact.weiss(irl.Potts(irl.Lattice((4, 4)), q), [1.0]).attrs
        for start, name in (("ordered", "upper_spinodal"), ("random", "lower_spinodal")):
            assert study.end_temperatures(q, start).mean() == pytest.approx(about[name])
        ends = study.curve_temperatures(q)[[0, -1]]
        assert ends[0] < about["lower_spinodal"] < about["upper_spinodal"] < ends[1]
    assert study.interval(8) == int(8**2.17)
