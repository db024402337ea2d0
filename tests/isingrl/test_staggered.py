"""Staggered magnetizations: every engine measures those of the spins, and their law is exact."""

import numpy as np
import pytest
import xarray as xr

import isingrl as irl
from analysis import exact, thermodynamics
from isingrl.engines.lanes import LaneEngine
from isingrl.engines.sites import SiteEngine
from tests.statistical import Z_LIMIT

LANES = {
    "ring": irl.Lattice(10),
    "square": irl.Lattice((4, 6)),
    "strips": irl.Lattice((4, 64)),
    "cubic": irl.Lattice((2, 4, 6)),
    "long": irl.Lattice((70, 4)),
}
SITES = {
    "path": irl.Lattice(5, boundary="free"),
    "free": irl.Lattice((5, 3), boundary="free"),
    "free-cubic": irl.Lattice((2, 3, 3), boundary="free"),
}


def run(lattice, rule=None, **options):
    arguments = {"sweeps": 6, "chains": 3, "snapshots": 6, "seed": 1} | options
    return irl.simulate(irl.Ising(lattice), rule or irl.HeatBath(), [2.0, 5.0], **arguments)


def signs(lattice):
    return 1 - 2 * (np.indices(lattice.shape).sum(axis=0) % 2)


@pytest.mark.parametrize("schedule", ["checkerboard", "synchronous", "typewriter"])
@pytest.mark.parametrize("name", [*LANES, *SITES])
def test_it_is_that_of_the_spins(name, schedule):
    lattice = (LANES | SITES)[name]
    data = run(lattice, schedule=schedule)
    expected = (data["spins"].values * signs(lattice)).reshape(*data["energy"].shape, -1)
    np.testing.assert_allclose(data["staggered_magnetization"], expected.mean(axis=-1), atol=1e-12)


@pytest.mark.parametrize("network", [None, (3,)], ids=["table", "network"])
def test_agents_that_learn_have_it_too(network):
    if network:
        pytest.importorskip("torch")
    data = run(LANES["square"], irl.Learning(irl.MeanFieldQ(network=network)))
    expected = (data["spins"] * signs(LANES["square"])).mean(("x", "y"))
    np.testing.assert_allclose(data["staggered_magnetization"], expected, atol=1e-12)


def test_the_engines_are_those_meant():
    def engine(lattice):
        about = np.array([2.0]), 2, "up", "checkerboard", np.random.SeedSequence(1)
        return irl.HeatBath().engine(irl.Ising(lattice), *about)

    assert all(isinstance(engine(lattice), LaneEngine) for lattice in LANES.values())
    assert all(isinstance(engine(lattice), SiteEngine) for lattice in SITES.values())


@pytest.mark.parametrize(
    "lattice", [irl.Lattice(5), irl.Lattice((4, 3)), irl.Lattice((4, 4), "moore")], ids=str
)
def test_it_takes_two_sublattices(lattice):
    assert "staggered_magnetization" not in run(lattice)


@pytest.mark.parametrize(
    "lattice", [irl.Lattice((4, 4)), irl.Lattice((3, 4), boundary="free")], ids=str
)
def test_an_antiferromagnet_has_the_law_of_the_ferromagnet(lattice):
    model, temperature = irl.Ising(lattice, coupling=-1.0), [2.0, 4.0]
    data = irl.simulate(
        model, irl.Metropolis(), temperature, sweeps=20_000, thermalization=200, chains=4, seed=2
    )
    found = thermodynamics(data)
    known = exact.enumeration(irl.Ising(lattice), temperature)
    for name in ("abs_magnetization", "susceptibility", "binder_cumulant"):
        own = name.replace("abs_", "abs_staggered_") if "abs" in name else f"staggered_{name}"
        z = (found[own] - known[name]) / found[f"{own}_error"]
        assert (abs(z) < Z_LIMIT).all(), (own, z.values)
        assert found[own].attrs["units"] == known[name].attrs["units"]


def test_runs_with_and_without_it_lie_beside_each_other():
    lattices = irl.Lattice((4, 4)), irl.Lattice((4, 4), "moore")
    runs = [
        irl.simulate(irl.Ising(each), irl.HeatBath(), [4.0, 8.0], sweeps=20_000, chains=4, seed=1)
        for each in lattices
    ]
    both = xr.concat(runs, "neighborhood")
    found = thermodynamics(both)["staggered_susceptibility"]
    assert np.isfinite(found.sel(neighborhood="von_neumann")).all()
    assert np.isnan(found.sel(neighborhood="moore")).all()
