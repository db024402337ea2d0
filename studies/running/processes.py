"""Jobs on processes of this machine: one at a time on each, with one thread."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from isingrl.support import compilation
from studies.running.task_runs import TaskOutcome, perform, use_one_thread
from studies.running.tasks import Job

_TRIES = 3  # of a job, if its process dies
# What nearly every task imports. Numba loads its part at the first kernel, and xarray looks for
# Dask and pint at the first Dataset.
_PRELOADED = (
    "isingrl.simulation", "isingrl.agents.learners", "analysis", "scipy.special", "dask.array",
    "pint", "numba.np.arraymath", "numba.np.npdatetime", "numba.cpython.charseq",
)  # fmt: skip
_LIBRARIES = ("MKL", "NUMBA", "OMP", "OPENBLAS")
_ONE_THREAD = dict.fromkeys((f"{name}_NUM_THREADS" for name in _LIBRARIES), "1")


class Processes:
    """Jobs on processes of this machine, which are started when they are needed.

    If a process dies, its job runs again on another, three times at most.

    Parameters
    ----------
    number : int
        Processes.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._processes: dict[Any, Any] = {}
        self._at_work: dict[Any, tuple[Job, int]] = {}

    def run(self, jobs: Sequence[Job], folder: Path) -> Iterator[TaskOutcome | None]:
        """See `Executor`."""
        waiting = deque((job, 1) for job in jobs)
        while waiting or self._at_work:
            while waiting and len(self._at_work) < self._number:
                pipe = next((each for each in self._processes if each not in self._at_work), None)
                pipe = pipe or self._start()
                self._at_work[pipe] = job, _ = waiting.popleft()
                with suppress(OSError):  # it is dead, which `wait` reports
                    pipe.send((job, folder))
            ready: Any = wait(list(self._at_work), timeout=1.0)
            if not ready:
                yield None
            for pipe in ready:
                try:
                    said = pipe.recv()
                except (EOFError, OSError):
                    self._processes.pop(pipe).join()
                    job, tries = self._at_work.pop(pipe)
                    if tries < _TRIES:
                        waiting.appendleft((job, tries + 1))
                        continue
                    died = "its process died at every try, perhaps for want of memory"
                    yield TaskOutcome(job, None, f"ChildProcessError: {died}")
                    continue
                if isinstance(said, str):
                    compilation.tell_once(said)
                else:
                    del self._at_work[pipe]
                    yield said

    def running(self) -> list[str]:
        """See `Executor`."""
        return [job.name for job, _ in self._at_work.values()]

    def end(self) -> None:
        """Kill the processes at once: files are safe at every moment."""
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.join()

    def _start(self) -> Any:
        context = _context()
        pipe, end = context.Pipe()
        process = context.Process(target=_work, args=(end,), daemon=True)
        process.start()
        end.close()
        self._processes[pipe] = process
        return pipe


def _context() -> Any:
    """Start method of processes: if possible, copies of a process that has done the imports."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *_PRELOADED])
    variables, options = dict(os.environ), sys.warnoptions
    os.environ.update(_ONE_THREAD)
    # a killed process leaves semaphores, and users cannot do anything about the warning
    sys.warnoptions = [*options, "ignore:resource_tracker:UserWarning"]
    try:
        resource_tracker.ensure_running()
        # Ctrl-C, which a terminal sends to all processes, must not break its imports off
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    finally:
        sys.warnoptions = options
        for name in _ONE_THREAD:
            del os.environ[name]
        os.environ.update(variables)
    return context


def _work(pipe: Connection) -> None:
    """Perform jobs, one after the other, until the process is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all of them
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(_ONE_THREAD)
    use_one_thread()
    lock = threading.Lock()

    def say(what: str | TaskOutcome) -> None:
        with lock:
            pipe.send(what)

    compilation.tell_by(say)
    while True:
        say(perform(*pipe.recv()))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
