"""Exact values as a Dataset over temperature, and over the fields if there are several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.quantities import coordinate, quantity_attrs
from isingrl.spin_model import Model


def over_temperature(
    temperature: npt.NDArray[np.float64],
    values: Mapping[str, npt.NDArray[np.float64]],
    coords: Mapping[str, Any],
    attrs: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Dataset of values, shape (n_temperatures,) or, for several fields, (…, n_fields).

    ``state_share`` has one more axis, for the states.
    """
    variables = {}
    for name, array in values.items():
        own = ("state",) if name == "state_share" else ()
        dims = ("temperature", "field")[: array.ndim - len(own)] + own
        variables[name] = dims, array, quantity_attrs(name)
    first: dict[str, Any] = {"temperature": coordinate("temperature", temperature)}
    if "state_share" in values:
        first["state"] = np.arange(values["state_share"].shape[-1])
    return xr.Dataset(variables, first | dict(coords), attrs)


def in_each_field(
    model: Model, function: Callable[[float], Mapping[str, npt.NDArray[np.float64]]]
) -> dict[str, npt.NDArray[np.float64]]:
    """Values by name for the field of a model, or for several fields along the second axis."""
    found = [function(each.one_field()) for each in model.each_field]
    if isinstance(model.field, float):
        return dict(found[0])
    return {name: np.stack([each[name] for each in found], axis=1) for name in found[0]}


def states_shared(first: npt.NDArray[np.float64], states: int) -> npt.NDArray[np.float64]:
    """Shares of all states from that of the state 0, because the others are alike."""
    others = (1 - first) / (states - 1)
    return np.stack([first, *[others] * (states - 1)], axis=-1)
