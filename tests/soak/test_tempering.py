"""Parallel tempering on every lattice, and where it takes longest. `make soak` runs it."""

import numpy as np
import pytest

import isingrl.engines.lane_bonds
from analysis import exact, tempering, tempering_temperatures, thermodynamics
from isingrl import HeatBath, Ising, Lattice, Metropolis, Tempering, simulate
from tests.isingrl.test_exactness import CHECKERBOARD, OBSERVABLES, SEQUENTIAL
from tests.statistical import Z_LIMIT, check_standard_normal, z_of_chains

RULES = {"metropolis": Metropolis(), "heat-bath": HeatBath()}
SYSTEMS = [each for each in CHECKERBOARD + SEQUENTIAL if each.rule in RULES]


def z_scores(system, monkeypatch):
    """Deviations of one observable, temperature by temperature: from 0.7 T to infinity."""
    if system.engine == "sites":
        monkeypatch.setattr(isingrl.engines.lane_bonds, "fits", lambda lattice: False)
    temperatures = system.temperature * np.array([1.0, 0.7, np.inf, 1.4])
    data = simulate(
        system.model, Tempering(RULES[system.rule], every=1 + system.seed % 5), temperatures,
        sweeps=1200, thermalization=100, interval=1 + system.seed % 3, chains=32,
        schedule=system.schedule, seed=system.seed,
    )  # fmt: skip
    expected = exact.enumeration(system.model, temperatures)
    e, m = data["energy"].values, data["magnetization"].values
    return {
        (name, k): z_of_chains(function(e[k], m[k]).mean(axis=1), float(expected[name][k]))
        for name, function in OBSERVABLES.items()
        for k in range(len(temperatures))
    }


def test_moments_are_exact_on_every_lattice():
    names, together = list(OBSERVABLES), []
    for turn, system in enumerate(SYSTEMS):
        with pytest.MonkeyPatch.context() as patch:
            found = z_scores(system, patch)
        for at, z in found.items():
            assert abs(z) < Z_LIMIT, f"{system}, {at}: z = {z:.2f}"
        together.append(found[names[turn % 5], turn // 5 % 4])
    print(f"\n{len(together)} z-scores, mean {np.mean(together):+.3f}, "
          f"variance {np.var(together, ddof=1):.3f}")  # fmt: skip
    check_standard_normal(together)


def test_a_torus_below_the_transition_from_random_starts():
    """32 × 32 from T = 0.8 to above the transition, where a third of quenches freeze."""
    model = Ising(Lattice((32, 32)))
    short = simulate(
        model, HeatBath(), [0.8, 1.2, 1.6, 1.9, 2.1, 2.25, 2.4, 2.6], sweeps=4000,
        thermalization=1000, chains=8, start="up", seed=1,
    )  # fmt: skip
    temperatures = tempering_temperatures(short, acceptance=0.4)
    data = simulate(
        model, Tempering(HeatBath()), temperatures, sweeps=200_000, thermalization=50_000,
        interval=20, chains=8, seed=2,
    )  # fmt: skip
    found = tempering(data)
    assert (abs(found.exchange_acceptance.isel(pair=slice(2, None)) - 0.42) < 0.08).all()
    assert (found.round_trips.sum("replica") > 50).all()
    summary, expected = thermodynamics(data), exact.torus((32, 32), temperatures)
    z = ((summary.energy - expected.energy) / summary.energy_error).values
    print(f"\nz of the energy: {z.round(2)}")
    assert (abs(z) < Z_LIMIT).all()
    cold = data.magnetization.isel(temperature=0)
    assert (abs(cold) > 0.99).all()
    assert 0.3 < (cold > 0).mean() < 0.7
