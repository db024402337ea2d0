"""Figures of policies: log-odds, and rules in the plane of symmetric rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from analysis.exact.onsager import CRITICAL_TEMPERATURE
from analysis.learned.odds import mean_and_error
from analysis.plots.axes import label_axes, new_axes, variable
from analysis.plots.styles import Style, colors, draw_marks, style_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["log_odds", "majority_vote_plane"]


def log_odds(result: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the log-odds of a policy against the local field, with the Ising rules as lines.

    Parameters
    ----------
    result : Dataset
        From `analysis.log_odds`. Marks are means over chains and sites with standard errors, small
        dots if a state was never met; infinite log-odds are left out. A line of the same colour is
        the heat bath, ``local_field`` / T.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.

    Returns
    -------
    Axes
        With a labelled artist for each temperature, for a legend.

    Raises
    ------
    TypeError, ValueError
        If `result` is no Dataset, lacks a variable, or has other dims.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import log_odds, plots
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
    >>> ax = plots.log_odds(log_odds(policy))
    >>> print(ax.get_ylabel())
    log-odds of spin up
    """
    known = ("temperature", "chain", "site", "n_up", "configuration")
    values = variable(result, "log_odds", known, ("temperature",))
    weight, field = (variable(result, name, known, ()) for name in ("weight", "local_field"))
    style, ax = style_of(result, 0), new_axes(ax)
    each = [dim for dim in ("chain", "site") if dim in values.dims and dim not in field.dims]
    ends = np.array([min(0.0, float(field.min())), max(0.0, float(field.max()))])
    for order, color in enumerate(colors(result.sizes["temperature"])):
        t = float(result["temperature"][order])
        mean, error = mean_and_error(values.isel(temperature=order), each)
        learned = weight.isel(temperature=order).sum(each) > 0
        arrays = (array.values.ravel() for array in xr.broadcast(field, mean, error, learned))
        x, y, width, met = arrays
        label: str | None = f"$T = {t:g}$"
        for marks, marker, size in ((met, style.marker, style.size), (~met, ".", 3.0)):
            shown = marks & np.isfinite(y)
            points = Style("", color, marker, size)
            draw_marks(ax, x[shown], y[shown], None, width[shown], points, label, 3)
            label = None
        if t > 0:
            ax.plot(ends, ends / t, lw=0.9, color=color, zorder=2)
    return label_axes(ax, field, values)


def majority_vote_plane(result: xr.Dataset, ax: Axes | None = None) -> Axes:
    r"""Draw rules as points of the plane of symmetric rules of the square lattice.

    The Ising model and majority vote are lines, the voter model and the critical Ising model
    points.

    Parameters
    ----------
    result : Dataset
        From `analysis.majority_vote_plane`, with or without a dim or scalar coordinate ``method``.
        Each temperature or rule has one mark, the mean over chains and sites with standard
        errors. The lowest and highest temperature stand beside their marks.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.

    Returns
    -------
    Axes
        With labelled artists, for a legend.

    Raises
    ------
    TypeError, ValueError
        If `result` is no Dataset or lacks x or y, or if these have other dims.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import majority_vote_plane, plots
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
    >>> ax = plots.majority_vote_plane(majority_vote_plane(policy))
    >>> sorted(ax.get_legend_handles_labels()[1])
    ['Ising', 'Ising, $T_\\mathrm{c}$', 'majority vote', 'mean-field Q', 'voter']
    """
    known = ("method", "temperature", "rule", "chain", "site")
    x, y = (variable(result, name, known, ()) for name in ("x", "y"))
    ax = new_axes(ax)
    if "voter" not in ax.get_legend_handles_labels()[1]:
        _draw_known_rules(ax)
    each = [dim for dim in ("chain", "site") if dim in x.dims]
    drawn = [array for values in (x, y) for array in mean_and_error(values, each)]
    for order in range(result.sizes.get("method", 1)):
        chosen = {"method": order} if "method" in x.dims else {}
        style = style_of(result.isel(chosen), order, ax)
        at_x, x_error, at_y, y_error = (array.isel(chosen).values.ravel() for array in drawn)
        draw_marks(ax, at_x, at_y, x_error, y_error, style, style.label, 3 + order)
        t = result["temperature"].values if "temperature" in x.dims else np.empty(0)
        for end in {int(t.argmin()), int(t.argmax())} if t.size == at_x.size else ():
            ax.annotate(
                f"$T = {t[end]:g}$", (at_x[end], at_y[end]), xytext=(-7, 4), ha="right",
                textcoords="offset points", fontsize="small",
            )  # fmt: skip
    ax.set_aspect("equal")
    return label_axes(ax, x, y)


def _draw_known_rules(ax: Axes) -> None:
    x = np.linspace(0.0, 1.0, 201)
    ax.plot(x, 2 * x / (1 + x**2), lw=1.0, color="0.35", label="Ising", zorder=2)
    ax.plot(x, x, lw=1.0, ls="--", color="0.35", label="majority vote", zorder=2)
    critical = np.tanh(np.array([2.0, 4.0]) / CRITICAL_TEMPERATURE)
    points = (critical, "*", r"Ising, $T_\mathrm{c}$"), ((0.5, 1.0), "p", "voter")
    for point, marker, label in points:
        ax.plot(*point, ls="none", marker=marker, ms=9.0, color="0.35", label=label, zorder=2)
