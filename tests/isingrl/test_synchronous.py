"""Synchronous heat bath has a law of its own, on every ring of any length."""

import numpy as np
import pytest

from isingrl import HeatBath, Ising, Lattice, simulate
from tests import oracles
from tests.statistical import Z_LIMIT, z_of_chains

BETA = 0.5
RINGS = {5: "sites", 6: "lanes"}  # the engine that takes it


def next_to(spins):
    """Sums of the neighbour spins on a ring, which is the last axis."""
    return np.roll(spins, 1, axis=-1) + np.roll(spins, -1, axis=-1)


def average(weights, values):
    return float(weights @ values / weights.sum())


def synchronous_law(n):
    """All configurations of a ring and their weights, the product of cosh(beta S_i)."""
    spins = oracles.configurations(n)
    return spins, np.cosh(BETA * next_to(spins)).prod(axis=1)


def gibbs_bond(n):
    spins = oracles.configurations(n)
    bonds = (spins * np.roll(spins, 1, axis=1)).mean(axis=1)
    return average(np.exp(BETA * n * bonds), bonds)


def run(n, **options):
    return simulate(
        Ising(Lattice((n,))), HeatBath(), 1 / BETA, chains=256, schedule="synchronous",
        thermalization=100, seed=n, **options,
    )  # fmt: skip


@pytest.mark.parametrize("n", RINGS)
def test_same_time_averages(n):
    spins, weights = synchronous_law(n)
    magnetization = spins.mean(axis=1)
    energy = -(spins * np.roll(spins, 1, axis=1)).mean(axis=1)
    data = run(n, sweeps=8000, interval=2)
    e, m = data["energy"].values[0], data["magnetization"].values[0]
    for found, values in (
        (e, energy),
        (e**2, energy**2),
        (abs(m), abs(magnetization)),
        (m**2, magnetization**2),
        (m**4, magnetization**4),
    ):
        z = z_of_chains(found.mean(axis=1), average(weights, values))
        assert abs(z) < Z_LIMIT


def test_reference_numbers():
    """The bonds that tell the law from the Boltzmann one."""
    for n, bond, gibbs in ((6, 0.0, 0.479), (5, 0.0553, 0.497)):
        spins, weights = synchronous_law(n)
        bonds = (spins * np.roll(spins, 1, axis=1)).mean(axis=1)
        assert average(weights, bonds) == pytest.approx(bond, abs=5e-5)
        assert gibbs_bond(n) == pytest.approx(gibbs, abs=5e-4)


@pytest.mark.parametrize(("n", "ring"), [(6, 6), (5, 10)])
def test_bonds_across_a_step_are_those_of_gibbs(n, ring):
    """Two times make two copies of the sites, which are joined to the lattice's double cover.

    This is two rings of 6 for one of 6, but a ring of 10 for one of 5.
    """
    data = run(n, sweeps=150, snapshots=150)
    spins = data["spins"].values[0].astype(np.int64)
    before, after = spins[:, :-1], spins[:, 1:]
    bonds = (before * next_to(after)).mean(axis=-1) / 2
    assert abs(z_of_chains(bonds.mean(axis=1), gibbs_bond(ring))) < Z_LIMIT


def test_low_temperature_copies_order_apart():
    """At T = 0 on an even ring, opposite sublattices blink for ever."""
    start = np.array([1, -1] * 8, dtype=np.int8)
    data = simulate(
        Ising(Lattice((16,))), HeatBath(), 0.0, sweeps=5, snapshots=5, start=start,
        schedule="synchronous", seed=1,
    )  # fmt: skip
    for step, spins in enumerate(data["spins"].values[0, 0]):
        np.testing.assert_array_equal(spins, start if step % 2 else -start)
