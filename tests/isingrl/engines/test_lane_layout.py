"""Where the bit-lane engine keeps the spins: packing, addresses, tiles and bands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isingrl import Lattice
from isingrl.engines.kernels.lane_packing import pack, unpack
from isingrl.engines.kernels.lane_sweeps import close_rows
from isingrl.engines.lane_layout import CAPACITY, LANES, LaneLayout, fits
from isingrl.lattice import NEIGHBORHOODS, TRIANGULAR
from tests.strategies import lattices

fitting = st.one_of(
    lattices.filter(fits),
    # Rows that are long enough for strips, for buffers, or for neither.
    st.builds(
        lambda leading, last, neighborhood: Lattice((*leading, 2 * last), neighborhood),
        st.lists(st.integers(2, 5), max_size=2),
        st.sampled_from([1, 7, 16, 32, 48, 96, 256, 500, 512]),
        st.sampled_from(NEIGHBORHOODS),
    ),
)


@given(lattices)
def test_periodic_lattices_with_an_even_last_side_and_short_steps_fit(lattice):
    short = all(abs(each) == 1 for step in lattice.offsets for each in step if each)
    counted = lattice.coordination_number in (2, 4, 6, 8, 26)
    parities = np.indices(lattice.shape).sum(axis=0) % 2
    suits = lattice.n_sublattices != 2 or (parities == lattice.sublattices).all()
    even = lattice.periodic and lattice.shape[-1] % 2 == 0
    assert fits(lattice) == (even and short and counted and suits)


@given(lattices.filter(fits))
def test_two_sublattices_are_taken_where_two_suffice(lattice):
    assert LaneLayout(lattice, 1).two_sublattices == (lattice.n_sublattices == 2)


def test_diagonal_neighbors_are_in_the_same_half_of_a_checkerboard():
    assert not LaneLayout(Lattice((4, 4), TRIANGULAR), 1).two_sublattices


def packed(layout, spins):
    """Spins of all chains, shape (n_chains, *lattice.shape), in the closed words of the blocks."""
    words = np.zeros((layout.n_blocks, layout.n_words), dtype=np.uint64)
    for chain, configuration in enumerate(spins):
        block, place = divmod(chain, layout.chains_per_block)
        rows = configuration.reshape(-1, layout.lattice.shape[-1])
        pack(words[block], layout.half_row_addresses, layout.half_row, layout.strips, place, rows)
    for block in words:
        close_rows(
            block, np.uint64(1), np.uint64(layout.half_row_addresses.size),
            np.uint64(layout.half_row), np.uint64(layout.strips), layout.first_strips,
        )  # fmt: skip
    return words


def random_spins(layout, seed):
    rng = np.random.default_rng(seed)
    shape = (layout.n_chains, *layout.lattice.shape)
    return rng.choice(np.array([-1, 1], dtype=np.int8), size=shape)


@pytest.mark.parametrize(
    ("shape", "n_chains", "strips"),
    [
        ((1024,), 1, 64), ((1024,), 2, 32), ((1024,), 3, 16), ((1024,), 9, 4), ((1024,), 33, 1),
        ((1008,), 1, 8), ((2,), 1, 1), ((62,), 1, 1), ((64,), 1, 4), ((6, 128), 1, 8),
        ((4, 4, 64), 5, 4), ((64, 64), 64, 1), ((64, 64), 100, 1),
    ],
)  # fmt: skip
def test_few_chains_are_cut_into_strips(shape, n_chains, strips):
    assert LaneLayout(Lattice(shape), n_chains).strips == strips


@settings(max_examples=60)
@given(fitting, st.integers(1, 140))
def test_lanes_are_filled_without_overlap(lattice, n_chains):
    layout = LaneLayout(lattice, n_chains)
    assert layout.strips * layout.chains_per_block == LANES
    assert layout.n_blocks * layout.chains_per_block >= n_chains
    assert (layout.n_blocks - 1) * layout.chains_per_block < n_chains
    assert 2 * layout.half_row * layout.strips == lattice.shape[-1]
    # Every address with room for the sites and the words before and after them.
    own = np.sort(layout.half_row_addresses.ravel())
    assert own[0] == 1
    assert own[-1] + layout.half_row + 1 == layout.n_words
    assert (np.diff(own) == layout.half_row + 2).all()


@settings(max_examples=40)
@given(fitting, st.integers(1, 70))
def test_packing_can_be_undone(lattice, n_chains):
    layout = LaneLayout(lattice, n_chains)
    spins = random_spins(layout, n_chains)
    words = packed(layout, spins)
    for chain, expected in enumerate(spins):
        block, place = divmod(chain, layout.chains_per_block)
        found = np.empty((lattice.n_sites // lattice.shape[-1], lattice.shape[-1]), dtype=np.int8)
        unpack(
            words[block], layout.half_row_addresses, layout.half_row, layout.strips, place, found
        )
        np.testing.assert_array_equal(found, expected.reshape(found.shape))


def read(layout, words, chain, address):
    """Spins of a chain in words from each half row's address on, shape (n_rows, 2, side / 2)."""
    block, place = divmod(chain, layout.chains_per_block)
    run = words[block][address[..., None] + np.arange(layout.half_row)]
    lanes = place * layout.strips + np.arange(layout.strips, dtype=np.uint64)
    bits = (run[..., None, :] >> lanes[:, None].astype(np.uint64)) & np.uint64(1)
    return 2 * bits.astype(np.int64).reshape(*address.shape, -1) - 1


def by_parity(lattice, values):
    """Values of sites, shape lattice.shape, as `read` has them."""
    rows = values.reshape(-1, lattice.shape[-1] // 2, 2)
    return np.moveaxis(rows, 2, 1)


@settings(max_examples=60)
@given(fitting, st.integers(1, 70))
def test_addresses_of_neighbors_lead_to_the_neighbors(lattice, n_chains):
    layout = LaneLayout(lattice, n_chains)
    spins = random_spins(layout, n_chains)
    words = packed(layout, spins)
    table = layout._half_row_table()
    for chain in {0, n_chains // 2, n_chains - 1}:
        flat = spins[chain].ravel()
        for slot in range(lattice.coordination_number):
            expected = by_parity(lattice, flat[lattice.neighbors[:, slot]])
            found = read(layout, words, chain, table[..., 1 + slot])
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("strips_of", [1, 2, 4, 8, 16, 32, 64])
@pytest.mark.parametrize("neighborhood", NEIGHBORHOODS)
@pytest.mark.parametrize("leading", [(), (3,), (2, 3)], ids=["1D", "2D", "3D"])
def test_neighbors_across_every_number_of_strips(leading, neighborhood, strips_of):
    lattice = Lattice((*leading, 1024), neighborhood)
    layout = LaneLayout(lattice, LANES // strips_of)
    assert layout.strips == strips_of
    spins = random_spins(layout, strips_of)
    words = packed(layout, spins)
    table = layout._half_row_table()
    for chain in range(layout.n_chains):
        flat = spins[chain].ravel()
        for slot in range(lattice.coordination_number):
            np.testing.assert_array_equal(
                read(layout, words, chain, table[..., 1 + slot]),
                by_parity(lattice, flat[lattice.neighbors[:, slot]]),
            )


def tile_words(layout, addresses, rows, tile):
    """Words of the sites of a tile, without the closing words between its rows."""
    stride = layout.half_row + 2
    row = np.arange(int(rows[tile]))[:, None] * stride
    return (int(addresses[tile, 0]) + row + np.arange(layout.half_row)).ravel()


@settings(max_examples=60)
@given(fitting, st.integers(1, 70), st.booleans())
def test_tiles_and_bands_cover_each_site_once(lattice, n_chains, synchronous):
    check_cover(LaneLayout(lattice, n_chains), synchronous)


@pytest.mark.parametrize("synchronous", [False, True], ids=["sublattices", "synchronous"])
@pytest.mark.parametrize(
    ("shape", "neighborhood"),
    [
        ((512, 512), "von_neumann"),
        ((511, 1024), "von_neumann"),
        ((512, 512), "moore"),
        ((64, 64, 128), "moore"),
        ((2, 200_000), "von_neumann"),
    ],
)
def test_large_lattices_are_cut_into_bands(shape, neighborhood, synchronous):
    assert check_cover(LaneLayout(Lattice(shape, neighborhood), 64), synchronous) > 1


def check_cover(layout, synchronous):
    """Check tiles and bands of a layout; returns the number of bands."""
    sublattices = layout.sublattices(synchronous)
    addresses, rows, bands = layout.tiles(sublattices)
    assert len(bands) == len(sublattices)
    assert bands[0, 0] == 0
    assert bands[-1, -1] == len(rows) == len(addresses)
    assert (bands[1:, 0] == bands[:-1, -1]).all()
    assert (np.diff(bands, axis=1) >= 0).all()
    covered = np.concatenate(
        [tile_words(layout, addresses, rows, tile) for tile in range(len(rows))]
    )
    sites = layout.half_row_addresses.ravel()[:, None] + np.arange(layout.half_row)
    np.testing.assert_array_equal(np.sort(covered), np.sort(sites.ravel()))
    # Several rows join to one tile only as far as the buffers reach.
    several = rows > 1
    assert (rows[several] * np.uint64(layout.half_row + 2) <= CAPACITY).all()
    if not synchronous:
        check_no_neighbors_together(layout, sublattices)
    return bands.shape[1] - 1


def check_no_neighbors_together(layout, sublattices):
    """No site of a sublattice reads a word that holds a site of it, closing words included."""
    for group in sublattices:
        own = np.zeros(layout.n_words, dtype=bool)
        for address in group[:, 0]:
            own[address - 1 : address + layout.half_row + 1] = True
        for address in group[:, 1:].ravel():
            assert not own[address : address + layout.half_row].any()
