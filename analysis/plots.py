"""Observables against temperature, and learned rules: axes in, axes out.

Labels come from the attributes ``long_name`` and ``units``. Matplotlib is imported where an axes
has to be made, so that ``import analysis`` does not load it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis.exact.onsager import CRITICAL_TEMPERATURE
from analysis.learned.fits import mean_and_error
from analysis.quantities import QUANTITIES, quantity_attrs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axes._secondary_axes import SecondaryAxis

__all__ = [
    "axis_label",
    "critical_temperature",
    "exact_curve",
    "log_odds",
    "majority_vote_plane",
    "method_label",
    "method_style",
    "observable",
    "softmax_axis",
]


@dataclass(frozen=True)
class _Style:
    label: str
    color: str
    marker: str
    size: float
    filled: bool = False


# Okabe and Ito's colours, which colour-blind readers can tell apart, and shapes that stay visible
# on top of one another: strokes and small marks inside open ones of different sizes.
_STYLES = {
    "metropolis": _Style("Metropolis", "#0072B2", "x", 4.5),
    "heat-bath": _Style("heat bath", "#009E73", "+", 8.0),
    "mean-field-q": _Style("mean-field Q", "#D55E00", "o", 7.0),
    "neighborhood-q": _Style("neighborhood Q", "#CC79A7", "s", 8.5),
    "independent-q": _Style("independent Q", "#E69F00", "^", 7.0),
    "joint-q": _Style("joint Q", "#56B4E9", "D", 5.5),
}
_UNNAMED = _Style("simulation", "#000000", ".", 5.0, filled=True)
_UNITS = {
    "J": "$J$",
    "1/J": "$1/J$",
    "J^2": "$J^2$",
    "J/k_B": r"$J/k_\mathrm{B}$",
    "k_B": r"$k_\mathrm{B}$",
}


def axis_label(values: xr.DataArray) -> str:
    """Label of an axis that shows `values`: long name, then units unless it is a pure number."""
    name = str(values.name)
    known = quantity_attrs(name) if name in QUANTITIES else {}
    long_name = str(values.attrs.get("long_name", known.get("long_name", name)))
    units = str(values.attrs.get("units", known.get("units", "1")))
    return long_name if units in ("", "1") else f"{long_name} ({_UNITS.get(units, units)})"


def method_label(method: str) -> str:
    """Readable name of a method: ``"mean-field-q"`` becomes "mean-field Q"."""
    return _STYLES[method].label if method in _STYLES else method


def method_style(method: str) -> dict[str, Any]:
    """Colour and open mark of a method, as keyword arguments of ``Axes.plot``."""
    style = _STYLES.get(method, _UNNAMED)
    face = {} if style.filled else {"markerfacecolor": "none"}
    return {"color": style.color, "marker": style.marker, "markersize": style.size, **face}


def observable(summary: xr.Dataset, name: str, ax: Axes | None = None) -> Axes:
    """Draw an observable against temperature, with error bars and one mark a method.

    Parameters
    ----------
    summary : Dataset
        As `analysis.thermodynamics` returns it: over temperature, with or without a dim or scalar
        coordinate ``method``.
    name : str
        The observable, for example ``"abs_magnetization"``; error bars are ``NAME_error`` where
        that is there.
    ax : Axes, optional
        Drawn on; a new one if omitted.

    Returns
    -------
    Axes
        With a labelled artist for each method, for a legend.

    Raises
    ------
    ValueError
        If `summary` lacks the observable, or it has dims besides temperature and method.
    """
    values = _variable(summary, name, ("temperature", "method"))
    ax = _axes(ax)
    one_method = "method" not in values.dims
    for order in range(1 if one_method else summary.sizes["method"]):
        chosen = summary if one_method else summary.isel(method=order)
        _draw_points(ax, chosen, name, _style(chosen, order), zorder=3 + order)
    return _labelled(ax, summary, values)


def exact_curve(result: xr.Dataset, name: str, ax: Axes | None = None) -> Axes:
    """Draw an exact result: dashed for a finite lattice, solid for an infinite one.

    An approximate theory, such as `analysis.exact.weiss`, is dash-dotted.

    Parameters
    ----------
    result : Dataset
        As the functions of `analysis.exact` return it; finite if it has the attribute ``shape``,
        labelled by the attribute ``theory`` if it has that.
    name : str
        The observable.
    ax : Axes, optional
        Drawn on; a new one if omitted.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `result` lacks the observable.
    """
    values = _variable(result, name, ("temperature",)).sortby("temperature")
    ax = _axes(ax)
    shape = result.attrs.get("shape")
    if "theory" in result.attrs:
        label, linestyle, color = str(result.attrs["theory"]), "-.", "0.35"
    elif shape is None:
        label, linestyle, color = "exact, infinite", "-", "0.35"
    else:
        sides = "×".join(str(side) for side in np.atleast_1d(shape))
        label, linestyle, color = f"exact, {sides}", "--", "0.0"
    finite = np.isfinite(values["temperature"].values)
    x = values["temperature"].values[finite]
    y = np.where(np.isfinite(values.values), values.values, np.nan)[finite]
    ax.plot(x, y, lw=1.0, ls=linestyle, color=color, label=label, zorder=2)
    return _labelled(ax, result, values)


def critical_temperature(ax: Axes, temperature: float = CRITICAL_TEMPERATURE) -> Axes:
    """Mark a critical temperature, by default that of the square lattice, by a vertical line."""
    ax.axvline(temperature, color="0.55", lw=0.9, ls=":", zorder=1, label=r"$T_\mathrm{c}$")
    return ax


def softmax_axis(ax: Axes, summary: xr.Dataset) -> SecondaryAxis:
    """Add a second axis, on top, in the softmax temperature that belongs to a temperature.

    Parameters
    ----------
    ax : Axes
        Whose horizontal axis is the physical temperature.
    summary : Dataset
        With the coordinate ``softmax_temperature`` over temperature, or over method and
        temperature; NaN where a method has none.

    Returns
    -------
    SecondaryAxis
        The second axis.

    Raises
    ------
    ValueError
        If the coordinate is missing, holds no positive finite number, or is not one multiple of
        the temperature, for example because two methods have different rewards.
    """
    if "softmax_temperature" not in summary.coords:
        raise ValueError("summary must have the coordinate 'softmax_temperature'; it has none")
    softmax = summary["softmax_temperature"]
    ratios = (softmax / summary["temperature"]).values
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    if not ratios.size:
        raise ValueError(
            "summary: 'softmax_temperature' must hold a positive number at a positive temperature; "
            f"got {softmax.values}"
        )
    ratio = float(ratios[0])
    if not np.allclose(ratios, ratio, rtol=1e-6):
        raise ValueError(
            "summary: 'softmax_temperature' must be one multiple of the temperature; got ratios "
            f"from {ratios.min():.6g} to {ratios.max():.6g} (select one method)"
        )

    def to_softmax(temperature: Any) -> Any:
        return temperature * ratio

    def to_temperature(tau: Any) -> Any:
        return tau / ratio

    second = ax.secondary_xaxis("top", functions=(to_softmax, to_temperature))
    label = {"long_name": "softmax temperature", "units": "J", **softmax.attrs}
    label["long_name"] += r" $\tau$"
    second.set_xlabel(axis_label(xr.DataArray(0.0, attrs=label)))
    return second


def log_odds(result: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the log-odds of a policy against the local field, with the Ising rules as lines.

    Parameters
    ----------
    result : Dataset
        As `analysis.log_odds` returns it. Marks are means over chains and sites with standard
        errors, small dots where a state was never met; infinite log-odds are left out. A line of
        the same colour is the heat bath, ``local_field`` / T.
    ax : Axes, optional
        Drawn on; a new one if omitted.

    Returns
    -------
    Axes
        With a labelled artist for each temperature, for a legend.

    Raises
    ------
    ValueError
        If `result` lacks a variable or has other dims.
    """
    known = ("temperature", "chain", "site", "n_up", "configuration")
    values = _variable(result, "log_odds", known)
    weight, field = (_variable(result, name, known, ()) for name in ("weight", "local_field"))
    style, ax = _style(result, 0), _axes(ax)
    each = [dim for dim in ("chain", "site") if dim in values.dims and dim not in field.dims]
    ends = np.array([min(0.0, float(field.min())), max(0.0, float(field.max()))])
    for order, color in enumerate(_colors(result.sizes["temperature"])):
        t = float(result["temperature"][order])
        mean, error = mean_and_error(values.isel(temperature=order), each)
        learned = weight.isel(temperature=order).sum(each) > 0
        arrays = (array.values.ravel() for array in xr.broadcast(field, mean, error, learned))
        x, y, width, met = arrays
        label: str | None = f"$T = {t:g}$"
        for marks, marker, size in ((met, style.marker, style.size), (~met, ".", 3.0)):
            shown = marks & np.isfinite(y)
            points = _Style("", color, marker, size)
            _draw_marks(ax, x[shown], y[shown], None, width[shown], points, label, 3)
            label = None
        if t > 0:
            ax.plot(ends, ends / t, lw=0.9, color=color, zorder=2)
    ax.set_xlabel(axis_label(field))
    ax.set_ylabel(axis_label(values))
    return ax


def majority_vote_plane(result: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw rules as points of the plane of symmetric rules of the square lattice.

    The Ising model and majority vote are lines, the voter model and the critical Ising model
    points.

    Parameters
    ----------
    result : Dataset
        As `analysis.majority_vote_plane` returns it, with or without a dim or scalar coordinate
        ``method``: one mark for each temperature or rule, the mean over chains and sites with
        standard errors. The lowest and highest temperature are written beside their marks.
    ax : Axes, optional
        Drawn on; a new one if omitted.

    Returns
    -------
    Axes
        With labelled artists, for a legend.

    Raises
    ------
    ValueError
        If `result` lacks x or y, or they have other dims.
    """
    known = ("method", "temperature", "rule", "chain", "site")
    x, y = (_variable(result, name, known, ()) for name in ("x", "y"))
    ax = _axes(ax)
    if "voter" not in ax.get_legend_handles_labels()[1]:
        _draw_known_rules(ax)
    each = [dim for dim in ("chain", "site") if dim in x.dims]
    drawn = [array for values in (x, y) for array in mean_and_error(values, each)]
    for order in range(result.sizes.get("method", 1)):
        chosen = {"method": order} if "method" in x.dims else {}
        style = _style(result.isel(chosen), order)
        at_x, x_error, at_y, y_error = (array.isel(chosen).values.ravel() for array in drawn)
        _draw_marks(ax, at_x, at_y, x_error, y_error, style, style.label, 3 + order)
        t = result["temperature"].values if "temperature" in x.dims else np.empty(0)
        for end in {int(t.argmin()), int(t.argmax())} if t.size == at_x.size else ():
            place: dict[str, Any] = {
                "xytext": (-7, 4),
                "ha": "right",
                "textcoords": "offset points",
                "fontsize": "small",
            }
            ax.annotate(f"$T = {t[end]:g}$", (at_x[end], at_y[end]), **place)
    ax.set_aspect("equal")
    ax.set_xlabel(axis_label(x))
    ax.set_ylabel(axis_label(y))
    return ax


def _draw_known_rules(ax: Axes) -> None:
    x = np.linspace(0.0, 1.0, 201)
    ax.plot(x, 2 * x / (1 + x**2), lw=1.0, color="0.35", label="Ising", zorder=2)
    ax.plot(x, x, lw=1.0, ls="--", color="0.35", label="majority vote", zorder=2)
    critical = np.tanh(np.array([2.0, 4.0]) / CRITICAL_TEMPERATURE)
    points = (critical, "*", r"Ising, $T_\mathrm{c}$"), ((0.5, 1.0), "p", "voter")
    for point, marker, label in points:
        ax.plot(*point, ls="none", marker=marker, ms=9.0, color="0.35", label=label, zorder=2)


def _variable(
    dataset: xr.Dataset,
    name: str,
    dims: tuple[str, ...],
    needed: tuple[str, ...] = ("temperature",),
) -> xr.DataArray:
    if name not in dataset:
        raise ValueError(f"name must be one of {sorted(map(str, dataset))}; got {name!r}")
    values = dataset[name]
    if not set(needed) <= set(values.dims) <= set(dims):
        lie = "".join(f"lie over {dim!r} and " for dim in needed)
        raise ValueError(f"{name!r} must {lie}have no dims but {dims}; got {values.dims}")
    return values


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _draw_points(ax: Axes, summary: xr.Dataset, name: str, style: _Style, zorder: float) -> None:
    shown = summary.isel(temperature=np.isfinite(summary["temperature"].values))
    error = shown.get(f"{name}_error")
    y_error = None if error is None else error.values
    x, y = shown["temperature"].values, shown[name].values
    _draw_marks(ax, x, y, None, y_error, style, style.label, zorder)


def _draw_marks(
    ax: Axes,
    x: Any,
    y: Any,
    x_error: Any,
    y_error: Any,
    style: _Style,
    label: str | None,
    zorder: float,
) -> None:
    face = {} if style.filled else {"markerfacecolor": "none"}
    ax.errorbar(
        x,
        y,
        xerr=x_error,
        yerr=y_error,
        linestyle="none",
        marker=style.marker,
        markersize=style.size,
        markeredgewidth=1.0,
        color=style.color,
        elinewidth=0.9,
        label=label,
        zorder=zorder,
        **face,  # type: ignore[arg-type]
    )


def _style(summary: xr.Dataset, order: int) -> _Style:
    """Style of the method that a scalar coordinate names, if there is one."""
    if "method" not in summary.coords:
        return _UNNAMED
    method = str(summary["method"].item())
    return _STYLES.get(method, _other(method, order))


def _colors(number: int) -> list[str]:
    """Colours from cold to hot."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(color) for color in colormaps["plasma"](np.linspace(0.0, 0.85, number))]


def _other(method: str, order: int) -> _Style:
    """Style of a method that has none of its own."""
    known = list(_STYLES.values())[order % len(_STYLES)]
    return _Style(method, known.color, known.marker, known.size)


def _labelled(ax: Axes, dataset: xr.Dataset, values: xr.DataArray) -> Axes:
    ax.set_xlabel(axis_label(dataset["temperature"]))
    ax.set_ylabel(axis_label(values))
    return ax
