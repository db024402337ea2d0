"""The Potts model on the infinite square lattice at its transition, by Baxter."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from analysis.exact._datasets import over_temperature
from isingrl.support.validation import check_integer

_FACTORS = 100  # of a product that converges as exp(−2nΘ), with Θ ≥ 0.48


def potts_square(states: int) -> xr.Dataset:
    r"""Transition of the Potts model on the infinite square lattice, J = 1, no field.

    It is continuous up to 4 states, and of first order for more.

    Parameters
    ----------
    states : int
        Number of states q, at least 2.

    Returns
    -------
    Dataset
        Over ``temperature``, which is only the transition, in J/k_B and also the attribute
        ``critical_temperature``: ``energy`` per site in J, the mean of both phases,
        ``energy_ordered``, ``energy_disordered``, and their difference ``latent_heat``, which is 0
        up to 4 states.

    Raises
    ------
    TypeError, ValueError
        If `states` is no integer of at least 2.

    Notes
    -----
    With :math:`2\cosh\Theta = \sqrt{q}` for q > 4,

    .. math:: T_c = \frac{1}{\ln(1 + \sqrt{q})}, \quad e = -1 - \frac{1}{\sqrt{q}}, \quad
       L = 2\left(1 + \frac{1}{\sqrt{q}}\right) \tanh\frac{\Theta}{2}
       \prod_{n=1}^\infty \tanh^2 n\Theta.

    `analysis.literature.critical_exponents` has the exponents up to 4 states.

    References
    ----------
    R. J. Baxter, "Potts model at the critical temperature", J. Phys. C 6, L445 (1973); F. Y. Wu,
    "The Potts model", Rev. Mod. Phys. 54, 235 (1982).

    Examples
    --------
    >>> from analysis import exact
    >>> result = exact.potts_square(10)
    >>> round(result.attrs["critical_temperature"], 6), result.latent_heat.round(5).item()
    (0.701232, 0.69605)
    >>> result.energy_ordered.round(5).item(), result.energy_disordered.round(5).item()
    (-1.66425, -0.9682)
    """
    q = check_integer("states", states, 2)
    critical = 1 / math.log(1 + math.sqrt(q))
    mean = -1 - 1 / math.sqrt(q)
    theta = math.acosh(max(1.0, math.sqrt(q) / 2))  # 0 up to 4 states, and so is the product
    factors = np.tanh(theta * np.arange(1, _FACTORS)) ** 2
    latent = -2 * mean * math.tanh(theta / 2) * factors.prod()
    values = {
        "energy": mean,
        "energy_ordered": mean - latent / 2,
        "energy_disordered": mean + latent / 2,
        "latent_heat": latent,
    }
    return over_temperature(
        np.array([critical]),
        {name: np.array([value]) for name, value in values.items()},
        {"states": q, "coupling": 1.0, "field": 0.0},
        {"critical_temperature": critical},
    )
