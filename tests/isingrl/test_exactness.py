"""Moments of energy and magnetization against enumeration, for every rule on every lattice."""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass

import numpy as np
import pytest

import isingrl.engines.lane_bonds
from analysis import exact
from isingrl import HeatBath, Ising, Lattice, MeanFieldQ, Metropolis, simulate, train
from isingrl.engines.lane_layout import fits
from isingrl.lattice import BOUNDARIES, HONEYCOMB, NEIGHBORHOODS, TRIANGULAR
from tests.statistical import Z_LIMIT, check_standard_normal, z_of_chains

OBSERVABLES = {
    "energy": lambda e, m: e,
    "energy_squared": lambda e, m: e**2,
    "abs_magnetization": lambda e, m: abs(m),
    "magnetization_squared": lambda e, m: m**2,
    "magnetization_fourth": lambda e, m: m**4,
}
RULES = ("metropolis", "heat-bath", "mean-field-q")
SHAPES = [(8,), (7,), (4, 4), (3, 4), (3, 5), (2, 2, 4), (3, 2, 2), (3, 2, 3)]
SPECIAL = [
    ((4, 4), HONEYCOMB), ((2, 6), HONEYCOMB),
    ((4, 4), TRIANGULAR), ((3, 4), TRIANGULAR), ((3, 3), TRIANGULAR),
    ((8,), [(1,), (2,)]), ((4, 4), [(1, 1), (1, -1)]), ((3, 5), [(0, 1), (1, 0), (2, 1)]),
]  # fmt: skip
"""Lattices whose steps are those of two or three dimensions only, or have no name."""


@dataclass(frozen=True)
class System:
    """What is simulated: by which rule and engine, and on which model."""

    model: Ising
    rule: str
    schedule: str
    engine: str

    def __str__(self):
        lattice = self.model.lattice
        return "-".join(
            [
                "x".join(map(str, lattice.shape)), lattice.neighborhood, lattice.boundary,
                f"J{self.model.coupling:g}", f"h{self.model.field:g}",
                self.rule, self.schedule, self.engine,
            ]
        )  # fmt: skip

    @property
    def seed(self):
        """A number of its own for every system, the same in every run."""
        return zlib.crc32(str(self).encode())

    @property
    def temperature(self):
        """Of about z |J|: chains mix, and spins are correlated all the same."""
        fraction = 0.7 + 0.5 * (self.seed % 100) / 100
        return fraction * self.model.lattice.coordination_number * abs(self.model.coupling)


def systems(schedule):
    """Every combination of lattice, sign of the coupling, field, rule and engine."""
    places = [(shape, name) for shape in SHAPES for name in NEIGHBORHOODS]
    for shape, neighborhood, boundary in (
        (*place, boundary) for place in places + SPECIAL for boundary in BOUNDARIES
    ):
        lattice = Lattice(shape, neighborhood, boundary)
        lanes = fits(lattice) and schedule == "checkerboard"
        for coupling in (1.0, -1.0):
            for field in (0.0, 0.5):
                model = Ising(lattice, coupling, field)
                for rule in RULES:
                    for engine in ("lanes", "sites") if lanes else ("sites",):
                        yield System(model, rule, schedule, engine)


# Steps that share no factor with the numbers of choices meet all of them. The soak has the others.
EVERY = list(systems("checkerboard"))
CHECKERBOARD = [each for k, each in enumerate(EVERY) if each.engine == "lanes" or k % 5 < 2]
REST = [pytest.param(each, marks=pytest.mark.soak) for each in EVERY if each not in CHECKERBOARD]
SEQUENTIAL = list(systems("sequential"))[::5]


@functools.cache
def rule_of(system):
    if system.rule == "metropolis":
        return Metropolis()
    if system.rule == "heat-bath":
        return HeatBath()
    return train(system.model, MeanFieldQ(), system.temperature, sweeps=2000, seed=system.seed)


@functools.cache
def z_scores(system):
    """Deviations from the exact values of all observables, as standard normal numbers."""
    model, temperature = system.model, system.temperature
    with pytest.MonkeyPatch.context() as patch:
        if system.engine == "sites":
            patch.setattr(isingrl.engines.lane_bonds, "fits", lambda lattice: False)
        data = simulate(
            model, rule_of(system), temperature, sweeps=1200, thermalization=100, interval=2,
            chains=64, schedule=system.schedule, seed=system.seed,
        )  # fmt: skip
    e, m = data["energy"].values[0], data["magnetization"].values[0]
    expected = exact.enumeration(model, temperature)
    return {
        name: z_of_chains(function(e, m).mean(axis=1), float(expected[name][0]))
        for name, function in OBSERVABLES.items()
    }


@pytest.mark.parametrize("system", CHECKERBOARD + SEQUENTIAL + REST, ids=str)
def test_moments_agree_with_enumeration(system):
    for name, z in z_scores(system).items():
        assert abs(z) < Z_LIMIT, f"{name}: z = {z:.2f}"


@pytest.mark.parametrize("schedule", ["checkerboard", "sequential"])
def test_z_scores_together_are_standard_normal(schedule):
    """One observable a system, in turn, since those of one run are correlated."""
    names = list(OBSERVABLES)
    chosen = CHECKERBOARD if schedule == "checkerboard" else SEQUENTIAL
    scores = [z_scores(system)[names[index % 5]] for index, system in enumerate(chosen)]
    print(f"\n{schedule}: {len(scores)} z-scores, mean {np.mean(scores):+.3f}, "
          f"variance {np.var(scores, ddof=1):.3f}")  # fmt: skip
    for name in names:
        each = [z_scores(system)[name] for system in chosen]
        print(f"  {name}: mean {np.mean(each):+.3f}, variance {np.var(each, ddof=1):.3f}")
        check_standard_normal(each)
    check_standard_normal(scores)


def test_agents_have_met_what_the_lattice_shows_them():
    """Else a coin in their tables would bias the moments."""
    for system in CHECKERBOARD:
        if system.rule == "mean-field-q" and system.model.lattice.ndim < 3:
            table = rule_of(system).table(system.model, np.array([system.temperature]))
            heat_bath = HeatBath().table(system.model, np.array([system.temperature]))
            visits = rule_of(system).visits.values[0]
            met = (visits > 0).all(axis=1)
            np.testing.assert_allclose(table[..., met], heat_bath[..., met], rtol=1e-9)
            assert visits[~met].sum() < 1e-3 * visits.sum()
