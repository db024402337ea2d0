"""Canonical averages from a density of states in the sums over bonds and over sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.errors import FloatArray
from analysis.exact._datasets import in_each_field, over_temperature, states_shared
from analysis.quantities import binder_cumulant
from isingrl.coordinates import coordinates_of
from isingrl.spin_model import Model


@dataclass(frozen=True)
class States:
    """Groups of configurations with the same sums over bonds and over sites, as in the energy.

    ``bond_sum`` has the shape (n_groups, n_kinds), by kind of bond. ``most`` is the number of sites
    in the most frequent state of a Potts model.
    """

    bond_sum: npt.NDArray[np.int64]
    spin_sum: npt.NDArray[np.int64]
    log_multiplicity: FloatArray
    n_sites: int
    most: npt.NDArray[np.int64] | None = None


def canonical_ensemble(states: States, model: Model, temperature: FloatArray) -> xr.Dataset:
    """Canonical averages of a model over temperature, and over its fields if it has several."""
    averages = in_each_field(model, lambda field: _averages(states, model, field, temperature))
    return over_temperature(temperature, averages, coordinates_of(model))


def _averages(
    states: States, model: Model, field: float, temperature: FloatArray
) -> dict[str, FloatArray]:
    """Moments and functions of them, each of shape (n_temperatures,); of shares (…, n_states).

    T = 0 averages over the ground states and T = ∞ over all states. At T = 0 a susceptibility is
    its limit: 0 or, if the ground states leave a variance, infinity. ``susceptibility`` is the
    variance of m in a field and of ``|m|`` otherwise, or that of the order parameter of a Potts
    model; ``susceptibility_disordered`` is NaN in a field.
    """
    couplings = model.couplings
    of_bonds = (couplings * states.bond_sum).sum(axis=1)
    energy = -(of_bonds + field * states.spin_sum)
    above = energy - energy.min()
    # Energies that rounding alone tells apart are one level.
    largest = (abs(couplings) * np.abs(states.bond_sum).max(axis=0)).sum()
    scale = largest + abs(field) * states.n_sites
    above = np.where(above <= 1e-12 * scale, 0.0, above)
    n_sites = states.n_sites
    e, m = energy / n_sites, states.spin_sum / n_sites
    powers = {"energy": e, "energy_squared": e**2}
    q = model.n_spin_states
    if states.most is not None:
        order = (q * states.most / n_sites - 1) / (q - 1)
        name, x = "order_parameter", order
        powers |= {"state_share": m, name: x}
    else:
        order = m if field else np.abs(m)
        name, x = "magnetization", m
        powers |= {name: m, "abs_magnetization": np.abs(m)}
    powers |= {f"{name}_squared": x**2, f"{name}_fourth": x**4}
    averages = {name: np.empty(temperature.shape) for name in powers}
    energy_variance, order_variance = np.empty((2, *temperature.shape))
    for index, t in enumerate(temperature):
        weights = boltzmann_weights(states.log_multiplicity, above, float(t))
        for power, values in powers.items():
            averages[power][index] = weights @ values
        # of `above`, in which states of one level do not differ by rounding
        energy_variance[index] = weights @ (above - weights @ above) ** 2
        order_variance[index] = weights @ (order - weights @ order) ** 2
    square = averages[f"{name}_squared"]
    averages["susceptibility"] = _over(n_sites * order_variance, temperature)
    if states.most is not None:
        averages["state_share"] = states_shared(averages["state_share"], q)
    else:
        averages["susceptibility_disordered"] = susceptibility_of(
            n_sites * square, field, temperature
        )
    averages["specific_heat"] = specific_heat_of(energy_variance / n_sites, temperature)
    averages["binder_cumulant"] = binder_cumulant(square, averages[f"{name}_fourth"])
    return averages


def boltzmann_weights(log_multiplicity: Any, above: FloatArray, temperature: float) -> FloatArray:
    """Probabilities of levels, which sum to 1, from their energies above the lowest."""
    if temperature == 0:
        exponents = np.where(above == 0, log_multiplicity, -np.inf)
    else:
        # A subnormal temperature makes this infinite, which rightly becomes the weight 0.
        with np.errstate(over="ignore"):
            exponents = log_multiplicity - above / temperature
    weights = np.exp(exponents - exponents.max())
    return np.asarray(weights / weights.sum())


def specific_heat_of(variance: FloatArray, temperature: FloatArray) -> FloatArray:
    """Specific heat from the variance of the energy over the number of sites; 0 at T = 0.

    Levels are discrete, so that the variance vanishes there faster than any power of T.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(temperature > 0, variance / temperature / temperature, 0.0)


def susceptibility_of(square: FloatArray, field: float, temperature: FloatArray) -> FloatArray:
    """Susceptibility N⟨m²⟩/T of the disordered phase, from N⟨m²⟩; NaN in a field."""
    found = _over(square, temperature)
    return found if field == 0 else found * np.nan


def _over(values: FloatArray, temperature: FloatArray) -> FloatArray:
    """values/T, and 0 at T = 0 if the value is 0 up to rounding."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where((temperature == 0) & (values < 1e-12), 0.0, values / temperature)
