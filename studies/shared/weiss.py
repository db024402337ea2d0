"""Weiss's theory beside measured order: the critical temperature that it would need."""

from __future__ import annotations

import numpy as np
import xarray as xr

__all__ = ["mean_weiss_temperature", "weiss_temperature"]

_UNITS = "J/k_B"


def weiss_temperature(summary: xr.Dataset) -> xr.Dataset:
    r"""Critical temperature that Weiss's theory needs for an observed magnetization.

    Its :math:`m = \tanh(T_W m / T)` gives :math:`T_W = T \operatorname{artanh}(m) / m` at every
    temperature T below :math:`T_W`. If the order follows the theory, all T give the same.

    Parameters
    ----------
    summary : Dataset
        ``abs_magnetization`` and ``abs_magnetization_error`` over ``temperature``, as
        `analysis.thermodynamics` returns them.

    Returns
    -------
    Dataset
        ``weiss_temperature`` and ``weiss_temperature_error`` in J/k_B, of the same shape.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import exact
    >>> from studies.shared.weiss import weiss_temperature
    >>> known = exact.weiss(irl.Ising(irl.Lattice((4, 4))), [2.0, 3.0, 3.9])
    >>> known["abs_magnetization_error"] = 0 * known["abs_magnetization"]
    >>> weiss_temperature(known).weiss_temperature.values.round(6)
    array([4., 4., 4.])
    """
    order, error = (summary[f"abs_magnetization{end}"] for end in ("", "_error"))
    temperature = summary["temperature"]
    ratio = np.arctanh(order) / order
    slope = (1 / (1 - order**2) - ratio) / order
    label = {"long_name": "Weiss temperature", "units": _UNITS}
    found = xr.Dataset({"weiss_temperature": (temperature * ratio).assign_attrs(label)})
    label = {**label, "long_name": "standard error of the Weiss temperature"}
    found["weiss_temperature_error"] = (temperature * slope * error).assign_attrs(label)
    return found


def mean_weiss_temperature(each: xr.Dataset) -> xr.Dataset:
    """Mean of Weiss temperatures with weights by their errors, and whether they agree.

    Parameters
    ----------
    each : Dataset
        As `weiss_temperature` returns it, along one dim.

    Returns
    -------
    Dataset
        ``weiss_temperature``, ``weiss_temperature_error`` and ``weiss_chi_square``, numbers.
    """
    values, errors = (each[f"weiss_temperature{end}"] for end in ("", "_error"))
    weights = errors.values**-2
    mean = np.sum(weights * values.values) / weights.sum()
    label = {"long_name": "χ² of the Weiss temperatures against their mean", "units": "1"}
    return xr.Dataset(
        {
            "weiss_temperature": ((), mean, values.attrs),
            "weiss_temperature_error": ((), weights.sum() ** -0.5, errors.attrs),
            "weiss_chi_square": ((), np.sum(weights * (values.values - mean) ** 2), label),
        }
    )
