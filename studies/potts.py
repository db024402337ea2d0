"""Agents with q actions: mean-field Q plays the Potts model, independent Q its Weiss theory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr

from analysis import literature
from isingrl import HeatBath, IndependentQ, MeanFieldQ
from isingrl.support.validation import check_integer, check_real, check_run_length
from studies import _potts_figure as drawing
from studies import _potts_numbers as numbers
from studies import _potts_runs as runs
from studies._potts_numbers import (
    CURVE,
    END,
    ENERGIES,
    NEAR,
    ORDERED,
    PHASES,
    STARTS,
    critical_temperature,
)
from studies._potts_runs import BEFORE
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts
from studies.shared.combination import concat_all, numbered, prefixed
from studies.shared.critical import LANES, WINDOW, check_even_sides
from studies.shared.grids import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Potts"]

_METHODS = (HeatBath.name, MeanFieldQ.name)
_CONTINUOUS = 4  # states up to which the transition is continuous
_MOST = 11  # states; mean-field Q then tells 1,001 neighbourhoods apart
_RELAXATION = 2.17  # a relaxation time of single sites at T_c is about L to this power, in sweeps
_CHAINS = 32  # of the distribution of energies, half from order
_KEPT = 2_000  # draws of a chain of mean-field Q, about
# nanoseconds of an update, roughly; the heat bath takes more with more states
_COSTS = {HeatBath.name: 20, MeanFieldQ.name: 15, IndependentQ.name: 60}


@dataclass(frozen=True)
class Potts:
    """Order, transition and phases of agents with q actions on the square lattice.

    Mean-field Q sees how many neighbours are in each state. It is compared with the heat bath of
    the Potts model and with exact values. Independent Q sees nothing and is compared with Weiss's
    theory, which has a transition of first order for q > 2: both of its phases are followed to
    their ends.
    """

    states: tuple[int, ...] = (2, 3, 4, 10)
    """Numbers of states q, from 2 to 11: one or more up to 4, where the transition is continuous,
    and one or more above."""
    side: int = 32
    """Side of the lattice of order against temperature, an even number."""
    reduced_temperatures: tuple[float, ...] = (
        0.8, 0.88, 0.92, 0.95, 0.97, 0.985, 1.015, 1.03, 1.05, 1.08, 1.12, 1.2,
    )  # fmt: skip
    """Temperatures of order in units of the exact critical temperature, four or more."""
    training_sweeps: int = 4_000
    """Learning sweeps of mean-field Q before each measurement."""
    sweeps: int = 40_000
    """Measured sweeps a chain of order against temperature, after a quarter as many from order."""
    chains: int = 2
    """Independent chains of order at every temperature."""
    sizes: tuple[int, ...] = (8, 12, 16, 24, 32, 48)
    """Sides for critical temperatures up to four states, four or more different even numbers. The
    smaller half and the larger half make pairs whose Binder cumulants cross."""
    draws: int = 4_000
    """Draws of each chain for critical temperatures. All four temperatures of a size together have
    64 chains. A draw follows the one before after L^2.17 sweeps, about a relaxation time."""
    updates: float = 5e9
    """Most updates of sites for one size. Where this is not enough, draws follow one another
    faster."""
    energy_side: int = 32
    """Side of the lattice of the distribution of energies at the transition, an even number."""
    energy_sweeps: int = 40_000
    """Measured sweeps of each of its 32 chains, after a quarter as many."""
    phase_side: int = 128
    """Side of the lattice on which both phases of more than four states last, an even number."""
    phase_sweeps: int = 10_000
    """Measured sweeps of each of four chains of a phase, after a quarter as many."""
    independent_side: int = 128
    """Side of the lattice of independent Q near the ends of its phases, an even number; elsewhere
    half of it."""
    memory: float = 16.0
    """Memory of the action values of independent Q in sweeps: the learning rate is
    1 / (memory × sites)."""
    memories: int = 800
    """Measured memories of independent Q near the ends of its phases, for which a phase must last;
    elsewhere half as many. A quarter more pass before, as it is brought to its temperature."""
    steps: int = 6
    """Temperatures around the end of a phase, an even number."""
    step: float = 0.004
    """Distance between them in J/k_B."""
    curve_points: int = 8
    """Temperatures of both phases of independent Q, four or more."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = dict.fromkeys(("states", "sizes"), added)

    @property
    def continuous(self) -> list[int]:
        """Numbers of states with a continuous transition, ascending."""
        return sorted(q for q in self.states if q <= _CONTINUOUS)

    @property
    def first_order(self) -> list[int]:
        """Numbers of states with a transition of first order, ascending."""
        return sorted(q for q in self.states if q > _CONTINUOUS)

    @property
    def with_ends(self) -> list[int]:
        """Numbers of states for which both phases of Weiss's theory last beyond T_1, ascending."""
        return sorted(q for q in self.states if q > 2)

    def interval(self, side: int) -> int:
        """Sweeps from one draw to the next, for critical temperatures."""
        affordable = self.updates / (self.draws * LANES * side**2)
        return max(1, int(min(side**_RELAXATION, affordable)))

    def curve_temperatures(self, q: int) -> FloatArray:
        """Temperatures of both phases of independent Q, beyond the ends of both."""
        lower, upper, middle = numbers.weiss_temperatures(q)
        if lower == upper:  # of two states: one phase, which ends at the transition
            return np.linspace(0.7 * middle, 1.1 * middle, self.curve_points)
        margin = 0.4 * (upper - lower)
        first = max(lower - margin, 0.8 * lower)  # below, no site of ten states leaves the order
        return np.linspace(first, upper + margin, self.curve_points)

    def end_temperatures(self, q: int, start: str) -> FloatArray:
        """Temperatures around the end of a phase of independent Q."""
        lower, upper, _ = numbers.weiss_temperatures(q)
        end = upper if start == ORDERED else lower
        return np.asarray(end + self.step * (np.arange(self.steps) - (self.steps - 1) / 2))

    def tasks(self) -> list[Task]:
        """Order, sizes near the transition, energies, and phases, for every number of states."""
        self._check()
        alone, tasks = unextended(self), []

        def add(key: str, function: Callable[..., xr.Dataset], cost: float, **which: Any) -> None:
            arguments = {"config": alone, **which}
            tasks.append(Task(key, function, arguments, max(1, int(cost / 1e6)), resumable=True))

        seeing, blind = _COSTS[MeanFieldQ.name], _COSTS[IndependentQ.name]
        order: float = self.chains * self.sweeps * self.side**2 * len(self.reduced_temperatures)
        learned = self.memories * self.memory * self.independent_side**2
        for q in self.states:
            for method in _METHODS:
                cost: float = order * _COSTS[method] * (q if method == HeatBath.name else 1)
                add(_order_key(q, method), measure_order, cost, states=q, method=method)
            cost = _CHAINS * self.energy_sweeps * self.energy_side**2 * seeing
            add(_energies_key(q), measure_energies, cost, states=q)
            for start in STARTS:
                cost = learned * self.curve_points * blind / 8
                add(_curve_key(q, start), measure_curve, cost, states=q, start=start)
        for q in self.continuous:
            for side in self.sizes:
                cost = self.draws * self.interval(side) * LANES * side**2 * seeing
                add(_near_key(q, side), measure_near, cost, states=q, side=side)
        for start in STARTS:
            for q in self.first_order:
                cost = 4 * self.phase_sweeps * self.phase_side**2 * seeing
                add(_phase_key(q, start), measure_phase, cost, states=q, start=start)
            for q in self.with_ends:
                cost = learned * self.steps * blind
                add(_end_key(q, start), measure_end, cost, states=q, start=start)
        return tasks

    def _check(self) -> None:
        """Refuse a bad configuration before any work."""
        for q in self.states:
            check_integer("states: each", q, 2)
        both = self.continuous and self.first_order
        if len(set(self.states)) < len(self.states) or not both or max(self.states) > _MOST:
            raise ValueError(
                f"states must be different numbers from 2 to {_MOST}, one or more up to "
                f"{_CONTINUOUS} and one or more above; got {self.states}"
            )
        given = self.reduced_temperatures
        for each in given:
            check_real("reduced_temperatures: each", each, minimum=0.1)
        if len(set(given)) < max(4, len(given)):
            raise ValueError(f"reduced_temperatures must be four or more different; got {given}")
        check_even_sides("sizes", self.sizes, 4)
        check_counts(
            self, side=2, training_sweeps=1, draws=60, energy_side=4, energy_sweeps=80,
            phase_side=2, phase_sweeps=80, independent_side=4, memories=20, steps=2,
            curve_points=4, seed=0,
        )  # fmt: skip
        for name in ("side", "energy_side", "phase_side", "steps"):
            if getattr(self, name) % 2:
                raise ValueError(f"{name} must be even; got {getattr(self, name)}")
        if self.independent_side % 4:
            raise ValueError(
                f"independent_side must be a multiple of 4; got {self.independent_side}"
            )
        check_real("updates", self.updates, minimum=1.0)
        check_real("memory", self.memory, minimum=1.0)
        widest = 0.3 / self.steps  # ends of phases stay positive, and 4 states apart
        if not 0 < check_real("step", self.step) <= widest:
            raise ValueError(f"step must be positive, {widest:g} at most; got {self.step:g}")
        check_run_length(self.sweeps, self.sweeps // BEFORE, 1, self.chains)

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join order over (states, method, point, chain, draw).

        Names and dims of the other parts begin with ``near_``, for critical temperatures,
        ``energies_``, ``phases_``, and ``curve_`` and ``end_`` for independent Q.
        """
        states = sorted(self.states)
        joined = partial(concat_all, results)
        parts = {
            NEAR: joined(_near_key, states=self.continuous, level=sorted(self.sizes)),
            ENERGIES: joined(_energies_key, states=states),
            PHASES: joined(_phase_key, states=self.first_order, start=STARTS),
            CURVE: joined(_curve_key, states=states, start=STARTS),
            END: joined(_end_key, states=self.with_ends, start=STARTS),
        }
        others = [prefixed(part.drop_vars("method"), name, "") for name, part in parts.items()]
        order = joined(_order_key, states=states, method=_METHODS)
        return xr.merge(
            [order, *others], combine_attrs="drop_conflicts", join="exact", compat="equals"
        )

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Observables of every part with errors, beside exact values and Weiss's theory."""
        return numbers.summary(data)

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw order of both kinds of agents, and the transition of mean-field Q."""
        return drawing.figure(summary)


def _order_key(q: int, method: str) -> str:
    return f"order, q = {q}, {method}"


def _near_key(q: int, side: int) -> str:
    return f"transition, q = {q}, L = {side}"


def _energies_key(q: int) -> str:
    return f"energies, q = {q}"


def _phase_key(q: int, start: str) -> str:
    return f"phase, q = {q}, {start}"


def _curve_key(q: int, start: str) -> str:
    return f"independent-q, q = {q}, {start}"


def _end_key(q: int, start: str) -> str:
    return f"independent-q, end, q = {q}, {start}"


def measure_order(
    config: Potts,
    states: int,
    method: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one method at all temperatures of order."""
    temperature = critical_temperature(states) * np.array(config.reduced_temperatures)
    return runs.simulated(
        config, states, method, config.side, temperature, ORDERED, config.sweeps, config.chains,
        interval=max(1, config.sweeps // _KEPT), seed=seed, folder=folder, progress=progress,
    )  # fmt: skip


def measure_near(
    config: Potts,
    states: int,
    side: int,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate mean-field Q on a lattice of this side around the critical temperature."""
    nu = literature.critical_exponents(2, states)["nu"]
    temperature = critical_temperature(states) * np.exp(np.array(WINDOW) * side ** (-1 / nu))
    interval = config.interval(side)
    data = runs.simulated(
        config, states, MeanFieldQ.name, side, temperature, ORDERED, config.draws * interval,
        LANES // len(WINDOW), interval=interval, seed=seed, folder=folder, progress=progress,
    )  # fmt: skip
    return numbered(data).assign_coords(size=side)


def measure_energies(
    config: Potts,
    states: int,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate mean-field Q at the transition, half of the chains from order."""
    sides = (config.energy_side,) * 2
    generator = np.random.default_rng(task_seed(seed, "starts"))
    starts = generator.integers(0, states, (1, _CHAINS, *sides), dtype=np.uint8)
    starts[:, : _CHAINS // 2] = 0
    return runs.simulated(
        config, states, MeanFieldQ.name, config.energy_side, critical_temperature(states), starts,
        config.energy_sweeps, _CHAINS, interval=max(1, config.energy_sweeps // _KEPT),
        seed=seed, folder=folder, progress=progress,
    )[["energy"]]  # fmt: skip


def measure_phase(
    config: Potts,
    states: int,
    start: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one phase of mean-field Q at a transition of first order."""
    data = runs.simulated(
        config, states, MeanFieldQ.name, config.phase_side, critical_temperature(states), start,
        config.phase_sweeps, 4,
        interval=max(1, config.phase_sweeps // _KEPT), seed=seed, folder=folder, progress=progress,
    )  # fmt: skip
    return data.assign_coords(start=start)


def measure_curve(
    config: Potts,
    states: int,
    start: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one phase of independent Q at all temperatures."""
    return runs.learned(
        config, states, start, config.curve_temperatures(states), config.independent_side // 2,
        config.memories // 2,
        seed=seed, folder=folder, progress=progress,
    )  # fmt: skip


def measure_end(
    config: Potts,
    states: int,
    start: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one phase of independent Q around its end."""
    return runs.learned(
        config, states, start, config.end_temperatures(states, start), config.independent_side,
        config.memories,
        seed=seed, folder=folder, progress=progress,
    )  # fmt: skip
