"""Run the tasks of a study one after the other and write its files."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import xarray as xr
from tqdm.auto import tqdm

from studies.files import make_folder, write_dataset, write_figure, write_json
from studies.tasks import task_seed
from studies.videos import write_video


def run(study: Any, *, folder: Path | None = None, progress: bool = False) -> xr.Dataset:
    """Run all tasks of a `Study` and return its data.

    Parameters
    ----------
    study : Study
    folder : path, optional
        Where tasks that can be resumed keep what they need for it.
    progress : bool
        Whether to show a bar.
    """
    tasks = study.tasks()
    results: dict[str, xr.Dataset] = {}
    with tqdm(total=0, unit="part", disable=not progress) as bar:
        while tasks:
            bar.total += sum(task.weight for task in tasks)
            for task in tasks:
                bar.set_description(task.key)
                own = {}
                if task.resumable:
                    own = {"folder": None if folder is None else folder / _folder_name(task.key)}
                results[task.key] = task.function(
                    **task.arguments, **own, seed=task_seed(study.seed, task.key), progress=progress
                )
                bar.update(task.weight)
            later = study.later_tasks(results) if hasattr(study, "later_tasks") else []
            tasks = [task for task in later if task.key not in results]
    data: xr.Dataset = study.assemble(results)
    return data


def run_to_folder(study: Any, name: str, out: Path, *, progress: bool = False) -> None:
    """Run a study and leave data.nc, summary.nc, figure.png and config.json in a folder.

    Raises
    ------
    TypeError, ValueError
        If the configuration is bad or the folder cannot be written to, before any work.
    """
    study.tasks()
    make_folder(out)
    settings = {"study": name, **configuration(study)}
    data = run(study, folder=out / "tasks", progress=progress).assign_attrs(
        config=json.dumps(settings)
    )
    summary = study.summarize(data)
    write_dataset(data, out / "data.nc")
    write_dataset(summary, out / "summary.nc")
    write_figure(study.plot(summary), out / "figure.png")
    recordings = study.recordings(data) if hasattr(study, "recordings") else {}
    for file, recording in recordings.items():
        write_video(recording, out / file, names=tuple(recording["side"].values), progress=progress)
    write_json(settings, out / "config.json")


def _folder_name(key: str) -> str:
    return re.sub(r"[^\w.=-]+", "-", key)


def configuration(study: Any) -> dict[str, Any]:
    """Fields of a study's configuration, ready for JSON."""
    return dataclasses.asdict(study)
