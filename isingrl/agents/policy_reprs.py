"""What a policy shows of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isingrl.support.reprs import NEIGHBORHOODS, grid, numbers, sides, table, titled

if TYPE_CHECKING:
    from isingrl.agents.policy import Policy

_ROWS = 12


def text(policy: Policy) -> str:
    """Agents, model, temperatures and training, a line each."""
    lines = [f"{name}: {value}" for name, value in _facts(policy)]
    return f"<Policy of {policy.agent!r}\n  " + "\n  ".join(lines) + ">"


def html(policy: Policy) -> str:
    """The same as a table, with the probabilities of spin up where they fit."""
    reward = f"{policy.agent.reward} = {policy.agent.reward_function.formula}"
    facts = table([("agents", repr(policy.agent)), ("reward", reward), *_facts(policy)])
    return titled(f"Policy, {policy.name}", facts, _chances(policy))


def _facts(policy: Policy) -> list[tuple[str, str]]:
    model, lattice, tau = policy.model, policy.model.lattice, policy.q_values["softmax_temperature"]
    kind = "exact" if policy.exact_temperature else "approximate"
    trainings = f", {policy.chains} trainings at each temperature" if policy.chains > 1 else ""
    dims = ", ".join(map(str, policy.q_values.dims))
    return [
        (
            "model",
            f"{sides(lattice.shape)} sites, {NEIGHBORHOODS[lattice.neighborhood]} neighbours, "
            f"{lattice.boundary}, J = {model.coupling:g}, h = {model.field:g}",
        ),
        ("temperature", f"{numbers(policy.temperature)} J/k_B"),
        ("softmax temperature", f"{numbers(tau.values)} ({kind} map)"),
        ("learned", f"{policy.history.sizes['sweep']:,} sweeps{trainings}"),
        ("action values", f"over ({dims})"),
    ]


def _chances(policy: Policy) -> str:
    """P(up) by the number of up neighbours, the mean over trainings; nothing if there is no such.

    Tables of their own, one a site, and those by configurations are too many for a table to read.
    """
    if not policy.agent.shared or policy.view.channel is None:
        return ""
    shown = policy.temperature[:_ROWS]
    up = policy.compile(policy.model, shown, policy.chains).up[:, 0, 0]
    up = up.reshape(len(shown), policy.chains, -1).mean(axis=1)
    rows = [(f"{t:g}", values) for t, values in zip(shown, up, strict=True)]
    columns = [f"{n:g}" for n in np.asarray(policy.model.lattice.n_up)]
    note = f"P(up), first {_ROWS} temperatures" if len(policy.temperature) > _ROWS else "P(up)"
    return grid(f"{note}: T, neighbours up", columns, rows)
