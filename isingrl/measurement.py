"""Sweep an engine, measure, and keep configurations on the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isingrl.engines.engine import Engine, SettlingEngine
from isingrl.run_files import RunFolder, Series
from isingrl.support.progress import tqdm

_FIRST_LOOK = 100  # draws before the first call of `enough`
_GROWTH = 1.25  # growth of the run between two such calls


@dataclass(frozen=True)
class Plan:
    """Plan of a run.

    Attributes
    ----------
    thermalization, interval : int
        Sweeps before all measurements, and between them.
    kept : int64 ndarray, shape (n_snapshots,)
        Sweeps after thermalization at which configurations are kept, ascending.
    enough : function, optional
        Whether the measurements so far suffice.
    """

    thermalization: int
    interval: int
    kept: npt.NDArray[np.int64]
    enough: Callable[[Series], bool] | None = None


def measure(
    engine: Engine, series: Series, plan: Plan, folder: RunFolder | None, progress: bool
) -> None:
    """Carry out a plan after the draws of `series`, in chunks between which Ctrl-C can stop it."""
    n_chains, draws = len(series.spins), series.n_draws
    n_sites = math.prod(series.spins.shape[2:])
    chunk = max(1, int(engine.updates_a_call / (n_sites * n_chains)))
    total = plan.thermalization + draws * plan.interval
    done = series.thermalized + series.draws * plan.interval
    with tqdm(total=total, initial=done, unit="sweep", disable=not progress, leave=False) as bar:
        for sweeps in _steps(engine, series, plan, chunk):
            bar.update(sweeps)
            if folder is not None:
                folder.keep(engine, series)
    if folder is not None and done < series.thermalized + series.draws * plan.interval:
        folder.keep(engine, series, now=True)


def _steps(engine: Engine, series: Series, plan: Plan, chunk: int) -> Iterator[int]:
    """Carry out a plan; yield the number of sweeps wherever a checkpoint may be written."""
    yield from _thermalize(engine, series, plan, chunk)
    interval = plan.interval
    end = series.n_draws * interval
    looks = _looks(series.n_draws) if plan.enough is not None else {series.n_draws}
    position = begin = series.draws * interval  # sweeps since the thermalization
    while True:
        upcoming = _keep_spins(engine, series, plan, position) or end
        measured = position == series.draws * interval
        if measured:
            if position > begin:
                yield position - begin
                begin = position
            if position == end or (series.draws in looks and plan.enough and plan.enough(series)):
                return
        measurement = (series.draws + 1) * interval
        if upcoming < measurement:  # between two measurements
            engine.sweep(upcoming - position)
            position = upcoming
            continue
        number = 1
        if measured:
            look = min(each for each in looks if each > series.draws)
            most = upcoming // interval - series.draws, look - series.draws
            number = min(max(1, chunk // interval), *most)
        series.note(engine.record(number, measurement - position))
        position = series.draws * interval


def _thermalize(engine: Engine, series: Series, plan: Plan, chunk: int) -> Iterator[int]:
    """Sweep before all measurements; yield the number of sweeps."""
    while series.thermalized < plan.thermalization:
        sweeps = min(chunk, plan.thermalization - series.thermalized)
        engine.sweep(sweeps)
        series.thermalized += sweeps
        yield sweeps
    if isinstance(engine, SettlingEngine):
        engine.settle()


def _keep_spins(engine: Engine, series: Series, plan: Plan, position: int) -> int | None:
    """Keep the configurations of this sweep; return the sweep of the next ones, or None."""
    while series.snapshots < plan.kept.size:
        upcoming = int(plan.kept[series.snapshots])
        if upcoming != position:
            return upcoming
        for chain in range(len(series.spins)):
            series.spins[chain, series.snapshots] = engine.spins(chain)
        series.snapshots += 1
    return None


def _looks(draws: int) -> set[int]:
    """Numbers of draws at which a run may end before the last."""
    looks, at = {draws}, _FIRST_LOOK
    while at < draws:
        looks.add(at)
        at = math.ceil(at * _GROWTH)
    return looks
