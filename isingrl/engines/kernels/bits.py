"""Counting and finding the set bits of 64-bit words: one instruction each."""

import numpy as np
from numba import njit, types
from numba.extending import intrinsic


@intrinsic
def count_ones(typing_context, word):
    """Number of set bits of a uint64."""

    def codegen(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), codegen


@intrinsic
def lowest_one(typing_context, word):
    """Place of the lowest set bit of a uint64 that is not 0."""

    def codegen(context, builder, signature, arguments):
        return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

    return types.uint64(types.uint64), codegen


@njit(inline="always")
def prefix_parity(word):
    """Word with bit k the parity of the bits 0 … k of `word`."""
    word ^= word << np.uint64(1)
    word ^= word << np.uint64(2)
    word ^= word << np.uint64(4)
    word ^= word << np.uint64(8)
    word ^= word << np.uint64(16)
    return word ^ (word << np.uint64(32))
