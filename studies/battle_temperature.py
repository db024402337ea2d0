"""Results of battles against the softmax temperature of a team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import xarray as xr

from analysis import plots, win_rates
from isingrl.battle import TEAMS, Arena, PursuitTeam, Team, TrainedTeam, ValueTeam, play
from isingrl.battle.contests import OUTCOMES, count_outcomes
from studies.running.extensions import Join, added
from studies.running.tasks import Task, task_seed
from studies.shared.battle_tasks import train_team, trained_team
from studies.shared.checks import check_counts, check_names
from studies.shared.combination import concat_all
from studies.shared.figures import new_figure
from studies.shared.grids import FloatArray, Grid, ascending_grid, number_texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BattleTemperature"]

_METHODS = tuple(name for name, kind in TEAMS.items() if issubclass(kind, ValueTeam))


@dataclass(frozen=True)
class BattleTemperature:
    """Games won by trained teams against the softmax temperature τ of their actions.

    Each team is trained once, at its own τ. Then it plays greedily and at other τ, against the
    pursuit script and against its own greedy play.
    """

    methods: tuple[str, ...] = ("mean-field-q", "independent-q")
    """Names of methods."""
    softmax_temperature: Grid = (0.002, 1.0, 10)
    """First and last τ, in units of the reward, and how many, in equal ratios; 0 is added."""
    games: int = 1_500
    """Games of every training."""
    contest_games: int = 200
    """Games at each τ against each opponent."""
    side_by_side: int = 10
    """Simultaneous games of a training."""
    map_size: int = 30
    """Side of the map."""
    team_size: int = 16
    """Agents of a team."""
    seed: int = 1
    """Seed of everything random."""

    extends: ClassVar[Mapping[str, Join]] = {"methods": added}

    @property
    def arena(self) -> Arena:
        """Map and teams of the games."""
        return Arena(map_size=self.map_size, team_size=self.team_size)

    @property
    def temperatures(self) -> FloatArray:
        """Softmax temperatures, 0 first."""
        grid = ascending_grid("softmax_temperature", self.softmax_temperature, 2, geometric=True)
        return np.append(0.0, grid)

    def team(self, method: str) -> ValueTeam:
        """Return the learning team of a method."""
        team = TEAMS[method]()
        assert isinstance(team, ValueTeam)
        return team

    def tasks(self) -> list[Task]:
        """One training a task."""
        check_names("methods", self.methods, _METHODS)
        check_counts(self, games=1, contest_games=2, seed=0)
        self.temperatures  # noqa: B018 - checked before any work
        return [
            Task(
                key=method,
                function=train_team,
                arguments={
                    "team": self.team(method), "opponent": ("self", "pursuit"),
                    "arena": self.arena, "games": self.games, "side_by_side": self.side_by_side,
                },
                weight=len(self.temperatures),
                resumable=True,
            )
            for method in self.methods
        ]  # fmt: skip

    def later_tasks(self, results: dict[str, xr.Dataset]) -> list[Task]:
        """One method and temperature a task."""
        return [
            Task(
                key=self._key(method, tau),
                function=measure,
                arguments={
                    "team": trained_team(self.team(method), results[method]),
                    "tau": float(tau),
                    "games": self.contest_games,
                    "arena": self.arena,
                },
            )
            for method in self.methods
            for tau in self.temperatures
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the temperatures, then the methods."""
        data = concat_all(results, self._key, method=self.methods, tau=list(self.temperatures))
        label = {"long_name": "softmax temperature", "units": "reward"}
        return data.assign_coords(method=list(self.methods), tau=("tau", self.temperatures, label))

    def _key(self, method: str, tau: float) -> str:
        return f"{method} at {number_texts(self.temperatures, 3)[float(tau)]}"

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Shares of games won, with Wilson's intervals."""
        return data.merge(win_rates(data)).assign_attrs(data.attrs)

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw the share of games won against τ, greedy play at the left."""
        figure = new_figure(figsize=(9.6, 4.0), layout="constrained")
        axes = figure.subplots(1, summary.sizes["against"], sharey=True)
        tau = summary["tau"].values
        x = np.where(tau > 0, tau, tau[1] ** 2 / tau[2])  # greedy play one step further left
        for ax, against in zip(axes, summary["against"].values, strict=True):
            for method in self.methods:
                chosen = summary.sel({"against": against, "method": method})
                rate = chosen["win_rate"].values
                low, high = (chosen[f"win_rate_{end}"].values for end in ("low", "high"))
                bars = np.maximum(0, [rate - low, high - rate])
                ax.errorbar(
                    x, rate, bars, lw=0.9, capsize=2,
                    label=plots.method_label(method), **plots.method_style(method),
                )  # fmt: skip
                own = self.team(method).softmax_temperature
            ax.axvline(own, color="0.6", lw=0.9, ls=":")
            ax.axhline(0.5, color="0.6", lw=0.9, ls=":")
            ax.set_xscale("log")
            ax.set(xlabel=plots.axis_label(summary["tau"]), ylim=(-0.03, 1.03))
            ax.set_title(f"against {against}", loc="left", fontsize="medium")
            ticks = [x[0], *(10.0**k for k in range(-2, 1))]
            ax.set_xticks(ticks, ["greedy", *(f"{tick:g}" for tick in ticks[1:])])
            ax.minorticks_off()
        axes[0].set_ylabel("share of games won")
        axes[0].legend(frameon=False, loc="upper right")
        return figure


def measure(
    team: TrainedTeam, tau: float, games: int, arena: Arena, *, seed: int, progress: bool = False
) -> xr.Dataset:
    """Count wins at one softmax temperature against each of the two opponents."""
    playing = team.at_temperature(tau)
    opponents: dict[str, Team | TrainedTeam] = {
        "pursuit": PursuitTeam(),
        "itself, greedy": team.at_temperature(0.0),
    }
    counts = []
    for name, opponent in opponents.items():
        data = play(
            playing, opponent, games, arena=arena, seed=task_seed(seed, name), progress=progress
        )
        counts.append(count_outcomes(data["score"].values))
    found = xr.Dataset(coords={"against": list(opponents)})
    for name, label in OUTCOMES.items():
        attrs = {"long_name": label, "units": "1"}
        found[name] = ("against", [count[name] for count in counts], attrs)
    found["games"] = found["wins"] + found["losses"] + found["draws"]
    return found
