"""The figure of the study of Yang et al.'s Ising experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis import exact, plots
from analysis.exact.onsager import CRITICAL_TEMPERATURE
from isingrl import Ising, Lattice, MeanFieldQ, Metropolis
from studies.shared.figures import legend_below, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATIO = 2.0
"""T/τ for the reward a S / 2."""
CLAIMED = 1.2
"""Critical τ that Yang et al. report."""
WEISS_HALF = 1.0 / np.arctanh(0.5)
"""τ at which Weiss's magnetization, m = tanh(2 m / τ), is 1/2."""

_TAU = r"softmax temperature $\tau = T/2$"
_ROWS = (
    ("as published", ("published", "published-ordered")),
    ("reward before the move", (MeanFieldQ.name, "reward-before")),
)
_WHY = "reward from neighbours not seen: mean field"
_ISING = r"Metropolis: $\chi$ is largest at $\tau = {:.3f}$"
_FOLLOWED = ("published", "reward-before")
_STYLES: dict[str, dict[str, Any]] = {
    "published": {"color": "#000000", "marker": "D", "markersize": 5.0},
    "published-ordered": {"color": "#56B4E9", "marker": "v", "markersize": 6.0},
    "reward-before": {"color": "#CC79A7", "marker": "s", "markersize": 5.0},
    Metropolis.name: plots.method_style(Metropolis.name),
    MeanFieldQ.name: plots.method_style(MeanFieldQ.name),
}
_NAMES = {
    "published": "as published",
    "published-ordered": "as published, begun ordered",
    "reward-before": "reward before, all at once",
    Metropolis.name: "Metropolis",
    MeanFieldQ.name: "converged, checkerboard",
}
_ENDS = (
    (Metropolis.name, "susceptibility_peak", r"Metropolis: peak of $\chi$"),
    (Metropolis.name, "half_order", "Metropolis"),
    (MeanFieldQ.name, "half_order", "converged"),
    ("reward-before", "half_order", "reward before"),
    ("published-ordered", "half_order", "begun ordered"),
    ("published", "half_local_order", "as published: single sites"),
    ("published", "half_order", "as published"),
)


def figure(
    summary: xr.Dataset, error_tau: tuple[float, ...], picture_tau: tuple[float, ...], title: str
) -> Figure:
    """Draw order against τ, errors of action values, configurations, and the ends of order."""
    drawn = new_figure(figsize=(11.0, 9.4), layout="constrained")
    parts: Any = drawn.subfigures(2, 1, height_ratios=(2.7, 1.0))
    upper, lower = parts
    axes = upper.subplots(2, 3)
    for row, (name, protocols) in enumerate(_ROWS):
        for ax, side in zip(axes[row], summary["side"].values, strict=False):
            _draw_order(ax, summary.sel(side=side), protocols)
            ax.set_title(f"{side} × {side}, {name}", fontsize="medium")
        _draw_errors(axes[row, 2], summary.sel(learner=_FOLLOWED[row]), error_tau)
        axes[row, 2].set_title(f"action values, {name}", fontsize="medium")
    axes[0, 2].legend(fontsize="small", frameon=False, loc="lower left")
    bottom = lower.add_gridspec(1, 3, width_ratios=(1.0, 1.0, 0.75))
    for column, learner in enumerate(_FOLLOWED):
        pictures = bottom[column].subgridspec(1, len(picture_tau), wspace=0.05)
        for order, tau in enumerate(picture_tau):
            ax = lower.add_subplot(pictures[order])
            spins = summary["spins"].sel({"learner": learner, "tau": tau})
            ax.imshow(spins, cmap="gray", vmin=-1.6, vmax=1.0, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.set_title(rf"$\tau = {tau:g}$", fontsize="medium")
            if order == len(picture_tau) // 2:
                ax.set_xlabel(_NAMES[learner])
    _draw_ends(lower.add_subplot(bottom[2]), summary)
    legend_below(drawn, axes[:, :2].flat, 5)
    drawn.suptitle(title, fontsize="medium")
    return drawn


def _draw_order(ax: Axes, summary: xr.Dataset, protocols: tuple[str, ...]) -> None:
    tau = summary["softmax_temperature"].values
    fine = np.linspace(tau[0], tau[-1], 801)
    infinite = exact.square_lattice(RATIO * fine)["abs_magnetization"].values
    ax.plot(fine, infinite, lw=1.0, color="0.35", label="exact, infinite")
    _mark_critical(ax)
    _draw_points(ax, summary, Metropolis.name, "abs_magnetization")
    for protocol in protocols:
        _draw_points(ax, summary, protocol, "abs_magnetization")
    if "published" in protocols:
        side = int(summary["side"])
        theory = exact.weiss(Ising(Lattice((side, side))), RATIO * fine)["abs_magnetization"]
        ax.plot(fine, theory, "-.", lw=1.0, color="0.35", label="Weiss mean field", zorder=2)
        each = summary["chain_magnetization"].sel(protocol="published").transpose(..., "chain")
        ax.plot(tau, each.values, ".", ms=3.0, color="0.6", zorder=1)
        local = {"color": "#000000", "marker": "s", "markersize": 3.0, "markerfacecolor": "#000000"}
        _draw_points(ax, summary, "published", "local_order", "as published, single sites", local)
    peak = float(summary["susceptibility_peak"].sel(protocol=Metropolis.name))
    text = _WHY if "published" in protocols else _ISING.format(peak)
    place: dict[str, Any] = {"transform": ax.transAxes, "ha": "right", "va": "top"}
    ax.text(0.98, 0.97, text, fontsize="small", **place)  # this corner is empty
    ax.set(xlabel=_TAU, ylabel=r"order $|N_\uparrow - N_\downarrow| / N$", ylim=(-0.03, 1.16))


def _draw_points(
    ax: Axes,
    summary: xr.Dataset,
    protocol: str,
    name: str,
    label: str | None = None,
    style: dict[str, Any] | None = None,
) -> None:
    chosen = summary.sel(protocol=protocol)
    there = np.isfinite(chosen[name].values)
    if not there.any():
        return
    tau = summary["softmax_temperature"].values
    look: dict[str, Any] = {"markerfacecolor": "none", "ls": "none", "elinewidth": 0.9, "zorder": 3}
    look |= _STYLES[protocol] if style is None else style
    values, errors = chosen[name].values, chosen[f"{name}_error"].values
    ax.errorbar(tau[there], values[there], errors[there], label=label or _NAMES[protocol], **look)


def _draw_errors(ax: Axes, summary: xr.Dataset, taus: tuple[float, ...]) -> None:
    lines = (("mse_table", "--", "whole table"), ("mse_met", "-", "entries in use"))
    for tau, color in zip(taus, ("#0072B2", "#D55E00", "#009E73"), strict=False):
        chosen = summary.sel(tau=tau)
        for name, line, label in lines:
            step, mean = chosen["step"].values, chosen[name].values
            error = chosen[f"{name}_error"].values
            ax.plot(step, mean, line, color=color, label=rf"$\tau = {tau:g}$, {label}")
            low = np.maximum(mean - error, 1e-12)
            ax.fill_between(step, low, mean + error, color=color, alpha=0.2, lw=0)
    ax.set(xlabel="step", ylabel=r"$(Q - Q_{\mathrm{exact}})^2$, mean", xscale="log", yscale="log")
    ax.set_ylim(1e-4, 6.0)


def _draw_ends(ax: Axes, summary: xr.Dataset) -> None:
    """Draw the τ where order falls through one half, for every curve that does and both sizes."""
    sides = summary["side"].values
    for height, (protocol, name, _) in enumerate(_ENDS):
        color = _STYLES[protocol]["color"]
        for side, face in zip(sides, ("none", color), strict=True):
            end = summary.sel(protocol=protocol, side=side)
            place, error = float(end[name]), float(end[f"{name}_error"])
            if np.isfinite(place):
                ax.errorbar(
                    place, height, xerr=error, fmt="o", color=color, markerfacecolor=face, ms=5.0
                )
    _mark_critical(ax)
    ax.axvline(WEISS_HALF, ls="-.", lw=1.0, color="0.35")
    ax.set_yticks(range(len(_ENDS)), [label for _, _, label in _ENDS], fontsize="small")
    ax.invert_yaxis()
    ax.set(xlabel=_TAU)
    ax.set_title(f"order is 1/2 (open: L = {sides[0]}, full: {sides[1]})", fontsize="medium")


def _mark_critical(ax: Axes) -> None:
    plots.critical_temperature(ax, CRITICAL_TEMPERATURE / RATIO)
    label = rf"$\tau = {CLAIMED:g}$ (Yang et al.)"
    ax.axvline(CLAIMED, color="#009E73", lw=0.9, ls="--", zorder=1, label=label)
