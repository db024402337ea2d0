"""Standard errors of functions of moments of correlated series: blocks, jackknife, tau.

Everything here works on plain arrays whose last two axes are (n_chains, n_draws).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri

FloatArray = npt.NDArray[np.float64]
MomentFunction = Callable[[FloatArray], Any]

WINDOW = 5.0
"""Sokal's window: correlations are summed up to this many autocorrelation times."""
BLOCK_LENGTH = 10.0
"""Wanted length of a block in autocorrelation times."""
MIN_BLOCKS = 20
"""Fewer blocks than this make an error bar too noisy to use as one."""
MAX_BLOCKS = 500
"""More blocks than this no longer sharpen an error bar (3 % here)."""

_CHANCE = 1e-4  # of calling chains apart that are not
_MIN_BLOCK_MEANS = 100  # fewer have too noisy a variance
_DEVIATIONS = 4.0  # of the variance of block means, for it to count


@dataclass(frozen=True)
class Estimate:
    """A function of moments with its standard error.

    Attributes
    ----------
    value : float
        The function at the means over all chains and draws.
    error : float
        Standard error, autocorrelation included; 0 where every series is constant.
    autocorrelation_time : float
        Integrated autocorrelation time in draws of the series that drives the estimate; NaN
        where that series is constant.
    """

    value: float
    error: float
    autocorrelation_time: float


def estimate(moments: npt.ArrayLike, function: MomentFunction | None = None) -> Estimate:
    r"""Value and standard error of a function of the means of series.

    Parameters
    ----------
    moments : array_like, shape (n_moments, n_chains, n_draws)
        One series a moment, for example m² and m⁴; a single series (n_chains, n_draws) will do.
    function : callable, optional
        Maps means of shape (n_moments, ...) to values of shape (...), smoothly; the mean of the
        first series if omitted.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If `moments` has the wrong number of axes, is not finite, or holds fewer than
        ``MIN_BLOCKS`` draws in all.

    Notes
    -----
    The error is a delete-one-block jackknife. Blocks lie within chains and are `BLOCK_LENGTH`
    autocorrelation times, of the slowest part that shows, long, shorter only where that would leave
    fewer than `MIN_BLOCKS` of them. What neighbouring blocks still share is corrected as if the
    correlation decayed by a single exponential. The autocorrelation time is that of the influence
    series
    :math:`\sum_k (\partial f/\partial \mu_k)\, x_k(t)`, to which the estimate's fluctuations
    are equal at first order [1]_, so that each function is judged by its own.

    References
    ----------
    .. [1] U. Wolff, "Monte Carlo errors with less errors", Comput. Phys. Commun. 156, 143 (2004).
    """
    series = _check_moments(moments)
    if function is None:
        function = _first
    means = series.mean(axis=(-2, -1))
    value = float(function(means))
    if not (np.ptp(series, axis=(-2, -1)) > 0).any():
        return Estimate(value, 0.0 if np.isfinite(value) else np.nan, np.nan)
    tau, slowest = (float(time) for time in _times(_influence(series, means, function)))
    # A constant influence (an extremum of the function) leaves the blocks to tell.
    length = block_length(series.shape[-2], series.shape[-1], slowest if slowest > 0 else 1.0)
    edges = block_edges(series.shape[-1], length)
    variance = _jackknife_variance(series, function, edges)
    n_blocks = series.shape[-2] * edges.size
    variance *= _shared_between_blocks(slowest, length, series.shape[-1], n_blocks)
    return Estimate(value, float(np.sqrt(variance)), tau)


def autocorrelation_time(series: npt.ArrayLike) -> FloatArray:
    r"""Integrated autocorrelation time, in draws.

    :math:`\tau = 1 + 2 \sum_{t \ge 1} \rho(t)`, emcee's convention (twice the
    :math:`\tau_\mathrm{int} = \tfrac12 + \sum \rho` of much of the physics literature), so
    that the variance of a mean of n draws is :math:`\tau \sigma^2 / n`.

    Parameters
    ----------
    series : array_like, shape (..., n_chains, n_draws)

    Returns
    -------
    ndarray, shape (...)
        NaN where a series is constant; at most n_draws, since a run says nothing of longer ones.

    Notes
    -----
    The sum stops at the first t of at least `WINDOW` times the sum so far [1]_, as emcee's does,
    over autocovariances averaged over chains. A window closes early on a slow part that is weak
    beside noise, such as the drift of agents that learn beside the coins that they throw; but in
    the means of longer and longer blocks [2]_ the noise fades. Where the variance of these exceeds
    what the time found so far explains, by four standard errors, the time of the block means
    counts.

    Where the chains' means still differ by more than this explains (a chance of 1e-4), their
    variance is a correlation that does not decay, and is added to the autocovariances: chains that
    stay apart have a long time, not a short one.

    References
    ----------
    .. [1] A. Sokal, "Monte Carlo methods in statistical mechanics", in Functional Integration
       (Springer, 1997), p. 131.
    .. [2] H. Flyvbjerg, H. G. Petersen, "Error estimates on averages of correlated data", J. Chem.
       Phys. 91, 461 (1989).
    """
    return _times(np.asarray(series, dtype=np.float64))[0]


def _times(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Autocorrelation time, and that of the slowest part that was found."""
    n_chains, n_draws = x.shape[-2:]
    covariance = np.asarray(arviz_arrays().autocov(x, axis=-1)).mean(axis=-2)
    # Rounding leaves a constant series a variance, so that it has to be looked for.
    covariance = np.where(np.ptp(x, axis=-1).any(axis=-1)[..., None], covariance, 0.0)
    tau, slowest = _with_slow_parts(_windowed_sum(covariance), covariance[..., 0], x)
    if n_chains > 1:
        between = np.where(np.ptp(x, axis=(-2, -1)) > 0, x.mean(axis=-1).var(axis=-1, ddof=1), 0.0)
        expected = np.nan_to_num(tau) * covariance[..., 0] / n_draws
        unlikely = chdtri(n_chains - 1, _CHANCE) / (n_chains - 1)
        apart = between > unlikely * expected
        tau = np.where(apart, _windowed_sum(covariance + between[..., None]), tau)
    tau = np.clip(tau, 1.0 / n_draws, n_draws)
    return np.asarray(tau), np.asarray(np.fmin(np.fmax(slowest, tau), n_draws))


def _with_slow_parts(
    tau: FloatArray, variance: FloatArray, x: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Autocorrelation time where block means vary more than `tau` explains; and their own."""
    slowest = tau
    n_chains, n_draws = x.shape[-2:]
    length = 2
    while n_draws // length >= MIN_BLOCKS and n_chains * (n_draws // length) >= _MIN_BLOCK_MEANS:
        n_blocks = n_draws // length
        blocks = x[..., : n_blocks * length].reshape(*x.shape[:-1], n_blocks, length).mean(axis=-1)
        covariance = np.asarray(arviz_arrays().autocov(blocks, axis=-1)).mean(axis=-2)
        with np.errstate(divide="ignore", invalid="ignore"):
            of_blocks = length * covariance[..., 0] / variance
        unlikely = 1.0 + _DEVIATIONS * np.sqrt(2.0 / (n_chains * n_blocks))
        slow = of_blocks > unlikely * tau
        between_blocks = _windowed_sum(covariance)
        tau = np.where(slow, np.fmax(tau, of_blocks * between_blocks), tau)
        slowest = np.where(slow, np.fmax(slowest, length * between_blocks), slowest)
        length *= 2
    return tau, slowest


def _windowed_sum(covariance: FloatArray) -> FloatArray:
    """1 + 2 Σ ρ(t) up to Sokal's window, NaN where there is no variance."""
    variance = covariance[..., :1]
    rho = covariance / np.where(variance > 0, variance, np.nan)
    partial = 2.0 * np.cumsum(rho, axis=-1) - 1.0
    beyond = np.arange(covariance.shape[-1]) >= WINDOW * partial
    window = np.where(beyond.any(axis=-1), beyond.argmax(axis=-1), covariance.shape[-1] - 1)
    return np.asarray(np.take_along_axis(partial, window[..., None], axis=-1)[..., 0])


def arviz_arrays() -> Any:
    """Import ArviZ's functions on arrays, late, because they bring a second of scipy.stats."""
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    return array_stats


def block_length(n_chains: int, n_draws: int, tau: float) -> int:
    """Choose the number of draws in a block for an autocorrelation time of `tau` draws."""
    total = n_chains * n_draws
    wanted = max(BLOCK_LENGTH * max(tau, 1.0), total / MAX_BLOCKS)
    return int(max(1, min(wanted, total / MIN_BLOCKS, n_draws)))


def block_edges(n_draws: int, length: int) -> npt.NDArray[np.int64]:
    """Return the first draws of a chain's blocks; their lengths differ by one at most."""
    n_blocks = max(1, n_draws // length)
    return np.arange(n_blocks, dtype=np.int64) * n_draws // n_blocks


def _check_moments(moments: npt.ArrayLike) -> FloatArray:
    series = np.asarray(moments, dtype=np.float64)
    if series.ndim == 2:
        series = series[None]
    if series.ndim != 3:
        raise ValueError(
            "moments must have shape (n_moments, n_chains, n_draws) or (n_chains, n_draws); "
            f"got {series.shape}"
        )
    total = series.shape[1] * series.shape[2]
    if total < MIN_BLOCKS:
        raise ValueError(
            f"moments must hold at least {MIN_BLOCKS} draws over all chains; got {total}"
        )
    if not np.isfinite(series).all():
        raise ValueError("moments must be finite; got NaN or infinity among them")
    return series


def _first(means: FloatArray) -> FloatArray:
    return np.asarray(means[0])


def _influence(series: FloatArray, means: FloatArray, function: MomentFunction) -> FloatArray:
    """First-order effect of every draw on the function, shape (n_chains, n_draws)."""
    steps = series.std(axis=(-2, -1)) / np.sqrt(series[0].size)
    shifts = np.diag(steps)
    rise = np.asarray(function(means[:, None] + shifts) - function(means[:, None] - shifts))
    gradient = np.divide(rise, 2.0 * steps, out=np.zeros_like(steps), where=steps > 0)
    return np.asarray(np.einsum("k,k...->...", gradient, series - means[:, None, None]))


def _jackknife_variance(
    series: FloatArray, function: MomentFunction, edges: npt.NDArray[np.int64]
) -> float:
    """Delete-one-block jackknife for blocks of slightly unequal lengths (Busing et al. 1999)."""
    n_moments, n_chains, n_draws = series.shape
    total = n_chains * n_draws
    lengths = np.tile(np.diff(np.append(edges, n_draws)), n_chains)
    # Sums of deviations: subtracting a block from sums of raw values would cost digits.
    means = series.mean(axis=(-2, -1))
    sums = np.add.reduceat(series - means[:, None, None], edges, axis=-1).reshape(n_moments, -1)
    without = function(means[:, None] - sums / (total - lengths))
    share = total / lengths
    pseudo = share * function(means) - (share - 1.0) * without
    return float(np.mean((pseudo - np.sum(pseudo / share)) ** 2 / (share - 1.0)))


def _shared_between_blocks(tau: float, length: int, n_draws: int, n_blocks: int) -> float:
    """Variance of the mean over what uncorrelated blocks would give, for one exponential."""
    if not tau > 1.0:
        return 1.0
    excess = _finite_time(tau, n_draws) / _finite_time(tau, length)
    return (n_blocks - 1.0) / (n_blocks / excess - 1.0)


def _finite_time(tau: float, length: int) -> float:
    """Variance of the mean of `length` draws, times their number over the variance of one."""
    rho = (tau - 1.0) / (tau + 1.0)
    return tau - 2.0 * rho * (1.0 - rho**length) / (length * (1.0 - rho) ** 2)
