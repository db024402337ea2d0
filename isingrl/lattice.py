"""Hypercubic lattices in one, two and three dimensions: neighbours, bonds and sublattices."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.support.validation import check_choice, check_integer

NEIGHBORHOODS = ("von_neumann", "moore")
BOUNDARIES = ("periodic", "free")


@dataclass(frozen=True)
class Lattice:
    """A hypercubic lattice with one spin a site.

    Parameters
    ----------
    shape : int or sequence of int
        One to three sides, each at least 2; odd and unequal sides are fine.
    neighborhood : {"von_neumann", "moore"}
        ``"von_neumann"``: the 2, 4 or 6 sites one step away along an axis. ``"moore"``: the 2, 8
        or 26 sites at most one step away along every axis.
    boundary : {"periodic", "free"}
        ``"periodic"`` joins opposite faces; with ``"free"`` the sites of a face lack neighbours.

    Raises
    ------
    TypeError, ValueError
        If a side is not an integer of at least 2, there are not one to three of them, or a name
        is unknown.

    Notes
    -----
    Every site has as many neighbour slots as the neighbourhood has offsets. Across a periodic
    side of length 2 two slots lead to the same site, so that pair is joined, and counted, twice.

    Examples
    --------
    >>> from isingrl import Lattice
    >>> square = Lattice((4, 4))
    >>> square.coordination_number, square.n_bonds
    (4, 32)
    >>> square.neighbors[0].tolist()
    [12, 3, 1, 4]
    >>> square.sublattices[:2].tolist()
    [[0, 1, 0, 1], [1, 0, 1, 0]]
    >>> Lattice(10, boundary="free").n_up.tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0]
    >>> Lattice((3, 4), neighborhood="moore").n_sublattices
    6
    """

    shape: tuple[int, ...]
    neighborhood: str = "von_neumann"
    boundary: str = "periodic"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _check_shape(self.shape))
        check_choice("neighborhood", self.neighborhood, NEIGHBORHOODS)
        check_choice("boundary", self.boundary, BOUNDARIES)

    @property
    def ndim(self) -> int:
        """Number of dimensions: 1, 2 or 3."""
        return len(self.shape)

    @property
    def n_sites(self) -> int:
        """Number of sites."""
        return math.prod(self.shape)

    @property
    def periodic(self) -> bool:
        """Whether opposite faces are joined."""
        return self.boundary == "periodic"

    @cached_property
    def offsets(self) -> tuple[tuple[int, ...], ...]:
        """Steps to the neighbours, ordered so that ``offsets[-1 - k]`` reverses ``offsets[k]``."""
        steps = itertools.product((-1, 0, 1), repeat=self.ndim)
        longest = 1 if self.neighborhood == "von_neumann" else self.ndim
        return tuple(step for step in steps if 0 < sum(map(abs, step)) <= longest)

    @property
    def forward_offsets(self) -> tuple[tuple[int, ...], ...]:
        """One offset of each opposite pair, which reach every bond once."""
        return self.offsets[len(self.offsets) // 2 :]

    @property
    def coordination_number(self) -> int:
        """Number of neighbour slots of a site, z."""
        return len(self.offsets)

    @cached_property
    def neighbors(self) -> npt.NDArray[np.int32]:
        """Neighbours of the sites in C order, shape (n_sites, z); ``n_sites`` if missing."""
        coordinates = np.indices(self.shape, dtype=np.int32).reshape(self.ndim, -1)
        sides = np.array(self.shape, dtype=np.int32)[:, None]
        table = np.empty((self.n_sites, self.coordination_number), dtype=np.int32)
        for slot, offset in enumerate(self.offsets):
            moved = coordinates + np.array(offset, dtype=np.int32)[:, None]
            inside = ((moved >= 0) & (moved < sides)).all(axis=0)
            index = np.ravel_multi_index(tuple(moved % sides), self.shape)
            table[:, slot] = index if self.periodic else np.where(inside, index, self.n_sites)
        return table

    @property
    def n_bonds(self) -> int:
        """Number of neighbour pairs, a pair joined twice counted twice."""
        lost = np.abs(self.forward_offsets) * (not self.periodic)
        return int((np.array(self.shape) - lost).prod(axis=1).sum())

    @property
    def n_up(self) -> npt.NDArray[np.float64]:
        """Values that the number of up neighbours can take, ascending.

        A missing neighbour of a free boundary counts one half, so that the sum of the neighbour
        spins is ``2 * n_up - z`` everywhere: 0, 1, … z when periodic, 0, ½, 1, … z when free.
        """
        z = self.coordination_number
        return np.linspace(0.0, z, (z if self.periodic else 2 * z) + 1)

    @property
    def local_sum_step(self) -> int:
        """Difference of the sums of neighbour spins of two adjacent entries of `n_up`."""
        return 2 if self.periodic else 1

    @cached_property
    def sublattices(self) -> npt.NDArray[np.int8]:
        """Sublattice of every site, shape `shape`: no two neighbours share one.

        A path or an even cycle needs two colours, an odd cycle three. The von Neumann lattice is
        the Cartesian product of its axes, for which the sum of the axis colours modulo the
        largest number of colours is right. The Moore lattice is their strong product: every
        combination of the axis colours is a sublattice.
        """
        axes = np.meshgrid(*(self._axis_colors(side) for side in self.shape), indexing="ij")
        if self.neighborhood == "von_neumann":
            return np.asarray(np.sum(axes, axis=0) % self.n_sublattices, dtype=np.int8)
        return np.ravel_multi_index(axes, self._n_axis_colors).astype(np.int8)

    @property
    def n_sublattices(self) -> int:
        """Number of sublattices: 2 only where two suffice."""
        combine = max if self.neighborhood == "von_neumann" else math.prod
        return combine(self._n_axis_colors)

    def _repr_html_(self) -> str:
        """Picture of the neighbourhood and the numbers of sites and bonds, for notebooks."""
        from isingrl.support import reprs

        z = self.coordination_number
        picture = reprs.neighborhood(self.offsets, f"a site and its {z} neighbours")
        facts = reprs.table(
            [
                ("sides", reprs.sides(self.shape)),
                ("sites", f"{self.n_sites:,}"),
                ("bonds", f"{self.n_bonds:,}"),
                ("neighbours", f"{z}, {reprs.NEIGHBORHOODS[self.neighborhood]}"),
                ("boundary", self.boundary),
                ("sublattices", self.n_sublattices),
            ]
        )
        return reprs.titled("Lattice", picture, facts)

    @property
    def _n_axis_colors(self) -> list[int]:
        return [3 if self.periodic and side % 2 else 2 for side in self.shape]

    def _axis_colors(self, side: int) -> npt.NDArray[np.int64]:
        colors = np.arange(side) % 2
        if self.periodic and side % 2:
            colors[-1] = 2
        return colors


def _check_shape(shape: Any) -> tuple[int, ...]:
    sides: Sequence[Any]
    if isinstance(shape, Sequence | np.ndarray) and not isinstance(shape, str | bytes):
        sides = tuple(shape)
    else:
        sides = (shape,)
    if not 1 <= len(sides) <= 3:
        raise ValueError(f"shape must have one to three sides; got {shape!r}")
    return tuple(check_integer("shape: a side", side, 2) for side in sides)
