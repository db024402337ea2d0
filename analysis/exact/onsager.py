"""The infinite square lattice: Onsager's energy and specific heat, Yang's magnetization."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis.exact._datasets import over_temperature
from isingrl.support.validation import check_temperature

CRITICAL_TEMPERATURE = 2.0 / math.log1p(math.sqrt(2.0))
"""Temperature of the transition of the square lattice, 2/ln(1 + √2), in J/k_B."""

_SERIES_BELOW = 1e-3  # coupling K below which the closed form loses its digits by cancellation
_SATURATED_ABOVE = 50.0  # coupling K above which doubles show the ground state alone


def square_lattice(temperature: npt.ArrayLike) -> xr.Dataset:
    r"""Infinite square lattice with four neighbours, J = 1, no field.

    Parameters
    ----------
    temperature : float or sequence of float
        In J/k_B; 0 and infinity are valid.

    Returns
    -------
    Dataset
        ``energy``, ``specific_heat`` and ``abs_magnetization`` (spontaneous) per site over
        ``temperature``. The specific heat is infinite at `CRITICAL_TEMPERATURE`.

    Raises
    ------
    TypeError, ValueError
        If `temperature` is no non-negative number or sequence of such numbers.

    Notes
    -----
    With :math:`K = 1/T`, :math:`\kappa = 2\sinh 2K/\cosh^2 2K` and
    :math:`\kappa' = 2\tanh^2 2K - 1`, :math:`\kappa^2 + \kappa'^2 = 1`,

    .. math:: e = -\coth 2K \left[1 + \tfrac{2}{\pi} \kappa' \mathbf{K}(\kappa)\right], \quad
       c = \tfrac{2}{\pi} (K \coth 2K)^2 \left[2\mathbf{K} - 2\mathbf{E}
       - (1 - \kappa')\left(\tfrac{\pi}{2} + \kappa' \mathbf{K}\right)\right], \quad
       m = (1 - \sinh^{-4} 2K)^{1/8}.

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
    values = {
        "energy": energy + 0.0,  # no -0 at T = ∞
        "specific_heat": specific_heat,
        "abs_magnetization": np.maximum(ordered, 0.0) ** 0.125,
    }
    return over_temperature(t, values, {"coupling": 1.0, "field": 0.0})
