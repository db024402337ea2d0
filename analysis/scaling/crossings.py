"""Crossings of the Binder cumulants of two sizes."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis._fits import ACCEPTABLE, POOR, goodness_of_fit, warn_of_fit
from analysis.errors import FloatArray, ShortRunWarning, jackknife
from analysis.quantities import binder_cumulant, with_labels
from analysis.scaling._histograms import LEAST_OVERLAP, Histograms, with_errors
from analysis.scaling._series import SAMPLES, moments, moments_needed, sizes_of

__all__ = ["binder_crossings"]

_ORDERED = 2 / 3
_EDGE = 1e-6  # least distance of cumulants from 0 and 2/3
_FEWEST = 4  # temperatures of each size
_SIGNIFICANT = 3.0  # errors by which the cumulants must differ on both sides of a crossing
_WIDEST = 4.0  # standard deviations between neighbours' energies, for an overlap
_DEGREE = 3
_RANGE = 3.0  # of the logarithm of the cumulant on each side of the crossing
_FINE = 2.0  # the same, in which four temperatures are a grid fine enough


def binder_crossings(data: xr.Dataset) -> xr.Dataset:
    r"""Crossings of the Binder cumulants of successive sizes, which tend to T_c.

    If possible, the cumulants come from multiple-histogram reweighting of up to four temperatures
    of each size around the crossing. This requires that energies of neighbouring temperatures
    overlap and that reweighting agrees with the means of single temperatures. Otherwise
    ln[U/(2/3 − U)] of each size is fitted by a cubic polynomial in T, through as many temperatures
    next to the crossing as a goodness of fit of 0.1 allows. The difference to the crossing of
    parabolas is added to the error in quadrature.

    Parameters
    ----------
    data : Dataset
        ``energy`` and ``magnetization`` per site, or ``order_parameter`` of a Potts model, over
        (size, temperature, chain, draw): runs of `isingrl.simulate`, joined by `xarray.concat`
        along ``size``, the side L, with the coordinate ``n_sites`` along ``size``. If temperatures
        differ between sizes, ``temperature`` is a coordinate over (size, point).

    Returns
    -------
    Dataset
        Along ``size``, the geometric mean of the two sides, with coordinates ``small`` and
        ``large``: ``crossing_temperature`` and ``crossing_cumulant``, each with ``NAME_error`` by
        `analysis.errors.jackknife`; ``reweighted``, whether it comes from histograms;
        ``goodness_of_fit``, the chance that noise makes deviations as large (for histograms as in
        `reweight`, for polynomials by χ², NaN for as many temperatures as coefficients);
        ``first_temperature`` and ``last_temperature`` used.

    Raises
    ------
    TypeError, ValueError
        If data are missing or not finite, hold fewer than two sizes or four temperatures, or if the
        temperatures do not bracket a crossing.

    Warns
    -----
    FitWarning
        If neither histograms nor polynomials are good enough, if the cumulants do not differ by
        three standard errors on both sides of the crossing, or if they cross more than once.

    References
    ----------
    K. Binder, "Finite size scaling analysis of Ising model block distribution functions", Z. Phys.
    B 43, 119 (1981); A. M. Ferrenberg, R. H. Swendsen, "Optimized Monte Carlo data analysis", Phys.
    Rev. Lett. 63, 1195 (1989).

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
    >>> found = scaling.binder_crossings(data)
    >>> found.crossing_temperature.dims, found.crossing_temperature.units
    (('size',), 'J/k_B')
    >>> bool(abs(found.crossing_temperature.item() - 2.27) < 0.1)
    True
    """
    series = sizes_of(data, 2)
    if series.sizes["point"] < _FEWEST:
        raise ValueError(
            f"data must hold at least {_FEWEST} temperatures of each size; got "
            f"{series.sizes['point']}"
        )
    draws = moments(series)[moments_needed("binder_cumulant")]
    with warnings.catch_warnings():  # of temperatures far from the crossing
        warnings.simplefilter("ignore", ShortRunWarning)
        measured = jackknife(draws, _cumulant)
    sides = series["size"].values.astype(np.float64)
    pairs = [{"size": slice(k, k + 2)} for k in range(len(sides) - 1)]
    found = xr.concat(
        [_crossing_of_pair(series.isel(k), draws.isel(k), measured.isel(k)) for k in pairs], "size"
    )
    found = found.assign_coords(
        size=np.sqrt(sides[:-1] * sides[1:]),
        small=("size", series["size"].values[:-1]),
        large=("size", series["size"].values[1:]),
    )
    return with_labels(found, ("crossing_temperature", "crossing_cumulant"))


def _cumulant(part: xr.Dataset) -> xr.Dataset:
    """Cumulants and their `_log_ratio`."""
    mean = part.mean(SAMPLES)
    cumulant = binder_cumulant(*(mean[name] for name in moments_needed("binder_cumulant")))
    return xr.Dataset({"cumulant": cumulant, "log_ratio": _log_ratio(cumulant)})


def _log_ratio(cumulant: Any) -> Any:
    """ln[U/(2/3 - U)], which bends less than U, because U goes from 2/3 to 0 at the transition."""
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
        """Points for a polynomial, the two around a temperature first."""
        clear = 2 * self.error
        usable = (self.error > 0) & (self.cumulant > clear) & (self.cumulant < _ORDERED - clear)
        distance = abs(self.temperature - temperature)
        above = int(np.searchsorted(self.temperature, temperature))
        distance[max(above - 1, 0) : above + 1] = 0
        order = np.argsort(distance, kind="stable")
        chosen = order[usable[order]]
        # many points far away would hide a misfit at the crossing in their χ²
        within = int((abs(self.from_crossing(temperature)[chosen]) < _RANGE).sum())
        return _Curve(*(values[chosen[: max(within, _FEWEST)]] for values in self))

    def from_crossing(self, temperature: float) -> FloatArray:
        """Logarithms minus their value at a temperature."""
        return np.asarray(self.log_ratio - np.interp(temperature, self.temperature, self.log_ratio))


def _crossing_of_pair(series: xr.Dataset, draws: xr.Dataset, measured: xr.Dataset) -> xr.Dataset:
    """Crossing of two sizes, with its error and the quality of the fit."""
    curves = [_curve(measured.isel(size=k)) for k in range(2)]
    sides = " and ".join(f"{side:g}" for side in measured["size"].values)
    bracket = _bracket(curves, sides)
    rough = _straight(curves, bracket)
    found = _by_histograms(series, curves, rough)
    return _by_polynomials(draws, curves, rough, sides) if found is None else found


def _by_histograms(series: xr.Dataset, curves: list[_Curve], rough: float) -> xr.Dataset | None:
    """Crossing by reweighting; None if energies do not overlap or are not Gibbs-distributed."""
    chosen = []
    for k, curve in enumerate(curves):
        one = series.isel(size=k, point=curve.place)
        widths = one["energy"].std(SAMPLES).values * one["n_sites"].values
        beta = 1 / curve.temperature
        apart = (beta[:-1] - beta[1:]) * (widths[:-1] + widths[1:]) / 2
        overlaps = (apart > 0) & (apart < _WIDEST)
        above = int(np.clip(np.searchsorted(curve.temperature, rough), 1, beta.size - 1))
        if not overlaps[above - 1]:
            return None
        first = above - 1 - int(above > 1 and overlaps[above - 2])
        last = above + int(above < beta.size - 1 and overlaps[min(above, overlaps.size - 1)])
        chosen.append(one.isel(point=slice(first, last + 1)))
    ends = np.array([each["temperature"].values[[0, -1]] for each in chosen])
    low, high = ends[:, 0].max(), ends[:, 1].min()

    def difference(parts: list[Histograms], temperature: float) -> float:
        small, large = (part.at(temperature)["binder_cumulant"] for part in parts)
        return small - large

    def cross(parts: list[Histograms]) -> xr.Dataset:
        place, step = rough, 1e-3 * (high - low)
        for _ in range(5):  # Newton's method
            below, here, above = (difference(parts, place + k * step) for k in (-1, 0, 1))
            slope = (above - below) / (2 * step)
            shift = here / slope if slope > 0 else 0.0
            place = float(np.clip(place - shift, low + step, high - step))
            if abs(shift) < 1e-6 * step:
                break
        return xr.Dataset(
            {
                "crossing_temperature": place,
                "crossing_cumulant": parts[1].at(place)["binder_cumulant"],
            }
        )

    found = with_errors(chosen, cross)
    inside = low + 2e-3 * (high - low) < found["crossing_temperature"] < high - 2e-3 * (high - low)
    good = found["goodness_of_fit"] >= POOR and found["smallest_overlap"] >= LEAST_OVERLAP
    if not (inside and good):
        return None
    return found.drop_vars("smallest_overlap").assign(
        reweighted=True, first_temperature=ends.min(), last_temperature=ends.max()
    )


class _Polynomials(NamedTuple):
    """Polynomials of both sizes through the first `number` points of each."""

    number: int
    degree: int
    centre: float
    solve: list[FloatArray]  # from values to coefficients, shape (degree + 1, number)
    quality: float

    def crossing(self, log_ratio: FloatArray) -> tuple[float, float]:
        """Place and logarithm of the crossing next to the centre, or NaN."""
        small, large = (
            np.polynomial.Polynomial(solve @ y[: self.number])
            for solve, y in zip(self.solve, log_ratio, strict=True)
        )
        difference = small - large
        roots = difference.roots()
        roots = roots[abs(roots.imag) < 1e-9].real
        roots = roots[difference.deriv()(roots) > 0]
        if not roots.size:
            return np.nan, np.nan
        nearest = roots[np.argmin(abs(roots))]
        return float(self.centre + nearest), float(large(nearest))


def _polynomials(near: list[_Curve], centre: float, degree: int) -> _Polynomials:
    """Polynomials through as many points as an acceptable fit allows."""
    most = min(curve.temperature.size for curve in near)
    for n in range(most, degree, -1):
        solve, chi_square = [], 0.0
        for curve in near:
            powers = np.vander(curve.temperature[:n] - centre, degree + 1, increasing=True)
            weight = 1 / curve.log_ratio_error[:n]
            inverse = np.linalg.pinv(powers * weight[:, None]) * weight
            solve.append(inverse)
            rest = curve.log_ratio[:n] - powers @ (inverse @ curve.log_ratio[:n])
            chi_square += float(np.sum((weight * rest) ** 2))
        quality = float(goodness_of_fit(chi_square, 2 * (n - degree - 1)))
        if quality >= ACCEPTABLE or n <= degree + 2:
            break
    return _Polynomials(n, degree, centre, solve, quality)


def _by_polynomials(
    draws: xr.Dataset, curves: list[_Curve], rough: float, sides: str
) -> xr.Dataset:
    near = [curve.near(rough) for curve in curves]
    if min(curve.temperature.size for curve in near) < _FEWEST:
        raise ValueError(
            f"data: the temperatures of L = {sides} are too far apart around the crossing of their "
            f"Binder cumulants at about {rough:.5g}, where at least {_FEWEST} of each size must "
            "have a cumulant that is neither 0 nor 2/3; add temperatures there"
        )
    cubic, square = (_polynomials(near, rough, degree) for degree in (_DEGREE, _DEGREE - 1))
    n = max(cubic.number, square.number)
    used = draws.drop_vars(list(draws.coords)).isel(
        size=xr.DataArray([0, 1], dims="size"),
        point=xr.DataArray([curve.place[:n] for curve in near], dims=("size", "point")),
    )

    def cross(part: xr.Dataset) -> xr.Dataset:
        ratio = _cumulant(part)["log_ratio"].transpose("size", "point").values
        return _crossing_at(*cubic.crossing(ratio))

    found = jackknife(used, cross)
    ratios = np.array([curve.log_ratio[:n] for curve in near])
    other = _crossing_at(*square.crossing(ratios))
    for name, value in other.items():
        found[f"{name}_error"] = np.hypot(found[f"{name}_error"], value - found[name])
    window = np.concatenate([curve.temperature[: cubic.number] for curve in near])
    place = float(found["crossing_temperature"].item())
    fine = min(int((abs(curve.from_crossing(rough)) < _FINE).sum()) for curve in curves)
    if not (cubic.quality >= POOR and fine >= _FEWEST and found["crossing_temperature_error"] > 0):
        warn_of_fit(
            f"the Binder cumulants of L = {sides} cross at about {place:.5g}, but the temperatures "
            "are too far apart to reweight between them and to test a fit, or the rule does not "
            f"sample the Gibbs distribution and a cubic polynomial through {cubic.number} "
            f"temperatures of each size has a goodness of fit of {cubic.quality:.2g} (at least "
            f"{POOR:g} is needed). The error may be too small. Add temperatures between "
            f"{window.min():.5g} and {window.max():.5g}.",
            4,
        )
    return found.assign(
        reweighted=False,
        goodness_of_fit=cubic.quality,
        first_temperature=window.min(),
        last_temperature=window.max(),
    )


def _crossing_at(temperature: float, log_ratio: float) -> xr.Dataset:
    cumulant = _ORDERED / (1 + np.exp(-log_ratio))
    return xr.Dataset({"crossing_temperature": temperature, "crossing_cumulant": cumulant})


def _curve(measured: xr.Dataset) -> _Curve:
    order = np.argsort(measured["temperature"].values)
    names = ("temperature", "cumulant", "cumulant_error", "log_ratio", "log_ratio_error")
    return _Curve(*[*(measured[name].values[order] for name in names), order])


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
    # noise crosses wherever both hardly change: take the crossing with the best signs of z
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
