"""Agents that learn while they are measured: the same whatever runs in pieces or on threads."""

import dataclasses
import math
from itertools import pairwise

import numba
import numpy as np
import pytest
import xarray as xr

from isingrl import Ising, Lattice, Learning, simulate, train
from isingrl.agents import IndependentQ, JointQ, MeanFieldQ, NeighborhoodQ
from isingrl.agents import learner as learners_of_agents
from isingrl.agents.learners import make_learner
from isingrl.engines.learning import LearningEngine
from tests.statistical import Z_LIMIT

SQUARE = Ising(Lattice((4, 6)), 1.0, 0.1)
FREE = Ising(Lattice((3, 4), boundary="free"))
CUBIC = Ising(Lattice((2, 3, 2)))
SMALL = Ising(Lattice((2, 3)))
DEEP = {"discount": 0.5, "target_interval": 3, "inner_iterations": 2}
CASES = {
    "mean-field": (SQUARE, MeanFieldQ()),
    "far-sighted": (SQUARE, MeanFieldQ("mean", epsilon=0.1, reward_time="after", **DEEP)),
    "few-seen": (CUBIC, MeanFieldQ(neighbors_seen=2)),
    "free": (FREE, MeanFieldQ(shared=False)),
    "independent": (SQUARE, IndependentQ(shared=False)),
    "neighborhood": (SQUARE, NeighborhoodQ(falling_rate=False)),
    "joint": (SMALL, JointQ(discount=0.3)),
    "memory": (SQUARE, MeanFieldQ(replay=15, batch_size=8, **DEEP)),
    "network": (SQUARE, MeanFieldQ(network=(5,), **DEEP)),
    "network-a-site": (SMALL, NeighborhoodQ(network=(5,), shared=False)),
    "network-with-memory": (SQUARE, MeanFieldQ(network=(5,), replay=15, batch_size=8, **DEEP)),
}
pytestmark = pytest.mark.usefixtures("torch_if_needed")
every_case = pytest.mark.parametrize("name", CASES)


@every_case
@pytest.mark.parametrize("schedule", ["checkerboard", "sequential", "synchronous"])
def test_pieces_are_the_whole(name, schedule):
    model, agent = CASES[name]
    taus = np.stack([np.linspace(4.0, 1.0, 12), np.full(12, 3.0), np.full(12, math.inf)])
    rates = np.linspace(1.0, 0.1, 12)
    learners, shown = [], []
    for edges in ([0, 12], [0, 2, 4, 10, 12], [*range(0, 13, 2)]):
        generator = np.random.default_rng(8)
        learner = make_learner(model, agent, "random", 3, schedule, generator)
        shown.append([
            learner.advance(np.ascontiguousarray(taus[:, a:b]), rates[a:b], interval=2)
            for a, b in pairwise(edges)
        ])  # fmt: skip
        learners.append(learner)
    for learner, pieces in zip(learners[1:], shown[1:], strict=True):
        for what in ("reward", "loss", "total", "sums"):
            whole = getattr(shown[0][0], what)
            # sums lie along (replica, draw, sum), the others along (replica, sweep)
            joined = np.concatenate([getattr(piece, what) for piece in pieces], axis=1)
            np.testing.assert_array_equal(joined, whole)
        np.testing.assert_array_equal(learner.q, learners[0].q)
        np.testing.assert_array_equal(learner.visits, learners[0].visits)
        np.testing.assert_array_equal(learner.table_loss, learners[0].table_loss)
        for key, values in learner.knowledge.items():
            np.testing.assert_array_equal(values, learners[0].knowledge[key])
        for replica in range(3):
            np.testing.assert_array_equal(learner.spins(replica), learners[0].spins(replica))
    assert np.ptp(learners[0].q) > 0


@every_case
def test_chunks_of_a_training_change_nothing(name, monkeypatch):
    model, agent = CASES[name]

    def run():
        return train(model, agent, [2.0, math.inf, 0.0], sweeps=17, chains=2, snapshots=4, seed=6)

    first = run()
    monkeypatch.setattr("isingrl.agents.training._CHUNK_VISITS", 1000.0)
    second = run()
    xr.testing.assert_identical(second.q_values, first.q_values)
    xr.testing.assert_identical(second.visits, first.visits)
    xr.testing.assert_identical(second.history, first.history)
    for key, values in first.parameters.items():
        np.testing.assert_array_equal(second.parameters[key], values)


@every_case
def test_a_seed_fixes_a_run_whatever_its_chunks_and_threads(name, monkeypatch):
    model, agent = CASES[name]

    def run(seed=3):
        return simulate(model, Learning(agent), [2.0, 3.0], sweeps=11, thermalization=4, interval=2,
                        chains=3, snapshots=2, seed=seed)  # fmt: skip

    first = run()
    xr.testing.assert_identical(run(), first)
    monkeypatch.setattr(LearningEngine, "updates_a_call", 30.0)
    xr.testing.assert_identical(run(), first)
    monkeypatch.setattr(
        learners_of_agents, "_VISITS_A_THREAD", 1.0
    )  # else so little runs on one thread
    monkeypatch.setattr(numba, "get_num_threads", lambda: 4)
    xr.testing.assert_identical(run(), first)
    assert (run(4)["energy"] != first["energy"]).any()


@pytest.mark.parametrize("name", ["mean-field", "network"])
def test_torch_and_numba_threads_change_nothing(name, monkeypatch):
    torch = pytest.importorskip("torch")
    model, agent = CASES[name]
    monkeypatch.setattr(learners_of_agents, "_VISITS_A_THREAD", 1.0)
    threads = torch.get_num_threads(), numba.get_num_threads()
    runs = []
    try:
        for of_torch, of_numba in [(1, 1), (2, 2)]:
            torch.set_num_threads(of_torch)
            numba.set_num_threads(min(of_numba, numba.config.NUMBA_NUM_THREADS))
            runs.append(simulate(model, Learning(agent), [2.0, 3.0], sweeps=20, seed=3))
            assert torch.get_num_threads() == of_torch
    finally:
        torch.set_num_threads(threads[0])
        numba.set_num_threads(threads[1])
    xr.testing.assert_identical(runs[1], runs[0])


@pytest.mark.parametrize("falling_rate", [True, False])
def test_networks_learn_on_one_thread_at_a_rate_that_falls(falling_rate, monkeypatch):
    torch = pytest.importorskip("torch")
    from isingrl.agents.network_learner import NetworkLearner

    fit, found, threads = NetworkLearner._fit, [], []

    def spy(self, rate):
        found.append(rate)
        threads.append(torch.get_num_threads())
        fit(self, rate)

    monkeypatch.setattr(NetworkLearner, "_fit", spy)
    monkeypatch.setattr("isingrl.agents.training._CHUNK_VISITS", 100.0)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        agent = MeanFieldQ(network=(5,), falling_rate=falling_rate)
        train(SQUARE, agent, 2.0, sweeps=6, seed=1)
    finally:
        torch.set_num_threads(before)
    assert threads == [1] * 6
    half = [(1 + math.cos(math.pi * sweep / 6)) / 2 for sweep in range(6)]
    assert found == pytest.approx(half if falling_rate else [1.0] * 6)


@every_case
def test_snapshots_are_of_their_sweeps(name):
    model, agent = CASES[name]
    policy = train(model, agent, [2.0, 4.0], sweeps=9, chains=2, snapshots=9, seed=7)
    history = policy.history
    np.testing.assert_array_equal(history["snapshot"], history["sweep"])
    losses = history["site_loss"]
    if agent.shared:
        assert losses.dims == ("temperature", "chain", "snapshot")
        np.testing.assert_allclose(losses, history["loss"], rtol=1e-12)
    else:  # sites that learn as often as each other
        np.testing.assert_allclose(losses.mean("site"), history["loss"], rtol=1e-9)
    assert (history["loss"] > 0).any()
    spins = history["spins"].values
    np.testing.assert_allclose(history["magnetization"], model.magnetization(spins), atol=1e-15)
    np.testing.assert_array_equal(history["q"].isel(snapshot=-1), policy.q_values)


@every_case
def test_what_is_learned_depends_on_no_later_sweep(name):
    model, agent = CASES[name]
    agent = dataclasses.replace(agent, falling_rate=False)  # that of networks knows the end
    options = {"annealing": 0, "chains": 2, "seed": 7}
    long = train(model, agent, [2.0, 4.0], sweeps=9, snapshots=9, **options)
    short = train(model, agent, [2.0, 4.0], sweeps=6, snapshots=6, **options)
    assert long.history.isel(sweep=slice(6), snapshot=slice(6)).identical(short.history)
    np.testing.assert_array_equal(long.history["q"].isel(snapshot=5), short.q_values)


@every_case
def test_measurements_are_of_the_spins(name):
    model, agent = CASES[name]
    data = simulate(
        model, Learning(agent), [2.0, math.inf], sweeps=12, thermalization=3, interval=3, chains=2,
        snapshots=4, seed=2,
    )  # fmt: skip
    assert data["energy"].dims == ("temperature", "chain", "draw")
    assert data["energy"].shape == (2, 2, 4)
    np.testing.assert_array_equal(data["snapshot"], data["draw"])
    spins = data["spins"].values
    assert spins.shape == (2, 2, 4, *model.lattice.shape)
    np.testing.assert_allclose(data["energy"], model.energy(spins), atol=1e-15)
    np.testing.assert_allclose(data["magnetization"], model.magnetization(spins), atol=1e-15)
    assert data["method"].item() == agent.name
    assert data.attrs["learn"] == 1
    tau = np.array([2.0, math.inf]) / agent.reward_function.temperature_ratio(model)
    np.testing.assert_allclose(data["softmax_temperature"], tau)
    frozen = train(model, agent, [2.0], sweeps=2, seed=1)
    assert simulate(model, frozen, sweeps=2, seed=1).attrs["learn"] == 0


@every_case
def test_interval_and_thermalization_pick_sweeps(name):
    model, agent = CASES[name]
    rule, options = Learning(agent), {"chains": 2, "seed": 5}
    every = simulate(model, rule, 2.5, sweeps=12, **options)
    some = simulate(model, rule, 2.5, sweeps=8, thermalization=4, interval=2, **options)
    for observable in ("energy", "magnetization"):
        np.testing.assert_array_equal(some[observable], every[observable][..., 5::2])


def test_starts_go_to_their_chains():
    model = Ising(Lattice((8, 8)))
    policy = train(model, MeanFieldQ(), [0.0, 0.2], sweeps=300, seed=1)
    assert (policy.visits > 0).all()
    signs = np.array([[1, -1, -1], [-1, 1, -1]])
    start = signs[..., None, None] * np.ones((8, 8), dtype=int)
    # So cold that an ordered chain stays as it is, if its agents know what they were taught.
    data = simulate(model, Learning(policy), sweeps=20, chains=3, start=start, seed=1)
    np.testing.assert_array_equal(data["magnetization"], np.repeat(signs[..., None], 20, axis=-1))


def test_chains_learn_by_themselves_at_their_temperatures():
    model = Ising(Lattice((16, 16)))
    data = simulate(
        model, Learning(IndependentQ()), [1.0, 30.0], sweeps=300, thermalization=200, chains=3,
        start="up", seed=1,
    )  # fmt: skip
    cold, hot = data["magnetization"].values
    assert (cold.mean(axis=-1) > 0.99).all()
    assert (abs(hot.mean(axis=-1)) < 0.1).all()
    for first, second in [(0, 1), (0, 2), (1, 2)]:
        both = np.corrcoef(hot[first], hot[second])[0, 1]
        assert abs(both) < Z_LIMIT / math.sqrt(hot.shape[-1])


def test_trainings_have_their_own_temperatures():
    temperatures = [40.0, 1.0, math.inf]
    policy = train(
        Ising(Lattice((16, 16))), IndependentQ(), temperatures, sweeps=300, chains=3, annealing=0,
        start="up", seed=1,
    )  # fmt: skip
    late = policy.history["magnetization"].isel(sweep=slice(200, None)).mean("sweep").values
    assert (late[1] > 0.99).all()
    assert (abs(late[[0, 2]]) < 0.1).all()
    assert len(np.unique(late)) > 5  # and their own experience


def test_a_policy_remembers_which_way_was_up():
    # Alone, agents know nothing but a mean. Upside down, those that go on turn up again at once.
    model = Ising(Lattice((16, 16)))
    agent = IndependentQ(learning_rate=0.05, falling_rate=False)
    policy = train(model, agent, [3.0, 2.0], sweeps=400, annealing=0, start="up", seed=2)
    policy = dataclasses.replace(policy, agent=dataclasses.replace(agent, learning_rate=1e-9))
    advantage = policy.q_values.diff("action").sel(temperature=[2.0, 3.0]).values[:, 0]
    data = simulate(model, Learning(policy), [2.0, 3.0], sweeps=1, chains=8, start="down", seed=3)
    m = np.tanh(advantage / [4.0, 6.0])
    assert (m > 0.5).all()
    found = data["magnetization"].mean(["chain", "draw"]).values
    assert (abs(found - m) < Z_LIMIT * np.sqrt((1 - m**2) / (8 * 16**2))).all()
