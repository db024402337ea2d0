"""Run the tasks of a study one after the other and write its files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import xarray as xr
from tqdm.auto import tqdm

from studies.files import make_folder, write_dataset, write_figure, write_json
from studies.tasks import Study, task_seed


def run(study: Study, *, progress: bool = False) -> xr.Dataset:
    """Run all tasks of a study and return its data."""
    tasks = study.tasks()
    results = {}
    total = sum(task.weight for task in tasks)
    with tqdm(total=total, unit="part", disable=not progress) as bar:
        for task in tasks:
            bar.set_description(task.key)
            seed = task_seed(study.seed, task.key)
            results[task.key] = task.function(**task.arguments, seed=seed, progress=progress)
            bar.update(task.weight)
    return study.assemble(results)


def run_to_folder(study: Study, name: str, out: Path, *, progress: bool = False) -> None:
    """Run a study and leave data.nc, summary.nc, figure.png and config.json in a folder.

    Raises
    ------
    TypeError, ValueError
        If the configuration is bad or the folder cannot be written to, before any work.
    """
    study.tasks()
    make_folder(out)
    settings = {"study": name, **configuration(study)}
    data = run(study, progress=progress).assign_attrs(config=json.dumps(settings))
    summary = study.summarize(data)
    write_dataset(data, out / "data.nc")
    write_dataset(summary, out / "summary.nc")
    write_figure(study.plot(summary), out / "figure.png")
    write_json(settings, out / "config.json")


def configuration(study: Any) -> dict[str, Any]:
    """Fields of a study's configuration, ready for JSON."""
    return dataclasses.asdict(study)
