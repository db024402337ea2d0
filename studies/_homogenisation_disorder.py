"""Two parts of the study of homogenisation: shells of neighbours, and bonds ±J at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from analysis import exact
from isingrl import (
    Agent,
    Dynamics,
    HeatBath,
    Ising,
    Lattice,
    MeanFieldQ,
    NeighborhoodQ,
    Policy,
    random_bonds,
    simulate,
)
from studies._homogenisation_disorder_figure import MEAN_COUPLING, ODD_TABLES, OWN_TABLES
from studies._homogenisation_figure import couplings
from studies.running.tasks import task_seed
from studies.shared.trained_policies import learn_and_simulate, trained

if TYPE_CHECKING:
    from studies.homogenisation import Homogenisation

SHELL_CHAINS = 8
LONGER_SHELLS = 5
"""Runs of shells are longer than those of order by this factor."""
WITHOUT_NOISE = 5
"""Agents whose rewards have no noise learn for fewer sweeps by this factor."""

_INTERVAL = 10  # sweeps from one draw of shells to the next
_SNAPSHOTS = 100
_SHELLS = {"long_name": "ratio of the couplings of near and diagonal neighbours", "units": "1"}
_SHARE = {"long_name": "share of ferromagnetic bonds", "units": "1"}
_OF_BONDS = ("energy", "magnetization", "overlap", "mean_coupling")
_OVERLAP = {"long_name": "overlap of the mean spins of two chains", "units": "1"}


def averaging(*, shared: bool = True) -> MeanFieldQ:
    """Mean-field Q whose values are means over all visits, because its rewards have noise."""
    return MeanFieldQ(learning_rate=1e-9, falling_rate=True, shared=shared)


_RULES: dict[str, Callable[[], Dynamics | Agent]] = {
    MeanFieldQ.name: averaging,
    ODD_TABLES: averaging,
    OWN_TABLES: lambda: averaging(shared=False),
    MEAN_COUPLING: HeatBath,
    HeatBath.name: HeatBath,
}


def shell_side(config: Homogenisation) -> int:
    """Side of the Moore lattice: larger ones relax too slowly at their transition."""
    return 2 * max(1, config.side // 4)


def shells(side: int, ratio: float) -> Ising:
    """Moore lattice whose near and diagonal neighbours have couplings of this ratio, mean 1."""
    lattice = Lattice((side,) * 2, "moore")
    near, diagonal = couplings(ratio)
    steps = lattice.forward_offsets
    return Ising(lattice, [near if 0 in step else diagonal for step in steps])


def glass(side: int, share: float, realization: int, seed: int) -> Ising:
    """Square lattice with this share of bonds 1 among bonds -1; all methods have the same."""
    lattice = Lattice((side,) * 2)
    own = task_seed(seed, f"bonds, {share!r}, {realization}")
    return Ising(lattice, random_bonds(lattice, (1.0, -1.0), (share, 1 - share), seed=own))


def shell_updates(config: Homogenisation) -> float:
    """Updates of sites at one temperature of shells."""
    sweeps = config.sweeps + config.thermalization
    return float(LONGER_SHELLS * SHELL_CHAINS * shell_side(config) ** 2 * sweeps)


def measure_shells(
    config: Homogenisation,
    ratio: float,
    method: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one method on the Moore lattice near its transitions."""
    model = shells(shell_side(config), ratio)
    if method == MEAN_COUPLING:
        model = exact.homogenised(model)
    rule: Any = NeighborhoodQ() if method == NeighborhoodQ.name else _RULES[method]()
    temperature = config.shell_temperatures
    if isinstance(rule, Agent):
        # a training for every chain if they differ, so that errors contain this
        trainings = 1 if method == NeighborhoodQ.name else SHELL_CHAINS
        rule = trained(
            folder and folder / "policy", model, rule, temperature, chains=trainings,
            seed=task_seed(seed, "learning"), progress=progress,
            **_training(method, config.training_sweeps),
        )  # fmt: skip
    if method == ODD_TABLES:
        rule = odd(rule)
    data = simulate(
        model, rule, temperature, sweeps=LONGER_SHELLS * config.sweeps,
        thermalization=LONGER_SHELLS * config.thermalization, interval=_INTERVAL,
        chains=SHELL_CHAINS, start="up", seed=task_seed(seed, "running"),
        out=folder and folder / "run", progress=progress,
    )  # fmt: skip
    kept = data[["energy", "magnetization"]].assign_coords(method=method)
    return _plain(kept).assign_coords(ratio=((), ratio, _SHELLS))


def measure_bonds(
    config: Homogenisation,
    share: float,
    realization: int,
    method: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one method on one lattice of bonds ±J, with the overlap of its chains."""
    model = glass(config.side, share, realization, config.seed)
    rule = NeighborhoodQ(shared=False) if method == NeighborhoodQ.name else _RULES[method]()
    data, _ = learn_and_simulate(
        model, rule, config.bond_temperatures,
        training=_training(method, config.training_sweeps), seed=seed, folder=folder,
        progress=progress, sweeps=config.sweeps, thermalization=config.thermalization,
        chains=max(2, config.chains), start="up", snapshots=min(_SNAPSHOTS, config.sweeps),
    )  # fmt: skip
    data["overlap"] = _overlap(data["spins"])
    data["mean_coupling"] = ((), model.mean_coupling, {"units": "1"})
    kept = data[list(_OF_BONDS)].assign_coords(method=method, realization=realization)
    return _plain(kept).assign_coords(share=((), share, _SHARE))


def odd(policy: Policy) -> Policy:
    """Agents that do the opposite with the opposite neighbours, each value a mean of two.

    What agents learn on an ordered lattice tells up from down, and acts as a field.
    """
    q = policy.q_values
    mirrored = q.copy(data=q.isel(n_up=slice(None, None, -1), action=slice(None, None, -1)).values)
    return replace(policy, q_values=(q + mirrored) / 2)


def _training(method: str, sweeps: int) -> dict[str, Any]:
    """Arguments of the training of a method; its values must not remember other temperatures."""
    if method == NeighborhoodQ.name:
        return {"sweeps": max(1, sweeps // WITHOUT_NOISE)}
    return {"sweeps": sweeps, "annealing": 0.0, "start": "up"}


def _plain(data: xr.Dataset) -> xr.Dataset:
    data.attrs = {"versions": data.attrs["versions"]}
    return data.drop_vars(["softmax_temperature", "coupling"], errors="ignore")


def _overlap(spins: xr.DataArray) -> xr.DataArray:
    """Mean over sites of the product of two chains' mean spins, over all pairs of chains.

    Other than the square of one chain's mean spin it has no bias from a finite run.
    """
    means = spins.mean("snapshot")
    number = means.sizes["chain"]
    pairs = means.sum("chain") ** 2 - (means**2).sum("chain")
    sites = [dim for dim in means.dims if dim not in ("temperature", "chain")]
    found = pairs.mean(sites) / (number * (number - 1))
    return found.drop_vars(set(found.coords) - {"temperature"}).assign_attrs(_OVERLAP)
