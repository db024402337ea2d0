"""Observables against temperature: axes in, axes out.

Labels come from the attributes ``long_name`` and ``units``. Matplotlib is imported where an axes
has to be made, so that ``import analysis`` does not load it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis.exact.onsager import CRITICAL_TEMPERATURE
from analysis.quantities import QUANTITIES, quantity_attrs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axes._secondary_axes import SecondaryAxis

__all__ = [
    "axis_label",
    "critical_temperature",
    "exact_curve",
    "method_label",
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
        known = str(chosen["method"].item()) if "method" in chosen.coords else None
        style = _UNNAMED if known is None else _STYLES.get(known, _other(known, order))
        _draw_points(ax, chosen, name, style, zorder=3 + order)
    return _labelled(ax, summary, values)


def exact_curve(result: xr.Dataset, name: str, ax: Axes | None = None) -> Axes:
    """Draw an exact result as a line: dashed for a finite lattice, solid for an infinite one.

    Parameters
    ----------
    result : Dataset
        As the functions of `analysis.exact` return it; finite if it has the attribute ``shape``.
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
    if shape is None:
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


def _variable(dataset: xr.Dataset, name: str, dims: tuple[str, ...]) -> xr.DataArray:
    if name not in dataset:
        raise ValueError(f"name must be one of {sorted(map(str, dataset))}; got {name!r}")
    values = dataset[name]
    if "temperature" not in values.dims or not set(values.dims) <= set(dims):
        raise ValueError(
            f"{name!r} must lie over 'temperature', with no dims but {dims}; got {values.dims}"
        )
    return values


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _draw_points(ax: Axes, summary: xr.Dataset, name: str, style: _Style, zorder: float) -> None:
    shown = summary.isel(temperature=np.isfinite(summary["temperature"].values))
    error = shown.get(f"{name}_error")
    face: dict[str, Any] = {} if style.filled else {"markerfacecolor": "none"}
    ax.errorbar(
        shown["temperature"].values,
        shown[name].values,
        yerr=None if error is None else error.values,
        linestyle="none",
        marker=style.marker,
        markersize=style.size,
        markeredgewidth=1.0,
        color=style.color,
        elinewidth=0.9,
        label=style.label,
        zorder=zorder,
        **face,
    )


def _other(method: str, order: int) -> _Style:
    """Style of a method that has none of its own."""
    known = list(_STYLES.values())[order % len(_STYLES)]
    return _Style(method, known.color, known.marker, known.size)


def _labelled(ax: Axes, dataset: xr.Dataset, values: xr.DataArray) -> Axes:
    ax.set_xlabel(axis_label(dataset["temperature"]))
    ax.set_ylabel(axis_label(values))
    return ax
