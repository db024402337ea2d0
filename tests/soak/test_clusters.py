"""Cluster updates on large critical lattices, and in many small systems. `make soak` runs it."""

from __future__ import annotations

import numpy as np
import pytest

import isingrl as irl
from analysis import exact, thermodynamics
from analysis.literature import critical_temperature
from tests.isingrl import test_cluster_updates
from tests.statistical import Z_LIMIT, check_standard_normal


@pytest.mark.parametrize(
    ("side", "rule", "sweeps", "largest_error"),
    [
        (16, irl.SwendsenWang(), 1_000_000, 3e-4), (16, irl.Wolff(), 1_000_000, 3e-4),
        (64, irl.SwendsenWang(), 3_600_000, 5e-5), (64, irl.Wolff(), 1_400_000, 5e-5),
        (256, irl.SwendsenWang(), 400_000, 5e-5), (256, irl.Wolff(), 50_000, 1e-4),
    ],
    ids=str,
)  # fmt: skip
def test_energy_of_the_critical_torus(side, rule, sweeps, largest_error):
    """Against Kaufman's result, with the error that the analysis reports."""
    temperature = critical_temperature(2, "von_neumann")
    data = irl.simulate(
        irl.Ising(irl.Lattice((side, side))), rule, temperature, sweeps=sweeps,
        thermalization=2_000, interval=4, chains=4, seed=side,
    )  # fmt: skip
    summary, expected = thermodynamics(data), exact.torus((side, side), [temperature])
    for name in ("energy", "specific_heat"):
        error = float(summary[f"{name}_error"][0])
        z = float(summary[name][0] - expected[name][0]) / error
        tau = float(summary["autocorrelation_time"][0])
        print(f"L = {side}, {rule.name}: {name} error {error:.2g}, z = {z:+.2f}, tau = {tau:.2f}")
        assert abs(z) < Z_LIMIT
    assert float(summary["energy_error"][0]) <= largest_error
    ratio = summary["susceptibility_improved"] / summary["susceptibility_disordered"]
    error = summary["susceptibility_disordered_error"] / summary["susceptibility_disordered"]
    assert abs(float(ratio[0]) - 1) < Z_LIMIT * float(error[0])


def test_many_systems():
    """All small systems, where the tests take one in five."""
    scores = []
    for number in range(len(test_cluster_updates.SYSTEMS)):
        found = test_cluster_updates.z_scores(number)
        assert all(abs(z) < Z_LIMIT for z in found.values()), (number, found)
        scores.append(list(found.values()))
    for each in np.transpose(scores):
        print(f"{each.size} z-scores: mean {each.mean():+.3f}, variance {each.var(ddof=1):.3f}")
        check_standard_normal(each)
