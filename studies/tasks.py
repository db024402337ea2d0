"""What a study asks a runner to do: independent tasks, each a pure function with its own seed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import xarray as xr
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Task:
    """One independent piece of a study.

    Attributes
    ----------
    key : str
        Names the task within its study; its seed follows from it.
    function : callable
        ``function(**arguments, seed=..., progress=...)`` returns a Dataset. It depends on
        nothing else, so that it can run anywhere and any number of times.
    arguments : dict
    weight : int
        Share of the study's progress.
    resumable : bool
        Whether the function also takes ``folder``: where it keeps what it needs to go on after it
        was cut short, or None.
    """

    key: str
    function: Callable[..., xr.Dataset]
    arguments: dict[str, Any]
    weight: int = 1
    resumable: bool = False


class Study(Protocol):
    """A frozen configuration that knows its question's tasks, results and figure.

    It may also have ``later_tasks(results)``, tasks that need the results of the first, and
    ``recordings(data)``, battles to make videos of, by file name.
    """

    seed: int

    def tasks(self) -> list[Task]:
        """Everything to run; raises ValueError or TypeError for a bad configuration."""

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the tasks' results, by key, to the study's data."""

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Reduce the data to what the figure shows."""

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw the figure."""


def task_seed(seed: int, key: str) -> int:
    """Seed of a task, from the study's seed and the task's key alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:16], "big")
