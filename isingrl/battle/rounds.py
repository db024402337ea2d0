"""One round of games: two players act step by step, and learners learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from isingrl.battle.games import Games, Observation, StepResult
from isingrl.battle.players import Decision, Player

if TYPE_CHECKING:
    from isingrl.battle.team_learner import TeamLearner
    from isingrl.battle.updates import Updates

Seen = tuple[Observation, Observation]


def begin_players(games: Games, players: Sequence[Player]) -> None:
    """Tell both players that games begin."""
    for player, size in zip(players, games.arena.sizes, strict=True):
        player.begin(games.n_games * size)


def act(seen: Seen, players: Sequence[Player], generator: np.random.Generator) -> list[Decision]:
    """Actions of both players, each of which then sees those of the other."""
    decisions = [players[t].act(seen[t], seen[1 - t], generator) for t in (0, 1)]
    for t in (0, 1):
        players[t].see(seen[1 - t], decisions[1 - t].actions)
    return decisions


def step(
    games: Games, players: Sequence[Player], generator: np.random.Generator
) -> tuple[Seen, list[Decision], tuple[StepResult, StepResult]]:
    """Make a step of all games; return observations, decisions and results of both teams."""
    seen = (games.observe(0), games.observe(1))
    decisions = act(seen, players, generator)
    return seen, decisions, games.step((decisions[0].actions, decisions[1].actions))


def play_and_learn(
    games: Games,
    players: Sequence[Player],
    learners: Sequence[TeamLearner | None],
    generator: np.random.Generator,
) -> Updates[tuple[list[float], float]]:
    """Play games that have begun until they are over, while learners learn.

    Each side has a learner or None, and one learner may learn from both sides. Returns the losses
    of the first learner, and the mean reward of an agent of the first side a step.
    """
    from isingrl.battle.memory import Recorder
    from isingrl.battle.network_player import make_field

    recorders = [
        (t, learner, Recorder(learner.memory, make_field(learner.team), games, t))
        for t, learner in enumerate(learners)
        if learner is not None
    ]
    begin_players(games, players)
    losses: list[float] = []
    reward, acted = 0.0, 0

    def learn(learner: TeamLearner, batches: Iterator[Any]) -> Updates[None]:
        for batch in batches:
            loss = yield learner, batch
            if learner is learners[0]:
                losses.append(loss)

    while games.running.any():
        seen, decisions, outcomes = step(games, players, generator)
        new: dict[TeamLearner, int] = {}
        for t, learner, recorder in recorders:
            number = recorder.add(seen, decisions, outcomes[t], generator)
            new[learner] = new.get(learner, 0) + number
        for learner, number in new.items():
            yield from learn(learner, learner.after_step(number, generator))
        reward += float(outcomes[0].rewards.sum())
        acted += len(outcomes[0].rewards)
    for learner in dict.fromkeys(learner for _, learner, _ in recorders):
        yield from learn(learner, learner.after_round(generator))
    return losses, reward / acted
