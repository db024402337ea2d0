"""Executors of tasks: this process, processes of this machine, or a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, Self

from isingrl.support.validation import check_integer, require
from studies.running.cluster import connected
from studies.running.processes import Processes
from studies.running.task_runs import TaskOutcome, perform
from studies.running.tasks import Job


class Executor(Protocol):
    """Runs jobs, in any order."""

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[TaskOutcome | None]:
        """Yield each outcome when it is there, and None about once a second while none is."""

    def running(self) -> list[str]:
        """Names of the jobs that are running now."""


class InProcess:
    """One job after the other, here, with as many threads as Numba has.

    Parameters
    ----------
    progress : bool
        Whether tasks show bars of their own.
    """

    def __init__(self, *, progress: bool = False) -> None:
        self._progress = progress
        self._running: list[str] = []

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[TaskOutcome | None]:
        """See `Executor`."""
        for job in jobs:
            self._running = [job.name]
            yield None
            outcome = perform(job, folder, progress=self._progress)
            self._running = []
            yield outcome

    def running(self) -> list[str]:
        """See `Executor`."""
        return self._running


def check_workers(workers: Any, scheduler: Any) -> int:
    """Return the number of workers, one for each core if it is None; refuse bad arguments.

    Raises
    ------
    TypeError, ValueError
        If `Workers` cannot take an argument.
    ImportError
        If Dask's distributed scheduler is needed and not installed.
    """
    if scheduler is not None:
        if not isinstance(scheduler, str) or "://" not in scheduler:
            raise ValueError(
                f"scheduler must be an address such as tcp://host:8786; got {scheduler!r}"
            )
        require("distributed", "a scheduler needs", "cluster")
    if workers is not None:
        return check_integer("workers", workers, 1)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))  # those that this process may use
    return os.cpu_count() or 1


class Workers:
    """Runs one job alone in this process, several on workers, which are started when needed.

    Everything that was started ends with the context.

    Parameters
    ----------
    workers : int
        Processes of this machine, no more of them than there are jobs.
    scheduler : str, optional
        Address of a Dask scheduler, in place of processes of this machine.
    progress : bool
        Whether tasks in this process show bars of their own.
    """

    def __init__(self, workers: int, scheduler: str | None = None, *, progress: bool) -> None:
        self._number, self._scheduler = workers, scheduler
        self._here = InProcess(progress=progress)
        self._there: Executor | None = None
        self._now: Executor = self._here
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: Any) -> bool | None:
        return self._stack.__exit__(*about)

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[TaskOutcome | None]:
        """See `Executor`.

        Raises
        ------
        ValueError
            As `studies.running.cluster.connected`.
        """
        number = min(self._number, len(jobs))
        alone = number <= 1 if self._scheduler is None else not jobs
        if not alone and self._there is None:
            if self._scheduler is None:
                self._there = processes = Processes(self._number)
                self._stack.callback(processes.end)
            else:
                cluster = connected(self._scheduler, folder)
                self._there = self._stack.enter_context(cluster)
        self._now = self._here if alone or self._there is None else self._there
        yield from self._now.run(jobs, folder)

    def running(self) -> list[str]:
        """See `Executor`."""
        return self._now.running()
