"""Actions of `IsingEnv` that are arrays."""

import numpy as np
import pytest

from isingrl import Ising, Lattice
from isingrl.envs import IsingEnv


@pytest.mark.parametrize("action", [np.array([1]), [1], np.ones((1, 1), int), (1, 0)])
def test_an_array_for_an_agent_is_refused_by_name(action):
    env = IsingEnv(Ising(Lattice((4, 4))), schedule="synchronous", max_steps=2)
    env.reset(seed=1)
    with pytest.raises(ValueError, match="must be 0 or 1 for every agent; got an array of shape"):
        env.step(dict.fromkeys(env.agents, action))
    env.step({agent: np.array(1) for agent in env.agents})  # as NumPy's scalars are
