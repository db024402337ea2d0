"""Views: observations of agents, reduced to a few states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from isingrl.lattice import Lattice
from isingrl.support.validation import check_choice

__all__ = [
    "MAX_STATES",
    "View",
    "everyone",
    "neighbor_configuration",
    "neighbor_count",
    "nothing",
    "view_of",
]

MAX_STATES = 2**16
"""Longest input of agents that see joint configurations: 65,536."""
_DIMS = ("n_up", "n_up_seen", "configuration")
_ROUNDING = 1e-9  # error of sums of probabilities


@dataclass(frozen=True, eq=False)
class View:
    """View of the agents of a lattice.

    Attributes
    ----------
    dim : str or None
        Name of the state: "n_up", "n_up_seen", "configuration", or None for a single state.
    states : ndarray, shape (n_states,)
        Values of the coordinate with that name.
    inputs : float64 ndarray, shape (n_states, length), or None
        Input of a network in each state; None for the unit vectors (one-hot).
    channel : float64 ndarray, shape (n_counts, n_states), or None
        P(state | number of up neighbours), rows by ``lattice.n_up``; None if the state is a
        configuration.
    sites : int32 ndarray, shape (n_sites, k), or None
        Sites that form the state by their configuration, as in `isingrl.tables.RuleTable`.

    Examples
    --------
    >>> import isingrl as irl
    >>> view = irl.IndependentQ().view(irl.Lattice((8, 8)))
    >>> view.dim is None, view.n_states, view.channel.shape
    (True, 1, (5, 1))
    >>> list(view.arrays())
    ['states', 'inputs', 'channel']
    """

    dim: str | None
    states: npt.NDArray[np.float64] | npt.NDArray[np.int64]
    inputs: npt.NDArray[np.float64] | None
    channel: npt.NDArray[np.float64] | None = None
    sites: npt.NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        if self.dim is not None:
            check_choice("dim of a View", self.dim, _DIMS)
        n_states = _array("states", self.states, (None,), "iuf")[0]
        if self.dim is None and n_states != 1:
            raise ValueError(f"dim of a View must name its {n_states} states; got None")
        if self.inputs is not None:
            _array("inputs", self.inputs, (n_states, None), "iuf")
        if (self.channel is None) == (self.sites is None):
            raise ValueError("a View must have channel or sites, one of the two")
        if self.channel is not None:
            _array("channel", self.channel, (None, n_states), "iuf")
            if (self.channel < 0).any() or (abs(self.channel.sum(axis=1) - 1) > _ROUNDING).any():
                raise ValueError(
                    f"channel of a View must have probabilities that add to 1 in every row; got "
                    f"{self.channel.tolist()}"
                )
        if self.sites is not None:
            _, seen = _array("sites", self.sites, (None, None), "iu")
            if n_states != 2**seen:
                raise ValueError(
                    f"states of a View must be the 2^{seen} = {2**seen} configurations of the "
                    f"{seen} sites seen; got {n_states}"
                )
            object.__setattr__(self, "sites", self.sites.astype(np.int32))

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.states)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays of the view that are not None.

        Returns
        -------
        dict of arrays
            By name.
        """
        found = {name: getattr(self, name) for name in ("states", "inputs", "channel", "sites")}
        return {name: values for name, values in found.items() if values is not None}


def view_of(agent: Any, lattice: Lattice) -> View:
    """Return the view of agents on a lattice, checked, because a subclass may return anything.

    Parameters
    ----------
    agent : Agent
    lattice : Lattice

    Returns
    -------
    View

    Raises
    ------
    TypeError, ValueError
        If the agent returns no view, or one for another lattice.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.agents.view import view_of
    >>> view_of(irl.MeanFieldQ(), irl.Lattice((8, 8))).n_states
    5
    """
    who, view = f"{type(agent).__name__}.view", agent.view(lattice)
    if not isinstance(view, View):
        raise TypeError(f"{who} must return a View; got {view!r}")
    if view.channel is not None and len(view.channel) != len(lattice.n_up):
        raise ValueError(
            f"{who}: channel must have a row for each of the {len(lattice.n_up)} entries of "
            f"lattice.n_up; got {len(view.channel)}"
        )
    if view.sites is not None:
        n_sites, sites = lattice.n_sites, view.sites
        if len(sites) != n_sites or (sites < 0).any() or (sites >= n_sites).any():
            raise ValueError(
                f"{who}: sites must have a row for each of the {n_sites} sites, with numbers from "
                f"0 to {n_sites - 1}; got {len(sites)} rows, with numbers from {sites.min()} to "
                f"{sites.max()}"
            )
    return view


def nothing(lattice: Lattice) -> View:
    """View of an agent that sees nothing.

    Parameters
    ----------
    lattice : Lattice

    Returns
    -------
    View
        One state.

    Examples
    --------
    >>> from isingrl import Lattice
    >>> from isingrl.agents.view import nothing
    >>> nothing(Lattice((8, 8))).n_states
    1
    """
    return View(None, np.zeros(1), np.ones((1, 1)), channel=np.ones((len(lattice.n_up), 1)))


def neighbor_count(lattice: Lattice, seen: int | None) -> View:
    """View of the mean action of all neighbours, or of `seen` of them, drawn at every look.

    The input of a network is the mean action vector: the shares of down and of up.

    Parameters
    ----------
    lattice : Lattice
    seen : int or None
        Number of neighbours seen, 0 to z; None for all.

    Returns
    -------
    View
        ``seen + 1`` states, or as many as ``lattice.n_up`` has.

    Examples
    --------
    >>> from isingrl import Lattice
    >>> from isingrl.agents.view import neighbor_count
    >>> neighbor_count(Lattice((8, 8)), None).states.tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    >>> neighbor_count(Lattice((8, 8)), 1).channel.tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [0.0, 1.0]]
    """
    z = lattice.coordination_number
    if seen is None or seen == z:
        states, channel, dim = lattice.n_up, np.eye(len(lattice.n_up)), "n_up"
        seen = z
    else:
        states, dim = np.arange(seen + 1.0), "n_up_seen"
        up = lattice.n_up[:, None]
        choose = scipy.special.comb
        channel = choose(up, states) * choose(z - up, seen - states) / choose(z, seen)
    share = states / seen if seen else np.full(1, 0.5)
    return View(dim, states, np.stack([1 - share, share], axis=1), channel=channel)


def neighbor_configuration(lattice: Lattice) -> View:
    """View of the joint action of the neighbours: the outer product of their one-hot actions.

    Parameters
    ----------
    lattice : Lattice
        Periodic.

    Returns
    -------
    View
        2^z states.

    Examples
    --------
    >>> from isingrl import Lattice
    >>> from isingrl.agents.view import neighbor_configuration
    >>> neighbor_configuration(Lattice((8, 8))).n_states
    16
    """
    return _configuration(lattice.neighbors)


def everyone(lattice: Lattice) -> View:
    """View of the joint action of all others.

    On a torus they are ordered by their displacement, so that one table can serve all sites.
    With a free boundary they are ordered by their number.

    Parameters
    ----------
    lattice : Lattice

    Returns
    -------
    View
        2^(N−1) states for N sites.

    Examples
    --------
    >>> from isingrl import Lattice
    >>> from isingrl.agents.view import everyone
    >>> view = everyone(Lattice((2, 3)))
    >>> view.n_states, view.sites.shape
    (32, (6, 5))
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
    """Refuse the joint action of `sites` sites if it has more than `MAX_STATES` values."""
    if 2**sites > MAX_STATES:
        raise ValueError(
            f"agent must see a joint action of at most {MAX_STATES:,} values; {agent} on this "
            f"lattice sees {sites} sites, 2^{sites} = {2**sites:,} values (with its own action "
            f"2^{sites + 1} = {2 ** (sites + 1):,}). MeanFieldQ sees their mean, "
            f"{len(lattice.n_up)} values"
        )


def _configuration(sites: npt.NDArray[np.int32]) -> View:
    return View("configuration", np.arange(2 ** sites.shape[1]), None, sites=sites)


def _array(name: str, value: Any, shape: tuple[int | None, ...], kinds: str) -> tuple[int, ...]:
    """Return the shape of an array of a `View` if its numbers are finite and its shape fits."""
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name} of a View must be an array; got {value!r}")
    fits = len(shape) == value.ndim and all(
        length in (None, found) for length, found in zip(shape, value.shape, strict=True)
    )
    if not fits or not value.size:
        wanted = ", ".join("n" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} of a View must have the shape ({wanted}); got {value.shape}")
    if value.dtype.kind not in kinds or not np.isfinite(value).all():
        what = "finite numbers" if "f" in kinds else "integers"
        raise ValueError(f"{name} of a View must be {what}; got {value.tolist()}")
    return tuple(value.shape)
