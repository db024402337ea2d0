"""Agents that learn once and for all within a task that can be resumed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import xarray as xr

from isingrl import Agent, Dynamics, Ising, Policy, simulate, train
from isingrl.support.archives import clear_scratch
from studies.running.tasks import task_seed


def trained(
    folder: Path | None, model: Ising, agent: Agent, temperature: Any, **options: Any
) -> Policy:
    """Train agents, or read the policy of an earlier training.

    Parameters
    ----------
    folder : path or None
        Folder of the policy; a policy in it must come from the same arguments.
    model, agent, temperature, **options
        As of `isingrl.train`.
    """
    if folder is not None:
        clear_scratch(folder, "policy")
        with suppress(FileNotFoundError):
            return Policy.load(folder)
    policy = train(model, agent, temperature, **options)
    if folder is not None:
        policy.save(folder)
    return policy


def learn_and_simulate(
    model: Ising,
    rule: Dynamics | Agent,
    temperature: Any,
    *,
    training: dict[str, Any],
    seed: int,
    folder: Path | None,
    progress: bool,
    **options: Any,
) -> tuple[xr.Dataset, Any]:
    """Simulate a rule, or the policy of agents after they have learned.

    Parameters
    ----------
    model, temperature, **options
        As of `isingrl.simulate`.
    rule : Dynamics or Agent
    training : dict
        Further arguments of `isingrl.train`.
    seed : int
        Of the task.
    folder : path or None
        Folder for checkpoints of the task.
    progress : bool
        Whether to show bars.

    Returns
    -------
    Dataset
        The run.
    Dynamics
        The rule or policy.
    """
    if isinstance(rule, Agent):
        rule = trained(
            folder and folder / "policy", model, rule, temperature,
            seed=task_seed(seed, "learning"), progress=progress, **training,
        )  # fmt: skip
    data = simulate(
        model, rule, temperature, seed=task_seed(seed, "running"), out=folder and folder / "run",
        progress=progress, **options,
    )  # fmt: skip
    return data, rule
