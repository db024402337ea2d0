"""Cluster updates on large critical lattices, and in many small systems. `make soak` runs it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import isingrl as irl
from analysis import exact, thermodynamics
from analysis.literature import critical_exponents, critical_temperature
from tests.isingrl import test_cluster_updates
from tests.statistical import FALSE_ALARM, Z_LIMIT, check_standard_normal


@pytest.mark.parametrize(
    ("side", "rule", "sweeps", "interval"),
    [
        (16, irl.SwendsenWang(), 24_000_000, 4), (16, irl.Wolff(), 15_000_000, 3),
        (64, irl.SwendsenWang(), 3_600_000, 4), (64, irl.Wolff(), 1_700_000, 4),
        (256, irl.SwendsenWang(), 400_000, 4), (256, irl.Wolff(), 200_000, 4),
    ],
    ids=str,
)  # fmt: skip
def test_energy_of_the_critical_torus(side, rule, sweeps, interval):
    """Against Kaufman's result, with the error that the analysis reports."""
    temperature = critical_temperature(2, "von_neumann")
    data = irl.simulate(
        irl.Ising(irl.Lattice((side, side))), rule, temperature, sweeps=sweeps,
        thermalization=2_000, interval=interval, chains=4, seed=side,
    )  # fmt: skip
    summary, expected = thermodynamics(data), exact.torus((side, side), [temperature])
    for name in ("energy", "specific_heat"):
        error = float(summary[f"{name}_error"][0])
        z = float(summary[name][0] - expected[name][0]) / error
        tau = float(summary["autocorrelation_time"][0])
        print(f"L = {side}, {rule.name}: {name} error {error:.2g}, z = {z:+.2f}, tau = {tau:.2f}")
        assert abs(z) < Z_LIMIT
    assert float(summary["energy_error"][0]) <= 5e-5
    ratio = summary["susceptibility_improved"] / summary["susceptibility_disordered"]
    error = summary["susceptibility_disordered_error"] / summary["susceptibility_disordered"]
    assert abs(float(ratio[0]) - 1) < Z_LIMIT * float(error[0])


def test_energy_of_the_critical_cubic_lattice():
    """Up to 64³, extrapolated by e = e_c + a L^(1/ν - 3), against the literature.

    At K_c the energy of a bond is 0.3302022(5): M. Hasenbusch, K. Pinn, J. Phys. A 31, 6157 (1998).
    """
    temperature = critical_temperature(3, "von_neumann")
    sides = np.array([24, 32, 40, 48, 64])
    values, errors = np.empty((2, sides.size))
    for k, side in enumerate(sides):
        data = irl.simulate(
            irl.Ising(irl.Lattice((side,) * 3)), irl.SwendsenWang(), temperature,
            sweeps=4 * (5_000 * 64**3 // side**3), thermalization=500, interval=4, chains=2,
            seed=int(side),
        )  # fmt: skip
        summary = thermodynamics(data)
        values[k], errors[k] = (float(summary[name][0]) for name in ("energy", "energy_error"))
    power = 1 / critical_exponents(3)["nu"] - 3
    design = np.stack([np.ones(sides.size), sides**power], axis=1) / errors[:, None]
    covariance = np.linalg.inv(design.T @ design)
    found, amplitude = covariance @ design.T @ (values / errors)
    square = np.sum((values / errors - design @ [found, amplitude]) ** 2)
    error = np.sqrt(covariance[0, 0])
    z = (found + 3 * 0.3302022) / error
    print(f"e_c = {found:.6f}, error {error:.2g}, z = {z:+.2f}; chi² = {square:.1f} for 3")
    assert abs(z) < Z_LIMIT
    assert error < 4e-4
    assert stats.chi2.sf(square, sides.size - 2) > FALSE_ALARM


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
