"""Engines of tables that walkers exchange: lanes and sites."""

from __future__ import annotations

from typing import Any, Protocol

import numba
import numpy as np
import numpy.typing as npt

from isingrl.engines.engine import Engine
from isingrl.engines.exchanges import Events, Exchanges, IntArray
from isingrl.engines.kernels import lane_tempering, site_tempering
from isingrl.engines.lane_bonds import lane_tables
from isingrl.engines.lane_layout import LANES
from isingrl.engines.lane_rule import LaneRule
from isingrl.engines.lanes import LaneEngine, meters
from isingrl.engines.sites import SiteEngine
from isingrl.spin_model import Model
from isingrl.support.archives import Arrays
from isingrl.support.threads import run_in_threads
from isingrl.tables import Table

_WORTH_THREADS = 1e-3  # work between exchanges, over that of a call, from which threads gain


class Tempered(Engine, Protocol):
    """An engine in which each chain, a walker, runs with the table of the place where it is."""

    def assign(self, tables: IntArray) -> None:
        """Give every walker the table of this number."""

    def temper(self, events: Events, exchanges: Exchanges) -> tuple[Arrays, IntArray, IntArray]:
        """Sweep, measure and exchange.

        Parameters
        ----------
        events : Events
        exchanges : Exchanges

        Returns
        -------
        sums : dict of int64 arrays, shape (n_walkers, n_events)
            As `Engine.record` returns them, before the exchange; right for draws.
        walkers : int64 ndarray, shape (n_events, n_places)
            The walker at each place after each event.
        accepted : int64 ndarray, shape (n_events, n_places)
            1 at the colder place of each pair that was exchanged.
        """


def tempered_engine(
    model: Model,
    table: Table,
    start: str | npt.NDArray[Any],
    schedule: str,
    seed: np.random.SeedSequence,
) -> Tempered:
    """Make the engine for a table, as `isingrl.engines.engine.table_engine` does."""
    table = table.for_schedule(model.lattice, schedule)
    lanes = lane_tables(model, table, schedule)
    if lanes is not None:
        return TemperedLanes(model.lattice, lanes, start, synchronous=False, seed=seed)
    return TemperedSites(model, table, start, schedule=schedule, seed=seed)


def _threads(events: Events, sweep: float) -> int:
    """Number of threads, which meet at every exchange, for sweeps that take so much of a call."""
    between = sweep * events.gaps.sum() / max(1, (events.first >= 0).sum())
    return numba.get_num_threads() if between >= _WORTH_THREADS else 1


class TemperedSites(SiteEngine):
    """Walkers with a byte for each spin."""

    def __init__(self, model: Model, table: Table, *arguments: Any, **options: Any) -> None:
        super().__init__(model, table, *arguments, **options)
        self._by_place = table.arrays
        self._gather()

    def _gather(self) -> None:
        """Put the spins of all walkers in one array."""
        self._all_spins = np.stack(self._spins)
        self._spins = list(self._all_spins)

    def restore(self, state: Arrays) -> None:
        """See `Engine.restore`."""
        super().restore(state)
        self._gather()

    def assign(self, tables: IntArray) -> None:
        """See `Tempered.assign`."""
        self._tables = [self._by_place[each] for each in tables]

    def temper(self, events: Events, exchanges: Exchanges) -> tuple[Arrays, IntArray, IntArray]:
        """See `Tempered.temper`."""
        n_walkers = len(self._spins)
        updates = n_walkers * self.lattice.n_sites
        workers = min(_threads(events, updates / self.updates_a_call), n_walkers)
        walkers, accepted = np.zeros((2, events.gaps.size, n_walkers), dtype=np.int64)
        sums = np.empty((events.gaps.size, n_walkers, self.model.n_sums), dtype=np.int64)
        gate, places = np.zeros(2, np.int64), exchanges.tables

        def work(worker: int) -> None:
            site_tempering.temper(
                self._all_spins, *self._view, self._order, self._by_place,
                self._schedule, self._states, self._neighbors, self._signs,
                (worker, workers, gate), events.gaps, events.first, exchanges.arguments, places,
                sums, walkers, accepted,
            )  # fmt: skip

        run_in_threads(work, [(worker,) for worker in range(workers)], workers)
        self.assign(exchanges.tables)
        return self.model.named_sums(sums.swapaxes(0, 1)), walkers, accepted


class TemperedLanes(LaneEngine):
    """Walkers on bit lanes; an exchange moves the bits of tables, also between blocks."""

    def _compiled(self, tables: npt.NDArray[np.float64]) -> list[tuple[Any, ...]]:
        """Rule of each block, all in one form, so that tables can leave their block."""
        self._all = LaneRule(tables)
        return self._with(np.arange(len(tables)))

    def _with(self, tables: IntArray) -> list[tuple[Any, ...]]:
        lanes = self._lane_chains()
        # idle lanes keep the table of the last place: the rest of the block shares their generator
        of_lanes = np.append(tables, np.full(lanes.size - tables.size, tables.size - 1))[lanes]
        rules = [self._all.of_lanes(each) for each in of_lanes]
        self._form = rules[0][:4]
        self._bits = tuple(np.stack([rule[part] for rule in rules]) for part in (4, 5, 6))
        return [(*self._form, *(bits[block] for bits in self._bits)) for block in range(len(rules))]

    def assign(self, tables: IntArray) -> None:
        """See `Tempered.assign`."""
        self._rules = self._with(tables)

    def temper(self, events: Events, exchanges: Exchanges) -> tuple[Arrays, IntArray, IntArray]:
        """See `Tempered.temper`."""
        n_blocks, n_bands = self._tails.shape[:2]
        updates = self.layout.n_chains * self.lattice.n_sites
        threads = _threads(events, updates / self.updates_a_call)
        shared = n_bands > 1  # threads share the bands of each block, or take blocks in turn
        workers = min(threads, n_bands if shared else n_blocks)
        sharers = workers if shared else 1
        measured = self.layout.measured_rows
        n_kinds, n_events = int(measured[:, 2].max()) + 1, events.gaps.size
        # an exchange needs the sums of spins in a field alone
        summed = events.drawn | exchanges.in_field
        n_sums = len(self._signs)
        agreeing = np.zeros((n_blocks, sharers, n_events, n_sums, LANES), dtype=np.int64)
        up = np.zeros((n_blocks, sharers, n_events, n_kinds, LANES), dtype=np.int64)
        walkers = np.empty((n_events, self.layout.n_chains), dtype=np.int64)
        accepted = np.zeros_like(walkers)
        gates = np.zeros((n_blocks + 1, 2), dtype=np.int64)
        *places, couplings, field, walker, random = exchanges.arguments
        # satisfied bonds are counted, of either sign
        coupling = couplings if n_sums == 1 else abs(couplings[:1])

        def work(worker: int) -> None:
            lane_tempering.temper(
                self._words, self._addresses, self._negative, self._rows, self._bands,
                self._half_row, self._strips, (*self._form, *self._bits), self._states, self._tails,
                self._buffers(), (worker, workers, gates, shared), self._counted, self._signs,
                measured, meters(), self._ends_counted, *events[:2], summed,
                (*places, coupling, field, walker, random), agreeing, up, walkers, accepted,
            )  # fmt: skip

        run_in_threads(work, [(worker,) for worker in range(workers)], workers)
        return self._sums(agreeing.sum(axis=1), up.sum(axis=1)), walkers, accepted
