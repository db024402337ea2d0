"""Conformance tests of teams, players and opponents of the battle."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from isingrl.battle.arena import Arena
from isingrl.battle.contests import play, record
from isingrl.battle.games import Games
from isingrl.battle.opponent import Opponent
from isingrl.battle.players import Player
from isingrl.battle.rounds import begin_players
from isingrl.battle.team import LearningTeam, Team
from isingrl.battle.team_training import Training
from isingrl.battle.teams import IndependentQTeam, PursuitTeam
from isingrl.battle.trained import TrainedTeam
from isingrl.support.devices import one_thread
from isingrl.testing.requirements import ensure, ensure_json, ensure_name, same_arrays

__all__ = ["check_opponent", "check_player", "check_team"]

_ARENA = Arena(map_size=8, team_size=2, max_steps=10)
_ROUNDS, _CUT = 4, 2


def check_player(player: Player, arena: Arena | None = None) -> None:
    """Check a player.

    It returns a valid action for every living agent, and repeats its games with the same seed,
    whatever it played before. It does not change the observations.

    Parameters
    ----------
    player : Player
    arena : Arena, optional
        Two against two on 8 × 8 cells if omitted.

    Raises
    ------
    ImportError
        If magent2 is not installed.

    Examples
    --------
    >>> from isingrl.battle import PursuitTeam
    >>> from isingrl.testing import check_player
    >>> check_player(PursuitTeam().player())
    """
    arena, who = arena or _ARENA, type(player).__name__
    ensure(isinstance(player, Player), f"player must be a Player; got {player!r}")
    games, generator = Games(arena, 2), np.random.default_rng(1)
    games.begin(generator)
    with one_thread():
        begin_players(games, (player, player))
        shown = [games.observe(0), games.observe(1)]
        before = [_copies(each) for each in shown]
        actions = np.asarray(player.act(shown[0], shown[1], generator).actions)
        for seen, kept in zip(shown, before, strict=True):
            ensure(same_arrays(_copies(seen), kept), f"{who} must not change what it is shown")
    n = len(shown[0].agents)
    fits = actions.shape == (n,) and actions.dtype.kind in "iu"
    ensure(fits, f"{who} must return {n} integers, one for each agent; got {actions!r}")
    games.step((actions, np.full(n, 6)))  # refuses invalid actions
    one, other = (record(player, PursuitTeam(), arena=arena, seed=1) for _ in range(2))
    ensure(
        one.identical(other), f"{who}: the same seed must give the same games, whatever came before"
    )


def check_team(team: Team, arena: Arena | None = None) -> None:
    """Check a team: its settings, its player, its training and its files.

    The training of a team that learns repeats with its seed, and goes on from a checkpoint to the
    last bit. The trained team plays alike when it is read from disk.

    Parameters
    ----------
    team : Team
    arena : Arena, optional
        Two against two on 8 × 8 cells if omitted.

    Raises
    ------
    ImportError
        If magent2 is not installed, or torch for a team that learns.

    Examples
    --------
    >>> from isingrl.battle import RandomTeam
    >>> from isingrl.testing import check_team
    >>> check_team(RandomTeam())
    """
    ensure(isinstance(team, Team), f"team must be a Team; got {team!r}")
    ensure_name(team)
    who = type(team).__name__
    ensure_json(team.settings(), who)
    if not isinstance(team, LearningTeam):
        made = type(team)(**team.settings())
        ensure(made == team, f"{who} must be made again by its settings; got {made!r}")
        check_player(team.player(), arena)
        return
    trained = _check_training(team, lambda: "self", arena or _ARENA)
    own = [] if isinstance(team.network, str) else [team.network]
    with tempfile.TemporaryDirectory() as folder:
        trained.save(folder)
        again = TrainedTeam.load(folder, teams=[type(team)], networks=own)
    ensure(again.team == team, f"{who} must come back from disk as it was; got {again.team!r}")
    check_player(again.player(), arena)
    one, other = (
        play(each, PursuitTeam(), 4, arena=arena or _ARENA, seed=1) for each in (trained, again)
    )
    ensure(one.identical(other), f"{who} must play alike when it is read from disk")


def check_opponent(opponent: Callable[[], Any], arena: Arena | None = None) -> None:
    """Check an opponent: a training against it repeats, and goes on from a checkpoint.

    Parameters
    ----------
    opponent : callable
        Makes a new one: a subclass of Opponent or Player, or a function without arguments.
    arena : Arena, optional
        Two against two on 8 × 8 cells if omitted.

    Raises
    ------
    ImportError
        If magent2 or torch is not installed.

    Examples
    --------
    >>> from isingrl.testing import check_opponent
    >>> check_opponent(lambda: "pool")
    """
    made = opponent()
    kinds = Opponent | Player | Team | TrainedTeam | str
    ensure(isinstance(made, kinds), f"opponent must make an Opponent or a Player; got {made!r}")
    team = IndependentQTeam(memory=400, batch_size=8, replay_ratio=1.0)
    _check_training(team, opponent, arena or _ARENA)


def _check_training(team: LearningTeam, opponent: Callable[[], Any], arena: Arena) -> TrainedTeam:
    """Ensure that a training repeats and goes on from a checkpoint; return the trained team."""
    from isingrl.battle.updates import run

    def begun() -> Training:
        return Training(team, opponent(), arena, 2 * _ROUNDS, 2, 1, "cpu")

    def play_rounds(training: Training, rounds: int) -> Training:
        for _ in range(rounds):
            run(training.play_round())
        return training

    who = type(team).__name__
    whole = play_rounds(begun(), _ROUNDS).result()
    repeated = play_rounds(begun(), _ROUNDS).result()
    ensure(_same(whole, repeated), f"{who}: the same seed must give the same training")
    with tempfile.TemporaryDirectory() as folder:
        play_rounds(begun(), _CUT).write_checkpoint(Path(folder))
        resumed = begun()
        resumed.resume(Path(folder))
    again = play_rounds(resumed, _ROUNDS - _CUT).result()
    ensure(
        _same(whole, again), f"{who}: a training must go on from its checkpoint as if it was uncut"
    )
    return whole


def _same(one: TrainedTeam, other: TrainedTeam) -> bool:
    return same_arrays(one.parameters, other.parameters) and one.history.identical(other.history)


def _copies(seen: Any) -> dict[str, Any]:
    return {name: values.copy() for name, values in vars(seen).items()}
