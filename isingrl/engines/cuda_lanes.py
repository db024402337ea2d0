"""The bit-lane engine on a GPU, with the bits of `LaneEngine`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import cuda

from isingrl.engines.kernels import cuda_lanes as kernels
from isingrl.engines.lane_layout import CAPACITY, LANES, PLANES
from isingrl.engines.lanes import LaneEngine
from isingrl.support.archives import Arrays

_FASTER = 100.0  # how much longer a CPU takes; only for the length of a call
_METERS = 264  # blocks of threads that measure, two for each multiprocessor of a large GPU
_MEASURED = 8  # words at least that a thread measures


class CudaLaneEngine(LaneEngine):
    """The chains of a `LaneEngine` that has made no sweep, on a GPU."""

    def __init__(self, engine: LaneEngine) -> None:
        vars(self).update(vars(engine))
        self.updates_a_call = engine.updates_a_call * _FASTER
        tiles, places, self._bounds = self._buffer_table()
        self._threads = kernels.WARP * -(-int((tiles >= 0).sum(axis=1).max()) // kernels.WARP)
        host: Arrays = {
            "tiles": tiles,
            "places": places,
            "bounds": self._bounds,
            "addresses": self._addresses.astype(np.int64),
            "negative": self._negative if self._negative.size else np.zeros((1, 1), np.uint64),
            "signs": self._signs if self._signs.size else np.zeros((1, 1, 1), np.uint64),
            "kinds": self._kinds(),
            **self._arrays(),
        }
        groups = self._groups()
        needed = sum(each.nbytes for group in groups.values() for each in group)
        _check_memory(needed + sum(each.nbytes for each in host.values()))
        self._device = {name: cuda.to_device(each) for name, each in host.items()}
        self._forms = {form: [cuda.to_device(each) for each in groups[form]] for form in groups}
        self._fetched = True

    def _groups(self) -> dict[tuple[int, ...], list[npt.NDArray[Any]]]:
        """Blocks of lanes with tables of one form, and their tables."""
        members: dict[tuple[int, ...], list[int]] = {}
        for block, rule in enumerate(self._lane_rules(self._tables.up)):
            members.setdefault(rule.form, []).append(block)
        groups: dict[tuple[int, ...], list[npt.NDArray[Any]]] = {}
        for form, blocks in members.items():
            rules = [self._rules[block] for block in blocks]
            lazy = np.array([rule[5] for rule in rules])[:, None]
            groups[form] = [
                np.array(blocks, np.int32),
                np.array([(rule[2], rule[0], rule[1]) for rule in rules], np.uint64),
                np.array([rule[4] for rule in rules]),
                lazy if lazy.size else np.zeros((len(rules), 1, 1), np.uint64),
                np.array([rule[6] for rule in rules]),
            ]
        return groups

    def _kinds(self) -> npt.NDArray[np.int32]:
        """Sublattice of each half row, as in ``measured_rows``."""
        measured = self.layout.measured_rows
        return np.repeat(measured[:, 2], measured[:, 1] - measured[:, 0]).astype(np.int32)

    def _buffer_table(self) -> tuple[npt.NDArray[np.int32], ...]:
        """``tiles``, ``places`` and ``bounds`` as `kernels.sweeper` takes them.

        Buffers hold the words that those of `lane_sweeps.update_tiles` hold.
        """
        half_row, bands = self.layout.half_row, self._bands
        widths = self._rows.astype(np.int64) * (half_row + 2) - 2
        buffers: list[list[tuple[int, int, int]]] = []  # of each part: tile, first word, words
        bounds = np.zeros(bands.shape, np.int32)
        for sublattice, ends in enumerate(bands.tolist()):
            for band, (first, stop) in enumerate(pairwise(ends)):
                bounds[sublattice, band] = len(buffers)
                held = CAPACITY + 1
                for tile in range(first, stop):
                    width = int(widths[tile])
                    if held + width > CAPACITY:
                        starts = range(0, width, CAPACITY)
                        buffers += [[(tile, k, min(width - k, CAPACITY))] for k in starts]
                        held = width
                    else:
                        buffers[-1].append((tile, 0, width))
                        held += width
            bounds[sublattice, -1] = len(buffers)
        tiles = np.full((len(buffers), CAPACITY), -1, np.int32)
        places = np.zeros_like(tiles)
        for buffer, parts in enumerate(buffers):
            column = 0
            for tile, begin, words in parts:
                place = begin + np.arange(words)
                q = place % (half_row + 2)
                kind = kernels.FIRST * (q == 0) + kernels.LAST * (q == half_row - 1)
                kind[q >= half_row] = kernels.CLOSING
                tiles[buffer, column : column + words] = tile
                places[buffer, column : column + words] = place * kernels.KINDS + kind
                column += words
        return tiles, places, bounds

    def _run(self, sweeps: int, draws: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """See `LaneEngine._run`."""
        n_blocks, n_kinds = len(self._words), int(self.layout.measured_rows[:, 2].max()) + 1
        agreeing = cuda.to_device(np.zeros((max(draws, 1), len(self._signs), n_blocks, LANES), int))
        up = cuda.to_device(np.zeros((max(draws, 1), n_blocks, n_kinds, LANES), int))
        self._fetched = False
        for draw in range(draws):
            self._sweep(sweeps)
            self._measure(agreeing[draw], up[draw])
        if not draws:
            self._sweep(sweeps)
        cuda.synchronize()
        bonds = agreeing.copy_to_host().transpose(2, 0, 1, 3)
        return bonds, up.copy_to_host().transpose(1, 0, 2, 3)

    def _sweep(self, sweeps: int) -> None:
        device, z = self._device, self.lattice.coordination_number
        n_bands, n_sublattices = self._tails.shape[1], len(self._bands)
        strips, first_strip = self._strips
        around = strips - np.uint64(1)
        geometry = self.layout.half_row, around, first_strip, first_strip << around
        lattice = [device[name] for name in ("addresses", "negative", "tiles", "places", "bounds")]
        streams = device["states"], device["tails"]
        for form, group in self._forms.items():
            kernel = kernels.sweeper(z, *form, self._negative.size > 0, self._threads)
            launch = kernel[(n_bands, group[0].size), self._threads]
            source, target = device["words"], device.get("other", device["words"])
            if n_bands == 1:
                what = 0, n_sublattices, sweeps
                launch(source, target, *lattice, *what, *geometry, *group, *streams)
                continue
            for _ in range(sweeps):
                for sublattice in range(n_sublattices):
                    what = sublattice, sublattice + 1, 1
                    launch(source, target, *lattice, *what, *geometry, *group, *streams)
                source, target = target, source
        if sweeps % 2 and "other" in device:
            device["words"], device["other"] = device["other"], device["words"]

    def _measure(self, agreeing: Any, up: Any) -> None:
        device, z = self._device, self.lattice.coordination_number
        n_blocks = len(self._words)
        # with two sublattices every bond has one end in the first
        last = 0 if self._ends_counted == 1 else -1
        n_buffers = int(self._bounds[last, -1])
        grid = min(_METERS, -(-n_buffers // _MEASURED)), n_blocks
        for kind in range(len(self._signs)):
            signed = bool(self._signs.size and self._signs[kind].any())
            kernels.bond_meter(z, PLANES[z], signed)[grid, self._threads](
                device["words"], device["addresses"], device["signs"][kind], device["tiles"],
                device["places"], n_buffers, agreeing[kind],
            )  # fmt: skip
        shares = -(-self.layout.n_words // (_MEASURED * self._threads))
        grid = min(_METERS, shares), n_blocks
        kernels.spin_meter[grid, self._threads](
            device["words"], device["kinds"], self.layout.half_row, up
        )

    def _fetch(self) -> None:
        """Copy words and streams back, if they changed."""
        if not self._fetched:
            for name, values in self._arrays().items():
                self._device[name].copy_to_host(values)
            self._fetched = True

    def spins(self, chain: int) -> npt.NDArray[np.int8]:
        """See `LaneEngine.spins`."""
        self._fetch()
        return super().spins(chain)

    def state(self) -> Arrays:
        """See `Engine.state`."""
        self._fetch()
        return super().state()

    def restore(self, state: Arrays) -> None:
        """See `Engine.restore`."""
        super().restore(state)
        for name, values in self._arrays().items():
            self._device[name].copy_to_device(values)
        self._fetched = True


def _check_memory(needed: int) -> None:
    free, _ = cuda.current_context().get_memory_info()
    if needed > free:
        raise MemoryError(
            f"device must have {needed:,} bytes of free memory for these chains; it has {free:,}"
        )
