"""What a study asks a runner to do: independent tasks, each a pure function with its own seed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import xarray as xr

from studies.running.extensions import Join

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FIRST_NAMES = {
    "isingrl.battle.teams.ActorCriticTeam": "isingrl.battle.teams.ActorCritic",
    "isingrl.battle.teams.IndependentQTeam": "isingrl.battle.teams.IndependentQ",
    "isingrl.battle.teams.MeanFieldActorCriticTeam": "isingrl.battle.teams.MeanFieldActorCritic",
    "isingrl.battle.teams.MeanFieldQTeam": "isingrl.battle.teams.MeanFieldQ",
    "studies.shared.battle_tasks.contest": "studies.battle_tasks.contest",
    "studies.shared.battle_tasks.train_team": "studies.battle_tasks.train_team",
}
"""By their names of now, of what was renamed or moved since it named results on disks."""


@dataclass(frozen=True)
class Task:
    """One independent piece of a study.

    Attributes
    ----------
    key : str
        Names the task within its study; its seed follows from it.
    function : callable
        ``function(**arguments, seed=..., progress=...)`` returns a Dataset. It depends on
        nothing else, so that it can run anywhere and any number of times.
    arguments : dict
        Numbers, text, arrays, Datasets, or dataclasses and containers of those.
    weight : int
        Share of the study's progress.
    resumable : bool
        Whether the function also takes ``folder``: where it keeps what it needs to go on after it
        was cut short, or None.
    sweeps : int, optional
        Passed on as ``sweeps``. A resumable task with more of them than before goes on from where
        it ended.
    seed : int, optional
        What its seed follows from, beside the key; that of the study if omitted.

    Examples
    --------
    >>> import xarray as xr
    >>> from studies.running.tasks import Task, task_seed
    >>> def toss(number, *, seed, progress=False):
    ...     return xr.Dataset({"heads": seed % (number + 1)})
    >>> task = Task("toss of 3", toss, {"number": 3})
    >>> result = task.function(**task.arguments, seed=task_seed(1, task.key))
    >>> result.heads.item() in range(4)
    True
    """

    key: str
    function: Callable[..., xr.Dataset]
    arguments: dict[str, Any]
    weight: int = 1
    resumable: bool = False
    sweeps: int | None = None
    seed: int | None = None


class Study(Protocol):
    """A frozen configuration that knows its question's tasks, results and figure.

    It may also have ``later_tasks(results)``, tasks that need the results of the first, and
    ``recordings(data)``, battles to make videos of, by file name.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from typing import ClassVar
    >>> import xarray as xr
    >>> from matplotlib.figure import Figure
    >>> from studies.running.extensions import added
    >>> from studies.running.runner import run
    >>> from studies.running.tasks import Task
    >>> def toss(number, *, seed, progress=False):
    ...     return xr.Dataset({"heads": seed % (number + 1)})
    >>> @dataclass(frozen=True)
    ... class Tosses:
    ...     numbers: tuple[int, ...] = (3, 5)
    ...     seed: int = 1
    ...     extends: ClassVar = {"numbers": added}
    ...     def tasks(self):
    ...         return [Task(f"toss of {n}", toss, {"number": n}) for n in self.numbers]
    ...     def assemble(self, results):
    ...         return xr.concat(results.values(), xr.Variable("number", list(self.numbers)))
    ...     def summarize(self, data):
    ...         return data / data.number
    ...     def plot(self, summary):
    ...         figure = new_figure()
    ...         figure.subplots().plot(summary.number, summary.heads)
    ...         return figure
    >>> run(Tosses()).heads.dims
    ('number',)
    """

    seed: Any
    extends: ClassVar[Mapping[str, Join]]
    """Fields that a finished study can be extended in, each with what joins its old and its new
    value. No task that was there before may depend on them, nor on their order."""

    def tasks(self) -> list[Task]:
        """Everything to run; raises ValueError or TypeError for a bad configuration."""

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the tasks' results, by key, to the study's data."""

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Reduce the data to what the figure shows."""

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw the figure."""


def task_seed(seed: int, key: str) -> int:
    """Seed of a task, from the study's seed and the task's key alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:16], "big")


@dataclass(frozen=True)
class Job:
    """A task with its seed and the name that its files have.

    Attributes
    ----------
    task : Task
    seed : int
    name : str
        The key, readable, with a digest of all that the result depends on but the sweeps.
    """

    task: Task
    seed: int
    name: str


def jobs(tasks: list[Task], seed: Any) -> list[Job]:
    """Seeds and names of tasks, whose keys must differ."""
    keys = [task.key for task in tasks]
    if len(set(keys)) < len(keys):
        raise ValueError(f"tasks must have different keys; got {sorted(keys)}")
    made = []
    known: dict[int, Any] = {}
    for task in tasks:
        own = task_seed(seed if task.seed is None else task.seed, task.key)
        made.append(Job(task, own, _name(task, own, known)))
    return made


def _name(task: Task, seed: int, known: dict[int, Any]) -> str:
    """Name of a task; `known` has the arguments, by id, that tasks before it shared with it."""
    for value in task.arguments.values():
        if id(value) not in known:
            known[id(value)] = _plain(value)
    arguments = {name: known[id(value)] for name, value in task.arguments.items()}
    content = [_plain(task.function), arguments, seed]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    readable = re.sub(r"[^\w.=-]+", "-", task.key).strip("-")
    return f"{readable[:60]}-{digest[:16]}"


def _first_name(kind: Any) -> str:
    """The first name that a function or class had, which is that of its results for good."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    return _FIRST_NAMES.get(name, name)


def _plain(value: Any) -> Any:
    """What `value` says, in numbers and text: the same for equal values in any process."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return ["array", value.dtype.str, value.shape, content]
    if isinstance(value, xr.Dataset):
        variables = {str(name): _plain(each.values) for name, each in value.variables.items()}
        return ["dataset", variables, _plain(value.attrs)]
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, FunctionType):
        return _first_name(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        fields = {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(kind)}
        return [_first_name(kind), fields]
    raise TypeError(
        "arguments of a task must be numbers, text, arrays, Datasets, or dataclasses and "
        f"containers of those; got {value!r}"
    )
