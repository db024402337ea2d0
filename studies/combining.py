"""Join the results of tasks to one Dataset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import xarray as xr

_STRICT: dict[str, Any] = {
    "data_vars": "all",
    "coords": "different",
    "compat": "equals",
    "join": "exact",
    "combine_attrs": "drop_conflicts",
}


def concat(datasets: Iterable[xr.Dataset], dim: Any) -> xr.Dataset:
    """Concatenate along `dim`, a name or an index; attributes that differ are dropped."""
    return xr.concat(list(datasets), dim=dim, **_STRICT)
