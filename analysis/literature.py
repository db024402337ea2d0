"""Critical temperatures and exponents of the Ising model, exact and from the literature."""

from __future__ import annotations

import math

from analysis.exact.onsager import CRITICAL_TEMPERATURE

__all__ = ["critical_exponents", "critical_temperature", "geometric_domains"]

_CRITICAL_TEMPERATURES = {
    (2, "von_neumann"): CRITICAL_TEMPERATURE,  # Onsager, Phys. Rev. 65, 117 (1944)
    (2, "triangular"): 4 / math.log(3),  # R. M. F. Houtappel, Physica 16, 425 (1950)
    (2, "honeycomb"): 2 / math.log(2 + math.sqrt(3)),  # the same
    (2, "moore"): 1 / 0.1901926807,  # Luijten, Blöte & Binder, Phys. Rev. E 54, 4626 (1996)
    (3, "von_neumann"): 1 / 0.221654626,  # Ferrenberg, Xu & Landau, Phys. Rev. E 97, 043301 (2018)
}
_NU_3D, _ETA_3D = 0.629971, 0.036298  # Kos, Poland, Simmons-Duffin & Vichi, JHEP 08 (2016) 036
_EXPONENTS = {
    2: {"nu": 1.0, "beta_over_nu": 1 / 8, "gamma_over_nu": 7 / 4},  # Onsager; Yang
    3: {"nu": _NU_3D, "beta_over_nu": (1 + _ETA_3D) / 2, "gamma_over_nu": 2 - _ETA_3D},
}


def critical_exponents(ndim: int) -> dict[str, float]:
    """Exponents of the Ising universality class: ``nu``, ``beta_over_nu``, ``gamma_over_nu``.

    Parameters
    ----------
    ndim : {2, 3}
        Number of dimensions.

    Returns
    -------
    dict of float
        ν, β/ν and γ/ν by these names, pure numbers.

    Raises
    ------
    ValueError
        If `ndim` is another number.

    References
    ----------
    L. Onsager, Phys. Rev. 65, 117 (1944); C. N. Yang, Phys. Rev. 85, 808 (1952); F. Kos, D. Poland,
    D. Simmons-Duffin & A. Vichi, JHEP 08 (2016) 036, for ν and η in three dimensions, from which
    β/ν = (1 + η)/2 and γ/ν = 2 − η follow.

    Examples
    --------
    >>> from analysis.literature import critical_exponents
    >>> critical_exponents(2)
    {'nu': 1.0, 'beta_over_nu': 0.125, 'gamma_over_nu': 1.75}
    """
    if ndim not in _EXPONENTS:
        raise ValueError(f"ndim must be one of {sorted(_EXPONENTS)}; got {ndim}")
    return dict(_EXPONENTS[ndim])


def geometric_domains() -> dict[str, float]:
    """Exponents of domains of equal spins on the square lattice at the critical temperature.

    Returns
    -------
    dict of float
        ``fractal_dimension`` D of the largest domain, with a size ~ L^D, and ``fisher_exponent`` τ
        of the numbers of domains n_s ~ s^-τ, with τ = 1 + 2/D; pure numbers.

    References
    ----------
    A. L. Stella & C. Vanderzande, Phys. Rev. Lett. 62, 1067 (1989); W. Janke & A. M. J. Schakel,
    Nucl. Phys. B 700, 385 (2004).

    Examples
    --------
    >>> from analysis.literature import geometric_domains
    >>> {name: round(value, 4) for name, value in geometric_domains().items()}
    {'fractal_dimension': 1.9479, 'fisher_exponent': 2.0267}
    """
    return {"fractal_dimension": 187 / 96, "fisher_exponent": 379 / 187}


def critical_temperature(ndim: int, neighborhood: str) -> float | None:
    """Critical temperature of the infinite lattice in J/k_B, for a ferromagnet.

    Parameters
    ----------
    ndim : int
        Number of dimensions.
    neighborhood : {"von_neumann", "moore", "triangular", "honeycomb"}
        Which neighbours interact.

    Returns
    -------
    float or None
        None without a transition, or without a value of known accuracy.

    References
    ----------
    L. Onsager, Phys. Rev. 65, 117 (1944); R. M. F. Houtappel, Physica 16, 425 (1950), for the
    triangular and the honeycomb lattice; E. Luijten, H. W. J. Blöte & K. Binder, Phys. Rev. E
    54, 4626 (1996); A. M. Ferrenberg, J. Xu & D. P. Landau, Phys. Rev. E 97, 043301 (2018).

    Examples
    --------
    >>> from analysis.literature import critical_temperature
    >>> [round(critical_temperature(ndim, "von_neumann"), 6) for ndim in (2, 3)]
    [2.269185, 4.511523]
    >>> print(critical_temperature(1, "moore"))
    None
    """
    return _CRITICAL_TEMPERATURES.get((ndim, neighborhood))
