"""Statistical mechanics with Monte Carlo and reinforcement-learning agents on one lattice code."""

from importlib.metadata import version

from isingrl.agents import (
    Agent,
    IndependentQ,
    JointQ,
    MeanFieldQ,
    NeighborhoodQ,
    Network,
    Policy,
    train,
)
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.rules import HeatBath, Metropolis, Rule
from isingrl.simulation import simulate

__version__ = version("isingrl")

__all__ = [
    "Agent",
    "HeatBath",
    "IndependentQ",
    "Ising",
    "JointQ",
    "Lattice",
    "MeanFieldQ",
    "Metropolis",
    "NeighborhoodQ",
    "Network",
    "Policy",
    "Rule",
    "simulate",
    "train",
]
