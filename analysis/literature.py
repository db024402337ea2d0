"""Critical temperatures of the Ising model with J = 1, exact and from the literature."""

from __future__ import annotations

from analysis.exact.onsager import CRITICAL_TEMPERATURE

__all__ = ["critical_temperature"]

_CRITICAL_TEMPERATURES = {
    (2, "von_neumann"): CRITICAL_TEMPERATURE,  # Onsager, Phys. Rev. 65, 117 (1944)
    (2, "moore"): 1 / 0.1901926807,  # Luijten, Blöte & Binder, Phys. Rev. E 54, 4626 (1996)
    (3, "von_neumann"): 1 / 0.221654626,  # Ferrenberg, Xu & Landau, Phys. Rev. E 97, 043301 (2018)
}


def critical_temperature(ndim: int, neighborhood: str) -> float | None:
    """Critical temperature of the infinite hypercubic lattice in J/k_B, for a ferromagnet.

    Parameters
    ----------
    ndim : int
        Number of dimensions.
    neighborhood : {"von_neumann", "moore"}

    Returns
    -------
    float or None
        None where there is no transition, or no value of known accuracy.

    References
    ----------
    L. Onsager, Phys. Rev. 65, 117 (1944); E. Luijten, H. W. J. Blöte & K. Binder, Phys. Rev. E
    54, 4626 (1996); A. M. Ferrenberg, J. Xu & D. P. Landau, Phys. Rev. E 97, 043301 (2018).
    """
    return _CRITICAL_TEMPERATURES.get((ndim, neighborhood))
