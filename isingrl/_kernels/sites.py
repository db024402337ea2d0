"""The byte-site engine: one int8 a spin, any lattice, any schedule, any table."""

from numba import njit

from isingrl._kernels.random import next_below, next_uniform

CHECKERBOARD, SEQUENTIAL, SYNCHRONOUS = 0, 1, 2


@njit(inline="always")
def local_sum(spins, neighbors, site):
    """Sum of the neighbour spins of a site; missing neighbours point to a spin of 0."""
    total = 0
    for slot in range(neighbors.shape[1]):
        total += spins[neighbors[site, slot]]
    return total


@njit(inline="always")
def _draw(source, neighbors, table, step, state, site):
    z = neighbors.shape[1]
    index = (local_sum(source, neighbors, site) + z) // step
    own = 1 if source[site] > 0 else 0
    return 1 if next_uniform(state) < table[own, index] else -1


@njit(nogil=True, cache=True)
def sweep(spins, neighbors, order, table, step, schedule, state, sweeps):
    """Make `sweeps` sweeps of one chain.

    Parameters
    ----------
    spins : int8 array, shape (n_sites + 1,)
        The last entry is 0 and stands for missing neighbours.
    neighbors : int32 array, shape (n_sites, z)
    order : int array, shape (n_sites,)
        Sites, one sublattice after the other.
    table : float64 array, shape (2, n_states)
        P(up | own spin, local sum), index ``(sum + z) // step``.
    step : int
        2 if the local sums step by two (periodic), 1 if by one (free).
    schedule : int
        CHECKERBOARD, SEQUENTIAL or SYNCHRONOUS.
    state : uint64 array, shape (4,)
    """
    n_sites = order.size
    for _ in range(sweeps):
        if schedule == SEQUENTIAL:
            for _ in range(n_sites):
                site = next_below(state, n_sites)
                spins[site] = _draw(spins, neighbors, table, step, state, site)
        elif schedule == CHECKERBOARD:
            for site in order:
                spins[site] = _draw(spins, neighbors, table, step, state, site)
        else:
            before = spins.copy()
            for site in order:
                spins[site] = _draw(before, neighbors, table, step, state, site)


@njit(nogil=True, cache=True)
def measure(spins, neighbors):
    """Sums of s_i s_j over bonds and of s_i over sites."""
    bonds, total = 0, 0
    for site in range(neighbors.shape[0]):
        bonds += spins[site] * local_sum(spins, neighbors, site)
        total += spins[site]
    return bonds // 2, total


@njit(nogil=True, cache=True)
def record(spins, neighbors, order, table, step, schedule, state, interval, bonds, totals):
    """Sweep one chain and measure it after every `interval` sweeps, `bonds.size` times."""
    for draw in range(bonds.size):
        sweep(spins, neighbors, order, table, step, schedule, state, interval)
        bonds[draw], totals[draw] = measure(spins, neighbors)
