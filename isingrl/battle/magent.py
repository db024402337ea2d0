"""One game of magent2, by its C interface, which reads into arrays that are kept.

`GridWorld` makes new arrays and pointers at every call, which takes longer than the engine itself.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.battle.arena import Arena
from isingrl.support.validation import require

_NEAR = 1  # sight in the engine, for the health of each agent; `draw_views` draws the views faster


class MagentGame:
    """A game of "battle"; teams in the engine's order, the left one first."""

    def __init__(self, arena: Arena, sizes: tuple[int, int]) -> None:
        magent2 = import_magent2()
        self._world = magent2.GridWorld(_config(magent2, arena))  # frees the game at its end
        self._library = magent2.c_lib._LIB
        self._game, self._handles = self._world.game, self._world.get_handles()
        self._kept = [
            _Kept(size, self._world.get_feature_space(handle)[0])
            for size, handle in zip(sizes, self._handles, strict=True)
        ]
        self.numbers = [0, 0]

    def begin(self, places: list[npt.NDArray[np.int32]], seed: int) -> None:
        """Begin anew with agents at these places, shapes (size, 2)."""
        self._world.set_seed(seed)  # else the random numbers go on
        self._world.reset()
        for handle, each in zip(self._handles, places, strict=True):
            turned = np.pad(each, ((0, 0), (0, 1)))
            self._world.add_agents(handle, method="custom", pos=turned)
        self.numbers = [self._world.get_num(handle) for handle in self._handles]
        if self.numbers != [len(each) for each in places]:
            raise RuntimeError(f"magent2 placed {self.numbers} agents of {list(map(len, places))}")

    def read(self, team: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Places (n, 2) and shares of the full health (n,) of the living agents."""
        kept, handle, n = self._kept[team], self._handles[team], self.numbers[team]
        if n:
            self._library.env_get_info(self._game, handle, b"pos", kept.places_at)
            self._library.env_get_observation(self._game, handle, kept.seen_at)
        return kept.places[:n], kept.seen[:n, _NEAR, _NEAR, 2]

    def step(
        self, actions: list[npt.NDArray[np.int32]]
    ) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]]:
        """Let all agents act; return rewards and whether they live, for each team."""
        for handle, kept, chosen in zip(self._handles, self._kept, actions, strict=True):
            kept.actions[: len(chosen)] = chosen
            self._library.env_set_action(self._game, handle, kept.actions_at)
        self._library.env_step(self._game, ctypes.byref(ctypes.c_int32()))
        found = []
        for team, (handle, kept) in enumerate(zip(self._handles, self._kept, strict=True)):
            n = self.numbers[team]
            self._library.env_get_reward(self._game, handle, kept.rewards_at)
            self._library.env_get_info(self._game, handle, b"alive", kept.alive_at)
            alive = kept.alive[:n]
            self.numbers[team] = int(np.count_nonzero(alive))
            found.append((kept.rewards[:n], alive))
        self._library.gridworld_clear_dead(self._game)
        return found


class _Kept:
    """Arrays of one team, and pointers to them."""

    def __init__(self, size: int, n_features: int) -> None:
        side = 2 * _NEAR + 1
        self.places = np.zeros((size, 2), np.int32)
        self.seen = np.zeros((size, side, side, 5), np.float32)
        self.features = np.zeros((size, n_features), np.float32)
        self.actions = np.zeros(size, np.int32)
        self.rewards = np.zeros(size, np.float32)
        self.alive = np.zeros(size, bool)
        self.places_at, self.actions_at = (
            each.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
            for each in (self.places, self.actions)
        )
        self.rewards_at = self.rewards.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        self.alive_at = self.alive.ctypes.data_as(ctypes.POINTER(ctypes.c_bool))
        self.seen_at = (ctypes.POINTER(ctypes.c_float) * 2)(
            *(
                each.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
                for each in (self.seen, self.features)
            )
        )


def import_magent2() -> Any:
    """Import magent2 with one thread for its engine; OMP_NUM_THREADS of the process stays."""
    before = os.environ.get("OMP_NUM_THREADS")
    # several threads gain nothing on maps of this size, and the order of hits would vary
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        return require("magent2", "battles need", "battle")
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _config(magent2: Any, arena: Arena) -> Any:
    """The game "battle" of magent2, without minimaps and agent numbers in the observations."""
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
            "step_reward": arena.step_reward,
            "kill_reward": arena.kill_reward,
            "dead_penalty": arena.death_reward,
            "attack_penalty": arena.attack_reward,
        },
    )
    groups = [config.add_group(small) for _ in range(2)]
    own, other = (world.AgentSymbol(group, index="any") for group in groups)
    for attacker, attacked in ((own, other), (other, own)):
        config.add_reward_rule(
            world.Event(attacker, "attack", attacked), receiver=attacker, value=arena.hit_reward
        )
    return config
