"""Axes and their labels, and variables that are to be drawn on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from analysis._parameters import check_dataset
from analysis.quantities import QUANTITIES, quantity_attrs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["axis_label", "logarithmic_axes", "new_axes", "variable"]

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
    >>> from analysis.plots.axes import variable
    >>> variable(exact.square_lattice([2.0, 3.0]), "energy", ("temperature",)).dims
    ('temperature',)
    """
    check_dataset("what is drawn", dataset)
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
    >>> from analysis.plots.axes import new_axes
    >>> ax = new_axes(None)
    >>> new_axes(ax) is ax
    True
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def label_axes(ax: Axes, horizontal: xr.DataArray, vertical: xr.DataArray) -> Axes:
    """Label both axes by what they show; returns the axes."""
    ax.set(xlabel=axis_label(horizontal), ylabel=axis_label(vertical))
    return ax


def logarithmic_axes(ax: Axes) -> None:
    """Make both axes logarithmic, with labels at as many numbers as have room.

    Over less than two decades 1, 2 and 5 times the powers of ten are labelled, over more the
    powers alone, over less than half a decade round numbers.

    Parameters
    ----------
    ax : Axes
        With everything drawn on it: labels are chosen for the range that it shows.

    Examples
    --------
    >>> from analysis.plots.axes import logarithmic_axes, new_axes
    >>> ax = new_axes(None)
    >>> line = ax.plot([0.3, 6.0], [1.0, 1e5])
    >>> logarithmic_axes(ax)
    >>> low, high = ax.get_xlim()
    >>> [text.get_text() for text in ax.get_xticklabels() if low < text.get_position()[0] < high]
    ['0.5', '1', '2', '5']
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    ax.set(xscale="log", yscale="log")  # anew: the ticks of an earlier range go
    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        axis.set_minor_formatter(NullFormatter())
        if high / low >= 100:
            continue
        wide = high / low >= 5
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)) if wide else MaxNLocator(4))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
