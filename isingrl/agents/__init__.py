"""Q-learning agents on the lattice."""

from isingrl.agents.mean_field_q import MeanFieldQ
from isingrl.agents.policy import Policy
from isingrl.agents.rewards import REWARDS, Reward
from isingrl.agents.training import train

__all__ = ["REWARDS", "MeanFieldQ", "Policy", "Reward", "train"]
