"""Exponents of power laws from measured points with error bars."""

from __future__ import annotations

import numpy as np
import xarray as xr

__all__ = ["power_law"]


def power_law(values: xr.DataArray, error: xr.DataArray, dim: str) -> xr.Dataset:
    r"""Exponent of :math:`y = a x^p`, fitted to independent points with error bars.

    A straight line through :math:`(\ln x, \ln y)`, with weights by the errors of :math:`\ln y`,
    which are small. Errors follow from those given, whatever the scatter: that is judged by
    ``chi_square``, which should be about ``degrees_of_freedom``.

    Parameters
    ----------
    values, error : DataArray
        y and its standard error, over `dim` and any other dims.
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
    """
    if dim not in values.coords or values.sizes.get(dim, 0) < 2:
        raise ValueError(f"values must lie over two or more coordinates {dim!r}; got {values.dims}")
    x = values[dim].astype(float)
    for name, numbers in ((dim, x), ("values", values), ("error", error)):
        if not bool((np.isfinite(numbers) & (numbers > 0)).all()):
            raise ValueError(f"{name} must be positive numbers; got {numbers.values}")
    log_x, log_y, weight = np.log(x), np.log(values), (values / error) ** 2
    total = weight.sum(dim)
    middle = (weight * log_x).sum(dim) / total
    spread = (weight * (log_x - middle) ** 2).sum(dim)
    exponent = (weight * (log_x - middle) * log_y).sum(dim) / spread
    intercept = (weight * log_y).sum(dim) / total - exponent * middle
    amplitude = np.exp(intercept)
    residual = log_y - intercept - exponent * log_x
    return xr.Dataset(
        {
            "exponent": exponent,
            "exponent_error": spread**-0.5,
            "amplitude": amplitude,
            "amplitude_error": amplitude * np.sqrt(1 / total + middle**2 / spread),
            "chi_square": (weight * residual**2).sum(dim),
            "degrees_of_freedom": values.sizes[dim] - 2,
        }
    )
