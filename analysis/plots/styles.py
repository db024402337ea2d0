"""Colours and marks of methods, and how marks are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Style", "colors", "draw_marks", "method_label", "method_style", "set_style"]


@dataclass(frozen=True)
class Style:
    """Label, colour and mark of a method.

    Attributes
    ----------
    label : str
        For a legend.
    color, marker : str
        In Matplotlib's notation.
    size : float
        Size of the mark in points.
    filled : bool
        Whether the mark is filled; otherwise it is open.

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


# Colour-blind readers can tell Okabe and Ito's colours apart. Small marks inside open ones of
# different sizes stay visible. No mark has a vertical stroke, which would look like an error bar.
_STYLES = {
    "metropolis": Style("Metropolis", "#0072B2", "x", 4.5),
    "heat-bath": Style("heat bath", "#009E73", "d", 7.0),
    "swendsen-wang": Style("Swendsen–Wang", "#CC79A7", "h", 8.5),
    "wolff": Style("Wolff", "#E69F00", "p", 7.0),
    "mean-field-q": Style("mean-field Q", "#D55E00", "o", 7.0),
    "neighborhood-q": Style("neighborhood Q", "#CC79A7", "s", 8.5),
    "independent-q": Style("independent Q", "#E69F00", "^", 7.0),
    "joint-q": Style("joint Q", "#56B4E9", "D", 5.5),
    "actor-critic": Style("actor-critic", "#56B4E9", "v", 7.0),
    "mean-field-actor-critic": Style("mean-field actor-critic", "#0072B2", "p", 8.0),
    "mean-field-q-of-mate": Style("mean-field Q of one mate", "#0072B2", "s", 6.0),
    "mean-field-q-of-foes": Style("mean-field Q of the foes", "#CC79A7", "D", 5.5),
    "mean-field-q-of-nobody": Style("mean-field Q of nobody", "#56B4E9", "v", 6.5),
    "random": Style("random", "#999999", "<", 7.0),
    "pursuit": Style("pursuit", "#000000", "*", 8.0),
}
_N_STYLES = len(_STYLES)  # styles set by a user come later and are not lent to other methods
_UNNAMED = Style("simulation", "#000000", ".", 5.0, filled=True)
# for a second series of the same method; colours of methods that are seldom drawn come first
_OTHER_COLORS = ("#CC79A7", "#E69F00", "#000000", "#56B4E9", "#D55E00", "#009E73", "#0072B2")
_OTHER_MARKERS = "^vDsopdh"
_CAP = 2.0  # half the width of the end of an error bar, so that an open mark shows it inside


def set_style(method: str, style: Style) -> None:
    """Give a method of your own a label, a colour and a mark, in all plots from here on.

    Otherwise its label is its name, and its colour and mark differ from all others on the axes.

    Parameters
    ----------
    method : str
        Its value along the dim ``method``: the ``name`` of a rule, an agent or a team.
    style : Style
        Its label, colour and mark.

    Raises
    ------
    TypeError
        If the method is no string or the style no `Style`.

    Examples
    --------
    >>> from analysis import plots
    >>> plots.set_style("my-voter", plots.Style("voter model", "#000000", "h", 8.0))
    >>> plots.method_label("my-voter")
    'voter model'
    """
    if not isinstance(method, str) or not isinstance(style, Style):
        raise TypeError(
            f"set_style needs the name of a method and a Style; got {method!r}, {style!r}"
        )
    _STYLES[method] = style


def method_label(method: str) -> str:
    """Readable name of a method: ``"mean-field-q"`` becomes "mean-field Q".

    Parameters
    ----------
    method : str
        Its value along the dim ``method``.

    Returns
    -------
    str
        The name itself if the method is unknown.

    Examples
    --------
    >>> from analysis import plots
    >>> plots.method_label("mean-field-q")
    'mean-field Q'
    """
    return named_style(method, 0).label


def method_style(method: str) -> dict[str, Any]:
    """Colour and open mark of a method, as keyword arguments of ``Axes.plot``.

    Parameters
    ----------
    method : str
        Its value along the dim ``method``.

    Returns
    -------
    dict
        The style of a plain simulation if the method is unknown.

    Examples
    --------
    >>> from analysis import plots
    >>> plots.method_style("mean-field-q")
    {'color': '#D55E00', 'marker': 'o', 'markersize': 7.0, 'markerfacecolor': 'none'}
    """
    return _settings(_STYLES.get(method, _UNNAMED))


def _settings(style: Style) -> dict[str, Any]:
    """Return keyword arguments of ``Axes.plot`` and ``Axes.errorbar``."""
    face = {} if style.filled else {"markerfacecolor": "none"}
    return {"color": style.color, "marker": style.marker, "markersize": style.size, **face}


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
    """Draw marks with error bars, or without where an error is None or NaN.

    Parameters
    ----------
    ax : Axes
        The axes to draw on.
    x, y : array_like, shape (n,)
        Places of the marks, in the units of the axes.
    x_error, y_error : array_like, shape (n,), or None
        Standard errors, in the same units.
    style : Style
        Colour and mark.
    label : str or None
        Label for a legend.
    zorder : float
        Marks of a higher order hide lower ones.

    Examples
    --------
    >>> from analysis.plots.axes import new_axes
    >>> from analysis.plots.styles import Style, draw_marks
    >>> ax = new_axes(None)
    >>> style = Style("voter", "#000000", ".", 5.0)
    >>> draw_marks(ax, [1.0, 2.0], [0.5, 0.6], None, [0.1, 0.1], style, style.label, 2)
    >>> ax.get_legend_handles_labels()[1]
    ['voter']
    """
    ax.errorbar(
        x, y, xerr=x_error, yerr=y_error, linestyle="none", markeredgewidth=1.0, elinewidth=0.9,
        capsize=_CAP, capthick=0.9, label=label, zorder=zorder, **_settings(style),
    )  # fmt: skip


def draw_variable(
    ax: Axes,
    dataset: xr.Dataset,
    values: xr.DataArray,
    shown: npt.NDArray[np.bool_],
    style: Style,
    label: str | None,
    zorder: float,
) -> None:
    """Draw points of a variable over its one dim, with ``NAME_error`` where the Dataset has it."""
    error = dataset.get(f"{values.name}_error")
    y_error = None if error is None else error.values[shown]
    x = values[values.dims[0]].values
    draw_marks(ax, x[shown], values.values[shown], None, y_error, style, label, zorder)


def draw_series(
    ax: Axes,
    dataset: xr.Dataset,
    values: xr.DataArray,
    shown: npt.NDArray[np.bool_],
    label: str | None,
    color: str | None = None,
) -> Style:
    """Draw a variable in the style of its method, which is returned, or as dots of a colour.

    The label is by default the method, with the temperature in J/k_B if all points share one.
    """
    style = style_of(dataset, 0, ax)
    if color is not None:
        style = Style(style.label, color, ".", 3.0)
    if label is None:
        label = style.label
        if "temperature" in dataset.coords and not dataset["temperature"].ndim:
            label = f"{label}, $T$ = {dataset['temperature'].item():.4g}"
    draw_variable(ax, dataset, values, shown, style, label, 3)
    return style


def drawn_marks(ax: Axes) -> set[tuple[str, str, bool]]:
    """Colours and marks on an axes that have error bars, and whether they are filled."""
    from matplotlib.colors import to_hex
    from matplotlib.container import ErrorbarContainer

    bars = (each for each in ax.containers if isinstance(each, ErrorbarContainer))
    marks: list[Any] = [each.lines[0] for each in bars if each.lines[0] is not None]
    return {
        (
            to_hex(mark.get_color()).upper(),
            str(mark.get_marker()),
            str(mark.get_markerfacecolor()) != "none",
        )
        for mark in marks
    }


def style_of(summary: xr.Dataset, order: int, ax: Axes | None = None) -> Style:
    """Style of the method that the scalar coordinate ``method`` names, or of a plain simulation.

    A method without a style of its own has the `order`-th one, from 0. If the axes already show
    the same mark, the style gets another colour and mark.
    """
    known = "method" in summary.coords
    style = named_style(str(summary["method"].item()), order) if known else _UNNAMED
    return style if ax is None else _unlike(style, drawn_marks(ax))


def _unlike(style: Style, drawn: set[tuple[str, str, bool]]) -> Style:
    """Return the style, or its label with a colour, or at least a mark, that is not drawn yet."""
    colors, pairs = {color for color, *_ in drawn}, {pair[:2] for pair in drawn}
    if (style.color, style.marker) not in pairs:
        return style
    own = {(each.color, each.marker) for each in _STYLES.values()}
    n, marks = len(_OTHER_COLORS), len(_OTHER_MARKERS)
    others = [
        (_OTHER_COLORS[k % n], _OTHER_MARKERS[(k % n + k // n) % marks]) for k in range(n * marks)
    ]
    others = [pair for pair in others if pair not in own]
    free = [pair for pair in others if pair not in pairs] or others
    color, marker = next((pair for pair in free if pair[0] not in colors), free[0])
    return Style(style.label, color, marker, 6.0)


def colors(number: int) -> list[str]:
    """Colours from cold to hot.

    Parameters
    ----------
    number : int
        Number of colours.

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


def named_style(method: str, order: int) -> Style:
    """Style of a method or, if it has none of its own, its name with the `order`-th style."""
    if method in _STYLES:
        return _STYLES[method]
    other = list(_STYLES.values())[order % _N_STYLES]
    return Style(method, other.color, other.marker, other.size)
