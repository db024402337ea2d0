"""The lattice as an environment of the public reinforcement-learning libraries.

`IsingEnv` is a parallel environment of PettingZoo, `IsingVectorEnv` a vector environment of
Gymnasium; both need the extra ``isingrl[environments]``. ``import isingrl.envs`` loads neither
library. A learned policy comes back as an `ObservedRule`, which `isingrl.simulate` runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from isingrl.envs.observed_rule import ObservedRule
from isingrl.support.validation import require

if TYPE_CHECKING:
    from isingrl.envs.ising_env import IsingEnv
    from isingrl.envs.vector_env import IsingVectorEnv

__all__ = ["IsingEnv", "IsingVectorEnv", "ObservedRule"]

_HOMES = {"IsingEnv": "ising_env", "IsingVectorEnv": "vector_env"}


def __getattr__(name: str) -> Any:
    """Load an environment and its library when the name is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for package in ("gymnasium", "pettingzoo"):
        require(package, "environments need", "environments")
    return getattr(import_module(f"isingrl.envs.{_HOMES[name]}"), name)
