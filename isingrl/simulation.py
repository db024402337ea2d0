"""Run chains of a model under a rule and return what was measured as a Dataset."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl._ergodicity import with_rests
from isingrl._lane_engine import LaneEngine
from isingrl._lane_layout import fits
from isingrl._progress import tqdm
from isingrl._provenance import versions_text
from isingrl._run_files import RunFolder, Series, run_arguments
from isingrl._runs import check_start, seed_sequence, snapshot_draws
from isingrl._site_engine import SCHEDULES, SiteEngine
from isingrl._validation import (
    check_choice,
    check_flag,
    check_real,
    check_run_length,
    check_temperature,
)
from isingrl.agents._learning_engine import LearningEngine
from isingrl.agents.agent import Agent
from isingrl.agents.policy import Policy
from isingrl.model import Ising
from isingrl.rules import Rule
from isingrl.tables import RuleTable


class Engine(Protocol):
    """What `simulate` asks of an engine."""

    updates_a_call: float
    """Site updates of about a tenth of a second: what passes between two looks at the keyboard."""

    def sweep(self, sweeps: int) -> None:
        """Make `sweeps` sweeps of every chain."""

    def record(
        self, draws: int, interval: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Measure bond and spin sums, shape (n_chains, draws), every `interval` sweeps."""

    def spins(self, chain: int) -> npt.NDArray[np.int8]:
        """Spins of one chain."""

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Copies of all that the next sweeps depend on, by name."""

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Take over what `state` returned."""


def simulate(
    model: Ising,
    rule: Rule | Agent,
    temperature: Any = None,
    *,
    sweeps: int,
    thermalization: int = 0,
    interval: int = 1,
    chains: int = 1,
    start: str | npt.ArrayLike = "random",
    schedule: str = "checkerboard",
    snapshots: int = 0,
    learn: bool = False,
    seed: int | None = None,
    out: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 30.0,
    progress: bool = False,
) -> xr.Dataset:
    """Run `chains` independent chains at every temperature.

    Parameters
    ----------
    model : Ising
        Lattice, coupling and field.
    rule : Rule or Agent
        `Metropolis`, `HeatBath` or a trained `Policy`; with `learn` a `Policy` or an agent that
        knows nothing yet.
    temperature : float or sequence of float, in J/k_B
        Distinct temperatures; 0 and infinity are valid. May be left out for a policy, which
        brings its own, or name some of those.
    sweeps : int
        Measured sweeps; one sweep is one update attempt a site.
    thermalization : int
        Sweeps before the first measured one.
    interval : int
        Sweeps between measurements: ``sweeps // interval`` draws are kept.
    chains : int
        Chains at every temperature.
    start : {"random", "up", "down"} or array_like of ±1
        First configuration; an array of shape ``lattice.shape`` for all chains or
        ``(n_temperatures, chains, *lattice.shape)``.
    schedule : {"checkerboard", "sequential", "synchronous"}
        Sublattice by sublattice, random sites, or all sites at once.
    snapshots : int
        Configurations to keep of every chain, evenly spread over the draws; the last draw is
        one of them.
    learn : bool
        Agents go on learning, each chain its own, while they are measured and before, at constant
        softmax temperature; the way to run agents for which a frozen policy means little, such as
        `IndependentQ`. A sweep is then one that is learned from. Networks learn at their full
        rate, with a new optimizer.
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
        ``energy`` (in J) and ``magnetization``, per site, with dims (temperature, chain, draw);
        with snapshots also ``spins`` (temperature, chain, snapshot, x[, y[, z]]), int8 ±1. The
        scalar coordinate ``method`` names the rule, so that runs concatenate along it. The
        attributes hold everything needed to run it again.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, `out` holds a run with other arguments or other files
        of that name, or cannot be written to, before any work.
    OSError
        If a checkpoint cannot be written, as on a full disk.

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
    temperatures = _check_rule(model, rule, temperature, learn)
    check_run_length(sweeps, thermalization, interval, chains, snapshots)
    check_choice("schedule", schedule, tuple(SCHEDULES))
    draws = sweeps // interval
    seeds = seed_sequence(seed)
    shape = (len(temperatures), chains)
    first = check_start(start, model.lattice.shape, shape)
    check_real("checkpoint_seconds", checkpoint_seconds, minimum=0)
    table = None
    if not learn:
        assert isinstance(rule, Rule)
        table = rule.compile(model, temperatures, chains)
    folder = None
    if out is not None:
        options = {
            "chains": chains, "schedule": schedule, "thermalization": thermalization,
            "interval": interval, "snapshots": snapshots, "sweeps": sweeps, "learn": learn,
        }  # fmt: skip
        arguments = run_arguments(model, rule, table, temperatures, first, options)
        folder = RunFolder(out, checkpoint_seconds)
    try:
        if folder is not None:
            seeds = folder.open(arguments, seeds, seed is not None)
        engine: Engine
        if table is not None:
            engine = make_engine(model, table, first, schedule, seeds)
        else:
            assert isinstance(rule, Agent | Policy)
            engine = LearningEngine(model, rule, temperatures, chains, first, schedule, seeds)
        series = Series.new(len(temperatures) * chains, draws, snapshots, model.lattice.shape)
        if folder is not None:
            folder.resume(engine, series)
        _run(engine, series, thermalization, interval, folder, progress)
    finally:
        if folder is not None:
            folder.close()

    data = _dataset(model, temperatures, chains, series.bonds, series.totals)
    if snapshots:
        sites = ("x", "y", "z")[: model.lattice.ndim]
        data["spins"] = (
            ("temperature", "chain", "snapshot", *sites),
            series.spins.reshape(*shape, snapshots, *model.lattice.shape),
            {"long_name": "spin"},
        )
        data = data.assign_coords(snapshot=("snapshot", snapshot_draws(draws, snapshots)))
        data["snapshot"].attrs["long_name"] = "draw at which the spins were kept"
    data.attrs |= rule.describe() | {
        "schedule": schedule,
        "sweeps": sweeps,
        "thermalization": thermalization,
        "interval": interval,
        "start": start if isinstance(start, str) else "array",
        "learn": int(learn),
        "seed_entropy": str(seeds.entropy),
        "versions": versions_text(),
    }
    data = data.assign_coords(method=rule.name)
    softmax = rule.softmax_temperature(model, temperatures)
    if softmax is not None:
        data = data.assign_coords(softmax_temperature=("temperature", softmax))
        data["softmax_temperature"].attrs["long_name"] = "softmax temperature"
    return data


def make_engine(
    model: Ising,
    table: RuleTable,
    start: str | npt.NDArray[np.int8],
    schedule: str,
    seed: np.random.SeedSequence,
) -> Engine:
    """Take the fast engine wherever it applies."""
    lattice = model.lattice
    table = replace(table, up=with_rests(table.up, lattice, schedule))
    if fits(lattice) and table.counted and schedule != "sequential":
        synchronous = schedule == "synchronous"
        return LaneEngine(lattice, table.up[:, 0], start, synchronous=synchronous, seed=seed)
    return SiteEngine(lattice, table, start, schedule=schedule, seed=seed)


def _check_rule(model: Ising, rule: Any, temperature: Any, learn: bool) -> npt.NDArray[np.float64]:
    """Check what updates the spins; returns the temperatures."""
    if check_flag("learn", learn) and not isinstance(rule, Agent | Policy):
        raise TypeError(f"rule must be an agent or a Policy to learn; got {rule!r}")
    if isinstance(rule, Agent) and not learn:
        raise TypeError(
            f"rule must be Metropolis(), HeatBath() or a Policy; got {rule!r}: train it first, or "
            "give learn=True"
        )
    if isinstance(rule, Agent):
        rule.check_model(model)
        if temperature is None:
            raise TypeError("temperature must be given for agents that learn; got None")
        return check_temperature(temperature)
    if not isinstance(rule, Rule):
        raise TypeError(f"rule must be Metropolis(), HeatBath() or a Policy; got {rule!r}")
    return rule.temperatures(model, temperature)


def _run(
    engine: Engine,
    series: Series,
    thermalization: int,
    interval: int,
    folder: RunFolder | None,
    progress: bool,
) -> None:
    """Sweep and measure in chunks, between which the bar moves and Ctrl-C is heard."""
    n_chains, draws = series.bonds.shape
    n_sites = math.prod(series.spins.shape[2:])
    chunk = max(1, int(engine.updates_a_call / (n_sites * n_chains)))
    kept = snapshot_draws(draws, series.spins.shape[1])
    total = thermalization + draws * interval
    done = series.thermalized + series.draws * interval
    changed = done < total
    with tqdm(total=total, initial=done, unit="sweep", disable=not progress, leave=False) as bar:
        while series.thermalized < thermalization:
            part = min(chunk, thermalization - series.thermalized)
            engine.sweep(part)
            series.thermalized += part
            bar.update(part)
            if folder is not None:
                folder.keep(engine, series)
        first, step = series.draws, max(1, chunk // interval)
        stops = np.union1d(np.append(np.arange(first + step, draws, step), draws), kept + 1)
        for stop in stops[stops > first]:
            measured = engine.record(stop - first, interval)
            series.bonds[:, first:stop], series.totals[:, first:stop] = measured
            bar.update((stop - first) * interval)
            for snapshot in np.flatnonzero(kept == stop - 1):
                for chain in range(n_chains):
                    series.spins[chain, snapshot] = engine.spins(chain)
                series.snapshots += 1
            first = series.draws = int(stop)
            if folder is not None and stop < draws:
                folder.keep(engine, series)
    if folder is not None and changed:
        folder.keep(engine, series, now=True)


def _dataset(
    model: Ising,
    temperatures: npt.NDArray[np.float64],
    chains: int,
    bonds: npt.NDArray[np.int64],
    totals: npt.NDArray[np.int64],
) -> xr.Dataset:
    dims = ("temperature", "chain", "draw")
    shape = (len(temperatures), chains, bonds.shape[1])
    energy = model.energy_of_sums(bonds, totals).reshape(shape)
    magnetization = (totals / model.lattice.n_sites).reshape(shape)
    lattice = model.lattice
    return xr.Dataset(
        {
            "energy": (dims, energy, {"long_name": "energy per site", "units": "J"}),
            "magnetization": (
                dims,
                magnetization,
                {"long_name": "magnetization per site", "units": "1"},
            ),
        },
        coords={
            "temperature": (
                "temperature",
                temperatures,
                {"long_name": "temperature", "units": "J/k_B"},
            ),
            "chain": np.arange(chains),
            "draw": np.arange(bonds.shape[1]),
        },
        attrs={
            "shape": list(lattice.shape),
            "n_sites": lattice.n_sites,
            "neighborhood": lattice.neighborhood,
            "boundary": lattice.boundary,
            "coupling": model.coupling,
            "field": model.field,
        },
    )


__all__ = ["simulate"]
