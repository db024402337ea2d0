"""Swendsen-Wang sweeps of spins in `bit_rows`: draw bonds, find the clusters, flip them.

A sweep is about pairs of states, s and s ^ x, with one number x for all of them. Sites in the two
states of a pair are an Ising model: bonds join equal states, or those of a pair, and a cluster that
flips changes each state to its partner. With two states x is 1. With more it is drawn for every
sweep, and states without a partner do not change. But if all bonds join equal states, x is 0:
each cluster is in one state, and any state may follow.

Sites of a row that bonds join one after the other are a *run*. Runs are found by bit operations and
numbered in C order, so that only bonds between runs need a union. On the square lattice at T_c a
run has two sites, and a third of the sites have such a bond.

Label 0 is the ghost spin of the field, in the state 0 or x, which never changes. The clusters form
a forest: each label has a parent of at most its own number, a root is its own parent. Rem's
algorithm with splicing joins two of its trees in one walk.

References
----------
M. M. A. Patwary, J. Blair, F. Manne, "Experiments on union-find algorithms for the disjoint-set
data structure", SEA 2010, p. 411.
"""

import numpy as np
from numba import njit

from isingrl.engines.kernels.bit_rows import (
    TOP,
    differing_by,
    in_state,
    measure,
    measure_states,
    plane_of,
    shifted,
    sites_of,
)
from isingrl.engines.kernels.bits import count_ones, lowest_one, prefix_parity
from isingrl.engines.kernels.chances import happen
from isingrl.engines.kernels.random import below, next_word


@njit(nogil=True, cache=True)
def _draw_layer(spins, layout, layer, ends, kinds, chances, exchange, state, bonds):
    """Draw the bonds of a layer; `ends` and `kinds` are its part of the layout."""
    rows, shifts, _, _, length = layout
    a, b, c, d = state[0], state[1], state[2], state[3]
    n_rows, n_words = np.uint64(rows.shape[0]), np.uint64(spins.shape[1])
    n_planes, n_rows_apart = np.uint64(spins.shape[0]) // n_rows, np.uint64(ends.shape[0])
    for row in range(n_rows):
        own = row % n_rows_apart
        for k in range(np.uint64(shifts.size)):
            if rows[row, k] < 0:
                continue
            other, kind = np.uint64(rows[row, k]), kinds[k]
            for_bond, wanted = chances[kind, 0], chances[kind, 1] & exchange
            for word in range(n_words):
                asked = ends[own, k, word] & differing_by(
                    wanted, spins, row, other, word, n_rows, n_planes, shifts[k], length
                )
                drawn, a, b, c, d = happen(for_bond, asked, a, b, c, d)
                if layer > 0:
                    drawn |= bonds[row, k, word]
                bonds[row, k, word] = drawn
    state[0], state[1], state[2], state[3] = a, b, c, d


@njit(nogil=True, cache=True)
def draw_bonds(spins, layout, chances, exchange, state, bonds, ghosts):
    """Draw the bonds of a sweep: by layer, row, offset, then word; ghosts last.

    Parameters
    ----------
    spins : uint64 array, shape (n_planes * n_rows, n_words)
    layout : tuple
        As in `bit_rows`.
    chances : uint64 array, shape (n_kinds + 1, 2)
        Threshold of `chances` for a bond of each kind between satisfied spins, and a word that is
        all 0, or all 1 if spins of a pair are the satisfied ones, and not equal ones. Last for
        bonds to the ghost, with all 0 if state 0 is along the field, or all 1 if its partner is.
    exchange : uint64
        By what the states of a pair differ, x.
    state : uint64 array, shape (4,)
        Random stream.
    bonds : uint64 array, shape (n_rows, n_offsets, n_words), zero where rows are missing
        Receives the bonds, at their lower ends.
    ghosts : uint64 array, shape (n_rows, n_words)
        Receives the sites with a bond to the ghost.
    """
    _, _, ends, kinds, length = layout
    for layer in range(ends.shape[0]):
        _draw_layer(
            spins, layout, layer, ends[layer], kinds[layer], chances, exchange, state, bonds
        )
    ghost = chances.shape[0] - 1
    for_ghost, along = chances[ghost, 0], chances[ghost, 1] & exchange
    if for_ghost != np.uint64(0):
        a, b, c, d = state[0], state[1], state[2], state[3]
        n_rows, n_words = np.uint64(ghosts.shape[0]), np.uint64(ghosts.shape[1])
        n_planes = np.uint64(spins.shape[0]) // n_rows
        for row in range(n_rows):
            for word in range(n_words):
                asked = in_state(along, spins, row, word, n_rows, n_planes)
                asked &= sites_of(word, n_words, length)
                ghosts[row, word], a, b, c, d = happen(for_ghost, asked, a, b, c, d)
        state[0], state[1], state[2], state[3] = a, b, c, d


@njit(nogil=True, cache=True)
def number_runs(bonds, length, starts, before, parents):
    """Find the runs, and make each of them a tree of its own.

    Parameters
    ----------
    bonds, length
        As in `draw_bonds`, and the number of sites of a row.
    starts : uint64 array, shape (n_rows, n_words)
        Receives the sites at which runs begin.
    before : uint64 array, shape (n_rows, n_words)
        Receives the label of the run before the first one that begins in a word.
    parents : int32 array, shape (n_sites + 1,)

    Returns
    -------
    uint64
        Number of labels, the ghost's included.
    """
    one = np.uint64(1)
    n_rows, n_words = np.uint64(starts.shape[0]), np.uint64(starts.shape[1])
    labels = one
    for row in range(n_rows):
        carry = np.uint64(0)
        for word in range(n_words):
            along = bonds[row, np.uint64(0), word]
            begin = ~((along << one) | carry) & sites_of(word, n_words, length)
            carry = along >> TOP
            starts[row, word] = begin
            before[row, word] = labels - one
            labels += count_ones(begin)
    for label in range(labels):
        parents[label] = label
    return labels


@njit(inline="always")
def _join(parents, x, y):
    """Join the trees of two labels."""
    above_x, above_y = np.uint64(parents[x]), np.uint64(parents[y])
    while above_x != above_y:
        if above_x < above_y:
            x, y = y, x
            above_x, above_y = above_y, above_x
        parents[x] = above_y
        if x == above_x:
            break
        x = above_x
        above_x = np.uint64(parents[x])


@njit(nogil=True, cache=True)
def join_runs(bonds, ghosts, in_field, layout, starts, before, parents):
    """Join runs that bonds connect; parameters as in `number_runs` and `draw_bonds`."""
    zero, one, bits = np.uint64(0), np.uint64(1), np.uint64(64)
    rows, shifts, _, _, length = layout
    n_rows, n_words = np.uint64(starts.shape[0]), np.uint64(starts.shape[1])
    last, in_last = n_words - one, (length - one) & TOP
    for row in range(n_rows):
        if (bonds[row, zero, last] >> in_last) & one:  # the bond that closes the ring
            run = before[row, last] + count_ones(starts[row, last])
            _join(parents, before[row, zero] + one, run)
        for k in range(one, np.uint64(shifts.size)):
            if rows[row, k] < 0:
                continue
            other, shift = np.uint64(rows[row, k]), shifts[k]
            carry = zero
            for word in range(n_words):
                own, theirs = starts[row, word], shifted(starts, other, word, shift, length)
                bond = bonds[row, k, word]
                # of neighbouring bonds between the same two runs the first is enough
                needed = bond & (~((bond << one) | carry) | own | theirs)
                carry = bond >> TOP
                while needed != zero:
                    upto = needed ^ (needed - one)
                    x = before[row, word] + count_ones(own & upto)
                    if shift == 0:
                        y = before[other, word] + count_ones(theirs & upto)
                    else:
                        place = word * bits + lowest_one(needed) + np.uint64(shift)
                        if place == length:
                            place = zero
                        elif place > length:  # one before the first
                            place = length - one
                        upto = ~zero >> (~place & TOP)
                        end = place // bits
                        y = before[other, end] + count_ones(starts[other, end] & upto)
                    needed &= needed - one
                    _join(parents, x, y)
        if in_field:
            carry = zero
            for word in range(n_words):
                own, ghost = starts[row, word], ghosts[row, word]
                needed = ghost & (~((ghost << one) | carry) | own)
                carry = ghost >> TOP
                while needed != zero:
                    upto = needed ^ (needed - one)
                    needed &= needed - one
                    _join(parents, before[row, word] + count_ones(own & upto), zero)


@njit(inline="always")
def _change(spins, row, word, changes, exchange, states, n_rows, n_planes):
    """Change the marked sites of a word to the other states of their pairs."""
    if states > np.uint64(2):
        # those whose partner is below the number of states, by the highest digit that differs
        smaller, equal = np.uint64(0), ~np.uint64(0)
        for k in range(n_planes):
            plane = n_planes - np.uint64(1) - k
            digits = spins[plane * n_rows + row, word] ^ plane_of(exchange, plane)
            last = plane_of(states - np.uint64(1), plane)
            smaller |= equal & last & ~digits
            equal &= ~(digits ^ last)
        changes &= smaller | equal
    for plane in range(n_planes):
        spins[plane * n_rows + row, word] ^= changes & plane_of(exchange, plane)


@njit(nogil=True, cache=True)
def flip(spins, length, starts, parents, flips, exchange, states, state):
    """Change each cluster, but that of the ghost, to its other states with probability 1/2.

    Every label has a random bit, 64 of them in a word; that of the root counts.

    Parameters
    ----------
    spins, length, starts, parents, exchange, state
        As in `draw_bonds` and `number_runs`.
    states : uint64
        Number of states q.
    flips : uint8 array, shape (n_sites + 1,)
        Receives whether each label flips.
    """
    zero, one = np.uint64(0), np.uint64(1)
    n_rows, n_words = np.uint64(starts.shape[0]), np.uint64(starts.shape[1])
    n_planes = np.uint64(spins.shape[0]) // n_rows
    flips[zero] = 0
    label, random = one, next_word(state) >> one
    for row in range(n_rows):
        flipped = zero  # whether the run before flips
        for word in range(n_words):
            begin, changes = starts[row, word], flipped
            while begin != zero:
                if label & TOP == zero:
                    random = next_word(state)
                flips[label] = random & one
                random >>= one
                # parents have lower numbers, so that theirs is final
                flipped_now = np.uint64(flips[np.uint64(parents[label])])
                flips[label] = flipped_now
                label += one
                lowest = begin & (zero - begin)
                begin ^= lowest
                changes ^= lowest * (flipped_now ^ flipped)
                flipped = flipped_now
            changes = prefix_parity(changes) & sites_of(word, n_words, length)
            _change(spins, row, word, changes, exchange, states, n_rows, n_planes)


@njit(nogil=True, cache=True)
def redraw(spins, length, starts, labels, parents, new, states, state):
    """Put each cluster into a state at random, but that of the ghost into the state 0.

    Every label has a random state; that of the root counts.

    Parameters
    ----------
    spins, length, starts, labels, parents, states, state
        As in `draw_bonds`, `number_runs` and `flip`.
    new : uint8 array, shape (n_sites + 1,)
        Receives the state of each label.
    """
    zero, one = np.uint64(0), np.uint64(1)
    n_rows, n_words = np.uint64(starts.shape[0]), np.uint64(starts.shape[1])
    n_planes = np.uint64(spins.shape[0]) // n_rows
    new[zero] = 0
    for label in range(one, labels):
        new[label] = below(next_word(state), states)
        new[label] = new[np.uint64(parents[label])]
    changes = np.empty(n_planes, dtype=np.uint64)
    label = one
    for row in range(n_rows):
        own = zero  # state of the run before
        for word in range(n_words):
            for plane in range(n_planes):
                changes[plane] = (own >> plane) & one
            begin = starts[row, word]
            while begin != zero:
                differ = own ^ np.uint64(new[label])
                own ^= differ
                label += one
                lowest = begin & (zero - begin)
                begin ^= lowest
                for plane in range(n_planes):
                    changes[plane] ^= lowest & plane_of(differ, plane)
            for plane in range(n_planes):
                digits = prefix_parity(changes[plane]) & sites_of(word, n_words, length)
                spins[plane * n_rows + row, word] = digits


@njit(nogil=True, cache=True)
def cluster_sums(starts, length, labels, parents, sizes):
    """Number of clusters, sites of the largest, and sum of their squared sizes.

    Parameters
    ----------
    starts, length, labels, parents
        As in `number_runs`; the parents become roots.
    sizes : int32 array, shape (n_sites + 1,)
        Receives the number of sites by root, and 0 for other labels.
    """
    zero, one, bits = np.uint64(0), np.uint64(1), np.uint64(64)
    n_rows, n_words = np.uint64(starts.shape[0]), np.uint64(starts.shape[1])
    for label in range(labels):
        sizes[label] = 0
    label = one
    for row in range(n_rows):
        root, start = zero, zero
        for word in range(n_words):
            begin = starts[row, word]
            while begin != zero:
                place = word * bits + lowest_one(begin)
                begin &= begin - one
                sizes[root] += np.int32(place - start)
                start = place
                root = np.uint64(parents[np.uint64(parents[label])])
                parents[label] = root
                label += one
        sizes[root] += np.int32(length - start)
    clusters, largest, squares = 0, np.int64(0), np.int64(0)
    for label in range(labels):
        size = np.int64(sizes[label])
        clusters += size > 0
        largest = max(largest, size)
        squares += size * size
    return clusters, largest, squares


@njit(nogil=True, cache=True)
def sweep(spins, states, layout, chances, state, work, sweeps):
    """Make `sweeps` sweeps of one chain; return the number of labels of the last one.

    Parameters
    ----------
    spins, layout, chances, state
        As in `draw_bonds`.
    states : uint64
        Number of states q.
    work : tuple
        Room for `bonds`, `ghosts`, `starts`, `before`, `parents` and `flips`.
    """
    bonds, ghosts, starts, before, parents, flips = work
    length = layout[4]
    in_field = chances[chances.shape[0] - 1, 0] != np.uint64(0)
    in_pairs = states == np.uint64(2) or chances[:, 1].any()
    largest = (1 << spins.shape[0] // starts.shape[0]) - 1  # all binary digits 1
    exchange, labels = np.uint64(in_pairs), np.uint64(0)
    for _ in range(sweeps):
        if in_pairs and states > np.uint64(2):
            exchange = np.uint64(1 + below(next_word(state), largest))
        draw_bonds(spins, layout, chances, exchange, state, bonds, ghosts)
        labels = number_runs(bonds, length, starts, before, parents)
        join_runs(bonds, ghosts, in_field, layout, starts, before, parents)
        if in_pairs:
            flip(spins, length, starts, parents, flips, exchange, states, state)
        else:
            redraw(spins, length, starts, labels, parents, flips, states, state)
    return labels


@njit(nogil=True, cache=True)
def record(
    spins, states, layout, chances, state, work, sizes, second, interval, sums, clusters, edges,
    histogram,
):  # fmt: skip
    """Sweep one chain and measure it after every `interval` sweeps.

    Parameters
    ----------
    spins, states, layout, chances, state, work
        As in `sweep`.
    sizes : int32 array, shape (n_sites + 1,)
    second
        As in `measure`; None for what `measure_states` finds.
    sums : int64 array, shape (n_draws, n_kinds + 2) or (n_draws, n_kinds + q)
        Receives what is measured.
    clusters : int64 array, shape (n_draws, 3)
        Receives what `cluster_sums` returns of the last sweep.
    edges : int64 array, shape (n_bins + 1,)
        Of bins of cluster sizes; no bins for no histogram.
    histogram : float64 array, shape (n_draws, n_bins)
        Receives the numbers of clusters by size, in the last sweep.
    """
    _, _, starts, _, parents, _ = work
    for draw in range(sums.shape[0]):
        labels = sweep(spins, states, layout, chances, state, work, interval)
        if second is None:
            measure_states(spins, layout, sums[draw])
        else:
            measure(spins, second, layout, sums[draw])
        clusters[draw, 0], clusters[draw, 1], clusters[draw, 2] = cluster_sums(
            starts, layout[4], labels, parents, sizes
        )
        if edges.size > 1:
            for label in range(labels):
                if sizes[label] > 0:
                    place = np.searchsorted(edges, sizes[label], side="right") - 1
                    histogram[draw, place] += 1.0
