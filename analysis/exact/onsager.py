"""The infinite square lattice: Onsager's energy and specific heat, Yang's magnetization."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis.errors import FloatArray
from analysis.exact._couplings import check_couplings
from analysis.exact._datasets import over_temperature
from isingrl.support.validation import check_temperature

CRITICAL_TEMPERATURE = 2.0 / math.log1p(math.sqrt(2.0))
"""Temperature of the transition of the square lattice, 2/ln(1 + √2), in J/k_B."""

_NODES = 24  # of each part of an integral; parts shrink tenfold towards its singularity
_SERIES_BELOW = 1e-3  # coupling K below which the closed form loses its digits by cancellation
_SATURATED_ABOVE = 50.0  # coupling K above which doubles show the ground state alone


def square_lattice(
    temperature: npt.ArrayLike, coupling: float | Sequence[float] = 1.0
) -> xr.Dataset:
    r"""Infinite square lattice with four neighbours, no field.

    Parameters
    ----------
    temperature : float or sequence of float
        In J/k_B; 0 and infinity are valid.
    coupling : float or two floats
        J > 0, or one for each of the two directions.

    Returns
    -------
    Dataset
        ``energy``, ``specific_heat`` and ``abs_magnetization`` (spontaneous) per site over
        ``temperature``. The attribute ``critical_temperature`` is where the specific heat is
        infinite: `CRITICAL_TEMPERATURE` for J = 1.

    Raises
    ------
    TypeError, ValueError
        If `temperature` is no non-negative number or sequence of such numbers, or `coupling` is no
        positive number or pair of them.

    Notes
    -----
    With :math:`K = 1/T`, :math:`\kappa = 2\sinh 2K/\cosh^2 2K` and
    :math:`\kappa' = 2\tanh^2 2K - 1`, :math:`\kappa^2 + \kappa'^2 = 1`,

    .. math:: e = -\coth 2K \left[1 + \tfrac{2}{\pi} \kappa' \mathbf{K}(\kappa)\right], \quad
       c = \tfrac{2}{\pi} (K \coth 2K)^2 \left[2\mathbf{K} - 2\mathbf{E}
       - (1 - \kappa')\left(\tfrac{\pi}{2} + \kappa' \mathbf{K}\right)\right], \quad
       m = (1 - \sinh^{-4} 2K)^{1/8}.

    For two couplings the free energy is an integral, whose derivatives are integrated numerically:
    with :math:`C_i = \cosh 2K_i`, :math:`S_i = \sinh 2K_i` and
    :math:`P = C_1 C_2 - S_1 \cos\omega`,

    .. math:: -\beta f = \ln 2 + \frac{1}{2\pi} \int_0^\pi
       \ln \tfrac{1}{2}\left(P + \sqrt{P^2 - S_2^2}\right) d\omega, \quad
       m = \left[1 - (S_1 S_2)^{-2}\right]^{1/8},

    and the transition is where :math:`S_1 S_2 = 1`.

    References
    ----------
    .. [1] L. Onsager, "Crystal statistics I", Phys. Rev. 65, 117 (1944).
    .. [2] C. N. Yang, "The spontaneous magnetization of a two-dimensional Ising model",
       Phys. Rev. 85, 808 (1952).

    Examples
    --------
    >>> from analysis import exact
    >>> result = exact.square_lattice([2.0, exact.CRITICAL_TEMPERATURE, 3.0])
    >>> result.energy.round(4).values.tolist()
    [-1.7456, -1.4142, -0.8173]
    >>> result.abs_magnetization.round(4).values.tolist()
    [0.9113, 0.0, 0.0]
    """
    t = check_temperature(temperature)
    one, other = check_couplings(coupling)
    if one == other:
        values, critical = _isotropic(t / one), one * CRITICAL_TEMPERATURE
        values["energy"] *= one
    else:
        values, critical = _anisotropic(t, one, other), _critical_temperature(one, other)
    shown = one if one == other else f"{one!r} {other!r}"
    coords = {"coupling": shown, "field": 0.0}
    return over_temperature(t, values, coords, {"critical_temperature": critical})


def _isotropic(t: FloatArray) -> dict[str, FloatArray]:
    """Observables by name for J = 1."""
    with np.errstate(divide="ignore"):
        coupling = 1.0 / t
    k = np.clip(coupling, _SERIES_BELOW, _SATURATED_ABOVE)
    sinh = np.sinh(2 * k)
    coth = 1 / np.tanh(2 * k)
    complement = 2 * np.tanh(2 * k) ** 2 - 1
    critical = t == CRITICAL_TEMPERATURE
    complement = np.where(critical, np.nan, complement)
    # K of the complementary parameter: 1 - κ² would lose every digit near the transition.
    first = scipy.special.ellipkm1(complement**2)
    second = scipy.special.ellipe(1 - complement**2)
    energy = -coth * (1 + (2 / np.pi) * complement * first)
    bracket = 2 * (first - second) - (1 - complement) * (np.pi / 2 + complement * first)
    specific_heat = (2 / np.pi) * (k * coth) ** 2 * bracket

    energy = np.where(critical, -math.sqrt(2.0), energy)
    specific_heat = np.where(critical, np.inf, specific_heat)
    high = coupling < _SERIES_BELOW
    tanh = np.tanh(coupling)
    energy = np.where(high, -2 * tanh - 4 * tanh**3, energy)
    specific_heat = np.where(high, np.minimum(coupling, 1) ** 2 * (2 + 10 * tanh**2), specific_heat)
    specific_heat = np.where(coupling > _SATURATED_ABOVE, 0.0, np.maximum(specific_heat, 0.0))

    ordered = np.where(t < CRITICAL_TEMPERATURE, 1 - sinh**-4.0, 0.0)
    return {
        "energy": energy + 0.0,  # no -0 at T = ∞
        "specific_heat": specific_heat,
        "abs_magnetization": np.maximum(ordered, 0.0) ** 0.125,
    }


def _critical_temperature(one: float, other: float) -> float:
    """Temperature at which sinh(2 J1/T) sinh(2 J2/T) = 1."""

    def excess(temperature: float) -> float:
        twice = np.array([2 * one, 2 * other]) / temperature
        return float((twice + np.log(-np.expm1(-2 * twice) / 2)).sum())  # ln sinh, no overflow

    low, high = (each * CRITICAL_TEMPERATURE for each in sorted((one, other)))
    return float(scipy.optimize.brentq(excess, low, high, xtol=1e-15 * high, rtol=1e-15))


def _anisotropic(t: FloatArray, one: float, other: float) -> dict[str, FloatArray]:
    """Observables by name for two couplings."""
    critical = _critical_temperature(one, other)
    energy, specific_heat, order = np.zeros((3, *t.shape))
    for place, each in enumerate(t.tolist()):
        if math.isinf(each):
            continue
        if max(one, other) > _SATURATED_ABOVE * each:
            energy[place], order[place] = -(one + other), 1.0
            continue
        energy[place], specific_heat[place] = _integrated(each, one, other)
        if each < critical:
            product = math.sinh(2 * one / each) * math.sinh(2 * other / each)
            order[place] = max(0.0, 1 - product**-2.0) ** 0.125
    return {"energy": energy, "specific_heat": specific_heat, "abs_magnetization": order}


def _integrated(temperature: float, one: float, other: float) -> tuple[float, float]:
    """Energy and specific heat, from the first two derivatives of the integral by 1/T."""
    c1, s1 = np.cosh(2 * one / temperature), np.sinh(2 * one / temperature)
    c2, s2 = np.cosh(2 * other / temperature), np.sinh(2 * other / temperature)
    gap = (1 - s1 * s2) ** 2 / (c1 * c2 + s1 + s2)  # P - S2 at ω = 0, without cancellation

    def derivatives(omega: FloatArray) -> FloatArray:
        less, cosine = 2 * np.sin(omega / 2) ** 2, np.cos(omega)
        below = gap + s1 * less
        p = s2 + below
        first = 2 * one * (s1 * c2 - c1 * cosine) + 2 * other * c1 * s2
        second = (4 * one**2 + 4 * other**2) * c1 * c2 + 8 * one * other * s1 * s2
        second -= 4 * one**2 * s1 * cosine
        # of the ratio u = P / S2, and of ln S2
        slope, curve = 2 * other * c2 / s2, -((2 * other / s2) ** 2)
        u, ratio = p / s2, first / s2
        u1 = ratio - u * slope
        u2 = second / s2 - 2 * ratio * slope + u * slope**2 - u * curve
        root = np.sqrt(below * (p + s2)) / s2
        return np.stack([u1 / root + slope, u2 / root - u * u1**2 / root**3 + curve])

    ends = [0.0, *(math.pi * 10.0**-k for k in range(12, -1, -1))]
    total = np.zeros(2)
    for low, high in itertools.pairwise(ends):
        place, weight = scipy.special.roots_legendre(_NODES)
        omega = low + (high - low) * (place + 1) / 2
        total += (derivatives(omega) * weight).sum(axis=1) * (high - low) / 2
    mean = total / (2 * math.pi)
    return -mean[0], mean[1] / temperature**2
