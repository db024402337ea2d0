"""Policies that come back as tables: what they are asked, where they run, what is refused."""

import numpy as np
import pytest

from isingrl import HeatBath, Ising, Lattice, MeanFieldQ, NeighborhoodQ, simulate, train

pytest.importorskip("pettingzoo")

from isingrl.agents import Reward
from isingrl.envs import IsingEnv, IsingVectorEnv
from isingrl.testing import check_rule

MODEL = Ising(Lattice((4, 6)), 1.0, 0.1)
T = [2.0, 3.0]


def run(model, rule, **options):
    return simulate(model, rule, sweeps=20, chains=2, seed=4, snapshots=2, **options)


def half(observations):
    return np.full(len(observations), 0.5)


def test_a_policy_is_asked_once_about_each_observation():
    asked = []

    def policy(observations):
        asked.append(observations)
        return half(observations)

    IsingEnv(MODEL).rule(policy, 2.0)
    IsingVectorEnv(MODEL, observation="configuration").rule(policy, 2.0)
    IsingEnv(Ising(Lattice((3, 3), boundary="free"))).rule(policy, 2.0)
    mean, configurations, free = asked
    assert mean.dtype == np.float32
    np.testing.assert_array_equal(mean, np.linspace(0, 1, 5)[:, None])
    assert len(np.unique(configurations, axis=0)) == len(configurations) == 16
    np.testing.assert_array_equal(free, np.linspace(0, 1, 9)[:, None])


@pytest.mark.parametrize("boundary", ["periodic", "free"])
def test_the_table_of_a_trained_policy_comes_back_bit_for_bit(boundary):
    model = Ising(Lattice((4, 6), boundary=boundary), 1.0, 0.1)
    policy = train(model, MeanFieldQ("mean"), T, sweeps=30, seed=1)
    tables = policy.table(model, policy.temperature)[:, 0]

    def play(observations):
        return tables[:, np.rint(observations[:, 0] * (tables.shape[1] - 1)).astype(int)]

    rule = IsingEnv(model).rule(play, T)
    np.testing.assert_array_equal(rule.table(model, rule.temperature)[:, 0], tables)
    large = Ising(Lattice((8, 10), boundary=boundary), 1.0, 0.1)
    for where in (model, large):
        own, back = run(where, policy), run(where, rule)
        for name in ("energy", "magnetization", "spins"):
            np.testing.assert_array_equal(own[name], back[name])
    assert back.method == "policy"
    assert back.method == "policy"
    assert back.attrs["observation"] == "mean-action"
    assert run(model, rule, temperature=3.0).temperature == 3.0


def test_configurations_come_back_bit_for_bit():
    policy = train(MODEL, NeighborhoodQ(), T, sweeps=30, seed=1)
    tables = policy.compile(MODEL, policy.temperature).up[:, 0, 0]

    def play(observations):
        return tables[:, observations.astype(int) @ (1 << np.arange(4))]

    rule = IsingEnv(MODEL, observation="configuration").rule(play, T, name="neighbors")
    for model in (MODEL, Ising(Lattice((5, 7)), 1.0, 0.1)):
        own, back = run(model, policy), run(model, rule)
        np.testing.assert_array_equal(own.spins, back.spins)
    assert back.method == "neighbors"


@pytest.mark.parametrize("boundary", ["periodic", "free"])
@pytest.mark.parametrize("observation", ["configuration", "window"])
def test_heat_bath_by_all_that_is_seen_is_the_heat_bath(observation, boundary):
    """Sites at a free border have tables of their own; a window has the spin itself in it."""
    model = Ising(Lattice((5, 6), boundary=boundary), 1.0, 0.1)
    env = IsingEnv(model, observation=observation)

    def play(observations):
        if observation == "window":
            observations = observations[:, [0, 1, 1, 2], [1, 0, 2, 1]]
        field = model.coupling * (2 * observations - 1).sum(axis=1) + model.field
        return 1 / (1 + np.exp(-2 * field / 2.5))

    rule = env.rule(play, 2.5)
    engine = {"sweeps": 20, "chains": 2, "seed": 4, "schedule": "sequential", "snapshots": 3}
    own, back = (simulate(model, each, 2.5, **engine) for each in (HeatBath(), rule))
    np.testing.assert_array_equal(own.spins, back.spins)


def test_where_it_runs():
    rule = IsingEnv(MODEL).rule(lambda o: np.stack([half(o), half(o)]), T)
    with pytest.raises(ValueError, match="model must have the neighborhood that the policy was"):
        run(Ising(Lattice((4, 6), "moore"), 1.0, 0.1), rule)
    with pytest.raises(ValueError, match="model must have the field"):
        run(Ising(Lattice((4, 6))), rule)
    with pytest.raises(ValueError, match=r"temperature must be among those .*; got 4"):
        run(MODEL, rule, temperature=4.0)
    free = Ising(Lattice((4, 6), boundary="free"))
    rule = IsingEnv(free, observation="window").rule(half, 2.0)
    run(free, rule)
    with pytest.raises(ValueError, match=r"must have the shape .* \(4, 6\); got \(6, 6\)"):
        run(Ising(Lattice((6, 6), boundary="free")), rule)
    with pytest.raises(ValueError, match=r"observation must be 'mean-action' .*got 'window'"):
        rule.table(free, np.array([2.0]))


WRONG = {
    "shape": (lambda o: o, r"shape \(5,\) for observations of the shape \(5, 1\); got float32"),
    "scalar": (lambda o: 0.5, r"shape \(5,\) .*; got float64 of the shape \(\)"),
    "chance": (lambda o: np.full(5, 1.5), "probabilities, 0 to 1; got 1.5"),
    "nan": (lambda o: np.full(5, np.nan), "probabilities, 0 to 1; got nan"),
    "flags": (lambda o: np.ones(5, bool), r".*; got bool"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_policies_are_named(name):
    policy, message = WRONG[name]
    with pytest.raises(ValueError, match=f"probability_up must return (numbers of the )?{message}"):
        IsingEnv(MODEL).rule(policy, 2.0)


def test_wrong_arguments_are_named():
    env = IsingEnv(MODEL)
    with pytest.raises(ValueError, match=r"numbers of the shape \(2, 5\)"):
        env.rule(half, T)
    with pytest.raises(TypeError, match=r"probability_up must be a function .*; got 0\.5"):
        env.rule(0.5, 2.0)
    with pytest.raises(TypeError, match="temperature must be"):
        env.rule(half, "2")
    with pytest.raises(TypeError, match="name must be a name; got ''"):
        env.rule(half, 2.0, name="")
    path = Ising(Lattice(1024, boundary="free"))
    with pytest.raises(ValueError, match=r"2\^15, at each of 1,024 sites of its own"):
        IsingEnv(path, observation="window", radius=7).rule(half, 2.0)


def test_it_conforms_like_any_rule():
    check_rule(IsingVectorEnv(MODEL).rule(half, 1.0), MODEL, None)


def test_own_rewards_are_paid():
    double = Reward("2 a (J S + h)", lambda model, a: 2 * a * model.local_fields(), lambda _: 0.5)
    env = IsingVectorEnv(MODEL, reward=double)
    assert env.softmax_temperature([2.0]).tolist() == [4.0]
