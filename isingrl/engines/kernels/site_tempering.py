"""Sweeps of the byte-site engine with exchanges between them, without the interpreter."""

import numpy as np
from numba import njit

from isingrl.engines.kernels.gates import meet
from isingrl.engines.kernels.sites import measure, sweep
from isingrl.engines.kernels.tempering import exchange


@njit(nogil=True, cache=True)
def temper(
    spins, sites, codes, index, order, tables, schedule, states, neighbors, signs, crew, gaps,
    first, exchanges, places, sums, walkers, accepted,
):  # fmt: skip
    """Sweep and measure all walkers, and exchange their places.

    Parameters as in `sites.record`; `spins`, `tables` and `states` of all walkers, along one more
    axis in front; and:

    Parameters
    ----------
    crew : tuple
        ``(worker, workers, gate)``: this thread, how many there are, and the array by which they
        meet. Threads take walkers in turn.
    gaps, first : int64 arrays, shape (n_events,)
        Sweeps before each measurement; the first pair of the exchange after it, or -1 for none.
    exchanges : tuple
        See `tempering.exchange`.
    places : int64 array, shape (n_walkers,)
        Place of each walker, which names its table; it is changed.
    sums : int64 array, shape (n_events, n_walkers, n_kinds + 2)
        Receives what `sites.measure` finds.
    walkers, accepted : int64 arrays, shape (n_events, n_places)
        Receive the walker at each place after each event, and the pairs exchanged in it.
    """
    worker, workers, gate = crew
    n_walkers, n_kinds = places.size, neighbors.shape[0]
    swapped = np.zeros((n_walkers // 2, 2), dtype=np.int64)
    for event in range(gaps.size):
        for walker in range(worker, n_walkers, workers):
            sweep(
                spins[walker], sites, codes, index, order, tables[places[walker]], schedule,
                states[walker], gaps[event],
            )  # fmt: skip
            measure(spins[walker], neighbors, signs, sums[event, walker])
        if first[event] >= 0:
            meet(gate, workers)
            if worker == 0:
                exchange(
                    first[event], exchanges, sums[event], sums[event, :, n_kinds],
                    accepted[event], swapped,
                )  # fmt: skip
                now = exchanges[4]
                for place in range(n_walkers):
                    places[now[place]] = place
            meet(gate, workers)
        if worker == 0:
            for place in range(n_walkers):
                walkers[event, place] = exchanges[4][place]
