"""Bonds of both signs in the bit-lane engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isingrl.engines.kernels.lane_packing import pack
from isingrl.engines.lane_layout import LaneLayout, fits
from isingrl.engines.lane_rule import equal
from isingrl.spin_model import Model
from isingrl.tables import RuleTable, Table


@dataclass(frozen=True, eq=False)
class LaneTables:
    """What the lanes of a model need: tables by a number of neighbours, and signs of bonds.

    Attributes
    ----------
    up : float64 ndarray, shape (n_chains, 2, z + 1)
        P(up | own spin, number). The number is that of the up neighbours. If `by_sign`, neighbours
        across a negative bond count if they are down.
    negative : bool ndarray, shape (n_sites, z), or None
        Whether the bond in each slot of neighbours is negative; None if all bonds are alike.
    kinds : tuple of int
        Sign of each kind of bond, for sums by kind.
    by_sign : bool
    """

    up: npt.NDArray[np.float64]
    negative: npt.NDArray[np.bool_] | None = None
    kinds: tuple[int, ...] = (1,)
    by_sign: bool = False

    def words(self, layout: LaneLayout) -> npt.NDArray[np.uint64]:
        """Negative bonds by slot and site, shape (z, n_words), all lanes set where one is."""
        if self.negative is None:
            return np.zeros((0, 0), dtype=np.uint64)
        found = np.zeros((self.negative.shape[1], layout.n_words), dtype=np.uint64)
        for words, negative in zip(found, self.negative.T, strict=True):
            signs = np.where(negative, 1, -1).astype(np.int8)
            rows = signs.reshape(-1, layout.lattice.shape[-1])
            pack(words, layout.half_row_addresses, layout.half_row, layout.strips, 0, rows)
        # the lanes of the first chain are the lowest; all chains have its bonds
        return found * layout.first_strips

    def sums(
        self, satisfied: npt.NDArray[np.int64], equal: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Sums of s_i s_j over bonds by kind, one more axis.

        Parameters
        ----------
        satisfied, equal : int64 ndarray
            Numbers of bonds whose term of the energy is negative, and of those between equal spins.
        """
        assert self.negative is not None  # else there are no kinds
        n_negative = int(self.negative.sum()) // 2
        n_bonds = self.negative.size // 2
        positive = (satisfied + equal - n_negative) // 2  # between equal spins
        sums = {1: 2 * positive - (n_bonds - n_negative), -1: 2 * (equal - positive) - n_negative}
        return np.stack([sums[sign] for sign in self.kinds], axis=-1)


def lane_tables(model: Model, table: Table, schedule: str) -> LaneTables | None:
    """Return the table of a model for bit lanes; None if they do not hold model or schedule.

    Bonds may be of one kind, or of two that differ in sign alone. The table then depends either on
    the number of up neighbours, or on the field of all neighbours.
    """
    if not isinstance(table, RuleTable) or table.sites is not None or table.up.shape[1] > 1:
        return None
    if schedule not in ("checkerboard", "synchronous") or not fits(model.lattice):
        return None
    bonds, up = model.bonds, table.up[:, 0]
    if bonds.alike:
        return LaneTables(up) if table.counted else None
    of_slots = model.slot_couplings
    if abs(of_slots).min() < abs(of_slots).max():
        return None
    signs = np.sign(model.couplings).astype(np.int64)
    negative = np.broadcast_to(of_slots < 0, model.lattice.neighbors.shape)
    tables = LaneTables(up, negative, tuple(signs.tolist()), by_sign=not table.counted)
    if table.counted:
        return tables
    z = model.lattice.coordination_number
    total = bonds.neighbor_sums @ signs
    occurs = (abs(bonds.neighbor_sums).sum(axis=1) <= z) & ((total + z) % 2 == 0)
    up, number = up[..., occurs], ((total[occurs] + z) // 2).astype(np.int64)
    by_number = up[..., np.unique(number, return_index=True)[1]]
    if not equal(by_number[..., number], up):
        return None
    return LaneTables(by_number, negative, tables.kinds, by_sign=True)
