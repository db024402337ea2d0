"""What agents learn is physics: equal curves, exact energies, order that outlasts sight."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from analysis.exact import enumeration, torus
from analysis.thermodynamics import thermodynamics
from isingrl import Ising, Lattice, Learning, MeanFieldQ, Metropolis, simulate, train
from isingrl.agents import NeighborhoodQ
from tests.statistical import Z_LIMIT

RUN = {"sweeps": 10_000, "thermalization": 500, "chains": 4, "start": "up"}
SHORT_RUN = RUN | {"sweeps": 2_000, "chains": 8}


@pytest.mark.soak
@pytest.mark.parametrize(
    ("lattice", "temperatures"),
    [(Lattice((32, 32)), [2.0, 2.6, 3.0]), (Lattice((8, 8, 8)), [3.8, 5.5, 7.0])],
    ids=["square", "cubic"],
)
def test_agents_with_networks_have_the_curve_of_metropolis(lattice, temperatures):
    """Energies and |m| at three temperatures."""
    pytest.importorskip("torch")
    model = Ising(lattice)
    policy = train(model, MeanFieldQ(network=(20,)), temperatures, sweeps=5000, annealing=0.8,
                   seed=1)  # fmt: skip
    agents, metropolis = (
        thermodynamics(simulate(model, rule, temperatures, seed=seed, **SHORT_RUN))
        for seed, rule in enumerate((policy, Metropolis()))
    )
    # Networks are right to some 1e-3 of the log-odds; much longer runs would show the rest.
    for name, precision in [("energy", 5e-3), ("abs_magnetization", 2e-2)]:
        error = np.hypot(agents[f"{name}_error"], metropolis[f"{name}_error"]).values
        scores = (agents[name] - metropolis[name]).values / error
        assert (error < precision).all()
        assert (abs(scores) < Z_LIMIT).all(), f"{name}: {scores}"


@pytest.mark.parametrize(("lattice", "temperature", "exact"), [
    (Lattice((16, 16)), [2.6, 3.5], lambda model, t: torus(model.lattice.shape, t)),
    (Lattice((4, 4), "moore"), [7.0, 9.0], enumeration),
], ids=["square", "moore"])  # fmt: skip
def test_agents_that_see_the_joint_action_have_the_exact_energy(lattice, temperature, exact):
    model = Ising(lattice)
    policy = train(model, NeighborhoodQ(), temperature, sweeps=3000, seed=4)
    summary = thermodynamics(simulate(model, policy, seed=5, **RUN))
    error = summary["energy_error"].values
    scores = (summary["energy"].values - exact(model, temperature)["energy"].values) / error
    assert (error < 1e-2).all()
    assert (abs(scores) < Z_LIMIT).all(), scores


def test_order_lasts_the_longer_the_less_agents_see():
    model = Ising(Lattice((32, 32)))
    magnetization = []
    for seen in range(5):
        agent = MeanFieldQ(neighbors_seen=seen, learning_rate=1e-3)
        data = simulate(model, Learning(agent), 2.8, start="up", sweeps=1000,
                        thermalization=500, chains=2, seed=12)  # fmt: skip
        magnetization.append(float(abs(data["magnetization"]).mean()))
    assert (np.diff(magnetization) < -0.01).all(), magnetization
    blind = brentq(lambda m: math.tanh(4 * m / 2.8) - m, 0.1, 1.0)  # as Weiss has it
    assert magnetization[0] == pytest.approx(blind, abs=0.01)
    assert magnetization[4] < 0.2
