"""Length of the first part of a series, which still depends on the start."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.errors.arrays.blocks import MIN_BLOCKS, FloatArray, block_means
from analysis.errors.arrays.times import autocorrelation_times

_CANDIDATES = 60
_FINEST = 2000  # bins of a series; with more of them the place of a cut is no more certain


def settled(mean: FloatArray) -> npt.NDArray[np.int64]:
    """First draws, shape (...), of the rests that hold most autocorrelation times.

    The series, shape (..., 1, n_draws), are averages over chains that started alike.
    """
    n_draws = mean.shape[-1]
    length = -(-n_draws // _FINEST)
    n_bins = n_draws // length
    bins = block_means(mean[..., -n_bins * length :], length)
    last = n_bins - MIN_BLOCKS
    cuts = np.unique(np.rint(last * np.linspace(0.0, 1.0, _CANDIDATES) ** 2).astype(np.int64))
    kept = np.stack([_times_held(bins[..., cut:]) for cut in cuts], axis=-1)
    first = np.where(cuts > 0, cuts * length + n_draws - n_bins * length, 0)
    return np.asarray(first[kept.argmax(axis=-1)])


def _times_held(mean: FloatArray) -> FloatArray:
    """Autocorrelation times that series hold; 1 if they are constant."""
    # the time of few samples may seem nearly 0, and they would seem to hold very many
    times = autocorrelation_times(mean)
    longest = np.maximum(times.tau, 1.0) + times.error
    return np.asarray(np.nan_to_num(mean.shape[-1] / longest, nan=1.0))
