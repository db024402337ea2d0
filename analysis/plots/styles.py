"""Colours and marks of methods, and how marks are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Style",
    "colors",
    "draw_marks",
    "drawn_marks",
    "method_color",
    "method_label",
    "method_style",
    "series_label",
    "set_style",
    "style_of",
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
# on top of one another: small marks inside open ones of different sizes. None has a vertical
# stroke, which would look like an error bar.
_STYLES = {
    "metropolis": Style("Metropolis", "#0072B2", "x", 4.5),
    "heat-bath": Style("heat bath", "#009E73", "d", 7.0),
    "mean-field-q": Style("mean-field Q", "#D55E00", "o", 7.0),
    "neighborhood-q": Style("neighborhood Q", "#CC79A7", "s", 8.5),
    "independent-q": Style("independent Q", "#E69F00", "^", 7.0),
    "joint-q": Style("joint Q", "#56B4E9", "D", 5.5),
    "actor-critic": Style("actor-critic", "#56B4E9", "v", 7.0),
    "mean-field-actor-critic": Style("mean-field actor-critic", "#0072B2", "p", 8.0),
    "random": Style("random", "#999999", "<", 7.0),
    "pursuit": Style("pursuit", "#000000", "*", 8.0),
}
_N_STYLES = len(_STYLES)  # those of a user's own come behind and are not lent to others
_UNNAMED = Style("simulation", "#000000", ".", 5.0, filled=True)
# for what has the method of something drawn before: first the colours of methods seldom drawn
_OTHER_COLORS = ("#CC79A7", "#E69F00", "#000000", "#56B4E9", "#D55E00", "#009E73", "#0072B2")
_OTHER_MARKERS = "^vDsopdh"
_CAP = 2.0  # half the width of the ends of an error bar, which are seen inside an open mark, too


def set_style(method: str, style: Style) -> None:
    """Give a method of your own a label, a colour and a mark, in all plots from here on.

    Without it a method has its name as label, and a colour and mark that no other on the axes has.

    Parameters
    ----------
    method : str
        As it stands along the dim ``method``: the ``name`` of a rule, an agent or a team.
    style : Style
        What it is drawn with.

    Raises
    ------
    TypeError
        If the method is no text or the style no `Style`.

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
        What to draw on.
    x, y : array_like, shape (n,)
        Where the marks are, in the units of the axes.
    x_error, y_error : array_like, shape (n,), or None
        Standard errors, in the same units.
    style : Style
        Colour and mark.
    label : str or None
        For a legend.
    zorder : float
        What is higher hides what is lower.

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
        capsize=_CAP,
        capthick=0.9,
        label=label,
        zorder=zorder,
        **face,  # type: ignore[arg-type]
    )


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


def drawn_marks(ax: Axes) -> set[tuple[str, str, bool]]:
    """Colours and marks that stand on an axes with error bars, and whether they are filled.

    Parameters
    ----------
    ax : Axes
        What was drawn on.

    Returns
    -------
    set of (str, str, bool)
        As `Style` has them.

    Examples
    --------
    >>> from analysis.plots.axes import new_axes
    >>> from analysis.plots.styles import Style, draw_marks, drawn_marks
    >>> ax = new_axes(None)
    >>> draw_marks(ax, [1.0], [0.5], None, None, Style("voter", "#000000", ".", 5.0), None, 2)
    >>> drawn_marks(ax)
    {('#000000', '.', False)}
    """
    from matplotlib.colors import to_hex
    from matplotlib.container import ErrorbarContainer

    bars = (each for each in ax.containers if isinstance(each, ErrorbarContainer))
    marks = (each.lines[0] for each in bars if each.lines[0] is not None)
    return {
        (to_hex(mark.get_color()).upper(), str(mark.get_marker()), _is_filled(mark))
        for mark in marks
    }


def _is_filled(mark: Any) -> bool:
    return str(mark.get_markerfacecolor()) != "none"


def style_of(summary: xr.Dataset, order: int, ax: Axes | None = None) -> Style:
    """Style of the method that a scalar coordinate names, if there is one.

    Parameters
    ----------
    summary : Dataset
        With or without the scalar coordinate ``method``.
    order : int
        From 0: which style a method takes that has none of its own.
    ax : Axes, optional
        What it is for: if the same mark stands there already, another colour and mark are taken.

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
        style = _UNNAMED
    else:
        method = str(summary["method"].item())
        style = _STYLES.get(method, _other(method, order))
    return style if ax is None else _unlike(style, drawn_marks(ax))


def _unlike(style: Style, drawn: set[tuple[str, str, bool]]) -> Style:
    """Return the style, or the same label with a colour, or at least a mark, that is not drawn."""
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


def series_label(summary: xr.Dataset, style: Style) -> str:
    r"""Label of what is measured at one temperature: the method and, if known, the temperature.

    Parameters
    ----------
    summary : Dataset
        With or without the scalar coordinate ``temperature``.
    style : Style
        Of the method.

    Returns
    -------
    str
        The temperature is in J/k_B.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis.plots.styles import series_label, style_of
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), 2.0, sweeps=10, seed=1).squeeze()
    >>> series_label(data, style_of(data, 0))
    'heat bath, $T$ = 2'
    """
    if "temperature" not in summary.coords or summary["temperature"].ndim:
        return style.label
    return f"{style.label}, $T$ = {summary['temperature'].item():.4g}"


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
    known = list(_STYLES.values())[order % _N_STYLES]
    return Style(method, known.color, known.marker, known.size)
