"""Axes and their labels, and the variables that are drawn on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from analysis._parameters import check_dataset
from analysis.quantities import QUANTITIES, quantity_attrs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["axis_label"]

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
    dataset: xr.Dataset, name: str, dims: tuple[str, ...], needed: tuple[str, ...] | None = None
) -> xr.DataArray:
    """Return a variable, which may lie over `dims` and must lie over `needed`, or over all dims."""
    check_dataset("data to be drawn", dataset)
    if name not in dataset:
        raise ValueError(f"name must be one of {sorted(map(str, dataset))}; got {name!r}")
    values, needed = dataset[name], dims if needed is None else needed
    if not set(needed) <= set(values.dims) <= set(dims):
        lie = "".join(f"lie over {dim!r} and " for dim in needed)
        raise ValueError(f"{name!r} must {lie}have no dims but {dims}; got {values.dims}")
    return values


def new_axes(ax: Axes | None) -> Axes:
    """Return `ax`, or the axes of a new figure with a constrained layout if it is None."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def label_axes(ax: Axes, horizontal: xr.DataArray, vertical: xr.DataArray) -> Axes:
    """Label both axes by their variables; returns the axes."""
    ax.set(xlabel=axis_label(horizontal), ylabel=axis_label(vertical))
    return ax


def logarithmic_axes(ax: Axes) -> None:
    """Make both axes logarithmic, with labels at as many numbers as have room.

    Two decades or more show powers of ten, less also 2 and 5 times these, and less than a factor
    of 5 round numbers. Everything must be drawn before, because labels depend on the range shown.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    ax.set(xscale="log", yscale="log")  # again, which removes the ticks of an earlier range
    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        axis.set_minor_formatter(NullFormatter())
        if high / low >= 100:
            continue
        wide = high / low >= 5
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)) if wide else MaxNLocator(4))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
