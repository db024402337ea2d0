"""Neighbours whose bonds differ: Weiss, the model of the mean coupling, and the exact one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr

from analysis import FitWarning, ShortRunWarning, scaling, thermodynamics
from isingrl import (
    IndependentQ,
    Ising,
    Lattice,
    MeanFieldQ,
    NeighborhoodQ,
    SwendsenWang,
)
from isingrl.support.validation import check_real, check_run_length
from studies import _homogenisation_disorder as disorder
from studies import _homogenisation_figure as drawing
from studies import _homogenisation_results as results
from studies._homogenisation_disorder_figure import BOND_METHODS, SHELL_METHODS
from studies._homogenisation_figure import METHODS, WEISS_TEMPERATURE, couplings
from studies._homogenisation_runs import simulated
from studies.running.extensions import Join, added, longer, unextended
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts
from studies.shared.combination import (
    by_point,
    concat,
    concat_all,
    numbered,
    prefixed,
    without_prefix,
)
from studies.shared.critical import KINDS, LANES, check_even_sides, where_cumulant_falls
from studies.shared.grids import FloatArray, Grid, ascending_grid, number_texts, temperature_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CROSSING = METHODS[1:]  # methods whose critical temperature is where Binder cumulants cross
_LARGEST_RATIO = 10.0
_LARGEST_SIZE = 32  # larger ones have windows of temperature too narrow for the scan
_RATIO = {"long_name": "ratio of the couplings J_a/J_b", "units": "1"}
# before the names of what these runs measure
_PREFIXES = _NEAR, _BLIND, _SHELL, _BOND = "near_", "independent_", "shell_", "random_"
_BELOW_WEISS = WEISS_TEMPERATURE * np.array([0.6, 0.7, 0.8, 0.9])  # for independent Q
_WINDOW = (-1.0, -0.33, 0.33, 1.0)  # temperatures of a size as ln(T/T_scan) L
_LONGER = 5  # runs of independent Q for Weiss's temperature than those of order
_SQUARE = KINDS["square"]
_SCANNED_SIZES = (8, 16)
_SCAN = WEISS_TEMPERATURE * np.linspace(0.25, 1.0, 16)  # which is an upper bound
_SECOND_SCAN = np.linspace(-0.2, 0.2, 9)  # of ln T
_SCANNED_CUMULANT = 0.5  # between the values at the transition of all ratios, 0.47 to 0.61, roughly
_SCAN_TRAINING = 10  # times fewer sweeps of training for a scan
_COSTS = {  # of one site update, in units of 5 ns on one core
    IndependentQ.name: 4, MeanFieldQ.name: 1, NeighborhoodQ.name: 1, SwendsenWang.name: 4,
}  # fmt: skip


@dataclass(frozen=True)
class Homogenisation:
    """Order of agents whose neighbours have bonds of two strengths, against temperature.

    The bonds along the two directions of the square lattice have the mean coupling J. Agents that
    see nothing follow Weiss's theory. Agents that see how many neighbours are up play the model
    of the mean coupling, and agents that see which ones find the true order, as clusters do.
    Two further parts have near and diagonal neighbours of different couplings, and bonds ±J.
    """

    shown: tuple[float, ...] = (3.0, 9.0)
    """Ratios J_a/J_b, from 1 to 10, for which order is measured against temperature."""
    ratios: tuple[float, ...] = (1.0, 2.0, 4.0, 9.0)
    """Ratios J_a/J_b, from 1 to 10, for which the critical temperature is measured."""
    side: int = 64
    """Side of the lattice of order against temperature, of independent Q, and of all trainings; an
    even number."""
    temperature: Grid = (1.0, 4.4, 35)
    """First and last temperature of order in J/k_B, and how many."""
    sizes: tuple[int, ...] = (8, 12, 16, 24)
    """Sides of the lattices for critical temperatures, four or more different even numbers up to
    32."""
    draws: int = 5_000
    """Draws of each chain for critical temperatures. All four temperatures of a size together have
    64 chains. A draw follows the one before after L^2.17 sweeps, about a relaxation time, or after
    two sweeps of clusters."""
    updates: float = 2.5e9
    """Most updates of sites by agents for one size. Where this is not enough, draws follow one
    another faster."""
    training_sweeps: int = 5_000
    """Learning sweeps of mean-field Q before the measurement; neighborhood Q, whose rewards have no
    noise, makes a tenth."""
    memory: float = 20.0
    """Memory of the action values of independent Q in sweeps: the learning rate is
    1 / (memory × sites). A shorter memory adds noise, which weakens the order."""
    sweeps: int = 2_000
    """Measured sweeps a chain of order against temperature; independent Q goes on learning. Its
    runs for the critical temperature are five times longer."""
    thermalization: int = 1_000
    """Sweeps a chain before the first measured one, from all spins up."""
    chains: int = 2
    """Independent chains at every temperature of order."""
    shell_ratio: float = 3.0
    """Ratio of the couplings of near and diagonal neighbours, from 0.1 to 10, on a lattice with
    both, of half the side."""
    shell_temperature: Grid = (4.7, 5.6, 10)
    """First and last temperature of these shells in J/k_B, and how many."""
    shares: tuple[float, ...] = (0.95, 0.5)
    """Shares of bonds J among random bonds ±J."""
    realizations: int = 3
    """Lattices of random bonds for each share, two or more."""
    bond_temperature: Grid = (1.0, 3.0, 9)
    """First and last temperature of random bonds in J/k_B, and how many."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {
        **dict.fromkeys(("shown", "ratios", "sizes", "shares"), added),
        "realizations": longer,
    }

    @property
    def temperatures(self) -> FloatArray:
        """All temperatures of order, shape (number,)."""
        return temperature_grid("temperature", self.temperature)

    @property
    def shell_temperatures(self) -> FloatArray:
        """All temperatures of shells, shape (number,)."""
        return ascending_grid("shell_temperature", self.shell_temperature, 2)

    @property
    def bond_temperatures(self) -> FloatArray:
        """All temperatures of random bonds, shape (number,)."""
        return ascending_grid("bond_temperature", self.bond_temperature, 1)

    def model(self, ratio: float, side: int | None = None) -> Ising:
        """Return the ferromagnet with this J_a/J_b and the mean coupling 1, of its usual side."""
        return Ising(Lattice((side or self.side,) * 2), couplings(ratio))

    def interval(self, method: str, side: int) -> int:
        """Sweeps from one draw to the next, for critical temperatures."""
        longest = _SQUARE.relaxation_time(method, side)
        if method == SwendsenWang.name:
            return int(longest)
        affordable = self.updates / (self.draws * LANES * side**2)
        return max(1, int(min(longest, affordable)))

    def tasks(self) -> list[Task]:
        """One task for every curve, for every size of a ratio, and for Weiss's temperature."""
        self._check()
        alone, tasks = unextended(self), []

        def add(
            key: str, function: Callable[..., xr.Dataset], updates: float, **which: Any
        ) -> None:
            weight = max(1, int(updates * _COSTS.get(which["method"], 2) / 1e6))
            arguments = {"config": alone, **which}
            tasks.append(Task(key, function, arguments, weight, resumable=True))

        a_run = self.chains * self.side**2 * (self.sweeps + self.thermalization)
        for ratio in self.shown:
            for method in METHODS:
                key, updates = self._curve_key(ratio, method), a_run * len(self.temperatures)
                add(key, measure_order, updates, ratio=ratio, method=method)
        for ratio in self.ratios:
            for method in _CROSSING:
                for side in self.sizes:
                    key = self._near_key(ratio, method, side)
                    updates = self.draws * self.interval(method, side) * LANES * side**2
                    add(key, measure_near, updates, ratio=ratio, method=method, side=side)
            key, updates = self._blind_key(ratio), _LONGER * a_run * len(_BELOW_WEISS)
            add(key, measure_independent, updates, ratio=ratio, method=IndependentQ.name)
        run = disorder.shell_updates(self) * self.shell_temperatures.size
        for method in SHELL_METHODS:
            key = self._shell_key(method)
            add(key, disorder.measure_shells, run, ratio=self.shell_ratio, method=method)
        run = a_run * self.bond_temperatures.size
        for share, number, method in product(
            self.shares, range(1, self.realizations + 1), BOND_METHODS
        ):
            key, which = self._bond_key(share, number, method), {"realization": number}
            add(key, disorder.measure_bonds, run, share=share, method=method, **which)
        return tasks

    def _check(self) -> None:
        """Refuse a bad configuration before any work."""
        for name in ("shown", "ratios"):
            given = getattr(self, name)
            for each in given:
                check_real(f"{name}: each", each, minimum=1.0, maximum=_LARGEST_RATIO)
            if not given or len(set(given)) < len(given):
                raise ValueError(f"{name} must be one or more different ratios; got {given}")
        # three sizes have as many values as the fit has unknowns, and one is left out
        check_even_sides("sizes", self.sizes, 4)
        if max(self.sizes) > _LARGEST_SIZE:
            raise ValueError(f"sizes must be {_LARGEST_SIZE} at most; got {self.sizes}")
        check_counts(self, side=2, draws=60, training_sweeps=1, realizations=2, seed=0)
        check_real("shell_ratio", self.shell_ratio, minimum=0.1, maximum=_LARGEST_RATIO)
        for each in self.shares:
            check_real("shares: each", each, minimum=0.0, maximum=1.0)
        if not self.shares or len(set(self.shares)) < len(self.shares):
            raise ValueError(f"shares must be one or more different ones; got {self.shares}")
        if self.side % 2:
            raise ValueError(f"side must be even; got {self.side}")
        if not self.temperatures.min() > 0:
            raise ValueError(f"temperature must be positive; got {self.temperature}")
        check_real("updates", self.updates, minimum=1.0)
        check_real("memory", self.memory, minimum=1.0)
        check_run_length(self.sweeps, self.thermalization, 1, self.chains)

    def _curve_key(self, ratio: float, method: str) -> str:
        return f"order, {number_texts(self.shown)[ratio]}, {method}"

    def _near_key(self, ratio: float, method: str, side: int) -> str:
        return f"transition, {number_texts(self.ratios)[ratio]}, {method}, L = {side}"

    def _blind_key(self, ratio: float) -> str:
        return f"transition, {number_texts(self.ratios)[ratio]}, {IndependentQ.name}"

    def _shell_key(self, method: str) -> str:
        return f"shells, {method}"

    def _bond_key(self, share: float, realization: int, method: str) -> str:
        return f"bonds, {number_texts(self.shares)[share]}, {realization}, {method}"

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join order over (shown, method, temperature, chain, draw).

        What is measured for critical temperatures lies along ``ratio``. The other names and dims
        begin with ``near_``, with sizes by ``near_level``, or ``independent_``. Those of shells
        and of random bonds begin with ``shell_`` and ``bond_``.
        """
        order = concat_all(results, self._curve_key, shown=sorted(self.shown), method=METHODS)
        ratios = sorted(self.ratios)
        near = concat_all(
            results, self._near_key, ratio=ratios, method=_CROSSING, level=sorted(self.sizes)
        )
        blind = concat_all(results, self._blind_key, ratio=ratios)
        shells = concat_all(results, self._shell_key, method=SHELL_METHODS)
        bonds = concat_all(
            results, self._bond_key, share=sorted(self.shares),
            realization=range(1, self.realizations + 1), method=BOND_METHODS,
        )  # fmt: skip
        parts = [
            order,
            prefixed(shells, _SHELL, ""),
            prefixed(bonds, _BOND, ""),
            prefixed(near, _NEAR, "ratio"),
            prefixed(blind.drop_vars("method"), _BLIND, "ratio"),
        ]
        return xr.merge(parts, combine_attrs="drop_conflicts", join="exact", compat="equals")

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Observables with errors, and critical temperatures of every method and ratio."""
        order = data[["energy", "magnetization"]]
        order = order.drop_vars([x for x in order.coords if str(x).startswith(_PREFIXES)])
        near, blind = (without_prefix(data, prefix, "ratio") for prefix in (_NEAR, _BLIND))
        rows = []
        for ratio in data["ratio"].values:
            found = [results.of_weiss(blind.sel(ratio=ratio, drop=True))]
            found += [
                results.crossing(near.sel({"ratio": ratio, "method": method}, drop=True))
                for method in _CROSSING
            ]
            each = concat(found, "method").assign_coords(method=list(METHODS))
            label = {"long_name": "critical temperature of the theory", "units": "J/k_B"}
            known = [drawing.critical_temperature(method, ratio) for method in METHODS]
            rows.append(each.assign(known_temperature=("method", known, label)))
        critical = concat(rows, "ratio").assign_coords(ratio=data["ratio"])
        parts = [
            prefixed(found(without_prefix(data, prefix, "")), prefix, "")
            for prefix, found in ((_SHELL, results.of_shells), (_BOND, results.of_bonds))
        ]
        return xr.merge([thermodynamics(order), critical, *parts], join="exact", compat="equals")

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw |m| against T with three theories, and T_c against the ratio of the couplings."""
        return drawing.figure(summary)


def measure_order(
    config: Homogenisation,
    ratio: float,
    method: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one method at all temperatures of order."""
    data = simulated(
        config, ratio, method, config.side, config.temperatures, config.training_sweeps,
        seed=seed, folder=folder, progress=progress, sweeps=config.sweeps,
        thermalization=config.thermalization, chains=config.chains,
    )  # fmt: skip
    return data.assign_coords(shown=((), ratio, _RATIO))


def measure_near(
    config: Homogenisation,
    ratio: float,
    method: str,
    side: int,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one method around its own rough critical temperature."""
    centre = rough_critical_temperature(config, ratio, method)
    interval = config.interval(method, side)
    data = simulated(
        config, ratio, method, side, centre * np.exp(np.array(_WINDOW) / side),
        config.training_sweeps, seed=seed, folder=folder, progress=progress,
        sweeps=config.draws * interval, thermalization=max(1, config.draws * interval // 10),
        interval=interval, chains=LANES // len(_WINDOW),
    )  # fmt: skip
    return by_point(numbered(data)).assign_coords(size=side, ratio=((), ratio, _RATIO))


def measure_independent(
    config: Homogenisation,
    ratio: float,
    method: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate independent Q below Weiss's critical temperature."""
    data = simulated(
        config, ratio, method, config.side, _BELOW_WEISS, config.training_sweeps,
        seed=seed, folder=folder, progress=progress, sweeps=_LONGER * config.sweeps,
        thermalization=_LONGER * config.thermalization, chains=config.chains,
    )  # fmt: skip
    return by_point(data).assign_coords(ratio=((), ratio, _RATIO))


@cache
def rough_critical_temperature(config: Homogenisation, ratio: float, method: str) -> float:
    """Critical temperature of a method, within about a hundredth, without prior knowledge.

    First a scan up to Weiss's temperature finds where the Binder cumulant of a small lattice falls.
    Then its crossing with a larger lattice is found nearby.

    Parameters
    ----------
    config : Homogenisation
    ratio : float
    method : str
    """
    seed = task_seed(config.seed, f"{ratio!r}, {method}, scan")

    def scan(side: int, temperature: FloatArray, n_draws: int) -> xr.Dataset:
        interval = _SQUARE.scan_interval(method, side)
        data = simulated(
            config, ratio, method, side, temperature,
            max(1, config.training_sweeps // _SCAN_TRAINING), seed=seed,
            sweeps=n_draws * interval, thermalization=n_draws * interval // 10, interval=interval,
            chains=max(1, LANES // temperature.size),
        )  # fmt: skip
        return numbered(data).assign_coords(size=side)

    found = where_cumulant_falls(scan(_SCANNED_SIZES[0], _SCAN, 200), _SCANNED_CUMULANT)
    near = found * np.exp(_SECOND_SCAN)
    runs = concat([scan(side, near, 1000) for side in _SCANNED_SIZES], "size")
    with warnings.catch_warnings():  # a rough value is enough
        warnings.simplefilter("ignore", FitWarning)
        warnings.simplefilter("ignore", ShortRunWarning)
        crossing = scaling.binder_crossings(runs)
    return float(crossing["crossing_temperature"].item())
