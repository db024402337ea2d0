"""Bonds of different strength: what a site sees of each kind, as one number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from isingrl.lattice import Lattice

__all__ = ["MAX_STATES", "MAX_SUPPORTS", "Bonds"]

MAX_STATES = 2**16
"""Most states of the neighbours by kind of bond: 65,536."""
MAX_SUPPORTS = 512
"""Most numbers of neighbours in one state by kind of bond: 512."""


def alike(lattice: Lattice) -> Bonds:
    """Bonds of one kind."""
    return Bonds(lattice, (0,) * lattice.coordination_number)


@dataclass(frozen=True, eq=False)
class Bonds:
    """Kinds of bonds on a lattice, each with a coupling of its own.

    The state of a site's neighbours is a number in a mixed radix: its digits are the numbers of up
    neighbours by kind, as indices into what ``lattice.n_up`` would be for this kind alone. If kinds
    differ from site to site, all neighbours that are not of a kind are missing to it.

    Attributes
    ----------
    lattice : Lattice
    kinds : tuple of int, length z, or int8 ndarray, shape (n_sites, z)
        Kind of the bond in each neighbour slot, of all sites or of each; -1 for no bond.

    Examples
    --------
    >>> from isingrl import Lattice
    >>> from isingrl.bonds import Bonds
    >>> bonds = Bonds(Lattice((4, 4)), (1, 0, 0, 1))
    >>> bonds.n_kinds, bonds.neighbor_sums.shape, bonds.codes[:, 1].tolist()
    (2, (9, 2), [3, 1, 1, 3])
    >>> bonds.shown(7)
    'neighbour sums [0.0, 2.0] by kind of bond'
    """

    lattice: Lattice
    kinds: tuple[int, ...] | npt.NDArray[np.int8]

    @property
    def by_site(self) -> bool:
        """Whether kinds differ from site to site."""
        return not isinstance(self.kinds, tuple)

    @property
    def alike(self) -> bool:
        """Whether all bonds are of one kind, and none is missing."""
        return self.n_kinds == 1 and not self.by_site

    @property
    def n_kinds(self) -> int:
        """Number of kinds."""
        return int(np.max(self.kinds)) + 1

    @property
    def _by_slot(self) -> tuple[int, ...]:
        if isinstance(self.kinds, tuple):
            return self.kinds
        raise ValueError("coupling must be one number, or one for each step, here; got RandomBonds")

    @cached_property
    def _digits(self) -> list[npt.NDArray[np.float64]]:
        """Sums of the neighbour spins that each kind can have, ascending."""
        if self.by_site:
            z = self.lattice.coordination_number
            return [np.arange(-z, z + 1.0)] * self.n_kinds
        step = self.lattice.local_sum_step
        sizes = np.bincount(self._by_slot)
        return [np.arange(-size, size + 1.0, step) for size in sizes]

    @property
    def n_states(self) -> int:
        """Number of states of a site's neighbours."""
        return math.prod(digits.size for digits in self._digits)

    @cached_property
    def neighbor_sums(self) -> npt.NDArray[np.float64]:
        """Sums of the neighbour spins by kind in each state, shape (n_states, n_kinds)."""
        grid = np.meshgrid(*self._digits[::-1], indexing="ij")
        return np.stack([each.ravel() for each in grid[::-1]], axis=1)

    def shown(self, state: int) -> str:
        """Words for a state, for messages.

        Parameters
        ----------
        state : int

        Returns
        -------
        str
            The number of up neighbours, or the sums of the neighbour spins by kind of bond.
        """
        if self.alike:
            return f"{self.lattice.n_up[state]:g} up neighbours"
        return f"neighbour sums {self.neighbor_sums[state].tolist()} by kind of bond"

    @cached_property
    def codes(self) -> npt.NDArray[np.int32]:
        """What a neighbour adds to the state, by its slot and by its spin.

        The shape is (z, 3), or (n_sites, z, 3) if kinds differ from site to site. The spins are
        down, up and missing. A missing neighbour is half an up one.
        """
        places = np.cumprod([1] + [digits.size for digits in self._digits[:-1]])
        if self.by_site:
            own = np.asarray(self.kinds)[..., None, None] == np.arange(self.n_kinds)
            parts = np.where(own, np.array([0, 2, 1])[:, None], 1)
            return np.asarray(parts @ places, dtype=np.int32)
        halves = np.array([0, 2, 1]) // self.lattice.local_sum_step
        return np.asarray(np.multiply.outer(places[list(self._by_slot)], halves), dtype=np.int32)

    @cached_property
    def supports(self) -> npt.NDArray[np.int64]:
        """Numbers of neighbours in one state by kind, shape (n_supports, n_kinds)."""
        sizes = np.bincount(self._by_slot)
        grid = np.meshgrid(*(np.arange(size + 1) for size in sizes[::-1]), indexing="ij")
        return np.stack([each.ravel() for each in grid[::-1]], axis=1)

    @property
    def n_supports(self) -> int:
        """Length of `supports`."""
        return math.prod((np.bincount(self._by_slot) + 1).tolist())

    @property
    def support_codes(self) -> npt.NDArray[np.uint64]:
        """What adds up to a support of a state, shape (z + 1,).

        By slot what a neighbour in the state adds to the index into `supports`; last, `n_supports`,
        which the field adds to the support of the state 0.
        """
        places = np.cumprod([1, *(np.bincount(self._by_slot) + 1)])
        return np.asarray(places[[*self._by_slot, -1]], dtype=np.uint64)

    @cached_property
    def neighbors(self) -> npt.NDArray[np.int32]:
        """As ``lattice.neighbors`` for each kind alone, others missing: (n_kinds, n_sites, z)."""
        table = self.lattice.neighbors
        if self.alike:
            return table[None]
        kind = np.arange(self.n_kinds)[:, None, None]
        return np.where(kind == np.array(self.kinds), table, np.int32(self.lattice.n_sites))
