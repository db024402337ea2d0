"""Conformance tests of agents, views and rewards."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
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
from isingrl.spin_model import Model
from isingrl.testing.requirements import (
    ensure,
    ensure_json,
    ensure_name,
    model_or_default,
    same_arrays,
)
from isingrl.testing.rules import TEMPERATURES, check_dynamics, check_repeats, check_rule

__all__ = ["check_agent", "check_reward", "check_view"]


def check_view(
    view: Callable[..., View], lattice: Lattice | None = None, model: Model | None = None
) -> None:
    """Check a function from a lattice to a view.

    It returns a view of that lattice, the same at every call. No site is seen twice, and the
    inputs of networks differ from state to state.

    Parameters
    ----------
    view : callable
        Such as the method ``view`` of an agent.
    lattice : Lattice, optional
        The square lattice of 4 × 4 sites if omitted.
    model : Ising or Potts, optional
        In place of a lattice; the view of a `Potts` model also takes its number of states.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.testing import check_view
    >>> check_view(irl.MeanFieldQ(neighbors_seen=2).view)
    """
    if model is None:
        model = Ising(Lattice((4, 4)) if lattice is None else lattice)
    one, other = (view_of(SimpleNamespace(view=view), model) for _ in range(2))
    ensure(
        one.dim == other.dim and same_arrays(one.arrays(), other.arrays()),
        "a view must be the same at every call",
    )
    if one.sites is not None:
        seen = np.sort(one.sites, axis=1)
        ensure((np.diff(seen, axis=1) > 0).all(), "a view must have each site once")
    if one.inputs is not None:
        ensure(
            len(np.unique(one.inputs, axis=0)) == one.n_states,
            "inputs of a view must differ from state to state, else networks confuse them",
        )


def check_reward(reward: str | Reward, model: Model | None = None) -> None:
    """Check a reward.

    It is a finite number for every action and number of up neighbours, the same at every call, with
    a positive map to the temperature. An exact reward is a multiple of the energy by that map.

    Parameters
    ----------
    reward : str or Reward
    model : Ising or Potts, optional
        The square lattice of 4 × 4 sites with J = 1 if omitted.

    Examples
    --------
    >>> from isingrl.testing import check_reward
    >>> check_reward("half")
    """
    model, agent = model_or_default(model), MeanFieldQ(reward=reward)
    who = f"reward {reward_name(reward)!r}"
    found = checked_reward(agent.reward_function, who, model)
    ensure(
        np.array_equal(found.table(model), found.table(model))
        and found.ratio(model) == found.ratio(model),
        f"{who} must be the same at every call",
    )
    reasons = mismatch(agent, model)
    ensure(not reasons, "; ".join(reasons))


def check_agent(agent: Agent, model: Model | None = None) -> None:
    """Check an agent: its view, its reward, its trainings and runs, and its files.

    JSON can hold its settings. Trainings repeat with their seed, also on another number of threads.
    A policy comes back from disk with the same agent and numbers, and passes `check_rule`. Agents
    that learn while they are measured pass `check_dynamics`.

    Parameters
    ----------
    agent : Agent
    model : Ising or Potts, optional
        The square lattice of 4 × 4 sites with J = 1 if omitted.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.testing import check_agent
    >>> check_agent(irl.MeanFieldQ(reward="mean"))
    """
    model = model_or_default(model)
    ensure(isinstance(agent, Agent), f"agent must be an Agent; got {agent!r}")
    ensure_name(agent)
    who = type(agent).__name__
    ensure_json(agent.settings(), who)
    check_view(agent.view, model=model)
    checked_reward(agent.reward_function, f"{who}.reward_function", model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TemperatureMapWarning)  # the map need not be exact
        policy = _trained(agent, model)
        check_repeats(who, lambda: _learned(_trained(agent, model)), _learned(policy))
        rewards = [agent.reward] if isinstance(agent.reward, Reward) else []
        with tempfile.TemporaryDirectory() as folder:
            policy.save(folder)
            again = Policy.load(folder, agents=[type(agent)], rewards=rewards)
        ensure(
            type(again.agent) is type(agent) and again.agent == agent,
            f"{who} must come back from disk as it was; got {again.agent!r} for {agent!r}",
        )
        same = again.q_values.identical(policy.q_values)
        ensure(same, f"{who}: action values must come back from disk as they were")
        check_rule(again, model, None)
        check_dynamics(Learning(agent), model, TEMPERATURES)


def _trained(agent: Agent, model: Model) -> Policy:
    return train(model, agent, TEMPERATURES, sweeps=12, chains=2, seed=1)


def _learned(policy: Policy) -> xr.Dataset:
    return policy.history.assign(q_values=policy.q_values)
