"""The vector environment of Gymnasium beside what `test_properties` holds it to."""

import numpy as np
import pytest

from isingrl import Ising, Lattice

pytest.importorskip("pettingzoo")

import gymnasium

from isingrl.envs import IsingEnv, IsingVectorEnv

MODEL = Ising(Lattice((4, 6)))


def test_spaces_and_shapes():
    env = IsingVectorEnv(MODEL, 3, observation="configuration")
    assert env.num_envs == 72
    assert env.single_observation_space.shape == (4,)
    assert env.observation_space.shape == (72, 4)
    assert env.action_space.shape == (72,)
    assert env.metadata["autoreset_mode"] is gymnasium.vector.AutoresetMode.SAME_STEP
    observations, infos = env.reset(seed=1)
    assert env.observation_space.contains(observations)
    assert infos["acts"].sum() == 36
    observations, rewards, *_ = env.step(env.action_space.sample())
    assert observations.dtype == np.float32
    assert rewards.dtype == np.float64


def test_one_copy_begins_as_the_environment_of_pettingzoo():
    vector, env = IsingVectorEnv(MODEL), IsingEnv(MODEL)
    for seed in (5, None):
        vector.reset(seed=seed)
        env.reset(seed=seed)
        np.testing.assert_array_equal(vector.spins[0], env.state())


def test_copies_begin_differently():
    env = IsingVectorEnv(MODEL, 2)
    env.reset(seed=1)
    assert not np.array_equal(*env.spins)
    env.reset(options={"start": env.spins[::-1]})
    env.reset(options={"start": env.spins[0]})
    np.testing.assert_array_equal(*env.spins)


def test_a_new_start_follows_the_last_step_at_once():
    def play():
        env = IsingVectorEnv(MODEL, 2, max_steps=3)
        env.reset(seed=1, options={"start": "up"})
        return env, [env.step(np.ones(48, int)) for _ in range(4)]

    env, steps = play()
    assert [step[3].all() for step in steps] == [False, False, True, False]
    infos = steps[2][4]
    assert (infos["final_obs"] == 1).all()
    assert infos["_final_obs"].all()
    assert "final_obs" not in steps[3][4]
    assert 0 < steps[2][0].mean() < 1
    assert steps[2][4]["acts"].reshape(2, 4, 6)[0, 0, 0]  # the first sublattice again
    again, others = play()
    np.testing.assert_array_equal(env.spins, again.spins)
    np.testing.assert_array_equal(steps[3][0], others[3][0])


def test_wrappers_of_gymnasium():
    env = IsingVectorEnv(MODEL, 2, max_steps=5)
    env = gymnasium.wrappers.vector.RecordEpisodeStatistics(env)
    env = gymnasium.wrappers.vector.DictInfoToList(env)
    env.reset(seed=1, options={"start": "up"})
    for _ in range(5):
        *_, infos = env.step(np.ones(48, int))
    assert len(infos) == 48
    assert infos[7]["episode"]["r"] == 20
    assert infos[7]["final_obs"] == 1


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="copies must be an integer of at least 1; got 0"):
        IsingVectorEnv(MODEL, 0)
    with pytest.raises(ValueError, match="max_steps must be an integer of at least 1; got 0"):
        IsingVectorEnv(MODEL, max_steps=0)
    env = IsingVectorEnv(MODEL, 2)
    with pytest.raises(RuntimeError, match="reset"):
        env.step(np.ones(48, int))
    with pytest.raises(TypeError, match=r"seed must be an integer of at least 0; got 1\.5"):
        env.reset(seed=1.5)
    with pytest.raises(ValueError, match=r"start must have shape \(4, 6\) or \(2, 4, 6\); got"):
        env.reset(options={"start": np.ones((3, 4, 6), int)})
    env.reset(seed=1)
    with pytest.raises(ValueError, match=r"actions must have the shape \(48,\); got \(2, 24\)"):
        env.step(np.ones((2, 24), int))
    with pytest.raises(ValueError, match=r"actions must be 0 .* or 1 .*; got 2"):
        env.step(np.full(48, 2))
