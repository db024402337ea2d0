"""Agents that learn while they are measured, as an engine of `simulate`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.agents.agent import Agent
from isingrl.agents.learners import make_learner
from isingrl.agents.temperatures import softmax_temperatures
from isingrl.spin_model import Model
from isingrl.support.archives import Arrays


class LearningEngine:
    """Chains with agents that learn, each with its own agents; see `isingrl.Dynamics.engine`.

    `knowledge` are the arrays of `Policy.knowledge`, with which the agents begin.
    """

    updates_a_call = 5e6

    def __init__(
        self,
        model: Model,
        agent: Agent,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        start: str | npt.NDArray[Any],
        schedule: str,
        seed: np.random.SeedSequence,
        knowledge: Arrays | None = None,
    ) -> None:
        generator = np.random.Generator(np.random.Philox(seed))
        n_chains = len(temperatures) * chains
        self._learner = make_learner(
            model, agent, start, n_chains, schedule, generator, knowledge=knowledge
        )
        self._taus = np.repeat(softmax_temperatures(agent, model, temperatures), chains)

    def spins(self, chain: int) -> npt.NDArray[Any]:
        """Spins of one chain, shape (*lattice.shape)."""
        return self._learner.spins(chain)

    def state(self) -> Arrays:
        """See `Engine.state`."""
        return self._learner.state()

    def restore(self, state: Arrays) -> None:
        """See `Engine.restore`."""
        self._learner.restore(state)

    def sweep(self, sweeps: int) -> None:
        """Let all agents act and learn for `sweeps` sweeps."""
        self._learner.advance(self._constant(sweeps))

    def record(self, draws: int, interval: int) -> Arrays:
        """See `Engine.record`."""
        shown = self._learner.advance(self._constant(draws * interval), interval=interval)
        return self._learner.model.named_sums(shown.sums)

    def _constant(self, sweeps: int) -> npt.NDArray[np.float64]:
        return np.repeat(self._taus[:, None], sweeps, axis=1)
