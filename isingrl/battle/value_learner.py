"""Learning of action values from a memory."""

from __future__ import annotations

import copy

import numpy as np
import torch

from isingrl.battle.memory import Batch, ReplayMemory
from isingrl.battle.symmetries import ACTION_IMAGES
from isingrl.battle.team_learner import TeamLearner, parameters, set_parameters
from isingrl.battle.teams import ValueTeam
from isingrl.support.archives import Arrays, part, prefixed


class ValueLearner(TeamLearner):
    """A `ValueTeam` while it learns."""

    team: ValueTeam

    def __init__(self, team: ValueTeam, seed: int, device: str) -> None:
        super().__init__(team, ReplayMemory(team.memory, team.mean_field), seed, device)
        self._target = copy.deepcopy(self.network).requires_grad_(False)
        self._owed = 0.0  # updates that the replay ratio requires and that are not made yet

    def tau(self) -> float:
        """See `TeamLearner.tau`."""
        first, last = self.team.exploration_temperature, self.team.softmax_temperature
        if self.progress >= self.team.exploration:
            return last
        return first + (last - first) * self.progress / self.team.exploration

    def learn_step(self, experienced: int, generator: np.random.Generator) -> list[float]:
        """See `TeamLearner.learn_step`."""
        team = self.team
        losses: list[float] = []
        if self.memory.added < team.batch_size:
            return losses
        self._owed += experienced * team.replay_ratio / team.batch_size
        while self._owed >= 1:
            self._owed -= 1
            symmetry = int(generator.integers(len(ACTION_IMAGES))) if team.symmetric else 0
            batch = self.memory.draw(team.batch_size, generator, symmetry)
            if len(batch.actions):
                losses.append(self._update(batch))
        return losses

    def _update(self, batch: Batch) -> float:
        team = self.team
        views, means, actions, rewards, next_views, next_means, goes_on = self.tensors(batch)
        with torch.no_grad():
            values = self._target(self._target.look(next_views), next_means)
            tau = team.softmax_temperature
            if tau > 0:
                next_value = (torch.softmax(values / tau, dim=1) * values).sum(dim=1)
            else:
                next_value = values.max(dim=1).values
            target = rewards + team.discount * goes_on * next_value
        taken = self.network(self.network.look(views), means).gather(1, actions[:, None])[:, 0]
        loss = self.descend(torch.mean((taken - target) ** 2))
        with torch.no_grad():
            pairs = zip(self._target.parameters(), self.network.parameters(), strict=True)
            for slow, fast in pairs:
                slow.lerp_(fast, team.target_mixing)
        return loss

    def state(self) -> Arrays:
        """See `TeamLearner.state`."""
        target = prefixed("target.", parameters(self._target))
        return super().state() | target | {"owed": np.array(self._owed)}

    def restore(self, arrays: Arrays) -> None:
        """See `TeamLearner.restore`."""
        super().restore(arrays)
        set_parameters(self._target, part(arrays, "target."))
        self._owed = float(arrays["owed"])
