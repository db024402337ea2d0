"""What agents have learned: a rule like any other, with its history, to keep in a folder."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from scipy.special import expit

from isingrl._validation import check_temperature
from isingrl.agents.mean_field_q import MeanFieldQ
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.rules import Rule

_FORMAT = "isingrl-policy-1"
_DIMS = {
    "q_values": ("temperature", "n_up", "action"),
    "visits": ("temperature", "n_up", "action"),
    "q": ("temperature", "sweep", "n_up", "action"),
    "reward": ("temperature", "sweep"),
    "magnetization": ("temperature", "sweep"),
}


@dataclass(frozen=True, eq=False)
class Policy(Rule):
    """A trained rule, one table a temperature.

    Attributes
    ----------
    model : Ising
        What it was trained on; it runs on any lattice with the same neighbours.
    agent : MeanFieldQ
    q_values : DataArray, dims (temperature, n_up, action), in the units of the reward
        Coordinates: ``n_up``, the number of up neighbours (a missing neighbour of a free
        boundary counts one half), and ``action``, "down" and "up".
    visits : DataArray, dims as `q_values`
        How often each entry was learned; an entry at 0 was never met and decides by a coin.
    history : Dataset, dims (temperature, sweep, …)
        ``q``, ``reward`` and ``magnetization`` after every learning sweep.
    """

    model: Ising
    agent: MeanFieldQ
    q_values: xr.DataArray
    visits: xr.DataArray
    history: xr.Dataset

    @property
    def name(self) -> str:
        """Name of the method."""
        return self.agent.name

    @property
    def temperature(self) -> npt.NDArray[np.float64]:
        """Physical temperatures that it was trained at, in J/k_B, shape (n_temperatures,)."""
        return np.asarray(self.q_values["temperature"].values, dtype=np.float64)

    @property
    def exact_temperature(self) -> bool:
        """Whether τ stands for T exactly; if not, T is what small local fields would show."""
        return self.agent.exact_temperature

    def table(self, model: Ising, temperature: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """See `Rule.table`; at temperatures that it was trained at."""
        self._check_model(model)
        chosen = self.q_values.sel(temperature=temperature).values
        tau = self.softmax_temperature(model, temperature)[:, None]
        advantage = chosen[..., 1] - chosen[..., 0]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            up = expit(advantage / tau)
        up = np.where((advantage == 0) | np.isinf(tau), 0.5, up)
        return np.stack([up, up], axis=1)

    def temperatures(self, model: Ising, temperature: Any) -> npt.NDArray[np.float64]:
        """Check the temperatures asked for; the default is all that it was trained at.

        Raises
        ------
        TypeError, ValueError
            If it was not trained at a temperature or has other neighbours than `model`.
        """
        self._check_model(model)
        if temperature is None:
            return self.temperature
        asked = check_temperature(temperature)
        unknown = asked[~np.isin(asked, self.temperature)]
        if unknown.size:
            raise ValueError(
                f"temperature must be among those the policy was trained at, "
                f"{self.temperature.tolist()}; got {unknown[0]!s}"
            )
        return asked

    def softmax_temperature(
        self, model: Ising, temperature: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """τ at physical temperatures, in the units of the reward."""
        return softmax_temperature(self.agent, model, temperature)

    def describe(self) -> dict[str, Any]:
        """What of the rule a Dataset's attributes keep."""
        return {
            "rule": self.name,
            "agent": json.dumps(self.agent.settings()),
            "temperature_map": "exact" if self.exact_temperature else "approximate",
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the policy to a folder: ``policy.json`` and ``policy.safetensors``.

        Both files are written under temporary names first, so that a failure leaves an earlier
        policy in that folder whole.
        """
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        lattice = self.model.lattice
        settings = {
            "format": _FORMAT,
            "lattice": {
                "shape": list(lattice.shape),
                "neighborhood": lattice.neighborhood,
                "boundary": lattice.boundary,
            },
            "coupling": self.model.coupling,
            "field": self.model.field,
            "agent": {"name": self.agent.name, **self.agent.settings()},
        }
        arrays = {str(name): np.ascontiguousarray(values) for name, values in self.history.items()}
        arrays["q_values"] = np.ascontiguousarray(self.q_values.values)
        arrays["visits"] = np.ascontiguousarray(self.visits.values)
        arrays["temperature"] = self.temperature
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            save_file(arrays, Path(scratch) / "policy.safetensors")
            text = json.dumps(settings, indent=2)
            (Path(scratch) / "policy.json").write_text(text, encoding="utf-8")
            for name in ("policy.safetensors", "policy.json"):
                (Path(scratch) / name).replace(folder / name)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Policy:
        """Read a policy from the folder that `save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such policy.
        ValueError
            If the files are truncated or no policy of this format.
        """
        folder = Path(path)
        for name in ("policy.json", "policy.safetensors"):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"path must be a policy folder; {folder} has no {name}")
        try:
            settings = json.loads((folder / "policy.json").read_text(encoding="utf-8"))
            if settings["format"] != _FORMAT:
                raise ValueError(f"its format is {settings['format']!r}, not {_FORMAT!r}")
            agent = dict(settings["agent"])
            if agent.pop("name") != MeanFieldQ.name:
                raise ValueError(f"unknown agent {settings['agent']!r}")
            lattice = Lattice(**settings["lattice"])
            model = Ising(lattice, settings["coupling"], settings["field"])
            arrays = load_file(folder / "policy.safetensors")
            return assemble(model, MeanFieldQ(**agent), arrays.pop("temperature"), arrays)
        except (SafetensorError, ValueError, LookupError, TypeError) as error:
            raise ValueError(f"path must be a policy folder; {folder} is none: {error}") from error

    def _check_model(self, model: Ising) -> None:
        trained, asked = self.model.lattice, model.lattice
        for given, own, what in (
            (asked.neighborhood, trained.neighborhood, "neighborhood"),
            (asked.ndim, trained.ndim, "number of dimensions"),
            (asked.boundary, trained.boundary, "boundary"),
            (model.coupling, self.model.coupling, "coupling"),
            (model.field, self.model.field, "field"),
        ):
            if given != own:
                raise ValueError(
                    f"model must have the {what} that the policy was trained with, {own!r}; "
                    f"got {given!r}"
                )


def softmax_temperature(
    agent: MeanFieldQ, model: Ising, temperature: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """τ that the agent's reward needs for physical temperatures."""
    return temperature / agent.reward_function.temperature_ratio(model)


def assemble(
    model: Ising,
    agent: MeanFieldQ,
    temperature: npt.NDArray[np.float64],
    arrays: dict[str, npt.NDArray[Any]],
) -> Policy:
    """Make a policy from its arrays, with the dimensions of `_DIMS`."""
    n_up = model.lattice.n_up
    sizes = {"temperature": len(temperature), "n_up": len(n_up), "action": 2}
    sizes["sweep"] = arrays["reward"].shape[1]
    for name, dims in _DIMS.items():
        expected = tuple(sizes[dim] for dim in dims)
        if arrays[name].shape != expected:
            raise ValueError(f"{name} must have shape {expected}; got {arrays[name].shape}")
    tau = softmax_temperature(agent, model, temperature)
    coords: dict[str, Any] = {
        "temperature": (
            "temperature",
            temperature,
            {"long_name": "temperature", "units": "J/k_B"},
        ),
        "softmax_temperature": ("temperature", tau, {"long_name": "softmax temperature"}),
        "n_up": ("n_up", n_up, {"long_name": "number of up neighbours"}),
        "action": ("action", ["down", "up"]),
        "sweep": ("sweep", np.arange(1, sizes["sweep"] + 1), {"long_name": "learning sweep"}),
    }
    labels = {
        "q_values": "action value",
        "visits": "number of updates",
        "q": "action value",
        "reward": "mean reward of an agent",
        "magnetization": "magnetization per site",
    }
    data = xr.Dataset(
        {name: (dims, arrays[name], {"long_name": labels[name]}) for name, dims in _DIMS.items()},
        coords=coords,
    )
    q_values, visits = data["q_values"], data["visits"]
    return Policy(model, agent, q_values, visits, data[["q", "reward", "magnetization"]])
