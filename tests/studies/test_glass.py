"""Glasses of random bonds: bonds, overlaps, ground states, and agents on the same bonds."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from analysis import exact
from studies import _glass_summary as reduction
from studies import glass
from studies._glass_summary import EACH, ONE, OWN, QUENCHED, WINDOWS
from studies.glass import Glass, measure, measure_agents, measure_counted
from tests.statistical import Z_LIMIT
from tests.studies.outcomes import assert_same, outcome, summary_of

SMALL = Glass(
    sizes=(4, 6),
    cubic_sizes=(3, 4),
    realisations=4,
    temperature=(0.5, 2.0, 4),
    cubic_temperature=(0.8, 2.0, 4),
    sweeps=2_000,
    shown=(0.5, 0.8),
    counted=2,
    agents_sides=(4, 3),
    agents_realisations=2,
    training_sweeps=2_000,
    agents_sweeps=1_000,
    seed=3,
)
TINY = replace(SMALL, realisations=2, sweeps=400, training_sweeps=100, agents_sweeps=100)


@pytest.fixture(scope="module", autouse=True)
def _few_sites():
    """Counting all configurations of 27 sites would take longer than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glass, "_COUNTED", {2: (3, 4), 3: (2, 3, 3)})
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("glass")


@pytest.fixture(scope="module")
def summary(folder):
    """Read from the files, so that the study runs once."""
    return summary_of(TINY, "glass", folder)


def test_all_methods_get_the_same_bonds_and_realisations_differ():
    assert SMALL.model((4, 4), 1).coupling == replace(SMALL, sizes=(4, 8)).model((4, 4), 1).coupling
    assert SMALL.model((4, 4), 1).coupling != SMALL.model((4, 4), 2).coupling
    assert SMALL.model((4, 4), 1).coupling != replace(SMALL, seed=4).model((4, 4), 1).coupling
    bonds = Glass().model((16, 16), 0).coupling.couplings
    assert set(np.unique(bonds)) == {-1.0, 1.0}
    assert abs(bonds.sum()) < Z_LIMIT * np.sqrt(bonds.size)


def test_a_realisation_has_its_energies_and_overlaps():
    data = measure(SMALL, (3, 4), 0, seed=1)
    assert dict(data.sizes) == {"temperature": 4, "window": 3, "bin": 21, "replica": 2}
    assert data["window"].values.tolist() == list(WINDOWS)
    temperature = [0.0, *data["temperature"].values]
    known = exact.enumeration(SMALL.model((3, 4), 0), temperature)["energy"].values
    assert data["lowest_energy"].values == pytest.approx([known[0]] * 2)
    np.testing.assert_allclose(data["energy"].isel(window=-1), known[1:], atol=0.05)
    squared, fourth = (data[f"overlap_{name}"] for name in ("squared", "fourth"))
    assert ((squared**2 <= fourth) & (fourth <= squared) & (squared <= 1)).all()
    density = data["overlap_density"].values
    np.testing.assert_allclose(density, density[::-1])


def test_the_density_of_evenly_spread_overlaps_is_a_half_everywhere():
    possible = np.arange(-36, 37, 2) / 36
    np.testing.assert_allclose(glass._density(possible, 36), 0.5 * 36 / 37, rtol=1e-12)
    order = glass._density(np.ones(5), 64)
    assert order.values[0] == order.values[-1] > 0
    assert (order[1:-1] == 0).all()


def test_windows_double_in_length():
    series = xr.DataArray(np.arange(16.0), dims="draw")
    found = glass._by_window(series, "draw")
    assert found.values.tolist() == [2.5, 5.5, 11.5]


def test_counted_lattices_agree_with_their_counts():
    data = measure_counted(replace(SMALL, sweeps=8_000), 2, seed=2)
    z = (data["counted_energy"] - data["exact_energy"]) / data["counted_energy_error"]
    assert np.isfinite(z).sum() >= 4
    assert (abs(z).fillna(0) < Z_LIMIT).all(), z.values
    np.testing.assert_allclose(data["counted_lowest"], data["exact_lowest"])


def test_agents_that_see_each_neighbour_are_the_heat_bath_and_those_that_count_are_not():
    study = replace(SMALL, temperature=(1.6, 2.0, 2), shown=(1.6, 0.8), agents_sweeps=20_000)
    energy = measure_agents(study, 2, 0, seed=1)["agents_energy"]
    assert energy["method"].values.tolist() == [ONE, OWN, EACH, QUENCHED]
    known = exact.enumeration(study.model((4, 4), 0), energy["temperature"].values)["energy"]
    for method in (EACH, QUENCHED):
        np.testing.assert_allclose(energy.sel({"method": method}), known, atol=0.02)
    one, own = (energy.sel({"method": method}) for method in (ONE, OWN))
    assert (one - known > 0.3).all()
    assert ((known < own - 0.1) & (own < one)).all()


def curves(*slopes):
    """Moments of sizes whose cumulants are lines that cross at T = 1."""
    temperature = np.linspace(0.5, 1.5, 5)
    g = 0.5 - np.outer(slopes, temperature - 1)
    second = xr.DataArray(
        np.ones((len(slopes), 3, 5)), {"temperature": temperature},
        ("level", "realisation", "temperature"),
    )  # fmt: skip
    return second, second * (3 - 2 * g)[:, None]


def test_crossings_of_cumulants():
    part = xr.Dataset({"size": ("level", [4, 6])}, {"temperature": np.linspace(0.5, 1.5, 5)})
    found = reduction._crossings(*curves(0.2, 0.4), part)
    assert found["crossing_temperature"].values == pytest.approx([1.0])
    assert found["crossing_temperature_error"].values == pytest.approx([0.0])
    assert found["crossing_share"] == 1
    assert (found["smaller"].item(), found["larger"].item()) == (4, 6)
    above = curves(0.2, 0.4)
    above[1][1] -= 1.0  # the cumulant of the larger one is larger everywhere
    assert np.isnan(reduction._crossings(*above, part)["crossing_temperature"]).all()


def test_the_infinite_lattice_is_extrapolated():
    sizes = np.array([6, 8, 12])
    energy = xr.DataArray(-1.4 - 2.0 / sizes**2, dims="level")
    part = xr.Dataset({"size": ("level", sizes)})
    found = reduction._limit(
        {"ground_energy": energy, "ground_energy_error": energy * 0 + 0.01}, part, 2
    )
    assert found["limit_energy"].item() == pytest.approx(-1.4)
    assert found["limit_chi_square"].item() == pytest.approx(0, abs=1e-12)


def test_the_summary_has_both_dimensions(summary):
    for prefix, sizes, side in (("square_", [4, 6], 4), ("cubic_", [3, 4], 3)):
        assert summary[f"{prefix}size"].values.tolist() == sizes
        assert summary[f"{prefix}agents_side"] == side
        lowest, energy = (summary[f"{prefix}{name}"] for name in ("ground_energy", "energy"))
        assert (lowest <= energy.min(f"{prefix}temperature")).all()
        squared = summary[f"{prefix}overlap_squared"].mean(f"{prefix}level")
        assert 1 > squared[0] > squared[-1] > 0
        assert (summary[f"{prefix}counted_ground_states"] == 1).all()
        assert summary[f"{prefix}known_energy"].attrs["units"] == "J"


def test_the_figure_has_both_dimensions_and_all_methods(summary):
    figure = TINY.plot(summary)
    axes = np.reshape(figure.axes, (4, 2))
    for column, sizes in enumerate(([4, 6], [3, 4])):
        density, cumulant, energy, excess = axes[:, column]
        for ax in (density, cumulant):
            labels = ax.get_legend_handles_labels()[1]
            assert [f"L = {side}" for side in sizes] == [x for x in labels if x.startswith("L")]
        assert len(energy.containers) == 3
        assert len(excess.containers) == 2
        assert "J/k" in energy.get_xlabel()
        assert energy.get_ylabel() == "energy per site $E$ ($J$)"


@pytest.mark.soak
def test_a_study_that_was_cut_short_ends_with_the_same_numbers(summary, folder, tmp_path):
    def cut(*_, **__):
        raise RuntimeError("cut short")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glass, "measure_agents", cut)
        with pytest.raises(Exception, match="cut short"):
            summary_of(TINY, "glass", tmp_path)
    assert list(tmp_path.glob("tasks/4x4*.safetensors"))
    assert not list(tmp_path.glob("tasks/agents*.safetensors"))
    summary_of(TINY, "glass", tmp_path)
    assert_same(outcome(tmp_path), outcome(folder))
