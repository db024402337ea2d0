"""How many neighbours are in each of q states, as one number."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from isingrl.lattice import Lattice

__all__ = ["Compositions"]

_MOST_SUMS = 2**24


@dataclass(frozen=True)
class Compositions:
    """Numbers of neighbours by state.

    Attributes
    ----------
    totals : tuple of int
        Numbers of neighbours that sites have, ascending; several with free boundaries.
    states : int
        Number of states q.

    Examples
    --------
    >>> from isingrl.compositions import Compositions
    >>> pairs = Compositions((2,), 3)
    >>> pairs.counts.tolist()
    [[2, 0, 0], [1, 1, 0], [1, 0, 1], [0, 2, 0], [0, 1, 1], [0, 0, 2]]
    >>> pairs.codes.tolist(), pairs.index.tolist()
    ([1, 3, 0, 0], [5, 2, 0, 4, 1, -1, 3])
    """

    totals: tuple[int, ...]
    states: int

    @classmethod
    def of(cls, lattice: Lattice, states: int) -> Compositions:
        """Return those of the neighbours on a lattice.

        Parameters
        ----------
        lattice : Lattice
        states : int

        Returns
        -------
        Compositions
        """
        present = (lattice.neighbors < lattice.n_sites).sum(axis=1)
        return cls(tuple(np.unique(present).tolist()), states)

    @property
    def size(self) -> int:
        """Number of compositions."""
        rest = self.states - 1
        return sum(math.comb(total + rest, rest) for total in self.totals)

    @property
    def _digits(self) -> int:
        """States whose numbers have a digit; the last one follows from a single total."""
        return self.states if len(self.totals) > 1 else self.states - 1

    @property
    def holds(self) -> bool:
        """Whether the table of all sums of codes fits into memory, 16,777,216 entries."""
        return bool((self.totals[-1] + 1) ** self._digits <= _MOST_SUMS)

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """Numbers of neighbours in each state, shape (size, q)."""
        counts = np.concatenate([_divided(total, self.states) for total in self.totals])
        return np.asarray(counts[np.lexsort(-counts.T[::-1])], dtype=np.int64)

    @property
    def codes(self) -> npt.NDArray[np.int32]:
        """What a neighbour adds to the sum, by its state, the last one missing; shape (q + 1,)."""
        powers = (self.totals[-1] + 1) ** np.arange(self._digits)
        return np.pad(powers, (0, self.states + 1 - self._digits)).astype(np.int32)

    @cached_property
    def index(self) -> npt.NDArray[np.int32]:
        """Place in `counts` by the sum of the codes; -1 for sums that do not occur."""
        sums = self.counts @ self.codes[:-1].astype(np.int64)
        index = np.full(sums.max() + 1, -1, dtype=np.int32)
        index[sums] = np.arange(self.size)
        return index

    def draws(self, seen: int) -> npt.NDArray[np.float64]:
        """Chances to see each composition of `seen` neighbours, drawn without replacement.

        Parameters
        ----------
        seen : int
            At most the number of neighbours, of which there is one.

        Returns
        -------
        ndarray, shape (size, number of compositions of `seen`)
            Rows add up to 1.
        """
        drawn = Compositions((seen,), self.states).counts
        ways = np.ones((self.size, len(drawn)))
        for own, part in zip(self.counts.T, drawn.T, strict=True):
            ways *= [[math.comb(n, k) for k in part] for n in own]
        return ways / math.comb(self.totals[-1], seen)

    def shown(self) -> list[str]:
        """Texts of all compositions, such as ``"2 1 1"``.

        Returns
        -------
        list of str
        """
        return [" ".join(map(str, each)) for each in self.counts.tolist()]


def _divided(total: int, states: int) -> npt.NDArray[np.int64]:
    """All ways to divide a number among states, shape (n, states)."""
    places = total + states - 1
    bars = list(itertools.combinations(range(places), states - 1))
    ends = np.array(bars, dtype=np.int64).reshape(len(bars), states - 1)
    edges = np.pad(ends, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, places)))
    return np.diff(edges, axis=1) - 1
