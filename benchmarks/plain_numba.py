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
