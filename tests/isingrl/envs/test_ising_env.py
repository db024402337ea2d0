"""The PettingZoo environment: its API, names, starts, turns, pictures and errors."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from isingrl import Ising, Lattice
from isingrl.agents import REWARDS

pytest.importorskip("pettingzoo")

from isingrl.envs import IsingEnv

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of its own old ways
    from pettingzoo.test import parallel_api_test, parallel_seed_test

MODEL = Ising(Lattice((4, 6)))
LATTICES = {
    "ring": Lattice(5),
    "square": Lattice((3, 4)),
    "moore": Lattice((4, 4), "moore"),
    "free-3d": Lattice((2, 3, 2), boundary="free"),
}


def everyone(env, action):
    return dict.fromkeys(env.agents, action)


@pytest.mark.parametrize("schedule", ["checkerboard", "synchronous"])
@pytest.mark.parametrize("observation", ["mean-action", "configuration", "window"])
@pytest.mark.parametrize("name", LATTICES)
def test_pettingzoo_s_own_tests(name, observation, schedule):
    def make(max_steps=9):
        model = Ising(LATTICES[name])
        return IsingEnv(model, observation=observation, schedule=schedule, max_steps=max_steps)

    parallel_api_test(make(), num_cycles=20)
    parallel_api_test(make(max_steps=None), num_cycles=20)
    parallel_seed_test(make, num_cycles=9)


def test_agents_are_sites_by_coordinates_in_c_order():
    assert IsingEnv(Ising(Lattice(12))).possible_agents[-1] == "site_11"
    cube = IsingEnv(Ising(Lattice((2, 3, 2)))).possible_agents
    assert cube[:3] == ["site_0_0_0", "site_0_0_1", "site_0_1_0"]
    env = IsingEnv(MODEL, observation="window")
    spins = np.ones((4, 6), int)
    spins[2, 3] = -1
    observations, _ = env.reset(options={"start": spins})
    assert env.agents == env.possible_agents
    assert observations["site_2_3"].tolist() == [[1, 1, 1], [1, 0, 1], [1, 1, 1]]
    assert observations["site_3_4"].tolist() == [[0, 1, 1], [1, 1, 1], [1, 1, 1]]
    assert env.action_space("site_2_3").n == 2
    assert env.state_space.contains(env.state())


def test_starts_and_seeds():
    env = IsingEnv(MODEL)
    env.reset(seed=3)
    first = env.state()
    env.reset()
    second = env.state()
    env.reset(seed=3)
    np.testing.assert_array_equal(env.state(), first)
    env.reset()
    np.testing.assert_array_equal(env.state(), second)
    assert not np.array_equal(first, second)
    env.reset(options={"start": "up"})
    assert (env.state() == 1).all()
    env.reset(options={"start": "down"})
    assert (env.state() == -1).all()
    env.reset(options={"start": first, "other": 1})
    np.testing.assert_array_equal(env.state(), first)
    env.state()[:] = 0
    np.testing.assert_array_equal(env.state(), first)


def test_one_sublattice_after_the_other_moves():
    lattice = Lattice((3, 5))
    env = IsingEnv(Ising(lattice))
    _, infos = env.reset(options={"start": "up"})
    for turn in range(2 * lattice.n_sublattices):
        before = env.state()
        action = int(turn >= lattice.n_sublattices)
        acts = np.reshape([infos[agent]["acts"] for agent in env.agents], lattice.shape)
        np.testing.assert_array_equal(acts, lattice.sublattices == turn % lattice.n_sublattices)
        *_, infos = env.step(everyone(env, action))
        np.testing.assert_array_equal(env.state(), np.where(acts, 2 * action - 1, before))
    assert (env.state() == 1).all()


def test_answers_that_are_not_carried_out_are_paid_alike():
    env = IsingEnv(MODEL)
    env.reset(options={"start": "up"})
    _, rewards, _, _, _ = env.step(everyone(env, 0))
    assert set(rewards.values()) == {-4.0}


def test_the_reward_after_the_neighbours_moved():
    env = IsingEnv(MODEL, schedule="synchronous", reward_time="after")
    env.reset(options={"start": "up"})
    assert set(env.step(everyone(env, 0))[1].values()) == {4.0}


def test_all_are_truncated_together():
    env = IsingEnv(MODEL, max_steps=2)
    env.reset(seed=1)
    assert not any(env.step(everyone(env, 1))[3].values())
    observations, _, terminated, truncated, _ = env.step(everyone(env, 1))
    assert all(truncated.values())
    assert not any(terminated.values())
    assert observations.keys() == truncated.keys() == set(env.possible_agents)
    assert env.agents == []
    with pytest.raises(RuntimeError, match="reset"):
        env.step({})
    env.reset()
    assert env.agents == env.possible_agents


def test_pictures():
    spins = -np.ones((4, 6), int)
    spins[1, 2:] = 1
    env = IsingEnv(MODEL, render_mode="ansi")
    env.reset(options={"start": spins})
    assert env.render().splitlines() == ["······", "··████", "······", "······"]
    env = IsingEnv(MODEL, render_mode="rgb_array")
    env.reset(options={"start": spins})
    image = env.render()
    assert image.dtype == np.uint8
    assert image.shape == (4 * 43, 6 * 43, 3)
    dark = image.mean(axis=2) < 128
    np.testing.assert_array_equal(dark, np.kron(spins == 1, np.ones((43, 43), bool)))
    assert IsingEnv(MODEL).render() is None
    ring = IsingEnv(Ising(Lattice(500)), render_mode="rgb_array")
    ring.reset()
    assert ring.render().shape == (1, 500, 3)
    layers = IsingEnv(Ising(Lattice((2, 3, 2))), render_mode="ansi")
    spins = np.ones((2, 3, 2), int)
    spins[0, 1, 1] = -1
    layers.reset(options={"start": spins})
    assert layers.render() == "███ █·█\n███ ███"


def test_softmax_temperatures():
    T = np.array([2.0, 3.0])
    for name, reward in REWARDS.items():
        env = IsingEnv(MODEL, reward=name)
        expected = T / reward.temperature_ratio(MODEL)
        np.testing.assert_array_equal(env.softmax_temperature(T), expected)


WRONG = {
    "model": (
        {"model": Lattice((4, 4))},
        TypeError,
        "model must be an Ising or a Potts model",
    ),
    "observation": ({"observation": "all"}, ValueError, "observation must be one of 'mean-act"),
    "radius": ({"observation": "window", "radius": 0}, ValueError, "radius must be an integer"),
    "radius-alone": ({"radius": 1}, ValueError, "radius must be omitted unless .*; got 1 for"),
    "reward": ({"reward": "points"}, ValueError, "reward must be one of 'energy', .*; got 'poin"),
    "field": ({"model": Ising(Lattice(4), 1, 1), "reward": "chapter-1d"}, ValueError, "field = 1"),
    "time": ({"reward_time": "then"}, ValueError, "reward_time must be one of 'before', 'after'"),
    "after": ({"reward_time": "after"}, ValueError, "reward_time must be 'before' with the sch"),
    "schedule": ({"schedule": "sequential"}, ValueError, "schedule must be one of 'checkerboar"),
    "max_steps": ({"max_steps": 0}, ValueError, "max_steps must be an integer of at least 1"),
    "render_mode": ({"render_mode": "human"}, ValueError, "render_mode must be one of 'rgb_arr"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    options, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        IsingEnv(**({"model": MODEL} | options))


def test_wrong_starts_seeds_and_actions_are_named():
    env = IsingEnv(MODEL)
    with pytest.raises(RuntimeError, match="reset"):
        env.step({})
    with pytest.raises(ValueError, match="start must be one of"):
        env.reset(options={"start": "left"})
    with pytest.raises(ValueError, match="start must have shape"):
        env.reset(options={"start": np.ones(24, int)})
    with pytest.raises(ValueError, match="seed must be an integer of at least 0; got -1"):
        env.reset(seed=-1)
    env.reset(seed=1)
    before = env.state()
    with pytest.raises(TypeError, match="actions must be a dict by agent"):
        env.step([1] * 24)
    with pytest.raises(ValueError, match=r"each of the 24 agents; .*: site_0_0$"):
        env.step(dict.fromkeys(env.agents[1:], 1))
    with pytest.raises(ValueError, match="missing or unknown: site_9_9"):
        env.step(everyone(env, 1) | {"site_9_9": 1})
    for wrong in (2, -1, 0.5):
        with pytest.raises(ValueError, match=rf"actions must be 0 .* or 1 .*; got {wrong}"):
            env.step(everyone(env, 1) | {"site_0_1": wrong})
    np.testing.assert_array_equal(env.state(), before)


def test_libraries_are_loaded_when_they_are_asked_for():
    code = (
        "import sys, isingrl, isingrl.envs; from isingrl.envs import ObservedRule\n"
        "assert not {'gymnasium', 'pettingzoo'} & set(sys.modules)\n"
        "from isingrl.envs import IsingEnv\n"
        "assert {'gymnasium', 'pettingzoo'} <= set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("package", ["gymnasium", "pettingzoo"])
@pytest.mark.parametrize("name", ["IsingEnv", "IsingVectorEnv"])
def test_without_the_libraries_the_extra_is_named(monkeypatch, package, name):
    import isingrl.envs

    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"need {package}, .* isingrl\[environments\]"):
        getattr(isingrl.envs, name)
    with pytest.raises(AttributeError, match="no attribute 'Ising'"):
        isingrl.envs.Ising  # noqa: B018
