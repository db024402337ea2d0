"""Mean-field Q-learning of two battling teams as in a textbook: a loop over agents.

The algorithm and settings of Zai & Brown, *Deep Reinforcement Learning in Action* (2020), section
9.5, in our own plain code. Every agent finds its team mates within a city-block distance of 6,
averages their one-hot actions, appends the mean to its view, evaluates its team's network
359 → 25 → 21 and draws from a softmax. This happens five times. Then the engine makes a step,
experiences go to each team's replay of 70, and each team learns from a batch of 25. Four mistakes
of the book are corrected: each team acts with its own current parameters, each row has its own
target, agents learn from deaths, and a finished game begins anew.
"""

from __future__ import annotations

import random
from collections import deque
from typing import Any, NamedTuple

import numpy as np
import torch

from isingrl.battle import Arena
from isingrl.battle.magent import import_magent2

_OWN, _FOE = 1, 4  # planes of team mates and of foes in the engine's view
_ACTIONS, _HIDDEN, _RADIUS = 21, 25, 6
_STATE = 2 * 13 * 13 + _ACTIONS


class _Step(NamedTuple):
    state: torch.Tensor
    action: int
    reward: float
    next_state: torch.Tensor | None


class _Team:
    """One team's parameters and replay."""

    def __init__(self, learning_rate: float) -> None:
        self.parameters = [
            (torch.randn(_STATE, _HIDDEN) / _STATE**0.5).requires_grad_(),
            torch.zeros(_HIDDEN, requires_grad=True),
            (torch.randn(_HIDDEN, _ACTIONS) / _HIDDEN**0.5).requires_grad_(),
            torch.zeros(_ACTIONS, requires_grad=True),
        ]
        self.optimizer = torch.optim.SGD(self.parameters, lr=learning_rate)
        self.replay: deque[_Step] = deque(maxlen=70)
        self.before: dict[int, tuple[torch.Tensor, int, float]] = {}  # incomplete steps, by agent

    def values(self, states: torch.Tensor) -> torch.Tensor:
        """Q of all actions."""
        first, first_bias, second, second_bias = self.parameters
        return torch.nn.functional.elu(states @ first + first_bias) @ second + second_bias


class BattleChapterLoop:
    """Two teams that learn while they fight."""

    def __init__(self, arena: Arena, learn: bool = True) -> None:
        self.arena, self.learn = arena, learn
        self.tau, self.discount, self.inner_iterations, self.batch_size = 0.5, 0.5, 5, 25
        self.engine: Any = import_magent2().GridWorld("battle", map_size=arena.map_size)
        self.handles = self.engine.get_handles()
        self.teams = [_Team(learning_rate=1e-3) for _ in range(2)]
        self._begin()

    def run(self, steps: int) -> None:
        """Play and learn for `steps` steps."""
        for _ in range(steps):
            self._step()

    def _begin(self) -> None:
        self.engine.reset()
        self.steps = 0
        for side, handle in enumerate(self.handles):
            places = self.arena.positions(self.arena.sizes[side], side, np.random.default_rng())
            self.engine.add_agents(handle, method="custom", pos=places)
            self.teams[side].before.clear()

    def _step(self) -> None:
        decisions = [self._decide(self.teams[side], self.handles[side]) for side in (0, 1)]
        for side, (_, actions) in enumerate(decisions):
            self.engine.set_action(self.handles[side], np.array(actions, dtype=np.int32))
        self.engine.step()
        for side, (states, actions) in enumerate(decisions):
            self._remember(self.teams[side], self.handles[side], states, actions)
        self.engine.clear_dead()
        self.steps += 1
        if self.learn:
            for team in self.teams:
                self._learn(team)
        left = [self.engine.get_num(handle) for handle in self.handles]
        if min(left) == 0 or self.steps == self.arena.max_steps:
            self._begin()

    def _decide(self, team: _Team, handle: Any) -> tuple[list[torch.Tensor], list[int]]:
        """States, with the last mean actions, and actions of all agents."""
        views = self.engine.get_observation(handle)[0]
        positions = self.engine.get_pos(handle).tolist()
        actions = [random.randrange(_ACTIONS) for _ in positions]
        states = [torch.empty(0)] * len(positions)
        for _ in range(self.inner_iterations):
            for agent in range(len(positions)):
                view = torch.from_numpy(views[agent][:, :, [_OWN, _FOE]]).flatten()
                states[agent] = torch.cat([view, _mean_action(agent, positions, actions)])
                with torch.no_grad():
                    q = team.values(states[agent])
                chances = torch.softmax(q / self.tau, dim=0)
                actions[agent] = int(torch.multinomial(chances, 1))
        return states, actions

    def _remember(
        self, team: _Team, handle: Any, states: list[torch.Tensor], actions: list[int]
    ) -> None:
        """Complete the previous steps with their next states, and keep the new steps."""
        agents = self.engine.get_agent_id(handle).tolist()
        rewards = self.engine.get_reward(handle).tolist()
        alive = self.engine.get_alive(handle).tolist()
        for i, agent in enumerate(agents):
            if agent in team.before:
                team.replay.append(_Step(*team.before.pop(agent), next_state=states[i]))
            if alive[i]:
                team.before[agent] = (states[i], actions[i], rewards[i])
            else:
                team.replay.append(_Step(states[i], actions[i], rewards[i], next_state=None))

    def _learn(self, team: _Team) -> None:
        if len(team.replay) < self.batch_size:
            return
        batch = random.sample(team.replay, self.batch_size)
        targets = []
        for step in batch:
            target = step.reward
            if step.next_state is not None:
                with torch.no_grad():
                    target += self.discount * float(team.values(step.next_state).max())
            targets.append(target)
        states = torch.stack([step.state for step in batch])
        actions = torch.tensor([step.action for step in batch])
        chosen = team.values(states)[torch.arange(len(batch)), actions]
        loss = ((torch.tensor(targets) - chosen) ** 2).sum()
        team.optimizer.zero_grad()
        loss.backward()
        team.optimizer.step()


def _mean_action(agent: int, positions: list[list[int]], actions: list[int]) -> torch.Tensor:
    """Mean of the one-hot actions of the team mates nearby; zeros without any."""
    x, y = positions[agent]
    mean = torch.zeros(_ACTIONS)
    mates = [
        other
        for other, (at_x, at_y) in enumerate(positions)
        if other != agent and abs(at_x - x) + abs(at_y - y) <= _RADIUS
    ]
    for mate in mates:
        mean += torch.nn.functional.one_hot(torch.tensor(actions[mate]), _ACTIONS)
    return mean / max(1, len(mates))
