"""Sweeps of the bit-lane engine with exchanges between them, without the interpreter."""

import numpy as np
from numba import njit

from isingrl.engines.kernels.gates import meet
from isingrl.engines.kernels.lane_sweeps import record
from isingrl.engines.kernels.tempering import exchange, swap_lanes


@njit(nogil=True, cache=True)
def temper(
    words, addresses, negative, rows, bands, half_row, strips, rules, states, tails, buffers, crew,
    counted, signs, measured, meters, ends, gaps, first, summed, exchanges, agreeing, up, walkers,
    accepted,
):  # fmt: skip
    """Sweep and measure all blocks, and exchange the tables of their lanes.

    Parameters as in `lane_sweeps.record`, arrays with one more axis, blocks, in front; and:

    Parameters
    ----------
    rules : tuple
        As in `update_tiles`, ``digits``, ``lazy`` and ``rest`` of all blocks.
    crew : tuple
        ``(worker, workers, gates, shared)``: this thread, how many there are, a gate for each block
        and one more for exchanges, shape (n_blocks + 1, 2), and whether all threads share each
        block; else they take blocks in turn.
    ends : int
        How often each bond is counted.
    gaps, first : int64 arrays, shape (n_events,)
        Sweeps before each measurement; the first pair of the exchange after it, or -1 for none.
    summed : bool array, shape (n_events,)
        Whether spins are summed, too; else `up` is left as it is.
    exchanges : tuple
        See `tempering.exchange`, with the one coupling of the first of the `signs`.
    agreeing, up : int64 arrays, shapes (n_blocks, sharers, n_events, n_sums, 64) and \
(n_blocks, sharers, n_events, n_sublattices, 64)
        Receive the sums of every lane, by thread if threads share blocks.
    walkers, accepted : int64 arrays, shape (n_events, n_places)
        Receive the walker at each place after each event, and the pairs exchanged in it.
    """
    mask, inverse, keep, address, digits, lazy, rest = rules
    worker, workers, gates, shared = crew
    n_blocks = words.shape[0]
    begin, step, sharer, sharers = (0, 1, worker, workers) if shared else (worker, workers, 0, 1)
    taken = np.zeros((n_blocks, 1), dtype=np.int64)
    n_walkers = walkers.shape[1]
    bonds, totals = np.zeros((n_walkers, 1), dtype=np.int64), np.zeros(n_walkers, dtype=np.int64)
    swapped = np.zeros((n_walkers // 2, 2), dtype=np.int64)
    nothing = measured[:0].copy()
    for event in range(gaps.size):
        runs = measured if summed[event] else nothing
        for block in range(begin, n_blocks, step):
            rule = mask, inverse, keep, address, digits[block], lazy[block], rest[block]
            record(
                words[block], words[block], addresses, negative, rows, bands, half_row, strips,
                rule, states[block], tails[block], buffers,
                (sharer, sharers, gates[block], taken[block]), gaps[event], counted, signs, runs,
                meters,
                agreeing[block, sharer, event : event + 1], up[block, sharer, event : event + 1],
            )  # fmt: skip
        if first[event] >= 0:
            meet(gates[n_blocks], workers)
            if worker == 0:
                for walker in range(n_walkers):
                    _add_lanes(walker, strips[0], event, agreeing, up, bonds, totals)
                    bonds[walker, 0] = 2 * (bonds[walker, 0] // ends)
                number = exchange(first[event], exchanges, bonds, totals, accepted[event], swapped)
                for pair in range(number):
                    a, b = swapped[pair, 0], swapped[pair, 1]
                    swap_lanes(a, b, np.int64(strips[0]), digits, lazy, rest)
            meet(gates[n_blocks], workers)
        if worker == 0:
            for place in range(n_walkers):
                walkers[event, place] = exchanges[4][place]


@njit(nogil=True, cache=True)
def _add_lanes(walker, strips, event, agreeing, up, bonds, totals):
    """Sum agreeing neighbours over the lanes of a walker, and twice its up spins."""
    own = np.int64(strips)
    block, lane = walker // (64 // own), walker % (64 // own) * own
    bonds[walker, 0] = totals[walker] = 0
    for sharer in range(agreeing.shape[1]):
        for strip in range(lane, lane + own):
            bonds[walker, 0] += agreeing[block, sharer, event, 0, strip]
            for kind in range(up.shape[3]):
                totals[walker] += 2 * up[block, sharer, event, kind, strip]
