"""Layout of spins in the bit-lane engine: blocks of 64 lanes, strips, half rows and tiles."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from isingrl.lattice import Lattice

LANES = 64
CAPACITY = 384  # words of a buffer: buffers and generators then fit the first-level cache
SHORTEST_STRIP = 16  # sites: shorter ones leave loops too short to vectorize
PLANES = {2: 2, 4: 3, 6: 3, 8: 4, 26: 5}  # binary digits of z, for every z of the kernels
BAND_WORDS = 1 << 15  # words of a band of tiles: the unit of work of a thread on one block


def fits(lattice: Lattice) -> bool:
    """Whether the layout holds the lattice: periodic, last side even, near neighbours only.

    If it has two sublattices, they must be the even and the odd sites.
    """
    near = all(abs(step) <= 1 for offset in lattice.offsets for step in offset)
    counted = lattice.coordination_number in PLANES
    if not (lattice.periodic and lattice.shape[-1] % 2 == 0 and near and counted):
        return False
    # triangles are looked for first, because they need no array of sites
    return lattice.has_even_sublattice or _has_triangles(lattice) or lattice.n_sublattices != 2


def _has_triangles(lattice: Lattice) -> bool:
    """Whether neighbours of a site are neighbours, so that two sublattices do not suffice."""
    steps = set(lattice.offsets)
    pairs = itertools.product(steps, repeat=2)
    return any(tuple(a + b for a, b in zip(*pair, strict=True)) in steps for pair in pairs)


@dataclass(frozen=True)
class LaneLayout:
    """Addresses of the spins of `n_chains` chains of a periodic lattice in 64-bit words.

    A word holds one site of 64 lanes. If the lanes outnumber the chains, the rows of a chain are
    cut into `strips` pieces that lie in neighbouring lanes, so that no lane stays idle. The sites
    of even and of odd x in a row lie apart, as half rows, with one word before and one after them
    that repeat the sites across the ends. Half rows of one parity, and of one sublattice of the
    leading axes, follow each other, so that the neighbours of a run of sites are runs as well.
    """

    lattice: Lattice
    n_chains: int

    @cached_property
    def strips(self) -> int:
        """Strips of a chain, a power of two."""
        side, strips = self.lattice.shape[-1], 1
        while (
            self.n_chains * strips * 2 <= LANES
            and side % (4 * strips) == 0
            and side // (2 * strips) >= SHORTEST_STRIP
        ):
            strips *= 2
        return strips

    @property
    def chains_per_block(self) -> int:
        """Chains in a block of 64 lanes."""
        return LANES // self.strips

    @property
    def n_blocks(self) -> int:
        """Blocks of 64 lanes; the last one may have idle lanes."""
        return -(-self.n_chains // self.chains_per_block)

    @property
    def half_row(self) -> int:
        """Sites of one parity in a row of a strip."""
        return self.lattice.shape[-1] // (2 * self.strips)

    @property
    def n_words(self) -> int:
        """Words of a block."""
        return 2 * len(self._row_order) * (self.half_row + 2)

    @property
    def first_strips(self) -> np.uint64:
        """Mask of the lanes that hold a chain's first strip."""
        return np.uint64(sum(1 << lane for lane in range(0, LANES, self.strips)))

    @cached_property
    def _row_classes(self) -> npt.NDArray[np.int64]:
        """Sublattice of each row, of the lattice of the leading axes with Moore neighbours."""
        leading = self.lattice.shape[:-1]
        if not leading:
            return np.zeros(1, dtype=np.int64)
        return Lattice(leading, neighborhood="moore").sublattices.ravel().astype(np.int64)

    @cached_property
    def _row_order(self) -> npt.NDArray[np.int64]:
        return np.argsort(self._row_classes, kind="stable")

    @cached_property
    def half_row_addresses(self) -> npt.NDArray[np.int64]:
        """Address of the first site of each row and parity, shape (n_rows, 2)."""
        stride = self.half_row + 2
        counts = np.bincount(self._row_classes)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        rank = np.empty(self._row_classes.size, dtype=np.int64)
        rank[self._row_order] = np.arange(rank.size) - np.repeat(starts, counts)
        first = 2 * starts[self._row_classes] + rank
        parities = np.stack([first, first + counts[self._row_classes]], axis=1)
        return parities * stride + 1

    def _half_row_table(self) -> npt.NDArray[np.int64]:
        """Addresses of each half row and of its neighbours' runs, shape (n_rows, 2, 1 + z)."""
        leading, own = self.lattice.shape[:-1], self.half_row_addresses
        rows = np.indices(leading).reshape(len(leading), len(own))
        table = np.empty((*own.shape, 1 + self.lattice.coordination_number), dtype=np.int64)
        table[..., 0] = own
        for slot, offset in enumerate(self.lattice.offsets, start=1):
            moved = [
                (row + step) % side
                for row, step, side in zip(rows, offset[:-1], leading, strict=True)
            ]
            other = np.ravel_multi_index(moved, leading) if leading else np.zeros(1, dtype=np.int64)
            for parity in (0, 1):
                x = parity + offset[-1]
                table[:, parity, slot] = own[other, x % 2] + x // 2
        return table

    def sublattices(self, synchronous: bool) -> list[npt.NDArray[np.int64]]:
        """Half rows of each sublattice, arrays of shape (n, 1 + z) in order of address."""
        table, classes = self._half_row_table(), self._row_classes
        if synchronous:
            groups = [table.reshape(-1, table.shape[-1])]
        elif self.two_sublattices:
            parities = self._row_parities
            rows = np.arange(classes.size)
            groups = [table[rows, (color + parities) % 2] for color in (0, 1)]
        else:
            kinds = itertools.product(range(int(classes.max()) + 1), (0, 1))
            groups = [table[classes == kind, parity] for kind, parity in kinds]
        return [group[np.argsort(group[:, 0])] for group in groups]

    @property
    def two_sublattices(self) -> bool:
        """Whether the lattice has two sublattices, even and odd sites."""
        return self.lattice.has_even_sublattice

    @cached_property
    def measured_rows(self) -> npt.NDArray[np.int64]:
        """Runs of half rows of one sublattice in the words, shape (n, 3): first, end, sublattice.

        Without two sublattices all half rows are one run, of sublattice 0.
        """
        places = (self.half_row_addresses - 1) // (self.half_row + 2)
        kinds = np.zeros(places.size, dtype=np.int64)
        if self.two_sublattices:
            kinds[places.ravel()] = ((self._row_parities[:, None] + [0, 1]) % 2).ravel()
        starts = np.flatnonzero(np.diff(kinds, prepend=-1))
        return np.stack([starts, np.append(starts[1:], kinds.size), kinds[starts]], axis=1)

    @property
    def _row_parities(self) -> npt.NDArray[np.int64]:
        leading = self.lattice.shape[:-1]
        return np.indices(leading).sum(axis=0).ravel() if leading else np.zeros(1, dtype=np.int64)

    def tiles(
        self, sublattices: list[npt.NDArray[np.int64]]
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Join half rows to tiles and cut each sublattice into bands of tiles.

        Returns
        -------
        addresses : shape (n_tiles, 1 + z)
        rows : half rows in each tile, shape (n_tiles,)
        bands : bounds of the bands, shape (n_sublattices, n_bands + 1)
        """
        stride = self.half_row + 2
        longest = max(1, CAPACITY // stride)
        n_bands = max(1, self.n_words // (BAND_WORDS * len(sublattices)))
        addresses, rows, bands = [], [], []
        total = 0
        for group in sublattices:
            follows = (np.diff(group, axis=0) == stride).all(axis=1)
            starts = np.flatnonzero(np.concatenate([[True], ~follows]))
            lengths = np.diff(np.append(starts, len(group)))
            cuts = np.concatenate(
                [
                    np.arange(start, start + length, longest)
                    for start, length in zip(starts, lengths, strict=True)
                ]
            )
            addresses.append(group[cuts])
            ends = np.append(cuts[1:], len(group))
            rows.append(ends - cuts)
            bands.append(total + len(cuts) * np.arange(n_bands + 1) // n_bands)
            total += len(cuts)
        return (
            np.concatenate(addresses).astype(np.uint64),
            np.concatenate(rows).astype(np.uint64),
            np.array(bands, dtype=np.int64),
        )
