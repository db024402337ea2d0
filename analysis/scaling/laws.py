"""Power laws and limits of infinite size, fitted to measured points with error bars."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from isingrl._validation import check_real

__all__ = ["extrapolate", "power_law"]


class _Line(NamedTuple):
    intercept: Any
    intercept_error: Any
    slope: Any
    slope_error: Any
    quality: dict[str, Any]


def power_law(values: xr.DataArray, error: xr.DataArray, dim: str) -> xr.Dataset:
    r"""Exponent of :math:`y = a x^p`, fitted to independent points with error bars.

    A straight line through :math:`(\ln x, \ln y)`, with weights by the errors of :math:`\ln y`,
    which are small. Errors follow from those given, whatever the scatter: that is judged by
    ``chi_square``, which should be about ``degrees_of_freedom``.

    Parameters
    ----------
    values, error : DataArray
        The y and their standard errors, over `dim` and any other dims.
    dim : str
        Its coordinate is x.

    Returns
    -------
    Dataset
        ``exponent``, ``amplitude``, each with ``NAME_error``, ``chi_square`` and
        ``degrees_of_freedom``.

    Raises
    ------
    ValueError
        If x, y or an error is not positive, or there are fewer than two points.

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
    x = _coordinate(values, dim, 2)
    for name, numbers in ((dim, x), ("values", values), ("error", error)):
        _check_positive(name, numbers)
    line = _weighted_line(np.log(x), np.log(values), error / values, dim)
    amplitude = np.exp(line.intercept)
    return xr.Dataset(
        {
            "exponent": line.slope,
            "exponent_error": line.slope_error,
            "amplitude": amplitude,
            "amplitude_error": amplitude * line.intercept_error,
            **line.quality,
        }
    )


def extrapolate(
    values: xr.DataArray, error: xr.DataArray, exponent: float, dim: str = "size"
) -> xr.Dataset:
    r"""Limit of :math:`y(L) = y_\infty + a L^{-p}`, fitted to independent points with error bars.

    Parameters
    ----------
    values, error : DataArray
        The y and their standard errors, over `dim` and any other dims.
    exponent : float
        Power p > 0: 1/ν for pseudo-critical temperatures, 1/ν + ω for crossings.
    dim : str
        Its coordinate is L.

    Returns
    -------
    Dataset
        ``limit``, ``amplitude``, each with ``NAME_error``, ``chi_square`` and
        ``degrees_of_freedom``.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than three sizes, or numbers that are not finite, or not positive where
        they have to be.

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
    size = _coordinate(values, dim, 3)
    power = check_real("exponent", exponent)
    for name, numbers in ((dim, size), ("error", error), ("exponent", xr.DataArray(power))):
        _check_positive(name, numbers)
    if not bool(np.isfinite(values).all()):
        raise ValueError(f"values must be finite; got {values.values}")
    line = _weighted_line(size**-power, values, error, dim)
    return xr.Dataset(
        {
            "limit": line.intercept,
            "limit_error": line.intercept_error,
            "amplitude": line.slope,
            "amplitude_error": line.slope_error,
            **line.quality,
        }
    )


def _coordinate(values: xr.DataArray, dim: str, least: int) -> xr.DataArray:
    if dim not in values.coords or values.sizes.get(dim, 0) < least:
        raise ValueError(
            f"values must lie over a coordinate {dim!r} of {least} or more points; got "
            f"{dict(values.sizes)}"
        )
    return values[dim].astype(float)


def _check_positive(name: str, numbers: xr.DataArray) -> None:
    if not bool((np.isfinite(numbers) & (numbers > 0)).all()):
        raise ValueError(f"{name} must be positive and finite; got {numbers.values}")


def _weighted_line(x: Any, y: Any, error: xr.DataArray, dim: str) -> _Line:
    """Least squares with weights by the errors."""
    weight = error**-2.0
    total = weight.sum(dim)
    middle = (weight * x).sum(dim) / total
    spread = (weight * (x - middle) ** 2).sum(dim)
    slope = (weight * (x - middle) * y).sum(dim) / spread
    intercept = (weight * y).sum(dim) / total - slope * middle
    chi_square = (weight * (y - intercept - slope * x) ** 2).sum(dim)
    quality = {"chi_square": chi_square, "degrees_of_freedom": x.sizes[dim] - 2}
    intercept_error = np.sqrt(1 / total + middle**2 / spread)
    return _Line(intercept, intercept_error, slope, spread**-0.5, quality)
