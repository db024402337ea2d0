"""Where tasks run: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, Self

from isingrl._validation import check_integer, require
from studies import dask_workers
from studies.endings import WaitingSignals
from studies.performing import Outcome, failed, perform
from studies.tasks import Job


class Executor(Protocol):
    """Runs jobs, in any order."""

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[Outcome | None]:
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

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[Outcome | None]:
        """See `Executor`."""
        for job in jobs:
            self._running = [job.name]
            yield None
            try:
                outcome = Outcome(job, perform(job, folder, progress=self._progress))
            except Exception as error:
                outcome = failed(job, error)
            self._running = []
            yield outcome

    def running(self) -> list[str]:
        """See `Executor`."""
        return self._running


def check_workers(workers: Any, scheduler: Any) -> int:
    """Return the number of workers; refuse what `Workers` cannot take.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described there.
    ImportError
        If Dask's distributed scheduler is needed and not installed.
    """
    number = check_integer("workers", workers, 1)
    if scheduler is not None and (not isinstance(scheduler, str) or "://" not in scheduler):
        raise ValueError(f"scheduler must be an address such as tcp://host:8786; got {scheduler!r}")
    if number != 1 or scheduler is not None:
        require("distributed", "more workers than one need", "cluster")
    return number


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
        self._there: dask_workers.OnDask | None = None
        self._now: Executor = self._here
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: Any) -> bool | None:
        with WaitingSignals():  # else what is not ended would be waited for at the very end
            return self._stack.__exit__(*about)

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[Outcome | None]:
        """See `Executor`.

        Raises
        ------
        ValueError
            If there is no such scheduler, it has no workers, or those do not see the folder or
            have another version of isingrl.
        """
        number = min(self._number, len(jobs))
        alone = number <= 1 if self._scheduler is None else not jobs
        if not alone and self._there is None:
            import dask

            self._stack.enter_context(dask.config.set(dask_workers.SETTINGS))
            for name in ("distributed", "asyncio", "tornado"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
            if self._scheduler is None:
                start = dask_workers.local(number)
            else:
                start = dask_workers.remote(self._scheduler, jobs, folder)
            self._there = self._stack.enter_context(start)
        self._now = self._here if alone or self._there is None else self._there
        yield from self._now.run(jobs, folder)

    def running(self) -> list[str]:
        """See `Executor`."""
        return self._now.running()


def default_workers() -> int:
    """As many as this process may use cores; 1 where Dask's distributed is not installed."""
    if importlib.util.find_spec("distributed") is None:
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
