"""Log-odds and effective temperatures of policies that are known by hand."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

import analysis
from isingrl import Ising, Lattice
from isingrl.agents import IndependentQ, JointQ, MeanFieldQ, NeighborhoodQ, train
from tests import oracles
from tests.analysis.policies import converged, made
from tests.statistical import Z_LIMIT, z_of_chains

SQUARE = Ising(Lattice((4, 4)))
MOORE = Ising(Lattice((4, 4), "moore"))
T = [0.1, 2.0, 3.0]


@pytest.mark.parametrize(
    "model",
    [
        SQUARE,
        MOORE,
        Ising(Lattice((4, 4)), -0.5, 0.3),
        Ising(Lattice((3, 3, 3), boundary="free"), 1.0, -1.0),
    ],
    ids=["square", "moore", "antiferromagnet in a field", "free boundary"],
)
@pytest.mark.parametrize("reward", ["energy", "half", "mean"])
def test_heat_bath_is_found_at_its_temperature(model, reward):
    policy = converged(model, MeanFieldQ(reward), T)
    odds = analysis.log_odds(policy)
    np.testing.assert_array_equal(odds["local_field"], 2 * model.local_fields())
    # 80 and more at the lowest temperature, where P(up) is 1 to all digits
    expected = odds["local_field"] / odds["temperature"]
    np.testing.assert_allclose(odds["log_odds"].transpose(*expected.dims[::-1]), expected.T, 1e-13)
    fit = analysis.effective_temperature(policy)
    np.testing.assert_allclose(fit["effective_temperature"], T, rtol=1e-13)
    assert (fit["effective_temperature_error"] < 1e-12).all()
    assert (fit["nonlinearity"] < 1e-13).all()


def test_names_and_coordinates(tmp_path):
    policy = train(SQUARE, MeanFieldQ("half", shared=False), [2.0, 3.0], sweeps=5, chains=2, seed=1)
    odds = analysis.log_odds(policy)
    dims = ("temperature", "chain", "site", "n_up")
    assert odds["log_odds"].dims == odds["weight"].dims == dims
    assert odds["local_field"].dims == ("n_up",)
    fit = analysis.effective_temperature(policy)
    assert fit["effective_temperature"].dims == dims[:-1]
    for data in (odds, fit):
        assert data["method"].item() == "mean-field-q"
        np.testing.assert_array_equal(data["softmax_temperature"], [1.0, 1.5])
        assert all("long_name" in array.attrs for array in data.values())
        data.to_netcdf(tmp_path / "data.nc")


def test_zero_and_infinite_temperature():
    fit = analysis.effective_temperature(converged(SQUARE, MeanFieldQ(), [0.0, math.inf]))
    assert fit["effective_temperature"].values.tolist() == [0.0, math.inf]
    assert fit["nonlinearity"].values.tolist() == [0.0, 0.0]
    np.testing.assert_array_equal(fit["effective_temperature_error"], [0.0, np.nan])
    wrong = made(SQUARE, MeanFieldQ(), 0.0, [-8, 4, 0, 4, 8])  # greedily up at S = -2
    assert np.isnan(analysis.effective_temperature(wrong)["nonlinearity"].item())


def test_an_agent_that_opposes_its_neighbours_is_colder_than_zero():
    fit = analysis.effective_temperature(made(SQUARE, MeanFieldQ(), 2.0, [8, 4, 0, -4, -8]))
    assert fit["effective_temperature"].item() == pytest.approx(-2.0)
    assert fit["nonlinearity"].item() < 1e-15


def test_the_reward_of_chapter_2d_bends():
    s = np.arange(-8, 9, 2)
    visits = np.arange(1, 10)
    t = np.array([3.0, 5.0, 8.0])
    policy = converged(MOORE, MeanFieldQ("chapter-2d"), t, visits=visits)
    tau = t * 2.5 / 8
    odds = analysis.log_odds(policy)["log_odds"].values
    np.testing.assert_allclose(odds, 2 * np.tanh(5 * s / 16) / tau[:, None], rtol=1e-13)
    np.testing.assert_allclose(odds[:, 5:] * tau[:, None], [[1.109, 1.697, 1.908, 1.973]] * 3, 3e-4)
    # S = ±2, ±4, … weigh alike
    fit = analysis.effective_temperature(policy)
    slope, squares = np.linalg.lstsq(2 * s[:, None], 2 * np.tanh(5 * s / 16))[:2]
    np.testing.assert_allclose(fit["effective_temperature"], tau / slope, rtol=1e-13)
    nonlinearity = math.sqrt(squares[0] / np.sum(4 * np.tanh(5 * s / 16) ** 2))
    np.testing.assert_allclose(fit["nonlinearity"], nonlinearity, rtol=1e-12)
    ratio = fit["effective_temperature"] / tau
    assert ((ratio > 3.2) & (ratio < 16 / (2 * math.tanh(2.5)))).all()


def test_a_preference_for_up_bends_the_rule_but_not_the_slope():
    x, weight, bias = np.array([-8, -4, 0, 4, 8]), np.array([1, 2, 3, 4, 5]), 0.7
    fit = analysis.effective_temperature(made(SQUARE, MeanFieldQ(), 1.0, x / 3 + bias, weight))
    assert fit["effective_temperature"].item() == pytest.approx(3.0)
    assert fit["effective_temperature_error"].item() < 1e-14
    both = weight + weight[::-1]
    share = math.sqrt((both * bias**2).sum() / (both * (x / 3 + bias) ** 2).sum())
    assert fit["nonlinearity"].item() == pytest.approx(share)


def test_states_that_were_never_met_do_not_count():
    policy = made(SQUARE, MeanFieldQ(), 2.0, [9, 9, 0, 4, 8], visits=[0, 0, 1, 2, 3])
    odds = analysis.log_odds(policy)
    np.testing.assert_allclose(odds["weight"].values[0], np.array([0, 0, 1, 2, 3]) / 6)
    fit = analysis.effective_temperature(policy)
    assert fit["effective_temperature"].item() == pytest.approx(2.0)
    nothing = analysis.effective_temperature(made(SQUARE, MeanFieldQ(), 2.0, 1.0, visits=0))
    assert all(np.isnan(nothing[name].item()) for name in nothing)


def test_independent_agents_do_not_follow_the_field():
    policy = made(SQUARE, IndependentQ(shared=False), [0.0, 2.0], 1.5)
    odds = analysis.log_odds(policy)
    assert odds["log_odds"].dims == ("temperature", "site", "n_up")
    np.testing.assert_allclose(odds["log_odds"][1], 0.75)
    np.testing.assert_allclose(odds["weight"], 0.2)
    fit = analysis.effective_temperature(policy)
    assert np.isposinf(fit["effective_temperature"]).all()
    assert (fit["nonlinearity"][1] == 1).all()


def test_agents_that_see_one_neighbour():
    """Up where it is up: P(up) is the mean over which of the four is looked at."""
    policy = made(SQUARE, MeanFieldQ(neighbors_seen=1), 2.0, [-3.0, 2.0], visits=[30, 10])
    data = analysis.log_odds(policy)
    down, up = 1 / (1 + math.exp(1.5)), 1 / (1 + math.exp(-1))
    chance = np.arange(5) / 4 * up + (1 - np.arange(5) / 4) * down
    np.testing.assert_allclose(data["log_odds"][0], np.log(chance / (1 - chance)), rtol=1e-13)
    # From equal chances, n up neighbours given that an up one was seen: n / (0 + 1 + … + 4).
    weight = 0.25 * np.arange(5) / 10 + 0.75 * np.arange(4, -1, -1) / 10
    np.testing.assert_allclose(data["weight"][0], weight)


@pytest.mark.parametrize("boundary", ["periodic", "free"])
def test_local_fields_of_configurations_are_energies(boundary):
    """Energy of spin down less that of spin up, whatever the others do."""
    model = Ising(Lattice((2, 3), boundary=boundary), 0.5, 0.25)
    policy = train(model, JointQ(shared=False), 2.0, sweeps=1, seed=1)
    field = analysis.log_odds(policy)["local_field"]
    assert field.dims == (("site",) * (boundary == "free") + ("configuration",))
    field = field.broadcast_like(policy.q_values["site"]).transpose("site", "configuration")
    for site, state in itertools.product(range(6), (0, 1, 6, 13, 31)):
        spins = np.ones(6, dtype=int)
        spins[policy.view.sites[site]] = 2 * (state >> np.arange(5) & 1) - 1
        energies = []
        for spin in (-1, 1):
            spins[site] = spin
            energies.append(6 * oracles.energy(model, spins.reshape(2, 3)))
        assert field[site, state].item() == pytest.approx(energies[0] - energies[1])


@pytest.mark.parametrize("shape", [(4, 4), (2, 4)])
def test_neighbourhoods_that_have_learned_the_energy_are_heat_baths(shape):
    model = Ising(Lattice(shape))
    policy = train(model, NeighborhoodQ(), 2.5, sweeps=4000, seed=1)
    data = analysis.log_odds(policy)
    up = np.array([int(state).bit_count() for state in data["configuration"].values])
    np.testing.assert_array_equal(data["local_field"], 4 * up - 8)
    fit = analysis.effective_temperature(policy)
    assert fit["effective_temperature"].item() == pytest.approx(2.5)
    assert fit["nonlinearity"].item() < 1e-12


def test_errors_of_one_and_of_many_trainings():
    """Noise of known size: both errors, squared, are the variance that is there."""
    chains, x = 400, np.array([-8, -4, 0, 4, 8])
    noise = np.random.default_rng(1).normal(0, 0.2, size=(1, chains, 5))
    visits = [1, 4, 4, 4, 1]  # alike in w x², for which one training's estimate has no bias
    policy = made(SQUARE, MeanFieldQ(), 1.0, x / 2 + noise, visits, chains)
    each = analysis.effective_temperature(policy)
    slope = 1 / each["effective_temperature"].values[0]
    variance = 0.04 * 2 * (64 + 16 * 16) / (2 * (64 + 64)) ** 2
    assert abs(z_of_chains(slope, 0.5)) < Z_LIMIT
    assert abs(z_of_chains((slope - 0.5) ** 2, variance)) < Z_LIMIT
    own = each["effective_temperature_error"].values[0] * slope**2
    assert abs(z_of_chains(own**2, variance)) < Z_LIMIT
    mean = analysis.effective_temperature(policy, over="chain")
    assert mean["effective_temperature"].item() == pytest.approx(1 / slope.mean())
    error = mean["effective_temperature_error"].item()
    assert error == pytest.approx(slope.std(ddof=1) / 20 / slope.mean() ** 2)
    assert abs(mean["effective_temperature"].item() - 2) < Z_LIMIT * error
    assert mean["nonlinearity"].item() == pytest.approx(each["nonlinearity"].mean().item())


def test_sites_are_averaged_before_chains():
    x, rng = np.array([-8, -4, 0, 4, 8]), np.random.default_rng(2)
    slopes = rng.uniform(0.3, 0.5, size=(1, 3, 16, 1))
    policy = made(SQUARE, MeanFieldQ(shared=False), 1.0, slopes * x, chains=3)
    fit = analysis.effective_temperature(policy, over=("chain", "site"))
    lattices = slopes.mean(axis=(0, 2, 3))
    assert 1 / fit["effective_temperature"].item() == pytest.approx(lattices.mean())
    error = lattices.std(ddof=1) / math.sqrt(3) / lattices.mean() ** 2
    assert fit["effective_temperature_error"].item() == pytest.approx(error)
    fit = analysis.effective_temperature(policy, over="site")
    np.testing.assert_allclose(1 / fit["effective_temperature"][0], lattices)


def test_a_network_is_near_its_temperature():
    agent = MeanFieldQ(network=(10,), reward="half")
    policy = train(SQUARE, agent, [2.0, 3.0], sweeps=300, chains=4, seed=1)
    fit = analysis.effective_temperature(policy, over="chain")
    z = (fit["effective_temperature"] - [2.0, 3.0]) / fit["effective_temperature_error"]
    assert (abs(stats.norm.isf(stats.t.sf(abs(z), 3))) < Z_LIMIT).all()
    assert (fit["nonlinearity"] < 0.1).all()


def test_what_no_policy_is():
    with pytest.raises(
        TypeError, match="policy must be a Policy, as train returns; got 'heat bath'"
    ):
        analysis.log_odds("heat bath")
    policy = converged(SQUARE, MeanFieldQ(), 2.0)
    with pytest.raises(
        ValueError, match=r"over must hold dims of the policy, of \[\]; got 'chain'"
    ):
        analysis.effective_temperature(policy, over="chain")
    policy = converged(SQUARE, MeanFieldQ(), 2.0, chains=2)
    with pytest.raises(ValueError, match=r"of \['chain'\]; got 'temperature'"):
        analysis.effective_temperature(policy, over="temperature")


# Markov chains
