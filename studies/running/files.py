"""Result files, written whole or not at all."""

from __future__ import annotations

import io
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import xarray as xr

from isingrl.support.archives import SCRATCH, replacing
from isingrl.support.validation import check_choice, require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Literal["netcdf", "zarr"]
SUFFIXES: dict[str, str] = {"netcdf": ".nc", "zarr": ".zarr"}
_CHUNK = 1 << 16  # draws
PROVENANCE = "provenance"
"""Group of a file: when and where each task was run, and for how long."""


def clear_scratch(folder: Path) -> None:
    """Remove files that killed writers left in a folder."""
    for path in folder.glob(f".*.{SCRATCH}.*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def check_format(form: str) -> None:
    """Refuse an unknown format, or one whose package is missing.

    Raises
    ------
    ValueError
        If it is unknown.
    ImportError
        If Zarr is not installed.
    """
    check_choice("format", form, get_args(Format))
    if form == "zarr":
        require("zarr", "format zarr needs", "cluster")


def write_dataset(data: xr.Dataset, path: Path, provenance: xr.Dataset | None = None) -> None:
    """Write a compressed netCDF-4 file or, if the path ends in .zarr, a Zarr folder.

    Data on disk are read block by block. A netCDF file is put together in memory and by another
    thread, because HDF5 crashes after a failed write (https://github.com/h5py/h5py/issues/914) and
    Ctrl-C, which interrupts the main thread alone, could leave HDF5 or its locks in any state. Zarr
    suits data larger than memory. `provenance` becomes the group of that name.
    """
    import dask

    parts: dict[str | None, xr.Dataset] = {None: data}
    if provenance is not None:
        parts[PROVENANCE] = provenance
    with dask.config.set(scheduler="synchronous"), replacing(path) as scratch:
        if path.suffix != ".zarr":
            with ThreadPoolExecutor(1) as thread:  # which waits for it, also on Ctrl-C
                scratch.write_bytes(thread.submit(_netcdf, parts).result())
            return
        for group, part in parts.items():
            part.to_zarr(scratch, group=group, mode="w" if group is None else "a", zarr_format=2)


def _netcdf(parts: dict[str | None, xr.Dataset]) -> memoryview:
    """Content of a netCDF file with these groups."""
    memory = io.BytesIO()
    for group, part in parts.items():
        mode: Literal["w", "a"] = "w" if group is None else "a"
        encoding = {name: _compressed(part[name]) for name in part.data_vars}
        part.to_netcdf(memory, engine="h5netcdf", group=group, encoding=encoding, mode=mode)
    return memory.getbuffer()


def _compressed(values: xr.DataArray) -> dict[str, Any]:
    """Encoding of a variable; long series lie so that one chain can be read alone."""
    encoding: dict[str, Any] = {"zlib": True, "complevel": 1, "shuffle": True}
    if values.size > _CHUNK and values.dims[-1] == "draw":
        length = min(values.sizes["draw"], _CHUNK)
        encoding["chunksizes"] = (1,) * (values.ndim - 1) + (length,)
    return encoding


def open_dataset(path: Path, group: str | None = None) -> xr.Dataset:
    """Open a netCDF file or Zarr folder; values are read when they are needed.

    Raises
    ------
    FileNotFoundError
        If it does not exist.
    ValueError
        If it is another file, or damaged.
    """
    if not path.exists():
        raise FileNotFoundError(f"file must be a netCDF file or Zarr folder; there is no {path}")
    if path.suffix == ".zarr":
        check_format("zarr")
    try:
        engine: Any = "zarr" if path.suffix == ".zarr" else "h5netcdf"
        return xr.open_dataset(path, engine=engine, group=group, chunks=None)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ValueError(
            f"file must be a netCDF file or Zarr folder; {path} is none: {error}"
        ) from error


def write_figure(figure: Figure, path: Path, about: str = "") -> None:
    """Write a PNG file that carries a description."""
    with replacing(path) as scratch:
        figure.savefig(scratch, dpi=160, metadata={"Description": about})


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write an indented JSON file."""
    with replacing(path) as scratch:
        scratch.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    if path.is_dir():
        raise ValueError(f"{path} is damaged: it is a folder")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is damaged: it holds a {type(content).__name__}, not settings")
    return content
