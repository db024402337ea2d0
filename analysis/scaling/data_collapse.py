"""Data collapse: one curve for all sizes, and the exponents that make it one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy
import xarray as xr

from analysis._fits import POOR, goodness_of_fit, numbers_of_fit, warn_of_fit
from analysis.errors import FloatArray, jackknife
from analysis.quantities import with_labels
from analysis.scaling._series import SAMPLES, moments, named, observables_of, sizes_of
from analysis.scaling.by_size import of_series
from isingrl.support.validation import check_choice, check_integer, check_real

__all__ = ["collapse", "collapsed"]


NAMES = ("binder_cumulant", "abs_magnetization", "susceptibility")
_EXPONENTS = {"abs_magnetization": "beta_over_nu", "susceptibility": "gamma_over_nu"}
_SLOPES = tuple(f"{name}_slope" for name in _EXPONENTS)
_POTTS = {"order_parameter": "beta_over_nu"}
_PARAMETERS = ("critical_temperature", "nu", *_EXPONENTS.values(), *_SLOPES)
_STARTS = (0.6, 1.0)  # of ν, for three dimensions and for two


def collapse(
    data: xr.Dataset,
    *,
    critical_temperature: float | None = None,
    degree: int = 5,
    correction: float | None = None,
) -> xr.Dataset:
    r"""Critical temperature and exponents, from the collapse of all sizes on one curve.

    One fit to the Binder cumulant, :math:`|m|` and the connected susceptibility,

    .. math:: U = f(x), \quad |m| = L^{-\beta/\nu} (1 + a t)\, g(x), \quad
       \chi = L^{\gamma/\nu} (1 + b t)\, h(x), \qquad x = t L^{1/\nu}, \quad t = \ln(T/T_c),

    has polynomials f, g and h [1]_. The logarithm is odd under an exchange of T and 1/T, and
    therefore closer to the exact scaling field of the square lattice than :math:`T - T_c` or
    :math:`1/T_c - 1/T`; a and b are the first analytic corrections [2]_.

    Parameters
    ----------
    data : Dataset
        As for `analysis.scaling.binder_crossings`, with temperatures near the critical one, and
        nearer for larger sizes, so that polynomials can follow in the window of x.
    critical_temperature : float, optional
        Start of the search in J/k_B, between the temperatures of the data; their mean if omitted.
    degree : int
        Degree of the polynomials.
    correction : float, optional
        Exponent ω of a correction to scaling: each polynomial gets a further term
        :math:`c L^{-\omega}`.

    Returns
    -------
    Dataset
        ``critical_temperature``, ``nu``, ``beta_over_nu``, ``gamma_over_nu``, and a and b as
        ``abs_magnetization_slope`` and ``susceptibility_slope``, each with ``NAME_error`` by a
        jackknife of the draws through the whole fit; ``chi_square``, for which the three
        observables count as independent although they share their draws, ``degrees_of_freedom``,
        and ``goodness_of_fit``, the chance that noise makes χ² as large. For a Potts model the
        order parameter stands for :math:`|m|`, and a is ``order_parameter_slope``.
        With a correction, ω as ``correction_exponent`` and c of each observable as
        ``NAME_correction``.

    Raises
    ------
    TypeError, ValueError
        If data are missing or not finite, or hold fewer than three sizes or too few points for the
        polynomials.

    Warns
    -----
    FitWarning
        If the goodness of fit is below 0.01, because polynomials do not follow in so wide a window
        of x, or because the sizes are too small for one curve.

    References
    ----------
    .. [1] K. Binder, D. W. Heermann, "Monte Carlo Simulation in Statistical Physics" (Springer,
       2010), section 2.3.
    .. [2] A. Aharony, M. E. Fisher, "Nonlinear scaling fields and corrections to scaling near
       criticality", Phys. Rev. B 27, 4394 (1983).

    Examples
    --------
    >>> import xarray as xr
    >>> import isingrl as irl
    >>> from analysis import scaling
    >>> grid, runs = [2.1, 2.2, 2.3, 2.4], []
    >>> for side in (4, 6, 8):
    ...     model = irl.Ising(irl.Lattice((side, side)))
    ...     run = irl.simulate(model, irl.HeatBath(), grid, sweeps=4000, thermalization=200, seed=1)
    ...     runs.append(run)
    >>> data = xr.concat(runs, xr.Variable("size", [4, 6, 8]), combine_attrs="drop_conflicts")
    >>> fit = scaling.collapse(data, degree=3)
    >>> bool(abs(fit.critical_temperature - 2.27) < 0.1), fit.critical_temperature.units
    (True, 'J/k_B')
    >>> fit.degrees_of_freedom.item()
    18
    """
    series = sizes_of(data, 3)
    degree = check_integer("degree", degree, 1)
    if correction is not None:
        check_real("correction", correction, minimum=0.1)
    n_points = series.sizes["size"] * series.sizes["point"]
    if n_points < 2 * (degree + 2):
        raise ValueError(
            f"data must hold at least {2 * (degree + 2)} points for polynomials of degree "
            f"{degree}; got {n_points}"
        )
    temperature = series["temperature"].values.ravel()
    start = check_real(
        "critical_temperature",
        float(temperature.mean()) if critical_temperature is None else critical_temperature,
        minimum=float(temperature.min()),
        maximum=float(temperature.max()),
    )
    draws = moments(series)
    measured = of_series(series)
    errors = _stacked(measured, "_error")
    if not (errors > 0).all():
        raise ValueError("data: the observables must vary from draw to draw at every temperature")
    size = np.repeat(series["size"].values.astype(np.float64), series.sizes["point"])
    fit = _Collapse(temperature, size, errors, degree, correction)
    values = _stacked(measured)
    tries = [fit.solve(values, np.array([start, nu, 0.25, 1.85, 0.0, 0.0])) for nu in _STARTS]
    best = min(tries, key=lambda found: float(found.cost))

    def again(part: xr.Dataset) -> xr.Dataset:
        found = fit.solve(_stacked(observables_of(part.mean(SAMPLES))), best.x)
        return xr.Dataset(dict(zip(_PARAMETERS, found.x, strict=True)))

    found = jackknife(draws, again)
    if correction is not None:
        found["correction_exponent"] = correction
        for name, part in zip(NAMES, fit.parts(best.x, values), strict=True):
            found[f"{name}_correction"] = part.coefficients[-1]
    found = named(found, data)
    with_labels(found, (*_PARAMETERS, *(f"{name}_slope" for name in _POTTS)))
    chi_square = 2 * float(best.cost)
    n_coefficients = degree + 1 + (correction is not None)  # of each observable
    freedom = values.size - len(_PARAMETERS) - len(NAMES) * n_coefficients
    quality = float(goodness_of_fit(chi_square, freedom))
    if not quality >= POOR:
        widest = abs(np.log(temperature / best.x[0]) * size ** (1 / best.x[1])).max()
        warn_of_fit(
            f"the collapse has χ² = {chi_square:.4g} for {freedom} degrees of freedom, a goodness "
            f"of fit of {quality:.2g}, where {POOR:g} is the least that is acceptable; its errors "
            f"may be too small. Here |x| is as large as {widest:.3g}: leave out temperatures far "
            "from the critical one, the farther the larger the size, or small sizes, or give a "
            "correction."
        )
    return found.assign(chi_square=chi_square, degrees_of_freedom=freedom, goodness_of_fit=quality)


def collapsed(summary: xr.Dataset, fit: xr.Dataset, name: str) -> xr.Dataset:
    """Rescale an observable by the fit of `collapse`, so that all sizes lie on one curve.

    A correction to scaling is subtracted.

    Parameters
    ----------
    summary : Dataset
        `name` and ``NAME_error``, from `analysis.thermodynamics`, along ``size`` and temperature.
    fit : Dataset
        From `collapse`.
    name : {"binder_cumulant", "abs_magnetization", "order_parameter", "susceptibility"}
        The observable.

    Returns
    -------
    Dataset
        ``y`` and ``y_error`` over the same dims, with the coordinate ``x``.

    Raises
    ------
    TypeError, ValueError
        If `name` is another observable, or `fit` comes from another function.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import scaling
    >>> fit = xr.Dataset({"critical_temperature": 2.2692, "nu": 1.0, "beta_over_nu": 0.125})
    >>> fit["abs_magnetization_slope"] = 0.0
    >>> coords = {"size": [4, 16], "temperature": [2.2692]}
    >>> m = xr.DataArray([[4**-0.125], [16**-0.125]], coords, ("size", "temperature"))
    >>> summary = xr.Dataset({"abs_magnetization": m, "abs_magnetization_error": 0.01 * m})
    >>> scaling.collapsed(summary, fit, "abs_magnetization").y.round(6).values.tolist()
    [[1.0], [1.0]]
    """
    check_choice("name", name, (*NAMES, *_POTTS))
    exponents = _EXPONENTS | _POTTS
    corrected = isinstance(fit, xr.Dataset) and "correction_exponent" in fit
    needed = ["critical_temperature", "nu"]
    if name != "binder_cumulant":
        needed += [exponents[name], f"{name}_slope"]
    if corrected:
        needed += ["correction_exponent", f"{name}_correction"]
    found = numbers_of_fit("fit", fit, needed, "analysis.scaling.collapse")
    size = summary["size"].astype(float)
    reduced = np.log(summary["temperature"] / found["critical_temperature"])
    factor: Any = 1.0
    if name != "binder_cumulant":
        sign = -1 if name == "susceptibility" else 1
        power = size ** (sign * found[exponents[name]])
        factor = power / (1 + found[f"{name}_slope"] * reduced)
    y = summary[name] * factor
    if corrected:
        y = y - found[f"{name}_correction"] * size ** -found["correction_exponent"]
    points = xr.Dataset({"y": y, "y_error": summary[f"{name}_error"] * factor})
    return points.assign_coords(x=reduced * size ** (1 / found["nu"]))


@dataclass(frozen=True, eq=False)
class _Collapse:
    """Weighted least squares, with polynomials by linear fits for given other parameters.

    `temperature` and `size` have the shape (n_points,), `errors` (n_observables, n_points).
    """

    temperature: FloatArray
    size: FloatArray
    errors: FloatArray
    degree: int
    correction: float | None

    def solve(self, values: FloatArray, start: FloatArray) -> Any:
        """Best parameters for observables, shape (n_observables, n_points)."""

        def residuals(parameters: FloatArray) -> FloatArray:
            return np.concatenate([part.residuals for part in self.parts(parameters, values)])

        return scipy.optimize.least_squares(residuals, start)

    def parts(self, parameters: FloatArray, values: FloatArray) -> list[_Part]:
        """Best polynomial of each observable for given parameters."""
        critical, nu, beta, gamma, slope_m, slope_chi = parameters
        reduced = np.log(self.temperature / critical)
        x = reduced * self.size ** (1 / nu)
        basis = np.polynomial.chebyshev.chebvander(x / np.abs(x).max(), self.degree)
        if self.correction is not None:
            basis = np.column_stack([basis, self.size**-self.correction])
        factors = (
            np.ones_like(x),
            self.size**-beta * (1 + slope_m * reduced),
            self.size**gamma * (1 + slope_chi * reduced),
        )
        found = []
        for y, error, factor in zip(values, self.errors, factors, strict=True):
            design = basis * (factor / error)[:, None]
            coefficients = np.linalg.lstsq(design, y / error, rcond=None)[0]
            found.append(_Part(coefficients, y / error - design @ coefficients))
        return found


class _Part(NamedTuple):
    """Linear coefficients of one observable, and its residuals in units of the errors."""

    coefficients: FloatArray
    residuals: FloatArray


def _stacked(found: Mapping[Any, xr.DataArray], ending: str = "") -> FloatArray:
    """Observables over points, shape (n_observables, n_points)."""
    return np.stack([found[name + ending].values.ravel() for name in NAMES])
