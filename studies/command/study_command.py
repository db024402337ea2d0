"""The command of every study: its configuration from options, its files in a folder."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import tyro

from analysis import FitWarning, ShortRunWarning
from studies.command.catalogue import STUDIES
from studies.command.exits import stoppable
from studies.command.parsing import Debug, parse
from studies.running.extensions import differences, from_configuration, joined
from studies.running.files import SUFFIXES, Format
from studies.running.runner import CONFIG, TASKS, read_former, run_to_folder

__all__ = ["StudyOptions", "main", "options_of", "show_warnings"]

S = TypeVar("S")


@dataclass(frozen=True)
class StudyOptions(Generic[S]):
    """Configuration of a study, and how it is run."""

    config: tyro.conf.OmitArgPrefixes[S]
    out: Path
    """Folder for the results."""
    workers: int | None = None
    """Processes of one thread each; one for each core if omitted."""
    scheduler: str | None = None
    """Address of a Dask scheduler whose workers take the tasks."""
    extend: tyro.conf.FlagCreatePairsOff[bool] = False
    """Add to the study in the folder; what is not given stays as it is there."""
    format: Format = "netcdf"
    """Format of data and summary; Zarr suits large sweeps."""
    debug: Debug = False


def main(name: str, options: list[str]) -> None:
    """Run a study.

    Parameters
    ----------
    name : str
        One of `studies.command.catalogue.STUDIES`.
    options : list of str
    """
    prog = f"isingrl {name}"
    study, chosen = _parse(name, options)
    with stoppable(prog, f"{chosen.out} keeps what was done; the same command goes on"):
        show_warnings()
        run_to_folder(
            study, name, chosen.out, workers=chosen.workers, scheduler=chosen.scheduler,
            extend=chosen.extend, form=chosen.format, progress=True,
        )  # fmt: skip
    kind = SUFFIXES[chosen.format]
    print(f"wrote data{kind}, summary{kind}, figure.png and config.json to {chosen.out}")


def options_of(name: str, config: Any = None) -> tuple[Any, dict[str, Any]]:
    """Class of the options of a study, with ``default`` and ``description`` for tyro.

    Parameters
    ----------
    name : str
    config : Study, optional
        Default of the configuration; that of the study if omitted.
    """
    study = STUDIES[name]
    extensible = ", ".join(study.extends) or "nothing"
    return StudyOptions[study], {  # type: ignore[valid-type]
        "default": StudyOptions(study() if config is None else config, Path("results") / name),
        "description": f"{STUDIES.lines[name]} --extend can add to {extensible}.",
    }


def _parse(name: str, options: list[str]) -> tuple[Any, StudyOptions[Any]]:
    """Configuration of a study, extended from that in the folder if asked, and all options."""
    prog = f"isingrl {name}"
    kind, about = options_of(name)
    chosen: StudyOptions[Any] = parse(prog, kind, options, **about)
    if not chosen.extend:
        _refuse_another(chosen.config, name, chosen.out)
        return chosen.config, chosen
    former = read_former(chosen.out)
    if former.pop("study") != name:
        raise ValueError(f"out must hold a study {name}; {chosen.out} holds another")
    before = from_configuration(STUDIES[name], former)
    kind, about = options_of(name, before)
    chosen = parse(prog, kind, options, **about)  # once more: what is not given stays as it was
    return joined(before, chosen.config), chosen


def _refuse_another(config: Any, name: str, out: Path) -> None:
    """Refuse to replace data and figure of a study with another configuration."""
    if not (out / TASKS / CONFIG).is_file() or not any(out.glob("data.*")):
        return
    if changes := differences(read_former(out), name, config):
        raise ValueError(
            f"out must be a new folder or that of the same study, because its data and figure "
            f"would be replaced; in {out} {'; '.join(changes)}. Name another folder by --out, add "
            "to the study by --extend where that is possible, or move the files away"
        )


def show_warnings() -> None:
    """Print each warning of the analysis on a line of its own, every time."""
    warnings.simplefilter("always", ShortRunWarning)
    warnings.simplefilter("always", FitWarning)
    warnings.showwarning = _show_warning


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)
