"""Results of battles by the softmax temperature of a team, and by whose mean action it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import xarray as xr

from analysis import plots, rates_over_trainings, ratings_over_trainings
from isingrl.battle import Arena, IndependentQTeam, MeanFieldQTeam, PursuitTeam, ValueTeam
from studies.running.extensions import Join, added
from studies.running.tasks import Task
from studies.shared.battle_tasks import (
    contest,
    contests_of_pairs,
    counts_of_pairs,
    trained_sets,
    training_tasks,
)
from studies.shared.checks import check_counts, check_names
from studies.shared.combination import concat_all, prefixed, without_prefix
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import FloatArray, Grid, ascending_grid, number_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BattleTemperature"]

_TEAMS: dict[str, ValueTeam] = {
    MeanFieldQTeam.name: MeanFieldQTeam(),
    "mean-field-q-of-mate": MeanFieldQTeam(mean_of="mate"),
    "mean-field-q-of-foes": MeanFieldQTeam(mean_of="foes"),
    "mean-field-q-of-nobody": MeanFieldQTeam(mean_of="nobody"),
    IndependentQTeam.name: IndependentQTeam(),
}
_PURSUIT = "pursuit_"  # before the names of what is played against the script


@dataclass(frozen=True)
class BattleTemperature:
    """Games won against the softmax temperature τ, by teams that see different mean actions.

    All teams are trained several times, at their own τ. Every training plays those of every other
    team, and at all τ the pursuit script. Intervals are over trainings.
    """

    teams: tuple[str, ...] = tuple(_TEAMS)
    """mean-field-q, independent-q, and mean-field-q-of-mate, -of-foes and -of-nobody, which see the
    action of one team mate, the mean action of the foes, and zeros, by the same network."""
    trainings: int = 5
    """Trainings of each team."""
    softmax_temperature: Grid = (0.002, 0.2, 9)
    """First and last τ, in units of the reward, and how many, in equal ratios; 0 is added."""
    games: int = 1_500
    """Games of every training."""
    contest_games: int = 8
    """Games of every pair of trainings, half of them with sides swapped; against the script as many
    in all, at each τ."""
    side_by_side: int = 10
    """Simultaneous games of a training."""
    map_size: int = 30
    """Side of the map."""
    team_size: int = 16
    """Agents of a team."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Device of the networks that learn; on "cuda" all trainings of a team learn at once."""
    seed: int = 1
    """Seed of everything random."""

    extends: ClassVar[Mapping[str, Join]] = {"teams": added}

    @property
    def arena(self) -> Arena:
        """Map and teams of the games."""
        return Arena(map_size=self.map_size, team_size=self.team_size)

    @property
    def temperatures(self) -> FloatArray:
        """Softmax temperatures, 0 first."""
        grid = ascending_grid("softmax_temperature", self.softmax_temperature, 2, geometric=True)
        return np.append(0.0, grid)

    def tasks(self) -> list[Task]:
        """One training a task."""
        check_names("teams", self.teams, tuple(_TEAMS), 2)
        check_counts(self, trainings=2, games=1, contest_games=2, seed=0)
        self.temperatures  # noqa: B018 - checked before any work
        return training_tasks(
            self._chosen, self.trainings, self.device, opponent=("self", "pursuit"),
            arena=self.arena, games=self.games, side_by_side=self.side_by_side,
        )  # fmt: skip

    @property
    def _chosen(self) -> dict[str, ValueTeam]:
        return {name: _TEAMS[name] for name in self.teams}

    def later_tasks(self, results: dict[str, xr.Dataset]) -> list[Task]:
        """One task for every pair of teams, and one for every team and temperature."""
        sets = trained_sets(self._chosen, self.trainings, results)
        script = [PursuitTeam()] * self.trainings
        return contests_of_pairs(sets, self.contest_games, self.arena) + [
            Task(
                key=self._tau_key(name, tau),
                function=contest,
                arguments={
                    "first": [team.at_temperature(float(tau)) for team in sets[name]],
                    "second": script, "games": self.contest_games, "arena": self.arena,
                },
            )
            for name in self.teams
            for tau in self.temperatures
        ]  # fmt: skip

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join counts over (team, opponent), and against the script over (team, tau).

        Those against the script begin with ``pursuit_``. Both lie over pairs of trainings.
        """
        names, label = list(self.teams), {"long_name": "softmax temperature", "units": "reward"}
        script = concat_all(results, self._tau_key, team=names, tau=list(self.temperatures))
        script["games"] = script["wins"] + script["draws"] + script["losses"]
        script = script.assign_coords(team=names, tau=("tau", self.temperatures, label))
        parts = counts_of_pairs(results, names, self.trainings), prefixed(script, _PURSUIT, "team")
        return xr.merge(parts, combine_attrs="drop_conflicts", join="exact", compat="equals")

    def _tau_key(self, name: str, tau: float) -> str:
        return f"{name} at {number_texts(self.temperatures, 3)[float(tau)]}"

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Shares of games won and ratings, with intervals over trainings."""
        script = without_prefix(data, _PURSUIT, "team")
        pairs = data[["wins", "draws", "losses", "games"]]
        found = rates_over_trainings(pairs).merge(ratings_over_trainings(pairs))
        parts = found, prefixed(rates_over_trainings(script), _PURSUIT, "team")
        return xr.merge(parts, combine_attrs="drop_conflicts", join="exact").assign_attrs(
            data.attrs
        )

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw the share of games won by pairs and against τ, and ratings."""
        figure = new_figure(figsize=(11.6, 7.4), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=(5, 3))
        bars = figure.add_subplot(grid[0, :])
        plots.win_rate_bars(summary, ax=bars)
        at_tau = figure.add_subplot(grid[1, 0])
        self._draw_temperatures(at_tau, summary)
        plots.rating_points(summary, ax=figure.add_subplot(grid[1, 1]))
        legend_below(figure, [bars], len(self.teams))
        return figure

    def _draw_temperatures(self, ax: Axes, summary: xr.Dataset) -> None:
        """Draw the share of games won against the script against τ, greedy play at the left."""
        script = without_prefix(summary, _PURSUIT, "team")
        tau = script["tau"].values
        x = np.where(tau > 0, tau, tau[1] ** 2 / tau[2])  # greedy play one step further left
        number = len(self.teams)
        for order, name in enumerate(self.teams):
            at = script.sel(team=name)
            rate, low, high = (at[f"win_rate{end}"].values for end in ("", "_low", "_high"))
            aside = 1.04 ** (order - (number - 1) / 2)
            ends = np.maximum(0, [rate - low, high - rate])
            ax.errorbar(x * aside, rate, ends, lw=0.9, capsize=2, **plots.method_style(name))
        ax.axvline(MeanFieldQTeam().softmax_temperature, color="0.6", lw=0.9, ls=":")
        ax.set_xscale("log")
        ax.set(xlabel=plots.axis_label(script["tau"]), ylim=(-0.03, 1.03))
        ax.set_ylabel(plots.axis_label(script["win_rate"]))
        ax.set_title("against pursuit", loc="left", fontsize="medium")
        powers = [10.0**k for k in range(-3, 2) if tau[1] <= 10.0**k <= tau[-1]]
        ax.set_xticks([x[0], *powers], ["greedy", *(f"{each:g}" for each in powers)])
        ax.minorticks_off()
