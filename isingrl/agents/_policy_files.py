"""Policies on disk: a folder with JSON and safetensors."""

from __future__ import annotations

import os
from typing import Any

import xarray as xr

from isingrl._archives import foreign, read_archive, write_archive
from isingrl.agents.agent import Agent
from isingrl.agents.independent_q import IndependentQ
from isingrl.agents.joint_q import JointQ
from isingrl.agents.mean_field_q import MeanFieldQ
from isingrl.agents.neighborhood_q import NeighborhoodQ
from isingrl.agents.network import Network
from isingrl.agents.policy import Policy, assemble
from isingrl.lattice import Lattice
from isingrl.model import Ising

_FORMAT = "isingrl-policy-2"
_AGENTS: dict[str, type[Agent]] = {
    agent.name: agent for agent in (IndependentQ, NeighborhoodQ, MeanFieldQ, JointQ)
}
_PARAMETER = "parameter."
_NAME = "policy"


def write(policy: Policy, path: str | os.PathLike[str]) -> None:
    """See `Policy.save`."""
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
        agent = _agent(settings["agent"])
        policy = assemble(model, agent, temperature, settings["chains"], arrays, parameters)
        data = _variables(policy)
        for name, values in arrays.items():
            if values.shape != data[name].shape:
                expected = data[name].shape
                raise ValueError(f"{name} must have the shape {expected}; got {values.shape}")
        return policy


def _variables(policy: Policy) -> xr.Dataset:
    return policy.history.assign(q_values=policy.q_values, visits=policy.visits)


def _agent(settings: dict[str, Any]) -> Agent:
    arguments = dict(settings)
    name = arguments.pop("name")
    if name not in _AGENTS:
        raise ValueError(f"its agent is {name!r}, not one of {', '.join(_AGENTS)}")
    if arguments["network"] is not None:
        arguments["network"] = Network(**arguments["network"])
    return _AGENTS[name](**arguments)
