"""Teams, names and folders that cannot be played with."""

import dataclasses
import shutil

import numpy as np
import pytest

from isingrl.battle import (
    Arena,
    IndependentQTeam,
    MeanFieldQTeam,
    PursuitTeam,
    TrainedTeam,
    play,
    tournament,
    train,
)
from isingrl.battle.team import KINDS

pytest.importorskip("magent2")
pytest.importorskip("torch")
ARENA = Arena(map_size=8, team_size=2, max_steps=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("team")
    train(MeanFieldQTeam(), "self", arena=ARENA, games=4, side_by_side=2, seed=1, out=out)
    return out


@pytest.fixture(scope="module")
def trained():
    return train(IndependentQTeam(), "self", arena=ARENA, games=2, side_by_side=2, seed=1)


def test_parameters_must_be_finite_and_those_of_the_network(trained):
    name = next(iter(trained.parameters))
    good = dict(trained.parameters)
    spoiled = good[name].copy()
    spoiled.flat[0] = np.nan
    missing = {key: values for key, values in good.items() if key != name}
    for parameters, said in (
        (good | {name: spoiled}, f"{name} must hold finite numbers"),
        (missing, f"parameters must hold {name}"),
        (good | {name: good[name][..., :1]}, f"{name} must have the shape"),
        (good | {"another": spoiled}, "got another too"),
    ):
        team = dataclasses.replace(trained, parameters=parameters)
        with pytest.raises(ValueError, match=said):
            play(team, PursuitTeam(), games=2, arena=ARENA, seed=1)


@pytest.mark.parametrize(
    ("teams", "said"),
    [
        ([PursuitTeam(), PursuitTeam()], "teams must be a mapping"),
        ({1: PursuitTeam(), 2: PursuitTeam()}, "names that are text; got 1"),
        ({"": PursuitTeam(), "b": PursuitTeam()}, "names that are text; got ''"),
    ],
    ids=["list", "numbers", "empty"],
)
def test_teams_of_a_tournament_have_names(teams, said):
    with pytest.raises(TypeError, match=said):
        tournament(teams, games=2, arena=ARENA)


def again(out):
    return train(MeanFieldQTeam(), "self", arena=ARENA, games=4, side_by_side=2, seed=1, out=out)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="out must be a folder"):
        again(tmp_path / "file")
    with pytest.raises(ValueError, match="out must name a folder"):
        again("")
    with pytest.raises(TypeError, match="out must be a path; got 3"):
        again(3)


def test_a_checkpoint_whose_settings_are_gone_serves(folder, tmp_path):
    out = tmp_path / "team"
    shutil.copytree(folder, out)
    (out / "checkpoint.json").unlink()
    before = (out / "team.safetensors").stat().st_mtime_ns
    again(out)
    assert (out / "team.safetensors").stat().st_mtime_ns == before


def test_a_trained_team_is_not_replaced(folder, tmp_path):
    out = tmp_path / "team"
    shutil.copytree(folder, out)
    (out / "checkpoint.json").unlink()
    (out / "checkpoint.safetensors").unlink()
    with pytest.raises(ValueError, match="whose checkpoint is gone"):
        again(out)


def test_words_about_options_a_team_has_not(trained):
    from isingrl.battle import ActorCriticTeam

    other = train(ActorCriticTeam(), "self", arena=ARENA, games=2, side_by_side=2, seed=1)
    with pytest.raises(ValueError, match="actor-critic has no option softmax_temperature"):
        other.at_temperature(0.1)


def test_progress_is_told_in_plain_lines_where_there_is_no_terminal(capsys):
    train(MeanFieldQTeam(), "self", arena=ARENA, games=4, side_by_side=2, seed=1, progress=True)
    said = capsys.readouterr().err
    assert "\r" not in said
    assert said.splitlines()[-1].startswith("4 of 4 games: against self")


class HastyQ(MeanFieldQTeam):
    """A team of a user's own."""

    name = "hasty-q"


def test_a_team_of_ones_own_comes_back(tmp_path, monkeypatch):
    first = train(HastyQ(), "self", arena=ARENA, games=2, side_by_side=2, seed=1, out=tmp_path)
    again = TrainedTeam.load(tmp_path)
    assert type(again.team) is HastyQ
    assert again.team == first.team
    monkeypatch.delitem(KINDS, "hasty-q")
    with pytest.raises(ValueError, match=r"its team is 'hasty-q', .* defined or imported before"):
        TrainedTeam.load(tmp_path)


def test_a_team_of_ones_own_needs_a_name():
    class NamelessQ(MeanFieldQTeam):
        pass

    with pytest.raises(TypeError, match="NamelessQ must have a name of its own"):
        NamelessQ()
    with pytest.raises(ValueError, match=r"'random' is that of isingrl\.battle\.RandomTeam"):
        type("OtherQ", (MeanFieldQTeam,), {"name": "random"})
