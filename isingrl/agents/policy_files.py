"""Policies on disk: a folder with JSON and safetensors."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import xarray as xr

from isingrl.agents.agent import KINDS, Agent, ways
from isingrl.agents.network import Network
from isingrl.agents.policy import Policy, assemble
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.support.archives import Arrays, foreign, part, read_archive, write_archive
from isingrl.support.kinds import check_name, kind_named

_FORMAT = "isingrl-policy-2"
_PARAMETER, _AGENT = "parameter.", "agent."
_PLURALS = {"channel": "chances of a state", "softmax_temperature": "softmax temperatures"}
_ROUNDING = 1e-9  # of what other versions of NumPy may compute
_NAME = "policy"


def write(policy: Policy, path: str | os.PathLike[str]) -> None:
    """See `Policy.save`."""
    check_name(type(policy.agent))
    lattice = policy.model.lattice
    settings = {
        "format": _FORMAT,
        "lattice": {
            "shape": list(lattice.shape),
            "neighborhood": lattice.neighborhood,
            "boundary": lattice.boundary,
        },
        "coupling": policy.model.coupling,
        "field": policy.model.field,
        "agent": {"name": policy.agent.name, **policy.agent.settings()},
        "chains": policy.chains,
    }
    data = _variables(policy)
    arrays = {str(name): data[name].values for name in (*data.data_vars, "temperature")}
    if "snapshot" in data.coords:
        arrays["snapshot"] = data["snapshot"].values
    arrays |= {f"{_PARAMETER}{name}": values for name, values in policy.parameters.items()}
    arrays |= {f"{_AGENT}{name}": values for name, values in _ways(policy).items()}
    write_archive(path, _NAME, settings, arrays)


def read(path: str | os.PathLike[str]) -> Policy:
    """See `Policy.load`."""
    settings, arrays = read_archive(path, _NAME, _FORMAT, "policy")
    with foreign(path, "policy"):
        model = Ising(Lattice(**settings["lattice"]), settings["coupling"], settings["field"])
        temperature = arrays.pop("temperature")
        parameters = {
            name.removeprefix(_PARAMETER): arrays.pop(name)
            for name in sorted(arrays)
            if name.startswith(_PARAMETER)
        }
        ways = part(arrays, _AGENT)
        arrays = {name: values for name, values in arrays.items() if not name.startswith(_AGENT)}
        agent = _agent(settings["agent"])
        policy = assemble(model, agent, temperature, settings["chains"], arrays, parameters)
        data = _variables(policy)
        for name, values in arrays.items():
            if values.shape != data[name].shape:
                expected = data[name].shape
                raise ValueError(f"{name} must have the shape {expected}; got {values.shape}")
        _check_ways(policy, ways)
        return policy


def _variables(policy: Policy) -> xr.Dataset:
    return policy.history.assign(q_values=policy.q_values, visits=policy.visits)


def _ways(policy: Policy) -> Arrays:
    return ways(policy.agent, policy.model, policy.temperature)


def _check_ways(policy: Policy, trained: Arrays) -> None:
    """Refuse agents that do not see, or are not paid, what they were when they were trained."""
    now = _ways(policy) if trained else {}  # files of before have none
    for name in now | trained:
        if name in now and name in trained:
            old, new = trained[name], now[name]
            if old.shape == new.shape and np.allclose(old, new, rtol=_ROUNDING, atol=_ROUNDING):
                continue
        raise ValueError(
            f"its agents were trained with other {_PLURALS.get(name, name)}; the class "
            f"{type(policy.agent).__name__} or the reward {policy.agent.reward!r} has changed "
            "since"
        )


def _agent(settings: dict[str, Any]) -> Agent:
    arguments: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()
    }
    kind = kind_named(arguments.pop("name"), KINDS, "agent")
    if arguments["network"] is not None:
        arguments["network"] = Network(**arguments["network"])
    agent: Agent = kind(**arguments)
    return agent
