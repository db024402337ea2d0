"""Jobs on processes of this machine: one at a time on each, with one thread."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numba

from isingrl.support import compilation
from isingrl.support.progress import tqdm
from studies.running.ledger import LedgerEntry
from studies.running.task_runs import TaskOutcome, failed, perform
from studies.running.tasks import Job

_TRIES = 3  # of a job whose process dies
_LIBRARIES = ("MKL", "NUMBA", "OMP", "OPENBLAS")
_ONE_THREAD = dict.fromkeys((f"{name}_NUM_THREADS" for name in _LIBRARIES), "1")


class Processes:
    """Jobs on processes of this machine, which are started when they are needed.

    A job whose process dies runs again on another, three times at most.

    Parameters
    ----------
    number : int
        Processes.
    """

    def __init__(self, number: int) -> None:
        self._workers = [_Worker() for _ in range(number)]
        self._at_work: dict[Future[LedgerEntry], tuple[_Worker, Job, int]] = {}

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[TaskOutcome | None]:
        """See `Executor`."""
        waiting, idle = deque((job, 1) for job in jobs), list(self._workers)
        while waiting or self._at_work:
            while waiting and idle:
                worker, (job, tries) = idle.pop(), waiting.popleft()
                self._at_work[worker.submit(job, folder)] = worker, job, tries
            done, _ = wait(self._at_work, timeout=1.0, return_when=FIRST_COMPLETED)
            for worker in self._workers:
                worker.tell()
            if not done:
                yield None
            for future in done:
                worker, job, tries = self._at_work.pop(future)
                idle.append(worker)
                try:
                    outcome = TaskOutcome(job, future.result())
                except BrokenProcessPool:
                    if tries < _TRIES:
                        waiting.appendleft((job, tries + 1))
                        continue
                    died = "its process died every time that it was tried, perhaps for want of"
                    outcome = TaskOutcome(job, None, f"ChildProcessError: {died} memory")
                except Exception as error:
                    outcome = failed(job, error)
                yield outcome

    def running(self) -> list[str]:
        """See `Executor`."""
        return [job.name for _, job, _ in self._at_work.values()]

    def end(self) -> None:
        """Kill the processes, whatever they are doing: files are safe at every moment."""
        for worker in self._workers:
            worker.end()


class _Worker:
    """One process, and another one in its place if it dies."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._process: Any = None
        self._lines: Connection | None = None

    def submit(self, job: Job, folder: Path) -> Future[LedgerEntry]:
        """Let it perform a job; no other one may be at work."""
        if self._pool is not None:
            try:
                return self._pool.submit(perform, job, folder)
            except BrokenProcessPool:
                self.end()
        context = _context()
        self._lines, end = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(1, context, _begin, (end,))
        others = set(multiprocessing.active_children())
        future = self._pool.submit(perform, job, folder)
        started = set(multiprocessing.active_children()) - others
        self._process = next(iter(started), None)  # none if it has died already
        return future

    def tell(self) -> None:
        """Say what it says of kernels that it compiles."""
        while self._lines is not None and self._lines.poll():
            compilation.tell_once(self._lines.recv())

    def end(self) -> None:
        """Kill the process."""
        if self._pool is not None:
            if self._process is not None:
                self._process.kill()
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _context() -> Any:
    """How processes start: as copies of one that has imported what they need, where possible."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["studies.running.task_runs"])
    variables, options = dict(os.environ), sys.warnoptions
    os.environ.update(_ONE_THREAD)
    # a process that is killed leaves semaphores, which nobody needs to hear of
    sys.warnoptions = [*options, "ignore:resource_tracker:UserWarning"]
    try:
        resource_tracker.ensure_running()
        forkserver.ensure_running()
    finally:
        sys.warnoptions = options
        for name in _ONE_THREAD:
            del os.environ[name]
        os.environ.update(variables)
    return context


def _begin(lines: Connection) -> None:
    """Prepare a process that has just begun."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all of them
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(_ONE_THREAD)
    numba.set_num_threads(1)
    compilation.tell_by(lines.send)
    tqdm.set_lock(threading.RLock())  # its own would be a semaphore that outlives a killed process


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
