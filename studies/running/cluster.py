"""Jobs on a Dask cluster that somebody has started."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from isingrl.support.provenance import versions
from studies.running.task_runs import TaskOutcome, failed, perform, use_one_thread
from studies.running.tasks import Job

_CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
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
        self._jobs: dict[str, Job] = {}

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[TaskOutcome | None]:
        """See `Executor`."""
        place, done = folder.resolve(), queue.SimpleQueue[Any]()
        futures = [self._client.submit(_perform_alone, job, place, pure=False) for job in jobs]
        self._jobs = {future.key: job for future, job in zip(futures, jobs, strict=True)}
        for future in futures:
            future.add_done_callback(done.put)
        left = len(futures)
        while left:
            try:
                future = done.get(timeout=1.0)
            except queue.Empty:
                yield None
            else:
                left -= 1
                yield self._outcome(future)

    def _outcome(self, future: Any) -> TaskOutcome:
        from distributed import CancelledError, KilledWorker

        job = self._jobs[future.key]
        try:
            outcome: TaskOutcome = future.result()
            return outcome
        except KilledWorker as error:
            died = f"its worker died at every try ({error.last_worker.address})"
            return TaskOutcome(job, None, f"KilledWorker: {died}, perhaps for want of memory")
        except CancelledError as error:
            raise ConnectionError("scheduler: it was lost, or dropped the tasks") from error
        except Exception as error:
            return failed(job, error)

    def running(self) -> list[str]:
        """See `Executor`."""
        try:
            found, threads = self._client.processing(), self._client.nthreads()
        except (OSError, TimeoutError):
            return []
        # other tasks of a worker are waiting there
        return [
            self._jobs[key].name
            for worker, keys in found.items()
            for key in list(keys)[: threads.get(worker, 0)]
            if key in self._jobs
        ]


def _perform_alone(job: Job, folder: Path) -> TaskOutcome:
    use_one_thread()
    return perform(job, folder)


@contextmanager
def connected(scheduler: str, folder: Path) -> Iterator[Cluster]:
    """Connect to the workers of a cluster, which is not stopped at the end.

    Raises
    ------
    ValueError
        If no scheduler answers, it has no workers, or a worker does not see the folder or has
        another version of isingrl.
    """
    import dask
    from distributed import Client

    for name in ("distributed", "asyncio", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with dask.config.set(_SETTINGS):
        try:
            client = Client(scheduler, timeout=_CONNECT_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:
            raise ValueError(
                f"scheduler must be the address of a Dask scheduler that runs; {scheduler}: {error}"
            ) from error
        try:
            _check_workers(client, scheduler, folder)
            yield Cluster(client)
        finally:
            with suppress(TimeoutError, OSError):
                client.close(timeout=_CLOSE_SECONDS)


def _check_workers(client: Any, scheduler: str, folder: Path) -> None:
    with suppress(TimeoutError):
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    # without workers that are lost meanwhile
    seen = client.run(_sees, folder.resolve(), on_error="ignore")
    if not seen:
        raise ValueError(
            f"scheduler must have workers that can import isingrl; {scheduler} has none"
        )
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


def _sees(folder: Path) -> tuple[bool, str]:
    return folder.is_dir(), versions()["isingrl"]
