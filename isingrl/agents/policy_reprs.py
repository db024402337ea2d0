"""Text and HTML that describe a policy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl.agents.agent import Agent
from isingrl.agents.rewards import reward_name
from isingrl.disorder import RandomBonds
from isingrl.model import Ising
from isingrl.spin_model import Model
from isingrl.support.reprs import grid, neighborhood_name, numbers, sides, table, titled

ROWS = 12
"""Temperatures that are shown, at most."""


def text(agent: Agent, facts: list[tuple[str, str]]) -> str:
    """Agents, model, temperatures and training, a line each."""
    lines = [f"{name}: {value}" for name, value in facts]
    return f"<Policy of {agent!r}\n  " + "\n  ".join(lines) + ">"


def html(agent: Agent, facts: list[tuple[str, str]], chances: str) -> str:
    """The same as an HTML table, beside the table `chances` of the probabilities of spin up."""
    reward = f"{reward_name(agent.reward)} = {agent.reward_function.formula}"
    rows = table([("agents", repr(agent)), ("reward", reward), *facts])
    return titled(f"Policy, {agent.name}", rows, chances)


def facts(
    model: Model, q_values: xr.DataArray, exact: bool, sweeps: int, chains: int
) -> list[tuple[str, str]]:
    """Facts about a policy, by name."""
    lattice, kind = model.lattice, "exact" if exact else "approximate"
    states = "" if isinstance(model, Ising) else f"{model.n_spin_states} states, "
    couplings = repr(model.coupling)
    if not isinstance(model.coupling, RandomBonds):
        couplings = numbers(np.atleast_1d(model.coupling))
    trainings = f", {chains} trainings at each temperature" if chains > 1 else ""
    tau, dims = q_values["softmax_temperature"].values, ", ".join(map(str, q_values.dims))
    return [
        (
            "model",
            f"{sides(lattice.shape)} sites, {neighborhood_name(lattice.neighborhood)} neighbours, "
            f"{lattice.boundary}, {states}J = {couplings}, h = {model.field:g}",
        ),
        ("temperature", f"{numbers(q_values['temperature'].values)} J/k_B"),
        ("softmax temperature", f"{numbers(tau)} ({kind} map)"),
        ("learned", f"{sweeps:,} sweeps{trainings}"),
        ("action values", f"over ({dims})"),
    ]


def chances(
    n_up: npt.NDArray[np.float64],
    temperature: npt.NDArray[np.float64],
    up: npt.NDArray[np.float64],
) -> str:
    """Table of P(up) by the number of up neighbours, the mean over trainings.

    `up` has the shape (n_shown, chains, n_states) and belongs to the first temperatures.
    """
    rows = [(f"{t:g}", row) for t, row in zip(temperature, up.mean(axis=1), strict=False)]
    note = f"P(up), first {len(up)} temperatures" if len(temperature) > len(up) else "P(up)"
    return grid(f"{note}: T, neighbours up", [f"{n:g}" for n in n_up], rows)
