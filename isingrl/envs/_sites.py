"""Actions and rewards of all sites of a lattice at once, as arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.agents.agent import REWARD_TIMES
from isingrl.agents.rewards import Reward, check_reward, named_reward, reward_name
from isingrl.engines.sites import start_states
from isingrl.envs._observations import observe_on
from isingrl.envs.observed_rule import ObservedRule, tabulate
from isingrl.model import Ising
from isingrl.potts import Potts
from isingrl.runs import check_start
from isingrl.spin_model import Model, check_model
from isingrl.support.validation import check_choice, check_integer
from isingrl.tables import codes_of, states_seen

__all__ = ["SCHEDULES", "OnLattice", "Sites", "check_actions"]

SCHEDULES = ("checkerboard", "synchronous")


class Sites:
    """Spins of independent copies of a lattice, with observations and rewards.

    The arguments are those of `isingrl.envs.IsingEnv`. The attribute `padded`, shape (copies,
    n_sites + 1), holds the spins, with that of a missing site behind them.
    """

    def __init__(
        self,
        model: Ising | Potts,
        observation: str,
        radius: int | None,
        reward: str | Reward,
        reward_time: str,
        schedule: str,
        copies: int = 1,
    ) -> None:
        check_model(model)
        self.model, lattice = model, model.lattice
        self.observation = observe_on(model, observation, radius)
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
        self.padded = np.zeros((self.copies, lattice.n_sites + 1), model.values.dtype)

    @property
    def acting(self) -> npt.NDArray[np.bool_]:
        """Whether the next answer of each site is carried out, shape (n_sites,)."""
        return np.asarray(self._turns[self._turn])

    @property
    def spins(self) -> npt.NDArray[Any]:
        """Copies of the spins, shape (copies, *lattice.shape)."""
        return self.padded[:, :-1].reshape(self.copies, *self.model.lattice.shape).copy()

    def begin(self, start: Any, generator: np.random.Generator) -> None:
        """Begin anew, with the first sublattice; `start` as of `isingrl.simulate`."""
        model = self.model
        first = check_start(start, model, {"copy": self.copies})
        self.padded[:] = model.values[start_states(model, first, self.copies, generator)]
        self._turn = 0

    def observe(self) -> npt.NDArray[np.float32]:
        """Observations of all agents, shape (copies, n_sites, *observation.shape)."""
        return self.observation.of(self.padded)

    def act(self, actions: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Carry out the actions of the sublattice in turn; return the rewards of all answers.

        Actions are states of the model, such as 0 (down) and 1 (up); they and the rewards have the
        shape (copies, n_sites).
        """
        acting = self.acting
        rewards = self._paid(actions)
        self.padded[:, :-1][:, acting] = self.model.values[actions[:, acting]]
        self._turn = (self._turn + 1) % len(self._turns)
        return self._paid(actions) if self._paid_after else rewards

    def _paid(self, actions: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Rewards of actions beside the neighbours as they are now."""
        model = self.model
        states, bonds = model.states_of(self.padded), model.bonds
        if isinstance(model, Potts):
            alike = states[:, model.lattice.neighbors] == actions[..., None]
            alike = np.append(alike, (actions == 0)[..., None], axis=-1)
            return np.asarray(self._rewards[alike @ bonds.support_codes])
        return self._rewards[states_seen(states, *codes_of(model.lattice, None, bonds)), actions]


class OnLattice:
    """The common part of the environments of a lattice."""

    def __init__(self, max_steps: int | None, *arguments: Any) -> None:
        self._sites = Sites(*arguments)
        self.max_steps = None if max_steps is None else check_integer("max_steps", max_steps, 1)

    @property
    def model(self) -> Ising | Potts:
        """The model; its sites are the agents."""
        return self._sites.model

    def softmax_temperature(self, temperature: float | npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Softmax temperature τ, in the units of the reward, for a physical temperature.

        A maximum-entropy learner with this τ, and a policy ∝ exp(Q/τ), is the heat bath at T. τ is
        the entropy coefficient of PPO, or the α of soft Q-learning.

        Parameters
        ----------
        temperature : float or array_like
            T in J/k_B.

        Returns
        -------
        float64 ndarray, shape as `temperature`
            τ, in the units of the reward.
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
        r"""Turn a policy into a rule: a table of its action probabilities by observation.

        `isingrl.simulate` runs it like Metropolis or a trained `isingrl.Policy`, also on lattices
        of other sizes.

        Parameters
        ----------
        probability_up : callable
            Function of all distinct observations, a float32 array of shape (n, \*observation
            shape), that returns the probabilities of up, shape (n,), or (n_temperatures, n) for
            several temperatures. Of a `Potts` model it returns the probabilities of all states,
            shape (n, q) or (n_temperatures, n, q). It is called once.
        temperature : float or sequence of float, in J/k_B
            Physical temperature that the policy stands for, a coordinate of the measurements.
        name : str
            Name of the method.

        Returns
        -------
        ObservedRule
            One table for all sites or, with a free boundary, one a site.

        Raises
        ------
        TypeError, ValueError
            If an argument is not as described, or more than 65,536 observations are distinct.
        """
        return tabulate(self.model, self._sites.observation, probability_up, temperature, name)


def check_actions(actions: Any, model: Model) -> npt.NDArray[np.int64]:
    """Return actions as integers if all are states of the model."""
    given, q = np.asarray(actions), model.n_spin_states
    right = np.zeros(given.shape, bool)
    if given.dtype.kind in "biuf":
        right = (given >= 0) & (given < q) & (given % 1 == 0)
    allowed = "0 (down) or 1 (up)" if isinstance(model, Ising) else f"the states 0 to {q - 1}"
    if given.dtype.kind not in "iu" or not right.all():
        wrong = given[~right] if not right.all() else given
        raise ValueError(f"actions must be {allowed}, integers; got {wrong.flat[0]!s}")
    return given.astype(np.int64)
