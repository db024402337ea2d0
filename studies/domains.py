"""Domains of equal spins against the temperature, and the largest one against the lattice size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr

from analysis import domain_statistics, exact, plots, power_law, size_distribution
from analysis.errors import jackknife
from analysis.literature import geometric_domains
from isingrl import Ising, Lattice, MeanFieldQ
from isingrl.support.validation import check_integer, check_real
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task
from studies.shared.checks import check_counts
from studies.shared.combination import concat
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import FloatArray, Grid, ascending_grid
from studies.shared.trained_policies import METHODS, learn_and_simulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DIMS = ("chain", "snapshot")
_MEASURED = (
    "largest_fraction", "site_mean_size_without_largest", "wall_density", "wraps_any",
)  # fmt: skip
_LANES = 64  # chains times temperatures of one block of the fast engine
_DYNAMIC_EXPONENT = 2.17  # a relaxation time is about L^z sweeps; Nightingale & Blöte, PRL 1996


@dataclass(frozen=True)
class Domains:
    """Domains of equal spins on the square lattice: mean-field Q beside Metropolis.

    Their sizes, walls and wrapping against the temperature; at the critical temperature the
    distribution of their sizes and the fractal dimension of the largest.
    """

    side: int = 64
    """L of the lattice of L × L sites that is simulated at several temperatures."""
    temperature: Grid = (1.8, 3.3, 16)
    """First and last temperature in J/k_B, and how many, evenly spaced."""
    sizes: tuple[int, ...] = (12, 16, 24, 32, 48, 64, 96)
    """Sides of the lattices at the critical temperature, even numbers."""
    relaxation_times: float = 20.0
    """Length of a chain in units of L^2.17 sweeps, about the longest relaxation time."""
    snapshots: int = 100
    """Configurations of each chain in which domains are counted."""
    training_sweeps: int = 200
    """Learning sweeps of the agents before the measurement."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {"sizes": added}

    @property
    def temperatures(self) -> FloatArray:
        """Temperatures in J/k_B, shape (number,)."""
        return ascending_grid("temperature", self.temperature, 2)

    def sweeps(self, side: int) -> int:
        """Sweeps of a chain, a multiple of the number of snapshots."""
        wished = self.relaxation_times * side**_DYNAMIC_EXPONENT
        return self.snapshots * max(1, int(wished / self.snapshots))

    def tasks(self) -> list[Task]:
        """One task for every method, for the temperatures and for each size."""
        check_counts(self, side=2, snapshots=20, training_sweeps=1, seed=0)
        check_real("relaxation_times", self.relaxation_times, minimum=1.0)
        if len(set(self.sizes)) < max(len(self.sizes), 3):
            raise ValueError(f"sizes must be three or more different sides; got {self.sizes}")
        for size in self.sizes:
            check_integer("sizes: each", size, 2)
        critical = exact.CRITICAL_TEMPERATURE
        runs = [(self.side, tuple(self.temperatures)), *((L, (critical,)) for L in self.sizes)]
        alone = unextended(self)
        return [
            Task(
                key=_key(method, side, len(temperature)),
                function=measure,
                arguments={
                    "config": alone, "method": method, "side": side, "temperature": temperature
                },
                weight=max(1, self.sweeps(side) * side**2 >> 20),
                resumable=True,
            )
            for method in METHODS
            for side, temperature in runs
        ]  # fmt: skip

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the temperatures, and the sizes at the critical one as ``critical_NAME``."""
        sides = sorted(self.sizes)
        scans, critical = [], []
        for method in METHODS:
            scans.append(results[_key(method, self.side, len(self.temperatures))])
            found = [results[_key(method, side, 1)] for side in sides]
            sizes = [data.isel(temperature=0, drop=True).drop_vars("picture") for data in found]
            without = [data.drop_dims("size_bin") for data in sizes]
            joined = xr.concat(without, "size", combine_attrs="drop_conflicts")
            largest = sizes[-1]
            joined["size_histogram"] = largest["size_histogram"]
            joined = joined.assign_coords(size=sides, bin_width=largest["bin_width"])
            critical.append(joined)
        at_critical = concat(critical, "method").drop_vars(["n_sites", "sides"])
        at_critical = at_critical.rename({str(v): f"critical_{v}" for v in at_critical.data_vars})
        at_critical = at_critical.rename({dim: f"critical_{dim}" for dim in _DIMS})
        scanned = concat(scans, "method").drop_dims("size_bin")
        return xr.merge(
            [scanned, at_critical], combine_attrs="drop_conflicts", join="exact", compat="equals"
        )

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Means with errors; at the critical temperature n_s and the fractal dimension."""
        mean = jackknife(data[[*_MEASURED]], lambda samples: samples.mean(_DIMS), dims=_DIMS)
        for name in mean:
            mean[name].attrs = data[str(name).removesuffix("_error")].attrs
        mean["picture"] = data["picture"]
        critical = data.drop_dims(_DIMS).rename({f"critical_{dim}": dim for dim in _DIMS})
        largest = critical["critical_largest_fraction"] * critical["size"] ** 2.0
        largest = largest.rename("largest_size").assign_attrs(
            long_name="mean size of the largest domain at the critical temperature", units="sites"
        )
        found = jackknife(largest, lambda samples: samples.mean(_DIMS), dims=_DIMS)
        mean = mean.merge(found, compat="equals")
        mean["largest_size"].attrs = largest.attrs
        fit = power_law(mean["largest_size"], mean["largest_size_error"], "size")
        fit = fit.rename(exponent="fractal_dimension", exponent_error="fractal_dimension_error")
        counted = critical["critical_size_histogram"].to_dataset(name="size_histogram")
        counted = counted.assign_coords(n_sites=max(self.sizes) ** 2)
        distribution = size_distribution(counted).drop_vars("n_sites")
        return mean.merge(fit, compat="equals").merge(distribution, compat="equals")

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw maps of domains, their statistics against T, and the critical ones against size."""
        figure = new_figure(figsize=(10.5, 9.0), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(1, 2.3))
        top, bottom = parts
        _draw_pictures(top, summary)
        axes = bottom.subplots(2, 3)
        known = exact.CRITICAL_TEMPERATURE
        grid = np.linspace(*self.temperature[:2], 401)
        panels = {
            "largest_fraction": "share of the largest domain",
            "site_mean_size_without_largest": "mean size of a site's domain,\n"
            "without the largest (sites)",
            "wall_density": "walls per pair of neighbours",
            "wraps_any": "share of configurations\nwith a domain that wraps",
        }
        for ax, (name, label) in zip(axes.flat, panels.items(), strict=False):
            plots.observable(summary[[name, f"{name}_error"]], name, ax)
            plots.critical_temperature(ax, known)
            ax.set(ylabel=label, xlabel="temperature ($J/k_\\mathrm{B}$)")
        walls = (1 + exact.square_lattice(grid)["energy"] / 2) / 2
        axes[0, 2].plot(grid, walls, color="0.35", lw=1, zorder=0, label="exact, infinite lattice")
        _draw_sizes(axes[1, 1], summary)
        _draw_largest(axes[1, 2], summary)
        legend_below(bottom, axes.flat, 6)
        return figure


def _key(method: str, side: int, n_temperatures: int) -> str:
    return f"{method}, L = {side}, {n_temperatures} temperature(s)"


def measure(
    config: Domains,
    method: str,
    side: int,
    temperature: tuple[float, ...],
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one method on one lattice and count the domains; agents learn first."""
    sweeps = config.sweeps(side)
    data, _ = learn_and_simulate(
        Ising(Lattice((side, side))), METHODS[method](), temperature,
        training={"sweeps": config.training_sweeps}, seed=seed, folder=folder, progress=progress,
        sweeps=sweeps, thermalization=sweeps // 4, interval=sweeps // config.snapshots,
        snapshots=config.snapshots, chains=max(1, _LANES // len(temperature)), start="up",
    )  # fmt: skip
    found = domain_statistics(data).sel(phase="both", drop=True)
    found["wraps_any"] = found["wraps"].any("axis").astype(float)
    found["wraps_any"].attrs = {"long_name": "share that wraps the torus", "units": "1"}
    found["picture"] = data["spins"].isel(chain=0, snapshot=-1, drop=True)
    numbers = np.arange(config.snapshots)  # because the times of snapshots differ between sizes
    return (
        found[[*_MEASURED, "size_histogram", "picture"]]
        .drop_vars(["softmax_temperature", "sweep"], errors="ignore")
        .assign_coords(method=method, snapshot=numbers)
    )


def _draw_pictures(figure: Any, summary: xr.Dataset) -> None:
    """Draw domains of mean-field Q below, near and above the critical temperature."""
    known = exact.CRITICAL_TEMPERATURE
    pictures = summary["picture"].sel({"method": MeanFieldQ.name})
    chosen = [known - 0.25, known + 0.02, known + 0.25, known + 0.8]
    temperatures = np.unique(pictures["temperature"].sel(temperature=chosen, method="nearest"))
    axes = figure.subplots(1, temperatures.size, squeeze=False)
    for ax, t in zip(axes.flat, temperatures, strict=True):
        plots.domain_map(pictures.sel(temperature=t), ax=ax)
        ax.set_title(rf"$T$ = {t:.3g} $J/k_\mathrm{{B}}$")
    figure.suptitle(
        "Domains of mean-field Q agents: up warm, down cold; the largest of each in full colour"
    )


def _draw_sizes(ax: Axes, summary: xr.Dataset) -> None:
    known = geometric_domains()
    for k, method in enumerate(summary["method"].values):
        plots.size_distribution(
            summary.sel({"method": method}), ax,
            exponent=known["fisher_exponent"] if k == 0 else None,
            exponent_label=r"exact exponents 379/187 and 187/96",
        )  # fmt: skip
    ax.set_title(rf"$T_c$, $L$ = {int(summary['size'].max())}", fontsize=10)


def _draw_largest(ax: Axes, summary: xr.Dataset) -> None:
    known = geometric_domains()["fractal_dimension"]
    size = summary["size"].values
    lines = []
    for method in summary["method"].values:
        at = summary.sel({"method": method})
        style = plots.method_style(str(method))
        scaled = at[["largest_size", "largest_size_error"]] / size**known
        ax.errorbar(size, scaled["largest_size"], scaled["largest_size_error"], ls="none", **style)
        fit = at["amplitude"].item() * size ** (at["fractal_dimension"].item() - known)
        ax.plot(size, fit, color=style["color"], lw=0.8)
        lines.append(
            f"{plots.method_label(str(method))}: $D$ = {at['fractal_dimension'].item():.4f} "
            f"± {at['fractal_dimension_error'].item():.4f}"
        )
    ax.margins(y=0.5)
    ax.set(xscale="log", xlabel="$L$ (lattice spacings)")
    ax.set_ylabel("size of the largest domain / $L^{187/96}$")
    ax.set_title("\n".join(lines), fontsize=9)
    ax.set_xticks(size, [str(each) for each in size])
    ax.minorticks_off()
