"""Mean actions that agents see: of team mates, or of others for comparison."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isingrl.battle.games import Observation
from isingrl.battle.kernels import agents as kernels

Means = npt.NDArray[np.float32]
Actions = npt.NDArray[np.int32]


class MeanField:
    """Mean actions of team mates within a city-block distance; None is the whole team."""

    def __init__(self, radius: int | None, inner_iterations: int) -> None:
        self._radius = -1 if radius is None else radius
        self.inner_iterations = inner_iterations
        self._before = np.empty(0, np.int32)

    def begin(self, n_agents: int) -> None:
        """Forget the actions of the games before."""
        self._before = np.full(n_agents, -1, np.int32)

    def look(self, own: Observation, foes: Observation, generator: np.random.Generator) -> None:
        """Find whose actions count for each agent."""
        self._agents = own.agents
        self._others = kernels.neighbors_within(
            own.positions, own.starts, own.positions, own.starts, self._radius, True
        )

    def before(self) -> Means:
        """Mean actions of the step before, shape (n, 21)."""
        return self.of(self._before[self._agents])

    def of(self, actions: Actions) -> Means:
        """Mean actions, shape (n, 21), if the agents of the team take these actions."""
        means = np.empty((len(self._agents), kernels.N_ACTIONS), np.float32)
        kernels.mean_actions(actions, *self._others, means)
        return means

    def seen(self, actions: Actions) -> Means:
        """Mean actions that the agents saw when they took these actions at last."""
        return self.of(actions) if self.inner_iterations else self.before()

    def took(self, actions: Actions) -> None:
        """Keep the actions that were taken."""
        self._before[self._agents] = actions

    def saw(self, foes: Observation, actions: Actions) -> None:
        """Keep the actions of the foes, if they count."""
        return


class OneMate(MeanField):
    """The action of one team mate within the distance, drawn anew in every step."""

    def look(self, own: Observation, foes: Observation, generator: np.random.Generator) -> None:
        """See `MeanField.look`."""
        super().look(own, foes, generator)
        first, mates = self._others
        numbers = np.diff(first)
        drawn = first[:-1] + (generator.random(len(numbers)) * numbers).astype(np.int64)
        some = numbers > 0
        self._others = np.concatenate([[0], np.cumsum(some)]), mates[drawn[some]]


class Foes(MeanField):
    """Mean actions of the foes within the distance, in the step before."""

    def begin(self, n_agents: int) -> None:
        """See `MeanField.begin`."""
        super().begin(n_agents)
        self._of_foes = np.empty(0, np.int32)

    def look(self, own: Observation, foes: Observation, generator: np.random.Generator) -> None:
        """See `MeanField.look`."""
        self._agents = own.agents
        self._others = kernels.neighbors_within(
            own.positions, own.starts, foes.positions, foes.starts, self._radius, False
        )
        self._known = (
            self._of_foes[foes.agents]
            if len(self._of_foes)
            else np.full(len(foes.agents), -1, np.int32)
        )

    def of(self, actions: Actions) -> Means:
        """See `MeanField.of`; what the team does makes no difference."""
        return super().of(self._known)

    def saw(self, foes: Observation, actions: Actions) -> None:
        """See `MeanField.saw`."""
        if not len(self._of_foes):  # the first step, in which all live
            self._of_foes = np.empty(foes.agents.max() + 1, np.int32)
        self._of_foes[foes.agents] = actions


class Nobody(MeanField):
    """Zeros."""

    def of(self, actions: Actions) -> Means:
        """See `MeanField.of`."""
        return np.zeros((len(self._agents), kernels.N_ACTIONS), np.float32)


FIELDS: dict[str, type[MeanField]] = {
    "team": MeanField, "mate": OneMate, "foes": Foes, "nobody": Nobody
}  # fmt: skip
"""By whose mean action it is."""
