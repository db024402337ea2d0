"""A run: chains of a model under a rule, from a first configuration to a Dataset."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl.coordinates import coordinates_of, size_bins
from isingrl.dynamics import Dynamics
from isingrl.engines.engine import Engine, SettlingEngine, on_device
from isingrl.measurement import Plan, measure
from isingrl.run_files import RunFolder, Series, run_arguments
from isingrl.spin_model import Model
from isingrl.support.provenance import versions_text

_SINCE_FIRST_DRAW = {"long_name": "sweeps after the first draw", "units": "sweeps"}


class RunResult(NamedTuple):
    """Data of a run, the engine where it stopped, and the seed."""

    data: xr.Dataset
    engine: Engine
    seeds: np.random.SeedSequence


@dataclass(frozen=True)
class Run:
    """Checked arguments of `simulate`."""

    model: Model
    rule: Dynamics
    temperatures: npt.NDArray[np.float64]
    sweeps: int
    thermalization: int
    interval: int
    chains: int
    schedule: str
    snapshots: int | str
    kept: npt.NDArray[np.int64]
    until: Callable[[xr.Dataset], bool] | None
    progress: bool
    device: str

    @property
    def sizes(self) -> dict[str, int]:
        """Numbers of temperatures, of fields if there are several, and of chains."""
        several = not isinstance(self.model.field, float)
        fields = {"field": len(self.model.each_field)} if several else {}
        return {"temperature": len(self.temperatures), **fields, "chain": self.chains}

    @property
    def shape(self) -> tuple[int, ...]:
        """As `sizes`, without names."""
        return tuple(self.sizes.values())

    def carry_out(
        self,
        start: str | npt.NDArray[Any],
        seeds: np.random.SeedSequence,
        seeded: bool,
        folder: RunFolder | None,
        rung: int | None = None,
    ) -> RunResult:
        """Run all chains.

        `seeded`: whether the user gave the seed; otherwise a checkpoint's takes its place. `rung`
        is the number of the rung of a ladder, because each rung has its own random numbers.
        """
        model, rule = self.model, self.rule
        if folder is not None:
            options = {
                "chains": self.chains, "schedule": self.schedule,
                "thermalization": self.thermalization, "interval": self.interval,
                "snapshots": self.snapshots, "sweeps": self.sweeps, "learn": rule.learns,
            }  # fmt: skip
            arguments = run_arguments(model, rule, self.temperatures, start, options)
            seeds = folder.open(arguments, seeds, seeded)
        own = seeds
        if rung is not None:
            own = np.random.SeedSequence(seeds.entropy, spawn_key=(rung,))
        engine = rule.engine(model, self.temperatures, self.chains, start, self.schedule, own)
        engine = on_device(engine, self.device)
        n_chains, draws = math.prod(self.shape), self.sweeps // self.interval
        series = Series.new(n_chains, draws, self.kept.size, model)
        if folder is not None:
            folder.resume(engine, series)
        measure(engine, series, self._plan, folder, self.progress)
        data = self._described(series, seeds)
        if isinstance(engine, SettlingEngine):
            for name, values in engine.settled().items():
                label = {"long_name": name.replace("_", " "), "units": "1"}
                data[name] = tuple(self.sizes), values.reshape(self.shape), label
        return RunResult(data, engine, seeds)

    @property
    def _plan(self) -> Plan:
        until = self.until
        enough = None if until is None else lambda series: bool(until(self._dataset(series)))
        return Plan(self.thermalization, self.interval, self.kept, enough)

    def _described(self, series: Series, seeds: np.random.SeedSequence) -> xr.Dataset:
        """Measurements, with the arguments of the run as attributes."""
        rule, data = self.rule, self._dataset(series)
        kept = self.kept[: series.snapshots]
        if self.kept.size:
            sites = ("x", "y", "z")[: self.model.lattice.ndim]
            dims = (*data["energy"].dims[:-1], "snapshot", *sites)
            spins = series.arrays()["spins"].reshape(
                *self.shape, kept.size, *self.model.lattice.shape
            )
            data["spins"] = dims, spins, {"long_name": "spin"}
            at = {"long_name": "sweeps after the thermalization", "units": "sweeps"}
            data = data.assign_coords(
                snapshot=("snapshot", kept - self.interval, _SINCE_FIRST_DRAW),
                sweep=("snapshot", kept, at),
            )
        description = rule.describe()
        if rule.departures(self.model):
            description["temperature_map"] = "approximate"
        description.pop("rule", None)  # the coordinate "method" has it
        data.attrs = description | {
            "sweeps": series.draws * self.interval if self.until else self.sweeps,
            "thermalization": self.thermalization,
            "learn": int(rule.learns),
            "seed_entropy": str(seeds.entropy),
            "versions": versions_text(),
        }
        schedule = self.schedule if rule.scheduled else "clusters"
        data = data.assign_coords(schedule=schedule, method=rule.name)
        softmax = rule.softmax_temperature(self.model, self.temperatures)
        if softmax is not None:
            data = data.assign_coords(softmax_temperature=("temperature", softmax))
            data["softmax_temperature"].attrs["long_name"] = "softmax temperature"
        return data

    def _dataset(self, series: Series) -> xr.Dataset:
        """Energies and measures of order so far, with the model as coordinates."""
        model, lattice, draws = self.model, self.model.lattice, series.draws
        sums = series.measured()
        each_field = (self.shape[0], -1, self.chains, draws)
        order = {model.order_name: model.order(sums)}
        totals, bonds = sums.pop("totals").reshape(each_field), sums.pop("bonds")
        bonds = bonds.reshape(*each_field, *bonds.shape[2:])
        energies = [
            each.energy_of_sums(bonds[:, k], totals[:, k])
            for k, each in enumerate(model.each_field)
        ]
        per_site = {"energy": np.stack(energies, axis=1), **order}
        undivided = self.rule.undivided
        others = {name: sums.pop(name) for name in undivided if name in sums}
        per_site |= {name: values / lattice.n_sites for name, values in sums.items()}
        labels = {
            name: {
                "long_name": f"{name.replace('_', ' ')} per site",
                "units": "J" if name == "energy" else "1",
            }
            for name in per_site
        }
        bins = {name: ("size_bin",) for name, values in others.items() if values.ndim > 2}
        further = size_bins(lattice.n_sites) if bins else {}
        if "state_share" in per_site:
            bins["state_share"] = ("state",)
            labels["state_share"] = {"long_name": "share of the sites in a state", "units": "1"}
            labels["order_parameter"] = {"long_name": "order parameter", "units": "1"}
            further["state"] = np.arange(per_site["state_share"].shape[-1])
        labels |= undivided
        if not isinstance(model.coupling, float):
            energy = "energy per site of bonds of one coupling"
            labels["bond_energy"] = {"long_name": energy, "units": "J"}
            others["bond_energy"] = -model.couplings * bonds / lattice.n_sites
            bins["bond_energy"] = ("bond_coupling",)
            coupling = {"long_name": "coupling of the bonds", "units": "J"}
            further["bond_coupling"] = "bond_coupling", model.couplings, coupling
        dims = (*self.sizes, "draw")
        degrees = {"long_name": "temperature", "units": "J/k_B"}
        since = _SINCE_FIRST_DRAW | {"interval": self.interval}
        return xr.Dataset(
            {
                name: (
                    (*dims, *bins.get(name, ())),
                    values.reshape(*self.shape, draws, *([-1] if name in bins else [])),
                    labels[name],
                )
                for name, values in (per_site | others).items()
            },
            coords={
                "temperature": ("temperature", self.temperatures, degrees),
                "chain": np.arange(self.chains),
                "draw": ("draw", np.arange(draws) * self.interval, since),
                **further,
                **coordinates_of(model),
            },
        )
