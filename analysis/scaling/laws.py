"""Power laws and limits of infinite size, fitted to measured points with error bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from analysis._fits import ACCEPTABLE, POOR, goodness_of_fit, warn_of_fit
from isingrl.support.validation import check_real

__all__ = ["extrapolate", "power_law"]


_QUALITY = ("chi_square", "degrees_of_freedom", "goodness_of_fit")
_LEAST = 3  # sizes of an extrapolation


def power_law(values: xr.DataArray, error: xr.DataArray, dim: str) -> xr.Dataset:
    r"""Exponent of :math:`y = a x^p`, fitted to independent points with error bars.

    A straight line through :math:`(\ln x, \ln y)`, with weights by the errors of :math:`\ln y`,
    which must be small. Errors follow from the given ones. If the goodness of fit is below 0.01
    (divided by the number of fits), the errors are multiplied by the square root of χ² over the
    degrees of freedom, and a warning is issued.

    Parameters
    ----------
    values, error : DataArray
        The y and their standard errors, over `dim` and any other dims.
    dim : str
        Dim with x as its coordinate.

    Returns
    -------
    Dataset
        ``exponent``, ``amplitude``, each with ``NAME_error``, ``chi_square``,
        ``degrees_of_freedom`` and ``goodness_of_fit``, the chance that noise makes χ² as large; NaN
        for two points, which cannot test a fit.

    Raises
    ------
    ValueError
        If x, y or an error is not positive, or fewer than two x differ.

    Warns
    -----
    FitWarning
        If the goodness of fit is below 0.01: the points do not follow one power.

    References
    ----------
    P. R. Bevington, D. K. Robinson, "Data Reduction and Error Analysis for the Physical Sciences"
    (McGraw-Hill, 2003), chapter 6.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import power_law
    >>> m = xr.DataArray([0.84, 0.77, 0.71], {"size": [4, 8, 16]}, ("size",))
    >>> law = power_law(m, 0.01 * m, "size")
    >>> bool(abs(law.exponent + 0.125) < 2 * law.exponent_error), law.degrees_of_freedom.item()
    (True, 1)
    """
    x = _abscissa(values, dim, 2)
    for name, numbers in ((dim, x), ("values", values), ("error", error)):
        _check_positive(name, numbers)
    line = _weighted_line(np.log(x), np.log(values), error / values, dim)
    line = _judged(line, f"the power law of {dim!r}", f"Leave out values of {dim!r} at one end")
    amplitude = np.exp(line["intercept"])
    line = line.assign(amplitude=amplitude, amplitude_error=amplitude * line["intercept_error"])
    line = line.rename(slope="exponent", slope_error="exponent_error")
    return line[["exponent", "exponent_error", "amplitude", "amplitude_error", *_QUALITY]]


def extrapolate(
    values: xr.DataArray, error: xr.DataArray, exponent: float, dim: str = "size"
) -> xr.Dataset:
    r"""Limit of :math:`y(L) = y_\infty + a L^{-p}`, fitted to independent points with error bars.

    Small sizes, which also feel the next power, are left out one after the other until the
    goodness of fit is at least 0.1 or three sizes are left. If it is then below 0.01 (divided by
    the number of fits), the errors are multiplied by the square root of χ² over the degrees of
    freedom, and a warning is issued.

    Parameters
    ----------
    values, error : DataArray
        The y and their standard errors, over `dim` and any other dims.
    exponent : float
        Power p > 0: 1/ν for pseudo-critical temperatures, 1/ν + ω for crossings.
    dim : str
        Dim with L as its coordinate.

    Returns
    -------
    Dataset
        ``limit``, ``amplitude``, each with ``NAME_error``, ``chi_square``,
        ``degrees_of_freedom``, ``goodness_of_fit``, the chance that noise makes χ² as large, and
        ``first_size``, the smallest size in the fit.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than three sizes, if a value is not finite, or if a size, an error or
        the exponent is not positive.

    Warns
    -----
    FitWarning
        If the goodness of fit of the three largest sizes is below 0.01.

    References
    ----------
    M. E. Fisher, M. N. Barber, "Scaling theory for finite-size effects in the critical region",
    Phys. Rev. Lett. 28, 1516 (1972).

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import scaling
    >>> peaks = xr.DataArray([2.45, 2.36, 2.315], {"size": [8, 16, 32]}, ("size",))
    >>> limit = scaling.extrapolate(peaks, xr.full_like(peaks, 0.005), exponent=1.0)
    >>> round(limit.limit.item(), 3), round(limit.limit_error.item(), 3)
    (2.27, 0.006)
    """
    size = _abscissa(values, dim, _LEAST)
    power = check_real("exponent", exponent)
    for name, numbers in ((dim, size), ("error", error), ("exponent", xr.DataArray(power))):
        _check_positive(name, numbers)
    if not bool(np.isfinite(values).all()):
        raise ValueError(f"values must be finite; got {values.values}")
    values, error = values.sortby(dim), error.sortby(dim)
    size = values[dim].astype(float)
    found: xr.Dataset | None = None
    for first in range(size.size - _LEAST, -1, -1):  # the last good fit has the most sizes
        kept = {dim: slice(first, None)}
        x = size[kept] ** -power
        line = _weighted_line(x, values[kept], error[kept], dim)
        line = line.assign(first_size=size[first].item())
        found = line if found is None else line.where(line["goodness_of_fit"] >= ACCEPTABLE, found)
    assert found is not None  # since there are three sizes
    line = _judged(found, "the extrapolation in size", "Add larger sizes, or take another exponent")
    names = {"intercept": "limit", "slope": "amplitude"}
    line = line.rename({**names, **{f"{old}_error": f"{new}_error" for old, new in names.items()}})
    return line[["limit", "limit_error", "amplitude", "amplitude_error", *_QUALITY, "first_size"]]


def _abscissa(values: xr.DataArray, dim: str, least: int) -> xr.DataArray:
    if dim not in values.coords or values.sizes.get(dim, 0) < least:
        raise ValueError(
            f"values must lie over a coordinate {dim!r} of {least} or more points; got "
            f"{dict(values.sizes)}"
        )
    return values[dim].astype(float)


def _check_positive(name: str, numbers: xr.DataArray) -> None:
    if not bool((np.isfinite(numbers) & (numbers > 0)).all()):
        raise ValueError(f"{name} must be positive and finite; got {numbers.values}")


def _weighted_line(x: Any, y: Any, error: xr.DataArray, dim: str) -> xr.Dataset:
    """Straight line by least squares with weights by the errors."""
    if np.unique(x).size < 2:
        raise ValueError(f"{dim} must hold two or more different values; got {x[dim].values}")
    weight = error**-2.0
    total = weight.sum(dim)
    middle = (weight * x).sum(dim) / total
    spread = (weight * (x - middle) ** 2).sum(dim)
    slope = (weight * (x - middle) * y).sum(dim) / spread
    intercept = (weight * y).sum(dim) / total - slope * middle
    chi_square = (weight * (y - intercept - slope * x) ** 2).sum(dim)
    freedom = x.sizes[dim] - 2
    return xr.Dataset(
        {
            "intercept": intercept,
            "intercept_error": np.sqrt(1 / total + middle**2 / spread),
            "slope": slope,
            "slope_error": spread**-0.5,
            "chi_square": chi_square,
            "degrees_of_freedom": freedom,
            "goodness_of_fit": (chi_square.dims, goodness_of_fit(chi_square, freedom)),
        }
    )


def _judged(line: xr.Dataset, what: str, remedy: str) -> xr.Dataset:
    """Enlarge the errors of poor fits, and warn of them."""
    limit = POOR / line["goodness_of_fit"].size  # many good fits have some below POOR by chance
    poor = line["goodness_of_fit"] < limit
    if poor.any():
        worst = float((line["chi_square"] / line["degrees_of_freedom"]).max())
        warn_of_fit(
            f"{what}: {int(poor.sum())} of {poor.size} fits have a goodness below {limit:.3g}, "
            f"with χ² up to {worst:.3g} times the degrees of freedom, where about 1 is expected. "
            f"Their errors are enlarged by the square root of that. {remedy}.",
            3,
        )
    for name in ("intercept_error", "slope_error"):
        factor = np.sqrt(line["chi_square"] / line["degrees_of_freedom"])
        line[name] = line[name] * xr.where(poor, factor, 1.0)
    return line
