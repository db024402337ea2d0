"""The command of every study: its configuration from options, its files in a folder."""

import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from analysis import FitWarning, ShortRunWarning
from studies.command.catalogue import STUDIES
from studies.command.exits import stoppable
from studies.command.parsing import Command, deferred, parse
from studies.running.executors import default_workers
from studies.running.extensions import differences, from_configuration, joined
from studies.running.files import SUFFIXES, Format
from studies.running.runner import CONFIG, TASKS, read_former, run_to_folder

__all__ = ["main", "options_of"]


@dataclass(frozen=True)
class _Options:
    """Options of every study, beside its configuration."""

    out: Path
    workers: int
    scheduler: str | None
    extend: bool
    form: Format


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
            extend=chosen.extend, form=chosen.form, progress=True,
        )  # fmt: skip
    kind = SUFFIXES[chosen.form]
    print(f"wrote data{kind}, summary{kind}, figure.png and config.json to {chosen.out}")


def options_of(name: str, default: Any = None) -> Command:
    """Function with the options of a study as its arguments, for tyro.

    Parameters
    ----------
    name : str
    default : Study, optional
        Where the defaults come from; they are those of the study if omitted.
    """
    study = STUDIES[name]
    default = study() if default is None else default

    def command(
        config: tyro.conf.OmitArgPrefixes[study] = default,  # type: ignore[valid-type]
        out: Annotated[Path, tyro.conf.arg(help="Folder for the results.")] = Path("results")
        / name,
        workers: Annotated[
            int | None,
            tyro.conf.arg(help="Processes of one thread each; one for each core if omitted."),
        ] = None,
        scheduler: Annotated[
            str | None,
            tyro.conf.arg(help="Address of a Dask scheduler whose workers take the tasks."),
        ] = None,
        extend: Annotated[
            tyro.conf.FlagCreatePairsOff[bool],
            tyro.conf.arg(
                help="Add to the study in the folder; what is not given stays as it is there. "
                f"Possible for: {', '.join(study.extends) or 'nothing'}."
            ),
        ] = False,
        format: Annotated[
            Format, tyro.conf.arg(help="Of data and summary; Zarr suits large sweeps.")
        ] = "netcdf",
    ) -> tuple[Any, _Options]:
        number = default_workers() if workers is None else workers
        return config, _Options(out, number, scheduler, extend, format)

    command.__doc__ = study.__doc__
    return deferred(command)


def _parse(name: str, options: list[str]) -> tuple[Any, _Options]:
    """Configuration of a study and what goes with it, from its options."""
    prog = f"isingrl {name}"
    config, chosen = parse(prog, options_of(name), options)()
    if not chosen.extend:
        _refuse_another(config, name, chosen.out)
        return config, chosen
    former = read_former(chosen.out)
    if former.pop("study") != name:
        raise ValueError(f"out must hold a study {name}; {chosen.out} holds another")
    before = from_configuration(STUDIES[name], former)
    # once more: what is not given stays as it was
    config, chosen = parse(prog, options_of(name, before), options)()
    return joined(before, config), chosen


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
    """Print what the analysis warns of as lines of their own, each time."""
    warnings.simplefilter("always", ShortRunWarning)
    warnings.simplefilter("always", FitWarning)
    warnings.showwarning = _show_warning


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)
