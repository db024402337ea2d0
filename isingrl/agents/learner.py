"""Agents that act and learn on the lattice: many replicas side by side."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from isingrl.agents.agent import Agent
from isingrl.agents.view import View, view_of
from isingrl.bonds import Bonds
from isingrl.engines.kernels import learning as kernels
from isingrl.engines.sites import (
    schedule_code,
    start_states,
    update_order,
)
from isingrl.potts import Potts
from isingrl.spin_model import Model
from isingrl.state_tables import StateTable
from isingrl.support.archives import Arrays, fill
from isingrl.support.threads import run_in_threads
from isingrl.tables import codes_of

FloatArray = npt.NDArray[np.float64]

_VISITS_A_THREAD = 1e5  # least number of visits that is worth a thread


class Learner:
    """Agents with tables on `n_replicas` independent lattices.

    An array as `start` has the shape (n_replicas, *lattice.shape). `knowledge` is a former
    `Learner.knowledge`, from which the agents begin.

    Attributes
    ----------
    table_loss : float64 array, shape (n_replicas, n_tables)
        Mean squared error of every table in the last learning sweep.
    """

    def __init__(
        self,
        model: Model,
        agent: Agent,
        start: str | npt.NDArray[Any],
        n_replicas: int,
        schedule: str,
        generator: np.random.Generator,
        knowledge: dict[str, npt.NDArray[Any]] | None = None,
    ) -> None:
        lattice = model.lattice
        self.model, self.agent = model, agent
        self.view = view_of(agent, model)
        self._rewards = agent.reward_function.table(model)
        self._geometry = _geometry(model, self.view, schedule)
        self._settings = _settings(agent)
        n_tables = 1 if agent.shared else lattice.n_sites
        self.shape = (n_replicas, n_tables, self.view.n_states, model.n_spin_states)
        spins = start_states(model, start, n_replicas, generator)
        states = generator.integers(0, 2**64, size=(n_replicas, 4), dtype=np.uint64)
        self._agents = self._new_agents(spins, states)
        self._memory = self._new_memory()
        shape = (n_replicas, 0, 0, 0) if self._settings.online else self.shape
        self._gathered = kernels.Gathered(*(np.zeros(shape) for _ in range(3)))
        self.table_loss = np.zeros(self.shape[:2])
        self._begin(knowledge, generator)

    @property
    def _two(self) -> bool:
        """Whether the actions are those of Ising spins."""
        return not isinstance(self.model, Potts)

    @property
    def _action(self) -> type[np.int8 | np.uint8]:
        return np.int8 if self._two else np.uint8

    def _begin(
        self, knowledge: dict[str, npt.NDArray[Any]] | None, generator: np.random.Generator
    ) -> None:
        for name, values in (knowledge or {}).items():
            getattr(self, name)[:] = values

    @property
    def knowledge(self) -> dict[str, npt.NDArray[Any]]:
        """Knowledge of the agents: ``q`` and ``visits``, or the parameters of networks."""
        return {"q": self.q, "visits": self.visits}

    @property
    def q(self) -> FloatArray:
        """Action values, shape (n_replicas, n_tables, n_states, n_actions)."""
        return self._agents.q

    @property
    def visits(self) -> npt.NDArray[np.int64]:
        """Number of updates of every action value, shape as `q`."""
        return self._agents.visits

    def spins(self, replica: int) -> npt.NDArray[Any]:
        """Spins of one replica, shape (*lattice.shape)."""
        spins = self.model.values[self._agents.spins[replica, :-1]]
        return np.asarray(spins.reshape(self.model.lattice.shape))

    def state(self) -> Arrays:
        """See `Engine.state`."""
        return {name: values.copy() for name, values in self._arrays().items()}

    def restore(self, state: Arrays) -> None:
        """See `Engine.restore`."""
        arrays = self._arrays()
        fill(arrays, state)
        self._agents.spins[:] = self.model.states_of(arrays["agents.spins"])

    def _arrays(self) -> Arrays:
        """Arrays by name, spins as ±1 and 0."""
        spins = self.model.values[self._agents.spins]
        agents = self._agents._replace(spins=spins)._asdict().items()
        memory = self._memory._asdict().items()
        return {f"agents.{name}": values for name, values in agents} | {
            f"memory.{name}": values for name, values in memory
        }

    def advance(
        self, taus: FloatArray, rates: FloatArray | None = None, interval: int = 0
    ) -> kernels.History:
        """Let all agents act and learn; returns rewards, losses and sums of every sweep.

        Parameters
        ----------
        taus : float64 array, shape (n_replicas, n_sweeps)
            Softmax temperature of every sweep.
        rates : float64 array, shape (n_sweeps,), optional
            Factor of the learning rate of networks.
        interval : int
            Sweeps between measurements; 0 for none.
        """
        history = self._new_history(taus.shape[1], interval)
        if self._settings.online:
            self._act(taus, history, interval)
        else:
            for sweep in range(taus.shape[1]):
                now = slice(sweep, sweep + 1)
                one = self._new_history(1, 1 if interval and (sweep + 1) % interval == 0 else 0)
                for array in self._gathered:
                    array[:] = 0
                self._prepare()
                self._act(taus[:, now], one, 1)
                self._fit(1.0 if rates is None else float(rates[sweep]))
                history.reward[:, now], history.total[:, now] = one.reward, one.total
                history.loss[:, now] = self.table_loss.mean(axis=1, keepdims=True)
                if one.sums.size:
                    history.sums[:, sweep // interval] = one.sums[:, 0]
        return history

    def _prepare(self) -> None:
        """Update `q` before the agents act; networks compute it anew."""

    def _fit(self, rate: float) -> None:
        """Move tables towards the mean of the gathered targets, as far as single visits would."""
        count, target, _ = self._gathered
        self.table_loss[:] = gathered_loss(self._gathered, self.q)
        self.visits[:] += count.astype(np.int64)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = 1 - (1 - self._settings.learning_rate) ** count
            if self._settings.falling_rate:
                step = np.fmax(step, count / self.visits)
            self.q[:] += np.where(count > 0, step * (target / count - self.q), 0.0)

    def _act(self, taus: FloatArray, history: kernels.History, interval: int) -> None:
        taus = np.ascontiguousarray(taus)  # else Numba compiles the kernel for another layout

        def part(first: int, last: int) -> None:
            kernels.learn(
                first, last, self._geometry, self._settings, self._agents,
                self._rewards, taus, self._gathered, self._memory, history, max(1, interval),
            )  # fmt: skip

        n_replicas, n_sites = self.shape[0], self.model.lattice.n_sites
        visits = taus.size * n_sites * self.agent.inner_iterations
        threads = min(numba.get_num_threads(), n_replicas, 1 + int(visits / _VISITS_A_THREAD))
        # Neighbouring replicas share cache lines: each thread takes a run of them.
        edges = np.linspace(0, n_replicas, threads + 1).astype(int)
        run_in_threads(part, list(pairwise(edges)), threads)

    def _new_agents(
        self, spins: npt.NDArray[np.uint8], states: npt.NDArray[np.uint64]
    ) -> kernels.Agents:
        n_replicas, n_sites = self.shape[0], self.model.lattice.n_sites
        target = self.shape if self._settings.target_interval else (n_replicas, 0, 0, 0)
        waiting = (n_replicas, 0 if self._settings.immediate else n_sites)
        few = len(self._rewards) <= np.iinfo(np.int8).max and self._two
        return kernels.Agents(
            spins=spins,
            q=np.zeros(self.shape),
            target=np.zeros(target),
            visits=np.zeros(self.shape, dtype=np.int64),
            last_state=np.full(waiting, -1, dtype=np.int32),
            last_count=np.zeros(waiting, dtype=np.int8 if few else np.int32),
            last_action=np.zeros(waiting, dtype=self._action),
            swept=np.zeros(n_replicas, dtype=np.int64),
            state=states,
        )

    def _new_memory(self) -> kernels.ExperienceMemory:
        shape = (*self.shape[:2], self.agent.replay or 0)
        return kernels.ExperienceMemory(
            state=np.zeros(shape, dtype=np.int32),
            action=np.zeros(shape, dtype=self._action),
            reward=np.zeros(shape),
            next_state=np.zeros(shape, dtype=np.int32),
            stored=np.zeros(shape[:2], dtype=np.int64),
        )

    def _new_history(self, n_sweeps: int, interval: int) -> kernels.History:
        shape = (self.shape[0], n_sweeps)
        draws = n_sweeps // interval if interval else 0
        return kernels.History(
            reward=np.zeros(shape),
            loss=np.zeros(shape),
            total=np.zeros(
                shape if self._two else (*shape, self.model.n_spin_states), dtype=np.int64
            ),
            sums=np.zeros((shape[0], draws, self.model.n_sums), dtype=np.int64),
            table_loss=self.table_loss,
        )


def gathered_loss(gathered: kernels.Gathered, q: FloatArray) -> FloatArray:
    """Mean squared error of every table over gathered targets, shape (n_replicas, n_tables)."""
    count, target, square = gathered
    total = (count * q * q - 2 * target * q + square).sum(axis=(-2, -1))
    return np.asarray(np.maximum(0, total) / np.maximum(1, count.sum(axis=(-2, -1))))


def _geometry(model: Model, view: View, schedule: str) -> kernels.Geometry:
    lattice, bonds = model.lattice, model.bonds
    if isinstance(model, Potts):
        return _geometry_of_states(model, view, schedule)
    neighbors, codes = codes_of(lattice, None, bonds)
    sees_all = view.channel is not None and view.n_states == len(view.channel)
    seen = view.sites
    if seen is None and not sees_all:
        seen = np.zeros((lattice.n_sites, 0), dtype=np.int32)  # nothing, or a draw
    return kernels.Geometry(
        neighbors, codes,
        *codes_of(lattice, seen),
        count_index=None, seen_index=None, support=None,
        # with bonds of several kinds rewards depend on more than the number that agents see
        sees_count=sees_all and bonds.alike,
        cumulative=state_chances(view, bonds),
        by_kind=bonds.neighbors,
        signs=model.signs,
        order=update_order(lattice, schedule),
        schedule=schedule_code(schedule),
    )  # fmt: skip


def _geometry_of_states(model: Potts, view: View, schedule: str) -> kernels.Geometry:
    lattice = model.lattice
    # what agents see is what the table of their policy sees
    seen = StateTable(np.zeros((1, 1, view.n_states, model.states)), view.sites).view(lattice)
    all_neighbors, cumulative = seen, np.zeros((0, 0))
    if view.channel is not None and view.n_states not in (1, len(view.channel)):
        every = np.zeros((1, 1, len(view.channel), model.states))
        all_neighbors, cumulative = StateTable(every).view(lattice), _cumulative(view.channel)
    codes, index = all_neighbors[1:]
    return kernels.Geometry(
        lattice.neighbors, codes, *seen[:2], count_index=index, seen_index=seen[2],
        support=model.bonds.support_codes, sees_count=False, cumulative=cumulative,
        by_kind=model.bonds.neighbors, signs=None,
        order=update_order(lattice, schedule), schedule=schedule_code(schedule),
    )  # fmt: skip


def _cumulative(channel: FloatArray) -> FloatArray:
    """Cumulative chances of states, each row 1 from the last possible state on."""
    cumulative = np.cumsum(channel, axis=1)
    cumulative[:, -1] = 1.0
    # rounding must not give a chance to states after the last possible one
    possible = np.cumsum(channel[:, ::-1], axis=1)[:, ::-1] > 0
    cumulative[:, :-1][~possible[:, 1:]] = 1.0
    return cumulative


def state_chances(view: View, bonds: Bonds) -> FloatArray:
    """Cumulative chances of the states by the state of the neighbours; empty if none is drawn."""
    if view.channel is None or view.n_states in (1, len(view.channel)):
        return np.zeros((0, 0))
    cumulative = _cumulative(view.channel)
    sums, lattice = bonds.neighbor_sums.sum(axis=1), bonds.lattice
    count = (sums + lattice.coordination_number) / lattice.local_sum_step
    return np.asarray(cumulative[count.astype(np.int64)])


def _settings(agent: Agent) -> kernels.Settings:
    return kernels.Settings(
        learning_rate=float(agent.learning_rate or 0.0),
        falling_rate=agent.falling_rate,
        discount=agent.discount,
        epsilon=agent.epsilon,
        greedy_value=agent.next_value == "max",
        reward_after=agent.reward_time == "after",
        immediate=agent.discount == 0 and agent.reward_time == "before",
        online=agent.network is None and agent.replay is None,
        inner_iterations=agent.inner_iterations,
        target_interval=agent.target_interval or 0,
        batch_size=agent.batch_size or 0,
    )
