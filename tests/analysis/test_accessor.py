"""The accessor ``.isingrl``: the functions of analysis, told of the lattice by the data."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import analysis
from isingrl import HeatBath, Ising, Lattice, simulate

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short


def run(lattice, **settings):
    settings = {"coupling": 1.0, "field": 0.0, **settings}
    model = Ising(lattice, **settings)
    return simulate(
        model, HeatBath(), [9.0, 12.0], sweeps=1000, chains=2, snapshots=50, start="up", seed=1
    )


@pytest.fixture(scope="module")
def periodic():
    return run(Lattice((6, 6)), coupling=0.5)


@pytest.fixture(scope="module")
def free():
    return run(Lattice((6, 6), "moore", "free"), field=0.1)


@pytest.mark.parametrize(
    ("method", "function"),
    [
        ("thermodynamics", analysis.thermodynamics),
        ("domains", analysis.domain_statistics),
        ("correlations", analysis.spin_correlation),
        ("structure_factor", analysis.structure_factor),
        ("correlation_length", analysis.correlation_length),
    ],
)
def test_it_does_what_the_function_does(method, function, periodic):
    xr.testing.assert_identical(getattr(periodic.isingrl, method)(), function(periodic))


def test_it_knows_the_lattice_and_the_coupling(periodic, free):
    found = free.isingrl.domains()
    xr.testing.assert_identical(found, analysis.domain_statistics(free, "moore", "free"))
    xr.testing.assert_identical(found, analysis.domain_statistics(free))
    expected = analysis.cluster_statistics(periodic, coupling=0.5, seed=1)
    xr.testing.assert_identical(periodic.isingrl.clusters(seed=1), expected)


def test_options_are_passed_on(periodic):
    found = periodic.isingrl.correlations(connected="magnetization", dims=("chain",))
    expected = analysis.spin_correlation(periodic, connected="magnetization", dims=("chain",))
    xr.testing.assert_identical(found, expected)


def test_plot_reduces_draws_first(periodic):
    first, second = Figure().subplots(2)
    summary = periodic.isingrl.thermodynamics()
    assert periodic.isingrl.plot("energy", first) is first
    assert summary.isingrl.plot("energy", second) is second
    for ax in (first, second):
        assert ax.get_ylabel() == "energy per site ($J$)"
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), summary["energy"])


def test_it_says_what_it_cannot_do(periodic, free):
    with pytest.raises(ValueError, match=r"boundary must be 'periodic'.* 'free'"):
        free.isingrl.structure_factor()
    with pytest.raises(ValueError, match=r"field must be 0 for clusters.* 0\.1"):
        free.isingrl.clusters()
    with pytest.raises(ValueError, match="name must be one of"):
        periodic.isingrl.plot("colour", Figure().subplots())
    with pytest.raises(ValueError, match="'spins'"):
        periodic.drop_vars("spins").isingrl.domains()
    foreign = xr.Dataset({"air": ("x", [1.0])}, attrs={"title": "weather"})
    with pytest.raises(ValueError, match="must hold the variable 'spins'"):
        foreign.isingrl.domains()
    with pytest.raises(ValueError, match="energy"):
        foreign.isingrl.thermodynamics()
