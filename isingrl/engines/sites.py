"""The byte-site engine: any lattice, schedule and table; the reference for the fast one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from isingrl.engines.kernels import sites
from isingrl.lattice import Lattice
from isingrl.schedules import draws_sites
from isingrl.spin_model import Model
from isingrl.support.archives import Arrays, fill
from isingrl.support.threads import run_in_threads
from isingrl.tables import Table


def schedule_code(schedule: str) -> int:
    """Number by which the kernels know a schedule."""
    if draws_sites(schedule):
        return sites.RANDOM_SITE
    return sites.SYNCHRONOUS if schedule == "synchronous" else sites.IN_ORDER


def start_states(
    model: Model, start: str | npt.NDArray[Any], n_chains: int, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """First states of all chains, from a name or from spins, shape (n_chains, n_sites + 1).

    The last one stands for missing neighbours.
    """
    q, shape = model.n_spin_states, model.lattice.shape
    states = np.full((n_chains, model.lattice.n_sites + 1), q, np.uint8)
    for chain, own in enumerate(states[:, :-1]):
        if not isinstance(start, str):
            own[:] = model.states_of(start[chain]).ravel()
        elif start == "random":
            own[:] = generator.integers(0, q, size=shape, dtype=np.uint8).ravel()
        else:
            own[:] = model.starts[start]
    return states


def update_order(lattice: Lattice, schedule: str) -> npt.NDArray[np.int64]:
    """Sites, one sublattice after the other, or row after row for the schedule "typewriter"."""
    if schedule == "typewriter":
        return np.arange(lattice.n_sites)
    return np.argsort(lattice.sublattices.ravel(), kind="stable")


class SiteEngine:
    """Chains with a byte for each spin, each chain with its own tables."""

    updates_a_call = 5e6

    def __init__(
        self,
        model: Model,
        table: Table,
        start: str | npt.NDArray[Any],
        *,
        schedule: str,
        seed: np.random.SeedSequence,
    ) -> None:
        self.lattice = lattice = model.lattice
        self.model = model
        self._tables = list(table.arrays)
        self._view = table.view(lattice)
        self._neighbors = model.bonds.neighbors
        self._signs = model.signs
        self._schedule = schedule_code(schedule)
        self._order = update_order(lattice, schedule)
        generator = np.random.Generator(np.random.Philox(seed))
        n_chains = len(table.arrays)
        self._spins = list(start_states(model, start, n_chains, generator))
        self._states = generator.integers(0, 2**64, size=(n_chains, 4), dtype=np.uint64)

    def spins(self, chain: int) -> npt.NDArray[Any]:
        """Spins of one chain, shape (*lattice.shape)."""
        spins = self.model.values[self._spins[chain][:-1]]
        return np.asarray(spins.reshape(self.lattice.shape))

    def state(self) -> Arrays:
        """See `Engine.state`."""
        return {"spins": self.model.values[np.stack(self._spins)], "states": self._states.copy()}

    def restore(self, state: Arrays) -> None:
        """See `Engine.restore`."""
        spins = self.model.values[np.stack(self._spins)]
        fill({"spins": spins, "states": self._states}, state)
        self._spins = list(self.model.states_of(spins))

    def sweep(self, sweeps: int) -> None:
        """Make `sweeps` sweeps of every chain."""
        self._each(lambda chain: sites.sweep(*self._arguments(chain), sweeps))

    def record(self, draws: int, interval: int) -> Arrays:
        """See `Engine.record`."""
        sums = np.zeros((len(self._spins), draws, self.model.n_sums), dtype=np.int64)

        def record(chain: int) -> None:
            own = self._arguments(chain)
            sites.record(*own, self._neighbors, self._signs, interval, sums[chain])

        self._each(record)
        return self.model.named_sums(sums)

    def _arguments(self, chain: int) -> tuple[Any, ...]:
        return (
            self._spins[chain], *self._view, self._order, self._tables[chain],
            self._schedule, self._states[chain],
        )  # fmt: skip

    def _each(self, function: Callable[[int], None]) -> None:
        chains = [(chain,) for chain in range(len(self._spins))]
        run_in_threads(function, chains, numba.get_num_threads())
