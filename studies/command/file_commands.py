"""The commands that look at what studies left: ``isingrl status``, ``show`` and ``rerun``."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
import xarray as xr

from studies.command.catalogue import STUDIES
from studies.command.parsing import Command, run_command
from studies.command.study_command import show_warnings
from studies.running.executors import default_workers
from studies.running.extensions import from_configuration
from studies.running.files import SUFFIXES, open_dataset, write_figure
from studies.running.progress import Status, describe
from studies.running.provenance import read_config
from studies.running.runner import TASKS, is_running, run_to_folder

__all__ = ["COMMANDS", "compare", "main"]


def main(name: str, options: list[str]) -> None:
    """Run one of the commands.

    Parameters
    ----------
    name : {"status", "show", "rerun"}
    options : list of str
    """
    show_warnings()
    run_command(f"isingrl {name}", COMMANDS[name], options, "nothing was written")


def status(folder: tyro.conf.Positional[Path]) -> None:
    """Tell how far a study is, whether it is running or not.

    Args:
        folder: Of the study, as given to it by --out.
    """
    tasks = folder / TASKS
    try:
        found = Status.read(tasks)
    except FileNotFoundError:
        raise ValueError(f"folder must be that of a study; {folder} is none") from None
    print("\n".join(describe(found, is_running(tasks))))


def show(
    file: tyro.conf.Positional[Path],
    figure: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None,
) -> None:
    """Print the summary that a file holds or leads to, and draw its figure again.

    Args:
        file: Data or summary that a study wrote, or the folder of the study.
        figure: Where the figure goes; figure.png beside the file if omitted.
    """
    path = _data_in(file) if file.is_dir() and file.suffix != ".zarr" else file
    with open_dataset(path) as data:
        study = _study(data)
        is_summary = path.stem == "summary"
        summary = data.load() if is_summary else study.summarize(data)
    about = json.loads(summary.attrs["provenance"])
    made = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    print(summary.drop_attrs(deep=False))
    print(f"made from {about['started']} to {about['ended']} on {about['machine']['host']}: {made}")
    target = path.with_name("figure.png") if figure is None else figure
    write_figure(study.plot(summary), target, summary.attrs["config"])
    print(f"wrote {target}")


def rerun(
    file: tyro.conf.Positional[Path], out: Path | None = None, workers: int | None = None
) -> None:
    """Run the study that a file comes from once more, and compare all numbers with the file's.

    Ends with exit code 1 if they differ.

    Args:
        file: Data or summary that a study wrote, or the folder of the study.
        out: Folder for the new files, which are thrown away if omitted.
        workers: Processes of one thread each; one for each core if omitted.
    """
    if file.is_dir() and file.suffix != ".zarr":
        file = _data_in(file)
    with open_dataset(file) as data, tempfile.TemporaryDirectory() as scratch:
        study = _study(data)
        name = json.loads(data.attrs["config"])["study"]
        folder = Path(scratch) if out is None else out
        number = default_workers() if workers is None else workers
        run_to_folder(study, name, folder, workers=number, progress=True)
        with open_dataset(folder / f"{file.stem}{SUFFIXES['netcdf']}") as again:
            # later versions may measure more
            differing = compare(data, again[[name for name in again if name in data]])
        former = json.loads(data.attrs["provenance"])["versions"]
        if differing:
            print(f"{file} is not reproduced:", *differing, sep="\n  ")
            print("it was made with", ", ".join(f"{k} {v}" for k, v in former.items()))
            raise SystemExit(1)
        values = sum(each.size for each in data.variables.values())
        print(f"{file} is reproduced: all of its {values:,} numbers are the same")


COMMANDS: dict[str, Command] = {"status": status, "show": show, "rerun": rerun}
"""All of them by name."""


def compare(first: xr.Dataset, second: xr.Dataset) -> list[str]:
    """Say in which variables two Datasets differ, and by how much.

    Equal means equal bit for bit; NaN equals NaN.
    """
    lines = []
    for name in sorted({*first.variables, *second.variables}, key=str):
        if name not in first.variables or name not in second.variables:
            lines.append(f"{name}: is in one of them only")
            continue
        a, b = first[name], second[name]
        if a.dims != b.dims or a.shape != b.shape:
            lines.append(f"{name}: {dict(a.sizes)} against {dict(b.sizes)}")
        elif not a.variable.equals(b.variable):
            by = ""
            if a.dtype.kind in "iuf":
                by = f", by up to {float(np.nanmax(abs(a - b))):.3g}"
            lines.append(f"{name}: {int((a != b).sum())} of {a.size} values differ{by}")
    return lines


def _study(data: xr.Dataset) -> Any:
    """The study that a file comes from."""
    settings = read_config(data)
    name = settings.pop("study", None)
    if name not in STUDIES:
        raise ValueError(f"file must come from one of {', '.join(STUDIES)}; got {name!r}")
    return from_configuration(STUDIES[name], settings)


def _data_in(folder: Path) -> Path:
    """The data in a study's folder, the newest if there are two."""
    found = [folder / f"data{suffix}" for suffix in SUFFIXES.values()]
    found = [path for path in found if path.exists()]
    if not found:
        raise ValueError(f"file must be data, a summary, or a folder that holds them; got {folder}")
    return max(found, key=lambda path: path.stat().st_mtime)
