"""Size distributions of domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from analysis.plots.axes import axis_label, logarithmic_axes, new_axes, variable
from analysis.plots.styles import draw_series

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

    Several calls on one axes differ in colour and mark.

    Parameters
    ----------
    distribution : Dataset
        From `analysis.size_distribution`, over ``size_bin`` alone.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.
    exponent : float, optional
        Exponent :math:`\tau` of a line :math:`n_s \sim s^{-\tau}` through the middle of the data,
        for comparison.
    exponent_label : str, optional
        Label of that line.
    label : str, optional
        Label of the marks; the method and the temperature if omitted.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `distribution` is no Dataset, has other dims, lacks the variable or its error, or holds
        no domain.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import domain_statistics, plots, size_distribution
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), 3.0, sweeps=4000, snapshots=400, seed=1)
    >>> found = size_distribution(domain_statistics(data)).squeeze().sel(phase="both")
    >>> ax = plots.size_distribution(found, exponent=379 / 187)
    >>> ax.get_xlabel(), ax.get_xscale()
    ('size of a domain (sites)', 'log')
    """
    density = variable(distribution, "domain_density", ("size_bin",))
    variable(distribution, "domain_density_error", ("size_bin",))  # refused if missing
    if not bool((density > 0).any()):
        raise ValueError("distribution must hold at least one domain; it holds none")
    ax = new_axes(ax)
    found = (density > 0).values
    size, y = density["size_bin"].values[found], density.values[found]
    draw_series(ax, distribution, density, found, label)
    if exponent is not None:
        middle = y.size // 2
        x = size[[0, -1]]
        line = exponent_label or rf"$s^{{-{exponent:.4g}}}$"
        law = y[middle] * (x / size[middle]) ** -exponent
        ax.plot(x, law, color="0.35", linewidth=1.0, label=line, zorder=1)
    before = ax.get_ylim()[0] if len(ax.containers) > 1 else np.inf
    ax.set(xlabel=axis_label(density["size_bin"]), ylabel=f"{axis_label(density)}, $n_s$")
    logarithmic_axes(ax)
    ax.set_ylim(bottom=min(before, 10 ** np.floor(np.log10(y.min()))))
    logarithmic_axes(ax)
    return ax
