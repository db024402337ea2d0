"""Solutions of the mean-field equation of the Potts model."""

from __future__ import annotations

import math

import numpy as np
import scipy

from analysis.errors import FloatArray
from analysis.exact._datasets import states_shared

_SATURATED_ABOVE = 50.0  # (J z + h) / T − ln q above which doubles cannot tell x from 1
_COLD = 1e-290  # T in units of J z + h below which quotients overflow


def potts_transition(strength: float, states: int) -> dict[str, float]:
    """Temperatures of the transition without a field and of its spinodals, J z = `strength`."""
    q = states
    lower = strength / q
    if q == 2:
        return {
            "critical_temperature": lower,
            "order_parameter_jump": 0.0,
            "lower_spinodal": lower,
            "upper_spinodal": lower,
        }
    at = math.log(q - 1)  # where the slope of x(y) is largest

    def past_top(y: float) -> float:
        """Sign of the slope of y / x(y), which is J z / T without a field."""
        return _order(y, q) - y * _slope(y, q)

    y = scipy.optimize.brentq(past_top, at, 2 * at, xtol=1e-15, rtol=1e-15)
    return {
        "critical_temperature": strength * (q - 2) / (2 * (q - 1) * at),
        "order_parameter_jump": (q - 2) / (q - 1),
        "lower_spinodal": lower,
        "upper_spinodal": strength * _order(y, q) / y,
    }


def potts_phases(
    strength: float, states: int, field: float, temperature: FloatArray
) -> dict[str, FloatArray]:
    """Observables by name, of the phase of lower free energy and of both phases."""
    ends = np.array([_both(strength, states, field, float(t)) for t in temperature])
    order = {"ordered": ends[:, 0], "disordered": ends[:, 1]}
    shares = {name: _shares(x, states) for name, x in order.items()}
    energy = {
        name: -strength * (share**2).sum(axis=-1) / 2 - field * share[:, 0] + 0.0
        for name, share in shares.items()
    }
    finite = np.where(np.isinf(temperature), 0.0, temperature)  # the phases are the same there
    free = {
        name: energy[name] - finite * scipy.special.entr(share).sum(axis=-1)
        for name, share in shares.items()
    }
    ordered = free["ordered"] <= free["disordered"]

    def stable(values: dict[str, FloatArray]) -> FloatArray:
        return np.where(ordered, values["ordered"], values["disordered"])

    x = stable(order)
    found = {"order_parameter": x, "state_share": _shares(x, states), "energy": stable(energy)}
    found |= {f"order_parameter_{name}": each for name, each in order.items()}
    return found | {f"energy_{name}": each for name, each in energy.items()}


def _both(strength: float, q: int, field: float, temperature: float) -> tuple[float, float]:
    """Where iteration of x = x(y), y = (J z x + h) / T, ends from x = 1 and just above x = 0."""
    highest = strength + field
    if math.isinf(temperature) or highest == 0:
        return 0.0, 0.0
    t = max(temperature, _COLD * highest)

    def excess(y: float) -> float:
        return strength * _order(y, q) + field - t * y

    def root(low: float, high: float) -> float:
        """Order parameter where the excess turns from positive to negative."""
        if excess(low) <= 0 or excess(high) >= 0:  # a root, up to rounding
            return _order(low if excess(low) <= 0 else high, q)
        return _order(scipy.optimize.brentq(excess, low, high, xtol=1e-300, rtol=1e-15), q)

    bottom, top = field / t, highest / t  # no root is outside, as 0 ≤ x ≤ 1
    steepness = q * strength / (2 * (q - 1) * t) - 1
    if steepness <= 1:  # the excess falls with y
        x = root(bottom, top)
        return x, x
    # The excess falls, rises and falls again, with turns at both sides of ln(q − 1).
    half = math.acosh(steepness)
    first, last = math.log(q - 1) - half, math.log(q - 1) + half
    disordered = first > 0 and excess(first) <= 0
    low = root(bottom, first) if disordered else math.nan
    if disordered and excess(last) < 0:
        return low, low
    saturated = top > _SATURATED_ABOVE + math.log(q)
    high = 1.0 if saturated else root(last, top)
    return high, low if disordered else high


def _shares(order: FloatArray, states: int) -> FloatArray:
    return states_shared((1 + (states - 1) * order) / states, states)


def _order(y: float, q: int) -> float:
    """Order parameter x of independent sites, the weight of the state 0 being e^y."""
    small = math.exp(-y)
    return -math.expm1(-y) / (1 + (q - 1) * small)


def _slope(y: float, q: int) -> float:
    small = math.exp(-y)
    return q * small / (1 + (q - 1) * small) ** 2
