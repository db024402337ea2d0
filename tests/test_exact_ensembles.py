"""Every rule, lattice and engine against exact enumeration."""

import numpy as np
import pytest

import isingrl as irl
from analysis import exact
from isingrl import simulation

CHAINS = 64
LATTICES = [
    ((8,), "von_neumann"),
    ((7,), "von_neumann"),
    ((4, 4), "von_neumann"),
    ((3, 4), "von_neumann"),
    ((3, 3), "von_neumann"),
    ((3, 4), "moore"),
    ((3, 5), "moore"),
    ((2, 2, 4), "von_neumann"),
    ((2, 3, 3), "von_neumann"),
    ((2, 2, 4), "moore"),
    ((2, 3, 3), "moore"),
]
MODELS = [(1.0, 0.0), (1.0, 0.4), (-1.0, 0.0), (-0.7, 0.3)]
Z_SCORES: dict[tuple, float] = {}


def _systems():
    for shape, neighborhood in LATTICES:
        for boundary in ("periodic", "free"):
            for coupling, field in MODELS:
                yield shape, neighborhood, boundary, coupling, field


def _rule(name, model, temperature):
    if name == "mean-field-q":
        return irl.train(model, irl.MeanFieldQ("mean"), temperature, sweeps=2_000, seed=5)
    return {"metropolis": irl.Metropolis, "heat-bath": irl.HeatBath}[name]()


@pytest.mark.parametrize("engine", ["lanes", "sites"])
@pytest.mark.parametrize("rule", ["metropolis", "heat-bath", "mean-field-q"])
@pytest.mark.parametrize(
    "system", list(_systems()), ids=lambda s: "-".join(str(part) for part in s).replace(" ", "")
)
def test_ensemble(system, rule, engine, monkeypatch):
    shape, neighborhood, boundary, coupling, field = system
    model = irl.Ising(irl.Lattice(shape, neighborhood, boundary), coupling, field)
    if engine == "lanes" and not simulation.fits(model.lattice):
        pytest.skip("the layout does not hold this lattice")
    if engine == "sites":
        monkeypatch.setattr(simulation, "fits", lambda lattice: False)
    temperature = 0.8 * model.lattice.coordination_number
    seed = abs(hash_of(system, rule, engine))
    data = irl.simulate(
        model, _rule(rule, model, temperature), temperature, sweeps=1_500, thermalization=150,
        chains=CHAINS, seed=seed,
    )  # fmt: skip
    expected = exact.enumeration(model, temperature).isel(temperature=0)
    e, m = data["energy"].values[0], data["magnetization"].values[0]
    observables = {
        "energy": e,
        "energy_squared": e**2,
        "abs_magnetization": np.abs(m),
        "magnetization_squared": m**2,
        "magnetization_fourth": m**4,
    }
    for name, series in observables.items():
        means = series.mean(axis=1)  # of independent chains
        error = means.std(ddof=1) / np.sqrt(CHAINS)
        z = (means.mean() - float(expected[name])) / error
        if name == "energy":
            Z_SCORES[system, rule, engine] = z
        assert abs(z) < 4.5, (name, z)


def hash_of(*parts):
    """A seed that depends on nothing but the case."""
    return int.from_bytes(repr(parts).encode(), "little") % (2**61 - 1)


def test_z_scores_together_are_standard_normal():
    """Mean and variance of one observable's z over all cases, at 4.5 standard errors.

    Errors from 64 chains make z a Student t of 63 degrees of freedom: variance 63/61.
    """
    z = np.array(list(Z_SCORES.values()))
    if z.size < 100:
        pytest.skip("needs the cases above in the same run")
    print(f"{z.size} cases: mean {z.mean():.3f}, variance {z.var(ddof=1):.3f}")
    variance = 63 / 61
    assert abs(z.mean()) < 4.5 * np.sqrt(variance / z.size)
    assert abs(z.var(ddof=1) / variance - 1) < 4.5 * np.sqrt(2.1 / z.size)
