"""Exact values as a Dataset over temperature, and over the fields if there are several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.quantities import coordinate, quantity_attrs
from isingrl.model import Ising


def over_temperature(
    temperature: npt.NDArray[np.float64],
    values: Mapping[str, npt.NDArray[np.float64]],
    coords: Mapping[str, Any],
    attrs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Dataset of values, shape (n_temperatures,) or, for several fields, (…, n_fields)."""
    dims = ("temperature", "field")
    variables = {
        name: (dims[: array.ndim], array, quantity_attrs(name)) for name, array in values.items()
    }
    first = {"temperature": coordinate("temperature", temperature)}
    return xr.Dataset(variables, first | dict(coords), attrs)


def in_each_field(
    model: Ising, function: Callable[[float], Mapping[str, npt.NDArray[np.float64]]]
) -> dict[str, npt.NDArray[np.float64]]:
    """Values by name for the field of a model, or for several fields along a last axis."""
    found = [function(each.one_field()) for each in model.each_field]
    if isinstance(model.field, float):
        return dict(found[0])
    return {name: np.stack([each[name] for each in found], axis=-1) for name in found[0]}
