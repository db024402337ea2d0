"""All studies by name."""

from __future__ import annotations

from typing import Any

from studies.battle_chapter import BattleChapter
from studies.battle_paper import BattlePaper
from studies.battle_temperature import BattleTemperature
from studies.chapter_1d import Chapter1D
from studies.chapter_2d import Chapter2D
from studies.coarsening import Coarsening
from studies.critical_point import CriticalPoint
from studies.curve import Curve
from studies.discount import Discount
from studies.domains import Domains
from studies.observability import Observability
from studies.paper_ising import PaperIsing
from studies.scaling_of_inputs import ScalingOfInputs
from studies.schedules import Schedules
from studies.temperature_map import TemperatureMap
from studies.three_dimensions import ThreeDimensions

STUDIES: dict[str, type[Any]] = {
    "battle-chapter": BattleChapter,
    "battle-paper": BattlePaper,
    "battle-temperature": BattleTemperature,
    "chapter-1d": Chapter1D,
    "chapter-2d": Chapter2D,
    "coarsening": Coarsening,
    "critical-point": CriticalPoint,
    "curve": Curve,
    "discount": Discount,
    "domains": Domains,
    "observability": Observability,
    "paper-ising": PaperIsing,
    "scaling-of-inputs": ScalingOfInputs,
    "schedules": Schedules,
    "temperature-map": TemperatureMap,
    "three-dimensions": ThreeDimensions,
}
"""Studies by the names that they have on the command line."""
