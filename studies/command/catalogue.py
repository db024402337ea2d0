"""All studies by name, each imported when it is asked for: lists and help must not wait for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, NamedTuple

__all__ = ["STUDIES", "Catalogue", "CatalogueEntry"]


class CatalogueEntry(NamedTuple):
    """Place of a study, and its question.

    Attributes
    ----------
    path : str
        Module and class, as in "studies.curve.Curve".
    line : str
        First line of the docstring of the class.
    """

    path: str
    line: str


class Catalogue(MutableMapping[str, type[Any]]):
    """Studies by name; `lines` says what each asks, without importing it.

    Parameters
    ----------
    entries : mapping of CatalogueEntry
    """

    def __init__(self, entries: Mapping[str, CatalogueEntry]) -> None:
        self._entries: dict[str, CatalogueEntry | type[Any]] = dict(entries)

    def __getitem__(self, name: str) -> type[Any]:
        entry = self._entries[name]
        if not isinstance(entry, CatalogueEntry):
            return entry
        module, _, kind = entry.path.rpartition(".")
        study: type[Any] = getattr(import_module(module), kind)
        return study

    def __setitem__(self, name: str, study: type[Any]) -> None:
        self._entries[name] = study

    def __delitem__(self, name: str) -> None:
        del self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def lines(self) -> dict[str, str]:
        """Question of each study, by name."""
        return {
            name: entry.line if isinstance(entry, CatalogueEntry) else _first_line(entry)
            for name, entry in self._entries.items()
        }


def _first_line(study: type[Any]) -> str:
    return (study.__doc__ or "").partition("\n")[0]


STUDIES = Catalogue(
    {
        "battle-chapter": CatalogueEntry(
            "studies.battle_chapter.BattleChapter",
            "The chapter's two teams of sixteen, each with its own network, and what it "
            "takes to win.",
        ),
        "battle-paper": CatalogueEntry(
            "studies.battle_paper.BattlePaper",
            "Mean-field and independent Q-learners and actor-critics against each other in battle.",
        ),
        "battle-temperature": CatalogueEntry(
            "studies.battle_temperature.BattleTemperature",
            "Games won by trained teams against the softmax temperature τ at which they play.",
        ),
        "chapter-1d": CatalogueEntry(
            "studies.chapter_1d.Chapter1D",
            "The ring of Zai & Brown (2020), section 9.3: domains that greedy agents freeze into.",
        ),
        "chapter-2d": CatalogueEntry(
            "studies.chapter_2d.Chapter2D",
            "The torus of Zai & Brown (2020), section 9.4: what 75 epochs teach, and what "
            "long ones do.",
        ),
        "coarsening": CatalogueEntry(
            "studies.coarsening.Coarsening",
            "Growth of domains after a quench from infinite temperature.",
        ),
        "critical-point": CatalogueEntry(
            "studies.critical_point.CriticalPoint",
            "Critical temperatures and exponents of the square, the Moore and the simple "
            "cubic lattice.",
        ),
        "curve": CatalogueEntry(
            "studies.curve.Curve",
            "Magnetization, energy, susceptibility and specific heat against temperature.",
        ),
        "discount": CatalogueEntry(
            "studies.discount.Discount",
            "Order of agents that discount the future by γ, against their softmax temperature.",
        ),
        "domains": CatalogueEntry(
            "studies.domains.Domains",
            "Domains of equal spins on the square lattice: mean-field Q beside Metropolis.",
        ),
        "observability": CatalogueEntry(
            "studies.observability.Observability",
            "Order of agents that see k of their four neighbours, against temperature.",
        ),
        "paper-ising": CatalogueEntry(
            "studies.paper_ising.PaperIsing",
            "The Ising experiment of Yang et al. (2018), section 5.2, and what decides its "
            "outcome.",
        ),
        "scaling-of-inputs": CatalogueEntry(
            "studies.scaling_of_inputs.ScalingOfInputs",
            "Cost and memory of agents that see nothing, a mean, a neighbourhood, everyone.",
        ),
        "schedules": CatalogueEntry(
            "studies.schedules.Schedules",
            "Order and energy against temperature for every order of updates.",
        ),
        "temperature-map": CatalogueEntry(
            "studies.temperature_map.TemperatureMap",
            "Effective temperature of what mean-field Q learns, against its softmax temperature.",
        ),
        "three-dimensions": CatalogueEntry(
            "studies.three_dimensions.ThreeDimensions",
            "Mean-field Q on the simple cubic lattice, with 6 and with 26 neighbours.",
        ),
    }
)
"""Studies by the names that they have on the command line."""
