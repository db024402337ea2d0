"""Jobs on a Dask cluster that somebody has started."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numba

from isingrl.support import compilation
from isingrl.support.progress import tqdm
from isingrl.support.provenance import versions
from studies.running.ledger import LedgerEntry
from studies.running.task_runs import TaskOutcome, failed, perform
from studies.running.tasks import Job

_CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
_RESTART_SECONDS = 60.0
_START = ", start "
_COMPILING = "isingrl-compiling"
_SETTINGS = {
    "distributed.scheduler.worker-saturation": 1.0,  # the rest waits with the scheduler
    "distributed.comm.timeouts.connect": f"{_CONNECT_SECONDS}s",
}


class Cluster:
    """Jobs on the workers of a Dask cluster; one thread each.

    A job whose worker dies runs again on another, three times at most.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._starts = itertools.count()  # a job that runs again is another one to the scheduler
        self._jobs: dict[str, Job] = {}
        self._told: set[str] = set()
        client.subscribe_topic(_COMPILING, self._tell_compiling)

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[TaskOutcome | None]:
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
                yield None
                continue
            while not waiting.empty():
                ready.append(waiting.get())
            left.difference_update(ready)
            yield from self._outcomes(ready)
            del ready

    def _outcomes(self, futures: list[Any]) -> Iterator[TaskOutcome]:
        """What came of futures; those of short tasks together, as one by one takes longer."""
        whole = {future for future in futures if future.status == "finished"}
        try:
            entries = self._client.gather(list(whole))
        except Exception:  # lost with its worker, perhaps: each tells of itself
            whole, entries = set(), []
        for future, entry in zip(whole, entries, strict=True):
            yield TaskOutcome(self._jobs[future.key], entry)
        for future in futures:
            if future not in whole:
                yield self._outcome(future)

    def _outcome(self, future: Any) -> TaskOutcome:
        from distributed import CancelledError, KilledWorker

        job = self._jobs[future.key]
        try:
            return TaskOutcome(job, future.result())
        except KilledWorker as error:
            died = "its worker died every time that it was tried, perhaps for want of memory"
            return TaskOutcome(job, None, f"KilledWorker: {died} ({error.last_worker.address})")
        except CancelledError as error:
            raise ConnectionError("scheduler: it was lost, or dropped the tasks") from error
        except Exception as error:
            return failed(job, error)

    def _tell_compiling(self, event: tuple[float, str]) -> None:
        line = event[1]
        if line not in self._told:
            self._told.add(line)
            compilation.tell_once(line)

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


def _perform_alone(job: Job, folder: Path) -> LedgerEntry:
    from distributed import get_worker

    numba.set_num_threads(1)
    # what a worker prints would run through the display
    compilation.tell_by(partial(get_worker().log_event, _COMPILING))
    tqdm.set_lock(threading.RLock())  # its own would be a semaphore that outlives a killed worker
    return perform(job, folder)


@contextmanager
def connected(scheduler: str, jobs: Sequence[Job], folder: Path) -> Iterator[Cluster]:
    """Workers of a cluster, which go on after it.

    Raises
    ------
    ValueError
        If there is no such scheduler, it has no workers, or those do not see the folder or have
        another version of isingrl.
    """
    import dask
    from distributed import Client

    for name in ("distributed", "asyncio", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with dask.config.set(_SETTINGS), _connected(Client, scheduler) as client:
        _check_workers(client, scheduler, folder)
        _end_lost(client, {_key(job, folder) for job in jobs})
        yield Cluster(client)


@contextmanager
def _connected(client_of: Any, scheduler: str) -> Iterator[Any]:
    try:
        client = client_of(scheduler, timeout=_CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        raise ValueError(
            f"scheduler must be the address of a Dask scheduler that runs; {scheduler}: {error}"
        ) from error
    try:
        yield client
    finally:
        with suppress(TimeoutError, OSError):
            client.close(timeout=_CLOSE_SECONDS)


def _check_workers(client: Any, scheduler: str, folder: Path) -> None:
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
