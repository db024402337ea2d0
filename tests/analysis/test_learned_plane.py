"""The plane of majority-vote rules, and the figures of what was learned."""

import math

import matplotlib
import numpy as np
import pytest

import analysis
from analysis import exact, plots
from isingrl import HeatBath, Ising, Lattice
from isingrl.agents import JointQ, MeanFieldQ, NeighborhoodQ, train
from tests.analysis.policies import converged, made

matplotlib.use("Agg")
from matplotlib import pyplot as plt

SQUARE = Ising(Lattice((4, 4)))
MOORE = Ising(Lattice((4, 4), "moore"))
T = [0.1, 2.0, 3.0]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


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
