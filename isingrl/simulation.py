"""Run chains of a model under a rule and return the measurements as a Dataset."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl.agents.temperatures import warn_of_temperature
from isingrl.dynamics import Dynamics
from isingrl.ladders import climb
from isingrl.run import Run
from isingrl.run_files import run_folder
from isingrl.runs import check_snapshots, check_start, seed_sequence
from isingrl.schedules import SCHEDULES
from isingrl.spin_model import Model, check_model
from isingrl.support.devices import check_gpu
from isingrl.support.validation import check_choice, check_flag, check_real, check_run_length


def simulate(
    model: Model,
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
    device: str = "cpu",
    out: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 30.0,
    progress: bool = False,
) -> xr.Dataset:
    """Run `chains` independent chains at every temperature.

    Parameters
    ----------
    model : Ising or Potts
        Lattice, coupling and field. With several fields `chains` chains run at every temperature
        in every field. Agents that learn take one field, policies the field of their training.
    rule : Dynamics
        `Metropolis`, `HeatBath`, the cluster updates `SwendsenWang` and `Wolff`, a trained
        `Policy`, a rule whose chains exchange their temperatures (`Tempering`), agents that learn
        meanwhile (`Learning`), or a class of your own that brings an engine.
    temperature : float or sequence of float, in J/k_B
        Distinct temperatures; 0 and infinity are valid. A policy knows its temperatures: leave
        them out, or name some of them.
    sweeps : int
        Measured sweeps; one sweep is one update attempt a site (`Wolff` counts clusters). Counts
        may be written as 1e4.
    thermalization : int
        Sweeps before the first measured one.
    interval : int
        Sweeps between measurements: ``sweeps // interval`` draws are kept.
    chains : int
        Chains at every temperature.
    start : {"random", "up", "down"} or array_like of ±1
        First configuration, of a Potts model "random", "ordered" (all sites in the state 0) or
        states 0 … q - 1; an array of shape ``lattice.shape`` for all chains or
        ``(n_temperatures[, n_fields], chains, *lattice.shape)``, or a DataArray of spins with dims
        in any order. Its configurations are repeated along the dims that it lacks.
    schedule : {"checkerboard", "random-site", "typewriter", "synchronous"}
        Sublattice by sublattice; sites drawn at random; row after row; or all sites at once.
        ``"sequential"`` is an older name of ``"random-site"``. Cluster updates have no schedule
        and take only the default.
    snapshots : int or sequence of int
        Configurations to keep of every chain. A number spreads them evenly over the draws, up to
        the last one. A sequence such as ``[0, 1, 10, 100]`` names measured sweeps, ascending; 0 is
        the configuration before the first one. They need not be multiples of `interval`.
    ladder : {"temperature", "field"}, optional
        Run the temperatures, or fields, one after the other in the order given. Each starts from
        the last configuration of the one before: annealing, or hysteresis. Every rung has its own
        `thermalization` and `sweeps`. Without a ladder all run at once, each from `start`.
    loop : bool
        Go the ladder back, too. The data then have a dim ``branch``: "forward" and "backward".
    until : function of a Dataset, optional
        Called with the energies and magnetizations so far; the run ends early once it returns
        True. An example is ``analysis.precision(energy=1e-4)``. It is called after 100 draws, and
        then whenever the run has grown by a quarter.
    seed : int, optional
        The same seed gives the same numbers on any number of threads
        (``numba.set_num_threads``). Without a seed fresh entropy is drawn and recorded, and a run
        that goes on keeps its own.
    device : {"cpu", "cuda"}
        "cuda" runs on a GPU, with the same numbers, and may go on from a checkpoint of a CPU. It
        takes rules and policies, but not `Tempering`, on models that bit lanes hold: Ising models
        with one coupling or ±J on periodic lattices with a last side that is even, updated by
        sublattices or all at once. The extra ``isingrl[gpu]`` installs what Numba needs.
    out : path, optional
        Folder for a checkpoint. A run that was stopped or killed goes on from it when it is started
        again with the same arguments, and gives the same numbers as an unbroken run. Without
        snapshots `sweeps` may differ: more sweeps extend a finished run, fewer give its first
        draws.
    checkpoint_seconds : float
        Least time between two checkpoints, in seconds. It grows if they take long to write, so that
        they take at most a twentieth of the time. The last one is written at the end.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Dataset
        ``energy`` (in J) and ``magnetization``, per site, with dims (temperature, chain, draw), or
        (temperature, field, chain, draw) for several fields; with snapshots also ``spins`` (...,
        chain, snapshot, x[, y[, z]]), int8 ±1. ``draw`` and ``snapshot`` are in sweeps after the
        first draw. A Potts model has, in place of the magnetization, ``state_share`` (..., draw,
        state), the share of the sites in each state, and ``order_parameter``, (q x - 1) / (q - 1)
        with the largest of these shares x; its spins are 0 … q - 1, uint8. Lattices of Ising spins
        with two sublattices have ``staggered_magnetization`` as well, and
        cluster updates have the variables that `SwendsenWang` and `Wolff` describe. The analysis
        reads coordinates, because they stay with the numbers when runs are joined: ``method`` (the
        rule; ``data.sel({"method": ...})`` selects one), ``n_sites``, ``sides``, ``neighborhood``,
        ``boundary``, ``coupling``, ``field`` and ``schedule`` ("clusters" for cluster updates).
        Attributes hold the other arguments of the run.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or `out` cannot be written to or holds a run with other
        arguments, or a GPU is missing or does not hold the run; before any work.
    MemoryError
        If the GPU has too little memory.
    OSError
        If a checkpoint cannot be written, for example on a full disk.

    Warns
    -----
    UserWarning
        If a rule of your own has tables by site or by configuration: ``energy`` always counts the
        bonds of the model, not those of the rule.
    TemperatureMapWarning
        If `temperature` is only a label of the agents, not the temperature of an Ising model.

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
    check_model(model)
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
        kept, until, progress, check_gpu(device),
    )  # fmt: skip
    seeds = seed_sequence(seed)
    first = check_start(start, model, run.sizes)
    check_real("checkpoint_seconds", checkpoint_seconds, minimum=0)
    rule.check_run(model, temperatures, chains, schedule, ladder)
    warn_of_temperature(rule.name, rule.departures(model), stacklevel=2)
    if ladder is not None:
        data = climb(run, ladder, loop, first, seeds, seed is not None, out, checkpoint_seconds)
    elif check_flag("loop", loop):
        raise ValueError("loop needs a ladder to go back on; got ladder=None")
    else:
        with run_folder(out, checkpoint_seconds) as folder:
            data = run.carry_out(first, seeds, seed is not None, folder).data
    return data.assign_attrs(start=start if isinstance(start, str) else "array")


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
