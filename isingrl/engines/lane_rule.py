"""Tables of rules for the bit-lane kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.engines.kernels.lane_decisions import UNROLLED, decision
from isingrl.engines.lane_layout import LANES, PLANES
from isingrl.tables import LAZY

_ONES = np.uint64(2**64 - 1)
_NONE = np.uint64(0)
_LARGEST_MIRRORED = 8  # greatest z for which the kernels have a mirrored form
_RESOLUTION = 2.0**-52  # resolution of a probability and its complement in float64


@dataclass(frozen=True)
class LaneRule:
    """Tables of 64 lanes, reduced to the fewest entries that the kernels need.

    The outcome depends on the count n of neighbours that agree with a reference spin:

    ============================  =========  ==========  =====================
    tables                        reference  chance of   entries
    ============================  =========  ==========  =====================
    mirrored, own spin no matter  up         the many    n = z/2 … z
    own spin does not matter      up         up          n = 0 … z
    symmetric, lazy for n ≤ z/2   own        a flip      n = z/2 + 1 … z
    symmetric, lazy for n ≥ z/2   opposite   a flip      n = z/2 + 1 … z
    symmetric                     own        a flip      n = 0 … z
    any                           own        a flip      own spin, n = 0 … z
    ============================  =========  ==========  =====================

    Lazy flips have the probability 1 or 7/8. Metropolis makes them at no or negative cost, see
    `RuleTable.for_schedule`. `tables` are P(up | own spin, number of up neighbours), shape
    (64, 2, z + 1), or those of any number of chains, for `of_lanes`.
    """

    tables: npt.NDArray[np.float64]

    @cached_property
    def _mirrored(self) -> bool:
        """Whether own spins do not matter, and flipping all neighbours flips the outcome."""
        down, up = self.tables[:, 0], self.tables[:, 1]
        z = down.shape[1] - 1
        return z <= _LARGEST_MIRRORED and equal(down, up) and equal(down, 1.0 - down[:, ::-1])

    @cached_property
    def _reduced(
        self,
    ) -> tuple[np.uint64, np.uint64, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Mask, inverse, chances by own spin and count (64, 2, z + 1), and entries (64, n)."""
        down, up = self.tables[:, 0], self.tables[:, 1]
        half = (down.shape[1] - 1) // 2
        if self._mirrored:
            entries = down[:, half:]
            many = np.concatenate([entries[:, :0:-1], entries], axis=1)
            return _NONE, _ONES, np.stack([many, many], axis=1), entries
        if equal(down, up):
            return _NONE, _ONES, self.tables, down
        flips = np.stack([down[:, ::-1], 1.0 - up], axis=1)
        symmetric = flips[:, 0]
        if not equal(symmetric, flips[:, 1]):
            return _ONES, _NONE, flips, flips.reshape(len(flips), -1)
        # 1 - (1 - p) loses digits of p: keep the side that is exact
        flips = np.repeat(flips[:, :1], 2, axis=1)
        if _lazy(symmetric[:, : half + 1]):
            return _ONES, _NONE, flips, symmetric[:, half + 1 :]
        if _lazy(symmetric[:, half:]):
            opposite = flips[:, :, ::-1]
            return _ONES, _ONES, opposite, opposite[:, 0, half + 1 :]
        return _ONES, _NONE, flips, symmetric

    @property
    def form(self) -> tuple[int, int, int, int]:
        """Arguments of `decision`."""
        z = self.tables.shape[2] - 1
        n_entries = self._reduced[3].shape[1]
        return PLANES[z], n_entries, int(self._mirrored), (z // 2 + 1) * (n_entries == z // 2)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """``(mask, inverse, keep, address, digits, lazy, rest)`` as `update_tiles` takes them."""
        return self.of_lanes(np.arange(LANES))

    def of_lanes(self, chains: npt.NDArray[np.int64]) -> tuple[Any, ...]:
        """`arguments` of 64 lanes with the tables of these chains, in the form of all tables."""
        mask, inverse, chances, entries = self._reduced
        chances, entries = chances[chains], entries[chains]
        first, _ = _binary(entries)
        places = [(first >> np.uint64(UNROLLED - 1 - place)) & 1 for place in range(UNROLLED)]
        digits = np.stack([_masks(flags) for flags in (*places, entries == 1)])
        _, rest = _binary(chances)
        lazy = _masks(chances[:, 0, : self.form[3]] < 1)
        return mask, inverse, mask, decision(*self.form), digits, lazy, rest


def equal(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> bool:
    """Whether probabilities are equal, but for rounding."""
    return bool((np.abs(a - b) <= _RESOLUTION).all())


def _lazy(flips: npt.NDArray[np.float64]) -> bool:
    return bool(((flips == 1) | (flips == LAZY)).all())


def _binary(
    chances: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Split probabilities into their first binary digits and the 64 that follow."""
    below_one = np.where(chances < 1, chances, 0.0)  # a mask holds the ones
    shifted = np.ldexp(below_one, UNROLLED)
    first = np.floor(shifted)
    rest = np.ldexp(shifted - first, 64)
    return first.astype(np.uint64), rest.astype(np.uint64)


def _masks(flags: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """One word for each column of `flags`, shape (64, n_entries), bit k from row k."""
    packed = np.packbits(flags.astype(np.uint8).T, axis=1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u8")[:, 0].astype(np.uint64)
