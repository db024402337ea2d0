"""The byte-site engine: any lattice, schedule and table; the reference for the fast one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from isingrl._kernels import sites
from isingrl._threads import run_in_threads
from isingrl.lattice import Lattice

SCHEDULES = {
    "checkerboard": sites.CHECKERBOARD,
    "sequential": sites.SEQUENTIAL,
    "synchronous": sites.SYNCHRONOUS,
}


def padded(spins: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Flat spins with a 0 behind them, to which missing neighbours point."""
    return np.append(spins.ravel(), np.int8(0))


def start_configurations(
    start: str | npt.NDArray[np.int8],
    shape: tuple[int, ...],
    n_chains: int,
    generator: np.random.Generator,
) -> list[npt.NDArray[np.int8]]:
    """Padded first configurations of all chains, from a name or from the spins themselves."""
    if not isinstance(start, str):
        return [padded(spins) for spins in start]
    if start == "random":
        return [
            padded(2 * generator.integers(0, 2, size=shape, dtype=np.int8) - 1)
            for _ in range(n_chains)
        ]
    return [padded(np.full(shape, 1 if start == "up" else -1, np.int8)) for _ in range(n_chains)]


def update_order(lattice: Lattice) -> npt.NDArray[np.int64]:
    """Sites, one sublattice after the other."""
    return np.argsort(lattice.sublattices.ravel(), kind="stable")


def local_sum_step(lattice: Lattice) -> int:
    """By how much the sums of neighbour spins step from one table entry to the next."""
    return 2 if lattice.periodic else 1


class SiteEngine:
    """Chains with a byte a spin, each with its own table; parameters as of `LaneEngine`.

    `schedule` is one of SCHEDULES; `tables` has the shape (n_chains, 2, len(lattice.n_up)).
    """

    updates_a_call = 5e6

    def __init__(
        self,
        lattice: Lattice,
        tables: npt.NDArray[np.float64],
        start: str | npt.NDArray[np.int8],
        *,
        schedule: str,
        seed: np.random.SeedSequence,
    ) -> None:
        self.lattice = lattice
        self._tables = tables
        self._schedule = SCHEDULES[schedule]
        self._order = update_order(lattice)
        generator = np.random.Generator(np.random.Philox(seed))
        self._spins = start_configurations(start, lattice.shape, len(tables), generator)
        self._states = generator.integers(0, 2**64, size=(len(tables), 4), dtype=np.uint64)

    def spins(self, chain: int) -> npt.NDArray[np.int8]:
        """Spins of one chain, shape (*lattice.shape)."""
        return self._spins[chain][:-1].reshape(self.lattice.shape).copy()

    def sweep(self, sweeps: int) -> None:
        """Make `sweeps` sweeps of every chain."""
        self._each(lambda chain: sites.sweep(*self._arguments(chain), sweeps))

    def record(
        self, draws: int, interval: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Measure after every `interval` sweeps; returns as `LaneEngine.record`."""
        shape = (len(self._spins), draws)
        bonds, totals = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        self._each(
            lambda chain: sites.record(
                *self._arguments(chain), interval, bonds[chain], totals[chain]
            )
        )
        return bonds, totals

    def _arguments(self, chain: int) -> tuple[Any, ...]:
        return (
            self._spins[chain], self.lattice.neighbors, self._order, self._tables[chain],
            local_sum_step(self.lattice), self._schedule, self._states[chain],
        )  # fmt: skip

    def _each(self, function: Callable[[int], None]) -> None:
        chains = [(chain,) for chain in range(len(self._spins))]
        run_in_threads(function, chains, numba.get_num_threads())
