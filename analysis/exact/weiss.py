"""Weiss's mean-field theory: each spin in the mean field of its neighbours."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.exact._datasets import in_each_field, over_temperature
from analysis.exact._mean_field import potts_phases, potts_transition
from isingrl.coordinates import coordinates_of
from isingrl.model import Ising
from isingrl.potts import Potts
from isingrl.spin_model import check_model
from isingrl.support.validation import check_temperature

__all__ = ["weiss"]

_LEVELS = 12  # of a continued fraction: enough for 16 digits below _DIRECT_ABOVE
_DIRECT_ABOVE = 1.0
_SATURATED_ABOVE = 50.0  # (J z + |h|) / T above which doubles cannot tell m from 1


def weiss(model: Ising | Potts, temperature: npt.ArrayLike) -> xr.Dataset:
    r"""Mean-field theory of a ferromagnet, which independent Q-learners approach.

    The stable solution of :math:`m = \tanh[(J z m + h)/T]`, with z neighbours, is the largest one
    with the sign of the field. Without a field it is the spontaneous magnetization m ≥ 0, which
    vanishes at T_c = zJ.

    In a Potts model a share :math:`(1 + (q-1)x)/q` of the sites is in the state 0, and the others
    are shared alike. The order parameter x solves :math:`\ln\frac{1 + (q-1)x}{1 - x} =
    (J z x + h)/T`. For q ≥ 3 and small fields the transition is of first order, and near it an
    ordered and a disordered solution are both stable; that of lower free energy is the phase in
    equilibrium.

    Parameters
    ----------
    model : Ising or Potts
        J ≥ 0 on a periodic lattice, which enters by its number of neighbours only; one field or
        several, for a Potts model h ≥ 0. Of several couplings the mean enters.
    temperature : float or sequence of float
        In the units of the coupling over k_B; 0 and infinity are valid.

    Returns
    -------
    Dataset
        ``magnetization``, ``abs_magnetization`` and ``energy``, −J z m²/2 − h m, per site over
        ``temperature``, and ``field`` if the model has several. The attribute
        ``critical_temperature`` is zJ.

        Of a Potts model ``order_parameter``, ``state_share`` (…, state) and ``energy``,
        :math:`-J z \sum_s x_s^2/2 - h x_0`, of the phase in equilibrium. With the endings
        ``_ordered`` and ``_disordered``, order parameter and energy of the solution to which an
        ordered start and a random start lead; both are the same where there is only one. Attributes
        for h = 0: ``critical_temperature``, ``order_parameter_jump`` there, and
        ``lower_spinodal`` and ``upper_spinodal``, between which both solutions are stable.

    Raises
    ------
    TypeError, ValueError
        If `model` is neither an `Ising` nor a `Potts`, is an antiferromagnet (its sublattices have
        different means), has a free boundary (its sites differ), or is a `Potts` with a negative
        field (its other states may differ); or if `temperature` is no non-negative number or
        sequence of such numbers.

    Notes
    -----
    With :math:`u = (J z m + |h|)/T` the equation is :math:`J z \,(\tanh u - u) + (J z - T)\,u
    + |h| = 0`, concave in u > 0, so that Newton's method from above finds the one root there. The
    continued fraction of the tangent gives the first bracket without cancellation, so that m keeps
    its digits up to T_c.

    The Potts model has at h = 0 the transition :math:`T_1 = z J (q-2)/[2(q-1)\ln(q-1)]` with a jump
    of (q − 2)/(q − 1), the lower spinodal zJ/q, and the upper one where T(x) is largest.

    References
    ----------
    P. Weiss, "L'hypothèse du champ moléculaire et la propriété ferromagnétique", J. Phys. Theor.
    Appl. 6, 661 (1907); R. J. Baxter, *Exactly Solved Models in Statistical Mechanics* (1982),
    chapter 3. Potts model: F. Y. Wu, "The Potts model", Rev. Mod. Phys. 54, 235 (1982), section
    I.C.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import exact
    >>> theory = exact.weiss(irl.Ising(irl.Lattice((8, 8))), [2.0, 3.0, 5.0])
    >>> theory.attrs["critical_temperature"], theory.magnetization.round(4).values.tolist()
    (4.0, [0.9575, 0.7755, 0.0])
    >>> theory = exact.weiss(irl.Potts(irl.Lattice((8, 8)), states=3), [1.4, 1.45])
    >>> theory.order_parameter.round(4).values.tolist()
    [0.616, 0.0]
    >>> theory.order_parameter_ordered.round(4).values.tolist()
    [0.616, 0.4633]
    """
    check_model(model)
    if (model.couplings < 0).any():
        raise ValueError(f"model must have a coupling of at least 0; got {model.coupling}")
    if not model.lattice.periodic:
        raise ValueError(
            f"model must have a lattice with the boundary 'periodic'; got "
            f"{model.lattice.boundary!r}"
        )
    if isinstance(model, Potts) and np.min(model.field) < 0:
        raise ValueError(f"model must have fields of at least 0, as a Potts; got {model.field}")
    t = check_temperature(temperature)
    critical = model.mean_coupling * model.lattice.coordination_number

    def solved(field: float) -> dict[str, npt.NDArray[np.float64]]:
        if isinstance(model, Potts):
            return potts_phases(critical, model.states, field, t)
        size = np.array([_magnetization(critical, abs(field), float(each)) for each in t])
        m = np.copysign(size, field) if field else size
        energy = -critical * m**2 / 2 - field * m + 0.0
        return {"magnetization": m, "abs_magnetization": size, "energy": energy}

    known = coordinates_of(model)
    names = {"states", "coupling", "field", "neighborhood"}
    coords = {name: value for name, value in known.items() if name in names}
    attrs = {
        "theory": "Weiss mean field",
        "coordination_number": model.lattice.coordination_number,
        "critical_temperature": critical,
    }
    if isinstance(model, Potts):
        attrs |= potts_transition(critical, model.states)
    return over_temperature(t, in_each_field(model, solved), coords, attrs)


def _magnetization(critical: float, field: float, temperature: float) -> float:
    """Largest solution m ≥ 0 for T_c = `critical` and a field ≥ 0."""
    if math.isinf(temperature) or (field == 0 and temperature >= critical):
        return 0.0
    if (critical + field) / max(temperature, 1e-300) > _SATURATED_ABOVE:
        return 1.0
    above = math.inf
    u = (critical + field) / temperature  # not below the root, as m ≤ 1
    while u < above:  # from above, until rounding ends it
        above = u
        excess = critical * _tanh_less(u) + (critical - temperature) * u + field
        u -= excess / ((critical - temperature) - critical * math.tanh(u) ** 2)
    return math.tanh(u)


def _tanh_less(u: float) -> float:
    """Return tanh u − u for u ≥ 0."""
    if u > _DIRECT_ABOVE:
        return math.tanh(u) - u
    # tanh u = u / (1 + u²/(3 + u²/(5 + …)))
    rest = 0.0
    for level in range(_LEVELS, 0, -1):
        rest = u * u / (2 * level + 1 + rest)
    return -u * rest / (1 + rest)
