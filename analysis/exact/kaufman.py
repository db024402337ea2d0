"""The finite square lattice with periodic boundaries: Kaufman's partition function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.errors import FloatArray
from analysis.exact._datasets import over_temperature
from isingrl.coordinates import coordinates_of
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.support.validation import check_temperature

# Between these couplings doubles can tell the energy from its limits, and nothing overflows.
_SMALLEST_COUPLING, _LARGEST_COUPLING = 1e-12, 40.0


def torus(shape: Sequence[int], temperature: npt.ArrayLike) -> xr.Dataset:
    r"""Square lattice of n × m sites with periodic boundaries, J = 1, no field.

    Parameters
    ----------
    shape : two integers
        Sides n and m, each at least 2; across a side of 2 a pair is joined twice.
    temperature : float or sequence of float
        In J/k_B; 0 and infinity are valid.

    Returns
    -------
    Dataset
        ``energy`` and ``specific_heat`` per site over ``temperature``.

    Raises
    ------
    TypeError, ValueError
        If `shape` is not two integers of at least 2, or `temperature` is no non-negative number or
        sequence of such numbers.

    Notes
    -----
    Kaufman's four products [1]_ of 2cosh and 2sinh of :math:`m\gamma_l/2`, with
    :math:`\cosh\gamma_l = s + 1/s - \cos(\pi l/n)` and :math:`s = \sinh 2K`, are rearranged so
    that all terms are positive and regular at every temperature. The factor :math:`(2s)^{nm/2}` is
    distributed over the products. There it multiplies each growing exponential to
    :math:`(2s\,e^{\gamma_l})^{m/2} = [2(u_l + w_l)]^{m/2}`, with
    :math:`u_l = 1 + s^2 - s\cos(\pi l/n)` and :math:`w_l^2 = u_l^2 - s^2`. The rest is
    :math:`1 \pm q_l^m`, with :math:`q_l = e^{-\gamma_l} = s/(u_l + w_l)`. For l = 0,
    :math:`\gamma` changes its sign at T_c, and the terms are :math:`A \pm B` with
    :math:`A = (e^{2K}-1)^m` and :math:`B = (1+e^{-2K})^m`. Derivatives by K are analytic.

    References
    ----------
    .. [1] B. Kaufman, "Crystal statistics II", Phys. Rev. 76, 1232 (1949).
    .. [2] A. E. Ferdinand, M. E. Fisher, "Bounded and inhomogeneous Ising models I",
       Phys. Rev. 185, 832 (1969).

    Examples
    --------
    >>> from analysis import exact
    >>> exact.torus((4, 4), [2.0, 3.0]).energy.round(4).values.tolist()
    [-1.7554, -1.0171]
    >>> exact.torus((64, 64), [2.0, 3.0]).energy.round(4).values.tolist()
    [-1.7456, -0.8173]
    """
    t = check_temperature(temperature)
    lattice = Lattice(shape)  # type: ignore[arg-type]
    if lattice.ndim != 2:
        raise ValueError(f"shape must have two sides; got {shape!r}")
    n, m = lattice.shape
    with np.errstate(divide="ignore"):
        coupling = 1.0 / t
    k = np.clip(coupling, _SMALLEST_COUPLING, _LARGEST_COUPLING)
    log_partition = _log_partition(n, m, k)
    energy = -log_partition.first / (n * m)
    specific_heat = np.maximum(k**2 * log_partition.second / (n * m), 0.0)
    finite = (coupling > 0) & (coupling <= _LARGEST_COUPLING)
    values = {
        "energy": np.where(coupling > 0, energy, 0.0),
        "specific_heat": np.where(finite, specific_heat, 0.0),
    }
    return over_temperature(t, values, coordinates_of(Ising(lattice)))


class _Log(NamedTuple):
    """Logarithm of a positive function of K with its first and second derivatives."""

    value: FloatArray
    first: FloatArray
    second: FloatArray

    def __mul__(self, other: _Log) -> _Log:  # type: ignore[override]
        """Logarithm of the product of the functions."""
        return _Log(self.value + other.value, self.first + other.first, self.second + other.second)

    def sum_over_modes(self) -> _Log:
        """Logarithm of the product over the last axis."""
        return _Log(*(part.sum(axis=-1) for part in self))

    def power(self, exponent: float) -> _Log:
        return _Log(*(exponent * part for part in self))


def _log_partition(n: int, m: int, k: FloatArray) -> _Log:
    odd_bulk, odd_plus, odd_minus, _ = _products(n, m, k, np.arange(1, 2 * n, 2))
    even_bulk, even_plus, even_minus, even_difference = _products(n, m, k, np.arange(2, 2 * n, 2))
    grows, shrinks = _zero_mode(m, k)
    terms = [
        odd_bulk * odd_plus,
        odd_bulk * odd_minus,
        even_bulk * grows * even_plus,
        even_bulk * grows * even_minus,
        even_bulk * shrinks * even_difference,
    ]
    total = _log_sum(terms)
    return total._replace(value=total.value - np.log(2.0))


def _products(
    n: int, m: int, k: FloatArray, modes: npt.NDArray[np.int64]
) -> tuple[_Log, _Log, _Log, _Log]:
    """Π (2s e^γ)^(m/2), Π (1 + q^m), Π (1 − q^m) and the difference of the last two."""
    bulk, log_q = _modes(k[:, None], np.pi * modes / n)
    decay = log_q.power(m)
    q = np.exp(decay.value)
    q_first = decay.first * q
    q_second = (decay.second + decay.first**2) * q
    plus = _Log(
        np.log1p(q), q_first / (1 + q), q_second / (1 + q) - (q_first / (1 + q)) ** 2
    ).sum_over_modes()
    rest = -np.expm1(decay.value)
    minus = _Log(
        np.log(rest), -q_first / rest, -q_second / rest - (q_first / rest) ** 2
    ).sum_over_modes()
    return bulk.power(m / 2).sum_over_modes(), plus, minus, _difference(plus, minus, q)


def _modes(k: FloatArray, theta: FloatArray) -> tuple[_Log, _Log]:
    """2s e^γ and e^(−γ) for every temperature (rows) and angle (columns)."""
    s, s1, s2 = np.sinh(2 * k), 2 * np.cosh(2 * k), 4 * np.sinh(2 * k)
    cosine = np.cos(theta)
    u = 1 + s * (s - cosine)
    # The first factor is u − s, in a form that keeps its digits for s near 1 and a small angle.
    w = np.sqrt(((1 - s) ** 2 + 2 * s * np.sin(theta / 2) ** 2) * (u + s))
    q = s / (u + w)
    u1 = (2 * s - cosine) * s1
    w1 = (u * u1 - s * s1) / w
    q1 = (s1 - q * (u1 + w1)) / (u + w)
    slope = 2 * s - cosine - q
    g1 = slope * s1 / w
    g2 = ((2 * s1 - q1) * s1 + slope * s2 - g1 * w1) / w
    bulk = _Log(np.log(2 * (u + w)), g1, g2)
    # ln q = ln 2s − ln(2s e^γ), and the second derivative of ln s is −4/s².
    log_q = _Log(np.log(q), s1 / s - g1, -4 / s**2 - g2)
    return bulk, log_q


def _difference(plus: _Log, minus: _Log, q: FloatArray) -> _Log:
    """Π (1 + q) − Π (1 − q) as 2 √(Π Π) sinh D, without cancellation for small q."""
    d = np.arctanh(q).sum(axis=-1)
    mean = (plus * minus).power(0.5)
    first, second = (plus.first - minus.first) / 2, (plus.second - minus.second) / 2
    present = d > 1e-150  # smaller is negligible beside the other terms, and its square underflows
    safe = np.where(present, d, 1.0)
    with np.errstate(over="ignore"):
        sinh_part = np.where(present, safe + np.log(-np.expm1(-2 * safe)), -np.inf)
        log_sinh = _Log(
            sinh_part,
            np.where(present, first / np.tanh(safe), 0.0),
            np.where(present, second / np.tanh(safe) - (first / np.sinh(safe)) ** 2, 0.0),
        )
    return mean * log_sinh


def _zero_mode(m: int, k: FloatArray) -> tuple[_Log, _Log]:
    """Logarithms of A = (e^2K − 1)^m and B = (1 + e^−2K)^m."""
    small = np.exp(-2 * k)
    gap = -np.expm1(-2 * k)
    grows = _Log(2 * k + np.log(gap), 2 / gap, -4 * small / gap**2)
    shrinks = _Log(np.log1p(small), -2 * small / (1 + small), 4 * small / (1 + small) ** 2)
    return grows.power(m), shrinks.power(m)


def _log_sum(terms: list[_Log]) -> _Log:
    """Logarithm of a sum; its derivatives are weighted means and a variance of the terms."""
    values, firsts, seconds = (np.stack(parts) for parts in zip(*terms, strict=True))
    largest = values.max(axis=0)
    weights = np.exp(values - largest)
    total = weights.sum(axis=0)
    weights /= total
    first = (weights * firsts).sum(axis=0)
    second = (weights * (seconds + (firsts - first) ** 2)).sum(axis=0)
    return _Log(largest + np.log(total), first, second)
