"""Battle kernels against slow oracles."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import chi2

from isingrl.battle import games
from isingrl.battle.games import ATTACKS, MOVES
from isingrl.battle.kernels import agents as kernels
from tests.isingrl.battle import oracles

seeds = st.integers(0, 2**32 - 1)


def crowd(generator, sizes, side=8):
    """Distinct cells for games of the given sizes, and where games start."""
    starts = np.concatenate([[0], np.cumsum(sizes)])
    cells = [generator.choice(side * side, size, replace=False) for size in sizes]
    flat = np.concatenate([np.empty(0, np.int64), *cells])
    return np.stack([flat % side, flat // side], axis=1).astype(np.int32), starts


@given(seeds, st.sampled_from([5, 8, 14]))
def test_views_equal_those_of_a_loop(seed, side):
    generator = np.random.default_rng(seed)
    living = generator.integers(0, 6, (2, 2))
    places, starts = np.zeros((2, 2, 5, 2), np.int32), []
    health = np.zeros((2, 2, 5), np.float32)
    for game in (0, 1):
        cells, _ = crowd(generator, [10], side - 2) if side > 5 else (np.zeros((10, 2)), None)
        if side == 5:
            cells = np.argwhere(np.ones((3, 3)))[generator.permutation(9)]
            living[:, game] = np.minimum(living[:, game], 4)
        for team in (0, 1):
            n = living[team, game]
            places[team, game, :n] = 1 + cells[5 * team : 5 * team + n][:n]
            if side == 5:
                places[team, game, :n] = 1 + cells[4 * team : 4 * team + n]
            health[team, game, :n] = generator.integers(1, 101, n) / 100
    for team in (0, 1):
        starts = np.concatenate([[0], np.cumsum(living[team])])
        views = np.empty((starts[-1], 169), np.uint8)
        kernels.draw_views(team, places, health, starts, side, games._CIRCLE, views)
        np.testing.assert_array_equal(views, oracles.views(team, places, health, side))


def test_an_agent_with_hardly_any_health_is_still_seen():
    places = np.array([[[[3, 3]]], [[[4, 3]]]], np.int32)
    health = np.full((2, 1, 1), 1e-6, np.float32)
    views = np.empty((1, 169), np.uint8)
    kernels.draw_views(0, places, health, np.array([0, 1]), 9, games._CIRCLE, views)
    assert views[0, 6 * 13 + 6 : 6 * 13 + 8].tolist() == [1, 101]


@given(seeds, st.lists(st.integers(0, 9), min_size=1, max_size=4), st.sampled_from([None, 1, 3, 6]))
def test_mean_actions_equal_those_of_a_loop(seed, sizes, radius):
    generator = np.random.default_rng(seed)
    positions, starts = crowd(generator, sizes)
    actions = generator.integers(-1, 21, len(positions)).astype(np.int32)
    first, mates = kernels.neighbors_within(
        positions, starts, positions, starts, -1 if radius is None else radius, True
    )
    means = np.empty((len(positions), 21), np.float32)
    kernels.mean_actions(actions, first, mates, means)
    expected = oracles.mean_actions(positions, starts, actions, radius)
    np.testing.assert_allclose(means, expected, atol=1e-6)


@given(seeds, st.lists(st.integers(0, 6), min_size=1, max_size=3))
def test_pursuit_takes_an_action_that_the_script_allows(seed, sizes):
    generator = np.random.default_rng(seed)
    both, starts = crowd(generator, [2 * size + 1 for size in sizes])
    own, foes = [], []
    for first, last in pairwise(starts):
        cut = first + (last - first + 1) // 2
        own.append(both[first:cut])
        foes.append(both[cut:last])
    own_starts = np.concatenate([[0], np.cumsum([len(each) for each in own])])
    foe_starts = np.concatenate([[0], np.cumsum([len(each) for each in foes])])
    actions = np.empty(own_starts[-1], np.int32)
    kernels.pursue(
        np.concatenate(own), own_starts, np.concatenate(foes), foe_starts, MOVES, ATTACKS,
        generator.random((len(actions), 3)), actions,
    )  # fmt: skip
    for game, mine in enumerate(own):
        for i in range(len(mine)):
            chosen = actions[own_starts[game] + i]
            assert chosen in oracles.pursuit_choices(i, mine, foes[game])


def test_pursuit_is_fair_among_equals():
    # a foe on each of the eight sides: every one is hit as often
    own, foes = np.array([[5, 5]] * 1, np.int32), (np.array([5, 5]) + ATTACKS).astype(np.int32)
    generator, counts = np.random.default_rng(1), np.zeros(8)
    n = 4000
    own = np.repeat(own, n, axis=0)
    actions = np.empty(n, np.int32)
    kernels.pursue(
        own, np.arange(n + 1), np.tile(foes, (n, 1)), 8 * np.arange(n + 1), MOVES, ATTACKS,
        generator.random((n, 3)), actions,
    )  # fmt: skip
    counts = np.bincount(actions - 13, minlength=8)
    assert ((counts - n / 8) ** 2 / (n / 8)).sum() < chi2.isf(1e-5, 7)


@pytest.mark.parametrize("tau", [0.1, 1.0, 30.0])
def test_actions_are_drawn_with_their_chances(tau):
    generator = np.random.default_rng(7)
    values, n = generator.normal(size=21), 40_000
    chances = softmax(values / tau)
    actions = np.empty(n, np.int32)
    given = np.tile((1.7 * chances).astype(np.float32), (n, 1))  # of any sum
    kernels.draw_actions(given, generator.random(n), actions)
    expected, counts = n * chances, np.bincount(actions, minlength=21)
    likely = expected > 5
    surprise = ((counts - expected)[likely] ** 2 / expected[likely]).sum()
    assert surprise < chi2.isf(1e-5, likely.sum())
    assert counts[~likely].sum() < 5 * max(1, expected[~likely].sum()) + 10


def test_what_has_no_chance_is_never_drawn():
    chances = np.array([[0, 0.5, 0, 0.5, 0]] * 2, np.float32)
    actions = np.empty(2, np.int32)
    kernels.draw_actions(chances, np.array([0.0, np.nextafter(1.0, 0.0)]), actions)
    assert actions.tolist() == [1, 3]


@given(seeds)
def test_advantages_are_sums_of_temporal_differences(seed):
    generator = np.random.default_rng(seed)
    n, discount, trace = 12, 0.8, 0.7
    rewards = generator.normal(size=n).astype(np.float32)
    values = generator.normal(size=n).astype(np.float32)
    # two agents in turn; the first one's last step ends, the second one's is cut off
    following = np.arange(2, n + 2).astype(np.int32)
    following[-2:] = -1
    ended = np.zeros(n, bool)
    ended[-2] = True
    advantage, known = np.empty(n, np.float32), np.empty(n, bool)
    kernels.advantages(rewards, values, following, ended, discount, trace, advantage, known)
    assert known.tolist() == [True] * (n - 1) + [False]
    for agent in (0, 1):
        rows = np.arange(agent, n, 2)
        if agent == 1:
            rows = rows[:-1]
        for k, row in enumerate(rows):
            total = 0.0
            for power, later in enumerate(rows[k:]):
                after = values[following[later]] if following[later] >= 0 else 0.0
                gain = rewards[later] + discount * after - values[later]
                total += (discount * trace) ** power * gain
            assert advantage[row] == pytest.approx(total, abs=1e-4)
