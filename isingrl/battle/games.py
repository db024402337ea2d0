"""Many games of magent2 stepped side by side, arrays in and arrays out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl._kernels import battle as kernels
from isingrl._validation import check_integer
from isingrl.battle.arena import Arena

__all__ = ["ATTACKS", "MOVES", "Games", "Observation", "Outcome"]

SIGHT, VIEW_SIDE = kernels.SIGHT, kernels.VIEW_SIDE

_CIRCLE = np.zeros((VIEW_SIDE, VIEW_SIDE), np.uint8)
_CIRCLE[np.hypot(*np.mgrid[-SIGHT : SIGHT + 1, -SIGHT : SIGHT + 1]) <= SIGHT] = 255
"""Cells that an agent sees."""

_NEAR = 1  # the engine is asked for little more than each agent's own cell: `draw_views` is faster

MOVES = np.array([(dx, dy) for dy in range(-2, 3) for dx in range(-2, 3) if dx * dx + dy * dy <= 4])
"""Displacements (dx, dy) of the actions 0 to 12; the middle one stays."""

ATTACKS = np.array([(dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dx, dy) != (0, 0)])
"""Cells (dx, dy) that the actions 13 to 20 hit."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Observation:
    """What the living agents of one team see, those of all games that go on in one array.

    Attributes
    ----------
    views : uint8 array, shape (n, 169)
        13 × 13 cells around each agent, rows y by columns x: 0 empty, 1 to 100 a team mate's
        health in hundredths of the full one, 101 to 200 a foe's plus 100, 201 a wall. The agent
        itself is the middle one.
    positions : int32 array, shape (n, 2)
        Columns x and rows y.
    starts : int64 array, shape (n_games + 1,)
        Agents of game g are the rows starts[g] to starts[g + 1] − 1; none once it is over.
    agents : int64 array, shape (n,)
        ``game * size of the team + number within the team``.
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
class Outcome:
    """What a step brought the agents of one team, in the order in which they were observed.

    Attributes
    ----------
    rewards : float32 array, shape (n,)
    dead : bool array, shape (n,)
    """

    rewards: npt.NDArray[np.float32]
    dead: npt.NDArray[np.bool_]


class Games:
    """Battles that run side by side; both teams act at once.

    Team 0 begins at the left and moves first, unless its game is swapped.

    Parameters
    ----------
    arena : Arena
    n_games : int
    swapped : sequence of bool, optional
        Games in which team 0 begins at the right and moves second; every other one if omitted.

    Attributes
    ----------
    survivors : int64 array, shape (n_games, 2)
    kills : int64 array, shape (n_games, 2)
        Foes that each team killed.
    steps : int64 array, shape (n_games,)
    running : bool array, shape (n_games,)
        Both teams live and there are steps left.
    n_begun : int
        Games that were begun together.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    ImportError
        If magent2 is not installed.
    """

    def __init__(self, arena: Arena, n_games: int, swapped: Sequence[bool] | None = None) -> None:
        self.arena = arena
        self.n_games = check_integer("games", n_games, 1)
        if swapped is None:
            swapped = [game % 2 == 1 for game in range(n_games)]
        if len(swapped) != n_games:
            raise ValueError(f"swapped must have {n_games} entries; got {len(swapped)}")
        self._first = [int(each) for each in swapped]
        magent2 = _magent2()
        self._engines = [magent2.GridWorld(_config(magent2, arena)) for _ in range(n_games)]
        self._handles = [engine.get_handles() for engine in self._engines]
        shape = (n_games, 2)
        self.survivors = np.zeros(shape, np.int64)
        self.kills = np.zeros(shape, np.int64)
        self.steps = np.zeros(n_games, np.int64)
        self.running = np.zeros(n_games, bool)
        self.n_begun = 0
        # of both teams, by game; the living come first, in the engine's order
        kept = (2, n_games, max(arena.sizes))
        self._numbers = np.zeros(kept, np.int64)
        self._places = np.zeros((*kept, 2), np.int32)
        self._health = np.zeros(kept, np.float32)

    def begin(self, generator: np.random.Generator, games: int | None = None) -> None:
        """Begin games anew.

        Parameters
        ----------
        generator : Generator
            Seeds the engines, which move and hit in random order, and draws the places of agents
            that are scattered.
        games : int, optional
            Only the first so many; the others do not run.
        """
        self.n_begun = self.n_games if games is None else games
        self.kills[:], self.steps[:] = 0, 0
        self.running[:] = np.arange(self.n_games) < self.n_begun
        self._numbers[:] = np.arange(self._numbers.shape[2])
        for game, engine in enumerate(self._engines):
            engine.set_seed(int(generator.integers(2**31)))  # else it goes on where it was
            engine.reset()
            for team in self._order(game):
                places = self.arena.positions(
                    self.arena.sizes[team], team ^ self._first[game], generator
                )
                turned = np.concatenate([places, np.zeros((len(places), 1), np.int32)], axis=1)
                engine.add_agents(self._handle(game, team), method="custom", pos=turned)
            self._read(game)
            found = tuple(self.survivors[game])
            assert found == self.arena.sizes, "magent2 placed other numbers of agents"

    def observe(self, team: int, *, over: bool = False) -> Observation:
        """What the living agents of a team see in the games that go on.

        Parameters
        ----------
        team : {0, 1}
        over : bool
            Also in those that are over.
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

    def step(self, actions: tuple[npt.ArrayLike, npt.ArrayLike]) -> tuple[Outcome, Outcome]:
        """Let both teams act in the games that go on.

        Parameters
        ----------
        actions : pair of integer arrays, shapes (n,) of either team's observation
            0 to 12 move by `MOVES`, 13 to 20 hit the cell `ATTACKS`.

        Returns
        -------
        pair of Outcome

        Raises
        ------
        ValueError
            If their number is not that of the living agents or one is not 0 to 20.
        """
        sizes = np.where(self.running[:, None], self.survivors, 0)
        starts = np.concatenate([np.zeros((1, 2), np.int64), np.cumsum(sizes, axis=0)])
        chosen = [_check_actions(actions[team], int(starts[-1, team])) for team in (0, 1)]
        outcomes = (
            Outcome(np.empty(len(chosen[0]), np.float32), np.empty(len(chosen[0]), bool)),
            Outcome(np.empty(len(chosen[1]), np.float32), np.empty(len(chosen[1]), bool)),
        )
        for game in np.flatnonzero(self.running):
            engine = self._engines[game]
            rows = [slice(starts[game, team], starts[game + 1, team]) for team in (0, 1)]
            for team in (0, 1):
                engine.set_action(self._handle(game, team), chosen[team][rows[team]])
            engine.step()
            for team in (0, 1):
                handle, outcome = self._handle(game, team), outcomes[team]
                outcome.rewards[rows[team]] = engine.get_reward(handle)
                alive = engine.get_alive(handle)
                outcome.dead[rows[team]] = ~alive
                if not alive.all():
                    numbers = self._numbers[team, game]
                    left = numbers[: len(alive)][alive]
                    numbers[: len(left)] = left
            engine.clear_dead()
            self._read(game)
        self.steps += self.running
        lost = np.array(self.arena.sizes) - self.survivors
        self.kills[:] = lost[:, ::-1]
        self.running &= (self.survivors > 0).all(axis=1) & (self.steps < self.arena.max_steps)
        return outcomes

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """Share of the foes that team 0 killed less that which team 1 did, shape (n_games,).

        Above 0 team 0 is ahead or has won.
        """
        shares = self.kills / np.array(self.arena.sizes)[::-1]
        return np.asarray(shares[:, 0] - shares[:, 1])

    def _read(self, game: Any) -> None:
        """Take over who lives in a game, where and in which health."""
        engine = self._engines[game]
        self._health[:, game] = 0
        for team in (0, 1):
            handle = self._handle(game, team)
            n = engine.get_num(handle)
            self.survivors[game, team] = n
            if n:
                self._places[team, game, :n] = engine.get_pos(handle)
                middle = engine.get_observation(handle)[0][:, _NEAR, _NEAR]
                self._health[team, game, :n] = middle[:, 2]

    def _handle(self, game: Any, team: int) -> Any:
        return self._handles[game][team ^ self._first[game]]

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


def _magent2() -> Any:
    """Import magent2, whose import sets OMP_NUM_THREADS for the whole process."""
    before = os.environ.get("OMP_NUM_THREADS")
    # Several threads gain nothing on maps of this size, and let agents hit in any order.
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        import magent2
    except ModuleNotFoundError as error:
        if error.name != "magent2":
            raise
        raise ImportError("battles need magent2, which the extra isingrl[battle] brings") from error
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
    return magent2


def _config(magent2: Any, arena: Arena) -> Any:
    """The game "battle" of magent2, without minimaps and agent numbers in what agents see."""
    world = magent2.gridworld
    config = world.Config()
    side = arena.map_size
    config.set({"map_width": side, "map_height": side, "minimap_mode": False, "embedding_size": 0})
    small = config.register_agent_type(
        "small",
        {
            "width": 1,
            "length": 1,
            "hp": 10,
            "speed": 2,
            "view_range": world.CircleRange(_NEAR),
            "attack_range": world.CircleRange(1.5),
            "damage": 2,
            "step_recover": 0.1,
            "step_reward": -0.005,
            "kill_reward": 5,
            "dead_penalty": -0.1,
            "attack_penalty": -0.1,
        },
    )
    groups = [config.add_group(small) for _ in range(2)]
    own, other = (world.AgentSymbol(group, index="any") for group in groups)
    for attacker, attacked in ((own, other), (other, own)):
        config.add_reward_rule(
            world.Event(attacker, "attack", attacked), receiver=attacker, value=0.2
        )
    return config
