"""The byte-site engine: any lattice, schedule and table; the reference for the fast one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from isingrl.engines.kernels import sites
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.schedules import draws_sites
from isingrl.support.archives import Arrays, fill
from isingrl.support.threads import run_in_threads
from isingrl.tables import RuleTable, codes_of


def schedule_code(schedule: str) -> int:
    """Number by which the kernels know a schedule."""
    if draws_sites(schedule):
        return sites.RANDOM_SITE
    return sites.SYNCHRONOUS if schedule == "synchronous" else sites.IN_ORDER


def padded(spins: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Flat spins with a 0 behind them for missing neighbours."""
    return np.append(spins.ravel(), np.int8(0))


def site_states(spins: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
    """Padded spins for the kernels: 0 for down, 1 for up, 2 for missing neighbours."""
    return np.where(spins == 0, 2, spins > 0).astype(np.uint8)


def start_configurations(
    start: str | npt.NDArray[np.int8],
    shape: tuple[int, ...],
    n_chains: int,
    generator: np.random.Generator,
) -> list[npt.NDArray[np.int8]]:
    """Padded first configurations of all chains, from a name or from spins."""
    if not isinstance(start, str):
        return [padded(spins) for spins in start]
    if start == "random":
        return [
            padded(2 * generator.integers(0, 2, size=shape, dtype=np.int8) - 1)
            for _ in range(n_chains)
        ]
    return [padded(np.full(shape, 1 if start == "up" else -1, np.int8)) for _ in range(n_chains)]


def update_order(lattice: Lattice, schedule: str) -> npt.NDArray[np.int64]:
    """Sites, one sublattice after the other, or row after row for the schedule "typewriter"."""
    if schedule == "typewriter":
        return np.arange(lattice.n_sites)
    return np.argsort(lattice.sublattices.ravel(), kind="stable")


def sublattice_signs(lattice: Lattice) -> npt.NDArray[np.int8]:
    """Signs of the two sublattices, sites in C order; zeros on other lattices."""
    if lattice.n_sublattices != 2:
        return np.zeros(lattice.n_sites, dtype=np.int8)
    return (1 - 2 * lattice.sublattices.ravel()).astype(np.int8)


def named_sums(sums: npt.NDArray[np.int64], signs: npt.NDArray[np.int8]) -> Arrays:
    """Sums of `sites.measure`, which lie along the last axis, by the names of `Engine.record`."""
    bonds, totals, staggered = sums[..., :-2], sums[..., -2], sums[..., -1]
    found = {"bonds": bonds[..., 0] if bonds.shape[-1] == 1 else bonds, "totals": totals}
    return found | ({"staggered_magnetization": staggered} if signs.any() else {})


class SiteEngine:
    """Chains with a byte for each spin, each chain with its own tables."""

    updates_a_call = 5e6

    def __init__(
        self,
        model: Ising,
        table: RuleTable,
        start: str | npt.NDArray[np.int8],
        *,
        schedule: str,
        seed: np.random.SeedSequence,
    ) -> None:
        self.lattice = lattice = model.lattice
        self._up = list(table.up)
        self._sites, self._codes = codes_of(lattice, table.sites, table.bonds)
        self._neighbors = model.bonds.neighbors
        self._schedule = schedule_code(schedule)
        self._order = update_order(lattice, schedule)
        generator = np.random.Generator(np.random.Philox(seed))
        n_chains = len(table.up)
        first = start_configurations(start, lattice.shape, n_chains, generator)
        self._spins = [site_states(spins) for spins in first]
        self._states = generator.integers(0, 2**64, size=(n_chains, 4), dtype=np.uint64)

    def spins(self, chain: int) -> npt.NDArray[np.int8]:
        """Spins of one chain, shape (*lattice.shape)."""
        return sites.SPINS[self._spins[chain][:-1]].reshape(self.lattice.shape)

    def state(self) -> Arrays:
        """See `Engine.state`."""
        return {"spins": sites.SPINS[np.stack(self._spins)], "states": self._states.copy()}

    def restore(self, state: Arrays) -> None:
        """See `Engine.restore`."""
        spins = sites.SPINS[np.stack(self._spins)]
        fill({"spins": spins, "states": self._states}, state)
        self._spins = [site_states(each) for each in spins]

    def sweep(self, sweeps: int) -> None:
        """Make `sweeps` sweeps of every chain."""
        self._each(lambda chain: sites.sweep(*self._arguments(chain), sweeps))

    def record(self, draws: int, interval: int) -> Arrays:
        """See `Engine.record`."""
        sums = np.zeros((len(self._spins), draws, len(self._neighbors) + 2), dtype=np.int64)
        signs = sublattice_signs(self.lattice)

        def record(chain: int) -> None:
            own = self._arguments(chain)
            sites.record(*own, self._neighbors, signs, interval, sums[chain])

        self._each(record)
        return named_sums(sums, signs)

    def _arguments(self, chain: int) -> tuple[Any, ...]:
        return (
            self._spins[chain], self._sites, self._codes, self._order, self._up[chain],
            self._schedule, self._states[chain],
        )  # fmt: skip

    def _each(self, function: Callable[[int], None]) -> None:
        chains = [(chain,) for chain in range(len(self._spins))]
        run_in_threads(function, chains, numba.get_num_threads())
