"""Run chains of a model under a rule and return what was measured as a Dataset."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl.agents.temperatures import warn_of_temperature
from isingrl.coordinates import coordinates_of
from isingrl.dynamics import Dynamics
from isingrl.engines.engine import Engine
from isingrl.ladders import climb
from isingrl.measurement import Plan, measure
from isingrl.model import Ising
from isingrl.run_files import RunFolder, Series, run_arguments, run_folder
from isingrl.runs import check_snapshots, check_start, seed_sequence
from isingrl.schedules import SCHEDULES
from isingrl.support.provenance import versions_text
from isingrl.support.validation import check_choice, check_flag, check_real, check_run_length

_SINCE_FIRST_DRAW = {"long_name": "sweeps after the first draw", "units": "sweeps"}


def simulate(
    model: Ising,
    rule: Dynamics,
    temperature: Any = None,
    *,
    sweeps: int,
    thermalization: int = 0,
    interval: int = 1,
    chains: int = 1,
    start: str | npt.ArrayLike = "random",
    schedule: str = "checkerboard",
    snapshots: int | Sequence[int] = 0,
    ladder: str | None = None,
    loop: bool = False,
    until: Callable[[xr.Dataset], bool] | None = None,
    seed: int | None = None,
    out: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 30.0,
    progress: bool = False,
) -> xr.Dataset:
    """Run `chains` independent chains at every temperature.

    Parameters
    ----------
    model : Ising
        Lattice, coupling and field; with several fields there are `chains` chains at every
        temperature in every field. Agents that learn take one field, policies that of their
        training.
    rule : Dynamics
        `Metropolis`, `HeatBath`, a trained `Policy`, agents that learn meanwhile (`Learning`), or
        what else brings an engine.
    temperature : float or sequence of float, in J/k_B
        Distinct temperatures; 0 and infinity are valid. May be left out for a policy, which
        brings its own, or name some of those.
    sweeps : int
        Measured sweeps; one sweep is one update attempt a site. Counts may be written as 1e4.
    thermalization : int
        Sweeps before the first measured one.
    interval : int
        Sweeps between measurements: ``sweeps // interval`` draws are kept.
    chains : int
        Chains at every temperature.
    start : {"random", "up", "down"} or array_like of ±1
        First configuration; an array of shape ``lattice.shape`` for all chains or
        ``(n_temperatures[, n_fields], chains, *lattice.shape)``, or a DataArray of spins, whose
        dims stand in any order; along those that it lacks its configurations are repeated.
    schedule : {"checkerboard", "random-site", "typewriter", "synchronous"}
        Sublattice by sublattice; sites drawn at random; row after row; or all sites at once.
        ``"sequential"`` is an older name of ``"random-site"``.
    snapshots : int or sequence of int
        Configurations to keep of every chain: how many, evenly spread over the draws, the last draw
        one of them; or after which measured sweeps, ascending, as ``[0, 1, 10, 100]``, where 0 is
        the configuration before the first of them. They need not be multiples of `interval`.
    ladder : {"temperature", "field"}, optional
        Run the temperatures, or fields, one after the other in the order given, each from the last
        configuration of the one before: annealing, or magnetization against a field that is
        turned. Every rung has its own `thermalization` and `sweeps`. Without it all run at once,
        each from `start`.
    loop : bool
        Go the ladder back again: the data then have a dim ``branch``, "forward" and "backward".
    until : function of a Dataset, optional
        Ends the run before `sweeps` once it returns True of the energies and magnetizations so far,
        for example ``analysis.precision(energy=1e-4)``. It is asked after 100 draws and then
        whenever the run has grown by a quarter.
    seed : int, optional
        The same seed gives the same numbers, whatever the number of threads
        (``numba.set_num_threads``). Without it fresh entropy is drawn and recorded, and a run that
        is resumed keeps what it began with.
    out : path, optional
        Folder for a checkpoint. A run that was cut short, or killed, goes on from it when it is
        started again with the same arguments, and ends as if it had never been cut. Without
        snapshots `sweeps` may differ: more go on from the end of a finished run, fewer give its
        first draws.
    checkpoint_seconds : float
        Least time between two checkpoints, in seconds; it is longer where they take long to write,
        so that they take a twentieth of the time at most. One is always made at the end.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Dataset
        ``energy`` (in J) and ``magnetization``, per site, with dims (temperature, chain, draw), or
        (temperature, field, chain, draw) for several fields; with snapshots also ``spins`` (...,
        chain, snapshot, x[, y[, z]]), int8 ±1. ``draw`` and ``snapshot`` are in sweeps after the
        first draw. What the analysis reads are coordinates, which stay with the numbers where
        runs are joined: ``method`` (the rule; ``data.sel({"method": ...})`` selects one),
        ``n_sites``, ``sides``, ``neighborhood``, ``boundary``, ``coupling``, ``field`` and
        ``schedule``. Attributes hold what else is needed to run it again.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, `out` holds a run with other arguments or other files
        of that name, or cannot be written to, before any work.
    OSError
        If a checkpoint cannot be written, as on a full disk.

    Warns
    -----
    UserWarning
        Where a rule of your own has tables by site or by configuration: ``energy`` is always that
        of the model, and not of bonds that the rule has of its own.
    TemperatureMapWarning
        Where `temperature` is only a label of the agents, not the temperature of an Ising model.

    Examples
    --------
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), [2.0, 3.0], sweeps=10, snapshots=2, seed=1)
    >>> data.energy.dims, data.energy.shape
    (('temperature', 'chain', 'draw'), (2, 1, 10))
    >>> data.spins.dims, data.spins.shape
    (('temperature', 'chain', 'snapshot', 'x', 'y'), (2, 1, 2, 8, 8))
    >>> data.energy.units, data.temperature.units
    ('J', 'J/k_B')
    """
    if not isinstance(model, Ising):
        raise TypeError(f"model must be an Ising model; got {model!r}")
    if not isinstance(rule, Dynamics):
        raise TypeError(
            "rule must be Metropolis(), HeatBath(), a Policy or other Dynamics; got "
            f"{rule!r} (agents are trained first, or run as Learning(agent))"
        )
    temperatures = rule.temperatures(model, temperature)
    sweeps, thermalization, interval, chains = check_run_length(
        sweeps, thermalization, interval, chains
    )
    kept = check_snapshots(snapshots, sweeps, interval)
    check_choice("schedule", schedule, SCHEDULES)
    _check_until(until, snapshots)
    run = Run(
        model, rule, temperatures, sweeps, thermalization, interval, chains, schedule,
        ", ".join(map(str, kept)) if np.ndim(snapshots) else kept.size,
        kept, until, progress,
    )  # fmt: skip
    seeds = seed_sequence(seed)
    first = check_start(start, model.lattice.shape, run.sizes)
    check_real("checkpoint_seconds", checkpoint_seconds, minimum=0)
    warn_of_temperature(rule.name, rule.departures(model), stacklevel=2)
    if ladder is not None:
        data = climb(run, ladder, loop, first, seeds, seed is not None, out, checkpoint_seconds)
    elif check_flag("loop", loop):
        raise ValueError("loop is the way back of a ladder, which must be given; got ladder=None")
    else:
        with run_folder(out, checkpoint_seconds) as folder:
            data = run.carry_out(first, seeds, seed is not None, folder).data
    return data.assign_attrs(start=start if isinstance(start, str) else "array")


class RunResult(NamedTuple):
    """What came of a run: its data, the engine where it stopped, and the seed."""

    data: xr.Dataset
    engine: Engine
    seeds: np.random.SeedSequence


@dataclass(frozen=True)
class Run:
    """A run as `simulate` was asked for it, its arguments checked."""

    model: Ising
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
        start: str | npt.NDArray[np.int8],
        seeds: np.random.SeedSequence,
        seeded: bool,
        folder: RunFolder | None,
        rung: int | None = None,
    ) -> RunResult:
        """Run all chains.

        Parameters
        ----------
        start : str or int8 ndarray, shape (n_chains, *lattice.shape)
        seeds : SeedSequence
        seeded : bool
            Whether that seed was asked for; else the one of a checkpoint is as good.
        folder : RunFolder, optional
        rung : int, optional
            Of a ladder, each of which has random numbers of its own.
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
        n_chains, draws = math.prod(self.shape), self.sweeps // self.interval
        series = Series.new(n_chains, draws, self.kept.size, model.lattice.shape)
        if folder is not None:
            folder.resume(engine, series)
        measure(engine, series, self._plan, folder, self.progress)
        return RunResult(self._described(series, seeds), engine, seeds)

    @property
    def _plan(self) -> Plan:
        until = self.until
        enough = None if until is None else lambda series: bool(until(self._dataset(series)))
        return Plan(self.thermalization, self.interval, self.kept, enough)

    def _described(self, series: Series, seeds: np.random.SeedSequence) -> xr.Dataset:
        """What was measured, and all that is needed to run it again."""
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
        description.pop("rule", None)  # which is the method
        data.attrs = description | {
            "sweeps": series.draws * self.interval if self.until else self.sweeps,
            "thermalization": self.thermalization,
            "learn": int(rule.learns),
            "seed_entropy": str(seeds.entropy),
            "versions": versions_text(),
        }
        data = data.assign_coords(schedule=self.schedule, method=rule.name)
        softmax = rule.softmax_temperature(self.model, self.temperatures)
        if softmax is not None:
            data = data.assign_coords(softmax_temperature=("temperature", softmax))
            data["softmax_temperature"].attrs["long_name"] = "softmax temperature"
        return data

    def _dataset(self, series: Series) -> xr.Dataset:
        """Energies and magnetizations so far, and what they were measured on."""
        model, lattice, draws = self.model, self.model.lattice, series.draws
        sums = series.measured()
        each_field = (self.shape[0], -1, self.chains, draws)
        bonds, totals = (sums.pop(name).reshape(each_field) for name in ("bonds", "totals"))
        energies = [
            each.energy_of_sums(bonds[:, k], totals[:, k])
            for k, each in enumerate(model.each_field)
        ]
        per_site = {"energy": np.stack(energies, axis=1), "magnetization": totals / lattice.n_sites}
        per_site |= {name: values / lattice.n_sites for name, values in sums.items()}
        dims = (*self.sizes, "draw")
        degrees = {"long_name": "temperature", "units": "J/k_B"}
        since = _SINCE_FIRST_DRAW | {"interval": self.interval}
        return xr.Dataset(
            {
                name: (
                    dims,
                    values.reshape(*self.shape, draws),
                    {
                        "long_name": f"{name.replace('_', ' ')} per site",
                        "units": "J" if name == "energy" else "1",
                    },
                )
                for name, values in per_site.items()
            },
            coords={
                "temperature": ("temperature", self.temperatures, degrees),
                "chain": np.arange(self.chains),
                "draw": ("draw", np.arange(draws) * self.interval, since),
                **coordinates_of(model),
            },
        )


def _check_until(until: Any, snapshots: Any) -> None:
    if until is None:
        return
    if not callable(until):
        raise TypeError(
            "until must be a function of the data so far, such as analysis.precision(energy=1e-4); "
            f"got {until!r}"
        )
    if np.ndim(snapshots) == 0 and snapshots:
        raise ValueError(
            "snapshots must be a sequence of sweeps, as in [0, 10, 100], where until decides how "
            f"long the run is; got {snapshots}"
        )


__all__ = ["simulate"]
