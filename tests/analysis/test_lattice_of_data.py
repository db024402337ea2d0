"""Functions of configurations take the lattice of their data, and refuse to be told another."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import analysis
import isingrl as irl
from analysis import plots

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short


def simulated(neighborhood: str, boundary: str, **options: float) -> xr.Dataset:
    lattice = irl.Lattice((8, 8), neighborhood, boundary)
    model = irl.Ising(lattice, **options)
    temperature = [6.0, 9.0] if neighborhood == "moore" else [3.0, 4.0]
    return irl.simulate(
        model, irl.HeatBath(), temperature, sweeps=400, thermalization=50, chains=2, snapshots=40,
        seed=1,
    )  # fmt: skip


LATTICES = [(n, b) for n in ("von_neumann", "moore") for b in ("periodic", "free")]
FUNCTIONS = {
    "domain_statistics": analysis.domain_statistics,
    "domain_table": analysis.domain_table,
    "label_domains": analysis.label_domains,
    "cluster_statistics": lambda *given, **named: analysis.cluster_statistics(
        given[0], None, *given[1:], seed=2, **named
    ),
    "label_clusters": lambda *given, **named: analysis.label_clusters(
        given[0], None, *given[1:], seed=2, **named
    ),
}
CORRELATIONS = {
    "structure_factor": analysis.structure_factor,
    "correlation_length": analysis.correlation_length,
}


@pytest.fixture(scope="module", params=LATTICES, ids="-".join)
def data(request: pytest.FixtureRequest) -> xr.Dataset:
    return simulated(*request.param)


def bare(spins: xr.DataArray) -> xr.DataArray:
    """Without what they say of their lattice."""
    return spins.drop_vars([name for name in spins.coords if name not in spins.dims])


def former(data: xr.Dataset) -> xr.Dataset:
    """As earlier versions wrote it: attributes alone."""
    names = ("neighborhood", "boundary", "coupling", "field", "n_sites")
    attributes = {name: data[name].item() for name in names}
    found = data.drop_vars([name for name in data.coords if name not in data.dims])
    return found.assign_attrs(attributes, shape=[8, 8])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lattices_come_with_the_data(name, data):
    function = FUNCTIONS[name]
    lattice = data.neighborhood.item(), data.boundary.item()
    expected = function(bare(data.spins), *lattice)
    found = [function(data), function(data.spins), function(data, *lattice), function(former(data))]
    for each in found:
        if isinstance(each, xr.DataArray):
            np.testing.assert_array_equal(each, expected)
            continue
        for variable in expected:
            np.testing.assert_array_equal(each[variable], expected[variable])


def test_energies_count_the_same_walls(data):
    """As many unlike neighbours as the energy says, wherever the lattice ends."""
    lattice = irl.Lattice((8, 8), data.neighborhood.item(), data.boundary.item())
    density = analysis.domain_statistics(data).wall_density
    energy = data.energy.sel(draw=data.snapshot.values).values
    expected = (1 + energy * lattice.n_sites / lattice.n_bonds) / 2
    np.testing.assert_allclose(density.transpose("temperature", "chain", "snapshot"), expected)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_another_boundary_than_that_of_the_data_is_refused(name, data):
    other = "free" if data.boundary == "periodic" else "periodic"
    with pytest.raises(ValueError, match=f"boundary must be that of the data.*; got '{other}'"):
        FUNCTIONS[name](data.spins, None, other)


def test_domains_by_other_neighbours_are_a_choice_and_clusters_are_not(data):
    other = "von_neumann" if data.neighborhood == "moore" else "moore"
    boundary = data.boundary.item()
    found = analysis.domain_statistics(data, other)
    expected = analysis.domain_statistics(bare(data.spins), other, boundary)
    np.testing.assert_array_equal(found.n_domains, expected.n_domains)
    assert found.neighborhood == other
    for name in ("cluster_statistics", "label_clusters"):
        with pytest.raises(ValueError, match="neighborhood must be that of the data"):
            FUNCTIONS[name](data, other)
        with pytest.raises(ValueError, match=r"coupling must be that of the data, 1\.0; got 2"):
            FUNCTIONS[name](data, coupling=2.0)


def test_clusters_know_the_coupling_and_the_field_of_the_data():
    data = simulated("von_neumann", "periodic", coupling=0.5)
    found = analysis.cluster_statistics(data, seed=3)
    expected = analysis.cluster_statistics(bare(data.spins), coupling=0.5, seed=3)
    np.testing.assert_array_equal(found.n_domains, expected.n_domains)
    field = simulated("von_neumann", "periodic", field=0.1)
    antiferromagnet = simulated("von_neumann", "periodic", coupling=-1.0)
    for function in (analysis.cluster_statistics, analysis.label_clusters):
        with pytest.raises(ValueError, match=r"field must be 0 for clusters; .* 0\.1"):
            function(field)
        with pytest.raises(ValueError, match="coupling must be positive"):
            function(antiferromagnet.spins)


@pytest.mark.parametrize("name", CORRELATIONS)
def test_wave_numbers_of_free_boundaries_are_refused_alike(name, data):
    function = CORRELATIONS[name]
    if data.boundary == "periodic":
        xr.testing.assert_identical(getattr(data.isingrl, name)(), function(data))
        xr.testing.assert_identical(function(data.spins), function(data))
        return
    ways = (
        getattr(data.isingrl, name), lambda: function(data), lambda: function(data.spins),
        lambda: function(former(data)),
    )  # fmt: skip
    for way in ways:
        with pytest.raises(ValueError, match=r"boundary must be 'periodic' for wave numbers"):
            way()
    with pytest.raises(ValueError, match="boundary must be 'periodic'"):
        analysis.domain_length(data, dims=("chain",))


def naive_correlations(spins: np.ndarray) -> tuple[np.ndarray, dict[int, float]]:
    """Pair by pair: along both axes, and by rounded distance up to half the shorter side."""
    shape = spins.shape
    along = np.full((2, max(shape) // 2 + 1), np.nan)
    shells: dict[int, list[float]] = {}
    for dx in range(-shape[0] + 1, shape[0]):
        for dy in range(-shape[1] + 1, shape[1]):
            pairs = [
                float(spins[x, y] * spins[x + dx, y + dy])
                for x in range(shape[0])
                for y in range(shape[1])
                if 0 <= x + dx < shape[0] and 0 <= y + dy < shape[1]
            ]
            radius = np.hypot(dx, dy)
            if radius <= min(shape) / 2:
                shells.setdefault(int(np.rint(radius)), []).extend(pairs)
            for axis, (here, other) in enumerate(((dx, dy), (dy, dx))):
                if other == 0 and 0 <= here < along.shape[1]:
                    along[axis, here] = np.mean(pairs)
    return along, {radius: float(np.mean(pairs)) for radius, pairs in shells.items()}


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (6, 4)])
def test_correlations_of_free_lattices_are_over_the_pairs_that_there_are(shape):
    spins = np.random.default_rng(7).choice([-1, 1], size=shape)
    array = xr.DataArray(spins, dims=("x", "y"), coords={"boundary": "free"})
    found = analysis.spin_correlation(array, dims=())
    along, shells = naive_correlations(spins)
    np.testing.assert_allclose(found.correlation, along, atol=1e-12)
    expected = [shells[radius] for radius in sorted(shells)]
    np.testing.assert_allclose(found.radial_correlation, expected, atol=1e-12)


def test_neighbours_of_a_free_lattice_are_correlated_as_the_energy_says():
    model = irl.Ising(irl.Lattice((8, 8), boundary="free"))
    data = irl.simulate(
        model, irl.HeatBath(), 2.0, sweeps=4000, thermalization=200, chains=8, snapshots=400,
        seed=8,
    )  # fmt: skip
    found = analysis.spin_correlation(data).squeeze("temperature")
    xr.testing.assert_identical(data.isingrl.correlations().squeeze("temperature"), found)
    bonds = -data.energy.sel(draw=data.snapshot.values).mean().item() * 64 / 112
    neighbours = found.correlation.sel(distance=1)
    assert neighbours.mean().item() == pytest.approx(bonds, abs=1e-12)
    assert abs(neighbours.mean().item() - 0.704) < 0.005


def test_parts_of_a_lattice_have_a_free_boundary(data):
    part = data.spins.isel(x=slice(2, 7))
    expected = analysis.domain_statistics(bare(part), data.neighborhood.item(), "free")
    found = analysis.domain_statistics(part, boundary="free")
    np.testing.assert_array_equal(found.n_domains, expected.n_domains)
    told = part.assign_coords(boundary="free")
    np.testing.assert_array_equal(analysis.domain_statistics(told).n_domains, expected.n_domains)
    assert np.isfinite(analysis.spin_correlation(told, dims=()).correlation.sel(distance=1)).all()
    if data.boundary == "free":
        np.testing.assert_array_equal(analysis.domain_statistics(part).n_domains, found.n_domains)
        return
    for refused in (
        lambda: analysis.domain_statistics(part),
        lambda: analysis.domain_statistics(part, boundary="periodic"),
        lambda: analysis.label_clusters(part, seed=1),
        lambda: analysis.spin_correlation(part),
        lambda: analysis.structure_factor(part),
        lambda: plots.domain_map(
            part.isel(temperature=0, chain=0, snapshot=0), ax=Figure().subplots()
        ),
    ):
        with pytest.raises(ValueError, match=r"boundary must be 'free' .* 5 of 8 sites along 'x'"):
            refused()


def test_planes_of_a_cube_go_around():
    model = irl.Ising(irl.Lattice((4, 6, 8)))
    data = irl.simulate(model, irl.HeatBath(), 4.0, sweeps=20, snapshots=2, seed=1)
    plane = data.spins.isel(z=3)
    found = analysis.domain_statistics(plane)
    expected = analysis.domain_statistics(bare(plane))
    np.testing.assert_array_equal(found.n_domains, expected.n_domains)


def test_runs_on_several_lattices_are_taken_one_at_a_time():
    parts = [simulated(neighborhood, "periodic") for neighborhood in ("von_neumann", "moore")]
    same = parts[0].temperature.values
    data = xr.concat([part.assign_coords(temperature=same) for part in parts], "neighborhood")
    with pytest.raises(ValueError, match=r"one neighborhood here.*one of them at a time"):
        analysis.domain_statistics(data)
    found = analysis.domain_statistics(data.sel(neighborhood="moore"))
    expected = analysis.domain_statistics(parts[1])
    np.testing.assert_array_equal(found.n_domains, expected.n_domains)


def test_domain_maps_show_the_domains_of_the_data(data):
    spins = data.spins.isel(temperature=1, chain=0, snapshot=0)
    images = [
        plots.domain_map(each, *lattice, ax=Figure().subplots()).images[0].get_array()
        for each, lattice in (
            (spins, ()),
            (bare(spins), (data.neighborhood.item(), data.boundary.item())),
        )
    ]
    np.testing.assert_array_equal(*images)
