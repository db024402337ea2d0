"""The run of one task, and its outcome."""

from __future__ import annotations

import errno
import platform
import threading
import time
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba

from isingrl import TemperatureMapWarning
from isingrl.support.archives import DamagedFileError
from isingrl.support.progress import tqdm
from isingrl.support.provenance import versions
from studies.running.ledger import LedgerEntry, result_path
from studies.running.provenance import now
from studies.running.results import write_result
from studies.running.tasks import Job

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class TaskOutcome:
    """Outcome of a job: an entry for the ledger, or an error.

    Attributes
    ----------
    job : Job
    entry : LedgerEntry or None
    error : str
        One line.
    trace : str
        The traceback, or nothing.
    damaged : bool
        Whether the checkpoint of the task is damaged; without it the task can begin anew.
    full : bool
        Whether the disk is full, so that no later task can write either.
    """

    job: Job
    entry: LedgerEntry | None
    error: str = ""
    trace: str = ""
    damaged: bool = False
    full: bool = False


def perform(job: Job, folder: Path, *, progress: bool = False) -> TaskOutcome:
    """Run a task and store its result in a folder."""
    try:
        return TaskOutcome(job, _stored(job, folder, progress))
    except Exception as error:
        return failed(job, error)


def _stored(job: Job, folder: Path, progress: bool) -> LedgerEntry:
    task = job.task
    options: dict[str, Any] = {}
    if task.sweeps is not None:
        options["sweeps"] = task.sweeps
    if task.resumable:
        options["folder"] = scratch_folder(folder, job)
    began, clock = now("milliseconds"), time.perf_counter()
    with warnings.catch_warnings():
        # figures of studies have τ on their axes, or explain T
        warnings.simplefilter("ignore", TemperatureMapWarning)
        data = task.function(**task.arguments, **options, seed=job.seed, progress=progress)
    digest = write_result(data, result_path(folder, job))
    return LedgerEntry(
        name=job.name, key=task.key, sweeps=task.sweeps, sha256=digest,
        seconds=time.perf_counter() - clock, started=began, ended=now("milliseconds"),
        host=platform.node(), version=versions()["isingrl"],
    )  # fmt: skip


def use_one_thread() -> None:
    """Prepare a process of a worker, whose tasks have one thread each."""
    numba.set_num_threads(1)
    tqdm.set_lock(threading.RLock())  # its own would be a semaphore that outlives a killed process


def scratch_folder(folder: Path, job: Job) -> Path:
    """Folder for the checkpoints of a resumable job, within the folder of all tasks."""
    return folder / job.name


def failed(job: Job, error: BaseException) -> TaskOutcome:
    """Report an error of a task; a stop is raised, which cleaning up after Ctrl-C may hide."""
    cause = error.__context__
    while cause is not None:
        if not isinstance(cause, Exception):
            raise cause
        cause = cause.__context__
    return TaskOutcome(
        job, None, f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)),
        damaged=isinstance(error, DamagedFileError) and job.task.resumable,
        full=isinstance(error, OSError) and error.errno in _FULL,
    )  # fmt: skip
