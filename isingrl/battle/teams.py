"""Teams that follow a script and teams that learn, as frozen descriptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from isingrl.battle.kernels.agents import N_ACTIONS
from isingrl.battle.mean_field import FIELDS
from isingrl.battle.players import PursuitPlayer, RandomPlayer
from isingrl.battle.team import LearningTeam, Team
from isingrl.support.reprs import without_later
from isingrl.support.validation import (
    check_choice,
    check_flag,
    check_integer,
    check_positive,
    check_real,
)

__all__ = [
    "TEAMS",
    "ActorCriticTeam",
    "IndependentQTeam",
    "LearningTeam",
    "MeanFieldActorCriticTeam",
    "MeanFieldQTeam",
    "PursuitTeam",
    "RandomTeam",
    "Team",
    "ValueTeam",
]


@dataclass(frozen=True, repr=False)
class RandomTeam(Team):
    """Agents that take every action with the same probability.

    Examples
    --------
    >>> from isingrl.battle import Arena, PursuitTeam, RandomTeam, play
    >>> arena = Arena(map_size=8, team_size=2, max_steps=50)
    >>> data = play(PursuitTeam(), RandomTeam(), games=20, arena=arena, seed=1)
    >>> bool(data.score.mean() > 0)
    True
    """

    name: ClassVar[str] = "random"

    def player(self) -> RandomPlayer:
        """See `Team.player`."""
        return RandomPlayer()


@dataclass(frozen=True, repr=False)
class PursuitTeam(Team):
    """Agents that hit an adjacent foe, else approach the nearest one on the map.

    Examples
    --------
    >>> from isingrl.battle import Arena, PursuitTeam, RandomTeam, play
    >>> arena = Arena(map_size=8, team_size=2, max_steps=50)
    >>> data = play(PursuitTeam(), RandomTeam(), games=20, arena=arena, seed=1)
    >>> bool(data.kills.mean("game").sel(side="first") > 1)
    True
    """

    name: ClassVar[str] = "pursuit"

    def player(self) -> PursuitPlayer:
        """See `Team.player`."""
        return PursuitPlayer()


@dataclass(frozen=True, repr=False)
class _MeanField:
    """The common part of teams that see a mean action; see `MeanFieldQTeam`."""

    mean_field: ClassVar[bool] = True

    radius: int | None = 6
    inner_iterations: int = 3
    mean_of: str = "team"

    def __post_init__(self) -> None:
        super().__post_init__()  # type: ignore[misc]
        check_choice("mean_of", self.mean_of, tuple(FIELDS))
        if self.radius is not None:
            object.__setattr__(self, "radius", check_integer("radius", self.radius, 1))
        number = check_integer("inner_iterations", self.inner_iterations, 0)
        object.__setattr__(self, "inner_iterations", number)

    def settings(self) -> dict[str, Any]:
        """See `Team.settings`; without `mean_of` at its default."""
        return without_later(self, super().settings(), ("mean_of",))  # type: ignore[misc]


@dataclass(frozen=True, repr=False)
class ValueTeam(LearningTeam):
    r"""Teams that learn action values and act by softmax of them.

    An agent observes o and, in mean-field teams, the mean action ā of team mates. It takes action a
    with probability proportional to exp(Q(o, a, ā)/τ). Batches of experiences are drawn from a
    memory, and the network reduces the squared distance of Q to

    .. math:: r + \gamma \sum_{a} \pi(a | o', \bar a') \, Q^-(o', a, \bar a')

    with a target network Q⁻ that follows slowly. The target is r alone in a step in which the
    agent died or the game was won.

    Parameters
    ----------
    network, discount, learning_rate, falling_rate
        As of `LearningTeam`.
    softmax_temperature : float
        Softmax temperature τ ≥ 0 in units of the reward; greedy at 0.
    exploration_temperature : float
        Softmax temperature at the beginning of a training, from which it falls linearly to
        `softmax_temperature`.
    exploration : float
        Share of the training, 0 to 1, over which it falls.
    memory : int
        Size of the memory in steps of an agent.
    batch_size : int
        Steps drawn at a time, with replacement.
    replay_ratio : float
        Average number of times that a step is drawn.
    target_mixing : float
        Share of the network that goes into the target network at every update, in (0, 1].
    symmetric : bool
        Whether every batch is turned and mirrored by a random symmetry of the square.

    References
    ----------
    V. Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 529
    (2015), for the memory and the target network.

    Examples
    --------
    >>> from isingrl.battle import IndependentQTeam, ValueTeam
    >>> team = IndependentQTeam(softmax_temperature=0.05, memory=10_000)
    >>> isinstance(team, ValueTeam), team.softmax_temperature
    (True, 0.05)
    """

    softmax_temperature: float = 0.01
    exploration_temperature: float = 0.1
    exploration: float = 0.02
    memory: int = 400_000
    batch_size: int = 1024
    replay_ratio: float = 24.0
    target_mixing: float = 0.01
    symmetric: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("softmax_temperature", "exploration_temperature"):
            self._set(name, check_real(name, getattr(self, name), minimum=0))
        self._set("exploration", check_real("exploration", self.exploration, minimum=0, maximum=1))
        for name in ("memory", "batch_size"):
            self._set(name, check_integer(name, getattr(self, name), 1))
        for name, most in (("replay_ratio", 1e6), ("target_mixing", 1.0)):
            self._set(name, check_positive(name, getattr(self, name), maximum=most))
        check_flag("symmetric", self.symmetric)


@dataclass(frozen=True, repr=False)
class IndependentQTeam(ValueTeam):
    """Agents that do not see the actions of their team mates.

    Parameters
    ----------
    network, discount, learning_rate, falling_rate
        As of `LearningTeam`.
    softmax_temperature, exploration_temperature, exploration
        As of `ValueTeam`.
    memory, batch_size, replay_ratio, target_mixing, symmetric
        As of `ValueTeam`.

    Examples
    --------
    >>> from isingrl.battle import IndependentQTeam
    >>> team = IndependentQTeam(discount=0.9)
    >>> team.name, team.mean_field
    ('independent-q', False)
    """

    name: ClassVar[str] = "independent-q"


@dataclass(frozen=True, repr=False)
class MeanFieldQTeam(_MeanField, ValueTeam):
    """Agents that see the mean action of their team mates.

    Parameters
    ----------
    network, discount, learning_rate, falling_rate
        As of `LearningTeam`.
    softmax_temperature, exploration_temperature, exploration
        As of `ValueTeam`.
    memory, batch_size, replay_ratio, target_mixing, symmetric
        As of `ValueTeam`.
    radius : int, optional
        City-block distance in cells within which team mates count; the whole team if None.
    inner_iterations : int
        Times that the agents act on each other's latest tentative actions, which begin at random,
        before a step counts. 0: they see the actions of the step before.
    mean_of : {"team", "mate", "foes", "nobody"}
        Whose mean action the agents see, within `radius`: that of their team mates, the action of
        a team mate drawn in every step, the mean action of the foes in the step before, or zeros.
        All but the first are for comparisons, with the same network.

    References
    ----------
    Y. Yang et al., "Mean field multi-agent reinforcement learning", ICML (2018),
    arXiv:1802.05438.

    Examples
    --------
    >>> from isingrl.battle import MeanFieldQTeam
    >>> team = MeanFieldQTeam(radius=3, inner_iterations=0)
    >>> team.name, team.mean_field
    ('mean-field-q', True)
    """

    name: ClassVar[str] = "mean-field-q"


@dataclass(frozen=True, repr=False)
class ActorCriticTeam(LearningTeam):
    r"""Agents that learn a policy, and the value V of their state as its baseline.

    After every round of games the policy climbs the gradient of

    .. math:: A \, \pi(a | o) / \pi_0(a | o) + c_H H(\pi)

    over all steps of the round, in batches, in several passes. A is the generalized advantage with
    λ [1]_, and π₀ the policy that acted. The gain is clipped at ratios further than 0.2 from 1
    [2]_. The value reduces its squared distance to A + V.

    Parameters
    ----------
    network, discount, learning_rate, falling_rate
        As of `LearningTeam`.
    trace : float
        Decay λ in [0, 1] of the advantage; 1 takes all of the discounted return.
    entropy : float
        Weight c_H of the policy's entropy, in units of the reward: a softmax temperature. With a
        smaller weight all agents soon learn not to hit, because hits by chance are rare.
    value_weight : float
        Weight of the value's loss.
    batch_size : int
        Steps of a batch.
    passes : int
        Times that every step of a round is learned from.

    References
    ----------
    .. [1] J. Schulman et al., "High-dimensional continuous control using generalized advantage
       estimation", ICLR (2016), arXiv:1506.02438.
    .. [2] J. Schulman et al., "Proximal policy optimization algorithms" (2017), arXiv:1707.06347.

    Examples
    --------
    >>> from isingrl.battle import ActorCriticTeam
    >>> team = ActorCriticTeam(entropy=0.05, passes=2)
    >>> team.name, team.learning_rate
    ('actor-critic', 0.002)
    """

    name: ClassVar[str] = "actor-critic"
    outputs: ClassVar[int] = N_ACTIONS + 1

    learning_rate: float = 2e-3
    trace: float = 0.5
    entropy: float = 0.03
    value_weight: float = 0.5
    batch_size: int = 512
    passes: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("trace", check_real("trace", self.trace, minimum=0, maximum=1))
        for name in ("entropy", "value_weight"):
            self._set(name, check_real(name, getattr(self, name), minimum=0))
        for name in ("batch_size", "passes"):
            self._set(name, check_integer(name, getattr(self, name), 1))


@dataclass(frozen=True, repr=False)
class MeanFieldActorCriticTeam(_MeanField, ActorCriticTeam):
    """Actor-critic agents that see the mean action of their team mates.

    Parameters
    ----------
    network, discount, learning_rate, falling_rate
        As of `LearningTeam`.
    trace, entropy, value_weight, batch_size, passes
        As of `ActorCriticTeam`.
    radius, inner_iterations, mean_of
        As of `MeanFieldQTeam`.

    References
    ----------
    Y. Yang et al., "Mean field multi-agent reinforcement learning", ICML (2018),
    arXiv:1802.05438.

    Examples
    --------
    >>> from isingrl.battle import MeanFieldActorCriticTeam
    >>> team = MeanFieldActorCriticTeam(radius=3)
    >>> team.name, team.mean_field
    ('mean-field-actor-critic', True)
    """

    name: ClassVar[str] = "mean-field-actor-critic"


TEAMS: dict[str, type[Team]] = {
    team.name: team
    for team in (
        RandomTeam, PursuitTeam, IndependentQTeam, MeanFieldQTeam, ActorCriticTeam,
        MeanFieldActorCriticTeam
    )
}  # fmt: skip
"""Teams of this package by name."""
