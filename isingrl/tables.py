"""Tables of rules: the probability of spin up, by own spin and observed neighbours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from isingrl.bonds import Bonds, alike
from isingrl.lattice import Lattice
from isingrl.reversibility import obeys_gibbs
from isingrl.schedules import draws_sites

__all__ = ["RuleTable", "Table"]

LAZY = 0.875
"""Probability of proposing a flip that is nearly sure both ways."""

NEARLY_SURE = 0.75
"""Probability from which a flip is nearly sure."""
_EXCESS = 1e-12  # rounding error beyond [0, 1]


class Table(ABC):
    """Chances by which the site engine moves spins, for every chain.

    Attributes
    ----------
    arrays : float64 ndarray, shape (n_chains, ...)
        As ``isingrl.engines.kernels.sites.sweep`` takes them.

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> model = irl.Potts(irl.Lattice((8, 8)), states=3)
    >>> table = irl.HeatBath().potts_table(model, np.array([1.0, 2.0]))
    >>> isinstance(table, irl.tables.Table), table.with_arrays(table.arrays[:1]).arrays.shape
    (True, (1, 1, 10, 10))
    """

    arrays: npt.NDArray[np.float64]

    @abstractmethod
    def with_arrays(self, arrays: npt.NDArray[np.float64]) -> Self:
        """Return the table of other chains.

        Parameters
        ----------
        arrays : float64 ndarray
            Of the same shape but for the first dim.

        Returns
        -------
        Table
        """

    @abstractmethod
    def view(self, lattice: Lattice) -> tuple[Any, Any, Any]:
        """Return what each site sees.

        Parameters
        ----------
        lattice : Lattice

        Returns
        -------
        tuple
            ``(sites, codes, index)``, the last perhaps None,
            as ``isingrl.engines.kernels.sites.sweep`` takes them.
        """

    @abstractmethod
    def for_schedule(self, lattice: Lattice, schedule: str) -> Self:
        """Return the table that is run on a schedule: nearly sure flips are made lazy.

        Parameters
        ----------
        lattice : Lattice
            The lattice of the sites.
        schedule : str
            As in `isingrl.simulate`.

        Returns
        -------
        Table
            Of the same shape.
        """


@dataclass(frozen=True, eq=False, repr=False)
class RuleTable(Table):
    """P(up | own spin, state seen) for every chain.

    Attributes
    ----------
    up : float64 ndarray, shape (n_chains, n_tables, 2, n_states)
        For own spin down and up. One table for all sites, or one a site in C order.
    sites : int32 ndarray, shape (n_sites, k), optional
        Sites seen, ``n_states = 2**k``. The state is the sum of 2^j over all j with an up spin at
        ``sites[:, j]``; ``n_sites`` is a missing site, which is not up. If omitted, the state is
        the number of up neighbours, an index into ``lattice.n_up``.
    bonds : Bonds, optional
        If given, without `sites`, the state is the numbers of up neighbours by kind of bond, an
        index into ``bonds.neighbor_sums``. One table serves all sites.

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> table = irl.HeatBath().compile(model, np.array([2.0, 3.0]))
    >>> table.up.shape, table.counted
    ((2, 1, 2, 5), True)
    >>> ring = irl.Lattice(6)
    >>> heat_bath = irl.HeatBath().compile(irl.Ising(ring), np.array([2.0]))
    >>> spins = [1, 1, 1, -1, -1, -1]
    >>> heat_bath.states(ring, spins).tolist()
    [1, 2, 1, 1, 0, 1]
    >>> heat_bath.probabilities(ring, spins).round(3).tolist()
    [[0.5, 0.881, 0.5, 0.5, 0.119, 0.5]]
    >>> metropolis = irl.Metropolis().compile(model, np.array([2.0]))
    >>> metropolis.for_schedule(model.lattice, "checkerboard").up[0, 0, 0].round(3).tolist()
    [0.018, 0.135, 0.875, 1.0, 1.0]
    >>> irl.tables.RuleTable(np.full((1, 1, 2, 5), 1.2)).check(model.lattice, 1, "mine")
    Traceback (most recent call last):
        ...
    ValueError: rule 'mine': P(up) must lie in [0, 1]; got 1.2 for chain 0, own spin down, 0 ...
    """

    up: npt.NDArray[np.float64]
    sites: npt.NDArray[np.int32] | None = None
    bonds: Bonds | None = None

    def __repr__(self) -> str:
        n_chains, n_tables, _, n_states = self.up.shape
        seen = "the number of up neighbours"
        if self.bonds is not None:
            seen = f"the numbers of up neighbours by {self.bonds.n_kinds} kinds of bonds"
        if self.sites is not None:
            seen = f"the configuration of {self.sites.shape[1]} sites"
        return (
            f"<RuleTable of {n_chains} chains: P(up) by own spin and {seen}, {n_states} states, "
            f"{'one for all sites' if n_tables == 1 else 'one a site'}>"
        )

    @property
    def arrays(self) -> npt.NDArray[np.float64]:  # type: ignore[override]
        """See `Table`; the probabilities ``up``."""
        return self.up

    def with_arrays(self, arrays: npt.NDArray[np.float64]) -> RuleTable:
        """See `Table.with_arrays`."""
        return replace(self, up=arrays)

    def view(self, lattice: Lattice) -> tuple[Any, Any, Any]:
        """See `Table.view`."""
        return *codes_of(lattice, self.sites, self.bonds), None

    @property
    def counted(self) -> bool:
        """Whether one table by the number of up neighbours serves all sites."""
        return self.sites is None and self.bonds is None and self.up.shape[1] == 1

    def for_schedule(self, lattice: Lattice, schedule: str) -> RuleTable:
        """See `Table.for_schedule`.

        If many sites move at once or in a fixed order, flips that are (almost) sure both ways can
        trap a chain in a few configurations: domain walls of a ring move ballistically, stripes
        turn into each other, and at high T all spins turn together. Therefore, if a flip and its
        reverse both have a probability of at least 3/4, both are proposed with probability 7/8.
        Detailed balance and the Gibbs measure stay the same. Two kinds of tables are not changed:
        those of schedules that draw sites at random, because they have no such traps, and those
        without detailed balance, because their law would change.
        """
        if draws_sites(schedule):
            return self
        rises, falls = self.up[..., 0, :], 1.0 - self.up[..., 1, :]
        both = (rises >= NEARLY_SURE) & (falls >= NEARLY_SURE)
        if not both.any():
            return self
        obeys = obeys_gibbs(rises, falls, self.sites, lattice.n_sites, self.bonds)
        lazy = both & obeys[:, None, None]
        stay = np.array([0.0, 1.0])[:, None]
        up = LAZY * self.up + (1.0 - LAZY) * stay
        return replace(self, up=np.where(lazy[..., None, :], up, self.up))

    def check(self, lattice: Lattice, n_chains: int, rule: str) -> RuleTable:
        """Check the table and return it, clipped to [0, 1] where rounding has left it.

        Parameters
        ----------
        lattice : Lattice
            The lattice of the sites.
        n_chains : int
            Chains that are to run.
        rule : str
            Name of the rule, for messages.

        Returns
        -------
        RuleTable
            With probabilities from 0 to 1.

        Raises
        ------
        TypeError, ValueError
            If shapes do not fit, `sites` names no sites, `bonds` are of another lattice, or an
            entry is no probability.
        """
        up = check_probabilities(self.up, rule)
        states, numbers = len(lattice.n_up), (1, lattice.n_sites)
        if self.sites is not None:
            _check_sites(self.sites, lattice, rule)
            states = 2 ** self.sites.shape[1]
        if self.bonds is not None:
            if self.sites is not None or self.bonds.lattice != lattice:
                raise ValueError(
                    f"rule {rule!r}: its table must have the bonds of the model, without sites; "
                    f"got bonds of {self.bonds.lattice!r}, and sites {self.sites!r}"
                )
            states, numbers = self.bonds.n_states, (1, 1)
        allowed = [(n_chains, tables, 2, states) for tables in numbers]
        if up.shape not in allowed:
            raise ValueError(
                f"rule {rule!r}: its table must have the shape {allowed[0]}, or {allowed[1]} with "
                f"one a site: (chains, tables, own spin, states seen); got {up.shape}"
            )
        inside = (up >= -_EXCESS) & (up <= 1 + _EXCESS)  # False for NaN
        if not inside.all():
            chain, table, own, state = (int(index) for index in np.argwhere(~inside)[0])
            seen = f"configuration {state}"
            if self.sites is None:
                seen = (self.bonds or alike(lattice)).shown(state)
            site = f", site {table}" if up.shape[1] > 1 else ""
            raise ValueError(
                f"rule {rule!r}: P(up) must lie in [0, 1]; got {up[chain, table, own, state]:g} "
                f"for chain {chain}{site}, own spin {('down', 'up')[own]}, {seen}"
            )
        return replace(self, up=np.clip(up, 0.0, 1.0))

    def probabilities(self, lattice: Lattice, spins: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Probability of spin up after an update, for every site of given configurations.

        Parameters
        ----------
        lattice : Lattice
            The lattice of the sites.
        spins : array_like of ±1, shape (..., n_sites)
            Sites in C order.

        Returns
        -------
        ndarray, shape (n_chains, ..., n_sites)
            By the table of each chain.
        """
        flat = np.asarray(spins, dtype=np.int64)
        state = self.states(lattice, flat)
        table: Any = 0 if self.up.shape[1] == 1 else np.arange(lattice.n_sites)
        return np.asarray(self.up[:, table, (flat + 1) // 2, state])

    def states(self, lattice: Lattice, spins: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """State seen by every site, as an index below n_states.

        Parameters
        ----------
        lattice : Lattice
            The lattice of the sites.
        spins : array_like of ±1, shape (..., n_sites)
            Sites in C order.

        Returns
        -------
        int64 ndarray, shape (..., n_sites)
            Indices into the last axis of `up`.
        """
        up = np.asarray(spins) > 0
        missing = np.full((*up.shape[:-1], 1), 2)
        states = np.concatenate([up, missing], axis=-1)
        return states_seen(states, *codes_of(lattice, self.sites, self.bonds))


def codes_of(
    lattice: Lattice, sites: npt.NDArray[np.int32] | None, bonds: Bonds | None = None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the sites seen by each site, and their codes, which add up to the state seen.

    `sites` and `bonds` are those of a `RuleTable`.

    Returns
    -------
    sites : int32 ndarray, shape (n_sites, k)
    codes : int32 ndarray, shape (k, 3) or (n_sites, k, 3)
        By slot, and by the state in it: down, up, missing; of all sites or of each.

    Examples
    --------
    >>> from isingrl import Lattice
    >>> from isingrl.tables import codes_of
    >>> codes_of(Lattice(6, boundary="free"), None)[1].tolist()
    [[0, 2, 1], [0, 2, 1]]
    >>> codes_of(Lattice(6), Lattice(6).neighbors)[1].tolist()
    [[0, 1, 0], [0, 2, 0]]
    """
    if sites is None:
        return lattice.neighbors, (bonds or alike(lattice)).codes
    weights = 1 << np.arange(sites.shape[1], dtype=np.int32)
    codes = np.multiply.outer(weights, np.array([0, 1, 0], dtype=np.int32))
    return np.ascontiguousarray(sites, dtype=np.int32), codes


def states_seen(
    states: npt.NDArray[Any], sites: npt.NDArray[np.int32], codes: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    """Return what every site sees: the sums of `codes`, both as `codes_of` returns them.

    Parameters
    ----------
    states : integer ndarray, shape (..., n_sites + 1)
        0 for down, 1 for up, and 2 in the last place, which stands for missing sites.
    sites, codes : int32 ndarray

    Returns
    -------
    int64 ndarray, shape (..., n_sites)

    Examples
    --------
    >>> import numpy as np
    >>> from isingrl import Lattice
    >>> from isingrl.tables import codes_of, states_seen
    >>> states_seen(np.array([1, 1, 0, 2]), *codes_of(Lattice(3), None)).tolist()
    [1, 1, 2]
    """
    own = (np.arange(len(codes))[:, None],) if codes.ndim == 3 else ()
    seen = codes[*own, np.arange(codes.shape[-2]), states[..., sites]]
    return np.asarray(seen.sum(axis=-1, dtype=np.int64))


def check_probabilities(values: Any, rule: str) -> npt.NDArray[np.float64]:
    """Return a rule's table as doubles; refuse other values than real numbers."""
    up = np.asarray(values)
    if up.dtype.kind not in "biuf":
        raise TypeError(
            f"rule {rule!r}: its table must be an array of real numbers; got dtype {up.dtype}"
        )
    return up.astype(np.float64)


def _check_sites(sites: Any, lattice: Lattice, rule: str) -> None:
    n = lattice.n_sites
    given = np.asarray(sites)
    if given.ndim != 2 or len(given) != n or given.dtype.kind not in "iu":
        raise ValueError(
            f"rule {rule!r}: sites must be integers of shape ({n}, k), a row for each site; got "
            f"shape {given.shape} and dtype {given.dtype}"
        )
    bad = given[(given < 0) | (given > n)]
    if bad.size:
        raise ValueError(
            f"rule {rule!r}: sites must lie in [0, {n}], {n} for a missing one; got {bad[0]}"
        )
