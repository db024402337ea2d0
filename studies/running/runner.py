"""Run the missing tasks of a study, keep each result the moment it is there, write the files."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import xarray as xr
from filelock import FileLock, Timeout

from isingrl.support.archives import make_folder
from studies.running.errors import StudyError
from studies.running.executors import Executor, InProcess, Workers, check_workers
from studies.running.extensions import configuration, differences, with_counts
from studies.running.files import (
    SUFFIXES,
    check_format,
    clear_scratch,
    open_dataset,
    read_json,
    write_dataset,
    write_figure,
    write_json,
)
from studies.running.ledger import Ledger, provenance
from studies.running.progress import Display, failure_text
from studies.running.provenance import now, signed
from studies.running.results import read_result
from studies.running.task_runs import TaskOutcome, scratch_folder
from studies.running.tasks import Job, jobs

TASKS = "tasks"
"""Name of the folder of results of tasks, within the folder of a study."""
CONFIG = "config.json"
_LOCK = "lock"


def run(study: Any, *, progress: bool = False) -> xr.Dataset:
    """Run all tasks of a `Study` in this process and return its data; nothing is kept.

    Parameters
    ----------
    study : Study
    progress : bool
        Whether to show how far it is.

    Returns
    -------
    Dataset
        From the ``assemble`` of the study.

    Raises
    ------
    TypeError, ValueError
        If the configuration is bad, before any work.
    StudyError
        If tasks raised errors.

    Examples
    --------
    >>> from studies.curve import Curve
    >>> from studies.running.runner import run
    >>> study = Curve((4, 4), temperature=(2.0, 3.0, 3), methods=("heat-bath",), sweeps=4000)
    >>> data = run(study)
    >>> data.energy.dims, data.energy.shape
    (('method', 'temperature', 'chain', 'draw'), (1, 3, 2, 4000))
    >>> study.summarize(data).energy.dims
    ('method', 'temperature')
    """
    study = with_counts(study)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with Display(type(study).__name__, folder, shown=progress) as display:
            done = complete(study, folder, InProcess(progress=display.bars), display)
            return joined_data(study, done).load()


def run_to_folder(
    study: Any,
    name: str,
    out: Path,
    *,
    workers: int | None = 1,
    scheduler: str | None = None,
    extend: bool = False,
    form: str = "netcdf",
    progress: bool = False,
) -> None:
    """Run a study and leave data, summary, figure and config.json in a folder.

    Results of tasks are kept in its folder tasks. Those of the same study are not computed again;
    those of another configuration are set aside, unless it is extended.

    Parameters
    ----------
    study : Study
    name : str
        Of the study, as in `studies.command.catalogue.STUDIES`.
    out : path
    workers : int or None
        Processes of this machine: 1 for this one alone, None for one on each core.
    scheduler : str, optional
        Address of a Dask scheduler whose workers take the tasks.
    extend : bool
        Whether the study adds to the one in the folder.
    form : {"netcdf", "zarr"}
        Of data and summary.
    progress : bool
        Whether to show how far it is.

    Raises
    ------
    TypeError, ValueError
        If the configuration is bad, the folder cannot be written to or is in use, or there is no
        such scheduler, before any work.
    ImportError
        If a package is missing that the arguments ask for.
    StudyError
        If tasks raised errors (all others are done then), or the disk is full.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from studies.curve import Curve
    >>> from studies.running.runner import run_to_folder
    >>> study = Curve((4, 4), temperature=(2.0, 3.0, 3), methods=("heat-bath",), sweeps=4000)
    >>> with TemporaryDirectory() as folder:
    ...     run_to_folder(study, "curve", Path(folder))
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['config.json', 'data.nc', 'figure.png', 'summary.nc', 'tasks']
    """
    study = with_counts(study)
    study.tasks()
    check_format(form)
    workers = check_workers(workers, scheduler)
    folder = out / TASKS
    make_folder(folder)
    settings = {"study": name, **configuration(study)}
    with _alone(folder, out):
        started = _settle(study, settings, out, extend=extend)
        try:
            with Display(name, folder, shown=progress) as display:
                display.write()
                with Workers(workers, scheduler, progress=display.bars) as engine:
                    done = complete(study, folder, engine, display)
                display.end("writing")
                _write(study, settings, started, out, done, form)
        except BrokenPipeError:  # the reader of standard error has gone
            raise
        except OSError as error:
            raise StudyError(
                f"{out}: {error}; what was done is kept, and the same command goes on"
            ) from error


def complete(
    study: Any, folder: Path, engine: Executor, display: Display
) -> tuple[dict[str, Job], Ledger]:
    """Run whatever is missing; returns the jobs by key, and the ledger of their results.

    Raises
    ------
    StudyError
        If tasks raised errors.
    OSError
        If the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ledger, by_key = Ledger(folder), dict[str, Job]()
    tasks = study.tasks()
    while tasks:
        new = jobs(tasks, study.seed)
        by_key |= {job.task.key: job for job in new}
        ledger.adopt(new)
        done, damaged = ledger.finished(new)
        for key in damaged:
            _tell(f"the result of {key!r} is damaged and is made again")
        display.add(new, done)
        _run_missing([job for job in new if job.name not in done], folder, ledger, engine, display)
        later = []
        if hasattr(study, "later_tasks"):
            later = study.later_tasks(_results(by_key, ledger))
        tasks = [task for task in later if task.key not in by_key]
    return by_key, ledger


def _run_missing(
    missing: list[Job], folder: Path, ledger: Ledger, engine: Executor, display: Display
) -> None:
    keys = {job.name: job.task.key for job in missing}
    for outcome in _outcomes(missing, folder, engine):
        if outcome is not None:
            if outcome.entry is not None:
                ledger.note(outcome.entry)
            elif outcome.full:
                raise OSError(outcome.error)
            display.note(outcome)
        display.beat(engine.running, keys)
    if failures := display.status.failures:
        head = f"{len(failures)} of {len(missing)} tasks raised errors; the others are done:"
        lines = [head, *map(failure_text, failures)]
        raise StudyError("\n  ".join(lines), [each["traceback"] for each in failures])


def _outcomes(missing: list[Job], folder: Path, engine: Executor) -> Iterator[TaskOutcome | None]:
    """Yield outcomes of jobs; a job with a damaged checkpoint runs again without it at the end."""
    damaged = []
    for outcome in engine.run(missing, folder):
        if outcome is None or not outcome.damaged:
            yield outcome
            continue
        _tell(f"the checkpoint of {outcome.job.task.key!r} is damaged and its task begins anew")
        shutil.rmtree(scratch_folder(folder, outcome.job), ignore_errors=True)
        damaged.append(outcome.job)
    if damaged:
        yield from engine.run(damaged, folder)


def _results(by_key: dict[str, Job], ledger: Ledger) -> dict[str, xr.Dataset]:
    return {key: read_result(ledger.result(job)) for key, job in by_key.items()}


def joined_data(study: Any, done: tuple[dict[str, Job], Ledger]) -> xr.Dataset:
    """Data of a study with all tasks done."""
    data: xr.Dataset = study.assemble(_results(*done))
    return data


def _write(
    study: Any, settings: dict[str, Any], started: str, out: Path,
    done: tuple[dict[str, Job], Ledger], form: str,
) -> None:  # fmt: skip
    """Write all files; the data first, because the others are made from them."""
    by_key, ledger = done
    tasks = provenance(ledger, by_key.values())
    path = out / f"data{SUFFIXES[form]}"
    write_dataset(signed(joined_data(study, done), settings, started), path, tasks)
    with open_dataset(path) as data:
        summary = study.summarize(data)
        write_dataset(signed(summary, settings, started), path.with_stem("summary"), tasks)
        write_figure(study.plot(summary), out / "figure.png", json.dumps(settings))
        if hasattr(study, "write_files"):
            study.write_files(data, out)
    write_json(settings, out / CONFIG)


@contextmanager
def _alone(folder: Path, out: Path) -> Iterator[None]:
    """Lock the folder against a second start, and remove files that killed writers left."""
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise ValueError(
            f"out must not be in use; a study is running in {out} (isingrl status {out} tells)"
        ) from error
    except OSError as error:
        raise ValueError(f"{folder / _LOCK} must be a file; remove it: {error}") from error
    try:
        for each in (out, folder):
            clear_scratch(each)
        yield
    finally:
        with suppress(OSError):
            for each in (out, folder):
                clear_scratch(each)
        lock.release()


def is_running(folder: Path) -> bool:
    """Whether a process is at work on a folder of tasks, as far as its lock tells."""
    if not (folder / _LOCK).is_file() or (folder / _LOCK).is_symlink():
        return False
    try:
        with FileLock(folder / _LOCK, timeout=0):
            return False
    except Timeout:
        return True


def _settle(study: Any, settings: dict[str, Any], out: Path, *, extend: bool) -> str:
    """Set results of another configuration aside; returns the first start of the study."""
    folder = out / TASKS
    path = folder / CONFIG
    content = {"config": settings, "started": now()}
    if os.path.lexists(path):
        former = _read_config(path)
        changes = differences(former["config"], settings["study"], study)
        if not changes or extend:
            content["started"] = former["started"]
        else:
            number = 1 + sum(1 for _ in out.glob(f"earlier-{TASKS}-*"))
            aside = out / f"earlier-{TASKS}-{number}"
            aside.mkdir()
            for each in folder.iterdir():
                if each.name != _LOCK:
                    each.rename(aside / each.name)
            _tell(f"{'; '.join(changes)}: starting anew, and results so far are kept in {aside}")
    write_json(content, path)
    return str(content["started"])


def _read_config(path: Path) -> dict[str, Any]:
    """Read the configuration in a folder of tasks.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    found = read_json(path)
    config = found.get("config")
    study = config.get("study") if isinstance(config, dict) else None
    if not isinstance(study, str) or not isinstance(found.get("started"), str):
        raise ValueError(f"{path} is damaged: it has no study or no start; delete it to start anew")
    return found


def read_former(out: Path) -> dict[str, Any]:
    """Name and configuration of the study in a folder.

    Raises
    ------
    ValueError
        If there is none.
    """
    path = out / TASKS / CONFIG
    if not path.exists():
        raise ValueError(f"out must hold a study; {os.fspath(out)} has no {TASKS}/{CONFIG}")
    config: dict[str, Any] = _read_config(path)["config"]
    return config


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
