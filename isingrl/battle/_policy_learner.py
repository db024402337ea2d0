"""Learning of a policy and its value, round by round."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from isingrl._kernels import battle as kernels
from isingrl.battle._learner import Learner
from isingrl.battle._memory import Memory
from isingrl.battle.teams import ActorCritic

_CHUNK = 4096  # steps that are valued at a time


class PolicyLearner(Learner):
    """An `ActorCritic` while it learns; parameters as of `Learner`.

    The last output of the network is the value.

    Parameters
    ----------
    most : int
        Steps of all agents in a round, at most.
    """

    team: ActorCritic

    def __init__(self, team: ActorCritic, most: int, seed: int, device: str) -> None:
        memory = Memory(most, team.mean_field)
        super().__init__(team, memory, seed, device)

    def tau(self) -> float:
        """The policy's own: 1."""
        return 1.0

    def learn_round(self, generator: np.random.Generator) -> list[float]:
        """See `Learner.learn_round`."""
        team, rows = self.team, self.memory.everything()
        n = len(self.memory)
        values = self._values(rows["views"], rows["means"] if team.mean_field else None)
        advantage, known = np.empty(n, np.float32), np.empty(n, bool)
        kernels.advantages(
            rows["rewards"], values, rows["following"], rows["ended"],
            team.discount, team.trace, advantage, known,
        )  # fmt: skip
        returns = advantage + values
        order = generator.permutation(np.flatnonzero(known))
        losses = []
        for first in range(0, len(order), team.batch_size):
            some = order[first : first + team.batch_size]
            batch = (
                rows["views"][some],
                rows["means"][some] if team.mean_field else None,
                rows["actions"][some].astype(np.int64),
                advantage[some],
                returns[some],
            )
            losses.append(self._update(*self.tensors(batch)))
        self.memory.clear()
        return losses

    @torch.inference_mode()
    def _values(
        self, views: npt.NDArray[np.uint8], means: npt.NDArray[np.float32] | None
    ) -> npt.NDArray[np.float32]:
        found = [np.empty(0, np.float32)]
        for first in range(0, len(views), _CHUNK):
            some = slice(first, first + _CHUNK)
            seen, mean = self.tensors((views[some], None if means is None else means[some]))
            found.append(self.network(self.network.look(seen), mean)[:, -1].cpu().numpy())
        return np.concatenate(found)

    def _update(
        self,
        views: torch.Tensor,
        means: torch.Tensor | None,
        actions: torch.Tensor,
        advantage: torch.Tensor,
        returns: torch.Tensor,
    ) -> float:
        outputs = self.network(self.network.look(views), means)
        log_policy = torch.log_softmax(outputs[:, :-1], dim=1)
        taken = log_policy.gather(1, actions[:, None])[:, 0]
        entropy = -(log_policy.exp() * log_policy).sum(dim=1)
        value_loss = (outputs[:, -1] - returns) ** 2
        return self.descend(
            torch.mean(
                -taken * advantage
                - self.team.entropy * entropy
                + self.team.value_weight * value_loss
            )
        )
