"""The ring in a field: Ising by its density of states, Potts by its transfer matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis.errors import FloatArray
from analysis.exact._datasets import in_each_field, over_temperature, states_shared
from analysis.exact.canonical import States, canonical_ensemble, specific_heat_of
from isingrl.coordinates import coordinates_of
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.potts import Potts
from isingrl.support.validation import check_integer, check_temperature

MAX_RING = 4096
"""Largest ring: the number of terms for a temperature grows as its square, to 4 million here."""


def ring(
    n: int,
    temperature: npt.ArrayLike,
    field: float | Sequence[float] = 0.0,
    *,
    states: int | None = None,
) -> xr.Dataset:
    r"""Ring of n sites with two neighbours each, J = 1, in a field.

    Parameters
    ----------
    n : int
        Number of sites, 2 to 4096; in a ring of 2 the pair is joined twice.
    temperature : float or sequence of float
        In J/k_B; 0 and infinity are valid.
    field : float or sequence of float
        Magnetic field h, in J, or several distinct ones.
    states : int, optional
        Number of states, 2 to 255, of a Potts model; an Ising model if omitted.

    Returns
    -------
    Dataset
        Over ``temperature``, and ``field`` if several are given: the variables of
        `analysis.exact.enumeration`; of a Potts model only ``energy``, ``specific_heat`` and
        ``state_share``.

    Raises
    ------
    TypeError, ValueError
        If `n` is no integer from 2 to 4096, `temperature` no non-negative number or sequence of
        such numbers, `field` no finite number or sequence of distinct ones, or `states` no integer
        from 2 to 255.

    Notes
    -----
    A ring with k up spins in d runs, 0 < k < n, has the energy −(n − 4d) − h(2k − n). The number of
    such configurations is :math:`\frac{n}{d}\binom{k-1}{d-1}\binom{n-k-1}{d-1}`. These are the
    terms of the trace of the 2 × 2 transfer matrix [1]_, and they also give the distribution of
    :math:`|m|`.

    The powers of the q × q transfer matrix of a Potts model have only four different elements,
    because the states 1 … q − 1 are alike. With the mean and the variance of the energy in each
    element, no difference of large numbers is needed at any temperature.

    References
    ----------
    .. [1] E. Ising, "Beitrag zur Theorie des Ferromagnetismus", Z. Phys. 31, 253 (1925);
       H. A. Kramers, G. H. Wannier, Phys. Rev. 60, 252 (1941).

    Examples
    --------
    >>> from analysis import exact
    >>> result = exact.ring(20, [0.5, 1.0], field=0.1)
    >>> result.energy.dims, result.energy.units
    (('temperature',), 'J')
    >>> result.magnetization.round(4).values.tolist()
    [0.9952, 0.5935]
    >>> exact.ring(20, [0.5, 1.0], field=0.1, states=3).state_share.round(4).values.tolist()
    [[0.5995, 0.2002, 0.2002], [0.3832, 0.3084, 0.3084]]
    """
    n = check_integer("n", n, 2)
    if n > MAX_RING:
        raise ValueError(f"n must be an integer from 2 to {MAX_RING}; got {n}")
    t = check_temperature(temperature)
    if states is not None:
        potts = Potts(Lattice((n,)), states, field=field)
        found = in_each_field(potts, lambda each: _potts_ring(n, potts.states, each, t))
        return over_temperature(t, found, coordinates_of(potts))
    model = Ising(Lattice((n,)), field=field)
    return canonical_ensemble(_states_of_ring(n), model, t)


def _states_of_ring(n: int) -> States:
    up, runs = np.meshgrid(np.arange(1, n), np.arange(1, n // 2 + 1), indexing="ij")
    possible = (runs <= up) & (runs <= n - up)
    up, runs = up[possible], runs[possible]
    log_number = (
        np.log(n / runs) + _log_binomial(up - 1, runs - 1) + _log_binomial(n - up - 1, runs - 1)
    )
    return States(
        bond_sum=np.concatenate([[n, n], n - 4 * runs]).astype(np.int64)[:, None],
        spin_sum=np.concatenate([[-n, n], 2 * up - n]).astype(np.int64),
        log_multiplicity=np.concatenate([[0.0, 0.0], log_number]),
        n_sites=n,
    )


def _log_binomial(n: npt.NDArray[np.int64], k: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    log_gamma = scipy.special.gammaln
    return np.asarray(log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1))


def _potts_ring(n: int, q: int, field: float, t: FloatArray) -> dict[str, FloatArray]:
    ground = -1 - max(field, 0.0)  # energy per site, subtracted below
    # elements 00, 0j, jj and jk of the transfer matrix: energy, and sites in the state 0, of which
    # a bond has half of either end
    zeros = np.array([1, 0.5, 0, 0])
    energy = -np.array([1, 0, 1, 0]) - field * zeros - ground
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_weight = np.where(energy[:, None] == 0, 0.0, -energy[:, None] / t)
    rest = np.stack([energy, 0 * energy, zeros], axis=1)[..., None] * np.ones(t.size)
    bond = np.concatenate([log_weight[:, None], rest], axis=1)  # shape (4, 4, n_temperatures)
    chain = bond
    for digit in f"{n:b}"[1:]:
        chain = _product(chain, chain, q)
        chain = _product(chain, bond, q) if digit == "1" else chain
    _, energy, variance, in_first = _sum([chain[0], chain[2]], [1, q - 1])
    return {
        "energy": energy / n + ground,
        "specific_heat": specific_heat_of(variance / n, t),
        "state_share": states_shared(in_first / n, q),
    }


def _product(x: FloatArray, y: FloatArray, q: int) -> FloatArray:
    """Product of two powers of the transfer matrix, by their elements 00, 0j, jj and jk.

    Logarithms of weights add up, and so do means and variances of what is independent.
    """
    return np.stack(
        [
            _sum([x[0] + y[0], x[1] + y[1]], [1, q - 1]),
            _sum([x[0] + y[1], x[1] + y[2], x[1] + y[3]], [1, 1, q - 2]),
            _sum([x[1] + y[1], x[2] + y[2], x[3] + y[3]], [1, 1, q - 2]),
            # with two states there is no jk, and no other element uses it
            _sum([x[1] + y[1], x[2] + y[3], x[3] + y[2], x[3] + y[3]], [1, 1, 1, max(q - 3, 0)]),
        ]
    )


def _sum(terms: list[FloatArray], numbers: list[int]) -> FloatArray:
    """Log weight, mean and variance of the energy, and mean number, of a mixture of terms."""
    each = np.stack(terms)
    with np.errstate(divide="ignore"):
        log_weight = each[:, 0] + np.log(numbers)[:, None]
        highest = log_weight.max(axis=0)
        weight = np.exp(log_weight - np.where(np.isinf(highest), 0.0, highest))
        total = weight.sum(axis=0)
        weight /= np.where(total == 0, 1.0, total)  # no such configuration at T = 0
        log_total = np.where(total == 0, -np.inf, highest + np.log(total))
    energy, variance, zeros = (weight[:, None] * each[:, 1:]).sum(axis=0)
    variance = variance + (weight * (each[:, 1] - energy) ** 2).sum(axis=0)
    return np.stack([log_total, energy, variance, zeros])
