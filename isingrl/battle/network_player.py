"""A network that acts for a team."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from isingrl.battle.games import Observation
from isingrl.battle.kernels import agents as kernels
from isingrl.battle.mean_field import FIELDS, MeanField
from isingrl.battle.networks import BattleNetwork
from isingrl.battle.players import Decision, Player
from isingrl.battle.team import LearningTeam

_GREEDY = 1e-20  # τ below which values / τ may be too large for single precision


class NetworkPlayer(Player):
    """Acts by softmax of a network's outputs; `tau` returns the current softmax temperature."""

    def __init__(
        self, team: LearningTeam, network: BattleNetwork, tau: Callable[[], float]
    ) -> None:
        self.network, self._tau = network, tau
        self._field = make_field(team)

    def begin(self, n_agents: int) -> None:
        """See `Player.begin`."""
        if self._field is not None:
            self._field.begin(n_agents)

    @torch.inference_mode()
    def act(self, own: Observation, foes: Observation, generator: np.random.Generator) -> Decision:
        """See `Player.act`."""
        device = next(self.network.parameters()).device
        n = len(own.agents)
        seen = self.network.look(torch.tensor(own.views, device=device))
        tau, field = self._tau(), self._field

        def draw(means: npt.NDArray[np.float32] | None) -> npt.NDArray[np.int32]:
            # a copy, because copies are aligned; see `TeamLearner.tensors`
            given = None if means is None else torch.tensor(means, device=device)
            values = self.network(seen, given)[:, : kernels.N_ACTIONS]
            if tau < _GREEDY:
                return np.asarray(values.argmax(dim=1).cpu(), np.int32)
            actions = np.empty(n, np.int32)
            chances = torch.softmax(values / tau, dim=1).cpu().numpy()
            kernels.draw_actions(chances, generator.random(n), actions)
            return actions

        if field is None:
            return Decision(draw(None))
        field.look(own, foes, generator)
        if field.inner_iterations == 0:
            actions = draw(field.before())
        else:
            actions = generator.integers(0, kernels.N_ACTIONS, n, dtype=np.int32)
            for _ in range(field.inner_iterations):
                actions = draw(field.of(actions))
        means = field.seen(actions)
        field.took(actions)
        return Decision(actions, means)

    def see(self, foes: Observation, actions: npt.NDArray[np.int32]) -> None:
        """See `Player.see`."""
        if self._field is not None:
            self._field.saw(foes, actions)


def team_player(team: LearningTeam, network: BattleNetwork, tau: Callable[[], float]) -> Player:
    """Player of a team that learns; parameters as of `NetworkPlayer`."""
    make: Callable[..., Player] = team.player_class or NetworkPlayer
    return make(team, network, tau)


def trained_tau(team: LearningTeam) -> float:
    """Softmax temperature of a team after its training; that of a policy is 1."""
    return float(getattr(team, "softmax_temperature", 1.0))


def make_field(team: LearningTeam) -> MeanField | None:
    """Make the computation of mean actions, for a team that sees them."""
    if not team.mean_field:
        return None
    settings: Any = team
    return FIELDS[getattr(team, "mean_of", "team")](settings.radius, settings.inner_iterations)
