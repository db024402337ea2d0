"""Observations of agents in an environment: shares of up, ½ for a missing site."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isingrl.agents.view import MAX_STATES
from isingrl.lattice import Lattice
from isingrl.support.validation import check_choice, check_integer

__all__ = ["OBSERVATIONS", "SiteView", "distinct", "observe_on"]

OBSERVATIONS = ("mean-action", "configuration", "window")
_MAX_ENTRIES = 2**24  # entries of the tables of all sites: 270 MB a temperature

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SiteView:
    """Observation of each agent of a lattice.

    Attributes
    ----------
    name : str
        One of `OBSERVATIONS`.
    radius : int or None
        Half-width r of the window, None for the others.
    sites : int32 ndarray, shape (n_sites, k)
        Sites observed, ``n_sites`` for a missing one.
    shape : tuple of int
        Shape of one agent's observation.
    """

    name: str
    radius: int | None
    sites: npt.NDArray[np.int32]
    shape: tuple[int, ...]

    @property
    def counted(self) -> bool:
        """Whether it is the number of up neighbours."""
        return self.name == "mean-action"

    def of(self, padded: npt.NDArray[np.int8]) -> Floats:
        """Return the observations of all agents, shape (..., n_sites, *shape).

        `padded` are spins with a 0 behind them for missing sites, shape (..., n_sites + 1).
        """
        seen = padded[..., self.sites]
        if self.counted:
            length = self.sites.shape[1]
            return _shares(seen.sum(axis=-1, dtype=np.int32)[..., None], length)
        return _shares(seen, 1).reshape(*seen.shape[:-1], *self.shape)


def observe_on(lattice: Lattice, name: str, radius: int | None) -> SiteView:
    """Return the observation of agents on a lattice; only windows have a radius."""
    check_choice("observation", name, OBSERVATIONS)
    if name != "window":
        if radius is not None:
            raise ValueError(
                f"radius must be omitted unless observation = 'window'; got {radius!r} for {name!r}"
            )
        length = lattice.coordination_number
        return SiteView(name, None, lattice.neighbors, (1 if name == "mean-action" else length,))
    radius = check_integer("radius", 1 if radius is None else radius, 1)
    side = 2 * radius + 1
    return SiteView(name, radius, _window(lattice, radius), (side,) * lattice.ndim)


def distinct(
    observation: SiteView, lattice: Lattice
) -> tuple[Floats, npt.NDArray[np.int64] | None]:
    """List all possible observations; refuse too many for a table.

    Returns
    -------
    observations : float32 ndarray, shape (n, *observation.shape)
    index : int64 ndarray, shape (n_tables, n_states), or None
        The observation in each state of a `RuleTable` with the observation's sites, for all sites
        or for each; None if the observations are the entries of ``lattice.n_up``.
    """
    if observation.counted:
        sums = np.rint(2 * lattice.n_up - lattice.coordination_number).astype(np.int32)
        return _shares(sums[:, None], lattice.coordination_number), None
    length = observation.sites.shape[1]
    missing = observation.sites == lattice.n_sites
    n_tables = lattice.n_sites if missing.any() else 1
    if 2**length > MAX_STATES or n_tables * 2**length > _MAX_ENTRIES:
        tables = f", at each of {n_tables:,} sites of its own" if n_tables > 1 else ""
        raise ValueError(
            f"observation must have at most {MAX_STATES:,} values, and at most {_MAX_ENTRIES:,} "
            f"for all sites together, to become a table; {observation.name!r} on this lattice has "
            f"2^{length}{tables}. 'mean-action' has {len(lattice.n_up)}"
        )
    spins = 2 * (np.arange(2**length)[:, None] >> np.arange(length) & 1) - 1
    shape = (-1, *observation.shape)
    if n_tables == 1:
        return _shares(spins, 1).reshape(shape), np.arange(2**length)[None]
    # sites with the same missing sites have the same observations
    patterns, pattern = np.unique(missing, axis=0, return_inverse=True)
    seen = np.where(patterns[:, None, :], 0, spins).reshape(-1, length)
    different, index = np.unique(seen, axis=0, return_inverse=True)
    return _shares(different, 1).reshape(shape), index.reshape(len(patterns), -1)[pattern]


def _window(lattice: Lattice, radius: int) -> npt.NDArray[np.int32]:
    """Sites at most `radius` away along every axis, in C order, the site itself in the middle."""
    steps = np.indices((2 * radius + 1,) * lattice.ndim).reshape(lattice.ndim, 1, -1) - radius
    moved = np.indices(lattice.shape).reshape(lattice.ndim, -1, 1) + steps
    sides = np.reshape(lattice.shape, (-1, 1, 1))
    index = np.ravel_multi_index(tuple(moved % sides), lattice.shape)
    if not lattice.periodic:
        index[((moved < 0) | (moved >= sides)).any(axis=0)] = lattice.n_sites
    return np.asarray(index, dtype=np.int32)


def _shares(sums: npt.NDArray[np.signedinteger], length: int) -> Floats:
    """Share of up spins from sums of spins; a missing spin counts one half."""
    return ((sums + length) / np.float32(2 * length)).astype(np.float32)
