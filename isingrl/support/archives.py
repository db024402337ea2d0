"""Settings and arrays on disk: JSON holds the settings, safetensors hold both."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

Arrays = dict[str, npt.NDArray[Any]]

SCRATCH = "scratch"
"""Part of the names of files that are being written."""


_READ_ERRORS = (
    SafetensorError, ValueError, LookupError, TypeError, AttributeError, RuntimeError
)  # fmt: skip


class DamagedFileError(ValueError):
    """A file is cut short, changed or incomplete."""


def write_archive(
    path: str | os.PathLike[str], name: str, settings: dict[str, Any], arrays: Arrays
) -> None:
    """Write NAME.json and NAME.safetensors in a folder.

    If the write is cut short, the folder holds the former files or the new ones.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    within = settings | {"sha256": _content_digest(settings, arrays)}
    with tempfile.TemporaryDirectory(prefix=_scratch(name), dir=folder) as scratch:
        data, text = (Path(scratch) / file for file in _files(name))
        write_arrays(data, arrays, {"settings": json.dumps(within)})
        content = settings | {"sha256": file_digest(data)}
        text.write_text(json.dumps(content, indent=2), encoding="utf-8")
        for file in (data, text):
            sync(file)  # a crash of the machine could otherwise keep the name and lose the content
            file.replace(folder / file.name)
    sync(folder)


def write_arrays(path: Path, arrays: Arrays, metadata: dict[str, str]) -> None:
    """Write a file of safetensors; raise OSError if it cannot be written."""
    contiguous = {name: np.asarray(values, order="C") for name, values in arrays.items()}
    try:
        save_file(contiguous, path, metadata=metadata)
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        raise OSError(
            int(number[1]) if number else errno.EIO, f"{path} cannot be written to: {error}"
        ) from error


def read_archive(
    path: str | os.PathLike[str], name: str, form: str, what: str, argument: str = "path"
) -> tuple[dict[str, Any], Arrays]:
    """Read settings and arrays that `write_archive` wrote.

    Parameters
    ----------
    path, name
        As for `write_archive`.
    form : str
        The ``settings["format"]`` to expect.
    what, argument : str
        Kind of folder and the argument that names it, for messages.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    DamagedFileError
        If a file differs from what `write_archive` wrote.
    ValueError
        If the format is another one.
    """
    folder = Path(path)
    data, text = (folder / file for file in _files(name))
    for file in (text, data):
        if not file.is_file():
            raise FileNotFoundError(
                f"{argument} must be a {what} folder; {folder} has no {file.name}"
            )
    return _read_archive(path, name, form, what, argument)


def _read_archive(
    path: str | os.PathLike[str], name: str, form: str, what: str, argument: str
) -> tuple[dict[str, Any], Arrays]:
    folder = Path(path)
    data, text = (folder / file for file in _files(name))
    with foreign(folder, what, argument, DamagedFileError):
        settings, arrays = _read_steady(data, text)
    with foreign(folder, what, argument):
        if settings["format"] != form:
            raise ValueError(f"its format is {settings['format']!r}, not {form!r}")
    return settings, arrays


def read_checkpoint(
    path: str | os.PathLike[str], name: str, form: str, what: str, argument: str = "path"
) -> tuple[dict[str, Any], Arrays] | None:
    """Read as `read_archive` does; return None if nothing has been written yet.

    A checkpoint may lack its JSON, because the file of the arrays holds the settings too.
    """
    data, text = (Path(path) / file for file in _files(name))
    if not data.exists() and not text.exists():
        return None
    if not data.is_file() or (text.exists() and not text.is_file()):
        gone = text if data.is_file() else data
        raise DamagedFileError(f"{argument} must be a {what} folder; {path} has no {gone.name}")
    return _read_archive(path, name, form, what, argument)


def sync(path: Path) -> None:
    """Wait until the disk holds a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def output_folder(out: Any) -> Iterator[Path | None]:
    """Make an output folder and lock it while it is used; None if `out` is None.

    Refuses an empty path, which is the current folder, and a folder that another process or thread
    has locked.
    """
    if out is None:
        yield None
        return
    if not isinstance(out, str | os.PathLike):
        raise TypeError(f"out must be a path; got {out!r}")
    if not os.fspath(out):
        raise ValueError(f"out must name a folder; got {out!r}")
    make_folder(Path(out))
    handle = _locked(Path(out))
    try:
        yield Path(out)
    finally:
        if handle is not None:
            os.close(handle)


def _locked(path: Path) -> int | None:
    """Lock a folder; return a handle that unlocks it when closed, or None if locks are missing."""
    if fcntl is None:
        return None
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise ValueError(f"out must not be in use; another run is writing to {path}") from error
    except OSError:  # as on some network file systems
        os.close(handle)
        return None
    return handle


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, for a file or folder; rename it to `path` on success.

    Afterwards the content survives a crash of the machine.
    """
    scratch = path.with_name(f".{path.stem}.{os.getpid()}.{SCRATCH}{path.suffix}")
    try:
        yield scratch
        if scratch.is_dir():
            _replace_folder(scratch, path)
        else:
            sync(scratch)
            scratch.replace(path)
        sync(path.parent)
    finally:
        if scratch.is_dir():
            shutil.rmtree(scratch)
        else:
            scratch.unlink(missing_ok=True)


def _replace_folder(scratch: Path, path: Path) -> None:
    former = scratch.with_suffix(".former")
    if path.exists():
        path.rename(former)
    scratch.rename(path)
    shutil.rmtree(former, ignore_errors=True)


def make_folder(path: Path, name: str = "out") -> None:
    """Make the output folder; refuse one that cannot be written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ValueError(
            f"{name} must be a folder that can be written to; {path}: {error}"
        ) from error


def clear_scratch(path: str | os.PathLike[str], name: str) -> None:
    """Remove scratch files that killed writers left in a folder."""
    for folder in Path(path).glob(f"{_scratch(name)}*"):
        shutil.rmtree(folder, ignore_errors=True)


def part(arrays: Arrays, prefix: str) -> Arrays:
    """Arrays with names that begin with `prefix`; the prefix is cut off."""
    return {
        name.removeprefix(prefix): values
        for name, values in arrays.items()
        if name.startswith(prefix)
    }


def prefixed(prefix: str, arrays: Arrays) -> Arrays:
    """Arrays with names that begin with `prefix`; see `part`."""
    return {f"{prefix}{name}": values for name, values in arrays.items()}


def fill(arrays: Arrays, values: Arrays) -> None:
    """Copy values into the arrays of the same names; copy none if a name, shape or type differs."""
    expected, found = (
        {name: (each.shape, each.dtype) for name, each in some.items()} for some in (arrays, values)
    )
    if found != expected:
        raise ValueError(f"its arrays must be {expected}; got {found}")
    for name, each in arrays.items():
        each[:] = values[name]


def digest_of(arrays: Arrays) -> str:
    """SHA-256 of names, types, shapes and content."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {values.dtype.str} {arrays[name].shape} ".encode())
        digest.update(values.data)
    return digest.hexdigest()


def check_same(
    folder: str | os.PathLike[str],
    what: str,
    own: dict[str, Any],
    theirs: dict[str, Any],
    reasons: dict[str, str] | None = None,
) -> None:
    """Refuse to go on in a folder with other arguments than those of its first run.

    Parameters
    ----------
    folder : path
    what : str
        Kind of run in the folder, for messages.
    own, theirs : dict
        Arguments of this run and of the folder, ready for JSON; dicts may be one level deep, with
        names such as "team.discount" in the error.
    reasons : dict of str, optional
        Why an argument must not change, by name, where that is not obvious.
    """
    own, theirs = _flat(own), _flat(theirs)
    # those with a reason come last, because they often follow from others, which tell more
    for name in sorted(own | theirs, key=lambda name: name in (reasons or {})):
        if own.get(name) != theirs.get(name):
            reason = (reasons or {}).get(name)
            raise ValueError(
                f"out must be a new folder or that of the same {what}; {folder} is of one with "
                f"{name} = {theirs.get(name)}, not {own.get(name)}"
                + (f": {reason}" if reason else "")
            )


@contextmanager
def foreign(
    folder: str | os.PathLike[str],
    what: str,
    argument: str = "path",
    kind: type[ValueError] = ValueError,
) -> Iterator[None]:
    """Turn any error while a folder is read into one that names the folder."""
    try:
        yield
    except _READ_ERRORS as error:
        raise kind(f"{argument} must be a {what} folder; {folder} is none: {error}") from error


def _scratch(name: str) -> str:
    return f".{name}-"


def _flat(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name, as JSON gives them back; one within a dict is "team.discount"."""
    found: dict[str, Any] = {}
    for name, value in json.loads(json.dumps(arguments)).items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}": each for key, each in value.items()}
        else:
            found[name] = value
    return found


def _files(name: str) -> tuple[str, str]:
    return f"{name}.safetensors", f"{name}.json"


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _content_digest(settings: dict[str, Any], arrays: Arrays) -> str:
    return hashlib.sha256(f"{json.dumps(settings)} {digest_of(arrays)}".encode()).hexdigest()


def _read_steady(data: Path, text: Path) -> tuple[dict[str, Any], Arrays]:
    """Read as `_read_whole` does, and once more if another process replaced the files meanwhile."""
    while True:
        before = data.stat()
        failure = None
        try:
            found = _read_whole(data, text)
        except Exception as error:
            failure = error
        after = data.stat()
        if (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns):
            if failure is not None:
                raise failure
            return found


def _read_whole(data: Path, text: Path) -> tuple[dict[str, Any], Arrays]:
    """Read settings and arrays from the two files, and check their digests."""
    told: dict[str, Any] = {}
    same = False
    if text.exists():
        told = json.loads(text.read_text(encoding="utf-8"))
        same = told.pop("sha256") == file_digest(data)
    with safe_open(data, framework="numpy") as file:
        settings: dict[str, Any] = json.loads(file.metadata()["settings"])
    own = settings.pop("sha256", None)
    arrays = load_file(data)
    if same:
        if json.dumps(told) != json.dumps(settings):
            raise ValueError(f"{text.name} was changed")
    elif own != _content_digest(settings, arrays):
        # if equal, a write was cut short after its first file, which holds everything
        raise ValueError(f"{data.name} was changed")
    return settings, arrays
