"""Agents that see who does what: neighborhood Q is mean-field Q, joint Q finds ground states."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.thermodynamics import thermodynamics
from isingrl import HeatBath, Ising, Lattice, simulate, train
from isingrl.agents import JointQ, MeanFieldQ, NeighborhoodQ
from isingrl.agents.view import MAX_STATES
from tests import oracles
from tests.statistical import Z_LIMIT

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

CASES = {
    "ring": (Ising(Lattice((64,))), [0.7, 1.5, 4.0]),
    "square": (Ising(Lattice((32, 32))), [1.8, 2.8, 4.0]),
    "field": (Ising(Lattice((15, 16)), -0.8, 0.5), [1.2, 2.0, 4.0]),
    "moore": (Ising(Lattice((24, 24), "moore")), [4.2, 7.0, 10.0]),
    "cubic": (Ising(Lattice((12, 12, 12))), [3.4, 5.5, 8.0]),
}


def ups(configuration):
    """How many of the sites seen are up, for numbers that name configurations."""
    return np.array([bin(number).count("1") for number in configuration])


def trained(name, agent):
    model, temperatures = CASES[name]
    return train(model, agent, temperatures, sweeps=2000, seed=1)


@pytest.mark.parametrize("name", CASES)
def test_neighborhood_agents_learn_what_mean_field_agents_do(name):
    configurations = trained(name, NeighborhoodQ()).q_values
    by_number = trained(name, MeanFieldQ()).q_values
    z = CASES[name][0].lattice.coordination_number
    assert configurations.dims == ("temperature", "configuration", "action")
    assert configurations.sizes["configuration"] == 2**z
    expected = by_number.isel(n_up=ups(configurations["configuration"].values))
    np.testing.assert_allclose(configurations, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_neighborhood_agents_run_as_mean_field_agents_do(name):
    runs = [
        thermodynamics(
            simulate(CASES[name][0], trained(name, agent), sweeps=4000, thermalization=500,
                     chains=2, start="up", seed=seed)
        )
        for seed, agent in enumerate([NeighborhoodQ(), MeanFieldQ()])
    ]  # fmt: skip
    for observable in ("energy", "abs_magnetization", "specific_heat", "susceptibility"):
        difference = runs[0][observable].values - runs[1][observable].values
        error = np.hypot(*(run[f"{observable}_error"].values for run in runs))
        assert (abs(difference) < Z_LIMIT * error).all(), f"{observable}: {difference / error}"


@pytest.mark.parametrize("shape", [(4, 4), (6, 4), (7, 5)])
def test_neighborhood_agents_take_their_table_to_other_shapes(shape):
    temperature = np.array([3.0])
    agent = NeighborhoodQ()
    policy = train(Ising(Lattice((12, 12))), agent, temperature, sweeps=1000, seed=1)
    assert (policy.visits > 0).all()
    model = Ising(Lattice(shape))
    spins = np.random.default_rng(2).choice([-1, 1], size=(20, model.lattice.n_sites))
    found, heat_bath = (
        rule.compile(model, temperature).probabilities(model.lattice, spins)
        for rule in (policy, HeatBath())
    )
    np.testing.assert_allclose(found, heat_bath, rtol=1e-12)


def test_agents_of_three_dimensions_see_64_joint_actions():
    view = NeighborhoodQ().view(Lattice((4, 4, 4)))
    assert view.n_states == 64
    assert NeighborhoodQ().view(Lattice((4, 4), "moore")).n_states == 256
    assert NeighborhoodQ().view(Lattice((9,))).n_states == 4


FEW = {
    "2x3": (Ising(Lattice((2, 3))), {}),
    "2x3-a-site": (Ising(Lattice((2, 3))), {"shared": False}),
    "3x3": (Ising(Lattice((3, 3))), {}),
    "3x3-a-site": (Ising(Lattice((3, 3))), {"shared": False}),
    "3x3-moore": (Ising(Lattice((3, 3), "moore")), {}),
    "2x2x2": (Ising(Lattice((2, 2, 2))), {}),
    "2x2-antiferromagnet": (Ising(Lattice((2, 2)), -1.0), {}),
    "ring-antiferromagnet": (Ising(Lattice((6,)), -1.0), {}),
    "3x3-free-antiferromagnet": (Ising(Lattice((3, 3), boundary="free"), -1.0), {"shared": False}),
}


@pytest.mark.parametrize("name", FEW)
def test_joint_agents_find_the_ground_state(name):
    model, options = FEW[name]
    every = oracles.configurations(model.lattice.n_sites).reshape(-1, *model.lattice.shape)
    energies = model.energy(every)
    policy = train(model, JointQ(**options), 0.0, sweeps=40_000, chains=4, seed=1)
    assert (policy.visits > 0).all()
    # What is paid to all counts every bond twice.
    np.testing.assert_allclose(policy.history["reward"].isel(sweep=-1), -2 * energies.min())
    worst = every[energies.argmax()]
    data = simulate(model, policy, sweeps=1000, chains=4, start=worst, snapshots=1, seed=2)
    np.testing.assert_allclose(data["energy"].isel(draw=-1), energies.min())
    np.testing.assert_allclose(model.energy(data["spins"].values), energies.min())


@pytest.mark.parametrize("shared", [True, False])
def test_joint_agents_learn_the_energy(shared):
    model = Ising(Lattice((3, 3)), 0.7, -0.4)
    policy = train(model, JointQ(shared=shared), 3.0, sweeps=20_000, seed=3)
    assert (policy.visits > 0).all()
    neighbors = oracles.neighbor_indices(model.lattice)
    others = policy.view.sites
    for site in range(9):
        q = policy.q_values.isel(temperature=0)
        q = (q if shared else q.sel(site=site)).values
        for configuration in range(2**8):
            spins = {int(other): 2 * ((configuration >> j) & 1) - 1
                     for j, other in enumerate(others[site])}  # fmt: skip
            local = 0.7 * sum(spins[other] for other in neighbors[site]) - 0.4
            np.testing.assert_allclose(q[configuration], [-local, local], atol=1e-12)


@given(st.sampled_from([(2,), (7,), (17,), (2, 3), (3, 4), (2, 2, 3), (2, 2, 4)]))
def test_joint_agents_see_each_other_once_and_from_their_own_place(shape):
    lattice = Lattice(shape)
    others = JointQ().view(lattice).sites
    coordinates = np.stack(np.unravel_index(np.arange(lattice.n_sites), shape), axis=-1)
    for site, seen in enumerate(others):
        assert sorted([site, *seen.tolist()]) == list(range(lattice.n_sites))
        moved = (coordinates[seen] - coordinates[site]) % shape
        np.testing.assert_array_equal(moved, (coordinates[others[0]] - coordinates[0]) % shape)


def test_the_longest_joint_action():
    assert MAX_STATES == 65_536
    assert JointQ().view(Lattice((17,))).n_states == 65_536
    with pytest.raises(ValueError, match=r"at most 65,536 values; joint-q .* sees 17 sites"):
        JointQ().view(Lattice((18,)))


def test_neighborhood_agents_refuse_26_neighbours():
    message = r"sees 26 sites, 2\^26 = 67,108,864 values .*MeanFieldQ sees their mean, 27 values"
    with pytest.raises(ValueError, match=message):
        train(Ising(Lattice((4, 4, 4), "moore")), NeighborhoodQ(), 20.0)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("boundary", ["periodic", "free"])
def test_joint_agents_refuse_25_of_them(boundary, shared):
    message = r"sees 24 sites, 2\^24 = 16,777,216 values .*2\^25 = 33,554,432\).*MeanFieldQ"
    with pytest.raises(ValueError, match=message):
        train(Ising(Lattice((5, 5), boundary=boundary)), JointQ(shared=shared), 2.0)


@pytest.mark.parametrize("shared", [True, False])
def test_neighborhood_agents_need_all_their_neighbours(shared):
    with pytest.raises(ValueError, match=r"boundary 'periodic' for NeighborhoodQ.*; got 'free'"):
        train(Ising(Lattice((4, 4), boundary="free")), NeighborhoodQ(shared=shared), 2.0)


def test_joint_agents_at_a_free_boundary_have_tables_of_their_own():
    with pytest.raises(ValueError, match=r"shared must be False for JointQ .*free boundary"):
        train(Ising(Lattice((2, 3), boundary="free")), JointQ(), 2.0)
    train(Ising(Lattice((2, 3), boundary="free")), JointQ(shared=False), 2.0, sweeps=1, seed=1)
