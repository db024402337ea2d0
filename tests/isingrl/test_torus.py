"""Larger lattices than can be enumerated, against Kaufman's torus and the ring."""

import numpy as np
import pytest

from analysis import errors, exact
from isingrl import HeatBath, Ising, Lattice, MeanFieldQ, Metropolis, simulate, train
from tests.statistical import Z_LIMIT

T_C = exact.CRITICAL_TEMPERATURE


def rule_of(name, model):
    if name == "policy":
        return train(model, MeanFieldQ("half", learning_rate=0.2), T_C, sweeps=200, seed=1)
    return {"metropolis": Metropolis(), "heat-bath": HeatBath()}[name]


def compare(data, expected):
    """Check energy and specific heat of one temperature; returns the energy's error."""
    e = data["energy"].values[0]
    temperature, n_sites = float(data["temperature"][0]), data.n_sites.item()
    energy = errors.estimate(e)
    # Deviations from the exact energy spare the variance a difference of large numbers.
    shifted = e - float(expected["energy"][0])
    heat = errors.estimate(
        np.stack([shifted**2, shifted]),
        lambda means: n_sites * (means[0] - means[1] ** 2) / temperature**2,
    )
    for found, name in ((energy, "energy"), (heat, "specific_heat")):
        exactly = float(expected[name][0])
        z = (found.value - exactly) / found.error
        print(f"{name} {found.value:.6f} +- {found.error:.6f}, exactly {exactly:.6f}, z {z:+.2f}")
        assert abs(z) < Z_LIMIT, name
    return energy.error


@pytest.mark.parametrize(
    ("side", "rule", "sweeps"),
    [
        # The policy decorrelates twice as slowly as Metropolis, as the heat bath does.
        (16, "metropolis", 320_000),
        (16, "policy", 600_000),
        *(
            pytest.param(*case, marks=pytest.mark.soak)
            for case in (
                (16, "heat-bath", 600_000), (32, "metropolis", 130_000),
                (32, "heat-bath", 280_000), (32, "policy", 280_000),
                (64, "metropolis", 130_000), (64, "heat-bath", 290_000),
            )
        ),
    ],
)  # fmt: skip
def test_critical_torus(side, rule, sweeps):
    """Energy within 2e-4, and specific heat."""
    model = Ising(Lattice((side, side)))
    data = simulate(
        model, rule_of(rule, model), T_C, sweeps=sweeps, thermalization=5 * side**2,
        interval=side, chains=64 if side == 16 else 128, seed=side + 1000 * len(rule),
    )  # fmt: skip
    assert compare(data, exact.torus((side, side), T_C)) < 2e-4


@pytest.mark.parametrize("rule", [Metropolis(), HeatBath()], ids=lambda rule: rule.name)
@pytest.mark.parametrize(("side", "chains"), [(64, 20), (128, 5), (256, 1)])
def test_torus_in_strips(side, chains, rule):
    """So few chains that each is cut into strips, which must know their neighbours."""
    data = simulate(
        Ising(Lattice((side, side))), rule, 2.6, sweeps=10_000, thermalization=500, interval=5,
        chains=chains, seed=3,
    )  # fmt: skip
    assert compare(data, exact.torus((side, side), 2.6)) < 1e-3


@pytest.mark.parametrize("rule", [Metropolis(), HeatBath()], ids=lambda rule: rule.name)
@pytest.mark.parametrize("chains", [1, 6, 64])
def test_ring_in_a_field(chains, rule):
    data = simulate(
        Ising(Lattice((1024,)), field=0.2), rule, 1.5, sweeps=20_000, thermalization=500,
        interval=5, chains=chains, seed=4,
    )  # fmt: skip
    assert compare(data, exact.ring(1024, 1.5, field=0.2)) < 1e-3


def test_antiferromagnet_has_the_energy_of_the_ferromagnet():
    """On a lattice of two sublattices, turning one of them maps one to the other."""
    data = simulate(
        Ising(Lattice((32, 32)), coupling=-1.0), Metropolis(), 2.6, sweeps=10_000,
        thermalization=1_000, interval=5, chains=64, seed=5,
    )  # fmt: skip
    assert compare(data, exact.torus((32, 32), 2.6)) < 1e-3
