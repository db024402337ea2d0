"""The commands ``isingrl battle``: train a team, let teams play, look at a game."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import tyro
import xarray as xr

from analysis import bradley_terry, plots, win_rates
from analysis.plots.animations import check_video
from isingrl.battle import (
    OPPONENTS,
    TEAMS,
    Arena,
    LearningTeam,
    PursuitTeam,
    RandomTeam,
    Team,
    TrainedTeam,
    record,
    tournament,
    train,
)
from isingrl.support.archives import make_folder
from studies.command.exits import refuse
from studies.command.parsing import Command, run_command
from studies.running.files import write_dataset, write_figure
from studies.shared.figures import legend_below, new_figure
from studies.shared.videos import write_frames, write_video

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COMMANDS", "contestant", "main", "train_command"]

_LEARNERS = tuple(name for name, team in TEAMS.items() if issubclass(team, LearningTeam))
_SCRIPTS: dict[str, type[Team]] = {team.name: team for team in (RandomTeam, PursuitTeam)}
_USAGE = """usage: isingrl battle COMMAND [OPTIONS]   (COMMAND --help lists the options)

commands:
  train              Let a team learn to fight; resumes what was cut short.
  tournament A B …   Let teams play each other: trained folders, random, pursuit.
  render A B         Make a video of one game."""

TeamName = Annotated[str, tyro.conf.arg(metavar="{" + ",".join(_LEARNERS) + "}")]
Teams = tyro.conf.Positional[tuple[str, ...]]


def main(options: list[str]) -> None:
    """Run the command that the options name; wrong ones end with one line and exit code 2."""
    if not options or options[0] in ("-h", "--help"):
        print(_USAGE)
        return
    name, *rest = options
    if name not in COMMANDS:
        refuse("isingrl battle", f"COMMAND must be one of {', '.join(COMMANDS)}; got {name!r}")
    kept = "start again to go on" if name == "train" else "nothing was written"
    run_command(f"isingrl battle {name}", COMMANDS[name], rest, kept)


def train_command(
    team: TeamName = "mean-field-q",
    opponent: tuple[str, ...] = ("self", "pursuit"),
    map_size: int = 30,
    team_size: int = 16,
    games: int = 4000,
    max_steps: int = 250,
    placing: Literal["ranks", "scattered"] = "ranks",
    side_by_side: int = 10,
    seed: int = 1,
    out: Path = Path("results/battle"),
    device: str = "cpu",
    checkpoint_seconds: float = 30.0,
    network: Literal["two-headed", "chapter", "convolutional"] | None = None,
    softmax_temperature: float | None = None,
    discount: float | None = None,
    learning_rate: float | None = None,
    radius: int | None = None,
    inner_iterations: int | None = None,
    memory: int | None = None,
    batch_size: int | None = None,
    replay_ratio: float | None = None,
) -> None:
    """Let a team learn to fight, and leave it in a folder with its learning curves.

    A training that was cut short goes on from its last checkpoint when the same command is given
    again, and ends as if it had never been cut.

    Args:
        team: What learns.
        opponent: self, rival, pool, mixed, random, pursuit or the folder of a trained team; of
            several, each round the next.
        map_size: Side of the map, walls included.
        team_size: Agents of either team.
        games: Games of the training.
        max_steps: Length of a game in which both teams survive.
        placing: How teams begin.
        side_by_side: Games that are played together, a round.
        seed: Of everything random.
        out: Folder for the team.
        device: Of the networks, cpu or cuda.
        checkpoint_seconds: Least time between two checkpoints.
        network: Kind of network.
        softmax_temperature: τ, in units of the reward.
        discount: γ.
        learning_rate: Of Adam.
        radius: City-block distance within which team mates count for the mean action.
        inner_iterations: Times that agents act on each other's tentative actions.
        memory: Steps that are remembered.
        batch_size: Steps that are learned from at a time.
        replay_ratio: How often a step is learned from on average.
    """
    if team not in _LEARNERS:
        raise ValueError(f"team must be one of {', '.join(_LEARNERS)}; got {team!r}")
    given = {
        "network": network,
        "softmax_temperature": softmax_temperature,
        "discount": discount,
        "learning_rate": learning_rate,
        "radius": radius,
        "inner_iterations": inner_iterations,
        "memory": memory,
        "batch_size": batch_size,
        "replay_ratio": replay_ratio,
    }
    kind: Any = TEAMS[team]
    chosen = {name: value for name, value in given.items() if value is not None}
    known = {field.name for field in fields(kind)}
    for name in chosen:
        if name not in known:
            raise ValueError(f"{team} has no option {name}")
    arena = Arena(map_size=map_size, team_size=team_size, max_steps=max_steps, placing=placing)
    opponents = [each if each in OPPONENTS else _loaded("opponent", each) for each in opponent]
    make_folder(out)
    trained = train(
        kind(**chosen),
        opponents,
        arena=arena,
        games=games,
        side_by_side=side_by_side,
        seed=seed,
        device=device,
        out=out,
        checkpoint_seconds=checkpoint_seconds,
        progress=True,
    )
    write_figure(learning_figure({team: trained}), out / "figure.png")
    print(f"wrote team.json, team.safetensors and figure.png to {out}")


def tournament_command(
    teams: Teams,
    games: int = 200,
    map_size: int = 30,
    team_size: int = 16,
    max_steps: int = 250,
    placing: Literal["ranks", "scattered"] = "ranks",
    softmax_temperature: float | None = None,
    seed: int = 1,
    device: str = "cpu",
    out: Path = Path("results/tournament"),
) -> None:
    """Let every team play every other, with sides swapped, and leave tournament.nc and figure.png.

    Args:
        teams: Folders of trained teams, random or pursuit; two or more.
        games: Games of every pair.
        map_size: Side of the map, walls included.
        team_size: Agents of either team.
        max_steps: Length of a game in which both teams survive.
        placing: How teams begin.
        softmax_temperature: τ at which trained value teams play; their own if omitted.
        seed: Of everything random.
        device: Of the networks, cpu or cuda.
        out: Folder for the results.
    """
    arena = Arena(map_size=map_size, team_size=team_size, max_steps=max_steps, placing=placing)
    named = _named("teams", teams, softmax_temperature)
    make_folder(out)
    data = tournament(
        named, games, arena=arena, seed=seed, device=device, progress=sys.stderr.isatty()
    )
    rates, ratings = win_rates(data), bradley_terry(data)
    write_dataset(data.merge(rates).merge(ratings), out / "tournament.nc")
    figure = tournament_figure(rates, ratings)
    write_figure(figure, out / "figure.png")
    for name in ratings["team"].values:
        rating = ratings.sel(team=name)
        print(f"{name:24s} {rating['rating'].item():+7.0f} ± {rating['rating_error'].item():.0f}")
    print(f"wrote tournament.nc and figure.png to {out}")


def render_command(
    teams: Teams,
    out: Path = Path("game.mp4"),
    map_size: int = 30,
    team_size: int = 16,
    max_steps: int = 250,
    placing: Literal["ranks", "scattered"] = "ranks",
    softmax_temperature: float | None = None,
    frames_per_second: int = 8,
    stills: tuple[int, ...] = (),
    seed: int = 1,
    device: str = "cpu",
) -> None:
    """Make a video of one game between two teams.

    Args:
        teams: Two folders of trained teams, random or pursuit.
        out: File for the video, .mp4 or .gif; still frames lie beside it.
        map_size: Side of the map, walls included.
        team_size: Agents of either team.
        max_steps: Length of a game in which both teams survive.
        placing: How teams begin.
        softmax_temperature: τ at which trained value teams play; their own if omitted.
        frames_per_second: Steps shown a second.
        stills: Steps that are also written as PNG files.
        seed: Of everything random.
        device: Of the networks, cpu or cuda.
    """
    if len(teams) != 2:
        raise ValueError(f"teams must be two; got {len(teams)}")
    check_video(out, "out")
    arena = Arena(map_size=map_size, team_size=team_size, max_steps=max_steps, placing=placing)
    named = _named("teams", teams, softmax_temperature)
    make_folder(out.parent)
    first, second = named.values()
    recording = record(first, second, arena=arena, seed=seed, device=device)
    names = tuple(named)
    write_video(
        recording, out, names=(names[0], names[1]), frames_per_second=frames_per_second,
        progress=True,
    )  # fmt: skip
    write_frames(recording, out.parent, stills, names=(names[0], names[1]))
    print(f"wrote {out}")


COMMANDS: dict[str, Command] = {
    "train": train_command,
    "tournament": tournament_command,
    "render": render_command,
}
"""All of them by name."""


def contestant(name: str) -> Team | TrainedTeam:
    """Scripted team of that name, or the trained team of that folder."""
    return _SCRIPTS[name]() if name in _SCRIPTS else _loaded("team", name)


def learning_figure(trained: dict[str, TrainedTeam]) -> Figure:
    """Reward, loss and share of games won against the games played, a line a team."""
    figure = new_figure(figsize=(9.6, 3.2 * len(trained)), layout="constrained")
    rows = figure.subplots(len(trained), 3, squeeze=False)
    for axes, (name, team) in zip(rows, trained.items(), strict=True):
        for ax, variable in zip(axes, ("reward", "loss", "win"), strict=True):
            plots.learning_curve(team.history, variable, ax=ax)
        axes[0].set_title(plots.method_label(name), loc="left", fontsize="medium")
        axes[0].legend(frameon=False, loc="lower right")
    return figure


def tournament_figure(rates: xr.Dataset, ratings: xr.Dataset) -> Figure:
    """Shares of games won with their intervals, and ratings with their errors."""
    names = [plots.method_label(str(name)) for name in ratings["team"].values]
    figure = new_figure(figsize=(5.0 + 1.3 * len(names), 4.2), layout="constrained")
    bars, points = figure.subplots(1, 2, width_ratios=(2.2, 1))
    plots.win_rate_bars(rates, ax=bars)
    legend_below(figure, [bars], len(names))
    rank = np.argsort(ratings["rating"].values)
    points.errorbar(
        ratings["rating"].values[rank], range(len(names)), fmt="o", color="0.1", capsize=3,
        xerr=ratings["rating_error"].values[rank],
    )  # fmt: skip
    points.set_yticks(range(len(names)), [names[index] for index in rank])
    points.set(xlabel=plots.axis_label(ratings["rating"]), ylim=(-0.5, len(names) - 0.5))
    points.grid(axis="x", lw=0.4, color="0.85")
    return figure


def _loaded(what: str, path: str) -> TrainedTeam:
    if not Path(path).is_dir():
        allowed = ", ".join(OPPONENTS if what == "opponent" else _SCRIPTS)
        raise ValueError(f"{what} must be {allowed} or the folder of a trained team; got {path!r}")
    return TrainedTeam.load(path)


def _named(what: str, teams: tuple[str, ...], tau: float | None) -> dict[str, Team | TrainedTeam]:
    """Teams by a name of their own: that of the folder."""
    named: dict[str, Team | TrainedTeam] = {}
    for each in teams:
        team = contestant(each)
        if tau is not None and isinstance(team, TrainedTeam):
            team = team.at_temperature(tau)
        name, number = Path(each).name or each, 2
        while name in named:
            name, number = f"{Path(each).name} {number}", number + 1
        named[name] = team
    if len(named) < 2:
        raise ValueError(f"{what} must be two or more; got {len(named)}")
    return named
