"""What the study of homogenisation finds in its runs: critical temperatures, and its new parts."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis import exact, scaling, thermodynamics
from studies.shared.critical import KINDS, where_cumulant_falls
from studies.shared.weiss import mean_weiss_temperature, weiss_temperature

# at T_c on a square torus, all directions alike: Kamieniarz & Blöte (1993)
_CUMULANT = 0.61069


def crossing(data: xr.Dataset) -> xr.Dataset:
    """Critical temperature from the Binder cumulants of all sizes, and how well the fit holds."""
    fit = scaling.critical_point(
        data.set_coords("temperature").swap_dims(level="size"),
        correction=KINDS["square"].correction,
    )
    ends = ("", "_error", "_systematic")
    names = [f"critical_temperature{end}" for end in ends]
    return fit[[*names, "chi_square", "degrees_of_freedom", "first_size"]].reset_coords(drop=True)


def of_weiss(data: xr.Dataset) -> xr.Dataset:
    """Critical temperature that Weiss's theory needs for the order of independent Q."""
    runs = data.swap_dims(point="temperature").set_coords("temperature")
    each = weiss_temperature(thermodynamics(runs))
    found = mean_weiss_temperature(each).rename(
        weiss_temperature="critical_temperature",
        weiss_temperature_error="critical_temperature_error",
        weiss_chi_square="chi_square",
    )
    freedom = float(each.sizes["temperature"] - 1)
    return found.assign(
        critical_temperature_systematic=0.0, degrees_of_freedom=freedom, first_size=np.nan
    )


def of_shells(data: xr.Dataset) -> xr.Dataset:
    """Order and energy with errors, and where every method has the cumulant of a critical point."""
    found = thermodynamics(data)
    ends = np.array([_falls(data.sel({"method": each})) for each in data["method"].values])
    label = {"long_name": "temperature of the critical Binder cumulant", "units": "J/k_B"}
    found["critical_temperature"] = ("method", ends[:, 0], label)
    label = {**label, "long_name": f"standard error of the {label['long_name']}"}
    found["critical_temperature_error"] = ("method", ends[:, 1], label)
    return found


def _falls(data: xr.Dataset) -> tuple[float, float]:
    """Temperature where the cumulant is critical, and its error by leaving out each chain."""
    number = data.sizes["chain"]
    others = [np.delete(np.arange(number), each) for each in range(number)]
    found = [where_cumulant_falls(data.isel(chain=each), _CUMULANT) for each in others]
    error = np.sqrt((number - 1) * np.var(found))
    return where_cumulant_falls(data, _CUMULANT), float(error)


def of_bonds(data: xr.Dataset) -> xr.Dataset:
    """Observables of every realization, with errors of the runs alone, and the mean coupling's.

    The model of the mean coupling has its exact energy on the same lattice. Bonds may have a
    negative mean, and the energy does not know its sign.
    """
    found = thermodynamics(data[["energy", "magnetization"]])
    found["overlap"] = data["overlap"]
    mean = data["mean_coupling"].isel(method=0, drop=True)
    found["mean_coupling"] = mean.assign_attrs(long_name="mean coupling of all bonds")
    side, temperature = round(float(data["n_sites"]) ** 0.5), data["temperature"].values
    energies = [
        exact.torus((side, side), temperature, abs(each))["energy"].values
        for each in mean.values.ravel()
    ]
    shape = (*mean.shape, temperature.size)
    label = {"long_name": "energy per site of the mean coupling", "units": "J"}
    found["known_energy"] = ((*mean.dims, "temperature"), np.reshape(energies, shape), label)
    return found
