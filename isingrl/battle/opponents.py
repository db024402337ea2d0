"""Opponents of a team that learns, by name."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from isingrl.battle.network_player import team_player
from isingrl.battle.opponent import Opponent
from isingrl.battle.players import Player
from isingrl.battle.team_learner import TeamLearner, parameters, set_parameters
from isingrl.support.archives import Arrays, part, prefixed

_POOL = 10  # number of frozen copies
_COPY_EVERY = 5  # rounds between two copies
_MIXING = 0.1  # share of the learner that goes into its slow copy after every round


class Fixed(Opponent):
    """A player that does not change; a learner may learn from its experiences too."""

    def __init__(self, player: Player, learner: TeamLearner | None) -> None:
        self._player, self.learner = player, learner

    def prepare(self, generator: np.random.Generator) -> Player:
        """See `Opponent.prepare`."""
        return self._player


class Itself(Fixed):
    """The learner plays, and learns from, both sides."""

    learner: TeamLearner

    def __init__(self, learner: TeamLearner) -> None:
        super().__init__(learner.player(), learner)


class Rival(Itself):
    """Another learner of the same kind, with a network of its own, plays and learns."""

    def state(self) -> Arrays:
        """See `Opponent.state`."""
        return self.learner.state()

    def restore(self, arrays: Arrays) -> None:
        """See `Opponent.restore`."""
        self.learner.restore(arrays)


class Copy(Fixed):
    """A frozen copy of the learner."""

    def __init__(self, learner: TeamLearner) -> None:
        self._original = learner
        self._network = copy.deepcopy(learner.network).requires_grad_(False)
        super().__init__(team_player(learner.team, self._network, learner.tau), None)


class Pool(Copy):
    """A frozen copy of the learner, drawn from the last ones."""

    def __init__(self, learner: TeamLearner) -> None:
        super().__init__(learner)
        self._copies = [parameters(self._network)]

    def prepare(self, generator: np.random.Generator) -> Player:
        """See `Opponent.prepare`."""
        set_parameters(self._network, self._copies[int(generator.integers(len(self._copies)))])
        return self._player

    def after_round(self, index: int) -> None:
        """See `Opponent.after_round`."""
        if (index + 1) % _COPY_EVERY == 0:
            self._copies = [*self._copies, parameters(self._original.network)][-_POOL:]

    def state(self) -> Arrays:
        """See `Opponent.state`."""
        arrays: Arrays = {}
        for index, frozen in enumerate(self._copies):
            arrays |= prefixed(f"{index}.", frozen)
        return arrays

    def restore(self, arrays: Arrays) -> None:
        """See `Opponent.restore`."""
        number = 1 + max(int(name.partition(".")[0]) for name in arrays)
        self._copies = [part(arrays, f"{index}.") for index in range(number)]


class Mixed(Copy):
    """A copy of the learner that follows it slowly, as in the paper."""

    def after_round(self, index: int) -> None:
        """See `Opponent.after_round`."""
        with torch.no_grad():
            for slow, fast in zip(
                self._network.parameters(), self._original.network.parameters(), strict=True
            ):
                slow.lerp_(fast, _MIXING)

    def state(self) -> Arrays:
        """See `Opponent.state`."""
        return parameters(self._network)

    def restore(self, arrays: Arrays) -> None:
        """See `Opponent.restore`."""
        set_parameters(self._network, arrays)


def make_opponent(
    given: str | Player | Opponent,
    learner: TeamLearner,
    new_learner: Callable[[], TeamLearner],
    watches: bool,
) -> Opponent:
    """Opponent by name, with a given player, or given itself.

    `new_learner` makes a rival. `watches`: the learner also learns from the actions of others.
    """
    if isinstance(given, Opponent):
        given.meet(learner)
        return given
    if isinstance(given, Player):
        return Fixed(given, learner if watches else None)
    if given == "rival":
        return Rival(new_learner())
    kinds: dict[str, Any] = {"self": Itself, "pool": Pool, "mixed": Mixed}
    opponent: Opponent = kinds[given](learner)
    return opponent
