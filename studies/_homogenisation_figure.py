"""The figure of the study of homogenisation, and the three theories in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis import exact, plots
from isingrl import (
    IndependentQ,
    Ising,
    Lattice,
    MeanFieldQ,
    NeighborhoodQ,
    SwendsenWang,
)
from studies._homogenisation_disorder_figure import draw_disorder
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHODS = (IndependentQ.name, MeanFieldQ.name, NeighborhoodQ.name, SwendsenWang.name)
"""Agents that see nothing, how many neighbours are up, and which of them; and clusters."""
WEISS_TEMPERATURE = 4.0
"""Weiss's critical temperature for four neighbours, in units of the mean coupling over k_B."""

_THEORIES = {
    IndependentQ.name: ("Weiss", "-."),
    MeanFieldQ.name: ("exact, mean coupling", "--"),
    NeighborhoodQ.name: (r"exact, $J_a$ and $J_b$", "-"),
}
_ASIDE = 0.035  # of ln(J_a/J_b), between the marks of methods


def couplings(ratio: float) -> tuple[float, float]:
    """Couplings J_a and J_b of this ratio with the mean 1."""
    return 2 * ratio / (1 + ratio), 2 / (1 + ratio)


def theory(method: str, ratio: float, temperature: Any) -> xr.Dataset:
    """Theory that a method follows, on the infinite lattice.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    ratio : float
        J_a/J_b.
    temperature : float or float array
        In units of the mean coupling over k_B.

    Returns
    -------
    Dataset
        ``abs_magnetization`` over ``temperature``, with the attribute ``critical_temperature``.
    """
    if method == IndependentQ.name:
        return exact.weiss(Ising(Lattice((4, 4)), couplings(ratio)), temperature)
    pair = 1.0 if method == MeanFieldQ.name else couplings(ratio)
    return exact.square_lattice(temperature, coupling=pair)


def critical_temperature(method: str, ratio: float) -> float:
    """Critical temperature of the theory that a method follows."""
    return float(theory(method, ratio, 1.0).attrs["critical_temperature"])


def figure(summary: xr.Dataset) -> Figure:
    """Draw |m| against T at each ratio, and critical temperatures with their deviations."""
    number = summary.sizes["shown"]
    drawn = new_figure(figsize=(3.9 * number + 4.4, 9.6), layout="constrained")
    above, below = drawn.subfigures(2, 1, squeeze=False, height_ratios=(5.0, 4.6))[:, 0]
    grid = above.add_gridspec(2, number + 1, height_ratios=(2.0, 1.0))
    panels = [above.add_subplot(grid[:, k]) for k in range(number)]
    for ax, ratio in zip(panels, summary["shown"].values, strict=True):
        _draw_order(ax, summary.sel(shown=ratio))
    for ax in panels[1:]:
        ax.set_ylabel("")
    top, bottom = (above.add_subplot(grid[k, number]) for k in range(2))
    _draw_critical(top, summary)
    _draw_deviations(bottom, summary)
    legend_below(above, [panels[0]], 7 if number > 1 else 4, fontsize="small", columnspacing=1.2)
    above.suptitle(
        "Bonds of strengths $J_a$ and $J_b$ along the two directions, with the mean $J$: "
        "three kinds of agents, three theories",
        fontsize="medium",
    )
    draw_disorder(below, summary)
    return drawn


def _draw_order(ax: Axes, summary: xr.Dataset) -> None:
    """Draw |m| of all methods at one ratio."""
    ratio, temperature = float(summary["shown"]), summary["temperature"].values
    grid = np.linspace(temperature.min(), temperature.max(), 601)
    for method, (label, style) in _THEORIES.items():
        known = theory(method, ratio, grid)["abs_magnetization"].values
        ax.plot(grid, known, label=label, **_line(style))
    for method in summary["method"].values:
        at = summary.sel({"method": method})
        ax.errorbar(
            temperature, at["abs_magnetization"].values, at["abs_magnetization_error"].values,
            label=plots.method_label(method), **_marks(method),
        )  # fmt: skip
    ax.set(xlim=(grid[0] - 0.05, grid[-1] + 0.05), ylim=(-0.03, 1.03))
    ax.set_xlabel(plots.axis_label(summary["temperature"]))
    ax.set_ylabel(plots.axis_label(summary["abs_magnetization"]))
    ax.set_title(rf"order, $J_a/J_b = {ratio:g}$", fontsize=10)


def _draw_critical(ax: Axes, summary: xr.Dataset) -> None:
    """Draw critical temperatures against the ratio of the couplings."""
    ratios = summary["ratio"].values
    grid = np.geomspace(ratios.min() / 1.1, ratios.max() * 1.1, 101)
    for method, (_, style) in _THEORIES.items():
        ax.plot(grid, [critical_temperature(method, each) for each in grid], **_line(style))
    for method in summary["method"].values:
        value, error = _measured(summary, method)
        ax.errorbar(ratios, value, error, capsize=3.0, **_marks(method))
    _ratios_along(ax, ratios)
    ax.tick_params(labelbottom=False)
    ax.set_ylim(1.5, 4.3)
    ax.set_ylabel(plots.axis_label(summary["critical_temperature"]))
    ax.set_title("where order ends", fontsize=10)


def _draw_deviations(ax: Axes, summary: xr.Dataset) -> None:
    """Draw relative deviations of critical temperatures from the theory of each method."""
    ratios = summary["ratio"].values
    for place, method in enumerate(summary["method"].values):
        value, error = _measured(summary, method)
        known = summary["known_temperature"].sel({"method": method}).values
        aside = np.exp(_ASIDE * (place - (len(METHODS) - 1) / 2))
        ax.errorbar(
            ratios * aside, 100 * (value / known - 1), 100 * error / known, **_marks(method)
        )
    ax.axhline(0.0, color="0.55", lw=0.9, ls=":")
    _ratios_along(ax, ratios)
    ax.set_xlabel("ratio of the couplings $J_a/J_b$")
    ax.set_ylabel("from theory (%)")


def _ratios_along(ax: Axes, ratios: FloatArray) -> None:
    ax.set_xscale("log")
    ax.set_xticks(ratios, [f"{each:g}" for each in ratios])
    ax.set_xticks([], minor=True)
    ax.set_xlim(ratios.min() / 1.15, ratios.max() * 1.15)


def _measured(summary: xr.Dataset, method: str) -> tuple[FloatArray, FloatArray]:
    """Critical temperatures of a method, and their errors of both kinds together."""
    at = summary.sel({"method": method})
    value, *errors = (
        at[f"critical_temperature{end}"].values for end in ("", "_error", "_systematic")
    )
    return value, np.hypot(*errors)


def _line(style: str) -> dict[str, Any]:
    return {"ls": style, "lw": 1.2, "color": "0.35", "zorder": 2}


def _marks(method: str) -> dict[str, Any]:
    style = plots.method_style(method) | {"ls": "none", "elinewidth": 0.9, "zorder": 3}
    if method == SwendsenWang.name:  # inside the marks of neighborhood Q, which have its colour
        style |= {"color": "#0072B2", "marker": "x", "markersize": 4.0}
    return style
