"""The study of critical points."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from analysis import exact
from analysis.errors import resampling
from analysis.literature import critical_exponents
from analysis.scaling import _histograms
from studies.critical_point import CriticalPoint, rough_critical_temperature
from tests.studies.outcomes import summary_of

# lattices this small deviate from one curve, and few draws are reweighted, which is warned of
pytestmark = [
    pytest.mark.filterwarnings("ignore::analysis.FitWarning"),
    pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning"),
]

SMALL = CriticalPoint(
    lattices=("square",),
    sizes=(6, 8, 12, 16),
    cubic_sizes=(4, 6, 8, 10),
    relaxation_times=60,
    seed=2,
)
QUICK = replace(SMALL, sizes=(4, 6, 8, 10), cubic_sizes=(4, 6, 8, 10), relaxation_times=10)


@contextmanager
def few_samples(blocks, draws):
    """Leave out fewer blocks, each of which costs a collapse, and reweight fewer draws."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "_MOST_LEFT_OUT", blocks)
        patch.setattr(_histograms, "_MOST", draws)
        patch.setattr(_histograms, "_BLOCKS", min(blocks, _histograms._BLOCKS))
        yield


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    """Read from the files, so that the study runs once."""
    with few_samples(25, 1600):
        return summary_of(SMALL, "critical-point", tmp_path_factory.mktemp("critical-point"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Of lattices so small that only the figure is looked at."""
    with few_samples(5, 400):
        return summary_of(QUICK, "critical-point", tmp_path_factory.mktemp("critical-point"))


@pytest.mark.soak
def test_the_scan_finds_the_neighbourhood_of_the_critical_temperature():
    for method in ("metropolis", "mean-field-q"):
        found = rough_critical_temperature(SMALL, "square", method)
        assert found == pytest.approx(exact.CRITICAL_TEMPERATURE, rel=0.02)
        rough_critical_temperature.cache_clear()
        assert rough_critical_temperature(SMALL, "square", method) == found


@pytest.mark.soak
def test_both_methods_find_the_critical_point(summary):
    known = {"critical_temperature": exact.CRITICAL_TEMPERATURE, **critical_exponents(2)}
    shares = {"critical_temperature": 0.005, "nu": 0.06, "beta_over_nu": 0.1, "gamma_over_nu": 0.04}
    for name, value in known.items():
        found, error = summary[name], summary[f"{name}_error"]
        # small lattices deviate by what the fit leaves out, less than these shares
        assert (abs(found - value) < 4.5 * error + shares[name] * value).all(), name
        assert (error > 0).all()
    for name in ("crossing_limit", "maximum_limit"):
        found, error = summary[name], summary[f"{name}_error"]
        assert (abs(found - exact.CRITICAL_TEMPERATURE) < 4.5 * error + 0.03).all(), name


def test_sizes_of_one_kind_need_no_others():
    more = CriticalPoint(lattices=("square", "Moore"), sizes=(4, 6, 8, 10, 12, 14))
    assert len(more.tasks()) == 24


@pytest.mark.soak
def test_methods_agree(summary):
    for name in ("critical_temperature", "nu", "beta_over_nu", "gamma_over_nu"):
        one, other = summary[name].isel(lattice=0).values
        error = float(np.hypot(*summary[f"{name}_error"].isel(lattice=0).values))
        assert abs(one - other) < 4.5 * error, name


def test_the_figure_has_the_table(quick):
    figure = QUICK.plot(quick)
    (table,) = [ax.tables[0] for ax in figure.axes if ax.tables]
    cells = {cell.get_text().get_text() for cell in table.get_celld().values()}
    assert {"square, Metropolis", "square, mean-field Q", "2.26919", "0.125", "1.75"} <= cells
    labels = [ax.get_xlabel() for ax in figure.axes if ax.get_xlabel()]
    assert "temperature" in labels[0]


def test_maxima_and_crossings_are_drawn_against_the_powers_of_their_lines(quick):
    figure = QUICK.plot(quick)
    maxima, crossings = [ax for ax in figure.axes if "$(1/L)" in ax.get_xlabel()]
    assert (maxima.get_xlabel(), crossings.get_xlabel()) == ("$(1/L)$", "$(1/L)^{2.75}$")
    for ax, name, size, power in (
        (maxima, "pseudo_critical_temperature", "size", 1.0),
        (crossings, "crossing_temperature", "pair_size", 2.75),
    ):
        at = quick.isel(lattice=0, method=0)
        drawn = ax.containers[0].lines[0].get_xydata()
        np.testing.assert_allclose(drawn, np.stack([at[size] ** -power, at[name]], axis=1))
        kind = "maximum" if power == 1 else "crossing"
        (line, *_) = [
            each for each in ax.lines if len(each.get_xdata()) == 2 and each.get_ls() == "-"
        ]
        ends = at[f"{kind}_limit"].item() + at[f"{kind}_amplitude"].item() * line.get_xdata()
        np.testing.assert_allclose(line.get_ydata(), ends)
