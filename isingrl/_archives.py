"""Settings and arrays on disk: JSON to read, safetensors that hold both, written whole or not."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

Arrays = dict[str, npt.NDArray[Any]]


def write_archive(
    path: str | os.PathLike[str], name: str, settings: dict[str, Any], arrays: Arrays
) -> None:
    """Write NAME.json and NAME.safetensors in a folder.

    A write that is cut short leaves what was there before, or the new files.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    contiguous = {key: np.asarray(values, order="C") for key, values in arrays.items()}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        data, text = (Path(scratch) / file for file in _files(name))
        save_file(contiguous, data, metadata={"settings": json.dumps(settings)})
        content = settings | {"sha256": _digest(data)}
        text.write_text(json.dumps(content, indent=2), encoding="utf-8")
        for file in (data, text):
            file.replace(folder / file.name)


def read_archive(
    path: str | os.PathLike[str], name: str, form: str, what: str
) -> tuple[dict[str, Any], Arrays]:
    """Settings and arrays that `write_archive` wrote.

    Parameters
    ----------
    path : path
    name : str
        Of the files.
    form : str
        Which ``settings["format"]`` is wanted.
    what : str
        What the folder should be, for messages.

    Raises
    ------
    FileNotFoundError
        If one of the files is not there.
    ValueError
        If they were not written by `write_archive`, are damaged, or of another format.
    """
    folder = Path(path)
    data, text = (folder / file for file in _files(name))
    for file in (text, data):
        if not file.is_file():
            raise FileNotFoundError(f"path must be a {what} folder; {folder} has no {file.name}")
    with foreign(folder, what):
        settings: dict[str, Any] = json.loads(text.read_text(encoding="utf-8"))
        if settings["sha256"] != _digest(data):
            # A write that was cut short between its two files: the first holds all.
            settings = _settings_within(data)
        if settings["format"] != form:
            raise ValueError(f"its format is {settings['format']!r}, not {form!r}")
        return settings, load_file(data)


@contextmanager
def foreign(folder: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Say of whatever a folder's content leads to that the folder is not what it should be."""
    try:
        yield
    except (
        SafetensorError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RuntimeError,
    ) as error:
        raise ValueError(f"path must be a {what} folder; {folder} is none: {error}") from error


def _files(name: str) -> tuple[str, str]:
    return f"{name}.safetensors", f"{name}.json"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settings_within(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
    settings: dict[str, Any] = json.loads(metadata["settings"])
    return settings
