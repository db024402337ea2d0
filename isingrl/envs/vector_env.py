"""The lattice as a vector environment of Gymnasium: sites are the environments of one policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from isingrl.agents.rewards import Reward
from isingrl.envs._sites import OnLattice, check_actions
from isingrl.model import Ising
from isingrl.potts import Potts
from isingrl.support.validation import check_integer

__all__ = ["IsingVectorEnv"]

Floats = npt.NDArray[np.float32]
Step = tuple[
    Floats,
    npt.NDArray[np.float64],
    npt.NDArray[np.bool_],
    npt.NDArray[np.bool_],
    dict[str, npt.NDArray[Any]],
]


class IsingVectorEnv(OnLattice, VectorEnv[Floats, npt.NDArray[np.int64], npt.NDArray[Any]]):
    """All sites of many copies of a lattice as the environments of one shared policy.

    Everything is as in `IsingEnv`, except that observations, actions and rewards are arrays with
    the entries ``copy * n_sites + site``, sites in C order. No Python code loops over sites.

    Parameters
    ----------
    model : Ising or Potts
        As of `IsingEnv`.
    copies : int
        Number of independent lattices; ``num_envs = copies * n_sites``.
    observation, radius, reward, reward_time, schedule, max_steps
        As of `IsingEnv`.

    Notes
    -----
    All are truncated together, after `max_steps`, and begin anew at random in the same step
    (``AutoresetMode.SAME_STEP``). Their last observations are then ``infos["final_obs"]``.

    Examples
    --------
    >>> import numpy as np
    >>> from isingrl import Ising, Lattice
    >>> from isingrl.envs import IsingVectorEnv
    >>> env = IsingVectorEnv(Ising(Lattice((8, 8))), copies=3)
    >>> observations, infos = env.reset(seed=1, options={"start": "up"})
    >>> observations.shape, infos["acts"].sum()
    ((192, 1), np.int64(96))
    >>> _, rewards, _, _, _ = env.step(np.ones(192, int))
    >>> rewards.mean()
    np.float64(4.0)
    >>> env = IsingVectorEnv(
    ...     Ising(Lattice((4, 4))), reward="half", schedule="synchronous", max_steps=1
    ... )
    >>> _ = env.reset(seed=1, options={"start": "down"})
    >>> _, rewards, _, truncated, infos = env.step(np.ones(16, int))
    >>> float(rewards.mean()), bool(truncated.all()), float(infos["final_obs"].mean())
    (-2.0, True, 1.0)
    >>> env.softmax_temperature([2.0, 4.0]).tolist()
    [1.0, 2.0]
    >>> voter = env.rule(lambda share: share[:, 0], 1.0, name="voter")
    >>> voter.up.tolist(), voter.temperatures(env.model, None).tolist()
    ([[[0.0, 0.25, 0.5, 0.75, 1.0]]], [1.0])
    >>> voter.describe()
    {'rule': 'voter', 'observation': 'mean-action'}
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (Gymnasium's own declaration)
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": [],
    }

    def __init__(
        self,
        model: Ising | Potts,
        copies: int = 1,
        *,
        observation: str = "mean-action",
        radius: int | None = None,
        reward: str | Reward = "energy",
        reward_time: str = "before",
        schedule: str = "checkerboard",
        max_steps: int | None = None,
    ) -> None:
        super().__init__(
            max_steps, model, observation, radius, reward, reward_time, schedule, copies
        )
        self.num_envs = self._sites.copies * model.lattice.n_sites
        self.single_observation_space = Box(0, 1, self._sites.observation.shape, np.float32)
        self.single_action_space = Discrete(model.n_spin_states)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._steps = -1

    @property
    def spins(self) -> npt.NDArray[Any]:
        """Spins ±1, or states 0 … q - 1, shape (copies, *lattice.shape)."""
        return self._sites.spins

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats, dict[str, npt.NDArray[Any]]]:
        """Begin anew.

        Parameters
        ----------
        seed : int, optional
        options : dict, optional
            As of `IsingEnv.reset`; an array for "start" has the shape of the lattice or
            ``(copies, *lattice.shape)``.

        Returns
        -------
        observations : float32 ndarray, shape (num_envs, *observation shape)
            Shares of up.
        infos : dict
            "acts", bool of shape (num_envs,): whether the agent's next answer is carried out.
        """
        super().reset(seed=None if seed is None else check_integer("seed", seed, 0))
        self._sites.begin((options or {}).get("start", "random"), self.np_random)
        self._steps = 0
        return self._observe(), self._infos()

    def step(self, actions: npt.NDArray[np.int64]) -> Step:
        """Let all agents answer, and the sublattice in turn act.

        Parameters
        ----------
        actions : integer ndarray, shape (num_envs,)
            0 for down or 1 for up, or states of a Potts model.

        Returns
        -------
        observations : float32 ndarray, shape (num_envs, *observation shape)
            Shares of up.
        rewards : float64 ndarray, shape (num_envs,)
            In the units of the reward.
        terminations, truncations : bool ndarrays, shape (num_envs,)
            No agent is ever terminated; all are truncated after `max_steps`.
        infos : dict of ndarrays
            "acts" as of `reset`, and "final_obs" if all were truncated.

        Raises
        ------
        RuntimeError
            Before the first `reset`.
        ValueError
            If the actions are not as described.
        """
        if self._steps < 0:
            raise RuntimeError("step needs spins: call reset first")
        chosen = check_actions(actions, self.model)
        if chosen.shape != (self.num_envs,):
            raise ValueError(f"actions must have the shape ({self.num_envs},); got {chosen.shape}")
        rewards = self._sites.act(chosen.reshape(self._sites.copies, -1)).ravel()
        self._steps += 1
        infos = {}
        last = self._steps == self.max_steps
        if last:
            infos = {"final_obs": self._observe(), "_final_obs": np.ones(self.num_envs, bool)}
            self._sites.begin("random", self.np_random)
            self._steps = 0
        terminations, truncations = np.zeros(self.num_envs, bool), np.full(self.num_envs, last)
        return self._observe(), rewards, terminations, truncations, self._infos() | infos

    def _observe(self) -> Floats:
        return self._sites.observe().reshape(self.num_envs, *self._sites.observation.shape)

    def _infos(self) -> dict[str, npt.NDArray[Any]]:
        return {"acts": np.tile(self._sites.acting, self._sites.copies)}
