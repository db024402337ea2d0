"""Sites that are asked for actions and paid for them, all of a lattice's at once, as arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.agents.agent import REWARD_TIMES
from isingrl.agents.rewards import Reward, check_reward, named_reward, reward_name
from isingrl.engines.sites import start_configurations
from isingrl.envs._observations import observe_on
from isingrl.envs.observed_rule import ObservedRule, tabulate
from isingrl.model import Ising
from isingrl.runs import check_start
from isingrl.support.validation import check_choice, check_integer

__all__ = ["SCHEDULES", "OnLattice", "Sites", "check_actions"]

SCHEDULES = ("checkerboard", "synchronous")


class Sites:
    """The spins of copies of a lattice that know nothing of each other, and the rules of the game.

    Parameters
    ----------
    model, observation, radius, reward, reward_time, schedule
        As of `isingrl.envs.IsingEnv`.
    copies : int

    Attributes
    ----------
    padded : int8 array, shape (copies, n_sites + 1)
        Spins, with a 0 behind them that stands for missing ones.
    """

    def __init__(
        self,
        model: Ising,
        observation: str,
        radius: int | None,
        reward: str | Reward,
        reward_time: str,
        schedule: str,
        copies: int = 1,
    ) -> None:
        if not isinstance(model, Ising):
            raise TypeError(f"model must be an Ising model; got {model!r}")
        self.model, lattice = model, model.lattice
        self.observation = observe_on(lattice, observation, radius)
        self.reward = check_reward(named_reward(reward), f"reward {reward_name(reward)!r}", model)
        check_choice("reward_time", reward_time, REWARD_TIMES)
        check_choice("schedule", schedule, SCHEDULES)
        if reward_time == "after" and schedule != "synchronous":
            raise ValueError(
                "reward_time must be 'before' with the schedule 'checkerboard', where the "
                f"neighbours of an agent stand still while it moves; got {reward_time!r}"
            )
        self.copies = check_integer("copies", copies, 1)
        self._rewards, self._paid_after = self.reward.table(model), reward_time == "after"
        colors = lattice.sublattices.ravel()
        self._turns = np.ones((1, lattice.n_sites), bool)
        if schedule == "checkerboard":
            self._turns = colors == np.arange(lattice.n_sublattices)[:, None]
        self._turn = 0
        self.padded = np.zeros((self.copies, lattice.n_sites + 1), np.int8)
        self._counts = np.zeros((self.copies, lattice.n_sites), np.int64)

    @property
    def acting(self) -> npt.NDArray[np.bool_]:
        """Whose next answers are carried out, shape (n_sites,)."""
        return np.asarray(self._turns[self._turn])

    @property
    def spins(self) -> npt.NDArray[np.int8]:
        """Copies of the spins, shape (copies, *lattice.shape)."""
        return self.padded[:, :-1].reshape(self.copies, *self.model.lattice.shape).copy()

    def begin(self, start: Any, generator: np.random.Generator) -> None:
        """Begin anew, with the first sublattice; `start` as of `isingrl.simulate`."""
        shape = self.model.lattice.shape
        first = check_start(start, shape, {"copy": self.copies})
        self.padded[:] = np.stack(start_configurations(first, shape, self.copies, generator))
        self._turn = 0
        self._count()

    def observe(self) -> npt.NDArray[np.float32]:
        """Observations of all agents, shape (copies, n_sites, *observation.shape)."""
        return self.observation.of(self.padded)

    def act(self, actions: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Carry out the actions of the sublattice that has its turn.

        Parameters
        ----------
        actions : int64 array of 0 (down) and 1 (up), shape (copies, n_sites)

        Returns
        -------
        float64 array, shape (copies, n_sites)
            What every answer is paid, carried out or not.
        """
        acting = self.acting
        seen = self._counts
        self.padded[:, :-1][:, acting] = 2 * actions[:, acting] - 1
        self._turn = (self._turn + 1) % len(self._turns)
        self._count()
        return self._rewards[self._counts if self._paid_after else seen, actions]

    def _count(self) -> None:
        """Count up neighbours anew, as indices into ``lattice.n_up``."""
        lattice = self.model.lattice
        sums = self.padded[:, lattice.neighbors].sum(axis=-1, dtype=np.int64)
        self._counts = (sums + lattice.coordination_number) // lattice.local_sum_step


class OnLattice:
    """The common part of the environments of a lattice."""

    _sites: Sites

    @property
    def model(self) -> Ising:
        """The model; its sites are the agents."""
        return self._sites.model

    def softmax_temperature(self, temperature: float | npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Softmax temperature τ, in the units of the reward, for a physical temperature.

        A learner of maximum entropy, whose policy is ∝ exp(Q/τ), is the heat bath at T with it:
        it is the entropy coefficient of PPO, or the α of soft Q-learning.

        Parameters
        ----------
        temperature : float or array_like
            T in J/k_B.

        Returns
        -------
        float64 ndarray, shape as `temperature`
            τ, in the units of the reward.

        Examples
        --------
        >>> from isingrl import Ising, Lattice
        >>> from isingrl.envs import IsingVectorEnv
        >>> env = IsingVectorEnv(Ising(Lattice((4, 4))), reward="half")
        >>> env.softmax_temperature([2.0, 4.0]).tolist()
        [1.0, 2.0]
        """
        ratio = self._sites.reward.ratio(self.model)
        return np.asarray(temperature, dtype=np.float64) / ratio

    def rule(
        self,
        probability_up: Callable[[npt.NDArray[np.float32]], npt.ArrayLike],
        temperature: Any,
        *,
        name: str = "policy",
    ) -> ObservedRule:
        r"""Bring a policy back: a table of what it does after each observation.

        `isingrl.simulate` takes it as it takes Metropolis or a trained `isingrl.Policy`, on
        lattices of other sizes, too.

        Parameters
        ----------
        probability_up : callable
            From all distinct observations, a float32 array of shape (n, \*observation shape),
            to the probabilities of up, shape (n,). It is called once. For several temperatures
            it returns shape (n_temperatures, n).
        temperature : float or sequence of float, in J/k_B
            Physical temperature that the policy stands for: a coordinate of what is measured.
        name : str
            Of the method.

        Returns
        -------
        ObservedRule
            One table for all sites or, with a free boundary, one a site.

        Raises
        ------
        TypeError, ValueError
            If an argument is not as described, or there are too many distinct observations:
            more than 65,536.

        Examples
        --------
        >>> import isingrl as irl
        >>> from isingrl.envs import IsingVectorEnv
        >>> model = irl.Ising(irl.Lattice((4, 4)))
        >>> voter = IsingVectorEnv(model).rule(lambda share: share[:, 0], 1.0, name="voter")
        >>> voter.up.tolist()
        [[[0.0, 0.25, 0.5, 0.75, 1.0]]]
        >>> irl.simulate(model, voter, sweeps=10, seed=1).method.item()
        'voter'
        """
        return tabulate(self.model, self._sites.observation, probability_up, temperature, name)


def check_actions(actions: Any) -> npt.NDArray[np.int64]:
    """Return actions as integers if all are 0 or 1."""
    given = np.asarray(actions)
    right = (given == 0) | (given == 1)
    if given.dtype.kind not in "iu" or not right.all():
        wrong = given[~right] if not right.all() else given
        raise ValueError(f"actions must be 0 (down) or 1 (up), integers; got {wrong.flat[0]!s}")
    return given.astype(np.int64)
