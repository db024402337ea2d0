"""A run rung by rung: each temperature or field starts where the last one ended."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl.run import Run
from isingrl.run_files import run_folder
from isingrl.support.validation import check_choice, check_flag

_BRANCHES = ("forward", "backward")


def climb(
    run: Run,
    ladder: Any,
    loop: Any,
    start: str | npt.NDArray[Any],
    seeds: np.random.SeedSequence,
    seeded: bool,
    out: str | os.PathLike[str] | None,
    checkpoint_seconds: float,
) -> xr.Dataset:
    """Carry out a run of all temperatures and fields rung by rung; see `isingrl.simulate`.

    In the folder `out` each rung has a folder for its checkpoint. `start`, `seeds` and `seeded`
    are those of `Run.carry_out`.
    """
    check_choice("ladder", ladder, ("temperature", "field"))
    check_flag("loop", loop)
    if ladder == "field" and isinstance(run.model.field, float):
        raise ValueError(
            "field must be a sequence, as in Ising(lattice, field=[0.0, 0.1, 0.2]), for a ladder "
            f"along it; got {run.model.field:g}"
        )
    if run.rule.learns:
        raise ValueError(
            f"rule must not learn on a ladder, where agents would begin anew; got {run.rule!r}"
        )
    if run.until is not None:
        raise ValueError("until must be None on a ladder, whose rungs are equally long")
    number = run.shape[0 if ladder == "temperature" else 1]
    places = [*range(number), *(range(number - 1, -1, -1) if loop else ())]
    start = _of_first_place(run, ladder, start)
    parts: list[xr.Dataset] = []
    with run_folder(out, checkpoint_seconds):
        for rung, place in enumerate(places):
            own = None if out is None else Path(out) / f"rung-{rung:04d}"
            with run_folder(own, checkpoint_seconds) as folder:
                outcome = _rung(run, ladder, place).carry_out(start, seeds, seeded, folder, rung)
            n_chains = math.prod(run.shape) // number
            start = np.stack([outcome.engine.spins(chain) for chain in range(n_chains)])
            seeds, seeded = outcome.seeds, True
            parts.append(outcome.data)
    branches = [_joined(parts[:number], ladder)]
    if not loop:
        return branches[0]
    branches.append(_joined(parts[: number - 1 : -1], ladder))
    joined = xr.concat(
        branches, "branch", coords="minimal", compat="override", data_vars="all", join="exact"
    )
    return joined.assign_coords(branch=list(_BRANCHES))


def _rung(run: Run, ladder: str, place: int) -> Run:
    if ladder == "temperature":
        return replace(run, temperatures=run.temperatures[place : place + 1])
    fields = [each.one_field() for each in run.model.each_field]
    return replace(run, model=run.model.in_field((fields[place],)))


def _of_first_place(run: Run, ladder: str, start: str | npt.NDArray[Any]) -> str | npt.NDArray[Any]:
    """First configurations of the first rung."""
    if isinstance(start, str):
        return start
    sites = run.model.lattice.shape
    axis = 0 if ladder == "temperature" else 1
    first = np.moveaxis(start.reshape(*run.shape, *sites), axis, 0)[0]
    return np.asarray(first.reshape(-1, *sites))


def _joined(parts: list[xr.Dataset], ladder: str) -> xr.Dataset:
    return xr.concat(
        parts, ladder, data_vars="minimal", coords="minimal", compat="override", join="exact",
        combine_attrs="override",
    )  # fmt: skip
