"""What agents see, reduced to the few states that it can take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import comb

from isingrl.lattice import Lattice

__all__ = [
    "MAX_STATES",
    "View",
    "check_length",
    "everyone",
    "neighbor_configuration",
    "neighbor_count",
    "nothing",
]

MAX_STATES = 2**16
"""Longest input of agents that see joint configurations: 65,536."""


@dataclass(frozen=True, eq=False)
class View:
    """What the agents of a lattice see.

    Attributes
    ----------
    dim : str or None
        Name of the state: "n_up", "n_up_seen", "configuration", or None if there is but one.
    states : ndarray, shape (n_states,)
        Values of the coordinate of that name.
    inputs : float64 ndarray, shape (n_states, length), or None
        What a network is given in each state; None for the unit vectors (one-hot).
    channel : float64 ndarray, shape (n_counts, n_states), or None
        P(state | number of up neighbours), rows by ``lattice.n_up``; None if the state is a
        configuration.
    sites : int32 ndarray, shape (n_sites, k), or None
        Sites whose configuration is the state, as in `isingrl.tables.RuleTable`.
    """

    dim: str | None
    states: npt.NDArray[np.float64] | npt.NDArray[np.int64]
    inputs: npt.NDArray[np.float64] | None
    channel: npt.NDArray[np.float64] | None = None
    sites: npt.NDArray[np.int32] | None = None

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.states)


def nothing(lattice: Lattice) -> View:
    """An agent alone."""
    return View(None, np.zeros(1), np.ones((1, 1)), channel=np.ones((len(lattice.n_up), 1)))


def neighbor_count(lattice: Lattice, seen: int | None) -> View:
    """The mean action of all neighbours, or of `seen` of them that are drawn at every look.

    A network is given the mean action vector: the shares of down and of up.
    """
    z = lattice.coordination_number
    if seen is None or seen == z:
        states, channel, dim = lattice.n_up, np.eye(len(lattice.n_up)), "n_up"
        seen = z
    else:
        states, dim = np.arange(seen + 1.0), "n_up_seen"
        up = lattice.n_up[:, None]
        channel = comb(up, states) * comb(z - up, seen - states) / comb(z, seen)
    share = states / seen if seen else np.full(1, 0.5)
    return View(dim, states, np.stack([1 - share, share], axis=1), channel=channel)


def neighbor_configuration(lattice: Lattice) -> View:
    """The joint action of the neighbours: the outer product of their one-hot actions."""
    return _configuration(lattice.neighbors)


def everyone(lattice: Lattice) -> View:
    """The joint action of all others.

    On a torus they are ordered by their displacement, so that one table can serve all sites;
    else by their number.
    """
    n_sites = lattice.n_sites
    if lattice.periodic:
        sites = np.indices(lattice.shape).reshape(lattice.ndim, -1)
        steps = sites[:, 1:]
        moved = (sites[:, :, None] + steps[:, None, :]) % np.reshape(lattice.shape, (-1, 1, 1))
        others = np.ravel_multi_index(tuple(moved), lattice.shape)
    else:
        others = np.array([np.delete(np.arange(n_sites), site) for site in range(n_sites)])
    return _configuration(others.astype(np.int32))


def check_length(agent: str, sites: int, lattice: Lattice) -> None:
    """Refuse the joint action of so many sites if it has too many values.

    Raises
    ------
    ValueError
        If there are more than `MAX_STATES`.
    """
    if 2**sites > MAX_STATES:
        raise ValueError(
            f"agent must see a joint action of at most {MAX_STATES:,} values; {agent} on this "
            f"lattice sees {sites} sites, 2^{sites} = {2**sites:,} values (with its own action "
            f"2^{sites + 1} = {2 ** (sites + 1):,}). MeanFieldQ sees their mean, "
            f"{len(lattice.n_up)} values"
        )


def _configuration(sites: npt.NDArray[np.int32]) -> View:
    return View("configuration", np.arange(2 ** sites.shape[1]), None, sites=sites)
