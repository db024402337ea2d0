"""The command ``isingrl``: run a study and leave its files in a folder."""

import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import tyro

from analysis import ShortRunWarning
from studies import battle_commands
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
from studies.parsing import parse, refuse
from studies.runner import run_to_folder
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

_USAGE = "usage: isingrl STUDY [OPTIONS]   (isingrl STUDY --help lists the options)"


def main(arguments: list[str] | None = None) -> None:
    """Run the study that the command line names.

    Wrong options end with one line on standard error and exit code 2, Ctrl-C with exit code
    130.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if not given or given[0] in ("-h", "--help"):
        print(_USAGE, "", "studies:", sep="\n")
        for name, study in STUDIES.items():
            print(f"  {name:18s} {(study.__doc__ or '').splitlines()[0]}")
        print("", "isingrl battle --help: teams that learn to fight, tournaments, videos", sep="\n")
        return
    name, *options = given
    if name == "battle":
        battle_commands.main(options)
        return
    if name not in STUDIES:
        refuse("isingrl", f"STUDY must be battle or one of {', '.join(STUDIES)}; got {name!r}")
    study, out = _parse(name, options)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", ShortRunWarning)
            warnings.showwarning = _show_warning
            run_to_folder(study, name, out, progress=True)
    except (ImportError, TypeError, ValueError) as error:
        refuse(f"isingrl {name}", str(error))
    except KeyboardInterrupt:
        print(f"isingrl {name}: interrupted; no results were written", file=sys.stderr)
        raise SystemExit(130) from None
    print(f"wrote data.nc, summary.nc, figure.png and config.json to {out}")


def _parse(name: str, options: list[str]) -> tuple[Any, Path]:
    """Configuration and output folder from the options of a study."""
    study = STUDIES[name]

    def command(
        config: tyro.conf.OmitArgPrefixes[study],  # type: ignore[valid-type]
        out: Annotated[Path, tyro.conf.arg(help="Folder for the results.")] = Path("results")
        / name,
    ) -> tuple[Any, Path]:
        return config, out

    command.__doc__ = study.__doc__
    parsed: tuple[Any, Path] = parse(f"isingrl {name}", command, options)
    return parsed


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)
