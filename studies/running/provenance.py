"""Provenance of files."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from typing import Any

import xarray as xr

from isingrl.support.provenance import versions

FORMAT = "isingrl-study-1"


def signed(data: xr.Dataset, settings: dict[str, Any], started: str) -> xr.Dataset:
    """Return the data with the facts that are needed to make them again in the attributes.

    Parameters
    ----------
    data : Dataset
    settings : dict
        Name and configuration of the study.
    started : str
        When the study was started first.

    Returns
    -------
    Dataset
        With ``format``, ``config`` (JSON) and ``provenance``: JSON with versions, machine, seed,
        start and end.
    """
    origin = {
        "versions": versions(),
        "machine": {
            "host": platform.node(),
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "seed_entropy": settings["seed"],
        "started": started,
        "ended": now(),
    }
    return data.assign_attrs(
        format=FORMAT, config=json.dumps(settings), provenance=json.dumps(origin)
    )


def read_config(data: xr.Dataset) -> dict[str, Any]:
    """Name and configuration of the study that a file's data come from.

    Raises
    ------
    ValueError
        If no study made them, or a newer release did.
    """
    form, config = data.attrs.get("format"), data.attrs.get("config")
    if form != FORMAT or not isinstance(config, str):
        raise ValueError(f"file must be one that a study wrote, of format {FORMAT}; got {form!r}")
    try:
        settings: dict[str, Any] = json.loads(config)
    except ValueError as error:
        raise ValueError(f"file must hold the config of a study; got {config!r}") from error
    return settings


def now(timespec: str = "seconds") -> str:
    """The time, ISO 8601 in UTC; `timespec` as of `datetime.isoformat`."""
    return datetime.now(UTC).isoformat(timespec=timespec)
