"""Finite-size scaling: sizes side by side, on one curve, and towards infinity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis._fits import numbers_of_fit
from analysis.plots.axes import axis_label, label_axes, new_axes, variable
from analysis.plots.styles import Style, colors, draw_marks, drawn_marks, style_of
from analysis.scaling import collapsed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["collapse", "extrapolation", "sizes"]

_MARKERS = "osD^vphX"
_LINES = ("-", "--", ":", "-.")
_SCALED = {
    "binder_cumulant": "Binder cumulant",
    "abs_magnetization": r"$|m|\,L^{\beta/\nu}$",
    "order_parameter": r"order parameter, $m\,L^{\beta/\nu}$",
    "susceptibility": r"$\chi\,L^{-\gamma/\nu}$ ($1/J$)",
}


def sizes(
    summary: xr.Dataset, name: str, ax: Axes | None = None, *, label: str | None = None
) -> Axes:
    """Draw an observable against temperature, each size in a colour, joined by lines.

    Methods, and several calls on one axes, have different lines, and filled or open marks.

    Parameters
    ----------
    summary : Dataset
        `name` and ``NAME_error`` along ``size`` and one more dim, with ``temperature``, and with
        or without a dim or scalar coordinate ``method``.
    name : str
        The observable.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.
    label : str, optional
        Text in front of the size; the method, if the data name one, if omitted.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `summary` is no Dataset, or if a variable is missing or lies over other dims.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import plots
    >>> coords = {"size": [4, 8], "temperature": [2.2, 2.3]}
    >>> values = xr.DataArray([[0.60, 0.58], [0.62, 0.57]], coords, ("size", "temperature"))
    >>> errors = {"binder_cumulant_error": xr.full_like(values, 0.01)}
    >>> ax = plots.sizes(xr.Dataset({"binder_cumulant": values, **errors}), "binder_cumulant")
    >>> ax.get_ylabel(), ax.get_legend_handles_labels()[1]
    ('Binder cumulant', ['$L$ = 4', '$L$ = 8'])
    """
    methods = [summary]
    if isinstance(summary, xr.Dataset) and "method" in summary.dims:
        methods = [summary.isel(method=k) for k in range(summary.sizes["method"])]
    for each in (name, f"{name}_error"):
        _over_sizes(methods[0], each)
    ax = new_axes(ax)
    for method in methods:
        styles, line = _styles(method, ax, label)
        for k, style in enumerate(styles):
            at = method.isel(size=k).sortby("temperature")
            x, y = at["temperature"].values, at[name].values
            ax.plot(x, y, line, color=style.color, linewidth=0.7, zorder=1)
            draw_marks(ax, x, y, None, at[f"{name}_error"].values, style, style.label, 2)
    return label_axes(ax, summary["temperature"], summary[name])


def collapse(summary: xr.Dataset, fit: xr.Dataset, name: str, ax: Axes | None = None) -> Axes:
    r"""Draw an observable of all sizes as `analysis.scaling.collapse` puts them on one curve.

    Parameters
    ----------
    summary : Dataset
        As for `sizes`.
    fit : Dataset
        From `analysis.scaling.collapse`.
    name : {"binder_cumulant", "abs_magnetization", "order_parameter", "susceptibility"}
        The observable.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `name` is another observable, or `fit` comes from another function.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import plots
    >>> fit = xr.Dataset({"critical_temperature": 2.2692, "nu": 1.0, "beta_over_nu": 0.125})
    >>> fit["abs_magnetization_slope"] = 0.0
    >>> coords = {"size": [4, 16], "temperature": [2.2692]}
    >>> m = xr.DataArray([[4**-0.125], [16**-0.125]], coords, ("size", "temperature"))
    >>> summary = xr.Dataset({"abs_magnetization": m, "abs_magnetization_error": 0.01 * m})
    >>> ax = plots.collapse(summary, fit, "abs_magnetization")
    >>> print(ax.get_ylabel())
    $|m|\,L^{\beta/\nu}$
    """
    points = collapsed(summary, fit, name)
    ax = new_axes(ax)
    for k, style in enumerate(_styles(summary, ax, None)[0]):
        x, y, error = (points[each].isel(size=k).values for each in ("x", "y", "y_error"))
        draw_marks(ax, x, y, None, error, style, style.label, 2)
    ax.set(xlabel=r"$\ln(T/T_c)\,L^{1/\nu}$", ylabel=_SCALED[name])
    return ax


def extrapolation(
    values: xr.DataArray,
    error: xr.DataArray,
    fit: xr.Dataset,
    exponent: float,
    ax: Axes | None = None,
    *,
    label: str | None = None,
    **marks: Any,
) -> Axes:
    r"""Draw values against :math:`L^{-p}` with the line of `analysis.scaling.extrapolate`.

    Parameters
    ----------
    values, error : DataArray
        Over ``size`` alone.
    fit : Dataset
        From `analysis.scaling.extrapolate`.
    exponent : float
        Power p of the size.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.
    label : str, optional
        Label of the marks.
    **marks
        Settings of ``Axes.errorbar``.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `fit` comes from another function.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import plots, scaling
    >>> peaks = xr.DataArray([2.45, 2.36, 2.315], {"size": [8, 16, 32]}, ("size",))
    >>> error = xr.full_like(peaks, 0.005)
    >>> limit = scaling.extrapolate(peaks, error, exponent=1.0)
    >>> ax = plots.extrapolation(peaks, error, limit, 1.0)
    >>> ax.get_xlabel()
    '$(1/L)$'
    """
    names = ("limit", "limit_error", "amplitude")
    found = numbers_of_fit("fit", fit, names, "analysis.scaling.extrapolate")
    limit, width, amplitude = found.values()
    ax = new_axes(ax)
    x = values["size"].values.astype(float) ** -exponent
    style: dict[str, Any] = {"marker": "o", "markersize": 4.5, "markerfacecolor": "none", **marks}
    drawn = ax.errorbar(x, values, error, linestyle="none", label=label, **style)
    color = drawn[0].get_color()
    line = np.array([0.0, x.max()])
    ax.plot(line, limit + amplitude * line, color=color, lw=0.8)
    ax.errorbar([0.0], [limit], [width], color=color, capsize=2.5, ls="none", lw=1.4)
    power = "" if exponent == 1 else f"^{{{exponent:.3g}}}"
    ax.set(xlabel=rf"$(1/L){power}$", ylabel=axis_label(values))
    ax.ticklabel_format(axis="x", scilimits=(-3, 4))  # longer labels would overlap
    return ax


def _over_sizes(summary: xr.Dataset, name: str) -> None:
    """Refuse variables that do not lie over sizes and one more dim, with temperatures."""
    values = variable(summary, name, tuple(map(str, getattr(summary, "dims", ()))), ("size",))
    if values.ndim != 2 or "temperature" not in values.coords:
        raise ValueError(
            f"{name!r} must lie over 'size' and one more dim, with the coordinate 'temperature'; "
            f"got {values.dims}"
        )


def _styles(summary: xr.Dataset, ax: Axes, label: str | None) -> tuple[list[Style], str]:
    """Styles of the sizes, and a line, that the axes do not show yet."""
    found = summary["size"].values
    if label is None and "method" in summary.coords and not summary["method"].ndim:
        label = style_of(summary, 0).label
    front = f"{label}, " if label else ""
    shades, drawn = colors(len(found)), drawn_marks(ax)
    for order in range(2 * len(_MARKERS)):
        styles = [
            Style(
                f"{front}$L$ = {size}", color, _MARKERS[(k + order // 2) % len(_MARKERS)], 4.0,
                filled=order % 2 == 1,
            )
            for k, (size, color) in enumerate(zip(found, shades, strict=True))
        ]  # fmt: skip
        if not drawn & {(each.color.upper(), each.marker, each.filled) for each in styles}:
            break
    return styles, _LINES[order % len(_LINES)]
