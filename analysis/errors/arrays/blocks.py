"""Blocks of correlated draws, and the jackknife over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.errors.times import MIN_BLOCKS, FloatArray

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
    """Variance of the mean over what uncorrelated blocks would give, for one exponential each."""
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


def block_lengths(n_draws: int, edges: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the number of draws in each block of a chain."""
    return np.diff(np.append(edges, n_draws))


def jackknife_variance(value: Any, without: Any, share: FloatArray) -> Any:
    """Variance of `value` from values without one block each, for blocks of unequal lengths.

    Parameters
    ----------
    value : array_like, shape (...)
    without : array_like, shape (..., n_blocks)
    share : ndarray, shape (n_blocks,)
        Number of all draws over that of the block.

    Returns
    -------
    ndarray, shape (...)

    References
    ----------
    F. M. T. A. Busing, E. Meijer, R. van der Leeden, "Delete-m jackknife for unequal m", Stat.
    Comput. 9, 3 (1999).
    """
    pseudo = share * np.asarray(value)[..., None] - (share - 1.0) * np.asarray(without)
    mean = np.sum(pseudo / share, axis=-1, keepdims=True)
    return np.mean((pseudo - mean) ** 2 / (share - 1.0), axis=-1)


def check_number(n_samples: int) -> None:
    """Refuse samples that are too few for an error bar."""
    if n_samples < MIN_BLOCKS:
        raise ValueError(
            f"data must hold at least {MIN_BLOCKS} samples over all chains for an error bar; got "
            f"{n_samples} (more of them, or dims=('chain',) to leave out whole chains)"
        )
