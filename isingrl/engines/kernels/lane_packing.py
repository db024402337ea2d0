"""Spins of one chain into and out of the words of a block."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def pack(words, half_rows, half_row, strips, chain, spins):
    """Write the spins of one chain, shape (n_rows, side), into its lanes.

    `half_rows`, shape (n_rows, 2), has the address of each row's even and odd sites.
    """
    strip = 2 * half_row
    for row in range(spins.shape[0]):
        for x in range(spins.shape[1]):
            lane = np.uint64(chain * strips + x // strip)
            inside = x % strip
            word = half_rows[row, inside % 2] + inside // 2
            bit = np.uint64(1) << lane
            if spins[row, x] > 0:
                words[word] |= bit
            else:
                words[word] &= ~bit


@njit(nogil=True, cache=True)
def unpack(words, half_rows, half_row, strips, chain, spins):
    """Read the spins of one chain, the inverse of `pack`."""
    strip = 2 * half_row
    for row in range(spins.shape[0]):
        for x in range(spins.shape[1]):
            lane = np.uint64(chain * strips + x // strip)
            inside = x % strip
            word = half_rows[row, inside % 2] + inside // 2
            spins[row, x] = 2 * np.int8((words[word] >> lane) & np.uint64(1)) - 1
