"""Players: they act for a team in games that run side by side."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isingrl.battle.games import ATTACKS, MOVES, Observation
from isingrl.battle.kernels import agents as kernels

__all__ = ["Decision", "Player"]


@dataclass(frozen=True, eq=False)
class Decision:
    """Actions of the living agents of a team.

    Attributes
    ----------
    actions : int32 array, shape (n,)
        From 0 to 20: 0 to 12 are moves, 13 to 20 attacks, by ``isingrl.battle.games.MOVES`` and
        ``ATTACKS``.
    means : float32 array, shape (n, 21), or None
        Mean actions of team mates, if the team sees them.

    Examples
    --------
    >>> import numpy as np
    >>> from isingrl.battle import Decision
    >>> Decision(np.full(3, 6, np.int32)).means is None
    True
    """

    actions: npt.NDArray[np.int32]
    means: npt.NDArray[np.float32] | None = None


class Player(ABC):
    """Acts for one team, using only its observations in the games of a round.

    Examples
    --------
    >>> import numpy as np
    >>> from isingrl import battle
    >>> class Still(battle.Player):
    ...     def act(self, own, foes, generator):
    ...         return battle.Decision(np.full(len(own.agents), 6, np.int32))
    >>> arena = battle.Arena(map_size=8, team_size=2, max_steps=50)
    >>> data = battle.play(battle.PursuitTeam(), Still(), games=10, arena=arena, seed=1)
    >>> bool((data.score > 0).all())
    True
    """

    def begin(self, n_agents: int) -> None:
        """Forget the games before.

        Parameters
        ----------
        n_agents : int
            Agents of the team in all games that will be played side by side.
        """
        return

    @abstractmethod
    def act(self, own: Observation, foes: Observation, generator: np.random.Generator) -> Decision:
        """Decide for all living agents of the own team.

        Parameters
        ----------
        own, foes : Observation
            Observations of the own and of the other team.
        generator : Generator
            Source of all random numbers.

        Returns
        -------
        Decision
            In the order of ``own.agents``.
        """

    def see(self, foes: Observation, actions: npt.NDArray[np.int32]) -> None:
        """Learn what the foes did, after both teams have decided.

        Parameters
        ----------
        foes : Observation
            Their observations in this step.
        actions : int32 array, shape (n,)
            Their actions, in the order of ``foes.agents``.
        """
        return


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
