"""Whether agents have the temperature that they are given, and a warning if they do not."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isingrl.agents.agent import Agent

__all__ = ["TemperatureMapWarning"]


class TemperatureMapWarning(UserWarning):
    """`temperature` is a label of these agents, and not the temperature of an Ising model.

    `isingrl.train` and `isingrl.simulate` warn of agents whose reward bends, who discount later
    rewards, act by coins, or are paid after their neighbours moved. The function
    `analysis.effective_temperature` measures the temperature that a policy has.

    Examples
    --------
    >>> import warnings
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", irl.TemperatureMapWarning)  # it is known
    ...     policy = irl.train(model, irl.MeanFieldQ("chapter-2d"), 2.0, sweeps=100, seed=1)
    >>> policy.describe()["temperature_map"]
    'approximate'
    """


def departures(agent: Agent) -> list[str]:
    """Why softmax at τ is not the heat bath at T, for agents that see all of their neighbours."""
    reasons = []
    if not agent.reward_function.exact:
        reasons.append(f"the reward {agent.reward!r} is not proportional to the energy")
    if agent.discount > 0:
        reasons.append(f"the discount {agent.discount:g} lets later rewards count")
    if agent.epsilon > 0:
        reasons.append(f"the share epsilon = {agent.epsilon:g} of all actions is drawn by a coin")
    if agent.reward_time != "before":
        reasons.append("rewards are read after the neighbours moved")
    return reasons


def warn_of_temperature(agent: Agent, stacklevel: int) -> None:
    """Warn of agents whose `temperature` is only a label.

    Agents that see fewer neighbours are not warned of: they are another model, which their name
    or `neighbors_seen` tells, at a temperature of its own.
    """
    reasons = departures(agent)
    if reasons and not agent.exact_temperature:
        warnings.warn(
            f"temperature is only a label of these {agent.name} agents, and not the temperature of "
            f"an Ising model, because {' and '.join(reasons)}. "
            "analysis.effective_temperature(policy) measures the temperature that a trained policy "
            "has, and how far it is from an Ising model",
            TemperatureMapWarning,
            stacklevel=stacklevel + 1,
        )
