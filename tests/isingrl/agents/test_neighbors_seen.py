"""Agents that see some of their neighbours, drawn anew at every look."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.thermodynamics import thermodynamics
from isingrl import Ising, Lattice, Learning, simulate, train
from isingrl.agents import IndependentQ, MeanFieldQ
from isingrl.agents.learner import state_chances
from isingrl.bonds import alike
from isingrl.engines.engine import table_engine
from isingrl.engines.lanes import LaneEngine
from isingrl.runs import seed_sequence
from tests.statistical import Z_LIMIT, z_of_chains

SQUARE = Ising(Lattice((16, 16)))
LATTICES = {
    "ring": Lattice((8,)),
    "square": Lattice((4, 4)),
    "moore": Lattice((4, 4), "moore"),
    "cubic": Lattice((4, 4, 4)),
}
SOME = [(name, k) for name in LATTICES for k in range(LATTICES[name].coordination_number)]


def shares(z, n_up, k):
    """Shares of the subsets of k of z neighbours that hold 0 … k of the n_up that are up."""
    neighbors = [1] * n_up + [0] * (z - n_up)
    found = [sum(subset) for subset in itertools.combinations(neighbors, k)]
    return np.array([found.count(seen) / len(found) for seen in range(k + 1)])


@pytest.mark.parametrize(("name", "k"), SOME)
def test_chances_to_see_are_those_of_all_subsets(name, k):
    lattice = LATTICES[name]
    z = lattice.coordination_number
    view = MeanFieldQ(neighbors_seen=k).view(lattice)
    expected = [shares(z, n_up, k) for n_up in range(z + 1)]
    np.testing.assert_allclose(view.channel, expected, rtol=1e-12, atol=1e-15)
    # a network is given the mean action of those that are seen
    seen = np.arange(k + 1)
    share = seen / k if k else np.array([0.5])
    np.testing.assert_allclose(view.inputs, np.stack([1 - share, share], axis=1))


def test_chances_to_see_some_of_26():
    view = MeanFieldQ(neighbors_seen=13).view(Lattice((3, 3, 3), "moore"))
    expected = [
        [math.comb(n_up, seen) * math.comb(26 - n_up, 13 - seen) / math.comb(26, 13)
         for seen in range(14)]
        for n_up in range(27)
    ]  # fmt: skip
    np.testing.assert_allclose(view.channel, expected, rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("k", range(1, 26))
def test_no_state_is_drawn_that_cannot_be(k):
    lattice = Lattice((3, 3, 3), "moore")
    cumulative = state_chances(MeanFieldQ(neighbors_seen=k).view(lattice), alike(lattice))
    for n_up, chances in enumerate(cumulative):
        least, most = max(0, k - (26 - n_up)), min(k, n_up)
        assert (chances[:least] == 0).all()
        assert (chances[most:] == 1).all()


@pytest.mark.parametrize(("name", "k"), SOME)
def test_the_compiled_table_mixes_what_may_be_seen(name, k):
    model = Ising(LATTICES[name], 0.9, 0.1)
    agent = MeanFieldQ("half", neighbors_seen=k, epsilon=0.1, learning_rate=0.3)
    temperature = np.array([1.0, 3.0])
    policy = train(model, agent, temperature, sweeps=50, chains=2, seed=k + 1)
    up = policy.compile(model, temperature, 2).up
    z = model.lattice.coordination_number
    assert up.shape == (4, 1, 2, z + 1)
    for row, (t, chain) in enumerate(itertools.product(temperature, range(2))):
        q = policy.q_values.sel(temperature=t, chain=chain)
        odds = np.exp(-q.diff("action").values[:, 0] / (t / 2))
        chances = 0.9 / (1 + odds) + 0.05
        for n_up in range(z + 1):
            expected = shares(z, n_up, k) @ chances
            np.testing.assert_allclose(up[row, 0, :, n_up], expected, rtol=1e-12)


@pytest.mark.parametrize("name", LATTICES)
def test_to_see_all_neighbours_is_to_see_the_local_field(name):
    model = Ising(LATTICES[name])
    z = model.lattice.coordination_number
    every, none = (
        train(model, MeanFieldQ(neighbors_seen=k), [2.0, 5.0], sweeps=60, seed=1) for k in (z, None)
    )
    assert every.q_values.identical(none.q_values)
    assert every.history.identical(none.history)


def test_at_a_free_boundary_all_or_none_are_seen():
    model = Ising(Lattice((4, 4), boundary="free"))
    train(model, MeanFieldQ(neighbors_seen=4), 2.0, sweeps=2, seed=1)
    with pytest.raises(ValueError, match=r"neighbors_seen must be 4, .* free, or None.*; got 3"):
        train(model, MeanFieldQ(neighbors_seen=3), 2.0)


@pytest.mark.parametrize("k", [5, 8])
def test_no_more_than_all_neighbours_are_seen(k):
    with pytest.raises(ValueError, match=rf"neighbors_seen must be 0 to 4, or None.*; got {k}"):
        train(SQUARE, MeanFieldQ(neighbors_seen=k), 2.0)


@pytest.mark.parametrize(("k", "error"), [(-1, ValueError), (1.5, TypeError), (True, TypeError)])
def test_neighbors_seen_is_a_number_of_neighbours(k, error):
    with pytest.raises(error, match=r"neighbors_seen must be an integer of at least 0; got"):
        MeanFieldQ(neighbors_seen=k)


def test_independent_agents_see_none():
    none, alone = (
        train(SQUARE, agent, [2.0, 5.0], sweeps=60, seed=1)
        for agent in (MeanFieldQ(neighbors_seen=0), IndependentQ())
    )
    np.testing.assert_array_equal(none.q_values.isel(n_up_seen=0), alone.q_values)
    assert none.history.drop_vars("n_up_seen", errors="ignore").identical(alone.history)


@pytest.mark.parametrize(("lattice", "k"), [
    (Lattice((64,)), 1), (Lattice((12, 12)), 2), (Lattice((12, 12), "moore"), 5),
    (Lattice((6, 6, 6)), 3),
], ids=["ring", "square", "moore", "cubic"])  # fmt: skip
def test_among_coins_those_not_seen_are_worth_nothing(lattice, k):
    # Means of all that was met: the rate of the n-th update is 1/n.
    agent = MeanFieldQ(neighbors_seen=k, learning_rate=1e-9)
    policy = train(Ising(lattice), agent, math.inf, sweeps=300, chains=32, seed=3)
    for action, sign in [("down", -1), ("up", 1)]:
        for seen in range(k + 1):
            q = policy.q_values.isel(temperature=0).sel(action=action, n_up_seen=seen)
            assert q.std("chain") > 0
            assert abs(z_of_chains(q, sign * (2 * seen - k))) < Z_LIMIT


@pytest.mark.parametrize("schedule", ["checkerboard", "synchronous"])
def test_frozen_agents_run_on_the_lanes_as_they_act_themselves(schedule):
    agent = MeanFieldQ(neighbors_seen=2, epsilon=0.02)
    temperature = np.array([2.6, 3.4])
    policy = train(SQUARE, agent, temperature, sweeps=300, seed=4)
    table = policy.compile(SQUARE, temperature, 3)
    engine = table_engine(SQUARE, table, "up", schedule, seed_sequence(1))
    assert isinstance(engine, LaneEngine)
    # The agents themselves look at two neighbours at a time; at this rate they learn nothing.
    slow = dataclasses.replace(agent, learning_rate=1e-15, falling_rate=False)
    acting = dataclasses.replace(policy, agent=slow)
    runs = [
        thermodynamics(
            simulate(
                SQUARE, rule, sweeps=6000, thermalization=500,
                chains=3, start="up", schedule=schedule, seed=5,
            )
        )
        for rule in (policy, Learning(acting))
    ]  # fmt: skip
    for observable in ("energy", "abs_magnetization", "specific_heat"):
        difference = runs[0][observable].values - runs[1][observable].values
        error = np.hypot(*(run[f"{observable}_error"].values for run in runs))
        assert (abs(difference) < Z_LIMIT * error).all(), f"{observable}: {difference / error}"


@given(k=st.integers(0, 8), n_up=st.integers(0, 8))
def test_what_is_seen_is_an_unbiased_sample(k, n_up):
    chances = MeanFieldQ(neighbors_seen=k).view(LATTICES["moore"]).channel[n_up]
    assert chances.sum() == pytest.approx(1)
    assert chances @ np.arange(k + 1) == pytest.approx(k * n_up / 8)
