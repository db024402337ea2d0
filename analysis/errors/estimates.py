"""Standard errors of functions of means of correlated series: blocks, jackknife, tau.

Everything here works on plain arrays whose last two axes are (n_chains, n_draws).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.errors.blocks import (
    block_edges,
    block_length_for,
    block_lengths,
    jackknife_variance,
    shared_between_blocks,
)
from analysis.errors.times import MIN_BLOCKS, FloatArray, autocorrelation_times

MomentFunction = Callable[[FloatArray], Any]
"""Maps means of moments, shape (n_moments, ...), to values of shape (...), smoothly."""


@dataclass(frozen=True)
class Estimate:
    """A function of moments with its standard error.

    Attributes
    ----------
    value : float
        The function at the means over all chains and draws.
    error : float
        Standard error, autocorrelation included; 0 where every series is constant.
    autocorrelation_time, autocorrelation_time_error : float
        Integrated autocorrelation time in draws of the series that drives the estimate, and its
        standard error; NaN where that series is constant.

    Examples
    --------
    >>> import numpy as np
    >>> from analysis import errors
    >>> found = errors.estimate(np.random.default_rng(1).normal(size=(4, 1000)))
    >>> abs(found.value) < 4 * found.error, 0.01 < found.error < 0.02
    (True, True)
    """

    value: float
    error: float
    autocorrelation_time: float
    autocorrelation_time_error: float


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
        In the units of the function.

    Raises
    ------
    ValueError
        If `moments` has the wrong number of axes, is not finite, or holds fewer than
        ``MIN_BLOCKS`` draws in all.

    Notes
    -----
    The error is a delete-one-block jackknife. Blocks lie within chains and are ten autocorrelation
    times, of the slowest part that shows, long, shorter only where that would leave fewer than
    ``MIN_BLOCKS`` of them. What neighbouring blocks still share is corrected as if the
    correlation decayed by a single exponential. The autocorrelation time is that of the influence
    series
    :math:`\sum_k (\partial f/\partial \mu_k)\, x_k(t)`, to which the estimate's fluctuations
    are equal at first order [1]_, so that each function is judged by its own.

    References
    ----------
    .. [1] U. Wolff, "Monte Carlo errors with less errors", Comput. Phys. Commun. 156, 143 (2004).

    Examples
    --------
    >>> import numpy as np
    >>> from analysis import errors
    >>> m = np.random.default_rng(1).normal(size=(4, 10_000))
    >>> squares = np.stack([m**2, m**4])
    >>> binder = errors.estimate(squares, lambda mean: 1 - mean[1] / (3 * mean[0] ** 2))
    >>> abs(binder.value) < 4 * binder.error
    True
    """
    series = _check_moments(moments)
    if function is None:
        function = _first
    means = series.mean(axis=(-2, -1))
    value = float(function(means))
    if not (np.ptp(series, axis=(-2, -1)) > 0).any():
        return Estimate(value, 0.0 if np.isfinite(value) else np.nan, np.nan, np.nan)
    times = autocorrelation_times(_influence(series, means, function))
    slowest = float(times.slowest)
    # A constant influence (an extremum of the function) leaves the blocks to tell.
    length = block_length_for(series.shape[-2], series.shape[-1], slowest if slowest > 0 else 1.0)
    edges = block_edges(series.shape[-1], length)
    without, share = _without_each_block(series, function, edges)
    variance = jackknife_variance(value, without, share)
    variance = variance * shared_between_blocks(slowest, length, series.shape[-1], share.size)
    return Estimate(value, float(np.sqrt(variance)), float(times.tau), float(times.error))


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


def _without_each_block(
    series: FloatArray, function: MomentFunction, edges: npt.NDArray[np.int64]
) -> tuple[Any, FloatArray]:
    """Values without one block each, and the number of all draws over that of the block."""
    n_moments, n_chains, n_draws = series.shape
    total = n_chains * n_draws
    lengths = np.tile(block_lengths(n_draws, edges), n_chains)
    # Sums of deviations: subtracting a block from sums of raw values would cost digits.
    means = series.mean(axis=(-2, -1))
    sums = np.add.reduceat(series - means[:, None, None], edges, axis=-1).reshape(n_moments, -1)
    return function(means[:, None] - sums / (total - lengths)), total / lengths
