"""The figure of the study of glasses: square lattices on the left, cubic ones on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

from analysis.plots.styles import colors
from studies._glass_summary import (
    CRITICAL_TEMPERATURES,
    DIMENSIONS,
    EACH,
    ONE,
    OWN,
    PREFIXES,
    QUENCHED,
)
from studies.shared.combination import without_prefix
from studies.shared.figures import legend_below, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TITLES = {2: "square", 3: "simple cubic"}
_MARKERS = "osD^v"
_STYLES: dict[str, dict[str, Any]] = {
    ONE: {"color": "#E69F00", "marker": "s"},
    OWN: {"color": "#CC79A7", "marker": "D"},
    EACH: {"color": "#0072B2", "marker": "o"},
    QUENCHED: {"color": "#D55E00", "marker": "x"},
}
_TEMPERATURE = r"temperature $T$ ($J/k_\mathrm{B}$)"


def figure(summary: xr.Dataset) -> Figure:
    """Draw P(q), its cumulant, energies of agents, and what they lack."""
    drawn = new_figure(figsize=(9.6, 13.0), layout="constrained")
    axes = drawn.subplots(4, 2)
    for column, ndim in enumerate(DIMENSIONS):
        part = without_prefix(summary, PREFIXES[ndim], "window")
        _draw_density(axes[0, column], part, ndim)
        _draw_cumulant(axes[1, column], part, ndim)
        _draw_energy(axes[2, column], part, ndim)
        _draw_excess(axes[3, column], part)
    legend_below(drawn, axes[2], 4, columnspacing=1.2, handletextpad=0.4)
    drawn.suptitle("Glasses of bonds ±J, and agents on the same bonds")
    return drawn


def _draw_density(ax: Axes, part: xr.Dataset, ndim: int) -> None:
    """Draw the distribution of the overlap of all sizes."""
    _draw_sizes(ax, part, "bin", "overlap_density")
    t = float(part["shown_temperature"])
    ax.set(xlim=(-1, 1), ylim=(0, None), xlabel="overlap $q$", ylabel="density $P(q)$")
    ax.set_title(
        rf"{_TITLES[ndim]}: overlaps of two replicas, $T = {t:g}\,J/k_\mathrm{{B}}$", fontsize=10
    )
    ax.legend(fontsize="small", frameon=False, loc="upper center", ncols=2)


def _draw_cumulant(ax: Axes, part: xr.Dataset, ndim: int) -> None:
    """Draw the cumulant of the overlap of all sizes."""
    _draw_sizes(ax, part, "temperature", "overlap_cumulant")
    known = CRITICAL_TEMPERATURES[ndim]
    if known is not None:
        ax.axvline(known, color="0.45", lw=1.0, ls=":", label=r"$T_c$, literature")
    ax.set(ylim=(0, 1), xlabel=_TEMPERATURE, ylabel="cumulant $g$ of the overlap")
    ax.set_title(f"{_TITLES[ndim]}: cumulant against temperature", fontsize=10)
    ax.legend(fontsize="small", frameon=False, loc="upper right")


def _draw_energy(ax: Axes, part: xr.Dataset, ndim: int) -> None:
    """Draw energies of all kinds of agents beside tempering."""
    t = part["temperature"].values
    ax.plot(t, part["same_energy"].values, color="0.3", lw=1.4, label="parallel tempering")
    for method in (ONE, OWN, EACH):
        _errorbar(ax, part, "agents_energy", method)
    ax.axhline(0.0, color="0.6", lw=0.8, ls=":")
    ax.set(ylim=(None, 0.12), xlabel=_TEMPERATURE, ylabel="energy per site $E$ ($J$)")
    ax.set_title(
        f"{_TITLES[ndim]}, L = {int(part['agents_side'])}: agents on the same bonds", fontsize=10
    )


def _draw_excess(ax: Axes, part: xr.Dataset) -> None:
    """Draw how far agents that see each neighbour lie above tempering, cooled and not."""
    for method in (EACH, QUENCHED):
        _errorbar(ax, part, "agents_excess", method, label=f"{method.partition(',')[0]}")
    ax.axhline(0.0, color="0.6", lw=0.8, ls=":")
    ax.set(xlabel=_TEMPERATURE, ylabel="$E - E_\\mathrm{tempering}$ ($J$)")
    ax.set_title("agents that see each neighbour, from tempering", fontsize=10)
    handles, _ = ax.get_legend_handles_labels()
    ax.legend(handles, ["cooled", "from random spins at each T"], fontsize="small", frameon=False)


def _draw_sizes(ax: Axes, part: xr.Dataset, x: str, name: str) -> None:
    for k, color in enumerate(colors(part.sizes["level"])):
        value, error = (part[f"{name}{end}"].values[k] for end in ("", "_error"))
        ax.errorbar(
            part[x].values, value, error, color=color, marker=_MARKERS[k % len(_MARKERS)], ms=3.5,
            lw=1.1, elinewidth=0.8, label=f"L = {part['size'].values[k]}",
        )  # fmt: skip


def _errorbar(ax: Axes, part: xr.Dataset, name: str, method: str, **settings: Any) -> None:
    at = part.sel({"method": method})
    ax.errorbar(
        part["temperature"].values, at[name].values, at[f"{name}_error"].values,
        **{"label": method.replace(" q,", " Q,")} | settings, **_STYLES[method],
        ls="none", ms=4.5, markerfacecolor="none", elinewidth=0.9,
    )  # fmt: skip
