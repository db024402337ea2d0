"""Independent Q-learning: an agent sees nothing of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from isingrl.agents.agent import Agent
from isingrl.agents.view import View, nothing
from isingrl.lattice import Lattice

__all__ = ["IndependentQ"]


@dataclass(frozen=True, repr=False)
class IndependentQ(Agent):
    r"""Agents that know the values of their two actions and nothing of the others.

    Each agent learns a mean of the others: with energy reward
    :math:`Q(\uparrow) - Q(\downarrow) = 2 (J \langle S \rangle + h)`, so that the agents are
    Weiss's mean-field theory, :math:`m = \tanh[(J z m + h) / \tau]`, with T_c = zJ in every
    dimension. Run them as `Learning`, because their values change with their actions; frozen
    agents are independent coins.

    Parameters
    ----------
    reward, discount, learning_rate, network, shared, epsilon
        As of `Agent`.
    next_value, target_interval, replay, batch_size, inner_iterations, reward_time, falling_rate
        As of `Agent`.

    References
    ----------
    M. Tan, "Multi-agent reinforcement learning: independent vs. cooperative agents", ICML (1993).

    Examples
    --------
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((16, 16)))
    >>> agents = irl.Learning(irl.IndependentQ(learning_rate=1e-3))
    >>> data = irl.simulate(model, agents, [3.0, 5.0], sweeps=1000, start="up", seed=1)
    >>> below, above = abs(data.magnetization[:, 0, 500:].mean("draw").values)
    >>> bool(below > 0.5), bool(above < 0.1)
    (True, True)
    """

    name: ClassVar[str] = "independent-q"

    def view(self, lattice: Lattice, actions: int | None = None) -> View:
        """See `Agent.view`."""
        return nothing(lattice, actions)

    @property
    def sees_local_field(self) -> bool:
        """Whether an agent sees all of its neighbours."""
        return False
