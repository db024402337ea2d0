"""Engines that update clusters: Swendsen-Wang on rows of bits, Wolff on bytes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from isingrl.bonds import Bonds
from isingrl.coordinates import size_edges
from isingrl.engines.kernels import swendsen_wang, wolff
from isingrl.engines.kernels.chances import ALWAYS
from isingrl.engines.sites import start_states
from isingrl.lattice import HONEYCOMB, Lattice
from isingrl.model import Ising
from isingrl.spin_model import Model
from isingrl.support.archives import Arrays, fill
from isingrl.support.threads import run_in_threads

_WORD = 64
_NONE, _ALL = np.uint64(0), np.uint64(2**64 - 1)
_NO_SIZES = np.empty(0, dtype=np.int64)


def threshold(probability: float) -> np.uint64:
    """Threshold of a probability for `isingrl.engines.kernels.chances`."""
    return ALWAYS if probability >= 1 else np.uint64(math.floor(probability * 2.0**_WORD))


def joined(cost: float, temperature: float) -> float:
    """Probability 1 - exp(-cost / T) of a bond that a satisfied pair has; cost if it were not."""
    if cost == 0 or math.isinf(temperature):
        return 0.0
    return 1.0 if temperature == 0 else -math.expm1(-cost / temperature)


def free_spins(cost: float, temperature: float) -> float:
    """T / cost: a spin along the field is free of the ghost with probability exp(-1 / this)."""
    return temperature / cost if cost else math.inf


def against_zero(model: Model) -> bool:
    """Whether the field favours the other states over the state 0."""
    field = model.one_field()
    return field > 0 if isinstance(model, Ising) else field < 0


def _bits(values: list[Any], wanted: Any) -> np.uint64:
    """Word with the bits of the places at which a list has the wanted value."""
    return np.uint64(sum(1 << place for place, value in enumerate(values) if value == wanted))


def sizes_are_moments(model: Model) -> bool:
    """Whether N⟨m²⟩, m staggered for Ising J < 0, is the mean size of the cluster of a site."""
    two = isinstance(model, Ising) and model.lattice.n_sublattices == 2
    staggered = two and (model.couplings <= 0).all()
    return model.one_field() == 0 and bool((model.couplings >= 0).all() or staggered)


@dataclass(frozen=True)
class BitRows:
    """Arrays that describe a lattice to the kernels; see `isingrl.engines.kernels.bit_rows`."""

    lattice: Lattice

    @property
    def length(self) -> int:
        """Number of sites of a row."""
        return self.lattice.shape[-1]

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows, and of words in each."""
        return self.lattice.n_sites // self.length, -(-self.length // _WORD)

    @property
    def offsets(self) -> list[tuple[int, ...]]:
        """Steps to the neighbours ahead; the first one leads along the row, even if none does."""
        along = (0,) * (self.lattice.ndim - 1) + (1,)
        return [along, *(each for each in self.lattice.forward_offsets if each != along)]

    def layout(self, bonds: Bonds) -> tuple[Any, ...]:
        """Return the `layout` of the kernels."""
        offsets, known = self.offsets, self.lattice.offsets
        rows = np.stack([self._rows_ahead(offset[:-1]) for offset in offsets], axis=1)
        if offsets[0] not in self.lattice.forward_offsets:
            rows[:, 0] = -1
        shifts = np.array([offset[-1] for offset in offsets], dtype=np.int64)
        x = np.arange(self.length)
        inside = [(x + shift >= 0) & (x + shift < self.length) for shift in shifts]
        ends = np.array(inside) | self.lattice.periodic
        apart = len(rows) if bonds.by_site else 2 if self.lattice.neighborhood == HONEYCOMB else 1
        begins = [self.lattice.begins(each).reshape(-1, self.length)[:apart] for each in offsets]
        held = (ends & np.stack(begins, axis=1))[None]
        # a placeholder along the row has no bonds, and any kind
        slots = [known.index(each) if each in known else 0 for each in offsets]
        kinds = np.array(bonds.kinds, dtype=np.int64)[..., slots]
        if bonds.by_site:
            layers = np.arange(bonds.n_kinds)
            by_row = kinds.reshape(len(rows), self.length, -1).swapaxes(1, 2)
            held = held & (by_row == layers[:, None, None, None])
            kinds = np.repeat(layers, len(offsets))
        words = self.packed(held.reshape(-1, self.length))
        shape = len(held), apart, len(offsets)
        return (
            rows, shifts, words.reshape(*shape, -1), kinds.reshape(len(held), -1),
            np.uint64(self.length),
        )  # fmt: skip

    def _rows_ahead(self, offset: tuple[int, ...]) -> npt.NDArray[np.int64]:
        """Rows that lie an offset ahead of each row; -1 if they are missing."""
        outer = self.lattice.shape[:-1]
        if not outer:
            return np.zeros(1, dtype=np.int64)
        sides = np.array(outer)[:, None]
        moved = np.indices(outer).reshape(len(outer), -1) + np.array(offset)[:, None]
        inside = ((moved >= 0) & (moved < sides)).all(axis=0)
        rows = np.ravel_multi_index(tuple(moved % sides), outer)
        return np.where(inside | self.lattice.periodic, rows, -1).astype(np.int64)

    def packed(self, up: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
        """Words with the bits of rows, shape (n, n_words) from (n, length)."""
        room = np.zeros((len(up), self.shape[1] * _WORD), dtype=np.uint8)
        room[:, : self.length] = up
        return np.packbits(room, axis=1, bitorder="little").view("<u8").astype(np.uint64)

    def unpacked(self, words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
        """Bits of the sites, shape (*lattice.shape), from words of shape (n_rows, n_words)."""
        octets = words.astype("<u8").view(np.uint8)
        bits = np.unpackbits(octets, axis=1, bitorder="little", count=self.length)
        return bits.reshape(self.lattice.shape)


class _ClusterEngine:
    """What both engines share; chains of one temperature lie side by side, ordered by field."""

    def __init__(
        self,
        model: Model,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        start: str | npt.NDArray[Any],
        seed: np.random.SeedSequence,
        sizes: bool = False,
    ) -> None:
        self._model, self.lattice = model, model.lattice
        self._edges = size_edges(self.lattice.n_sites if sizes else 0)
        places = itertools.product(temperatures.tolist(), model.each_field, range(chains))
        self._temperatures, self._models, _ = zip(*places, strict=True)
        generator = np.random.Generator(np.random.Philox(seed))
        n_chains = len(self._models)
        self._start(start_states(model, start, n_chains, generator))
        self._states = generator.integers(0, 2**64, size=(n_chains, 4), dtype=np.uint64)

    def _start(self, first: npt.NDArray[np.uint8]) -> None:
        raise NotImplementedError

    def _each(self, function: Callable[[int], None]) -> None:
        chains = [(chain,) for chain in range(len(self._models))]
        run_in_threads(function, chains, numba.get_num_threads())

    def _with_sizes(
        self, found: Arrays, sizes: npt.NDArray[np.float64], histogram: npt.NDArray[np.float64]
    ) -> Arrays:
        """Add the histogram, if it has bins, and the mean size of the cluster of a site.

        The latter if it is a moment of the magnetization.
        """
        if histogram.size:
            found["size_histogram"] = histogram
        known = np.array([sizes_are_moments(each) for each in self._models])
        if not known.any():
            return found
        return found | {"mean_cluster_size": np.where(known[:, None], sizes, np.nan)}

    def _histogram(self, draws: int) -> npt.NDArray[np.float64]:
        """Room for numbers of clusters by chain, draw and size."""
        return np.zeros((len(self._models), draws, self._edges.size - 1))


class SwendsenWangEngine(_ClusterEngine):
    """Chains that update all clusters of a random bond configuration at once."""

    updates_a_call = 2e7

    def _start(self, first: npt.NDArray[np.uint8]) -> None:
        self._rows = BitRows(self.lattice)
        self._q = np.uint64(self._model.n_spin_states)
        self._n_planes = (self._model.n_spin_states - 1).bit_length()
        digits = first[:, None, :-1] >> np.arange(self._n_planes, dtype=np.uint8)[:, None] & 1
        by_row = digits.reshape(len(first), -1, self._rows.length)
        self._words = np.stack([self._rows.packed(rows) for rows in by_row])
        self._layout = self._rows.layout(self._models[0].bonds)
        chains = zip(self._models, self._temperatures, strict=True)
        chances = [self._chances_of(each, t) for each, t in chains]
        self._chances = np.array(chances, dtype=np.uint64)

    def _chances_of(self, model: Model, temperature: float) -> list[tuple[np.uint64, np.uint64]]:
        """What `swendsen_wang.draw_bonds` takes as `chances`."""
        energies = [(energy, energy < 0) for energy in model.couplings.tolist()]
        energies.append((model.one_field(), against_zero(model)))
        return [
            (threshold(joined(model.gap * abs(energy), temperature)), _ALL if other else _NONE)
            for energy, other in energies
        ]

    def spins(self, chain: int) -> npt.NDArray[Any]:
        """Spins of one chain, shape (*lattice.shape)."""
        states = np.zeros(self.lattice.shape, dtype=np.uint8)
        for plane, words in enumerate(np.split(self._words[chain], self._n_planes)):
            states |= self._rows.unpacked(words) << plane
        return np.asarray(self._model.values[states])

    def state(self) -> Arrays:
        """See `Engine.state`."""
        return {"words": self._words.copy(), "states": self._states.copy()}

    def restore(self, state: Arrays) -> None:
        """See `Engine.restore`."""
        fill({"words": self._words, "states": self._states}, state)

    def sweep(self, sweeps: int) -> None:
        """Make `sweeps` sweeps of every chain."""
        self._each(lambda chain: swendsen_wang.sweep(*self._arguments(chain), self._room(), sweeps))

    def record(self, draws: int, interval: int) -> Arrays:
        """See `Engine.record`; clusters are those of the last sweep before each draw."""
        n_chains = len(self._models)
        sums = np.zeros((n_chains, draws, self._model.n_sums), dtype=np.int64)
        clusters = np.zeros((n_chains, draws, 3), dtype=np.int64)
        histogram = self._histogram(draws)
        signs = self._model.signs
        second = None
        if signs is not None:
            second = self._rows.packed(signs.reshape(-1, self._rows.length) < 0)

        def record(chain: int) -> None:
            sizes = np.empty(self.lattice.n_sites + 1, dtype=np.int32)
            swendsen_wang.record(
                *self._arguments(chain), self._room(), sizes, second, interval, sums[chain],
                clusters[chain], self._edges, histogram[chain],
            )  # fmt: skip

        self._each(record)
        number, largest, squares = np.moveaxis(clusters, 2, 0)
        found = self._model.named_sums(sums) | {"clusters": number, "largest_cluster": largest}
        return self._with_sizes(found, squares / self.lattice.n_sites, histogram)

    def _arguments(self, chain: int) -> tuple[Any, ...]:
        chances, state = self._chances[chain], self._states[chain]
        return self._words[chain], self._q, self._layout, chances, state

    def _room(self) -> tuple[npt.NDArray[Any], ...]:
        """Arrays that a thread works on."""
        (n_rows, n_words), labels = self._rows.shape, self.lattice.n_sites + 1
        offsets = len(self._rows.offsets)
        return (
            np.zeros((n_rows, offsets, n_words), dtype=np.uint64),
            *np.empty((3, n_rows, n_words), dtype=np.uint64),
            np.empty(labels, dtype=np.int32),
            np.empty(labels, dtype=np.uint8),
        )


def _slots_by_kind(model: Model) -> tuple[Any, ...]:
    """Slots of neighbours by kind of bond; see `bond` and `of_sites` of `wolff.clusters`."""
    bonds, negative = model.bonds, model.couplings < 0
    if bonds.by_site:
        kinds = np.asarray(bonds.kinds)
        powers = np.uint64(1) << np.arange(kinds.shape[1], dtype=np.uint64)
        own = [np.where(kinds == kind, powers, _NONE).sum(axis=1) for kind in range(negative.size)]
        masks = np.stack(own, axis=1)
        used = ~_NONE >> np.uint64(_WORD % kinds.shape[1])
        return np.full(negative.size, used), _NONE, (masks, masks[:, negative].sum(axis=1))
    of_slots = list(bonds.kinds)
    z, fitting = len(of_slots), _WORD - _WORD % len(of_slots)
    of_bits = [of_slots[bit % z] if bit < fitting else 0 for bit in range(_WORD)]
    masks = np.array([_bits(of_bits, kind) for kind in range(bonds.n_kinds)])
    return masks, _bits([negative[kind] for kind in of_slots], True), None


class WolffEngine(_ClusterEngine):
    """Chains that flip one cluster after the other, a fixed number of them in a measured sweep."""

    updates_a_call = 1e7

    def _start(self, first: npt.NDArray[np.uint8]) -> None:
        ising = isinstance(self._model, Ising)
        self._q = None if ising else np.uint64(self._model.n_spin_states)
        self._spins = first if ising else first.astype(np.uint16)
        self._history = np.zeros((len(first), 5), dtype=np.int64)
        self._numbers = np.zeros(len(first), dtype=np.int64)  # 0 during the thermalization
        slots, opposite, of_sites = _slots_by_kind(self._models[0])
        self._bonds = []
        for each, t in zip(self._models, self._temperatures, strict=True):
            chances = [joined(each.gap * abs(energy), t) for energy in each.couplings.tolist()]
            thresholds = np.array([threshold(chance) for chance in chances])
            self._bonds.append(((thresholds, slots, opposite), of_sites))
        self._fields = [
            (free_spins(each.gap * abs(each.one_field()), t), np.uint64(against_zero(each)))
            for each, t in zip(self._models, self._temperatures, strict=True)
        ]
        neighbors = self.lattice.neighbors
        middle = np.ravel_multi_index(
            [side // 2 for side in self.lattice.shape], self.lattice.shape
        )
        steps = neighbors[middle].astype(np.int64) - middle
        elsewhere = (neighbors != np.arange(len(neighbors))[:, None] + steps).any(axis=1)
        self._lattice = neighbors, steps.astype(np.uint64), elsewhere

    def spins(self, chain: int) -> npt.NDArray[Any]:
        """Spins of one chain, shape (*lattice.shape)."""
        return np.asarray(self._model.values[self._spins[chain, :-1]].reshape(self.lattice.shape))

    def state(self) -> Arrays:
        """See `Engine.state`."""
        return {name: values.copy() for name, values in self._arrays().items()}

    def restore(self, state: Arrays) -> None:
        """See `Engine.restore`."""
        fill(self._arrays(), state)

    def _arrays(self) -> Arrays:
        return {
            "spins": self._spins, "states": self._states,
            "history": self._history, "numbers": self._numbers,
        }  # fmt: skip

    def settle(self) -> None:
        """Fix the clusters of a sweep: sites over their mean size in the thermalization.

        One cluster without a thermalization. Only the first call has an effect.
        """
        if self._numbers.all():
            return
        made = self._history[:, 1] + self._history[:, 3]
        met = self._history[:, 2] + self._history[:, 4]
        n_sites = self.lattice.n_sites
        number = np.rint(n_sites * made / np.maximum(met, 1)).astype(np.int64)
        self._numbers[:] = np.clip(number, 1, n_sites)

    def settled(self) -> Arrays:
        """See `SettlingEngine.settled`."""
        return {"clusters_per_sweep": self._numbers.copy()}

    def sweep(self, sweeps: int) -> None:
        """Make `sweeps` sweeps of every chain."""

        def sweep(chain: int) -> None:
            number = int(self._numbers[chain])
            if number:
                wolff.sweep(*self._arguments(chain), number, sweeps, _NO_SIZES)
            else:
                wolff.thermalize(*self._arguments(chain), self._history[chain], sweeps)

        self._each(sweep)

    def record(self, draws: int, interval: int) -> Arrays:
        """See `Engine.record`; clusters are those of the last sweep before each draw."""
        self.settle()
        by_kind = self._models[0].bonds.neighbors
        sums = np.zeros((len(self._models), draws, self._model.n_sums), dtype=np.int64)
        met = np.zeros((len(self._models), draws), dtype=np.int64)
        histogram = self._histogram(draws)
        signs = self._model.signs

        def record(chain: int) -> None:
            number = int(self._numbers[chain])
            wolff.record(
                *self._arguments(chain), number, by_kind, signs, interval, sums[chain], met[chain],
                self._edges, histogram[chain],
            )  # fmt: skip

        self._each(record)
        mean_sizes = met / self._numbers[:, None]
        return self._with_sizes(self._model.named_sums(sums), mean_sizes, histogram)

    def _arguments(self, chain: int) -> tuple[Any, ...]:
        return (
            self._spins[chain], self._q, self._lattice, *self._bonds[chain], self._fields[chain],
            self._states[chain], np.empty(self.lattice.n_sites + 1, dtype=np.int32),
        )  # fmt: skip
