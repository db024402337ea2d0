"""Transition matrices and detailed balance, against slow matrices and known laws."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

import analysis
from analysis import exact
from analysis.learned.chains import _net_flow
from isingrl import HeatBath, Ising, Lattice, Metropolis, simulate
from isingrl.agents import JointQ, MeanFieldQ, train
from tests import oracles
from tests.analysis.policies import converged, made
from tests.statistical import FALSE_ALARM

SQUARE = Ising(Lattice((4, 4)))
MOORE = Ising(Lattice((4, 4), "moore"))
T = [0.1, 2.0, 3.0]


def all_spins(n):
    return [[1 if state >> site & 1 else -1 for site in range(n)] for state in range(2**n)]


def slow_matrix(up, lattice, schedule):
    """From P(up | configuration, site), one configuration and one outcome after the other."""
    n = lattice.n_sites
    moves = np.zeros((n, 2**n, 2**n))
    for site, state in itertools.product(range(n), range(2**n)):
        moves[site, state, state | 1 << site] += up[state][site]
        moves[site, state, state & ~(1 << site)] += 1 - up[state][site]
    if schedule == "random-site":
        return moves.mean(axis=0)
    if schedule == "checkerboard":
        colors = lattice.sublattices.ravel()
        sites = [
            site for color in range(colors.max() + 1) for site in np.flatnonzero(colors == color)
        ]
        return np.linalg.multi_dot([moves[site] for site in sites])
    if schedule == "typewriter":
        return np.linalg.multi_dot(list(moves))
    matrix = np.ones((2**n, 2**n))
    for before, after, site in itertools.product(range(2**n), range(2**n), range(n)):
        p = up[before][site]
        matrix[before, after] *= p if after >> site & 1 else 1 - p
    return matrix


@pytest.mark.parametrize("schedule", ["random-site", "checkerboard", "typewriter", "synchronous"])
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


@pytest.mark.parametrize("schedule", ["random-site", "checkerboard", "typewriter", "synchronous"])
def test_matrices_are_what_simulate_does(schedule):
    model = Ising(Lattice((2, 3)), 1.0, 0.2)
    matrix = analysis.transition_matrix(HeatBath(), model, 2.5, schedule).toarray()
    sweep = np.linalg.matrix_power(matrix, 6 if schedule == "random-site" else 1)
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
    for schedule in ("random-site", "checkerboard"):
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
