"""Where the Binder cumulants of two sizes cross."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis._fits import POOR, goodness_of_fit, warn_of_fit
from analysis.errors import ShortRunWarning, jackknife
from analysis.quantities import quantity_attrs
from analysis.scaling._series import SAMPLES, moments, sizes_of

__all__ = ["binder_crossings"]

FloatArray = npt.NDArray[np.float64]
_DEGREE = 3
_ORDERED = 2 / 3
_RANGE = 3.0  # of the logarithm of the cumulant on each side of the crossing
_FEWEST = 6  # points for the variable of a polynomial
_SIGNIFICANT = 3.0  # errors by which the cumulants have to differ on both sides of a crossing
_NEGLIGIBLE = 0.02  # relative weight of fits that are left out of the mean
_EDGE = 1e-6  # cumulants are kept as far from 0 and 2/3 as this


def binder_crossings(data: xr.Dataset) -> xr.Dataset:
    r"""Crossings of the Binder cumulants of successive sizes, which tend to T_c.

    Near the crossing, ln[U/(2/3 − U)] of each size is a polynomial in T of degree 1 to 3. It bends
    far less than U, which is 2/3 in the ordered phase and 0 in the disordered one. Polynomials
    of all degrees through all numbers of temperatures next to the crossing are fitted with weights
    by the errors, and the result is the mean over these fits with the weights

    .. math:: \exp[-(\chi^2 + 2 n_\text{parameters} + 2 n_\text{left out})/2]

    of Jay and Neil [2]_, so that a window that is too wide for its polynomial does not count. Where
    temperatures are so far apart that fits through as many points as parameters prevail, χ² tests
    nothing, and a warning says so; the error then rests on how straight lines, parabolas and
    cubics differ.

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
        ``large``: ``crossing_temperature`` and ``crossing_cumulant``, each with ``NAME_error``, in
        which the jackknife of the draws and the spread of the fits are added in quadrature; and of
        the fit with the largest weight, of both sizes together, ``chi_square``,
        ``degrees_of_freedom``, ``goodness_of_fit`` (the chance that noise makes χ² as large, NaN
        without degrees of freedom), ``first_temperature`` and ``last_temperature``.

    Raises
    ------
    TypeError, ValueError
        If data are missing or not finite, there are fewer than two sizes or four temperatures, or
        the temperatures do not bracket a crossing.

    Warns
    -----
    FitWarning
        If the temperatures are too far apart to test the fit, the cumulants do not differ by three
        standard errors on both sides of the crossing, or they cross more than once.

    References
    ----------
    .. [1] K. Binder, "Finite size scaling analysis of Ising model block distribution functions",
       Z. Phys. B 43, 119 (1981); errors by `analysis.errors.jackknife`.
    .. [2] W. I. Jay, E. T. Neil, "Bayesian model averaging for analysis of lattice field theory
       results", Phys. Rev. D 103, 114502 (2021).

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
    draws = moments(series)[["m2", "m4"]]
    with warnings.catch_warnings():  # of temperatures that need not matter
        warnings.simplefilter("ignore", ShortRunWarning)
        measured = jackknife(draws, _cumulant)
    sides = series["size"].values.astype(np.float64)
    pairs = [slice(k, k + 2) for k in range(len(sides) - 1)]
    found = xr.concat([_crossing(draws.isel(size=k), measured.isel(size=k)) for k in pairs], "size")
    found = found.assign_coords(
        size=np.sqrt(sides[:-1] * sides[1:]),
        small=("size", series["size"].values[:-1]),
        large=("size", series["size"].values[1:]),
    )
    for name in ("crossing_temperature", "crossing_cumulant"):
        for each in (name, f"{name}_error"):
            found[each].attrs = quantity_attrs(each)
    return found


def _cumulant(part: xr.Dataset) -> xr.Dataset:
    """Cumulants, and their logarithms as `_log_ratio`."""
    mean = part.mean(SAMPLES)
    cumulant = 1 - mean["m4"] / (3 * mean["m2"] ** 2)
    return xr.Dataset({"cumulant": cumulant, "log_ratio": _log_ratio(cumulant)})


def _log_ratio(cumulant: Any) -> Any:
    kept = np.clip(cumulant, _EDGE, _ORDERED - _EDGE)
    return np.log(kept / (_ORDERED - kept))


class _Curve(NamedTuple):
    """Cumulants of one size by ascending temperature, arrays of shape (n,)."""

    temperature: npt.NDArray[Any]
    cumulant: npt.NDArray[Any]
    error: npt.NDArray[Any]
    log_ratio: npt.NDArray[Any]
    log_ratio_error: npt.NDArray[Any]
    place: npt.NDArray[Any]  # in the data

    def at(self, temperature: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Cumulants between the points, and their errors."""
        ratio = np.exp(-np.interp(temperature, self.temperature, self.log_ratio))
        return _ORDERED / (1 + ratio), np.interp(temperature, self.temperature, self.error)

    def near(self, temperature: float) -> _Curve:
        """Points that a fit can use, the two around a temperature first, then by distance."""
        clear = 2 * self.error
        usable = (self.error > 0) & (self.cumulant > clear) & (self.cumulant < _ORDERED - clear)
        distance = abs(self.temperature - temperature)
        above = np.searchsorted(self.temperature, temperature)
        distance[max(above - 1, 0) : above + 1] = 0
        order = np.argsort(distance, kind="stable")
        chosen = order[usable[order]]
        # far away, many points would drown in their χ² what a fit misses at the crossing
        here = np.interp(temperature, self.temperature, self.log_ratio)
        within = int((abs(self.log_ratio[chosen] - here) < _RANGE).sum())
        return _Curve(*(values[chosen[: max(within, _DEGREE + 1)]] for values in self))


class _Scale(NamedTuple):
    """The variable arsinh((T - centre)/width) of one size's polynomial, times a factor."""

    centre: float
    width: float
    factor: float = 1.0

    def powers(self, temperature: Any, degree: int) -> FloatArray:
        x = self.factor * np.arcsinh((np.atleast_1d(temperature) - self.centre) / self.width)
        return np.vander(x, degree + 1, increasing=True)


class _Fit(NamedTuple):
    """Polynomials of both sizes through the first `number` points of each."""

    number: int
    degree: int
    scales: list[_Scale]
    solve: list[FloatArray]  # from values to coefficients, shape (degree + 1, number)
    chi_square: float = 0.0
    crossing: float = np.nan

    @property
    def degrees_of_freedom(self) -> int:
        return 2 * (self.number - self.degree - 1)

    def values(self, log_ratio: FloatArray, temperature: Any) -> list[FloatArray]:
        """Both sizes at any temperature, from values of shape (2, n)."""
        return [
            scale.powers(temperature, self.degree) @ (solve @ y[: self.number])
            for scale, solve, y in zip(self.scales, self.solve, log_ratio, strict=True)
        ]

    def crossing_of(self, log_ratio: FloatArray) -> tuple[float, float]:
        """Place and value of the crossing for other values than those of the fit."""
        step = 1e-3 * min(scale.width for scale in self.scales)
        found = self.crossing
        for _ in range(3):  # Newton's method; the other values are close
            small, large = self.values(log_ratio, found + step * np.array([-1.0, 0.0, 1.0]))
            below, here, above = small - large
            slope = (above - below) / (2 * step)
            found -= float(here / slope) if slope > 0 else 0.0
        return found, float(self.values(log_ratio, found)[1][0])


def _crossing(draws: xr.Dataset, measured: xr.Dataset) -> xr.Dataset:
    """Crossing of two sizes, with its error and the quality of the fit."""
    curves = [_curve(measured.isel(size=k)) for k in range(2)]
    sides = " and ".join(f"{side:g}" for side in measured["size"].values)
    bracket = _bracket(curves, sides)
    rough = _straight(curves, bracket)
    near = [curve.near(rough) for curve in curves]
    number = min(curve.temperature.size for curve in near)
    near = [_Curve(*(values[:number] for values in curve)) for curve in near]
    fits = _fits(near, rough, number)
    if not fits:
        raise ValueError(
            f"data: the temperatures of L = {sides} are too far apart around the crossing of their "
            f"Binder cumulants between {bracket[0]:.6g} and {bracket[1]:.6g}, where at least two "
            "of each size must have a cumulant that is neither 0 nor 2/3; add temperatures there"
        )
    weight = np.array(
        [-fit.chi_square / 2 - 2 * (fit.degree + 1) - 2 * (number - fit.number) for fit in fits]
    )
    weight = np.exp(weight - weight.max())
    kept = [fit for fit, w in zip(fits, weight, strict=True) if w > _NEGLIGIBLE]
    weight = weight[weight > _NEGLIGIBLE] / weight[weight > _NEGLIGIBLE].sum()
    places = xr.DataArray([curve.place for curve in near], dims=("size", "point"))
    used = draws.drop_vars(list(draws.coords))
    used = used.isel(size=xr.DataArray([0, 1], dims="size"), point=places)

    def mean(part: xr.Dataset) -> xr.Dataset:
        ratio = _cumulant(part)["log_ratio"].transpose("size", "point").values
        found = weight @ np.array([fit.crossing_of(ratio) for fit in kept])
        return _named(*found)

    ratio = np.array([curve.log_ratio for curve in near])
    each = np.array([fit.crossing_of(ratio) for fit in kept])
    spread = _named(*each.T)
    found = jackknife(used, mean)
    for name, values in spread.items():
        shift = values.values - found[name].item()
        # fits that nothing tests may all be wrong: the furthest counts, not their mean square
        untested = [fit.degrees_of_freedom == 0 for fit in kept]
        variance = max(np.sum(weight * shift**2), *(weight > 0.1) * untested * shift**2)
        found[f"{name}_error"] = np.sqrt(found[f"{name}_error"] ** 2 + variance)
    best = kept[int(np.argmax(weight))]
    window = np.concatenate([curve.temperature[: best.number] for curve in near])
    quality = float(goodness_of_fit(best.chi_square, best.degrees_of_freedom))
    if not quality >= POOR:
        place = float(found["crossing_temperature"].item())
        warn_of_fit(
            f"the Binder cumulants of L = {sides} cross at {place:.5g}, but the best fit there has "
            f"χ² = {best.chi_square:.3g} for {best.degrees_of_freedom} degrees of freedom, through "
            f"{best.number} temperatures of each size: its goodness must be at least {POOR:g}, and "
            "needs one degree of freedom. The error may be too small. Add temperatures between "
            f"{window.min():.5g} and {window.max():.5g}.",
            4,
        )
    return found.assign(
        chi_square=best.chi_square,
        degrees_of_freedom=best.degrees_of_freedom,
        goodness_of_fit=quality,
        first_temperature=window.min(),
        last_temperature=window.max(),
    )


def _named(temperature: Any, log_ratio: Any) -> xr.Dataset:
    dims = ("fit",) * np.ndim(temperature)
    return xr.Dataset(
        {
            "crossing_temperature": (dims, temperature),
            "crossing_cumulant": (dims, _ORDERED / (1 + np.exp(-log_ratio))),
        }
    )


def _curve(measured: xr.Dataset) -> _Curve:
    order = np.argsort(measured["temperature"].values)
    values = {name: measured[name].values[order] for name in measured.data_vars}
    return _Curve(
        measured["temperature"].values[order],
        values["cumulant"],
        values["cumulant_error"],
        values["log_ratio"],
        values["log_ratio_error"],
        order,
    )


def _bracket(curves: list[_Curve], sides: str) -> tuple[float, float]:
    """Neighbouring temperatures between which the smaller size's cumulant gets the larger one."""
    low = max(curve.temperature[0] for curve in curves)
    high = min(curve.temperature[-1] for curve in curves)
    knots = np.unique(np.concatenate([curve.temperature for curve in curves]))
    knots = knots[(knots >= low) & (knots <= high)]
    (small, small_error), (large, large_error) = (curve.at(knots) for curve in curves)
    error = np.hypot(small_error, large_error)
    z = np.divide(small - large, error, out=np.zeros_like(error), where=error > 0)
    meets = np.flatnonzero((z[:-1] < 0) & (z[1:] >= 0))
    # noise crosses wherever both hardly change: take the place that the signs of z fit best
    wrong = [
        np.sum(np.maximum(z[: k + 1], 0) ** 2) + np.sum(np.minimum(z[k + 1 :], 0) ** 2)
        for k in meets
    ]
    best = int(meets[int(np.argmin(wrong))]) if meets.size else 0
    left, right = -z[: best + 1].min(initial=0.0), z[best + 1 :].max(initial=0.0)
    contradicted = bool(meets.size) and goodness_of_fit(min(wrong), z.size) < POOR / 10
    if not meets.size or (contradicted and min(left, right) < _SIGNIFICANT):
        raise ValueError(
            f"data: the temperatures of L = {sides} must bracket a crossing of their Binder "
            f"cumulants; there is none between {low:.6g} and {high:.6g}"
        )
    if contradicted:
        warn_of_fit(
            f"the Binder cumulants of L = {sides} cross more than once; taken is the crossing "
            f"between {knots[best]:.5g} and {knots[best + 1]:.5g}. Keep temperatures around one "
            "crossing only.",
            4,
        )
    elif min(left, right) < _SIGNIFICANT:
        warn_of_fit(
            f"the Binder cumulants of L = {sides} seem to cross between {knots[best]:.5g} and "
            f"{knots[best + 1]:.5g}, but differ by no more than {left:.2g} standard errors below "
            f"and {right:.2g} above, where {_SIGNIFICANT:g} are needed on both sides to tell a "
            "crossing from noise. Run longer, or add temperatures further away.",
            4,
        )
    return float(knots[best]), float(knots[best + 1])


def _straight(curves: list[_Curve], bracket: tuple[float, float]) -> float:
    """Crossing of straight lines."""
    a, b = np.interp(bracket, curves[0].temperature, curves[0].log_ratio) - np.interp(
        bracket, curves[1].temperature, curves[1].log_ratio
    )
    return float(bracket[0] + (bracket[1] - bracket[0]) * (a / (a - b) if a < b else 0.5))


def _scale(curve: _Curve, rough: float) -> _Scale:
    """Variable in which the curve is nearly straight: both phases have powers of |T - T_c|."""
    temperature, y, error = curve.temperature, curve.log_ratio, curve.log_ratio_error
    span = float(abs(temperature - rough).max(initial=0.0)) or 1.0
    if temperature.size < _FEWEST:
        return _Scale(rough, 100 * span, 100.0)

    def rest(parameters: FloatArray) -> FloatArray:
        centre, width = rough + span * parameters[0], span * np.exp(parameters[1])
        x = np.arcsinh((temperature - centre) / width)
        powers = np.vander(x, 2, increasing=True) / error[:, None]
        found = np.linalg.lstsq(powers, y / error, rcond=None)[0]
        return np.asarray(y / error - powers @ found)

    bounds = ([-1.0, np.log(0.01)], [1.0, np.log(100.0)])
    tries = [
        scipy.optimize.least_squares(rest, [0.0, np.log(width)], bounds=bounds)
        for width in (0.1, 1.0)
    ]
    best = min(tries, key=lambda found: float(found.cost))
    centre, width = rough + span * best.x[0], span * np.exp(best.x[1])
    scale = _Scale(centre, width)
    largest = abs(scale.powers(temperature, 1)[:, 1]).max()
    return _Scale(centre, width, 1 / largest)


def _fits(near: list[_Curve], rough: float, number: int) -> list[_Fit]:
    """Polynomials of all degrees through all numbers of points, where they cross."""
    scales = [_scale(curve, rough) for curve in near]
    values = np.array([curve.log_ratio for curve in near])
    found = []
    for degree in range(1, _DEGREE + 1):
        for n in range(degree + 1, number + 1):
            solve, chi_square = [], 0.0
            for curve, scale in zip(near, scales, strict=True):
                powers = scale.powers(curve.temperature[:n], degree)
                weight = 1 / curve.log_ratio_error[:n]
                inverse = np.linalg.pinv(powers * weight[:, None]) * weight
                solve.append(inverse)
                rest = curve.log_ratio[:n] - powers @ (inverse @ curve.log_ratio[:n])
                chi_square += float(np.sum((weight * rest) ** 2))
            fit = _Fit(n, degree, scales, solve, chi_square if n > degree + 1 else 0.0)
            inside = np.concatenate([curve.temperature[:n] for curve in near])
            fine = np.linspace(inside.min(), inside.max(), 401)
            small, large = fit.values(values, fine)
            below, above = (small - large)[:-1], (small - large)[1:]
            meets = np.flatnonzero((below < 0) & (above >= 0))
            if meets.size:
                k = meets[np.argmin(abs(fine[meets] - rough))]
                share = below[k] / (below[k] - above[k])
                fit = fit._replace(crossing=float(fine[k] + share * (fine[k + 1] - fine[k])))
                fit = fit._replace(crossing=fit.crossing_of(values)[0])
                found.append(fit)
    return found
