"""Games against fixed opponents during a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.battle.arena import Arena
from isingrl.battle.contests import play
from isingrl.battle.players import Player
from isingrl.battle.team import Team
from isingrl.battle.trained import EVALUATED, TrainedTeam
from isingrl.support.validation import check_integer

__all__ = ["Evaluation"]

_SPAWN = 3  # a training itself spawns fewer sequences from its seed


@dataclass(frozen=True)
class Evaluation:
    """A plan of games against opponents that do not change, from which nobody learns.

    The random numbers of the training stay the same, so that it ends in the same team with an
    evaluation and without.

    Parameters
    ----------
    opponents : sequence of TrainedTeam, RandomTeam, PursuitTeam, or Team or Player of your own
        A single one counts as a sequence.
    every : int
        Games of the training from one evaluation to the next. The first one comes before the
        training, the last one at its end, and all between two rounds.
    games : int
        Games against each opponent, every other one with sides swapped.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from isingrl.battle import Arena, Evaluation, MeanFieldQTeam, PursuitTeam, train
    >>> arena = Arena(map_size=8, team_size=2, max_steps=5)
    >>> settings = {"arena": arena, "games": 4, "side_by_side": 2, "seed": 1}
    >>> plan = Evaluation(PursuitTeam(), every=2, games=2)
    >>> team = train(MeanFieldQTeam(), evaluation=plan, **settings)
    >>> team.history.evaluation_win.dims, team.history.evaluation_games.values.tolist()
    (('evaluation', 'evaluation_opponent'), [0, 2, 4])
    """

    opponents: Sequence[Team | TrainedTeam | Player] | Team | TrainedTeam | Player
    every: int = 200
    games: int = 20

    def __post_init__(self) -> None:
        given: Any = self.opponents
        given = tuple(given) if isinstance(given, Sequence) else (given,)
        if not given:
            raise ValueError("opponents must be one or more; got none")
        object.__setattr__(self, "opponents", given)
        object.__setattr__(self, "every", check_integer("every", self.every, 1))
        object.__setattr__(self, "games", check_integer("games", self.games, 1))


class Evaluations:
    """Results of the evaluations of a training so far; names of the opponents as in files."""

    def __init__(
        self, plan: Evaluation, names: Sequence[str], players: Sequence[Player], arena: Arena
    ) -> None:
        if len(set(names)) < len(names):
            raise ValueError(f"evaluation must have different opponents; got {', '.join(names)}")
        self.plan, self.names = plan, list(names)
        self._players, self._arena = players, arena
        self._games: list[int] = []
        self._found: list[list[list[float]]] = []  # by evaluation, opponent and result

    def settings(self) -> dict[str, Any]:
        """The plan, ready for JSON."""
        return {"opponents": self.names, "every": self.plan.every, "games": self.plan.games}

    def due(self, played: int, games: int) -> bool:
        """Whether to evaluate after so many of the games of a training."""
        ended = played == games and played not in self._games
        return ended or played >= len(self._games) * self.plan.every

    def run(self, player: Player, played: int, entropy: Any) -> None:
        """Let a player play; `entropy` is that of the training's seed."""
        found = []
        for place, opponent in enumerate(self._players):
            key = (_SPAWN, played, place)
            seed = np.random.SeedSequence(entropy, spawn_key=key).generate_state(1, np.uint64)
            data = play(player, opponent, self.plan.games, arena=self._arena, seed=int(seed[0]))
            score = data["score"].values
            found.append([(score > 0).mean(), (score < 0).mean(), score.mean()])
        self._games.append(played)
        self._found.append(found)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Results by name, and ``evaluation_games``."""
        shape = (len(self._games), len(self.names), len(EVALUATED))
        found = np.reshape(self._found, shape).astype(float)
        return {
            **{name: found[..., place] for place, name in enumerate(EVALUATED)},
            "evaluation_games": np.array(self._games, np.int64),
        }

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take over what `arrays` returned."""
        self._games = arrays["evaluation_games"].tolist()
        self._found = np.stack([arrays[name] for name in EVALUATED], axis=-1).tolist()
