"""What every rule reduces to: probabilities of spin up, by own spin and by what a site sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.lattice import Lattice

__all__ = ["RuleTable"]


@dataclass(frozen=True, eq=False, repr=False)
class RuleTable:
    """P(up | own spin, what is seen) for every chain.

    Attributes
    ----------
    up : float64 ndarray, shape (n_chains, n_tables, 2, n_states)
        For own spin down and up. One table for all sites, or one a site in C order.
    sites : int32 ndarray, shape (n_sites, k), optional
        Whose spins a site sees, ``n_states = 2**k``: the state is the sum of 2^j over those j for
        which the spin at ``sites[:, j]`` is up; ``n_sites`` stands for a missing site, which is
        not up. If omitted, the state is the number of up neighbours, an index into
        ``lattice.n_up``.

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> table = irl.HeatBath().compile(model, np.array([2.0, 3.0]))
    >>> table.up.shape, table.counted
    ((2, 1, 2, 5), True)
    """

    up: npt.NDArray[np.float64]
    sites: npt.NDArray[np.int32] | None = None

    def __repr__(self) -> str:
        n_chains, n_tables, _, n_states = self.up.shape
        seen = "the number of up neighbours"
        if self.sites is not None:
            seen = f"the configuration of {self.sites.shape[1]} sites"
        return (
            f"<RuleTable of {n_chains} chains: P(up) by own spin and {seen}, {n_states} states, "
            f"{'one for all sites' if n_tables == 1 else 'one a site'}>"
        )

    @property
    def counted(self) -> bool:
        """Whether one table by the number of up neighbours serves all sites."""
        return self.sites is None and self.up.shape[1] == 1

    def probabilities(self, lattice: Lattice, spins: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Probability of spin up after an update, for every site of given configurations.

        Parameters
        ----------
        lattice : Lattice
            Whose sites they are.
        spins : array_like of ±1, shape (..., n_sites)
            Sites in C order.

        Returns
        -------
        ndarray, shape (n_chains, ..., n_sites)
            By the table of each chain.

        Examples
        --------
        >>> import numpy as np
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((4, 4)))
        >>> table = irl.HeatBath().compile(model, np.array([2.0]))
        >>> table.probabilities(model.lattice, np.ones(16, dtype=int)).round(3)[0, :3].tolist()
        [0.982, 0.982, 0.982]
        """
        flat = np.asarray(spins, dtype=np.int64)
        state = self.states(lattice, flat)
        table: Any = 0 if self.up.shape[1] == 1 else np.arange(lattice.n_sites)
        return np.asarray(self.up[:, table, (flat + 1) // 2, state])

    def states(self, lattice: Lattice, spins: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """What every site sees, as an index below n_states.

        Parameters
        ----------
        lattice : Lattice
            Whose sites they are.
        spins : array_like of ±1, shape (..., n_sites)
            Sites in C order.

        Returns
        -------
        int64 ndarray, shape (..., n_sites)
            Indices into the last axis of `up`.

        Examples
        --------
        >>> import numpy as np
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice(6))
        >>> table = irl.HeatBath().compile(model, np.array([2.0]))
        >>> table.states(model.lattice, [1, 1, 1, -1, -1, -1]).tolist()
        [1, 2, 1, 1, 0, 1]
        """
        flat = np.asarray(spins, dtype=np.int64)
        padded = np.concatenate([flat, np.zeros((*flat.shape[:-1], 1), dtype=np.int64)], axis=-1)
        if self.sites is not None:
            weights = 1 << np.arange(self.sites.shape[1], dtype=np.int64)
            return np.asarray((padded[..., self.sites] > 0) @ weights)
        sums = padded[..., lattice.neighbors].sum(axis=-1)
        return np.asarray((sums + lattice.coordination_number) // lattice.local_sum_step)
