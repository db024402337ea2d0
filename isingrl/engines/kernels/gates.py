"""A barrier for threads inside kernels, without the interpreter."""

import sys

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

if sys.platform == "win32":

    @njit
    def _give_way():
        return 0

else:
    _give_way = types.ExternalFunction("sched_yield", types.int32())


@intrinsic
def _add_atomically(typing_context, array, index, value):
    """Add to an entry of an int64 array; returns what it was before."""

    def codegen(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        entry = builder.gep(data, [arguments[1]])
        return builder.atomic_rmw("add", entry, arguments[2], "seq_cst")

    return types.int64(array, types.int64, types.int64), codegen


@njit(nogil=True)
def meet(gate, workers):
    """Wait until all `workers` threads that share `gate` have come here.

    ``gate[0]`` counts arrivals for ever, so that one gate serves any number of meetings. A thread
    that waits gives way to others, in case there are fewer cores than threads.

    Parameters
    ----------
    gate : int64 array, shape (2,), first zero
    workers : int
    """
    if workers > 1:
        arrivals = _add_atomically(gate, np.int64(0), np.int64(1)) + 1
        full = -(-arrivals // workers) * workers
        while _add_atomically(gate, np.int64(0), np.int64(0)) < full:
            _give_way()


@njit(nogil=True)
def take(gate):
    """Number of the next piece of shared work, counted in ``gate[1]`` for ever."""
    return _add_atomically(gate, np.int64(1), np.int64(1))
