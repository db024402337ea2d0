"""Results of tasks on disk: one file each, numbers as safetensors, all else as JSON in its header.

They are quicker to write and read than the netCDF and Zarr files that studies leave
(`studies.running.files`).
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from safetensors import SafetensorError, safe_open

from isingrl.support.archives import file_digest, replacing, write_arrays

LAZY_BYTES = 1 << 20
"""Variables of this size or more stay on disk until they are needed."""


def write_result(data: xr.Dataset, path: Path) -> str:
    """Write a Dataset, whole or not at all, and return the SHA-256 digest of the file.

    Raises
    ------
    OSError
        If it cannot be written.
    TypeError
        If a variable holds anything but numbers or text, or an attribute does not fit in JSON.
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
    """Read a file of `write_result`; large variables as dask arrays, which read it when needed.

    Raises
    ------
    ValueError
        If the file was not written by `write_result`.
    """
    variables: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    try:
        with safe_open(path, framework="numpy") as file:
            content = json.loads(file.metadata()["dataset"])
            for name, about in content["variables"].items():
                values = _values(path, file, name, about)
                variables[about["coordinate"]][name] = (about["dims"], values, about["attrs"])
    except (SafetensorError, TypeError, LookupError, ValueError) as error:
        raise ValueError(f"path must be the result of a task; {path} is none: {error}") from error
    data = xr.Dataset(variables[False], variables[True], content["attrs"])
    without = [name for name in data.indexes if name not in content["indexed"]]
    return data.drop_indexes(without) if without else data


def _values(path: Path, file: Any, name: str, about: dict[str, Any]) -> Any:
    if "text" in about:
        return np.array(about["text"], dtype=np.dtype(about["dtype"]))
    part = file.get_slice(name)
    shape = tuple(part.get_shape())
    if 8 * math.prod(shape) < max(LAZY_BYTES, 1):
        return file.get_tensor(name)
    import dask.array
    from dask.delayed import delayed

    dtype = part[tuple(slice(0, 0) for _ in shape)].dtype
    return dask.array.from_delayed(delayed(_tensor)(os.fspath(path), name), shape, dtype=dtype)


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
