"""The base class of opponents of a team that learns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from isingrl.battle.players import Player
from isingrl.support.archives import Arrays

if TYPE_CHECKING:
    from isingrl.battle.team_learner import TeamLearner

__all__ = ["Opponent"]


class Opponent(ABC):
    """Plays against a team that learns, and may change during the training.

    Examples
    --------
    >>> from isingrl import battle
    >>> class Alternating(battle.Opponent):
    ...     players = battle.RandomTeam().player(), battle.PursuitTeam().player()
    ...     rounds = 0
    ...     def prepare(self, generator):
    ...         return self.players[self.rounds % 2]
    ...     def after_round(self, index):
    ...         self.rounds = index + 1
    ...     def state(self):
    ...         return {"rounds": np.array(self.rounds)}
    ...     def restore(self, arrays):
    ...         self.rounds = int(arrays["rounds"])
    >>> import numpy as np
    >>> team, arena = battle.MeanFieldQTeam(), battle.Arena(8, team_size=2, max_steps=5)
    >>> found = battle.train(team, Alternating(), arena=arena, games=4, side_by_side=2, seed=1)
    >>> found.history["opponent"].values.tolist()
    ['Alternating', 'Alternating']
    """

    learner: TeamLearner | None = None
    """Learner that learns from the opponent's experiences, if any."""

    def meet(self, learner: TeamLearner) -> None:
        """Meet the team that learns, before the first round.

        Parameters
        ----------
        learner : TeamLearner
            Its ``network`` changes while it learns.
        """
        return

    @abstractmethod
    def prepare(self, generator: np.random.Generator) -> Player:
        """Choose the player of a round.

        Parameters
        ----------
        generator : Generator
            Source of all random numbers.

        Returns
        -------
        Player
        """

    def after_round(self, index: int) -> None:
        """Change after a round of the training.

        Parameters
        ----------
        index : int
            Number of the round, from 0.
        """
        return

    def state(self) -> Arrays:
        """Arrays of a checkpoint.

        Returns
        -------
        dict of arrays
            By name, of any shape.
        """
        return {}

    def restore(self, arrays: Arrays) -> None:
        """Go on from a `state`.

        Parameters
        ----------
        arrays : dict of arrays
            As `state` returned them, in the same shapes.
        """
        return
