"""Who acts for a team in games that run side by side."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isingrl.battle.games import ATTACKS, MOVES, Observation
from isingrl.battle.kernels import agents as kernels


@dataclass(frozen=True, eq=False)
class Decision:
    """Actions (n,), and the mean actions (n, 21) of team mates if the team looks at them."""

    actions: npt.NDArray[np.int32]
    means: npt.NDArray[np.float32] | None = None


class Player(ABC):
    """Acts for one team."""

    def begin(self, n_agents: int) -> None:
        """Forget the games before; `n_agents` in all games will play."""
        return

    @abstractmethod
    def act(self, own: Observation, foes: Observation, generator: np.random.Generator) -> Decision:
        """Decide for all living agents of the own team."""


class RandomPlayer(Player):
    """See `RandomTeam`."""

    def act(self, own: Observation, foes: Observation, generator: np.random.Generator) -> Decision:
        """See `Player.act`."""
        return Decision(generator.integers(0, kernels.N_ACTIONS, len(own.agents), dtype=np.int32))


class PursuitPlayer(Player):
    """See `PursuitTeam`."""

    def act(self, own: Observation, foes: Observation, generator: np.random.Generator) -> Decision:
        """See `Player.act`."""
        actions = np.empty(len(own.agents), np.int32)
        kernels.pursue(
            own.positions, own.starts, foes.positions, foes.starts, MOVES, ATTACKS,
            generator.random((len(actions), 3)), actions,
        )  # fmt: skip
        return Decision(actions)


class MeanField:
    """Mean actions of team mates, for one team.

    Parameters
    ----------
    radius : int or None
        City-block distance; None for the whole team.
    inner_iterations : int
    """

    def __init__(self, radius: int | None, inner_iterations: int) -> None:
        self._radius = -1 if radius is None else radius
        self.inner_iterations = inner_iterations
        self._before = np.empty(0, np.int32)

    def begin(self, n_agents: int) -> None:
        """Forget the actions of the games before."""
        self._before = np.full(n_agents, -1, np.int32)

    def look(self, own: Observation) -> None:
        """Find everyone's team mates."""
        self._mates = kernels.neighbors_within(own.positions, own.starts, self._radius)
        self._agents = own.agents

    def before(self) -> npt.NDArray[np.float32]:
        """Mean actions of the step before."""
        return self.of(self._before[self._agents])

    def of(self, actions: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Mean actions, shape (n, 21), if all act like that."""
        means = np.empty((len(actions), kernels.N_ACTIONS), np.float32)
        kernels.mean_actions(actions, *self._mates, means)
        return means

    def took(self, actions: npt.NDArray[np.int32]) -> None:
        """Keep the actions that were taken."""
        self._before[self._agents] = actions


SCRIPTS: dict[str, type[Player]] = {"random": RandomPlayer, "pursuit": PursuitPlayer}
"""Players of the scripted teams, by name."""


def script(name: str) -> Player:
    """Player of a scripted team."""
    return SCRIPTS[name]()
