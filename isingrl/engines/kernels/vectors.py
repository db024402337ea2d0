"""A hint to the compiler that a kernel gains from the widest vectors of the machine."""

from numba import types
from numba.extending import intrinsic


@intrinsic
def prefer_wide_vectors(typing_context):
    """Let LLVM use 512-bit vectors in the calling function, where the processor has them.

    LLVM keeps to 256 bits on most AVX-512 processors, to spare mixed code a lower clock; the
    long bitwise loops of the lane engine run about a quarter faster with the wider ones. Other
    processors ignore the attribute.
    """

    def codegen(context, builder, signature, arguments):
        # llvmlite's own add() knows only attributes without a value
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), codegen
