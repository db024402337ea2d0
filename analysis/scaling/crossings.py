"""Where the Binder cumulants of two sizes cross."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.errors import jackknife
from analysis.quantities import quantity_attrs
from analysis.scaling._series import SAMPLES, moments, observables_of, sizes_of

__all__ = ["binder_crossings"]

FloatArray = npt.NDArray[np.float64]
_DEGREE = 3
_NEAREST = 8  # temperatures of each size in the fit


def binder_crossings(data: xr.Dataset) -> xr.Dataset:
    """Crossings of the Binder cumulants of successive sizes, which tend to T_c.

    Near the crossing, the cumulant of each size is a cubic polynomial in T, fitted to the eight
    temperatures nearest to where straight lines from point to point cross.

    Parameters
    ----------
    data : Dataset
        ``energy`` and ``magnetization`` per site over (size, temperature, chain, draw), as
        `isingrl.simulate` returns them and `xarray.concat` joins them along ``size``, the side L;
        with the coordinate ``n_sites`` along ``size``. Where temperatures differ by size,
        ``temperature`` is a coordinate over (size, point).

    Returns
    -------
    Dataset
        Along ``size``, the geometric mean of the two sides, with coordinates ``small`` and
        ``large``: ``crossing_temperature`` and ``crossing_cumulant``, each with ``NAME_error``.

    Raises
    ------
    TypeError, ValueError
        If data are missing or not finite, there are fewer than two sizes or four temperatures, or
        the temperatures do not bracket a crossing.

    References
    ----------
    K. Binder, "Finite size scaling analysis of Ising model block distribution functions", Z. Phys.
    B 43, 119 (1981); errors by `analysis.errors.jackknife`.

    Examples
    --------
    >>> import xarray as xr
    >>> import isingrl as irl
    >>> from analysis import scaling
    >>> grid, runs = [2.1, 2.2, 2.3, 2.4, 2.5], []
    >>> for side in (4, 8):
    ...     model = irl.Ising(irl.Lattice((side, side)))
    ...     run = irl.simulate(model, irl.HeatBath(), grid, sweeps=4000, thermalization=200, seed=1)
    ...     runs.append(run.assign_coords(n_sites=side**2))
    >>> data = xr.concat(runs, xr.Variable("size", [4, 8]), combine_attrs="drop_conflicts")
    >>> found = scaling.binder_crossings(data)
    >>> found.crossing_temperature.dims, found.crossing_temperature.units
    (('size',), 'J/k_B')
    >>> bool(abs(found.crossing_temperature.item() - 2.27) < 0.1)
    True
    """
    series = sizes_of(data, 2)
    if series.sizes["point"] <= _DEGREE:
        raise ValueError(
            f"data must hold more than {_DEGREE} temperatures of each size; got "
            f"{series.sizes['point']}"
        )
    temperature, sides = series["temperature"].values, series["size"].values.astype(float)

    def cross(part: xr.Dataset) -> xr.Dataset:
        cumulant = observables_of(part.mean(SAMPLES))["binder_cumulant"].values
        found = np.array(
            [
                _crossing(temperature[k : k + 2], cumulant[k : k + 2], sides[k : k + 2])
                for k in range(len(sides) - 1)
            ]
        )
        return xr.Dataset(
            {
                "crossing_temperature": ("size", found[:, 0]),
                "crossing_cumulant": ("size", found[:, 1]),
            }
        )

    found = jackknife(moments(series).drop_vars("size"), cross)
    found = found.assign_coords(
        size=np.sqrt(sides[:-1] * sides[1:]),
        small=("size", series["size"].values[:-1]),
        large=("size", series["size"].values[1:]),
    )
    for name, values in found.items():
        values.attrs = quantity_attrs(str(name))
    return found


def _crossing(temperature: FloatArray, cumulant: FloatArray, sides: Any) -> tuple[float, float]:
    """Temperature and value where the cumulants meet, the larger size's coming from above."""
    low = max(temperature[0].min(), temperature[1].min())
    high = min(temperature[0].max(), temperature[1].max())
    knots = np.unique(temperature)
    first, second = (
        np.interp(knots, *_sorted(t, u)) for t, u in zip(temperature, cumulant, strict=True)
    )
    meets = _meets(knots, first - second, (knots >= low) & (knots <= high))
    if not meets:
        raise ValueError(
            f"data: the temperatures of L = {sides[0]:g} and {sides[1]:g} must bracket a crossing "
            f"of their Binder cumulants; there is none between {low:.6g} and {high:.6g}"
        )
    # noise crosses where both hardly change: take the place where the larger size falls fastest
    falls = np.interp(meets, knots, -np.gradient(second, knots))
    rough = meets[int(np.argmax(falls))]
    fits = []
    for t, u in zip(temperature, cumulant, strict=True):
        near = np.argsort(abs(t - rough))[:_NEAREST]
        fits.append(np.polynomial.Polynomial.fit(t[near], u[near], _DEGREE))
    fine = np.linspace(low, high, 2001)
    fine = fine[abs(fine - rough) <= abs(fine - rough).max() / 2]
    refined = _meets(fine, fits[0](fine) - fits[1](fine), np.full(fine.size, True))
    meeting = min(refined, key=lambda t: abs(t - rough), default=rough)
    return float(meeting), float(fits[1](meeting))


def _sorted(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    order = np.argsort(x)
    return x[order], y[order]


def _meets(x: FloatArray, difference: FloatArray, valid: npt.NDArray[np.bool_]) -> list[float]:
    """Where a difference along ascending x turns from negative to positive."""
    a, b = difference[:-1], difference[1:]
    found = np.flatnonzero((a < 0) & (b >= 0) & valid[:-1] & valid[1:])
    return [float(x[k] + (x[k + 1] - x[k]) * a[k] / (a[k] - b[k])) for k in found]
