"""Kernels of the bit-lane engine against loops over lanes and sites."""

import numpy as np
import pytest

from isingrl import HeatBath, Ising, Lattice
from isingrl.engines.kernels.lane_counts import count_agreeing
from isingrl.engines.kernels.lane_decisions import (
    UNROLLED,
    certain,
    lazy_lanes,
    minority,
    select,
    select_mirrored,
)
from isingrl.engines.kernels.lane_measures import COUNTER_PLANES, add_up
from isingrl.engines.lane_bonds import LaneTables
from isingrl.engines.lane_layout import CAPACITY, LANES
from isingrl.engines.lane_rule import LaneRule
from isingrl.engines.lanes import LaneEngine
from tests import lanes, statistical

ONES, NONE = np.uint64(2**64 - 1), np.uint64(0)
REFERENCES = {
    "own spin": (ONES, NONE),
    "opposite spin": (ONES, ONES),
    "up": (NONE, ONES),
}


def bits(words):
    """Bits of words, shape (*words.shape, 64)."""
    words = np.asarray(words, dtype=np.uint64)
    return ((words[..., None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)).astype(np.int64)


@pytest.mark.parametrize("reference", REFERENCES)
@pytest.mark.parametrize("z", lanes.COORDINATION_NUMBERS)
def test_counts_of_agreeing_neighbors(z, reference):
    rng = np.random.default_rng(z)
    words = rng.integers(0, 2**64, size=500, dtype=np.uint64)
    words[:40] = ONES  # so that all neighbours agree somewhere
    addresses = rng.integers(0, 450, size=(3, 1 + z)).astype(np.uint64)
    addresses[1] = np.arange(1 + z) % 10
    planes = np.zeros((lanes.PLANES[z], CAPACITY), dtype=np.uint64)
    own = np.zeros(CAPACITY, dtype=np.uint64)
    mask, inverse = REFERENCES[reference]
    offset, start, width = 5, 3, 20
    for tile in range(3):
        count_agreeing(
            words, addresses, tile, mask, inverse, np.uint64(start), np.uint64(width), planes,
            own, np.uint64(offset),
        )  # fmt: skip
        counts = sum(bits(planes[p, offset : offset + width]) << p for p in range(len(planes)))
        for j in range(width):
            site, *others = bits(words[addresses[tile].astype(np.int64) + start + j])
            compared = {"own spin": site, "opposite spin": 1 - site, "up": 1}[reference]
            expected = sum((other == compared).astype(np.int64) for other in others)
            np.testing.assert_array_equal(counts[j], expected)
        np.testing.assert_array_equal(
            own[offset : offset + width],
            words[int(addresses[tile, 0]) + start :][:width],
        )
    assert not planes[:, :offset].any()
    assert not planes[:, offset + width :].any()


def count_planes(z):
    """Lane n of a word counts n neighbours; lanes above z have counts that do not occur."""
    counts = np.minimum(np.arange(64), z)
    return tuple(
        np.uint64(sum(int(n >> p & 1) << lane for lane, n in enumerate(counts)))
        for p in range(lanes.PLANES[z])
    )


def one_hot(entry, length):
    return tuple(ONES if index == entry else NONE for index in range(length))


@pytest.mark.parametrize("own", [NONE, ONES], ids=["down", "up"])
@pytest.mark.parametrize("z", lanes.COORDINATION_NUMBERS)
def test_select_picks_the_entry_of_count_and_own_spin(z, own):
    planes = count_planes(z)
    spin = int(own & np.uint64(1))
    half = z // 2
    for length, entry_of in (
        (z + 1, lambda n: n),
        (2 * (z + 1), lambda n: spin * (z + 1) + n),
        (half, lambda n: n - half - 1 if n > half else None),
    ):
        for entry in range(length):
            picked = bits(select(planes, own, one_hot(entry, length)))
            for n in range(z + 1):
                if entry_of(n) is not None:  # below, `certain` decides
                    assert picked[n] == (entry_of(n) == entry)


@pytest.mark.parametrize("z", lanes.COORDINATION_NUMBERS)
def test_counts_up_to_half_are_certain_where_the_table_says_so(z):
    planes = count_planes(z)
    for length in (z + 1, 2 * (z + 1)):
        assert certain(planes, one_hot(0, length)) == 0
    sure = bits(certain(planes, one_hot(0, z // 2)))
    np.testing.assert_array_equal(sure[: z + 1], np.arange(z + 1) <= z // 2)


@pytest.mark.parametrize("z", lanes.COORDINATION_NUMBERS)
def test_lazy_lanes_are_those_of_the_count(z):
    planes, length = count_planes(z), z // 2 + 1
    assert lazy_lanes(planes, ()) == 0
    for entry in range(length):
        picked = bits(lazy_lanes(planes, one_hot(entry, length)))
        np.testing.assert_array_equal(picked[:length], np.arange(length) == entry)


@pytest.mark.parametrize("z", [2, 4, 6, 8])
def test_mirrored_entries_are_picked_by_the_distance_from_half(z):
    planes = count_planes(z)
    length = z // 2 + 1
    distance = abs(np.arange(z + 1) - z // 2)
    for entry in range(length):
        picked = bits(select_mirrored(planes, one_hot(entry, length)))
        np.testing.assert_array_equal(picked[: z + 1], distance == entry)
    few = bits(minority(planes, one_hot(0, length)))
    np.testing.assert_array_equal(few[: z + 1], np.arange(z + 1) < z // 2)


@lanes.every_form
def test_tables_take_the_form_that_they_should(z, form):
    tables = lanes.random_tables(z, form, np.random.default_rng(0))
    _, _, keep, _, digits, lazy, rest = LaneRule(tables).arguments
    assert digits.shape == (UNROLLED + 1, lanes.N_ENTRIES[form](z))
    assert rest.shape == (LANES, 2, z + 1)
    assert len(lazy) == (z // 2 + 1 if "half" in form else 0)
    assert any(lazy) == form.startswith("lazy")
    assert keep == (NONE if form in ("mirrored", "own spin does not matter") else ONES)


@lanes.every_form
def test_outcomes_have_the_chances_of_the_table(z, form):
    rng = np.random.default_rng(100 + z)
    tables = lanes.random_tables(z, form, rng)
    lattice = lanes.lattice_of(z)
    # All magnetizations, so that all counts occur.
    up = rng.permutation(np.linspace(0, 1, LANES)).reshape(-1, *[1] * lattice.ndim)
    successes, trials = np.zeros((2, *tables.shape), dtype=np.int64)
    for seed in range(4):
        start = np.where(rng.random((LANES, *lattice.shape)) < up, 1, -1).astype(np.int8)
        engine = LaneEngine(
            lattice, LaneTables(tables), start, synchronous=True, seed=np.random.SeedSequence(seed)
        )
        engine.sweep(1)
        after = np.stack([engine.spins(chain) for chain in range(LANES)])
        more = lanes.tally(lattice, start, start, after)
        successes, trials = successes + more[0], trials + more[1]
    assert (trials.sum(axis=0) > 0).all()
    statistical.check_bernoulli(successes, trials, tables)


@pytest.mark.parametrize("chance", [2.0**-20, 2.0**-13, 3 * 2.0**-14, 1.5 * 2.0**-12])
@lanes.every_form
def test_rare_flips_come_as_often_as_they_should(z, form, chance):
    """One sweep from an ordered configuration, in which every site meets the same rare entry."""
    lattice = lanes.lattice_of(z, n_sites=2**18 if chance == 2.0**-20 else 2**14)
    tables = np.repeat(lanes.rare_tables(z, form, chance)[None], LANES, axis=0)
    seed = np.random.SeedSequence([z, *form.encode(), int(1 / chance)])
    if form.endswith("from half on"):
        first = lanes.alternating(lattice)
        start = np.repeat(first[None], LANES, axis=0)
        engine = LaneEngine(lattice, LaneTables(tables), start, synchronous=True, seed=seed)
        engine.sweep(1)
        flips = sum(int((engine.spins(chain) != first).sum()) for chain in range(LANES))
    else:
        engine = LaneEngine(lattice, LaneTables(tables), "down", synchronous=True, seed=seed)
        totals = engine.record(1, 1)["totals"]
        flips = int((totals + lattice.n_sites).sum()) // 2
    statistical.check_bernoulli(flips, LANES * lattice.n_sites, chance)


@pytest.mark.parametrize(
    ("shape", "neighborhood", "n_chains"),
    [
        ((2,), "von_neumann", 70),
        ((32,), "von_neumann", 1),
        ((1024,), "von_neumann", 1),
        ((2048,), "von_neumann", 64),  # rows longer than the buffers
        ((8, 8), "von_neumann", 65),
        ((3, 96), "von_neumann", 2),
        ((2, 2048), "von_neumann", 33),
        ((256, 512), "von_neumann", 33),  # more tiles than the counters hold
        ((8, 8), "moore", 64),
        ((5, 64), "moore", 3),
        ((2, 2048), "moore", 33),
        ((256, 512), "moore", 33),
        ((3, 4, 6), "von_neumann", 64),
        ((2, 2, 1600), "von_neumann", 40),
        ((16, 16, 256), "von_neumann", 33),
        ((4, 4, 64), "moore", 5),
        ((3, 5, 6), "moore", 64),
        ((2, 2, 1600), "moore", 40),
        ((16, 16, 256), "moore", 33),
    ],
)
@pytest.mark.parametrize("synchronous", [False, True], ids=["sublattices", "synchronous"])
def test_measures_are_those_of_the_spins(shape, neighborhood, n_chains, synchronous):
    lattice = Lattice(shape, neighborhood)
    model = Ising(lattice)
    rng = np.random.default_rng(3)
    z = lattice.coordination_number
    # From frozen to free, so that sums of all sizes occur.
    temperature = np.geomspace(0.2, 10, n_chains) * z
    tables = HeatBath().table(model, temperature)
    start = rng.choice(np.array([-1, 1], dtype=np.int8), size=(n_chains, *shape))
    start[::3] = 1
    engine = LaneEngine(
        lattice,
        LaneTables(tables),
        start,
        synchronous=synchronous,
        seed=np.random.SeedSequence(4),
    )
    measured = engine.record(2, 1)
    bonds, totals = measured["bonds"], measured["totals"]
    assert bonds.shape == totals.shape == (n_chains, 2)
    for chain in range(n_chains):
        spins = engine.spins(chain)
        assert totals[chain, -1] == spins.sum()
        assert -bonds[chain, -1] / lattice.n_sites == pytest.approx(model.energy(spins), abs=1e-12)


@pytest.mark.parametrize("half_row", [1, 5, 100, 500])
@pytest.mark.parametrize(("first", "last"), [(0, 1), (0, 700), (3, 300), (255, 260), (10, 10)])
def test_up_spins_are_summed_over_any_half_rows(half_row, first, last):
    rng = np.random.default_rng(half_row)
    n_rows = 700
    words = rng.integers(0, 2**64, size=n_rows * (half_row + 2), dtype=np.uint64)
    words[: len(words) // 2] = ONES  # what fills counters fastest
    planes = np.zeros((5, CAPACITY), dtype=np.uint64)
    counters = np.zeros((COUNTER_PLANES, CAPACITY), dtype=np.uint64)
    totals = np.zeros(LANES, dtype=np.int64)
    add_up(
        words, first, last, np.uint64(half_row), planes, counters,
        np.zeros(CAPACITY, dtype=np.uint64), totals,
    )  # fmt: skip
    inside = words.reshape(n_rows, half_row + 2)[first:last, 1:-1]
    np.testing.assert_array_equal(totals, bits(inside).sum(axis=(0, 1)))
    assert not counters.any()
