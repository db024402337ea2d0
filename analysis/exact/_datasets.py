"""Exact values as a Dataset over temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.quantities import quantity_attrs


def over_temperature(
    temperature: npt.NDArray[np.float64],
    values: Mapping[str, npt.NDArray[np.float64]],
    attrs: Mapping[str, Any],
) -> xr.Dataset:
    """Dataset with dim ``temperature`` of named values, each of shape (n_temperatures,)."""
    variables = {
        name: ("temperature", array, quantity_attrs(name)) for name, array in values.items()
    }
    coords = {"temperature": ("temperature", temperature, quantity_attrs("temperature"))}
    return xr.Dataset(variables, coords, dict(attrs))
