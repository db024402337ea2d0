"""Length of the first part of a series, which still depends on the start."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analysis.errors.arrays.blocks import MIN_BLOCKS, FloatArray, block_means
from analysis.errors.arrays.times import autocorrelation_times

_CANDIDATES = 60
_FINEST = 2000  # bins of a series: more of them do not place a cut better than it can be known


def settled(mean: FloatArray) -> npt.NDArray[np.int64]:
    """Return the first draw of the rest that holds most autocorrelation times.

    Parameters
    ----------
    mean : ndarray, shape (..., 1, n_draws)
        Series of at least 2 `MIN_BLOCKS` draws, averaged over chains that started alike.

    Returns
    -------
    ndarray of int, shape (...)
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
    """Autocorrelation times that series hold; 1 where they are constant."""
    # few samples may seem to have nearly no time at all, and would hold very many of it
    times = autocorrelation_times(mean)
    longest = np.maximum(times.tau, 1.0) + times.error
    return np.asarray(np.nan_to_num(mean.shape[-1] / longest, nan=1.0))
