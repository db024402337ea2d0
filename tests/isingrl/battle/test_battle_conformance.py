"""Conformance tests of battles: what the package has passes them, and each finds what is broken."""

import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("magent2")

from isingrl import battle
from isingrl.battle.team_training import OPPONENTS
from isingrl.testing import check_opponent, check_player, check_team

QUICK = {
    "independent-q": {"memory": 400, "batch_size": 8, "replay_ratio": 1.0},
    "mean-field-q": {"memory": 400, "batch_size": 8, "replay_ratio": 1.0},
    "actor-critic": {"batch_size": 64, "passes": 1},
    "mean-field-actor-critic": {"batch_size": 64, "passes": 1},
}
COUNTER = itertools.count()


@pytest.mark.parametrize("name", battle.TEAMS)
def test_teams_of_the_package_conform(name):
    check_team(battle.TEAMS[name](**QUICK.get(name, {})))


@pytest.mark.parametrize("name", OPPONENTS)
def test_opponents_of_the_package_conform(name):
    check_opponent(lambda: name)


class StillPlayer(battle.Player):
    """A player to break, which conforms itself."""

    def act(self, own, foes, generator):
        return battle.Decision(self.actions(own, generator))

    def actions(self, own, generator):
        return np.full(len(own.agents), 6, np.int32)


class TooFew(StillPlayer):
    def actions(self, own, generator):
        return np.zeros(1, np.int32)


class Unknown(StillPlayer):
    def actions(self, own, generator):
        return super().actions(own, generator) + 15


class Real(StillPlayer):
    def actions(self, own, generator):
        return super().actions(own, generator) * 1.0


class Unseeded(StillPlayer):
    def actions(self, own, generator):
        return super().actions(own, generator) - next(COUNTER) % 3


class Blinding(StillPlayer):
    def actions(self, own, generator):
        own.views[:] = 0
        return super().actions(own, generator)


@pytest.mark.parametrize(
    ("player", "said"),
    [
        (TooFew(), "TooFew must return 4 integers"),
        (Unknown(), "actions must be integers from 0 to 20"),
        (Real(), "Real must return 4 integers"),
        (Unseeded(), "the same seed must give the same games"),
        (Blinding(), "must not change what it is shown"),
        (battle.RandomTeam(), "player must be a Player"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_broken_players_are_found(player, said):
    check_player(StillPlayer())
    with pytest.raises((AssertionError, ValueError), match=said):
        check_player(player)


@dataclass(frozen=True, repr=False)
class LossyTeam(battle.Team):
    """A team whose settings say nothing of its field."""

    name: ClassVar[str] = "lossy"

    patience: int = 1

    def player(self):
        return StillPlayer()

    def settings(self):
        return {}


@dataclass(frozen=True, repr=False)
class LossyQ(battle.IndependentQTeam):
    """A team that learns, whose settings are not all."""

    name: ClassVar[str] = "lossy-q"

    def settings(self):
        return super().settings() | {"discount": 0.5}


class RestlessPlayer(StillPlayer):
    """Does otherwise in every game, whatever the seed."""

    def __init__(self, team, network, tau):
        self.network = network

    def actions(self, own, generator):
        return super().actions(own, generator) - next(COUNTER) % 3


@dataclass(frozen=True, repr=False)
class RestlessQ(battle.IndependentQTeam):
    """A team whose training does not repeat."""

    name: ClassVar[str] = "restless-q"
    player_class: ClassVar = RestlessPlayer


@pytest.mark.parametrize(
    ("team", "said"),
    [
        (LossyTeam(2), "LossyTeam must be made again by its settings"),
        (LossyQ(**QUICK["independent-q"]), "LossyQ must come back from disk as it was"),
        (RestlessQ(**QUICK["independent-q"]), "the same seed must give the same training"),
        (StillPlayer(), "team must be a Team"),
    ],
    ids=["script", "settings", "seed", "player"],
)
def test_broken_teams_are_found(team, said):
    check_team(LossyTeam())
    with pytest.raises(AssertionError, match=said):
        check_team(team)


class Hardening(battle.Opponent):
    """An opponent to break: it stands still for some rounds, then pursues."""

    players = StillPlayer(), battle.PursuitTeam().player()
    rounds = 0

    def prepare(self, generator):
        return self.players[self.rounds > 2]

    def after_round(self, index):
        self.rounds += 1

    def state(self):
        return {"rounds": np.array(self.rounds)}

    def restore(self, arrays):
        self.rounds = int(arrays["rounds"])


class Forgetful(Hardening):
    def restore(self, arrays):
        """Forget it."""


class Unforgetting(Hardening):
    def after_round(self, index):
        type(self).rounds += 1


@pytest.mark.parametrize(
    ("opponent", "said"),
    [
        (Forgetful, "must go on from its checkpoint"),
        (Unforgetting, "the same seed must give the same training"),
        (lambda: None, "opponent must make an Opponent or a Player"),
    ],
    ids=["checkpoint", "seed", "none"],
)
def test_broken_opponents_are_found(opponent, said):
    check_opponent(Hardening)
    with pytest.raises(AssertionError, match=said):
        check_opponent(opponent)
