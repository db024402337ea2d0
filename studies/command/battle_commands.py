"""The commands ``isingrl battle``: train a team, let teams play, look at a game."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
import xarray as xr

from analysis import bradley_terry, plots, win_rates
from analysis.plots.animations import check_video
from isingrl.battle import (
    OPPONENTS,
    TEAMS,
    Arena,
    Evaluation,
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
from studies.command.parsing import Command, Debug, run_command
from studies.running.files import write_dataset, write_figure
from studies.shared.figures import legend_below, new_figure
from studies.shared.videos import write_frames, write_video

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COMMANDS", "main"]

_LEARNERS = tuple(name for name, team in TEAMS.items() if issubclass(team, LearningTeam))
_SCRIPTS: dict[str, type[Team]] = {team.name: team for team in (RandomTeam, PursuitTeam)}
_USAGE = """usage: isingrl battle COMMAND [OPTIONS]   (COMMAND --help lists the options)

commands:
  train              Let a team learn to fight; resumes what was cut short.
  tournament A B …   Let teams play each other: trained folders, random, pursuit.
  render A B         Make a video of one game."""


def main(name: str, options: list[str]) -> None:
    """Run the command that the options name; wrong ones end with one line and exit code 2."""
    if not options or options[0] in ("-h", "--help"):
        print(_USAGE)
        return
    command, *rest = options
    prog = f"isingrl {name}"
    if command not in COMMANDS:
        refuse(prog, f"COMMAND must be one of {', '.join(COMMANDS)}; got {command!r}")
    kept = "start again to go on" if command == "train" else "nothing was written"
    run_command(f"{prog} {command}", COMMANDS[command], rest, kept)


@dataclass(frozen=True)
class ArenaOptions:
    """Where teams meet."""

    map_size: int = 30
    """Side of the map, walls included."""
    team_size: int = 16
    """Agents of either team."""
    max_steps: int = 250
    """Length of a game in which both teams survive."""
    placing: Literal["ranks", "scattered"] = "ranks"
    """How teams begin."""

    @property
    def arena(self) -> Arena:
        """The arena of these options."""
        return Arena(**asdict(self))


@dataclass(frozen=True)
class TeamOptions:
    """Options of the team that learns; its own defaults where they are omitted."""

    network: Literal["two-headed", "chapter", "convolutional"] | None = None
    """Kind of network."""
    softmax_temperature: float | None = None
    """τ, in units of the reward."""
    discount: float | None = None
    """γ."""
    learning_rate: float | None = None
    """Learning rate of Adam."""
    radius: int | None = None
    """City-block distance within which team mates count for the mean action."""
    inner_iterations: int | None = None
    """Times that agents act on each other's tentative actions."""
    mean_of: Literal["team", "mate", "foes", "nobody"] | None = None
    """Whose mean action agents see."""
    memory: int | None = None
    """Steps that are remembered."""
    batch_size: int | None = None
    """Steps that are learned from at a time."""
    replay_ratio: float | None = None
    """How often a step is learned from on average."""


@dataclass(frozen=True)
class Train:
    """Let a team learn to fight, and leave it in a folder with its learning curves.

    A training that was cut short goes on from its last checkpoint when the same command is given
    again, and ends as if it had never been cut.
    """

    team: Annotated[str, tyro.conf.arg(metavar="{" + ",".join(_LEARNERS) + "}")] = "mean-field-q"
    """Method of learning."""
    opponent: tuple[str, ...] = ("self", "pursuit")
    """self, rival, pool, mixed, random, pursuit or folders of teams; each round takes the next."""
    place: tyro.conf.OmitArgPrefixes[ArenaOptions] = ArenaOptions()
    games: int = 4000
    """Games of the training."""
    side_by_side: int = 10
    """Games that are played together, a round."""
    evaluation: tuple[str, ...] = ()
    """random, pursuit or folders of teams that the team plays against from time to time without
    learning."""
    evaluation_every: int = 200
    """Games of the training from one evaluation to the next."""
    evaluation_games: int = 20
    """Games of an evaluation against each opponent."""
    seed: int = 1
    """Seed of everything random."""
    out: Path = Path("results/battle")
    """Folder for the team."""
    device: str = "cpu"
    """Device of the networks, cpu or cuda."""
    checkpoint_seconds: float = 30.0
    """Least time between two checkpoints."""
    tensorboard: bool = False
    """Whether to write event files for TensorBoard, into the subfolder events."""
    learner: tyro.conf.OmitArgPrefixes[TeamOptions] = TeamOptions()
    debug: Debug = False

    def run(self) -> None:
        """Train the team and write its files."""
        if self.team not in _LEARNERS:
            raise ValueError(f"team must be one of {', '.join(_LEARNERS)}; got {self.team!r}")
        kind: Any = TEAMS[self.team]
        chosen = {name: value for name, value in asdict(self.learner).items() if value is not None}
        for name in chosen:
            if name not in {field.name for field in fields(kind)}:
                raise ValueError(f"{self.team} has no option {name}")
        arena = self.place.arena
        opponents = [
            each if each in OPPONENTS else _loaded("opponent", each) for each in self.opponent
        ]
        plan = None
        if self.evaluation:
            fixed = [
                _SCRIPTS[each]() if each in _SCRIPTS else _loaded("evaluation", each)
                for each in self.evaluation
            ]
            plan = Evaluation(fixed, self.evaluation_every, self.evaluation_games)
        make_folder(self.out)
        trained = train(
            kind(**chosen), opponents, arena=arena, games=self.games,
            side_by_side=self.side_by_side, evaluation=plan, seed=self.seed, device=self.device,
            out=self.out, checkpoint_seconds=self.checkpoint_seconds,
            tensorboard=self.out / "events" if self.tensorboard else None, progress=True,
        )  # fmt: skip
        write_figure(learning_figure({self.team: trained}), self.out / "figure.png")
        print(f"wrote team.json, team.safetensors and figure.png to {self.out}")


@dataclass(frozen=True)
class Tournament:
    """Let every team play every other on both sides, and leave tournament.nc and figure.png."""

    teams: tyro.conf.Positional[tuple[str, ...]]
    """Folders of trained teams, random or pursuit; two or more."""
    games: int = 200
    """Games of every pair."""
    place: tyro.conf.OmitArgPrefixes[ArenaOptions] = ArenaOptions()
    softmax_temperature: float | None = None
    """τ at which trained value teams play; their own if omitted."""
    seed: int = 1
    """Seed of everything random."""
    device: str = "cpu"
    """Device of the networks, cpu or cuda."""
    out: Path = Path("results/tournament")
    """Folder for the results."""
    debug: Debug = False

    def run(self) -> None:
        """Play all games and write the files."""
        arena = self.place.arena
        named = _named(self.teams, self.softmax_temperature)
        make_folder(self.out)
        data = tournament(
            named, self.games, arena=arena, seed=self.seed, device=self.device,
            progress=sys.stderr.isatty(),
        )  # fmt: skip
        rates, ratings = win_rates(data), bradley_terry(data)
        write_dataset(data.merge(rates).merge(ratings), self.out / "tournament.nc")
        write_figure(tournament_figure(rates, ratings), self.out / "figure.png")
        for name in ratings["team"].values:
            found = ratings.sel(team=name)
            print(f"{name:24s} {found['rating'].item():+7.0f} ± {found['rating_error'].item():.0f}")
        print(f"wrote tournament.nc and figure.png to {self.out}")


@dataclass(frozen=True)
class Render:
    """Make a video of one game between two teams."""

    teams: tyro.conf.Positional[tuple[str, ...]]
    """Two folders of trained teams, random or pursuit."""
    out: Path = Path("game.mp4")
    """File for the video, .mp4 or .gif; still frames lie beside it."""
    place: tyro.conf.OmitArgPrefixes[ArenaOptions] = ArenaOptions()
    softmax_temperature: float | None = None
    """τ at which trained value teams play; their own if omitted."""
    frames_per_second: int = 8
    """Steps shown a second."""
    stills: tuple[int, ...] = ()
    """Steps that are also written as PNG files."""
    seed: int = 1
    """Seed of everything random."""
    device: str = "cpu"
    """Device of the networks, cpu or cuda."""
    debug: Debug = False

    def run(self) -> None:
        """Play the game and write its video."""
        if len(self.teams) != 2:
            raise ValueError(f"teams must be two; got {len(self.teams)}")
        check_video(self.out, "out")
        arena = self.place.arena
        named = _named(self.teams, self.softmax_temperature)
        make_folder(self.out.parent)
        first, second = named.values()
        recording = record(first, second, arena=arena, seed=self.seed, device=self.device)
        one, other = named
        write_video(
            recording, self.out, names=(one, other), frames_per_second=self.frames_per_second,
            progress=True,
        )  # fmt: skip
        write_frames(recording, self.out.parent, self.stills, names=(one, other))
        print(f"wrote {self.out}")


COMMANDS: dict[str, type[Command]] = {"train": Train, "tournament": Tournament, "render": Render}
"""All of them by name."""


def learning_figure(trained: dict[str, TrainedTeam]) -> Figure:
    """Reward, loss and share of games won against the games played, a row a team.

    The share is that of the evaluations if there were any.
    """
    figure = new_figure(figsize=(9.6, 3.2 * len(trained)), layout="constrained")
    rows = figure.subplots(len(trained), 3, squeeze=False)
    for axes, (name, team) in zip(rows, trained.items(), strict=True):
        won = "evaluation_win" if "evaluation_win" in team.history else "win"
        for ax, variable in zip(axes, ("reward", "loss", won), strict=True):
            plots.learning_curve(team.history, variable, ax=ax)
        axes[0].set_title(plots.method_label(name), loc="left", fontsize="medium")
        axes[0].legend(frameon=False, loc="lower right")
        if won == "evaluation_win":
            axes[2].legend(frameon=False, loc="lower right")
    return figure


def tournament_figure(rates: xr.Dataset, ratings: xr.Dataset) -> Figure:
    """Shares of games won with their intervals, and ratings with their errors."""
    number = ratings.sizes["team"]
    figure = new_figure(figsize=(5.0 + 1.3 * number, 4.2), layout="constrained")
    bars, points = figure.subplots(1, 2, width_ratios=(2.2, 1))
    plots.win_rate_bars(rates, ax=bars)
    legend_below(figure, [bars], number)
    plots.rating_points(ratings, ax=points)
    return figure


def _loaded(what: str, path: str) -> TrainedTeam:
    if not Path(path).is_dir():
        allowed = ", ".join(OPPONENTS if what == "opponent" else _SCRIPTS)
        raise ValueError(f"{what} must be {allowed} or the folder of a trained team; got {path!r}")
    return TrainedTeam.load(path)


def _named(teams: tuple[str, ...], tau: float | None) -> dict[str, Team | TrainedTeam]:
    """Teams by a name of their own: that of the folder."""
    named: dict[str, Team | TrainedTeam] = {}
    for each in teams:
        team = _SCRIPTS[each]() if each in _SCRIPTS else _loaded("team", each)
        if tau is not None and isinstance(team, TrainedTeam):
            team = team.at_temperature(tau)
        name, number = Path(each).name or each, 2
        while name in named:
            name, number = f"{Path(each).name} {number}", number + 1
        named[name] = team
    if len(named) < 2:
        raise ValueError(f"teams must be two or more; got {len(named)}")
    return named
