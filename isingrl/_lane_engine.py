"""The bit-lane engine: 64 chains in the bits of a word."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from isingrl._kernels.lane_measures import COUNTER_PLANES, add_agreeing, add_up
from isingrl._kernels.lane_packing import pack, unpack
from isingrl._kernels.lane_sweeps import close_rows, record, sweep, update_tiles
from isingrl._lane_layout import CAPACITY, LANES, LaneLayout
from isingrl._lane_rule import LaneRule
from isingrl._threads import run_in_threads
from isingrl.lattice import Lattice

_PLANES = {2: 2, 4: 3, 6: 3, 8: 4, 26: 5}  # binary digits of z


class LaneEngine:
    """Chains of a periodic lattice, each with its own table, in blocks of 64 lanes.

    Parameters
    ----------
    lattice : Lattice
        One that the layout `fits`.
    tables : ndarray, shape (n_chains, 2, z + 1)
        P(up | own spin, number of up neighbours).
    spins : iterable of int8 arrays, shape (*lattice.shape)
        Start of each chain.
    synchronous : bool
        Whether all sites move at once, instead of sublattice by sublattice.
    seed : SeedSequence
    """

    def __init__(
        self,
        lattice: Lattice,
        tables: npt.NDArray[np.float64],
        spins: Iterable[npt.NDArray[np.int8]],
        *,
        synchronous: bool,
        seed: np.random.SeedSequence,
    ) -> None:
        self.lattice = lattice
        self.layout = LaneLayout(lattice, len(tables))
        self._addresses, self._rows, self._bands = self.layout.tiles(
            self.layout.sublattices(synchronous)
        )
        # with two sublattices every bond has one end in the first
        halves = self.layout.two_sublattices and not synchronous
        self._counted = int(self._bands[0, -1]) if halves else len(self._rows)
        self._ends_counted = 1 if halves else 2
        self._rules = [
            LaneRule(self._lane_tables(tables, block)).arguments
            for block in range(self.layout.n_blocks)
        ]
        generator = np.random.Generator(np.random.Philox(seed))
        n_bands = self._bands.shape[1] - 1
        self._states = _random_words(generator, (self.layout.n_blocks, n_bands, 4, CAPACITY))
        self._tails = _random_words(generator, (self.layout.n_blocks, n_bands, 4))
        shape = (self.layout.n_blocks, self.layout.n_words)
        self._words = np.zeros(shape, dtype=np.uint64)
        self._other = np.zeros(shape, dtype=np.uint64) if synchronous else self._words
        self._load(spins)

    @property
    def n_bonds(self) -> int:
        """Bonds of one chain."""
        return self.lattice.n_bonds

    def _lane_tables(
        self, tables: npt.NDArray[np.float64], block: int
    ) -> npt.NDArray[np.float64]:
        chains = block * self.layout.chains_per_block + np.arange(LANES) // self.layout.strips
        return tables[np.minimum(chains, len(tables) - 1)]  # idle lanes repeat the last chain

    def _load(self, spins: Iterable[npt.NDArray[np.int8]]) -> None:
        layout = self.layout
        side = self.lattice.shape[-1]
        for chain, start in enumerate(spins):
            block, place = divmod(chain, layout.chains_per_block)
            pack(
                self._words[block], layout.half_row_addresses, layout.half_row, layout.strips,
                place, start.reshape(-1, side),
            )  # fmt: skip
        n_half_rows = np.uint64(layout.half_row_addresses.size)
        for words in self._words:
            close_rows(words, np.uint64(1), n_half_rows, self._half_row, *self._strips)

    @property
    def _half_row(self) -> np.uint64:
        return np.uint64(self.layout.half_row)

    @property
    def _strips(self) -> tuple[np.uint64, np.uint64]:
        return np.uint64(self.layout.strips), self.layout.first_strips

    def spins(self, chain: int) -> npt.NDArray[np.int8]:
        """Spins of one chain, shape (*lattice.shape)."""
        layout = self.layout
        block, place = divmod(chain, layout.chains_per_block)
        out = np.empty(self.lattice.shape, dtype=np.int8)
        pack_args = (layout.half_row_addresses, layout.half_row, layout.strips, place)
        unpack(self._words[block], *pack_args, out.reshape(-1, self.lattice.shape[-1]))
        return out

    def sweep(self, sweeps: int) -> None:
        """Make `sweeps` sweeps of every chain."""
        self._run(sweeps, 0)

    def record(
        self, draws: int, interval: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Measure after every `interval` sweeps.

        Returns
        -------
        bonds, totals : ndarrays, shape (n_chains, draws)
            Sums of s_i s_j over bonds and of s_i over sites.
        """
        agreeing, up = self._run(interval, draws)
        agreeing_bonds = self._by_chain(agreeing) // self._ends_counted
        return (
            2 * agreeing_bonds - self.n_bonds,
            2 * self._by_chain(up) - self.lattice.n_sites,
        )

    def _by_chain(self, sums: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Add the strips of each chain: (n_blocks, draws, 64) to (n_chains, draws)."""
        layout = self.layout
        n_blocks, draws, _ = sums.shape
        chains = sums.reshape(n_blocks, draws, layout.chains_per_block, layout.strips).sum(axis=3)
        return chains.transpose(0, 2, 1).reshape(-1, draws)[: layout.n_chains]

    def _run(
        self, sweeps: int, draws: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Make `sweeps` sweeps, or `sweeps` before each of `draws` measurements."""
        shape = (self.layout.n_blocks, draws, LANES)
        agreeing, up = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        threads = numba.get_num_threads()
        n_bands = self._bands.shape[1] - 1
        if threads > 1 and n_bands > 1:
            for block in range(self.layout.n_blocks):
                self._run_bands(block, sweeps, draws, agreeing[block], up[block], threads)
        else:
            blocks = range(self.layout.n_blocks)
            run_in_threads(
                self._run_block,
                [(block, sweeps, draws, agreeing[block], up[block]) for block in blocks],
                threads,
            )
        if sweeps * max(draws, 1) % 2:
            self._words, self._other = self._other, self._words
        return agreeing, up

    def _run_block(
        self,
        block: int,
        sweeps: int,
        draws: int,
        agreeing: npt.NDArray[np.int64],
        up: npt.NDArray[np.int64],
    ) -> None:
        arguments = (
            self._words[block], self._other[block], self._addresses, self._rows, self._bands,
        )  # fmt: skip
        dynamics = (
            self._half_row, self._strips, self._rules[block], self._states[block],
            self._tails[block], self._buffers(),
        )  # fmt: skip
        if draws:
            record(
                *arguments, self._counted, *dynamics, _meters(), sweeps, agreeing, up
            )
        else:
            sweep(*arguments, *dynamics, sweeps)

    def _run_bands(
        self,
        block: int,
        sweeps: int,
        draws: int,
        agreeing: npt.NDArray[np.int64],
        up: npt.NDArray[np.int64],
        threads: int,
    ) -> None:
        """Share the bands of one block among threads that wait for each other."""
        n_bands = self._bands.shape[1] - 1
        threads = min(threads, n_bands)
        barrier = threading.Barrier(threads)
        lock = threading.Lock()

        def work(worker: int) -> None:
            try:
                self._work(block, sweeps, draws, agreeing, up, (worker, threads), barrier, lock)
            except BaseException:
                barrier.abort()  # the others must not wait for ever
                raise

        run_in_threads(work, [(worker,) for worker in range(threads)], threads)

    def _work(
        self,
        block: int,
        sweeps: int,
        draws: int,
        agreeing: npt.NDArray[np.int64],
        up: npt.NDArray[np.int64],
        share: tuple[int, int],
        barrier: threading.Barrier,
        lock: threading.Lock,
    ) -> None:
        worker, threads = share
        source, target = self._words[block], self._other[block]
        states, tails = self._states[block], self._tails[block]
        buffers, meters = self._buffers(), _meters()
        n_bands = self._bands.shape[1] - 1
        mine = range(n_bands * worker // threads, n_bands * (worker + 1) // threads)
        n_half_rows = int(self._rows.sum())
        for draw in range(max(draws, 1)):
            for _ in range(sweeps):
                for bounds in self._bands:
                    for band in mine:
                        update_tiles(
                            source, target, self._addresses, self._rows,
                            bounds[band], bounds[band + 1], self._half_row, self._strips,
                            self._rules[block], states[band], tails[band], buffers,
                        )  # fmt: skip
                    barrier.wait()
                source, target = target, source
            if draws:
                counts = np.zeros((2, LANES), dtype=np.int64)
                meters[0][:] = 0
                add_agreeing(
                    source, self._addresses, self._rows,
                    self._counted * worker // threads, self._counted * (worker + 1) // threads,
                    self._half_row, meters[0], buffers[2], meters[1], meters[2], counts[0],
                )  # fmt: skip
                add_up(
                    source, n_half_rows * worker // threads, n_half_rows * (worker + 1) // threads,
                    self._half_row, *meters, counts[1],
                )  # fmt: skip
                with lock:
                    agreeing[draw] += counts[0]
                    up[draw] += counts[1]
                barrier.wait()

    def _buffers(self) -> tuple[Any, ...]:
        planes = np.zeros((_PLANES[self.lattice.coordination_number], CAPACITY), dtype=np.uint64)
        own, result = np.zeros((2, CAPACITY), dtype=np.uint64)
        return planes, tuple(planes), own, result, np.zeros(CAPACITY + 7, dtype=np.uint64)


def _meters() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    return (
        np.zeros((5, CAPACITY), dtype=np.uint64),
        np.zeros((COUNTER_PLANES, CAPACITY), dtype=np.uint64),
        np.zeros(CAPACITY, dtype=np.uint64),
    )


def _random_words(
    generator: np.random.Generator, shape: tuple[int, ...]
) -> npt.NDArray[np.uint64]:
    return generator.integers(0, 2**64, size=shape, dtype=np.uint64)

