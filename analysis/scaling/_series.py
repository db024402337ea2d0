"""Series of several sizes, their moments, and observables made from means of these."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from analysis._parameters import parameter

SAMPLES = ("chain", "draw")
_BINS = 250  # of a chain at the least, if it has as many draws
OBSERVABLES = ("binder_cumulant", "abs_magnetization", "susceptibility", "specific_heat")


def sizes_of(data: Any, least: int) -> xr.Dataset:
    """Return energies and magnetizations with the dims (size, point, chain, draw).

    ``temperature`` becomes a coordinate over (size, point), and sizes ascend.

    Raises
    ------
    TypeError, ValueError
        If something is missing, not finite, or there are fewer sizes than `least`.
    """
    if not isinstance(data, xr.Dataset):
        raise TypeError(f"data must be an xarray Dataset; got {type(data).__name__}")
    for name in ("energy", "magnetization"):
        if name not in data:
            raise ValueError(
                f"data must hold the variables 'energy' and 'magnetization'; got "
                f"{sorted(map(str, data.data_vars))}"
            )
    for name in ("size", "temperature", "n_sites"):
        if name not in data.coords:
            raise ValueError(
                f"data must have the coordinate {name!r} (sizes side by side, with their numbers "
                f"of sites); got {sorted(map(str, data.coords))}"
            )
    field = parameter(data, "field")
    if field is not None and (field.values != 0).any():
        raise ValueError(
            "data must be those of runs without a field, in which there is no transition and no "
            f"use in |m|; got field = {np.unique(field.values)}"
        )
    if data["size"].dims != ("size",) or data.sizes["size"] < least:
        raise ValueError(
            f"data must hold at least {least} sizes along 'size'; got {data['size'].values}"
        )
    if np.unique(data["size"]).size < data.sizes["size"]:
        raise ValueError(f"data: sizes must differ; got {data['size'].values}")
    if "temperature" in data.dims:
        data = data.rename_dims(temperature="point").reset_index("temperature")
    data = data.sortby("size")
    found = xr.Dataset(
        {name: data[name].astype(np.float64) for name in ("energy", "magnetization")}
    ).drop_vars([name for name in data.coords if name != "size"], errors="ignore")
    try:
        found = found.transpose("size", "point", *SAMPLES)
    except ValueError as error:
        raise ValueError(
            "data must have the dims (size, temperature, chain, draw), and no others; got "
            f"{tuple(data['energy'].dims)}"
        ) from error
    for each, values in found.items():
        if not bool(np.isfinite(values).all()):
            raise ValueError(f"data: every draw of {each!r} must be finite")
    shape = found["energy"].isel(chain=0, draw=0)
    for name in ("temperature", "n_sites"):
        values = data[name].reset_coords(drop=True).drop_vars("size", errors="ignore")
        found.coords[name] = values.broadcast_like(shape).transpose(*shape.dims)
    temperature = found["temperature"]
    if not bool((np.isfinite(temperature) & (temperature > 0)).all()):
        raise ValueError(
            "data: the coordinate 'temperature' must be positive and finite for every size; got "
            f"{np.unique(temperature)}"
        )
    return found


def series_of(data: Any) -> xr.Dataset:
    """Return the energies and magnetizations of one size with the dims (point, chain, draw).

    Raises
    ------
    TypeError, ValueError
        If something is missing or not finite.
    """
    if isinstance(data, xr.Dataset):
        if "n_sites" not in data.coords and "n_sites" in data.attrs:
            data = data.assign_coords(n_sites=data.attrs["n_sites"])
        if "size" not in data.dims:
            data = data.drop_vars("size", errors="ignore").expand_dims(size=[0])
    return sizes_of(data, 1).isel(size=0, drop=True)


def moments(series: xr.Dataset) -> xr.Dataset:
    """Powers of the energy and magnetization, averaged over a few draws each."""
    # about a constant: means of squares would leave a variance no digits
    energy = series["energy"] - series["energy"].mean(SAMPLES)
    found = xr.Dataset(moments_of(energy, series["magnetization"])).assign_coords(series.coords)
    return found.coarsen(draw=_bin_length(series.sizes["draw"])).mean()


def _bin_length(n_draws: int) -> int:
    """Draws averaged at once, a divisor of their number: a jackknife copies what is left."""
    return max(n for n in range(1, max(1, n_draws // _BINS) + 1) if n_draws % n == 0)


def moments_of(energy: Any, magnetization: Any) -> dict[str, Any]:
    """Powers from which `observables_of` makes observables."""
    square = magnetization**2
    return {
        "m": abs(magnetization),
        "m2": square,
        "m4": square**2,
        "e": energy,
        "e2": energy**2,
    }


def observables_of(mean: xr.Dataset) -> xr.Dataset:
    """Observables from means of `moments`, as `analysis.thermodynamics` defines them."""
    return xr.Dataset(numbers_of(mean))


def binder_cumulant(mean: Any) -> Any:
    """U₄ from the means of m² and m⁴."""
    return 1 - mean["m4"] / (3 * mean["m2"] ** 2)


def numbers_of(mean: Any) -> dict[str, Any]:
    """The same from a mapping of numbers."""
    temperature, n_sites = mean["temperature"], mean["n_sites"]
    return {
        "binder_cumulant": binder_cumulant(mean),
        "abs_magnetization": mean["m"],
        "susceptibility": n_sites * (mean["m2"] - mean["m"] ** 2) / temperature,
        "specific_heat": n_sites * (mean["e2"] - mean["e"] ** 2) / temperature**2,
    }


def check_observable(name: str) -> str:
    """Return `name` if it is an observable of `observables_of`."""
    if name not in OBSERVABLES:
        raise ValueError(f"name must be one of {OBSERVABLES}; got {name!r}")
    return name
