"""The commands that read folders of studies: ``isingrl status``, ``show`` and ``rerun``."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
import xarray as xr

from studies.command.catalogue import STUDIES
from studies.command.parsing import Command, Debug, run_command
from studies.command.study_command import show_warnings
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


@dataclass(frozen=True)
class ShowStatus:
    """Tell how far a study is, whether it is running or not."""

    folder: tyro.conf.Positional[Path]
    """Folder of a study, its --out."""
    debug: Debug = False

    def run(self) -> None:
        """Print the lines."""
        tasks = self.folder / TASKS
        try:
            found = Status.read(tasks)
        except FileNotFoundError:
            raise ValueError(f"folder must be that of a study; {self.folder} is none") from None
        print("\n".join(describe(found, is_running(tasks))))


@dataclass(frozen=True)
class Show:
    """Print the summary that a file holds or leads to, and draw its figure again."""

    file: tyro.conf.Positional[Path]
    """Data or summary that a study wrote, or the folder of the study."""
    figure: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    """Where the figure goes; figure.png beside the file if omitted."""
    debug: Debug = False

    def run(self) -> None:
        """Print the summary and write the figure."""
        path = _data_in(self.file)
        with open_dataset(path) as data:
            study = _study(data)
            summary = data.load() if path.stem == "summary" else study.summarize(data)
        about = json.loads(summary.attrs["provenance"])
        made = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
        host = about["machine"]["host"]
        print(summary.drop_attrs(deep=False))
        print(f"made from {about['started']} to {about['ended']} on {host}: {made}")
        target = path.with_name("figure.png") if self.figure is None else self.figure
        write_figure(study.plot(summary), target, summary.attrs["config"])
        print(f"wrote {target}")


@dataclass(frozen=True)
class Rerun:
    """Run the study that a file comes from once more, and compare all numbers with the file's.

    Ends with exit code 1 if they differ.
    """

    file: tyro.conf.Positional[Path]
    """Data or summary that a study wrote, or the folder of the study."""
    out: Path | None = None
    """Folder for the new files, which are thrown away if omitted."""
    workers: int | None = None
    """Processes of one thread each; one for each core if omitted."""
    debug: Debug = False

    def run(self) -> None:
        """Run the study and print the comparison."""
        path = _data_in(self.file)
        with open_dataset(path) as data, tempfile.TemporaryDirectory() as scratch:
            study = _study(data)
            name = json.loads(data.attrs["config"])["study"]
            folder = Path(scratch) if self.out is None else self.out
            run_to_folder(study, name, folder, workers=self.workers, progress=True)
            with open_dataset(folder / f"{path.stem}{SUFFIXES['netcdf']}") as again:
                # later versions may measure more
                differing = compare(data, again[[name for name in again if name in data]])
            if differing:
                former = json.loads(data.attrs["provenance"])["versions"]
                print(f"{path} is not reproduced:", *differing, sep="\n  ")
                print("it was made with", ", ".join(f"{k} {v}" for k, v in former.items()))
                raise SystemExit(1)
            values = sum(each.size for each in data.variables.values())
            print(f"{path} is reproduced: all of its {values:,} numbers are the same")


COMMANDS: dict[str, type[Command]] = {"status": ShowStatus, "show": Show, "rerun": Rerun}
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


def _data_in(file: Path) -> Path:
    """The file, or the data in it if it is the folder of a study: the newest if there are two."""
    if not file.is_dir() or file.suffix == ".zarr":
        return file
    found = [path for suffix in SUFFIXES.values() if (path := file / f"data{suffix}").exists()]
    if not found:
        raise ValueError(f"file must be data, a summary, or a folder that holds them; got {file}")
    return max(found, key=lambda path: path.stat().st_mtime)
