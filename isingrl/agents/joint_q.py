"""Joint-action Q-learning: an agent sees what everyone else does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from isingrl.agents.agent import Agent
from isingrl.agents.view import View, check_length, everyone
from isingrl.lattice import Lattice

__all__ = ["JointQ"]


@dataclass(frozen=True, repr=False)
class JointQ(Agent):
    r"""Agents that see the joint action of all others: Q(a_j, a_−j), for a handful of agents.

    The joint action of the others has 2^(N−1) values, 2^24 = 16,777,216 for 25 agents; more than
    65,536 values, those of 17 agents, are refused. A shared table tells the others apart by their
    displacement, and therefore needs a periodic lattice.

    Parameters
    ----------
    reward, discount, learning_rate, network, shared, epsilon
        As of `Agent`.
    next_value, target_interval, replay, batch_size, inner_iterations, reward_time, falling_rate
        As of `Agent`.

    References
    ----------
    C. Claus, C. Boutilier, "The dynamics of reinforcement learning in cooperative multiagent
    systems", AAAI (1998).

    Examples
    --------
    >>> import isingrl as irl
    >>> policy = irl.train(irl.Ising(irl.Lattice((2, 3))), irl.JointQ(), 2.0, sweeps=100, seed=1)
    >>> policy.q_values.sizes["configuration"]
    32
    """

    name: ClassVar[str] = "joint-q"

    def view(self, lattice: Lattice, actions: int | None = None) -> View:
        """See `Agent.view`."""
        check_length(self.name, lattice.n_sites - 1, lattice, actions)
        if self.shared and not lattice.periodic:
            raise ValueError(
                "shared must be False for JointQ on a lattice with free boundary, where sites "
                "see the others from different places; got True"
            )
        return everyone(lattice, actions)

    @property
    def tied_to_shape(self) -> bool:
        """Whether the view depends on the size of the lattice."""
        return True
