"""The battle of Yang et al. (2018): four learning methods against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import xarray as xr

from analysis import plots, rates_over_trainings, ratings_over_trainings
from analysis.plots.animations import check_video
from isingrl.battle import (
    TEAMS,
    Arena,
    Evaluation,
    LearningTeam,
    PursuitTeam,
    RandomTeam,
    Team,
)
from isingrl.support.validation import check_choice, check_integer
from studies.running.extensions import Join, added
from studies.running.tasks import Task
from studies.shared.battle_tasks import (
    contests_of_pairs,
    counts_of_pairs,
    draw_evaluations,
    draw_trainings,
    history,
    recorded,
    recording_in,
    trained_sets,
    training_key,
    training_results,
    training_tasks,
    with_recording,
)
from studies.shared.checks import check_counts, check_names
from studies.shared.combination import concat_all
from studies.shared.figures import legend_below, new_figure
from studies.shared.videos import write_video

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BattlePaper"]

_METHODS = ("mean-field-q", "independent-q", "actor-critic", "mean-field-actor-critic")
_EVALUATIONS = 10  # during a training
_VIDEO = "game.mp4"
_PRESETS = ("small", "paper", "paper-dense")
_PAPER: dict[str, Any] = {
    "network": "convolutional", "discount": 0.95, "learning_rate": 1e-4, "falling_rate": False
}  # fmt: skip
_PAPER_VALUES: dict[str, Any] = {
    "batch_size": 64, "memory": 80_000, "target_mixing": 0.005, "replay_ratio": 1.0
}  # fmt: skip


@dataclass(frozen=True)
class BattlePaper:
    """Mean-field and independent Q-learners and actor-critics against each other in battle.

    Every method is trained several times with the same number of games. Each training of a method
    plays each training of every other method. Intervals are over trainings.
    """

    preset: Literal["small", "paper", "paper-dense"] = "small"
    """small: the default battle and settings, against itself and pursuit in turn. paper: 64
    against 64 on 40 × 40, the networks and settings of Yang et al. (2018), against a copy that
    follows slowly; this takes days on two cores, and is resumable. paper-dense: the same battle,
    opponent, number of games and mean action, with the default network and settings, but a replay
    ratio of 4; while a team learns it is evaluated against the scripts."""
    methods: tuple[str, ...] = _METHODS
    """Names of methods."""
    trainings: int = 5
    """Trainings of each method."""
    games: int | None = None
    """Games of every training; 1,500 (small) or 2,000 (of the paper) if omitted."""
    contest_games: int = 8
    """Games of every pair of trainings, half of them with sides swapped."""
    side_by_side: int = 10
    """Simultaneous games of a training."""
    map_size: int | None = None
    """Side of the map; 30 (small) or 40 (of the paper) if omitted."""
    team_size: int | None = None
    """Agents of a team; 16 (small) or 64 (of the paper) if omitted."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Device of the networks that learn; on "cuda" all trainings of a method learn at once."""
    seed: int = 1
    """Seed of everything random."""

    extends: ClassVar[Mapping[str, Join]] = {"methods": added}

    @property
    def arena(self) -> Arena:
        """Map and teams of the games."""
        paper = self._of_the_paper
        return Arena(
            map_size=self.map_size or (40 if paper else 30),
            team_size=self.team_size or (64 if paper else 16),
            max_steps=400 if paper else 250,
            gap=3 if paper else 1,
        )

    @property
    def training_games(self) -> int:
        """Games of every training."""
        return self.games or (2_000 if self._of_the_paper else 1_500)

    @property
    def scripts(self) -> dict[str, Team]:
        """Teams by name that all methods play against and that do not learn."""
        scripts: list[Team] = [PursuitTeam()]
        if self.preset == "paper-dense":
            scripts.append(RandomTeam())
        return {script.name: script for script in scripts}

    @property
    def _of_the_paper(self) -> bool:
        return self.preset != "small"

    def team(self, method: str) -> LearningTeam:
        """Return the learning team of a method."""
        settings: dict[str, Any] = {}
        values, mean_field = method.endswith("-q"), method.startswith("mean-field")
        if self.preset == "paper":
            settings |= _PAPER | (_PAPER_VALUES if values else {})
        if self.preset == "paper-dense" and values:
            settings |= {"replay_ratio": 4.0}
        if self._of_the_paper and mean_field:
            settings |= {"radius": None, "inner_iterations": 0}
        team = TEAMS[method](**settings)
        assert isinstance(team, LearningTeam)
        return team

    def tasks(self) -> list[Task]:
        """One training a task."""
        check_choice("preset", self.preset, _PRESETS)
        check_video(_VIDEO, "out")
        check_names("methods", self.methods, _METHODS, 2)
        check_counts(self, trainings=2, contest_games=2, seed=0)
        check_integer("games", self.training_games, 1)
        opponent = "mixed" if self._of_the_paper else ("self", "pursuit")
        evaluated: dict[str, Any] = {}
        if self.preset == "paper-dense":
            every = max(1, self.training_games // _EVALUATIONS)
            evaluated = {"evaluation": Evaluation(tuple(self.scripts.values()), every)}
        return training_tasks(
            self._teams, self.trainings, self.device, opponent=opponent, arena=self.arena,
            games=self.training_games, side_by_side=self.side_by_side, **evaluated,
        )  # fmt: skip

    @property
    def _teams(self) -> dict[str, LearningTeam]:
        return {method: self.team(method) for method in self.methods}

    def later_tasks(self, results: dict[str, xr.Dataset]) -> list[Task]:
        """One task for every pair of methods, for every method against each script, and a game."""
        sets: dict[str, list[Any]] = {
            **trained_sets(self._teams, self.trainings, results),
            **{name: [script] * self.trainings for name, script in self.scripts.items()},
        }
        first, second = self.methods[:2]
        game = Task(
            key=self._game_key,
            function=recorded,
            arguments={
                "trained": sets[first][0], "opponent": sets[second][0], "arena": self.arena
            },
        )  # fmt: skip
        return [*contests_of_pairs(sets, self.contest_games, self.arena), game]

    @property
    def _game_key(self) -> str:
        first, second = self.methods[:2]
        return f"game of {first} and {second}"

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Histories over (method, training, round), games over pairs of trainings, one game."""
        found = training_results(self.methods, self.trainings, results)
        histories = {key: history(result) for key, result in found.items()}
        data = concat_all(
            histories, training_key, method=self.methods, training=range(self.trainings)
        ).assign_coords(method=list(self.methods))
        names = [*self.methods, *self.scripts]
        counts = counts_of_pairs(results, names, self.trainings)
        return with_recording(data.merge(counts), results[self._game_key])

    def write_files(self, data: xr.Dataset, folder: Path) -> None:
        """Write a video of a game of the first two methods."""
        recording = recording_in(data, self.arena.map_size)
        write_video(recording, folder / _VIDEO, names=tuple(recording["side"].values))

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Win rates and ratings with intervals over trainings, and the learning curves."""
        kept = ("reward", "win", "kills", "deaths", "evaluation_win", "evaluation_score")
        learned = data[[name for name in kept if name in data]]
        found = rates_over_trainings(data).merge(ratings_over_trainings(data))
        return learned.merge(found).assign_attrs(data.attrs)

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw win rates of all pairs, learning curves and ratings."""
        figure = new_figure(figsize=(11.6, 7.2), layout="constrained")
        grid = figure.add_gridspec(2, 3)
        bars = figure.add_subplot(grid[0, :])
        plots.win_rate_bars(summary.isel(team=slice(0, len(self.methods))), ax=bars)
        panels = [figure.add_subplot(grid[1, column]) for column in range(3)]
        by_method = [summary.sel({"method": method}) for method in self.methods]
        if "evaluation_score" in summary:  # most win all or none of these games
            for ax, opponent in zip(panels, summary["evaluation_opponent"].values, strict=False):
                for each in by_method:
                    draw_evaluations(ax, each["evaluation_score"], opponent)
                ax.set_title(f"evaluations against {opponent}", loc="left", fontsize="medium")
        else:
            against = summary["against"].isel(round=slice(0, 2)).values  # the opponents in turn
            for ax, name, opponent in zip(panels, ("reward", "win"), against, strict=False):
                for each in by_method:
                    draw_trainings(ax, each[name], opponent)
                ax.set_title(f"training against {opponent}", loc="left", fontsize="medium")
        plots.rating_points(summary, ax=panels[2])
        legend_below(figure, panels[:1], 4)
        return figure
