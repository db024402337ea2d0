"""Swendsen-Wang and Wolff in `simulate`: exact laws, identities, what a sweep is, every option."""

import math
import zlib

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import isingrl as irl
from analysis import exact, size_distribution, thermodynamics
from isingrl.engines.clusters import WolffEngine
from isingrl.engines.kernels import sites, wolff
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS
from isingrl.testing import check_dynamics
from tests import oracles
from tests.cluster_oracle import mean_numbers_of_clusters
from tests.statistical import FALSE_ALARM, Z_LIMIT, check_standard_normal, z_of_chains

RULES = {"swendsen-wang": irl.SwendsenWang(), "wolff": irl.Wolff()}
SHAPES = [(8,), (7,), (4, 4), (3, 4), (2, 5), (2, 2, 3), (3, 3, 2)]
OBSERVABLES = {
    "energy": lambda e, m: e,
    "energy_squared": lambda e, m: e**2,
    "abs_magnetization": lambda e, m: abs(m),
    "magnetization_squared": lambda e, m: m**2,
    "magnetization_fourth": lambda e, m: m**4,
}
PLACES = [(shape, neighborhood) for shape in SHAPES for neighborhood in NEIGHBORHOODS]
PLACES += [
    ((3, 4), "triangular"),
    ((4, 4), "honeycomb"),
    ((4, 4), [(1, 1), (1, -1)]),
    ((5, 3), [(0, 1), (2, 1)]),
]
SYSTEMS = [
    (name, irl.Ising(irl.Lattice(*place, boundary), coupling, field))
    for name in RULES
    for place in PLACES
    for boundary in BOUNDARIES
    for coupling in (1.0, -1.0)
    for field in (0.0, 0.5, -0.3)
]
SOME = range(0, len(SYSTEMS), 5)
"""A step that shares no factor with the numbers of choices meets all of them."""
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
SQUARE = irl.Ising(irl.Lattice((8, 8)))


def temperature_of(name, model):
    """Of about z |J|: spins are correlated."""
    fraction = 0.5 + 0.7 * (zlib.crc32(f"{name} {model}".encode()) % 100) / 100
    return fraction * model.lattice.coordination_number


def z_scores(number):
    """Deviations from the exact values of all observables, as standard normal numbers."""
    name, model = SYSTEMS[number]
    temperature = temperature_of(name, model)
    data = irl.simulate(
        model, RULES[name], temperature, sweeps=250, thermalization=30, chains=48, seed=number
    )
    e, m = data["energy"].values[0], data["magnetization"].values[0]
    expected = exact.enumeration(model, temperature)
    return {
        each: z_of_chains(function(e, m).mean(axis=1), float(expected[each][0]))
        for each, function in OBSERVABLES.items()
    }


def test_moments_agree_with_enumeration():
    """In every system, and all together with scores that are standard normal."""
    scores = {number: z_scores(number) for number in SOME}
    for number, found in scores.items():
        for each, z in found.items():
            assert abs(z) < Z_LIMIT, f"{SYSTEMS[number]}: {each}, z = {z:.2f}"
    for each in OBSERVABLES:
        check_standard_normal([found[each] for found in scores.values()])


HISTOGRAMS = [
    (irl.Ising(irl.Lattice((3, 4)), 1.0, 0.0), 2.6),
    (irl.Ising(irl.Lattice((2, 5), "moore", "free"), -1.0, 0.4), 4.0),
]


@pytest.mark.parametrize(("model", "temperature"), HISTOGRAMS, ids=["ferro", "frustrated"])
@every_rule
def test_energy_and_magnetization_have_their_joint_law(rule, model, temperature):
    """By chi-square over all pairs (E, M) of draws far apart."""
    data = irl.simulate(
        model, rule, temperature, sweeps=1200, interval=24, thermalization=50, chains=200, seed=4
    )
    n_sites = model.lattice.n_sites
    spins = oracles.configurations(n_sites).reshape(-1, *model.lattice.shape)
    e, m = model.energy(spins), model.magnetization(spins)
    weights = np.exp(-n_sites * (e - e.min()) / temperature)

    def cells(energy, magnetization):
        return np.stack([energy.ravel(), magnetization.ravel()], axis=1).round(9) + 0.0

    pairs, places = np.unique(cells(e, m), axis=0, return_inverse=True)
    law = np.bincount(places.ravel(), weights) / weights.sum()
    found = cells(data["energy"].values, data["magnetization"].values)
    counts = np.zeros(len(pairs))
    for pair, number in zip(*np.unique(found, axis=0, return_counts=True), strict=True):
        (place,) = np.flatnonzero((abs(pairs - pair) < 1e-8).all(axis=1))
        counts[place] = number
    expected = len(found) * law
    rare = expected < 10
    counts = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    assert len(counts) > 15
    square = np.sum((counts - expected) ** 2 / expected)
    tail = min(stats.chi2.sf(square, len(counts) - 1), stats.chi2.cdf(square, len(counts) - 1))
    assert 2 * tail > FALSE_ALARM


@pytest.mark.parametrize(
    ("lattice", "coupling"),
    [
        (irl.Lattice((4, 4)), 1.0),
        (irl.Lattice((3, 5), "moore"), 1.0),
        (irl.Lattice((2, 2, 3), boundary="free"), 1.0),
        (irl.Lattice((4, 4)), -1.0),
        (irl.Lattice((3, 4), boundary="free"), -1.0),
    ],
    ids=str,
)
@every_rule
def test_the_mean_cluster_is_a_moment_of_the_magnetization(rule, lattice, coupling):
    model, temperature = irl.Ising(lattice, coupling), 0.6 * lattice.coordination_number
    data = irl.simulate(model, rule, temperature, sweeps=400, thermalization=40, chains=64, seed=3)
    # an antiferromagnet is a ferromagnet in the staggered magnetization
    expected = exact.enumeration(irl.Ising(lattice), temperature)["magnetization_squared"]
    means = data["mean_cluster_size"].values[0].mean(axis=1)
    assert abs(z_of_chains(means, lattice.n_sites * float(expected[0]))) < Z_LIMIT
    assert (data["mean_cluster_size"].long_name, data["mean_cluster_size"].units) == (
        "mean size of the cluster of a site", "sites",
    )  # fmt: skip


@every_rule
def test_the_improved_susceptibility_has_the_smaller_error(rule):
    model = irl.Ising(irl.Lattice((16, 16)))
    data = irl.simulate(model, rule, 3.0, sweeps=2000, thermalization=100, chains=2, seed=1)
    summary = thermodynamics(data)
    plain, improved = summary["susceptibility_disordered"], summary["susceptibility_improved"]
    error = summary["susceptibility_disordered_error"], summary["susceptibility_improved_error"]
    assert 1.5 * error[1] < error[0]
    assert abs(plain - improved) < Z_LIMIT * np.hypot(*error)
    np.testing.assert_allclose(improved, summary["mean_cluster_size"] / 3.0)
    assert improved.units == plain.units == "1/J"


@every_rule
def test_clusters_are_no_moments_in_a_field_or_with_frustration(rule):
    def found(model):
        return irl.simulate(model, rule, 3.0, sweeps=3000, thermalization=50, seed=1)

    assert "mean_cluster_size" not in found(irl.Ising(irl.Lattice((4, 4)), field=0.1))
    assert "mean_cluster_size" not in found(irl.Ising(irl.Lattice((4, 4), "moore"), -1.0))
    both = found(irl.Ising(irl.Lattice((4, 4)), field=[0.0, 0.1]))
    assert np.isfinite(both["mean_cluster_size"]).all("draw").values.tolist() == [[[True], [False]]]
    summary = thermodynamics(both)
    assert np.isfinite(summary["susceptibility_improved"]).values.tolist() == [[True, False]]


# A sweep of Wolff


def z_of_energy(chains):
    """Deviation of energies, shape (chains, draws), of 4 × 4 spins at T = 2.3."""
    expected = exact.enumeration(irl.Ising(irl.Lattice((4, 4))), 2.3)["energy"]
    return z_of_chains(np.asarray(chains).mean(axis=1), float(expected[0]))


def test_a_sweep_that_ends_when_enough_spins_were_flipped_is_biased():
    """That of the thermalization, if it was measured; a fixed number of clusters is right."""
    model = irl.Ising(irl.Lattice((4, 4)))
    options = {"sweeps": 2000, "thermalization": 50, "chains": 24, "seed": 1}
    data = irl.simulate(model, irl.Wolff(), 2.3, **options)
    assert abs(z_of_energy(data["energy"].values[0])) < Z_LIMIT
    engine = WolffEngine(model, np.array([2.3]), 24, "up", np.random.SeedSequence(1))
    engine.sweep(50)
    biased = []
    for chain in range(24):
        arguments, history = engine._arguments(chain), engine._history[chain]
        energies, sums = [], np.zeros(3, dtype=np.int64)
        for _ in range(2000):
            wolff.thermalize(*arguments, history, 1)
            sites.measure(arguments[0], model.lattice.neighbors[None], np.zeros(16), sums)
            energies.append(-sums[0] / 16)
        biased.append(energies)
    assert abs(z_of_energy(biased)) > 2 * Z_LIMIT


def test_the_number_of_clusters_is_that_of_the_thermalization():
    model = irl.Ising(irl.Lattice((16, 16)))
    options = {"thermalization": 100, "chains": 2, "seed": 1}
    data = irl.simulate(model, irl.Wolff(), [2.0, 2.3, 4.0, math.inf], sweeps=400, **options)
    number = data["clusters_per_sweep"]
    assert number.dims == ("temperature", "chain")
    assert number.dtype == np.int64
    assert (number.sel(temperature=math.inf) == 256).all()
    met = (number * data["mean_cluster_size"].mean("draw")) / 256
    assert ((met > 0.5) & (met < 2)).all()
    shorter = irl.simulate(model, irl.Wolff(), [2.0, 2.3, 4.0, math.inf], sweeps=8, **options)
    xr.testing.assert_identical(shorter["clusters_per_sweep"], number)
    cold = irl.simulate(model, irl.Wolff(), [2.0, 4.0], sweeps=8, seed=1)
    assert (cold["clusters_per_sweep"] == 1).all()


def test_the_thermalization_may_be_cut_anywhere():
    """The last half of it counts at least, in blocks that double."""
    found = []
    for cuts in ([21], [1, 20], [3, 4, 5, 9], [1] * 21):
        engine = WolffEngine(SQUARE, np.array([2.3]), 1, "up", np.random.SeedSequence(1))
        met = []
        for sweeps in cuts:
            engine.sweep(sweeps)
            met.append(engine.state()["history"][0])
        engine.settle()
        found.append(engine.state())
    for state in found:
        for name, values in found[0].items():
            np.testing.assert_array_equal(values, state[name])
    # the sweeps 9 … 16, then 17 … 21
    one_by_one = np.array(met)
    ends = one_by_one[:, 1:3].copy()
    ends[15] = one_by_one[15, 3:]
    assert one_by_one[-1].tolist() == [21, *ends[20], *ends[15]]
    made, sites_met = ends[20] + ends[15]
    assert found[0]["numbers"].tolist() == [round(64 * made / sites_met)]


# Options of `simulate`


@pytest.mark.parametrize(
    "model",
    [
        irl.Ising(irl.Lattice((4, 4))),
        irl.Ising(irl.Lattice((6,), "moore"), -0.5, 0.3),
        irl.Ising(irl.Lattice((2, 3, 3), boundary="free"), 1.0, -0.2),
    ],
    ids=str,
)
@every_rule
def test_they_conform(rule, model):
    check_dynamics(rule, model)


@every_rule
def test_limits_of_the_temperature(rule):
    lattice = irl.Lattice((8, 8))
    options = {"thermalization": 200, "sweeps": 400, "chains": 8, "seed": 2}
    cold = irl.simulate(irl.Ising(lattice), rule, 0.0, **options)
    assert (cold["energy"] == -2).all()
    assert set(np.unique(cold["magnetization"])) == {-1.0, 1.0}
    staggered = irl.simulate(irl.Ising(lattice, -1.0), rule, 0.0, **options)
    assert (abs(staggered["staggered_magnetization"]) == 1).all()
    in_field = irl.simulate(irl.Ising(lattice, 1.0, -0.1), rule, 0.0, **options)
    assert (in_field["magnetization"] == -1).all()
    model = irl.Ising(lattice, 1.0, 0.7)
    for hot in (irl.simulate(model, rule, math.inf, **options),
                irl.simulate(irl.Ising(lattice, 0.0, 0.0), rule, 1.0, **options)):  # fmt: skip
        squares = (hot["magnetization"].values[0] ** 2).mean(axis=1)
        assert abs(z_of_chains(squares, 1 / 64)) < Z_LIMIT


def test_statistics_of_clusters_at_infinite_temperature():
    data = irl.simulate(SQUARE, irl.SwendsenWang(), math.inf, sweeps=5, seed=1)
    for name, expected in (("clusters", 1), ("largest_cluster", 1 / 64), ("mean_cluster_size", 1)):
        assert (data[name] == expected).all()
        assert data[name].dims == ("temperature", "chain", "draw")
    assert data["clusters"].long_name == "clusters per site"


@pytest.mark.parametrize("kind", [irl.SwendsenWang, irl.Wolff])
def test_sizes_have_the_law_of_random_clusters(kind, tmp_path):
    lattice, temperature = irl.Lattice((3, 3), boundary="free"), 2.0
    model, rule = irl.Ising(lattice), kind(sizes=True)
    options = {"sweeps": 600, "thermalization": 40, "chains": 64, "seed": 1}
    data = irl.simulate(model, rule, temperature, **options)
    expected = mean_numbers_of_clusters(lattice, 1 - math.exp(-2 / temperature), 2)
    for place, (begin, end) in enumerate(zip(data["bin_begin"], data["bin_end"], strict=True)):
        means = data["size_histogram"].values[0, :, :, place].mean(axis=1)
        z = z_of_chains(means, expected[int(begin) : int(end)].sum())
        assert abs(z) < Z_LIMIT, (begin.item(), z)
    plain = irl.simulate(model, kind(), temperature, **options)
    xr.testing.assert_equal(plain, data[list(plain)])
    if "clusters" in data:
        xr.testing.assert_allclose(data["size_histogram"].sum("size_bin"), 9 * data["clusters"])
    density = size_distribution(data, ("chain", "draw")) * data["bin_width"] * 9
    mean = data["size_histogram"].mean(("chain", "draw"))
    np.testing.assert_allclose(density["domain_density"], mean)
    for sweeps in (100, 600):
        cut = irl.simulate(
            model, rule, temperature, out=tmp_path / "cut", checkpoint_seconds=0,
            **options | {"sweeps": sweeps},
        )  # fmt: skip
    xr.testing.assert_identical(cut, data)


def test_sizes_that_cannot_be_had_are_refused():
    with pytest.raises(TypeError, match="sizes must be True or False"):
        irl.SwendsenWang(sizes=1)
    with pytest.raises(ValueError, match="sizes must be False for 'wolff' in a field"):
        irl.simulate(irl.Ising(irl.Lattice((4, 4)), 1.0, 0.1), irl.Wolff(sizes=True), 2.0, sweeps=1)


@every_rule
def test_a_schedule_means_nothing(rule):
    with pytest.raises(ValueError, match=r"schedule must be left out for '.*'; got|clusters"):
        irl.simulate(SQUARE, rule, 2.0, sweeps=2, schedule="typewriter")
    data = irl.simulate(SQUARE, rule, 2.0, sweeps=2, seed=1)
    assert data["schedule"] == "clusters"
    beside = irl.simulate(SQUARE, irl.Metropolis(), 2.0, sweeps=2, seed=1)
    joined = xr.concat([data, beside], "method", data_vars="all", coords="different",
                       compat="equals", join="exact", combine_attrs="drop_conflicts")  # fmt: skip
    assert joined["schedule"].values.tolist() == ["clusters", "checkerboard"]


@every_rule
def test_every_option_of_a_run(rule, tmp_path):
    """A run cut by snapshots, checkpoints and its end has the draws of one that is not."""
    model = irl.Ising(irl.Lattice((3, 66)), field=[0.0, 0.1])
    options = {"thermalization": 9, "interval": 4, "chains": 2, "seed": 1}
    whole = irl.simulate(model, rule, [5.0, 2.3], sweeps=40, **options)
    cut = irl.simulate(
        model, rule, [5.0, 2.3], sweeps=40, snapshots=[0, 1, 3, 10, 40], out=tmp_path / "cut",
        **options,
    )  # fmt: skip
    xr.testing.assert_equal(whole, cut[list(whole)])
    np.testing.assert_allclose(
        cut["magnetization"].values[..., -1], cut["spins"].values[..., -1, :, :].mean(axis=(-2, -1))
    )
    for sweeps in (12, 40):
        longer = irl.simulate(
            model, rule, [5.0, 2.3], sweeps=sweeps, out=tmp_path / "longer",
            checkpoint_seconds=0, **options,
        )  # fmt: skip
    xr.testing.assert_identical(longer, whole)
    rungs = irl.simulate(model, rule, [5.0, 2.3], sweeps=8, ladder="temperature", **options)
    assert rungs["energy"].shape == (2, 2, 2, 2)
    assert (rungs["energy"].mean("draw").sel(field=0).diff("temperature") < 0).all()
    until = irl.simulate(SQUARE, rule, 3.0, sweeps=2000, until=lambda data: True, seed=1)
    assert until.sizes["draw"] == 100
