"""Policies on disk: a folder with JSON and safetensors."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

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
_SETTINGS, _DATA = "policy.json", "policy.safetensors"


def write(policy: Policy, path: str | os.PathLike[str]) -> None:
    """See `Policy.save`."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
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
    contiguous = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        data_file, settings_file = (Path(scratch) / name for name in (_DATA, _SETTINGS))
        save_file(contiguous, data_file, metadata={"settings": json.dumps(settings)})
        text = json.dumps(settings | {"sha256": _digest(data_file)}, indent=2)
        settings_file.write_text(text, encoding="utf-8")
        for file in (data_file, settings_file):
            file.replace(folder / file.name)


def read(path: str | os.PathLike[str]) -> Policy:
    """See `Policy.load`."""
    folder = Path(path)
    for name in (_SETTINGS, _DATA):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"path must be a policy folder; {folder} has no {name}")
    try:
        settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
        if settings["sha256"] != _digest(folder / _DATA):
            # A save that was cut short between its two files: the first holds all.
            settings = _settings_within(folder / _DATA)
        if settings["format"] != _FORMAT:
            raise ValueError(f"its format is {settings['format']!r}, not {_FORMAT!r}")
        model = Ising(Lattice(**settings["lattice"]), settings["coupling"], settings["field"])
        arrays = load_file(folder / _DATA)
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
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"path must be a policy folder; {folder} is none: {error}") from error


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _settings_within(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
    settings: dict[str, Any] = json.loads(metadata["settings"])
    return settings


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
