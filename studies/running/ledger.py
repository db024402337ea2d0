"""The ledger of a study: which tasks are done, when, where, and the digests of their files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from isingrl.support.archives import file_digest
from studies.running.tasks import FORMER_DIGITS, Job, former_name

_FILE = "ledger.jsonl"
_FORMER = re.compile(rf"-[0-9a-f]{{{FORMER_DIGITS}}}(\.safetensors)?$")
_SUFFIX = ".safetensors"
_READERS = 4  # digests release the interpreter lock
_SHARES = 64  # of the files; to hand them on one by one takes longer than to read small ones


@dataclass(frozen=True)
class LedgerEntry:
    """A finished task.

    Attributes
    ----------
    name : str
        Of its `Job`.
    key : str
    sweeps : int or None
        As of its task.
    sha256 : str
        Digest of its result.
    seconds : float
        Wall time.
    started, ended : str
        ISO 8601 in UTC. A task that goes on from a checkpoint started when it went on.
    host : str
        Name of the machine.
    version : str
        Of isingrl, with the commit if it is known.
    """

    name: str
    key: str
    sweeps: int | None
    sha256: str
    seconds: float
    started: str
    ended: str
    host: str
    version: str


class Ledger:
    """Lines of JSON in a folder, one for each finished task; the last one of a task counts.

    A line that was cut short by a crash is passed over: its task is not done.

    Parameters
    ----------
    folder : path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / _FILE
        self._entries: dict[str, LedgerEntry] = {}
        if self._path.is_dir():
            raise ValueError(f"{self._path} is damaged: it is a folder; remove it")
        lines = self._path.read_bytes().splitlines() if self._path.exists() else []
        for entry in filter(None, map(_entry, lines)):
            self._entries[entry.name] = entry

    def entry(self, job: Job) -> LedgerEntry:
        """The entry of a finished job."""
        return self._entries[job.name]

    def note(self, entry: LedgerEntry) -> None:
        """Append an entry; when this returns, it is on the disk.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        line = json.dumps(asdict(entry)) + "\n"
        with self._path.open("ab+") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                line = "\n" + line  # a write before was cut short
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        self._entries[entry.name] = entry

    def adopt(self, jobs: Iterable[Job]) -> None:
        """Rename results and checkpoints that have the former names of these jobs.

        Raises
        ------
        OSError
            If they cannot be renamed.
        """
        names = {path.name for path in self.folder.iterdir()} | self._entries.keys()
        if not any(_FORMER.search(name) for name in names):
            return
        for job in jobs:
            if job.name in self._entries:
                continue
            former = former_name(job)
            for suffix in ("", _SUFFIX):
                old, new = (self.folder / f"{name}{suffix}" for name in (former, job.name))
                if old.exists() and not new.exists():
                    old.rename(new)
            if former in self._entries:
                self.note(replace(self._entries[former], name=job.name))

    def finished(self, jobs: Iterable[Job]) -> tuple[set[str], list[str]]:
        """Names of jobs with whole results, keys of jobs with damaged ones."""
        known = [
            job
            for job in jobs
            if job.name in self._entries and self.entry(job).sweeps == job.task.sweeps
        ]
        shares = [known[first::_SHARES] for first in range(_SHARES)]
        with ThreadPoolExecutor(_READERS) as pool:
            done = set[str]().union(*pool.map(self._whole, shares))
        return done, [job.task.key for job in known if job.name not in done]

    def result(self, job: Job) -> Path:
        """File of a job's result."""
        return result_path(self.folder, job)

    def _whole(self, jobs: list[Job]) -> list[str]:
        """Names of the jobs whose results have their digests."""
        found = []
        for job in jobs:
            with suppress(OSError):
                if file_digest(self.result(job)) == self.entry(job).sha256:
                    found.append(job.name)
        return found


def result_path(folder: Path, job: Job) -> Path:
    """File of a job's result in the folder of all tasks."""
    return folder / f"{job.name}{_SUFFIX}"


def provenance(ledger: Ledger, jobs: Iterable[Job]) -> xr.Dataset:
    """Which task was run when, where and for how long, over ``task``."""
    entries = [ledger.entry(job) for job in jobs]

    def text(name: str) -> Any:
        return np.array([getattr(entry, name) for entry in entries], dtype=str)

    seconds = np.array([entry.seconds for entry in entries])
    labels = {
        "started": "start, UTC",
        "ended": "end, UTC",
        "host": "machine",
        "version": "version of isingrl",
    }
    return xr.Dataset(
        {
            "seconds": ("task", seconds, {"long_name": "wall time", "units": "s"}),
            **{name: ("task", text(name), {"long_name": label}) for name, label in labels.items()},
        },
        coords={"task": text("key")},
    )


def _entry(line: bytes) -> LedgerEntry | None:
    try:
        entry = LedgerEntry(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    whole = isinstance(entry.name, str) and isinstance(entry.sha256, str)
    return entry if whole and isinstance(entry.seconds, float | int) else None
