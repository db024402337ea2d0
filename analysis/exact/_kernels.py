"""Numba kernels of the exact results: arrays in, arrays out."""

import numpy as np
import numpy.typing as npt
from numba import njit


@njit(cache=True)
def count_states(
    neighbors: npt.NDArray[np.int32], weights: npt.NDArray[np.int64], largest: int
) -> npt.NDArray[np.int64]:
    """Count the configurations whose last spin is down, by bond sum and spin sum.

    Parameters
    ----------
    neighbors : ndarray of int32, shape (n_sites, z)
        Neighbours of every site, ``n_sites`` where one is missing.
    weights : ndarray of int64, shape (z,)
        Weight of the bond in each slot.
    largest : int
        Sum of the weights of all bonds.

    Returns
    -------
    ndarray of int64, shape (2 * largest + 1, n_sites + 1)
        Counts by the weighted sum over bonds + largest and by number of up spins.
    """
    n_sites, n_slots = neighbors.shape
    spins = np.full(n_sites + 1, -1, dtype=np.int64)
    spins[n_sites] = 0  # a missing neighbour
    bond_index = 2 * largest
    n_up = 0
    counts = np.zeros((2 * largest + 1, n_sites + 1), dtype=np.int64)
    counts[bond_index, n_up] = 1
    # The Gray code visits all configurations of the other spins by flips of one spin, with the
    # number of trailing zeros of the step.
    for step in range(1, 1 << (n_sites - 1)):
        site = 0
        while not (step >> site) & 1:
            site += 1
        around = 0
        for slot in range(n_slots):
            around += weights[slot] * spins[neighbors[site, slot]]
        bond_index -= 2 * spins[site] * around
        n_up -= spins[site]
        spins[site] = -spins[site]
        counts[bond_index, n_up] += 1
    return counts
