"""Growth of lengths: exponents of power laws with an offset."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis._fits import POOR, goodness_of_deviations, minimum_within, warn_of_fit
from analysis.errors import FloatArray, jackknife
from analysis.quantities import quantity_attrs, with_labels

__all__ = ["growth_law"]

_EXPONENTS = (0.02, 2.0)  # between which the fit looks
_FEWEST = 6  # times, for up to three parameters


def growth_law(
    length: xr.DataArray, window: tuple[float, float], *, offset: bool = True
) -> xr.Dataset:
    r"""Fit :math:`L(t) = L_0 + A t^n` to lengths of independent chains.

    The offset is the leading correction of growth driven by curvature: :math:`dL/dt =
    (a/L)(1 + b/L + \dots)` has the solution :math:`L_0 + A t^{1/2}`. The slope on logarithmic
    axes, :math:`n (1 - L_0/L)`, approaches n only as 1/L [1]_.

    Parameters
    ----------
    length : DataArray
        Positive, over ``chain`` and ``time``, and any other dims, for example from
        `analysis.domain_length` with ``dims=()``.
    window : tuple of float
        First and last time of the fit, in the units of ``time``.
    offset : bool
        Fit :math:`L_0` too; otherwise it is 0, for corrections that decay faster.

    Returns
    -------
    Dataset
        ``growth_exponent`` n, ``growth_amplitude`` A and ``growth_offset`` :math:`L_0`, each with
        ``NAME_error`` by leaving out one chain after the other, because the times of a chain are
        not independent. All times of the window have the same weight in the squares of the relative
        deviations of the mean over chains. NaN if no n between 0.02 and 2 fits best. And
        ``goodness_of_fit``, the chance that noise makes this mean deviate as far from the law.

    Raises
    ------
    ValueError
        If a dim is missing, a length is not positive, or there are fewer than two chains or fewer
        than six times in the window.

    Warns
    -----
    FitWarning
        If a goodness of fit is below 0.01 (divided by the number of fits): some lengths in the
        window do not follow the law.

    References
    ----------
    .. [1] D. A. Huse, "Corrections to late-stage behavior in spinodal decomposition", Phys. Rev. B
       34, 7845 (1986).

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from analysis import growth_law
    >>> time = np.arange(10.0, 200.0, 10.0)
    >>> noise = np.random.default_rng(1).normal(0, 0.02, size=(8, time.size))
    >>> length = xr.DataArray(1 + 2 * time**0.5 + noise, {"time": time}, ("chain", "time"))
    >>> law = growth_law(length, (10.0, 200.0))
    >>> bool(abs(law.growth_exponent - 0.5) < 4 * law.growth_exponent_error)
    True
    """
    if not {"chain", "time"} <= set(length.dims) or "time" not in length.coords:
        raise ValueError(
            f"length must have the dims 'chain' and 'time', the latter with its coordinate; got "
            f"{length.dims}"
        )
    if not bool((np.isfinite(length) & (length > 0)).all()):
        raise ValueError("length must hold positive numbers; some are not")
    first, last = window
    inside = (length["time"] >= first) & (length["time"] <= last) & (length["time"] > 0)
    number = int(inside.sum())
    if number < _FEWEST:
        raise ValueError(
            f"window must hold at least {_FEWEST} times; got {number} from {first:g} to {last:g}"
        )
    chosen = length.isel(time=inside.values).rename("length")
    time = chosen["time"].values.astype(np.float64)

    def law(samples: xr.DataArray) -> xr.Dataset:
        found = xr.apply_ufunc(
            lambda values: _power_law(time, values, offset),
            samples.mean("chain"),
            input_core_dims=[["time"]],
            output_core_dims=[["parameter"]],
            vectorize=True,
        )
        names = ("growth_exponent", "growth_amplitude", "growth_offset")
        fit = xr.Dataset({name: found.isel(parameter=k) for k, name in enumerate(names)})
        power = chosen["time"] ** fit["growth_exponent"]
        line = fit["growth_offset"] + fit["growth_amplitude"] * power
        return fit.assign(deviation=samples.mean("chain") - line)

    result = jackknife(chosen, law, dims=("chain",))
    quality = xr.apply_ufunc(
        lambda each, error: goodness_of_deviations(each, error, chosen.sizes["chain"]),
        result["deviation"],
        result["deviation_error"],
        input_core_dims=[["time"]] * 2,
        vectorize=True,
    ).where(result["growth_exponent"].notnull())
    result = result.drop_vars(["deviation", "deviation_error", "time"])
    with_labels(result, result)
    poor = quality < POOR / quality.size
    if poor.any():
        warn_of_fit(
            f"growth_law: {int(poor.sum())} of {poor.size} fits have a goodness below "
            f"{POOR / quality.size:.3g}, the least that is acceptable: lengths between {first:g} "
            f"and {last:g} do not follow the law, and the errors may be too small. Take a "
            "narrower window."
        )
    return result.assign(goodness_of_fit=quality.assign_attrs(quantity_attrs("goodness_of_fit")))


def _power_law(time: FloatArray, length: FloatArray, offset: bool) -> FloatArray:
    """Exponent, amplitude and offset; linear least squares give the latter two."""

    def amplitude_and_offset(exponent: float) -> tuple[FloatArray, float]:
        # columns of order 1, in units of the length
        columns = np.stack([(time / time[-1]) ** exponent, np.full_like(time, offset)]) / length
        found = np.asarray(np.linalg.lstsq(columns.T, np.ones_like(time), rcond=None)[0], float)
        return found, float(np.sum((1 - found @ columns) ** 2))

    exponent = minimum_within(lambda n: amplitude_and_offset(n)[1], _EXPONENTS, 1e-9)
    if np.isnan(exponent):
        return np.full(3, np.nan)
    amplitude, start = amplitude_and_offset(exponent)[0]
    return np.array([exponent, amplitude / time[-1] ** exponent, start])
