"""Wrong arguments of agents, their training and their learning are named before any work."""

import json
import math

import numpy as np
import pytest

import isingrl.agents.training
import isingrl.simulation
from isingrl import HeatBath, Ising, Lattice, Learning, MeanFieldQ, Metropolis, simulate, train
from isingrl.agents import IndependentQ, JointQ, NeighborhoodQ, Network

MODEL = Ising(Lattice((2, 3)))
KINDS = (IndependentQ, JointQ, MeanFieldQ, NeighborhoodQ)
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
POLICY = train(MODEL, IndependentQ(), [2.0, 3.0], chains=2, sweeps=5, seed=1)


@pytest.fixture(autouse=True)
def no_work(monkeypatch):
    """Fail where work begins."""

    def refuse(*args, **options):
        raise AssertionError("work began before the arguments were checked")

    monkeypatch.setattr(isingrl.rules, "table_engine", refuse)
    monkeypatch.setattr("isingrl.engines.learning.make_learner", refuse)
    monkeypatch.setattr(isingrl.agents.training, "make_learner", refuse)


REALS = [
    (-0.1, ValueError), (1.1, ValueError), (math.nan, ValueError), (-math.inf, ValueError),
    ("0.5", TypeError), (None, TypeError), (True, TypeError), ([0.5], TypeError),
]  # fmt: skip
COUNTS = [
    (0, ValueError), (-1, ValueError), (1.5, TypeError), ("1", TypeError), (True, TypeError),
    ([1], TypeError), (math.inf, TypeError),
]  # fmt: skip
FLAGS = [(value, TypeError) for value in (0, 1, None, "yes", np.bool_(True))]
WRONG = {
    "discount": REALS,
    "epsilon": REALS,
    "learning_rate": [*REALS, (0, ValueError), (0.0, ValueError)],
    "target_interval": COUNTS,
    "inner_iterations": [*COUNTS, (None, TypeError)],
    "replay": COUNTS,
    "batch_size": COUNTS,
    "shared": FLAGS,
    "falling_rate": FLAGS,
    "reward": [(value, ValueError) for value in ("Energy", "", "yang", None, 1, ["energy"])],
    "next_value": [(value, ValueError) for value in ("mean", "Max", None, 1)],
    "reward_time": [(value, ValueError) for value in ("now", "", None, 1)],
}


@every_kind
@pytest.mark.parametrize(
    ("name", "value", "error"),
    [(name, value, error) for name, cases in WRONG.items() for value, error in cases],
    ids=repr,
)
def test_arguments_of_agents(kind, name, value, error):
    if name == "learning_rate" and value is None:
        assert kind(learning_rate=None).learning_rate == 0.1
        return
    together = {"replay": 5, "batch_size": 5} if name in ("replay", "batch_size") else {}
    with pytest.raises(error, match=rf"{name} must .*; got "):
        kind(**{**together, name: value})


@every_kind
def test_a_memory_and_its_batch_come_together(kind):
    message = r"replay and batch_size must be given together; got replay = {} and batch_size = {}"
    with pytest.raises(ValueError, match=message.format(5, None)):
        kind(replay=5)
    with pytest.raises(ValueError, match=message.format(None, 4)):
        kind(batch_size=4)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"hidden": 10}, TypeError, r"hidden must be a sequence of widths; got 10"),
        ({"hidden": "10"}, TypeError, r"hidden must be a sequence of widths; got '10'"),
        ({"hidden": None}, TypeError, r"hidden must be a sequence of widths; got None"),
        ({"hidden": (5, 0)}, ValueError, r"hidden: a width must be .* at least 1; got 0"),
        ({"hidden": (-3,)}, ValueError, r"hidden: a width must be .* at least 1; got -3"),
        ({"hidden": (2.5,)}, TypeError, r"hidden: a width must be an integer .*; got 2.5"),
        ({"hidden": (True,)}, TypeError, r"hidden: a width must be an integer .*; got True"),
        ({"activation": "gelu"}, ValueError, r"activation must be one of 'elu', .*; got 'gelu'"),
        ({"activation": None}, ValueError, r"activation must be one of 'elu', .*; got None"),
        ({"output": "softmax"}, ValueError, r"output must be one of 'elu', .*; got 'softmax'"),
        ({"bias": True}, ValueError, r"bias must be one of 'learned', 'one'; got True"),
        ({"optimizer": "adam"}, ValueError, r"optimizer must be one of .*'Adam'.*; got 'adam'"),
        ({"optimizer": "LBFGS"}, ValueError, r"optimizer must be one of .*; got 'LBFGS'"),
    ],
)
def test_arguments_of_networks(arguments, error, message):
    with pytest.raises(error, match=message):
        Network(**arguments)


@every_kind
@pytest.mark.parametrize("network", [10, "10", {10: 10}, 2.5], ids=repr)
def test_a_network_is_one_or_its_widths(kind, network):
    with pytest.raises(TypeError, match=r"hidden must be a sequence of widths; got"):
        kind(network=network)


@pytest.mark.parametrize("length", [0, 4, 6])
def test_annealing_has_a_temperature_for_every_sweep(length):
    message = r"annealing must be a number or .* of the shape \(5,\) or \(2, 5\); got "
    for shape in [(length,), (2, length), (1, length)]:
        with pytest.raises(ValueError, match=message):
            train(MODEL, MeanFieldQ(), [2.0, 3.0], sweeps=5, annealing=np.ones(shape))
    with pytest.raises(ValueError, match=message):
        train(MODEL, MeanFieldQ(), [2.0, 3.0], sweeps=5, annealing=np.ones((3, 5)))


@pytest.mark.parametrize("bad", [-1.0, -1e-300, math.nan, -math.inf, "1", None, 1j])
def test_annealing_has_no_negative_temperatures(bad):
    taus = [3.0, 2.0, bad, 1.0, 1.0]
    with pytest.raises(ValueError, match=r"annealing must be .* non-negative softmax temp"):
        train(MODEL, MeanFieldQ(), 2.0, sweeps=5, annealing=taus)


@pytest.mark.parametrize(
    ("share", "error"),
    [
        (-0.1, ValueError), (1.1, ValueError), (math.nan, ValueError), (math.inf, ValueError),
        ("0.5", TypeError), (True, TypeError),
    ],
    ids=repr,
)  # fmt: skip
def test_annealing_is_a_share(share, error):
    with pytest.raises(error, match=r"annealing must .*; got"):
        train(MODEL, MeanFieldQ(), 2.0, sweeps=5, annealing=share)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("snapshots", 6, ValueError), ("snapshots", -1, ValueError), ("snapshots", 1.5, TypeError),
        ("snapshots", True, TypeError), ("chains", 0, ValueError), ("chains", 2.5, TypeError),
    ],
    ids=repr,
)  # fmt: skip
def test_integers_of_training(name, value, error):
    with pytest.raises(error, match=rf"{name} must be .*; got {value}"):
        train(MODEL, MeanFieldQ(), 2.0, sweeps=5, **{name: value})


@every_kind
def test_agents_that_know_nothing_must_learn(kind):
    with pytest.raises(
        TypeError, match=r"got \w+Q\(.*agents are trained first, or run as Learning"
    ):
        simulate(MODEL, kind(), 2.0, sweeps=1)
    with pytest.raises(TypeError, match=r"temperature must be given for agents that learn; got"):
        simulate(MODEL, Learning(kind()), sweeps=1)


@pytest.mark.parametrize("temperature", [-1.0, math.nan, [2.0, 2.0], []], ids=repr)
def test_temperatures_of_agents_that_learn(temperature):
    with pytest.raises(ValueError, match=r"temperature must be .*; got"):
        simulate(MODEL, Learning(IndependentQ()), temperature, sweeps=1)


@pytest.mark.parametrize(
    "rule",
    [Metropolis(), HeatBath(), None, MeanFieldQ, "mean-field-q"],
    ids=["metropolis", "heat-bath", "none", "class", "name"],
)
def test_what_cannot_learn(rule):
    with pytest.raises(TypeError, match=r"agent must be an agent or a Policy to learn; got"):
        Learning(rule)


@pytest.mark.parametrize("learn", [False, True])
@pytest.mark.parametrize("chains", [1, 3, 4])
def test_chains_are_those_of_the_training(learn, chains):
    with pytest.raises(ValueError, match=rf"chains must be 2, .* trained; got {chains}"):
        simulate(MODEL, Learning(POLICY) if learn else POLICY, sweeps=1, chains=chains)


@pytest.mark.parametrize(
    ("agent", "lattice", "message"),
    [
        (JointQ(), Lattice((2, 3), boundary="free"), "shared must be False for JointQ"),
        (NeighborhoodQ(), Lattice((2, 3), boundary="free"), "boundary 'periodic'"),
        (NeighborhoodQ(), Lattice((3, 3, 3), "moore"), "sees 26 sites"),
        (JointQ(), Lattice((5, 5)), "sees 24 sites"),
        (MeanFieldQ(neighbors_seen=5), Lattice((4, 4)), "neighbors_seen must be 0 to 4"),
    ],
)
def test_lattices_that_agents_cannot_live_on(agent, lattice, message):
    model = Ising(lattice)
    with pytest.raises(ValueError, match=message):
        train(model, agent, 2.0)
    with pytest.raises(ValueError, match=message):
        simulate(model, Learning(agent), 2.0, sweeps=1)


@pytest.mark.parametrize("reward", ["chapter-1d", "chapter-2d"])
@every_kind
def test_rewards_that_know_no_field(kind, reward):
    model = Ising(Lattice((2, 3)), 1.0, 0.5)
    with pytest.raises(ValueError, match=rf"reward '{reward}' stands for coupling > 0"):
        simulate(model, Learning(kind(reward)), 2.0, sweeps=1)


@every_kind
def test_integers_of_numpy_are_integers(kind):
    three = np.int64(3)
    agent = kind(network=(three,), target_interval=three, replay=three, batch_size=three,
                 inner_iterations=three)  # fmt: skip
    plain = kind(network=(3,), target_interval=3, replay=3, batch_size=3, inner_iterations=3)
    assert agent == plain
    assert json.loads(agent.describe()["agent"]) == json.loads(plain.describe()["agent"])
    assert MeanFieldQ(neighbors_seen=three).describe() == MeanFieldQ(neighbors_seen=3).describe()
