"""Learning of action values from a memory."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch

from isingrl.battle.memory import Batch, ReplayMemory
from isingrl.battle.networks import BattleNetwork
from isingrl.battle.symmetries import ACTION_IMAGES
from isingrl.battle.team_learner import TeamLearner, mean_of_known, parameters, set_parameters
from isingrl.battle.teams import ValueTeam
from isingrl.support.archives import Arrays, part, prefixed


class ValueLearner(TeamLearner):
    """A `ValueTeam` while it learns."""

    team: ValueTeam
    alike: ClassVar = ("discount", "softmax_temperature")

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

    def after_step(self, experienced: int, generator: np.random.Generator) -> Iterator[Batch]:
        """See `TeamLearner.after_step`."""
        team = self.team
        if self.memory.added < team.batch_size:
            return
        self._owed += experienced * team.replay_ratio / team.batch_size
        while self._owed >= 1:
            self._owed -= 1
            symmetry = int(generator.integers(len(ACTION_IMAGES))) if team.symmetric else 0
            batch = self.memory.draw(team.batch_size, generator, symmetry)
            if batch.known.any():
                yield batch

    def loss(self, batch: Batch) -> torch.Tensor:
        """See `TeamLearner.loss`."""
        team, target = self.team, self._target
        with torch.no_grad():
            values = target(target.look(batch.next_views), batch.next_means)
            tau = team.softmax_temperature
            if tau > 0:
                next_value = (torch.softmax(values / tau, dim=1) * values).sum(dim=1)
            else:
                next_value = values.max(dim=1).values
            wanted = batch.rewards + team.discount * batch.goes_on * next_value
        outputs = self.network(self.network.look(batch.views), batch.means)
        taken = outputs.gather(1, batch.actions[:, None])[:, 0]
        return mean_of_known((taken - wanted) ** 2, batch.known)

    def networks(self) -> dict[str, BattleNetwork]:
        """See `TeamLearner.networks`."""
        return {"network": self.network, "target": self._target}

    def step(self) -> None:
        """See `TeamLearner.step`; the target network follows."""
        super().step()
        with torch.no_grad():
            pairs = zip(self._target.parameters(), self.network.parameters(), strict=True)
            for slow, fast in pairs:
                slow.lerp_(fast, self.team.target_mixing)

    def state(self) -> Arrays:
        """See `TeamLearner.state`."""
        target = prefixed("target.", parameters(self._target))
        return super().state() | target | {"owed": np.array(self._owed)}

    def restore(self, arrays: Arrays) -> None:
        """See `TeamLearner.restore`."""
        super().restore(arrays)
        set_parameters(self._target, part(arrays, "target."))
        self._owed = float(arrays["owed"])
