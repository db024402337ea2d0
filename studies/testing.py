"""A conformance test for studies that users write."""

from __future__ import annotations

import dataclasses
import json
import pickle
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from isingrl.testing.requirements import ensure, ensure_json
from studies.running.executors import InProcess
from studies.running.extensions import configuration, from_configuration, joined
from studies.running.files import open_dataset, write_dataset
from studies.running.progress import Display
from studies.running.runner import complete, joined_data, run
from studies.running.tasks import jobs

__all__ = ["check_study"]


def check_study(
    study: Any, additions: Mapping[str, Any] | None = None, varying: Collection[str] = ()
) -> None:
    """Check a study, by running it twice: give one that takes seconds.

    Its configuration comes back from JSON. Tasks have keys of their own, functions that any process
    can import, and the same names at every call. Two runs have the same data. A finished run
    is not repeated, its summary can be drawn from disk, and an extended study keeps its results.

    Parameters
    ----------
    study : Study
        A small one.
    additions : mapping, optional
        New values by name of field, for some or all fields in ``extends``.
    varying : collection of str
        Variables that differ from run to run, such as times.

    Raises
    ------
    AssertionError, TypeError, ValueError
        If something does not hold.
    StudyError
        If tasks raised errors.

    Examples
    --------
    >>> from studies.curve import Curve
    >>> from studies.testing import check_study
    >>> study = Curve((4, 4), temperature=(2.0, 3.0, 2), methods=("heat-bath",), sweeps=4000)
    >>> check_study(study, {"methods": ("metropolis",)})
    """
    who = type(study).__name__
    _check_configuration(study, who)
    _check_tasks(study, additions or {}, who)
    first = run(study)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        again = _completed(study, folder)
        same = _plain(again, varying).equals(_plain(first, varying))
        ensure(same, f"{who}: the same seed must give the same data")
        write_dataset(study.summarize(again), folder / "summary.nc")
        with open_dataset(folder / "summary.nc") as summary:
            figure = study.plot(summary.load())
        ensure(hasattr(figure, "savefig"), f"{who}.plot must return a Figure; got {figure!r}")
        done = _ran(folder)
        _completed(study, folder)
        ensure(_ran(folder) == done, f"{who}: finished tasks must not run again")
        if additions:
            more = joined(study, dataclasses.replace(study, **additions))
            more.summarize(_completed(more, folder))
            ensure(len(_ran(folder)) > len(done), f"{who}: an extension must add tasks")


def _completed(study: Any, folder: Path) -> xr.Dataset:
    """Data of a study, whose missing tasks are run."""
    with Display(type(study).__name__, folder, shown=False) as display:
        return joined_data(study, complete(study, folder, InProcess(), display)).load()


def _check_configuration(study: Any, who: str) -> None:
    parameters = getattr(type(study), "__dataclass_params__", None)
    ensure(getattr(parameters, "frozen", False), f"{who} must be a frozen dataclass")
    ensure(hasattr(study, "seed"), f"{who} must have a field seed")
    fields = {each.name for each in dataclasses.fields(study)}
    extends = getattr(study, "extends", None)
    ensure(
        isinstance(extends, Mapping) and extends.keys() <= fields,
        f"{who}.extends must be a mapping of names of its fields; got {extends!r}",
    )
    settings = ensure_json(configuration(study), who)
    again = from_configuration(type(study), settings)
    ensure(again == study, f"{who} must come back from JSON as it was; got {again!r}")


def _check_tasks(study: Any, additions: Mapping[str, Any], who: str) -> None:
    first = jobs(study.tasks(), study.seed)
    names = [job.name for job in first]
    ensure(names, f"{who}.tasks must return a task at least")
    ensure(
        names == [job.name for job in jobs(study.tasks(), study.seed)],
        f"{who}.tasks must return the same tasks at every call",
    )
    for job in first:
        try:
            pickle.dumps(job.task.function)
        except (pickle.PicklingError, AttributeError) as error:
            raise AssertionError(
                f"{who}: the function of the task {job.task.key!r} must be defined at the top of a "
                f"module, where other processes find it; got {job.task.function!r}"
            ) from error
    for name, value in additions.items():
        more = joined(study, dataclasses.replace(study, **{name: value}))
        kept = {job.name for job in jobs(more.tasks(), more.seed)}
        ensure(
            kept.issuperset(names),
            f"{who}: no task may depend on {name}, which extends names; give it unextended(self)",
        )


def _ran(folder: Path) -> list[str]:
    """Names of the tasks that were run, every time that they were."""
    lines = (folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["name"] for line in lines]


def _plain(data: xr.Dataset, varying: Collection[str]) -> xr.Dataset:
    return data.drop_vars(list(varying), errors="ignore").load()
