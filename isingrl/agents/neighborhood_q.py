"""Neighborhood Q-learning: an agent sees what each of its neighbours does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from isingrl.agents.agent import Agent
from isingrl.agents.view import View, check_length, neighbor_configuration
from isingrl.lattice import Lattice

__all__ = ["NeighborhoodQ"]


@dataclass(frozen=True, repr=False)
class NeighborhoodQ(Agent):
    r"""Agents that see the joint action of their neighbours, one of 2^z.

    The Ising model needs no more than the local field, so that converged agents act as `MeanFieldQ`
    does. With 26 neighbours the joint action has 2^26 = 67,108,864 values; more than 65,536 are
    refused. The lattice must be periodic, because a missing neighbour has no action.

    Parameters
    ----------
    reward, discount, learning_rate, network, shared, epsilon
        As of `Agent`.
    next_value, target_interval, replay, batch_size, inner_iterations, reward_time, falling_rate
        As of `Agent`.

    References
    ----------
    A. Zai and B. Brown, "Deep Reinforcement Learning in Action" (2020), chapter 9.

    Examples
    --------
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> policy = irl.train(model, irl.NeighborhoodQ(), 2.0, sweeps=100, seed=1)
    >>> policy.q_values.sizes["configuration"]
    16
    """

    name: ClassVar[str] = "neighborhood-q"

    def view(self, lattice: Lattice, actions: int | None = None) -> View:
        """See `Agent.view`."""
        check_length(self.name, lattice.coordination_number, lattice, actions)
        if not lattice.periodic:
            raise ValueError(
                "lattice must have the boundary 'periodic' for NeighborhoodQ, whose agents need "
                f"an action of every neighbour; got {lattice.boundary!r}"
            )
        return neighbor_configuration(lattice, actions)
