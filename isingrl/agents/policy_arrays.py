"""Dims, coordinates and labels for the arrays of a policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl.agents.agent import Agent
from isingrl.agents.network import Network
from isingrl.agents.temperatures import softmax_temperatures
from isingrl.agents.view import View, view_of
from isingrl.model import Ising
from isingrl.spin_model import Model
from isingrl.support.validation import check_integer, check_temperature

Array = npt.NDArray[np.float64]


def labelled(
    model: Model,
    agent: Agent,
    temperature: Array,
    chains: int,
    arrays: Mapping[str, npt.NDArray[Any]],
    parameters: Mapping[str, Array],
) -> xr.Dataset:
    """Label the arrays of a policy and its history; refuse a missing, unknown or unfit array.

    `arrays` are the variables by name, and ``snapshot`` if there are snapshots; axes of length 1
    may be left out or added. `parameters` of networks are only checked.
    """
    view, lattice = view_of(agent, model), model.lattice
    temperature = check_temperature(temperature)
    chains = check_integer("chains", chains, 1)
    _check_parameters(agent, view, (len(temperature), chains), model, parameters)
    coords = _coords(model, agent, view, temperature, chains)
    n_sweeps = arrays["reward"].size // (len(temperature) * chains)
    coords["sweep"] = ("sweep", np.arange(1, n_sweeps + 1), {"long_name": "learning sweep"})
    if "snapshot" in arrays:
        label = {"long_name": "learning sweep at which the state was kept"}
        coords["snapshot"] = ("snapshot", np.asarray(arrays["snapshot"]), label)
    replica = ("temperature", "chain") if chains > 1 else ("temperature",)
    sites = () if agent.shared else ("site",)
    values = (*sites, *(() if view.dim is None else (view.dim,)), "action")
    axes = ("x", "y", "z")[: lattice.ndim]
    dims = {
        "q_values": (*replica, *values),
        "visits": (*replica, *values),
        "reward": (*replica, "sweep"),
        "loss": (*replica, "sweep"),
        model.order_name: (*replica, "sweep"),
    }
    if "snapshot" in arrays:
        dims |= {
            "q": (*replica, "snapshot", *values),
            "site_loss": (*replica, "snapshot", *sites),
            "spins": (*replica, "snapshot", *axes),
        }
    if dims.keys() != arrays.keys() - {"snapshot"}:
        raise ValueError(f"its arrays must be {sorted(dims)}; got {sorted(arrays)}")
    sizes = dict(zip(axes, lattice.shape, strict=True)) | {
        name: len(coord[1] if isinstance(coord, tuple) else coord) for name, coord in coords.items()
    }
    data = xr.Dataset(coords=coords)
    for name, names in dims.items():
        shape = tuple(sizes[dim] for dim in names)
        if arrays[name].size != np.prod(shape, dtype=int):
            raise ValueError(f"{name} must have the shape {shape}; got {arrays[name].shape}")
        data[name] = (names, arrays[name].reshape(shape), {"long_name": _LABELS[name]})
    return data


def _check_parameters(
    agent: Agent,
    view: View,
    replicas: tuple[int, int],
    model: Model,
    parameters: Mapping[str, npt.NDArray[Any]],
) -> None:
    expected: dict[str, tuple[int, ...]] = {}
    if isinstance(agent.network, Network):
        length = view.n_states if view.inputs is None else view.inputs.shape[1]
        tables = (*replicas, 1 if agent.shared else model.lattice.n_sites)
        shapes = agent.network.parameter_shapes(length, model.n_spin_states)
        expected = {name: (*tables, *shape) for name, shape in shapes.items()}
    found = {name: values.shape for name, values in parameters.items()}
    if found != expected:
        raise ValueError(f"parameters must have the shapes {expected}; got {found}")


def _coords(
    model: Model, agent: Agent, view: View, temperature: Array, chains: int
) -> dict[str, Any]:
    """Coordinates of action values."""
    tau = softmax_temperatures(agent, model, temperature)
    actions = ["down", "up"] if isinstance(model, Ising) else np.arange(model.n_spin_states)
    coords: dict[str, Any] = {
        "temperature": ("temperature", temperature, {"long_name": "temperature", "units": "J/k_B"}),
        "softmax_temperature": ("temperature", tau, {"long_name": "softmax temperature"}),
        "action": ("action", actions),
    }
    if chains > 1:
        coords["chain"] = ("chain", np.arange(chains))
    if not agent.shared:
        coords["site"] = ("site", np.arange(model.lattice.n_sites), {"long_name": "site"})
    if view.dim is not None:
        coords[view.dim] = (view.dim, view.states, {"long_name": _LABELS[view.dim]})
    return coords


_LABELS = {
    "n_up": "number of up neighbours",
    "n_up_seen": "number of up neighbours among those seen",
    "configuration": "configuration of the sites seen",
    "neighbor_states": "neighbours in each state",
    "neighbor_states_seen": "neighbours in each state among those seen",
    "q_values": "action value",
    "visits": "number of updates",
    "q": "action value",
    "reward": "mean reward of an agent",
    "loss": "mean squared error of the action values",
    "site_loss": "squared error of the action values",
    "magnetization": "magnetization per site",
    "order_parameter": "order parameter",
    "spins": "spin",
}
