"""Q-learning agents on the lattice."""

from isingrl.agents.agent import Agent
from isingrl.agents.independent_q import IndependentQ
from isingrl.agents.joint_q import JointQ
from isingrl.agents.mean_field_q import MeanFieldQ
from isingrl.agents.neighborhood_q import NeighborhoodQ
from isingrl.agents.network import Network
from isingrl.agents.policy import Policy
from isingrl.agents.rewards import REWARDS, Reward
from isingrl.agents.temperatures import TemperatureMapWarning
from isingrl.agents.training import train

__all__ = [
    "REWARDS",
    "Agent",
    "IndependentQ",
    "JointQ",
    "MeanFieldQ",
    "NeighborhoodQ",
    "Network",
    "Policy",
    "Reward",
    "TemperatureMapWarning",
    "train",
]
