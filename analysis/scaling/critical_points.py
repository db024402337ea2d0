"""Critical temperature and exponents from sizes that are large enough for one correction."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
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
from isingrl.support.validation import check_real

__all__ = ["critical_point"]

_RESULTS = ("critical_temperature", "nu", "beta_over_nu", "gamma_over_nu", "binder_cumulant")
_LEAST = 4  # sizes, because one is left out and three have as many values as there are unknowns
_PASSES = 2  # the first finds the Binder cumulant of infinite size
_BLOCKS = 60  # left out in turn; a covariance of five values needs many more than five
_HALF_WINDOW = 0.04  # change of the Binder cumulant from the middle to an end of the window
_STABLE = 2.5  # errors; fewer choose by noise, which makes the errors of the choice too small
_STEP = 1e-3  # of ln T, for a slope
_EXACT = 1e-8  # of a temperature
_GRID = 33  # temperatures of the search for a crossing


def critical_point(
    data: xr.Dataset, *, correction: float, correction_spread: float = 0.25
) -> xr.Dataset:
    r"""Critical temperature and exponents from runs at a few temperatures near the transition.

    Multiple-histogram reweighting gives the Binder cumulant U of each size at three temperatures
    around :math:`T_c`, so near that U changes by at most 0.04 from the middle one to another. It
    also gives :math:`|m|` and :math:`\chi` where the U of the size has the value of infinite size
    at :math:`T_c`. A first pass finds :math:`T_c` and this value; it starts from the crossing of
    the smallest and the largest size. The fit has the leading correction to scaling,

    .. math:: U = f(x) + (c_U + d_U x) L^{-\omega}, \quad
       \ln |m| = -\tfrac{\beta}{\nu} \ln L + a_m + c_m L^{-\omega}, \quad
       \ln \chi = \tfrac{\gamma}{\nu} \ln L + a_\chi + c_\chi L^{-\omega},

    with :math:`x = L^{1/\nu} \ln(T/T_c)` and a polynomial f of degree 2 [1]_. At one value of U,
    :math:`|m|` and :math:`\chi` do not depend on :math:`T_c`, and much of their noise, which they
    share with U, is gone [2]_. At any other value than that of infinite size, corrections of order
    :math:`L^{-1/\nu}` would appear too. The smallest size is left out until the goodness of fit is
    at least 0.1 and no result changes by more than 2.5 errors, neither without one size more
    nor with ω larger or smaller by `correction_spread`.

    Parameters
    ----------
    data : Dataset
        ``energy`` and ``magnetization`` per site, or ``order_parameter`` of a Potts model, which
        stands for :math:`|m|`, over (size, temperature, chain, draw), from `isingrl.simulate`,
        joined along ``size``, with the coordinate ``n_sites``; four or more sizes, each with two or
        more temperatures on both sides of the transition, whose energies overlap. Sizes may have
        temperatures of their own, as a coordinate over (size, point). The rule must sample the
        Gibbs distribution, as for `reweight`.
    correction : float
        Exponent ω of the leading correction, exact or from the literature: 7/4 for the Ising model
        in two dimensions, 0.83 in three.
    correction_spread : float
        How far ω is changed for the systematic errors, less than ω.

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
        even where nothing is wrong. The degree of f, which hardly matters in so narrow a window, is
        not in it, nor is the choice of the first size; in trials with known results it made the
        spread 1.0 to 1.3 times the error.

    Raises
    ------
    TypeError, ValueError
        If data are missing, not finite, in a field, or hold fewer than four sizes, two temperatures
        or 60 draws in blocks; if the Binder cumulants of the smallest and the largest size do not
        cross, or those of another size do not reach the crossing; or if `correction` is less than
        0.1 or `correction_spread` not less than it.

    Warns
    -----
    FitWarning
        If the goodness of fit is below 0.01 or no first size is stable; if runs are too short for
        their autocorrelation times; and as `reweight`.

    Notes
    -----
    Sizes are independent, so the errors of all fits need the covariance of five values within
    each. A jackknife over 60 blocks, with new weights for each, estimates it once. The errors
    follow from it through the derivatives of the fit, as a jackknife of the whole fit would find,
    but much faster. The weights of the fit are the errors of single values. Weights by the inverse
    of the covariance would have smaller errors in theory. In practice they rest on differences that
    have hardly any noise, and these hold the largest corrections that the fit leaves out; they
    moved T_c by many errors.

    The sum of squares is no χ², because values are correlated. It is divided by a number so that
    its mean and variance are those of a χ² with ``degrees_of_freedom``, not an integer [3]_.

    References
    ----------
    .. [1] H. W. J. Blöte, E. Luijten, J. R. Heringa, "Ising universality in three dimensions: a
       Monte Carlo study", J. Phys. A 28, 6289 (1995).
    .. [2] M. Hasenbusch, "Finite size scaling study of lattice models in the three-dimensional
       Ising universality class", Phys. Rev. B 82, 174433 (2010).
    .. [3] F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
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
    series = sizes_of(data, _LEAST)
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
    middle = _crossing(
        [first[0], first[-1]],
        [each[0]["temperature"].values, each[-1]["temperature"].values],
        (sizes[0], sizes[-1]),
    )
    cumulant = first[0].at(middle)["binder_cumulant"]

    for _ in range(_PASSES):
        points = [
            _points(first[k], tallies[k], each[k], middle, cumulant, sizes[k])
            for k in range(sizes.size)
        ]
        fits = [_fitted(points[k:], omega, middle) for k in range(sizes.size - _LEAST + 2)]
        chosen, systematic, stable = _chosen(fits, points, omega, spread, middle)
        best = fits[chosen]
        limit = best.value[0], best.value[-1]
        if not all(_reaches(*pair, *limit) for pair in zip(first, each, strict=True)):
            break
        middle, cumulant = limit
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
class _Points:
    """Values of one size, shape (5,): three Binder cumulants, and ln |m| and ln χ at one of them.

    ``temperature``, of the cumulants, has the shape (3,), and ``correlation`` (5, 5).
    """

    size: float
    temperature: FloatArray
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
    fits: list[_Fit], points: list[_Points], omega: float, spread: float, middle: float
) -> tuple[int, FloatArray, bool]:
    """Return the first size of the best fit, its systematic errors, and whether it is stable."""
    for first, (best, without) in enumerate(itertools.pairwise(fits)):
        others = [_fitted(points[first:], omega + sign * spread, middle) for sign in (1, -1)]
        changes = [abs(other.value - best.value) for other in (without, *others)]
        limits = np.array([best.error_of_change(without), best.error, best.error])
        stable = best.goodness >= ACCEPTABLE and bool((changes <= _STABLE * limits).all())
        if stable:
            break
    return first, np.max(changes, axis=0), stable


def _crossing(pair: list[Histograms], temperatures: list[FloatArray], sizes: Any) -> float:
    """Temperature at which the Binder cumulants of two sizes are equal."""
    low = max(each.min() for each in temperatures)
    high = min(each.max() for each in temperatures)
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


def _reaches(
    histograms: Histograms, series: xr.Dataset, temperature: float, cumulant: float
) -> bool:
    """Whether the temperatures of a size lie on both sides of this one, and its cumulants of U."""
    low, high = (float(end(series["temperature"].values)) for end in (np.min, np.max))
    below, above = (histograms.at(end)["binder_cumulant"] for end in (low, high))
    return low < temperature < high and below > cumulant > above


def _per_chain(series: xr.Dataset) -> int:
    return max(1, -(-_BLOCKS // series.sizes["chain"]))


def _points(
    full: Histograms,
    tallies: Tallies,
    series: xr.Dataset,
    middle: float,
    cumulant: float,
    side: Any,
) -> _Points:
    """Reweight one size to three temperatures and to a Binder cumulant, with the covariance."""
    ends = (full.at(middle * np.exp(sign * _STEP))["binder_cumulant"] for sign in (-1, 1))
    slope = abs(next(ends) - next(ends)) / (2 * _STEP)
    known = series["temperature"].values
    low, high = known.min(), known.max()
    half = min(
        _HALF_WINDOW / slope if slope > 0 else np.inf, np.log(middle / low), np.log(high / middle)
    )
    temperature = middle * np.exp(half * np.array([-1.0, 0.0, 1.0]))

    def values_of(histograms: Histograms) -> FloatArray:
        def above(temperature: float) -> float:
            return histograms.at(temperature)["binder_cumulant"] - cumulant

        if not _reaches(histograms, series, middle, cumulant):
            raise ValueError(
                f"data: the temperatures of size {side} must reach below and above the crossing at "
                f"T = {middle:.6g}, where the Binder cumulant is {cumulant:.4g}; they reach from "
                f"{low:.6g} to {high:.6g}"
            )
        there = scipy.optimize.brentq(above, low, high, xtol=_EXACT)
        found = histograms.at(there)
        cumulants = [above(each) + cumulant for each in temperature]
        logs = np.log([found["abs_magnetization"], found["susceptibility"]])
        return np.concatenate([cumulants, logs, histograms.differences()])

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
    p = temperature.size + 2
    quality = goodness_of_deviations(values[p:], np.sqrt(np.diag(covariance)[p:]), n)
    errors = np.sqrt(np.diag(covariance)[:p])
    correlation = covariance[:p, :p] / np.outer(errors, errors)
    return _Points(float(side), temperature, values[:p], errors, correlation, quality, tau / length)


def _fitted(points: list[_Points], omega: float, middle: float) -> _Fit:
    """Least squares; all but T_c and ν by linear fits."""
    y = np.concatenate([each.values / each.errors for each in points])

    def design(log_shift: float, nu: float) -> FloatArray:
        rows = []
        for each in points:
            correction = each.size**-omega
            t = np.log(each.temperature / middle) - log_shift
            x = t * each.size ** (1 / nu)
            one = np.ones_like(x)
            curve = np.stack([one, x, x**2, correction * one, correction * x], axis=1)
            lines = ([[sign * np.log(each.size), 1.0, correction]] for sign in (-1, 1))
            rows.append(scipy.linalg.block_diag(curve, *lines) / each.errors[:, None])
        return np.concatenate(rows)

    def residuals(nonlinear: FloatArray) -> FloatArray:
        matrix = design(*nonlinear)
        scale = np.linalg.norm(matrix, axis=0)
        return np.asarray(y - matrix @ (np.linalg.lstsq(matrix / scale, y, rcond=None)[0] / scale))

    found = scipy.optimize.least_squares(
        residuals, [0.0, _rough_nu(points)], x_scale=[1e-3, 0.1], bounds=([-0.5, 0.1], [0.5, 10.0])
    )
    matrix = design(*found.x)
    scale = np.linalg.norm(matrix, axis=0)
    linear = np.linalg.lstsq(matrix / scale, y, rcond=None)[0] / scale
    changes = []
    for step in np.diag([1e-6, 1e-4]):
        ahead, behind = (design(*(found.x + sign * step)) for sign in (1, -1))
        changes.append((ahead - behind) @ linear / (2 * step.sum()))
    jacobian = np.column_stack([*changes, matrix])
    scale = np.linalg.norm(jacobian, axis=0)
    inverse = np.linalg.pinv(jacobian / scale, rcond=1e-12)
    correlation = scipy.linalg.block_diag(*(each.correlation for each in points))
    left = np.eye(y.size) - jacobian / scale @ inverse
    product = left @ correlation @ left
    mean, half_variance = np.trace(product), np.sum(product**2)
    unit = half_variance / mean  # the sum has the mean and the variance of this times a χ²
    critical = middle * np.exp(found.x[0])
    chosen = [0, 1, 2 + 5, 2 + 8, 2 + 0]
    value = np.array([critical, found.x[1], *linear])[chosen]
    response = (inverse / scale[:, None])[chosen] * np.array([critical, 1, 1, 1, 1])[:, None]
    return _Fit(value, response, correlation, 2 * float(found.cost / unit), float(mean / unit))


def _rough_nu(points: list[_Points]) -> float:
    """Exponent ν from the slopes of the Binder cumulants of the smallest and the largest size."""
    small, large = points[0], points[-1]
    # the windows have one width in U
    ratio = np.log(small.temperature[2] / small.temperature[0]) / np.log(
        large.temperature[2] / large.temperature[0]
    )
    nu = np.log(large.size / small.size) / np.log(ratio) if ratio > 1 else 1.0
    return float(np.clip(nu, 0.2, 5.0))
