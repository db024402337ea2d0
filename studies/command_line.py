"""The command ``isingrl``: run a study and leave its files in a folder."""

import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from analysis import ShortRunWarning
from studies import battle_commands, file_commands
from studies.catalogue import STUDIES
from studies.executors import default_workers
from studies.extending import from_configuration, joined
from studies.files import SUFFIXES, Format
from studies.parsing import parse, refuse, stoppable, told
from studies.runner import read_former, run_to_folder

_COMMANDS = {
    "battle": "teams that learn to fight, tournaments, videos",
    "status": "how far a study is, running or not",
    "show": "the summary in a file, and its figure again",
    "rerun": "a file's study once more, and whether the numbers are the same",
}
_USAGE = "usage: isingrl STUDY [OPTIONS]   (isingrl STUDY --help lists the options)"


@dataclass(frozen=True)
class _Options:
    """What every study is told beside its configuration."""

    out: Path
    workers: int
    scheduler: str | None
    extend: bool
    form: Format


def main(arguments: list[str] | None = None) -> None:
    """Run the study or command that the command line names.

    Wrong options end with one line on standard error and exit code 2, tasks that failed and full
    disks with exit code 1, Ctrl-C with 130 and SIGTERM with 143.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if not given or given[0] in ("-h", "--help"):
        print(_USAGE, "", "studies:", sep="\n")
        for name, study in STUDIES.items():
            print(f"  {name:18s} {(study.__doc__ or '').splitlines()[0]}")
        print("", "other commands:", sep="\n")
        for name, line in _COMMANDS.items():
            print(f"  {name:18s} {line}")
        return
    name, *options = given
    if name == "battle":
        battle_commands.main(options)
    elif name in _COMMANDS:
        file_commands.main(name, options)
    elif name in STUDIES:
        _run(name, options)
    else:
        known = ", ".join([*_COMMANDS, *STUDIES])
        refuse("isingrl", f"STUDY must be one of {known}; got {name!r}")


def _run(name: str, options: list[str]) -> None:
    prog = f"isingrl {name}"
    with told(prog):
        study, chosen = _parse(name, options)
        with stoppable(prog, f"{chosen.out} keeps what was done; the same command goes on"):
            warnings.simplefilter("always", ShortRunWarning)
            warnings.showwarning = _show_warning
            run_to_folder(
                study, name, chosen.out, workers=chosen.workers, scheduler=chosen.scheduler,
                extend=chosen.extend, form=chosen.form, progress=True,
            )  # fmt: skip
    kind = SUFFIXES[chosen.form]
    print(f"wrote data{kind}, summary{kind}, figure.png and config.json to {chosen.out}")


def _parse(name: str, options: list[str]) -> tuple[Any, _Options]:
    """Configuration of a study and what goes with it, from its options."""
    study = STUDIES[name]
    config, chosen = _given(name, options, study())
    if not chosen.extend:
        return config, chosen
    former = read_former(chosen.out)
    if former.pop("study") != name:
        raise ValueError(f"out must hold a study {name}; {chosen.out} holds another")
    before = from_configuration(study, former)
    # once more: what is not given stays as it was
    config, chosen = _given(name, options, before)
    return joined(before, config), chosen


def _given(name: str, options: list[str], default: Any) -> tuple[Any, _Options]:
    study = STUDIES[name]

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
    given: tuple[Any, _Options] = parse(f"isingrl {name}", command, options)
    return given


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)
