"""Panels of the study of homogenisation: shells of neighbours, and bonds ±J at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis import exact, literature, plots
from isingrl import HeatBath, MeanFieldQ, NeighborhoodQ
from studies.shared.figures import legend_below
from studies.shared.grids import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

ODD_TABLES = "mean-field-q, odd"
"""Mean-field Q that cannot tell up from down: its tables are averaged with their mirror image."""
OWN_TABLES = "mean-field-q, own tables"
"""Mean-field Q with a table a site."""
MEAN_COUPLING = "heat-bath, mean coupling"
"""The heat bath on the model of the mean coupling."""
SHELL_METHODS = (MeanFieldQ.name, ODD_TABLES, MEAN_COUPLING, NeighborhoodQ.name, HeatBath.name)
BOND_METHODS = (MeanFieldQ.name, OWN_TABLES, NeighborhoodQ.name, HeatBath.name)

_LABELS = {
    MeanFieldQ.name: "mean-field Q",
    ODD_TABLES: "mean-field Q, odd tables",
    OWN_TABLES: "mean-field Q, a table a site",
    MEAN_COUPLING: "heat bath, mean coupling",
    NeighborhoodQ.name: "neighborhood Q",
    HeatBath.name: "heat bath",
}
_OTHERS: dict[str, dict[str, Any]] = {
    ODD_TABLES: {"color": "#000000", "marker": "v", "markersize": 6.0},
    OWN_TABLES: {"color": "#000000", "marker": "^", "markersize": 6.0},
    MEAN_COUPLING: {"color": "#0072B2", "marker": "+", "markersize": 8.0},
    HeatBath.name: {"color": "#009E73", "marker": "x", "markersize": 4.5},
}
_FINE = 201  # temperatures of a curve


def over_realizations(values: xr.DataArray) -> tuple[FloatArray, FloatArray]:
    """Mean over realizations of bonds, and its standard error, from how they differ."""
    number, dim = values.sizes["random_realization"], "random_realization"
    error = values.std(dim, ddof=1) / np.sqrt(number)
    return values.mean(dim).values, error.values


def draw_disorder(drawn: SubFigure, summary: xr.Dataset) -> None:
    """Draw |m| against T with shells, and energy and overlap with random bonds, by share."""
    shares = summary["random_share"].values[::-1]
    grid = drawn.add_gridspec(2, shares.size + 1)
    shells = drawn.add_subplot(grid[:, 0])
    _draw_shells(shells, summary)
    panels = [shells]
    for column, share in enumerate(shares, 1):
        at = summary.sel(random_share=share)
        upper, lower = (drawn.add_subplot(grid[k, column]) for k in range(2))
        _draw_bonds(upper, at, "random_energy", "energy per site")
        _draw_bonds(lower, at, "random_overlap", "overlap of two chains")
        upper.set_title(rf"bonds $\pm J$, {share:g} of them $+J$", fontsize=10)
        upper.tick_params(labelbottom=False)
        lower.set_ylim(-0.06, 1.03)
        lower.set_xlabel(plots.axis_label(summary["random_temperature"]))
        _draw_mean_coupling(upper, lower, at)
        panels.append(upper)
    drawn.align_ylabels()
    legend_below(drawn, panels, 4, fontsize="small", columnspacing=1.2)


def _draw_shells(ax: Axes, summary: xr.Dataset) -> None:
    """Draw |m| of all methods on the Moore lattice, and the transition of the mean coupling."""
    temperature = summary["shell_temperature"].values
    for method in summary["shell_method"].values:
        at = summary.sel(shell_method=method)
        value, error = (at[f"shell_abs_magnetization{end}"].values for end in ("", "_error"))
        ax.errorbar(temperature, value, error, label=_LABELS[method], **_marks(method))
    known = literature.critical_temperature(2, "moore")
    assert known is not None
    ax.axvline(known, ls=":", lw=1.0, color="0.35", label="$T_c$, mean coupling")
    ax.set_ylim(-0.03, 1.03)
    ax.set_xlabel(plots.axis_label(summary["shell_temperature"]))
    ax.set_ylabel(plots.axis_label(summary["shell_abs_magnetization"]))
    ratio = float(summary["shell_ratio"])
    ax.set_title(f"near and diagonal neighbours, $J_1/J_2 = {ratio:.3g}$", fontsize=10)


def _draw_bonds(ax: Axes, at: xr.Dataset, name: str, label: str) -> None:
    for method in at["random_method"].values:
        value, error = over_realizations(at[name].sel(random_method=method))
        ax.errorbar(
            at["random_temperature"].values, value, error, label=_LABELS[method],
            **_marks(method),
        )  # fmt: skip
    ax.set_ylabel(label)


def _draw_mean_coupling(upper: Axes, lower: Axes, at: xr.Dataset) -> None:
    """Draw energy and squared order of the infinite lattice of the mean coupling."""
    ends = at["random_temperature"].values
    grid, mean = np.linspace(ends[0], ends[-1], _FINE), float(at["random_mean_coupling"].mean())
    known = exact.square_lattice(grid, coupling=max(abs(mean), 1e-9))
    for ax, values in (
        (upper, known["energy"].values), (lower, known["abs_magnetization"].values ** 2)
    ):  # fmt: skip
        ax.plot(grid, values, ls="--", lw=1.2, color="0.35", zorder=2, label="exact, mean coupling")


def _marks(method: str) -> dict[str, Any]:
    style = plots.method_style(method) | _OTHERS.get(method, {})
    return style | {"markerfacecolor": "none", "ls": "none", "elinewidth": 0.9, "zorder": 3}
