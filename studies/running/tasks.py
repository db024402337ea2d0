"""Tasks of a study: independent, each a pure function with its own seed."""

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

FORMER_DIGITS = 16
"""Length of digests in former names of files; those of now are shorter."""
_DIGITS = 12
_FORMER_PATHS = {
    "isingrl.battle.teams.ActorCriticTeam": "isingrl.battle.teams.ActorCritic",
    "isingrl.battle.teams.IndependentQTeam": "isingrl.battle.teams.IndependentQ",
    "isingrl.battle.teams.MeanFieldActorCriticTeam": "isingrl.battle.teams.MeanFieldActorCritic",
    "isingrl.battle.teams.MeanFieldQTeam": "isingrl.battle.teams.MeanFieldQ",
    "studies.shared.battle_tasks.contest": "studies.battle_tasks.contest",
    "studies.shared.battle_tasks.train_team": "studies.battle_tasks.train_team",
}
"""Former paths of functions and dataclasses, by their present paths."""
_LATER_FIELDS: dict[str, set[str]] = {
    "isingrl.battle.arena.Arena": {
        "step_reward", "attack_reward", "hit_reward", "kill_reward", "death_reward",
    },
    "isingrl.battle.teams.MeanFieldActorCriticTeam": {"mean_of"},
    "isingrl.battle.teams.MeanFieldQTeam": {"mean_of"},
    "studies.critical_point.CriticalPoint": {"cluster_draws"},
    "studies.curve.Curve": {"tempering"},
    "studies.homogenisation.Homogenisation": {
        "shell_ratio", "shell_temperature", "shares", "realizations", "bond_temperature",
    },
}  # fmt: skip
"""Fields that are not part of former names, by the path of their dataclass."""


@dataclass(frozen=True)
class Task:
    """One independent piece of a study.

    Attributes
    ----------
    key : str
        Name within the study; the seed of the task follows from it.
    function : callable
        ``function(**arguments, seed=..., progress=...)`` returns a Dataset. It depends on
        nothing else, so that it can run anywhere and any number of times.
    arguments : dict
        Numbers, text, arrays, Datasets, or dataclasses and containers of those.
    weight : int
        Share of the study's progress.
    resumable : bool
        Whether the function also takes ``folder``, for checkpoints from which it goes on after it
        was cut short, or None.
    sweeps : int, optional
        Passed on as ``sweeps``. A resumable task with more of them than before goes on from its
        end.
    seed : int, optional
        Its seed follows from this and the key; that of the study if omitted.

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
    """A frozen configuration with the tasks, results and figure of a question.

    It may also have ``later_tasks(results)``, tasks that need the results of the first, and
    ``write_files(data, folder)``, which leaves further files in the folder.

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
    """Fields in which a finished study can be extended, each with a function that joins its old and
    its new value. No former task may depend on them, nor on their order."""

    def tasks(self) -> list[Task]:
        """The tasks; raises ValueError or TypeError for a bad configuration."""

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the tasks' results, by key, to the study's data."""

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Reduce the data to the content of the figure."""

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw the figure."""


def task_seed(seed: int, key: str) -> int:
    """Seed of a task, from the study's seed and the task's key alone."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:16], "big")


@dataclass(frozen=True)
class Job:
    """A task with its seed and the name of its files.

    Attributes
    ----------
    task : Task
    seed : int
    name : str
        Of its files: the key, readable, with a digest of arguments and seed. The digest does not
        depend on the module of a function, fields of dataclasses at their defaults, and sweeps.
    """

    task: Task
    seed: int
    name: str


def jobs(tasks: list[Task], seed: Any) -> list[Job]:
    """Seeds and names of tasks; their keys must differ."""
    keys = [task.key for task in tasks]
    if len(set(keys)) < len(keys):
        raise ValueError(f"tasks must have different keys; got {sorted(keys)}")
    made = []
    known: dict[int, Any] = {}  # by id, arguments that tasks share
    for task in tasks:
        own = task_seed(seed if task.seed is None else task.seed, task.key)
        for value in task.arguments.values():
            if id(value) not in known:
                known[id(value)] = _plain(value)
        arguments = {name: known[id(value)] for name, value in task.arguments.items()}
        made.append(Job(task, own, _name(task.key, [arguments, own], _DIGITS)))
    return made


def former_name(job: Job) -> str:
    """Name of the files of a job in old folders: it depended on paths of modules and all fields."""
    task = job.task
    content = [_plain(each, former=True) for each in (task.function, task.arguments, job.seed)]
    return _name(task.key, content, FORMER_DIGITS)


def _name(key: str, content: Any, digits: int) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    readable = re.sub(r"[^\w.=-]+", "-", key).strip("-")
    return f"{readable[:60]}-{digest[:digits]}"


def _plain(value: Any, *, former: bool = False) -> Any:
    """Content of `value` in numbers and text: the same for equal values in any process."""
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
        return {str(name): _plain(each, former=former) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each, former=former) for each in value]
    if isinstance(value, FunctionType):
        return _kind(value, former)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [_kind(type(value), former), _fields(value, former)]
    raise TypeError(
        "arguments of a task must be numbers, text, arrays, Datasets, or dataclasses and "
        f"containers of those; got {value!r}"
    )


def _fields(value: Any, former: bool) -> dict[str, Any]:
    """Fields of a dataclass that differ from their defaults."""
    later = _LATER_FIELDS.get(_path(type(value)), ())
    found = {}
    for field in dataclasses.fields(value):
        content = _plain(getattr(value, field.name), former=former)
        if field.name not in later if former else [content] != _default(field):
            found[field.name] = content
    return found


def _default(field: dataclasses.Field[Any]) -> list[Any]:
    """The default of a field, if it has one."""
    if field.default_factory is not dataclasses.MISSING:
        return [_plain(field.default_factory())]
    return [] if field.default is dataclasses.MISSING else [_plain(field.default)]


def _kind(value: Any, former: bool) -> str:
    """Name of a function or class."""
    return _FORMER_PATHS.get(_path(value), _path(value)) if former else str(value.__name__)


def _path(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
