"""The study of lattices: where agents order that see their neighbours, or see nothing."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from analysis import exact, thermodynamics
from isingrl import Ising, Lattice
from studies import lattices
from studies.lattices import Lattices, measure_independent
from studies.shared.critical import KINDS, rough_critical_temperature
from studies.shared.weiss import weiss_temperature
from tests.statistical import Z_LIMIT
from tests.studies.outcomes import summary_of

# warned of: lattices so small deviate from one curve
pytestmark = [
    pytest.mark.filterwarnings("ignore::analysis.FitWarning"),
    pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning"),
]

SMALL = Lattices(
    lattices=("honeycomb", "triangular"),
    sizes=(8, 12, 16, 24),
    draws=2_000,
    updates=2e11,
    sweeps=5_000,
    seed=2,
)
QUICK = replace(
    SMALL,
    lattices=("triangular", "cubic"),
    sizes=(4, 6, 8, 10),
    cubic_sizes=(4, 6, 8, 10),
    draws=60,
    independent_sides=(8, 4),
    sweeps=500,
    thermalization=500,
)
NEIGHBORS = {"honeycomb": 3, "square": 4, "triangular": 6, "cubic": 6, "Moore": 8}


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    """Read from the files, so that the study runs once."""
    return summary_of(SMALL, "lattices", tmp_path_factory.mktemp("lattices"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Of lattices so small that only the figure is looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            lattices,
            "rough_critical_temperature",
            lambda name, *_: KINDS[name].critical_temperature,
        )
        return summary_of(QUICK, "lattices", tmp_path_factory.mktemp("lattices"))


@pytest.mark.soak
@pytest.mark.parametrize("lattice", SMALL.lattices)
def test_the_scan_finds_the_neighbourhood_of_the_critical_temperature(lattice):
    found = rough_critical_temperature(lattice, "mean-field-q", SMALL.training_sweeps, SMALL.seed)
    assert found == pytest.approx(KINDS[lattice].critical_temperature, rel=0.003)


@pytest.mark.soak
def test_mean_field_q_finds_the_exact_critical_temperatures(summary):
    found, known = summary["critical_temperature"], summary["known_temperature"]
    np.testing.assert_allclose(known, [2 / np.log(2 + np.sqrt(3)), 4 / np.log(3)])
    error, systematic = (summary[f"critical_temperature_{end}"] for end in ("error", "systematic"))
    assert (abs(found - known) < Z_LIMIT * error + systematic).all()
    assert ((error > 0) & (error < 0.002 * known)).all()


@pytest.mark.soak
def test_independent_q_finds_weiss_temperatures(summary):
    for start in ("", "single_"):
        found, error = (summary[f"{start}weiss_temperature{end}"] for end in ("", "_error"))
        assert (abs(found - summary["coordination_number"]) < Z_LIMIT * error).all()
        assert (error < 0.001 * found).all()
    assert (summary["weiss_chi_square"] < 25).all()


def test_independent_q_on_the_honeycomb_has_weiss_order():
    study = replace(SMALL, independent_sides=(32, 8), memory=10.0, sweeps=2_000, chains=2)
    data = measure_independent(study, "honeycomb", seed=1).swap_dims(point="temperature")
    found = weiss_temperature(thermodynamics(data))
    deviation = (found["weiss_temperature"] - 3) / found["weiss_temperature_error"]
    assert (abs(deviation) < Z_LIMIT).all()
    assert (found["weiss_temperature_error"] < 0.01).all()


def test_the_weiss_temperature_and_its_error():
    model = Ising(Lattice((4, 4), "triangular"))
    known = exact.weiss(model, [3.0, 5.0, 5.9])
    order = known["abs_magnetization"]
    known["abs_magnetization_error"] = xr.full_like(order, 1e-6)
    found = weiss_temperature(known)
    np.testing.assert_allclose(found["weiss_temperature"], 6)
    above = weiss_temperature(known.assign(abs_magnetization=order + 1e-6))
    np.testing.assert_allclose(
        above["weiss_temperature"] - 6, found["weiss_temperature_error"], rtol=1e-3
    )


def test_lattices_have_three_to_eight_neighbours():
    assert {name: kind.coordination_number for name, kind in KINDS.items()} == NEIGHBORS
    assert Lattices().lattices == tuple(NEIGHBORS)


def test_draws_on_the_slow_engine_follow_one_another_faster():
    study = Lattices()
    assert study.interval("honeycomb", 8) == study.interval("square", 8) == int(8**2.17)
    assert study.interval("square", 24) == int(24**2.17)
    assert study.interval("honeycomb", 24) == int(study.updates / 40 / (64 * 24**2 * study.draws))


def test_the_summary_has_both_kinds_of_agents(quick):
    assert dict(quick.sizes) == {"lattice": 2, "reduced_temperature": 4}
    assert list(quick["coordination_number"].values) == [6, 6]
    np.testing.assert_allclose(quick["known_temperature"], [3.640957, 4.511523], rtol=1e-6)
    np.testing.assert_allclose(quick["critical_temperature"], quick["known_temperature"], rtol=0.2)
    np.testing.assert_allclose(quick["weiss_temperature"], 6, rtol=0.05)
    single, error = (quick[f"single_weiss_temperature{end}"] for end in ("", "_error"))
    mean = (single / error**2).sum("reduced_temperature") / (error**-2).sum("reduced_temperature")
    np.testing.assert_allclose(quick["weiss_temperature"], mean)
    assert (quick["weiss_temperature_error"] < error.min("reduced_temperature")).all()


def test_the_figure_names_lattices_and_shows_deviations(quick):
    figure = QUICK.plot(quick)
    left, top, bottom = figure.axes
    assert [each.get_text().partition(",")[0] for each in left.texts] == ["triangular", "cubic"]
    assert [each.get_text() for each in top.get_xticklabels()] == ["triangular", "cubic"]
    agents, independent = (each.lines[0].get_ydata() for each in top.containers)
    known = quick["known_temperature"].values
    np.testing.assert_allclose(agents, 1e4 * (quick["critical_temperature"] / known - 1))
    np.testing.assert_allclose(independent, 1e4 * (quick["weiss_temperature"] / 6 - 1))
    assert len(bottom.containers) == 2
    # markers of lattices with equally many neighbours lie side by side
    x = left.containers[1].lines[0].get_xdata()
    np.testing.assert_allclose(x, [5.9, 6.1])
