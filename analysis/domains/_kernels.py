"""Domains of equal spins: union-find over runs, stretches of equal spins along the last axis.

Functions that join rows assume spins ±1; bonds join any spins.
A configuration is a number of rows along the last axis. Runs are numbered in the order of their
first sites, and every row ends with one run more, of no sites, that marks where the last one stops.
A run's parent is never behind it, so that the root of a domain is its first run.
"""

import numpy as np
from numba import njit

_FILL = 16  # sites written at once: runs are short
AXIS_BITS = 21  # of a winding number, for each axis in one integer


@njit(nogil=True, cache=True)
def find_runs(spins, begins, row_start, parent):
    """Split rows into runs.

    Parameters
    ----------
    spins : int8 array, shape (n_rows, side)
    begins : int32 array, shape (n_rows * (side + 1) + 1,)
        Receives the first site of each run.
    row_start : int64 array, shape (n_rows + 1,)
        Receives the first run of each row, and the number of runs.
    parent : int32 array, as `begins`
        Receives every run as its own parent.
    """
    n_rows, side = spins.shape
    n = 0
    for row in range(n_rows):
        row_start[row] = n
        begins[n] = 0
        n += 1
        for site in range(1, side):
            begins[n] = site
            n += np.int64(spins[row, site] != spins[row, site - 1])
        begins[n] = side
        n += 1
    row_start[n_rows] = n
    for run in range(n):
        parent[run] = run


@njit(inline="always")
def _unite(parent, x, y):
    """Unite two sets by Rem's algorithm, which splices the two paths while it climbs them."""
    if parent[y] == y and parent[x] < y:  # most often y is met for the first time
        parent[y] = parent[x]
    else:
        while parent[x] != parent[y]:
            if parent[x] > parent[y]:
                up = parent[x]
                parent[x] = parent[y]
                if up == x:
                    break
                x = up
            else:
                up = parent[y]
                parent[y] = parent[x]
                if up == y:
                    break
                y = up


@njit(nogil=True, cache=True)
def join_rows(spins, begins, row_start, pairs, diagonal, parent):
    """Unite touching runs of equal spin in pairs of rows.

    Parameters
    ----------
    pairs : int64 array, shape (n_pairs, 2)
        Rows whose sites with the same place are neighbours.
    diagonal : bool
        Whether sites one place apart are neighbours too.
    """
    if diagonal:
        _join_rows(spins, begins, row_start, pairs, True, parent)
    else:
        _join_rows(spins, begins, row_start, pairs, False, parent)


@njit(inline="always")
def _join_rows(spins, begins, row_start, pairs, diagonal, parent):
    """Compiled once for each constant `diagonal`: the test would cost a third of the loop."""
    side = spins.shape[1]
    for pair in range(pairs.shape[0]):
        a, b = pairs[pair, 0], pairs[pair, 1]
        i, j = row_start[a], row_start[b]
        same = spins[a, 0] == spins[b, 0]  # spins alternate from run to run
        i_stop, j_stop = begins[i + 1], begins[j + 1]
        while True:
            if same:
                _unite(parent, i, j)
            elif diagonal and i_stop == j_stop and i_stop < side:
                _unite(parent, i, j + 1)
                _unite(parent, i + 1, j)
            if i_stop == side and j_stop == side:
                break
            step_i, step_j = i_stop <= j_stop, j_stop <= i_stop
            i += step_i
            j += step_j
            same ^= step_i ^ step_j
            i_stop, j_stop = begins[i + 1], begins[j + 1]


@njit(nogil=True, cache=True)
def join_ends(spins, row_start, ends, parent):
    """Unite the last run of one row with the first of another, where they are equal.

    Parameters
    ----------
    ends : int64 array, shape (n_pairs, 2)
    """
    last = spins.shape[1] - 1
    for pair in range(ends.shape[0]):
        a, b = ends[pair, 0], ends[pair, 1]
        if spins[a, last] == spins[b, 0]:
            _unite(parent, row_start[a + 1] - 2, row_start[b])


@njit(nogil=True, cache=True)
def write_labels(begins, row_start, parent, labels):
    """Number domains in the order of their first sites, and their sites.

    Parameters
    ----------
    parent : int32 array
        Receives the domain of each run.
    labels : int32 array, shape (n_rows, side)
        Receives the domain of each site.
    """
    n_rows, side = labels.shape
    row_labels = np.empty(side + _FILL, dtype=np.int32)
    count = 0
    for row in range(n_rows):
        first, last = row_start[row], row_start[row + 1] - 1
        for run in range(first, last):
            new = parent[run] == run  # else it belongs to a run before it, numbered already
            parent[run] = count if new else parent[parent[run]]
            count += new
        for run in range(first, last):
            domain = parent[run]
            site, stop = begins[run], begins[run + 1]
            while True:
                for k in range(_FILL):
                    row_labels[site + k] = domain
                site += _FILL
                if site >= stop:
                    break
        for site in range(side):
            labels[row, site] = row_labels[site]


@njit(nogil=True, cache=True)
def measure_domains(begins, row_start, parent, spins, size, sign):
    """Flatten the trees of the domains that are known so far, and add up their sites.

    Parameters
    ----------
    size : int64 array, as `begins`
        Receives, at each root, its number of sites.
    sign : array of the type of the spins, as `begins`
        Receives, at each root, its spin.
    """
    for row in range(spins.shape[0]):
        for run in range(row_start[row], row_start[row + 1] - 1):
            root = parent[parent[run]]
            parent[run] = root
            if root == run:
                size[run] = 0
                sign[run] = spins[row, begins[run]]
            size[root] += begins[run + 1] - begins[run]


@njit(inline="always")
def _climb(link, winding, root):
    """Root beyond `root` over links, and the windings on the way; shortens the way."""
    total = np.int64(0)
    top = root
    while link[top] != top:
        total += winding[top]
        top = link[top]
    left = total
    while link[root] != top and link[root] != root:
        step = winding[root]
        up = link[root]
        link[root], winding[root] = top, left
        left -= step
        root = up
    return top, total


@njit(nogil=True, cache=True)
def _cross(parent, link, winding, wraps, x, y, crossed):
    """Unite the domains of two runs that touch across boundaries, `crossed` from x to y."""
    top_x, from_x = _climb(link, winding, np.int64(parent[x]))
    top_y, from_y = _climb(link, winding, np.int64(parent[y]))
    around = from_x + crossed - from_y
    if top_x == top_y:
        if around != 0:
            wraps[top_x] |= _axes_of(around)
    elif top_x < top_y:
        link[top_y], winding[top_y] = top_x, around
        wraps[top_x] |= wraps[top_y]
    else:
        link[top_x], winding[top_x] = top_y, -around
        wraps[top_y] |= wraps[top_x]


@njit(inline="always")
def _axes_of(windings):
    """Bits of the axes with a winding number other than 0."""
    axes, bit = np.uint8(0), np.uint8(1)
    half = np.int64(1) << (AXIS_BITS - 1)
    while windings != 0:
        low = ((windings + half) & (2 * half - 1)) - half
        if low != 0:
            axes |= bit
        windings = (windings - low) >> AXIS_BITS
        bit <<= 1
    return axes


@njit(nogil=True, cache=True)
def cross_rows(spins, begins, row_start, pairs, windings, diagonal, parent, link, winding, wraps):
    """Unite touching runs in pairs of rows across boundaries; see `join_rows`.

    Parameters
    ----------
    windings : int64 array, shape (n_pairs,)
        Boundaries crossed from the first row of each pair to the second.
    parent : int32 array
        Root of each run.
    link, winding, wraps : int64, int64 and uint8 arrays, as `begins`
        Of roots: another one or itself, boundaries crossed from there, and the axes that its
        domain wraps, a bit each.
    """
    side = spins.shape[1]
    for pair in range(pairs.shape[0]):
        a, b = pairs[pair, 0], pairs[pair, 1]
        crossed = windings[pair]
        i, j = row_start[a], row_start[b]
        same = spins[a, 0] == spins[b, 0]
        i_stop, j_stop = begins[i + 1], begins[j + 1]
        while True:
            if same:
                _cross(parent, link, winding, wraps, i, j, crossed)
            elif diagonal and i_stop == j_stop and i_stop < side:
                _cross(parent, link, winding, wraps, i, j + 1, crossed)
                _cross(parent, link, winding, wraps, i + 1, j, crossed)
            if i_stop == side and j_stop == side:
                break
            step_i, step_j = i_stop <= j_stop, j_stop <= i_stop
            i += step_i
            j += step_j
            same ^= step_i ^ step_j
            i_stop, j_stop = begins[i + 1], begins[j + 1]


@njit(nogil=True, cache=True)
def cross_ends(spins, row_start, ends, windings, parent, link, winding, wraps):
    """Unite the last run of one row with the first of another; see `join_ends`."""
    last = spins.shape[1] - 1
    for pair in range(ends.shape[0]):
        a, b = ends[pair, 0], ends[pair, 1]
        if spins[a, last] == spins[b, 0]:
            x, y = row_start[a + 1] - 2, row_start[b]
            _cross(parent, link, winding, wraps, x, y, windings[pair])


@njit(nogil=True, cache=True)
def begin_links(row_start, link, winding, wraps):
    """Let every root stand alone."""
    for run in range(row_start[-1]):
        link[run] = run
        winding[run] = 0
        wraps[run] = 0


@njit(nogil=True, cache=True)
def list_domains(row_start, parent, link, winding, size, sign, wraps):
    """Move size, sign and wraps of the domains to the front, in the order of their first sites.

    Returns
    -------
    int
        The number of domains.
    """
    n_rows = row_start.size - 1
    for row in range(n_rows):
        for run in range(row_start[row], row_start[row + 1] - 1):
            if parent[run] == run and link[run] != run:
                top, _ = _climb(link, winding, run)
                size[top] += size[run]
    count = 0
    for row in range(n_rows):
        for run in range(row_start[row], row_start[row + 1] - 1):
            if parent[run] == run and link[run] == run:
                size[count], sign[count], wraps[count] = size[run], sign[run], wraps[run]
                count += 1
    return count


@njit(nogil=True, cache=True)
def find_sites(n_rows, side, begins, row_start, parent):
    """Make every site a run of its own; see `find_runs`."""
    for row in range(n_rows + 1):
        row_start[row] = row * (side + 1)
    for run in range(n_rows * (side + 1)):
        begins[run] = run % (side + 1)
        parent[run] = run


@njit(nogil=True, cache=True)
def join_bonds(bonds, inside, parent):
    """Unite the runs at both ends of each bond.

    Parameters
    ----------
    bonds : int64 array, shape (n_bonds, 2)
    inside : bool array, shape (n_bonds,)
        Which bonds count.
    """
    for bond in range(bonds.shape[0]):
        if inside[bond]:
            _unite(parent, bonds[bond, 0], bonds[bond, 1])


@njit(nogil=True, cache=True)
def cross_bonds(bonds, across, windings, parent, link, winding, wraps):
    """Unite the runs at both ends of each bond across boundaries; see `cross_rows`."""
    for bond in range(bonds.shape[0]):
        if across[bond]:
            x, y = bonds[bond, 0], bonds[bond, 1]
            _cross(parent, link, winding, wraps, x, y, windings[bond])


@njit(nogil=True, cache=True)
def unlike_pairs(spins, pairs, across, ends, diagonal):
    """Number of neighbouring sites with unlike spins.

    Parameters
    ----------
    pairs, across : int64 arrays, shape (n_pairs, 2)
        Pairs of rows within the lattice and across its boundaries.
    ends : int64 array, shape (n_ends, 2)
    diagonal : bool
    """
    n_rows, side = spins.shape
    count = 0
    for row in range(n_rows):
        for site in range(1, side):
            count += spins[row, site] != spins[row, site - 1]
    for group in (pairs, across):
        for pair in range(group.shape[0]):
            a, b = group[pair, 0], group[pair, 1]
            for site in range(side):
                count += spins[a, site] != spins[b, site]
            if diagonal:
                for site in range(1, side):
                    count += spins[a, site] != spins[b, site - 1]
                    count += spins[a, site - 1] != spins[b, site]
    for end in range(ends.shape[0]):
        count += spins[ends[end, 0], side - 1] != spins[ends[end, 1], 0]
    return count


@njit(nogil=True, cache=True)
def summarize(
    n_domains, size, phase, wraps, edges, numbers, sums, squares, largest, wrapping, bins
):
    """Statistics of the domains of one configuration: those of each phase, and last all of them.

    Parameters
    ----------
    n_domains : int
    size, phase, wraps : arrays
        Of each domain, see `list_domains`.
    edges : int64 array, shape (n_bins + 1,)
    numbers, sums, squares, largest : arrays, shape (n_phases + 1,)
        Receive the number of domains, sums of sizes and of their squares, the largest size.
    wrapping : bool array, shape (n_phases + 1, ndim)
        Receives whether a domain wraps each axis.
    bins : int64 array, shape (n_phases + 1, n_bins)
        Receives the numbers of domains by size.
    """
    numbers[:], sums[:], squares[:], largest[:], bins[:] = 0, 0, 0.0, 0, 0
    wrapping[:] = False
    for domain in range(n_domains):
        s = size[domain]
        place = np.searchsorted(edges, s, side="right") - 1
        for part in (np.int64(phase[domain]), numbers.size - 1):
            numbers[part] += 1
            sums[part] += s
            squares[part] += np.float64(s) * s
            largest[part] = max(largest[part], s)
            bins[part, place] += 1
            for axis in range(wrapping.shape[1]):
                if wraps[domain] >> axis & 1:
                    wrapping[part, axis] = True
