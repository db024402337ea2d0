"""The ring in a field: its density of states is a product of binomial coefficients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis.exact.canonical import States, canonical_ensemble
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.support.validation import check_integer, check_temperature

MAX_RING = 4096
"""Largest ring: the number of terms for a temperature grows as its square, to 4 million here."""


def ring(n: int, temperature: npt.ArrayLike, field: float | Sequence[float] = 0.0) -> xr.Dataset:
    r"""Ring of n sites with two neighbours each, J = 1, in a field.

    Parameters
    ----------
    n : int
        Number of sites, 2 to 4096; in a ring of 2 the pair is joined twice.
    temperature : float or sequence of float
        In J/k_B; 0 and infinity are valid.
    field : float or sequence of float
        Magnetic field h, in J, or several distinct ones.

    Returns
    -------
    Dataset
        Over ``temperature``, and ``field`` if several are given: the variables of
        `analysis.exact.enumeration`.

    Raises
    ------
    TypeError, ValueError
        If `n` is no integer from 2 to 4096, `temperature` no non-negative number or sequence of
        such numbers, or `field` no finite number or sequence of distinct ones.

    Notes
    -----
    A ring with k up spins in d runs, 0 < k < n, has the energy −(n − 4d) − h(2k − n). The number of
    such configurations is :math:`\frac{n}{d}\binom{k-1}{d-1}\binom{n-k-1}{d-1}`. These are the
    terms of the trace of the 2 × 2 transfer matrix [1]_, and they also give the distribution of
    :math:`|m|`.

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
    """
    n = check_integer("n", n, 2)
    if n > MAX_RING:
        raise ValueError(f"n must be an integer from 2 to {MAX_RING}; got {n}")
    t = check_temperature(temperature)
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
