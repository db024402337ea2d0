from __future__ import annotations

import warnings
from collections.abc import Callable

import emcee
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from analysis import errors
from analysis.errors.arrays import blocks

FloatArray = npt.NDArray[np.float64]


def naive_jackknife(
    series: FloatArray, function: Callable[[FloatArray], FloatArray], n_blocks: int
) -> float:
    """Delete one block at a time, for blocks of equal length."""
    n_moments, n_chains, n_draws = series.shape
    length = n_draws // n_blocks
    left_out = []
    for chain in range(n_chains):
        for block in range(n_blocks):
            kept = np.ones((n_chains, n_draws), dtype=bool)
            kept[chain, block * length : (block + 1) * length] = False
            left_out.append(function(np.array([series[k][kept].mean() for k in range(n_moments)])))
    n = len(left_out)
    return float((n - 1) * np.var(left_out))


def variance(
    series: FloatArray,
    function: Callable[[FloatArray], FloatArray],
    edges: npt.NDArray[np.int64],
) -> float:
    value = function(series.mean(axis=(-2, -1)))
    return float(
        blocks.jackknife_variance(value, *blocks.values_without_blocks(series, function, edges))
    )


def ratio(means: FloatArray) -> FloatArray:
    return np.asarray(means[1] / means[0])


def test_jackknife_matches_leaving_blocks_out_one_by_one() -> None:
    rng = np.random.default_rng(1)
    series = rng.exponential(size=(2, 3, 60)) + 1.0
    edges = blocks.block_edges(60, 12)
    assert variance(series, ratio, edges) == pytest.approx(
        naive_jackknife(series, ratio, 5), rel=1e-12
    )


def test_jackknife_of_the_mean_of_single_draws_is_the_textbook_error() -> None:
    x = np.random.default_rng(2).normal(size=(1, 1, 100))
    edges = blocks.block_edges(100, 1)
    expected = x.var(ddof=1) / 100
    found = variance(x, lambda means: means[0], edges)
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_finite_sum_of_correlations_matches_adding_them_up() -> None:
    for tau in (1.5, 7.0, 40.0):
        rho = (tau - 1) / (tau + 1)
        for length in (1, 2, 30):
            lags = np.arange(-length + 1, length)
            expected = np.sum((1 - np.abs(lags) / length) * rho ** np.abs(lags))
            assert blocks._finite_time(tau, length) == pytest.approx(expected, rel=1e-12)


@given(st.integers(1, 400), st.integers(1, 400))
def test_blocks_tile_a_chain_and_are_no_shorter_than_asked(n_draws: int, length: int) -> None:
    lengths = np.diff(np.append(blocks.block_edges(n_draws, length), n_draws))
    assert lengths.sum() == n_draws
    assert lengths.min() >= min(length, n_draws)
    assert lengths.max() - lengths.min() <= 1


@given(st.integers(1, 8), st.integers(20, 3000), st.floats(0.1, 1e4))
def test_block_length_leaves_enough_blocks(n_chains: int, n_draws: int, tau: float) -> None:
    length = blocks.block_length_for(n_chains, n_draws, tau)
    assert 1 <= length <= n_draws
    assert n_chains * (n_draws // length) >= errors.MIN_BLOCKS // 2
    assert blocks.block_edges(n_draws, length).size * n_chains >= min(
        errors.MIN_BLOCKS // 2, n_chains * n_draws
    )


@pytest.mark.parametrize("tau", [1.0, 4.0, 30.0])
def test_autocorrelation_time_of_one_chain_is_near_emcees(
    tau: float, autoregressive: Callable[..., FloatArray]
) -> None:
    x = autoregressive(np.random.default_rng(3), tau, (4000,))
    expected = emcee.autocorr.integrated_time(x, tol=0)[0]
    found = errors.autocorrelation_times(x[None])
    # of the same correlations, with another end of the window
    assert abs(found.tau - expected) < 0.5 * found.error


def series_of(
    rng: np.random.Generator, coefficients: tuple[float, ...], shape: tuple[int, ...]
) -> tuple[FloatArray, float]:
    """Stationary series x(t) = Σ_k a_k x(t − k) + noise, and their autocorrelation time."""
    roots = np.roots([1.0, *-np.asarray(coefficients)])
    n_burn = int(40 / (1 - abs(roots).max()))
    noise = rng.normal(size=(*shape[:-1], shape[-1] + n_burn))
    polynomial = [1.0, *-np.asarray(coefficients)]
    x = lfilter([1.0], polynomial, noise, axis=-1)[..., n_burn:]
    pulse = lfilter([1.0], polynomial, np.eye(1, n_burn)[0])
    return np.asarray(x), float(pulse.sum() ** 2 / np.sum(pulse**2))


@pytest.mark.parametrize(
    "coefficients",
    [
        (-0.9,), (-0.75,), (-0.5,), (-0.2,), (0.0,), (0.5,), (0.9,), (0.97,),
        (0.0, -0.9), (0.5, 0.3), (1.5, -0.75), (-0.5, 0.3), (1.0, -0.8),
    ],
)  # fmt: skip
def test_autocorrelation_time_of_known_series(coefficients: tuple[float, ...]) -> None:
    """One that alternates, oscillates or decays, in four chains and in a single one."""
    n = 100
    for n_chains, n_draws in ((4, 6000), (1, 12_000)):
        x, tau = series_of(np.random.default_rng(4), coefficients, (n, n_chains, n_draws))
        found = errors.autocorrelation_times(x)
        spread = found.tau.std(ddof=1)
        assert abs(found.tau.mean() - tau) < 4.5 * spread / np.sqrt(n) + 0.01 * tau
        # correlations of finite series fluctuate by what their errors say
        assert np.median(found.error) == pytest.approx(spread, rel=4.5 / np.sqrt(2 * n))


def test_the_mean_that_is_subtracted_does_not_shorten_the_time() -> None:
    n = 400
    x, tau = series_of(np.random.default_rng(41), (0.9,), (n, 4, 1805))
    found = errors.autocorrelation_times(x).tau
    # windows without the correction give 19 (1 - 0.08)
    assert abs(found.mean() / tau - 1) < 4.5 * found.std() / tau / np.sqrt(n) + 0.01


@pytest.mark.parametrize("coefficients", [(-0.9,), (-0.75,), (-0.5,), (0.0, -0.9)])
def test_errors_of_series_that_alternate_are_short(coefficients: tuple[float, ...]) -> None:
    n = 200
    x, tau = series_of(np.random.default_rng(42), coefficients, (n, 4, 3000))
    found = [errors.estimate(each) for each in x]
    z = np.array([each.value / each.error for each in found])
    assert abs(z.var() - 1) < 4.5 * np.sqrt(2 / n)
    right = x.std() * np.sqrt(tau / x[0].size)
    assert np.median([each.error for each in found]) == pytest.approx(right, rel=0.1)


def test_the_error_of_an_autocorrelation_time_covers_it(
    autoregressive: Callable[..., FloatArray],
) -> None:
    n, tau = 400, 8.0
    x = autoregressive(np.random.default_rng(40), tau, (n, 4, 3000))
    found = errors.autocorrelation_times(x)
    z = (found.tau - tau) / found.error
    # Beyond the window lies e^-5 of the sum, and an error grows with the time it belongs to.
    assert abs(z.mean()) < 4.5 / np.sqrt(n) + 0.25
    assert 0.8 * (1 - 4.5 * np.sqrt(2 / n)) < z.var() < 1.2 * (1 + 4.5 * np.sqrt(2 / n))


def test_chains_that_stay_apart_have_a_long_autocorrelation_time() -> None:
    x = np.random.default_rng(5).normal(size=(2, 1000)) * 0.01
    x[1] += 1.0
    assert errors.autocorrelation_times(x).tau > 500
    with pytest.warns(errors.ShortRunWarning, match="10 a chain"):
        found = errors.estimate(x)
    # The two means are all that is known: their standard error is 0.5.
    assert 0.3 < found.error < 2.0


@pytest.mark.parametrize("changes", [0, 1, 5])
def test_series_of_which_next_to_nothing_changed_have_no_error(changes: int) -> None:
    x = np.full((2, 500), 0.1)
    x[1, 50 : 50 + 7 * changes : 14] = 0.2  # there and back again
    with pytest.warns(errors.ShortRunWarning, match="changed fewer than 10 times"):
        found = errors.estimate(x)
    assert found.value == pytest.approx(x.mean())
    assert np.isnan(found.error)
    assert np.isnan(found.autocorrelation_time)


def test_an_error_that_rests_on_few_rare_events_is_warned_of() -> None:
    x = np.zeros((4, 5000))
    for chain, draw in ((0, 100), (3, 300)):
        x[chain, draw : draw + 12 : 2] = 1.0
    with pytest.warns(errors.ShortRunWarning, match="few rare events"):
        found = errors.estimate(x)
    assert found.error > 2 * np.sqrt(2) * 6 / x.size  # two degrees of freedom
    many = (np.random.default_rng(44).random((4, 5000)) < 0.02).astype(float)
    assert errors.estimate(many).degrees > 15


def test_wells_that_do_not_matter_leave_the_error_as_it_is() -> None:
    rng = np.random.default_rng(43)
    n = 100
    wells = np.sign(series_of(rng, (0.998,), (n, 4, 5000))[0])
    noise = rng.normal(size=wells.shape)
    runs = list(zip(noise, wells, strict=True))
    alone = [errors.estimate(x).error for x, _ in runs]
    beside = [errors.estimate(x, wells=s).error for x, s in runs]
    assert np.mean(np.isclose(alone, beside)) > 0.9
    # moved by a tenth of a standard deviation they matter, although no series shows it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.ShortRunWarning)
        found = [errors.estimate(x + 0.1 * s, wells=s) for x, s in runs]
    z = np.array([each.value / each.error for each in found])
    assert np.mean(abs(z) < 1.96) > 0.95 - 4.5 * np.sqrt(0.95 * 0.05 / n)


def test_a_function_at_its_extremum_still_gets_an_error() -> None:
    x = np.tile([-1.0, 1.0], (1, 50))
    moments = np.stack([x, x**2])
    found = errors.estimate(moments, lambda means: means[1] - means[0] ** 2)
    assert found.value == pytest.approx(1.0)
    assert 0.0 <= found.error < 0.1
    assert np.isnan(found.autocorrelation_time)


@settings(max_examples=25, deadline=None)
@given(st.floats(-1e3, 1e3), st.floats(0.1, 1e3), st.integers(0, 2**32 - 1))
def test_errors_scale_and_shift_as_the_series_do(shift: float, scale: float, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(2, 200))
    plain, moved = errors.estimate(x), errors.estimate(scale * x + shift)
    assert moved.value == pytest.approx(scale * plain.value + shift, abs=1e-9 * (scale + 1e3))
    assert moved.error == pytest.approx(scale * plain.error, rel=1e-5)


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # of hundreds of runs, a few
def test_errors_cover_correlated_series(autoregressive: Callable[..., FloatArray]) -> None:
    rng = np.random.default_rng(6)
    n = 500
    for tau, n_chains, n_draws in ((1.0, 2, 1000), (20.0, 2, 4000), (40.0, 16, 200)):
        runs = autoregressive(rng, tau, (n, n_chains, n_draws))
        z = np.array([found.value / found.error for found in map(errors.estimate, runs)])
        assert abs(z.mean()) < 4.5 / np.sqrt(n)
        # 20 blocks, the least there are, make z a t of 19 degrees: variance 1.12.
        assert 1 - 4.5 * np.sqrt(2 / n) < z.var() < 1.12 * (1 + 4.5 * np.sqrt(2 / n))


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # of hundreds of runs, a few
def test_errors_know_a_weak_drift_under_noise(
    autoregressive: Callable[..., FloatArray],
) -> None:
    rng = np.random.default_rng(8)
    n, shape = 200, (4, 4000)
    drift = 0.15 * autoregressive(rng, 200.0, (n, *shape))
    runs = [errors.estimate(rng.normal(size=shape) + each) for each in drift]
    z = np.array([found.value / found.error for found in runs])
    # Noise alone would make these error bars half as long. Some drifts do not show.
    assert 1 - 4.5 * np.sqrt(2 / n) < z.var() < 1.3 * (1 + 4.5 * np.sqrt(2 / n))
    times = [found.autocorrelation_time for found in runs]
    true = (1 + 0.15**2 * 200) / (1 + 0.15**2)
    assert 0.5 * true < np.median(times) < 1.5 * true


@pytest.mark.parametrize(
    ("moments", "message"),
    [
        (np.zeros(30), r"shape \(n_moments, n_chains, n_draws\).*\(30,\)"),
        (np.zeros((2, 9)), "at least 20 draws.*got 18"),
        (np.full((2, 20), np.nan), "must be finite"),
    ],
)
def test_bad_moments(moments: FloatArray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        errors.estimate(moments)


def test_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        errors.autocorrelation_times(np.ones((3, 2, 40)))
        errors.estimate(np.zeros((2, 2, 40)), ratio_or_nan)  # of NaN no error is wanted


def ratio_or_nan(means: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        return np.asarray(means[1] / means[0])
