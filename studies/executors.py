"""Where tasks run: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import errno
import importlib.util
import itertools
import logging
import os
import platform
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, Protocol, Self

import numba

from isingrl import _compiling
from isingrl._archives import DamagedFileError
from isingrl._progress import tqdm
from isingrl._provenance import versions
from isingrl._validation import check_integer, require
from studies.ledger import Entry, result_path
from studies.provenance import now
from studies.results import write_result
from studies.tasks import Job

_CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
_RESTART_SECONDS = 60.0
_STARTS = 3
_START = ", start "
_COMPILING = "isingrl-compiling"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_ONE_THREAD = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_DASK = {
    "distributed.scheduler.worker-saturation": 1.0,  # the rest waits with the scheduler
    "distributed.comm.timeouts.connect": f"{_CONNECT_SECONDS}s",
}


@dataclass(frozen=True)
class Outcome:
    """What became of a job: an entry for the ledger, or an error.

    Attributes
    ----------
    job : Job
    entry : Entry or None
    error : str
        One line.
    trace : str
        The traceback, if there is one.
    damaged : bool
        Whether it was damage in what the task kept to go on from, without which it can begin anew.
    """

    job: Job
    entry: Entry | None
    error: str = ""
    trace: str = ""
    damaged: bool = False


class OutputFullError(RuntimeError):
    """The folder for results takes no more."""


class Executor(Protocol):
    """Runs jobs, in any order."""

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[Outcome | None]:
        """Yield each outcome when it is there, and None about once a second while none is."""

    def running(self) -> list[str]:
        """Names of the jobs that are running now."""


def perform(job: Job, folder: Path, *, progress: bool = False) -> Entry:
    """Run a task and store its result in a folder.

    Raises
    ------
    Exception
        Whatever the task raises.
    """
    task = job.task
    options: dict[str, Any] = {}
    if task.sweeps is not None:
        options["sweeps"] = task.sweeps
    if task.resumable:
        options["folder"] = scratch_folder(folder, job)
    began, clock = now("milliseconds"), time.perf_counter()
    data = task.function(**task.arguments, **options, seed=job.seed, progress=progress)
    digest = write_result(data, result_path(folder, job))
    return Entry(
        name=job.name, key=task.key, sweeps=task.sweeps, sha256=digest,
        seconds=time.perf_counter() - clock, started=began, ended=now("milliseconds"),
        host=platform.node(), version=versions()["isingrl"],
    )  # fmt: skip


def scratch_folder(folder: Path, job: Job) -> Path:
    """Where a resumable job keeps what it needs to go on, in the folder of all tasks."""
    return folder / job.name


def _failed(job: Job, error: BaseException) -> Outcome:
    """Say what went wrong; a full disk will be so for all that follow, and a stop is a stop."""
    cause = error.__context__
    while cause is not None:
        if not isinstance(cause, Exception):  # cleaning up after Ctrl-C raised another error
            raise cause
        cause = cause.__context__
    if isinstance(error, OSError) and error.errno in _FULL:
        raise OutputFullError(str(error)) from error
    trace = "".join(traceback.format_exception(error))
    damaged = isinstance(error, DamagedFileError) and job.task.resumable
    return Outcome(job, None, f"{type(error).__name__}: {error}", trace, damaged)


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
                outcome = _failed(job, error)
            self._running = []
            yield outcome

    def running(self) -> list[str]:
        """See `Executor`."""
        return self._running


class OnDask:
    """Jobs on the workers of a Dask cluster; one thread each.

    A job whose worker dies runs again on another, three times at most.

    Parameters
    ----------
    client : distributed.Client
    refill : function, optional
        Starts workers that are missing; called about once a second.
    """

    def __init__(self, client: Any, refill: Callable[[], None] | None = None) -> None:
        self._client, self._refill = client, refill
        self._starts = itertools.count()  # a job that runs again is another one to the scheduler
        self._jobs: dict[str, Job] = {}
        self._told_compiling = False
        client.subscribe_topic(_COMPILING, self._tell_compiling)

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[Outcome | None]:
        """See `Executor`."""
        waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._jobs = {f"{_key(job, folder)}{_START}{next(self._starts)}": job for job in jobs}
        place = folder.resolve()
        futures = [
            self._client.submit(_perform_alone, job, place, key=key, pure=False, priority=-index)
            for index, (key, job) in enumerate(self._jobs.items())
        ]
        left = set(futures)
        for future in futures:
            future.add_done_callback(waiting.put)
        del futures
        while left:
            try:
                ready = [waiting.get(timeout=1.0)]
            except queue.Empty:
                if self._refill is not None:
                    self._refill()
                yield None
                continue
            while not waiting.empty():
                ready.append(waiting.get())
            left.difference_update(ready)
            yield from self._outcomes(ready)
            del ready

    def _outcomes(self, futures: list[Any]) -> Iterator[Outcome]:
        """What came of futures; those of short tasks together, as one by one takes longer."""
        whole = {future for future in futures if future.status == "finished"}
        try:
            entries = self._client.gather(list(whole))
        except Exception:  # lost with its worker, perhaps: each tells of itself
            whole, entries = set(), []
        for future, entry in zip(whole, entries, strict=True):
            yield Outcome(self._jobs[future.key], entry)
        for future in futures:
            if future not in whole:
                yield self._outcome(future)

    def _outcome(self, future: Any) -> Outcome:
        from distributed import CancelledError, KilledWorker

        job = self._jobs[future.key]
        try:
            return Outcome(job, future.result())
        except KilledWorker as error:
            died = "its worker died every time that it was tried, perhaps for want of memory"
            return Outcome(job, None, f"KilledWorker: {died} ({error.last_worker.address})")
        except CancelledError as error:
            raise ConnectionError("scheduler: it was lost, or dropped the tasks") from error
        except Exception as error:
            return _failed(job, error)

    def _tell_compiling(self, _: Any) -> None:
        if not self._told_compiling:
            self._told_compiling = True
            _compiling.tell()

    def running(self) -> list[str]:
        """See `Executor`."""
        try:
            found, threads = self._client.processing(), self._client.nthreads()
        except (OSError, TimeoutError):
            return []
        # what else a worker holds is waiting there
        return [
            self._jobs[key].name
            for worker, keys in found.items()
            for key in list(keys)[: threads.get(worker, 0)]
            if key in self._jobs
        ]


def _key(job: Job, folder: Path) -> str:
    """How the cluster's name for a job begins; it may be at work on the same in another folder."""
    return f"{job.name} in {folder.resolve()}"


def _perform_alone(job: Job, folder: Path) -> Entry:
    from distributed import get_worker

    # A worker imports the script of the command, and with it numba, before it gets its variables.
    numba.config.reload_config()
    numba.set_num_threads(1)
    # what a worker prints would run through the display
    _compiling.tell_by(partial(get_worker().log_event, _COMPILING, {}))
    tqdm.set_lock(threading.RLock())  # its own would be a semaphore that outlives a killed worker
    return perform(job, folder)


def check_workers(workers: Any, scheduler: Any) -> None:
    """Refuse what `Workers` cannot take.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described there.
    ImportError
        If Dask's distributed scheduler is needed and not installed.
    """
    check_integer("workers", workers, 1)
    if scheduler is not None and (not isinstance(scheduler, str) or "://" not in scheduler):
        raise ValueError(f"scheduler must be an address such as tcp://host:8786; got {scheduler!r}")
    if workers != 1 or scheduler is not None:
        require("distributed", "more workers than one need", "cluster")


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
        self._there: OnDask | None = None
        self._now: Executor = self._here
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: Any) -> bool | None:
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

            self._stack.enter_context(dask.config.set(_DASK))
            for name in ("distributed", "asyncio", "tornado"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
            if self._scheduler is None:
                start = _local(number)
            else:
                start = _remote(self._scheduler, jobs, folder)
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


@contextmanager
def _local(number: int) -> Iterator[OnDask]:
    """Worker processes of this machine; an error, or an interruption, kills them."""
    from distributed import Client

    with _deaf_loop() as loop:
        cluster = _started(number, loop)
        client = Client(cluster)
        try:
            # what keeps a worker alive gives up if it cannot start it again
            yield OnDask(client, partial(cluster.scale, number))
        except BaseException:
            # closing would wait for the tasks that are running
            for nanny in cluster.workers.values():
                nanny.auto_restart = False
                if nanny.pid is not None:
                    with suppress(ProcessLookupError):
                        os.kill(nanny.pid, signal.SIGKILL)
            raise
        finally:
            for part in (client, cluster):
                with suppress(TimeoutError, OSError):
                    part.close(timeout=_CLOSE_SECONDS)


def _started(number: int, loop: Any) -> Any:
    """Processes that are up; one that dies before takes all others with it, and they start anew."""
    from distributed import LocalCluster

    for last in (*[False] * (_STARTS - 1), True):
        try:
            return LocalCluster(
                n_workers=number, threads_per_worker=1, dashboard_address=":0", loop=loop,
                silence_logs=logging.CRITICAL,
                env=dict.fromkeys(_ONE_THREAD, "1") | {"DASK_LOGGING__DISTRIBUTED": "critical"},
            )  # fmt: skip
        except RuntimeError as error:
            if last:
                raise ChildProcessError(
                    f"workers: one of the {number} died every time that they were started, perhaps "
                    "for want of memory"
                ) from error
    raise AssertionError


@contextmanager
def _deaf_loop() -> Iterator[Any]:
    """An event loop in a thread that blocks Ctrl-C, and so do the processes that it begins.

    In a terminal they would get it too, and tell of it at length.
    """
    from distributed.utils import LoopRunner

    runner = LoopRunner()
    resource_tracker.ensure_running()  # it would unblock Ctrl-C where it starts
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        runner.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
    try:
        yield runner.loop
    finally:
        runner.stop(_CLOSE_SECONDS)


@contextmanager
def _remote(scheduler: str, jobs: Sequence[Job], folder: Path) -> Iterator[OnDask]:
    from distributed import Client

    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise ValueError(
            f"scheduler must be the address of a Dask scheduler that runs; {scheduler}: {error}"
        ) from error
    try:
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        seen = _answers(client, _sees, folder.resolve())
        if not seen:
            raise ValueError(f"scheduler must have workers; {scheduler} has none")
        blind = [worker for worker, (sees, _) in seen.items() if not sees]
        if blind:
            raise ValueError(
                f"out must be a folder that all workers see; {', '.join(blind)} cannot see {folder}"
            )
        own = versions()["isingrl"]
        for worker, (_, version) in seen.items():
            if version != own:
                raise ValueError(
                    f"scheduler: its workers must have isingrl {own} too; {worker} has {version}"
                )
        _end_lost(client, {_key(job, folder) for job in jobs})
        yield OnDask(client)
    finally:
        with suppress(TimeoutError, OSError):
            client.close(timeout=_CLOSE_SECONDS)


def _end_lost(client: Any, keys: set[str]) -> None:
    """Restart workers that still run jobs for a client that is gone: Dask lets those go on."""
    running, wanted = _answers(client, _running), client.processing()
    lost = [
        worker
        for worker, found in running.items()
        if any(
            key.partition(_START)[0] in keys and key not in wanted.get(worker, ()) for key in found
        )
    ]
    if lost:
        with suppress(TimeoutError):  # others do without them
            client.restart_workers(lost, timeout=_RESTART_SECONDS)


def _answers(client: Any, function: Any, *arguments: Any) -> dict[str, Any]:
    """What a function returns on every worker, without those that are lost on the way."""
    found = client.run(function, *arguments, on_error="return")
    for worker, answer in list(found.items()):
        if isinstance(answer, OSError):  # as those of its connection are
            del found[worker]
        elif isinstance(answer, Exception):
            raise answer
    return dict(found)


def _running(dask_worker: Any) -> list[str]:
    return list(dask_worker.active_threads.values())


def _sees(folder: Path) -> tuple[bool, str]:
    return folder.is_dir(), versions()["isingrl"]
