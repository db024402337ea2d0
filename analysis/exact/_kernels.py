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
    weights : ndarray of int64, shape (n_sites, z)
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
            around += weights[site, slot] * spins[neighbors[site, slot]]
        bond_index -= 2 * spins[site] * around
        n_up -= spins[site]
        spins[site] = -spins[site]
        counts[bond_index, n_up] += 1
    return counts


@njit(cache=True)
def count_potts_states(
    neighbors: npt.NDArray[np.int32],
    weights: npt.NDArray[np.int64],
    largest: int,
    n_states: int,
) -> npt.NDArray[np.int64]:
    """Count the configurations of a Potts model.

    Parameters
    ----------
    neighbors, weights, largest
        As in `count_states`.
    n_states : int
        Number of states of a site.

    Returns
    -------
    ndarray of int64, shape (largest + 1, n_sites + 1, n_sites + 1)
        Counts by the weighted number of bonds between equal states, by the number of sites in the
        state 0, and by that in the most frequent state.
    """
    n_sites, n_slots = neighbors.shape
    states = np.zeros(n_sites + 1, dtype=np.int64)
    states[n_sites] = n_states  # a missing neighbour
    n_in = np.zeros(n_states, dtype=np.int64)
    n_in[0] = n_sites
    bonds = largest
    counts = np.zeros((largest + 1, n_sites + 1, n_sites + 1), dtype=np.int64)
    # A Gray code visits all configurations with the last site in the state 0, by changes of one
    # site. Any of the states may be renamed to be the state 0, which gives all the others.
    for step in range(n_states ** (n_sites - 1)):
        if step > 0:
            site, rest = 0, step
            while rest % n_states == 0:
                rest //= n_states
                site += 1
            old = states[site]
            new = old + 1 if old + 1 < n_states else 0
            for slot in range(n_slots):
                other = states[neighbors[site, slot]]
                if other == old:
                    bonds -= weights[slot]
                elif other == new:
                    bonds += weights[slot]
            states[site] = new
            n_in[old] -= 1
            n_in[new] += 1
        most = 0
        for state in range(n_states):
            most = max(most, n_in[state])
        for state in range(n_states):
            counts[bonds, n_in[state], most] += 1
    return counts
