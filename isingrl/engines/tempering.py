"""Parallel tempering: an engine around that of a rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.engines.exchanges import Events, Exchanges, IntArray
from isingrl.engines.tempered import Tempered
from isingrl.support.archives import Arrays, fill, part, prefixed

_EVENTS = 4096  # measurements and exchanges at a time, which bounds the memory for their sums


class TemperingEngine:
    """Chains that stay at their temperatures, and walkers that the `engine` sweeps.

    Exchanges happen after `every`, 2 `every`, … sweeps, before a measurement at that time. The
    first one tries the pairs of the coldest temperatures 0 and 1, 2 and 3, …, the second one the
    pairs 1 and 2, 3 and 4, …, and so on in turn.
    """

    def __init__(self, engine: Tempered, exchanges: Exchanges, every: int) -> None:
        self._engine, self._exchanges, self._every = engine, exchanges, every
        self.updates_a_call = engine.updates_a_call
        self._accepted = np.zeros(len(exchanges.walkers), dtype=np.int64)
        self._clock = np.zeros(1, dtype=np.int64)
        engine.assign(exchanges.tables)

    def spins(self, chain: int) -> npt.NDArray[np.int8]:
        """Spins of the walker at one place, shape (*lattice.shape)."""
        return self._engine.spins(int(self._exchanges.walkers[chain]))

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """See `Engine.state`."""
        own = {name: values.copy() for name, values in self._arrays().items()}
        return prefixed("walkers.", self._engine.state()) | own

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """See `Engine.restore`."""
        own = {name: values for name, values in state.items() if not name.startswith("walkers.")}
        self._engine.restore(part(state, "walkers."))
        fill(self._arrays(), own)
        self._engine.assign(self._exchanges.tables)

    def _arrays(self) -> Arrays:
        exchanges = self._exchanges
        return {
            "places": exchanges.walkers, "random": exchanges.random, "accepted": self._accepted,
            "clock": self._clock,
        }  # fmt: skip

    def sweep(self, sweeps: int) -> None:
        """Make `sweeps` sweeps of every walker, with the exchanges between them."""
        self._run(sweeps, 0)

    def record(self, draws: int, interval: int) -> Arrays:
        """See `Engine.record`.

        ``replica`` is the walker at each place, by the temperature where it began, and
        ``exchanges`` the number of its exchanges with the next higher temperature since the first
        sweep.
        """
        parts = self._run(interval, draws)
        joined = {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}
        return {name: values.swapaxes(0, 1) for name, values in joined.items()}

    def _run(self, sweeps: int, draws: int) -> list[Arrays]:
        """Make `sweeps` sweeps, or `sweeps` before each draw; arrays (n_draws, n_places)."""
        begin, every = int(self._clock[0]), self._every
        end = begin + sweeps * max(draws, 1)
        measured = begin + sweeps * np.arange(1, draws + 1, dtype=np.int64)
        times = np.union1d(
            every * np.arange(begin // every + 1, end // every + 1, dtype=np.int64), measured
        )
        parts = []
        for start in range(0, times.size, _EVENTS):
            some = times[start : start + _EVENTS]
            drawn = np.isin(some, measured)
            gaps = np.diff(some, prepend=begin)
            first = np.where(some % every == 0, (some // every - 1) % 2, -1)
            events = Events(gaps, first, drawn)
            parts.append(self._measured(drawn, *self._engine.temper(events, self._exchanges)))
            begin = int(some[-1])
        if begin < end:
            self._engine.sweep(end - begin)
        self._clock[0] = end
        return parts

    def _measured(
        self, drawn: npt.NDArray[np.bool_], sums: Arrays, walkers: IntArray, accepted: IntArray
    ) -> Arrays:
        """Draws by place, of events by walker."""
        total = self._accepted + np.cumsum(accepted, axis=0)
        self._accepted[:] = total[-1]
        at = walkers[drawn]
        event = np.arange(len(at))[:, None]
        found = {name: values.swapaxes(0, 1)[drawn][event, at] for name, values in sums.items()}
        return found | {"replica": at // self._exchanges.n_ladders, "exchanges": total[drawn]}
