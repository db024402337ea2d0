"""Critical temperature and exponents from sizes that are large enough for one correction."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy
import xarray as xr

from analysis._fits import ACCEPTABLE, POOR, goodness_of_deviations, goodness_of_fit, warn_of_fit
from analysis.errors import FloatArray
from analysis.errors.arrays.blocks import shared_between_blocks
from analysis.errors.arrays.times import autocorrelation_times
from analysis.quantities import with_labels
from analysis.scaling._histograms import Histograms, Tallies, prepared, warn_of_histograms
from analysis.scaling._series import SAMPLES, sizes_of
from isingrl.support.validation import check_integer, check_real

__all__ = ["critical_point"]

_RESULTS = ("critical_temperature", "nu", "beta_over_nu", "gamma_over_nu", "binder_cumulant")
_VALUES = 4  # of each size: ln T, ln w, ln |m| and ln χ
_POWERS = 2  # of corrections, at most
_PASSES = 2  # the first finds the Binder cumulant of infinite size
_BLOCKS = 60  # left out in turn; a covariance of four values needs many more than four
_SPAN = 0.04  # of Binder cumulants from the middle one, for slopes
_INSIDE = 0.9  # of the span that the data allow
_STABLE = 2.5  # errors; fewer choose by noise, which makes the errors of the choice too small
_EXACT = 1e-8  # of a temperature
_GRID = 33  # temperatures of the search for a crossing


def critical_point(
    data: xr.Dataset, *, correction: float, correction_spread: float = 0.25, powers: int = 1
) -> xr.Dataset:
    r"""Critical temperature and exponents from runs at a few temperatures near the transition.

    Multiple-histogram reweighting gives the temperature T at which the Binder cumulant of each size
    has one value U, and :math:`|m|` and :math:`\chi` there. It also gives the width
    :math:`w = \ln(T_> / T_<)`: at :math:`T_<` the cumulant is larger than U by 0.04, at
    :math:`T_>` smaller; by less if the data do not reach so far. With corrections to scaling
    :math:`C_k = c_k L^{-\omega}`,

    .. math:: \ln T = \ln T_c + w \, (u + C_1), \quad \ln w = -\tfrac{1}{\nu} \ln L + a_2 + C_2,
       \quad \ln |m| = -\tfrac{\beta}{\nu} \ln L + a_3 + C_3, \quad
       \ln \chi = \tfrac{\gamma}{\nu} \ln L + a_4 + C_4,

    where u is the distance of U from the cumulant of infinite size at :math:`T_c`, in units of its
    change over the width. On demand each has a second correction, proportional to
    :math:`L^{-2\omega}`. At one value of U only the first depends on :math:`T_c`, and much of the
    noise of the others, which they share with the cumulant, is gone [1]_. A first pass takes U from
    the crossing of the smallest and the largest size and finds its value for infinite size; with
    any other one there would be corrections of order :math:`L^{-1/\nu}`, too. The smallest size is
    left out until the goodness of fit is at least 0.1 and no result changes by more than 2.5
    errors, neither without one size more nor with ω larger or smaller by `correction_spread`.

    Parameters
    ----------
    data : Dataset
        ``energy`` and ``magnetization`` per site, or ``order_parameter`` of a Potts model, which
        stands for :math:`|m|`, over (size, temperature, chain, draw), from `isingrl.simulate`,
        joined along ``size``, with the coordinate ``n_sites``; four or more sizes, with the second
        correction five, each with two or more temperatures on both sides of the transition, whose
        energies overlap. Sizes may have temperatures of their own, as a coordinate over (size,
        point). The rule must sample the Gibbs distribution, as for `reweight`.
    correction : float
        Exponent ω of the leading correction, exact or from the literature: 7/4 for the Ising model
        in two dimensions, 0.83 in three.
    correction_spread : float
        How far ω is changed for the systematic errors, less than ω.
    powers : int
        1, or 2 for the second correction. It describes smaller sizes, but has larger errors from
        the same ones. It pays if data are so precise that one correction needs to leave out many.

    Returns
    -------
    Dataset
        ``critical_temperature`` in J/k_B, ``nu``, ``beta_over_nu``, ``gamma_over_nu`` and
        ``binder_cumulant`` (of infinite size at T_c), each with ``NAME_error`` and
        ``NAME_systematic``; ``chi_square``, ``degrees_of_freedom``, ``goodness_of_fit``,
        ``first_size``, the smallest size of the fit, and ``smallest_overlap`` as from `reweight`.
        The same fit from each size on lies along ``smallest_size``: ``fitted_NAME`` and
        ``fitted_NAME_error``, and ``fitted_goodness_of_fit``.

        ``NAME_error`` is statistical. ``NAME_systematic`` is the largest of three changes of the
        result: with the smallest size of the fit left out, and with ω larger or smaller by
        `correction_spread`. The first contains noise, so that it is about as large as the error
        even where nothing is wrong. The choice of the first size is not in it.

    Raises
    ------
    TypeError, ValueError
        If data are missing, not finite, in a field, or hold too few sizes, fewer than two
        temperatures or 60 draws in blocks; if the Binder cumulants of the smallest and the largest
        size do not cross, or those of another size do not reach the crossing; if `correction` is
        less than 0.1 or `correction_spread` not less than it; or if `powers` is neither 1 nor 2.

    Warns
    -----
    FitWarning
        If the goodness of fit is below 0.01 or no first size is stable; if runs are too short for
        their autocorrelation times; and as `reweight`.

    Notes
    -----
    Sizes are independent, so the errors of all fits need the covariance of four values within
    each. A jackknife over 60 blocks, with new weights for each, estimates it once. All fits are
    linear. Their weights are the errors of single values. Weights by the inverse of the covariance
    would have smaller errors in theory. In practice they rest on differences that have hardly any
    noise, and these hold the largest corrections that the fit leaves out.

    The sum of squares is no χ², because values are correlated. It is divided by a number so that
    its mean and variance are those of a χ² with ``degrees_of_freedom``, not an integer [2]_.

    References
    ----------
    .. [1] M. Hasenbusch, "Finite size scaling study of lattice models in the three-dimensional
       Ising universality class", Phys. Rev. B 82, 174433 (2010).
    .. [2] F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
       Biometrics Bull. 2, 110 (1946).

    Examples
    --------
    >>> import warnings
    >>> import xarray as xr
    >>> import isingrl as irl
    >>> from analysis import scaling
    >>> sides, runs = [4, 6, 8, 12], []
    >>> for side in sides:
    ...     model = irl.Ising(irl.Lattice((side, side)))
    ...     grid = [2.0, 2.27, 2.55]
    ...     runs.append(irl.simulate(model, irl.SwendsenWang(), grid, sweeps=4000, seed=side))
    >>> data = xr.concat(runs, xr.Variable("size", sides), combine_attrs="drop_conflicts")
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # of runs so short
    ...     found = scaling.critical_point(data, correction=1.75)
    >>> bool(abs(found.critical_temperature - 2.269) < 0.1), found.critical_temperature.units
    (True, 'J/k_B')
    """
    if check_integer("powers", powers, 1) > _POWERS:
        raise ValueError(f"powers must be 1 or {_POWERS}; got {powers}")
    # one size is left out, and the rest have at least as many values as there are unknowns
    series = sizes_of(data, 3 + powers)
    omega = check_real("correction", correction, minimum=0.1)
    spread = check_real("correction_spread", correction_spread, minimum=0.0, maximum=omega - 0.05)
    if series.sizes["point"] < 2:
        raise ValueError(
            f"data must hold at least two temperatures of each size; got {series.sizes['point']}"
        )
    if series.sizes["draw"] < _per_chain(series):
        raise ValueError(
            f"data must hold at least {_per_chain(series)} draws of each chain, for {_BLOCKS} "
            f"blocks; got {series.sizes['draw']}"
        )
    sizes = series["size"].values
    each = [prepared(series.isel(size=k, drop=True)) for k in range(sizes.size)]
    tallies = [Tallies(one) for one in each]
    first = [Histograms(one) for one in tallies]
    ends = [(float(one["temperature"].min()), float(one["temperature"].max())) for one in each]
    middle = _crossing([first[0], first[-1]], [ends[0], ends[-1]], (sizes[0], sizes[-1]))
    cumulant = first[0].at(middle)["binder_cumulant"]
    spans = _spans(first, ends, cumulant)
    for side, (low, high), reached in zip(sizes, ends, spans, strict=True):
        if not (low < middle < high and reached > 0):
            raise ValueError(
                f"data: the temperatures of size {side} must reach below and above the crossing at "
                f"T = {middle:.6g}, where the Binder cumulant is {cumulant:.4g}; they reach from "
                f"{low:.6g} to {high:.6g}"
            )
    for _ in range(_PASSES):
        levels = cumulant + min(_SPAN, _INSIDE * min(spans)) * np.array([1.0, 0.0, -1.0])
        points = [
            _point(first[k], tallies[k], each[k], ends[k], levels, sizes[k])
            for k in range(sizes.size)
        ]
        fitted = partial(_fitted, powers=powers, levels=levels)
        fits = [fitted(points[k:], omega) for k in range(sizes.size - powers - 1)]
        chosen, systematic, stable = _chosen(fits, points, fitted, omega, spread)
        best = fits[chosen]
        cumulant = best.value[-1]
        spans = _spans(first, ends, cumulant)
        if min(spans) <= 0:  # of short runs, whose limit is too uncertain
            break
    for point, one in zip(points, first, strict=True):
        quality = xr.Dataset(
            {"smallest_overlap": one.smallest_overlap(), "goodness_of_fit": point.histograms}
        )
        warn_of_histograms(quality, f"size {point.size:g}")
    if best.goodness < POOR or not stable:
        warn_of_fit(
            f"the fit to sizes from {sizes[chosen]} has χ² = {best.chi_square:.4g} for "
            f"{best.freedom:.3g} degrees of freedom, a goodness of {best.goodness:.2g}, and no "
            f"smallest size has a goodness of {ACCEPTABLE:g} and results that stay within "
            f"{_STABLE:g} errors without it and with another exponent. Add larger sizes, or take "
            "another correction."
        )
    longest = max(point.longest for point in points)
    if longest > 0.1:
        warn_of_fit(
            f"autocorrelation times are up to {longest:.2g} of a block of draws, where 0.1 is "
            "acceptable, so that errors may be too small. Run longer."
        )
    found = xr.Dataset()
    for k, name in enumerate(_RESULTS):
        found[name] = best.value[k]
        found[f"{name}_error"] = best.error[k]
        found[f"{name}_systematic"] = systematic[k]
    with_labels(found, _RESULTS)
    for name in _RESULTS:
        found[f"{name}_systematic"].attrs = {
            "long_name": f"systematic error of the {found[name].attrs['long_name']}",
            "units": found[name].attrs["units"],
        }
    for k, name in enumerate(_RESULTS):
        for end, column in (("", "value"), ("_error", "error")):
            values = [getattr(each, column)[k] for each in fits]
            found[f"fitted_{name}{end}"] = ("smallest_size", values, found[f"{name}{end}"].attrs)
    found["fitted_goodness_of_fit"] = ("smallest_size", [each.goodness for each in fits])
    found.coords["smallest_size"] = sizes[: len(fits)]
    return found.assign(
        chi_square=best.chi_square, degrees_of_freedom=best.freedom,
        goodness_of_fit=best.goodness, first_size=sizes[chosen],
        smallest_overlap=min(one.smallest_overlap() for one in first),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Point:
    """Values of one size, shape (4,): ln T, ln w, ln |m| and ln χ; ``correlation`` (4, 4)."""

    size: float
    values: FloatArray
    errors: FloatArray
    correlation: FloatArray
    histograms: float  # goodness of fit
    longest: float  # autocorrelation time in units of a block


@dataclass(frozen=True, eq=False)
class _Fit:
    """Results in the order of `_RESULTS`, with statistical errors.

    ``response``, shape (5, number of values), holds the derivatives of the results by the values of
    the points, in units of their errors, and ``correlation`` is that of the values.
    """

    value: FloatArray
    response: FloatArray
    correlation: FloatArray
    chi_square: float
    freedom: float

    @property
    def error(self) -> FloatArray:
        return self._error_of(self.response)

    def error_of_change(self, other: _Fit) -> FloatArray:
        """Statistical error of the change to a fit without some of the first values."""
        left_out = self.response.shape[1] - other.response.shape[1]
        return self._error_of(self.response - np.pad(other.response, ((0, 0), (left_out, 0))))

    def _error_of(self, response: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(np.einsum("ij,jk,ik->i", response, self.correlation, response)))

    @property
    def goodness(self) -> float:
        return float(goodness_of_fit(self.chi_square, self.freedom))


def _chosen(
    fits: list[_Fit],
    points: list[_Point],
    fitted: Callable[[list[_Point], float], _Fit],
    omega: float,
    spread: float,
) -> tuple[int, FloatArray, bool]:
    """Return the first size of the best fit, its systematic errors, and whether it is stable."""
    for first, (best, without) in enumerate(itertools.pairwise(fits)):
        others = [fitted(points[first:], omega + sign * spread) for sign in (1, -1)]
        changes = [abs(other.value - best.value) for other in (without, *others)]
        limits = np.array([best.error_of_change(without), best.error, best.error])
        stable = best.goodness >= ACCEPTABLE and bool((changes <= _STABLE * limits).all())
        if stable:
            break
    return first, np.max(changes, axis=0), stable


def _crossing(
    pair: list[Histograms], ends: list[tuple[float, float]], sizes: tuple[Any, Any]
) -> float:
    """Temperature at which the Binder cumulants of two sizes are equal."""
    low, high = max(low for low, _ in ends), min(high for _, high in ends)
    small, large = pair

    def difference(temperature: float) -> float:
        cumulants = (each.at(temperature)["binder_cumulant"] for each in (large, small))
        return next(cumulants) - next(cumulants)

    grid = np.linspace(low, high, _GRID)
    values = np.array([difference(each) for each in grid]) if low < high else np.zeros(0)
    falls = np.flatnonzero((values[:-1] > 0) & (values[1:] <= 0))
    if not falls.size:
        raise ValueError(
            f"data: the temperatures of the sizes {sizes[0]} and {sizes[1]} must bracket the "
            f"crossing of their Binder cumulants; they share {low:.6g} to {high:.6g}"
        )
    # noise makes more crossings far away, where both cumulants are equal
    best = falls[np.argmax(values[falls] - values[falls + 1])]
    return float(scipy.optimize.brentq(difference, grid[best], grid[best + 1], xtol=_EXACT))


def _spans(
    histograms: list[Histograms], ends: list[tuple[float, float]], cumulant: float
) -> list[float]:
    """How far the Binder cumulants of each size reach to both sides of this one."""
    found = []
    for each, (low, high) in zip(histograms, ends, strict=True):
        larger, smaller = (each.at(end)["binder_cumulant"] for end in (low, high))
        found.append(min(larger - cumulant, cumulant - smaller))
    return found


def _per_chain(series: xr.Dataset) -> int:
    return max(1, -(-_BLOCKS // series.sizes["chain"]))


def _point(
    full: Histograms,
    tallies: Tallies,
    series: xr.Dataset,
    ends: tuple[float, float],
    levels: FloatArray,
    side: Any,
) -> _Point:
    """Reweight one size to three Binder cumulants, with the covariance."""
    roots = np.array([_root(full, ends, level) for level in levels])
    first, middle, last = np.log(roots)
    # of ln T by the cumulant, of the parabola through the three
    rates = (last - first) / 2 + np.array([-1, 0, 1]) * (first - 2 * middle + last)
    rates /= levels[0] - levels[1]

    def values_of(histograms: Histograms) -> FloatArray:
        # a step of Newton's method, because blocks hardly move the roots
        cumulants = np.array([histograms.at(each)["binder_cumulant"] for each in roots])
        below, there, above = np.log(roots) + rates * (cumulants - levels)
        found = histograms.at(np.exp(there))
        logs = np.log([above - below, found["abs_magnetization"], found["susceptibility"]])
        return np.concatenate([[there], logs, histograms.differences()])

    in_a_chain = _per_chain(series)
    length = series.sizes["draw"] // in_a_chain
    n = in_a_chain * series.sizes["chain"]
    used = series.isel(draw=slice(0, length * in_a_chain)).transpose("point", *SAMPLES)
    total = tallies.sums(draw=slice(0, length * in_a_chain))
    rests = []
    for chain, k in np.ndindex(series.sizes["chain"], in_a_chain):
        block = tallies.sums(slice(chain, chain + 1), slice(k * length, (k + 1) * length))
        rest = {name: each - block[name] for name, each in total.items()}
        rests.append(values_of(Histograms(tallies, rest, full.free_energy)))
    times = autocorrelation_times(
        np.stack([used["energy"].values, used["magnetization"].values ** 2])
    )
    tau = float(np.nan_to_num(times.slowest, nan=1.0).max())
    factor = float(shared_between_blocks(np.array(tau), length, used.sizes["draw"], n))
    covariance = factor * (n - 1) ** 2 / n * np.cov(np.array(rests).T)
    values = values_of(full)
    quality = goodness_of_deviations(values[_VALUES:], np.sqrt(np.diag(covariance)[_VALUES:]), n)
    errors = np.sqrt(np.diag(covariance)[:_VALUES])
    correlation = covariance[:_VALUES, :_VALUES] / np.outer(errors, errors)
    return _Point(float(side), values[:_VALUES], errors, correlation, quality, tau / length)


def _root(histograms: Histograms, ends: tuple[float, float], level: float) -> float:
    def above(temperature: float) -> float:
        return histograms.at(temperature)["binder_cumulant"] - level

    return float(scipy.optimize.brentq(above, *ends, xtol=_EXACT))


def _fitted(points: list[_Point], omega: float, powers: int, levels: FloatArray) -> _Fit:
    """Least squares, for each of the four values of all sizes."""
    y = np.concatenate([each.values / each.errors for each in points])
    rows = []
    for each in points:
        terms = np.array([1.0, *(each.size ** (-omega * k) for k in range(1, powers + 1))])
        width = np.exp(each.values[1])
        lines = ([[sign * np.log(each.size), *terms]] for sign in (-1, -1, 1))
        rows.append(scipy.linalg.block_diag([[1.0, *(width * terms)]], *lines))
        rows[-1] /= each.errors[:, None]
    design = np.concatenate(rows)
    scale = np.linalg.norm(design, axis=0)
    inverse = np.linalg.pinv(design / scale, rcond=1e-12)
    correlation = scipy.linalg.block_diag(*(each.correlation for each in points))
    left = np.eye(y.size) - design / scale @ inverse
    product = left @ correlation @ left
    mean, half_variance = np.trace(product), np.sum(product**2)
    unit = half_variance / mean  # the sum has the mean and the variance of this times a χ²
    chosen = [*(np.arange(_VALUES) * (2 + powers)), 1]
    response = (inverse / scale[:, None])[chosen]
    log_critical, over_nu, beta, gamma, distance = response @ y
    change = levels[0] - levels[2]  # of the cumulant over the width
    value = [np.exp(log_critical), 1 / over_nu, beta, gamma, levels[1] + change * distance]
    response *= np.array([value[0], -(value[1] ** 2), 1, 1, change])[:, None]
    square = float(np.sum((left @ y) ** 2))
    return _Fit(np.array(value), response, correlation, square / unit, float(mean / unit))
