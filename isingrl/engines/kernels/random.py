"""Jenkins's small fast generator (JSF64), one independent stream a column of state.

The state is four 64-bit words. Every bit of the output is equally good, which the lane engine
relies on: it hands bit k of each word to chain k. The step has no multiplication and vectorizes.

References
----------
R. J. Jenkins, "A small noncryptographic PRNG" (2007), 64-bit words with the rotations (39, 11);
M. E. O'Neill, "Bob Jenkins's small PRNG passes PractRand" (2018).
"""

import numpy as np
from numba import njit

_SCALE = 2.0**-53


@njit(inline="always")
def rotate_left(word, count):
    """Rotate a 64-bit word by `count` bits, 0 < count < 64."""
    return (word << np.uint64(count)) | (word >> np.uint64(64 - count))


@njit(inline="always")
def jsf_step(a, b, c, d):
    """Advance a stream by one; the new `d` is the output."""
    e = a - rotate_left(b, 39)
    a = b ^ rotate_left(c, 11)
    b = c + d
    c = d + e
    d = e + a
    return a, b, c, d


@njit(inline="always")
def next_word(state):
    """Next 64 random bits of the stream held in the array `state` of shape (4,)."""
    state[0], state[1], state[2], state[3] = jsf_step(state[0], state[1], state[2], state[3])
    return state[3]


@njit(inline="always")
def uniform(word):
    """Float64 in [0, 1), a multiple of 2**-53, from 64 random bits."""
    return np.float64(word >> np.uint64(11)) * _SCALE


@njit(inline="always")
def below(word, bound):
    """Integer in 0 … bound - 1, bound < 2**32, from 64 random bits.

    The high half of a 32 × 32 bit product (Lemire 2019): the bias is at most bound / 2**32.
    """
    return np.int64(((word >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))
