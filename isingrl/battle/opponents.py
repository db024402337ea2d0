"""Against whom a team learns, round by round."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from isingrl.battle.network_player import NetworkPlayer
from isingrl.battle.players import Player
from isingrl.battle.team_learner import TeamLearner, parameters, set_parameters
from isingrl.support.archives import Arrays, part

_POOL = 10  # frozen copies that are kept
_COPY_EVERY = 5  # rounds between two of them
_MIXING = 0.1  # share of the learner that goes into its slow copy after every round


class Opponent(ABC):
    """An opponent that may change during the training."""

    learner: TeamLearner | None = None
    """What learns from the opponent's experiences, if anything does."""

    @abstractmethod
    def prepare(self, generator: np.random.Generator) -> Player:
        """Player of the next round."""

    def after_round(self, index: int) -> None:
        """Change as the training has gone on; `index` counts rounds from 0."""
        return

    def state(self) -> Arrays:
        """All that a checkpoint needs."""
        return {}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `state` returned."""
        return


class Fixed(Opponent):
    """A player that stays as it is; off-policy learners also learn from what it does."""

    def __init__(self, player: Player, watcher: TeamLearner | None) -> None:
        self._player, self.learner = player, watcher

    def prepare(self, generator: np.random.Generator) -> Player:
        """See `Opponent.prepare`."""
        return self._player


class Itself(Opponent):
    """The learner plays, and learns from, both sides."""

    learner: TeamLearner

    def __init__(self, learner: TeamLearner) -> None:
        self.learner = learner
        self._player = learner.player()

    def prepare(self, generator: np.random.Generator) -> Player:
        """See `Opponent.prepare`."""
        return self._player


class Rival(Itself):
    """Another learner of the same kind, with a network of its own, plays and learns."""

    def state(self) -> Arrays:
        """See `Opponent.state`."""
        return self.learner.state()

    def restore(self, arrays: Arrays) -> None:
        """See `Opponent.restore`."""
        self.learner.restore(arrays)


class Pool(Opponent):
    """A frozen copy of the learner, drawn from the last ones."""

    def __init__(self, learner: TeamLearner) -> None:
        self._learner = learner
        self._network = copy.deepcopy(learner.network).requires_grad_(False)
        self._copies = [parameters(self._network)]
        self._player = NetworkPlayer(learner.team, self._network, learner.tau)

    def prepare(self, generator: np.random.Generator) -> Player:
        """See `Opponent.prepare`."""
        set_parameters(self._network, self._copies[int(generator.integers(len(self._copies)))])
        return self._player

    def after_round(self, index: int) -> None:
        """See `Opponent.after_round`."""
        if (index + 1) % _COPY_EVERY == 0:
            self._copies = [*self._copies, parameters(self._learner.network)][-_POOL:]

    def state(self) -> Arrays:
        """See `Opponent.state`."""
        return {
            f"{index}.{name}": values
            for index, frozen in enumerate(self._copies)
            for name, values in frozen.items()
        }

    def restore(self, arrays: Arrays) -> None:
        """See `Opponent.restore`."""
        number = 1 + max(int(name.partition(".")[0]) for name in arrays)
        self._copies = [part(arrays, f"{index}.") for index in range(number)]


class Mixed(Opponent):
    """A copy of the learner that follows it slowly, as in the paper."""

    def __init__(self, learner: TeamLearner) -> None:
        self._learner = learner
        self._network = copy.deepcopy(learner.network).requires_grad_(False)
        self._player = NetworkPlayer(learner.team, self._network, learner.tau)

    def prepare(self, generator: np.random.Generator) -> Player:
        """See `Opponent.prepare`."""
        return self._player

    def after_round(self, index: int) -> None:
        """See `Opponent.after_round`."""
        with torch.no_grad():
            for slow, fast in zip(
                self._network.parameters(), self._learner.network.parameters(), strict=True
            ):
                slow.lerp_(fast, _MIXING)

    def state(self) -> Arrays:
        """See `Opponent.state`."""
        return parameters(self._network)

    def restore(self, arrays: Arrays) -> None:
        """See `Opponent.restore`."""
        set_parameters(self._network, arrays)


def make_opponent(
    name: str | Player, learner: TeamLearner, new_learner: Callable[[], TeamLearner], watches: bool
) -> Opponent:
    """Opponent by name, or a player.

    Parameters
    ----------
    new_learner : callable
        Makes a rival.
    watches : bool
        Whether the learner also learns from what other players do.
    """
    if isinstance(name, Player):
        return Fixed(name, learner if watches else None)
    if name == "rival":
        return Rival(new_learner())
    kinds: dict[str, Any] = {"self": Itself, "pool": Pool, "mixed": Mixed}
    opponent: Opponent = kinds[name](learner)
    return opponent
