"""Tables of agents on the Potts model: the chances of q states by what is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.compositions import Compositions
from isingrl.lattice import Lattice
from isingrl.tables import Table

__all__ = ["StateTable", "joint_codes"]


@dataclass(frozen=True, eq=False, repr=False)
class StateTable(Table):
    """P(new state | what is seen) for every chain.

    Parameters
    ----------
    chances : float64 ndarray, shape (n_chains, n_tables, n_seen, q)
        One table for all sites, or one a site in C order. Rows add up to 1.
    sites : int32 ndarray, shape (n_sites, k), optional
        Sites seen; what is seen is the sum of s_j q^j over them, n_seen = q^k. If omitted, it is
        how many neighbours are in each state, a row of `Compositions`, or nothing if n_seen is 1.

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> from isingrl.state_tables import StateTable
    >>> table = StateTable(np.full((2, 1, 15, 3), 1 / 3))
    >>> table.arrays.shape, [len(each) for each in table.view(irl.Lattice((8, 8)))]
    ((2, 1, 1, 15, 2), [64, 4, 21])
    """

    chances: npt.NDArray[np.float64]
    sites: npt.NDArray[np.int32] | None = None

    @property
    def arrays(self) -> npt.NDArray[np.float64]:  # type: ignore[override]
        """See `Table`: P(new state > s)."""
        upto = np.cumsum(self.chances, axis=-1)[..., :-1]
        return np.maximum(0.0, 1.0 - upto)[:, :, None]

    def with_arrays(self, arrays: npt.NDArray[np.float64]) -> StateTable:
        """See `Table.with_arrays`."""
        above = np.pad(
            arrays[:, :, 0], [(0, 0)] * 3 + [(1, 1)], constant_values=((0, 0),) * 3 + ((1, 0),)
        )
        return replace(self, chances=-np.diff(above, axis=-1))

    def view(self, lattice: Lattice) -> tuple[Any, Any, Any]:
        """See `Table.view`."""
        n_seen, q = self.chances.shape[2:]
        if n_seen == 1:
            none = np.zeros((lattice.n_sites, 0), dtype=np.int32)
            return none, np.zeros((0, q + 1), dtype=np.int32), np.zeros(1, dtype=np.int32)
        if self.sites is not None:
            return (
                self.sites,
                joint_codes(self.sites.shape[1], q),
                np.arange(n_seen, dtype=np.int32),
            )
        ways, z = Compositions.of(lattice, q), lattice.coordination_number
        return lattice.neighbors, np.tile(ways.codes, (z, 1)), ways.index

    def for_schedule(self, lattice: Lattice, schedule: str) -> StateTable:
        """See `Table.for_schedule`; agents that forget their own state make no sure flips."""
        return self


def joint_codes(sites: int, states: int) -> npt.NDArray[np.int32]:
    """What each site seen adds to their joint state, the sum of s_j q^j.

    Parameters
    ----------
    sites : int
        Number of sites seen.
    states : int
        Number of states q.

    Returns
    -------
    int32 ndarray, shape (sites, q + 1)
        By slot, and by the state in it, the last one missing.

    Examples
    --------
    >>> from isingrl.state_tables import joint_codes
    >>> joint_codes(2, 3).tolist()
    [[0, 1, 2, 0], [0, 3, 6, 0]]
    """
    digits = np.append(np.arange(states), 0)
    codes = np.multiply.outer(states ** np.arange(sites), digits)
    return np.asarray(codes, dtype=np.int32)
