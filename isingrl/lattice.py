"""Lattices in one, two and three dimensions: neighbours, bonds and sublattices."""

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
"""Neighbourhoods of lattices of any number of dimensions."""
TRIANGULAR, HONEYCOMB = "triangular", "honeycomb"
BOUNDARIES = ("periodic", "free")
Step = tuple[int, ...]


@dataclass(frozen=True)
class Lattice:
    """A lattice with one spin a site.

    Parameters
    ----------
    shape : int or sequence of int
        One to three sides, each at least 2; odd and unequal sides are fine.
    neighborhood : {"von_neumann", "moore", "triangular", "honeycomb"} or sequence of steps
        ``"von_neumann"``: the 2, 4 or 6 sites one step away along an axis. ``"moore"``: the 2, 8
        or 26 sites at most one step away along every axis. ``"triangular"``, with two sides: the 6
        sites of the triangular lattice, by the steps (0, 1), (1, 0), (1, 1) and their opposites.
        ``"honeycomb"``, with two sides: the 3 sites of the honeycomb lattice as a brick wall, by
        (0, 1), (0, -1), and (1, 0) from sites with even x + y, (-1, 0) from others; even sides if
        periodic. Or any steps, as tuples of one integer a side, each with its opposite; the
        attribute is then a text such as ``"0,1 1,0 2,0"``, which may also be given.
    boundary : {"periodic", "free"}
        ``"periodic"`` joins opposite faces; with ``"free"`` the sites of a face lack neighbours.

    Raises
    ------
    TypeError, ValueError
        If a side is not an integer of at least 2, there are not one to three of them, or a name
        is unknown; if a step is zero, repeated, or as long as a side; or if a periodic honeycomb
        lattice has an odd side.

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
    >>> Lattice((6, 6), "triangular").n_sublattices
    3
    >>> Lattice((6, 6), "honeycomb").neighbors[:2].tolist()
    [[5, 6, 1], [0, 31, 2]]
    >>> Lattice((6, 6), [(0, 1), (1, 0), (2, 0)])
    Lattice(shape=(6, 6), neighborhood='0,1 1,0 2,0', boundary='periodic')
    """

    shape: tuple[int, ...]
    neighborhood: str = "von_neumann"
    boundary: str = "periodic"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _check_shape(self.shape))
        object.__setattr__(self, "neighborhood", _check_neighborhood(self.neighborhood, self.shape))
        check_choice("boundary", self.boundary, BOUNDARIES)
        if self.neighborhood == HONEYCOMB and self.periodic and any(n % 2 for n in self.shape):
            raise ValueError(
                f"shape must have even sides for a periodic honeycomb lattice; got {self.shape}"
            )

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
    def offsets(self) -> tuple[Step, ...]:
        """Steps to the neighbours, ordered so that ``offsets[-1 - k]`` reverses ``offsets[k]``.

        On the honeycomb lattice those of even sites. The middle one has the opposite sign on odd
        sites.
        """
        if self.neighborhood == HONEYCOMB:
            return (0, -1), (1, 0), (0, 1)
        forward = self.forward_offsets
        return (*(_opposite(step) for step in reversed(forward)), *forward)

    @cached_property
    def forward_offsets(self) -> tuple[Step, ...]:
        """One offset of each opposite pair, which reach every bond once: see `begins`."""
        return _named_steps(self.ndim).get(self.neighborhood) or _parsed(self.neighborhood)

    def begins(self, step: Step) -> npt.NDArray[np.bool_]:
        """Sites with a bond along one of the `forward_offsets`, if no boundary lies between.

        Parameters
        ----------
        step : tuple of int
            One of the `forward_offsets`.

        Returns
        -------
        bool ndarray, shape `shape`
            True everywhere, but for steps between the rows of a honeycomb lattice.
        """
        if self.neighborhood == HONEYCOMB and step == (1, 0):
            return np.asarray(np.indices(self.shape).sum(axis=0) % 2 == 0)
        return np.broadcast_to(np.True_, self.shape)

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
            step = np.array(offset, dtype=np.int32)[:, None]
            if self.neighborhood == HONEYCOMB and offset == (1, 0):
                step = step * np.where(self.begins(offset).ravel(), 1, -1)
            moved = coordinates + step
            inside = ((moved >= 0) & (moved < sides)).all(axis=0)
            index = np.ravel_multi_index(tuple(moved % sides), self.shape)
            table[:, slot] = index if self.periodic else np.where(inside, index, self.n_sites)
        return table

    @property
    def n_bonds(self) -> int:
        """Number of neighbour pairs, a pair joined twice counted twice."""
        if self.neighborhood == HONEYCOMB:
            return int(np.count_nonzero(self.neighbors < self.n_sites)) // 2
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
        combination of the axis colours is a sublattice, which is right for any steps. Others have
        fewer if a weighted sum of the coordinates modulo a small number separates all neighbours.
        """
        if self.neighborhood not in NEIGHBORHOODS:
            colors = self._few_colors()
            if colors is not None:
                return np.unique(colors, return_inverse=True)[1].reshape(self.shape).astype(np.int8)
        axes = np.meshgrid(*self._axis_colors, indexing="ij")
        if self.neighborhood == "von_neumann":
            return np.asarray(np.sum(axes, axis=0) % self.n_sublattices, dtype=np.int8)
        return np.ravel_multi_index(axes, self._n_axis_colors).astype(np.int8)

    @cached_property
    def n_sublattices(self) -> int:
        """Number of sublattices: 2 only where two suffice."""
        if self.neighborhood == "von_neumann":
            return max(self._n_axis_colors)
        if self.neighborhood == "moore":
            return math.prod(self._n_axis_colors)
        return int(self.sublattices.max()) + 1

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
                ("neighbours", f"{z}, {reprs.neighborhood_name(self.neighborhood)}"),
                ("boundary", self.boundary),
                ("sublattices", self.n_sublattices),
            ]
        )
        return reprs.titled("Lattice", picture, facts)

    @property
    def has_even_sublattice(self) -> bool:
        """Whether all neighbours of sites with an even x + y + z have an odd one."""
        steps_odd = all(sum(step) % 2 for step in self.forward_offsets)
        return steps_odd and not (self.periodic and any(side % 2 for side in self.shape))

    def _few_colors(self) -> npt.NDArray[Any] | None:
        """Colours of the sites: two if these suffice; None if no small number is found."""
        if self.has_even_sublattice:
            return np.asarray(np.indices(self.shape).sum(axis=0) % 2)
        if self.neighborhood != TRIANGULAR:
            colors = self._two_colors()
            if colors is not None:
                return colors
        return self._weighted_colors()

    def _two_colors(self) -> npt.NDArray[np.int8] | None:
        """Two colours, by a walk to the neighbours of neighbours; None if two do not suffice."""
        colors = np.full(self.n_sites + 1, -1, dtype=np.int8)
        while (left := np.flatnonzero(colors[:-1] < 0)).size:
            front, color = left[:1], np.int8(0)
            while front.size:
                colors[front] = color
                ahead = self.neighbors[front]
                if (colors[ahead] == color).any():
                    return None
                front = np.unique(ahead[(colors[ahead] < 0) & (ahead < self.n_sites)])
                color = np.int8(1 - color)
        return colors[:-1]

    def _weighted_colors(self) -> npt.NDArray[np.int64] | None:
        """Weighted sums of coordinates modulo a number, the least by which neighbours differ."""
        for number in range(3, self.coordination_number + 2):
            allowed = [
                [w for w in range(number) if not self.periodic or w * side % number == 0]
                for side in self.shape
            ]
            for weights in itertools.product(*allowed):
                if (np.array(self.forward_offsets) @ weights % number).all():
                    return np.tensordot(weights, np.indices(self.shape), axes=1) % number
        return None

    @property
    def _n_axis_colors(self) -> list[int]:
        return [int(colors.max()) + 1 for colors in self._axis_colors]

    @cached_property
    def _axis_colors(self) -> list[npt.NDArray[np.int64]]:
        """Colours of each axis; sites of one colour are farther apart than any step along it."""
        found = []
        for axis, side in enumerate(self.shape):
            period = 1 + max(abs(step[axis]) for step in self.forward_offsets)
            colors = np.arange(side) % period
            rest = side % period if self.periodic else 0
            colors[side - rest :] = period + np.arange(rest)
            found.append(colors)
        return found


def _opposite(step: Step) -> Step:
    return tuple(-each for each in step)


def _named_steps(ndim: int) -> dict[str, tuple[Step, ...]]:
    """Forward steps of the neighbourhoods with names."""
    half = [step for step in itertools.product((-1, 0, 1), repeat=ndim) if step > (0,) * ndim]
    found = {
        "von_neumann": tuple(step for step in half if sum(map(abs, step)) == 1),
        "moore": tuple(half),
    }
    plane = {TRIANGULAR: ((0, 1), (1, 0), (1, 1)), HONEYCOMB: ((0, 1), (1, 0))}
    return found | (plane if ndim == 2 else {})


def _parsed(text: str) -> tuple[Step, ...]:
    return tuple(tuple(int(each) for each in step.split(",")) for step in text.split())


def _check_neighborhood(given: Any, shape: tuple[int, ...]) -> str:
    """Return the name of a neighbourhood, or its forward steps as a text."""
    named = _named_steps(len(shape))
    if isinstance(given, str) and given in named:
        return given
    if isinstance(given, str) and given in (TRIANGULAR, HONEYCOMB):
        raise ValueError(f"neighborhood {given!r} needs two sides; got the shape {shape}")
    names = ", ".join(map(repr, named))
    allowed = f"neighborhood must be one of {names}, or steps of {len(shape)} integers each"
    try:
        steps = _parsed(given) if isinstance(given, str) else tuple(map(tuple, given))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{allowed}; got {given!r}") from error
    forward = []
    for step in steps:
        if len(step) != len(shape) or not all(isinstance(each, int | np.integer) for each in step):
            raise ValueError(f"{allowed}; got the step {step}")
        if not any(step) or any(abs(each) >= side for each, side in zip(step, shape, strict=True)):
            raise ValueError(
                "neighborhood: a step must not be zero, and be shorter than the sides "
                f"{shape}; got {step}"
            )
        numbers = tuple(map(int, step))
        forward.append(max(numbers, _opposite(numbers)))
    if not forward or len(set(forward)) < len(forward):
        raise ValueError(
            f"{allowed}, at least one, and none twice, nor its opposite; got {given!r}"
        )
    text = " ".join(",".join(map(str, step)) for step in sorted(forward))
    known = {steps: name for name, steps in named.items() if name != HONEYCOMB}
    return known.get(tuple(sorted(forward)), text)


def _check_shape(shape: Any) -> tuple[int, ...]:
    sides: Sequence[Any]
    if isinstance(shape, Sequence | np.ndarray) and not isinstance(shape, str | bytes):
        sides = tuple(shape)
    else:
        sides = (shape,)
    if not 1 <= len(sides) <= 3:
        raise ValueError(f"shape must have one to three sides; got {shape!r}")
    return tuple(check_integer("shape: a side", side, 2) for side in sides)
