"""Observations of agents in an environment: shares of up, or of all states of a Potts model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.agents.view import MAX_STATES, neighbor_count
from isingrl.compositions import Compositions
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.spin_model import Model
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
    states : int or None
        Number of states of a Potts model, the length of the last axis; None for Ising spins.
    """

    name: str
    radius: int | None
    sites: npt.NDArray[np.int32]
    shape: tuple[int, ...]
    states: int | None = None

    @property
    def counted(self) -> bool:
        """Whether it is the number of up neighbours, or of those in each state."""
        return self.name == "mean-action"

    def of(self, padded: npt.NDArray[Any]) -> Floats:
        """Return the observations of all agents, shape (..., n_sites, *shape).

        `padded` are spins with that of a missing site behind them, shape (..., n_sites + 1).
        """
        return self.shown(padded[..., self.sites])

    def shown(self, seen: npt.NDArray[Any]) -> Floats:
        """Return the observations of spins seen, shape (..., k), as an array (..., *shape)."""
        length = self.sites.shape[1]
        if self.states is not None:
            one_hot = seen[..., None] == np.arange(self.states)
            if self.counted:
                return _state_shares(one_hot.sum(axis=-2), length)
            return _state_shares(one_hot, 1).reshape(*seen.shape[:-1], *self.shape)
        if self.counted:
            return _shares(seen.sum(axis=-1, dtype=np.int32)[..., None], length)
        return _shares(seen, 1).reshape(*seen.shape[:-1], *self.shape)


def observe_on(model: Model, name: str, radius: int | None) -> SiteView:
    """Return the observation of agents on a lattice; only windows have a radius."""
    lattice, states = model.lattice, None if isinstance(model, Ising) else model.n_spin_states
    last = () if states is None else (states,)
    check_choice("observation", name, OBSERVATIONS)
    if name != "window":
        if radius is not None:
            raise ValueError(
                f"radius must be omitted unless observation = 'window'; got {radius!r} for {name!r}"
            )
        length = lattice.coordination_number
        shape: tuple[int, ...] = (length, *last)
        if name == "mean-action":
            shape = last or (1,)
        return SiteView(name, None, lattice.neighbors, shape, states)
    radius = check_integer("radius", 1 if radius is None else radius, 1)
    side = 2 * radius + 1
    shape = (*(side,) * lattice.ndim, *last)
    return SiteView(name, radius, _window(lattice, radius), shape, states)


def distinct(observation: SiteView, model: Model) -> tuple[Floats, npt.NDArray[np.int64] | None]:
    """List all possible observations; refuse too many for a table.

    Returns
    -------
    observations : float32 ndarray, shape (n, *observation.shape)
    index : int64 ndarray, shape (n_tables, n_states), or None
        The observation in each state of a `RuleTable` or `StateTable` with the observation's sites,
        for all sites or for each; None if the observations are the entries of ``lattice.n_up``, or
        the rows of `Compositions`.
    """
    lattice, q = model.lattice, model.n_spin_states
    if observation.counted:
        if observation.states is not None:
            inputs = neighbor_count(lattice, None, q).inputs
            return np.asarray(inputs, dtype=np.float32), None
        sums = np.rint(2 * lattice.n_up - lattice.coordination_number).astype(np.int32)
        return _shares(sums[:, None], lattice.coordination_number), None
    length = observation.sites.shape[1]
    missing = observation.sites == lattice.n_sites
    n_tables = lattice.n_sites if missing.any() else 1
    if q**length > MAX_STATES or n_tables * q**length > _MAX_ENTRIES:
        fewer = len(lattice.n_up)
        if observation.states is not None:
            fewer = Compositions.of(lattice, q).size
        tables = f", at each of {n_tables:,} sites of its own" if n_tables > 1 else ""
        raise ValueError(
            f"observation must have at most {MAX_STATES:,} values, and at most {_MAX_ENTRIES:,} "
            f"for all sites together, to become a table; {observation.name!r} on this lattice has "
            f"{q}^{length}{tables}. 'mean-action' has {fewer}"
        )
    digits = np.arange(q**length)[:, None] // q ** np.arange(length) % q
    spins = model.values[digits]
    if n_tables == 1:
        return observation.shown(spins), np.arange(q**length)[None]
    # sites with the same missing sites have the same observations
    patterns, pattern = np.unique(missing, axis=0, return_inverse=True)
    seen = np.where(patterns[:, None, :], model.values[-1], spins).reshape(-1, length)
    different, index = np.unique(seen, axis=0, return_inverse=True)
    return observation.shown(different), index.reshape(len(patterns), -1)[pattern]


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


def _state_shares(counts: npt.NDArray[Any], length: int) -> Floats:
    """Shares of the states from their numbers; a missing spin is an equal part of each."""
    missing = (length - counts.sum(axis=-1, keepdims=True)) / counts.shape[-1]
    return np.asarray((counts + missing) / length, dtype=np.float32)
