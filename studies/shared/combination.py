"""Join the results of tasks to one Dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import xarray as xr

_STRICT: dict[str, Any] = {
    "data_vars": "all",
    "coords": "different",
    "compat": "equals",
    "join": "exact",
    "combine_attrs": "drop_conflicts",
}
_FORMER_ATTRIBUTES = (
    "shape", "n_sites", "neighborhood", "boundary", "coupling", "field", "schedule",
    "interval", "rule",
)  # fmt: skip


def concat(datasets: Iterable[xr.Dataset], dim: Any) -> xr.Dataset:
    """Concatenate along `dim`, a name or an index; attributes that differ are dropped."""
    return xr.concat([_as_now(data) for data in datasets], dim=dim, **_STRICT)


def concat_all(
    results: Mapping[str, xr.Dataset], key: Callable[..., str], **dims: Sequence[Any]
) -> xr.Dataset:
    """Concatenate the results of all combinations of values along their dims, the first outermost.

    Parameters
    ----------
    results : mapping
        By key.
    key : callable
        Key of a combination, from one value for each dim.
    **dims : sequence
        Values for each dim.
    """
    data = [results[key(*values)] for values in product(*dims.values())]
    for dim, values in reversed(dims.items()):
        number = len(values)
        data = [concat(data[k : k + number], dim) for k in range(0, len(data), number)]
    return data[0]


def by_point(data: xr.Dataset) -> xr.Dataset:
    """Number the temperatures of a run along ``point``, so that others can lie beside them."""
    data = data.rename_dims(temperature="point").reset_index("temperature")
    return data.reset_coords("temperature")


def numbered(data: xr.Dataset) -> xr.Dataset:
    """Number the draws of a run, so that runs with other intervals can lie beside it."""
    interval = data["draw"].attrs["interval"]
    return data.assign_coords(draw=np.arange(data.sizes["draw"]), interval=interval)


def prefixed(data: xr.Dataset, prefix: str, shared: str) -> xr.Dataset:
    """Put a prefix before all names but that of the dim `shared`, so that others can join it."""
    names = {str(name) for name in [*data.variables, *data.dims]} - {shared}
    return data.rename({name: f"{prefix}{name}" for name in names})


def without_prefix(data: xr.Dataset, prefix: str, shared: str) -> xr.Dataset:
    """Undo `prefixed` for the part of joined data that has the prefix."""
    names = {str(name) for name in [*data.variables, *data.dims] if str(name).startswith(prefix)}
    part = data.drop_vars([name for name in data.variables if name not in names | {shared}])
    return part.rename({name: name.removeprefix(prefix) for name in names})


def _as_now(data: xr.Dataset) -> xr.Dataset:
    """Move attributes of results of earlier versions to coordinates."""
    former = {name: data.attrs[name] for name in _FORMER_ATTRIBUTES if name in data.attrs}
    if not former:
        return data
    for name in ("interval", "rule"):
        former.pop(name, None)
    if "shape" in former:
        former["sides"] = "x".join(map(str, np.atleast_1d(former.pop("shape"))))
    kept = {name: value for name, value in data.attrs.items() if name not in _FORMER_ATTRIBUTES}
    found = data.assign_coords({each: former[each] for each in former if each not in data.coords})
    interval = data.attrs.get("interval")
    if interval and "interval" not in data.coords and "draw" in data.coords:
        label = {"long_name": "sweeps after the first draw", "units": "sweeps"}
        draws = data["draw"].values * interval
        found = found.assign_coords(draw=("draw", draws, label | {"interval": interval}))
    return found.drop_attrs(deep=False).assign_attrs(kept)
