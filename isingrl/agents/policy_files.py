"""Policies on disk: a folder with JSON and safetensors."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from isingrl.agents.agent import KINDS, Agent, ways
from isingrl.agents.network import Network
from isingrl.agents.policy_arrays import Array, labelled
from isingrl.agents.rewards import Reward, reward_name
from isingrl.disorder import RandomBonds
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.potts import Potts
from isingrl.spin_model import Model
from isingrl.support.archives import (
    Arrays,
    foreign,
    part,
    prefixed,
    read_archive,
    write_archive,
)
from isingrl.support.kinds import check_name, kind_named

_FORMAT = "isingrl-policy-2"
_PARAMETER, _AGENT = "parameter.", "agent."
_PLURALS = {"channel": "chances of a state", "softmax_temperature": "softmax temperatures"}
_ROUNDING = 1e-9  # by which versions of NumPy may differ
_NAME = "policy"
_BONDS = "bonds"


def write(
    path: str | os.PathLike[str],
    model: Model,
    agent: Agent,
    chains: int,
    data: xr.Dataset,
    parameters: dict[str, Array],
) -> None:
    """See `Policy.save`; the data are those of `labelled`."""
    check_name(type(agent))
    settings = {
        "format": _FORMAT,
        "lattice": asdict(model.lattice),
        **({"states": model.states} if isinstance(model, Potts) else {}),
        "coupling": None if isinstance(model.coupling, RandomBonds) else model.coupling,
        "field": model.field,
        "agent": {"name": agent.name, **agent.settings()},
        "chains": chains,
    }
    temperature = data["temperature"].values
    arrays = {str(name): data[name].values for name in (*data.data_vars, "temperature")}
    if "snapshot" in data.coords:
        arrays["snapshot"] = data["snapshot"].values
    arrays |= prefixed(_PARAMETER, parameters) | prefixed(_AGENT, ways(agent, model, temperature))
    if isinstance(model.coupling, RandomBonds):
        arrays[_BONDS] = model.coupling.couplings
    write_archive(path, _NAME, settings, arrays)


def read(
    path: str | os.PathLike[str], agents: Iterable[type[Agent]], rewards: Iterable[Reward]
) -> tuple[Model, Agent, xr.Dataset, dict[str, Array]]:
    """See `Policy.load`: model, agent, data as of `labelled`, and parameters of networks."""
    settings, arrays = read_archive(path, _NAME, _FORMAT, "policy")
    with foreign(path, "policy"):
        of_model = {
            name: settings[name] for name in ("states", "coupling", "field") if name in settings
        }
        kind, lattice = Potts if "states" in settings else Ising, Lattice(**settings["lattice"])
        if of_model["coupling"] is None:
            of_model["coupling"] = RandomBonds(lattice, arrays.pop(_BONDS))
        model = kind(lattice, **of_model)
        temperature = arrays.pop("temperature")
        parameters, trained = part(arrays, _PARAMETER), part(arrays, _AGENT)
        own = (_PARAMETER, _AGENT)
        arrays = {name: values for name, values in arrays.items() if not name.startswith(own)}
        agent = _agent(settings["agent"], agents, rewards)
        data = labelled(model, agent, temperature, settings["chains"], arrays, parameters)
        for name, values in arrays.items():
            if values.shape != data[name].shape:
                expected = data[name].shape
                raise ValueError(f"{name} must have the shape {expected}; got {values.shape}")
        if trained:  # files of older releases lack these arrays
            _check_ways(agent, trained, ways(agent, model, data["temperature"].values))
        return model, agent, data, parameters


def _check_ways(agent: Agent, trained: Arrays, now: Arrays) -> None:
    """Refuse agents with other views or rewards than in the training."""
    for name in now | trained:
        if name in now and name in trained:
            old, new = trained[name], now[name]
            if old.shape == new.shape and np.allclose(old, new, rtol=_ROUNDING, atol=_ROUNDING):
                continue
        raise ValueError(
            f"its agents were trained with other {_PLURALS.get(name, name)}; the class "
            f"{type(agent).__name__} or the reward {reward_name(agent.reward)!r} has changed since"
        )


def _agent(
    settings: dict[str, Any], agents: Iterable[type[Agent]], rewards: Iterable[Reward]
) -> Agent:
    arguments: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()
    }
    kind = kind_named(arguments.pop("name"), KINDS, "agent", agents)
    if arguments["network"] is not None:
        arguments["network"] = Network(**arguments["network"])
    own = {reward.formula: reward for reward in rewards}
    if arguments.get("reward") in own:
        arguments["reward"] = own[arguments["reward"]]
    agent: Agent = kind(**arguments)
    return agent
