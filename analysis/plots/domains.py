"""Size distributions of domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from analysis.plots.styles import (
    axis_label,
    draw_marks,
    logarithmic,
    new_axes,
    series_style,
    variable,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["size_distribution"]


def size_distribution(
    distribution: xr.Dataset,
    ax: Axes | None = None,
    *,
    exponent: float | None = None,
    exponent_label: str | None = None,
    label: str | None = None,
) -> Axes:
    r"""Draw numbers of domains against their size, on logarithmic axes.

    Parameters
    ----------
    distribution : Dataset
        From `analysis.size_distribution`, over ``size_bin`` alone.
    ax : Axes, optional
        Drawn on; a new one if omitted.
    exponent : float, optional
        Exponent :math:`\tau` of a line :math:`n_s \sim s^{-\tau}` to compare with, put through the
        middle of the data.
    exponent_label : str, optional
        Of that line.
    label : str, optional
        Of the marks; the method and the temperature if omitted.

    Returns
    -------
    Axes
        What was drawn on.

    Raises
    ------
    TypeError, ValueError
        If there are other dims, the variable is missing, or no domain was found.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import domain_statistics, plots, size_distribution
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), 3.0, sweeps=200, snapshots=50, seed=1)
    >>> found = size_distribution(domain_statistics(data)).squeeze().sel(phase="both")
    >>> ax = plots.size_distribution(found, exponent=379 / 187)
    >>> ax.get_xlabel(), ax.get_xscale()
    ('size of a domain (sites)', 'log')
    """
    bins = ("size_bin",)
    density = variable(distribution, "domain_density", bins, bins)
    error = variable(distribution, "domain_density_error", bins, bins)
    if not bool((density > 0).any()):
        raise ValueError("distribution must hold at least one domain; it holds none")
    ax = new_axes(ax)
    style = series_style(distribution, ax, label)
    found = (density > 0).values
    size, y = density["size_bin"].values[found], density.values[found]
    draw_marks(ax, size, y, None, error.values[found], style, style.label, 2)
    if exponent is not None:
        middle = y.size // 2
        x = size[[0, -1]]
        text = exponent_label or rf"$s^{{-{exponent:.4g}}}$"
        law = y[middle] * (x / size[middle]) ** -exponent
        ax.plot(x, law, color="0.35", linewidth=1.0, label=text, zorder=1)
    ax.set(xscale="log", yscale="log", xlabel=axis_label(density["size_bin"]))
    ax.set_ylabel("domains per site, $n_s$")
    # error bars that reach down to zero would stretch the axis
    lowest = min(container.lines[0].get_ydata().min() for container in ax.containers)
    ax.set_ylim(bottom=10 ** np.floor(np.log10(lowest)), auto=True)
    logarithmic(ax.xaxis)
    logarithmic(ax.yaxis)
    return ax
