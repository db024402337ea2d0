"""Let teams learn to fight."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from isingrl.battle.arena import Arena
from isingrl.battle.evaluation import Evaluation
from isingrl.battle.events import event_log
from isingrl.battle.team import LearningTeam
from isingrl.battle.team_training import Against, Training
from isingrl.battle.trained import TrainedTeam
from isingrl.support.archives import output_folder
from isingrl.support.progress import tqdm
from isingrl.support.validation import check_flag, check_integer, check_real

if TYPE_CHECKING:
    from isingrl.battle.events import Log
    from isingrl.battle.updates import Updates

__all__ = ["train", "train_many"]


def train(
    team: LearningTeam,
    opponent: Against | Sequence[Against] = ("self", "pursuit"),
    *,
    arena: Arena | None = None,
    games: int = 4000,
    side_by_side: int = 10,
    evaluation: Evaluation | None = None,
    seed: int | None = None,
    device: str = "cpu",
    out: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 30.0,
    tensorboard: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> TrainedTeam:
    """Let a team learn by its own games.

    Games are played in rounds of `side_by_side`, and every other game with sides swapped. Value
    teams learn after every step, also from their opponents' experiences unless the opponents
    learn. Actor-critics learn after every round.

    Parameters
    ----------
    team : LearningTeam
        `MeanFieldQTeam`, `IndependentQTeam`, `ActorCriticTeam` or `MeanFieldActorCriticTeam`.
    opponent : str, team, Player, Opponent, or sequence of them
        One of `OPPONENTS`, a `PursuitTeam` or `RandomTeam`, a `TrainedTeam`, or your own, which a
        checkpoint knows by its attribute ``name`` or by the name of its class. Several opponents
        take turns, round by round.
    arena : Arena, optional
        ``Arena()`` if omitted.
    games : int
        Games of the training.
    side_by_side : int
        Games of a round.
    evaluation : Evaluation, optional
        Games against fixed opponents from time to time, from which nobody learns.
    seed : int, optional
        The same seed gives the same team, on the same processor and the same versions. Without a
        seed fresh entropy is drawn, and a resumed training keeps its own.
    device : str
        "cpu" or "cuda", for the networks.
    out : path, optional
        Folder for checkpoints and the trained team. A training that was stopped or killed goes on
        from its checkpoint when it is started again with the same arguments, and gives the same
        numbers as an unbroken one.
    checkpoint_seconds : float
        Least time in seconds between two checkpoints, which are made between rounds.
    tensorboard : path, optional
        Folder for event files with the history, for TensorBoard. A training that goes on writes all
        of its history anew.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    TrainedTeam
        The parameters learned, and the history of the training.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, the memory is too small for the agents that play side
        by side, or `out` holds a training with other arguments.
    ImportError
        If magent2 or torch is not installed, or tensorboard for event files.

    Examples
    --------
    >>> from isingrl.battle import Arena, MeanFieldQTeam, train
    >>> arena = Arena(map_size=8, team_size=2, max_steps=5)
    >>> trained = train(MeanFieldQTeam(), "self", arena=arena, games=4, side_by_side=2, seed=1)
    >>> trained.history.sizes["round"], trained.history["games"].values.tolist()
    (2, [2, 4])
    """
    check_real("checkpoint_seconds", checkpoint_seconds, minimum=0)
    training = Training(team, opponent, arena, games, side_by_side, seed, device, evaluation)
    return _train([training], [out], [tensorboard], checkpoint_seconds, progress, stacked=False)[0]


def train_many(
    teams: LearningTeam | Sequence[LearningTeam],
    opponent: Against | Sequence[Against] = ("self", "pursuit"),
    *,
    seeds: Sequence[int],
    arena: Arena | None = None,
    games: int = 4000,
    side_by_side: int = 10,
    evaluation: Evaluation | None = None,
    device: str = "cpu",
    stacked: bool | None = None,
    out: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 30.0,
    tensorboard: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> list[TrainedTeam]:
    """Let several teams learn, each by its own games, side by side in one process.

    Trainings meet whenever each of them has a batch to learn from. Networks of the same shape then
    learn at once, stacked, if their teams have the same `batch_size` and the same settings in their
    loss, as `discount`. A team ends as that of `train` with its seed. Stacks of linear layers on a
    CPU change no bit of it; those of convolutions add up in another order.

    Parameters
    ----------
    teams : LearningTeam or sequence of LearningTeam
        One for each seed; a single one counts for all.
    opponent
        As of `train`. Each training has a copy of its own.
    seeds : sequence of int
        One for each training.
    arena, games, side_by_side, evaluation, device
        As of `train`.
    stacked : bool, optional
        Whether networks learn at once; only on a GPU if omitted, because a core takes as long or
        longer. Networks of your own must suit ``torch.func.vmap``.
    out : path, optional
        Folder with a folder for each training, ``training-1`` and so on, as of `train`.
    checkpoint_seconds
        As of `train`, for each training.
    tensorboard : path, optional
        Folder with a folder for each training, as in `out`.
    progress : bool
        Whether to show a bar for all games.

    Returns
    -------
    list of TrainedTeam
        In the order of the seeds.

    Raises
    ------
    TypeError, ValueError, ImportError
        As by `train`, or if there is not one team for each seed.

    Examples
    --------
    >>> from isingrl.battle import Arena, MeanFieldQTeam, train, train_many
    >>> settings = {"arena": Arena(map_size=8, team_size=2, max_steps=5), "games": 4}
    >>> one, other = train_many(MeanFieldQTeam(), "self", seeds=[1, 2], **settings)
    >>> alone = train(MeanFieldQTeam(), "self", seed=2, **settings)
    >>> bool((other.parameters["output.bias"] == alone.parameters["output.bias"]).all())
    True
    """
    check_real("checkpoint_seconds", checkpoint_seconds, minimum=0)
    if stacked is not None:
        check_flag("stacked", stacked)
    if isinstance(seeds, str) or not isinstance(seeds, Sequence) or not seeds:
        raise ValueError(f"seeds must be one or more integers; got {seeds!r}")
    given = list(teams) if isinstance(teams, Sequence) else [teams] * len(seeds)
    if len(given) != len(seeds):
        raise ValueError(
            f"teams must be one or as many as seeds, {len(seeds)}; got {len(given)} teams"
        )
    trainings = [
        Training(
            team, copy.deepcopy(opponent), arena, games, side_by_side,
            check_integer("seeds", seed, 0), device, copy.deepcopy(evaluation),
        )
        for team, seed in zip(given, seeds, strict=True)
    ]  # fmt: skip
    names = [f"training-{number}" for number in range(1, len(seeds) + 1)]
    with output_folder(out):
        return _train(
            trainings, _below(out, names), _below(tensorboard, names), checkpoint_seconds, progress,
            stacked=device != "cpu" if stacked is None else stacked,
        )  # fmt: skip


def _below(folder: str | os.PathLike[str] | None, names: Sequence[str]) -> list[Path | None]:
    """Folders of these names in a folder, if any."""
    return [None if folder is None else Path(folder) / name for name in names]


def _train(
    trainings: Sequence[Training],
    outs: Sequence[str | os.PathLike[str] | None],
    events: Sequence[str | os.PathLike[str] | None],
    checkpoint_seconds: float,
    progress: bool,
    stacked: bool,
) -> list[TrainedTeam]:
    """Let trainings go on to their end, each from the checkpoint in its folder."""
    from isingrl.battle.updates import run_all

    with ExitStack() as opened:
        folders = [opened.enter_context(output_folder(out)) for out in outs]
        found = [
            None if folder is None else training.resume(folder)
            for training, folder in zip(trainings, folders, strict=True)
        ]
        bar = opened.enter_context(
            tqdm(
                total=sum(training.games for training in trainings),
                initial=sum(training.played for training in trainings),
                unit="game",
                disable=not progress,
            )
        )
        left = [number for number, team in enumerate(found) if team is None]
        runs = [
            _run(
                trainings[number], folders[number], opened.enter_context(event_log(events[number])),
                checkpoint_seconds, bar,
            )
            for number in left
        ]  # fmt: skip
        ended = dict(zip(left, run_all(runs, stacked), strict=True))
        return [team or ended[number] for number, team in enumerate(found)]


def _run(
    training: Training, folder: Path | None, log: Log, checkpoint_seconds: float, bar: tqdm
) -> Updates[TrainedTeam]:
    """Play and learn to the end of a training."""
    if folder is not None:
        training.write_checkpoint(folder)
    written = time.monotonic()
    training.evaluate()
    log(training)
    while training.played < training.games:
        before = training.played
        bar.set_postfix_str((yield from training.play_round()))
        training.evaluate()
        log(training)
        bar.update(training.played - before)
        if folder is not None and time.monotonic() - written >= checkpoint_seconds:
            training.write_checkpoint(folder)
            written = time.monotonic()
    trained = training.result()
    if folder is not None:
        training.write_result(folder, trained)
    return trained
