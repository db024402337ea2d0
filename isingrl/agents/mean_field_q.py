"""Mean-field Q-learning: an agent sees the mean action of its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from isingrl.agents.agent import Agent
from isingrl.agents.view import View, neighbor_count
from isingrl.lattice import Lattice
from isingrl.support.validation import check_integer

__all__ = ["MeanFieldQ"]


@dataclass(frozen=True, repr=False)
class MeanFieldQ(Agent):
    r"""Agents that see the mean action of their neighbours.

    On a lattice the mean action is the number of up neighbours over z, and so determines the local
    field: without discount, and with the reward a (J S + h), a converged agent is the heat bath.
    Agents that see fewer of their neighbours lie between the heat bath and Weiss theory.

    Parameters
    ----------
    reward, discount, learning_rate, network, shared, epsilon
        As of `Agent`.
    next_value, target_interval, replay, batch_size, inner_iterations, reward_time, falling_rate
        As of `Agent`.
    neighbors_seen : int, optional
        Number of neighbours that an agent sees, 0 to z, drawn anew at every look; all if omitted.
        Free boundaries need all.

    References
    ----------
    Y. Yang et al., "Mean field multi-agent reinforcement learning", ICML (2018),
    arXiv:1802.05438.

    Examples
    --------
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> policy = irl.train(model, irl.MeanFieldQ(), 2.0, sweeps=100, seed=1)
    >>> learned = policy.table(model, policy.temperature)
    >>> heat_bath = irl.HeatBath().table(model, policy.temperature)
    >>> bool(abs(learned - heat_bath).max() < 1e-9)
    True
    """

    name: ClassVar[str] = "mean-field-q"

    neighbors_seen: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.neighbors_seen is not None:
            self._set("neighbors_seen", check_integer("neighbors_seen", self.neighbors_seen, 0))

    def view(self, lattice: Lattice, actions: int | None = None) -> View:
        """See `Agent.view`."""
        z, seen = lattice.coordination_number, self.neighbors_seen
        if seen is not None and (seen > z or (seen < z and not lattice.periodic)):
            allowed = f"0 to {z}" if lattice.periodic else f"{z}, the boundary being free"
            raise ValueError(f"neighbors_seen must be {allowed}, or None for all; got {seen}")
        return neighbor_count(lattice, seen, actions)

    @property
    def sees_local_field(self) -> bool:
        """Whether an agent sees all of its neighbours."""
        return self.neighbors_seen is None
