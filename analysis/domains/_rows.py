"""A lattice as rows along its last axis: pairs of rows that touch, and boundaries they cross."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analysis.domains import _kernels as kernels
from isingrl import Lattice

IntArray = npt.NDArray[np.int64]


class Pairs(NamedTuple):
    """Pairs of rows or runs, shape (n_pairs, 2), and the boundaries crossed between the two.

    Winding numbers of all axes share one integer, `AXIS_BITS` bits each.
    """

    ends: IntArray
    windings: IntArray


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a lattice that touch.

    `inside` and `across` are rows side by side, within the lattice and across a boundary. In a pair
    of `around`, the last site of the first row touches the first site of the second.
    """

    lattice: Lattice
    inside: Pairs
    across: Pairs
    around: Pairs

    @property
    def diagonal(self) -> bool:
        """Whether sites of rows side by side touch if they lie one place apart."""
        return self.lattice.neighborhood == "moore"

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of sites in each."""
        side = self.lattice.shape[-1]
        return self.lattice.n_sites // side, side


@lru_cache(maxsize=8)
def rows_of(lattice: Lattice) -> Rows:
    """Rows of a lattice, kept for the next configuration."""
    leading = lattice.shape[:-1]
    steps = {offset[:-1] for offset in lattice.forward_offsets if any(offset[:-1])}
    beside = _neighbors(leading, sorted(steps), lattice.periodic)
    within = beside.windings == 0
    across = Pairs(beside.ends[~within], beside.windings[~within])
    inside = Pairs(beside.ends[within], beside.windings[within])
    around = Pairs(np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int64))
    if lattice.periodic:
        own = np.repeat(np.arange(int(np.prod(leading, dtype=np.int64))), 2).reshape(-1, 2)
        ends, windings = [own], [np.zeros(len(own), dtype=np.int64)]
        if lattice.neighborhood == "moore":
            ends += [beside.ends, beside.ends[:, ::-1]]
            windings += [beside.windings, -beside.windings]
        once = 1 << (kernels.AXIS_BITS * len(leading))
        around = Pairs(np.concatenate(ends), np.concatenate(windings) + once)
    return Rows(lattice, inside, across, around)


def bonds_of(lattice: Lattice) -> Pairs:
    """All pairs of neighbouring sites, each once, with the numbers of runs of single sites."""
    steps = list(lattice.forward_offsets)
    begins = np.stack([lattice.begins(step).ravel() for step in steps], axis=1)
    pairs = _neighbors(lattice.shape, steps, lattice.periodic, begins)
    return Pairs(pairs.ends + pairs.ends // lattice.shape[-1], pairs.windings)


def _neighbors(
    shape: tuple[int, ...],
    offsets: list[tuple[int, ...]],
    periodic: bool,
    begins: npt.NDArray[np.bool_] | None = None,
) -> Pairs:
    """Pairs of places of a grid that lie an offset apart, ordered by the first place.

    `begins`, shape (n_places, n_offsets), has the first places of the pairs; all if omitted.
    """
    number = int(np.prod(shape, dtype=np.int64))
    if not offsets:
        return Pairs(np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int64))
    places, sides = np.indices(shape).reshape(len(shape), -1), np.array(shape)[:, None]
    seconds, windings = [], []
    for offset in offsets:
        crossed, moved = np.divmod(places + np.array(offset)[:, None], sides)
        seconds.append(np.ravel_multi_index(list(moved), shape))
        weights = 1 << (kernels.AXIS_BITS * np.arange(len(shape)))
        windings.append(weights @ crossed)
    second = np.stack(seconds, axis=1).ravel()
    first = np.repeat(np.arange(number), len(offsets))
    winding = np.stack(windings, axis=1).ravel()
    kept = np.full(winding.size, True) if begins is None else begins.ravel()
    if not periodic:
        kept = kept & (winding == 0)
    return Pairs(np.stack([first, second], axis=1)[kept], winding[kept])
