"""New figures, and one legend for several panels.

Matplotlib is imported where a figure is made: it takes a third of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase


def new_figure(**settings: Any) -> Figure:
    """Return an empty ``matplotlib.figure.Figure`` that no window shows."""
    from matplotlib.figure import Figure

    return Figure(**settings)


def legend_below(
    figure: FigureBase,
    axes: Iterable[Axes],
    ncols: int,
    *,
    more: Mapping[str, Artist] | None = None,
    **settings: Any,
) -> None:
    """Put one legend below a figure, with every label of the axes once.

    Parameters
    ----------
    figure : Figure or SubFigure
    axes : iterable of Axes
    ncols : int
    more : mapping, optional
        Further artists by label.
    **settings
        Further arguments of ``Figure.legend``.
    """
    found: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    found |= more or {}
    place: Any = "outside lower center"
    figure.legend(
        list(found.values()), list(found), loc=place, ncols=ncols, frameon=False, **settings
    )
