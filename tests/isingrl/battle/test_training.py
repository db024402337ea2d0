"""Trainings: they learn, repeat, resume after any kind of end, and refuse what they cannot do."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from isingrl.battle import (
    ActorCriticTeam,
    Arena,
    Evaluation,
    IndependentQTeam,
    MeanFieldActorCriticTeam,
    MeanFieldQTeam,
    PursuitTeam,
    RandomTeam,
    TrainedTeam,
    play,
    train,
)
from isingrl.battle import team_training as training_module
from isingrl.support import archives
from tests.killing import Share, kill_at_random

ARENA = Arena(map_size=12, team_size=4, max_steps=40)
QUICK = MeanFieldQTeam(memory=4000, batch_size=64, replay_ratio=2.0)
SETTINGS = {"arena": ARENA, "side_by_side": 4, "seed": 5}


def same(one, other):
    """Whether two trained teams are equal to the last bit."""
    assert one.team == other.team
    assert one.parameters.keys() == other.parameters.keys()
    for name, values in one.parameters.items():
        np.testing.assert_array_equal(values, other.parameters[name])
    assert one.history.identical(other.history)
    assert (one.rival is None) == (other.rival is None)
    if one.rival is not None:
        same(one.rival, other.rival)


def cut_once(monkeypatch, played):
    """Interrupt the next training after so many games, and none later."""
    cut = []

    def play_round(self, _original=training_module.Training.play_round):
        if self.played >= played and not cut:
            cut.append(True)
            raise KeyboardInterrupt
        return _original(self)

    monkeypatch.setattr(training_module.Training, "play_round", play_round)


@pytest.fixture(scope="module")
def short():
    """A short training against several opponents."""
    return train(QUICK, ("self", "pursuit"), games=40, **SETTINGS)


def test_the_same_seed_gives_the_same_team(short):
    same(short, train(QUICK, ("self", "pursuit"), games=40, **SETTINGS))


def test_another_seed_gives_another_team(short):
    other = train(QUICK, ("self", "pursuit"), games=40, **SETTINGS | {"seed": 6})
    assert not np.array_equal(other.parameters["view.weight"], short.parameters["view.weight"])


@pytest.mark.parametrize(
    "kind", [MeanFieldQTeam, pytest.param(IndependentQTeam, marks=pytest.mark.soak)]
)
def test_agents_learn_to_fight(kind):
    """Rewards rise, and games against random moves are won."""
    team = kind(memory=20_000, batch_size=128, replay_ratio=8.0, exploration=0.2)
    trained = train(team, ("self", "pursuit"), games=120, **SETTINGS)
    rewards = trained.history["reward"].where(trained.history["opponent"] == "pursuit")
    assert rewards[-8:].mean() > 0.1 > 0 > rewards[:4].mean()
    won = play(trained, RandomTeam(), 40, arena=ARENA, seed=1)["score"].values > 0
    assert won.mean() >= 0.9


@pytest.mark.soak
def test_the_loss_falls_on_what_does_not_change():
    team = IndependentQTeam(
        memory=20_000, batch_size=128, replay_ratio=8.0, exploration=0.0, softmax_temperature=1e3
    )
    trained = train(team, "random", games=80, **SETTINGS)
    loss = trained.history["loss"].values
    assert np.nanmean(loss[-4:]) < 0.7 * np.nanmean(loss[:3])


def test_rivals_learn_apart():
    trained = train(QUICK, "rival", games=20, **SETTINGS)
    assert trained.rival is not None
    untrained = train(QUICK, "rival", games=1, **SETTINGS | {"side_by_side": 1})
    for name, values in trained.parameters.items():
        assert not np.array_equal(values, trained.rival.parameters[name])
        assert not np.array_equal(values, untrained.parameters[name])
        assert not np.array_equal(trained.rival.parameters[name], untrained.rival.parameters[name])


@pytest.mark.parametrize(
    "kind", [MeanFieldActorCriticTeam, pytest.param(ActorCriticTeam, marks=pytest.mark.soak)]
)
def test_actor_critics_change_and_repeat(kind):
    team = kind(batch_size=128)
    runs = [train(team, ("self", "pool", "mixed"), games=24, **SETTINGS) for _ in range(2)]
    same(*runs)
    assert np.isfinite(runs[0].history["loss"]).all()


def test_the_last_round_may_be_smaller():
    trained = train(QUICK, "pursuit", games=10, **SETTINGS)
    assert trained.history["games"].values.tolist() == [4, 8, 10]


@pytest.mark.parametrize(
    ("team", "opponent"),
    [
        (QUICK, ("self", "rival", "pool", "mixed", "pursuit")),
        pytest.param(
            ActorCriticTeam(batch_size=64), ("rival", "mixed", "random"), marks=pytest.mark.soak
        ),
    ],
)
def test_a_training_cut_between_rounds_goes_on(tmp_path, monkeypatch, team, opponent):
    whole = train(team, opponent, games=40, **SETTINGS)

    cut_once(monkeypatch, 20)
    options = {"games": 40, "out": tmp_path / "team", "checkpoint_seconds": 0, **SETTINGS}
    with pytest.raises(KeyboardInterrupt):
        train(team, opponent, **options)
    same(train(team, opponent, **options), whole)
    same(TrainedTeam.load(tmp_path / "team"), whole)
    same(train(team, opponent, **options), whole)  # finished: read, not played again


PLAN = Evaluation((PursuitTeam(), RandomTeam()), every=6, games=3)


def test_an_evaluation_changes_nothing_and_is_kept(short, tmp_path, monkeypatch):
    watched = train(QUICK, ("self", "pursuit"), games=40, evaluation=PLAN, **SETTINGS)
    for name, values in short.parameters.items():
        np.testing.assert_array_equal(values, watched.parameters[name])
    found = watched.history
    assert found["evaluation_games"].values.tolist() == [0, 8, 12, 20, 24, 32, 36, 40]
    assert found["evaluation_opponent"].values.tolist() == ["pursuit", "random"]
    assert found["evaluation_win"].dims == ("evaluation", "evaluation_opponent")
    share = 3 * found["evaluation_win"].values
    np.testing.assert_array_equal(share, share.round())
    assert (found["evaluation_win"] + found["evaluation_defeat"] <= 1).all()
    # the last one is played by the trained team
    player, seed = watched.player(), np.random.SeedSequence(5, spawn_key=(3, 40, 0))
    games = play(
        player, PursuitTeam(), 3, arena=ARENA, seed=int(seed.generate_state(1, np.uint64)[0])
    )
    assert found["evaluation_score"][-1, 0] == games["score"].mean()
    watched.save(tmp_path / "saved")
    same(TrainedTeam.load(tmp_path / "saved"), watched)

    cut_once(monkeypatch, 20)
    options = {"games": 40, "out": tmp_path / "team", "checkpoint_seconds": 0, **SETTINGS}
    with pytest.raises(KeyboardInterrupt):
        train(QUICK, ("self", "pursuit"), evaluation=PLAN, **options)
    with pytest.raises(ValueError, match="one with evaluation"):
        train(QUICK, ("self", "pursuit"), **options)
    same(train(QUICK, ("self", "pursuit"), evaluation=PLAN, **options), watched)


def test_event_files_hold_the_history(tmp_path, monkeypatch):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

    cut_once(monkeypatch, 8)
    options = {"games": 16, "out": tmp_path / "team", "tensorboard": tmp_path / "events"}
    options |= {"evaluation": PLAN, **SETTINGS}
    with pytest.raises(KeyboardInterrupt):
        train(QUICK, ("self", "pursuit"), **options)  # whose only checkpoint is the first one
    history = train(QUICK, ("self", "pursuit"), **options).history
    events = accumulator.EventAccumulator(str(tmp_path / "events"))
    events.Reload()

    def written(tag):
        found = events.Scalars(tag)
        return [each.step for each in found], [each.value for each in found]

    steps, rewards = written("reward/pursuit")
    assert steps == [8, 16]
    np.testing.assert_allclose(rewards, history["reward"].values[1::2], rtol=1e-6)
    steps, won = written("evaluation_win/random")
    assert steps == history["evaluation_games"].values.tolist() == [0, 8, 12, 16]
    np.testing.assert_allclose(won, history["evaluation_win"].sel(evaluation_opponent="random"))


def test_event_files_need_tensorboard(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r"isingrl\[tensorboard\]"):
        train(QUICK, games=4, tensorboard=tmp_path / "events", **SETTINGS)


@pytest.mark.parametrize(
    ("plan", "error", "message"),
    [
        (lambda: Evaluation([]), ValueError, "opponents must be one or more; got none"),
        (lambda: Evaluation(PursuitTeam(), every=0), ValueError, "every must be an integer of"),
        (lambda: Evaluation([PursuitTeam()] * 2), ValueError, "must have different opponents"),
        (lambda: Evaluation([QUICK]), ValueError, "opponent must be trained"),
        (lambda: Evaluation(["self"]), TypeError, "a team must be trained, random or pursuit"),
        (lambda: PursuitTeam(), TypeError, "evaluation must be an Evaluation; got Pursuit"),
    ],
)
def test_bad_evaluations_are_refused(plan, error, message):
    with pytest.raises(error, match=message):
        train(QUICK, games=4, evaluation=plan(), **SETTINGS)


def test_a_training_cut_before_its_team_is_saved_goes_on(tmp_path, monkeypatch):
    options = {"games": 8, "checkpoint_seconds": 0, **SETTINGS}
    whole = train(QUICK, "self", **options)

    def cut(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training_module.Training, "write_result", cut)
        with pytest.raises(KeyboardInterrupt):
            train(QUICK, "self", out=tmp_path, **options)
    same(train(QUICK, "self", out=tmp_path, **options), whole)


def _train_in(folder):
    arena = Arena(map_size=8, team_size=4, max_steps=15, gap=0)
    options = SETTINGS | {"arena": arena, "out": folder, "checkpoint_seconds": 0}
    return train(QUICK, ("self", "pursuit"), games=24, **options)


@pytest.mark.soak
def test_killed_at_any_moment_it_ends_alike(tmp_path):
    """Kill -9 at two random moments, over as many trainings as that takes."""
    whole = _train_in(None)

    def check(folder):
        same(TrainedTeam.load(folder), whole)
        assert not list(folder.rglob(".*"))

    # what optimizers import takes seconds
    modules = ["torch._dynamo", "magent2", "isingrl.battle.value_learner", "pytest"]
    last = kill_at_random(_train_in, tmp_path, 2, 3, modules, Share(0.2), check)
    _train_in(last)
    check(last)


def test_without_a_seed_a_training_goes_on_with_its_own(tmp_path):
    options = {"out": tmp_path, "checkpoint_seconds": 0, **SETTINGS, "seed": None}
    first = train(QUICK, "self", games=4, **options)
    same(train(QUICK, "self", games=4, **options), first)
    with pytest.raises(ValueError, match="of one with seed = "):
        train(QUICK, "self", games=4, **options | {"seed": 6})


def test_a_trained_opponent_is_told_from_another(tmp_path, short):
    options = {"out": tmp_path, **SETTINGS}
    trained = train(QUICK, [short, "self"], games=8, **options)
    name = trained.history["opponent"].values[0]
    assert name.startswith("mean-field-q ")
    assert TrainedTeam.load(tmp_path).history.identical(trained.history)
    other = train(QUICK, "self", games=4, **SETTINGS)
    with pytest.raises(ValueError, match="of one with opponent = "):
        train(QUICK, [other, "self"], games=8, **options)


def test_several_rivals_are_different_ones():
    run = training_module.Training(QUICK, ("rival", "rival"), ARENA, 4, 4, 5, "cpu")
    one, other = (each.learner.network.view.weight for each in run._opponents)
    assert not torch.equal(one, other)


def test_another_training_is_not_overwritten(tmp_path):
    options = {"out": tmp_path, **SETTINGS}
    first = train(QUICK, "self", games=4, **options)
    with pytest.raises(ValueError, match=r"out must be .* of one with games = 4, not 8"):
        train(QUICK, "self", games=8, **options)
    with pytest.raises(ValueError, match=r"of one with opponent = \['self'\], not \['pursuit'\]"):
        train(QUICK, "pursuit", games=4, **options)
    with pytest.raises(ValueError, match="of one with seed = 5, not 6"):
        train(QUICK, "self", games=4, **options | {"seed": 6})
    with pytest.raises(ValueError, match=r"of one with team\.discount = 0\.8, not 0\.5"):
        train(replace(QUICK, discount=0.5), "self", games=4, **options)
    with pytest.raises(ValueError, match=r"of one with arena\.max_steps = 40, not 30"):
        train(QUICK, "self", games=4, **options | {"arena": Arena(12, 4, 30)})
    same(TrainedTeam.load(tmp_path), first)


def test_a_full_disk_loses_no_checkpoint(tmp_path, monkeypatch):
    whole = train(QUICK, "self", games=12, **SETTINGS)
    options = {"games": 12, "out": tmp_path, "checkpoint_seconds": 0, **SETTINGS}
    written = []

    def full(arrays, path, metadata, _original=archives.save_file):
        if len(written) == 2:
            path.write_bytes(b"half")
            raise OSError("No space left on device")
        written.append(path)
        _original(arrays, path, metadata)

    with monkeypatch.context() as patch:
        patch.setattr(archives, "save_file", full)
        with pytest.raises(OSError, match="No space"):
            train(QUICK, "self", **options)
    assert {file.name for file in tmp_path.iterdir()} == {
        "checkpoint.json", "checkpoint.safetensors"
    }  # fmt: skip
    same(train(QUICK, "self", **options), whole)


def test_damaged_checkpoints_and_teams_are_refused(tmp_path, short):
    short.save(tmp_path / "team")
    file = tmp_path / "team" / "team.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="path must be a trained team folder"):
        TrainedTeam.load(tmp_path / "team")
    file.write_bytes(whole)
    same(TrainedTeam.load(tmp_path / "team"), short)
    with pytest.raises(FileNotFoundError, match=r"has no team\.json"):
        TrainedTeam.load(tmp_path)
    # parameters of a network with other sizes
    other = {name: values[..., :-1] for name, values in short.parameters.items()}
    TrainedTeam(short.team, other).save(tmp_path / "other")
    with pytest.raises(ValueError, match="path must be a trained team folder"):
        TrainedTeam.load(tmp_path / "other")
    train(QUICK, "self", games=4, out=tmp_path / "cut", **SETTINGS)
    file = tmp_path / "cut" / "checkpoint.safetensors"
    for spoil in (lambda: file.write_bytes(b"short"), file.unlink):
        spoil()
        with pytest.raises(archives.DamagedFileError, match="out must be a checkpoint folder"):
            train(QUICK, "self", games=4, out=tmp_path / "cut", **SETTINGS)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"team": PursuitTeam()}, TypeError, "team must be a team that learns"),
        ({"team": "mean-field-q"}, TypeError, "team must be a team that learns"),
        ({"opponent": "nobody"}, ValueError, "opponent must be one of 'self', 'rival'"),
        ({"opponent": ()}, ValueError, "opponent must name at least one; got none"),
        ({"opponent": MeanFieldQTeam()}, ValueError, "opponent must be trained or one of self"),
        ({"arena": 30}, TypeError, "arena must be an Arena; got 30"),
        ({"games": 0}, ValueError, "games must be an integer of at least 1; got 0"),
        ({"side_by_side": 0}, ValueError, "side_by_side must be an integer of at least 1; got 0"),
        ({"seed": -1}, ValueError, "seed must be an integer of at least 0; got -1"),
        ({"device": "tpu"}, ValueError, "device must be 'cpu' or 'cuda'; got 'tpu'"),
        ({"checkpoint_seconds": -1}, ValueError, "checkpoint_seconds must lie in"),
        ({"team": MeanFieldQTeam(memory=30)}, ValueError, "memory must hold two steps of all 32"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    given = {"team": QUICK, "opponent": "self", "games": 4} | SETTINGS | arguments
    with pytest.raises(error, match=message):
        train(given.pop("team"), given.pop("opponent"), **given)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_cuda_is_refused():
    with pytest.raises(ValueError, match="device must be 'cpu', as torch finds no GPU here"):
        train(QUICK, "self", games=4, device="cuda", **SETTINGS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_networks_learn_on_a_gpu(tmp_path):
    trained = train(QUICK, ("self", "pool"), games=8, device="cuda", out=tmp_path, **SETTINGS)
    play(TrainedTeam.load(tmp_path), PursuitTeam(), 4, arena=ARENA, device="cuda")
    assert np.isfinite(trained.history["loss"][-1])
