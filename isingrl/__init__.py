"""Statistical mechanics with Monte Carlo and reinforcement-learning agents on one lattice code."""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from isingrl.support import shadowing

if TYPE_CHECKING:
    from isingrl import agents as agents
    from isingrl import battle as battle
    from isingrl import lattice as lattice
    from isingrl import model as model
    from isingrl import rules as rules
    from isingrl import simulation as simulation
    from isingrl import tables as tables
    from isingrl import testing as testing
    from isingrl.agents import (
        Agent,
        IndependentQ,
        JointQ,
        MeanFieldQ,
        NeighborhoodQ,
        Network,
        Policy,
        TemperatureMapWarning,
        train,
    )
    from isingrl.clusters import SwendsenWang, Wolff
    from isingrl.disorder import RandomBonds, random_bonds
    from isingrl.dynamics import Dynamics
    from isingrl.lattice import Lattice
    from isingrl.learning import Learning
    from isingrl.model import Ising
    from isingrl.potts import Potts
    from isingrl.rules import HeatBath, Metropolis, Rule
    from isingrl.simulation import simulate
    from isingrl.tempering import Tempering

    __version__: str

__all__ = [
    "Agent",
    "Dynamics",
    "HeatBath",
    "IndependentQ",
    "Ising",
    "JointQ",
    "Lattice",
    "Learning",
    "MeanFieldQ",
    "Metropolis",
    "NeighborhoodQ",
    "Network",
    "Policy",
    "Potts",
    "RandomBonds",
    "Rule",
    "SwendsenWang",
    "TemperatureMapWarning",
    "Tempering",
    "Wolff",
    "random_bonds",
    "simulate",
    "train",
]

# Names are imported when they are first used, because Numba and xarray take half a second.
_HOMES = {
    "isingrl.agents": (
        "Agent", "IndependentQ", "JointQ", "MeanFieldQ", "NeighborhoodQ", "Network", "Policy",
        "TemperatureMapWarning", "train",
    ),
    "isingrl.clusters": ("SwendsenWang", "Wolff"),
    "isingrl.dynamics": ("Dynamics",),
    "isingrl.lattice": ("Lattice",),
    "isingrl.learning": ("Learning",),
    "isingrl.model": ("Ising",),
    "isingrl.potts": ("Potts",),
    "isingrl.disorder": ("RandomBonds", "random_bonds"),
    "isingrl.rules": ("HeatBath", "Metropolis", "Rule"),
    "isingrl.simulation": ("simulate",),
    "isingrl.tempering": ("Tempering",),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}
_SUBMODULES = ("agents", "battle", "lattice", "model", "rules", "simulation", "tables", "testing")


# Only a warning, because a user may need another package of that name beside this one.
for _package in shadowing.PACKAGES:
    if _warning := shadowing.hidden(_package):
        warnings.warn(_warning, stacklevel=2)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("isingrl")
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    elif name in _SUBMODULES:
        return import_module(f"isingrl.{name}")
    else:
        raise AttributeError(f"module 'isingrl' has no attribute {name!r}")
    globals()[name] = value  # later uses find it here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES, "__version__"})
