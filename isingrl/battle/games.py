"""Many games of magent2 side by side, with arrays of actions and observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isingrl.battle.arena import Arena
from isingrl.battle.kernels import agents as kernels
from isingrl.battle.magent import MagentGame
from isingrl.support.compilation import watch
from isingrl.support.validation import check_integer

watch()

__all__ = ["ATTACKS", "MOVES", "Games", "Observation", "StepResult"]

SIGHT, VIEW_SIDE = kernels.SIGHT, kernels.VIEW_SIDE

_CIRCLE = np.zeros((VIEW_SIDE, VIEW_SIDE), np.uint8)
_CIRCLE[np.hypot(*np.mgrid[-SIGHT : SIGHT + 1, -SIGHT : SIGHT + 1]) <= SIGHT] = 255
"""Cells that an agent sees."""

MOVES = np.array([(dx, dy) for dy in range(-2, 3) for dx in range(-2, 3) if dx * dx + dy * dy <= 4])
"""Displacements (dx, dy) of the actions 0 to 12; the middle one stays."""

ATTACKS = np.array([(dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dx, dy) != (0, 0)])
"""Cells (dx, dy) that the actions 13 to 20 hit."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Observation:
    """Observations of the living agents of one team, of all running games in one array.

    Attributes
    ----------
    views : uint8 array, shape (n, 169)
        13 × 13 cells around each agent, rows y by columns x: 0 empty, 1 to 100 a team mate's
        health in percent, 101 to 200 a foe's health plus 100, 201 a wall. The middle cell is the
        agent itself.
    positions : int32 array, shape (n, 2)
        Columns x and rows y.
    starts : int64 array, shape (n_games + 1,)
        Agents of game g are the rows starts[g] to starts[g + 1] − 1; none if it is over.
    agents : int64 array, shape (n,)
        ``game * size of the team + number within the team``.

    Examples
    --------
    >>> import numpy as np
    >>> from isingrl.battle import Arena, Games
    >>> games = Games(Arena(map_size=12, team_size=4), n_games=2)
    >>> games.begin(np.random.default_rng(1))
    >>> seen = games.observe(0)
    >>> seen.views.shape, seen.starts.tolist(), seen.health.tolist()
    ((8, 169), [0, 4, 8], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    """

    views: npt.NDArray[np.uint8]
    positions: npt.NDArray[np.int32]
    starts: Integers
    agents: Integers

    @property
    def health(self) -> npt.NDArray[np.float64]:
        """Share of the full health of each agent, shape (n,)."""
        return self.views[:, VIEW_SIDE * VIEW_SIDE // 2] / 100


@dataclass(frozen=True, eq=False)
class StepResult:
    """Result of a step for the agents of one team, in the order of their observations.

    Attributes
    ----------
    rewards : float32 array, shape (n,)
        In the points of `Arena`.
    dead : bool array, shape (n,)
        Whether the agent died in this step.

    Examples
    --------
    >>> import numpy as np
    >>> from isingrl.battle import Arena, Games
    >>> games = Games(Arena(map_size=12, team_size=4), n_games=2)
    >>> games.begin(np.random.default_rng(1))
    >>> first, second = games.step((np.full(8, 6), np.full(8, 6)))
    >>> first.rewards.shape, round(float(first.rewards.mean()), 3), bool(first.dead.any())
    ((8,), -0.005, False)
    """

    rewards: npt.NDArray[np.float32]
    dead: npt.NDArray[np.bool_]


class Games:
    """Battles that run side by side; both teams act at once.

    Team 0 begins at the left and moves first, unless its game is swapped.

    Parameters
    ----------
    arena : Arena
        Map and teams.
    n_games : int
        Number of games.
    swapped : sequence of bool, optional
        Games in which team 0 begins at the right and moves second; every other game if omitted.

    Attributes
    ----------
    survivors : int64 array, shape (n_games, 2)
        Agents of each team that live.
    kills : int64 array, shape (n_games, 2)
        Foes that each team killed.
    steps : int64 array, shape (n_games,)
        Steps so far.
    running : bool array, shape (n_games,)
        Whether both teams live and steps are left.
    n_begun : int
        Number of games that were begun last.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    ImportError
        If magent2 is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from isingrl.battle import Arena, Games
    >>> games = Games(Arena(map_size=12, team_size=4, max_steps=2), n_games=2)
    >>> games.begin(np.random.default_rng(1))
    >>> while games.running.any():
    ...     stay = [np.full(len(games.observe(team).agents), 6) for team in (0, 1)]
    ...     outcomes = games.step((stay[0], stay[1]))
    >>> games.survivors.tolist(), games.steps.tolist(), games.scores.tolist()
    ([[4, 4], [4, 4]], [2, 2], [0.0, 0.0])
    >>> games.begin(np.random.default_rng(1), games=1)
    >>> games.running.tolist(), games.observe(0).views.shape, games.observe(0).positions.shape
    ([True, False], (4, 169), (4, 2))
    """

    def __repr__(self) -> str:
        running = int(self.running.sum())
        return f"<Games: {self.n_games} of {self.arena!r}, {running} running>"

    def __init__(self, arena: Arena, n_games: int, swapped: Sequence[bool] | None = None) -> None:
        self.arena = arena
        self.n_games = check_integer("games", n_games, 1)
        if swapped is None:
            swapped = [game % 2 == 1 for game in range(n_games)]
        if len(swapped) != n_games:
            raise ValueError(f"swapped must have {n_games} entries; got {len(swapped)}")
        self._first = [int(each) for each in swapped]
        left_and_right = (arena.sizes, arena.sizes[::-1])
        self._engines = [MagentGame(arena, left_and_right[first]) for first in self._first]
        shape = (n_games, 2)
        self.survivors = np.zeros(shape, np.int64)
        self.kills = np.zeros(shape, np.int64)
        self.steps = np.zeros(n_games, np.int64)
        self.running = np.zeros(n_games, bool)
        self.n_begun = 0
        # by team and game; the living come first, in the engine's order
        kept = (2, n_games, max(arena.sizes))
        self._numbers = np.zeros(kept, np.int64)
        self._places = np.zeros((*kept, 2), np.int32)
        self._health = np.zeros(kept, np.float32)

    def begin(self, generator: np.random.Generator, games: int | None = None) -> None:
        """Begin games anew.

        Parameters
        ----------
        generator : Generator
            Seeds the engines, which move and hit in random order, and draws the places of
            scattered agents.
        games : int, optional
            Number of games to begin; the others do not run. All if omitted.
        """
        self.n_begun = self.n_games if games is None else games
        self.kills[:], self.steps[:] = 0, 0
        self.running[:] = np.arange(self.n_games) < self.n_begun
        self._numbers[:] = np.arange(self._numbers.shape[2])
        for game, engine in enumerate(self._engines):
            seed = int(generator.integers(2**31))
            places = [
                self.arena.positions(self.arena.sizes[team], side, generator)
                for side, team in enumerate(self._order(game))
            ]
            engine.begin(places, seed)
            self._read(game)

    def observe(self, team: int, *, over: bool = False) -> Observation:
        """Return the observations of the living agents of a team in the running games.

        Parameters
        ----------
        team : {0, 1}
            Number of the team.
        over : bool
            Whether to include games that are over.

        Returns
        -------
        Observation
        """
        sizes = np.where(self.running | over, self.survivors[:, team], 0)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        seen = np.arange(self._numbers.shape[2]) < sizes[:, None]
        games = np.arange(self.n_games)[:, None] * self.arena.sizes[team]
        views = np.empty((starts[-1], VIEW_SIDE * VIEW_SIDE), np.uint8)
        kernels.draw_views(
            team, self._places, self._health, starts, self.arena.map_size, _CIRCLE, views
        )
        agents = (games + self._numbers[team])[seen]
        return Observation(views, self._places[team][seen], starts, agents)

    def step(self, actions: tuple[npt.ArrayLike, npt.ArrayLike]) -> tuple[StepResult, StepResult]:
        """Let both teams act in the running games.

        Parameters
        ----------
        actions : pair of integer arrays, shapes (n,) of either team's observation
            0 to 12 move by `MOVES`, 13 to 20 hit the cell `ATTACKS`.

        Returns
        -------
        pair of StepResult
            One for each team.

        Raises
        ------
        ValueError
            If the living agents do not have one action each, from 0 to 20.
        """
        sizes = np.where(self.running[:, None], self.survivors, 0)
        starts = np.concatenate([np.zeros((1, 2), np.int64), np.cumsum(sizes, axis=0)])
        chosen = [_check_actions(actions[team], int(starts[-1, team])) for team in (0, 1)]
        outcomes = (
            StepResult(np.empty(len(chosen[0]), np.float32), np.empty(len(chosen[0]), bool)),
            StepResult(np.empty(len(chosen[1]), np.float32), np.empty(len(chosen[1]), bool)),
        )
        for game in np.flatnonzero(self.running).tolist():
            order = self._order(game)
            rows = [slice(starts[game, team], starts[game + 1, team]) for team in (0, 1)]
            found = self._engines[game].step([chosen[team][rows[team]] for team in order])
            for team, (rewards, alive) in zip(order, found, strict=True):
                outcomes[team].rewards[rows[team]] = rewards
                outcomes[team].dead[rows[team]] = ~alive
                if not alive.all():
                    numbers = self._numbers[team, game]
                    left = numbers[: len(alive)][alive]
                    numbers[: len(left)] = left
            self._read(game)
        self.steps += self.running
        lost = np.array(self.arena.sizes) - self.survivors
        self.kills[:] = lost[:, ::-1]
        self.running &= (self.survivors > 0).all(axis=1) & (self.steps < self.arena.max_steps)
        return outcomes

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """Share of the foes that team 0 killed less the share of team 1, shape (n_games,).

        If it is above 0, team 0 is ahead or has won.
        """
        shares = self.kills / np.array(self.arena.sizes)[::-1]
        return np.asarray(shares[:, 0] - shares[:, 1])

    def _read(self, game: int) -> None:
        """Read the living agents of a game, their places and their health."""
        self._health[:, game] = 0
        for side, team in enumerate(self._order(game)):
            places, health = self._engines[game].read(side)
            n = len(health)
            self.survivors[game, team] = n
            self._places[team, game, :n], self._health[team, game, :n] = places, health

    def _order(self, game: int) -> tuple[int, int]:
        """Teams in the order of the engine's handles."""
        return (1, 0) if self._first[game] else (0, 1)


def _check_actions(actions: npt.ArrayLike, number: int) -> npt.NDArray[np.int32]:
    given = np.asarray(actions)
    if given.shape != (number,):
        raise ValueError(
            f"actions must have the shape ({number},), one for each living agent; got {given.shape}"
        )
    if given.dtype.kind not in "iu" or (
        number and (given.min() < 0 or given.max() >= kernels.N_ACTIONS)
    ):
        raise ValueError(f"actions must be integers from 0 to {kernels.N_ACTIONS - 1}")
    return np.ascontiguousarray(given, np.int32)
