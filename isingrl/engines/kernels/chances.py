"""Events of one probability, 64 at a time.

A probability is a 64-bit threshold, and an event happens if 64 random digits are below it. Bit k of
each random word is the next digit of event k, so that one word serves 64 events. Most events are
decided by their first digits: 64 of them take about eight words.
"""

import numpy as np
from numba import njit

from isingrl.engines.kernels.random import jsf_step

ALWAYS = np.uint64(2**64 - 1)
"""Threshold of probability 1; no double below 1 comes so near."""


@njit(inline="always")
def happen(threshold, asked, a, b, c, d):
    """Draw the events of the set bits of `asked`, with the random stream a, b, c, d.

    Returns
    -------
    tuple of uint64
        The events that happen, then the stream.
    """
    zero, one, top = np.uint64(0), np.uint64(1), np.uint64(63)
    happened, digits = zero, threshold
    if threshold == ALWAYS:
        happened, asked = asked, zero
    # behind the last digit 1 of the threshold no number can be below it any more
    while asked != zero and digits != zero:
        digit = zero - (digits >> top)  # all bits 0 or 1
        digits <<= one
        a, b, c, d = jsf_step(a, b, c, d)
        happened |= asked & digit & ~d
        asked &= ~(d ^ digit)
    return happened, a, b, c, d
