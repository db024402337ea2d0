"""Observables of several sizes side by side."""

from __future__ import annotations

import xarray as xr

from analysis.errors import jackknife
from analysis.quantities import quantity_attrs, with_labels
from analysis.scaling._series import SAMPLES, moments, named, observables_of, sizes_of

__all__ = ["observables"]


def observables(data: xr.Dataset) -> xr.Dataset:
    """Observables of finite-size scaling for every size and temperature, with errors.

    Parameters
    ----------
    data : Dataset
        As for `analysis.scaling.binder_crossings`.

    Returns
    -------
    Dataset
        Over (size, point), with the coordinate ``temperature``: ``binder_cumulant``,
        ``abs_magnetization`` (``order_parameter`` of a Potts model), ``susceptibility`` and
        ``specific_heat`` as `analysis.thermodynamics` defines them, each with ``NAME_error`` by
        `analysis.errors.jackknife`.

    Raises
    ------
    TypeError, ValueError
        If data are missing or not finite.

    Examples
    --------
    >>> import xarray as xr
    >>> import isingrl as irl
    >>> from analysis import scaling
    >>> grid, runs = [2.1, 2.2, 2.3, 2.4, 2.5], []
    >>> for side in (4, 8):
    ...     model = irl.Ising(irl.Lattice((side, side)))
    ...     runs.append(irl.simulate(model, irl.HeatBath(), grid, sweeps=4000, seed=1))
    >>> data = xr.concat(runs, xr.Variable("size", [4, 8]), combine_attrs="drop_conflicts")
    >>> found = scaling.observables(data)
    >>> found.susceptibility.dims, found.susceptibility.shape, found.susceptibility.units
    (('size', 'point'), (2, 5), '1/J')
    """
    found = named(of_series(sizes_of(data, 1)), data)
    with_labels(found, found)
    found["temperature"].attrs = quantity_attrs("temperature")
    return found


def of_series(series: xr.Dataset) -> xr.Dataset:
    """`observables` of what `sizes_of` returns, without labels."""
    return jackknife(moments(series), lambda part: xr.Dataset(observables_of(part.mean(SAMPLES))))
