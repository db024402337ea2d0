"""What agents have learned, against rules whose answers are known by hand."""

import itertools
import math
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from scipy import stats

import analysis
from analysis import exact, plots
from analysis.learned.chains import _net_flow
from isingrl import HeatBath, Ising, Lattice, Metropolis, simulate
from isingrl.agents import IndependentQ, JointQ, MeanFieldQ, NeighborhoodQ, train
from tests import oracles
from tests.statistical import FALSE_ALARM, Z_LIMIT, z_of_chains

matplotlib.use("Agg")
from matplotlib import pyplot as plt

SQUARE = Ising(Lattice((4, 4)))
MOORE = Ising(Lattice((4, 4), "moore"))
T = [0.1, 2.0, 3.0]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def made(model, agent, temperature, advantage, visits=1, chains=1):
    """Policy with given Q(up) - Q(down), which broadcasts against its table without action."""
    policy = train(model, agent, temperature, sweeps=1, chains=chains, seed=1)
    q = policy.q_values.copy()
    q[:] = np.stack([np.zeros(q.shape[:-1]), np.broadcast_to(advantage, q.shape[:-1])], axis=-1)
    met = policy.visits.copy()
    met[:] = np.broadcast_to(visits, q.shape[:-1])[..., None]
    return replace(policy, q_values=q, visits=met)


def converged(model, agent, temperature, **options):
    """Mean-field policy that has learned its rewards."""
    rewards = agent.reward_function.table(model)
    return made(model, agent, temperature, rewards[:, 1] - rewards[:, 0], **options)


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


def all_spins(n):
    return [[1 if state >> site & 1 else -1 for site in range(n)] for state in range(2**n)]


def slow_matrix(up, lattice, schedule):
    """From P(up | configuration, site), one configuration and one outcome after the other."""
    n = lattice.n_sites
    moves = np.zeros((n, 2**n, 2**n))
    for site, state in itertools.product(range(n), range(2**n)):
        moves[site, state, state | 1 << site] += up[state][site]
        moves[site, state, state & ~(1 << site)] += 1 - up[state][site]
    if schedule == "sequential":
        return moves.mean(axis=0)
    if schedule == "checkerboard":
        colors = lattice.sublattices.ravel()
        sites = [
            site for color in range(colors.max() + 1) for site in np.flatnonzero(colors == color)
        ]
        return np.linalg.multi_dot([moves[site] for site in sites])
    matrix = np.ones((2**n, 2**n))
    for before, after, site in itertools.product(range(2**n), range(2**n), range(n)):
        p = up[before][site]
        matrix[before, after] *= p if after >> site & 1 else 1 - p
    return matrix


@pytest.mark.parametrize("schedule", ["sequential", "checkerboard", "synchronous"])
@pytest.mark.parametrize("shape", [(5,), (2, 3)])
def test_matrices_against_slow_ones(schedule, shape):
    model = Ising(Lattice(shape), 0.8, -0.3)
    n, lattice = model.lattice.n_sites, model.lattice
    neighbors = oracles.neighbor_indices(lattice)
    rng = np.random.default_rng(3)
    tables = rng.normal(size=(1, n, lattice.coordination_number + 1))
    policy = made(model, MeanFieldQ(shared=False), 0.7, tables)
    metropolis, learned = [], []
    for spins in all_spins(n):
        sums = [sum(spins[other] for other in neighbors[site]) for site in range(n)]
        flips = [
            min(1, math.exp(-2 * s * (0.8 * x - 0.3) / 0.7))
            for s, x in zip(spins, sums, strict=True)
        ]
        metropolis.append([1 - p if s == 1 else p for s, p in zip(spins, flips, strict=True)])
        seen = [(x + lattice.coordination_number) // 2 for x in sums]
        learned.append([1 / (1 + math.exp(-tables[0, i, k] / 0.7)) for i, k in enumerate(seen)])
    for rule, up in ((Metropolis(), metropolis), (policy, learned)):
        matrix = analysis.transition_matrix(rule, model, 0.7, schedule)
        assert matrix.shape == (2**n, 2**n)
        np.testing.assert_allclose(
            matrix.toarray(), slow_matrix(up, lattice, schedule), rtol=0, atol=1e-14
        )


@pytest.mark.parametrize("schedule", ["sequential", "checkerboard", "synchronous"])
def test_matrices_are_what_simulate_does(schedule):
    model = Ising(Lattice((2, 3)), 1.0, 0.2)
    matrix = analysis.transition_matrix(HeatBath(), model, 2.5, schedule).toarray()
    sweep = np.linalg.matrix_power(matrix, 6 if schedule == "sequential" else 1)
    data = simulate(
        model, HeatBath(), 2.5, chains=20000, start="up", thermalization=0, sweeps=1, snapshots=1,
        schedule=schedule, seed=1,
    )  # fmt: skip
    spins = data["spins"].values.reshape(20000, 6)
    counts = np.bincount((spins > 0) @ (1 << np.arange(6)), minlength=64)
    expected = 20000 * sweep[-1]
    few = expected < 10
    counts, expected = (np.append(a[~few], a[few].sum()) for a in (counts, expected))
    assert stats.chisquare(counts, expected).pvalue > FALSE_ALARM


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 150])
def test_stationary_distributions(n):
    rng = np.random.default_rng(n)
    matrix = rng.random((n, n)) ** 8
    matrix /= matrix.sum(axis=1, keepdims=True)
    law = analysis.stationary_distribution(matrix)
    equations = np.vstack([matrix.T - np.eye(n), np.ones(n)])
    expected = np.linalg.lstsq(equations, np.append(np.zeros(n), 1.0))[0]
    np.testing.assert_allclose(law, expected, rtol=1e-10)


def test_rare_passages_transient_states_and_cycles():
    rare = [[1 - 1e-200, 1e-200], [3e-200, 1 - 3e-200]]
    np.testing.assert_allclose(analysis.stationary_distribution(rare), [0.75, 0.25], rtol=1e-14)
    left = [[0.5, 0.25, 0.25], [0, 0.9, 0.1], [0, 0.2, 0.8]]
    np.testing.assert_allclose(
        analysis.stationary_distribution(left), [0, 2 / 3, 1 / 3], rtol=1e-14
    )
    around = np.roll(np.eye(3), 1, axis=1)
    np.testing.assert_allclose(analysis.stationary_distribution(around), 1 / 3, rtol=1e-14)


def test_flow_around_three_states():
    """Each of three pairs has the net flow (0.7 - 0.2) / 3."""
    step = np.eye(3)
    matrix = 0.7 * np.roll(step, 1, axis=1) + 0.2 * np.roll(step, -1, axis=1) + 0.1 * step
    law = analysis.stationary_distribution(matrix)
    assert _net_flow(matrix, law) == pytest.approx(0.5)


def test_matrices_without_one_stationary_distribution():
    with pytest.raises(
        ValueError, match=r"it is reducible, with 2 sets of configurations that are"
    ):
        analysis.stationary_distribution(np.eye(2))
    with pytest.raises(ValueError, match=r"matrix must be square; got the shape \(1, 2\)"):
        analysis.stationary_distribution([[0.5, 0.5]])
    with pytest.raises(ValueError, match=r"got a least entry of -0.5 and sums from 1 to 2"):
        analysis.stationary_distribution([[1.5, -0.5], [1, 1]])
    with pytest.raises(ValueError, match=r"at temperature = 0: the chain must have one stationary"):
        analysis.detailed_balance_violation(HeatBath(), Ising(Lattice(4)), [1.0, 0.0])


def test_a_field_makes_zero_temperature_unique():
    model = Ising(Lattice((3, 3)), 1.0, 0.5)
    data = analysis.detailed_balance_violation(Metropolis(), Ising(Lattice(5), 0.2, 1.0), 0.0)
    assert data["gibbs_distance"].item() == data["detailed_balance_violation"].item() == 0
    law = analysis.stationary_distribution(
        analysis.transition_matrix(HeatBath(), Ising(model.lattice, 0.1, 0.5), 0.0)
    )
    assert law[-1] == 1


@pytest.mark.parametrize("rule", [HeatBath(), Metropolis()], ids=lambda rule: rule.name)
@pytest.mark.parametrize(
    "model",
    [Ising(Lattice((3, 3))), Ising(Lattice((2, 4), "moore"), -0.3, 0.2)],
    ids=["square", "frustrated in a field"],
)
def test_monte_carlo_is_reversible_and_gibbs(rule, model):
    data = analysis.detailed_balance_violation(rule, model, [1.0, 2.5, math.inf])
    assert (data["detailed_balance_violation"] < 1e-14).all()
    assert (data["gibbs_distance"] < 1e-12).all()


def test_averages_of_the_stationary_distribution_are_exact():
    model = Ising(Lattice((3, 3)), 1.0, 0.1)
    law = analysis.stationary_distribution(analysis.transition_matrix(HeatBath(), model, 2.0))
    m = np.mean(all_spins(9), axis=1)
    expected = exact.enumeration(model, 2.0)["magnetization"].item()
    assert law @ m == pytest.approx(expected, rel=1e-11)


def test_a_sweep_over_sublattices_is_gibbs_but_not_reversible():
    model = Ising(Lattice((2, 4)))
    data = analysis.detailed_balance_violation(HeatBath(), model, 2.0, "checkerboard")
    assert data["gibbs_distance"].item() < 1e-12
    assert data["detailed_balance_violation"].item() > 0.01


@pytest.mark.parametrize("n", [5, 6])
def test_synchronous_heat_bath_has_perettos_law(n):
    model, beta = Ising(Lattice(n)), 0.5
    spins = np.array(all_spins(n))
    weight = np.cosh(beta * (np.roll(spins, 1, axis=1) + np.roll(spins, -1, axis=1))).prod(axis=1)
    law = analysis.stationary_distribution(
        analysis.transition_matrix(HeatBath(), model, 1 / beta, "synchronous")
    )
    np.testing.assert_allclose(law, weight / weight.sum(), rtol=1e-12)
    data = analysis.detailed_balance_violation(HeatBath(), model, 1 / beta, "synchronous")
    assert data["detailed_balance_violation"].item() < 1e-15
    gibbs = np.exp(beta * (spins * np.roll(spins, 1, axis=1)).sum(axis=1))
    distance = abs(weight / weight.sum() - gibbs / gibbs.sum()).sum() / 2
    assert data["gibbs_distance"].item() == pytest.approx(distance)
    assert distance > 0.1


@pytest.mark.parametrize(
    "lattice", [Lattice((2, 5), "moore"), Lattice((3, 3))], ids=["moore", "square"]
)
def test_the_reward_of_chapter_2d_has_no_equilibrium(lattice):
    model = Ising(lattice)
    policy = converged(model, MeanFieldQ("chapter-2d"), [2.0, 5.0])
    data = analysis.detailed_balance_violation(policy, model)
    assert (data["detailed_balance_violation"] > 1e-4).all()
    assert (data["gibbs_distance"] > 0.05).all()


def test_where_all_see_all_any_symmetric_rule_is_reversible():
    """Only the number of up spins matters, a walk on a line."""
    model = Ising(Lattice((3, 3), "moore"))
    policy = converged(model, MeanFieldQ("chapter-2d"), 4.0)
    data = analysis.detailed_balance_violation(policy, model)
    assert data["detailed_balance_violation"].item() < 1e-14
    assert data["gibbs_distance"].item() > 0.05


def test_discounting_leads_away_from_gibbs():
    model = Ising(Lattice((3, 3)))
    near, far = (
        analysis.detailed_balance_violation(
            train(model, MeanFieldQ(discount=discount), [3.0, 4.0], sweeps=3000, chains=2, seed=1),
            model,
        )
        for discount in (0.0, 0.9)
    )
    assert near["gibbs_distance"].dims == ("temperature", "chain")
    assert (near["gibbs_distance"] < 1e-12).all()
    assert (far["gibbs_distance"] > 0.05).all()


def test_joint_agents_that_know_the_energy_are_gibbs():
    model = Ising(Lattice((2, 3), boundary="free"), 1.0, 0.1)
    blank = train(model, JointQ(shared=False), 2.0, sweeps=1, seed=1)
    field = analysis.log_odds(blank)["local_field"].values
    policy = made(model, JointQ(shared=False), 2.0, field)
    for schedule in ("sequential", "checkerboard"):
        data = analysis.detailed_balance_violation(policy, model, schedule=schedule)
        assert data["gibbs_distance"].item() < 1e-12


def test_chains_that_cannot_be_made():
    with pytest.raises(ValueError, match=r"at most 12 sites, 2\^12 configurations; got 16"):
        analysis.transition_matrix(HeatBath(), SQUARE, 2.0)
    small = Ising(Lattice((2, 2)))
    with pytest.raises(ValueError, match="schedule must be one of 'checkerboard'"):
        analysis.transition_matrix(HeatBath(), small, 2.0, "backwards")
    with pytest.raises(ValueError, match=r"temperature must be one number; got \[1.0, 2.0\]"):
        analysis.transition_matrix(HeatBath(), small, [1.0, 2.0])
    with pytest.raises(TypeError, match="rule must be a Rule"):
        analysis.detailed_balance_violation("heat-bath", small, 2.0)
    with pytest.raises(TypeError, match="model must be an Ising model"):
        analysis.detailed_balance_violation(HeatBath(), small.lattice, 2.0)
    with pytest.raises(TypeError, match="temperature must be given for HeatBath"):
        analysis.detailed_balance_violation(HeatBath(), small)
    policy = converged(small, MeanFieldQ(), 2.0, chains=3)
    with pytest.raises(ValueError, match="one training a temperature; got a policy of 3 chains"):
        analysis.transition_matrix(policy, small, 2.0)


# The plane of symmetric rules


def test_heat_bath_runs_along_the_ising_line():
    t = np.array([1.0, exact.CRITICAL_TEMPERATURE, 4.0, math.inf])
    for rule in (HeatBath().table(SQUARE, t)[:, 0], converged(SQUARE, MeanFieldQ(), t)):
        point = analysis.majority_vote_plane(rule)
        x, y = point["x"].values, point["y"].values
        np.testing.assert_allclose(x, np.tanh(2 / t), rtol=1e-12)
        np.testing.assert_allclose(y, np.tanh(4 / t), rtol=1e-12)
        np.testing.assert_allclose(y, 2 * x / (1 + x**2), rtol=1e-12)
        assert (x[1], y[1]) == pytest.approx((math.sqrt(0.5), math.sqrt(8) / 3))
        assert (point["asymmetry"] < 1e-15).all()
    assert point["x"].dims == ("temperature",)


def test_voter_and_majority_vote():
    voter = analysis.majority_vote_plane(np.arange(5) / 4)  # copy a neighbour
    assert (voter["x"].item(), voter["y"].item()) == (0.5, 1.0)
    majority = analysis.majority_vote_plane([0.1, 0.1, 0.5, 0.9, 0.9])
    assert majority["x"].item() == majority["y"].item() == pytest.approx(0.8)
    assert majority["asymmetry"].item() < 1e-15


def test_tables_keep_their_dims_and_configurations_are_averaged():
    policy = train(SQUARE, NeighborhoodQ(shared=False), [2.0, 3.0], sweeps=3, chains=2, seed=1)
    up = np.array([state.bit_count() for state in range(16)])
    policy = made(SQUARE, NeighborhoodQ(shared=False), [2.0, 3.0], 4.0 * up - 8, chains=2)
    point = analysis.majority_vote_plane(policy)
    assert point["x"].dims == ("temperature", "chain", "site")
    np.testing.assert_allclose(point["x"][1], math.tanh(2 / 3))
    table = analysis.log_odds(converged(SQUARE, MeanFieldQ(), [2.0, 3.0]))["log_odds"]
    table = (1 / (1 + np.exp(-table))).expand_dims(method=["a"])
    point = analysis.majority_vote_plane(table.transpose("n_up", ...))
    assert point["y"].dims == ("method", "temperature")
    np.testing.assert_allclose(point["y"][0], np.tanh([2, 4 / 3]))


def test_rules_outside_the_plane():
    def refused(rule, match, error=ValueError):
        with pytest.raises(error, match=match):
            analysis.majority_vote_plane(rule)

    for model in (MOORE, Ising(Lattice(6)), Ising(Lattice((4, 4), boundary="free"))):
        refused(converged(model, MeanFieldQ(), 2.0), "periodic square lattice with four neighbours")
    refused(np.ones((2, 9)), r"shape \(5,\) or \(n_rules, 5\), .*; got \(2, 9\)")
    refused("voter", "a Policy or a table", TypeError)
    refused([0, 0, 0.5, 1, 1.5], "rule must hold probabilities")
    odds = analysis.log_odds(converged(MOORE, MeanFieldQ(), 2.0))["log_odds"]
    refused(odds, r"n_up = 0, 1, 2, 3, 4, four neighbours; got the dims .*'n_up': 9")
    refused([0, 0.25, 0.6, 0.75, 1], "got an asymmetry of 0.1$")
    policy = made(SQUARE, MeanFieldQ(), [2.0, 3.0], [[-8, -4, 0, 4, 8], [-8, -4, 0, 4, 2]])
    refused(policy, r"got an asymmetry of 0\.13\d? at temperature = 3.0")


# Figures


def test_log_odds_figure():
    policy = converged(SQUARE, MeanFieldQ(), [0.0, 2.0, 4.0], visits=[0, 1, 1, 1, 1], chains=3)
    ax = plots.log_odds(analysis.log_odds(policy), plt.subplots()[1])
    assert ax.get_xlabel() == "twice the local field, $2(JS + h)$ ($J$)"
    assert ax.get_ylabel() == "log-odds of spin up"
    handles, labels = ax.get_legend_handles_labels()
    assert labels == ["$T = 0$", "$T = 2$", "$T = 4$"]
    assert handles[0].lines[0].get_xdata().tolist() == [0]  # the others are infinite
    np.testing.assert_allclose(handles[1].lines[0].get_ydata(), [-2, 0, 2, 4])
    lines = [line for line in ax.lines if line.get_linestyle() == "-"]
    assert [line.get_ydata().tolist() for line in lines] == [[-4, 4], [-2, 2]]
    dots = [line for line in ax.lines if line.get_marker() == "."]
    assert [line.get_xdata().tolist() for line in dots[1:]] == [[-8], [-8]]
    free = train(Ising(Lattice(4, boundary="free")), JointQ(shared=False), 2.0, sweeps=9, seed=1)
    assert plots.log_odds(analysis.log_odds(free)).lines


def test_plane_figure():
    ax = plt.subplots()[1]
    point = analysis.majority_vote_plane(converged(SQUARE, MeanFieldQ(), [2.0, 3.0, 4.0], chains=2))
    assert plots.majority_vote_plane(point, ax) is ax
    plots.majority_vote_plane(analysis.majority_vote_plane(np.arange(5) / 4), ax)
    handles, labels = ax.get_legend_handles_labels()
    known = ["Ising", "majority vote", r"Ising, $T_\mathrm{c}$", "voter"]
    assert labels == [*known, "mean-field Q", "simulation"]
    np.testing.assert_allclose(handles[-2].lines[0].get_xdata(), np.tanh([1, 2 / 3, 0.5]))
    np.testing.assert_allclose(handles[2].get_ydata(), math.sqrt(8) / 3)
    assert [text.get_text() for text in ax.texts] == ["$T = 2$", "$T = 4$"]
    assert ax.get_ylabel() == r"$y = 2 P(\mathrm{up} \mid S = 4) - 1$"
    with pytest.raises(ValueError, match="'x' must have no dims but"):
        plots.majority_vote_plane(point.expand_dims("size"))
