"""The arena over magent2: places, actions, sides, deaths, and its traps."""

import os
import subprocess
import sys

import numpy as np
import pytest

from isingrl.battle import Arena, Games
from isingrl.battle.games import ATTACKS, MOVES
from isingrl.battle.players import PursuitPlayer, RandomPlayer
from tests.isingrl.battle import oracles

SMALL = Arena(map_size=12, team_size=4, max_steps=60)


def played(games, players, seed=0):
    """Play to the end; returns what was seen and what came of it, step by step."""
    generator = np.random.default_rng(seed)
    games.begin(generator)
    steps = []
    while games.running.any():
        seen = [games.observe(team) for team in (0, 1)]
        actions = [players[t].act(seen[t], seen[1 - t], generator).actions for t in (0, 1)]
        steps.append((seen, actions, games.step(tuple(actions))))
    return steps


@pytest.mark.parametrize(
    "arena",
    [
        Arena(),
        Arena(map_size=40, team_size=64, gap=3),
        Arena(map_size=12, team_size=30),
        Arena(map_size=12, team_size=(1, 40), gap=0),
        Arena(map_size=12, team_size=40, placing="scattered"),
        Arena(map_size=7, team_size=5),
    ],
    ids=repr,
)
def test_teams_begin_in_their_halves(arena):
    generator = np.random.default_rng(3)
    taken = set()
    for side, size in enumerate(arena.sizes):
        places = arena.positions(size, side, generator)
        assert places.shape == (size, 2)
        assert places.min() >= 1
        assert places.max() <= arena.map_size - 2
        column = places[:, 0]
        half = column < arena.map_size / 2 if side == 0 else column >= arena.map_size / 2
        assert half.all()
        taken |= {tuple(place) for place in places.tolist()}
    assert len(taken) == sum(arena.sizes)
    Games(arena, 2).begin(generator)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"map_size": 12, "team_size": 41}, "map_size = 12 with gap = 1 has room for teams of 40"),
        ({"team_size": 0}, "team_size must be an integer of at least 1; got 0"),
        ({"team_size": (3, 0)}, "team_size must be an integer of at least 1; got 0"),
        ({"team_size": (3, 4, 5)}, "team_size must be one number or two"),
        ({"map_size": 2}, "map_size must be an integer of at least 5; got 2"),
        ({"max_steps": 0}, "max_steps must be an integer of at least 1; got 0"),
        ({"placing": "circle"}, "placing must be one of 'ranks', 'scattered'; got 'circle'"),
        ({"gap": -1}, "gap must be an integer of at least 0; got -1"),
        ({"kill_reward": float("nan")}, "kill_reward must be finite; got nan"),
    ],
)
def test_bad_arenas_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Arena(**arguments)


@pytest.mark.parametrize("swapped", [False, True])
def test_moves_and_hits_go_where_they_say(swapped):
    arena = Arena(map_size=12, team_size=1, max_steps=100)
    for action, step in enumerate(MOVES):
        games = Games(arena, 1, [swapped])
        games.begin(np.random.default_rng(0))
        before = games.observe(0).positions[0]
        games.step(([action], [6]))
        after = games.observe(0).positions[0]
        assert (after - before).tolist() == step.tolist()
    for hit, step in enumerate(ATTACKS):
        games = Games(arena, 1, [swapped])
        games.begin(np.random.default_rng(0))
        # walk to the cell from which the foe lies at `step`
        for _ in range(30):
            here, foe = games.observe(0).positions[0], games.observe(1).positions[0]
            missing = foe - step - here
            if not missing.any():
                break
            # around the foe, by single steps whose way is free
            best = min(
                range(13),
                key=lambda a: (
                    abs(missing - MOVES[a]).sum() + 9 * (not (here + MOVES[a] - foe).any())
                ),
            )
            games.step(([best], [6]))
        assert not missing.any()
        outcome, hurt = games.step(([13 + hit], [6]))
        assert outcome.rewards[0] == pytest.approx(-0.005 - 0.1 + 0.2)
        assert hurt.rewards[0] == pytest.approx(-0.005)
        assert games.observe(1).health[0] == pytest.approx(0.81)
        view = games.observe(0).views[0].reshape(13, 13)
        assert view[6 + step[1], 6 + step[0]] == 181
        assert view[6, 6] == 100


def test_a_kill_pays_and_the_dead_are_gone():
    arena = Arena(map_size=8, team_size=(2, 1), max_steps=100, gap=0)
    steps = played(games := Games(arena, 2), (PursuitPlayer(), RandomPlayer()))
    assert games.survivors.tolist() == [[2, 0], [2, 0]]
    assert games.kills.tolist() == [[1, 0], [1, 0]]
    assert games.scores.tolist() == [1, 1]
    rewards = np.concatenate([outcome[0].rewards for _, _, outcome in steps])
    assert (rewards > 4.5).sum() == 2
    deaths = np.concatenate([outcome[1].dead for _, _, outcome in steps])
    assert deaths.sum() == 2
    paid = np.concatenate([outcome[1].rewards[outcome[1].dead] for _, _, outcome in steps])
    # dying costs 0.1, and who hits a foe in the same step still has its 0.2
    assert np.isclose(abs(paid), 0.1, atol=1e-6).all()


REWARDS = ("step_reward", "attack_reward", "hit_reward", "kill_reward", "death_reward")


def test_rewards_of_ones_own_add_up():
    """Each alone pays what happened, and together they are the default."""
    players, size = (
        (PursuitPlayer(), RandomPlayer()),
        {"map_size": 8, "team_size": (3, 3), "gap": 0},
    )

    def paid(**rewards):
        found = played(games := Games(Arena(**size, **rewards), 2), players)
        by_team = [[outcomes[team] for _, _, outcomes in found] for team in (0, 1)]
        return games, *(
            [np.concatenate([getattr(each, name) for each in team]) for team in by_team]
            for name in ("rewards", "dead")
        )

    _, rewards, dead = paid()
    weights = {name: getattr(Arena(), name) for name in REWARDS}
    none = dict.fromkeys(REWARDS, 0.0)
    alone = {}
    for name in REWARDS:
        games, alone[name], fallen = paid(**none | {name: 1.0})
        np.testing.assert_array_equal(fallen[0], dead[0])
    for team in (0, 1):
        total = sum(weights[name] * alone[name][team] for name in REWARDS)
        np.testing.assert_allclose(rewards[team], total, atol=1e-5)
        np.testing.assert_array_equal(alone["death_reward"][team], dead[team])
        assert alone["kill_reward"][team].sum() == games.kills[:, team].sum()
        assert set(alone["hit_reward"][team]) <= {0.0, 1.0}
        assert set(alone["attack_reward"][team]) <= {0.0, 1.0}
    assert alone["hit_reward"][0].sum() > 0
    assert alone["attack_reward"][1].sum() > alone["hit_reward"][1].sum()


def test_settings_leave_out_rewards_at_their_defaults():
    """So that trainings of earlier versions go on."""
    assert not set(Arena().settings()) & set(REWARDS)
    own = Arena(kill_reward=2)
    assert own.settings()["kill_reward"] == 2.0
    assert Arena(**own.settings()) == own
    assert Arena(kill_reward=5).settings() == Arena().settings()


def test_agents_keep_their_numbers():
    steps = played(Games(SMALL, 3), (PursuitPlayer(), PursuitPlayer()))
    living = [set(range(12)), set(range(12))]
    for seen, _, outcomes in steps:
        for team in (0, 1):
            agents = seen[team].agents
            assert set(agents) <= living[team]
            games_of = np.repeat(np.arange(3), np.diff(seen[team].starts))
            np.testing.assert_array_equal(agents // 4, games_of)
            living[team] -= set(agents[outcomes[team].dead].tolist())


def test_games_side_by_side_are_the_games_alone():
    generator = np.random.default_rng(5)
    together = Games(SMALL, 4)
    together.begin(np.random.default_rng(6))
    alone = [Games(SMALL, 1, [game % 2 == 1]) for game in range(4)]
    seeds = np.random.default_rng(6)
    for each in alone:
        each.begin(seeds)
    while together.running.any():
        chosen = []
        for team in (0, 1):
            chosen.append(generator.integers(0, 21, len(together.observe(team).agents)))
        seen = [together.observe(team) for team in (0, 1)]
        outcomes = together.step(tuple(chosen))
        for game, each in enumerate(alone):
            rows = [slice(*seen[t].starts[game : game + 2]) for t in (0, 1)]
            if not each.running.any():
                continue
            for t in (0, 1):
                np.testing.assert_array_equal(each.observe(t).views, seen[t].views[rows[t]])
            single = each.step(tuple(chosen[t][rows[t]] for t in (0, 1)))
            for t in (0, 1):
                np.testing.assert_array_equal(single[t].rewards, outcomes[t].rewards[rows[t]])


def test_views_are_what_the_engine_shows():
    """The same game in magent2's own battle, whose agents see as far."""
    import magent2

    arena = Arena(map_size=10, team_size=8, max_steps=80)
    games, generator = Games(arena, 1, [False]), np.random.default_rng(4)
    games.begin(generator)
    engine = magent2.GridWorld("battle", map_size=10)
    engine.set_seed(int(np.random.default_rng(4).integers(2**31)))
    engine.reset()
    handles = engine.get_handles()
    for side, handle in enumerate(handles):
        places = np.pad(arena.positions(8, side, generator), ((0, 0), (0, 1)))
        engine.add_agents(handle, method="custom", pos=places)
    players, deaths = (PursuitPlayer(), PursuitPlayer()), 0
    while games.running.any():
        seen = [games.observe(team) for team in (0, 1)]
        for observation, handle in zip(seen, handles, strict=True):
            shown = engine.get_observation(handle)[0][..., [0, 1, 2, 4, 5]]
            np.testing.assert_array_equal(observation.views, oracles.encoded(shown))
            np.testing.assert_array_equal(observation.positions, engine.get_pos(handle))
        actions = [players[t].act(seen[t], seen[1 - t], generator).actions for t in (0, 1)]
        outcomes = games.step(tuple(actions))
        for chosen, handle in zip(actions, handles, strict=True):
            engine.set_action(handle, chosen)
        engine.step()
        for outcome, handle in zip(outcomes, handles, strict=True):
            np.testing.assert_array_equal(outcome.rewards, engine.get_reward(handle))
            deaths += outcome.dead.sum()
        engine.clear_dead()
    assert deaths > 8


def test_swapping_sides_swaps_places():
    games = Games(SMALL, 2)
    games.begin(np.random.default_rng(0))
    first, second = (games.observe(team) for team in (0, 1))
    assert (first.positions[:4, 0] < 6).all()
    assert (first.positions[4:, 0] >= 6).all()
    np.testing.assert_array_equal(first.positions[4:], second.positions[:4])


def test_the_same_seed_gives_the_same_games_whatever_was_played_before():
    new, used = Games(SMALL, 4), Games(SMALL, 4)
    played(used, (PursuitPlayer(), PursuitPlayer()), seed=7)
    games = [played(each, (PursuitPlayer(), PursuitPlayer()), seed=8) for each in (new, used)]
    assert len(games[0]) == len(games[1])
    for one, other in zip(*games, strict=True):
        for team in (0, 1):
            np.testing.assert_array_equal(one[0][team].views, other[0][team].views)
            np.testing.assert_array_equal(one[2][team].rewards, other[2][team].rewards)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (([0] * 7, [6] * 8), r"shape \(8,\), one for each living agent; got \(7,\)"),
        (([21] * 8, [6] * 8), "integers from 0 to 20"),
        (([-1] * 8, [6] * 8), "integers from 0 to 20"),
        (([0.5] * 8, [6] * 8), "integers from 0 to 20"),
    ],
)
def test_invalid_actions_are_refused_before_the_step(actions, message):
    games = Games(SMALL, 2)
    games.begin(np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        games.step(actions)
    assert games.steps.tolist() == [0, 0]


def test_games_and_swapped_are_checked():
    with pytest.raises(ValueError, match="games must be an integer of at least 1; got 0"):
        Games(SMALL, 0)
    with pytest.raises(ValueError, match="swapped must have 2 entries; got 1"):
        Games(SMALL, 2, [True])


def test_importing_magent2_leaves_the_number_of_threads_alone():
    code = (
        "import os; from isingrl.battle import Arena, Games; Games(Arena(12, 2), 1);"
        "print(os.environ.get('OMP_NUM_THREADS'))"
    )
    for value in (None, "3"):
        environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
        environment |= {} if value is None else {"OMP_NUM_THREADS": value}
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip() == str(value)


def test_without_magent2_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "magent2", None)
    with pytest.raises(ImportError, match=r"isingrl\[battle\]"):
        Games(SMALL, 1)
