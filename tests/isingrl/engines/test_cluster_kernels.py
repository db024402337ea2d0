"""The cluster engines against loops and a slow search with the same random numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numba import njit

from isingrl import Ising, Lattice, RandomBonds
from isingrl.engines.clusters import BitRows, SwendsenWangEngine, WolffEngine, threshold
from isingrl.engines.kernels.bits import count_ones, lowest_one, prefix_parity
from isingrl.engines.kernels.chances import happen
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS
from tests import cluster_oracle, oracles
from tests.statistical import check_bernoulli
from tests.strategies import lattices

LONG = [
    Lattice(shape, neighborhood, boundary)
    for shape in [(63,), (64,), (65,), (128,), (130,), (3, 64), (2, 65), (3, 130), (2, 2, 66)]
    for neighborhood in NEIGHBORHOODS
    for boundary in BOUNDARIES
]
"""Lattices with rows of about one word, and of several."""


@st.composite
def systems(draw, lattices=lattices):
    """A model, a temperature and spins."""
    lattice = draw(lattices)
    couplings = st.sampled_from([1, -1, 0, 0.5])
    steps = len(lattice.forward_offsets)
    coupling = draw(st.one_of(couplings, st.lists(couplings, min_size=steps, max_size=steps)))
    values = draw(st.sampled_from([None, None, (1, -1), (1, 0), (0.5, -1, 0)]))
    if values:
        shape = (steps, *lattice.shape)
        drawn = np.random.default_rng(draw(st.integers(0, 2**32))).choice(values, shape)
        drawn.flat[0] = values[0]
        try:
            coupling = RandomBonds(lattice, drawn)
        except ValueError:  # all bonds that exist are 0
            reject()
    field = draw(st.sampled_from([0, 0.4, -0.2]))
    share = draw(st.sampled_from([0, 0.1, 0.4, 1, math.inf]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    up = rng.random(lattice.shape) < draw(st.sampled_from([0, 0.3, 0.5, 1]))
    temperature = share * lattice.coordination_number
    return Ising(lattice, coupling, field), temperature, np.where(up, 1, -1).astype(np.int8)


def begun(kind, system):
    """An engine with the spins of a system, these as a list, and the chain's random numbers."""
    model, temperature, start = system
    engine = kind(model, np.array([temperature]), 1, start[None], np.random.SeedSequence(1))
    return engine, start.ravel().tolist(), oracles.Random(engine.state()["states"][0])


def check_swendsen_wang(system):
    model, temperature, _ = system
    engine, spins, random = begun(SwendsenWangEngine, system)
    n_sites = model.lattice.n_sites
    for sweeps in (1, 2):
        found = engine.record(1, sweeps)
        for _ in range(sweeps):
            clusters = cluster_oracle.swendsen_wang(spins, model, temperature, random)
        assert engine.spins(0).ravel().tolist() == spins
        assert [int(word) for word in engine.state()["states"][0]] == random.state
        sizes = [len(each - {cluster_oracle.GHOST}) for each in clusters]
        assert found["bonds"].ravel().tolist() == oracles.bond_sums(model, spins)
        assert found["totals"] == sum(spins)
        assert found["clusters"] == len([size for size in sizes if size])
        assert found["largest_cluster"] == max(sizes)
        if "mean_cluster_size" in found:
            assert found["mean_cluster_size"] == sum(size**2 for size in sizes) / n_sites
        signs = 1 - 2 * model.lattice.sublattices.ravel()
        if "staggered_magnetization" in found:
            assert found["staggered_magnetization"] == signs @ spins


def check_wolff(system):
    model, temperature, _ = system
    engine, spins, random = begun(WolffEngine, system)
    engine.settle()
    engine._numbers[:] = 3
    for sweeps in (1, 2):
        found = engine.record(1, sweeps)
        for _ in range(sweeps):
            met = cluster_oracle.wolff(spins, model, temperature, random, 3)
        assert engine.spins(0).ravel().tolist() == spins
        assert [int(word) for word in engine.state()["states"][0]] == random.state
        assert found["bonds"].ravel().tolist() == oracles.bond_sums(model, spins)
        assert found["totals"] == sum(spins)
        if "mean_cluster_size" in found:
            assert found["mean_cluster_size"] == met / 3


@pytest.mark.parametrize("check", [check_swendsen_wang, check_wolff])
def test_sweeps_are_those_of_the_oracle(check):
    near = lattices.filter(lambda each: all(abs(step[-1]) < 2 for step in each.offsets))
    all_of_them = lattices if check is check_wolff else near
    settings(max_examples=100)(given(systems(all_of_them))(check))()
    settings(max_examples=40)(given(systems(st.sampled_from(LONG)))(check))()


@pytest.mark.parametrize("lattice", LONG[::5], ids=str)
def test_rows_of_bits_are_read_as_they_were_written(lattice):
    rng = np.random.default_rng(1)
    up = rng.random((lattice.n_sites // lattice.shape[-1], lattice.shape[-1])) < 0.5
    rows = BitRows(lattice)
    words = rows.packed(up)
    assert words.shape == rows.shape
    np.testing.assert_array_equal(rows.unpacked(words), up.reshape(lattice.shape))
    assert [int(word) for word in words[0]] == [
        sum(int(bit) << k for k, bit in enumerate(up[0, first : first + 64]))
        for first in range(0, lattice.shape[-1], 64)
    ]


@njit
def _bits(word):
    return count_ones(word), lowest_one(word), prefix_parity(word)


@given(st.integers(1, 2**64 - 1))
def test_bits_of_a_word(word):
    text = f"{word:064b}"[::-1]
    parities = [text[: k + 1].count("1") % 2 for k in range(64)]
    expected = text.count("1"), text.index("1"), sum(bit << k for k, bit in enumerate(parities))
    assert tuple(int(each) for each in _bits(np.uint64(word))) == expected


@njit
def _count(threshold, asked, state, times, counts):
    """Count the events of each bit in `times` draws."""
    a, b, c, d = state
    for _ in range(times):
        word, a, b, c, d = happen(threshold, asked, a, b, c, d)
        for place in range(64):
            counts[place] += np.int64(word >> np.uint64(place) & np.uint64(1))


def events(chance, times=20_000):
    """Numbers of events of 64 places; the first place is not asked."""
    state = np.random.default_rng(5).integers(0, 2**64, size=4, dtype=np.uint64)
    counts = np.zeros(64, dtype=np.int64)
    _count(threshold(chance), np.uint64(2**64 - 2), tuple(state), times, counts)
    return counts


@pytest.mark.parametrize("chance", [0.01, 0.25, 0.5857864376, 0.99])
def test_events_have_their_probability(chance):
    counts = events(chance)
    assert counts[0] == 0
    check_bernoulli(counts[1:], np.full(63, 20_000), np.full(63, chance))


@pytest.mark.parametrize(("chance", "certain"), [(0, 0), (1e-30, 0), (1 - 2**-53, 1), (1, 1)])
def test_events_can_be_impossible_or_certain(chance, certain):
    assert events(chance, 100)[1:].tolist() == [100 * certain] * 63
    assert (threshold(chance) == 2**64 - 1) == (chance == 1)
