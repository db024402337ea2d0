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
from isingrl.applicability import check_same_model, choose_temperatures, temperature_indices
from isingrl.model import Ising
from isingrl.rules import Rule
from isingrl.tables import RuleTable

__all__ = ["Policy"]


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

    It is a table like that of any rule, at the temperatures that it was trained at and on a model
    with the same neighbours:

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

    model: Ising
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
        if self.agent.shared and self.view.channel is not None:  # else too many to read
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
        """View of its agents on the lattice of the training."""
        return view_of(self.agent, self.model.lattice)

    def table(self, model: Ising, temperature: Array) -> Array:
        """See `Rule.table`; at temperatures that it was trained at.

        Raises
        ------
        ValueError
            If there is no one table by the number of up neighbours: agents of several chains or
            with tables of their own, or that see configurations. `Rule.compile` makes those.
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

        Raises
        ------
        ValueError
            If several chains were trained, and not as many as are asked for, or the model has
            other neighbours.
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
            In J/k_B, a temperature of the training.
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
        """See `Dynamics.temperatures`; None means all temperatures of the training.

        Raises
        ------
        TypeError, ValueError
            If it was not trained at a temperature or has other neighbours than `model`.
        """
        for each in model.each_field:
            self.check_model(each)
        return choose_temperatures(temperature, self.temperature)

    def softmax_temperature(self, model: Ising, temperature: Array) -> Array:
        """See `Dynamics.softmax_temperature`."""
        return softmax_temperatures(self.agent, model, temperature)

    def departures(self, model: Ising) -> list[str]:
        """See `Dynamics.departures`: on the model that it was trained on."""
        return departures_on(self.agent, self.model)

    def settings(self) -> dict[str, Any]:
        """See `Dynamics.settings`: those of its agent."""
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
            The folder, which is made if it is not there.

        Raises
        ------
        OSError
            If they cannot be written.
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

        The files name the class of the agents and their reward, and never code to import. Classes
        of your own that this process has defined or imported are known by their names.

        Parameters
        ----------
        path : path
            The folder.
        agents : classes of agents
            Those of your own that count before others of their names.
        rewards : sequence of Reward
            Those of your own, by their formulas.

        Returns
        -------
        Policy
            With the same numbers.

        Raises
        ------
        FileNotFoundError
            If there is no such policy.
        ValueError
            If the files are truncated or no policy of this format, or the class or the reward is
            unknown or has changed since.
        """
        model, agent, data, parameters = policy_files.read(path, agents, rewards)
        return cls.of(model, agent, data, parameters)

    @classmethod
    def of(
        cls, model: Ising, agent: Agent, data: xr.Dataset, parameters: dict[str, Array]
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
            With those data.
        """
        history = data.drop_vars(["q_values", "visits"])
        return cls(model, agent, data["q_values"], data["visits"], history, parameters)

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
        """Indices of temperatures among those of the training."""
        asked = choose_temperatures(temperature, self.temperature)
        return temperature_indices(asked, self.temperature)

    def _plain(self, values: xr.DataArray) -> npt.NDArray[Any]:
        """Array of shape (n_temperatures, n_trained_chains, n_tables, n_states, 2)."""
        n_tables = 1 if self.agent.shared else self.model.lattice.n_sites
        n_temperatures = values.sizes["temperature"]
        return values.values.reshape(n_temperatures, self.chains, n_tables, self.view.n_states, 2)
