"""The base classes of teams, and of teams that learn."""

from __future__ import annotations

from abc import ABC
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from isingrl.battle.kernels.agents import N_ACTIONS
from isingrl.battle.players import Player
from isingrl.support.kinds import check_name, register
from isingrl.support.reprs import call
from isingrl.support.validation import check_choice, check_flag, check_positive, check_real

KINDS: dict[str, type[Team]] = {}
"""Teams by name, those of users too."""
NETWORKS = TWO_HEADED, CHAPTER, CONVOLUTIONAL = "two-headed", "chapter", "convolutional"
"""Names of the networks in ``isingrl.battle.networks``, which imports torch."""


@dataclass(frozen=True, repr=False)
class Team(ABC):
    """A team of the battle.

    Examples
    --------
    >>> from isingrl.battle import TEAMS
    >>> [team.name for team in (TEAMS["random"](), TEAMS["pursuit"]())]
    ['random', 'pursuit']
    >>> TEAMS["mean-field-q"](**TEAMS["mean-field-q"](discount=0.9).settings()).discount
    0.9
    """

    name: ClassVar[str]
    """Name of the method in commands and along dimensions; each class has its own."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        register(cls, KINDS)

    def settings(self) -> dict[str, Any]:
        """Arguments that make this team again, ready for JSON.

        Returns
        -------
        dict
            By name.
        """
        return asdict(self)

    def player(self) -> Player:
        """Make a player of the team; a team that learns has one only after its training.

        Returns
        -------
        Player

        Raises
        ------
        TypeError
            If the team has no player.
        """
        raise TypeError(
            f"a team must be trained, random or pursuit to play, or have a method player; got "
            f"{self!r}"
        )

    def __repr__(self) -> str:
        return call(self)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


@dataclass(frozen=True, repr=False)
class LearningTeam(Team):
    r"""The base class of teams that learn: one network for all agents of the team.

    Parameters
    ----------
    network : {"two-headed", "chapter", "convolutional"} or class
        "two-headed": a layer of 128 for the view (presence and health of team mates and foes,
        walls), one of 32 for the mean action, and one of 64 that joins them. "chapter": the
        359 → 25 → 21 of Zai & Brown, with presence alone. "convolutional": the network of Yang et
        al. Or your own class with a name, a subclass of ``isingrl.battle.networks.BattleNetwork``.
    discount : float
        Discount γ in [0, 1].
    learning_rate : float
        Learning rate of Adam, in (0, 1].
    falling_rate : bool
        Whether the learning rate falls to 0 over a training, as half a cosine.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown or a number lies outside its interval.

    Examples
    --------
    >>> from isingrl.battle import ActorCriticTeam, LearningTeam, MeanFieldQTeam
    >>> isinstance(MeanFieldQTeam(), LearningTeam), MeanFieldQTeam().mean_field
    (True, True)
    >>> ActorCriticTeam().outputs - MeanFieldQTeam().outputs
    1
    """

    mean_field: ClassVar[bool] = False
    """Whether the agents see the mean action of their team mates."""

    outputs: ClassVar[int] = N_ACTIONS
    """Number of outputs of the network: one for every action, and perhaps the value."""

    learner_class: ClassVar[type[Any] | None] = None
    """Learner of teams that are neither value teams nor actor-critics, a subclass of
    ``isingrl.battle.team_learner.TeamLearner``. It is made as
    ``learner_class(team, steps, seed, device)`` with the greatest number of steps of a round."""

    player_class: ClassVar[type[Player] | None] = None
    """Player, made as ``player_class(team, network, tau)``; None for softmax at τ = tau()."""

    network: str | type[Any] = "two-headed"
    discount: float = 0.8
    learning_rate: float = 5e-4
    falling_rate: bool = True

    def __post_init__(self) -> None:
        check_name(type(self))
        if not hasattr(self.network, "code_planes"):  # `BattleNetwork` itself would import torch
            check_choice("network", self.network, NETWORKS)
        self._set("discount", check_real("discount", self.discount, minimum=0, maximum=1))
        self._set("learning_rate", check_positive("learning_rate", self.learning_rate, maximum=1))
        check_flag("falling_rate", self.falling_rate)

    def settings(self) -> dict[str, Any]:
        """See `Team.settings`; your own network appears by its name."""
        return asdict(self) | {"network": getattr(self.network, "name", self.network)}
