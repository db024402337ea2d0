"""Experiences of agents in flat arrays of fixed size; new ones overwrite the oldest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from isingrl.battle.games import VIEW_SIDE, Games, Observation, StepResult
from isingrl.battle.kernels import agents as kernels
from isingrl.battle.kernels.agents import N_ACTIONS
from isingrl.battle.mean_field import MeanField
from isingrl.battle.players import Decision
from isingrl.battle.symmetries import ACTION_IMAGES, ACTION_SOURCES, CELL_SOURCES

Integers = npt.NDArray[np.int64]
Rows = Any
"""An array of a batch; a tensor when its loss is computed."""


class Batch(NamedTuple):
    """Experiences drawn from the memory.

    Attributes
    ----------
    views, next_views : uint8 arrays, shape (n, 169)
    means, next_means : float32 arrays, shape (n, 21), or None
    actions : int64 array, shape (n,)
    rewards : float32 array, shape (n,)
    goes_on : bool array, shape (n,)
        Whether the game had a next step; if not, its view and mean are arbitrary.
    known : bool array, shape (n,)
        Whether it is known what followed; rows of which it is not do not count.
    """

    views: Rows
    means: Rows
    actions: Rows
    rewards: Rows
    next_views: Rows
    next_means: Rows
    goes_on: Rows
    known: Rows


class ReplayMemory:
    """Steps of agents as rows, each with the row of the next step; perhaps with mean actions."""

    def __init__(self, size: int, mean_action: bool) -> None:
        self.size = size
        self._arrays: dict[str, npt.NDArray[Any]] = {
            "views": np.zeros((size, VIEW_SIDE * VIEW_SIDE), np.uint8),
            "means": np.zeros((size, N_ACTIONS if mean_action else 0), np.float32),
            "actions": np.zeros(size, np.uint8),
            "rewards": np.zeros(size, np.float32),
            "following": np.full(size, -1, np.int32),
            "ended": np.zeros(size, bool),
        }
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, self.size)

    def add(
        self,
        views: npt.NDArray[np.uint8],
        means: npt.NDArray[np.float32] | None,
        actions: npt.NDArray[np.int32],
    ) -> Integers:
        """Write new steps without their rewards, which come later; return their rows."""
        rows = (self.added + np.arange(len(views))) % self.size
        self.added += len(views)
        arrays = self._arrays
        arrays["views"][rows], arrays["actions"][rows] = views, actions
        if means is not None and arrays["means"].shape[1]:
            arrays["means"][rows] = means
        arrays["following"][rows], arrays["ended"][rows] = -1, False
        return rows

    def reward(self, rows: Integers, rewards: npt.NDArray[np.float32]) -> None:
        """Write the rewards of steps."""
        self._arrays["rewards"][rows] = rewards

    def end(self, rows: Integers) -> None:
        """Mark steps as the last of their agents."""
        self._arrays["ended"][rows] = True

    def link(self, rows: Integers, following: Integers) -> None:
        """Write the rows of the following steps."""
        self._arrays["following"][rows] = following

    def draw(self, number: int, generator: np.random.Generator, symmetry: int = 0) -> Batch:
        """Draw rows with replacement, turned by a symmetry of the square.

        `symmetry` is its number in `ACTION_IMAGES`.
        """
        arrays = self._arrays
        rows = generator.integers(0, len(self), number)
        following = arrays["following"][rows]

        def gather(name: str, rows: Integers, columns: Integers) -> npt.NDArray[Any]:
            gathered = np.empty((len(rows), len(columns)), arrays[name].dtype)
            kernels.gather(arrays[name], rows, columns, gathered)
            return gathered

        cells, sources = CELL_SOURCES[symmetry], ACTION_SOURCES[symmetry]
        has_means = arrays["means"].shape[1] > 0
        return Batch(
            views=gather("views", rows, cells),
            means=gather("means", rows, sources) if has_means else None,
            actions=ACTION_IMAGES[symmetry][arrays["actions"][rows]],
            rewards=arrays["rewards"][rows],
            next_views=gather("views", following, cells),
            next_means=gather("means", following, sources) if has_means else None,
            goes_on=following >= 0,
            known=(following >= 0) | arrays["ended"][rows],
        )

    def everything(self) -> dict[str, npt.NDArray[Any]]:
        """All rows, oldest first as long as none was overwritten, by name of the array."""
        return {name: values[: len(self)] for name, values in self._arrays.items()}

    def clear(self) -> None:
        """Forget everything."""
        self.added = 0

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays of a checkpoint, by name."""
        return self.everything() | {"added": np.array(self.added)}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on from a `state`."""
        self.added = int(state["added"])
        for name, values in self._arrays.items():
            values[: len(self)] = state[name]


class Recorder:
    """Writes the experiences of one team in a round of games into a memory.

    `field` finds the mean actions, if the memory keeps them, of a team that does not see them.
    """

    def __init__(
        self, memory: ReplayMemory, field: MeanField | None, games: Games, team: int
    ) -> None:
        self._memory, self._field, self._games, self._team = memory, field, games, team
        self._size = games.arena.sizes[team]
        self._last = np.full(games.n_games * self._size, -1, np.int64)
        if field is not None:
            field.begin(games.n_games * self._size)

    def add(
        self,
        seen: tuple[Observation, Observation],
        decisions: Sequence[Decision],
        outcome: StepResult,
        generator: np.random.Generator,
    ) -> int:
        """Write a step of all living agents; return their number.

        `seen` and `decisions` are those of both teams.
        """
        own, foes = seen[self._team], seen[1 - self._team]
        decision, agents = decisions[self._team], own.agents
        memory, field = self._memory, self._field
        means = decision.means
        if means is None and field is not None:
            field.look(own, foes, generator)
            means = field.seen(decision.actions)
            field.took(decision.actions)
            field.saw(foes, decisions[1 - self._team].actions)
        rows = memory.add(own.views, means, decision.actions)
        memory.reward(rows, outcome.rewards)
        before = self._last[agents]
        known = before >= 0
        memory.link(before[known], rows[known])
        won = self._games.survivors[agents // self._size, 1 - self._team] == 0
        memory.end(rows[outcome.dead | won])
        self._last[agents] = np.where(outcome.dead, -1, rows)
        return len(rows)
