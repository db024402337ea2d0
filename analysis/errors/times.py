"""Integrated autocorrelation times of series, with their own errors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

FloatArray = npt.NDArray[np.float64]
"""An array of doubles, of any shape."""

WINDOW = 5.0
"""Sokal's window: correlations are summed up to this many autocorrelation times."""
MIN_BLOCKS = 20
"""Fewer blocks than this make an error bar too noisy to use as one."""

_CHANCE = 1e-4  # of calling chains apart that are not
_MIN_BLOCK_MEANS = 100  # fewer have too noisy a variance
_DEVIATIONS = 4.0  # of the variance of block means, for it to count


class Times(NamedTuple):
    """Autocorrelation times in draws.

    Attributes
    ----------
    tau, error : float arrays, shape (...)
        Integrated autocorrelation time and its standard error; NaN where a series is constant.
    slowest : float array, shape (...)
        Time of the slowest part that was found, from which the length of blocks follows.

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

    tau: FloatArray
    error: FloatArray
    slowest: FloatArray


def autocorrelation_times(series: npt.ArrayLike) -> Times:
    r"""Integrated autocorrelation times, in draws.

    :math:`\tau = 1 + 2 \sum_{t \ge 1} \rho(t)`, emcee's convention (twice the
    :math:`\tau_\mathrm{int} = \tfrac12 + \sum \rho` of much of the physics literature), so
    that the variance of a mean of n draws is :math:`\tau \sigma^2 / n`.

    Parameters
    ----------
    series : array_like, shape (..., n_chains, n_draws)
        Draws of independent chains, in order of time.

    Returns
    -------
    Times
        Arrays of shape (...): NaN where a series is constant; at most n_draws, since a run says
        nothing of longer ones.

    Notes
    -----
    The sum stops at the first t = W of at least `WINDOW` times the sum so far [1]_, as emcee's
    does, over autocovariances averaged over chains. Its relative error is
    :math:`\sqrt{2 (2W + 1) / n}` for n draws in all [2]_. A window closes early on a slow part that
    is weak beside noise, such as the drift of agents that learn beside the coins that they throw;
    but in the means of longer and longer blocks [3]_ the noise fades. Where the variance of these
    exceeds what the time found so far explains, by four standard errors, the time of the block
    means counts.

    Where the chains' means still differ by more than this explains (a chance of 1e-4), their
    variance is a correlation that does not decay, and is added to the autocovariances: chains that
    stay apart have a long time, not a short one.

    References
    ----------
    .. [1] A. Sokal, "Monte Carlo methods in statistical mechanics", in Functional Integration
       (Springer, 1997), p. 131.
    .. [2] N. Madras, A. D. Sokal, "The pivot algorithm", J. Stat. Phys. 50, 109 (1988).
    .. [3] H. Flyvbjerg, H. G. Petersen, "Error estimates on averages of correlated data", J. Chem.
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
    # Rounding leaves a constant series a variance, so that it has to be looked for.
    covariance = np.where(np.ptp(x, axis=-1).any(axis=-1)[..., None], covariance, 0.0)
    tau, error, slowest = _with_slow_parts(covariance, x)
    if n_chains > 1:
        between = np.where(np.ptp(x, axis=(-2, -1)) > 0, x.mean(axis=-1).var(axis=-1, ddof=1), 0.0)
        expected = np.nan_to_num(tau) * covariance[..., 0] / n_draws
        unlikely = scipy.special.chdtri(n_chains - 1, _CHANCE) / (n_chains - 1)
        apart = between > unlikely * expected
        longer, longer_error = _windowed_sum(covariance + between[..., None], n_chains * n_draws)
        tau, error = np.where(apart, longer, tau), np.where(apart, longer_error, error)
    tau = np.clip(tau, 1.0 / n_draws, n_draws)
    return Times(tau, error, np.fmin(np.fmax(slowest, tau), n_draws))


def _with_slow_parts(covariance: FloatArray, x: FloatArray) -> Times:
    """Autocorrelation times, of block means where these vary more than the draws explain."""
    n_chains, n_draws = x.shape[-2:]
    tau, error = _windowed_sum(covariance, n_chains * n_draws)
    variance, slowest = covariance[..., 0], tau
    length = 2
    while n_draws // length >= MIN_BLOCKS and n_chains * (n_draws // length) >= _MIN_BLOCK_MEANS:
        n_blocks = n_draws // length
        blocks = x[..., : n_blocks * length].reshape(*x.shape[:-1], n_blocks, length).mean(axis=-1)
        covariance = np.asarray(arviz_arrays().autocov(blocks, axis=-1)).mean(axis=-2)
        with np.errstate(divide="ignore", invalid="ignore"):
            of_blocks = length * covariance[..., 0] / variance
        unlikely = 1.0 + _DEVIATIONS * np.sqrt(2.0 / (n_chains * n_blocks))
        slow = of_blocks > unlikely * tau
        between_blocks, between_error = _windowed_sum(covariance, n_chains * n_blocks)
        longer = slow & (of_blocks * between_blocks > tau)
        tau = np.where(longer, of_blocks * between_blocks, tau)
        error = np.where(longer, of_blocks * between_error, error)
        slowest = np.where(slow, np.fmax(slowest, length * between_blocks), slowest)
        length *= 2
    return Times(tau, error, slowest)


def _windowed_sum(covariance: FloatArray, n_draws: int) -> tuple[FloatArray, FloatArray]:
    """1 + 2 Σ ρ(t) up to Sokal's window and its error, NaN where there is no variance."""
    variance = covariance[..., :1]
    rho = covariance / np.where(variance > 0, variance, np.nan)
    partial = 2.0 * np.cumsum(rho, axis=-1) - 1.0
    beyond = np.arange(covariance.shape[-1]) >= WINDOW * partial
    window = np.where(beyond.any(axis=-1), beyond.argmax(axis=-1), covariance.shape[-1] - 1)
    tau = np.take_along_axis(partial, window[..., None], axis=-1)[..., 0]
    return tau, np.abs(tau) * np.sqrt(2.0 * (2.0 * window + 1.0) / n_draws)


def arviz_arrays() -> Any:
    """Import ArviZ's functions on arrays, late, because they bring a second of scipy.stats.

    Returns
    -------
    object
        With the methods ``autocov``, ``ess``, ``rhat`` and others, on plain arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from analysis import errors
    >>> errors.arviz_arrays().autocov(np.array([1.0, -1.0, 1.0, -1.0])).shape
    (4,)
    """
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    return array_stats
