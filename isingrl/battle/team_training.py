"""A training of a team, between two rounds or in one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from isingrl.battle.arena import Arena, check_arena
from isingrl.battle.evaluation import Evaluation, Evaluations
from isingrl.battle.games import Games
from isingrl.battle.opponent import Opponent
from isingrl.battle.players import Player
from isingrl.battle.rounds import play_and_learn
from isingrl.battle.team import LearningTeam, Team
from isingrl.battle.teams import TEAMS, ActorCriticTeam, ValueTeam
from isingrl.battle.trained import TrainedTeam, history_dataset, make_player
from isingrl.runs import seed_sequence
from isingrl.support.archives import (
    check_same,
    clear_scratch,
    foreign,
    part,
    prefixed,
    read_checkpoint,
    write_archive,
)
from isingrl.support.devices import check_device, require_torch
from isingrl.support.validation import check_choice, check_integer

if TYPE_CHECKING:
    from isingrl.battle.team_learner import TeamLearner
    from isingrl.battle.updates import Updates

OPPONENTS = ("self", "rival", "pool", "mixed", "random", "pursuit")
"""Names of opponents: the team itself, another team that learns, frozen copies of the last rounds,
a copy that follows slowly, and scripts."""

Against = str | Team | TrainedTeam | Player | Opponent

_FORMAT, _NAME, _WHAT = "isingrl-battle-checkpoint-1", "checkpoint", "checkpoint"
_HISTORY = ("loss", "reward", "kills", "deaths", "steps", "win", "defeat")


class Training:
    """A training between two rounds; parameters as of `train`."""

    def __init__(
        self,
        team: LearningTeam,
        opponent: Any,
        arena: Arena | None,
        games: int,
        side_by_side: int,
        seed: int | None,
        device: str,
        evaluation: Evaluation | None = None,
    ) -> None:
        if not isinstance(team, LearningTeam):
            raise TypeError(f"team must be a team that learns; got {team!r}")
        if team.learner_class is None and not isinstance(team, ValueTeam | ActorCriticTeam):
            raise TypeError(
                f"{type(team).__name__} must be a subclass of ValueTeam or ActorCriticTeam to "
                "learn, or have a learner_class"
            )
        self.team, self.arena = team, check_arena(arena)
        self.games = check_integer("games", games, 1)
        self._width = min(self.games, check_integer("side_by_side", side_by_side, 1))
        several = isinstance(opponent, Sequence) and not isinstance(opponent, str)
        opponents = list(opponent) if several else [opponent]
        if not opponents:
            raise ValueError("opponent must name at least one; got none")
        self._names = [_opponent_name(each) for each in opponents]
        require_torch("battle")
        self._device = check_device(device)
        self._check_memory()
        sequence = seed_sequence(seed)
        self._seed_given, self._seed = seed is not None, sequence.entropy
        numbers, first, second = sequence.spawn(3)
        self._generator = np.random.Generator(np.random.PCG64(numbers))
        self._running = Games(self.arena, self._width)
        self._learner = self._new_learner(first)
        self._opponents = self._make_opponents(opponents, second)
        self._evaluations = None if evaluation is None else self._plan(evaluation)
        self.played = 0
        self._history: dict[str, list[float]] = {name: [] for name in _HISTORY}

    def play_round(self) -> Updates[str]:
        """Play and learn from the next round; return a line about it."""
        index = len(self._history["loss"])
        opponent = self._opponents[index % len(self._opponents)]
        learners = (self._learner, opponent.learner)
        for learner in learners:
            if learner is not None:
                learner.progress = self.played / self.games
        games, generator = self._running, self._generator
        # the last round may have fewer games
        games.begin(generator, min(self._width, self.games - self.played))
        players = (self._learner.player(), opponent.prepare(generator))
        losses, reward = yield from play_and_learn(games, players, learners, generator)
        for each in self._opponents:
            each.after_round(index)
        return self._note(losses, reward)

    def evaluate(self) -> None:
        """Let the team play its next evaluation, if one is due."""
        evaluations = self._evaluations
        if evaluations is not None and evaluations.due(self.played, self.games):
            evaluations.run(self._learner.trained_player(), self.played, self._seed)

    def _note(self, losses: list[float], reward: float) -> str:
        """Add a round to the history; return a line about it."""
        games = self._running
        n = games.n_begun
        kills, won = games.kills[:n], games.scores[:n]
        history = self._history
        history["loss"].append(float(np.mean(losses)) if losses else float("nan"))
        history["reward"].append(reward)
        history["kills"].append(float(kills[:, 0].mean()))
        history["deaths"].append(float(kills[:, 1].mean()))
        history["steps"].append(float(games.steps[:n].max()))
        history["win"].append(float((won > 0).mean()))
        history["defeat"].append(float((won < 0).mean()))
        name = self._names[(len(history["loss"]) - 1) % len(self._names)]
        self.played += n
        return (
            f"against {name}: won {history['win'][-1]:.0%}, killed {history['kills'][-1]:.1f}, "
            f"lost {history['deaths'][-1]:.1f}, reward {reward:+.3f}"
        )

    def result(self) -> TrainedTeam:
        """The team as it is now."""
        from isingrl.battle.team_learner import parameters

        rival = None
        for each in self._opponents:
            if each.learner not in (None, self._learner):
                rival = TrainedTeam(self.team, parameters(each.learner.network))
        return TrainedTeam(self.team, parameters(self._learner.network), self.history(), rival)

    def write_checkpoint(self, folder: Path) -> None:
        """Write everything that the next rounds depend on."""
        arrays = prefixed("learner.", self._learner.state())
        for index, opponent in enumerate(self._opponents):
            arrays |= prefixed(f"opponent.{index}.", opponent.state())
        history = {name: np.array(values) for name, values in self._history.items()}
        arrays |= prefixed("history.", history)
        if self._evaluations is not None:
            arrays |= prefixed("evaluations.", self._evaluations.arrays())
        settings = self._settings() | {
            "played": self.played,
            "generator": self._generator.bit_generator.state,
        }
        write_archive(folder, _NAME, settings, arrays)

    def resume(self, folder: Path) -> TrainedTeam | None:
        """Go on from the checkpoint of a folder, if any; return the team if it is finished."""
        for path, name in ((folder, _NAME), (folder, "team"), (folder / "rival", "team")):
            clear_scratch(path, name)
        found = read_checkpoint(folder, _NAME, _FORMAT, _WHAT, "out")
        if found is None:
            if (folder / "team.json").exists():
                raise ValueError(
                    f"out must not hold a trained team whose checkpoint is gone, because a new "
                    f"training would replace it; {folder} has team.json alone"
                )
            return None
        settings, arrays = found
        with foreign(folder, _WHAT, "out"):
            theirs, played = settings["arguments"], int(settings["played"])
        if not self._seed_given:
            self._seed = theirs.get("seed")
        check_same(folder, "training", self._settings()["arguments"], theirs)
        if "end" in arrays:
            self.played = played
            return TrainedTeam.load(folder)
        with foreign(folder, _WHAT, "out"):
            self._generator.bit_generator.state = settings["generator"]
            self._learner.restore(part(arrays, "learner."))
            for index, opponent in enumerate(self._opponents):
                opponent.restore(part(arrays, f"opponent.{index}."))
            self._history = {
                name: values.tolist() for name, values in part(arrays, "history.").items()
            }
            if self._evaluations is not None:
                self._evaluations.restore(part(arrays, "evaluations."))
            self.played = played
        return None

    def write_result(self, folder: Path, trained: TrainedTeam) -> None:
        """Save the team, and replace the checkpoint by a mark that the training is finished."""
        trained.save(folder)
        write_archive(
            folder, _NAME, self._settings() | {"played": self.played}, {"end": np.ones(1)}
        )

    def _settings(self) -> dict[str, Any]:
        plan = {} if self._evaluations is None else {"evaluation": self._evaluations.settings()}
        return {
            "format": _FORMAT,
            "arguments": {
                **plan,
                "team": {"name": self.team.name, **self.team.settings()},
                "opponent": self._names,
                "arena": self.arena.settings(),
                "games": self.games,
                "side_by_side": self._width,
                "seed": self._seed,
                "device": self._device,
            },
        }

    def history(self) -> xr.Dataset:
        """The history so far, as of `TrainedTeam`."""
        rounds = len(self._history["loss"])
        arrays: dict[str, npt.NDArray[Any]] = {
            name: np.array(values) for name, values in self._history.items()
        }
        arrays["opponent"] = np.array([self._names[r % len(self._names)] for r in range(rounds)])
        arrays["games"] = np.minimum(self.games, self._width * np.arange(1, rounds + 1))
        if self._evaluations is not None:
            arrays |= self._evaluations.arrays()
            arrays["evaluation_opponent"] = np.array(self._evaluations.names)
        return history_dataset(arrays)

    def _plan(self, evaluation: Any) -> Evaluations:
        """Evaluations by plan."""
        if not isinstance(evaluation, Evaluation):
            raise TypeError(f"evaluation must be an Evaluation; got {evaluation!r}")
        opponents: Any = evaluation.opponents
        names = [_opponent_name(each) for each in opponents]
        players = [make_player(each, self._device) for each in opponents]
        return Evaluations(evaluation, names, players, self.arena)

    def _check_memory(self) -> None:
        agents = self._width * sum(self.arena.sizes)
        if isinstance(self.team, ValueTeam) and self.team.memory < 2 * agents:
            raise ValueError(
                f"memory must hold two steps of all {agents} agents that play side by side, "
                f"{2 * agents} in all; got {self.team.memory}"
            )

    def _new_learner(self, seed: np.random.SeedSequence) -> TeamLearner:
        from isingrl.battle.policy_learner import PolicyLearner
        from isingrl.battle.value_learner import ValueLearner

        number = int(seed.generate_state(1, np.uint64)[0] >> 1)
        make: Callable[..., TeamLearner] = self.team.learner_class or PolicyLearner
        if self.team.learner_class is None and isinstance(self.team, ValueTeam):
            return ValueLearner(self.team, number, self._device)
        most = self._width * sum(self.arena.sizes) * self.arena.max_steps
        return make(self.team, most, number, self._device)

    def _make_opponents(self, opponents: list[Any], seed: np.random.SeedSequence) -> list[Opponent]:
        from isingrl.battle.opponents import make_opponent

        watches = isinstance(self.team, ValueTeam)
        return [
            make_opponent(
                _opponent(each, self._device),
                self._learner,
                partial(self._new_learner, own_seed),
                watches,
            )
            for each, own_seed in zip(opponents, seed.spawn(len(opponents)), strict=True)
        ]


def _opponent(each: Any, device: str) -> str | Player | Opponent:
    """Name of an opponent that depends on the learner, or else the player or opponent itself."""
    if isinstance(each, str):
        return TEAMS[each]().player() if each in TEAMS else each
    return each if isinstance(each, Opponent) else make_player(each, device)


def _opponent_name(each: Any) -> str:
    """Name of an opponent in a checkpoint."""
    if isinstance(each, TrainedTeam):
        digest = hashlib.sha256()
        for name in sorted(each.parameters):
            digest.update(np.ascontiguousarray(each.parameters[name]).tobytes())
        return f"{each.team.name} {digest.hexdigest()[:8]}"
    if isinstance(each, Player | Opponent):
        return str(getattr(each, "name", type(each).__name__))
    if isinstance(each, LearningTeam):
        raise ValueError(f"opponent must be trained or one of {', '.join(OPPONENTS)}; got {each!r}")
    if isinstance(each, Team):
        return repr(each) if each.settings() else each.name
    return check_choice("opponent", each, OPPONENTS)
