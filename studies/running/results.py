"""Results of tasks on disk: one file each, numbers as safetensors, all else as JSON in its header.

A quick way to keep a Dataset between two moments of a run; what a study leaves are netCDF or Zarr
files (`studies.running.files`).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from safetensors import SafetensorError, safe_open

from isingrl.support.archives import file_digest, replacing, write_arrays

LAZY_BYTES = 1 << 20
"""Size of a variable from which on it stays on disk until it is needed."""


def write_result(data: xr.Dataset, path: Path) -> str:
    """Write a Dataset, whole or not at all, and return the SHA-256 digest of the file.

    Raises
    ------
    OSError
        If it cannot be written.
    TypeError
        If a variable holds anything but numbers or text, or an attribute cannot be told in JSON.
    """
    arrays, variables = {}, {}
    for name, variable in data.variables.items():
        values = variable.values
        about = {"dims": variable.dims, "attrs": variable.attrs, "coordinate": name in data.coords}
        if values.dtype.kind in "biuf":
            arrays[str(name)] = values
        else:
            about |= {"text": _text(str(name), values), "dtype": values.dtype.str}
        variables[str(name)] = about
    content = {"variables": variables, "indexed": list(data.indexes), "attrs": data.attrs}
    header = json.dumps(content, default=_json)
    with replacing(path) as scratch:
        write_arrays(scratch, arrays, {"dataset": header})
        return file_digest(scratch)


def read_result(path: Path) -> xr.Dataset:
    """Read what `write_result` wrote; large variables as dask arrays that are read when needed.

    Raises
    ------
    ValueError
        If the file was not written by `write_result`.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            content = json.loads(file.metadata()["dataset"])
            sizes = {name: _bytes(file.get_slice(name)) for name in file.keys()}  # noqa: SIM118
            small = {name: file.get_tensor(name) for name, size in sizes.items() if not size}
    except (SafetensorError, TypeError, LookupError, ValueError) as error:
        raise ValueError(f"path must be the result of a task; {path} is none: {error}") from error
    variables: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    for name, about in content["variables"].items():
        values: Any
        if "text" in about:
            values = np.array(about["text"], dtype=np.dtype(about["dtype"]))
        else:
            values = small[name] if name in small else _lazy(path, name)
        variables[about["coordinate"]][name] = (tuple(about["dims"]), values, about["attrs"])
    data = xr.Dataset(variables[False], variables[True], content["attrs"])
    without = [name for name in data.indexes if name not in content["indexed"]]
    return data.drop_indexes(without) if without else data


def _bytes(part: Any) -> int:
    """Size of a tensor that is large, else 0."""
    size = int(np.prod(part.get_shape(), dtype=np.int64)) * 8
    return size if size >= LAZY_BYTES else 0


def _lazy(path: Path, name: str) -> Any:
    import dask.array
    from dask.delayed import delayed

    with safe_open(path, framework="numpy") as file:
        part = file.get_slice(name)
        shape, empty = tuple(part.get_shape()), part[tuple(slice(0, 0) for _ in part.get_shape())]
    block = delayed(_tensor)(os.fspath(path), name)
    return dask.array.from_delayed(block, shape, dtype=empty.dtype)


def _tensor(path: str, name: str) -> Any:
    with safe_open(path, framework="numpy") as file:
        return file.get_tensor(name)


def _text(name: str, values: Any) -> Any:
    if values.dtype.kind not in "UO" or not all(isinstance(each, str) for each in values.ravel()):
        raise TypeError(f"results must hold numbers or text; {name!r} is {values.dtype}")
    return values.tolist()


def _json(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"attributes must be numbers, text or lists of them; got {value!r}")
