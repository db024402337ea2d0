"""Observables against temperature, measured and exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis._parameters import parameter
from analysis.exact.onsager import CRITICAL_TEMPERATURE
from analysis.plots.axes import axis_label, label_axes, new_axes, variable
from analysis.plots.styles import draw_variable, style_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axes._secondary_axes import SecondaryAxis

__all__ = ["critical_temperature", "exact_curve", "observable", "softmax_axis"]


def observable(
    summary: xr.Dataset, name: str, ax: Axes | None = None, *, label: str | None = None
) -> Axes:
    """Draw an observable against temperature or field, with error bars and one mark a method.

    If the axes already show a method, it gets another colour and mark.

    Parameters
    ----------
    summary : Dataset
        From `analysis.thermodynamics`: over temperature, or over several fields at one
        temperature, with or without a dim or scalar coordinate ``method``.
    name : str
        The observable, for example ``"abs_magnetization"``, or ``"order_parameter"`` of a Potts
        model; ``NAME_error`` gives error bars.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.
    label : str, optional
        Label of the marks, in front of the method if there are several; the method if omitted.

    Returns
    -------
    Axes
        With a labelled artist for each method, for a legend.

    Raises
    ------
    TypeError, ValueError
        If `summary` is no Dataset, or lacks the observable, or if this has dims besides
        temperature and method, or field and method.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import plots, thermodynamics
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), [3.0, 4.0], sweeps=1000, seed=1)
    >>> ax = plots.observable(thermodynamics(data), "energy")
    >>> ax.get_legend_handles_labels()[1], ax.get_ylabel()
    (['heat bath'], 'energy per site ($J$)')
    """
    summary, along = _one_axis(summary)
    values = variable(summary, name, (along, "method"), (along,))
    ax = new_axes(ax)
    one_method = "method" not in values.dims
    for order in range(1 if one_method else summary.sizes["method"]):
        chosen = summary if one_method else summary.isel(method=order)
        style = style_of(chosen, order, ax)
        text = style.label if label is None else label if one_method else f"{label}, {style.label}"
        shown = np.isfinite(chosen[along].values)
        draw_variable(ax, chosen, chosen[name], shown, style, text, 3 + order)
    return label_axes(ax, summary[along], values)


def exact_curve(result: xr.Dataset, name: str, ax: Axes | None = None) -> Axes:
    """Draw an exact result against temperature or field, dashed for a finite lattice.

    An approximate theory, such as `analysis.exact.weiss`, is dash-dotted.

    Parameters
    ----------
    result : Dataset
        From a function of `analysis.exact`; the coordinate ``sides`` marks a finite lattice, and
        the attribute ``theory`` gives the label of a theory.
    name : str
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
        If `result` is no Dataset or lacks the observable.

    Examples
    --------
    >>> import numpy as np
    >>> from analysis import exact, plots
    >>> ax = plots.exact_curve(exact.square_lattice(np.linspace(1, 4, 61)), "energy")
    >>> ax = plots.exact_curve(exact.torus((8, 8), np.linspace(1, 4, 61)), "energy", ax)
    >>> ax.get_legend_handles_labels()[1], ax.get_ylabel()
    (['exact, infinite', 'exact, 8×8'], 'energy per site ($J$)')
    """
    result, along = _one_axis(result)
    values = variable(result, name, (along,)).sortby(along)
    ax = new_axes(ax)
    sides = parameter(result, "sides")
    if "theory" in result.attrs:
        label, linestyle, color = str(result.attrs["theory"]), "-.", "0.35"
    elif sides is None:
        label, linestyle, color = "exact, infinite", "-", "0.35"
    else:
        label, linestyle, color = f"exact, {sides.item().replace('x', '×')}", "--", "0.0"
    finite = np.isfinite(values[along].values)
    x = values[along].values[finite]
    y = np.where(np.isfinite(values.values), values.values, np.nan)[finite]
    ax.plot(x, y, lw=1.0, ls=linestyle, color=color, label=label, zorder=2)
    return label_axes(ax, result[along], values)


def critical_temperature(ax: Axes, temperature: float = CRITICAL_TEMPERATURE) -> Axes:
    r"""Draw a vertical line at a critical temperature, by default the square lattice's.

    Parameters
    ----------
    ax : Axes
        Axes with the temperature as horizontal axis.
    temperature : float
        In J/k_B; that of a Potts model on the square lattice is :math:`1/\ln(1 + \sqrt{q})`.

    Returns
    -------
    Axes
        With a labelled artist for the line, for a legend.

    Examples
    --------
    >>> import numpy as np
    >>> from analysis import exact, plots
    >>> ax = plots.exact_curve(exact.square_lattice(np.linspace(1, 4, 61)), "abs_magnetization")
    >>> ax = plots.critical_temperature(ax)
    >>> print(ax.get_legend_handles_labels()[1][-1])
    $T_\mathrm{c}$
    """
    ax.axvline(temperature, color="0.55", lw=0.9, ls=":", zorder=1, label=r"$T_\mathrm{c}$")
    return ax


def softmax_axis(ax: Axes, summary: xr.Dataset) -> SecondaryAxis:
    r"""Add a second axis, on top, in the softmax temperature that belongs to a temperature.

    Parameters
    ----------
    ax : Axes
        Axes with the physical temperature as horizontal axis.
    summary : Dataset
        With the coordinate ``softmax_temperature`` over temperature, or over method and
        temperature; NaN for a method without one.

    Returns
    -------
    SecondaryAxis
        The second axis.

    Raises
    ------
    ValueError
        If the coordinate is missing, holds no positive finite number, or is not one multiple of
        the temperature, for example because two methods have different rewards.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import plots, thermodynamics
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> policy = irl.train(model, irl.MeanFieldQ(reward="mean"), [3.0, 4.0], sweeps=100, seed=1)
    >>> summary = thermodynamics(irl.simulate(model, policy, sweeps=1000, seed=2))
    >>> second = plots.softmax_axis(plots.observable(summary, "energy"), summary)
    >>> print(second.get_xlabel())
    softmax temperature $\tau$ ($J$)
    """
    if "softmax_temperature" not in summary.coords:
        raise ValueError("summary must have the coordinate 'softmax_temperature'; it has none")
    softmax = summary["softmax_temperature"]
    ratios = (softmax / summary["temperature"]).values
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    if not ratios.size:
        raise ValueError(
            "summary: 'softmax_temperature' must hold a positive number at a positive temperature; "
            f"got {softmax.values}"
        )
    ratio = float(ratios[0])
    if not np.allclose(ratios, ratio, rtol=1e-6):
        raise ValueError(
            "summary: 'softmax_temperature' must be one multiple of the temperature; got ratios "
            f"from {ratios.min():.6g} to {ratios.max():.6g} (select one method)"
        )

    both_ways: Any = (lambda temperature: temperature * ratio, lambda tau: tau / ratio)
    second = ax.secondary_xaxis("top", functions=both_ways)
    label = {"long_name": "softmax temperature", "units": "J", **softmax.attrs}
    label["long_name"] += r" $\tau$"
    second.set_xlabel(axis_label(xr.DataArray(0.0, attrs=label)))
    return second


def _one_axis(dataset: Any) -> tuple[Any, str]:
    """Return the data along one dim, temperature or field, and the name of this dim."""
    if not isinstance(dataset, xr.Dataset) or "field" not in dataset.dims:
        return dataset, "temperature"
    if dataset.sizes["field"] == 1 and dataset.sizes.get("temperature", 1) > 1:
        return dataset.squeeze("field"), "temperature"
    if dataset.sizes.get("temperature", 1) > 1:
        raise ValueError(
            f"several temperatures ({dataset.sizes['temperature']}) and several fields "
            f"({dataset.sizes['field']}) have no common axis: select one temperature or one field"
        )
    return dataset.squeeze("temperature") if "temperature" in dataset.dims else dataset, "field"
