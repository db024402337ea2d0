"""Descriptions of teams: what they check, and that they survive JSON."""

import json

import numpy as np
import pytest

from isingrl.battle import (
    TEAMS,
    ActorCriticTeam,
    IndependentQTeam,
    MeanFieldActorCriticTeam,
    MeanFieldQTeam,
)
from isingrl.battle.games import ATTACKS, MOVES
from isingrl.battle.symmetries import ACTION_IMAGES, CELL_SOURCES


@pytest.mark.parametrize("name", TEAMS)
def test_settings_make_the_same_team(name):
    team = TEAMS[name]()
    assert TEAMS[name](**json.loads(json.dumps(team.settings()))) == team
    assert team.name == name


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (MeanFieldQTeam, {"network": "deep"}, "network must be one of 'two-headed', 'chapter'"),
        (MeanFieldQTeam, {"discount": 1.5}, r"discount must lie in \[0, 1\]; got 1.5"),
        (MeanFieldQTeam, {"learning_rate": 0}, r"learning_rate must lie in \(0, 1\]; got 0"),
        (MeanFieldQTeam, {"softmax_temperature": -1}, "softmax_temperature must lie in"),
        (
            MeanFieldQTeam,
            {"softmax_temperature": float("nan")},
            "softmax_temperature must be finite",
        ),
        (MeanFieldQTeam, {"radius": 0}, "radius must be an integer of at least 1; got 0"),
        (
            MeanFieldQTeam,
            {"inner_iterations": -1},
            "inner_iterations must be an integer of at least 0",
        ),
        (IndependentQTeam, {"memory": 0}, "memory must be an integer of at least 1; got 0"),
        (IndependentQTeam, {"batch_size": 0}, "batch_size must be an integer of at least 1; got 0"),
        (IndependentQTeam, {"replay_ratio": 0}, r"replay_ratio must lie in \(0, 1e\+06\]; got 0"),
        (IndependentQTeam, {"target_mixing": 2}, "target_mixing must lie in"),
        (IndependentQTeam, {"exploration": 2}, "exploration must lie in"),
        (ActorCriticTeam, {"trace": -0.1}, "trace must lie in"),
        (ActorCriticTeam, {"entropy": -1}, "entropy must lie in"),
        (MeanFieldActorCriticTeam, {"radius": 0}, "radius must be an integer of at least 1; got 0"),
    ],
)
def test_bad_settings_are_refused(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**arguments)


def test_flags_must_be_flags():
    with pytest.raises(TypeError, match="symmetric must be True or False; got 1"):
        MeanFieldQTeam(symmetric=1)


@pytest.mark.parametrize("symmetry", range(8))
def test_views_and_actions_turn_together(symmetry):
    for first, steps in ((0, MOVES), (13, ATTACKS)):
        for action, (dx, dy) in enumerate(steps, first):
            view = np.zeros(169, np.uint8)
            view[(6 + dy) * 13 + 6 + dx] = 1
            row, column = divmod(int(np.flatnonzero(view[CELL_SOURCES[symmetry]])[0]), 13)
            image = ACTION_IMAGES[symmetry, action]
            assert (column - 6, row - 6) == tuple(steps[image - first])


def test_the_symmetries_are_eight_different_ones():
    assert len({tuple(images) for images in ACTION_IMAGES.tolist()}) == 8
    for images, sources in zip(ACTION_IMAGES, CELL_SOURCES, strict=True):
        assert sorted(images) == list(range(21))
        assert sorted(sources) == list(range(169))
