"""Conformance tests of agents, what they see and what they are paid."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl.agents.agent import Agent
from isingrl.agents.mean_field_q import MeanFieldQ
from isingrl.agents.policy import Policy
from isingrl.agents.rewards import Reward, reward_name
from isingrl.agents.rewards import check_reward as checked_reward
from isingrl.agents.temperatures import TemperatureMapWarning, mismatch
from isingrl.agents.training import train
from isingrl.agents.view import View, view_of
from isingrl.lattice import Lattice
from isingrl.learning import Learning
from isingrl.model import Ising
from isingrl.testing.requirements import (
    model_or_default,
    require,
    require_json,
    require_name,
    same_arrays,
)
from isingrl.testing.rules import TEMPERATURES, check_dynamics, check_repeats, check_rule

__all__ = ["check_agent", "check_reward", "check_view"]


def check_view(view: Callable[[Lattice], View], lattice: Lattice | None = None) -> None:
    """Check a view: a function from a lattice to what its agents see.

    It returns a view of that lattice, the same at every call. No site is seen twice, and a network
    is given other inputs in every state.

    Parameters
    ----------
    view : callable
        What is checked, such as the method ``view`` of an agent.
    lattice : Lattice, optional
        The square lattice of 4 × 4 sites if omitted.

    Raises
    ------
    AssertionError, TypeError, ValueError
        If something does not hold.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.testing import check_view
    >>> check_view(irl.MeanFieldQ(neighbors_seen=2).view)
    """
    lattice = Lattice((4, 4)) if lattice is None else lattice
    one, other = (view_of(SimpleNamespace(view=view), lattice) for _ in range(2))
    require(
        one.dim == other.dim and same_arrays(_arrays(one), _arrays(other)),
        "a view must be the same at every call",
    )
    if one.sites is not None:
        seen = np.sort(one.sites, axis=1)
        require((np.diff(seen, axis=1) > 0).all(), "a view must have each site once")
    if one.inputs is not None:
        require(
            len(np.unique(one.inputs, axis=0)) == one.n_states,
            "inputs of a view must differ from state to state, else networks confuse them",
        )


def check_reward(reward: str | Reward, model: Ising | None = None) -> None:
    """Check a reward.

    It is a finite number for every action and number of up neighbours, the same at every call, with
    a positive map to the temperature. If it says that it is exact, it is a multiple of the energy
    by that map.

    Parameters
    ----------
    reward : str or Reward
        What is checked.
    model : Ising, optional
        The square lattice of 4 × 4 sites with J = 1 if omitted.

    Raises
    ------
    AssertionError, TypeError, ValueError
        If something does not hold.

    Examples
    --------
    >>> from isingrl.testing import check_reward
    >>> check_reward("half")
    """
    model, agent = model_or_default(model), MeanFieldQ(reward=reward)
    who = f"reward {reward_name(reward)!r}"
    found = checked_reward(agent.reward_function, who, model)
    require(
        np.array_equal(found.table(model), found.table(model))
        and found.ratio(model) == found.ratio(model),
        f"{who} must be the same at every call",
    )
    reasons = mismatch(agent, model)
    require(not reasons, "; ".join(reasons))


def check_agent(agent: Agent, model: Ising | None = None) -> None:
    """Check an agent: its view, its reward, how it trains, runs and comes back from disk.

    Its settings are those that JSON can hold. Trainings repeat with their seed, on one thread as on
    several. A policy comes back from disk with the same agent and numbers, and passes
    `check_rule`. Agents that learn while they are measured pass `check_dynamics`.

    Parameters
    ----------
    agent : Agent
        What is checked.
    model : Ising, optional
        The square lattice of 4 × 4 sites with J = 1 if omitted.

    Raises
    ------
    AssertionError, TypeError, ValueError
        If something does not hold.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.testing import check_agent
    >>> check_agent(irl.MeanFieldQ(reward="mean"))
    """
    model = model_or_default(model)
    require(isinstance(agent, Agent), f"agent must be an Agent; got {agent!r}")
    require_name(agent)
    who = type(agent).__name__
    require_json(agent.settings(), who)
    check_view(agent.view, model.lattice)
    checked_reward(agent.reward_function, f"{who}.reward_function", model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TemperatureMapWarning)  # agents may have other maps
        policy = _trained(agent, model)
        check_repeats(who, lambda: _learned(_trained(agent, model)), _learned(policy))
        rewards = [agent.reward] if isinstance(agent.reward, Reward) else []
        with tempfile.TemporaryDirectory() as folder:
            policy.save(folder)
            again = Policy.load(folder, agents=[type(agent)], rewards=rewards)
        require(
            type(again.agent) is type(agent) and again.agent == agent,
            f"{who} must come back from disk as it was; got {again.agent!r} for {agent!r}",
        )
        same = again.q_values.identical(policy.q_values)
        require(same, f"{who}: action values must come back from disk as they were")
        check_rule(again, model, None)
        check_dynamics(Learning(agent), model, TEMPERATURES)


def _trained(agent: Agent, model: Ising) -> Policy:
    return train(model, agent, TEMPERATURES, sweeps=12, chains=2, seed=1)


def _learned(policy: Policy) -> xr.Dataset:
    return policy.history.assign(q_values=policy.q_values)


def _arrays(view: View) -> dict[str, npt.NDArray[Any]]:
    found = {name: getattr(view, name) for name in ("states", "inputs", "channel", "sites")}
    return {name: values for name, values in found.items() if values is not None}
