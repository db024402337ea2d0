"""Critical temperatures and exponents of Ising and Potts models, exact and from the literature."""

from __future__ import annotations

import math

from analysis.exact.onsager import CRITICAL_TEMPERATURE
from analysis.exact.potts import potts_square
from isingrl.support.validation import check_integer

__all__ = ["critical_exponents", "critical_temperature", "geometric_domains"]

_CRITICAL_TEMPERATURES = {
    (2, "von_neumann"): CRITICAL_TEMPERATURE,  # Onsager, Phys. Rev. 65, 117 (1944)
    (2, "triangular"): 4 / math.log(3),  # R. M. F. Houtappel, Physica 16, 425 (1950)
    (2, "honeycomb"): 2 / math.log(2 + math.sqrt(3)),  # the same
    (2, "moore"): 1 / 0.1901926807,  # Luijten, Blöte & Binder, Phys. Rev. E 54, 4626 (1996)
    (3, "von_neumann"): 1 / 0.221654626,  # Ferrenberg, Xu & Landau, Phys. Rev. E 97, 043301 (2018)
}
# three states, of first order; W. Janke & R. Villanova, Nucl. Phys. B 489, 679 (1997)
_CUBIC_POTTS = 1 / 0.550565
_NU_3D, _ETA_3D = 0.629971, 0.036298  # Kos, Poland, Simmons-Duffin & Vichi, JHEP 08 (2016) 036
_EXPONENTS = {
    2: {"nu": 1.0, "beta_over_nu": 1 / 8, "gamma_over_nu": 7 / 4},  # Onsager; Yang
    3: {"nu": _NU_3D, "beta_over_nu": (1 + _ETA_3D) / 2, "gamma_over_nu": 2 - _ETA_3D},
}
_POTTS_EXPONENTS = {  # Wu, Rev. Mod. Phys. 54, 235 (1982), by dimensions and states
    (2, 3): {"nu": 5 / 6, "beta_over_nu": 2 / 15, "gamma_over_nu": 26 / 15},
    (2, 4): {"nu": 2 / 3, "beta_over_nu": 1 / 8, "gamma_over_nu": 7 / 4},
}


def critical_exponents(ndim: int, states: int | None = None) -> dict[str, float]:
    """Exponents of the universality class: ``nu``, ``beta_over_nu``, ``gamma_over_nu``.

    Parameters
    ----------
    ndim : {2, 3}
        Number of dimensions.
    states : int, optional
        Number of states of a Potts model: 2, or in two dimensions up to 4; an Ising model if
        omitted. With 4 states laws have logarithmic corrections.

    Returns
    -------
    dict of float
        ν, β/ν and γ/ν by these names, pure numbers.

    Raises
    ------
    TypeError, ValueError
        If `ndim` or `states` is another number; the transition of more states is of first order.

    References
    ----------
    L. Onsager, Phys. Rev. 65, 117 (1944); C. N. Yang, Phys. Rev. 85, 808 (1952); F. Kos, D. Poland,
    D. Simmons-Duffin & A. Vichi, JHEP 08 (2016) 036, for ν and η in three dimensions, from which
    β/ν = (1 + η)/2 and γ/ν = 2 − η follow; F. Y. Wu, Rev. Mod. Phys. 54, 235 (1982), for three and
    four states: β = 1/9 and 1/12.

    Examples
    --------
    >>> from analysis.literature import critical_exponents
    >>> critical_exponents(2)
    {'nu': 1.0, 'beta_over_nu': 0.125, 'gamma_over_nu': 1.75}
    >>> round(critical_exponents(2, states=3)["nu"], 4)
    0.8333
    """
    if ndim not in _EXPONENTS:
        raise ValueError(f"ndim must be one of {sorted(_EXPONENTS)}; got {ndim}")
    q = 2 if states is None else check_integer("states", states, 2)
    if q == 2:
        return dict(_EXPONENTS[ndim])
    if (ndim, q) not in _POTTS_EXPONENTS:
        allowed = "2, 3 or 4" if ndim == 2 else "2"
        raise ValueError(
            f"states must be {allowed} in {ndim} dimensions, because the transition of more is of "
            f"first order; got {q}"
        )
    return dict(_POTTS_EXPONENTS[ndim, q])


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


def critical_temperature(ndim: int, neighborhood: str, states: int | None = None) -> float | None:
    """Critical temperature of the infinite lattice in J/k_B, for a ferromagnet.

    Parameters
    ----------
    ndim : int
        Number of dimensions.
    neighborhood : {"von_neumann", "moore", "triangular", "honeycomb"}
        Which neighbours interact.
    states : int, optional
        Number of states of a Potts model; an Ising model if omitted. A transition of first order
        counts: of more than 4 states on the square lattice, of 3 on the cubic one.

    Returns
    -------
    float or None
        None without a transition, or without a value of known accuracy.

    Raises
    ------
    TypeError, ValueError
        If `states` is no integer of at least 2.

    References
    ----------
    L. Onsager, Phys. Rev. 65, 117 (1944); R. M. F. Houtappel, Physica 16, 425 (1950), for the
    triangular and the honeycomb lattice; E. Luijten, H. W. J. Blöte & K. Binder, Phys. Rev. E
    54, 4626 (1996); A. M. Ferrenberg, J. Xu & D. P. Landau, Phys. Rev. E 97, 043301 (2018). Potts:
    R. J. Baxter, J. Phys. C 6, L445 (1973), square lattice; W. Janke & R. Villanova, Nucl. Phys. B
    489, 679 (1997), three states on the cubic lattice.

    Examples
    --------
    >>> from analysis.literature import critical_temperature
    >>> [round(critical_temperature(ndim, "von_neumann"), 6) for ndim in (2, 3)]
    [2.269185, 4.511523]
    >>> print(critical_temperature(1, "moore"))
    None
    >>> [round(critical_temperature(ndim, "von_neumann", states=3), 5) for ndim in (2, 3)]
    [0.99497, 1.81632]
    """
    ising = _CRITICAL_TEMPERATURES.get((ndim, neighborhood))
    if states is None:
        return ising
    q = check_integer("states", states, 2)
    if q == 2:  # the Ising model at half the coupling
        return None if ising is None else ising / 2
    if (ndim, neighborhood) == (2, "von_neumann"):
        return float(potts_square(q).attrs["critical_temperature"])
    return _CUBIC_POTTS if (ndim, neighborhood, q) == (3, "von_neumann", 3) else None
