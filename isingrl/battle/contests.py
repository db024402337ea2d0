"""Games between teams that no longer learn: scores, tournaments and recordings."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl.battle.arena import Arena, check_arena
from isingrl.battle.games import Games
from isingrl.battle.players import Player
from isingrl.battle.rounds import act, begin_players, step
from isingrl.battle.team import Team
from isingrl.battle.trained import TrainedTeam, make_player
from isingrl.runs import seed_sequence
from isingrl.support.devices import one_thread
from isingrl.support.progress import tqdm
from isingrl.support.validation import check_integer

__all__ = ["play", "record", "tournament"]

_LABELS = {
    "kills": "foes killed",
    "survivors": "agents that survived",
    "steps": "length of the game in steps",
    "score": "share of the foes killed, of the first team less that of the second",
}

OUTCOMES = {"wins": "games won", "draws": "games drawn", "losses": "games lost"}
"""Labels of the numbers that `count_outcomes` returns."""


def play(
    first: Team | TrainedTeam | Player,
    second: Team | TrainedTeam | Player,
    games: int = 200,
    *,
    arena: Arena | None = None,
    side_by_side: int = 20,
    seed: int | None = None,
    device: str = "cpu",
    progress: bool = False,
) -> xr.Dataset:
    """Let two teams play, every other game with sides swapped.

    Parameters
    ----------
    first, second : TrainedTeam, RandomTeam, PursuitTeam, or Team or Player of your own
        The two teams.
    games : int
        Number of games.
    arena : Arena, optional
        ``Arena()`` if omitted.
    side_by_side : int
        Games that are stepped together. It changes the random numbers of each game, but gives no
        team an advantage.
    seed : int, optional
        The same seed gives the same games, on the same processor and the same versions; fresh
        entropy if omitted.
    device : str
        "cpu" or "cuda", for the networks.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Dataset
        Over ``game`` (and ``side`` "first", "second"): ``kills``, ``survivors``, ``steps`` and
        ``score``, the share of the foes that the first team killed less the share of the second;
        above 0 the first team won. Coordinate ``swapped``: the first team began at the right.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    ImportError
        If magent2 is not installed, or torch for a trained team.

    Examples
    --------
    >>> from isingrl.battle import Arena, PursuitTeam, RandomTeam, play
    >>> arena = Arena(map_size=8, team_size=2, max_steps=50)
    >>> data = play(PursuitTeam(), RandomTeam(), games=20, arena=arena, seed=1)
    >>> data.kills.dims, data.kills.shape
    (('game', 'side'), (20, 2))
    >>> bool(data.score.mean() > 0), data.swapped.values[:3].tolist()
    (True, [False, True, False])
    """
    arena = check_arena(arena)
    games = check_integer("games", games, 1)
    width = min(games, check_integer("side_by_side", side_by_side, 1))
    width += width % 2 if games > 1 else 0  # an even number, because sides are swapped in pairs
    players = [make_player(team, device) for team in (first, second)]
    generator = np.random.Generator(np.random.PCG64(seed_sequence(seed)))
    running = Games(arena, width)
    parts: dict[str, list[Any]] = {name: [] for name in _LABELS}
    with one_thread(), tqdm(total=games, unit="game", disable=not progress, leave=False) as bar:
        for begun in range(0, games, width):
            number = min(width, games - begun)
            running.begin(generator, number)
            begin_players(running, players)
            while running.running.any():
                step(running, players, generator)
            for name, kept in (
                ("kills", running.kills),
                ("survivors", running.survivors),
                ("steps", running.steps),
                ("score", running.scores),
            ):
                parts[name].append(kept[:number].copy())
            bar.update(number)
    data = xr.Dataset(coords={"side": ["first", "second"]})
    for name, label in _LABELS.items():
        values = np.concatenate(parts[name])
        dims = ("game", "side")[: values.ndim]
        data[name] = (dims, values, {"long_name": label, "units": "1"})
    return data.assign_coords(swapped=("game", np.arange(games) % width % 2 == 1))


def tournament(
    teams: Mapping[str, Team | TrainedTeam | Player],
    games: int = 200,
    *,
    arena: Arena | None = None,
    side_by_side: int = 20,
    seed: int | None = None,
    device: str = "cpu",
    progress: bool = False,
) -> xr.Dataset:
    """Let every team play every other.

    Parameters
    ----------
    teams : mapping of names to teams
        At least two.
    games : int
        Of every pair.
    arena, side_by_side, seed, device, progress
        As of `play`.

    Returns
    -------
    Dataset
        Over (team, opponent): ``wins``, ``draws``, ``losses``, counted for ``team``; ``games``;
        ``kills`` and ``survivors``, means a game. A team does not play itself: 0 games, and means
        that are NaN.

    Raises
    ------
    TypeError, ValueError
        As of `play`, or if there are fewer than two teams.

    Examples
    --------
    >>> from isingrl.battle import Arena, PursuitTeam, RandomTeam, tournament
    >>> teams = {"pursuit": PursuitTeam(), "random": RandomTeam()}
    >>> arena = Arena(map_size=8, team_size=2, max_steps=50)
    >>> data = tournament(teams, games=20, arena=arena, seed=1)
    >>> data.wins.dims, data.games.values.tolist()
    (('team', 'opponent'), [[0, 20], [20, 0]])
    >>> bool(data.wins.sel(team="pursuit", opponent="random") > 10)
    True
    """
    _check_names(teams)
    arena = check_arena(arena)
    if arena.sizes[0] != arena.sizes[1]:
        raise ValueError(f"team_size must be the same for both sides; got {arena.team_size}")
    names = list(teams)
    counts = {name: np.zeros((len(names),) * 2, np.int64) for name in OUTCOMES}
    means = {name: np.full((len(names),) * 2, np.nan) for name in ("kills", "survivors")}
    pairs = list(combinations(range(len(names)), 2))
    seeds = seed_sequence(seed).generate_state(len(pairs), np.uint64)
    with tqdm(total=len(pairs), unit="pair", disable=not progress) as bar:
        for (i, j), pair_seed in zip(pairs, seeds, strict=True):
            bar.set_description(f"{names[i]} – {names[j]}")
            data = play(
                teams[names[i]], teams[names[j]], games, arena=arena, side_by_side=side_by_side,
                seed=int(pair_seed), device=device, progress=progress,
            )  # fmt: skip
            score = data["score"].values
            for a, b, sign, side in ((i, j, 1, 0), (j, i, -1, 1)):
                for name, number in count_outcomes(sign * score).items():
                    counts[name][a, b] = number
                for name, values in means.items():
                    values[a, b] = data[name].isel(side=side).mean()
            bar.update()
    result = xr.Dataset(coords={"team": names, "opponent": names})
    for name, values in (counts | means).items():
        label = OUTCOMES.get(name) or f"{_LABELS[name]} a game"
        result[name] = (("team", "opponent"), values, {"long_name": label, "units": "1"})
    result["games"] = result["wins"] + result["draws"] + result["losses"]
    result["games"].attrs = {"long_name": "games played", "units": "1"}
    return result


def _check_names(teams: Any) -> None:
    if not isinstance(teams, Mapping):
        raise TypeError(f"teams must be a mapping from names to teams; got {teams!r}")
    for name in teams:
        if not isinstance(name, str) or not name:
            raise TypeError(f"teams must have names that are text; got {name!r}")
    if len(teams) < 2:
        raise ValueError(f"teams must be two or more with names of their own; got {list(teams)}")


def count_outcomes(score: npt.NDArray[np.float64]) -> dict[str, int]:
    """Games won, drawn and lost by a team with these scores."""
    return {
        "wins": int((score > 0).sum()),
        "draws": int((score == 0).sum()),
        "losses": int((score < 0).sum()),
    }


def record(
    first: Team | TrainedTeam | Player,
    second: Team | TrainedTeam | Player,
    *,
    arena: Arena | None = None,
    seed: int | None = None,
    device: str = "cpu",
) -> xr.Dataset:
    """Play one game and keep every step.

    Parameters
    ----------
    first, second, arena, seed, device
        As of `play`; the first team begins at the left.

    Returns
    -------
    Dataset
        Over (step, side, agent): ``x``, ``y`` (cells), ``health`` (share of full health) and
        ``action``, before each step. Dead agents, and agents that a smaller team does not have,
        have health 0 and action −1. Over (step, side): ``kills`` before the step. The last step is
        the state at the end, without actions.

    Raises
    ------
    TypeError, ValueError
        As of `play`.
    ImportError
        As of `play`.

    Examples
    --------
    >>> from isingrl.battle import Arena, PursuitTeam, RandomTeam, record
    >>> arena = Arena(map_size=8, team_size=2, max_steps=50)
    >>> data = record(PursuitTeam(), RandomTeam(), arena=arena, seed=1)
    >>> data.x.dims, data.x.isel(step=0).values.tolist()
    (('step', 'side', 'agent'), [[2, 2], [5, 5]])
    >>> data.health.isel(step=0).values.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    arena = check_arena(arena)
    players = [make_player(team, device) for team in (first, second)]
    generator = np.random.Generator(np.random.PCG64(seed_sequence(seed)))
    games = Games(arena, 1)
    games.begin(generator)
    begin_players(games, players)
    shape = (2, max(arena.sizes))
    frames: list[dict[str, Any]] = []
    with one_thread():
        while True:
            seen = (games.observe(0, over=True), games.observe(1, over=True))
            frame: dict[str, Any] = {
                "x": np.zeros(shape, np.int16),
                "y": np.zeros(shape, np.int16),
                "health": np.zeros(shape, np.float32),
                "action": np.full(shape, -1, np.int8),
                "kills": games.kills[0].copy(),
            }
            frames.append(frame)
            for side, observation in enumerate(seen):
                agents = observation.agents
                frame["x"][side, agents], frame["y"][side, agents] = observation.positions.T
                frame["health"][side, agents] = observation.health
            if not games.running.any():
                break
            actions = [each.actions for each in act(seen, players, generator)]
            for side, chosen in enumerate(actions):
                frame["action"][side, seen[side].agents] = chosen
            games.step((actions[0], actions[1]))
    labels = {
        "x": ("column", "cell"),
        "y": ("row", "cell"),
        "health": ("health, as share of the full one", "1"),
        "action": ("action", "1"),
        "kills": ("foes killed", "1"),
    }
    data = xr.Dataset(coords={"side": ["first", "second"]}, attrs={"map_size": arena.map_size})
    for name, (label, units) in labels.items():
        values = np.stack([frame[name] for frame in frames])
        dims = ("step", "side", "agent")[: values.ndim]
        data[name] = (dims, values, {"long_name": label, "units": units})
    return data
