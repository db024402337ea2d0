"""Environments of the Potts model: q actions, observations by state, tables of policies."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import isingrl as irl
from analysis import exact
from isingrl.agents import REWARDS
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS
from isingrl.tables import states_seen
from tests.statistical import Z_LIMIT, z_of_chains

pytest.importorskip("pettingzoo")

from isingrl.envs import IsingEnv, IsingVectorEnv
from tests.isingrl.envs.oracles import PottsGame

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of its own old ways
    from pettingzoo.test import parallel_api_test, parallel_seed_test

MODEL = irl.Potts(irl.Lattice((4, 6)), 3)
OBSERVATIONS = ("mean-action", "configuration", "window")


@pytest.mark.parametrize("schedule", ["checkerboard", "synchronous"])
@pytest.mark.parametrize("observation", OBSERVATIONS)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_pettingzoo_s_own_tests(boundary, observation, schedule):
    def make(max_steps=9):
        model = irl.Potts(irl.Lattice((3, 4), boundary=boundary), 3)
        return IsingEnv(model, observation=observation, schedule=schedule, max_steps=max_steps)

    parallel_api_test(make(), num_cycles=20)
    parallel_seed_test(make, num_cycles=9)


@st.composite
def games(draw):
    """Arguments of an environment."""
    shape = draw(st.sampled_from([(2,), (7,), (2, 5), (3, 4), (2, 3, 2)]))
    lattice = irl.Lattice(
        shape, draw(st.sampled_from(NEIGHBORHOODS)), draw(st.sampled_from(BOUNDARIES))
    )
    reward, q = draw(st.sampled_from(list(REWARDS))), draw(st.sampled_from([2, 3, 5]))
    model = irl.Potts(lattice, q)
    if REWARDS[reward].knows_model:
        numbers = st.floats(-2, 2, allow_nan=False)
        model = irl.Potts(lattice, q, draw(numbers), draw(numbers))
    schedule = draw(st.sampled_from(["checkerboard", "synchronous"]))
    times = ["before", "after"] if schedule == "synchronous" else ["before"]
    observation = draw(st.sampled_from(OBSERVATIONS))
    options = {
        "observation": observation,
        "radius": draw(st.sampled_from([1, 2])) if observation == "window" else None,
        "reward": reward,
        "reward_time": draw(st.sampled_from(times)),
        "schedule": schedule,
    }
    return model, options, draw(st.integers(0, 2**32))


@settings(max_examples=30)
@given(games())
def test_every_step_is_that_of_the_oracle(game):
    model, options, seed = game
    env, vector = IsingEnv(model, **options), IsingVectorEnv(model, 2, **options)
    observations, infos = env.reset(seed=seed)
    vector.reset(options={"start": env.state()})
    oracle = PottsGame(model, env.state().ravel(), **options)
    generator = np.random.default_rng(seed)
    for _ in range(4):
        for site, agent in enumerate(env.agents):
            seen = np.ravel(observations[agent])
            np.testing.assert_allclose(seen, oracle.observe(site), rtol=1e-6)
            assert env.observation_space(agent).contains(observations[agent])
            assert infos[agent] == {"acts": oracle.acts(site)}
        assert env.state_space.contains(env.state())
        actions = generator.integers(0, model.states, len(env.agents))
        chosen = dict(zip(env.agents, actions.tolist(), strict=True))
        observations, rewards, *_, infos = env.step(chosen)
        expected = oracle.step(actions.tolist())
        np.testing.assert_array_equal(env.state().ravel(), oracle.spins)
        np.testing.assert_allclose(list(rewards.values()), expected, rtol=1e-13, atol=1e-13)
        shown, paid, *_ = vector.step(np.tile(actions, 2))
        assert vector.observation_space.contains(shown)
        np.testing.assert_array_equal(vector.spins, [env.state()] * 2)
        np.testing.assert_array_equal(paid, list(rewards.values()) * 2)
        np.testing.assert_array_equal(shown[: len(actions)], list(observations.values()))


@settings(max_examples=20)
@given(games())
def test_tables_do_what_their_policy_does(game):
    model, options, seed = game
    env, q = IsingVectorEnv(model, 2, **options), model.states
    shape = env.single_observation_space.shape
    sites = int(np.prod(shape)) // q
    if options["observation"] != "mean-action" and q**sites > 2**16:
        with pytest.raises(ValueError, match=rf"at most 65,536 values, .* has {q}\^\d+"):
            env.rule(np.zeros, 2.0)
        return
    if q**sites > 5000:  # it would take long
        return
    weights = 3 * np.random.default_rng(seed).normal(size=(2, q, np.prod(shape)))

    def policy(observations):
        flat = observations.reshape(len(observations), -1)
        chances = np.exp(np.einsum("tqk,nk->tnq", weights, flat))
        return chances / chances.sum(axis=-1, keepdims=True)

    T = [2.0, 3.0]
    rule = env.rule(policy, T)
    observations, _ = env.reset(seed=seed)
    expected = policy(observations).reshape(2, 2, model.lattice.n_sites, q)
    table = rule.potts_table(model, np.array(T))
    seen, codes, index = table.view(model.lattice)
    padded = np.pad(env.spins.reshape(2, -1), ((0, 0), (0, 1)), constant_values=q)
    states = index[states_seen(padded, seen, codes)]
    own = np.arange(model.lattice.n_sites) if table.chances.shape[1] > 1 else 0
    np.testing.assert_allclose(table.chances[:, own, states], expected, atol=1e-6)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_trained_policy_comes_back(boundary):
    model = irl.Potts(irl.Lattice((4, 6), boundary=boundary), 3, 1.0, 0.1)
    T = np.array([0.8, 1.2])
    policy = irl.train(model, irl.MeanFieldQ("mean"), T, sweeps=30, seed=1)
    chances = policy.potts_table(model, T).chances[:, 0]
    rule = IsingEnv(model).rule(lambda observations: chances, T)
    larger = irl.Potts(irl.Lattice((8, 6), boundary=boundary), 3, 1.0, 0.1)
    for where in (model, larger):
        options = {"sweeps": 20, "chains": 2, "seed": 4, "snapshots": 2}
        own, back = (irl.simulate(where, each, **options) for each in (policy, rule))
        np.testing.assert_array_equal(own["spins"], back["spins"])
    assert back.attrs["observation"] == "mean-action"


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_the_heat_bath_by_what_is_seen_may_be_tempered(observation):
    model, T = irl.Potts(irl.Lattice((3, 3)), 2, 1.0, 0.2), np.array([0.8, 1.5])

    def heat_bath(observations):
        numbers = 4 * observations
        if observation == "configuration":
            numbers = observations.sum(axis=1)
        if observation == "window":
            numbers = observations[:, [0, 1, 1, 2], [1, 0, 2, 1]].sum(axis=1)
        weights = np.exp((numbers + np.array([0.2, 0.0])) / T[:, None, None])
        return weights / weights.sum(axis=-1, keepdims=True)

    rule = IsingEnv(model, observation=observation).rule(heat_bath, T)
    data = irl.simulate(
        model, irl.Tempering(rule), sweeps=800, interval=2, thermalization=50, chains=32, seed=1
    )
    known = exact.enumeration(model, T)
    for place in range(2):
        found = data["energy"][place].mean("draw")
        assert abs(z_of_chains(found, float(known["energy"][place]))) < Z_LIMIT


def test_agents_that_answer_as_the_heat_bath_sample_the_model():
    model, T, steps = irl.Potts(irl.Lattice((3, 4)), 3, 1.0, 0.2), 1.1, 1200
    env = IsingVectorEnv(model, copies=32)
    generator = np.random.default_rng(1)
    observations, _ = env.reset(seed=2)
    energy = np.zeros(32)
    for step in range(-100, steps):
        weights = np.exp((4 * observations + [0.2, 0.0, 0.0]) / T)
        passed = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)[:, :-1]
        actions = (generator.random((len(passed), 1)) >= passed).sum(axis=1)
        observations, *_ = env.step(actions)
        if step >= 0:
            energy += model.energy(env.spins) / steps
    expected = float(exact.enumeration(model, T)["energy"][0])
    assert abs(z_of_chains(energy, expected)) < Z_LIMIT


def test_spaces_starts_and_temperatures():
    env = IsingVectorEnv(MODEL, 2, observation="configuration")
    assert env.single_action_space.n == 3
    assert env.single_observation_space.shape == (4, 3)
    seen, _ = env.reset(options={"start": "ordered"})
    assert (env.spins == 0).all()
    assert (seen == [1.0, 0.0, 0.0]).all()
    with pytest.raises(ValueError, match=r"start must be .*; got 'up'"):
        env.reset(options={"start": "up"})
    for name, reward in REWARDS.items():
        found = IsingEnv(MODEL, reward=name).softmax_temperature([2.0])
        assert found.tolist() == [2.0 / reward.ratio(MODEL)]


def test_pictures():
    states = np.arange(24).reshape(4, 6) % 3
    env = IsingEnv(MODEL, render_mode="ansi")
    env.reset(options={"start": states})
    assert env.render().splitlines() == ["012012"] * 4
    many = IsingEnv(irl.Potts(irl.Lattice((2, 2, 2)), 12), render_mode="ansi")
    many.reset(options={"start": [[[0, 1], [2, 3]], [[4, 5], [10, 11]]]})
    assert many.render().splitlines() == [" 0  2     1  3", " 4 10     5 11"]
    env = IsingEnv(MODEL, render_mode="rgb_array")
    env.reset(options={"start": states})
    image = env.render()
    assert image.dtype == np.uint8
    assert len(np.unique(image.reshape(-1, 3), axis=0)) == 3


def test_wrong_actions_and_policies_are_named():
    env = IsingEnv(MODEL)
    env.reset(seed=1)
    for wrong in (3, -1, 0.5):
        with pytest.raises(ValueError, match=rf"actions must be the states 0 to 2, .*{wrong}"):
            env.step(dict.fromkeys(env.agents, 1) | {"site_0_1": wrong})
    with pytest.raises(ValueError, match="must be an integer from 0 to 2 for every agent"):
        env.step(dict.fromkeys(env.agents, np.array([1, 2])))
    with pytest.raises(ValueError, match="actions must be the states 0 to 2, integers"):
        env.step(dict.fromkeys(env.agents, "1"))
    for policy, message in [
        (lambda o: np.full(15, 0.5), r"numbers of the shape \(15, 3\)"),
        (lambda o: np.full((15, 3), 0.5), "probabilities of all states that add up to 1; .* 1.5"),
        (lambda o: np.full((15, 3), [1.5, -0.5, 0.0]), "probabilities, 0 to 1; got 1.5"),
    ]:
        with pytest.raises(ValueError, match=f"probability_up must return {message}"):
            env.rule(policy, 1.0)
    free = irl.Potts(irl.Lattice((3, 3), boundary="free"), 3)
    rule = IsingEnv(free).rule(lambda o: np.full((len(o), 3), 1 / 3), 1.0)
    irl.simulate(irl.Potts(irl.Lattice((4, 5), boundary="free"), 3), rule, sweeps=2)
    with pytest.raises(TypeError, match="for which potts_table makes one"):
        rule.compile(free, np.array([1.0]))
    with pytest.raises(ValueError, match=r"sites with \(2, 3, 4\) neighbours, .*; got \(2,\)"):
        irl.simulate(irl.Potts(irl.Lattice((2, 2), boundary="free"), 3), rule, sweeps=2)
    with pytest.raises(ValueError, match="number of states"):
        irl.simulate(irl.Potts(free.lattice, 4), rule, sweeps=2)
