"""ArviZ on Datasets of `simulate` as they are: its diagnostics against ours, its plots."""

import warnings
from importlib import import_module

import arviz_stats
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from analysis import errors, exact, thermodynamics
from isingrl import HeatBath, Ising, Lattice, simulate

TEMPERATURES = [2.0, 2.3, 3.0]
SWEEPS, CHAINS, INTERVAL = 12_000, 4, 2
NAMES = ["energy", "abs_magnetization"]


@pytest.fixture(scope="module")
def series():
    data = simulate(
        Ising(Lattice((8, 8))), HeatBath(), TEMPERATURES, sweeps=SWEEPS, thermalization=200,
        interval=INTERVAL, chains=CHAINS, seed=1,
    )  # fmt: skip
    return data.assign(abs_magnetization=abs(data["magnetization"]))


@pytest.fixture(scope="module")
def summary(series):
    return thermodynamics(series)


@pytest.mark.parametrize("name", NAMES)
def test_effective_sample_sizes_are_draws_over_autocorrelation_times(name, series):
    found = arviz_stats.ess(series, var_names=[name], method="mean")[name]
    times = errors.autocorrelation(series[[name]])
    draws = CHAINS * SWEEPS // INTERVAL
    assert (found < draws).all()
    z = (draws / found - times[name]) / times[f"{name}_error"]
    assert abs(z).max() < 4.5
    # fewest at the transition, where all is slow
    assert found.argmin("temperature") == 1


@pytest.mark.parametrize("name", NAMES)
def test_errors_of_means_agree(name, series, summary):
    found = arviz_stats.mcse(series, var_names=[name], method="mean")[name]
    times = errors.autocorrelation(series[[name]])
    relative_error = times[f"{name}_error"] / (2 * times[name])  # of an error that is ∝ √τ
    z = (found / summary[f"{name}_error"] - 1) / relative_error
    assert abs(z).max() < 4.5
    z = (series[name].mean(("chain", "draw")) - exact.torus((8, 8), TEMPERATURES)["energy"]) / found
    assert name != "energy" or abs(z).max() < 4.5


def test_thermodynamics_reports_the_numbers_of_arviz(series, summary):
    sizes = arviz_stats.ess(series, var_names=NAMES, method="mean")
    r_hats = arviz_stats.rhat(series, var_names=NAMES)
    expected = np.minimum(*(sizes[name] for name in NAMES))
    np.testing.assert_allclose(summary["effective_sample_size"], expected, rtol=1e-12)
    expected = np.maximum(*(r_hats[name] for name in NAMES))
    np.testing.assert_allclose(summary["r_hat"], expected, rtol=1e-12)
    assert (summary["r_hat"] < 1.01).all()


def test_r_hat_tells_chains_that_do_not_meet():
    start = np.ones((1, 4, 16, 16), int)
    start[:, 2:] = -1
    data = simulate(
        Ising(Lattice((16, 16))), HeatBath(), 1.8, sweeps=4000, thermalization=200, chains=4,
        start=start, seed=1,
    )  # fmt: skip
    r_hat = arviz_stats.rhat(data.assign(abs_magnetization=abs(data["magnetization"])))
    assert r_hat["magnetization"].item() > 1.5
    assert r_hat["energy"].item() < 1.02
    assert r_hat["abs_magnetization"].item() < 1.02


@pytest.fixture(scope="module")
def arviz_plots():
    """The package; version 0.8 needs help beside matplotlib 3.11, see docs/how-to/arviz.md."""
    with mpl.rc_context({"backend": "agg"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The matplotlib.style.core module", DeprecationWarning)
        warnings.filterwarnings("ignore", "The scale 'SquareRoot", PendingDeprecationWarning)
        for name in ("matplotlib.style.core", "arviz_plots.backend.matplotlib"):
            import_module(name)
        package = import_module("arviz_plots")
        package.style.use("arviz-variat")
        yield package
        plt.close("all")


def axes_of(plot, name, temperature):
    return plot.get_target(name, {"temperature": temperature})


def curves(ax, length):
    """What lines show, but for the line at zero."""
    shown = [np.asarray(line.get_ydata()) for line in ax.lines]
    return [each for each in shown if len(each) == length and np.ptp(each) > 0]


def test_plotted_traces_are_the_chains(arviz_plots, series):
    few = series.isel(draw=slice(500))
    plot = arviz_plots.plot_trace(few, var_names=NAMES)
    for name in NAMES:
        for temperature in TEMPERATURES:
            found = curves(axes_of(plot, name, temperature), 500)
            np.testing.assert_array_equal(found, few[name].sel(temperature=temperature))


def test_plotted_autocorrelations_sum_up_to_the_time(arviz_plots, series):
    plot = arviz_plots.plot_autocorr(series, var_names=NAMES, max_lag=400 * INTERVAL)  # sweeps
    times = errors.autocorrelation(series[NAMES]).isel(temperature=-1)
    for name in NAMES:
        found = np.array(curves(axes_of(plot, name, 3.0), 400))
        assert found.shape == (CHAINS, 400)
        np.testing.assert_allclose(found[:, 0], 1)
        own = series[name].sel(temperature=3.0).values
        own = own - own.mean(axis=-1, keepdims=True)
        lag_3 = (own[:, 3:] * own[:, :-3]).sum(axis=-1) / (own**2).sum(axis=-1)
        np.testing.assert_allclose(found[:, 3], lag_3)
        # up to five times itself, as Sokal's window has it
        window = int(5 * times[name]) + 1
        tau = 2 * found[:, :window].sum(axis=-1).mean() - 1
        assert abs(tau - times[name]) < 4.5 * times[f"{name}_error"]
