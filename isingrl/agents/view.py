"""Views: observations of agents, reduced to a few states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from isingrl.compositions import Compositions
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.spin_model import Model
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
_DIMS = ("n_up", "n_up_seen", "configuration", "neighbor_states", "neighbor_states_seen")
_ROUNDING = 1e-9  # error of sums of probabilities


@dataclass(frozen=True, eq=False)
class View:
    """View of the agents of a lattice.

    Attributes
    ----------
    dim : str or None
        Name of the state: "n_up", "n_up_seen", "configuration", or None for a single state. Of
        agents on a `Potts` model "neighbor_states" or "neighbor_states_seen" in place of the first
        two: how many neighbours are in each state, as a text such as ``"2 1 1"``.
    states : ndarray, shape (n_states,)
        Values of the coordinate with that name.
    inputs : float64 ndarray, shape (n_states, length), or None
        Input of a network in each state; None for the unit vectors (one-hot).
    channel : float64 ndarray, shape (n_counts, n_states), or None
        P(state | number of up neighbours), rows by ``lattice.n_up``, or by the numbers of
        neighbours in each state; None if the state is a configuration.
    sites : int32 ndarray, shape (n_sites, k), or None
        Sites that form the state by their configuration, as in `isingrl.tables.RuleTable`.
    actions : int
        Number of actions q of every site; the digits of a configuration are in base q.

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
    states: npt.NDArray[Any]
    inputs: npt.NDArray[np.float64] | None
    channel: npt.NDArray[np.float64] | None = None
    sites: npt.NDArray[np.int32] | None = None
    actions: int = 2

    def __post_init__(self) -> None:
        if self.dim is not None:
            check_choice("dim of a View", self.dim, _DIMS)
        kinds = "U" if str(self.dim).startswith("neighbor_states") else "iuf"
        n_states = _array("states", self.states, (None,), kinds)[0]
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
            q = self.actions
            if n_states != q**seen:
                raise ValueError(
                    f"states of a View must be the {q}^{seen} = {q**seen} configurations of the "
                    f"{seen} sites seen; got {n_states}"
                )
            object.__setattr__(self, "sites", self.sites.astype(np.int32))

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.states)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Numbers of the view, those that it has.

        Returns
        -------
        dict of arrays
            By name.
        """
        found = {name: getattr(self, name) for name in ("states", "inputs", "channel", "sites")}
        kept = {name: values for name, values in found.items() if values is not None}
        if self.states.dtype.kind == "U":  # a text follows from its place
            del kept["states"]
        return kept


def view_of(agent: Any, model: Model) -> View:
    """Return the view of agents of a model, checked, because a subclass may return anything.

    Parameters
    ----------
    agent : Agent
    model : Ising or Potts

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
    >>> view_of(irl.MeanFieldQ(), irl.Ising(irl.Lattice((8, 8)))).n_states
    5
    >>> view_of(irl.MeanFieldQ(), irl.Potts(irl.Lattice((8, 8)), states=3)).n_states
    15
    """
    lattice, q = model.lattice, model.n_spin_states
    of_ising = isinstance(model, Ising)
    who, view = f"{type(agent).__name__}.view", agent.view(lattice, *(() if of_ising else (q,)))
    if not isinstance(view, View):
        raise TypeError(f"{who} must return a View; got {view!r}")
    if view.channel is not None and of_ising and len(view.channel) != len(lattice.n_up):
        raise ValueError(
            f"{who}: channel must have a row for each of the {len(lattice.n_up)} entries of "
            f"lattice.n_up; got {len(view.channel)}"
        )
    if view.actions != q:
        raise ValueError(f"{who} must return a View of {q} actions; got one of {view.actions}")
    if view.sites is not None:
        n_sites, sites = lattice.n_sites, view.sites
        if len(sites) != n_sites or (sites < 0).any() or (sites >= n_sites).any():
            raise ValueError(
                f"{who}: sites must have a row for each of the {n_sites} sites, with numbers from "
                f"0 to {n_sites - 1}; got {len(sites)} rows, with numbers from {sites.min()} to "
                f"{sites.max()}"
            )
    return view


def nothing(lattice: Lattice, actions: int | None = None) -> View:
    """View of an agent that sees nothing.

    Parameters
    ----------
    lattice : Lattice
    actions : int, optional
        Number of states of a `Potts` model; None for Ising spins.

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
    rows = len(lattice.n_up) if actions is None else 1
    return View(None, np.zeros(1), np.ones((1, 1)), np.ones((rows, 1)), actions=actions or 2)


def neighbor_count(lattice: Lattice, seen: int | None, actions: int | None = None) -> View:
    """View of the mean action of all neighbours, or of `seen` of them, drawn at every look.

    The input of a network is the mean action vector: the share of the neighbours in each state. A
    missing neighbour is an equal part of each.

    Parameters
    ----------
    lattice : Lattice
    seen : int or None
        Number of neighbours seen, 0 to z; None for all.
    actions : int, optional
        Number of states of a `Potts` model; None for Ising spins.

    Returns
    -------
    View
        ``seen + 1`` states, or as many as ``lattice.n_up`` has; of a Potts model as many as ways to
        divide the neighbours among its states.

    Raises
    ------
    ValueError
        If there are more than 65,536 states.

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
    if actions is not None:
        return _composition(lattice, seen, actions)
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


def neighbor_configuration(lattice: Lattice, actions: int | None = None) -> View:
    """View of the joint action of the neighbours: the outer product of their one-hot actions.

    Parameters
    ----------
    lattice : Lattice
        Periodic.
    actions : int, optional
        Number of states q of a `Potts` model; None for Ising spins.

    Returns
    -------
    View
        2^z states, or q^z.

    Examples
    --------
    >>> from isingrl import Lattice
    >>> from isingrl.agents.view import neighbor_configuration
    >>> neighbor_configuration(Lattice((8, 8))).n_states
    16
    """
    return _configuration(lattice.neighbors, actions)


def everyone(lattice: Lattice, actions: int | None = None) -> View:
    """View of the joint action of all others.

    On a torus they are ordered by their displacement, so that one table can serve all sites.
    With a free boundary they are ordered by their number.

    Parameters
    ----------
    lattice : Lattice
    actions : int, optional
        Number of states q of a `Potts` model; None for Ising spins.

    Returns
    -------
    View
        2^(N−1) states for N sites, or q^(N−1).

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
    return _configuration(others.astype(np.int32), actions)


def check_length(agent: str, sites: int, lattice: Lattice, actions: int | None = None) -> None:
    """Refuse the joint action of `sites` sites if it has more than `MAX_STATES` values."""
    q = actions or 2
    if q**sites > MAX_STATES:
        mean = len(lattice.n_up)
        if actions is not None:
            mean = Compositions.of(lattice, q).size
        raise ValueError(
            f"agent must see a joint action of at most {MAX_STATES:,} values; {agent} on this "
            f"lattice sees {sites} sites, {q}^{sites} = {q**sites:,} values (with its own action "
            f"{q}^{sites + 1} = {q ** (sites + 1):,}). MeanFieldQ sees their mean, {mean:,} values"
        )


def _composition(lattice: Lattice, seen: int | None, actions: int) -> View:
    every, z = Compositions.of(lattice, actions), lattice.coordination_number
    few = seen is not None and seen < z
    shown = Compositions((seen or 0,), actions) if few else every
    if max(every.size, shown.size) > MAX_STATES or not every.holds:
        raise ValueError(
            f"agent must see a mean action of at most {MAX_STATES:,} values; the {z} neighbours "
            f"have {every.size:,} of them in {actions} states. IndependentQ sees none"
        )
    among = seen if few and seen is not None else z
    missing = (among - shown.counts.sum(axis=1, keepdims=True)) / actions
    inputs = (shown.counts + missing) / among if among else np.full((1, actions), 1 / actions)
    return View(
        "neighbor_states_seen" if few else "neighbor_states", np.array(shown.shown()), inputs,
        channel=every.draws(among) if few else np.eye(every.size), actions=actions,
    )  # fmt: skip


def _configuration(sites: npt.NDArray[np.int32], actions: int | None) -> View:
    q = actions or 2
    return View("configuration", np.arange(q ** sites.shape[1]), None, sites=sites, actions=q)


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
    if value.dtype.kind not in kinds or (kinds != "U" and not np.isfinite(value).all()):
        what = "finite numbers" if "f" in kinds else "integers"
        raise ValueError(f"{name} of a View must be {what}; got {value.tolist()}")
    return tuple(value.shape)
