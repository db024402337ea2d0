"""Agents that learn once and for all within a task that can be resumed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from isingrl import Agent, Ising, Policy, train
from isingrl.support.archives import clear_scratch


def trained(
    folder: Path | None, model: Ising, agent: Agent, temperature: Any, **options: Any
) -> Policy:
    """Train agents, or read the policy of those that were trained before.

    Parameters
    ----------
    folder : path or None
        Where the policy is kept; what is there must come from the same arguments.
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
