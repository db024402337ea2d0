"""Arguments that `simulate` and `train` share: seeds, first configurations, snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.spin_model import Model
from isingrl.support.validation import check_choice, check_integer, check_shape, site_axes


def seed_sequence(seed: Any) -> np.random.SeedSequence:
    """Return the seed sequence of all random numbers of a run."""
    if seed is not None:
        seed = check_integer("seed", seed, 0)
    return np.random.SeedSequence(seed)


def check_start(start: Any, model: Model, chains: dict[str, int]) -> str | npt.NDArray[Any]:
    """Return the name of a start, or its spins with shape (n_chains, *lattice.shape).

    `chains` are names and sizes of the axes before those of the lattice. A DataArray may have its
    dims in any order; its configurations are repeated along missing dims.
    """
    if isinstance(start, str):
        return check_choice("start", start, ("random", *model.starts))
    sites = model.lattice.shape
    shape = (*chains.values(), *sites)
    given = np.asarray(site_axes("start", start, len(sites), chains))
    check_shape("start", given, (sites, shape))
    model.check_spins("start", given)
    spins = given.astype(model.values.dtype)
    return np.broadcast_to(spins, shape).reshape(-1, *sites)


def check_snapshots(snapshots: Any, sweeps: int, interval: int) -> npt.NDArray[np.int64]:
    """Return the measured sweeps after which configurations are kept, ascending.

    A number is spread evenly over the draws, up to the last one.
    """
    draws = sweeps // interval
    several = isinstance(snapshots, Sequence | np.ndarray) and not isinstance(
        snapshots, str | bytes
    )
    if not several or np.shape(snapshots) == ():
        number = check_integer("snapshots", snapshots, 0)
        if number > draws:
            raise ValueError(
                f"snapshots must be at most sweeps // interval = {draws}; got {number}"
            )
        return interval * (np.arange(1, number + 1) * draws // max(number, 1))
    kept = np.array([check_integer("snapshots: a sweep", each, 0) for each in snapshots], np.int64)
    last = draws * interval
    if kept.size and (kept.max() > last or (np.diff(kept) <= 0).any()):
        raise ValueError(
            f"snapshots must be ascending sweeps from 0 to {last}, the last measured one; got "
            f"{kept.tolist()}"
        )
    return kept
