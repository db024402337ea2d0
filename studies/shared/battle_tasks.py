"""Tasks of studies of battles: train a team, let two sets of trained teams play."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis import plots
from isingrl.battle import (
    Arena,
    Evaluation,
    LearningTeam,
    PursuitTeam,
    Team,
    TrainedTeam,
    play,
    record,
    train,
    train_many,
)
from isingrl.battle.contests import OUTCOMES, count_outcomes
from isingrl.support.devices import check_device
from studies.running.tasks import Task, task_seed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "RECORDED",
    "contest",
    "contests_of_pairs",
    "counts_of_pairs",
    "draw_evaluations",
    "draw_trainings",
    "history",
    "recorded",
    "recording_in",
    "train_team",
    "train_teams",
    "trained_sets",
    "trained_team",
    "training_key",
    "training_results",
    "training_tasks",
    "with_recording",
]

RECORDED = ("x", "y", "health", "action", "killed")
"""Variables of a recording among the data of a study."""
_PARAMETER = "parameter."
_WINDOW = 9  # rounds in the mean of a drawn point
_MEANS = {"kills": "foes killed a game", "deaths": "team mates killed a game"}


def train_team(
    team: LearningTeam,
    opponent: str | tuple[str, ...],
    arena: Arena,
    games: int,
    side_by_side: int,
    evaluation: Evaluation | None = None,
    *,
    folder: Path | None,
    seed: int,
    progress: bool = False,
) -> xr.Dataset:
    """Train a team; returns its history and the parameters of its network.

    The coordinates of the history are called ``played`` and ``against`` here.
    """
    return _result(
        train(
            team, opponent, arena=arena, games=games, side_by_side=side_by_side,
            evaluation=evaluation, seed=seed, out=folder, progress=progress,
        )
    )  # fmt: skip


def train_teams(
    team: LearningTeam,
    trainings: int,
    device: str,
    *,
    folder: Path | None,
    seed: int,
    progress: bool = False,
    **arguments: Any,
) -> xr.Dataset:
    """Train a team several times, all at once; returns results of `train_team` over (training).

    Further arguments as of `train_team`.
    """
    trained = train_many(
        team, seeds=[task_seed(seed, str(number)) for number in range(trainings)], device=device,
        out=folder, progress=progress, **arguments,
    )  # fmt: skip
    return xr.concat([_result(each) for each in trained], "training", data_vars="all")


def _result(trained: TrainedTeam) -> xr.Dataset:
    data = trained.history.rename(games="played", opponent="against")
    for name, values in trained.parameters.items():
        dims = [f"{name}_{axis}" for axis in range(values.ndim)]
        data[_PARAMETER + name] = (dims, values)
    return data


def trained_team(team: LearningTeam, data: xr.Dataset) -> TrainedTeam:
    """The trained team that `train_team` returned."""
    parameters = {
        str(name).removeprefix(_PARAMETER): data[name].values
        for name in data.data_vars
        if str(name).startswith(_PARAMETER)
    }
    return TrainedTeam(team, parameters)


def training_key(name: str, number: int) -> str:
    """Key of a training, whose number counts from 0."""
    return f"{name} {number + 1}"


def training_tasks(
    teams: Mapping[str, LearningTeam], trainings: int, device: str, **arguments: Any
) -> list[Task]:
    """One task for every training of every team; on a GPU one task for every team.

    Arguments as of `train_team`.
    """
    if check_device(device) == "cpu":
        return [
            Task(
                key=training_key(name, number),
                function=train_team,
                arguments={"team": team, **arguments},
                weight=10,
                resumable=True,
            )
            for number in range(trainings)
            for name, team in teams.items()
        ]
    return [
        Task(
            key=_all_key(name),
            function=train_teams,
            arguments={"team": team, "trainings": trainings, "device": device, **arguments},
            weight=10 * trainings,
            resumable=True,
        )
        for name, team in teams.items()
    ]


def _all_key(name: str) -> str:
    return f"{name} all"


def training_results(
    names: Iterable[str], trainings: int, results: Mapping[str, xr.Dataset]
) -> dict[str, xr.Dataset]:
    """Results of `training_tasks` by `training_key`."""
    return {
        training_key(name, number): (
            results[_all_key(name)].isel(training=number)
            if _all_key(name) in results
            else results[training_key(name, number)]
        )
        for name in names
        for number in range(trainings)
    }


def trained_sets(
    teams: Mapping[str, LearningTeam], trainings: int, results: Mapping[str, xr.Dataset]
) -> dict[str, list[TrainedTeam]]:
    """All trainings of every team, from the results of `training_tasks`."""
    found = training_results(teams, trainings, results)
    return {
        name: [trained_team(team, found[training_key(name, number)]) for number in range(trainings)]
        for name, team in teams.items()
    }


def history(data: xr.Dataset) -> xr.Dataset:
    """Result of `train_team` without the parameters."""
    return data[[name for name in data.data_vars if not str(name).startswith(_PARAMETER)]]


def contest(
    first: Sequence[TrainedTeam],
    second: Sequence[TrainedTeam | Team],
    games: int,
    arena: Arena,
    *,
    seed: int,
    progress: bool = False,
) -> xr.Dataset:
    """Let every team of one set play every team of another.

    Returns
    -------
    Dataset
        Over (training, opponent_training): ``wins``, ``draws`` and ``losses`` of the first set,
        its ``kills`` and ``deaths`` a game.
    """
    shape = (len(first), len(second))
    found: dict[str, Any] = {name: np.zeros(shape, np.int64) for name in OUTCOMES}
    found |= {name: np.zeros(shape) for name in _MEANS}
    for i, j in np.ndindex(shape):
        pair_seed = task_seed(seed, f"{i}/{j}")
        data = play(first[i], second[j], games, arena=arena, seed=pair_seed, progress=progress)
        score, kills = data["score"].values, data["kills"].values
        for name, number in count_outcomes(score).items():
            found[name][i, j] = number
        found["kills"][i, j], found["deaths"][i, j] = kills.mean(axis=0)
    labels = OUTCOMES | _MEANS
    return xr.Dataset(
        {
            name: (
                ("training", "opponent_training"),
                values,
                {"long_name": labels[name], "units": "1"},
            )
            for name, values in found.items()
        }
    )


def recorded(
    trained: TrainedTeam,
    arena: Arena,
    opponent: TrainedTeam | None = None,
    *,
    seed: int,
    progress: bool = False,
) -> xr.Dataset:
    """Record one game of a trained team against another, or else the pursuit script."""
    other = PursuitTeam() if opponent is None else opponent
    recording = record(trained, other, arena=arena, seed=seed)
    name = PursuitTeam.name if opponent is None else opponent.team.name
    return recording.assign_coords(side=[trained.team.name, name])


def with_recording(data: xr.Dataset, recording: xr.Dataset) -> xr.Dataset:
    """Data of a study with the result of `recorded` in it."""
    return data.merge(recording.rename(kills="killed"), combine_attrs="override")


def recording_in(data: xr.Dataset, map_size: int) -> xr.Dataset:
    """The recording that `with_recording` put in."""
    return data[list(RECORDED)].rename(killed="kills").assign_attrs(map_size=map_size)


def contests_of_pairs(sets: Mapping[str, Sequence[Any]], games: int, arena: Arena) -> list[Task]:
    """One task for each two sets of trained teams: all of one against all of the other."""
    return [
        Task(
            key=f"{one} against {other}",
            function=contest,
            arguments={"first": sets[one], "second": sets[other], "games": games, "arena": arena},
        )
        for one, other in combinations(sets, 2)
    ]


def counts_of_pairs(
    results: Mapping[str, xr.Dataset], names: Sequence[str], trainings: int
) -> xr.Dataset:
    """Results of `contests_of_pairs`, counted for ``team``.

    Returns
    -------
    Dataset
        Over (team, opponent, training, opponent_training): ``wins``, ``draws``, ``losses`` and
        ``games``.
    """
    shape = (len(names), len(names), trainings, trainings)
    dims = ("team", "opponent", "training", "opponent_training")
    data = xr.Dataset(coords={"team": list(names), "opponent": list(names)})
    for kind, mirrored in (("wins", "losses"), ("draws", "draws"), ("losses", "wins")):
        counts = np.zeros(shape, np.int64)
        for i, j in combinations(range(len(names)), 2):
            played = results[f"{names[i]} against {names[j]}"]
            counts[i, j] = played[kind]
            counts[j, i] = played[mirrored].values.T
        data[kind] = (dims, counts, {"long_name": kind, "units": "1"})
    data["games"] = data["wins"] + data["draws"] + data["losses"]
    return data


def draw_trainings(ax: Axes, values: xr.DataArray, against: str) -> None:
    """Draw learning curves of a method against one opponent: mean and standard error.

    Parameters
    ----------
    ax : Axes
    values : DataArray, dims (training, round)
        With the coordinates ``method``, ``played`` and ``against``.
    against : str
    """
    chosen = values.isel(round=(values["against"] == against).values)
    smooth = chosen.rolling(round=_WINDOW, center=True, min_periods=1).mean()
    _draw_band(ax, smooth, "played", plots.axis_label(values))


def draw_evaluations(ax: Axes, values: xr.DataArray, opponent: str) -> None:
    """Draw the evaluations of a method against one opponent: mean and standard error.

    Parameters
    ----------
    ax : Axes
    values : DataArray, dims (training, evaluation, evaluation_opponent)
        With the coordinates ``method`` and ``evaluation_games``.
    opponent : str
    """
    chosen = values.sel(evaluation_opponent=opponent, drop=True)
    _draw_band(ax, chosen, "evaluation_games", plots.axis_label(values))


def _draw_band(ax: Axes, values: xr.DataArray, along: str, label: str) -> None:
    """Draw the mean over trainings and its standard error against a coordinate."""
    mean = values.mean("training").values
    error = (values.std("training", ddof=1) / np.sqrt(values.sizes["training"])).values
    method = str(values["method"].item())
    color = plots.method_style(method)["color"]
    played = values[along].values
    ax.plot(played, mean, color=color, lw=1.4, label=plots.method_label(method))
    ax.fill_between(played, mean - error, mean + error, color=color, alpha=0.2, lw=0)
    ax.set(xlabel="games played", ylabel=label)
