"""Correlations of spins against sums over pairs, known patterns and exact results."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import (
    ShortRunWarning,
    correlation_length,
    domain_length,
    domain_statistics,
    spin_correlation,
    structure_factor,
)
from isingrl import HeatBath, Ising, Lattice, simulate

SHAPES = [(2,), (7,), (8,), (4, 4), (5, 3), (6, 9), (2, 3, 4), (5, 4, 3)]


@st.composite
def configurations(draw):
    shape = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dims = ("x", "y", "z")[: len(shape)]
    return xr.DataArray(rng.choice([-1, 1], size=shape, p=[0.4, 0.6]).astype(np.int8), dims=dims)


def pair_sums(spins):
    """Mean of s(a) s(b) for every difference b - a, pair by pair."""
    shape = spins.shape
    found = np.zeros(shape)
    for a in np.ndindex(shape):
        for b in np.ndindex(shape):
            found[tuple(np.subtract(b, a) % shape)] += spins[a] * spins[b] / spins.size
    return found


def wave_sum(spins, k):
    """|Σ s exp(ikr)|²/N, site by site."""
    total = sum(spins[r] * np.exp(1j * np.dot(k, r)) for r in np.ndindex(spins.shape))
    return abs(total) ** 2 / spins.size


@settings(max_examples=60, deadline=None)
@given(configurations())
def test_correlations_are_sums_over_pairs(spins):
    pairs = pair_sums(spins.values)
    found = spin_correlation(spins, dims=())
    for axis, side in enumerate(spins.shape):
        for r in range(max(spins.shape) // 2 + 1):
            place = tuple(r % side if k == axis else 0 for k in range(spins.ndim))
            np.testing.assert_allclose(found["correlation"][axis, r], pairs[place], atol=1e-12)
    distance = np.zeros(spins.shape)
    for place in np.ndindex(spins.shape):
        nearest = np.minimum(place, np.subtract(spins.shape, place))
        distance[place] = np.sqrt(np.sum(nearest**2))
    inside = distance <= min(spins.shape) / 2
    for shell, radius in enumerate(np.unique(np.rint(distance[inside]))):
        own = inside & (np.rint(distance) == radius)
        np.testing.assert_allclose(found["radius"][shell], distance[own].mean())
        np.testing.assert_allclose(
            found["radial_correlation"][shell], pairs[own].mean(), atol=1e-12
        )


@settings(max_examples=60, deadline=None)
@given(configurations())
def test_structure_factor_is_a_sum_of_waves(spins):
    found = structure_factor(spins, dims=())
    for axis, side in enumerate(spins.shape):
        for mode in range(max(spins.shape) // 2 + 1):
            k = [2 * np.pi * mode / side if each == axis else 0 for each in range(spins.ndim)]
            value = found["axis_structure_factor"][axis, mode]
            np.testing.assert_allclose(value, wave_sum(spins.values, k), atol=1e-10)
            np.testing.assert_allclose(found["axis_wave_number"][axis, mode], sum(k))
    width = 2 * np.pi / max(spins.shape)
    shells = {}
    for mode in np.ndindex(spins.shape):
        n = np.where(np.multiply(mode, 2) > spins.shape, np.subtract(mode, spins.shape), mode)
        k = 2 * np.pi * n / spins.shape
        if np.linalg.norm(k) <= np.pi * (1 + 1e-9):
            shells.setdefault(int(np.rint(np.linalg.norm(k) / width)), []).append(k)
    assert found.sizes["wave_number"] == len(shells)
    for at, shell in enumerate(sorted(shells)):
        members = shells[shell]
        expected = np.mean([wave_sum(spins.values, k) for k in members])
        np.testing.assert_allclose(found["structure_factor"][at], expected, atol=1e-10)
        radius = np.mean([np.linalg.norm(k) for k in members])
        np.testing.assert_allclose(found["wave_number"][at], radius, atol=1e-12)


@pytest.fixture(scope="module")
def ring():
    model = Ising(Lattice((20,)))
    return simulate(
        model, HeatBath(), [1.0, 2.0], sweeps=4_000, thermalization=200, snapshots=400, chains=16,
        seed=3,
    )  # fmt: skip


def test_a_ring_is_exact(ring):
    """⟨s₀ s_r⟩ = (t^r + t^(N−r)) / (1 + t^N), t = tanh(J/T): the transfer matrix."""
    found = spin_correlation(ring).sel(axis="x").isel(distance=slice(1, None))
    t, r = np.tanh(1 / found["temperature"]), found["distance"]
    expected = (t**r + t ** (20 - r)) / (1 + t**20)
    z = (found["correlation"] - expected) / found["correlation_error"]
    assert (abs(z) < 4.5).all(), z.values


def test_the_length_of_a_ring_is_exact(ring):
    """Planes of a ring are sites, whose correlation is that of the fit: 1/ξ = −ln tanh(J/T)."""
    found = correlation_length(ring).sel(axis="x")
    expected = -1 / np.log(np.tanh(1 / found["temperature"]))
    z = (found["exponential_length"] - expected) / found["exponential_length_error"]
    assert (abs(z) < 4.5).all(), z.values
    assert (found["exponential_length_error"] < 0.1 * expected).all()


@pytest.fixture(scope="module")
def square():
    model = Ising(Lattice((48, 40)))
    return simulate(
        model, HeatBath(), [2.5, 2.7], sweeps=6_000, thermalization=600, snapshots=100, chains=32,
        seed=4,
    )  # fmt: skip


@pytest.fixture(scope="module")
def lengths(square):
    return correlation_length(square)


def test_the_square_lattice_has_onsagers_length(lengths):
    """Along an axis, 1/ξ = ln coth K − 2K of the infinite lattice."""
    k = 1 / lengths["temperature"]
    expected = 1 / (np.log(1 / np.tanh(k)) - 2 * k)
    z = (lengths["exponential_length"] - expected) / lengths["exponential_length_error"]
    assert (abs(z) < 4.5).all(), z.values
    assert (lengths["exponential_length_error"] < 0.05 * expected).all()
    assert (lengths["first_distance"] >= 1).all()
    assert (lengths["last_distance"] <= [24, 20]).all()
    # the other length differs by less than a hundredth in this phase (Campostrini et al. 1998)
    z = (lengths["second_moment_length"] - expected) / lengths["second_moment_length_error"]
    assert (abs(z) < 4.5).all(), z.values


def test_the_second_moment_is_that_of_the_structure_factor(square, lengths):
    spectrum = structure_factor(square)["axis_structure_factor"]
    found = lengths["second_moment_length"]
    for axis, side in (("x", 48), ("y", 40)):
        zero, first = (spectrum.sel(axis=axis, mode=mode) for mode in (0, 1))
        expected = np.sqrt(zero / first - 1) / (2 * np.sin(np.pi / side))
        np.testing.assert_allclose(found.sel(axis=axis), expected)


def test_what_is_subtracted_is_said(square):
    part = square.isel(chain=slice(4))
    plain = spin_correlation(part)
    spins = part["spins"].astype(float)
    m = spins.mean(("x", "y"))
    for connected, mean in (("magnetization", m), ("abs_magnetization", abs(m))):
        found = spin_correlation(part, connected=connected)
        expected = plain["correlation"] - mean.mean(("chain", "snapshot")) ** 2
        np.testing.assert_allclose(
            found["correlation"], expected.transpose(*found["correlation"].dims)
        )
    with pytest.raises(ValueError, match="connected"):
        spin_correlation(part, connected="both")


@pytest.mark.soak
# one in a thousand of these series happens to look slow
@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")
def test_errors_are_those_of_independent_chains():
    """Errors of many short runs against the scatter of the runs."""
    data = simulate(
        Ising(Lattice((8, 8))), HeatBath(), 3.0, sweeps=400, thermalization=50, snapshots=40,
        chains=128, seed=6,
    )  # fmt: skip
    runs = [
        spin_correlation(data.isel(chain=slice(k, k + 4)), dims=("chain", "snapshot"))
        for k in range(0, 128, 4)
    ]
    together = xr.concat(runs, "run", coords="minimal", compat="override")
    at = together.sel(axis="x", distance=2)
    scatter = float(at["correlation"].std("run", ddof=1).squeeze())
    claimed = float(np.sqrt((at["correlation_error"] ** 2).mean("run")).squeeze())
    assert claimed / scatter == pytest.approx(1, abs=4.5 / np.sqrt(2 * 31))


class TestDomainLength:
    def stripes(self, width):
        line = np.repeat([1, -1] * (64 // (2 * width)), width)
        return xr.DataArray(np.tile(line, (64, 1)), dims=("x", "y"))

    @pytest.mark.parametrize("width", [4, 8, 16])
    def test_walls_of_stripes(self, width):
        """Along one axis there is no wall, along the other one every `width` sites."""
        found = domain_length(self.stripes(width), dims=())
        assert found["wall_length"] == pytest.approx(2 * width)

    def test_the_background_is_subtracted(self):
        spins = self.stripes(8)
        measured = float(domain_statistics(spins)["wall_density"])
        found = domain_length(spins, equilibrium_wall_density=measured / 2, dims=())
        assert found["wall_length"] == pytest.approx(2 / measured)
        for wrong in (measured, 0.9, -0.1, np.nan):
            with pytest.raises(ValueError, match="equilibrium_wall_density"):
                domain_length(spins, equilibrium_wall_density=wrong, dims=())

    def test_the_moment_of_the_structure_factor(self):
        rng = np.random.default_rng(2)
        spins = xr.DataArray(rng.choice([-1, 1], size=(3, 12, 10)), dims=("chain", "x", "y"))
        found = domain_length(spins)
        shells = structure_factor(spins, dims=("chain",)).isel(wave_number=slice(1, None))
        s, k = shells["structure_factor"], shells["wave_number"]
        expected = 2 * np.pi * float(s.sum()) / float((k * s).sum())
        assert found["moment_length"] == pytest.approx(expected)
        assert found["moment_length_error"] > 0

    def test_larger_domains_are_longer(self):
        lengths = [
            float(domain_length(self.stripes(w), dims=())["moment_length"]) for w in (4, 8, 16)
        ]
        np.testing.assert_allclose(np.divide(lengths[1:], lengths[:-1]), 2, rtol=0.25)

    def test_other_dims_stay(self):
        spins = xr.concat([self.stripes(w).expand_dims(chain=2) for w in (4, 8)], "time")
        found = domain_length(spins.assign_coords(time=[1, 2]))
        assert found["wall_length"].dims == ("time",)
        np.testing.assert_array_equal(found["wall_length_error"], 0)


@pytest.mark.parametrize(
    "function", [spin_correlation, structure_factor, correlation_length, domain_length]
)
@pytest.mark.parametrize("dims", [("run",), ("x",), "chain", ("chain", "draw")], ids=str)
def test_dims_that_spins_do_not_have(function, dims):
    spins = xr.DataArray(np.ones((2, 30, 4, 4)), dims=("chain", "snapshot", "x", "y"))
    with pytest.raises(ValueError, match=r"dims must be .* of spins.* got .*'chain', 'snapshot'"):
        function(spins, dims=dims)


def test_a_run_too_short_for_its_time_is_warned_of():
    data = simulate(
        Ising(Lattice((32, 32))), HeatBath(), 2.2, sweeps=60, snapshots=60, chains=2, seed=1
    )
    with pytest.warns(ShortRunWarning, match="Run longer chains"):
        spin_correlation(data)


@pytest.mark.parametrize("function", [spin_correlation, structure_factor, correlation_length])
class TestBadInput:
    def test_other_values(self, function):
        with pytest.raises(ValueError, match=r"spins -1 and \+1 only"):
            function(xr.DataArray(np.zeros((2, 20, 4, 4)), dims=("chain", "snapshot", "x", "y")))

    def test_one_draw(self, function):
        with pytest.raises(ValueError, match="at least 20"):
            function(xr.DataArray(np.ones((1, 1, 4, 4)), dims=("chain", "snapshot", "x", "y")))

    def test_missing_dims(self, function):
        with pytest.raises(ValueError, match="dims"):
            function(xr.DataArray(np.ones((30, 4, 4)), dims=("snapshot", "x", "y")))

    def test_no_sites(self, function):
        with pytest.raises(ValueError, match="spins must have the dims"):
            function(xr.DataArray(np.ones((2, 30)), dims=("chain", "snapshot")))


def test_a_length_needs_samples():
    with pytest.raises(ValueError, match="dims"):
        correlation_length(xr.DataArray(np.ones((4, 4)), dims=("x", "y")), dims=())


def test_order_has_no_length():
    spins = xr.DataArray(np.ones((2, 20, 8, 8)), dims=("chain", "snapshot", "x", "y"))
    with pytest.warns(ShortRunWarning, match="NaN, of "):  # nothing changes
        found = correlation_length(spins)
    assert np.isnan(found["second_moment_length"]).all()
    assert np.isnan(found["exponential_length"]).all()
