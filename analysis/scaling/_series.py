"""Series of several sizes, their moments, and observables made from means of these."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from analysis._parameters import measured, parameter
from analysis.quantities import OBSERVABLES, power

SAMPLES = ("chain", "draw")
_BINS = 250  # of a chain at the least, if it has as many draws
_SYMBOLS = {
    "energy": "e",
    "magnetization": "|m|",
}  # because the sign of m is arbitrary without a field
_EXPONENTS = {1: "", 2: "²", 4: "⁴"}
NAMES = ("binder_cumulant", "abs_magnetization", "susceptibility", "specific_heat")


def sizes_of(data: Any, least: int) -> xr.Dataset:
    """Return energies and magnetizations with the dims (size, point, chain, draw).

    The order parameter of a Potts model takes the place of the magnetization, under its name.
    ``temperature`` becomes a coordinate over (size, point), and sizes ascend. Fewer sizes than
    `least` are refused, and data that are not finite.
    """
    _check_sizes(data, least)
    if "temperature" in data.dims:
        data = data.rename_dims(temperature="point").reset_index("temperature")
    data = data.sortby("size")
    series = zip(("energy", "magnetization"), measured(data), strict=True)
    found = xr.Dataset({name: data[own].astype(np.float64) for name, own in series}).drop_vars(
        [name for name in data.coords if name != "size"], errors="ignore"
    )
    try:
        found = found.transpose("size", "point", *SAMPLES)
    except ValueError as error:
        raise ValueError(
            "data must have the dims (size, temperature, chain, draw), and no others; got "
            f"{tuple(data['energy'].dims)}"
        ) from error
    for name, values in found.items():
        if not bool(np.isfinite(values).all()):
            raise ValueError(f"data: every draw of {name!r} must be finite")
    shape = found["energy"].isel(chain=0, draw=0)
    for known in ("temperature", "n_sites"):
        values = data[known].reset_coords(drop=True).drop_vars("size", errors="ignore")
        found.coords[known] = values.broadcast_like(shape).transpose(*shape.dims)
    temperature = found["temperature"]
    if not bool((np.isfinite(temperature) & (temperature > 0)).all()):
        raise ValueError(
            "data: the coordinate 'temperature' must be positive and finite for every size; got "
            f"{np.unique(temperature)}"
        )
    return found


def _check_sizes(data: Any, least: int) -> None:
    """Refuse data without several sizes side by side, or in a field."""
    measured(data)
    for name in ("size", "temperature", "n_sites"):
        if name not in data.coords:
            raise ValueError(
                f"data must have the coordinate {name!r} (sizes side by side, with their numbers "
                f"of sites); got {sorted(map(str, data.coords))}"
            )
    field = parameter(data, "field")
    if field is not None and (field.values != 0).any():
        raise ValueError(
            "data must come from runs without a field, because a field leaves no transition and no "
            f"use for |m|; got field = {np.unique(field.values)}"
        )
    if data["size"].dims != ("size",) or data.sizes["size"] < least:
        raise ValueError(
            f"data must hold at least {least} sizes along 'size'; got {data['size'].values}"
        )
    if np.unique(data["size"]).size < data.sizes["size"]:
        raise ValueError(f"data: sizes must differ; got {data['size'].values}")


def series_of(data: Any) -> xr.Dataset:
    """Return the energies and magnetizations of one size with the dims (point, chain, draw)."""
    if isinstance(data, xr.Dataset):
        if "n_sites" not in data.coords and "n_sites" in data.attrs:
            data = data.assign_coords(n_sites=data.attrs["n_sites"])
        if "size" not in data.dims:
            data = data.drop_vars("size", errors="ignore").expand_dims(size=[0])
    return sizes_of(data, 1).isel(size=0, drop=True)


def moments(series: xr.Dataset) -> xr.Dataset:
    """Moments by draw, averaged over a few draws each."""
    # about a constant, because the variance from means of squares would have no digits
    energy = series["energy"] - series["energy"].mean(SAMPLES)
    found = xr.Dataset(moments_of(energy, series["magnetization"])).assign_coords(series.coords)
    n_draws = series.sizes["draw"]  # averaged by a divisor, because a jackknife copies the averages
    length = max(n for n in range(1, max(1, n_draws // _BINS) + 1) if n_draws % n == 0)
    return found.coarsen(draw=length).mean()


def moments_needed(name: str) -> list[str]:
    """Names of the moments that define an observable."""
    observable = OBSERVABLES[name]
    return [_SYMBOLS[observable.series] + _EXPONENTS[each] for each in observable.powers]


_POWERS = {
    moment: (OBSERVABLES[name].series, exponent)
    for name in NAMES
    for moment, exponent in zip(moments_needed(name), OBSERVABLES[name].powers, strict=True)
}


def moments_of(energy: Any, magnetization: Any) -> dict[str, Any]:
    """Powers of e and ``|m|`` that define the observables, by name."""
    series = {"energy": energy, "magnetization": abs(magnetization)}
    return {name: power(series[own], exponent) for name, (own, exponent) in _POWERS.items()}


def named(found: xr.Dataset, data: xr.Dataset) -> xr.Dataset:
    """Results by the names of the data's model: ``order_parameter`` of Potts data for ``|m|``."""
    if measured(data)[1] == "magnetization":
        return found
    names = {name: str(name).replace("abs_magnetization", "order_parameter") for name in found}
    return found.rename(names)


def observables_of(mean: Any) -> dict[str, Any]:
    """Observables by name, from the means of their moments, ``n_sites`` and ``temperature``."""
    found = {}
    for name in NAMES:
        value = OBSERVABLES[name].function(*(mean[moment] for moment in moments_needed(name)))
        found[name] = OBSERVABLES[name].response(value, mean["n_sites"], mean["temperature"])
    return found
