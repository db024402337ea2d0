"""Runs of the study of the Potts model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from isingrl import HeatBath, IndependentQ, Lattice, Learning, MeanFieldQ, Potts, simulate
from studies._potts_numbers import ORDERED, value_error, weiss_temperatures
from studies.running.tasks import task_seed
from studies.shared.combination import by_point
from studies.shared.grids import FloatArray
from studies.shared.trained_policies import learn_and_simulate, trained

BEFORE = 4
"""How many times as many measured sweeps as sweeps before."""

_DRAWS = 400  # kept of a chain of independent Q


def simulated(
    config: Any,
    states: int,
    method: str,
    side: int,
    temperature: Any,
    start: Any,
    sweeps: int,
    chains: int,
    *,
    interval: int = 1,
    **about: Any,
) -> xr.Dataset:
    """Train, if the method learns, and simulate."""
    rule: Any = HeatBath() if method == HeatBath.name else MeanFieldQ()
    data, rule = learn_and_simulate(
        Potts(Lattice((side, side)), states), rule, temperature,
        training={"sweeps": config.training_sweeps}, start=start, sweeps=sweeps,
        thermalization=max(1, sweeps // BEFORE), interval=interval, chains=chains, **about,
    )  # fmt: skip
    error = 0.0 if method == HeatBath.name else value_error(rule.q_values)
    label = {"long_name": "largest error of action values", "units": "J"}
    return _kept(data).assign(value_error=((), error, label))


def learned(
    config: Any,
    states: int,
    start: str,
    temperature: FloatArray,
    side: int,
    memories: int,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Bring agents that learn slowly to each temperature, and let them learn there for long.

    From order the temperature rises from where order alone is stable; else it falls from twice the
    largest one.
    """
    model = Potts(Lattice((side, side)), states)
    agent = IndependentQ(learning_rate=1 / (config.memory * side**2))
    sweeps = round(memories * config.memory)
    before = sweeps // BEFORE
    lower, *_ = weiss_temperatures(states)
    begin = 0.9 * lower if start == ORDERED else 2 * temperature.max()
    passed = np.arange(1, before + 1) / before
    ramp = begin + (temperature[:, None] - begin) * passed  # the reward is minus the energy
    policy = trained(
        folder and folder / "policy", model, agent, temperature, sweeps=before, annealing=ramp,
        start=start, seed=task_seed(seed, "learning"), progress=progress,
    )  # fmt: skip
    data = simulate(
        model, Learning(policy), temperature, sweeps=sweeps, interval=max(1, sweeps // _DRAWS),
        start=start, seed=task_seed(seed, "running"), out=folder and folder / "run",
        progress=progress,
    )  # fmt: skip
    return _kept(data).assign_coords(start=start)


def _kept(data: xr.Dataset) -> xr.Dataset:
    data.attrs = {"versions": data.attrs["versions"]}
    kept = data[["energy", "order_parameter"]].drop_vars("softmax_temperature", errors="ignore")
    return by_point(kept)
