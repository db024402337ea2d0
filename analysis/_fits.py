"""Goodness of fits, and results of fits as arguments of other functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import scipy
import xarray as xr

POOR = 0.01
"""A goodness of fit below this is warned of."""
ACCEPTABLE = 0.1
"""Windows are narrowed until the goodness of fit is at least this."""


class FitWarning(UserWarning):
    """A fit's result may be further from the truth than its error says.

    The message states the finding, the acceptable value and a remedy.

    Examples
    --------
    >>> import warnings
    >>> import xarray as xr
    >>> from analysis import FitWarning, power_law
    >>> y = xr.DataArray([1.0, 3.0, 1.0], {"size": [4, 8, 16]}, ("size",))
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", FitWarning)
    ...     law = power_law(y, 0.1 * y, "size")
    >>> [warning.category.__name__ for warning in caught]
    ['FitWarning']
    """


def warn_of_fit(message: str, stacklevel: int = 2) -> None:
    """Issue a `FitWarning`; `stacklevel` counts from the caller, which is 1."""
    warnings.warn(message, FitWarning, stacklevel=stacklevel + 1)


def goodness_of_fit(chi_square: Any, degrees_of_freedom: Any) -> Any:
    """Chance that noise alone makes χ² as large; NaN without degrees of freedom."""
    freedom = np.where(np.asarray(degrees_of_freedom) > 0, degrees_of_freedom, np.nan)
    return scipy.stats.chi2.sf(chi_square, freedom)


def goodness_of_deviations(deviation: Any, error: Any, n_blocks: int) -> float:
    """Chance that noise alone makes the largest deviation, in units of its error, as large.

    It is the least chance of all, by Student's distribution for a jackknife of `n_blocks`, times
    their number (Bonferroni), which needs no covariances. Deviations without an error do not count.
    """
    size, error = abs(np.asarray(deviation, float)), np.asarray(error, float)
    z = np.divide(size, error, out=np.zeros_like(size), where=error > 0)
    chance = float(scipy.stats.t.sf(z.max(initial=0.0), n_blocks - 1))
    return float(min(1.0, 2 * z.size * chance))


def minimum_within(
    function: Callable[[float], float], bounds: tuple[float, float], precision: float
) -> float:
    """Place of the minimum of a smooth function; NaN if it lies at an end of the bounds."""
    best = scipy.optimize.minimize_scalar(
        function, bounds=bounds, method="bounded", options={"xatol": precision}
    )
    inside = bounds[0] + 1e-3 < best.x < bounds[1] - 1e-3
    return float(best.x) if inside else np.nan


def numbers_of_fit(argument: str, fit: Any, names: Iterable[str], origin: str) -> dict[str, float]:
    """Numbers by name from the argument `fit`, which must come from the function `origin`."""
    if not isinstance(fit, xr.Dataset):
        raise TypeError(f"{argument} must be a Dataset, from {origin}; got {type(fit).__name__}")
    found = {}
    for name in names:
        if name not in fit or fit[name].size != 1:
            sizes = dict(fit[name].sizes) if name in fit else "nothing of that name"
            raise ValueError(
                f"{argument} must come from {origin}, with one number {name!r}; got {sizes}"
            )
        found[name] = float(fit[name].item())
    return found
