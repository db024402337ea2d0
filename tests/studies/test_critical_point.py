"""The study of critical points."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import exact
from analysis.literature import critical_exponents
from studies import critical_point
from studies.critical_point import CriticalPoint
from studies.shared.critical import rough_critical_temperature
from tests.statistical import Z_LIMIT
from tests.studies.outcomes import summary_of

# warned of: lattices so small deviate from one curve
pytestmark = [
    pytest.mark.filterwarnings("ignore::analysis.FitWarning"),
    pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning"),
]

SMALL = CriticalPoint(
    lattices=("square",),
    sizes=(8, 12, 16, 24, 32),
    cubic_sizes=(6, 8, 10, 12, 16),
    draws=2_000,
    cluster_draws=1_500,
    seed=2,
)
QUICK = replace(
    SMALL, sizes=(4, 6, 8, 10, 12), cubic_sizes=(4, 6, 8, 10, 12), draws=80, cluster_draws=60
)
RESULTS = {"critical_temperature": exact.CRITICAL_TEMPERATURE, **critical_exponents(2)}


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    """Read from the files, so that the study runs once."""
    return summary_of(SMALL, "critical-point", tmp_path_factory.mktemp("critical-point"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Of lattices so small that only the figure is looked at."""
    with pytest.MonkeyPatch.context() as patch:
        known = exact.CRITICAL_TEMPERATURE
        patch.setattr(critical_point, "rough_critical_temperature", lambda *_: known)
        return summary_of(QUICK, "critical-point", tmp_path_factory.mktemp("critical-point"))


@pytest.mark.soak
@pytest.mark.parametrize("method", critical_point.METHODS)
def test_the_scan_finds_the_neighbourhood_of_the_critical_temperature(method):
    found = rough_critical_temperature("square", method, SMALL.training_sweeps, SMALL.seed)
    assert found == pytest.approx(exact.CRITICAL_TEMPERATURE, rel=0.003)
    rough_critical_temperature.cache_clear()
    assert rough_critical_temperature("square", method, SMALL.training_sweeps, SMALL.seed) == found


@pytest.mark.soak
def test_both_methods_find_the_critical_point(summary):
    for name, known in RESULTS.items():
        found, error = summary[name], summary[f"{name}_error"]
        assert (abs(found - known) < Z_LIMIT * error + summary[f"{name}_systematic"]).all(), name
        assert (error > 0).all(), name
        assert (error < 0.02 * known + 0.003).all(), name
        one, other = found.isel(lattice=0).values
        assert abs(one - other) < Z_LIMIT * np.hypot(*error.isel(lattice=0).values), name


def test_sizes_of_one_kind_need_no_others():
    more = CriticalPoint(lattices=("square", "Moore"), sizes=(4, 6, 8, 10, 12, 14))
    assert len(more.tasks()) == 24


def test_draws_follow_one_another_faster_where_updates_are_too_few():
    study = CriticalPoint()
    for lattice, side, updates in (
        ("square", 256, study.updates),
        ("cubic", 64, study.cubic_updates),
    ):
        n_sites = side ** critical_point.KINDS[lattice].ndim
        clusters, agents = (
            study.interval(lattice, method, side) for method in critical_point.METHODS
        )
        most = updates / (64 * n_sites * study.draws)
        assert most - 1 < agents <= most
        assert clusters == 1
    assert study.interval("square", "mean-field-q", 32) == int(32**2.17)
    assert study.interval("square", "swendsen-wang", 32) == 2


def test_the_figure_has_the_table(quick):
    figure = QUICK.plot(quick)
    (table,) = [ax.tables[0] for ax in figure.axes if ax.tables]
    cells = {cell.get_text().get_text() for cell in table.get_celld().values()}
    assert {"square, Swendsen–Wang", "square, mean-field Q", "2.26919", "0.125", "1.75"} <= cells
    labels = [ax.get_xlabel() for ax in figure.axes if ax.get_xlabel()]
    assert labels[0].startswith("temperature")


def test_results_are_drawn_against_the_smallest_size_of_their_fits(quick):
    figure = QUICK.plot(quick)
    drawn = [ax for ax in figure.axes if ax.get_xlabel() == "smallest side of the fit"]
    assert len(drawn) == len(RESULTS)
    for ax, (name, known) in zip(drawn, RESULTS.items(), strict=True):
        assert known in [line.get_ydata()[0] for line in ax.lines]
        for number, method in enumerate(critical_point.METHODS):
            at = quick.isel(lattice=0).sel({"method": method})
            every, chosen = (ax.containers[2 * number + k].lines[0] for k in (0, 1))
            np.testing.assert_allclose(every.get_ydata(), at[f"fitted_{name}"])
            np.testing.assert_allclose(every.get_xdata(), at["smallest_size"], rtol=0.05)
            np.testing.assert_allclose(chosen.get_ydata(), at[name])
