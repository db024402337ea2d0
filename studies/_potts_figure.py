"""The figure of the study of the Potts model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis import exact, plots
from analysis.plots.styles import colors
from isingrl import HeatBath, IndependentQ, MeanFieldQ
from studies._potts_numbers import CURVE, END, ENERGIES, NEAR, ORDERED, STARTS, weiss
from studies.shared.combination import without_prefix
from studies.shared.figures import legend_below, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TEMPERATURE = r"temperature ($J/k_\mathrm{B}$)"
_GREY = "0.45"
_MARKERS = "osD^vhp"
_SHOWN = 3  # states of the cumulants, if they were measured
_FEWEST = 3e-3  # of the highest density that is drawn


def figure(summary: xr.Dataset) -> Figure:
    """Draw order by both kinds of agents, and below cumulants, deviations and energies."""
    number = summary.sizes["states"]
    drawn = new_figure(figsize=(max(9.0, 2.75 * number), 9.2), layout="constrained")
    rows: Any = drawn.subfigures(3, 1, height_ratios=(1.0, 1.0, 1.05))
    _row(rows[0], summary, _draw_order, "order, mean-field Q")
    curve, end = (without_prefix(summary, each, "") for each in (CURVE, END))

    def draw_weiss(ax: Axes, at: xr.Dataset) -> None:
        q = at["states"].item()
        ends = end.sel(states=q) if q in end["states"].values else None
        _draw_weiss(ax, curve.sel(states=q), ends)

    _row(rows[1], summary, draw_weiss, "order, independent Q")
    left, middle, right = rows[2].subplots(1, 3, width_ratios=(1.0, 0.8, 1.15))
    near = without_prefix(summary, NEAR, "")
    _draw_cumulants(left, near)
    _draw_deviations(middle, near)
    _draw_energies(right, without_prefix(summary, ENERGIES, ""))
    drawn.suptitle(
        "Agents with $q$ actions: mean-field Q plays the Potts model, independent Q Weiss's theory",
        fontsize="medium",
    )
    return drawn


def _row(part: Any, summary: xr.Dataset, draw: Any, ylabel: str) -> None:
    """Draw one panel for every number of states, with one legend below."""
    panels = part.subplots(1, summary.sizes["states"], sharey=True, squeeze=False)[0]
    for ax, q in zip(panels, summary["states"].values, strict=True):
        draw(ax, summary.sel(states=q))
        ax.set_title(f"$q = {q}$", fontsize=10)
        ax.set_xlabel(_TEMPERATURE, fontsize=9)
        ax.set_ylim(-0.04, 1.04)
        ax.locator_params(axis="x", nbins=5)
    panels[0].set_ylabel(ylabel)
    legend_below(part, panels, 6, fontsize="small", columnspacing=1.4)


def _draw_order(ax: Axes, at: xr.Dataset) -> None:
    """Draw order of mean-field Q and the heat bath against temperature."""
    temperature = at["temperature"].values
    for method in (HeatBath.name, MeanFieldQ.name):
        own = at.sel({"method": method})
        style = plots.method_style(method) | {"ls": "none", "elinewidth": 0.9}
        if method == HeatBath.name:
            style |= {"marker": "x", "markersize": 4.0, "zorder": 4}
        ax.errorbar(
            temperature, own["order_parameter"].values, own["order_parameter_error"].values,
            label=plots.method_label(method), **style,
        )  # fmt: skip
    critical = float(at["critical_temperature"])
    ax.axvline(critical, color=_GREY, lw=0.9, ls="--", label=r"$T_\mathrm{c}$, exact")
    if at["states"].item() == 2:  # the Ising model at twice the temperature
        grid = np.linspace(temperature.min(), temperature.max(), 401)
        known = exact.square_lattice(2 * grid)["abs_magnetization"].values
        ax.plot(grid, known, color="0.35", lw=1.1, label="exact, infinite lattice", zorder=1)


def _draw_weiss(ax: Axes, at: xr.Dataset, ends: xr.Dataset | None) -> None:
    """Draw both phases of independent Q on the lines of Weiss's theory."""
    temperature = at["temperature"].values
    grid = np.linspace(temperature.min(), temperature.max(), 801)
    known = weiss(at["states"].item(), grid)
    for phase, style in (("ordered", "-"), ("disordered", "-.")):
        line = known[f"order_parameter_{phase}"].values
        ax.plot(grid, line, color="0.35", lw=1.1, ls=style, label=f"Weiss, {phase}", zorder=1)
    color = plots.method_style(IndependentQ.name)["color"]
    for start, marker, filled in zip(STARTS, "^v", (True, False), strict=True):
        own = at.sel(start=start)
        text = "$T$ rising" if start == ORDERED else "$T$ falling"
        marks: dict[str, Any] = {
            "color": color, "marker": marker, "ls": "none", "ms": 6.0, "elinewidth": 0.9,
            "markerfacecolor": color if filled else "none",
        }  # fmt: skip
        ax.errorbar(
            temperature, own["order_parameter"].values, own["order_parameter_error"].values,
            label=f"independent Q, {text}", **marks,
        )  # fmt: skip
        if ends is not None:
            near = ends.sel(start=start)
            ax.plot(
                near["temperature"].values, near["order_parameter"].values, ls="none",
                marker=marker, ms=3.0, color="#0072B2", markerfacecolor="none",
                label="the same, near the ends" if start == ORDERED else "_", zorder=3,
            )  # fmt: skip


def _draw_cumulants(ax: Axes, near: xr.Dataset) -> None:
    """Draw Binder cumulants of all sizes, which cross at the critical temperature."""
    states = near["states"].values
    q = _SHOWN if _SHOWN in states else states[-1]
    at = near.sel(states=q)
    for k, color in enumerate(colors(at.sizes["size"])):
        own = at.isel(size=k)
        ax.errorbar(
            own["temperature"].values, own["binder_cumulant"].values,
            own["binder_cumulant_error"].values, color=color, marker=_MARKERS[k % len(_MARKERS)],
            ms=3.5, lw=1.0, elinewidth=0.9, label=f"$L = {own['size'].item()}$",
        )  # fmt: skip
    ax.axvline(float(at["known_temperature"]), color=_GREY, lw=0.9, ls="--")
    ax.legend(fontsize="x-small", frameon=False)
    ax.set_xlabel(_TEMPERATURE, fontsize=9)
    ax.set_ylabel("Binder cumulant")
    ax.set_title(f"mean-field Q, $q = {q}$: cumulants", fontsize=10)


def _draw_deviations(ax: Axes, near: xr.Dataset) -> None:
    """Draw deviations of critical temperatures from the exact ones."""
    places = np.arange(near.sizes["states"])
    value, *errors = (
        near[f"critical_temperature{end}"].values for end in ("", "_error", "_systematic")
    )
    known = near["known_temperature"].values
    style = plots.method_style(MeanFieldQ.name) | {"ls": "none", "capsize": 3.0, "elinewidth": 0.9}
    ax.errorbar(places, 1e3 * (value - known), 1e3 * np.hypot(*errors), **style)
    ax.axhline(0.0, color=_GREY, lw=0.9, ls="--")
    ax.set_xticks(places, [f"$q = {each}$" for each in near["states"].values])
    ax.set_xlim(-0.5, places[-1] + 0.5)
    ax.set_ylabel(r"$T_\mathrm{c}$ less exact ($10^{-3}\,J/k_\mathrm{B}$)")
    ax.set_title(r"mean-field Q: $T_\mathrm{c}$", fontsize=10)


def _draw_energies(ax: Axes, energies: xr.Dataset) -> None:
    """Draw distributions of energies at the transition."""
    energy = energies["energy"].values
    for q, color in zip(energies["states"].values, colors(energies.sizes["states"]), strict=True):
        own = energies.sel(states=q)
        density, error = own["density"].values, own["density_error"].values
        seen = density > _FEWEST * density.max()
        ax.plot(energy[seen], density[seen], color=color, lw=1.3, label=f"$q = {q}$")
        ends = [np.maximum(density[seen] + sign * error[seen], 1e-9) for sign in (-1, 1)]
        ax.fill_between(energy[seen], *ends, color=color, alpha=0.25, lw=0)
        if own["states"].item() > 4:
            known = exact.potts_square(int(q))
            for label, name in (("phases, exact", "energy_ordered"), ("_", "energy_disordered")):
                ax.axvline(known[name].item(), color=color, lw=1.1, ls=":", label=label)
    ax.set_yscale("log")
    ax.legend(fontsize="x-small", frameon=False)
    ax.set_xlabel("energy per site ($J$)", fontsize=9)
    ax.set_ylabel("probability density ($1/J$)")
    ax.set_title(r"mean-field Q at the exact $T_\mathrm{c}$: energies", fontsize=10)
