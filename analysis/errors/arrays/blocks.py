"""Blocks of correlated draws, and the jackknife over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
"""An array of doubles, of any shape."""
MomentFunction = Callable[[FloatArray], Any]
"""Maps means of moments, shape (n_moments, ...), to values of shape (...), smoothly."""

MIN_BLOCKS = 20
"""Fewer blocks than this make an error bar too noisy."""
BLOCK_LENGTH = 10.0
"""Wanted length of a block in autocorrelation times."""
MAX_BLOCKS = 500
"""More blocks than this no longer sharpen an error bar (3 % here)."""


def block_length_for(n_chains: int, n_draws: int, tau: float) -> int:
    """Choose the number of draws in a block for an autocorrelation time of `tau` draws."""
    total = n_chains * n_draws
    wanted = max(BLOCK_LENGTH * max(tau, 1.0), total / MAX_BLOCKS)
    return int(max(1, min(wanted, total / MIN_BLOCKS, n_draws)))


def block_edges(n_draws: int, length: int) -> npt.NDArray[np.int64]:
    """Return the first draws of a chain's blocks; their lengths differ by one at most."""
    n_blocks = max(1, n_draws // length)
    return np.arange(n_blocks, dtype=np.int64) * n_draws // n_blocks


def shared_between_blocks(tau: Any, length: int, n_draws: int, n_blocks: int) -> FloatArray:
    """Ratio of the variance of the mean to that from uncorrelated blocks, for one exponential."""
    slow = np.fmax(np.asarray(tau, dtype=np.float64), 1.0)
    excess = _finite_time(slow, n_draws) / _finite_time(slow, length)
    return np.asarray((n_blocks - 1.0) / (n_blocks / excess - 1.0))


def left_out_of_blocks(tau: float, length: int, n_draws: int) -> float:
    """Share of the variance of a mean that block means miss, for one exponential."""
    slow = np.fmax(np.asarray(tau, dtype=np.float64), 1.0)
    share = 1.0 - _finite_time(slow, length) / _finite_time(slow, n_draws)
    return float(np.clip(share, 0.0, 1.0))


def _finite_time(tau: FloatArray, length: int) -> FloatArray:
    """Variance of the mean of `length` draws, times their number over the variance of one."""
    rho = (tau - 1.0) / (tau + 1.0)
    return tau - 2.0 * rho * (1.0 - rho**length) / (length * (1.0 - rho) ** 2)


def block_means(series: FloatArray, length: int) -> FloatArray:
    """Means over blocks of equal length, shape (..., n_blocks), without a rest at the end."""
    n_blocks = series.shape[-1] // length
    blocks = series[..., : n_blocks * length].reshape(*series.shape[:-1], n_blocks, length)
    return np.asarray(blocks.mean(axis=-1))


def binned_error(series: FloatArray, length: int) -> tuple[FloatArray, FloatArray]:
    """Standard error of a mean over chains and draws from blocks, and the error of this error."""
    means = block_means(series, length)
    number = means.shape[-2] * means.shape[-1]
    error = means.std(axis=(-2, -1), ddof=1) / np.sqrt(number)
    return error, error / np.sqrt(2.0 * (number - 1))


def block_lengths(
    n_chains: int, n_draws: int, edges: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the number of draws in each block, chain after chain."""
    return np.tile(np.diff(np.append(edges, n_draws)), n_chains)


def values_without_blocks(
    series: FloatArray, function: MomentFunction, edges: npt.NDArray[np.int64]
) -> tuple[Any, FloatArray]:
    """Values without one block each, and the ratio of all draws to the draws of the block."""
    n_moments, n_chains, n_draws = series.shape
    total = n_chains * n_draws
    lengths = block_lengths(n_chains, n_draws, edges)
    # Sums of deviations: subtracting a block from sums of raw values would cost digits.
    means = series.mean(axis=(-2, -1))
    sums = np.add.reduceat(series - means[:, None, None], edges, axis=-1).reshape(n_moments, -1)
    return function(means[:, None] - sums / (total - lengths)), total / lengths


def jackknife_variance(value: Any, without: Any, share: FloatArray) -> Any:
    """Variance of `value` from values without one block each, shape (..., n_blocks).

    `share`, shape (n_blocks,), is the ratio of all draws to those of the block, after F. Busing,
    E. Meijer, R. van der Leeden, "Delete-m jackknife for unequal m", Stat. Comput. 9, 3 (1999).
    """
    pseudo = share * np.asarray(value)[..., None] - (share - 1.0) * np.asarray(without)
    mean = np.sum(pseudo / share, axis=-1, keepdims=True)
    return np.mean((pseudo - mean) ** 2 / (share - 1.0), axis=-1)
