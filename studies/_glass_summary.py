"""Means over realisations of random bonds, with errors, for the study of glasses."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr

from analysis.errors import jackknife
from studies.shared.combination import prefixed, without_prefix
from studies.shared.grids import FloatArray, last_fall

DIMENSIONS = (2, 3)
PREFIXES = {2: "square_", 3: "cubic_"}
"""Before the names of all data of a lattice, by the number of dimensions."""
WINDOWS = ("second eighth", "second quarter", "second half")
"""Parts of a run that are compared to see whether it is in equilibrium."""
ONE = "mean-field q, one table"
OWN = "mean-field q, a table a site"
EACH = "neighborhood q, a table a site"
QUENCHED = "neighborhood q, not cooled"
"""What runs of agents are called."""
GROUND_STATES = {2: -1.4015, 3: -1.787}
"""Ground-state energies per site of infinite lattices in J, from the literature."""
CRITICAL_TEMPERATURES = {2: None, 3: 1.102}
"""From the literature, in J/k_B; M. Baity-Jesi et al., Phys. Rev. B 88, 224416 (2013)."""

_RESAMPLES = 400  # of realisations, for errors of crossings
_BOOTSTRAP_SEED = 1  # of these, which are a part of the analysis


def summary(data: xr.Dataset, agents_sides: tuple[int, int]) -> xr.Dataset:
    """Summary of all data, names as in the data."""
    parts = []
    for ndim in DIMENSIONS:
        part = without_prefix(data, PREFIXES[ndim], "window")
        found = xr.merge(
            [_tempered(part, ndim), _agents(part, agents_sides[ndim - 2]), _counted(part)],
            join="exact", compat="equals", combine_attrs="drop_conflicts",
        )  # fmt: skip
        parts.append(prefixed(found, PREFIXES[ndim], "window"))
    return xr.merge(parts, join="exact", compat="equals", combine_attrs="drop_conflicts")


def _labelled(value: Any, long_name: str, units: str = "1") -> xr.DataArray:
    return xr.DataArray(value).assign_attrs({"long_name": long_name, "units": units})


def _mean(each: xr.DataArray, dim: str) -> tuple[xr.DataArray, xr.DataArray]:
    """Mean over independent realisations, and its standard error."""
    return each.mean(dim), each.std(dim, ddof=1) / np.sqrt(each.sizes[dim])


def _cumulant(second: Any, fourth: Any) -> Any:
    """Cumulant of the overlap from its moments; a lattice without order at all has 0."""
    return (3 - fourth / second**2) / 2


def _mean_cumulant(second: xr.DataArray, fourth: xr.DataArray) -> tuple[xr.DataArray, ...]:
    """Cumulant of mean moments over realisations, and its standard error."""
    moments = xr.Dataset({"second": second, "fourth": fourth}).rename(realisation="chain")

    def cumulant(part: xr.Dataset) -> xr.Dataset:
        means = part.mean("chain")
        return xr.Dataset({"cumulant": _cumulant(means["second"], means["fourth"])})

    found = jackknife(moments, cumulant, dims=("chain",))
    return found["cumulant"], found["cumulant_error"]


def _drift(each: xr.DataArray) -> xr.DataArray:
    """Change from the window before the last to the last, in errors over realisations."""
    value, error = _mean(each.isel(window=-1) - each.isel(window=-2), "realisation")
    # where all runs are in their ground states both are 0
    drift: xr.DataArray = xr.where(error > 0, value / error.where(error > 0), 0.0)
    return drift


def _tempered(part: xr.Dataset, ndim: int) -> xr.Dataset:
    """Overlaps, energies and ground states of all sizes."""
    last = part.isel(window=-1)
    second, fourth = last["overlap_squared"], last["overlap_fourth"]
    lowest = part["lowest_energy"].min("replica")
    values = {
        "energy": (_mean(last["energy"], "realisation"), "energy per site", "J"),
        "overlap_squared": (_mean(second, "realisation"), "mean square of the overlap", "1"),
        "overlap_cumulant": (_mean_cumulant(second, fourth), "cumulant of the overlap", "1"),
        "overlap_density": (
            _mean(part["overlap_density"], "realisation"), "density of the overlap", "1"
        ),
        "ground_energy": (_mean(lowest, "realisation"), "lowest energy per site", "J"),
    }  # fmt: skip
    found: dict[str, xr.DataArray] = {}
    for name, ((value, error), long_name, units) in values.items():
        found[name] = _labelled(value, long_name, units)
        found[f"{name}_error"] = _labelled(error, f"standard error of the {long_name}", units)
    for name in ("energy", "overlap_squared"):
        found[f"{name}_drift"] = _labelled(
            _drift(part[name]), f"change of the {values[name][1]} between windows, in errors"
        )
    both = part["lowest_energy"]
    found["agreeing"] = _labelled(
        (abs(both.isel(replica=0) - both.isel(replica=1)) < 1e-9).mean("realisation"),
        "share of realisations where both replicas have the same lowest energy",
    )
    return (
        xr.Dataset(found)
        .drop_vars("window")
        .merge(_limit(found, part, ndim))
        .merge(_crossings(second, fourth, part))
    )


def _limit(found: dict[str, xr.DataArray], part: xr.Dataset, ndim: int) -> xr.Dataset:
    """Lowest energies as e + a L^-d, which gives the infinite lattice."""
    value, error = (found[name].values for name in ("ground_energy", "ground_energy_error"))
    x = part["size"].values.astype(float) ** -ndim
    weight = 1 / np.hypot(error, 1e-6)
    line, covariance = np.polyfit(x, value, 1, w=weight, cov="unscaled")
    square = float((((np.polyval(line, x) - value) * weight) ** 2).sum())
    limit = {
        "limit_energy": (line[1], "lowest energy per site of the infinite lattice", "J"),
        "limit_energy_error": (np.sqrt(covariance[1, 1]), "its standard error", "J"),
        "limit_chi_square": (square, "χ² of the fit", "1"),
        "known_energy": (GROUND_STATES[ndim], "ground-state energy, literature", "J"),
    }
    return xr.Dataset({name: _labelled(*each) for name, each in limit.items()})


def _crossings(second: xr.DataArray, fourth: xr.DataArray, part: xr.Dataset) -> xr.Dataset:
    """Temperatures below which the cumulant of the larger of two sizes is the larger one.

    The error is the standard deviation over samples of realisations, those of each size drawn on
    their own, as far as they have a crossing; their share is given, too. NaN stands for none.
    """
    dims = ("level", "realisation", "temperature")
    moments = np.stack([each.transpose(*dims).values for each in (second, fourth)])
    temperature = part["temperature"].values
    pairs = list(combinations(range(moments.shape[1]), 2))
    generator = np.random.Generator(np.random.Philox(_BOOTSTRAP_SEED))
    n = moments.shape[2]
    curves = [_cumulant(*moments.mean(2))]
    for _ in range(_RESAMPLES):
        drawn = [moments[:, k, generator.integers(n, size=n)] for k in range(moments.shape[1])]
        curves.append(_cumulant(*np.stack(drawn, 1).mean(2)))
    places: FloatArray = np.array(
        [
            [last_fall(temperature, curve[b] - curve[a], 0.0)[0] for a, b in pairs]
            for curve in curves
        ]
    )
    value, resampled = places[0], places[1:]
    there = np.isfinite(resampled)
    error = [
        each[own].std() if own.any() else np.nan
        for each, own in zip(resampled.T, there.T, strict=True)
    ]
    smaller, larger = part["size"].values[np.array(pairs)].T
    label = "temperature where the cumulants of two sizes cross"
    return xr.Dataset(
        {
            "crossing_temperature": _labelled(xr.DataArray(value, dims="pair"), label, "J/k_B"),
            "crossing_temperature_error": _labelled(
                xr.DataArray(error, dims="pair"), f"standard error of the {label}", "J/k_B"
            ),
            "crossing_share": _labelled(
                xr.DataArray(there.mean(0), dims="pair"), "share of samples with a crossing"
            ),
        },
        {"smaller": ("pair", smaller), "larger": ("pair", larger)},
    )


def _agents(part: xr.Dataset, side: int) -> xr.Dataset:
    """Energies of agents, and how far they lie above those of tempering on the same bonds."""
    agents = part["agents_energy"]
    level = int(np.flatnonzero(part["size"].values == side)[0])
    tempered = part["energy"].isel(
        level=level, window=-1, realisation=slice(agents.sizes["trained"]), drop=True
    )
    tempered = tempered.rename(realisation="trained").drop_vars(["size", "window"], errors="ignore")
    # both on the same bonds, so that the differences between realisations cancel
    excess = agents - tempered.transpose("trained", "temperature")
    found: dict[str, xr.DataArray] = {}
    for name, each, label in (
        ("agents_energy", agents, "energy per site"),
        ("agents_excess", excess, "energy per site above that of tempering"),
        ("same_energy", tempered, "energy per site of tempering on the bonds of the agents"),
    ):
        value, error = _mean(each, "trained")
        found[name] = _labelled(value, label, "J")
        found[f"{name}_error"] = _labelled(error, f"standard error of the {label}", "J")
    return xr.Dataset(found).assign_coords(agents_side=side)


def _counted(part: xr.Dataset) -> xr.Dataset:
    """How far small lattices deviate from their counts."""
    error = part["counted_energy_error"]
    z = (part["counted_energy"] - part["exact_energy"]) / error.where(error > 0)
    same = abs(part["counted_lowest"] - part["exact_lowest"]) < 1e-9
    return xr.Dataset(
        {
            "counted_deviation": _labelled(z, "deviation of the energy from the count, in errors"),
            "counted_ground_states": _labelled(
                same.mean("counted"), "share of ground states that were found"
            ),
        }
    )
