"""Times of several codes: measured in turn, many times, the best of each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numba


@dataclass(frozen=True)
class Case:
    """A code with a rate to measure.

    Attributes
    ----------
    name : str
        Its name in the results.
    run : callable
        Makes the given number of sweeps; the set-up was done before.
    updates : int
        Site updates in one sweep, over all chains.
    threads : int
        Threads that Numba may use.
    """

    name: str
    run: Callable[[int], object]
    updates: int
    threads: int = 1


@dataclass(frozen=True)
class Rate:
    """Site updates a nanosecond.

    Attributes
    ----------
    best, median : float
        Of all rounds. If they are far apart, the machine had other work.
    cores : float
        CPU time over wall time of the best round: the cores that the threads got.
    """

    best: float
    median: float
    cores: float


@dataclass(frozen=True)
class Effort:
    """Seconds of a timing, and rounds of timings."""

    seconds: float
    rounds: int


def measure(cases: Sequence[Case], effort: Effort) -> dict[str, Rate]:
    """Time all cases in turn, round after round, so that a drifting clock affects all of them.

    A first pass sets the number of sweeps of each case. It also compiles, fills the caches and
    lets the chains leave their first configuration.

    Returns
    -------
    dict
        The `Rate` of every case by its name.
    """
    sweeps = {case.name: _sweeps_for(case, effort.seconds) for case in cases}
    times: dict[str, list[tuple[float, float]]] = {case.name: [] for case in cases}
    for _ in range(effort.rounds):
        for case in cases:
            times[case.name].append(_time(case, sweeps[case.name]))
    return {case.name: _rate(times[case.name], case.updates * sweeps[case.name]) for case in cases}


def _rate(times: list[tuple[float, float]], updates: int) -> Rate:
    wall, cpu = min(times)
    median = statistics.median(each for each, _ in times)
    return Rate(updates / wall / 1e9, updates / median / 1e9, cpu / wall)


def _sweeps_for(case: Case, seconds: float) -> int:
    """Number of sweeps that takes about `seconds`, found by doubling."""
    _time(case, 1)  # compiles
    count = 1
    while True:
        elapsed, _ = _time(case, count)
        if elapsed >= seconds / 2:
            return max(1, round(count * seconds / elapsed))
        count *= 2


def _time(case: Case, sweeps: int) -> tuple[float, float]:
    """Wall and CPU seconds."""
    numba.set_num_threads(case.threads)
    begin = time.perf_counter(), time.process_time()
    case.run(sweeps)
    return time.perf_counter() - begin[0], time.process_time() - begin[1]
