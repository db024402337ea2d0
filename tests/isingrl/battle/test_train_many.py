"""Trainings side by side: each ends as it does alone, stacked or not, after any kind of end."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from torch import nn

from isingrl.battle import (
    ActorCriticTeam,
    Arena,
    Evaluation,
    IndependentQTeam,
    MeanFieldQTeam,
    PursuitTeam,
    RandomTeam,
    TrainedTeam,
    train,
    train_many,
)
from isingrl.battle.networks import BattleNetwork, CellLayer
from isingrl.battle.policy_learner import PolicyLearner
from isingrl.battle.team_training import Training
from isingrl.battle.updates import NetworkStack
from isingrl.battle.value_learner import ValueLearner
from tests.isingrl.battle.test_training import same
from tests.killing import Share, kill_at_random

ARENA = Arena(map_size=8, team_size=3, max_steps=12, gap=0)
SETTINGS = {"arena": ARENA, "games": 12, "side_by_side": 4}
SMALL = {"memory": 500, "batch_size": 32, "replay_ratio": 1.0}
ALIKE = [
    MeanFieldQTeam(**SMALL),
    MeanFieldQTeam(**SMALL, mean_of="foes", radius=None),
    MeanFieldQTeam(**SMALL, learning_rate=1e-3, inner_iterations=0),
]


@pytest.fixture
def stacks(monkeypatch):
    """Number of learners in each stack that is made."""
    made = []

    def init(self, learners, _original=NetworkStack.__init__):
        made.append(len(learners))
        _original(self, learners)

    monkeypatch.setattr(NetworkStack, "__init__", init)
    return made


@pytest.mark.parametrize(
    ("teams", "opponent", "most"),
    [
        (ALIKE, ("self", "pursuit", "mixed"), 3),
        ([MeanFieldQTeam(**SMALL, network="chapter")] * 3, "self", 3),
        ([IndependentQTeam(**SMALL)] * 2 + ALIKE[:1], "pursuit", 2),
        ([IndependentQTeam(**SMALL), IndependentQTeam(**SMALL, discount=0.5)], "self", 1),
        ([MeanFieldQTeam(**SMALL, softmax_temperature=0.0)] * 2, "rival", 2),
        ([ActorCriticTeam(batch_size=128)] * 2, ("pool", "random"), 2),
    ],
    ids=["mean actions", "chapter", "two shapes", "discounts", "rivals", "actor-critic"],
)
def test_each_ends_as_it_does_alone(teams, opponent, most, stacks):
    seeds = range(5, 5 + len(teams))
    together = train_many(teams, opponent, seeds=seeds, stacked=True, **SETTINGS)
    assert max(stacks, default=1) == most
    for team, seed, trained in zip(teams, seeds, together, strict=True):
        same(trained, train(team, opponent, seed=seed, **SETTINGS))


@pytest.mark.parametrize("network", ["convolutional", "two-headed"])
def test_a_gradient_step_on_all_cells_is_nearly_the_same(network, monkeypatch):
    """Of convolutions, and of dense layers as on a GPU."""
    monkeypatch.setattr(CellLayer, "forward", CellLayer._of_all)
    team = MeanFieldQTeam(**SMALL, network=network)
    alone, together = ([ValueLearner(team, seed, "cpu") for seed in (1, 2)] for _ in range(2))
    stack = NetworkStack(together)
    generator = np.random.default_rng(1)
    for learner in alone:
        memory = learner.memory
        rows = memory.add(
            generator.integers(0, 202, (200, 169)).astype(np.uint8),
            generator.dirichlet(np.ones(21), 200).astype(np.float32),
            generator.integers(0, 21, 200).astype(np.int32),
        )
        memory.reward(rows, generator.normal(size=200).astype(np.float32))
        memory.link(rows[:150], rows[50:])
    batches = [learner.memory.draw(64, generator) for learner in alone]
    losses = [learner.update(batch) for learner, batch in zip(alone, batches, strict=True)]
    np.testing.assert_allclose(stack.update(batches), losses, rtol=1e-5)
    for one, other in zip(alone, together, strict=True):
        for name, values in one.network.named_parameters():
            gradient = dict(other.network.named_parameters())[name].grad
            scale = values.grad.abs().max()
            assert (gradient - values.grad).abs().max() <= 1e-4 * scale, name


PLAN = Evaluation((PursuitTeam(), RandomTeam()), every=6, games=2)


def _train_many_in(folder):
    return train_many(
        ALIKE, ("self", "pursuit", "mixed"), seeds=[1, 2, 3], evaluation=PLAN, stacked=True,
        out=folder, checkpoint_seconds=0, **SETTINGS | {"games": 24},
    )  # fmt: skip


def test_cut_short_they_go_on_each_from_its_own_checkpoint(tmp_path, monkeypatch):
    whole = _train_many_in(None)
    cut = []

    def play_round(self, _original=Training.play_round):
        if self.played >= 16 and not cut:
            cut.append(True)
            raise KeyboardInterrupt
        return _original(self)

    monkeypatch.setattr(Training, "play_round", play_round)
    with pytest.raises(KeyboardInterrupt):
        _train_many_in(tmp_path)
    for _ in range(2):  # the second time finished trainings are read
        for one, other in zip(_train_many_in(tmp_path), whole, strict=True):
            same(one, other)
    same(TrainedTeam.load(tmp_path / "training-2"), whole[1])


@pytest.mark.soak
def test_killed_at_any_moment_they_end_alike(tmp_path):
    """Kill -9 at twenty random moments, over as many sets of trainings as that takes."""
    whole = _train_many_in(None)

    def check(folder):
        for number, trained in enumerate(whole, start=1):
            same(TrainedTeam.load(folder / f"training-{number}"), trained)
        assert not list(folder.rglob(".*"))

    modules = ["torch._dynamo", "magent2", "isingrl.battle.updates", "pytest"]
    last = kill_at_random(_train_many_in, tmp_path, 20, 3, modules, Share(0.2), check)
    _train_many_in(last)
    check(last)


class OwnUpdates(PolicyLearner):
    """A learner that learns nothing, in its own way."""

    def update(self, batch):
        """Return a loss."""
        return 7.0


@dataclass(frozen=True, repr=False)
class OwnUpdatesTeam(ActorCriticTeam):
    """A team of such a learner."""

    name: ClassVar[str] = "own-updates"
    learner_class: ClassVar = OwnUpdates


class NormalizedNetwork(BattleNetwork):
    """A network with statistics that are no parameters."""

    name = "normalized"

    def __init__(self, mean_action, outputs):
        super().__init__()
        self.normalize, self.output = nn.BatchNorm1d(169), nn.Linear(169, outputs)

    def look(self, views):
        """See `BattleNetwork.look`."""
        return self.normalize(self.decode(views).sum(dim=2))

    def forward(self, seen, mean):
        """See `BattleNetwork.forward`."""
        return self.output(seen)


@pytest.mark.parametrize(
    "team", [OwnUpdatesTeam(), IndependentQTeam(**SMALL, network=NormalizedNetwork)]
)
def test_what_cannot_be_stacked_learns_one_by_one(team, stacks):
    one, other = train_many(team, "random", seeds=[1, 2], stacked=True, **SETTINGS)
    assert not stacks
    same(one, train(team, "random", seed=1, **SETTINGS))
    assert np.isfinite(other.history["loss"][-1])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seeds": []}, ValueError, r"seeds must be one or more integers; got \[\]"),
        ({"seeds": 3}, ValueError, "seeds must be one or more integers; got 3"),
        ({"seeds": [1, -1]}, ValueError, "seeds must be an integer of at least 0; got -1"),
        ({"teams": ALIKE}, ValueError, "teams must be one or as many as seeds, 2; got 3 teams"),
        ({"teams": [ALIKE[0], PursuitTeam()]}, TypeError, "team must be a team that learns"),
        ({"stacked": "yes"}, TypeError, "stacked must be True or False; got 'yes'"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    given = {"teams": ALIKE[0], "seeds": [1, 2]} | SETTINGS | arguments
    with pytest.raises(error, match=message):
        train_many(given.pop("teams"), **given)
