"""The 2D Ising model as a user of Numba writes it in an afternoon: the yardstick.

A byte a spin, a table of acceptance probabilities, a uniform number from Numba's generator for
every proposal that costs energy, and a checkerboard.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit


def acceptance(temperature: float) -> npt.NDArray[np.float64]:
    """Metropolis probabilities, one for each value of (s·S + 4) / 2, S the neighbours' sum."""
    cost = 2.0 * np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
    return np.asarray(np.minimum(1.0, np.exp(-cost / temperature)))


@njit(cache=True)
def sweep(spins: npt.NDArray[np.int8], accept: npt.NDArray[np.float64], sweeps: int) -> None:
    """Make Metropolis sweeps of a periodic square lattice with an even side, in place.

    Parameters
    ----------
    spins : int8 array of ±1, shape (L, L)
    accept : ndarray, shape (5,)
        See `acceptance`.
    sweeps : int
    """
    side = spins.shape[0]
    for _ in range(sweeps):
        for color in range(2):
            for i in range(side):
                # branches at the edges cost less than a modulo for each neighbour
                above = i - 1 if i > 0 else side - 1
                below = i + 1 if i < side - 1 else 0
                for j in range((i + color) % 2, side, 2):
                    left = j - 1 if j > 0 else side - 1
                    right = j + 1 if j < side - 1 else 0
                    total = spins[above, j] + spins[below, j] + spins[i, left] + spins[i, right]
                    cost = spins[i, j] * total
                    # the first test saves half of the random numbers at the transition
                    if cost <= 0 or np.random.random() < accept[(cost + 4) >> 1]:  # noqa: NPY002
                        spins[i, j] = -spins[i, j]


@njit(cache=True)
def swendsen_wang(spins: npt.NDArray[np.int8], chance: float, sweeps: int) -> None:
    """Make Swendsen-Wang sweeps of a periodic square lattice, in place.

    A union-find over the sites in raster order, with path halving.

    Parameters
    ----------
    spins : int8 array of ±1, shape (L, L)
    chance : float
        Probability of a bond between equal spins.
    sweeps : int
    """
    side = spins.shape[0]
    flat = spins.ravel()
    parents = np.empty(side * side, dtype=np.int32)
    flips = np.empty(side * side, dtype=np.bool_)
    for _ in range(sweeps):
        for site in range(side * side):
            parents[site] = site
        for i in range(side):
            below = (i + 1 if i < side - 1 else 0) * side
            for j in range(side):
                site = i * side + j
                right = site + 1 if j < side - 1 else i * side
                for other in (right, below + j):
                    if flat[site] == flat[other] and np.random.random() < chance:  # noqa: NPY002
                        x, y = _root(parents, site), _root(parents, other)
                        parents[max(x, y)] = min(x, y)
        for site in range(side * side):
            if parents[site] == site:
                flips[site] = np.random.random() < 0.5  # noqa: NPY002
            else:  # a parent comes before its children
                flips[site] = flips[parents[site]]
            if flips[site]:
                flat[site] = -flat[site]


@njit(inline="always")  # a call would count references to the array
def _root(parents: npt.NDArray[np.int32], site: int) -> int:
    while parents[site] != site:
        parents[site] = parents[parents[site]]
        site = parents[site]
    return site
