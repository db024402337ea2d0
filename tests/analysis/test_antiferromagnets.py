"""Antiferromagnets are ferromagnets of staggered spins."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import analysis
import isingrl as irl
from analysis import errors, exact, staggered_spins
from tests.statistical import Z_LIMIT


@pytest.fixture(scope="module")
def ring() -> xr.Dataset:
    return irl.simulate(
        irl.Ising(irl.Lattice(64), coupling=-1.0), irl.HeatBath(), [0.8, 1.2], sweeps=4000,
        thermalization=200, chains=4, snapshots=400, seed=1,
    )  # fmt: skip


def test_lengths_are_those_of_the_ferromagnet(ring):
    found = analysis.correlation_length(staggered_spins(ring))
    known = -1 / np.log(np.tanh(1 / ring.temperature))
    z = (found.exponential_length - known) / found.exponential_length_error
    assert abs(z).max() < Z_LIMIT
    for name in ("second_moment_length", "exponential_length"):
        assert (found[name] > 0).all()


def test_lengths_of_the_spins_themselves_are_refused(ring):
    for refused in (
        lambda: analysis.correlation_length(ring),
        lambda: analysis.correlation_length(ring.spins),
        lambda: ring.isingrl.correlation_length(),
        lambda: analysis.domain_length(ring, dims=("chain",)),
    ):
        with pytest.raises(ValueError, match=r"coupling must not be negative.*staggered_spins"):
            refused()
    # correlations themselves alternate, which is right
    correlation = analysis.spin_correlation(ring).correlation.sel(axis="x")
    other = analysis.spin_correlation(staggered_spins(ring)).correlation.sel(axis="x")
    np.testing.assert_allclose(correlation * (-1) ** correlation.distance, other, atol=1e-12)


LATTICES = [
    irl.Lattice((2, 2, 4)),
    *(
        pytest.param(lattice, marks=pytest.mark.soak)
        for lattice in (irl.Lattice((4, 4)), irl.Lattice((3, 4), boundary="free"))
    ),
]


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_staggered_magnetizations_are_those_of_the_ferromagnet(lattice):
    antiferromagnet = irl.Ising(lattice, coupling=-0.7)
    data = irl.simulate(
        antiferromagnet, irl.HeatBath(), 1.6, sweeps=4000, thermalization=100, chains=8,
        snapshots=1000, seed=2,
    )  # fmt: skip
    sites = [dim for dim in ("x", "y", "z") if dim in data.spins.dims]
    staggered = staggered_spins(data)
    assert staggered.dtype == np.int8
    assert staggered.coupling == 0.7
    order = staggered.mean(sites)
    found = errors.jackknife(
        xr.Dataset({"square": order**2, "magnitude": abs(order)}),
        lambda samples: samples.mean(["chain", "snapshot"]), dims=("chain", "snapshot"),
    )  # fmt: skip
    known = exact.enumeration(irl.Ising(lattice, coupling=0.7), 1.6)
    for name, exactly in (("square", "magnetization_squared"), ("magnitude", "abs_magnetization")):
        z = (found[name] - known[exactly]) / found[f"{name}_error"]
        assert abs(z).item() < Z_LIMIT
    # clusters know that it is a ferromagnet now
    sizes = analysis.cluster_statistics(staggered, seed=3).site_mean_size.sel(phase="both")
    mean = errors.jackknife(
        (sizes / lattice.n_sites).rename("square"),
        lambda samples: samples.mean(["chain", "snapshot"]), dims=("chain", "snapshot"),
    )  # fmt: skip
    z = (mean.square - known.magnetization_squared) / mean.square_error
    assert abs(z).item() < Z_LIMIT


@pytest.mark.parametrize(
    "lattice", [irl.Lattice((3, 4)), irl.Lattice((4, 4), "moore"), irl.Lattice(9)], ids=str
)
def test_two_sublattices_are_needed(lattice):
    data = irl.simulate(
        irl.Ising(lattice, coupling=-1.0), irl.HeatBath(), 2.0, sweeps=2, snapshots=1, seed=1
    )
    with pytest.raises(ValueError, match="spins must come from a lattice with two sublattices"):
        staggered_spins(data)
