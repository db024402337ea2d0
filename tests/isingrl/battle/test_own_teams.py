"""Teams, players, opponents and networks that users write."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("magent2")

from isingrl import battle  # noqa: E402
from isingrl.battle.network_player import NetworkPlayer  # noqa: E402
from isingrl.battle.networks import KINDS, N_CELLS, BattleNetwork  # noqa: E402
from isingrl.battle.policy_learner import PolicyLearner  # noqa: E402
from isingrl.battle.team_training import Training  # noqa: E402

ARENA = battle.Arena(map_size=8, team_size=2, max_steps=10)
OPTIONS = {"arena": ARENA, "games": 6, "side_by_side": 2, "seed": 1}


class StillPlayer(battle.Player):
    """Stays where it is."""

    def act(self, own, foes, generator):
        return battle.Decision(np.full(len(own.agents), 6, np.int32))


@dataclass(frozen=True, repr=False)
class StillTeam(battle.Team):
    """A team that has a player and a field."""

    name: ClassVar[str] = "still"

    patience: int = 1

    def player(self):
        return StillPlayer()


class TinyNetwork(BattleNetwork):
    """One layer."""

    name = "tiny"

    def __init__(self, mean_action, outputs):
        super().__init__()
        self.output = torch.nn.Linear(2 * N_CELLS, outputs)

    @staticmethod
    def code_planes():
        return np.ascontiguousarray(BattleNetwork.code_planes()[:, [0, 2]])

    def look(self, views):
        return self.decode(views).flatten(1)

    def forward(self, seen, mean):
        return self.output(seen)


class Latest(battle.Opponent):
    """Plays as the learner does, and counts its rounds."""

    rounds = 0

    def meet(self, learner):
        self.player = learner.player()

    def prepare(self, generator):
        return self.player

    def after_round(self, index):
        self.rounds += 1

    def state(self):
        return {"rounds": np.array(self.rounds)}

    def restore(self, arrays):
        self.rounds = int(arrays["rounds"])


class CountedPlayer(NetworkPlayer):
    """Acts as a network does."""


@dataclass(frozen=True, repr=False)
class ApartTeam(battle.LearningTeam):
    """A team that is neither a value team nor an actor-critic."""

    name: ClassVar[str] = "apart"
    outputs: ClassVar[int] = 22
    learner_class: ClassVar = PolicyLearner
    player_class: ClassVar = CountedPlayer

    trace: float = 0.5
    entropy: float = 0.03
    value_weight: float = 0.5
    batch_size: int = 64
    passes: int = 1


def test_own_teams_and_players_play():
    teams = {"still": StillTeam(), "player": StillPlayer(), "pursuit": battle.PursuitTeam()}
    cup = battle.tournament(teams, games=4, arena=ARENA, seed=1)
    assert cup.wins.sel(team="pursuit").values.tolist() == [4, 4, 0]
    assert (battle.record(StillPlayer(), StillTeam(), arena=ARENA).action.values[:-1] == 6).all()


@pytest.mark.parametrize(
    ("opponent", "name"),
    [
        (StillTeam(), "StillTeam(patience=1)"),
        (StillPlayer(), "StillPlayer"),
        (Latest(), "Latest"),
    ],
    ids=["team", "player", "opponent"],
)
def test_own_opponents_are_learned_from_and_gone_on_with(opponent, name, tmp_path, monkeypatch):
    team = battle.MeanFieldQTeam(memory=400, batch_size=8, replay_ratio=1.0)
    whole = battle.train(team, ["self", opponent], **OPTIONS)
    assert whole.history["opponent"].values.tolist() == ["self", name, "self"]

    def cut(self, _original=Training.play_round):
        if self.played >= 4 and not (tmp_path / "cut").exists():
            (tmp_path / "cut").touch()
            raise KeyboardInterrupt
        return _original(self)

    monkeypatch.setattr(Training, "play_round", cut)
    options = OPTIONS | {"out": tmp_path / "team", "checkpoint_seconds": 0}
    with pytest.raises(KeyboardInterrupt):
        battle.train(team, ["self", opponent], **options)
    again = battle.train(team, ["self", opponent], **options)
    for key, values in whole.parameters.items():
        np.testing.assert_array_equal(values, again.parameters[key])
    with pytest.raises(ValueError, match="of one with opponent = "):
        battle.train(team, ["self", "random"], **options)


@pytest.mark.parametrize("kind", [battle.IndependentQTeam, battle.ActorCriticTeam])
def test_own_networks_learn_and_come_back(kind, tmp_path, monkeypatch):
    team = kind(network=TinyNetwork)
    assert team.settings()["network"] == "tiny"
    trained = battle.train(team, "self", **OPTIONS, out=tmp_path)
    again = battle.TrainedTeam.load(tmp_path)
    assert again.team == team
    monkeypatch.delitem(KINDS, "tiny")
    with pytest.raises(
        ValueError, match=r"its network is 'tiny'.* load\(path, networks=\[\.\.\.\]"
    ):
        battle.TrainedTeam.load(tmp_path)
    again = battle.TrainedTeam.load(tmp_path, networks=[TinyNetwork])
    one, other = (
        battle.play(each, battle.RandomTeam(), 4, arena=ARENA, seed=1) for each in (trained, again)
    )
    assert one.identical(other)


def test_what_is_no_network_is_refused():
    with pytest.raises(ValueError, match="network must be one of 'two-headed'"):
        battle.MeanFieldQTeam(network=torch.nn.Linear)

    class Nameless(TinyNetwork):
        pass

    with pytest.raises(TypeError, match="Nameless must have a name of its own"):
        battle.train(battle.MeanFieldQTeam(network=Nameless), "self", **OPTIONS)
    with pytest.raises(ValueError, match=r"'chapter' is that of isingrl\.battle\.ChapterNetwork"):
        type("Other", (BattleNetwork,), {"name": "chapter"})


def test_a_team_with_a_learner_and_a_player_of_its_own(tmp_path, monkeypatch):
    trained = battle.train(ApartTeam(), "self", **OPTIONS, out=tmp_path)
    assert type(trained.player()) is CountedPlayer
    monkeypatch.delitem(battle.team.KINDS, "apart")
    with pytest.raises(ValueError, match=r"its team is 'apart'.* load\(path, teams=\[\.\.\.\]"):
        battle.TrainedTeam.load(tmp_path)
    assert battle.TrainedTeam.load(tmp_path, teams=[ApartTeam]).team == ApartTeam()
    idle = type("IdleTeam", (battle.LearningTeam,), {"name": "idle"})
    with pytest.raises(TypeError, match="IdleTeam must be a subclass of ValueTeam or ActorCritic"):
        battle.train(idle(), "self", **OPTIONS)
    with pytest.raises(TypeError, match=r"a team must be trained, .* or have a method player"):
        battle.play(idle(), battle.RandomTeam(), 2, arena=ARENA)
