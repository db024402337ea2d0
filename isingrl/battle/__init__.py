"""Two teams of agents that learn to fight each other, on magent2.

Needs the extra ``isingrl[battle]``. ``import isingrl.battle`` loads neither magent2 nor torch.
"""

from isingrl.battle.arena import Arena
from isingrl.battle.contests import play, record, tournament
from isingrl.battle.games import Games, Observation, Outcome
from isingrl.battle.teams import (
    TEAMS,
    ActorCritic,
    IndependentQ,
    LearningTeam,
    MeanFieldActorCritic,
    MeanFieldQ,
    PursuitTeam,
    RandomTeam,
    Team,
    ValueTeam,
)
from isingrl.battle.trained import TrainedTeam
from isingrl.battle.training import OPPONENTS, train

__all__ = [
    "OPPONENTS",
    "TEAMS",
    "ActorCritic",
    "Arena",
    "Games",
    "IndependentQ",
    "LearningTeam",
    "MeanFieldActorCritic",
    "MeanFieldQ",
    "Observation",
    "Outcome",
    "PursuitTeam",
    "RandomTeam",
    "Team",
    "TrainedTeam",
    "ValueTeam",
    "play",
    "record",
    "tournament",
    "train",
]
