"""Quantities that measured and exact Datasets share: names, labels, units, and formulas.

A new series of draws needs an entry of `OBSERVABLES` and one of `QUANTITIES` for each observable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

QUANTITIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "temperature": ("temperature", "J/k_B"),
        "field": ("magnetic field", "J"),
        "coupling": ("coupling", "J"),
        "energy": ("energy per site", "J"),
        "magnetization": ("magnetization per site", "1"),
        "abs_magnetization": ("absolute magnetization per site", "1"),
        "susceptibility": ("susceptibility per site", "1/J"),
        "susceptibility_disordered": ("susceptibility per site, disordered phase", "1/J"),
        "susceptibility_improved": ("susceptibility per site, from clusters", "1/J"),
        "mean_cluster_size": ("mean size of the cluster of a site", "sites"),
        "specific_heat": ("specific heat per site", "k_B"),
        "binder_cumulant": ("Binder cumulant", "1"),
        "staggered_magnetization": ("staggered magnetization per site", "1"),
        "abs_staggered_magnetization": ("absolute staggered magnetization per site", "1"),
        "staggered_susceptibility": ("staggered susceptibility per site", "1/J"),
        "staggered_binder_cumulant": ("Binder cumulant of the staggered magnetization", "1"),
        "energy_squared": ("mean square of the energy per site", "J^2"),
        "magnetization_squared": ("mean square of the magnetization per site", "1"),
        "magnetization_fourth": ("mean fourth power of the magnetization per site", "1"),
        "order_parameter": ("order parameter", "1"),
        "order_parameter_ordered": ("order parameter, ordered phase", "1"),
        "order_parameter_disordered": ("order parameter, disordered phase", "1"),
        "order_parameter_squared": ("mean square of the order parameter", "1"),
        "order_parameter_fourth": ("mean fourth power of the order parameter", "1"),
        "state_share": ("share of the sites in a state", "1"),
        "energy_ordered": ("energy per site, ordered phase", "J"),
        "energy_disordered": ("energy per site, disordered phase", "J"),
        "latent_heat": ("latent heat per site", "J"),
        "autocorrelation_time": ("integrated autocorrelation time", "sweeps"),
        "effective_sample_size": ("effective sample size", "1"),
        "r_hat": ("R-hat", "1"),
        "n_up": ("number of up neighbours", "1"),
        "configuration": ("configuration of the sites seen", "1"),
        "log_odds": ("log-odds of spin up", "1"),
        "local_field": ("twice the local field, $2(JS + h)$", "J"),
        "weight": ("share of the learning", "1"),
        "effective_temperature": ("effective temperature", "J/k_B"),
        "nonlinearity": ("nonlinearity of the log-odds", "1"),
        "detailed_balance_violation": ("violation of detailed balance", "1"),
        "n_domains": ("number of domains", "1"),
        "mean_size": ("mean size of a domain", "sites"),
        "mean_size_without_largest": ("mean size of a domain, without the largest", "sites"),
        "site_mean_size": ("mean size of the domain of a site", "sites"),
        "site_mean_size_without_largest": (
            "mean size of the domain of a site, without the largest",
            "sites",
        ),
        "largest_fraction": ("share of the largest domain", "1"),
        "wall_density": ("domain walls per pair of neighbours", "1"),
        "wraps": ("share that wraps the torus", "1"),
        "size_histogram": ("number of domains", "1"),
        "domain_density": ("domains of a size per site", "1"),
        "correlation": ("spin correlation", "1"),
        "radial_correlation": ("spin correlation", "1"),
        "distance": ("distance", "lattice spacings"),
        "radius": ("distance", "lattice spacings"),
        "structure_factor": ("structure factor", "1"),
        "axis_structure_factor": ("structure factor", "1"),
        "wave_number": ("wave number", "1/lattice spacing"),
        "second_moment_length": ("second-moment correlation length", "lattice spacings"),
        "exponential_length": ("correlation length", "lattice spacings"),
        "moment_length": ("domain length, from the structure factor", "lattice spacings"),
        "wall_length": ("domain length, from the walls", "lattice spacings"),
        "time": ("time", "sweeps"),
        "growth_exponent": ("growth exponent", "1"),
        "growth_amplitude": ("growth amplitude", "lattice spacings per sweep^n"),
        "growth_offset": ("length at time zero, extrapolated", "lattice spacings"),
        "local_exponent": ("local growth exponent", "1"),
        "inverse_length": ("inverse domain length, $1/L$", "1/lattice spacing"),
        "critical_temperature": ("critical temperature", "J/k_B"),
        "nu": ("exponent ν", "1"),
        "beta_over_nu": ("exponent β/ν", "1"),
        "gamma_over_nu": ("exponent γ/ν", "1"),
        "abs_magnetization_slope": ("analytic correction to |m|", "1"),
        "order_parameter_slope": ("analytic correction to the order parameter", "1"),
        "susceptibility_slope": ("analytic correction to the susceptibility", "1"),
        "crossing_temperature": ("temperature of the crossing", "J/k_B"),
        "crossing_cumulant": ("Binder cumulant at the crossing", "1"),
        "pseudo_critical_temperature": ("temperature of the maximum", "J/k_B"),
        "goodness_of_fit": ("goodness of fit", "1"),
        "overlap": ("overlap of two replicas", "1"),
        "gibbs_distance": ("distance from the Gibbs distribution", "1"),
        "exchange_acceptance": ("acceptance of exchanges", "1"),
        "round_trips": ("number of round trips", "1"),
        "round_trip_time": ("time of a round trip", "sweeps"),
        "share_going_up": ("share of walkers last at the lowest temperature", "1"),
    }
)
"""Label and units of each quantity; ``"1"`` marks a pure number."""


def quantity_attrs(name: str) -> dict[str, str]:
    """Attributes ``long_name`` and ``units`` of a quantity or, as ``NAME_error``, of its error."""
    if name.endswith("_error"):
        return error_attrs(quantity_attrs(name.removesuffix("_error")))
    long_name, units = QUANTITIES[name]
    return {"long_name": long_name, "units": units}


def error_attrs(attrs: Mapping[Any, Any]) -> dict[str, str]:
    """Attributes of the error of a variable with these attributes."""
    units = {"units": attrs["units"]} if "units" in attrs else {}
    if not attrs.get("long_name"):
        return units
    return {"long_name": f"standard error of the {attrs['long_name']}", **units}


def with_labels(found: xr.Dataset, names: Iterable[Any]) -> xr.Dataset:
    """Give variables, and their errors if they have them, the attributes of their quantities."""
    for name in names:
        for each in {name, f"{name}_error"} & set(found):
            found[each].attrs = quantity_attrs(each)
    return found


def coordinate(name: str, values: Any) -> tuple[str, Any, dict[str, str]]:
    """Return a coordinate along the dim of its name, with the attributes of the quantity."""
    return name, values, quantity_attrs(name)


def binder_cumulant(square: Any, fourth: Any) -> Any:
    """U₄ from the means of m² and m⁴; NaN if m is always 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - fourth / (3 * square**2)


def variance(mean: Any, square: Any) -> Any:
    """Variance from the means of x and x²."""
    return square - mean**2


def power(x: Any, exponent: int) -> Any:
    """Power with an exponent of 1, 2, 4 and so on, by squares: more exact and faster."""
    return x if exponent == 1 else power(x, exponent // 2) ** 2


@dataclass(frozen=True)
class Observable:
    """Observable defined by a series x per site: a function of the means of powers of x.

    ``of`` says whether these are powers of x, of ``|x|``, or, as "order", of x in a field and of
    ``|x|`` otherwise. A response is N^q/T^p times the function, with q the ``sites_power`` and p
    the ``temperature_power``.
    """

    series: str
    of: str
    powers: tuple[int, ...] = (1,)
    function: Callable[..., Any] = lambda mean: mean
    temperature_power: int | None = None
    sites_power: int = 1

    def of_means(self, means: Any) -> Any:
        """Return the function of means of the powers, shape (n_powers, ...)."""
        return self.function(*means)

    def response(self, value: Any, n_sites: Any, temperature: Any) -> Any:
        """Return the observable from the function of the means."""
        if self.temperature_power is None:
            return value
        return n_sites**self.sites_power * value / power(temperature, self.temperature_power)


OBSERVABLES: Mapping[str, Observable] = MappingProxyType(
    {
        "energy": Observable("energy", "x"),
        "magnetization": Observable("magnetization", "x"),
        "abs_magnetization": Observable("magnetization", "|x|"),
        "order_parameter": Observable("order_parameter", "x"),
        "susceptibility": Observable("magnetization", "order", (1, 2), variance, 1),
        "susceptibility_disordered": Observable("magnetization", "x", (2,), temperature_power=1),
        "specific_heat": Observable("energy", "x", (1, 2), variance, 2),
        "binder_cumulant": Observable("magnetization", "x", (2, 4), binder_cumulant),
        "abs_staggered_magnetization": Observable("staggered_magnetization", "|x|"),
        "staggered_susceptibility": Observable(
            "staggered_magnetization", "|x|", (1, 2), variance, 1
        ),
        "staggered_binder_cumulant": Observable(
            "staggered_magnetization", "x", (2, 4), binder_cumulant
        ),
        "mean_cluster_size": Observable("mean_cluster_size", "x"),
        "susceptibility_improved": Observable(
            "mean_cluster_size", "x", temperature_power=1, sites_power=0
        ),
    }
)
"""Observables by the names that they have in `QUANTITIES`."""
