"""Rewards, softmax policies, and what agents with tables learn of them."""

import math

import numpy as np
import pytest
import xarray as xr

from isingrl import HeatBath, Ising, Lattice, MeanFieldQ, Rule, simulate, train
from isingrl.agents import REWARDS, IndependentQ, JointQ, NeighborhoodQ
from isingrl.agents.training import _falling
from isingrl.engines.kernels.learning import chance_of_up
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS
from isingrl.schedules import SCHEDULES

SQUARE = Ising(Lattice((6, 6)))
MOORE = Ising(Lattice((6, 6), "moore"))
RING = Ising(Lattice((12,)))
T_C, T_C_MOORE = 2.269185314213022, 5.257826


def entries(model, table):
    """Sum of neighbour spins, action and value of every entry of a table (n_states, 2)."""
    for state, action in np.ndindex(table.shape):
        total = 2 * model.lattice.n_up[state] - model.lattice.coordination_number
        yield total, 2 * action - 1, table[state, action]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("neighborhood", NEIGHBORHOODS)
@pytest.mark.parametrize(("name", "factor"), [("energy", 1), ("half", 1 / 2), ("mean", None)])
def test_rewards_by_the_local_field(name, factor, neighborhood, boundary):
    model = Ising(Lattice((4, 5, 3), neighborhood, boundary), -0.8, 0.3)
    z = model.lattice.coordination_number
    factor = 1 / z if factor is None else factor
    reward = REWARDS[name]
    for total, action, value in entries(model, reward.table(model)):
        assert value == pytest.approx(factor * action * (-0.8 * total + 0.3))
    assert reward.temperature_ratio(model) == pytest.approx(1 / factor)
    assert reward.exact
    assert reward.knows_model


def test_reward_of_the_chapter_for_the_ring():
    reward = REWARDS["chapter-1d"]
    for total, action, value in entries(RING, reward.table(RING)):
        matches = 1 + action * total / 2
        assert value == pytest.approx(2 * (-1 + 0.9 * matches))
    assert reward.temperature_ratio(RING) == pytest.approx(1 / 0.9)
    assert reward.exact


def test_reward_of_the_chapter_for_the_moore_lattice():
    reward = REWARDS["chapter-2d"]
    table = reward.table(MOORE)
    for total, action, value in entries(MOORE, table):
        mean_action = (1 + action * total / 8) / 2
        assert value == pytest.approx(math.tanh(5 * (mean_action - 0.5)))
    log_odds = table[5:, 1] - table[5:, 0]
    np.testing.assert_allclose(log_odds, [1.109, 1.697, 1.908, 1.973], atol=6e-4)
    assert reward.temperature_ratio(MOORE) == pytest.approx(3.2)
    assert not reward.exact


@pytest.mark.parametrize(
    ("name", "model", "temperature", "tau"),
    [
        ("energy", SQUARE, T_C, 2.26919), ("energy", MOORE, T_C_MOORE, 5.25783),
        ("half", SQUARE, T_C, 1.13459), ("half", MOORE, T_C_MOORE, 2.62891),
        ("mean", SQUARE, T_C, 0.56730), ("mean", MOORE, T_C_MOORE, 0.65723),
        ("chapter-1d", RING, 2.0, 1.8), ("chapter-2d", MOORE, 3.2, 1.0),
    ],
)  # fmt: skip
def test_critical_softmax_temperatures(name, model, temperature, tau):
    policy = train(model, MeanFieldQ(name), [temperature, 0.0, math.inf], sweeps=2, seed=1)
    found = policy.softmax_temperature(model, np.array([temperature]))
    assert found[0] == pytest.approx(tau, abs=6e-6)
    np.testing.assert_allclose(
        policy.q_values["softmax_temperature"], [tau, 0, math.inf], atol=6e-6
    )


@pytest.mark.parametrize("reward", ["energy", "half", "mean"])
@pytest.mark.parametrize("model", [
    Ising(Lattice((12,)), -1.0, 0.2),
    Ising(Lattice((5, 6)), 1.0, 0.0),
    Ising(Lattice((5, 6), "moore"), 0.7, -0.3),
    Ising(Lattice((5, 6), boundary="free"), 1.0, 0.0),
    Ising(Lattice((4, 3, 4)), 1.0, 0.5),
], ids=lambda model: f"{model.lattice.ndim}D-{model.lattice.coordination_number}"
                     f"-{model.lattice.boundary}")  # fmt: skip
def test_without_discount_agents_learn_the_heat_bath(model, reward):
    z = model.lattice.coordination_number
    temperature = np.array([0.8 * z, 2.0 * z])
    policy = train(model, MeanFieldQ(reward), temperature, sweeps=1500, seed=2)
    expected = np.broadcast_to(REWARDS[reward].table(model), policy.q_values.shape)
    met = policy.visits.values > 0
    np.testing.assert_allclose(policy.q_values.values[met], expected[met], rtol=1e-12, atol=1e-12)
    assert (policy.q_values.values[~met] == 0).all()
    both = met.all(axis=-1)
    assert both.mean() > 0.8
    table = policy.table(model, temperature)
    heat_bath = HeatBath().table(model, temperature)
    for own in (0, 1):
        np.testing.assert_allclose(table[:, own][both], heat_bath[:, own][both], rtol=1e-12)


def test_discount_breaks_the_map():
    bare, far = (
        train(SQUARE, MeanFieldQ(discount=discount), 3.0, sweeps=300, seed=1)
        for discount in (0.0, 0.5)
    )
    assert bare.exact_temperature
    assert not far.exact_temperature
    assert abs(far.q_values - bare.q_values).max() > 0.5
    assert simulate(SQUARE, far, sweeps=1, seed=1).attrs["temperature_map"] == "approximate"


@pytest.mark.parametrize(
    ("agent", "exact"),
    [
        (MeanFieldQ(), True),
        (MeanFieldQ("half", shared=False, replay=9, batch_size=3, inner_iterations=2), True),
        (MeanFieldQ("mean", network=(4,), falling_rate=False), True),
        (NeighborhoodQ("chapter-1d"), True),
        (JointQ(), True),
        (MeanFieldQ("chapter-2d"), False),
        (MeanFieldQ(discount=0.1), False),
        (MeanFieldQ(epsilon=0.1), False),
        (MeanFieldQ(reward_time="after"), False),
        (MeanFieldQ(neighbors_seen=2), False),
        (IndependentQ(), False),
    ],
)
def test_which_agents_stand_for_a_temperature_exactly(agent, exact):
    assert agent.exact_temperature is exact
    assert agent.describe()["temperature_map"] == ("exact" if exact else "approximate")


@pytest.mark.parametrize("advantage", [-3.0, -1e-300, 0.0, 0.5, 3.0])
@pytest.mark.parametrize("tau", [0.0, 1e-3, 1.0, 1e300, math.inf])
def test_softmax(advantage, tau):
    up = chance_of_up(advantage, tau, 0.0)
    if advantage == 0 or math.isinf(tau):
        assert up == 0.5
    elif tau == 0:
        assert up == (advantage > 0)
    else:
        # Two exponentials, the larger of which is 1.
        to_up = math.exp(min(0.0, advantage / tau))
        to_down = math.exp(min(0.0, -advantage / tau))
        assert up == pytest.approx(to_up / (to_up + to_down))
    assert chance_of_up(advantage, tau, 0.3) == pytest.approx(0.7 * up + 0.15)


def test_softmax_temperatures_fall_to_the_final_one():
    taus = _falling(np.array([0.5, math.inf]), 10, 0.5, 8.0)
    np.testing.assert_array_equal(taus[0, 4:], 0.5)
    assert taus[0, 0] > 8
    assert (np.diff(taus[0, :5]) < 0).all()
    assert np.isinf(taus[1]).all()
    np.testing.assert_array_equal(_falling(np.array([0.5]), 10, 0.2, 8.0)[0, 1:], 0.5)
    assert _falling(np.array([0.5]), 1, 0.5, 8.0).tolist() == [[0.5]]
    assert _falling(np.array([0.5]), 3, 0.0, 8.0).tolist() == [[0.5] * 3]


def test_shapes_and_labels_of_a_policy():
    policy = train(SQUARE, MeanFieldQ("half"), [2.0, 3.0, 4.0], sweeps=7, snapshots=3, seed=1)
    assert isinstance(policy, Rule)
    assert policy.name == "mean-field-q"
    assert policy.q_values.dims == policy.visits.dims == ("temperature", "n_up", "action")
    assert policy.q_values.shape == (3, 5, 2)
    assert policy.q_values["action"].values.tolist() == ["down", "up"]
    np.testing.assert_array_equal(policy.q_values["n_up"], np.arange(5))
    np.testing.assert_array_equal(policy.temperature, [2.0, 3.0, 4.0])
    np.testing.assert_array_equal(policy.q_values["softmax_temperature"], [1.0, 1.5, 2.0])
    history = policy.history
    assert history["q"].dims == ("temperature", "snapshot", "n_up", "action")
    assert history["spins"].dims == ("temperature", "snapshot", "x", "y")
    assert history["site_loss"].dims == ("temperature", "snapshot")
    sizes = {"temperature": 3, "sweep": 7, "snapshot": 3, "n_up": 5, "action": 2, "x": 6, "y": 6}
    assert dict(history.sizes) == sizes
    np.testing.assert_array_equal(history["sweep"], np.arange(1, 8))
    np.testing.assert_array_equal(history["snapshot"], [2, 4, 7])
    kept = history["magnetization"].sel(sweep=history["snapshot"].values)
    np.testing.assert_allclose(history["spins"].mean(["x", "y"]), kept)
    np.testing.assert_array_equal(history["q"][:, -1], policy.q_values)
    assert (abs(history["magnetization"]) <= 1).all()
    assert (policy.visits.sum(["n_up", "action"]) == 36 * 7).all()
    for array in (policy.q_values, policy.visits, *history.values(), *history.coords.values()):
        assert array.attrs.get("long_name") or array.name == "action"


def test_rewards_and_magnetizations_settle_on_those_of_the_temperature():
    model = Ising(Lattice((32, 32)))
    policy = train(model, MeanFieldQ(), [1.0, 30.0], sweeps=400, start="up", seed=1)
    late = policy.history.isel(sweep=slice(300, None)).mean("sweep")
    assert late["reward"][0] > 3.9
    assert abs(late["reward"][1]) < 0.5
    assert abs(late["magnetization"][1]) < 0.05


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_seed_fixes_what_is_learned(schedule, monkeypatch):
    def run(seed, model=SQUARE):
        return train(
            model, MeanFieldQ(discount=0.5), [2.0, 3.0, 4.0], sweeps=20, schedule=schedule,
            seed=seed,
        ).history  # fmt: skip

    first = run(1)
    monkeypatch.setattr("isingrl.agents.training._CHUNK_VISITS", 400.0)  # several calls
    xr.testing.assert_identical(run(1), first)
    monkeypatch.setattr("numba.get_num_threads", lambda: 3)
    xr.testing.assert_identical(run(1), first)
    assert (run(2)["magnetization"] != first["magnetization"]).any()
    # Each temperature has its own experience.
    assert (first["magnetization"][0] != first["magnetization"][1]).any()


def test_starts_of_the_lattices():
    up = np.ones((2, 1, 6, 6), dtype=int)
    up[1] = -1
    frozen = train(Ising(Lattice((6, 6)), 0.0, 1.0), MeanFieldQ(), [0.0, math.inf], sweeps=1,
                   snapshots=1, start=up, seed=1)  # fmt: skip
    assert frozen.history["q"].shape == (2, 1, 5, 2)
    by_name = train(SQUARE, MeanFieldQ(), 2.0, sweeps=5, start="up", seed=1)
    by_array = train(SQUARE, MeanFieldQ(), 2.0, sweeps=5, start=np.ones((6, 6)), seed=1)
    xr.testing.assert_identical(by_name.history, by_array.history)


@pytest.mark.parametrize("discount", [0.0, 0.9])
def test_zero_and_infinite_temperature(discount):
    agent = MeanFieldQ(discount=discount)
    policy = train(SQUARE, agent, [0.0, math.inf], sweeps=300, seed=3)
    table = policy.table(SQUARE, policy.temperature)
    assert set(np.unique(table[0])) <= {0.0, 0.5, 1.0}
    assert (table[1] == 0.5).all()
    if discount == 0:
        np.testing.assert_array_equal(table, HeatBath().table(SQUARE, policy.temperature))
    assert np.isfinite(policy.q_values).all()


def test_entries_that_were_never_met_decide_by_a_coin():
    policy = train(SQUARE, MeanFieldQ(discount=0.1), 2.0, sweeps=1, seed=1)  # too soon to learn
    assert (policy.visits == 0).all()
    assert (policy.table(SQUARE, np.array([2.0])) == 0.5).all()


def test_training_shows_a_bar(capsys):
    train(SQUARE, MeanFieldQ(), 2.0, sweeps=5, seed=1)
    assert capsys.readouterr().err == ""
    train(SQUARE, MeanFieldQ(), 2.0, sweeps=5, seed=1, progress=True)
    assert "sweep" in capsys.readouterr().err
