"""Numbers of the study of the Potts model: measured, exact, and of Weiss's theory."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import xarray as xr

from analysis import exact, literature, scaling, thermodynamics
from isingrl import HeatBath, Lattice, MeanFieldQ, Potts
from studies.shared.combination import by_point, concat, without_prefix
from studies.shared.grids import FloatArray

NEAR, ENERGIES, PHASES, CURVE, END = "near_", "energies_", "phases_", "curve_", "end_"
"""What the names of parts of the study begin with."""
ORDERED, RANDOM = STARTS = ("ordered", "random")
"""First configurations of the two phases."""

_PREFIXES = (NEAR, ENERGIES, PHASES, CURVE, END)
_COMPARED = ("order_parameter", "energy")
# exponents ω of the leading corrections to scaling: of the susceptibility's regular part for two
# states, exact for three; four have logarithms, which no exponent describes
_CORRECTIONS = {2: 1.75, 3: 0.8, 4: 0.8}
_OTHER_CORRECTIONS = (0.5, 1.5)  # factors of these exponents, for the systematic error
_ALIVE = 0.2  # order parameter above which there is order
_LAST = 0.1  # share of a run that shows whether a phase lasted
_BIN = 0.025  # J per site, a bin of the distribution of energies
_SIGNIFICANT = 3.0  # errors by which two peaks rise above what is between them
_J = {"units": "J"}
_TEMPERATURE = {"units": "J/k_B"}


def value_error(q_values: xr.DataArray) -> float:
    """Largest error of the action values of mean-field Q, in J.

    The value of a state is the number of neighbours in it.
    """
    counts = [[int(x) for x in each.split()] for each in q_values["neighbor_states"].values]
    return float(abs(q_values - xr.DataArray(counts, dims=("neighbor_states", "action"))).max())


@cache
def weiss_temperatures(states: int) -> tuple[float, float, float]:
    """Ends of the disordered and of the ordered phase in Weiss's theory, and its transition."""
    about = weiss(states, [1.0]).attrs
    names = ("lower_spinodal", "upper_spinodal", "critical_temperature")
    lower, upper, middle = (float(about[name]) for name in names)
    return lower, upper, middle


def weiss(states: int, temperature: Any) -> xr.Dataset:
    """Weiss's theory on the square lattice."""
    return exact.weiss(Potts(Lattice((4, 4)), states), temperature)


def summary(data: xr.Dataset) -> xr.Dataset:
    """All numbers of the study, in parts by the prefixes of their names.

    Parameters
    ----------
    data : Dataset
        As ``studies.potts.Potts.assemble`` returns it.
    """
    near, energies, phases, curve, end = (without_prefix(data, each, "") for each in _PREFIXES)
    others = [name for name in data.variables if str(name).startswith(_PREFIXES)]
    parts = {
        "": _each(data.drop_vars(others), _order),
        NEAR: _each(near, _transition),
        ENERGIES: _each(energies, _distribution),
        PHASES: _each(phases, _phases),
        CURVE: _each(curve, _curve),
        END: _each(end, _ends),
    }
    named = [
        part.rename({name: f"{prefix}{name}" for name in {*part.variables, *part.dims}})
        for prefix, part in parts.items()
    ]
    return xr.merge(named, join="exact", compat="equals", combine_attrs="drop_conflicts")


def _each(data: xr.Dataset, function: Any) -> xr.Dataset:
    """Numbers of every number of states, joined."""
    states = data["states"]
    found = [
        function(data.sel(states=q)).drop_vars("states", errors="ignore") for q in states.values
    ]
    return concat(found, "states").assign_coords(states=states.values)


def _observed(data: xr.Dataset) -> xr.Dataset:
    """Observables at all temperatures, which lie along ``point``."""
    data = data[["energy", "order_parameter", "temperature"]].set_coords("temperature")
    found = thermodynamics(data.swap_dims(point="temperature"))
    return by_point(found[[f"{name}{end}" for name in _COMPARED for end in ("", "_error")]])


def _order(data: xr.Dataset) -> xr.Dataset:
    """Observables of both methods, and whether they agree."""
    methods = (MeanFieldQ.name, HeatBath.name)
    own = data.set_coords("temperature")
    found = [_observed(own.sel({"method": each})) for each in data["method"].values]
    joined = concat(found, "method").assign_coords(method=data["method"])
    joined = joined.assign(temperature=found[0]["temperature"])
    learned, bath = (joined.sel({"method": each}, drop=True) for each in methods)
    for name in _COMPARED:
        error = np.hypot(learned[f"{name}_error"], bath[f"{name}_error"])
        label = {"long_name": f"{name.replace('_', ' ')}, mean-field Q less heat bath, in errors"}
        joined[f"{name}_deviation"] = ((learned[name] - bath[name]) / error).assign_attrs(label)
        joined[f"{name}_chi_square"] = (joined[f"{name}_deviation"] ** 2).sum()
    error = data["value_error"].sel({"method": MeanFieldQ.name}, drop=True)
    label = {"long_name": "exact critical temperature", **_TEMPERATURE}
    return joined.assign(
        value_error=error,
        critical_temperature=((), critical_temperature(data["states"].item()), label),
    )


def critical_temperature(states: int) -> float:
    """Exact critical temperature of the square lattice in J/k_B."""
    found = literature.critical_temperature(2, "von_neumann", states=states)
    assert found is not None  # it is known for all
    return found


def _transition(data: xr.Dataset) -> xr.Dataset:
    """Critical temperature of mean-field Q from crossings of pairs of sizes; all cumulants.

    Each of the smaller half of the sizes has a partner in the larger half, so that crossings are
    independent. Of an odd number the smallest is left out.
    """
    runs = data.drop_vars("value_error").set_coords("temperature")
    half = runs.sizes["level"] // 2
    pairs = runs.isel(level=slice(-2 * half, None))
    each = [
        scaling.binder_crossings(pairs.isel(level=[k, k + half]).swap_dims(level="size"))
        for k in range(half)
    ]
    found = concat(
        [one.reset_coords(["small", "large"]).squeeze("size", drop=True) for one in each], "pair"
    )
    states = data["states"].item()
    shown = scaling.observables(runs.swap_dims(level="size"))
    cumulants = shown[["binder_cumulant", "binder_cumulant_error"]].reset_coords("temperature")
    names = ("crossing_temperature", "crossing_temperature_error", "small", "large")
    crossings = found[list(names)]
    label = {"long_name": "exact critical temperature", **_TEMPERATURE}
    known = xr.Dataset({"known_temperature": ((), critical_temperature(states), label)})
    return xr.merge([crossings, cumulants, known]).assign(_extrapolated(crossings, states))


def _extrapolated(crossings: xr.Dataset, states: int) -> dict[str, Any]:
    """Temperature to which the crossings of pairs of sizes tend, with errors.

    The leading correction moves the crossing of L and L' in proportion to
    (L'^-ω - L^-ω)/(L'^(1/ν) - L^(1/ν)), with the exact ν.
    """
    names = ("crossing_temperature", "crossing_temperature_error", "small", "large")
    value, error, small, large = (crossings[name].values.astype(float) for name in names)
    rate = 1 / literature.critical_exponents(2, states)["nu"]

    def fit(omega: float) -> tuple[float, float, float]:
        shift = (large**-omega - small**-omega) / (large**rate - small**rate)
        design = np.stack([np.ones_like(shift), shift], axis=1) / error[:, None]
        covariance = np.linalg.inv(design.T @ design)
        solution = covariance @ design.T @ (value / error)
        rest = value / error - design @ solution
        return float(solution[0]), float(np.sqrt(covariance[0, 0])), float(rest @ rest)

    omega = _CORRECTIONS[states]
    best, statistical, chi_square = fit(omega)
    systematic = max(abs(fit(omega * factor)[0] - best) for factor in _OTHER_CORRECTIONS)
    label = {"long_name": "critical temperature", **_TEMPERATURE}
    return {
        "critical_temperature": ((), best, label),
        "critical_temperature_error": ((), statistical, label),
        "critical_temperature_systematic": ((), systematic, label),
        "chi_square": ((), chi_square),
        "degrees_of_freedom": ((), value.size - 2),
    }


def _distribution(data: xr.Dataset) -> xr.Dataset:
    """Distribution of energies at the transition, and the dip between its two highest peaks."""
    n_sites = int(data["n_sites"])
    levels = 2 * max(1, round(_BIN * n_sites / 2))  # in a bin; every other one is empty for q = 2
    number = -(-(2 * n_sites + 1) // levels)
    bonds = np.rint(-data["energy"].squeeze("point").values * n_sites).astype(int)
    chains = np.stack([np.bincount(each // levels, minlength=number) for each in bonds])
    chances = (chains / bonds.shape[1] * n_sites / levels)[:, ::-1]  # densities, ascending energy
    centre = -(np.arange(number) * levels + (levels - 1) / 2)[::-1] / n_sites
    mean = chances.mean(axis=0)
    error = chances.std(axis=0, ddof=1) / np.sqrt(len(chances))
    label = {"long_name": "probability density of the energy per site", "units": "1/J"}
    label_error = {**label, "long_name": "standard error of the probability density"}
    found = xr.Dataset(
        {"density": ("energy", mean, label), "density_error": ("energy", error, label_error)},
        coords={"energy": ("energy", centre, {"long_name": "energy per site", **_J})},
    )
    # where the model has two phases, this is between their energies
    middle = exact.potts_square(int(data["states"]))["energy"].item()
    above = (bonds < -middle * n_sites).mean(axis=1)
    label = {"long_name": "share of the energies above the middle of the two phases"}
    shares = {
        "share_above": ((), above.mean(), label),
        "share_above_error": ((), above.std(ddof=1) / np.sqrt(above.size)),
    }
    return found.assign({**_dip(chances), **shares})


def _dip(chances: FloatArray) -> dict[str, Any]:
    """How far the lowest place between two peaks lies below the lower one.

    Parameters
    ----------
    chances : float array, shape (n_chains, n_bins)
    """
    mean = chances.mean(axis=0)
    left, right = np.maximum.accumulate(mean), np.maximum.accumulate(mean[::-1])[::-1]
    place = int(np.argmax(np.minimum(left, right) - mean))
    peaks = int(np.argmax(mean[: place + 1])), place + int(np.argmax(mean[place:]))
    lower = min(peaks, key=lambda peak: mean[peak])
    depth = chances[:, lower] - chances[:, place]
    error = depth.std(ddof=1) / np.sqrt(len(depth))
    height = float(depth.mean() / error) if error > 0 else 0.0
    names = {"long_name": "depth of the dip between two peaks over the height of the lower one"}
    share = float(depth.mean() / mean[lower]) if height > 0 else 0.0
    return {
        "dip": ((), share, names),
        "dip_in_errors": ((), height, {"long_name": "depth of the dip in errors"}),
        "peaks": ((), 2 if height > _SIGNIFICANT else 1, {"long_name": "number of peaks"}),
    }


def _phases(data: xr.Dataset) -> xr.Dataset:
    """Energies of both phases and their difference, beside exact values."""
    found = [_observed(data.sel(start=each)).squeeze("point") for each in STARTS]
    joined = concat(found, "start").assign_coords(start=list(STARTS))
    ordered, disordered = (joined.sel(start=each, drop=True) for each in STARTS)
    latent = disordered["energy"] - ordered["energy"]
    error = np.hypot(disordered["energy_error"], ordered["energy_error"])
    label = {"long_name": "latent heat per site", **_J}
    known = exact.potts_square(int(data["states"])).squeeze("temperature", drop=True)
    energies = [known["energy_ordered"].item(), known["energy_disordered"].item()]
    return joined.assign(
        latent_heat=latent.assign_attrs(label),
        latent_heat_error=error,
        known_energy=("start", energies, {"long_name": "exact energy of the phase", **_J}),
        known_latent_heat=((), known["latent_heat"].item(), label),
    )


def _curve(data: xr.Dataset) -> xr.Dataset:
    """Observables of both phases of independent Q, and the coupling that Weiss's theory needs.

    The first half of each run is left out, in which the agents come to rest at their temperature.
    """
    settled = data.isel(draw=slice(data.sizes["draw"] // 2, None))
    found = [_observed(settled.sel(start=each)) for each in STARTS]
    joined = concat(found, "start").assign_coords(start=list(STARTS))
    joined = joined.assign(temperature=found[0]["temperature"])
    q, order = int(data["states"]), joined.sel(start=ORDERED, drop=True)
    *_, middle = weiss_temperatures(q)
    each = _weiss_coupling(order, q)
    known = weiss(q, each["temperature"].values)["order_parameter_ordered"].values
    # above T_1 the phase is near its end, where the order says little about zJ
    used = (each["temperature"] < middle).values & (known > _ALIVE)
    used &= (each["weiss_coupling_error"] > 0).values  # not so where no site ever leaves the order
    values, errors = (each[f"weiss_coupling{end}"].values[used] for end in ("", "_error"))
    weights = errors**-2
    mean = np.sum(weights * values) / weights.sum()
    label = {"long_name": "coupling zJ of Weiss's theory for this order", **_J}
    return joined.assign(
        weiss_coupling=((), mean, label),
        weiss_coupling_error=((), weights.sum() ** -0.5, _J),
        weiss_chi_square=((), np.sum(weights * (values - mean) ** 2)),
        degrees_of_freedom=((), used.sum() - 1),
    )


def _weiss_coupling(order: xr.Dataset, states: int) -> xr.Dataset:
    """Coupling by Weiss's zJ x = T ln[(1 + (q - 1) x)/(1 - x)], with its error, at each T."""
    x, error, t = order["order_parameter"], order["order_parameter_error"], order["temperature"]
    log = np.log((1 + (states - 1) * x) / (1 - x))
    slope = ((states - 1) / (1 + (states - 1) * x) + 1 / (1 - x) - log / x) / x
    found = {"weiss_coupling": t * log / x, "weiss_coupling_error": abs(t * slope * error)}
    return xr.Dataset({**found, "temperature": t})


def _ends(data: xr.Dataset) -> xr.Dataset:
    """Temperature where each phase of independent Q ends, and half the distance that it is known.

    It is the middle between the last temperature at which the phase lasted for the whole run and
    the first at which it did not. NaN if it lasted at all of them, or at none.
    """
    last = max(1, round(_LAST * data.sizes["draw"]))
    order = data["order_parameter"].isel(draw=slice(-last, None)).mean(("chain", "draw"))
    lower, upper, _ = weiss_temperatures(int(data["states"]))
    ends, halves = [], []
    for start in STARTS:
        at = order.sel(start=start).values
        temperature = data["temperature"].sel(start=start).values
        lives, sign = (at > _ALIVE, 1) if start == ORDERED else (at < _ALIVE, -1)
        # as from the middle of the phase outward
        outward = np.argsort(sign * temperature)
        lives, temperature = lives[outward], temperature[outward]
        first = int(np.argmin(lives))
        known = first > 0 and not lives.all()
        pair = temperature[first - 1 : first + 1] if known else np.full(2, np.nan)
        ends.append(pair.mean())
        halves.append(abs(np.diff(pair)).item() / 2)
    label = {"long_name": "end of a phase", **_TEMPERATURE}
    label_half = {"long_name": "half the distance between two temperatures", **_TEMPERATURE}
    return xr.Dataset(
        {
            "order_parameter": order.drop_vars("temperature", errors="ignore"),
            "temperature": data["temperature"],
            "end_temperature": ("start", ends, label),
            "end_resolution": ("start", halves, label_half),
            "known_end": ("start", [upper, lower], {**label, "long_name": "end in theory"}),
        }
    )
