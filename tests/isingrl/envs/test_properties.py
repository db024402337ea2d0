"""Environments and tables against slow oracles, on any small lattice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isingrl import Ising, Lattice
from isingrl.agents import REWARDS
from isingrl.envs import IsingEnv, IsingVectorEnv
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS
from tests.isingrl.envs.oracles import Game

SHAPES = [(2,), (3,), (7,), (2, 2), (2, 5), (3, 4), (5, 5), (2, 3, 4), (3, 3, 3)]


@st.composite
def games(draw):
    """Arguments of an environment, with which the reward and the time of the reward go."""
    lattice = Lattice(
        draw(st.sampled_from(SHAPES)),
        draw(st.sampled_from(NEIGHBORHOODS)),
        draw(st.sampled_from(BOUNDARIES)),
    )
    reward = draw(st.sampled_from(list(REWARDS)))
    numbers = st.floats(-2, 2, allow_nan=False)
    model = Ising(lattice)
    if REWARDS[reward].knows_model:
        model = Ising(lattice, draw(numbers), draw(numbers))
    schedule = draw(st.sampled_from(["checkerboard", "synchronous"]))
    times = ["before", "after"] if schedule == "synchronous" else ["before"]
    observation = draw(st.sampled_from(["mean-action", "configuration", "window"]))
    radius = draw(st.sampled_from([1, 2])) if observation == "window" else None
    options = {
        "observation": observation,
        "radius": radius,
        "reward": reward,
        "reward_time": draw(st.sampled_from(times)),
        "schedule": schedule,
    }
    return model, options, draw(st.integers(0, 2**32))


@settings(max_examples=80)
@given(games())
def test_every_step_is_that_of_the_oracle(game):
    model, options, seed = game
    env = IsingEnv(model, **options)
    observations, infos = env.reset(seed=seed)
    oracle = Game(model, env.state().ravel(), **options)
    generator = np.random.default_rng(seed)
    for _ in range(4):
        for site, agent in enumerate(env.agents):
            seen = np.ravel(observations[agent])
            np.testing.assert_array_equal(seen, np.float32(oracle.observe(site)))
            assert env.observation_space(agent).contains(observations[agent])
            assert infos[agent] == {"acts": oracle.acts(site)}
        actions = generator.integers(0, 2, len(env.agents)).tolist()
        before = env.state()
        observations, rewards, *_, infos = env.step(dict(zip(env.agents, actions, strict=True)))
        expected = oracle.step(actions)
        np.testing.assert_array_equal(env.state().ravel(), oracle.spins)
        np.testing.assert_allclose(list(rewards.values()), expected, rtol=1e-13, atol=1e-13)
        if (options["reward"], options["schedule"]) == ("energy", "checkerboard"):
            check_energy(model, before, env.state(), rewards)


def check_energy(model, before, after, rewards):
    """What those who turned were paid for it, twice a (J S + h), is what the energy lost."""
    turned = (before != after).ravel()
    lost = model.lattice.n_sites * (model.energy(before) - model.energy(after))
    paid = 2 * np.array(list(rewards.values()))[turned].sum()
    np.testing.assert_allclose(lost, paid, rtol=0, atol=1e-10)


@settings(max_examples=40)
@given(games(), st.integers(1, 3))
def test_copies_are_environments_side_by_side(game, copies):
    model, options, seed = game
    vector = IsingVectorEnv(model, copies, max_steps=3, **options)
    generator = np.random.default_rng(seed)
    starts = generator.choice([-1, 1], (copies, *model.lattice.shape))
    seen, infos = vector.reset(options={"start": starts})
    single = [IsingEnv(model, **options) for _ in range(copies)]
    found = [env.reset(options={"start": start}) for env, start in zip(single, starts, strict=True)]
    assert vector.observation_space.contains(seen)
    np.testing.assert_array_equal(seen, stacked(each[0] for each in found))
    for step in range(3):
        np.testing.assert_array_equal(vector.spins, [env.state() for env in single])
        acts = [info["acts"] for each in found for info in each[-1].values()]
        np.testing.assert_array_equal(infos["acts"], acts)
        actions = generator.integers(0, 2, (copies, model.lattice.n_sites))
        found = [
            env.step(dict(zip(env.possible_agents, each, strict=True)))
            for env, each in zip(single, actions, strict=True)
        ]
        seen, rewards, terminated, truncated, infos = vector.step(actions.ravel())
        last = infos["final_obs"] if step == 2 else seen
        np.testing.assert_array_equal(last, stacked(each[0] for each in found))
        paid = [reward for each in found for reward in each[1].values()]
        np.testing.assert_array_equal(rewards, paid)
        assert not terminated.any()
        assert (truncated == (step == 2)).all()


def stacked(dictionaries):
    return np.stack([value for each in dictionaries for value in each.values()])


@settings(max_examples=60)
@given(games())
def test_tables_do_what_their_policy_does(game):
    model, options, seed = game
    env = IsingVectorEnv(model, 2, **options)
    shape = env.single_observation_space.shape
    if np.prod(shape) > 16:
        with pytest.raises(ValueError, match=r"at most 65,536 values, .* has 2\^\d+"):
            env.rule(np.zeros, 2.0)
        return
    weights = 7 * np.random.default_rng(seed).normal(size=(3, np.prod(shape)))

    def policy(observations):
        return 0.5 + 0.5 * np.sin(weights @ observations.reshape(len(observations), -1).T)

    T = [2.0, 3.0, 1.0]
    rule = env.rule(policy, T)
    observations, _ = env.reset(seed=seed)
    expected = policy(observations).reshape(3, 2, -1)
    table = rule.compile(model, np.array(T[::-1]), 2)
    found = table.probabilities(model.lattice, env.spins.reshape(2, -1))
    np.testing.assert_allclose(found[::2], expected[::-1], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(found[::2], found[1::2])
