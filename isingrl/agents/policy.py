"""Policies of trained agents: rules for `simulate`, with the history of the training."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from isingrl.agents import policy_files, policy_reprs
from isingrl.agents.agent import Agent
from isingrl.agents.policy_arrays import Array
from isingrl.agents.rewards import Reward
from isingrl.agents.temperatures import departures_on, mismatch, softmax_temperatures
from isingrl.agents.view import View, view_of
from isingrl.applicability import (
    check_ising,
    check_same_model,
    choose_temperatures,
    temperature_indices,
)
from isingrl.model import Ising
from isingrl.potts import Potts
from isingrl.rules import Rule
from isingrl.spin_model import Model
from isingrl.state_tables import StateTable
from isingrl.tables import RuleTable

__all__ = ["Policy"]


@dataclass(frozen=True, eq=False, repr=False)
class Policy(Rule):
    """A trained rule for every temperature.

    Attributes
    ----------
    model : Ising or Potts
        Model of the training. If all sites share a table, the policy runs on any lattice with the
        same neighbours, otherwise on lattices of the same shape.
    agent : Agent
        The agents that learned.
    q_values : DataArray, dims (temperature[, chain][, site][, state], action)
        In the units of the reward. It has the dim ``chain`` after several trainings at every
        temperature, and ``site`` if each site has its own table. The state is ``n_up``, the number
        of up neighbours (a missing neighbour of a free boundary counts one half), ``n_up_seen``,
        their number among those seen, or ``configuration``, of the sites seen; agents that
        see nothing have no state. ``action`` is "down" and "up". On a Potts model actions are its
        states 0 … q - 1, and the state is ``neighbor_states`` or ``neighbor_states_seen``, how many
        neighbours are in each of them, as a text such as ``"2 1 1"``.
    visits : DataArray, dims as `q_values`
        Number of updates of each entry. An entry of a table with 0 decides by a coin.
    history : Dataset
        ``reward`` and ``loss`` (0 before anything is learned), means over agents, and
        ``magnetization`` or, on a Potts model, ``order_parameter``, over (temperature[, chain],
        sweep). With snapshots ``q``, ``spins`` and ``site_loss``, also over ``snapshot``.
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

    It is a table like any rule, at the temperatures of its training and on a model with the same
    neighbours:

    >>> policy.table(model, policy.temperature)[0, 0].round(3).tolist()
    [0.018, 0.119, 0.5, 0.881, 0.982]
    >>> policy.compile(model, policy.temperature, chains=4).up.shape
    (8, 1, 2, 5)
    >>> policy.temperatures(model, 2.5)
    Traceback (most recent call last):
        ...
    ValueError: temperature must be among those the policy was trained at, [2.0, ...
    >>> policy.check_model(irl.Ising(irl.Lattice((8, 8), neighborhood="moore")))
    Traceback (most recent call last):
        ...
    ValueError: model must have the neighborhood that the policy was trained ...

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     policy.save(folder)
    ...     again = irl.Policy.load(folder)
    >>> again.q_values.equals(policy.q_values)
    True
    """

    model: Any
    agent: Agent
    q_values: xr.DataArray
    visits: xr.DataArray
    history: xr.Dataset
    parameters: dict[str, Array] = field(default_factory=dict)

    def __repr__(self) -> str:
        return policy_reprs.text(self.agent, self._facts())

    def _repr_html_(self) -> str:
        """Agents, temperatures and the probabilities of spin up, for notebooks."""
        chances = ""
        few = self.agent.shared and self.view.channel is not None  # else too many to read
        if few and isinstance(self.model, Ising):
            shown = self.temperature[: policy_reprs.ROWS]
            up = self.compile(self.model, shown, self.chains).up[:, 0, 0]
            chances = policy_reprs.chances(
                self.model.lattice.n_up, self.temperature, up.reshape(len(shown), self.chains, -1)
            )
        return policy_reprs.html(self.agent, self._facts(), chances)

    def _facts(self) -> list[tuple[str, str]]:
        sweeps = self.history.sizes["sweep"]
        return policy_reprs.facts(
            self.model, self.q_values, self.exact_temperature, sweeps, self.chains
        )

    @property
    def name(self) -> str:
        """Name of the method."""
        return self.agent.name

    @property
    def temperature(self) -> Array:
        """Physical temperatures of the training, in J/k_B, shape (n_temperatures,)."""
        return np.asarray(self.q_values["temperature"].values, dtype=np.float64)

    @property
    def chains(self) -> int:
        """Number of trainings at every temperature."""
        return int(self.q_values.sizes.get("chain", 1))

    @property
    def exact_temperature(self) -> bool:
        """Whether τ stands for T exactly; otherwise T is the temperature at small local fields.

        It is False if entries were never visited, because they decide by a coin, or if the reward
        claims to be exact but is no multiple of the energy.
        """
        exact = self.agent.exact_temperature and not mismatch(self.agent, self.model)
        return exact and not self.unvisited

    @property
    def unvisited(self) -> int:
        """Number of entries that were never learned, of tables; 0 for networks."""
        return 0 if self.agent.network is not None else int((self.visits == 0).sum())

    @cached_property
    def view(self) -> View:
        """View of its agents on the lattice of the training."""
        return view_of(self.agent, self.model)

    def table(self, model: Ising, temperature: Array) -> Array:
        """See `Rule.table`; refuses policies without a single table by the number of up neighbours.

        These have agents of several chains or with tables of their own, or agents that see
        configurations. `Rule.compile` makes their tables.
        """
        compiled = self.compile(model, temperature, self.chains)
        if not compiled.counted or self.chains > 1:
            raise ValueError(
                f"policy must have one table by the number of up neighbours; {self.name} has "
                f"q_values over {self.q_values.dims}: use compile"
            )
        return np.asarray(compiled.up[:, 0])

    def compile(self, model: Ising, temperature: Array, chains: int = 1) -> RuleTable:
        """See `Rule.compile`; refuses models and numbers of chains that do not fit the policy."""
        check_ising(model, self.name)
        self.check_model(model)
        self.check_chains(chains)
        up = self._chances(model, temperature)[..., 1]
        channel = self.view.channel
        if channel is not None:
            up = up @ channel.T
        if self.chains == 1:
            up = np.repeat(up, chains, axis=1)
        up = up.reshape(-1, *up.shape[2:])
        sites = None if channel is not None else view_of(self.agent, model).sites
        return RuleTable(np.stack([up, up], axis=-2), sites)

    def potts_table(self, model: Potts, temperature: Array, chains: int = 1) -> StateTable:
        """See `Rule.potts_table`; refuses what `compile` refuses."""
        self.check_model(model)
        self.check_chains(chains)
        chances = self._chances(model, temperature)
        channel, sites, own = self.view.channel, None, view_of(self.agent, model)
        if not np.array_equal(own.states, self.view.states):
            raise ValueError(
                "model must have a lattice with as many neighbours of each site as in the training "
                f"of the policy; got {model.lattice!r}"
            )
        if channel is None:
            sites = own.sites
        elif self.view.n_states > 1:
            chances = np.einsum("cs,...sa->...ca", channel, chances)
        if self.chains == 1:
            chances = np.repeat(chances, chains, axis=1)
        return StateTable(chances.reshape(-1, *chances.shape[2:]), sites)

    def knowledge(self, temperature: Array, chains: int) -> dict[str, npt.NDArray[Any]]:
        """Knowledge from which agents go on learning at these temperatures.

        Parameters
        ----------
        temperature : ndarray, shape (n_temperatures,)
            In J/k_B, temperatures of the training.
        chains : int
            Chains at every temperature.

        Returns
        -------
        dict of arrays
            ``q`` and ``visits`` of tables, or the parameters of networks, the first axes
            (n_temperatures * chains, n_tables).

        Raises
        ------
        ValueError
            If several chains were trained, and their number is not `chains`.
        """
        self.check_chains(chains)
        chosen = self._indices(temperature)
        arrays, first = dict(self.parameters), 3
        if self.agent.network is None:
            arrays, first = {"q": self._plain(self.q_values), "visits": self._plain(self.visits)}, 2
        begin = {}
        for name, values in arrays.items():
            repeated = np.repeat(values[chosen], chains // values.shape[1], axis=1)
            begin[name] = repeated.reshape(-1, *repeated.shape[first:])
        return begin

    def temperatures(self, model: Model, temperature: Any) -> Array:
        """See `Dynamics.temperatures`; None means all temperatures of the training."""
        for each in model.each_field:
            self.check_model(each)
        return choose_temperatures(temperature, self.temperature)

    def softmax_temperature(self, model: Model, temperature: Array) -> Array:
        """See `Dynamics.softmax_temperature`."""
        return softmax_temperatures(self.agent, model, temperature)

    def departures(self, model: Model) -> list[str]:
        """See `Dynamics.departures`; the model is the one of the training."""
        return departures_on(self.agent, self.model)

    def settings(self) -> dict[str, Any]:
        """See `Dynamics.settings`; the settings of the agent."""
        return self.agent.settings()

    def describe(self) -> dict[str, Any]:
        """See `Dynamics.describe`."""
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
            The folder, which is made if it is missing.

        Raises
        ------
        OSError
            If a file cannot be written.
        """
        data = self.history.assign(q_values=self.q_values, visits=self.visits)
        policy_files.write(path, self.model, self.agent, self.chains, data, self.parameters)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        agents: Iterable[type[Agent]] = (),
        rewards: Iterable[Reward] = (),
    ) -> Policy:
        """Read a policy from the folder that `save` wrote.

        The files name the class of the agents and their reward, and never code to import. Your own
        classes are known by their names, once this process has defined or imported them.

        Parameters
        ----------
        path : path
            The folder.
        agents : classes of agents
            Your own classes; they take precedence over others with their names.
        rewards : sequence of Reward
            Your own rewards, by their formulas.

        Returns
        -------
        Policy
            With the same numbers.

        Raises
        ------
        FileNotFoundError
            If the folder holds no policy.
        ValueError
            If the files are truncated or have another format, or the class or the reward is
            unknown or has changed.
        """
        model, agent, data, parameters = policy_files.read(path, agents, rewards)
        return cls.of(model, agent, data, parameters)

    @classmethod
    def of(
        cls, model: Model, agent: Agent, data: xr.Dataset, parameters: dict[str, Array]
    ) -> Policy:
        """Make a policy of labelled data.

        Parameters
        ----------
        model, agent
            As of `Policy`.
        data : Dataset
            As ``isingrl.agents.policy_arrays.labelled`` returns it.
        parameters : dict of arrays
            As of `Policy`, in the same shapes.

        Returns
        -------
        Policy
        """
        history = data.drop_vars(["q_values", "visits"])
        return cls(model, agent, data["q_values"], data["visits"], history, parameters)

    def check_model(self, model: Model) -> None:
        """Refuse a model that differs from the one of the training.

        Parameters
        ----------
        model : Ising
            The model to run on.

        Raises
        ------
        ValueError
            If neighbours, coupling or field differ; or the shape, if each site has its own table
            or the view depends on the shape.
        """
        tied = not self.agent.shared or self.agent.tied_to_shape
        check_same_model(model, self.model, shape=tied)

    def check_chains(self, chains: int) -> None:
        """Refuse a number of chains that does not fit the trainings.

        Parameters
        ----------
        chains : int
            Chains at every temperature.

        Raises
        ------
        ValueError
            If several chains were trained, and their number is not `chains`.
        """
        if self.chains not in (1, chains):
            raise ValueError(f"chains must be {self.chains}, as many as were trained; got {chains}")

    def _chances(self, model: Model, temperature: Array) -> Array:
        """Chances of actions, shape (n_temperatures, n_trained_chains, n_tables, n_states, q)."""
        q = self._plain(self.q_values.isel(temperature=self._indices(temperature)))
        if not np.isfinite(q).all():
            raise ValueError(
                f"q_values must be finite numbers; got {q[~np.isfinite(q)][0]} among them"
            )
        tau = self.softmax_temperature(model, temperature)[:, None, None, None]
        epsilon = self.agent.epsilon
        if isinstance(model, Potts):
            gap = q - q.max(axis=-1, keepdims=True)
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                weight = np.exp(np.where(gap == 0, 0.0, gap / tau[..., None]))
            chances = weight / weight.sum(axis=-1, keepdims=True)
            return np.asarray((1 - epsilon) * chances + epsilon / q.shape[-1])
        advantage = q[..., 1] - q[..., 0]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            up = scipy.special.expit(advantage / tau)
        up = (1 - epsilon) * up + 0.5 * epsilon
        up = np.where((advantage == 0) | np.isinf(tau), 0.5, up)
        return np.stack([1 - up, up], axis=-1)

    def _indices(self, temperature: Array) -> npt.NDArray[np.intp]:
        """Indices of temperatures among those of the training."""
        asked = choose_temperatures(temperature, self.temperature)
        return temperature_indices(asked, self.temperature)

    def _plain(self, values: xr.DataArray) -> npt.NDArray[Any]:
        """Array of shape (n_temperatures, n_trained_chains, n_tables, n_states, q)."""
        n_tables = 1 if self.agent.shared else self.model.lattice.n_sites
        shape = values.sizes["temperature"], self.chains, n_tables, self.view.n_states
        return values.values.reshape(*shape, self.model.n_spin_states)
