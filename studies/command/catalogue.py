"""All studies by name, each imported when it is asked for: lists and help must not wait for all."""

from __future__ import annotations

from collections import UserDict
from importlib import import_module
from typing import Any

__all__ = ["STUDIES", "Catalogue"]


class Catalogue(UserDict[str, Any]):
    """Studies by name, as classes; `lines` gives the question of each without importing it.

    Parameters
    ----------
    entries : dict
        Classes, or the first lines of their docstrings: the study ``two-words`` is then the class
        ``TwoWords`` of the module ``studies.two_words``.
    """

    def __getitem__(self, name: str) -> type[Any]:
        entry: str | type[Any] = super().__getitem__(name)
        if not isinstance(entry, str):
            return entry
        module = import_module(f"studies.{name.replace('-', '_')}")
        study: type[Any] = getattr(module, name.title().replace("-", ""))
        return study

    @property
    def lines(self) -> dict[str, str]:
        """Question of each study, by name."""
        return {
            name: entry if isinstance(entry, str) else (entry.__doc__ or "").partition("\n")[0]
            for name, entry in self.data.items()
        }


STUDIES = Catalogue(
    {
        "battle-chapter": (
            "The chapter's two teams of sixteen, each with its own network, beside stronger "
            "settings."
        ),
        "battle-paper": (
            "Mean-field and independent Q-learners and actor-critics against each other in battle."
        ),
        "battle-temperature": (
            "Games won against the softmax temperature τ, by teams that see different mean actions."
        ),
        "chapter-1d": (
            "The ring of Zai & Brown (2020), section 9.3: frozen domains of greedy agents."
        ),
        "chapter-2d": (
            "The torus of Zai & Brown (2020), section 9.4: 75 epochs, and longer trainings."
        ),
        "coarsening": "Growth of domains after a quench from infinite temperature.",
        "critical-point": (
            "Critical temperatures and exponents of the square, the Moore and the simple cubic "
            "lattice."
        ),
        "curve": "Magnetization, energy, susceptibility and specific heat against temperature.",
        "discount": (
            "Order of agents that discount the future by γ, against their softmax temperature."
        ),
        "domains": (
            "Domains of equal spins on the square lattice: mean-field Q beside Metropolis."
        ),
        "glass": (
            "Overlaps and ground states of ±J glasses, and the energies that agents find on their "
            "bonds."
        ),
        "homogenisation": (
            "Order of agents whose neighbours have bonds of two strengths, against temperature."
        ),
        "lattices": ("Critical temperatures of agents on lattices with three to eight neighbours."),
        "observability": (
            "Order of agents that see k of their four neighbours, against temperature."
        ),
        "paper-ising": (
            "The Ising experiment of Yang et al. (2018), section 5.2, and variants with other "
            "outcomes."
        ),
        "potts": ("Order, transition and phases of agents with q actions on the square lattice."),
        "scaling-of-inputs": (
            "Cost and memory of agents that see nothing, a mean, a neighbourhood, everyone."
        ),
        "schedules": "Order and energy against temperature for every order of updates.",
        "temperature-map": (
            "Effective temperature of policies of mean-field Q against their softmax temperature."
        ),
        "three-dimensions": (
            "Mean-field Q on the simple cubic lattice, with 6 and with 26 neighbours."
        ),
    }
)
"""Studies by the names that they have on the command line."""
