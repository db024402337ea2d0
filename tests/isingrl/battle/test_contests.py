"""Games, tournaments and recordings."""

import numpy as np
import pytest

from isingrl.battle import (
    Arena,
    MeanFieldQTeam,
    PursuitTeam,
    RandomTeam,
    play,
    record,
    tournament,
    train,
)
from isingrl.battle.games import ATTACKS, MOVES

ARENA = Arena(map_size=12, team_size=4, max_steps=60)


def test_pursuit_beats_random_from_both_sides():
    data = play(PursuitTeam(), RandomTeam(), 30, arena=ARENA, seed=1)
    assert data.sizes == {"game": 30, "side": 2}
    assert (data["score"] > 0).all()
    assert data["swapped"].values.sum() == 15
    assert (data["survivors"].sel(side="second") == 0).all()
    back = play(RandomTeam(), PursuitTeam(), 30, arena=ARENA, seed=1)
    assert (back["score"] < 0).all()


def test_neither_side_is_favoured():
    data = play(PursuitTeam(), PursuitTeam(), 400, arena=ARENA, seed=2)
    sign = np.sign(data["score"].values)
    left = np.where(data["swapped"], -sign, sign)
    for balance in (sign, left):
        assert abs(balance.sum()) < 4.5 * np.sqrt((balance != 0).sum())


def test_play_repeats_with_its_seed():
    one, other, third = (
        play(PursuitTeam(), PursuitTeam(), 6, arena=ARENA, seed=seed) for seed in (3, 3, 4)
    )
    assert one.identical(other)
    assert not one.identical(third)


def test_unequal_teams_are_scored_by_shares():
    data = play(PursuitTeam(), RandomTeam(), 3, arena=Arena(12, (2, 5), 100), seed=1)
    kills = data["kills"].values
    np.testing.assert_allclose(data["score"], kills[:, 0] / 5 - kills[:, 1] / 2)
    np.testing.assert_array_equal(kills[:, 0], 5 - data["survivors"].sel(side="second"))


def test_a_tournament_is_antisymmetric():
    teams = {"a": PursuitTeam(), "b": PursuitTeam(), "c": RandomTeam()}
    data = tournament(teams, 8, arena=ARENA, seed=1)
    np.testing.assert_array_equal(data["wins"], data["losses"].values.T)
    np.testing.assert_array_equal(data["draws"], data["draws"].values.T)
    assert (data["games"].values == 8 * (1 - np.eye(3))).all()
    assert np.isnan(np.diag(data["kills"])).all()
    assert data["wins"].sel(team="a", opponent="c") == 8


@pytest.mark.parametrize("team_size", [4, (4, 2)])
def test_a_recording_is_the_game(team_size):
    arena = Arena(map_size=12, team_size=team_size, max_steps=60)
    data = record(PursuitTeam(), PursuitTeam(), arena=arena, seed=1)
    again = record(PursuitTeam(), PursuitTeam(), arena=arena, seed=1)
    assert data.identical(again)
    alive = data["health"].values > 0
    x, y, action = (data[name].values for name in ("x", "y", "action"))
    assert (action[:-1][alive[:-1]] >= 0).all()
    assert (action[~alive] == -1).all()
    assert (action[-1] == -1).all()
    lost = np.array(arena.sizes) - alive.sum(axis=2)
    np.testing.assert_array_equal(data["kills"], lost[:, ::-1])
    moved = alive[1:] & (action[:-1] < 13)
    steps = np.stack([np.diff(x, axis=0), np.diff(y, axis=0)], axis=-1)[moved]
    meant = MOVES[action[:-1][moved]]
    assert ((steps == meant).all(axis=1) | (steps == 0).all(axis=1)).all()
    hitting = alive[1:] & (action[:-1] >= 13)
    still = np.stack([np.diff(x, axis=0), np.diff(y, axis=0)], axis=-1)[hitting]
    assert (still == 0).all()
    assert len(ATTACKS) == 8


def test_bad_contests_are_refused():
    with pytest.raises(TypeError, match="a team must be trained, random or pursuit to play"):
        play(MeanFieldQTeam(), PursuitTeam(), 2, arena=ARENA)
    with pytest.raises(ValueError, match="games must be an integer of at least 1; got 0"):
        play(RandomTeam(), PursuitTeam(), 0, arena=ARENA)
    with pytest.raises(TypeError, match="arena must be an Arena"):
        play(RandomTeam(), PursuitTeam(), 2, arena=12)
    with pytest.raises(ValueError, match=r"teams must be two or more .*got \['a'\]"):
        tournament({"a": RandomTeam()}, 2, arena=ARENA)
    with pytest.raises(ValueError, match="team_size must be the same for both sides"):
        tournament({"a": RandomTeam(), "b": RandomTeam()}, 2, arena=Arena(12, (2, 3)))


def test_a_trained_team_plays_by_its_temperature():
    team = MeanFieldQTeam(memory=2000, batch_size=64)
    trained = train(team, "pursuit", arena=ARENA, games=4, side_by_side=2, seed=1)
    hot = trained.at_temperature(1e6)
    assert hot.team.softmax_temperature == 1e6
    actions = record(hot, RandomTeam(), arena=ARENA, seed=1)["action"].isel(side=0).values
    assert len(np.unique(actions[actions >= 0])) == 21
    greedy = trained.at_temperature(0.0)
    one, other = (record(greedy, PursuitTeam(), arena=ARENA, seed=1) for _ in range(2))
    assert one.identical(other)
    with pytest.raises(ValueError, match="softmax_temperature must lie in"):
        trained.at_temperature(-1.0)
