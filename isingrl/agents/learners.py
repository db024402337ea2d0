"""Which learner an agent takes."""

from __future__ import annotations

from typing import Any

from isingrl.agents.agent import Agent
from isingrl.agents.learner import Learner
from isingrl.spin_model import Model
from isingrl.support.devices import require_torch


def make_learner(model: Model, agent: Agent, *arguments: Any, **options: Any) -> Learner:
    """Learner for the agent's kind: tables or networks."""
    if agent.network is None:
        return Learner(model, agent, *arguments, **options)
    require_torch("networks")
    from isingrl.agents.network_learner import NetworkLearner

    return NetworkLearner(model, agent, *arguments, **options)
