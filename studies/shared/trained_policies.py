"""Trainings within tasks that can be resumed: a finished training is read, not repeated."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import xarray as xr

from isingrl import (
    Agent,
    Dynamics,
    MeanFieldQ,
    Metropolis,
    Policy,
    Tempering,
    simulate,
    train,
)
from isingrl.spin_model import Model
from isingrl.support.archives import clear_scratch
from studies.running.tasks import task_seed

METHODS: dict[str, Callable[[], Dynamics | Agent]] = {
    Metropolis.name: Metropolis,
    MeanFieldQ.name: MeanFieldQ,
}
"""The two methods that most studies compare, by name."""


def trained(
    folder: Path | None, model: Model, agent: Agent, temperature: Any, **options: Any
) -> Policy:
    """Train agents, or read the policy of an earlier training.

    Parameters
    ----------
    folder : path or None
        Folder of the policy. A policy there must come from the same arguments.
    model, agent, temperature, **options
        Arguments of `isingrl.train`.
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
    model: Model,
    rule: Dynamics | Agent,
    temperature: Any,
    *,
    training: dict[str, Any],
    seed: int,
    folder: Path | None,
    progress: bool,
    part: str = "",
    tempering: int = 0,
    **options: Any,
) -> tuple[xr.Dataset, Any]:
    """Simulate a rule, or the policy of agents that learn first.

    Parameters
    ----------
    model, temperature, **options
        Arguments of `isingrl.simulate`.
    rule : Dynamics or Agent
    training : dict
        Further arguments of `isingrl.train`.
    seed : int
        Seed of the task.
    folder : path or None
        Folder for checkpoints of the task.
    progress : bool
        Whether to show bars.
    part : str
        Ending of the names of seeds and folders, if a task does this more than once.
    tempering : int
        Sweeps between exchanges of neighbouring temperatures; 0 for none.

    Returns
    -------
    Dataset
        The run.
    Dynamics
        The simulated rule or policy.
    """
    dynamics: Any = rule
    if isinstance(rule, Agent):
        dynamics = trained(
            folder and folder / f"policy{part}", model, rule, temperature,
            seed=task_seed(seed, f"learning{part}"), progress=progress, **training,
        )  # fmt: skip
    if tempering:
        dynamics = Tempering(dynamics, tempering)
    data = simulate(
        model, dynamics, temperature, seed=task_seed(seed, f"running{part}"),
        out=folder and folder / f"run{part}", progress=progress, **options,
    )  # fmt: skip
    return data, dynamics
