"""Agents that learn while they are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from isingrl.agents.agent import Agent, ways
from isingrl.agents.policy import Policy
from isingrl.agents.temperatures import departures_on, softmax_temperatures
from isingrl.dynamics import Dynamics
from isingrl.engines.learning import LearningEngine
from isingrl.spin_model import Model
from isingrl.support.archives import Arrays
from isingrl.support.validation import check_temperature

__all__ = ["Learning"]


@dataclass(frozen=True, eq=False)
class Learning(Dynamics):
    """Agents that learn during thermalization and measurements; each chain has its own agents.

    Use it for agents such as `IndependentQ`, for which a frozen policy means little. The agents
    learn from every sweep, at constant softmax temperature. Networks learn at their full rate, with
    a new optimizer.

    Parameters
    ----------
    agent : Agent or Policy
        An agent begins without knowledge, a policy with the knowledge of its training.

    Raises
    ------
    TypeError
        If `agent` is neither.

    Examples
    --------
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> agents = irl.Learning(irl.IndependentQ())
    >>> data = irl.simulate(model, agents, 3.0, sweeps=100, start="up", seed=1)
    >>> data.method.item(), data.learn
    ('independent-q', 1)
    """

    agent: Agent | Policy
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.agent, Agent | Policy):
            raise TypeError(f"agent must be an agent or a Policy to learn; got {self.agent!r}")

    @property
    def _kind(self) -> Agent:
        return self.agent.agent if isinstance(self.agent, Policy) else self.agent

    @property
    def name(self) -> str:
        """Name of the agents."""
        return self._kind.name

    def engine(
        self,
        model: Model,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        start: str | npt.NDArray[Any],
        schedule: str,
        seed: np.random.SeedSequence,
    ) -> LearningEngine:
        """See `Dynamics.engine`."""
        knowledge = None
        if isinstance(self.agent, Policy):
            knowledge = self.agent.knowledge(temperatures, chains)
        return LearningEngine(
            model, self._kind, temperatures, chains, start, schedule, seed, knowledge
        )

    def temperatures(self, model: Model, temperature: Any) -> npt.NDArray[np.float64]:
        """See `Dynamics.temperatures`; None means all temperatures of a policy."""
        model.one_field("agents that learn")
        if isinstance(self.agent, Policy):
            return self.agent.temperatures(model, temperature)
        self.agent.check_model(model)
        if temperature is None:
            raise TypeError("temperature must be given for agents that learn; got None")
        return check_temperature(temperature)

    def softmax_temperature(
        self, model: Model, temperature: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """See `Dynamics.softmax_temperature`."""
        return softmax_temperatures(self._kind, model, temperature)

    def departures(self, model: Model) -> list[str]:
        """See `Dynamics.departures`."""
        if isinstance(self.agent, Policy):
            return self.agent.departures(model)
        return departures_on(self.agent, model)

    def describe(self) -> dict[str, Any]:
        """See `Dynamics.describe`."""
        return self.agent.describe()

    def settings(self) -> dict[str, Any]:
        """See `Dynamics.settings`."""
        return self._kind.settings()

    def known(self, model: Model, temperatures: npt.NDArray[np.float64], chains: int) -> Arrays:
        """See `Dynamics.known`."""
        found = ways(self._kind, model, temperatures)
        if isinstance(self.agent, Policy):
            found |= self.agent.knowledge(temperatures, chains)
        return found
