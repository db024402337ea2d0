"""The simple cubic lattice with 6 and with 26 neighbours: mean-field Q beside Metropolis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import xarray as xr

from analysis import exact, plots, thermodynamics
from analysis.literature import critical_temperature
from isingrl import Ising, Lattice
from isingrl.lattice import NEIGHBORHOODS
from isingrl.support.validation import check_run_length
from studies.running.extensions import Join, longer, unextended
from studies.running.tasks import Task
from studies.shared.checks import check_counts
from studies.shared.combination import by_point, concat
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import FloatArray, Grid, ascending_grid, block_texts
from studies.shared.trained_policies import METHODS, learn_and_simulate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TITLES = {"von_neumann": "6 neighbours", "moore": "26 neighbours"}
_CHAINS_TOGETHER = 64  # of one block of the bit-lane engine


@dataclass(frozen=True)
class ThreeDimensions:
    """Mean-field Q on the simple cubic lattice, with 6 and with 26 neighbours.

    A joint action of 26 neighbours has 67,108,864 values; their mean has 27. Magnetization
    against temperature beside Metropolis, and the difference in units of its error.
    """

    side: int = 32
    """L of the lattice of L × L × L sites; an even one takes the fast engine."""
    reduced_temperature: Grid = (0.5, 1.1, 31)
    """First and last temperature in units of zJ/k_B, Weiss's critical temperature; how many."""
    training_sweeps: int = 200
    """Learning sweeps of the agents before the measurement."""
    sweeps: int = 10_000
    """Measured sweeps a chain."""
    thermalization: int = 1_000
    """Sweeps a chain before the first measured one."""
    interval: int = 10
    """Sweeps between measurements."""
    chains: int = 2
    """Independent chains at every temperature, from all spins up."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {"sweeps": longer}

    def model(self, neighborhood: str) -> Ising:
        """Return the ferromagnet with these neighbours."""
        return Ising(Lattice((self.side,) * 3, neighborhood))

    def temperatures(self, neighborhood: str) -> FloatArray:
        """All temperatures in J/k_B, shape (number,)."""
        reduced = ascending_grid("reduced_temperature", self.reduced_temperature, 2)
        return self.model(neighborhood).lattice.coordination_number * reduced

    def tasks(self) -> list[Task]:
        """One task for every neighbourhood, method and block of temperatures."""
        check_counts(self, side=2, training_sweeps=1, seed=0)
        check_run_length(self.sweeps, self.thermalization, self.interval, self.chains)
        tasks, alone = [], unextended(self)
        for neighborhood in NEIGHBORHOODS:
            temperatures = self.temperatures(neighborhood)
            n_blocks = -(-len(temperatures) * self.chains // _CHAINS_TOGETHER)
            blocks = np.array_split(temperatures, min(n_blocks, len(temperatures)))
            texts = block_texts(blocks)
            tasks += [
                Task(
                    key=f"{_TITLES[neighborhood]}, {method}, T = {text}",
                    function=measure,
                    arguments={
                        "config": alone, "neighborhood": neighborhood, "method": method,
                        "temperature": tuple(block),
                    },
                    weight=len(block),
                    resumable=True,
                    sweeps=self.sweeps,
                )
                for method in METHODS
                for block, text in zip(blocks, texts, strict=True)
            ]  # fmt: skip
        return tasks

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join everything; temperatures lie over (neighborhood, point)."""
        blocks: dict[tuple[str, str], list[xr.Dataset]] = defaultdict(list)
        for data in results.values():
            blocks[data["neighborhood"].item(), data["method"].item()].append(data)
        parts = []
        for neighborhood in NEIGHBORHOODS:
            methods = [concat(blocks[neighborhood, method], "temperature") for method in METHODS]
            parts.append(by_point(concat(methods, "method")))
        return concat(parts, "neighborhood").set_coords("temperature")

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Observables with errors; ``deviation`` of |m| in units of its error, ``chi_square``."""
        parts = []
        for neighborhood in NEIGHBORHOODS:
            chosen = data.sel(neighborhood=neighborhood).swap_dims(point="temperature")
            summary = thermodynamics(chosen)
            order, error = summary["abs_magnetization"], summary["abs_magnetization_error"]
            metropolis, agents = ({"method": name} for name in METHODS)
            spread = np.hypot(error.sel(agents), error.sel(metropolis))
            summary["deviation"] = (order.sel(agents) - order.sel(metropolis)) / spread
            parts.append(by_point(summary))
        joined = concat(parts, "neighborhood").set_coords("temperature")
        joined["deviation"].attrs = {"long_name": "difference over its error", "units": "1"}
        joined["chi_square"] = (joined["deviation"] ** 2).sum("point")
        return joined

    def plot(self, summary: xr.Dataset) -> Figure:
        """|m| against temperature for both neighbourhoods, and the methods' difference."""
        figure = new_figure(figsize=(9.0, 6.0), layout="constrained")
        axes = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=(3, 1))
        for column, neighborhood in enumerate(NEIGHBORHOODS):
            top, bottom = axes[:, column]
            model = self.model(neighborhood)
            chosen = summary.sel(neighborhood=neighborhood).swap_dims(point="temperature")
            ends = chosen["temperature"].values[[0, -1]]
            grid = np.linspace(ends[0], ends[1], 401)
            plots.exact_curve(exact.weiss(model, grid), "abs_magnetization", top)
            plots.observable(chosen.drop_vars("deviation"), "abs_magnetization", top)
            if (known := critical_temperature(3, neighborhood)) is not None:
                for ax in (top, bottom):
                    plots.critical_temperature(ax, known)
            top.set(title=_TITLES[neighborhood], xlabel="")
            bottom.axhspan(-2, 2, color="0.9", zorder=0)
            bottom.plot(chosen["temperature"], chosen["deviation"], "o", color="0.2", ms=3.5)
            bottom.set(xlabel=plots.axis_label(chosen["temperature"]))
            square = float(chosen["chi_square"])
            number = int(chosen["deviation"].notnull().sum())
            bottom.text(
                0.02, 0.06, rf"$\chi^2$ = {square:.1f} for {number}", transform=bottom.transAxes
            )
        for ax in axes[:, 1]:
            ax.set_ylabel("")
        axes[1, 0].set(ylabel="mean-field Q less\nMetropolis, in errors", ylim=(-4.5, 4.5))
        legend_below(figure, axes[0], 4)
        figure.suptitle(
            f"Simple cubic lattice, {self.side}³ sites: {self.chains} chains of "
            f"{self.sweeps:,} sweeps"
        )
        return figure


def measure(
    config: ThreeDimensions,
    neighborhood: str,
    method: str,
    temperature: tuple[float, ...],
    *,
    sweeps: int,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one method at some temperatures; agents learn first."""
    data, _ = learn_and_simulate(
        config.model(neighborhood), METHODS[method](), temperature,
        training={"sweeps": config.training_sweeps}, seed=seed, folder=folder, progress=progress,
        sweeps=sweeps, thermalization=config.thermalization, interval=config.interval,
        chains=config.chains, start="up",
    )  # fmt: skip
    return data.drop_vars("softmax_temperature", errors="ignore")
