"""Samples along named dims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from analysis.errors.arrays.blocks import MIN_BLOCKS


def samples_of(data: Any, dims: tuple[str, ...]) -> xr.Dataset:
    """Return the data as a Dataset, or refuse data without the dims."""
    if not isinstance(data, xr.Dataset | xr.DataArray):
        raise TypeError(f"data must be an xarray Dataset or DataArray; got {type(data).__name__}")
    if len(set(dims)) != len(dims) or not 1 <= len(dims) <= 2:
        raise ValueError(f"dims must name one or two dims, the last one of time; got {dims}")
    missing = [dim for dim in dims if dim not in data.dims]
    if missing:
        raise ValueError(f"data must have the dims {dims}; got {tuple(data.dims)}")
    empty = [dim for dim in dims if data.sizes[dim] == 0]
    if empty:
        raise ValueError(f"data must hold samples along {dims}; got none along {empty[0]!r}")
    if isinstance(data, xr.Dataset):
        return data
    return data.to_dataset(name="value" if data.name is None else data.name)


def numbers_of(samples: xr.Dataset, dims: tuple[str, ...]) -> tuple[int, int]:
    """Return the numbers of chains and of samples in each."""
    return int(np.prod([samples.sizes[dim] for dim in dims[:-1]])), samples.sizes[dims[-1]]


def series_along(samples: xr.Dataset, dims: tuple[str, ...]) -> list[xr.DataArray]:
    """Variables along `dims`, with axes (..., n_chains, n_draws)."""
    found = []
    for name, values in samples.data_vars.items():
        own = set(dims) & set(values.dims)
        if not own:
            continue
        if own != set(dims):
            raise ValueError(
                f"data: {name!r} must have all of the dims {dims} or none; got {values.dims}"
            )
        series = values if len(dims) > 1 else values.expand_dims("_chain")
        last = dims if len(dims) > 1 else ("_chain", *dims)
        found.append(series.transpose(..., *last).astype(np.float64))
    return found


def coordinates_beside(samples: xr.Dataset, dims: tuple[str, ...]) -> xr.Dataset:
    """Return a Dataset without variables, with the coordinates that do not lie along `dims`."""
    kept = {name: each for name, each in samples.coords.items() if not set(dims) & set(each.dims)}
    return xr.Dataset(coords=kept)


def finite_series_along(samples: xr.Dataset, dims: tuple[str, ...]) -> Iterator[xr.DataArray]:
    """`series_along`, which refuses NaN and infinity."""
    for series in series_along(samples, dims):
        check_finite(series, f"sample of {series.name!r}")
        yield series


def check_finite(values: Any, what: str, where: str = "") -> None:
    """Refuse NaN and infinity, because a series in time has no gaps."""
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ValueError(f"data: every {what} must be finite; got {bad} that are not{where}")


def check_number(n_samples: int) -> None:
    """Refuse samples that are too few for an error bar."""
    if n_samples < MIN_BLOCKS:
        raise ValueError(
            f"data must hold at least {MIN_BLOCKS} samples over all chains for an error bar; got "
            f"{n_samples} (more of them, or dims=('chain',) to leave out whole chains)"
        )


def place_of(template: xr.DataArray, run: tuple[int, ...]) -> str:
    """Coordinates of a run, in words."""
    return ", ".join(
        f"{dim} = {template[dim].values[index] if dim in template.coords else index}"
        for dim, index in zip(template.dims, run, strict=True)
    )
