"""Domains, clusters and correlations of configurations of a Potts model."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import (
    cluster_statistics,
    correlation_length,
    domain_length,
    domain_statistics,
    domain_table,
    label_clusters,
    label_domains,
    size_distribution,
    spin_correlation,
    staggered_spins,
    structure_factor,
)
from isingrl import HeatBath, Ising, Lattice, Potts, simulate
from tests.analysis.domain_oracle import partition, wrapped_axes
from tests.analysis.potts_oracle import as_potts, enumerated
from tests.statistical import Z_LIMIT, z_of_chains
from tests.strategies import lattices


def array(spins, states, *leading, **coords):
    spins = np.asarray(spins, dtype=np.uint8)
    dims = (*leading, *("x", "y", "z")[: spins.ndim - len(leading)])
    return xr.DataArray(spins, {"states": states, **coords}, dims)


@st.composite
def fields(draw):
    """A lattice, a number of states, and random states with large ones among them."""
    lattice = draw(lattices)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    q = draw(st.sampled_from([2, 3, 4, 255]))
    few = rng.choice(q, size=min(q, 4), replace=False)
    return lattice, q, rng.choice(few, size=lattice.shape).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(fields())
def test_domains_are_those_of_a_slow_search(field):
    lattice, q, states = field
    spins, how = array(states, q), (lattice.neighborhood, lattice.boundary)
    labels, oracle = label_domains(spins, *how).values, partition(states, lattice)
    pairs = np.unique(np.stack([labels.ravel(), oracle.ravel()]), axis=1)
    number = labels.max() + 1
    assert pairs.shape[1] == number == oracle.max() + 1
    first_sites = np.unique(labels, return_index=True)[1]
    table = domain_table(spins, *how)
    np.testing.assert_array_equal(table["size"], np.bincount(labels.ravel()))
    np.testing.assert_array_equal(table["spin"], states.ravel()[first_sites])
    np.testing.assert_array_equal(table["wraps"], wrapped_axes(states, lattice))

    found = domain_statistics(spins, *how)
    assert found.phase.values.tolist() == [*map(str, range(q)), "all"]
    for phase in (*np.unique(states), "all"):
        own = ... if phase == "all" else (table["spin"] == phase).values
        sizes, at = table["size"].values[own], found.sel(phase=str(phase))
        assert at["n_domains"] == at["size_histogram"].sum() == sizes.size
        np.testing.assert_allclose(at["mean_size"], sizes.mean())
        np.testing.assert_allclose(at["site_mean_size"], (sizes**2).sum() / sizes.sum())
        assert at["largest_fraction"] == sizes.max() / lattice.n_sites
        np.testing.assert_array_equal(at["wraps"], table["wraps"].values[own].any(axis=0))
    model = Potts(lattice, states=q)
    walls = 1 + model.energy(states) * lattice.n_sites / lattice.n_bonds
    np.testing.assert_allclose(found["wall_density"], walls)


def test_states_that_a_signed_byte_cannot_tell_from_spins():
    spins = array([[255 - 1, 1, 127], [129, 128, 0]], 255)
    assert np.unique(label_domains(spins, boundary="free")).size == 6
    table = domain_table(spins, boundary="free")
    assert table["spin"].values.tolist() == [254, 1, 127, 129, 128, 0]


@pytest.fixture(scope="module", params=["periodic", "free"])
def pair(request):
    """Data of an Ising model, and the same data as two states."""
    neighborhood = "moore" if request.param == "free" else "von_neumann"
    data = simulate(
        Ising(Lattice((6, 8), neighborhood, request.param)), HeatBath(), [3.0, 9.0], sweeps=400,
        snapshots=40, chains=4, seed=3,
    )  # fmt: skip
    return data, as_potts(data)


@pytest.mark.parametrize(
    "function",
    [
        domain_statistics,
        lambda data: cluster_statistics(data, seed=2),
        lambda data: label_clusters(data, seed=2).to_dataset(),
        lambda data: size_distribution(domain_statistics(data)),
        lambda data: spin_correlation(data, connected=None),
        structure_factor,
        correlation_length,
        lambda data: domain_length(data, dims=("chain", "snapshot")),
    ],
    ids=["domains", "clusters", "labels", "sizes", "correlation", "waves", "lengths", "growth"],
)
@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")
def test_two_states_are_an_ising_model(pair, function, request):
    ising, potts = pair
    if ising.boundary == "free" and request.node.callspec.id.endswith(
        ("waves", "lengths", "growth")
    ):
        with pytest.raises(ValueError, match="boundary must be 'periodic'"):
            function(potts)
        return
    expected, found = function(ising), function(potts)
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6, atol=1e-9, err_msg=name)
        assert found[name].attrs == expected[name].attrs


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")
def test_what_is_subtracted_is_the_order_parameter(pair):
    ising, potts = pair
    expected = spin_correlation(ising, connected="abs_magnetization")
    found = spin_correlation(potts, connected="order_parameter")
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-6, atol=1e-9, err_msg=name)
    with pytest.raises(
        ValueError, match=r"connected must be None or one of \('order_parameter',\)"
    ):
        spin_correlation(potts, connected="magnetization")
    with pytest.raises(ValueError, match="connected must be None or one of"):
        spin_correlation(ising, connected="order_parameter")


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([(7,), (4, 5), (2, 3, 4)]),
    st.sampled_from([2, 3, 5, 255]),
    st.sampled_from(["periodic", "free"]),
    st.integers(0, 2**32),
)
def test_correlations_are_sums_over_pairs(shape, q, boundary, seed):
    states = np.random.default_rng(seed).choice([0, 1, q - 1], size=shape)
    found = spin_correlation(array(states, q, boundary=boundary), dims=())
    for axis, side in enumerate(shape):
        for r in range(side // 2 + 1):
            values = []
            for site in np.ndindex(shape):
                other = list(site)
                other[axis] += r
                if other[axis] >= side and boundary == "free":
                    continue
                other[axis] %= side
                values.append((q * (states[site] == states[tuple(other)]) - 1) / (q - 1))
            np.testing.assert_allclose(found["correlation"][axis, r], np.mean(values), atol=1e-12)
    if boundary == "periodic":
        shares = np.bincount(states.ravel()) / states.size
        expected = states.size * (q * (shares**2).sum() - 1) / (q - 1)
        zero = structure_factor(array(states, q), dims=())["structure_factor"][0]
        np.testing.assert_allclose(zero, expected, atol=1e-10)


def test_a_ring_is_exact():
    """Three states: the transfer matrix has the eigenvalues e^K + 2 and, twice, e^K - 1."""
    n, q = 20, 3
    data = simulate(
        Potts(Lattice(n), states=q), HeatBath(), [0.6, 1.0], sweeps=2_000, thermalization=200,
        snapshots=100, chains=8, seed=3,
    )  # fmt: skip
    found = spin_correlation(data).sel(axis="x").isel(distance=slice(1, None))
    r = found["distance"]
    ratio = (np.exp(1 / found["temperature"]) - 1) / (np.exp(1 / found["temperature"]) + q - 1)
    both = ratio**r + ratio ** (n - r) + (q - 2) * ratio**n
    z = (found["correlation"] - both / (1 + (q - 1) * ratio**n)) / found["correlation_error"]
    assert (abs(z) < Z_LIMIT).all(), z.values
    length = correlation_length(data.sel(temperature=[1.0])).squeeze()
    expected = -1 / np.log(ratio.sel(temperature=1.0))
    z = (length["exponential_length"] - expected) / length["exponential_length_error"]
    assert abs(z) < Z_LIMIT


def test_the_mean_cluster_is_that_of_all_configurations():
    model, t = Potts(Lattice((2, 4), boundary="free"), states=3, coupling=1.3), 1.1
    data = simulate(
        model, HeatBath(), t, sweeps=2_000, thermalization=200, snapshots=100, chains=64, seed=5
    )
    found = cluster_statistics(data, seed=6)["site_mean_size"].sel(phase="all")
    known = enumerated(model, t)
    samples = found.mean("snapshot").squeeze() / 8
    assert abs(z_of_chains(samples, known.mean(known.square))) < Z_LIMIT


def test_cold_clusters_are_domains():
    spins = array(np.random.default_rng(1).integers(0, 4, (5, 6)), 4)
    assert label_clusters(spins, 0.0).equals(label_domains(spins))


class TestBadInput:
    @pytest.mark.parametrize(
        "function", [label_domains, domain_statistics, domain_table, spin_correlation]
    )
    def test_other_values_than_states(self, function):
        with pytest.raises(ValueError, match="must hold the states 0 to 2 only; got the value 3"):
            function(array([[0, 1], [2, 3]], 3))

    def test_several_numbers_of_states(self):
        spins = xr.concat([array([[0, 1], [1, 0]], q) for q in (2, 3)], "states")
        with pytest.raises(ValueError, match=r"must have one states here; got \[2, 3\]"):
            label_domains(spins)

    def test_states_have_no_sign_to_reverse(self):
        with pytest.raises(ValueError, match=r"spins must be ±1.*have 3 states"):
            staggered_spins(array([[0, 1], [2, 0]], 3))

    def test_an_antiferromagnet_has_no_clusters_and_no_length(self):
        spins = array([[[0, 1], [2, 0]]] * 3, 3, "chain", coupling=-1.0)
        with pytest.raises(ValueError, match="coupling must be positive"):
            label_clusters(spins, 1.0)
        with pytest.raises(ValueError, match="coupling must not be negative"):
            correlation_length(spins, dims=("chain",))
