"""Standard errors of functions of means of correlated series: blocks, jackknife, tau."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.errors.arrays.blocks import (
    BLOCK_LENGTH,
    MIN_BLOCKS,
    FloatArray,
    MomentFunction,
    block_edges,
    block_length_for,
    jackknife_variance,
    shared_between_blocks,
    values_without_blocks,
)
from analysis.errors.arrays.doubts import (
    MIN_CHANGES,
    Doubts,
    changes_of,
    degrees_of_freedom,
    student_factor,
)
from analysis.errors.arrays.times import MEMORY_WINDOW, autocorrelation_times
from analysis.errors.arrays.wells import Wells, wells_of

_WELLS_MATTER = 0.1  # share of the variance above which rare changes of the well are judged


@dataclass(frozen=True)
class Estimate:
    """A function of moments with its standard error.

    Attributes
    ----------
    value : float
        The function at the means over all chains and draws.
    error : float
        Standard error with autocorrelation, times Student's factor for its degrees of freedom, so
        that 1.96 of it are a 95 % interval; NaN, unknown, if next to nothing changed.
    autocorrelation_time, autocorrelation_time_error : float
        Integrated autocorrelation time in draws of the influence series (see `estimate`), and its
        standard error; NaN if that series is constant.
    longest_time : float
        Time in draws of the slowest part that matters, plus two of its errors.
    degrees : float
        Degrees of freedom of the error, few if few events or few blocks make it.

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
    longest_time: float
    degrees: float


def estimate(
    moments: npt.ArrayLike,
    function: MomentFunction | None = None,
    *,
    wells: npt.ArrayLike | None = None,
) -> Estimate:
    r"""Value and standard error of a function of the means of series.

    Parameters
    ----------
    moments : array_like, shape (n_moments, n_chains, n_draws)
        One series for each moment, for example m² and m⁴, or a single series (n_chains, n_draws).
    function : callable, optional
        Maps means of shape (n_moments, ...) to values of shape (...), smoothly; the mean of the
        first series if omitted.
    wells : array_like, shape (n_chains, n_draws), optional
        A number for the well of each draw, for example the sign of m. Rare changes of the well
        then count in the error as far as the estimate depends on the well, although faster
        fluctuations may hide them in its own series.

    Returns
    -------
    Estimate
        In the units of the function.

    Raises
    ------
    ValueError
        If `moments` has the wrong number of axes, is not finite, or holds fewer than
        ``MIN_BLOCKS`` draws in all, or `wells` has another shape.

    Warns
    -----
    ShortRunWarning
        If the run is too short for the error to be trusted, rare events dominate it, or nothing
        changed: see `analysis.ShortRunWarning`.

    Notes
    -----
    The error is a delete-one-block jackknife. Blocks lie within chains. Their length is ten
    autocorrelation times of the slowest part that shows, or less to leave ``MIN_BLOCKS`` of them.
    The correlation of neighbouring blocks is corrected for as a single exponential. The
    autocorrelation time belongs to the influence series :math:`\sum_k (\partial f/\partial
    \mu_k)\, x_k(t)`, the fluctuations of the estimate at first order [1]_, so that each function
    is judged by its own series.

    The influence series is split into its regression on `wells` and the rest. If the slope is more
    than three of its errors from 0, the variance of the mean well, with the autocorrelation time
    of the wells, counts as far as blocks are too short to contain it.

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
    n_chains, n_draws = series.shape[1:]
    slow = None if wells is None else wells_of(wells, (n_chains, n_draws))
    found = estimate_unwarned(series, function or (lambda means: means[0]), slow)
    doubts = Doubts(n_chains, n_draws, "draws")
    note_doubts(doubts, found, "the estimate", "")
    doubts.warn(stacklevel=2)
    return found


def note_doubts(
    doubts: Doubts, found: Estimate, variable: str, where: str, interval: float = 1.0
) -> None:
    """Judge an estimate, unless its value is NaN."""
    if np.isfinite(found.value):
        doubts.judge(
            variable, where, still=bool(np.isnan(found.error)), longest_time=found.longest_time,
            degrees=found.degrees, interval=interval,
        )  # fmt: skip


def estimate_unwarned(
    series: FloatArray, function: MomentFunction, wells: Wells | None, memory: float = 1.0
) -> Estimate:
    """`estimate` of finite moments without a warning, from blocks for a time of `memory` draws."""
    n_chains, n_draws = series.shape[1:]
    means = series.mean(axis=(-2, -1))
    value = float(function(means))
    if not np.isfinite(value) or changes_of(series).max() < MIN_CHANGES:
        return Estimate(value, np.nan, np.nan, np.nan, np.nan, np.nan)
    influence = _influence(series, means, function)
    times = autocorrelation_times(influence)
    # at an extremum of the function, where only the blocks show the time
    constant = np.isnan(times.tau)
    tau, slowest = (1.0, 1.0) if constant else (float(times.tau), float(times.slowest))
    spread = 0.0 if constant else float(times.error) / tau
    memory = float(np.fmax(max(slowest, memory), times.window / MEMORY_WINDOW))
    length = block_length_for(n_chains, n_draws, memory)
    edges = block_edges(n_draws, length)
    without, share = values_without_blocks(series, function, edges)
    variance = float(jackknife_variance(value, without, share))
    variance *= float(shared_between_blocks(slowest, length, n_draws, share.size))
    degrees = degrees_of_freedom(influence, 2.0 * max(slowest, 1.0))
    noise = variance**2 / min(degrees, share.size - 1)
    if wells is not None and wells.tau > length / BLOCK_LENGTH and not constant:
        whole, hidden = wells.variances(influence, length)
        noise += (hidden * wells.spread) ** 2 / 2.0
        variance += hidden
        tau = min(tau + hidden * influence.size / influence.var(), n_draws)
        if whole > _WELLS_MATTER * variance:
            spread = max(spread, wells.spread)
            slowest = max(slowest, wells.tau)
    degrees = variance**2 / noise if noise > 0 else np.inf
    return Estimate(
        value,
        float(np.sqrt(variance)) * student_factor(degrees),
        np.nan if constant else tau,
        np.nan if constant else tau * spread,
        slowest * (1.0 + 2.0 * spread),
        degrees,
    )


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


def _influence(series: FloatArray, means: FloatArray, function: MomentFunction) -> FloatArray:
    """First-order effect of every draw on the function, shape (n_chains, n_draws)."""
    steps = series.std(axis=(-2, -1)) / np.sqrt(series[0].size)
    shifts = np.diag(steps)
    rise = np.asarray(function(means[:, None] + shifts) - function(means[:, None] - shifts))
    gradient = np.divide(rise, 2.0 * steps, out=np.zeros_like(steps), where=steps > 0)
    return np.asarray(np.einsum("k,k...->...", gradient, series - means[:, None, None]))
