"""Labels and styles of drawn quantities and methods, and what all plots of points share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis.quantities import QUANTITIES, quantity_attrs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

__all__ = [
    "Style",
    "axis_label",
    "colors",
    "draw_marks",
    "logarithmic",
    "method_color",
    "method_label",
    "method_style",
    "new_axes",
    "series_style",
    "style_of",
    "variable",
]


@dataclass(frozen=True)
class Style:
    """Label, colour and mark of a method.

    Attributes
    ----------
    label : str
        For a legend.
    color, marker : str
        As Matplotlib knows them.
    size : float
        Of the mark, in points.
    filled : bool
        Whether the mark is; else it is open.

    Examples
    --------
    >>> from analysis.plots.styles import Style
    >>> Style("voter", "#000000", ".", 5.0).filled
    False
    """

    label: str
    color: str
    marker: str
    size: float
    filled: bool = False


# Okabe and Ito's colours, which colour-blind readers can tell apart, and shapes that stay visible
# on top of one another: small marks inside open ones of different sizes. No mark is an upright
# stroke, because that would look like an error bar.
_STYLES = {
    "metropolis": Style("Metropolis", "#0072B2", "x", 4.5),
    "heat-bath": Style("heat bath", "#009E73", "d", 8.0),
    "mean-field-q": Style("mean-field Q", "#D55E00", "o", 6.0),
    "neighborhood-q": Style("neighborhood Q", "#CC79A7", "s", 8.5),
    "independent-q": Style("independent Q", "#E69F00", "^", 7.0),
    "joint-q": Style("joint Q", "#56B4E9", "D", 5.5),
    "actor-critic": Style("actor-critic", "#56B4E9", "v", 7.0),
    "mean-field-actor-critic": Style("mean-field actor-critic", "#0072B2", "p", 8.0),
    "random": Style("random", "#999999", "1", 8.0),
    "pursuit": Style("pursuit", "#000000", "*", 8.0),
}
# For further series of one method on the same axes.
_SERIES = tuple(
    zip(
        ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"),
        ("o", "s", "^", "D", "v", "p", "h"),
        strict=True,
    )
)
_FEW_DECADES = 1.5
_CAP = 1.8  # points; the ends of a bar are seen inside an open mark, too
_UNNAMED = Style("simulation", "#000000", ".", 5.0, filled=True)
_UNITS = {
    "J": "$J$",
    "1/J": "$1/J$",
    "J^2": "$J^2$",
    "J/k_B": r"$J/k_\mathrm{B}$",
    "k_B": r"$k_\mathrm{B}$",
}


def axis_label(values: xr.DataArray) -> str:
    """Label of an axis that shows `values`: long name, then units unless it is a pure number.

    Parameters
    ----------
    values : DataArray
        With the attributes ``long_name`` and ``units``, or the name of a known quantity.

    Returns
    -------
    str
        Units in TeX where they are symbols.

    Examples
    --------
    >>> from analysis import exact, plots
    >>> print(plots.axis_label(exact.square_lattice(2.0).energy))
    energy per site ($J$)
    """
    name = str(values.name)
    known = quantity_attrs(name) if name in QUANTITIES else {}
    long_name = str(values.attrs.get("long_name", known.get("long_name", name)))
    units = str(values.attrs.get("units", known.get("units", "1")))
    return long_name if units in ("", "1") else f"{long_name} ({_UNITS.get(units, units)})"


def method_label(method: str) -> str:
    """Readable name of a method: ``"mean-field-q"`` becomes "mean-field Q".

    Parameters
    ----------
    method : str
        As it stands along the dim ``method``.

    Returns
    -------
    str
        The same name where the method is unknown.

    Examples
    --------
    >>> from analysis import plots
    >>> plots.method_label("mean-field-q")
    'mean-field Q'
    """
    return _STYLES[method].label if method in _STYLES else method


def method_color(method: str, order: int) -> str:
    """Colour of a method, or of the `order`-th of several that have none of their own.

    Parameters
    ----------
    method : str
        As it stands along the dim ``method``.
    order : int
        From 0.

    Returns
    -------
    str
        Hexadecimal.

    Examples
    --------
    >>> from analysis.plots.styles import method_color
    >>> method_color("metropolis", 0)
    '#0072B2'
    """
    return _STYLES.get(method, _other(method, order)).color


def method_style(method: str) -> dict[str, Any]:
    """Colour and open mark of a method, as keyword arguments of ``Axes.plot``.

    Parameters
    ----------
    method : str
        As it stands along the dim ``method``.

    Returns
    -------
    dict
        Those of a plain simulation where the method is unknown.

    Examples
    --------
    >>> from analysis import plots
    >>> plots.method_style("mean-field-q")
    {'color': '#D55E00', 'marker': 'o', 'markersize': 7.0, 'markerfacecolor': 'none'}
    """
    style = _STYLES.get(method, _UNNAMED)
    face = {} if style.filled else {"markerfacecolor": "none"}
    return {"color": style.color, "marker": style.marker, "markersize": style.size, **face}


def variable(
    dataset: xr.Dataset,
    name: str,
    dims: tuple[str, ...],
    needed: tuple[str, ...] = ("temperature",),
) -> xr.DataArray:
    """Variable of a Dataset that lies over the dims `needed` and none but `dims`.

    Parameters
    ----------
    dataset : Dataset
        What is to be drawn.
    name : str
        Of the variable.
    dims : tuple of str
        Dims that it may have.
    needed : tuple of str
        Those of them that it must have.

    Returns
    -------
    DataArray
        The variable.

    Raises
    ------
    TypeError, ValueError
        If it does not, or `dataset` is no Dataset.

    Examples
    --------
    >>> from analysis import exact
    >>> from analysis.plots.styles import variable
    >>> variable(exact.square_lattice([2.0, 3.0]), "energy", ("temperature",)).dims
    ('temperature',)
    """
    if not isinstance(dataset, xr.Dataset):
        raise TypeError(f"what is drawn must be an xarray Dataset; got {type(dataset).__name__}")
    if name not in dataset:
        raise ValueError(f"name must be one of {sorted(map(str, dataset))}; got {name!r}")
    values = dataset[name]
    if not set(needed) <= set(values.dims) <= set(dims):
        lie = "".join(f"lie over {dim!r} and " for dim in needed)
        raise ValueError(f"{name!r} must {lie}have no dims but {dims}; got {values.dims}")
    return values


def new_axes(ax: Axes | None) -> Axes:
    """Return `ax`, or a new one if it is None.

    Parameters
    ----------
    ax : Axes or None
        What to draw on.

    Returns
    -------
    Axes
        Of a figure with a constrained layout, if it is new.

    Examples
    --------
    >>> from analysis.plots.styles import new_axes
    >>> ax = new_axes(None)
    >>> new_axes(ax) is ax
    True
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def draw_marks(
    ax: Axes,
    x: Any,
    y: Any,
    x_error: Any,
    y_error: Any,
    style: Style,
    label: str | None,
    zorder: float,
) -> None:
    """Draw marks with error bars, or without where an error is None.

    Parameters
    ----------
    ax : Axes
        What to draw on.
    x, y : array_like, shape (n,)
        Where the marks are, in the units of the axes.
    x_error, y_error : array_like, shape (n,), or None
        Standard errors, in the same units; a mark has no bar where its error is NaN.
    style : Style
        Colour and mark.
    label : str or None
        For a legend.
    zorder : float
        What is higher hides what is lower.

    Examples
    --------
    >>> from analysis.plots.styles import Style, draw_marks, new_axes
    >>> ax = new_axes(None)
    >>> style = Style("voter", "#000000", ".", 5.0)
    >>> draw_marks(ax, [1.0, 2.0], [0.5, 0.6], None, [0.1, 0.1], style, style.label, 2)
    >>> ax.get_legend_handles_labels()[1]
    ['voter']
    """
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
        capsize=0.0 if style.marker in "x1" else _CAP,  # a capped cross is an hourglass
        label=label,
        zorder=zorder,
        **face,  # type: ignore[arg-type]
    )


def style_of(summary: xr.Dataset, order: int) -> Style:
    """Style of the method that a scalar coordinate names, if there is one.

    Parameters
    ----------
    summary : Dataset
        With or without the scalar coordinate ``method``.
    order : int
        From 0: which style a method takes that has none of its own.

    Returns
    -------
    Style
        That of a plain simulation where no method is named.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis.plots.styles import style_of
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> style_of(irl.simulate(model, irl.HeatBath(), 2.0, sweeps=10, seed=1), 0).label
    'heat bath'
    """
    if "method" not in summary.coords:
        return _UNNAMED
    method = str(summary["method"].item())
    return _STYLES.get(method, _other(method, order))


def series_style(summary: xr.Dataset, ax: Axes, label: str | None, order: int = 0) -> Style:
    """Style of a further series on axes: that of its method, or another if the axes have that.

    Parameters
    ----------
    summary : Dataset
        With or without the scalar coordinates ``method`` and ``temperature``, which the label
        names.
    ax : Axes
        Where it will be drawn.
    label : str or None
        For a legend, instead of method and temperature.
    order : int
        As of `style_of`.

    Returns
    -------
    Style
        Colour and mark that no other series on `ax` has, as long as there are any.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis.plots.styles import draw_marks, new_axes, series_style
    >>> ax = new_axes(None)
    >>> summary = xr.Dataset(coords={"method": "heat-bath", "temperature": 2.0})
    >>> first = series_style(summary, ax, None)
    >>> first.label
    'heat bath, $T$ = 2'
    >>> draw_marks(ax, [1.0], [0.5], None, None, first, first.label, 2)
    >>> series_style(summary, ax, None).color == first.color
    False
    """
    from matplotlib.colors import to_rgb
    from matplotlib.container import ErrorbarContainer

    style = style_of(summary, order)
    temperature = summary.coords.get("temperature")
    if label is None and temperature is not None and temperature.ndim == 0:
        label = f"{style.label}, $T$ = {temperature.item():.4g}"
    lines = [
        container.lines[0]
        for container in ax.containers
        if isinstance(container, ErrorbarContainer)
    ]
    taken = [(to_rgb(line.get_color()), line.get_marker()) for line in lines]
    if (to_rgb(style.color), style.marker) in taken:
        free = [
            (color, marker)
            for color, marker in _SERIES
            if all(to_rgb(color) != other and marker != shape for other, shape in taken)
        ]
        color, marker = free[0] if free else _SERIES[len(taken) % len(_SERIES)]
        style = Style(style.label, color, marker, 5.0)
    return replace(style, label=label or style.label)


def logarithmic(axis: Axis) -> None:
    """Put ticks on a logarithmic axis that do not run into one another.

    Parameters
    ----------
    axis : Axis
        With the limits of what was drawn: at less than a decade and a half it has ticks at 1, 2, 5
        of every decade, else at powers of 10.

    Examples
    --------
    >>> from analysis.plots.styles import logarithmic, new_axes
    >>> ax = new_axes(None)
    >>> line = ax.plot([0.2, 3.0], [1.0, 2.0])
    >>> ax.set_xscale("log")
    >>> logarithmic(ax.xaxis)
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['0.1', '0.2', '0.5', '1', '2', '5']
    """
    from matplotlib.ticker import FuncFormatter, LogFormatterSciNotation, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    short = np.log10(high / low) < _FEW_DECADES
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if short else (1.0,)))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}") if short else LogFormatterSciNotation()
    )
    axis.set_minor_formatter(NullFormatter())


def colors(number: int) -> list[str]:
    """Colours from cold to hot.

    Parameters
    ----------
    number : int
        How many.

    Returns
    -------
    list of str
        Hexadecimal.

    Examples
    --------
    >>> from analysis.plots.styles import colors
    >>> colors(2)
    ['#0d0887', '#feba2c']
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(color) for color in colormaps["plasma"](np.linspace(0.0, 0.85, number))]


def _other(method: str, order: int) -> Style:
    """Style of a method that has none of its own."""
    known = list(_STYLES.values())[order % len(_STYLES)]
    return Style(method, known.color, known.marker, known.size)
