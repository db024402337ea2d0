"""Integrated autocorrelation times of series, with their own errors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from analysis.errors.arrays.blocks import MIN_BLOCKS, FloatArray, block_means

WINDOW = 5.0
"""Sokal's window: correlations are summed up to this many autocorrelation times."""
MEMORY_WINDOW = 10.0
"""Window in units of 1 + 2 Σ ρ², because correlations of both signs may cancel in their sum."""

_FIRST_LAGS = 128
_CHANCE = 1e-4  # of taking alike chains for different ones
_MIN_BLOCK_MEANS = 100  # fewer have too noisy a variance
_DEVIATIONS = 4.0  # standard errors by which the variance of block means must be too large


class Times(NamedTuple):
    """Autocorrelation times in draws.

    Attributes
    ----------
    tau, error : float arrays, shape (...)
        Integrated autocorrelation time and its standard error; NaN if a series is constant.
    slowest : float array, shape (...)
        Time of the slowest part that was found, which sets the length of blocks.
    window : float array, shape (...)
        Number of lags in the sum of correlations: at least ten times their own length.

    Examples
    --------
    >>> from analysis import errors
    >>> times = errors.autocorrelation_times([[0.0, 0.0, 1.0, 1.0] * 20])
    >>> times._fields, bool(times.error > 0)
    (('tau', 'error', 'slowest', 'window'), True)
    """

    tau: FloatArray
    error: FloatArray
    slowest: FloatArray
    window: FloatArray


def autocorrelation_times(series: npt.ArrayLike) -> Times:
    r"""Integrated autocorrelation times, in draws.

    :math:`\tau = 1 + 2 \sum_{t \ge 1} \rho(t)`, emcee's convention (twice the
    :math:`\tau_\mathrm{int} = \tfrac12 + \sum \rho` of much of the physics literature), so
    that the variance of a mean of n draws is :math:`\tau \sigma^2 / n`. Draws that alternate have
    a time below 1.

    Parameters
    ----------
    series : array_like, shape (..., n_chains, n_draws)
        Draws of independent chains, in order of time.

    Returns
    -------
    Times
        Arrays of shape (...): NaN if a series is constant; at most n_draws, because a run cannot
        show longer times.

    Notes
    -----
    The window W is the first t of at least `WINDOW` times the sum so far [1]_ and of at least
    `MEMORY_WINDOW` times :math:`1 + 2 \sum \rho(t)^2`. The second condition serves correlations
    that change their sign, because their sum is small long before they have decayed. Weights fall
    smoothly from 1 at W/2 to 0 at W [2]_, because a sharp end would catch the noise of alternating
    series. The relative error follows Madras and Sokal [3]_ for these weights. Autocovariances are
    too small by :math:`\tau \sigma^2 / n` for n draws a chain, because the mean of the chain is
    subtracted; this is corrected at first order [4]_. If noise makes the sum too small or negative,
    half of Bartlett's sum over the same window replaces it, which is never negative.

    A window closes too early for a slow part that is weak beside noise, such as the drift of a
    learning agent beside its random actions. Noise fades in the means of longer and longer blocks
    [5]_. If their variance exceeds the value that the time found so far explains, by four standard
    errors, the time of the block means counts.

    If the means of the chains still differ by more than this explains (a chance of 1e-4), their
    variance is a correlation that does not decay, and is added to the autocovariances, because
    chains that stay apart have a long time.

    References
    ----------
    .. [1] A. Sokal, "Monte Carlo methods in statistical mechanics", in Functional Integration
       (Springer, 1997), p. 131.
    .. [2] D. N. Politis, J. P. Romano, "Bias-corrected nonparametric spectral estimation", J. Time
       Ser. Anal. 16, 67 (1995).
    .. [3] N. Madras, A. D. Sokal, "The pivot algorithm", J. Stat. Phys. 50, 109 (1988).
    .. [4] U. Wolff, "Monte Carlo errors with less errors", Comput. Phys. Commun. 156, 143 (2004).
    .. [5] H. Flyvbjerg, H. G. Petersen, "Error estimates on averages of correlated data", J. Chem.
       Phys. 91, 461 (1989).

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.signal import lfilter
    >>> from analysis import errors
    >>> noise = np.random.default_rng(1).normal(size=(4, 10_000))
    >>> x = lfilter([1], [1, -0.8], noise)
    >>> times = errors.autocorrelation_times(x)
    >>> abs(float(times.tau) - 9) < 4 * float(times.error)
    True
    """
    x = np.asarray(series, dtype=np.float64)
    n_chains, n_draws = x.shape[-2:]
    covariance = np.asarray(arviz_arrays().autocov(x, axis=-1)).mean(axis=-2)
    # Rounding gives a constant series a variance, so that it must be set to 0.
    covariance = np.where(np.ptp(x, axis=-1).any(axis=-1)[..., None], covariance, 0.0)
    tau, error, slowest, window = _with_slow_parts(covariance, x)
    if n_chains > 1:
        between = np.where(np.ptp(x, axis=(-2, -1)) > 0, x.mean(axis=-1).var(axis=-1, ddof=1), 0.0)
        expected = np.nan_to_num(tau) * covariance[..., 0] / n_draws
        unlikely = scipy.special.chdtri(n_chains - 1, _CHANCE) / (n_chains - 1)
        apart = between > unlikely * expected
        # now the mean over all chains is subtracted, which leaves no bias to correct
        longer, longer_error, _ = _windowed_sum(
            covariance + between[..., None], n_chains, n_draws, centred=False
        )
        tau, error = np.where(apart, longer, tau), np.where(apart, longer_error, error)
    tau = np.clip(tau, 1.0 / n_draws, n_draws)
    return Times(tau, error, np.fmin(np.fmax(slowest, tau), n_draws), window)


def _with_slow_parts(covariance: FloatArray, x: FloatArray) -> Times:
    """Autocorrelation times, of block means if these vary more than the draws explain."""
    n_chains, n_draws = x.shape[-2:]
    tau, error, window = _windowed_sum(covariance, n_chains, n_draws)
    variance, slowest = covariance[..., 0], tau
    # if draws alternate, means of blocks within the window vary more than the time says
    length = 2 << int(np.log2(max(1.0, float(np.min(window)))))
    while n_draws // length >= MIN_BLOCKS and n_chains * (n_draws // length) >= _MIN_BLOCK_MEANS:
        blocks = block_means(x, length)
        n_blocks = blocks.shape[-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            of_blocks = length * blocks.var(axis=-1).mean(axis=-1) / variance
        unlikely = 1.0 + _DEVIATIONS * np.sqrt(2.0 / (n_chains * n_blocks))
        slow = (of_blocks > unlikely * tau) & (length > window)
        if slow.any():
            covariance = np.asarray(arviz_arrays().autocov(blocks, axis=-1)).mean(axis=-2)
            between_blocks, between_error, _ = _windowed_sum(covariance, n_chains, n_blocks)
            longer = slow & (of_blocks * between_blocks > tau)
            tau = np.where(longer, of_blocks * between_blocks, tau)
            error = np.where(longer, of_blocks * between_error, error)
            slowest = np.where(slow, np.fmax(slowest, length * between_blocks), slowest)
        length *= 2
    return Times(tau, error, slowest, window)


def _windowed_sum(
    covariance: FloatArray, n_chains: int, n_draws: int, *, centred: bool = True
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """1 + 2 Σ ρ(t) over a smooth window, its error, and W; NaN without a variance.

    `centred` says that the mean of each chain was subtracted.
    """
    half = max(1, n_draws // 2)  # beyond half of a chain noise alone is left
    variance = covariance[..., :1]
    variance = np.where(variance > 0, variance, np.nan)
    stop = min(_FIRST_LAGS, half)
    while True:  # most windows are short, so that few lags are summed first
        lags = np.arange(stop)
        rho = covariance[..., :stop] / variance * (n_draws / (n_draws - lags))
        partial = 2.0 * np.cumsum(rho, axis=-1) - 1.0
        squares = 2.0 * np.cumsum(rho**2, axis=-1) - 1.0
        squares *= 1.0 - 2.0 * lags / (n_chains * n_draws)  # subtracts the part of noise
        beyond = lags >= np.fmax(WINDOW * partial, MEMORY_WINDOW * squares)
        found = beyond.any(axis=-1) | np.isnan(variance[..., 0])
        if stop == half or found.all():
            break
        stop = min(4 * stop, half)
    window = np.where(beyond.any(axis=-1), beyond.argmax(axis=-1), stop - 1)
    left = np.clip(1.0 - lags / (window[..., None] + 1.0), 0.0, 1.0)
    weights = 0.5 - 0.5 * np.cos(np.pi * np.fmin(2.0 * left, 1.0))
    lost = (2.0 * weights.sum(axis=-1) - 1.0) / n_draws
    tau = 2.0 * np.sum(weights * rho, axis=-1) - 1.0
    if centred:
        tau = tau * (1.0 + lost) / (1.0 + np.clip(tau, 0.0, n_draws) / n_draws)
    tau = np.fmax(tau, 0.5 * (2.0 * np.sum(left * rho, axis=-1) - 1.0))
    spread = np.sqrt(2.0 * (2.0 * np.sum(weights**2, axis=-1) - 1.0) / (n_chains * n_draws))
    return tau, np.abs(tau) * spread, window.astype(np.float64)


def arviz_arrays() -> Any:
    """Import ArviZ's functions on arrays, late, because they load scipy.stats for a second.

    Returns
    -------
    object
        With the methods ``autocov``, ``ess``, ``rhat`` and others, for plain arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from analysis import errors
    >>> errors.arviz_arrays().autocov(np.array([1.0, -1.0, 1.0, -1.0])).shape
    (4,)
    """
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    return array_stats
