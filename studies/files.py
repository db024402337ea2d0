"""Result files, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.figure import Figure


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and rename it to `path` when all went well."""
    scratch = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield scratch
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def write_dataset(data: xr.Dataset, path: Path) -> None:
    """Write a compressed netCDF-4 file."""
    encoding = {name: {"zlib": True, "complevel": 1, "shuffle": True} for name in data.data_vars}
    with replacing(path) as scratch:
        data.to_netcdf(scratch, engine="h5netcdf", encoding=encoding)


def write_figure(figure: Figure, path: Path) -> None:
    """Write a PNG file."""
    with replacing(path) as scratch:
        figure.savefig(scratch, dpi=160)


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write an indented JSON file."""
    with replacing(path) as scratch:
        scratch.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def make_folder(path: Path) -> None:
    """Make the output folder, and make sure that it can be written to.

    Raises
    ------
    ValueError
        If it cannot.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with replacing(path / "writable") as scratch:
            scratch.touch()
        (path / "writable").unlink()
    except OSError as error:
        raise ValueError(f"out must be a folder that can be written to; {path}: {error}") from error
