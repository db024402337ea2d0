from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import xarray as xr

from analysis import errors

FloatArray = npt.NDArray[np.float64]
Series = Callable[..., FloatArray]
BOTH = ("chain", "draw")


def as_array(x: FloatArray, *dims: str) -> xr.DataArray:
    attrs = {"long_name": "length", "units": "a"}
    return xr.DataArray(x, dims=(*dims, *BOTH), name="x", attrs=attrs)


def mean(data: xr.Dataset | xr.DataArray) -> xr.Dataset | xr.DataArray:
    return data.mean(BOTH, keep_attrs=True)


def test_the_jackknife_of_a_mean_of_single_samples_is_the_textbook_error() -> None:
    x = np.random.default_rng(1).normal(size=(3, 40))
    found = errors.jackknife(as_array(x), mean, block_length=1)
    assert list(found) == ["x", "x_error"]
    assert found["x"].item() == pytest.approx(x.mean(), rel=1e-12)
    # the correction for what neighbours share depends on a measured time; hence the bounds
    textbook = x.std(ddof=1) / np.sqrt(x.size)
    assert 0.8 * textbook < found["x_error"].item() < 1.7 * textbook
    assert found["x_error"].attrs == {"long_name": "standard error of the length", "units": "a"}


def test_leaving_out_whole_chains_is_the_textbook_error_of_their_means() -> None:
    x = np.random.default_rng(2).normal(size=(6, 40)).cumsum(axis=1)
    data = as_array(x).to_dataset().assign_coords(chain=np.arange(6))
    found = errors.jackknife(data.mean("draw"), lambda d: d.mean("chain"), dims=("chain",))
    expected = x.mean(axis=1).std(ddof=1) / np.sqrt(6)
    assert found["x_error"].item() == pytest.approx(expected, rel=1e-12)


def test_blocks_are_left_out_of_their_own_chain_and_nothing_else() -> None:
    x = np.arange(60.0).reshape(2, 30)
    seen = []

    def remember(data: xr.DataArray) -> xr.DataArray:
        seen.append(sorted(data.values.ravel()))
        assert data.dims == BOTH
        return data.mean(BOTH)

    with pytest.warns(errors.ShortRunWarning):  # a ramp never decorrelates
        errors.jackknife(as_array(x), remember, block_length=10)
    everything = set(range(60))
    blocks = [set(range(first, first + 10)) for first in range(0, 60, 10)]
    assert [set(values) for values in seen] == [everything, *(everything - b for b in blocks)]


def test_jackknife_equals_estimate_for_a_function_of_means(autoregressive: Series) -> None:
    x = autoregressive(np.random.default_rng(3), 4.0, (2, 3000)) + 2.0
    expected = errors.estimate(np.stack([x, x * x]), lambda m: m[1] - m[0] ** 2)
    found = errors.jackknife(as_array(x), lambda d: d.var(BOTH))
    assert found["x"].item() == pytest.approx(expected.value, rel=1e-9)
    assert found["x_error"].item() == pytest.approx(expected.error, rel=0.35)


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # of hundreds of runs, a few
@pytest.mark.parametrize("tau", [1.0, 10.0])
def test_jackknife_errors_cover_a_ratio_of_means(tau: float, autoregressive: Series) -> None:
    n = 250
    rng = np.random.default_rng(4)
    x, y = (as_array(autoregressive(rng, tau, (n, 2, 1000)), "run") + 5 for _ in range(2))

    def ratio(data: xr.Dataset) -> xr.DataArray:
        means = data.mean(BOTH)
        return (means["x"] / means["y"]).rename("ratio")

    found = errors.jackknife(xr.Dataset({"x": x, "y": y}), ratio)
    z = ((found["ratio"] - 1) / found["ratio_error"]).values
    assert abs(z.mean()) < 4.5 / np.sqrt(n) + 0.02
    # an error bar from 20 to 100 blocks makes z a t of as many degrees
    assert 0.85 * (1 - 4.5 * np.sqrt(2 / n)) < z.var() < 1.11 * (1 + 4.5 * np.sqrt(2 / n))


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # of the slow run
def test_a_slow_run_does_not_widen_the_errors_of_a_fast_one(autoregressive: Series) -> None:
    rng = np.random.default_rng(9)
    fast, slow = (autoregressive(rng, tau, (4, 400)) for tau in (1.0, 60.0))
    together = errors.jackknife(as_array(np.stack([fast, slow]), "temperature"), mean)
    alone = errors.jackknife(as_array(fast), mean)
    # both are estimates with the scatter of about twenty blocks
    assert together["x_error"][0].item() == pytest.approx(alone["x_error"].item(), rel=0.6)
    assert together["x_error"][1] > 3 * together["x_error"][0]


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # of the slow run
def test_errors_of_fast_runs_beside_a_slow_one_cover_the_truth(autoregressive: Series) -> None:
    n = 400
    rng = np.random.default_rng(10)
    x = np.concatenate(
        [autoregressive(rng, 1.0, (n, 4, 400)), autoregressive(rng, 60.0, (1, 4, 400))]
    )
    found = errors.jackknife(as_array(x, "run"), mean).isel(run=slice(n))
    z = (found["x"] / found["x_error"]).values
    # an error bar from 20 blocks makes z a t of 19 degrees, whose variance is 19/17
    assert abs(z.var() - 19 / 17) < 4.5 * np.sqrt(2.6 / n)


@pytest.mark.parametrize("n_chains", [1, 4])
def test_a_run_too_short_for_its_time_is_warned_of(n_chains: int) -> None:
    walk = np.random.default_rng(13).normal(size=(n_chains, 100)).cumsum(axis=1)
    with pytest.warns(
        errors.ShortRunWarning, match=r"1 of 1 runs .* Worst is x: .* Run longer chains"
    ):
        errors.jackknife(as_array(walk), mean)


def test_rounding_is_no_change() -> None:
    x = 1 + 1e-15 * np.random.default_rng(14).normal(size=(2, 30)).cumsum(axis=1)
    with pytest.warns(errors.ShortRunWarning, match="NaN, of x"):
        assert np.isnan(errors.jackknife(as_array(x), mean)["x_error"])


def test_a_constant_beside_series_that_change_is_exact() -> None:
    x = np.random.default_rng(17).normal(size=(2, 4, 200))
    x[0] = 1.0
    found = errors.jackknife(as_array(x, "distance"), mean)["x_error"]
    assert found[0] < 1e-15
    assert found[1] > 0.0
    with pytest.warns(errors.ShortRunWarning, match=r"of x, first at temperature = 0\."):
        found = errors.jackknife(as_array(x, "temperature"), mean)["x_error"]
    assert np.isnan(found[0])
    assert found[1] > 0.0


def test_variables_that_the_function_does_not_use_do_not_count(autoregressive: Series) -> None:
    rng = np.random.default_rng(18)
    data = xr.Dataset(
        {
            "fast": as_array(autoregressive(rng, 2.0, (2, 4, 1000)), "temperature"),
            "slow": as_array(autoregressive(rng, 300.0, (2, 4, 1000)), "temperature"),
            "still": as_array(np.ones((2, 4, 1000)), "temperature"),
        },
        {"temperature": [2.0, 2.5]},
    )

    def square(samples: xr.Dataset) -> xr.Dataset:
        return (samples[["fast"]] ** 2).mean(BOTH)

    xr.testing.assert_identical(
        errors.jackknife(data, square), errors.jackknife(data[["fast"]], square)
    )
    # used at one temperature alone, the slow one counts there alone, and is named with its place
    cold = xr.DataArray([0.0, 1.0], dims="temperature")

    def product(samples: xr.Dataset) -> xr.Dataset:
        return (samples["fast"] ** 2 + cold * samples["slow"]).mean(BOTH).to_dataset(name="fast")

    with pytest.warns(errors.ShortRunWarning, match="Worst is slow at temperature = "):
        found = errors.jackknife(data, product)
    times = errors.autocorrelation(data)
    assert times["slow"].min() > 30
    assert found["fast_error"][0].item() == pytest.approx(
        errors.jackknife(data, square)["fast_error"][0].item(), rel=0.6
    )


def test_the_jackknife_hands_nan_to_the_function(autoregressive: Series) -> None:
    """Where there is no value, as of domains beside the largest, a mean of the others is one."""
    x = autoregressive(np.random.default_rng(15), 8.0, (4, 2000))
    holes = np.where(np.random.default_rng(16).random(x.shape) < 0.05, np.nan, x)
    whole, rest = (errors.jackknife(as_array(each), mean) for each in (x, holes))
    assert rest["x"].item() == pytest.approx(np.nanmean(holes), rel=1e-9)
    # both are estimates from at least twenty blocks
    assert rest["x_error"].item() == pytest.approx(whole["x_error"].item(), rel=0.3)


def test_bootstrap_errors_cover_a_median_of_chains() -> None:
    n = 100
    rng = np.random.default_rng(5)
    x = xr.DataArray(rng.normal(size=(n, 25)), dims=("run", "chain"), name="x")
    found = errors.bootstrap(x, lambda data: data.median("chain"), n_resamples=100)
    z = (found["x"] / found["x_error"]).values
    assert abs(z.mean()) < 4.5 / np.sqrt(n)
    assert 0.6 * (1 - 4.5 * np.sqrt(2 / n)) < z.var() < 1.15 * (1 + 4.5 * np.sqrt(2 / n))


def test_bootstrap_of_a_mean_is_the_textbook_error_and_reproducible() -> None:
    x = xr.DataArray(np.random.default_rng(6).normal(size=20), dims="chain")
    found = errors.bootstrap(x, lambda data: data.mean("chain"), n_resamples=2000, seed=3)
    expected = x.std(ddof=1).item() / np.sqrt(20)
    assert found["value_error"].item() == pytest.approx(expected, rel=4.5 / np.sqrt(4000))
    again = errors.bootstrap(x, lambda data: data.mean("chain"), n_resamples=2000, seed=3)
    assert found.identical(again)


def test_variables_without_samples_are_passed_on() -> None:
    x = np.random.default_rng(7).normal(size=(2, 4, 50))
    data = xr.Dataset({"x": as_array(x, "temperature"), "weight": ("temperature", [1.0, 3.0])})
    found = errors.jackknife(data, lambda d: (d["x"] * d["weight"]).mean(BOTH).rename("y"))
    assert found["y"].dims == ("temperature",)
    assert found["y_error"][1].item() == pytest.approx(
        3 * errors.jackknife(data["x"], mean)["x_error"][1].item(), rel=1e-9
    )


@pytest.mark.parametrize("function", [errors.autocorrelation, errors.binning, errors.equilibration])
def test_diagnostics_keep_the_coordinates_of_other_dims(function: Callable[..., Any]) -> None:
    data = as_array(np.random.default_rng(1).normal(size=(2, 3, 50)), "temperature").assign_coords(
        temperature=[1.0, 2.0], tau=("temperature", [3.0, 4.0]), method="a", draw=np.arange(50)
    )
    found = function(data)
    assert set(found.coords) - {"block_length"} == {"temperature", "tau", "method"}
    xr.testing.assert_equal(
        found["x"].sel(temperature=2.0), function(data.sel(temperature=2.0))["x"]
    )


def test_binning_shows_a_plateau_at_the_true_error(autoregressive: Series) -> None:
    tau, n = 10.0, 8 * 8192
    x = as_array(autoregressive(np.random.default_rng(8), tau, (8, 8192)))
    found = errors.binning(x)
    assert found["x"][0].item() == pytest.approx(x.std(ddof=1).item() / np.sqrt(n), rel=1e-12)
    long = found.sel(block_length=slice(128, None))
    z = (long["x"] - np.sqrt(tau / n) * x.std().item()) / long["x_error"]
    assert long.sizes["block_length"] >= 4
    assert (abs(z) < 4.5).all()
    assert found["block_length"].values[-1] * 20 <= n


def test_autocorrelation_of_every_variable(autoregressive: Series) -> None:
    rng = np.random.default_rng(9)
    data = xr.Dataset(
        {
            "fast": as_array(autoregressive(rng, 2.0, (4, 5000))),
            "slow": as_array(autoregressive(rng, 20.0, (4, 5000))),
            "still": as_array(np.ones((4, 5000))),
            "size": 3,
        }
    )
    found = errors.autocorrelation(data)
    for name, tau in (("fast", 2.0), ("slow", 20.0)):
        assert abs(found[name] - tau) < 4.5 * found[f"{name}_error"] + 0.02 * tau
    assert np.isnan(found["still"])
    assert "size" not in found


def test_equilibration_cuts_the_drift_and_little_else(autoregressive: Series) -> None:
    n, chains, draws = 50, 4, 4100  # more than are looked at one by one
    noise = autoregressive(np.random.default_rng(10), 5.0, (n, chains, draws))
    settled = errors.equilibration(as_array(noise, "run"))["x"]
    assert np.median(settled) < 0.1 * draws
    drift = 20 * np.exp(-np.arange(draws) / 60.0)
    cuts = errors.equilibration(as_array(noise + drift, "run"))["x"].values
    # at the cut the drift has fallen to the order of the noise of the chains' mean
    assert (cuts > 150).all()
    assert np.median(cuts) < 800
    assert errors.equilibration(as_array(np.ones((2, 100))))["x"].item() == 0


def test_a_few_samples_at_the_end_that_seem_uncorrelated_are_no_equilibrium(
    autoregressive: Series,
) -> None:
    x = autoregressive(np.random.default_rng(10), 20.0, (1, 2000))
    x[:, -20:] = 0.1 * (-1.0) ** np.arange(20)
    assert errors.equilibration(as_array(x))["x"].item() < 1000


def test_one_series_without_chains(autoregressive: Series) -> None:
    x = xr.DataArray(autoregressive(np.random.default_rng(11), 3.0, (4000,)), dims="draw", name="x")
    found = errors.jackknife(x, lambda data: data.mean("draw"), dims=("draw",))
    assert found["x_error"].item() == pytest.approx(errors.estimate(x.values[None]).error, rel=0.3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: errors.jackknife(x.values, mean), TypeError, "data must be an xarray Dataset"),
        (lambda x: errors.jackknife(x.isel(chain=0), mean), ValueError, r"data must have the dims"),
        (lambda x: errors.jackknife(x, lambda d: d), ValueError, "function must return a result w"),
        (lambda x: errors.jackknife(x, lambda d: 1.0), TypeError, "function must return a Dataset"),
        (lambda x: errors.jackknife(x[:, :9], mean), ValueError, "at least 20 samples.*got 18"),
        (lambda x: errors.jackknife(x, mean, block_length=0), ValueError, "block_length must be"),
        (lambda x: errors.jackknife(x[:1], mean, block_length=40), ValueError, "at least 2 blocks"),
        (lambda x: errors.jackknife(x, mean, dims=()), ValueError, "dims must name one or two"),
        (lambda x: errors.bootstrap(x, mean), ValueError, "at least 8 chains.*got 2"),
        (lambda x: errors.bootstrap(x, mean, n_resamples=1), ValueError, "n_resamples must be"),
        (
            lambda x: errors.bootstrap(
                xr.concat([x.where(x > 0)] * 4, "chain"), lambda d: d.mean("chain")
            ),
            ValueError,
            "every sample of 'x' must be finite",
        ),
        (lambda x: errors.binning(x[:, :5]), ValueError, "at least 20 samples.*got 10"),
        (lambda x: errors.binning(x.where(x > 0)), ValueError, "every sample of 'x' must be f"),
        (lambda x: errors.autocorrelation(x.where(x > 0)), ValueError, "every sample of .x"),
        (lambda x: errors.equilibration(x.where(x < 1, np.inf)), ValueError, "of .x. must"),
        (lambda x: errors.autocorrelation(x[:, :0]), ValueError, "data must hold samples along"),
        (lambda x: errors.equilibration(x[:, :39]), ValueError, "at least 40 samples a chain"),
        (
            lambda x: errors.jackknife(x[:1, 0], lambda d: d.mean("chain"), dims=("chain",)),
            ValueError,
            "at least 2 chains.*got 1",
        ),
        (
            lambda x: errors.jackknife(xr.Dataset({"x": x, "y": ("draw", np.ones(50))}), mean),
            ValueError,
            "'y' must have all of the dims",
        ),
    ],
)  # fmt: skip
def test_bad_input(
    call: Callable[[xr.DataArray], object], error: type[Exception], message: str
) -> None:
    x = as_array(np.random.default_rng(12).normal(size=(2, 50)))
    with pytest.raises(error, match=message):
        call(x)
