"""Progress of a study: a display while it runs, and a status file for others."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from isingrl.support.progress import WIDGETS, tqdm
from studies.running.errors import StudyError
from studies.running.files import read_json, write_json
from studies.running.provenance import now
from studies.running.task_runs import TaskOutcome
from studies.running.tasks import Job

STATUS = "status.json"
_STATES = ("running", "writing", "finished", "failed", "stopped")
_LINES = 30.0  # seconds between two lines where there is no terminal
_BEATS = 1.0  # seconds between two looks at the running tasks


@dataclass
class Status:
    """Progress of a study.

    Attributes
    ----------
    study : str
    state : {"running", "writing", "finished", "failed", "stopped"}
    pid, host : int, str
        Of the process that runs it.
    started, updated : str
        When it was started this time, and when this was written; ISO 8601 in UTC.
    tasks, done, found : int
        Numbers of all tasks, of those that are done, and of those done before the start.
    weight, weight_done, weight_found : int
        The same by weight.
    seconds : float
        Time since the start.
    running : list of str
        Keys of the tasks that are running.
    failures : list of dict
        ``key``, ``arguments`` (the call, as text), ``error`` and ``traceback`` of tasks that
        raised an error.
    """

    study: str
    state: str = "running"
    pid: int = field(default_factory=os.getpid)
    host: str = field(default_factory=platform.node)
    started: str = field(default_factory=now)
    updated: str = field(default_factory=now)
    tasks: int = 0
    done: int = 0
    found: int = 0
    weight: int = 0
    weight_done: int = 0
    weight_found: int = 0
    seconds: float = 0.0
    running: list[str] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)

    def line(self) -> str:
        """All of it on one line."""
        parts = [
            f"{self.done:,} of {self.tasks:,} tasks done",
            f"{len(self.running):,} running",
            f"{len(self.failures):,} failed",
        ]
        made, weight_made = self.done - self.found, self.weight_done - self.weight_found
        if made > self.seconds > 0:
            parts.append(f"{made / self.seconds:.2g} tasks/s")
        elif made and self.seconds > 0:
            parts.append(f"{tqdm.format_interval(self.seconds / made)} a task")
        if weight_made and self.state == "running":
            left = (self.weight - self.weight_done) * self.seconds / weight_made
            parts.append(f"about {tqdm.format_interval(left)} left")
        return ", ".join(parts)

    @classmethod
    def read(cls, folder: Path) -> Status:
        """Read the status file in the folder of the tasks.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is none, or it is damaged.
        """
        path = folder / STATUS
        found = {"study": "unknown"} | read_json(path)
        example = asdict(cls("any"))
        for name, value in found.items():
            known = example.get(name)
            same = type(value) is type(known) or (name == "seconds" and isinstance(value, int))
            if not same or (name == "state" and value not in _STATES):
                raise ValueError(f"{path} is damaged: its {name} is {value!r}")
        return cls(**found)


class Display:
    """A bar in a terminal or notebook, else plain lines on standard error; and the status file.

    Parameters
    ----------
    study : str
    folder : path
        Of the tasks, for the status file.
    shown : bool
        Whether to show anything.

    Attributes
    ----------
    status : Status
    bars : bool
        Whether it is a bar, beneath which there is room for those of tasks. A notebook without
        ipywidgets has none.
    """

    def __init__(self, study: str, folder: Path, *, shown: bool) -> None:
        self.status = Status(study)
        self.bars = shown and (sys.stderr.isatty() or WIDGETS)
        self._folder, self._clock = folder, time.monotonic()
        self._beat = self._line = -float("inf")
        self._plain = shown and not self.bars
        self._bar = tqdm(
            total=0, unit="part", disable=not self.bars, smoothing=0.0, plain=False,
            bar_format="{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *about: Any) -> None:
        if kind is None:
            self.end("finished")
        else:
            self.end("failed" if issubclass(kind, StudyError) else "stopped")
        self._bar.close()

    def add(self, jobs: Iterable[Job], done: set[str]) -> None:
        """Take in tasks, some of which are done."""
        status = self.status
        for job in jobs:
            weight = job.task.weight
            status.tasks += 1
            status.weight += weight
            if job.name in done:
                status.done += 1
                status.found += 1
                status.weight_done += weight
                status.weight_found += weight
        if not self._bar.disable:
            began = self._bar.start_t
            self._bar.reset(total=status.weight)  # alone changes the length of a notebook's bar
            self._bar.start_t, self._bar.initial = began, status.weight_found
            self._bar.n = status.weight_done
            self._bar.refresh()
        if status.found and status.done == status.found:
            self._say(f"{status.found:,} of {status.tasks:,} tasks were done before")

    def note(self, outcome: TaskOutcome) -> None:
        """Take in the outcome of a job."""
        task = outcome.job.task
        if outcome.entry is not None:
            self.status.done += 1
            self.status.weight_done += task.weight
            self._bar.update(task.weight)
            return
        given = {**task.arguments, "seed": outcome.job.seed}
        arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
        self.status.failures.append(
            {
                "key": task.key,
                "arguments": f"{task.function.__name__}({arguments})",
                "error": outcome.error,
                "traceback": outcome.trace,
            }
        )

    def beat(self, running: Callable[[], Sequence[str]], keys: dict[str, str]) -> None:
        """Show and write what is running, once a second at most."""
        moment = time.monotonic()
        if moment - self._beat < _BEATS:
            return
        self._beat = moment
        self.status.running = [keys[name] for name in running() if name in keys]
        self.write()
        self._bar.set_postfix_str(self.status.line())
        if moment - self._line >= _LINES:
            self._say(self.status.line())

    def end(self, state: str) -> None:
        """Say how it ended."""
        self.status.state = state
        self.status.running = []
        self.write()
        self._bar.set_postfix_str(self.status.line())
        if state != "writing":
            self._say(self.status.line())

    def write(self) -> None:
        """Write the status file; not being able to is no reason to stop."""
        self.status.seconds = time.monotonic() - self._clock
        self.status.updated = now()
        with suppress(OSError):
            write_json(asdict(self.status), self._folder / STATUS)

    def _say(self, line: str) -> None:
        self._line = time.monotonic()
        if self._plain:
            print(f"{self.status.study}: {line}", file=sys.stderr, flush=True)


def failure_text(about: dict[str, str]) -> str:
    """Two lines about one of the failures of a `Status`."""
    return f"{about['key']}: {about['error']}\n    of {about['arguments']}"


def describe(status: Status, alive: bool) -> list[str]:
    """Lines about a study, whose process is alive or not."""
    about: dict[str, Any] = {
        "running": f"running, process {status.pid} on {status.host} since {status.started}",
        "writing": f"writing its files, process {status.pid} on {status.host}",
        "finished": f"finished {status.updated}",
        "failed": f"ended with failures {status.updated}",
        "stopped": f"stopped {status.updated}; the same command goes on",
    }
    state = about[status.state]
    if not alive and status.state in ("running", "writing"):
        state = f"dead, last heard of {status.updated}; the same command goes on"
    lines = [f"{status.study}: {state}", f"  {status.line()}"]
    if alive:
        lines += [f"  running: {key}" for key in status.running]
    return lines + [f"  failed: {failure_text(each)}" for each in status.failures]
