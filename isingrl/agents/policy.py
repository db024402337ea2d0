"""What agents have learned: a rule like any other, with its history."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from isingrl.agents.agent import Agent
from isingrl.agents.network import Network
from isingrl.agents.temperatures import departures_on, mismatch, softmax_temperatures
from isingrl.agents.view import View, view_of
from isingrl.applicability import check_same_model, choose_temperatures, temperature_indices
from isingrl.model import Ising
from isingrl.rules import Rule
from isingrl.support.validation import check_integer, check_temperature
from isingrl.tables import RuleTable

__all__ = ["Policy", "assemble"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Policy(Rule):
    """A trained rule for every temperature.

    Attributes
    ----------
    model : Ising
        What it was trained on. Where one table serves all sites it runs on any lattice with the
        same neighbours, else on lattices of the same shape.
    agent : Agent
        Who learned.
    q_values : DataArray, dims (temperature[, chain][, site][, state], action)
        In the units of the reward. ``chain`` is there where several were trained at every
        temperature, ``site`` where each has its own table; the state is ``n_up``, the number of up
        neighbours (a missing neighbour of a free boundary counts one half), ``n_up_seen`` of
        those that are seen, ``configuration`` of the sites that are seen, or not there for agents
        that see nothing. ``action`` is "down" and "up".
    visits : DataArray, dims as `q_values`
        How often each entry was learned; an entry of a table at 0 was never met and decides by a
        coin.
    history : Dataset
        ``reward`` and ``loss`` (0 while nothing was learned yet), means over agents, and
        ``magnetization``, over (temperature[, chain], sweep). With snapshots ``q``, ``spins`` and
        ``site_loss``, also over ``snapshot``.
    parameters : dict of arrays
        Weights and biases of networks, the first axes (temperature, chain, table).

    Examples
    --------
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> policy = irl.train(model, irl.MeanFieldQ(reward="mean"), [2.0, 3.0], sweeps=100, seed=1)
    >>> policy.temperature.tolist(), policy.q_values.softmax_temperature.values.tolist()
    ([2.0, 3.0], [0.5, 0.75])
    >>> data = irl.simulate(irl.Ising(irl.Lattice((16, 16))), policy, sweeps=10, seed=2)
    >>> dict(data.sizes)
    {'temperature': 2, 'chain': 1, 'draw': 10}
    """

    model: Ising
    agent: Agent
    q_values: xr.DataArray
    visits: xr.DataArray
    history: xr.Dataset
    parameters: dict[str, Array] = field(default_factory=dict)

    def __repr__(self) -> str:
        from isingrl.agents import policy_reprs

        return policy_reprs.text(self)

    def _repr_html_(self) -> str:
        """Agents, temperatures and the probabilities of spin up, for notebooks."""
        from isingrl.agents import policy_reprs

        return policy_reprs.html(self)

    @property
    def name(self) -> str:
        """Name of the method."""
        return self.agent.name

    @property
    def temperature(self) -> Array:
        """Physical temperatures that it was trained at, in J/k_B, shape (n_temperatures,)."""
        return np.asarray(self.q_values["temperature"].values, dtype=np.float64)

    @property
    def chains(self) -> int:
        """Number of trainings at every temperature."""
        return int(self.q_values.sizes.get("chain", 1))

    @property
    def exact_temperature(self) -> bool:
        """Whether τ stands for T exactly; if not, T is what small local fields would show.

        It does not where entries were never visited, because they decide by a coin, nor if the
        reward is no multiple of the energy though it says so.
        """
        exact = self.agent.exact_temperature and not mismatch(self.agent, self.model)
        return exact and not self.unvisited

    @property
    def unvisited(self) -> int:
        """Number of entries that were never learned, of tables; 0 for networks."""
        return 0 if self.agent.network is not None else int((self.visits == 0).sum())

    @cached_property
    def view(self) -> View:
        """What its agents see on the lattice that it was trained on."""
        return view_of(self.agent, self.model.lattice)

    def table(self, model: Ising, temperature: Array) -> Array:
        """See `Rule.table`; at temperatures that it was trained at.

        Parameters
        ----------
        model : Ising
            With the neighbours that it was trained with.
        temperature : ndarray, shape (n_temperatures,)
            In J/k_B.

        Returns
        -------
        ndarray, shape (n_temperatures, 2, n_states)
            P(up) for own spin down and up, and for each entry of ``model.lattice.n_up``.

        Raises
        ------
        ValueError
            If there is no one table by the number of up neighbours: agents of several chains or
            with tables of their own, or that see configurations. `Rule.compile` makes those.

        Examples
        --------
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((8, 8)))
        >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
        >>> policy.table(model, policy.temperature)[0, 0].round(3).tolist()
        [0.018, 0.119, 0.5, 0.881, 0.982]
        """
        compiled = self.compile(model, temperature, self.chains)
        if not compiled.counted or self.chains > 1:
            raise ValueError(
                f"policy must have one table by the number of up neighbours; {self.name} has "
                f"q_values over {self.q_values.dims}: use compile"
            )
        return np.asarray(compiled.up[:, 0])

    def compile(self, model: Ising, temperature: Array, chains: int = 1) -> RuleTable:
        """See `Rule.compile`.

        Parameters
        ----------
        model : Ising
            With the neighbours that it was trained with.
        temperature : ndarray, shape (n_temperatures,)
            In J/k_B.
        chains : int
            At every temperature.

        Returns
        -------
        RuleTable
            Of ``n_temperatures * chains`` chains.

        Raises
        ------
        ValueError
            If several chains were trained, and not as many as are asked for, or the model has
            other neighbours.

        Examples
        --------
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((8, 8)))
        >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
        >>> policy.compile(model, policy.temperature, chains=4).up.shape
        (8, 1, 2, 5)
        """
        self.check_model(model)
        self.check_chains(chains)
        up = self._chances(model, temperature)
        channel = self.view.channel
        if channel is not None:
            up = up @ channel.T
        if self.chains == 1:
            up = np.repeat(up, chains, axis=1)
        up = up.reshape(-1, *up.shape[2:])
        sites = None if channel is not None else view_of(self.agent, model.lattice).sites
        return RuleTable(np.stack([up, up], axis=-2), sites)

    def knowledge(self, temperature: Array, chains: int) -> dict[str, npt.NDArray[Any]]:
        """Return what agents that go on learning at these temperatures begin with.

        Parameters
        ----------
        temperature : ndarray, shape (n_temperatures,)
            In J/k_B, of those that it was trained at.
        chains : int
            At every temperature.

        Returns
        -------
        dict of arrays
            ``q`` and ``visits`` of tables, or the parameters of networks, the first axes
            (n_temperatures * chains, n_tables).

        Raises
        ------
        ValueError
            If several chains were trained, and not as many as are asked for.

        Examples
        --------
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((8, 8)))
        >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
        >>> policy.knowledge(policy.temperature, chains=4)["q"].shape
        (8, 1, 5, 2)
        """
        self.check_chains(chains)
        chosen = self._indices(temperature)
        if self.agent.network is not None:
            arrays = dict(self.parameters)
        else:
            arrays = {
                name: self._plain(values)
                for name, values in (("q", self.q_values), ("visits", self.visits))
            }
        begin = {}
        for name, values in arrays.items():
            repeated = np.repeat(values[chosen], chains // values.shape[1], axis=1)
            first = 3 if self.agent.network is not None else 2
            begin[name] = repeated.reshape(-1, *repeated.shape[first:])
        return begin

    def temperatures(self, model: Ising, temperature: Any) -> Array:
        """Check the temperatures asked for; the default is all that it was trained at.

        Parameters
        ----------
        model : Ising
            With the neighbours that it was trained with.
        temperature : float or sequence of float, optional
            In J/k_B; None for all.

        Returns
        -------
        ndarray, shape (n_temperatures,)
            In J/k_B.

        Raises
        ------
        TypeError, ValueError
            If it was not trained at a temperature or has other neighbours than `model`.

        Examples
        --------
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((8, 8)))
        >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
        >>> policy.temperatures(model, None).tolist()
        [2.0, 3.0]
        >>> policy.temperatures(model, 2.5)
        Traceback (most recent call last):
            ...
        ValueError: temperature must be among those the policy was trained at, [2.0, ...
        """
        for each in model.each_field:
            self.check_model(each)
        return choose_temperatures(temperature, self.temperature)

    def softmax_temperature(self, model: Ising, temperature: Array) -> Array:
        """Softmax temperature τ at physical temperatures.

        Parameters
        ----------
        model : Ising
            What the reward is paid by.
        temperature : ndarray, shape (n_temperatures,)
            In J/k_B.

        Returns
        -------
        ndarray, shape (n_temperatures,)
            In the units of the reward.

        Examples
        --------
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((8, 8)))
        >>> policy = irl.train(model, irl.MeanFieldQ(reward="mean"), [2.0, 3.0], sweeps=100, seed=1)
        >>> policy.softmax_temperature(model, policy.temperature).tolist()
        [0.5, 0.75]
        """
        return softmax_temperatures(self.agent, model, temperature)

    def departures(self, model: Ising) -> list[str]:
        """See `Dynamics.departures`: on the model that it was trained on."""
        return departures_on(self.agent, self.model)

    def settings(self) -> dict[str, Any]:
        """See `Dynamics.settings`: those of its agent."""
        return self.agent.settings()

    def describe(self) -> dict[str, Any]:
        """What of the rule a Dataset's attributes keep.

        Returns
        -------
        dict
            Names and values of attributes.

        Examples
        --------
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((8, 8)))
        >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
        >>> policy.describe()["rule"], policy.describe()["temperature_map"]
        ('mean-field-q', 'exact')
        """
        about = self.agent.describe()
        if not self.exact_temperature:
            about["temperature_map"] = "approximate"
        if self.unvisited:
            about["unvisited_entries"] = self.unvisited
        return about

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the policy to a folder: ``policy.json`` and ``policy.safetensors``.

        Both files are written under temporary names first, so that a failure leaves an earlier
        policy in that folder whole.

        Parameters
        ----------
        path : path
            The folder, which is made if it is not there.

        Raises
        ------
        OSError
            If they cannot be written.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((8, 8)))
        >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
        >>> with TemporaryDirectory() as folder:
        ...     policy.save(folder)
        ...     again = irl.Policy.load(folder)
        >>> again.q_values.equals(policy.q_values)
        True
        """
        from isingrl.agents.policy_files import write

        write(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Policy:
        """Read a policy from the folder that `save` wrote.

        Parameters
        ----------
        path : path
            The folder.

        Returns
        -------
        Policy
            With the same numbers.

        Raises
        ------
        FileNotFoundError
            If there is no such policy.
        ValueError
            If the files are truncated or no policy of this format.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((8, 8)))
        >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
        >>> with TemporaryDirectory() as folder:
        ...     policy.save(folder)
        ...     again = irl.Policy.load(folder)
        >>> again.q_values.equals(policy.q_values)
        True
        """
        from isingrl.agents.policy_files import read

        return read(path)

    def check_model(self, model: Ising) -> None:
        """Refuse a model that the policy was not made for.

        Parameters
        ----------
        model : Ising
            What it is to run on.

        Raises
        ------
        ValueError
            If neighbours, coupling or field are others than in the training, or the shape, where
            each site has a table or what agents see depends on it.

        Examples
        --------
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((8, 8)))
        >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
        >>> policy.check_model(irl.Ising(irl.Lattice((8, 8), neighborhood="moore")))
        Traceback (most recent call last):
            ...
        ValueError: model must have the neighborhood that the policy was trained ...
        """
        tied = not self.agent.shared or self.agent.tied_to_shape
        check_same_model(model, self.model, shape=tied)

    def check_chains(self, chains: int) -> None:
        """Refuse a number of chains that the trained ones cannot be given to.

        Parameters
        ----------
        chains : int
            At every temperature.

        Raises
        ------
        ValueError
            If several were trained, and not as many.

        Examples
        --------
        >>> import isingrl as irl
        >>> model = irl.Ising(irl.Lattice((8, 8)))
        >>> policy = irl.train(model, irl.MeanFieldQ(), 2.0, sweeps=100, chains=2, seed=1)
        >>> policy.check_chains(3)
        Traceback (most recent call last):
            ...
        ValueError: chains must be 2, as many as were trained; got 3
        """
        if self.chains not in (1, chains):
            raise ValueError(f"chains must be {self.chains}, as many as were trained; got {chains}")

    def _chances(self, model: Ising, temperature: Array) -> Array:
        """P(up), shape (n_temperatures, n_trained_chains, n_tables, n_states)."""
        q = self._plain(self.q_values.isel(temperature=self._indices(temperature)))
        if not np.isfinite(q).all():
            raise ValueError(
                f"q_values must be finite numbers; got {q[~np.isfinite(q)][0]} among them"
            )
        tau = self.softmax_temperature(model, temperature)[:, None, None, None]
        advantage = q[..., 1] - q[..., 0]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            up = scipy.special.expit(advantage / tau)
        epsilon = self.agent.epsilon
        up = (1 - epsilon) * up + 0.5 * epsilon
        return np.where((advantage == 0) | np.isinf(tau), 0.5, up)

    def _indices(self, temperature: Array) -> npt.NDArray[np.intp]:
        """Where temperatures stand among those that it was trained at."""
        asked = choose_temperatures(temperature, self.temperature)
        return temperature_indices(asked, self.temperature)

    def _plain(self, values: xr.DataArray) -> npt.NDArray[Any]:
        """Array of shape (n_temperatures, n_trained_chains, n_tables, n_states, 2)."""
        n_tables = 1 if self.agent.shared else self.model.lattice.n_sites
        n_temperatures = values.sizes["temperature"]
        return values.values.reshape(n_temperatures, self.chains, n_tables, self.view.n_states, 2)


def assemble(
    model: Ising,
    agent: Agent,
    temperature: Array,
    chains: int,
    arrays: Mapping[str, npt.NDArray[Any]],
    parameters: dict[str, Array],
) -> Policy:
    """Make a policy from its arrays.

    Parameters
    ----------
    model : Ising
        What it was trained on.
    agent : Agent
        Who learned.
    temperature : ndarray, shape (n_temperatures,)
        In J/k_B.
    chains : int
        Trainings at every temperature.
    arrays : mapping of arrays
        All variables of the policy and its history by name, besides ``sweep`` and, with
        snapshots, ``snapshot``; axes of length 1 may be left out or added.
    parameters : dict of arrays
        Weights and biases of networks, as of `Policy`.

    Returns
    -------
    Policy
        With labelled dims, coordinates and attributes.

    Raises
    ------
    TypeError, ValueError
        If an array is missing, unknown or of the wrong size, or a temperature none.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.agents.policy import assemble
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
    >>> arrays = {name: policy.history[name].values for name in ("reward", "loss", "magnetization")}
    >>> arrays |= {"q_values": policy.q_values.values, "visits": policy.visits.values}
    >>> again = assemble(model, policy.agent, policy.temperature, 1, arrays, {})
    >>> again.q_values.identical(policy.q_values)
    True
    """
    view, lattice = view_of(agent, model.lattice), model.lattice
    temperature = check_temperature(temperature)
    chains = check_integer("chains", chains, 1)
    _check_parameters(agent, view, (len(temperature), chains), lattice.n_sites, parameters)
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
        "magnetization": (*replica, "sweep"),
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
    history = data.drop_vars(["q_values", "visits"])
    return Policy(model, agent, data["q_values"], data["visits"], history, parameters)


def _check_parameters(
    agent: Agent,
    view: View,
    replicas: tuple[int, int],
    n_sites: int,
    parameters: Mapping[str, npt.NDArray[Any]],
) -> None:
    expected: dict[str, tuple[int, ...]] = {}
    if isinstance(agent.network, Network):
        length = view.n_states if view.inputs is None else view.inputs.shape[1]
        tables = (*replicas, 1 if agent.shared else n_sites)
        expected = {
            name: (*tables, *shape)
            for name, shape in agent.network.parameter_shapes(length).items()
        }
    found = {name: values.shape for name, values in parameters.items()}
    if found != expected:
        raise ValueError(f"parameters must have the shapes {expected}; got {found}")


def _coords(
    model: Ising, agent: Agent, view: View, temperature: Array, chains: int
) -> dict[str, Any]:
    """Coordinates of action values."""
    tau = softmax_temperatures(agent, model, temperature)
    coords: dict[str, Any] = {
        "temperature": (
            "temperature",
            temperature,
            {"long_name": "temperature", "units": "J/k_B"},
        ),
        "softmax_temperature": ("temperature", tau, {"long_name": "softmax temperature"}),
        "action": ("action", ["down", "up"]),
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
    "q_values": "action value",
    "visits": "number of updates",
    "q": "action value",
    "reward": "mean reward of an agent",
    "loss": "mean squared error of the action values",
    "site_loss": "squared error of the action values",
    "magnetization": "magnetization per site",
    "spins": "spin",
}
