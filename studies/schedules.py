"""Updates of all sites at once, sublattice by sublattice or one by one, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import exact, plots
from analysis.errors import MIN_BLOCKS, jackknife
from analysis.literature import critical_temperature
from analysis.quantities import quantity_attrs
from isingrl import HeatBath, Ising, Lattice, MeanFieldQ, Rule
from isingrl.support.validation import check_run_length
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task
from studies.shared.checks import check_counts, check_names
from studies.shared.combination import concat_all
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import FloatArray, Grid, temperature_grid
from studies.shared.trained_policies import learn_and_simulate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Schedules"]

Schedule = Literal["checkerboard", "sequential", "synchronous"]
Method = Literal["heat-bath", "mean-field-q"]
Neighborhood = Literal["von_neumann", "moore"]

_STARTS = ("up", "random")
_COLORS = {"checkerboard": "#0072B2", "sequential": "#009E73", "synchronous": "#D55E00"}
_TWO_TIME_COLOR = "#CC79A7"
_NAMES = {"von_neumann": "von Neumann", "moore": "Moore"}
_STAGGERED = {"long_name": r"staggered order $|m_A - m_B|/2$", "units": "1"}
_TWO_TIME = {"long_name": "energy per site between successive sweeps", "units": "J"}


@dataclass(frozen=True)
class Schedules:
    """Order and energy against temperature for every order of updates.

    Heat bath and mean-field Q, with von Neumann and Moore neighbours. Updates sublattice by
    sublattice or one by one sample the Gibbs measure; updates of all sites at once sample another
    law.
    """

    shape: tuple[int, int] = (32, 32)
    """Sides of the lattice, both even."""
    reduced_temperature: Grid = (0.6, 1.4, 17)
    """First and last temperature over the critical one, and how many, evenly spaced."""
    neighborhoods: tuple[Neighborhood, ...] = ("von_neumann", "moore")
    """Neighbours: one step along an axis, or one step along every axis."""
    methods: tuple[Method, ...] = ("heat-bath", "mean-field-q")
    """Rules of the spin updates."""
    schedules: tuple[Schedule, ...] = ("checkerboard", "sequential", "synchronous")
    """Order of updates: sublattice by sublattice, random sites, all sites at once."""
    training_sweeps: int = 300
    """Learning sweeps of agents, on the same schedule, before the measurement."""
    sweeps: int = 3_000
    """Measured sweeps a chain."""
    thermalization: int = 1_000
    """Sweeps a chain before the first measured one."""
    interval: int = 20
    """Sweeps between measurements, each of which keeps the configuration."""
    chains: int = 4
    """Independent chains at every temperature and from every start."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = dict.fromkeys(
        ("neighborhoods", "methods", "schedules"), added
    )

    @property
    def reduced(self) -> FloatArray:
        """All temperatures over the critical one, shape (number,)."""
        return temperature_grid("reduced_temperature", self.reduced_temperature)

    def model(self, neighborhood: str) -> Ising:
        """Return the ferromagnet without field."""
        return Ising(Lattice(self.shape, neighborhood))

    def temperatures(self, neighborhood: str) -> FloatArray:
        """Return the temperatures in J/k_B, shape (number,)."""
        critical = critical_temperature(2, neighborhood)
        assert critical is not None
        return self.reduced * critical

    def tasks(self) -> list[Task]:
        """One task for every neighbourhood, method, schedule and start."""
        if len(self.shape) != 2 or any(side % 2 for side in self.shape):
            raise ValueError(f"shape must have two even sides; got {self.shape}")
        check_names("neighborhoods", self.neighborhoods, get_args(Neighborhood))
        check_names("methods", self.methods, get_args(Method))
        check_names("schedules", self.schedules, get_args(Schedule))
        check_run_length(self.sweeps, self.thermalization, self.interval, self.chains)
        if self.sweeps // self.interval * self.chains < MIN_BLOCKS:
            raise ValueError(
                f"sweeps must give at least {MIN_BLOCKS} draws over all chains; got {self.sweeps} "
                f"with interval = {self.interval} and chains = {self.chains}"
            )
        check_counts(self, training_sweeps=1, seed=0)
        number, alone = len(self.reduced), unextended(self)
        return [
            Task(
                key=_key(neighborhood, method, schedule, start),
                function=measure,
                arguments={
                    "config": alone, "neighborhood": neighborhood, "method": method,
                    "schedule": schedule, "start": start,
                },
                weight=number,
                resumable=True,
            )
            for neighborhood in self.neighborhoods
            for method in self.methods
            for schedule in self.schedules
            for start in _STARTS
        ]  # fmt: skip

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join starts, schedules, methods and neighbourhoods."""
        return concat_all(
            results, _key, neighborhood=self.neighborhoods, method=self.methods,
            schedule=self.schedules, start=_STARTS,
        )  # fmt: skip

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Means with errors over chains and draws."""
        order = abs(data["magnetization"]).assign_attrs(quantity_attrs("abs_magnetization"))
        difference = (data["magnetization_a"] - data["magnetization_b"]) / 2
        series = xr.Dataset(
            {
                "abs_magnetization": order,
                "energy": data["energy"],
                "two_time_energy": data["two_time_energy"],
                "staggered": abs(difference).assign_attrs(_STAGGERED),
            }
        )
        summary = jackknife(
            series, lambda samples: samples.mean(("chain", "draw"), keep_attrs=True)
        )
        of_chain = {**_STAGGERED, "long_name": f"{_STAGGERED['long_name']} of each chain"}
        summary["staggered_by_chain"] = series["staggered"].mean("draw").assign_attrs(of_chain)
        return summary.assign_attrs(data.attrs)

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw order and energy from up, and both orders from random starts."""
        rows = len(self.neighborhoods)
        figure = new_figure(figsize=(10.5, 3.1 * rows + 0.9), layout="constrained")
        axes = figure.subplots(rows, 3, squeeze=False)
        for neighborhood, row in zip(self.neighborhoods, axes, strict=True):
            chosen = summary.sel({"neighborhood": neighborhood})
            if neighborhood == "von_neumann":
                self._draw_known(row, self.temperatures(neighborhood))
            for schedule in self.schedules:
                for method in self.methods:
                    one = chosen.sel({"schedule": schedule, "method": method})
                    up, random = (one.sel({"start": start}) for start in _STARTS)
                    _points(row[0], up, "abs_magnetization", method, _COLORS[schedule], schedule)
                    _points(row[1], up, "energy", method, _COLORS[schedule])
                    if schedule == "synchronous":
                        _points(row[1], up, "two_time_energy", method, _TWO_TIME_COLOR,
                                "synchronous, successive sweeps")  # fmt: skip
                    chains = random["staggered_by_chain"].transpose(..., "chain")
                    look = plots.method_style(method) | {"color": _COLORS[schedule]}
                    row[2].plot(random["temperature"], chains, ls="none", **look)
            name = _NAMES[neighborhood]
            row[0].set(ylabel="absolute magnetization per site", ylim=(-0.03, 1.03))
            row[1].set(ylabel="energy per site ($J$)")
            row[2].set(ylabel=_STAGGERED["long_name"], ylim=(-0.03, 1.03))
            for ax, start in zip(row, ("all up", "all up", "random, every chain"), strict=True):
                ax.set_title(f"{name}, from {start}")
            for ax in row:
                ax.title.set_fontsize("medium")
                ax.set_xlabel(plots.axis_label(summary["temperature"]))
                critical = critical_temperature(2, neighborhood)
                assert critical is not None
                plots.critical_temperature(ax, critical)
        for method in self.methods:
            look = plots.method_style(method) | {"color": "0.1"}
            axes[0, 0].plot([], [], ls="none", label=plots.method_label(method), **look)
        legend_below(figure, axes.flat, 5, fontsize="small")
        sides = " × ".join(map(str, self.shape))
        figure.suptitle(
            f"{sides} sites, {self.chains} chains of {self.sweeps:,} sweeps", fontsize="medium"
        )
        return figure

    def _draw_known(self, row: Any, temperature: FloatArray) -> None:
        """Draw exact results of the square lattice."""
        left, middle, right = row
        grid = np.linspace(temperature.min(), temperature.max(), 301)
        infinite = exact.square_lattice(grid)
        m = infinite["abs_magnetization"].values
        torus = exact.torus(self.shape, grid)["energy"].values
        left.plot(grid, m, lw=1.0, color="0.35", label="exact, infinite")
        middle.plot(grid, torus, lw=1.0, ls="--", color="0.0", label="exact, Gibbs, this torus")
        middle.plot(grid, -2 * m**2, lw=1.0, color="0.35", ls=":", label=r"$-2m^2$, exact $m$")
        right.plot(grid, m, lw=1.0, color="0.35")


def _key(neighborhood: str, method: str, schedule: str, start: str) -> str:
    return f"{neighborhood}, {method}, {schedule}, {start}"


def measure(
    config: Schedules,
    neighborhood: str,
    method: str,
    schedule: str,
    start: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one method on one schedule from one start, at all temperatures."""
    model, temperature = config.model(neighborhood), config.temperatures(neighborhood)
    data, rule = learn_and_simulate(
        model, MeanFieldQ() if method == MeanFieldQ.name else HeatBath(), temperature,
        training={"sweeps": config.training_sweeps, "schedule": schedule}, seed=seed,
        folder=folder, progress=progress, sweeps=config.sweeps,
        thermalization=config.thermalization, interval=config.interval, chains=config.chains,
        start=start, schedule=schedule, snapshots=config.sweeps // config.interval,
    )  # fmt: skip
    spins = data["spins"].values
    data = data.drop_dims("snapshot").drop_vars("softmax_temperature", errors="ignore")
    even = np.indices(config.shape).sum(axis=0) % 2 == 0
    dims = ("temperature", "chain", "draw")
    for name, side, sites in (("a", "even", even), ("b", "odd", ~even)):
        label = {"long_name": f"magnetization of the {side} sites", "units": "1"}
        data[f"magnetization_{name}"] = (dims, spins[..., sites].mean(axis=-1), label)
    two_time = _two_time_energy(model, rule, temperature, spins)
    data["two_time_energy"] = (dims, two_time, _TWO_TIME)
    data.attrs = {"versions": data.attrs["versions"]}
    data = data.rename(temperature="reduced_temperature")
    label = {"long_name": "temperature over the critical one", "units": "1"}
    return data.assign_coords(
        reduced_temperature=("reduced_temperature", config.reduced, label),
        temperature=("reduced_temperature", temperature, quantity_attrs("temperature")),
        neighborhood=neighborhood, schedule=schedule, start=start,
    )  # fmt: skip


def _two_time_energy(
    model: Ising, rule: Rule, temperature: FloatArray, spins: npt.NDArray[np.int8]
) -> FloatArray:
    """Energy of bonds from a configuration to the configuration one synchronous sweep later.

    The rule gives its mean over the outcomes of the sweep, −(J/2N) Σ_i S_i ⟨s_i(t + 1)⟩.
    """
    lattice = model.lattice
    energy = np.empty(spins.shape[:3])
    for index, t in enumerate(temperature):
        flat = spins[index].reshape(*spins.shape[1:3], -1).astype(np.int64)
        table = rule.compile(model, np.array([t]))
        moved = 2 * table.probabilities(lattice, flat)[0] - 1
        sums = flat[..., lattice.neighbors].sum(axis=-1)
        energy[index] = -model.one_coupling() * (sums * moved).mean(axis=-1) / 2
    return energy


def _points(
    ax: Any, one: xr.Dataset, name: str, method: str, color: str, label: str | None = None
) -> None:
    ax.errorbar(
        one["temperature"], one[name], one[f"{name}_error"], ls="none", elinewidth=0.9,
        capsize=2.0, label=label, zorder=3, **plots.method_style(method) | {"color": color},
    )  # fmt: skip
