"""Magnetization, energy and their responses against temperature, method beside method."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt
import tyro
import xarray as xr

from analysis import exact, plots, thermodynamics
from analysis.exact import MAX_SITES
from analysis.literature import critical_temperature
from isingrl import (
    Agent,
    Dynamics,
    HeatBath,
    IndependentQ,
    Ising,
    Lattice,
    Learning,
    MeanFieldQ,
    Metropolis,
    NeighborhoodQ,
    SwendsenWang,
    Wolff,
)
from isingrl.agents.temperatures import departures_on, warn_of_temperature
from isingrl.schedules import SCHEDULES, Schedule
from isingrl.support.validation import check_choice, check_integer, check_run_length
from studies.running.extensions import Join, added, added_grids, longer, unextended
from studies.running.tasks import Task
from studies.shared.checks import check_counts, check_names
from studies.shared.combination import concat, numbered
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import block_texts
from studies.shared.trained_policies import learn_and_simulate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Method = Literal[
    "metropolis", "heat-bath", "swendsen-wang", "wolff", "mean-field-q", "neighborhood-q",
    "independent-q",
]  # fmt: skip
_RULES: dict[str, Callable[[], Dynamics]] = {
    rule.name: rule for rule in (Metropolis, HeatBath, SwendsenWang, Wolff)
}
_AGENTS: dict[str, type[Agent]] = {
    agent.name: agent for agent in (MeanFieldQ, NeighborhoodQ, IndependentQ)
}
_CLUSTERS = (SwendsenWang.name, Wolff.name)
_LEARNS_ON = "independent-q"  # its policy is valid only among the agents that it learned with
_NOT_TEMPERED = (*_CLUSTERS, _LEARNS_ON)
_RATE = 0.1
_MEMORY = 10  # sweeps; a shorter memory adds noise that shifts the magnetization, a longer one lags
_PANELS = ("abs_magnetization", "energy", "susceptibility", "specific_heat")
_NEIGHBORHOODS = {
    "von_neumann": "von Neumann neighbours",
    "moore": "Moore neighbours",
    "triangular": "triangular lattice",
    "honeycomb": "honeycomb lattice",
}
_LANES = 64  # chains that fill a block of the bit-lane engine
_SAME = 1e-9  # temperatures at a smaller distance are equal
_STRIP = 128  # sites of a strip of a chain; shorter ones are slower


@dataclass(frozen=True)
class Curve:
    """Magnetization, energy, susceptibility and specific heat against temperature.

    Each method with error bars, beside known exact results of the infinite and the finite lattice.
    The output folder gets data.nc, summary.nc, figure.png and config.json.

    Examples
    --------
    >>> from studies.curve import Curve
    >>> study = Curve(shape=(16, 16), temperature=(2.0, 3.0, 5), methods=("heat-bath",))
    >>> [float(t) for t in study.grids[0]]
    [2.0, 2.25, 2.5, 2.75, 3.0]
    >>> [task.key for task in study.tasks()]
    ['heat-bath, T = 2 … 3, seed 1']
    """

    shape: tuple[int, ...] = (64, 64)
    """Sides of the lattice, one to three."""
    neighborhood: Literal["von_neumann", "moore", "triangular", "honeycomb"] = "von_neumann"
    """Neighbours: one step along an axis; one step along every axis; or, with two sides, the
    six of the triangular or the three of the honeycomb lattice."""
    boundary: Literal["periodic", "free"] = "periodic"
    """Whether opposite faces are joined."""
    temperature: Annotated[
        tuple[float, ...], tyro.conf.arg(metavar="FIRST LAST NUMBER [FIRST LAST NUMBER ...]")
    ] = (1.5, 3.5, 32)
    """First and last temperature in J/k_B, and how many, evenly spaced; or several such grids."""
    methods: tuple[Method, ...] = ("metropolis", "mean-field-q")
    """Rules of the spin updates."""
    reward: Literal["energy", "half", "mean", "chapter-1d", "chapter-2d"] = "energy"
    """Reward of the agents."""
    discount: float = 0.0
    """Discount of the agents; above 0 the map to temperature is not exact."""
    learning_rate: float | None = None
    """Learning rate of the agents; by default 0.1. Agents of independent Q learn while they are
    measured; their default rate gives a memory of ten sweeps."""
    training_sweeps: int = 500
    """Learning sweeps before the measurement; not for independent Q."""
    sweeps: int = 10_000
    """Measured sweeps a chain."""
    thermalization: int = 1_000
    """Sweeps a chain before the first measured one."""
    interval: int = 1
    """Sweeps between measurements. Independent Q, which costs more a sweep, is measured as many
    times, but at every sweep."""
    chains: int = 2
    """Independent chains at every temperature."""
    start: Literal["up", "down", "random"] = "up"
    """First configuration; below the transition random ones can freeze into stripes, but not with
    cluster updates."""
    schedule: Schedule = "checkerboard"
    """Order of updates: sublattice by sublattice, random sites, all sites at once; not for
    cluster updates."""
    tempering: int = 0
    """Sweeps between exchanges of configurations between neighbouring temperatures of a grid
    (parallel tempering); 0 for none. Not for cluster updates and independent Q."""
    seed: tuple[int, ...] = (1,)
    """Seeds of all random numbers. Each seed has its own trainings and chains; all chains lie
    along one dim."""

    extends: ClassVar[Mapping[str, Join]] = {
        "temperature": added_grids,
        "methods": added,
        "sweeps": longer,
        "seed": added,
    }

    @property
    def model(self) -> Ising:
        """The ferromagnet without field on the lattice of the configuration."""
        return Ising(Lattice(self.shape, self.neighborhood, self.boundary))

    def agent(self, method: str) -> Agent:
        """Return the agents of a method."""
        rate = self.learning_rate
        if rate is None:
            n_sites = self.model.lattice.n_sites
            rate = 1 / (_MEMORY * n_sites) if method == _LEARNS_ON else _RATE
        return _AGENTS[method](self.reward, self.discount, rate)

    @property
    def grids(self) -> list[npt.NDArray[np.float64]]:
        """Temperatures of every grid that no earlier grid has."""
        given = self.temperature
        if not given or len(given) % 3:
            raise ValueError(
                f"temperature must be first, last and number, once or several times; got {given}"
            )
        grids: list[npt.NDArray[np.float64]] = []
        for k in range(0, len(given), 3):
            first, last, number = given[k : k + 3]
            for value in (first, last):
                if not (np.isfinite(value) and value >= 0):
                    raise ValueError(
                        "temperature must be two finite non-negative numbers and how many; got "
                        f"{value}"
                    )
            if number < 1 or number != int(number) or (number > 1 and first == last):
                raise ValueError(
                    "temperature must end with a number of at least 1, and differ in its ends if "
                    f"it is more; got {first:g} {last:g} {number:g}"
                )
            grid = np.linspace(first, last, int(number))
            known = np.concatenate([*grids, []])
            near = np.isclose(grid[:, None], known, rtol=_SAME, atol=_SAME).any(axis=1)
            grids.append(grid[~near])
        return grids

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest temperature."""
        temperatures = np.concatenate(self.grids)
        return float(temperatures.min()), float(temperatures.max())

    def tasks(self) -> list[Task]:
        """One task for as many temperatures as fill the lanes, for every method and seed.

        With tempering, one task for all temperatures of a grid.
        """
        self._check()
        lanes = max(1, _LANES // max(1, self.shape[-1] // _STRIP))
        together = max(1, lanes // self.chains)
        blocks = [
            block
            for grid in self.grids
            if len(grid)
            for block in np.array_split(grid, 1 if self.tempering else -(-len(grid) // together))
        ]
        alone = unextended(self)
        texts = block_texts(blocks)
        return [
            Task(
                key=f"{method}, T = {text}, seed {seed}",
                function=measure,
                arguments={"config": alone, "method": method, "temperature": tuple(block)},
                weight=len(block),
                resumable=True,
                sweeps=self.sweeps,
                seed=seed,
            )
            for seed in self.seed
            for method in self.methods
            for block, text in zip(blocks, texts, strict=True)
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join temperatures, then seeds along the chains, then methods."""
        by_task: dict[tuple[str, Any], list[xr.Dataset]] = defaultdict(list)
        for task in self.tasks():
            by_task[task.arguments["method"], task.seed].append(results[task.key])
        by_method = []
        for method in self.methods:
            by_seed = [concat(by_task[method, seed], "temperature") for seed in self.seed]
            by_method.append(concat(by_seed, "chain") if len(by_seed) > 1 else by_seed[0])
        data = concat(by_method, "method").sortby("temperature")
        seeds = np.repeat(self.seed, self.chains)
        data = data.assign_coords(chain=np.arange(len(seeds)), seed=("chain", seeds))
        data["seed"].attrs["long_name"] = "seed"
        return data

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Observables with errors."""
        return thermodynamics(data)

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw four panels against temperature, with exact results, and the agents' τ on top."""
        figure = new_figure(figsize=(9.0, 7.0), layout="constrained")
        agents_shown = [method for method in self.methods if method in _AGENTS]
        for method in agents_shown:
            warn_of_temperature(method, departures_on(self.agent(method), self.model), stacklevel=2)
        results = self._exact_results()
        first, last = self.ends
        axes = figure.subplots(2, 2, sharex=True)
        tc = critical_temperature(len(self.shape), self.neighborhood)
        for ax, name in zip(axes.flat, _PANELS, strict=True):
            for result in results:
                if name in result:
                    plots.exact_curve(result, name, ax)
            plots.observable(summary, name, ax)
            if tc is not None and first <= tc <= last:
                plots.critical_temperature(ax, tc)
        for ax in axes[0]:
            ax.set_xlabel("")
        if agents_shown:
            agents = summary.sel({"method": agents_shown[0]})
            for ax in axes[0]:
                plots.softmax_axis(ax, agents)
        legend_below(figure, axes.flat, 5)
        sides = " × ".join(map(str, self.shape))
        chains = self.chains * len(self.seed)
        length = f"{chains} chains of {self.sweeps:,} sweeps"
        if _LEARNS_ON in self.methods and self.interval > 1:
            length += f", independent Q of {self.sweeps // self.interval:,}"
        neighbors = f"{_NEIGHBORHOODS[self.neighborhood]}, {self.boundary}"
        figure.suptitle(f"Ising model on {sides} sites ({neighbors}): {length}", fontsize="medium")
        return figure

    def _exact_results(self) -> list[xr.Dataset]:
        """Exact results on a finer grid, for this lattice and for the infinite one."""
        first, last = self.ends
        grid = np.linspace(first, last, 401) if first != last else np.array([first])
        model = self.model
        lattice = model.lattice
        square = lattice.ndim == 2 and self.neighborhood == "von_neumann"
        results = [exact.square_lattice(grid)] if square else []
        if lattice.n_sites <= min(MAX_SITES, 25):
            results.append(exact.enumeration(model, grid))
        elif square and lattice.periodic:
            results.append(exact.torus(lattice.shape, grid))
        elif lattice.ndim == 1 and lattice.periodic:
            results.append(exact.ring(lattice.n_sites, grid))
        if _LEARNS_ON in self.methods and lattice.periodic:
            results.append(exact.weiss(model, grid))
        return results

    def _check(self) -> None:
        """Refuse a bad configuration before any work."""
        check_names("methods", self.methods, get_args(Method))
        check_run_length(self.sweeps, self.thermalization, self.interval, self.chains)
        check_counts(self, training_sweeps=1)
        check_choice("start", self.start, ("random", *Ising.starts))
        check_integer("tempering", self.tempering, 0)
        check_choice("schedule", self.schedule, SCHEDULES)
        if not isinstance(self.seed, tuple) or not 0 < len(self.seed) == len(set(self.seed)):
            raise ValueError(f"seed must be a tuple of different seeds; got {self.seed}")
        for seed in self.seed:
            check_integer("seed", seed, 0)
        for method in self.methods:
            if method in _AGENTS:
                self.agent(method).check_model(self.model)
        if self.tempering:
            self._check_tempering()

    def _check_tempering(self) -> None:
        """Refuse what `isingrl.Tempering` would refuse after the training."""
        if any(len(grid) < 2 for grid in self.grids):
            raise ValueError(
                "temperature must have grids of two or more with tempering, which exchanges "
                f"neighbours in a grid; got {self.temperature}"
            )
        if self.schedule == "synchronous":
            raise ValueError("schedule must not be 'synchronous' with tempering")
        for method in self.methods:
            if method in _AGENTS and method not in _NOT_TEMPERED:
                for reason in departures_on(self.agent(method), self.model):
                    raise ValueError(
                        f"tempering needs agents at the temperature of the model; of {method}, "
                        f"{reason}"
                    )


def measure(
    config: Curve,
    method: str,
    temperature: tuple[float, ...],
    *,
    sweeps: int,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one method at some temperatures; agents learn first."""
    rule: Any = _RULES[method]() if method in _RULES else config.agent(method)
    schedule = "checkerboard" if method in _CLUSTERS else config.schedule
    thermalization, interval = config.thermalization, config.interval
    if method == _LEARNS_ON:
        rule = Learning(rule)
        sweeps, thermalization, interval = sweeps // interval, thermalization // interval, 1
    data, _ = learn_and_simulate(
        config.model, rule, temperature,
        training={"sweeps": config.training_sweeps, "schedule": config.schedule}, seed=seed,
        folder=folder, progress=progress, sweeps=sweeps, thermalization=thermalization,
        interval=interval, chains=config.chains, start=config.start, schedule=schedule,
        tempering=0 if method in _NOT_TEMPERED else config.tempering,
    )  # fmt: skip
    data = data.assign_coords(method=method)  # without its prefix for tempering
    if "softmax_temperature" not in data.coords:
        none = np.full(len(temperature), np.nan)
        data = data.assign_coords(softmax_temperature=("temperature", none))
    return numbered(data)
