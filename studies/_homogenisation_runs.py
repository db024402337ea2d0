"""Runs of the study of homogenisation on square lattices with bonds of two strengths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from isingrl import (
    Agent,
    Dynamics,
    IndependentQ,
    Learning,
    MeanFieldQ,
    NeighborhoodQ,
    SwendsenWang,
    simulate,
)
from studies._homogenisation_disorder import averaging
from studies.running.tasks import task_seed
from studies.shared.grids import FloatArray
from studies.shared.trained_policies import trained

if TYPE_CHECKING:
    from studies.homogenisation import Homogenisation

_RULES: dict[str, Callable[[], Dynamics | Agent]] = {
    MeanFieldQ.name: averaging,
    NeighborhoodQ.name: NeighborhoodQ,
    SwendsenWang.name: SwendsenWang,
}
# no cooling from disorder: domains that are stripes would make one direction differ for good
_TRAINING: dict[str, dict[str, Any]] = {
    MeanFieldQ.name: {"annealing": 0.0, "start": "up"},
    NeighborhoodQ.name: {},
}
_WITHOUT_NOISE = 10  # times fewer sweeps of training for neighborhood Q


def simulated(
    config: Homogenisation,
    ratio: float,
    method: str,
    side: int,
    temperature: FloatArray,
    training_sweeps: int,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
    **options: Any,
) -> xr.Dataset:
    """Train on the lattice of the usual side, if the method learns before, and simulate."""
    rule: Any
    if method == IndependentQ.name:
        rule = Learning(IndependentQ(learning_rate=1 / (config.memory * config.side**2)))
    else:
        rule = _RULES[method]()
    if isinstance(rule, Agent):
        fewer = _WITHOUT_NOISE if method == NeighborhoodQ.name else 1
        rule = trained(
            folder and folder / "policy", config.model(ratio), rule, temperature,
            sweeps=max(1, training_sweeps // fewer), seed=task_seed(seed, "learning"),
            progress=progress, **_TRAINING[method],
        )  # fmt: skip
    data = simulate(
        config.model(ratio, side), rule, temperature, start="up", seed=task_seed(seed, "running"),
        out=folder and folder / "run", progress=progress, **options,
    )  # fmt: skip
    if method == MeanFieldQ.name and "bond_energy" in data:
        data["energy"] = _energy_of_mean_coupling(data)
    data.attrs = {"versions": data.attrs["versions"]}
    kept = data[["energy", "magnetization"]]
    return kept.drop_vars(["softmax_temperature", "coupling"], errors="ignore")


def _energy_of_mean_coupling(data: xr.Dataset) -> xr.DataArray:
    """Energy per site if all bonds had the mean coupling, J = 1, which mean-field Q plays.

    Reweighting needs the energy of the model that is sampled.
    """
    n_sites = int(data["n_sites"])
    bonds = (data["bond_energy"] / data["bond_coupling"]).sum("bond_coupling") * n_sites
    return (bonds.round() / n_sites).assign_attrs(data["energy"].attrs)
