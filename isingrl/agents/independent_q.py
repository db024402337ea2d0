"""Independent Q-learning: an agent sees nothing of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from isingrl.agents.agent import Agent
from isingrl.agents.view import View, nothing
from isingrl.lattice import Lattice

__all__ = ["IndependentQ"]


@dataclass(frozen=True)
class IndependentQ(Agent):
    r"""Agents that know the values of their two actions and nothing of the others.

    To each the others are a mean that it learns: with energy reward
    :math:`Q(\uparrow) - Q(\downarrow) = 2 (J \langle S \rangle + h)`, so that the agents are
    Weiss's mean-field theory, :math:`m = \tanh[(J z m + h) / \tau]`, with T_c = zJ in every
    dimension. What they learn changes with what they do: run them with ``learn=True``. Frozen,
    they are independent coins.

    The parameters are those of `Agent`.
    """

    name: ClassVar[str] = "independent-q"

    def view(self, lattice: Lattice) -> View:
        """See `Agent.view`."""
        return nothing(lattice)

    @property
    def sees_local_field(self) -> bool:
        """Whether an agent sees all of its neighbours."""
        return False
