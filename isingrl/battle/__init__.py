"""Two teams of agents that learn to fight each other, on magent2.

Needs the extra ``isingrl[battle]``. ``import isingrl.battle`` loads neither magent2 nor torch.
"""

from isingrl.battle.arena import Arena
from isingrl.battle.contests import play, record, tournament
from isingrl.battle.evaluation import Evaluation
from isingrl.battle.games import Games, Observation, StepResult
from isingrl.battle.opponent import Opponent
from isingrl.battle.players import Decision, Player
from isingrl.battle.team import LearningTeam, Team
from isingrl.battle.team_training import OPPONENTS
from isingrl.battle.teams import (
    TEAMS,
    ActorCriticTeam,
    IndependentQTeam,
    MeanFieldActorCriticTeam,
    MeanFieldQTeam,
    PursuitTeam,
    RandomTeam,
    ValueTeam,
)
from isingrl.battle.trained import TrainedTeam
from isingrl.battle.training import train, train_many

__all__ = [
    "OPPONENTS",
    "TEAMS",
    "ActorCriticTeam",
    "Arena",
    "Decision",
    "Evaluation",
    "Games",
    "IndependentQTeam",
    "LearningTeam",
    "MeanFieldActorCriticTeam",
    "MeanFieldQTeam",
    "Observation",
    "Opponent",
    "Player",
    "PursuitTeam",
    "RandomTeam",
    "StepResult",
    "Team",
    "TrainedTeam",
    "ValueTeam",
    "play",
    "record",
    "tournament",
    "train",
    "train_many",
]
