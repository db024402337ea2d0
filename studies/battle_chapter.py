"""The battle of Zai & Brown (2020), section 9.5, with corrections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr

from analysis import plots, win_rates
from analysis.plots.animations import check_video
from isingrl.battle import (
    Arena,
    MeanFieldQTeam,
    PursuitTeam,
    RandomTeam,
    TrainedTeam,
    tournament,
)
from studies.running.extensions import Join
from studies.running.tasks import Task
from studies.shared.battle_tasks import (
    RECORDED,
    history,
    recorded,
    recording_in,
    train_team,
    trained_team,
    with_recording,
)
from studies.shared.checks import check_counts
from studies.shared.combination import concat
from studies.shared.figures import legend_below, new_figure
from studies.shared.videos import write_video

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BattleChapter"]

_VIDEO = "game.mp4"
_CHAPTER = "chapter"
_LONG_MEMORY = "chapter's network"
_DEFAULT = "two heads"
_TEAMS = {
    _CHAPTER: MeanFieldQTeam(
        network="chapter", discount=0.5, learning_rate=1e-3, falling_rate=False,
        softmax_temperature=0.5, exploration_temperature=0.5, exploration=0.0, memory=70,
        batch_size=25, replay_ratio=25 / 16, target_mixing=1.0, symmetric=False, radius=6,
        inner_iterations=5,
    ),
    _LONG_MEMORY: MeanFieldQTeam(network="chapter"),
    _DEFAULT: MeanFieldQTeam(),
}  # fmt: skip


@dataclass(frozen=True)
class BattleChapter:
    """The chapter's two teams of sixteen, each with its own network, beside stronger settings.

    In the chapter's setting two networks learn against each other from a memory of 70 steps at
    τ = 0.5. The same network, and a network with two heads, also learn with the settings of this
    package, against themselves and the pursuit script in turn.
    """

    chapter_games: int = 200
    """Games of the chapter's setting, one after the other."""
    games: int = 1_500
    """Games of each of the other two trainings."""
    contest_games: int = 100
    """Games of every pair in the final tournament."""
    map_size: int = 30
    """Side of the map."""
    team_size: int = 16
    """Agents of a team."""
    seed: int = 1
    """Seed of everything random."""

    extends: ClassVar[Mapping[str, Join]] = {}

    @property
    def arena(self) -> Arena:
        """Map and teams of the games."""
        return Arena(map_size=self.map_size, team_size=self.team_size)

    def tasks(self) -> list[Task]:
        """One training a task."""
        check_counts(self, chapter_games=1, games=1, contest_games=1, seed=0)
        check_video(_VIDEO, "out")
        return [
            Task(
                key=name,
                function=train_team,
                arguments={
                    "team": team,
                    "opponent": "rival" if name == _CHAPTER else ("self", "pursuit"),
                    "arena": self.arena,
                    "games": self.chapter_games if name == _CHAPTER else self.games,
                    "side_by_side": 1 if name == _CHAPTER else 10,
                },
                weight=4,
                resumable=True,
            )
            for name, team in _TEAMS.items()
        ]

    def later_tasks(self, results: dict[str, xr.Dataset]) -> list[Task]:
        """The tournament, and one recorded game."""
        trained = {name: trained_team(team, results[name]) for name, team in _TEAMS.items()}
        return [
            Task(
                key="tournament",
                function=compete,
                arguments={"trained": trained, "games": self.contest_games, "arena": self.arena},
            ),
            Task(
                key="recording",
                function=recorded,
                arguments={"trained": trained[_DEFAULT], "arena": self.arena},
            ),
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Histories over (trained, round), short ones padded; the tournament; the recording."""
        longest = max(results[name].sizes["round"] for name in _TEAMS)
        histories = []
        for name in _TEAMS:
            own = history(results[name]).reset_coords(["played", "against"])
            numbers = own.drop_vars("against").pad(round=(0, longest - own.sizes["round"]))
            names = own["against"].values.tolist() + [""] * (longest - own.sizes["round"])
            histories.append(numbers.assign(against=("round", np.array(names, "U16"))))
        data = concat(histories, "trained").assign_coords(trained=list(_TEAMS))
        return with_recording(data.merge(results["tournament"]), results["recording"])

    def write_files(self, data: xr.Dataset, folder: Path) -> None:
        """Write a video of the recorded game."""
        recording = recording_in(data, self.map_size)
        write_video(recording, folder / _VIDEO, names=tuple(recording["side"].values))

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Shares of games won, the course of the trainings, and the recorded game."""
        names = ["loss", "reward", "win", "played", "against", *RECORDED]
        return data[names].merge(win_rates(data)).assign_attrs(data.attrs)

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw moments of the recorded game, learning curves, and results of all pairs."""
        figure = new_figure(figsize=(11.0, 9.2), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(1, 1.25))
        upper, lower = parts
        recording = recording_in(summary, self.map_size)
        frames: Any = upper.subplots(1, 3)
        for ax, step in zip(frames, _moments(recording), strict=True):
            plots.battle_frame(recording, step, ax=ax)
            for side in ("left", "center", "right"):
                ax.set_title(ax.get_title(side), loc=side, fontsize="small")
        legend_below(upper, frames[:1], 3, fontsize="small")
        grid = lower.add_gridspec(2, 2, width_ratios=(1, 1.15))
        panels = [lower.add_subplot(grid[row, 0]) for row in (0, 1)]
        colors = dict(zip(_TEAMS, ("#0072B2", "#E69F00", "#D55E00"), strict=True))
        for ax, name in zip(panels, ("reward", "loss"), strict=True):
            for team, color in colors.items():
                chosen = summary.sel(trained=team)
                known = np.isfinite(chosen["played"].values)
                values = chosen[name].rolling(round=10, center=True, min_periods=1).mean()
                ax.plot(
                    chosen["played"].values[known], values.values[known], color=color, label=team
                )
            ax.set(ylabel=plots.axis_label(summary[name]), xlabel="games played")
        panels[0].axhline(0, color="0.6", lw=0.8, ls=":")
        panels[0].legend(frameon=False, fontsize="small")
        panels[1].set_yscale("log")
        plots.tournament_matrix(summary, ax=lower.add_subplot(grid[:, 1]))
        return figure


def _moments(recording: xr.Dataset) -> tuple[int, int, int]:
    """Steps before the first hit, at half of the kills, and at the end."""
    fallen = recording["kills"].sum("side").values
    first = int(np.argmax((recording["health"] < 1).any(["side", "agent"]).values))
    half = int(np.argmax(fallen >= fallen[-1] / 2))
    return max(0, first - 1), half, len(fallen) - 1


def compete(
    trained: dict[str, TrainedTeam], games: int, arena: Arena, *, seed: int, progress: bool = False
) -> xr.Dataset:
    """Let the trained teams play each other and the scripts."""
    teams: dict[str, Any] = {**trained, "pursuit": PursuitTeam(), "random": RandomTeam()}
    data = tournament(teams, games, arena=arena, seed=seed, progress=progress)
    return data[["wins", "draws", "losses", "games"]]
