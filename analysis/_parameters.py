"""What the runs of a Dataset were made with: sites, times of draws, couplings, fields, lattices.

It lies in coordinates, which stay with the numbers where Datasets are joined or parts of them are
taken. Files of earlier versions have attributes instead, which are read where there is no
coordinate.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

FloatArray = npt.NDArray[np.float64]

_MANY = 100  # changes of the magnetization, all of them even: chance does not make as many
_SEVERAL = 4  # values
_ROUNDING = 1e-13  # of a magnetization


def parameter(data: xr.Dataset | xr.DataArray, name: str) -> xr.DataArray | None:
    """Return the coordinate of that name or, as a scalar, the attribute; None without both."""
    if name in data.coords:
        variable = data.coords[name].variable
        return xr.DataArray(variable.values, dims=variable.dims, name=name)
    if name == "sides" and "shape" in data.attrs:
        return xr.DataArray("x".join(map(str, np.atleast_1d(data.attrs["shape"]))), name=name)
    if name in data.attrs:
        return xr.DataArray(np.asarray(data.attrs[name]).item(), name=name)
    return None


def required(data: xr.Dataset | xr.DataArray, name: str) -> xr.DataArray:
    """Return a parameter that has to be there."""
    value = parameter(data, name)
    if value is None:
        raise ValueError(
            f"data must have the attribute or coordinate {name!r}, as isingrl.simulate makes it; "
            f"got the coordinates {sorted(map(str, data.coords))}"
        )
    return value


def single(data: xr.Dataset | xr.DataArray, name: str) -> Any:
    """Return the one value of a parameter, which all of the data must share."""
    value = required(data, name)
    values = np.unique(value.values)
    if values.size != 1:
        raise ValueError(
            f"data must have one {name} here; got {values.tolist()} along {value.dims}: take a "
            "part with one of them at a time"
        )
    return values[0].item()


def numbers_along(
    data: xr.Dataset, name: str, template: xr.DataArray, default: float | None = None
) -> FloatArray:
    """Return a parameter of each run, in the template's shape; the default where it is missing."""
    value = parameter(data, name)
    if value is None and default is not None:
        return np.full(template.shape, default)
    value = required(data, name)
    if not set(value.dims) <= set(template.dims):
        raise ValueError(
            f"data: {name!r} must lie along {template.dims}, one value a run; got {value.dims}: "
            "runs that differ in it lie side by side along a dim of their own"
        )
    if value.dtype.kind not in "iuf":
        raise ValueError(f"data: {name!r} must be a number; got {value.values}")
    along = value.broadcast_like(template).transpose(*template.dims)
    return np.asarray(along, dtype=np.float64)


def positive_along(data: xr.Dataset, name: str, template: xr.DataArray) -> FloatArray:
    """As `numbers_along`, of what has to be positive."""
    values = numbers_along(data, name, template)
    if not (values > 0).all():
        raise ValueError(f"data: {name!r} must be positive; got {values.min():g}")
    return values


def sweeps_between_draws(data: xr.Dataset, template: xr.DataArray) -> FloatArray:
    """Return by how many sweeps the draws of each run lie apart.

    The coordinate ``draw`` is in sweeps if its units say so, and a number else, which ``interval``
    turns into sweeps: so thinned runs are right either way.
    """
    draw = data.coords.get("draw")
    step = _step(draw)
    if draw is None or draw.attrs.get("units") != "sweeps":
        return positive_along(data, "interval", template) * step
    if "interval" in data.coords and (numbers_along(data, "interval", template) != step).any():
        raise ValueError(
            f"data: 'draw' says that draws lie {step:g} sweeps apart, and 'interval' "
            f"{np.unique(data['interval'])}. {_NUMBERED}"
        )
    return np.full(template.shape, step)


_NUMBERED = (
    "Runs of several intervals lie side by side if their draws are numbered: "
    "run.assign_coords(draw=range(n_draws), interval=...) for each"
)


def _step(draw: xr.DataArray | None) -> float:
    if draw is None or draw.dtype.kind not in "iuf":
        return 1.0
    steps = np.diff(draw.values)
    uneven = np.flatnonzero((steps <= 0) | ~np.isclose(steps, steps[:1]))
    if uneven.size:
        first, second = draw.values[uneven[0] : uneven[0] + 2]
        raise ValueError(
            "data: the coordinate 'draw' must ascend by even steps, or draws are no series in "
            f"time; got {second!s} after {first!s}. {_NUMBERED}"
        )
    return float(steps[0]) if steps.size else 1.0


def check_number_of_sites(magnetization: FloatArray, n_sites: float, where: str) -> None:
    """Refuse a number of sites of which the magnetizations of a run, if of spins, cannot be.

    xarray keeps the coordinates of the first Dataset where it is told not to compare them
    (``compat="override"``, to become its default).
    """
    for series in magnetization:
        shown = _sites_shown(series)
        if shown is None or shown == n_sites:
            continue
        few = np.count_nonzero(np.diff(series)) < _MANY
        if n_sites % shown == 0 and few:
            continue
        raise ValueError(
            f"data: n_sites is {n_sites:g} at {where}, but the magnetizations there are those of "
            f"{shown} sites. Where runs of several sizes were joined, join them with "
            'xr.concat(..., coords="different", compat="equals"), which keeps the n_sites of each'
        )


def _sites_shown(magnetization: FloatArray) -> int | None:
    """Smallest number of spins whose mean can take these values; None for other numbers."""
    values = np.unique(magnetization)
    values = values[np.diff(values, prepend=-np.inf) > _ROUNDING]
    if values.size < _SEVERAL or abs(values).max() > 1:
        return None
    shown = np.rint(2 / np.diff(values).min())
    down = (1 - values) * shown / 2
    return int(shown) if np.allclose(down, np.rint(down), rtol=0, atol=1e-6) else None
