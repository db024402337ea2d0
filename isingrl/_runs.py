"""What simulating and training have in common: seeds, first configurations, draws to keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl._validation import check_choice, check_integer, check_spins, site_axes

STARTS = ("random", "up", "down")


def seed_sequence(seed: Any) -> np.random.SeedSequence:
    """Root of all random streams of a run."""
    if seed is not None:
        seed = check_integer("seed", seed, 0)
    return np.random.SeedSequence(seed)


def check_start(
    start: Any, lattice_shape: tuple[int, ...], chains: dict[str, int]
) -> str | npt.NDArray[np.int8]:
    """Return the name of a start, or its spins with shape (n_chains, *lattice_shape).

    `chains` are the axes that an array of all first configurations has before those of the lattice,
    by name; the dims of a DataArray may stand in any order, and it need not have those in which
    its configurations do not differ.
    """
    if isinstance(start, str):
        return check_choice("start", start, STARTS)
    shape = (*chains.values(), *lattice_shape)
    given = site_axes("start", start, len(lattice_shape), chains)
    spins = check_spins("start", given, (lattice_shape, shape))
    return np.broadcast_to(spins, shape).reshape(-1, *lattice_shape)


def snapshot_draws(draws: int, snapshots: int) -> npt.NDArray[np.int64]:
    """Draws at which configurations are kept: evenly spread, ending with the last."""
    return (np.arange(1, snapshots + 1) * draws) // max(snapshots, 1) - 1
