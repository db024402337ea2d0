"""Swendsen-Wang and Wolff on Potts models: kernels, exact laws, identities, options of a run."""

import functools
import itertools
import math

import numba
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import isingrl as irl
from analysis import exact
from isingrl.engines.clusters import SwendsenWangEngine, WolffEngine
from tests import cluster_oracle, oracles
from tests.statistical import Z_LIMIT, check_standard_normal, z_of_chains
from tests.strategies import lattices

RULES = {"swendsen-wang": irl.SwendsenWang(), "wolff": irl.Wolff()}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
OBSERVABLES = {
    "energy": lambda energy, shares: energy,
    "energy_squared": lambda energy, shares: energy**2,
    "state_0": lambda energy, shares: shares[..., 0],
    "state_0_squared": lambda energy, shares: shares[..., 0] ** 2,
    "last_state": lambda energy, shares: shares[..., -1],
    "share_squares": lambda energy, shares: (shares**2).sum(axis=-1),
    "largest_share": lambda energy, shares: shares.max(axis=-1),
}


# Against the oracle, with the same random numbers


LONG = [
    irl.Lattice(shape, neighborhood, boundary)
    for shape in [(63,), (64,), (130,), (3, 64), (2, 65), (2, 2, 66)]
    for neighborhood in ("von_neumann", "moore")
    for boundary in ("periodic", "free")
]


@st.composite
def systems(draw, lattices):
    """A model, a temperature and spins."""
    lattice = draw(lattices)
    couplings = st.sampled_from([1, -1, 0, 0.5])
    steps = min(len(lattice.forward_offsets), 4)
    coupling = draw(couplings)
    if steps == len(lattice.forward_offsets):
        each = st.lists(couplings, min_size=steps, max_size=steps)
        coupling = draw(st.one_of(st.just(coupling), each))
    model = irl.Potts(
        lattice,
        draw(st.sampled_from([2, 3, 4, 5, 9, 200, 255])),
        coupling,
        draw(st.sampled_from([0, 0.4, -0.2])),
    )
    temperature = draw(st.sampled_from([0, 0.1, 0.4, math.inf])) * lattice.coordination_number
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    few = draw(st.integers(1, model.states))
    return model, temperature, rng.integers(few, size=lattice.shape, dtype=np.uint8)


def equal_bonds(model, spins):
    """Bonds between equal spins by coupling."""
    found = [
        (coupling, spins[site] == spins[other])
        for site, others in enumerate(oracles.coupled_neighbors(model))
        for other, coupling in others
    ]
    return [sum(same for each, same in found if each == j) // 2 for j in model.couplings]


def check_spins(engine, found, model, spins, random):
    """Whether an engine and what it found agree with the spins and random numbers of the oracle."""
    assert engine.spins(0).ravel().tolist() == spins
    assert [int(word) for word in engine.state()["states"][0]] == random.state
    assert found["bonds"].ravel().tolist() == equal_bonds(model, spins)
    assert found["totals"] == spins.count(0)
    counts = [spins.count(state) for state in range(model.states)]
    assert found["state_share"].ravel().tolist() == counts


def begun(kind, system):
    """An engine with the spins of a system, these as a list, and the chain's random numbers."""
    model, temperature, start = system
    engine = kind(model, np.array([temperature]), 1, start[None], np.random.SeedSequence(1))
    return engine, start.ravel().tolist(), oracles.Random(engine.state()["states"][0])


def check_swendsen_wang(system):
    model, temperature, _ = system
    engine, spins, random = begun(SwendsenWangEngine, system)
    for sweeps in (1, 2):
        found = engine.record(1, sweeps)
        for _ in range(sweeps):
            clusters = cluster_oracle.swendsen_wang(spins, model, temperature, random)
        check_spins(engine, found, model, spins, random)
        sizes = [len(each - {cluster_oracle.GHOST}) for each in clusters]
        assert found["clusters"] == len([size for size in sizes if size])
        assert found["largest_cluster"] == max(sizes)
        assert ("mean_cluster_size" in found) == (
            model.field == 0 and bool((model.couplings >= 0).all())
        )
        if "mean_cluster_size" in found:
            squares = sum(size**2 for size in sizes)
            assert found["mean_cluster_size"] == squares / model.lattice.n_sites


def check_wolff(system):
    model, temperature, _ = system
    engine, spins, random = begun(WolffEngine, system)
    engine.settle()
    engine._numbers[:] = 3
    for sweeps in (1, 2):
        found = engine.record(1, sweeps)
        for _ in range(sweeps):
            met = cluster_oracle.wolff(spins, model, temperature, random, 3)
        check_spins(engine, found, model, spins, random)
        if "mean_cluster_size" in found:
            assert found["mean_cluster_size"] == met / 3


@pytest.mark.parametrize("check", [check_swendsen_wang, check_wolff])
def test_sweeps_are_those_of_the_oracle(check):
    near = lattices.filter(lambda each: all(abs(step[-1]) < 2 for step in each.offsets))
    all_of_them = lattices if check is check_wolff else near
    settings(max_examples=30)(given(systems(all_of_them))(check))()
    settings(max_examples=8)(given(systems(st.sampled_from(LONG)))(check))()


# Against sums over all configurations


PLACES = [
    (irl.Lattice(5), 3, (1.0, -1.0)),
    (irl.Lattice(6, boundary="free"), 4, (1.0, -1.0)),
    (irl.Lattice((3, 3)), 3, (1.0, -1.0, (0.8, -0.6))),
    (irl.Lattice((2, 3), boundary="free"), 4, (1.0, -1.0, (-0.6, 0.8))),
    (irl.Lattice((2, 2)), 6, (1.0, -1.0)),
    (irl.Lattice((2, 2, 2)), 3, (1.0, -1.0, (0.5, -0.6, 0.8))),
    (irl.Lattice((3, 3), "moore"), 3, (1.0, -1.0)),
    (irl.Lattice((3, 3), "triangular", "free"), 3, (1.0, -1.0, (0.8, 0.8, -0.6))),
    (irl.Lattice((2, 4), "honeycomb"), 3, (1.0, -1.0)),
]
CASES = [
    (rule, irl.Potts(lattice, states, coupling, field))
    for lattice, states, couplings in PLACES
    for coupling in couplings
    for field in (0.0, 0.5, -0.4)
    for rule in RULES.values()
]


@functools.cache
def configurations(model):
    """Energy and shares of the states in all configurations."""
    shape = model.lattice.shape
    spins = np.array(list(itertools.product(range(model.states), repeat=model.lattice.n_sites)))
    spins = spins.reshape(-1, *shape)
    return model.energy(spins), model.state_share(spins)


def expectations(model, temperature):
    """Exact means of all observables."""
    energy, shares = configurations(model)
    excess = model.lattice.n_sites * (energy - energy.min())
    weights = (excess < 1e-9) * 1.0 if temperature == 0 else np.exp(-excess / temperature)
    weights /= weights.sum()
    return {name: weights @ each(energy, shares) for name, each in OBSERVABLES.items()}


def z_scores(number):
    """Deviations from the exact means of all observables, as standard normal numbers."""
    rule, model = CASES[number]
    temperature = model.lattice.coordination_number * (0.2 + 0.03 * (number % 7))
    data = irl.simulate(
        model, rule, temperature, sweeps=200, thermalization=40, chains=40, seed=number
    )
    energy, shares = data["energy"].values[0], data["state_share"].values[0]
    return {
        name: z_of_chains(OBSERVABLES[name](energy, shares).mean(axis=1), expected)
        for name, expected in expectations(model, temperature).items()
    }


def test_moments_agree_with_enumeration():
    """In every case, and all together with scores that are standard normal."""
    scores = [z_scores(number) for number in range(len(CASES))]
    for case, found in zip(CASES, scores, strict=True):
        for each, z in found.items():
            assert abs(z) < Z_LIMIT, f"{case}: {each}, z = {z:.2f}"
    for each in OBSERVABLES:
        check_standard_normal([found[each] for found in scores])


@pytest.mark.parametrize(
    "model",
    [
        irl.Potts(irl.Lattice((2, 3), boundary="free"), 3, -1.0),
        irl.Potts(irl.Lattice((2, 3)), 3, 1.0),
        irl.Potts(irl.Lattice((2, 3), boundary="free"), 4, (1.0, -1.0)),
        irl.Potts(irl.Lattice(4), 4, 1.0, -0.5),
    ],
    ids=["antiferromagnet", "ferromagnet", "mixed", "field"],
)
@every_rule
def test_limits_of_the_temperature(rule, model):
    """At T = 0 all ground states are equally likely, and at T = ∞ all configurations."""
    for temperature in (0.0, math.inf):
        data = irl.simulate(
            model, rule, temperature, sweeps=300, thermalization=60, chains=40, seed=3
        )
        energy, shares = data["energy"].values[0], data["state_share"].values[0]
        for name, expected in expectations(model, temperature).items():
            samples = OBSERVABLES[name](energy, shares)
            if np.ptp(samples) < 1e-12:
                np.testing.assert_allclose(samples, expected)
            else:
                assert abs(z_of_chains(samples.mean(axis=1), expected)) < Z_LIMIT, name


@every_rule
def test_two_states_have_the_law_of_ising_spins(rule):
    lattice = irl.Lattice((3, 4))
    for coupling, field in ((1.0, 0.4), (-1.0, -0.3), ([1.0, -0.5], 0.0)):
        half = irl.Ising(lattice, np.multiply(coupling, 0.5).tolist(), field / 2)
        ising = exact.enumeration(half, 1.2)
        model = irl.Potts(lattice, 2, coupling, field)
        data = irl.simulate(model, rule, 1.2, sweeps=300, thermalization=40, chains=40, seed=2)
        constant = -model.mean_coupling - field / 2  # two bonds a site
        energy = data["energy"].values[0].mean(axis=1) - constant
        assert abs(z_of_chains(energy, float(ising["energy"][0]))) < Z_LIMIT
        squares = ((2 * data["state_share"].values[0, ..., 0] - 1) ** 2).mean(axis=1)
        assert abs(z_of_chains(squares, float(ising["magnetization_squared"][0]))) < Z_LIMIT


# Sizes of clusters


@pytest.mark.parametrize("states", [2, 3, 7])
@every_rule
def test_the_mean_cluster_is_a_moment_of_the_shares(rule, states):
    lattice = irl.Lattice((6, 7), "triangular")
    model = irl.Potts(lattice, states, (1.0, 0.7, 0.2))
    data = irl.simulate(model, rule, 1.1, sweeps=200, thermalization=40, chains=40, seed=1)
    squares = (data["state_share"] ** 2).sum("state")
    moment = lattice.n_sites * (states * squares - 1) / (states - 1)
    difference = (data["mean_cluster_size"] - moment).mean("draw").values[0]
    assert abs(z_of_chains(difference, 0.0)) < Z_LIMIT


@every_rule
def test_clusters_are_no_moments_in_a_field_or_with_a_negative_coupling(rule):
    lattice, options = irl.Lattice((4, 4)), {"sweeps": 5, "seed": 1}
    for model in (irl.Potts(lattice, 3, 1.0, 0.1), irl.Potts(lattice, 2, -1.0)):
        assert "mean_cluster_size" not in irl.simulate(model, rule, 1.0, **options)
    both = irl.simulate(irl.Potts(lattice, 3, field=[0.0, -0.1]), rule, 1.0, **options)
    assert np.isfinite(both["mean_cluster_size"]).all("draw").values.tolist() == [[[True], [False]]]


@pytest.mark.parametrize("kind", [irl.SwendsenWang, irl.Wolff])
def test_sizes_have_the_law_of_random_clusters(kind):
    lattice, temperature = irl.Lattice((3, 3), boundary="free"), 0.9
    model = irl.Potts(lattice, 3)
    options = {"sweeps": 400, "thermalization": 40, "chains": 40, "seed": 1}
    data = irl.simulate(model, kind(sizes=True), temperature, **options)
    chance = 1 - math.exp(-1 / temperature)
    expected = cluster_oracle.mean_numbers_of_clusters(lattice, chance, 3)
    for place, (begin, end) in enumerate(zip(data["bin_begin"], data["bin_end"], strict=True)):
        means = data["size_histogram"].values[0, :, :, place].mean(axis=1)
        z = z_of_chains(means, expected[int(begin) : int(end)].sum())
        assert abs(z) < Z_LIMIT, (begin.item(), z)


# Options of `simulate`


def test_what_cannot_be_done_is_refused():
    lattice = irl.Lattice((4, 4))
    with pytest.raises(ValueError, match="sizes must be False for 'wolff' in a field"):
        irl.simulate(irl.Potts(lattice, 3, field=0.1), irl.Wolff(sizes=True), 1.0, sweeps=1)
    far = irl.Potts(irl.Lattice((6, 6), [(0, 2), (1, 0)]), 3)
    with pytest.raises(ValueError, match="neighborhood must have no steps of two sites or more"):
        irl.simulate(far, irl.SwendsenWang(), 1.0, sweeps=1)


@pytest.mark.parametrize(
    "model",
    [
        irl.Potts(irl.Lattice((3, 66)), 3, field=[0.0, 0.1, -0.2]),
        irl.Potts(irl.Lattice((5, 6), "moore", "free"), 200, -1.0),
    ],
    ids=["ferromagnet", "antiferromagnet"],
)
@every_rule
def test_every_option_of_a_run(rule, model, tmp_path):
    """A run cut by snapshots, checkpoints and its end has the draws of one that is not."""
    options = {"thermalization": 9, "interval": 4, "chains": 2, "seed": 1}
    temperatures = [1.5, 0.9]
    whole = irl.simulate(model, rule, temperatures, sweeps=40, **options)
    threads = numba.get_num_threads()
    try:
        for number in (1, 2):
            numba.set_num_threads(min(number, threads))
            again = irl.simulate(model, rule, temperatures, sweeps=40, **options)
            xr.testing.assert_identical(again, whole)
    finally:
        numba.set_num_threads(threads)
    cut = irl.simulate(
        model, rule, temperatures, sweeps=40, snapshots=[0, 1, 3, 10, 40], out=tmp_path / "cut",
        **options,
    )  # fmt: skip
    xr.testing.assert_equal(whole, cut[list(whole)])
    spins = cut["spins"].values
    assert spins.dtype == np.uint8
    np.testing.assert_allclose(
        cut["state_share"].values[..., -1, :], model.state_share(spins)[..., -1, :]
    )
    for sweeps in (12, 40):
        longer = irl.simulate(
            model, rule, temperatures, sweeps=sweeps, out=tmp_path / "longer",
            checkpoint_seconds=0, **options,
        )  # fmt: skip
    xr.testing.assert_identical(longer, whole)
    start = spins[..., -1, :, :]
    again = irl.simulate(model, rule, temperatures, sweeps=1, start=start, chains=2, snapshots=[0])
    np.testing.assert_array_equal(again["spins"].values[..., 0, :, :], start)
