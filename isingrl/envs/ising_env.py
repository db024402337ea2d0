"""The lattice as a parallel environment of PettingZoo: an agent a site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv

from isingrl.agents.rewards import Reward
from isingrl.envs._rendering import as_image, as_text
from isingrl.envs._sites import OnLattice, check_actions
from isingrl.model import Ising
from isingrl.potts import Potts
from isingrl.support.validation import check_choice, check_integer

__all__ = ["IsingEnv"]

Observations = dict[str, npt.NDArray[np.float32]]
Infos = dict[str, dict[str, Any]]


class IsingEnv(OnLattice, ParallelEnv[str, npt.NDArray[np.float32], int]):  # type: ignore[misc]
    r"""A lattice of spins as an environment of many agents, one a site.

    Agents are named by the coordinates of their sites, ``"site_3_5"`` in two dimensions and
    ``"site_12"`` in one, in C order. All live until the last step. Actions are 0 for spin down
    and 1 for up; of a `Potts` model they are its states 0 … q - 1.

    Every agent answers at every step, and its reward is for its answer a = ±1 beside the neighbours
    that it saw. With the schedule "checkerboard" one sublattice after the other takes its answers
    as its new spins, and the answers of other agents are not carried out; ``infos[agent]["acts"]``
    says whether an agent's next answer will be. Agents that answer as the heat bath therefore
    sample the Ising model exactly. A learner without discount may learn from all answers. A
    learner with a discount must drop the answers that are not carried out. With "synchronous" all
    answers are carried out at once, which has another stationary law.

    The temperature belongs to the policy, not to the environment. See `softmax_temperature`.

    Parameters
    ----------
    model : Ising or Potts
        Lattice, coupling and field; they determine the rewards.
    observation : {"mean-action", "configuration", "window"}
        The share of up among the neighbours, shape (1,); the neighbours, 1 for up and 0 for down,
        in the order of ``lattice.offsets``, shape (z,); or all sites at most `radius` away along
        every axis with the agent's own spin in the middle, shape (2r + 1, …). A missing site of a
        free boundary counts ½. Of a Potts model each of these numbers is a vector along one more,
        last axis: the shares of the q states, shapes (q,), (z, q) and (2r + 1, …, q). A missing
        site counts 1/q in each.
    radius : int, optional
        r of the window, 1 if omitted.
    reward : {"energy", "half", "mean", "chapter-1d", "chapter-2d"} or Reward
        See `isingrl.agents.rewards`.
    reward_time : {"before", "after"}
        "before": the reward counts the neighbours that the agent saw. "after", for the schedule
        "synchronous": it counts those after the step, when they have moved too.
    schedule : {"checkerboard", "synchronous"}
        Whether one sublattice after the other acts, or all agents act at once.
    max_steps : int, optional
        Steps after which all agents are truncated; never if omitted. A sweep is one step, or with
        "checkerboard" one for each of the ``lattice.n_sublattices``.
    render_mode : {"rgb_array", "ansi"}, optional
        Kind of picture that `render` returns.

    Attributes
    ----------
    possible_agents, agents : list of str
        All agents, and the living ones: all between `reset` and the last step, otherwise none.
    observation_spaces, action_spaces : dict
        By agent.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or the reward does not stand for the model.

    References
    ----------
    J. K. Terry et al., "PettingZoo: Gym for multi-agent reinforcement learning", NeurIPS (2021),
    arXiv:2009.14471.

    Examples
    --------
    >>> from isingrl import Ising, Lattice
    >>> from isingrl.envs import IsingEnv
    >>> env = IsingEnv(Ising(Lattice((4, 4))))
    >>> observations, infos = env.reset(seed=1, options={"start": "up"})
    >>> env.agents[1], observations["site_0_1"], infos["site_0_1"]
    ('site_0_1', array([1.], dtype=float32), {'acts': False})
    >>> _, rewards, _, _, infos = env.step(dict.fromkeys(env.agents, 0))
    >>> rewards["site_0_1"], infos["site_0_1"], int(env.state().sum())
    (-4.0, {'acts': True}, 0)
    >>> env = IsingEnv(
    ...     Ising(Lattice((2, 4))), observation="window", schedule="synchronous", max_steps=1,
    ...     render_mode="ansi",
    ... )
    >>> env.observation_space("site_0_0"), env.action_space("site_0_0")
    (Box(0.0, 1.0, (3, 3), float32), Discrete(2))
    >>> _ = env.reset(options={"start": [[1, 1, -1, -1], [1, 1, -1, -1]]})
    >>> print(env.render())
    ██··
    ██··
    >>> _, _, terminated, truncated, _ = env.step(dict.fromkeys(env.agents, 1))
    >>> terminated["site_0_0"], truncated["site_0_0"], env.agents, env.state().tolist()
    (False, True, [], [[1, 1, 1, 1], [1, 1, 1, 1]])

    A Potts model, whose agents have q actions:

    >>> from isingrl import Potts
    >>> env = IsingEnv(Potts(Lattice((4, 4)), states=3))
    >>> observations, _ = env.reset(options={"start": "ordered"})
    >>> env.action_space("site_0_0"), observations["site_0_0"].tolist()
    (Discrete(3), [1.0, 0.0, 0.0])
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "ising_v0",
        "render_modes": ["rgb_array", "ansi"],
        "render_fps": 10,
        "is_parallelizable": True,
    }

    def __init__(
        self,
        model: Ising | Potts,
        *,
        observation: str = "mean-action",
        radius: int | None = None,
        reward: str | Reward = "energy",
        reward_time: str = "before",
        schedule: str = "checkerboard",
        max_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(max_steps, model, observation, radius, reward, reward_time, schedule)
        if render_mode is not None:
            check_choice("render_mode", render_mode, self.metadata["render_modes"])
        self.render_mode = render_mode
        sites = np.ndindex(model.lattice.shape)
        self.possible_agents = ["_".join(map(str, ("site", *site))) for site in sites]
        self.agents: list[str] = []
        # one space for each agent, because each draws its own samples
        self.observation_spaces = {
            agent: Box(0, 1, self._sites.observation.shape, np.float32)
            for agent in self.possible_agents
        }
        q, spins = model.n_spin_states, model.values[:-1]
        self.action_spaces = {agent: Discrete(q) for agent in self.possible_agents}
        lowest, highest = int(spins[0]), int(spins[-1])
        self.state_space = Box(lowest, highest, model.lattice.shape, spins.dtype.type)
        self._generator, _ = seeding.np_random()
        self._steps = 0

    def observation_space(self, agent: str) -> Box:
        """Space of an agent's observations.

        Parameters
        ----------
        agent : str
            One of `possible_agents`.

        Returns
        -------
        gymnasium.spaces.Box
            Shares of up, 0 to 1, in the shape of `observation`.
        """
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """Space of an agent's actions: 0 for down, 1 for up; of a Potts model 0 … q - 1.

        Parameters
        ----------
        agent : str
            One of `possible_agents`.

        Returns
        -------
        gymnasium.spaces.Discrete
            The same for all agents, but each draws its own samples.
        """
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, Infos]:
        """Begin anew.

        Parameters
        ----------
        seed : int, optional
            Seed of the random first configurations from now on; if omitted their generator goes on.
        options : dict, optional
            "start": "random" (if omitted), "up", "down" or an array of ±1 in the shape of the
            lattice; of a Potts model "random", "ordered" or an array of 0 … q - 1. Other entries
            are ignored.

        Returns
        -------
        observations : dict of float32 ndarray, by agent
            Shares of up, in the shape of `observation`.
        infos : dict of dict, by agent
            "acts": whether the agent's next answer is carried out.

        Raises
        ------
        TypeError, ValueError
            If the seed is no integer of at least 0, or the start not as described.
        """
        if seed is not None:
            self._generator, _ = seeding.np_random(check_integer("seed", seed, 0))
        self._sites.begin((options or {}).get("start", "random"), self._generator)
        self.agents = list(self.possible_agents)
        self._steps = 0
        return self._observations(), self._infos()

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[Observations, dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """Let all agents answer, and the sublattice in turn act.

        Parameters
        ----------
        actions : dict by agent
            0 for down or 1 for up, or a state of a Potts model, of every agent.

        Returns
        -------
        observations : dict of float32 ndarray, by agent
            Shares of up, in the shape of `observation`.
        rewards : dict of float, by agent
            In the units of the reward.
        terminations, truncations : dict of bool, by agent
            No agent is ever terminated; all are truncated after `max_steps`.
        infos : dict of dict, by agent
            "acts": whether the agent's next answer is carried out.

        Raises
        ------
        RuntimeError
            Before the first `reset` or after the last step.
        TypeError, ValueError
            If the actions are not as described.
        """
        if not self.agents:
            raise RuntimeError("step needs agents: call reset first")
        rewards = self._sites.act(self._checked(actions))
        self._steps += 1
        last = self._steps == self.max_steps
        agents = self.possible_agents
        if last:
            self.agents = []
        return (
            self._observations(),
            dict(zip(agents, rewards[0].tolist(), strict=True)),
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, last),
            self._infos(),
        )

    def state(self) -> npt.NDArray[Any]:
        """Spins of all sites.

        Returns
        -------
        int8 ndarray of ±1, or uint8 ndarray of 0 … q - 1, shape (*lattice.shape)
            A copy.
        """
        return np.asarray(self._sites.spins[0])

    def render(self) -> npt.NDArray[np.uint8] | str | None:
        """Draw the spins as `render_mode` says; None without a mode.

        Returns
        -------
        uint8 ndarray of shape (height, width, 3), or str, or None
            Dark, or a full block, where spins are up; hues or numbers of the states of a Potts
            model.
        """
        if self.render_mode is None:
            return None
        draw = as_image if self.render_mode == "rgb_array" else as_text
        return draw(self.model, self.state())

    def _observations(self) -> Observations:
        return dict(zip(self.possible_agents, self._sites.observe()[0], strict=True))

    def _infos(self) -> Infos:
        acting = self._sites.acting.tolist()
        return {
            agent: {"acts": acts} for agent, acts in zip(self.possible_agents, acting, strict=True)
        }

    def _checked(self, actions: Mapping[str, int]) -> npt.NDArray[np.int64]:
        """Actions as an array, shape (1, n_sites)."""
        if not isinstance(actions, Mapping):
            raise TypeError(f"actions must be a dict by agent; got {actions!r}")
        if actions.keys() != self.action_spaces.keys():
            wrong = sorted(actions.keys() ^ self.action_spaces.keys(), key=str)
            raise ValueError(
                f"actions must have one entry for each of the {len(self.agents)} agents; missing "
                f"or unknown: {', '.join(map(str, wrong[:3]))}{', …' if len(wrong) > 3 else ''}"
            )
        q = self.model.n_spin_states
        for agent, action in actions.items():
            if np.ndim(action):
                allowed = "0 or 1" if q == 2 else f"an integer from 0 to {q - 1}"
                raise ValueError(
                    f"actions must be {allowed} for every agent; got an array of shape "
                    f"{np.shape(action)} for {agent}"
                )
        return check_actions([actions[agent] for agent in self.possible_agents], self.model)[None]
