"""Correlations by distance, structure factors, and the growth of domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from analysis._fits import numbers_of_fit
from analysis.plots.axes import axis_label, label_axes, logarithmic_axes, new_axes, variable
from analysis.plots.styles import draw_series
from isingrl.support.validation import check_real

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["domain_growth", "spin_correlation", "structure_factor"]


def spin_correlation(
    result: xr.Dataset, ax: Axes | None = None, *, label: str | None = None
) -> Axes:
    """Draw the correlation of spins against their distance, averaged over directions.

    Several calls on one axes differ in colour and mark.

    Parameters
    ----------
    result : Dataset
        From `analysis.spin_correlation`, over ``radius`` alone.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.
    label : str, optional
        Label of the marks; the method and the temperature if omitted.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `result` is no Dataset, has other dims, or lacks the variable.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import plots, spin_correlation
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), 3.0, sweeps=4000, snapshots=400, seed=1)
    >>> ax = plots.spin_correlation(spin_correlation(data).squeeze())
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('distance (lattice spacings)', 'spin correlation')
    """
    values = variable(result, "radial_correlation", ("radius",))
    ax = new_axes(ax)
    draw_series(ax, result, values, (values["radius"] >= 0).values, label)
    if not any(line.get_gid() == "zero" for line in ax.lines):
        ax.axhline(0.0, color="0.7", linewidth=0.8, zorder=1, gid="zero")
    return label_axes(ax, values["radius"], values)


def structure_factor(
    result: xr.Dataset,
    ax: Axes | None = None,
    *,
    length: float | None = None,
    label: str | None = None,
    color: str | None = None,
) -> Axes:
    """Draw the structure factor against the wave number, on logarithmic axes.

    Parameters
    ----------
    result : Dataset
        From `analysis.structure_factor`, over ``wave_number`` alone; k = 0 is left out.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.
    length : float, optional
        Length L in lattice spacings. If given, :math:`S(k)/L^2` of a plane is drawn against kL,
        so that growing domains that look alike at all times lie on one curve.
    label : str, optional
        Label of the marks; the method and the temperature if omitted.
    color : str, optional
        Colour of the marks, which are then small dots; the colour of the method, or another one
        if the axes already show it, if omitted.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `result` is no Dataset, has other dims, or lacks the variable, or if `length` is no
        positive number.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import plots, structure_factor
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), 3.0, sweeps=4000, snapshots=400, seed=1)
    >>> ax = plots.structure_factor(structure_factor(data).squeeze())
    >>> ax.get_xlabel(), ax.get_xscale()
    ('wave number (1/lattice spacing)', 'log')
    """
    values = variable(result, "structure_factor", ("wave_number",))
    scale = 1.0 if length is None else check_real("length", length)
    if scale <= 0:
        raise ValueError(f"length must be positive; got {length}")
    ax = new_axes(ax)
    shown = result.assign_coords(wave_number=values["wave_number"] * scale)
    for name in ("structure_factor", "structure_factor_error"):
        if name in shown:
            shown[name] = shown[name] / scale**2
    positive = (values["wave_number"] > 0).values
    draw_series(ax, shown, shown["structure_factor"], positive, label, color)
    logarithmic_axes(ax)
    if length is None:
        ax.set(xlabel=axis_label(values["wave_number"]), ylabel=f"{axis_label(values)}, $S(k)$")
    else:
        ax.set(xlabel=r"wave number times length, $kL$", ylabel=r"$S(k)/L^2$")
    return ax


def domain_growth(
    lengths: xr.Dataset,
    name: str,
    ax: Axes | None = None,
    *,
    law: xr.Dataset | None = None,
    window: tuple[float, float] | None = None,
    label: str | None = None,
) -> Axes:
    r"""Draw a length of domains against time, on logarithmic axes.

    Parameters
    ----------
    lengths : Dataset
        From `analysis.domain_length`, over ``time`` alone.
    name : {"moment_length", "wall_length"}
        Length to draw.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.
    law : Dataset, optional
        From `analysis.growth_law`; drawn as a line, solid in the window and dotted beyond it.
    window : tuple of float, optional
        First and last time of the fit, needed for `law`; shaded.
    label : str, optional
        Label of the marks; the method and the temperature if omitted.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `lengths` is no Dataset, has other dims, or lacks the variable, or if `law` comes from
        another function or without `window`.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from analysis import plots
    >>> time = np.array([10.0, 20.0, 50.0, 100.0])
    >>> lengths = xr.Dataset({"wall_length": ("time", 2 * time**0.5)}, {"time": time})
    >>> ax = plots.domain_growth(lengths, "wall_length", window=(20, 100))
    >>> ax.get_ylabel(), ax.get_yscale()
    ('domain length, from the walls (lattice spacings)', 'log')
    """
    if law is not None and window is None:
        raise ValueError("window must be given with law; got none")
    names = ("growth_offset", "growth_amplitude", "growth_exponent")
    found = None if law is None else numbers_of_fit("law", law, names, "analysis.growth_law")
    values = variable(lengths, name, ("time",))
    ax = new_axes(ax)
    style = draw_series(ax, lengths, values, (values["time"] > 0).values, label)
    if window is not None and not any(patch.get_gid() == "window" for patch in ax.patches):
        ax.axvspan(*window, color="0.92", zorder=0, gid="window")
    if found is not None and window is not None:
        offset, amplitude, exponent = (found[each] for each in names)
        ends = float(values["time"][values["time"] > 0].min()), float(values["time"].max())
        for (first, last), line in ((window, "-"), (ends, ":")):
            t = np.geomspace(max(first, ends[0]), min(last, ends[1]), 200)
            fit = offset + amplitude * t**exponent
            ax.plot(t[fit > 0], fit[fit > 0], line, color=style.color, linewidth=1.0, zorder=2)
    logarithmic_axes(ax)
    return label_axes(ax, values["time"], values)
