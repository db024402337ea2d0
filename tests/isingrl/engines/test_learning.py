"""The learning kernel against loops over sites with the same random numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isingrl import IndependentQ, Ising, JointQ, Lattice, MeanFieldQ, NeighborhoodQ, Potts
from isingrl.agents.learner import Learner, gathered_loss
from isingrl.agents.learners import make_learner
from isingrl.schedules import SCHEDULES
from tests import oracles

LATTICES = {
    "ring": Lattice((5,)),
    "pair": Lattice((2,)),
    "square": Lattice((3, 4)),
    "moore": Lattice((3, 3), "moore"),
    "cubic": Lattice((2, 3, 2)),
    "free": Lattice((3, 3), boundary="free"),
    "free moore": Lattice((2, 3), "moore", "free"),
}
SWEEPS = 12


def pair(model, agent, schedule, seed=1, tau=1.5):
    """A learner and its oracle, with the same first spins and random numbers."""
    lattice = model.lattice
    generator = np.random.default_rng(seed)
    start = generator.choice(np.array([-1, 1], dtype=np.int8), size=(1, *lattice.shape))
    learner = make_learner(model, agent, start, 1, schedule, generator)
    random = oracles.Random(learner._agents.state[0])
    oracle = oracles.Learners(start.ravel().tolist(), model, agent, schedule, random)
    return learner, oracle, tau * np.linspace(3, 1, SWEEPS)[None]


def check(lattice, agent, schedule, seed=1, tau=1.5, coupling=0.9):
    model = Ising(lattice, coupling, 0.2)
    learner, oracle, taus = pair(model, agent, schedule, seed, tau)
    progress = learner.advance(taus[:, : SWEEPS // 2], interval=1)
    second = learner.advance(taus[:, SWEEPS // 2 :], interval=1)
    found = {
        name: np.concatenate([getattr(progress, name)[0], getattr(second, name)[0]])
        for name in ("reward", "loss", "total")
    }
    sums = np.concatenate([progress.sums[0], second.sums[0]])
    for sweep, tau in enumerate(taus[0]):
        paid, loss, magnetization = oracle.sweep(tau)
        assert found["reward"][sweep] == pytest.approx(paid, abs=1e-12)
        assert found["loss"][sweep] == pytest.approx(loss, abs=1e-12)
        assert found["total"][sweep] == round(magnetization * lattice.n_sites)
        bonds = oracles.bond_sums(model, oracle.spins)
        assert sums[sweep, :-1].tolist() == [*bonds, found["total"][sweep]]
    np.testing.assert_allclose(learner.q[0], oracle.q, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(learner.visits[0], oracle.visits)
    np.testing.assert_allclose(learner.table_loss[0], oracle.table_loss, rtol=1e-9, atol=1e-12)
    assert learner.spins(0).ravel().tolist() == oracle.spins
    assert [int(word) for word in learner._agents.state[0]] == oracle.random.state


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("discount", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("name", LATTICES)
def test_mean_field_agents(name, discount, schedule):
    check(LATTICES[name], MeanFieldQ("mean", discount, 0.3), schedule)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("discount", [0.0, 0.6])
@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [
        ("square", IndependentQ, {}),
        ("free", IndependentQ, {}),
        ("square", NeighborhoodQ, {}),
        ("ring", NeighborhoodQ, {}),
        ("ring", JointQ, {}),
        ("pair", JointQ, {}),
        ("square", MeanFieldQ, {"neighbors_seen": 0}),
        ("square", MeanFieldQ, {"neighbors_seen": 2}),
        ("cubic", MeanFieldQ, {"neighbors_seen": 3}),
        ("moore", MeanFieldQ, {"neighbors_seen": 8}),
    ],
)
def test_views_and_tables_of_every_site(name, kind, settings, discount, shared, schedule):
    check(LATTICES[name], kind("half", discount, 0.2, shared=shared, **settings), schedule)


def test_joint_agents_of_a_free_boundary():
    lattice = Lattice((2, 3), boundary="free")
    check(lattice, JointQ(learning_rate=0.2, shared=False), "checkerboard")


def agents(kind, **options):
    """Any agent of a kind that learns online."""
    return st.builds(
        kind,
        reward=st.sampled_from(["energy", "half", "mean"]),
        discount=st.sampled_from([0.0, 0.3, 0.9]),
        learning_rate=st.sampled_from([0.01, 0.5, 1.0]),
        shared=st.booleans(),
        epsilon=st.sampled_from([0.0, 0.2, 1.0]),
        next_value=st.sampled_from(["softmax", "max"]),
        target_interval=st.sampled_from([None, 1, 3]),
        inner_iterations=st.integers(1, 3),
        reward_time=st.sampled_from(["before", "after"]),
        falling_rate=st.booleans(),
        **options,
    )


PERIODIC = [name for name, lattice in LATTICES.items() if lattice.periodic]


@settings(max_examples=100)
@given(
    lives=st.one_of(
        st.tuples(st.sampled_from(sorted(LATTICES)), agents(MeanFieldQ) | agents(IndependentQ)),
        st.tuples(
            st.sampled_from(PERIODIC),
            agents(MeanFieldQ, neighbors_seen=st.integers(0, 2)) | agents(NeighborhoodQ),
        ),
        st.tuples(st.sampled_from(["pair", "ring"]), agents(JointQ)),
    ),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    seed=st.integers(0, 2**32),
    tau=st.sampled_from([0.0, 0.4, 2.0, float("inf")]),
    unequal=st.booleans(),
)
def test_every_way_to_learn(lives, schedule, seed, tau, unequal):
    name, agent = lives
    steps = range(len(LATTICES[name].forward_offsets))
    coupling = [(0.9, -0.4)[step % 2] for step in steps] if unequal else 0.9
    check(LATTICES[name], agent, schedule, seed, tau, coupling)


class Listener(Learner):
    """Keeps what each sweep gathered, and learns nothing but a drift of all values."""

    def _fit(self, rate):
        self.heard.append([array.copy() for array in self._gathered])
        self.q[:] += 0.05 * np.arange(self.q.size).reshape(self.q.shape) / self.q.size


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    "agent",
    [
        MeanFieldQ("half", network=(3,)),
        MeanFieldQ("half", 0.7, network=(3,), shared=False),
        MeanFieldQ("half", 0.7, network=(3,), next_value="max", target_interval=4),
        NeighborhoodQ("half", 0.7, network=(3,), reward_time="after", inner_iterations=2),
        MeanFieldQ("half", replay=7, batch_size=5),
        MeanFieldQ("half", 0.7, replay=30, batch_size=5, target_interval=3),
        MeanFieldQ("half", 0.7, replay=3, batch_size=4, shared=False, epsilon=0.1),
        NeighborhoodQ("half", 0.7, network=(3,), replay=20, batch_size=5),
    ],
)  # fmt: skip
def test_what_is_gathered(agent, schedule):
    model = Ising(LATTICES["square"], 0.9, 0.2)
    check_gathered(model, (-1, 1), oracles.Learners, agent, schedule)


def check_gathered(model, spins, oracle_of, agent, schedule):
    generator = np.random.default_rng(3)
    values = np.array(spins, dtype=model.values.dtype)
    start = generator.choice(values, size=(1, *model.lattice.shape))
    learner = Listener(model, agent, start, 1, schedule, generator)
    learner.heard = []
    random = oracles.Random(learner._agents.state[0])
    oracle = oracle_of(start.ravel().tolist(), model, agent, schedule, random)
    taus = np.linspace(3.0, 1.0, SWEEPS)
    learner.advance(taus[None])
    drift = 0.05 * np.arange(learner.q.size).reshape(learner.shape[1:]) / learner.q.size
    for sweep, tau in enumerate(taus):
        oracle.sweep(tau)
        number, target, square = (np.zeros(learner.shape[1:]) for _ in range(3))
        for table, seen, action, wanted in oracle.gathered:
            number[table, seen, action] += 1
            target[table, seen, action] += wanted
            square[table, seen, action] += wanted**2
        for found, expected in zip(learner.heard[sweep], (number, target, square), strict=True):
            np.testing.assert_allclose(found[0], expected, rtol=1e-9, atol=1e-12)
        oracle.q = (np.array(oracle.q) + drift).tolist()
    assert learner.spins(0).ravel().tolist() == oracle.spins
    assert [int(word) for word in learner._agents.state[0]] == oracle.random.state


def check_states(model, agent, schedule, seed=1, tau=1.5):
    """As `check`, for a Potts model and any agent that learns online."""
    generator = np.random.default_rng(seed)
    start = generator.integers(model.states, size=(1, *model.lattice.shape), dtype=np.uint8)
    learner = make_learner(model, agent, start, 1, schedule, generator)
    random = oracles.Random(learner._agents.state[0])
    oracle = oracles.PottsLearners(start.ravel().tolist(), model, agent, schedule, random)
    taus = tau * np.linspace(3, 1, SWEEPS)[None]
    history = learner.advance(taus, interval=1)
    for sweep, tau in enumerate(taus[0]):
        paid, loss, _ = oracle.sweep(tau)
        assert history.reward[0, sweep] == pytest.approx(paid, abs=1e-12)
        assert history.loss[0, sweep] == pytest.approx(loss, abs=1e-12)
        counts = np.bincount(oracle.spins, minlength=model.states)
        np.testing.assert_array_equal(history.total[0, sweep], counts)
        energy = model.energy(np.reshape(oracle.spins, model.lattice.shape))
        measured = model.named_sums(history.sums[0, sweep])
        found = model.energy_of_sums(measured["bonds"], measured["totals"])
        assert found == pytest.approx(energy, abs=1e-12)
    np.testing.assert_allclose(learner.q[0], oracle.q, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(learner.visits[0], oracle.visits)
    np.testing.assert_allclose(learner.table_loss[0], oracle.table_loss, rtol=1e-9, atol=1e-12)
    assert learner.spins(0).ravel().tolist() == oracle.spins
    assert [int(word) for word in learner._agents.state[0]] == oracle.random.state


@settings(max_examples=40)
@given(
    lives=st.one_of(
        st.tuples(st.sampled_from(sorted(LATTICES)), agents(MeanFieldQ) | agents(IndependentQ)),
        st.tuples(
            st.sampled_from([name for name in PERIODIC if "moore" not in name]),
            agents(MeanFieldQ, neighbors_seen=st.integers(0, 2)) | agents(NeighborhoodQ),
        ),
        st.tuples(st.sampled_from(["pair", "ring"]), agents(JointQ)),
    ),
    states=st.sampled_from([2, 3, 4]),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    seed=st.integers(0, 2**32),
    tau=st.sampled_from([0.0, 0.4, 2.0, float("inf")]),
    unequal=st.booleans(),
)
def test_every_way_to_learn_with_many_actions(lives, states, schedule, seed, tau, unequal):
    name, agent = lives
    steps = range(len(LATTICES[name].forward_offsets))
    coupling = [(0.75, -0.5)[step % 2] for step in steps] if unequal else 0.75
    check_states(Potts(LATTICES[name], states, coupling, 0.25), agent, schedule, seed, tau)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    "agent",
    [
        MeanFieldQ("half", 0.7, network=(3,), next_value="max", target_interval=4),
        NeighborhoodQ("half", 0.7, network=(3,), reward_time="after", inner_iterations=2),
        MeanFieldQ("half", 0.7, replay=30, batch_size=5, target_interval=3),
        MeanFieldQ("half", 0.7, replay=3, batch_size=4, shared=False, epsilon=0.1),
    ],
)
def test_what_is_gathered_of_many_actions(agent, schedule):
    lattice, q = LATTICES["square"], 3
    check_gathered(Potts(lattice, q, 0.75, 0.25), range(q), oracles.PottsLearners, agent, schedule)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_loss_of_what_was_gathered_is_that_of_the_experiences(seed):
    rng = np.random.default_rng(seed)
    experiences = [
        (rng.integers(2), rng.integers(3), rng.integers(2), rng.normal()) for _ in range(20)
    ]
    q = rng.normal(size=(1, 2, 3, 2))
    gathered = [np.zeros_like(q) for _ in range(3)]
    errors = [[], []]
    for table, seen, action, target in experiences:
        for power, array in enumerate(gathered):
            array[0, table, seen, action] += target**power
        errors[table].append((target - q[0, table, seen, action]) ** 2)
    expected = [np.mean(each) if each else 0.0 for each in errors]
    np.testing.assert_allclose(gathered_loss(gathered, q)[0], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    "options",
    [
        # Without a discount all targets of an entry are the same, and the order tells nothing.
        {"learning_rate": 0.2, "falling_rate": False},
        {"learning_rate": 0.2},
        # A rate of 1/k makes means, in any order.
        {"learning_rate": 1e-12, "reward_time": "after"},
        {"learning_rate": 1e-12, "reward_time": "after", "shared": False},
    ],
)
def test_tables_that_learn_from_a_memory_move_as_by_single_updates(options, schedule):
    agent = MeanFieldQ("half", replay=5, batch_size=6, **options)
    model = Ising(LATTICES["square"], 0.9, 0.2)
    learner, oracle, taus = pair(model, agent, schedule)
    for tau in taus[0]:
        learner.advance(np.array([[tau]]))
        oracle.sweep(tau)
        for table, seen, action, target in oracle.gathered:
            oracle.improve(table, seen, action, target)
        np.testing.assert_allclose(learner.q[0], oracle.q, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(learner.visits[0], oracle.visits)
