"""A small study, whose tasks can do all that tasks should not do."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numba
import numpy as np
import xarray as xr

from isingrl import HeatBath, Ising, Lattice, simulate
from isingrl.support.archives import DamagedFileError
from studies.running.extensions import Join, added, longer, unextended
from studies.running.tasks import Task
from studies.shared.combination import concat
from studies.shared.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Toy:
    """Energies of a small lattice at some temperatures, and accidents."""

    temperatures: tuple[float, ...] = (2.0, 2.5, 3.0)
    sweeps: int = 40
    side: int = 8
    seconds: float = 0.0
    """What every task sleeps."""
    accidents: tuple[str, ...] = ()
    """What happens at the first temperatures; "" for nothing."""
    notes: str = ""
    """Folder in which tasks note that they ran."""
    later: bool = False
    """Whether there is a task that needs the results of the others."""
    seed: int = 1

    extends: ClassVar[Mapping[str, Join]] = {"temperatures": added, "sweeps": longer}

    def tasks(self) -> list[Task]:
        if not self.temperatures:
            raise ValueError("temperatures must be one or more; got none")
        accidents = (*self.accidents, *[""] * len(self.temperatures))
        return [
            Task(
                key=f"T = {temperature:g}",
                function=measure,
                arguments={
                    "config": unextended(self),
                    "temperature": temperature,
                    "accident": accident,
                },
                resumable=True,
                sweeps=self.sweeps,
            )
            for temperature, accident in zip(self.temperatures, accidents, strict=False)
        ]

    def later_tasks(self, results: dict[str, xr.Dataset]) -> list[Task]:
        if not self.later:
            return []
        means = tuple(float(results[f"T = {t:g}"]["energy"].mean()) for t in self.temperatures)
        return [Task("mean", average, {"energies": means})]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        data = concat([results[f"T = {t:g}"] for t in self.temperatures], "temperature")
        return data.assign(mean=results["mean"]["mean"]) if self.later else data

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        return data[["energy"]].mean(("chain", "draw")).assign_attrs(data.attrs)

    def plot(self, summary: xr.Dataset) -> Figure:
        figure = new_figure()
        figure.subplots().plot(summary["temperature"], summary["energy"])
        return figure


def measure(
    config: Toy, temperature: float, accident: str, *, sweeps: int, seed: int,
    folder: Path | None = None, progress: bool = False,
) -> xr.Dataset:  # fmt: skip
    if config.notes:
        with (Path(config.notes) / "notes").open("a") as file:
            file.write(f"{temperature:g} {os.getpid()}\n")
    time.sleep(config.seconds)
    if accident == "compile":
        numba.njit(_nothing)()
    if accident == "raise":
        raise RuntimeError(f"no luck at {temperature:g}")
    if accident == "damaged":
        raise DamagedFileError(f"no good at {temperature:g}")
    if accident == "stop":
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("half made")
    if accident == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if accident == "eat":
        np.ones(10**9)  # 8 GB, each page touched
    mark = Path(config.notes) / f"{accident} at {temperature:g}"
    if accident == "die always" or (accident == "die once" and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return simulate(
        Ising(Lattice((config.side, config.side))), HeatBath(), temperature, sweeps=sweeps,
        chains=2, seed=seed, out=folder and folder / "run", checkpoint_seconds=0,
    )  # fmt: skip


def _nothing() -> None:
    pass


def average(energies: tuple[float, ...], *, seed: int, progress: bool = False) -> xr.Dataset:
    return xr.Dataset({"mean": float(np.mean(energies))})
