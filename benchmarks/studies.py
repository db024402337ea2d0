"""Time and memory of the runner of studies, and the gain by a second core."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numba
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from benchmarks.processes import cpu_seconds, curve_megabytes
from benchmarks.report import Row, usable_cores
from studies.running.executors import Workers
from studies.running.extensions import Join, longer
from studies.running.progress import Display
from studies.running.runner import complete, run_to_folder
from studies.running.tasks import Task
from studies.shared.combination import concat

_STEPS = 100_000_000  # of a generator, a fraction of a second
_CURVE = (
    "--shape", "256", "256", "--temperature", "1.5", "3.5", "64", "--sweeps", "100000",
    "--workers", "2",
)  # fmt: skip


@dataclass(frozen=True)
class Equal:
    """Equal tasks; with 0 steps they are nearly empty."""

    number: int
    steps: int = 0
    seed: int = 1

    extends: ClassVar[Mapping[str, Join]] = {"number": longer}

    def tasks(self) -> list[Task]:
        """`number` tasks."""
        return [
            Task(f"number {k}", walk, {"number": k, "steps": self.steps})
            for k in range(self.number)
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join them in order."""
        return concat([results[task.key] for task in self.tasks()], "number")

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Take a mean."""
        return data.mean()

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw nothing."""
        return Figure()


def walk(number: int, steps: int, *, seed: int, progress: bool = False) -> xr.Dataset:
    """Run a generator for some steps; returns its last state and the time of its start."""
    begun = time.time()
    end = _walk(steps, number + 1) if steps else number
    data = {"end": ("number", [end]), "begun": ("number", [begun])}
    return xr.Dataset(data, coords={"number": [number]})


@numba.njit
def _walk(steps: int, state: int) -> int:
    x = np.uint64(state)
    for _ in range(steps):
        x ^= x << np.uint64(13)
        x ^= x >> np.uint64(7)
        x ^= x << np.uint64(17)
    return x >> np.uint64(1)


def rows(full: bool) -> list[Row]:
    """Everything about the runner; few tasks unless `full`."""
    return [*_overhead(full), *_second_core(full), *_going_on(full), *_memory(full)]


def _overhead(full: bool) -> list[Row]:
    """Time of a task from the difference of two runs, so that work done once cancels."""
    few, many, rounds = (200, 1_200, 3) if full else (20, 120, 1)
    found = []
    for what, workers in (("in this process", 1), ("two workers", 2)):
        seconds = {
            number: min(_seconds(Equal(number), workers) for _ in range(rounds))
            for number in (few, many)
        }
        value = (seconds[many] - seconds[few]) / (many - few) * 1e3
        found.append(Row("Runner of studies", what, value=value, unit="ms a task", at_most=5.0))
    return found


def _seconds(study: Equal, workers: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        run_to_folder(study, "equal", Path(folder), workers=workers)
        return time.perf_counter() - begin


def _second_core(full: bool) -> list[Row]:
    """Tasks that need a core each, after the workers have started and compiled."""
    number, rounds = (64, 2) if full else (8, 1)
    what = f"{number} tasks, two workers"
    if usable_cores() < 2:
        return [Row("Runner of studies", what, note="skipped: one core")]
    one, two = (min(_throughput(number, workers) for _ in range(rounds)) for workers in (1, 2))
    (alone, _, _), (wall, cpu, start) = one, two
    what, unit = f"{what}, {alone / number:.2g} s each", f"× one process, on {cpu / wall:.2f} cores"
    limit = 1.8 if full else None
    return [
        Row("Runner of studies", what, value=alone / wall, unit=unit, at_least=limit),
        Row("Runner of studies", "start of two workers", value=start, unit="s"),
    ]


def _throughput(number: int, workers: int) -> tuple[float, float, float]:
    """Wall and CPU seconds of the tasks, and the time until each worker has done a first task."""
    with tempfile.TemporaryDirectory() as name, Workers(workers, progress=False) as engine:
        folder, begin = Path(name), time.perf_counter()
        times = []
        # the first tasks are short, and so many that every worker gets one
        for part, study in (("first", Equal(4 * workers, 1)), ("all", Equal(number, _STEPS))):
            with Display("equal", folder, shown=False) as display:
                times.append((time.perf_counter(), cpu_seconds()))
                complete(study, folder / part, engine, display)
        end = time.perf_counter(), cpu_seconds()
        return end[0] - times[1][0], end[1] - times[1][1], times[1][0] - begin


def _going_on(full: bool) -> list[Row]:
    """Extend a finished study by one task, which records the time of its start."""
    number, rounds = (10_000, 3) if full else (500, 1)
    starts, ends = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_to_folder(Equal(number), "equal", folder)
        for more in range(1, rounds + 1):
            begin = time.time()
            run_to_folder(Equal(number + more), "equal", folder, extend=True)
            end = time.time()
            with xr.open_dataset(folder / "data.nc", engine="h5netcdf") as data:
                begun = data["begun"][-1].item()
            starts.append(begun - begin)
            ends.append(end - begun)
    section = f"A study with {number:,} finished tasks goes on"
    limit = 2.0 if full else None
    return [
        Row(section, "until a missing one begins", value=min(starts), unit="s", at_most=limit),
        Row(section, "from there to the written files", value=min(ends), unit="s"),
    ]


def _memory(full: bool) -> list[Row]:
    section, what = "Peak memory of isingrl curve, two workers", "256², 64 temperatures"
    if not full:
        return [Row(section, what, note="skipped: takes minutes")]
    peak, seconds = curve_megabytes(list(_CURVE))
    return [
        Row(section, f"{what}, 100,000 sweeps", value=peak, unit="MB", at_most=1000.0),
        Row(section, "time of that", value=seconds, unit="s"),
    ]
