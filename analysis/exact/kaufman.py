"""The finite square lattice with periodic boundaries: Kaufman's partition function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.errors import FloatArray
from analysis.exact._couplings import check_couplings
from analysis.exact._datasets import over_temperature
from isingrl.coordinates import coordinates_of
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.support.validation import check_temperature

# Between these couplings K doubles can tell the energy from its limits, and nothing overflows.
_SMALLEST_COUPLING, _LARGEST_COUPLING = 1e-12, 40.0


def torus(
    shape: Sequence[int], temperature: npt.ArrayLike, coupling: float | Sequence[float] = 1.0
) -> xr.Dataset:
    r"""Square lattice of n × m sites with periodic boundaries, no field.

    Parameters
    ----------
    shape : two integers
        Sides n and m, each at least 2; across a side of 2 a pair is joined twice.
    temperature : float or sequence of float
        In J/k_B; 0 and infinity are valid.
    coupling : float or two floats
        J > 0, or :math:`J_1` along the side of length m and :math:`J_2` along the other one, in
        the order of `isingrl.Ising`.

    Returns
    -------
    Dataset
        ``energy`` and ``specific_heat`` per site over ``temperature``.

    Raises
    ------
    TypeError, ValueError
        If `shape` is not two integers of at least 2, `temperature` is no non-negative number or
        sequence of such numbers, or `coupling` is no positive number or pair of them.

    Notes
    -----
    Kaufman's four products [1]_ of 2cosh and 2sinh of :math:`m\gamma_l/2`, with
    :math:`\sinh 2K_1 \cosh\gamma_l = u_l = \cosh 2K_1 \cosh 2K_2 - \sinh 2K_2 \cos(\pi l/n)`,
    are rearranged so that all terms are positive and regular at every temperature. With
    :math:`s = \sinh 2K_1` the factor :math:`(2s)^{nm/2}` is distributed over the products. There it
    multiplies each growing exponential to :math:`(2s\,e^{\gamma_l})^{m/2} = [2(u_l + w_l)]^{m/2}`,
    with :math:`w_l^2 = u_l^2 - s^2`. The rest is :math:`1 \pm q_l^m`, with
    :math:`q_l = e^{-\gamma_l} = s/(u_l + w_l)`. For l = 0, :math:`\gamma` changes its sign at T_c,
    and the terms are :math:`A \pm B` with :math:`A = (2 \sinh K_1\, e^{K_2})^m` and
    :math:`B = (2 \cosh K_1\, e^{-K_2})^m`. Derivatives by 1/T are analytic.

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
    pair = check_couplings(coupling)
    with np.errstate(divide="ignore"):
        beta = 1.0 / t
    # each by itself, because bonds of one direction may be frozen long before the others
    along, across = (np.clip(j * beta, _SMALLEST_COUPLING, _LARGEST_COUPLING) for j in pair)
    log_partition = _log_partition(n, m, _Couplings(along, across, *pair))
    energy = -log_partition.first / (n * m)
    finite = (beta > 0) & (beta <= _LARGEST_COUPLING / min(pair))
    squared = np.where(finite, beta, 0.0) ** 2
    specific_heat = np.maximum(squared * log_partition.second / (n * m), 0.0)
    values = {
        "energy": np.where(beta > 0, energy, 0.0),
        "specific_heat": specific_heat,
    }
    return over_temperature(t, values, coordinates_of(Ising(lattice, pair)))


class _Couplings(NamedTuple):
    """Couplings K = J/T along the transfer and across it, any shape, and both J."""

    along: FloatArray
    across: FloatArray
    j_along: float
    j_across: float


class _Log(NamedTuple):
    """Logarithm of a positive function of 1/T with its first and second derivatives."""

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


def _log_partition(n: int, m: int, k: _Couplings) -> _Log:
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
    n: int, m: int, k: _Couplings, modes: npt.NDArray[np.int64]
) -> tuple[_Log, _Log, _Log, _Log]:
    """Π (2s e^γ)^(m/2), Π (1 + q^m), Π (1 − q^m) and the difference of the last two."""
    columns = k._replace(along=k.along[:, None], across=k.across[:, None])
    bulk, log_q = _modes(columns, np.pi * modes / n)
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


def _modes(k: _Couplings, theta: FloatArray) -> tuple[_Log, _Log]:
    """2s e^γ and e^(−γ) for every temperature (rows) and angle (columns)."""
    j1, j2 = 2 * k.j_along, 2 * k.j_across
    s, c = np.sinh(2 * k.along), np.cosh(2 * k.along)
    across, c2 = np.sinh(2 * k.across), np.cosh(2 * k.across)
    cosine = np.cos(theta)
    # u − s keeps its digits for s·sinh 2K2 near 1 and a small angle in this form
    above = (1 - s * across) ** 2 / (c * c2 + s + across) + 2 * across * np.sin(theta / 2) ** 2
    u = s + above
    w = np.sqrt(above * (u + s))
    q = s / (u + w)
    s1, s2 = j1 * c, j1**2 * s
    u1 = j1 * s * c2 + j2 * (c * across - c2 * cosine)
    u2 = (j1**2 + j2**2) * c * c2 + 2 * j1 * j2 * s * across - j2**2 * across * cosine
    w1 = (u * u1 - s * s1) / w
    q1 = (s1 - q * (u1 + w1)) / (u + w)
    g1 = (u1 - q * s1) / w
    g2 = (u2 - q1 * s1 - q * s2 - g1 * w1) / w
    bulk = _Log(np.log(2 * (u + w)), g1, g2)
    # ln q = ln 2s − ln(2s e^γ), and the second derivative of ln s is −(2 J1 / s)²
    log_q = _Log(np.log(q), s1 / s - g1, -((j1 / s) ** 2) - g2)
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


def _zero_mode(m: int, k: _Couplings) -> tuple[_Log, _Log]:
    """Logarithms of A = (2 sinh K1 e^K2)^m and B = (2 cosh K1 e^−K2)^m."""
    j1, j2 = k.j_along, k.j_across
    small, gap = np.exp(-2 * k.along), -np.expm1(-2 * k.along)
    less = small / (1 + small)
    grows = _Log(
        k.along + k.across + np.log(gap),
        j1 + j2 + 2 * j1 * small / gap,
        -4 * j1**2 * small / gap**2,
    )
    shrinks = _Log(
        k.along - k.across + np.log1p(small),
        j1 - j2 - 2 * j1 * less,
        4 * j1**2 * less / (1 + small),
    )
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
