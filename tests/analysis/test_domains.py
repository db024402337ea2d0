"""Domains and clusters against slow searches, known configurations and exact averages."""

import numba
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import exact
from analysis.domains import (
    cluster_statistics,
    domain_statistics,
    domain_table,
    label_clusters,
    label_domains,
)
from isingrl import HeatBath, Ising, Lattice, simulate
from tests.analysis.domain_oracle import partition, wrapped_axes
from tests.statistical import Z_LIMIT, z_of_chains
from tests.strategies import lattices

ALL = {"phase": "both"}


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def array(spins, *leading):
    spins = np.asarray(spins, dtype=np.int8)
    dims = (*leading, *("x", "y", "z")[: spins.ndim - len(leading)])
    return xr.DataArray(spins, dims=dims)


@st.composite
def fields(draw):
    """A lattice and random spins, from nearly all down to nearly all up."""
    lattice = draw(lattices)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    share = draw(st.sampled_from([0.15, 0.4, 0.5, 0.6, 0.85]))
    return lattice, np.where(rng.random(lattice.shape) < share, 1, -1).astype(np.int8)


@settings(max_examples=400, deadline=None)
@given(fields())
def test_labels_sizes_and_wraps_are_those_of_a_slow_search(field):
    lattice, spins = field
    how = lattice.neighborhood, lattice.boundary
    labels = label_domains(array(spins), *how).values
    oracle = partition(spins, lattice)
    pairs = np.unique(np.stack([labels.ravel(), oracle.ravel()]), axis=1)
    number = labels.max() + 1
    assert pairs.shape[1] == number == oracle.max() + 1
    first_sites = np.unique(labels, return_index=True)[1]
    assert (np.diff(first_sites) > 0).all()

    table = domain_table(array(spins), *how)
    np.testing.assert_array_equal(table["label"], np.arange(number))
    np.testing.assert_array_equal(table["size"], np.bincount(labels.ravel()))
    np.testing.assert_array_equal(table["spin"], spins.ravel()[first_sites])
    np.testing.assert_array_equal(table["wraps"], wrapped_axes(spins, lattice))


@settings(max_examples=100, deadline=None)
@given(fields())
def test_statistics_are_those_of_the_table(field):
    lattice, spins = field
    how = lattice.neighborhood, lattice.boundary
    found, table = domain_statistics(array(spins), *how), domain_table(array(spins), *how)
    for phase, own in (("up", table["spin"] == 1), ("down", table["spin"] == -1), ("both", ...)):
        sizes = np.sort(table["size"].values[own]).astype(float)
        at = found.sel(phase=phase)
        assert at["n_domains"] == sizes.size
        assert at["largest_fraction"] == sizes.max(initial=0) / lattice.n_sites
        for these, tail in ((sizes, ""), (sizes[:-1], "_without_largest")):
            n, total, squares = these.size, these.sum(), np.sum(these**2)
            mean, second = (total / n, squares / total) if n else (np.nan, np.nan)
            np.testing.assert_allclose(at["mean_size" + tail], mean)
            np.testing.assert_allclose(at["site_mean_size" + tail], second)
        edges = np.append(at["bin_begin"], at["bin_end"][-1])
        np.testing.assert_array_equal(at["size_histogram"], np.histogram(sizes, edges)[0])
        assert at["size_histogram"].sum() == sizes.size
        np.testing.assert_array_equal(at["wraps"], table["wraps"].values[own].any(axis=0))
    unlike = [spins.ravel()[a] != spins.ravel()[b] for a, b in bonds(lattice)]
    np.testing.assert_allclose(found["wall_density"], np.mean(unlike))


def bonds(lattice):
    for site in np.ndindex(lattice.shape):
        for offset in lattice.forward_offsets:
            crossed, moved = np.divmod(np.add(site, offset), lattice.shape)
            if lattice.periodic or not crossed.any():
                yield tuple(np.ravel_multi_index(each, lattice.shape) for each in (site, moved))


@pytest.mark.parametrize("shape", [(7,), (5, 4), (4, 3, 2)])
@pytest.mark.parametrize("spin", [1, -1])
def test_one_colour_is_one_domain(shape, spin):
    spins = array(np.full(shape, spin))
    own, other = ("up", "down") if spin == 1 else ("down", "up")
    found = domain_statistics(spins)
    assert (label_domains(spins) == 0).all()
    for phase in (own, "both"):
        at = found.sel(phase=phase)
        assert (at["n_domains"], at["largest_fraction"]) == (1, 1)
        assert at["mean_size"] == at["site_mean_size"] == spins.size
        assert np.isnan(at["mean_size_without_largest"])
        assert np.isnan(at["site_mean_size_without_largest"])
        assert at["wraps"].all()
    at = found.sel(phase=other)
    assert (at["n_domains"], at["largest_fraction"]) == (0, 0)
    assert np.isnan(at["mean_size"])
    assert not at["wraps"].any()
    assert found["wall_density"] == 0
    assert not domain_statistics(spins, boundary="free")["wraps"].any()


@pytest.mark.parametrize(
    ("axis", "wraps"), [(0, [False, True]), (1, [True, False])], ids=["row", "column"]
)
@pytest.mark.parametrize("at", [0, 3, 7])
def test_a_stripe_one_site_wide_wraps_its_own_axis(axis, wraps, at):
    spins = np.full((8, 8), -1)
    np.moveaxis(spins, axis, 0)[at] = 1
    found = domain_statistics(array(spins))
    np.testing.assert_array_equal(found["wraps"].sel(phase="up"), wraps)
    np.testing.assert_array_equal(found["wraps"].sel(phase="down"), wraps)
    assert (found["n_domains"].sel(phase=["up", "down"]) == 1).all()
    assert found["wall_density"] == 2 * 8 / (2 * 64)
    free = domain_statistics(array(spins), boundary="free")
    assert free["n_domains"].sel(ALL) == (2 if at in (0, 7) else 3)


def test_a_diagonal_stripe_wraps_both_axes():
    stairs = -np.ones((6, 6), dtype=int)
    for k in range(6):
        stairs[k, k] = stairs[k, (k + 1) % 6] = 1
    found = domain_statistics(array(stairs)).sel(phase="up")
    assert found["n_domains"] == 1
    assert found["wraps"].all()
    diagonal = np.where(np.eye(6, dtype=bool), 1, -1)
    apart = domain_statistics(array(diagonal)).sel(phase="up")
    assert apart["n_domains"] == 6
    assert not apart["wraps"].any()
    joined = domain_statistics(array(diagonal), "moore").sel(phase="up")
    assert joined["n_domains"] == 1
    assert joined["wraps"].all()


def test_a_line_of_sites_in_a_cube_wraps_one_axis_only():
    spins = -np.ones((4, 5, 6), dtype=int)
    spins[2, :, 3] = 1
    wraps = domain_statistics(array(spins))["wraps"]
    np.testing.assert_array_equal(wraps.sel(phase="up"), [False, True, False])
    assert wraps.sel(phase="down").all()


def test_leading_dims_of_any_order_come_back(rng):
    spins = array(rng.choice([-1, 1], size=(3, 2, 4, 5)), "temperature", "chain")
    spins = spins.assign_coords(temperature=[1.0, 2.0, 3.0]).transpose("y", "chain", "x", ...)
    found = domain_statistics(spins)
    assert found["n_domains"].sizes == {"chain": 2, "temperature": 3, "phase": 3}
    one = spins.isel(temperature=2, chain=1)
    xr.testing.assert_identical(found.isel(temperature=2, chain=1), domain_statistics(one))
    labels = label_domains(spins).isel(temperature=2, chain=1)
    xr.testing.assert_identical(labels, label_domains(one))
    table = domain_table(spins)
    here = (table["temperature_index"] == 2) & (table["chain_index"] == 1)
    np.testing.assert_array_equal(table["size"][here], domain_table(one)["size"])


def test_a_dataset_of_snapshots_is_taken_as_it_is():
    model = Ising(Lattice((8, 8)))
    data = simulate(model, HeatBath(), [2.0, 3.0], sweeps=40, snapshots=4, chains=2, seed=1)
    found = domain_statistics(data)
    assert found["n_domains"].sizes == {"temperature": 2, "chain": 2, "snapshot": 4, "phase": 3}
    # every wall costs 2 J
    at = data["energy"].isel(draw=slice(9, None, 10)).values
    np.testing.assert_allclose(-2 * (1 - 2 * found["wall_density"].values), at)
    assert found["mean_size"].attrs["units"] == "sites"


def test_threads_change_nothing(rng):
    spins = array(rng.choice([-1, 1], size=(50, 8, 8)), "snapshot")
    results = []
    before = numba.get_num_threads()
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(
                (
                    domain_statistics(spins),
                    cluster_statistics(spins, 2.0, seed=3),
                    label_clusters(spins, 2.0, seed=3),
                )
            )
    finally:
        numba.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        xr.testing.assert_identical(one, other)


class TestClusters:
    @pytest.mark.parametrize(
        ("shape", "neighborhood", "boundary"),
        [
            ((10,), "von_neumann", "periodic"),
            ((4, 4), "moore", "free"),
            ((2, 2, 4), "von_neumann", "periodic"),
            pytest.param((4, 4), "von_neumann", "periodic", marks=pytest.mark.soak),
            pytest.param((3, 4), "von_neumann", "free", marks=pytest.mark.soak),
            pytest.param((2, 3, 2), "moore", "periodic", marks=pytest.mark.soak),
        ],
    )
    def test_mean_square_magnetization_is_the_mean_cluster(self, shape, neighborhood, boundary):
        """⟨m²⟩ = ⟨Σs²⟩/N², an identity of Fortuin and Kasteleyn, held against enumeration."""
        lattice = Lattice(shape, neighborhood, boundary)
        model, temperature = Ising(lattice), 0.57 * len(lattice.offsets)
        data = simulate(
            model, HeatBath(), temperature, sweeps=2_000, thermalization=200, snapshots=200,
            chains=64, start="random", schedule="sequential", seed=5,
        )  # fmt: skip
        found = cluster_statistics(data, neighborhood=neighborhood, boundary=boundary, seed=6)
        samples = found["site_mean_size"].sel(ALL).mean("snapshot").squeeze() / lattice.n_sites
        expected = exact.enumeration(model, temperature)["magnetization_squared"]
        assert abs(z_of_chains(samples, float(expected.squeeze()))) < Z_LIMIT

    def test_clusters_lie_within_domains(self, rng):
        spins = array(rng.choice([-1, 1], size=(6, 5, 4), p=[0.4, 0.6]))
        clusters, domains = label_clusters(spins, 3.0, seed=1), label_domains(spins)
        pairs = np.unique(np.stack([clusters.values.ravel(), domains.values.ravel()]), axis=1)
        assert pairs.shape[1] == clusters.max() + 1 > domains.max() + 1

    def test_cold_clusters_are_domains_and_hot_ones_are_sites(self, rng):
        spins = array(rng.choice([-1, 1], size=(6, 8)))
        cold = label_clusters(spins, 1e-3, "moore", seed=1)
        np.testing.assert_array_equal(cold, label_domains(spins, "moore"))
        both = cluster_statistics(spins, 1e-3, "moore", seed=1)
        xr.testing.assert_equal(both, domain_statistics(spins, "moore").drop_vars("wall_density"))
        hot = label_clusters(spins, 1e9, seed=1)
        np.testing.assert_array_equal(hot.values.ravel(), np.arange(48))

    def test_temperatures_of_the_data_are_used(self, rng):
        spins = array(np.ones((2, 20, 20)), "temperature")
        given = spins.assign_coords(temperature=[1e-3, 1e9])
        number = cluster_statistics(given, seed=1)["n_domains"].sel(ALL)
        np.testing.assert_array_equal(number, [1, 400])

    def test_a_seed_reproduces(self, rng):
        spins = array(rng.choice([-1, 1], size=(3, 8, 8)), "chain")
        one, again, other = (label_clusters(spins, 2.0, seed=seed) for seed in (1, 1, 2))
        xr.testing.assert_identical(one, again)
        assert (one != other).any()

    @pytest.mark.parametrize("coupling", [0.0, -1.0, np.nan])
    def test_coupling_must_be_positive(self, coupling):
        with pytest.raises(ValueError, match="coupling"):
            label_clusters(array(np.ones((4, 4))), 1.0, coupling=coupling)

    @pytest.mark.parametrize("temperature", [-1.0, np.nan])
    def test_temperature_must_be_one(self, temperature):
        with pytest.raises(ValueError, match="temperature"):
            label_clusters(array(np.ones((4, 4))), temperature)
        with pytest.raises(ValueError, match="temperature"):
            label_clusters(array(np.ones((4, 4))).assign_coords(temperature=temperature))

    def test_temperature_must_be_known(self):
        with pytest.raises(ValueError, match="temperature must be given"):
            cluster_statistics(array(np.ones((4, 4))))


@pytest.mark.parametrize("function", [label_domains, domain_statistics, domain_table])
class TestBadInput:
    @pytest.mark.parametrize("value", [0, 2, -3, np.nan, np.inf])
    def test_other_values_than_spins(self, function, value):
        spins = xr.DataArray(np.ones((3, 4, 4)), dims=("chain", "x", "y"))
        spins[2, 1, 3] = value
        with pytest.raises(ValueError, match=rf"spins -1 and \+1 only.* {float(value)}$"):
            function(spins)

    def test_booleans(self, function):
        with pytest.raises(ValueError, match=r"spins -1 and \+1 only; got .* bool"):
            function(xr.DataArray(np.eye(4, dtype=bool), dims=("x", "y")))

    def test_a_numpy_array(self, function):
        with pytest.raises(TypeError, match=r"spins must be an xarray DataArray .*; got ndarray"):
            function(np.ones((4, 4), dtype=np.int8))

    @pytest.mark.parametrize("dims", [("a", "b"), ("y", "z"), ("chain", "y"), ("x", "z")])
    def test_wrong_dims(self, function, dims):
        with pytest.raises(ValueError, match="spins must have the dims"):
            function(xr.DataArray(np.ones((4, 4)), dims=dims))

    def test_a_side_of_one(self, function):
        with pytest.raises(ValueError, match="shape"):
            function(array(np.ones((4, 1))))

    def test_nothing(self, function):
        with pytest.raises(ValueError, match="spins must hold at least one configuration"):
            function(array(np.ones((0, 4, 4)), "snapshot"))

    def test_a_dataset_without_snapshots(self, function):
        data = simulate(Ising(Lattice((4, 4))), HeatBath(), 2.0, sweeps=10, seed=1)
        with pytest.raises(ValueError, match=r"spins: a Dataset must hold .* snapshots="):
            function(data)

    def test_unknown_names(self, function):
        with pytest.raises(ValueError, match="neighborhood"):
            function(array(np.ones((4, 4))), "hexagonal")
        with pytest.raises(ValueError, match="boundary"):
            function(array(np.ones((4, 4))), boundary="open")
