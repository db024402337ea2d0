"""The arena: the map, the sizes of the teams and their first places."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.support.reprs import call, without_later
from isingrl.support.validation import check_choice, check_integer, check_real

__all__ = ["Arena"]

PLACINGS = ("ranks", "scattered")
_REWARDS = ("step_reward", "attack_reward", "hit_reward", "kill_reward", "death_reward")
_LEAST_MAP = 5  # two walls, two agents and a gap


@dataclass(frozen=True, repr=False)
class Arena:
    """The battle of magent2: two teams on a square map with walls around.

    An agent has 10 points of health, recovers 0.1 a step, and sees cells within a distance of 6. It
    either moves by at most two cells or hits one of its eight neighbours for 2 points. Rewards add
    up: by default the step that kills a foe pays 5 − 0.1 − 0.005 = 4.895.

    Parameters
    ----------
    map_size : int
        Side of the map in cells, walls included.
    team_size : int or pair of int
        Agents of each team.
    max_steps : int
        Length in steps of a game in which both teams survive.
    placing : {"ranks", "scattered"}
        "ranks": two blocks that face each other, an agent on every other cell. "scattered":
        random cells in the team's half of the map, new ones in every game.
    gap : int
        Columns between each team and the middle of the map.
    step_reward, attack_reward, hit_reward, kill_reward, death_reward : float
        Rewards of an agent: in every step, for every attack, for a hit that the foe survives, for
        the hit that kills it, and for dying.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described or the map is too small for the teams.

    References
    ----------
    A. Zai and B. Brown, "Deep Reinforcement Learning in Action" (2020), chapter 9.5, for the
    defaults; L. Zheng et al., "MAgent" (2018), arXiv:1712.00600.

    Examples
    --------
    >>> import numpy as np
    >>> from isingrl.battle import Arena
    >>> arena = Arena(map_size=12, team_size=(4, 6), max_steps=50)
    >>> arena.sizes, Arena(**arena.settings()) == arena
    ((4, 6), True)
    >>> Arena(map_size=12).positions(4, 0, np.random.default_rng(1)).tolist()
    [[4, 5], [4, 7], [2, 5], [2, 7]]
    >>> Arena(map_size=6, team_size=20)
    Traceback (most recent call last):
        ...
    ValueError: map_size = 6 with gap = 1 has room for teams of 4 at most; got ...
    """

    map_size: int = 30
    team_size: int | tuple[int, int] = 16
    max_steps: int = 250
    placing: str = "ranks"
    gap: int = 1
    step_reward: float = -0.005
    attack_reward: float = -0.1
    hit_reward: float = 0.2
    kill_reward: float = 5.0
    death_reward: float = -0.1

    def __post_init__(self) -> None:
        self._set("map_size", check_integer("map_size", self.map_size, _LEAST_MAP))
        sizes: Any = self.team_size
        if isinstance(sizes, tuple | list):
            if len(sizes) != 2:
                raise ValueError(f"team_size must be one number or two; got {sizes!r}")
            sizes = tuple(check_integer("team_size", size, 1) for size in sizes)
        else:
            sizes = check_integer("team_size", sizes, 1)
        self._set("team_size", sizes)
        self._set("max_steps", check_integer("max_steps", self.max_steps, 1))
        check_choice("placing", self.placing, PLACINGS)
        self._set("gap", check_integer("gap", self.gap, 0))
        for name in _REWARDS:
            self._set(name, check_real(name, getattr(self, name)))
        for size in self.sizes:
            if size > self._room:
                raise ValueError(
                    f"map_size = {self.map_size} with gap = {self.gap} has room for teams of "
                    f"{self._room} at most; got team_size = {self.team_size}"
                )

    def __repr__(self) -> str:
        return call(self)

    @property
    def sizes(self) -> tuple[int, int]:
        """Agents of the first and of the second team."""
        sizes = self.team_size
        return (sizes, sizes) if isinstance(sizes, int) else sizes

    @property
    def _columns(self) -> int:
        """Columns of one half between the wall and the gap."""
        return max(0, self.map_size // 2 - self.gap - 1)

    @property
    def _room(self) -> int:
        return self._columns * (self.map_size - 2)

    def positions(
        self, size: int, side: int, generator: np.random.Generator
    ) -> npt.NDArray[np.int32]:
        """First places of a team.

        Parameters
        ----------
        size : int
            Agents of the team.
        side : {0, 1}
            Left or right.
        generator : Generator
            Random numbers for "scattered".

        Returns
        -------
        int32 array, shape (size, 2)
            Cells, columns x and rows y; 0 and map_size - 1 are walls.
        """
        if self.placing == "scattered":
            cells = generator.choice(self._room, size, replace=False)
            x, y = cells // (self.map_size - 2), 1 + cells % (self.map_size - 2)
        else:
            x, y = self._ranks(size)
        column = self.map_size // 2 - self.gap - 1 - x
        if side == 1:
            column = self.map_size - 1 - column
        return np.stack([column, y], axis=1).astype(np.int32)

    def _ranks(self, size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Distances to the gap, and rows, of a block that is as square as the map allows."""
        for step in (2, 1):
            columns = (self._columns + step - 1) // step
            rows = (self.map_size - 2 + step - 1) // step
            depth = min(columns, max(int(np.sqrt(size)), -(-size // rows)))
            if depth * rows >= size:
                break
        height = -(-size // depth)
        order = np.arange(size)
        top = (self.map_size - step * (height - 1)) // 2
        return step * (order // height), np.maximum(1, top) + step * (order % height)

    def settings(self) -> dict[str, Any]:
        """Arguments that make this arena again, ready for JSON.

        Returns
        -------
        dict
            By name, without rewards at their defaults.
        """
        return without_later(self, asdict(self), _REWARDS)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


def check_arena(arena: Any) -> Arena:
    """Return the arena, or the default one."""
    if arena is None:
        return Arena()
    if not isinstance(arena, Arena):
        raise TypeError(f"arena must be an Arena; got {arena!r}")
    return arena
