"""Learning of a policy and its value, round by round."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from isingrl.battle.kernels import agents as kernels
from isingrl.battle.memory import ReplayMemory, Rows
from isingrl.battle.team_learner import TeamLearner, mean_of_known
from isingrl.battle.teams import ActorCriticTeam

_CHUNK = 4096  # steps in one pass through the network
_CLIP = 0.2  # relative change of a probability beyond which the gain is constant


class PolicyBatch(NamedTuple):
    """Steps of a round: what was seen and done, by which chance, and what it was worth.

    Attributes
    ----------
    views : uint8 array, shape (n, 169)
    means : float32 array, shape (n, 21), or None
    actions : int64 array, shape (n,)
    acted, advantage, returns : float32 arrays, shape (n,)
        Log-probability of the action when it was taken, its advantage, and the return.
    known : bool array, shape (n,)
        Rows that count; the others fill the last batch.
    """

    views: Rows
    means: Rows
    actions: Rows
    acted: Rows
    advantage: Rows
    returns: Rows
    known: Rows


class PolicyLearner(TeamLearner):
    """An `ActorCriticTeam` while it learns; the last output of its network is the value.

    `most` is the greatest number of steps of all agents in a round.
    """

    team: ActorCriticTeam
    alike: ClassVar = ("entropy", "value_weight")

    def __init__(self, team: ActorCriticTeam, most: int, seed: int, device: str) -> None:
        memory = ReplayMemory(most, team.mean_field)
        super().__init__(team, memory, seed, device)

    def tau(self) -> float:
        """Softmax temperature of the policy: 1."""
        return 1.0

    def after_round(self, generator: np.random.Generator) -> Iterator[PolicyBatch]:
        """See `TeamLearner.after_round`."""
        team, rows = self.team, self.memory.everything()
        n = len(self.memory)
        means = rows["means"] if team.mean_field else None
        values, acted = self._assess(rows["views"], means, rows["actions"].astype(np.int64))
        advantage, known = np.empty(n, np.float32), np.empty(n, bool)
        kernels.advantages(
            rows["rewards"], values, rows["following"], rows["ended"],
            team.discount, team.trace, advantage, known,
        )  # fmt: skip
        returns = advantage + values
        usable = np.flatnonzero(known)
        size = team.batch_size
        for _ in range(team.passes):
            order = generator.permutation(usable)
            for first in range(0, len(order), size):
                some = np.resize(order[first : first + size], size)
                yield PolicyBatch(
                    views=rows["views"][some],
                    means=None if means is None else means[some],
                    actions=rows["actions"][some].astype(np.int64),
                    acted=acted[some],
                    advantage=advantage[some],
                    returns=returns[some],
                    known=np.arange(size) < len(order) - first,
                )
        self.memory.clear()

    @torch.inference_mode()
    def _assess(
        self,
        views: npt.NDArray[np.uint8],
        means: npt.NDArray[np.float32] | None,
        actions: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Values and log-probabilities of the actions taken, by the network that acted."""
        values, acted = np.empty(len(views), np.float32), np.empty(len(views), np.float32)
        for first in range(0, len(views), _CHUNK):
            some = slice(first, first + _CHUNK)
            mean = None if means is None else means[some]
            batch = self.tensors((views[some], mean, actions[some]))
            outputs = self.network(self.network.look(batch[0]), batch[1])
            chances = torch.log_softmax(outputs[:, :-1], dim=1).gather(1, batch[2][:, None])
            values[some], acted[some] = outputs[:, -1].cpu(), chances[:, 0].cpu()
        return values, acted

    def loss(self, batch: PolicyBatch) -> torch.Tensor:
        """See `TeamLearner.loss`."""
        outputs = self.network(self.network.look(batch.views), batch.means)
        log_policy = torch.log_softmax(outputs[:, :-1], dim=1)
        taken = log_policy.gather(1, batch.actions[:, None])[:, 0]
        ratio = (taken - batch.acted).exp()
        least = ratio.clamp(1 - _CLIP, 1 + _CLIP)
        gain = torch.minimum(ratio * batch.advantage, least * batch.advantage)
        entropy = -(log_policy.exp() * log_policy).sum(dim=1)
        value_loss = (outputs[:, -1] - batch.returns) ** 2
        losses = -gain - self.team.entropy * entropy + self.team.value_weight * value_loss
        return mean_of_known(losses, batch.known)
