"""Agents that act as the heat bath in the environments sample the Ising model."""

import numpy as np
import pytest

from analysis import exact, thermodynamics
from isingrl import HeatBath, Ising, Lattice, MeanFieldQ, simulate, train
from tests.statistical import Z_LIMIT, z_of_chains

pytest.importorskip("pettingzoo")

from isingrl.envs import IsingEnv, IsingVectorEnv


def trained(model, T):
    """A policy of the package as a function of what agents observe: the probabilities of up."""
    policy = train(model, MeanFieldQ("half"), T, sweeps=300, seed=1)
    up = policy.table(model, np.array([T]))[0, 0]
    np.testing.assert_allclose(up, HeatBath().table(model, np.array([T]))[0, 0], atol=1e-12)
    return lambda observations: up[np.rint(observations[:, 0] * (len(up) - 1)).astype(int)]


def test_agents_of_pettingzoo_sample_the_ising_model():
    T, n_blocks, sweeps = 2.6, 16, 150
    model = Ising(Lattice((4, 4)))
    chance = trained(model, T)
    env = IsingEnv(model)
    generator = np.random.default_rng(2)
    observations, _ = env.reset(seed=3)
    spins = np.empty((n_blocks, sweeps, 4, 4))
    for kept in spins.reshape(-1, 4, 4):
        for _ in range(model.lattice.n_sublattices):
            up = chance(np.stack([observations[agent] for agent in env.agents]))
            answers = (generator.random(len(up)) < up).astype(int)
            observations, *_ = env.step(dict(zip(env.agents, answers, strict=True)))
        kept[:] = env.state()
    known = exact.enumeration(model, T).squeeze()
    energy, m = model.energy(spins), abs(model.magnetization(spins))
    # blocks are far longer than the time that the lattice remembers
    assert abs(z_of_chains(energy.mean(axis=1), float(known.energy))) < Z_LIMIT
    assert abs(z_of_chains(m.mean(axis=1), float(known.abs_magnetization))) < Z_LIMIT


@pytest.mark.parametrize("schedule", ["checkerboard", "synchronous"])
def test_arrays_sample_the_law_of_their_schedule(schedule):
    """With all at once two neighbours are independent, each of them bound to the other's past."""
    T, copies = 2.6, 24
    model = Ising(Lattice((8, 8)))
    chance = trained(model, T)
    env = IsingVectorEnv(model, copies, schedule=schedule)
    generator = np.random.default_rng(4)
    observations, _ = env.reset(seed=5)
    energy, m, paid = np.zeros((3, copies))
    steps = 1500
    for step in range(-300, steps):
        up = chance(observations)
        observations, rewards, *_ = env.step((generator.random(len(up)) < up).astype(int))
        if step >= 0:
            energy += model.energy(env.spins) / steps
            m += abs(model.magnetization(env.spins)) / steps
            paid += rewards.reshape(copies, -1).mean(axis=1) / steps
    known = float(exact.torus((8, 8), T).energy.squeeze())
    # a (J S + h), answers that are not carried out included: each bond from both of its ends
    assert abs(z_of_chains(paid, -2 * known)) < Z_LIMIT
    if schedule == "synchronous":
        assert abs(z_of_chains(energy, 0.0)) < Z_LIMIT
        return
    assert abs(z_of_chains(energy, known)) < Z_LIMIT
    back = env.rule(chance, T)
    sampled = simulate(model, back, sweeps=4000, thermalization=200, chains=32, seed=6)
    measured = thermodynamics(sampled)
    for values, name in ((energy, "energy"), (m, "abs_magnetization")):
        error = np.hypot(values.std(ddof=1) / np.sqrt(copies), measured[f"{name}_error"].item())
        assert abs(values.mean() - measured[name].item()) < Z_LIMIT * error
