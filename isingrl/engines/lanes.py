"""The bit-lane engine: 64 chains in the bits of a word."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from isingrl.engines.kernels.lane_measures import COUNTER_PLANES
from isingrl.engines.kernels.lane_packing import pack, unpack
from isingrl.engines.kernels.lane_sweeps import close_rows, record, sweep
from isingrl.engines.lane_bonds import LaneTables
from isingrl.engines.lane_layout import CAPACITY, LANES, PLANES, LaneLayout
from isingrl.engines.lane_rule import LaneRule
from isingrl.lattice import Lattice
from isingrl.support.archives import Arrays, fill
from isingrl.support.threads import run_in_threads

_LINE = 8  # words of a cache line
_WORDS_A_SWEEP = 64  # words that take about as long as the fixed cost of a sweep


class LaneEngine:
    """Chains of a lattice that the layout `fits`, in blocks of 64 lanes.

    All sites move at once if `synchronous`, else sublattice by sublattice.
    """

    updates_a_call = 1e9

    def __init__(
        self,
        lattice: Lattice,
        tables: LaneTables,
        start: str | npt.NDArray[np.int8],
        *,
        synchronous: bool,
        seed: np.random.SeedSequence,
    ) -> None:
        self.lattice = lattice
        self.layout = LaneLayout(lattice, len(tables.up))
        self._tables = tables
        signs = tables.words(self.layout)
        self._negative = signs if tables.by_sign else signs[:0]
        # the sums for energies by kind: of satisfied bonds, and of equal spins
        self._signs = np.stack([signs, np.zeros_like(signs)]) if signs.size else signs[None]
        self._addresses, self._rows, self._bands = self.layout.tiles(
            self.layout.sublattices(synchronous)
        )
        # with two sublattices every bond has one end in the first
        halves = self.layout.two_sublattices and not synchronous
        self._counted = int(self._bands[0, -1]) if halves else len(self._rows)
        self._ends_counted = 1 if halves else 2
        self._rules = self._compiled(tables.up)
        generator = np.random.Generator(np.random.Philox(seed))
        n_bands = self._bands.shape[1] - 1
        self._states = _aligned((self.layout.n_blocks, n_bands, 4, CAPACITY))
        self._states[:] = _random_words(generator, self._states.shape)
        self._tails = _random_words(generator, (self.layout.n_blocks, n_bands, 4))
        shape = (self.layout.n_blocks, self.layout.n_words)
        # idle lanes cost as much time as others
        lanes = LANES * shape[0] * (shape[1] + _WORDS_A_SWEEP)
        self.updates_a_call = type(self).updates_a_call * len(tables.up) * lattice.n_sites / lanes
        self._words = _start_words(start, generator, shape)
        self._other = np.zeros(shape, dtype=np.uint64) if synchronous else self._words
        if not isinstance(start, str):
            self._load(start)
        n_half_rows = np.uint64(self.layout.half_row_addresses.size)
        for words in self._words:
            close_rows(words, np.uint64(1), n_half_rows, self._half_row, *self._strips)

    def _compiled(self, tables: npt.NDArray[np.float64]) -> list[tuple[Any, ...]]:
        """Rule of each block for the kernels."""
        return [rule.arguments for rule in self._lane_rules(tables)]

    def _lane_rules(self, tables: npt.NDArray[np.float64]) -> list[LaneRule]:
        # idle lanes repeat the last chain
        lanes = np.minimum(self._lane_chains(), self.layout.n_chains - 1)
        return [LaneRule(tables[each]) for each in lanes]

    def _lane_chains(self) -> npt.NDArray[np.int64]:
        """Chain of each lane, shape (n_blocks, 64); idle lanes have numbers beyond the last."""
        lanes = np.arange(self.layout.n_blocks * LANES) // self.layout.strips
        return lanes.reshape(-1, LANES)

    def _load(self, start: npt.NDArray[np.int8]) -> None:
        rows = start.reshape(len(start), -1, self.lattice.shape[-1])
        for chain, spins in enumerate(rows):
            pack(*self._place(chain), spins)

    def _place(self, chain: int) -> tuple[Any, ...]:
        """Place of a chain for `pack` and `unpack`."""
        layout = self.layout
        block, place = divmod(chain, layout.chains_per_block)
        words = self._words[block]
        return words, layout.half_row_addresses, layout.half_row, layout.strips, place

    @property
    def _half_row(self) -> np.uint64:
        return np.uint64(self.layout.half_row)

    @property
    def _strips(self) -> tuple[np.uint64, np.uint64]:
        return np.uint64(self.layout.strips), self.layout.first_strips

    def spins(self, chain: int) -> npt.NDArray[np.int8]:
        """Spins of one chain, shape (*lattice.shape)."""
        out = np.empty(self.lattice.shape, dtype=np.int8)
        unpack(*self._place(chain), out.reshape(-1, self.lattice.shape[-1]))
        return out

    def state(self) -> Arrays:
        """See `Engine.state`."""
        return {name: values.copy() for name, values in self._arrays().items()}

    def restore(self, state: Arrays) -> None:
        """See `Engine.restore`."""
        fill(self._arrays(), state)

    def _arrays(self) -> Arrays:
        arrays = {"words": self._words, "states": self._states, "tails": self._tails}
        return arrays if self._other is self._words else arrays | {"other": self._other}

    def sweep(self, sweeps: int) -> None:
        """Make `sweeps` sweeps of every chain."""
        self._run(sweeps, 0)

    def record(self, draws: int, interval: int) -> Arrays:
        """See `Engine.record`."""
        return self._sums(*self._run(interval, draws))

    def _sums(self, agreeing: npt.NDArray[np.int64], up: npt.NDArray[np.int64]) -> Arrays:
        """Sums as in `Engine.record`, from those of the kernel for every lane."""
        bonds = [self._by_chain(each) // self._ends_counted for each in np.moveaxis(agreeing, 2, 0)]
        n_bonds = self.lattice.n_bonds
        first, *second = (self._by_chain(up[:, :, kind]) for kind in range(up.shape[2]))
        found = {
            "bonds": self._tables.sums(*bonds) if bonds[1:] else 2 * bonds[0] - n_bonds,
            "totals": 2 * (first + sum(second)) - self.lattice.n_sites,
        }
        if second:  # both sublattices have as many sites
            found["staggered_magnetization"] = 2 * (first - second[0])
        return found

    def _by_chain(self, sums: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Add the strips of each chain: (n_blocks, draws, 64) to (n_chains, draws)."""
        layout = self.layout
        n_blocks, draws, _ = sums.shape
        chains = sums.reshape(n_blocks, draws, layout.chains_per_block, layout.strips).sum(axis=3)
        by_chain = np.moveaxis(chains, 2, 1).reshape(-1, draws)
        return np.asarray(by_chain[: layout.n_chains])

    def _run(self, sweeps: int, draws: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Make `sweeps` sweeps, or `sweeps` before each of `draws` measurements."""
        n_blocks, n_bands = self._tails.shape[:2]
        threads = numba.get_num_threads()
        # threads share the bands of one block after the other, or each takes whole blocks
        workers = min(threads, n_bands)
        measured = self.layout.measured_rows
        n_kinds = int(measured[:, 2].max()) + 1
        agreeing = np.zeros((n_blocks, workers, draws, len(self._signs), LANES), dtype=np.int64)
        up = np.zeros((n_blocks, workers, draws, n_kinds, LANES), dtype=np.int64)

        def work(block: int, worker: int, gate: npt.NDArray[np.int64]) -> None:
            crew = worker, workers, gate, np.zeros(1, dtype=np.int64)
            dynamics = (
                self._words[block], self._other[block], self._addresses, self._negative, self._rows,
                self._bands, self._half_row, self._strips, self._rules[block], self._states[block],
                self._tails[block], self._buffers(), crew, sweeps,
            )  # fmt: skip
            if draws:
                out = agreeing[block, worker], up[block, worker]
                record(*dynamics, self._counted, self._signs, measured, meters(), *out)
            else:
                sweep(*dynamics)

        calls = []
        for block in range(n_blocks):
            gate = np.zeros(2, dtype=np.int64)
            calls.append([(block, worker, gate) for worker in range(workers)])
        if workers > 1:
            for together in calls:
                run_in_threads(work, together, workers)
        else:
            run_in_threads(work, [call for (call,) in calls], threads)
        if sweeps * max(draws, 1) % 2:
            self._words, self._other = self._other, self._words
        return agreeing.sum(axis=1), up.sum(axis=1)

    def _buffers(self) -> tuple[Any, ...]:
        z = self.lattice.coordination_number
        rows = _aligned((PLANES[z] + 2, CAPACITY))
        places = CAPACITY * np.arange(1 + z, dtype=np.uint64)[None]
        runs = _aligned((places.size * CAPACITY if self._signs.size else 0,))
        return rows[:-2], rows[-2], rows[-1], _aligned((CAPACITY + 7,)), runs, places


def meters() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Make the ``meters`` of `lane_sweeps.record`, for one thread."""
    return (
        np.zeros((5, CAPACITY), dtype=np.uint64),
        np.zeros((COUNTER_PLANES, CAPACITY), dtype=np.uint64),
        np.zeros(CAPACITY, dtype=np.uint64),
    )


def _aligned(shape: tuple[int, ...]) -> npt.NDArray[np.uint64]:
    """Zeros that start at a cache line, because wide vectors load them about a tenth faster."""
    size = math.prod(shape)
    room = np.zeros(size + _LINE - 1, dtype=np.uint64)
    first = -(room.ctypes.data // room.itemsize) % _LINE
    return room[first : first + size].reshape(shape)


def _start_words(
    start: str | npt.NDArray[np.int8], generator: np.random.Generator, shape: tuple[int, ...]
) -> npt.NDArray[np.uint64]:
    """Words that hold a named start in every lane."""
    if isinstance(start, str) and start == "random":
        return _random_words(generator, shape)
    return np.full(shape, 2**64 - 1 if isinstance(start, str) and start == "up" else 0, np.uint64)


def _random_words(generator: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.uint64]:
    return generator.integers(0, 2**64, size=shape, dtype=np.uint64)
