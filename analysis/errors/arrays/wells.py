"""Rare changes between wells, which move an estimate although faster fluctuations hide them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.errors.arrays.blocks import FloatArray, left_out_of_blocks
from analysis.errors.arrays.times import autocorrelation_times

_SLOPE = 3.0  # errors of the slope, for the wells to count


@dataclass(frozen=True)
class Wells:
    """Wells of draws, less their mean, and the time of their changes with its relative error."""

    deviations: FloatArray
    tau: float
    spread: float

    def variances(self, influence: FloatArray, length: int) -> tuple[float, float]:
        """Variance of the estimate by changes of the well, and the part that blocks miss.

        `influence` is the first-order effect of every draw on the estimate, `length` the number of
        draws in a block. Both variances are 0 if no dependence on the well shows.
        """
        square = float(np.mean(self.deviations**2))
        slope = float(np.mean(self.deviations * influence)) / square
        rest = self.deviations * (influence - influence.mean() - slope * self.deviations)
        times = autocorrelation_times(rest)
        error = np.sqrt(np.nan_to_num(times.tau) * rest.var() / rest.size) / square
        if abs(slope) < _SLOPE * error:
            return 0.0, 0.0
        whole = slope**2 * square * self.tau / influence.size
        return whole, whole * left_out_of_blocks(self.tau, length, influence.shape[-1])


def wells_of(numbers: npt.ArrayLike, shape: tuple[int, ...]) -> Wells | None:
    """Wells of series, shape (n_chains, n_draws), or None if all draws lie in one."""
    x = np.asarray(numbers, dtype=np.float64)
    if x.shape != shape:
        raise ValueError(f"wells must have shape {shape}, that of a series; got {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError("wells must be finite; got NaN or infinity among them")
    if np.ptp(x) == 0:
        return None
    times = autocorrelation_times(x)
    return Wells(x - x.mean(), float(times.tau), float(times.error / times.tau))
