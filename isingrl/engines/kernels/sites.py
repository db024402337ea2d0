"""The byte-site engine: one int8 a spin, any lattice, any schedule, any table."""

from numba import njit

from isingrl.engines.kernels.random import below, jsf_step, uniform

IN_ORDER, RANDOM_SITE, SYNCHRONOUS = 0, 1, 2


@njit(nogil=True, cache=True)
def sweep(spins, sites, counted, order, table, step, schedule, state, sweeps):
    """Make `sweeps` sweeps of one chain.

    Parameters
    ----------
    spins : int8 array, shape (n_sites + 1,)
        The last entry is 0 and stands for missing neighbours.
    sites : int32 array, shape (n_sites, k)
        Whose spins a site sees: its neighbours if `counted`.
    counted : bool
        Whether tables go by the number of up neighbours; else by the joint configuration.
    order : int array, shape (n_sites,)
        Sites in the order of their updates, unless they are drawn at random.
    table : float64 array, shape (n_tables, 2, n_states)
        P(up | own spin, state) for all sites or for each, state ``(sum + z) // step`` if
        `counted`.
    step : int
        2 if the local sums step by two (periodic), 1 if by one (free).
    schedule : int
        IN_ORDER, RANDOM_SITE or SYNCHRONOUS.
    state : uint64 array, shape (4,)
    """
    n_sites, k = sites.shape
    several = table.shape[0] > 1
    a, b, c, d = state[0], state[1], state[2], state[3]
    for _ in range(sweeps):
        source = spins
        if schedule == SYNCHRONOUS:
            source = spins.copy()
        # No calls with arrays in this loop: Numba counts references to them, at 5 ns each.
        for visit in range(n_sites):
            if schedule == RANDOM_SITE:
                a, b, c, d = jsf_step(a, b, c, d)
                site = below(d, n_sites)
            else:
                site = order[visit]
            seen = 0
            if counted:
                for slot in range(k):
                    seen += source[sites[site, slot]]
                seen = (seen + k) // step
            else:
                for slot in range(k):
                    seen |= (source[sites[site, slot]] > 0) << slot
            own = 1 if source[site] > 0 else 0
            a, b, c, d = jsf_step(a, b, c, d)
            up = uniform(d) < table[site if several else 0, own, seen]
            spins[site] = 1 if up else -1
    state[0], state[1], state[2], state[3] = a, b, c, d


@njit(nogil=True, cache=True)
def measure(spins, neighbors, signs):
    """Sums of s_i s_j over bonds, of s_i over sites, and of s_i with the signs of sublattices.

    The second half of a site's neighbours are those ahead of it, so that every bond is met once.
    """
    bonds, total, staggered = 0, 0, 0
    n_sites, z = neighbors.shape
    for site in range(n_sites):
        ahead = 0
        for slot in range(z // 2, z):
            ahead += spins[neighbors[site, slot]]
        bonds += spins[site] * ahead
        total += spins[site]
        staggered += signs[site] * spins[site]
    return bonds, total, staggered


@njit(nogil=True, cache=True)
def record(
    spins, sites, counted, order, table, step, schedule, state, neighbors, signs, interval, sums
):  # fmt: skip
    """Sweep one chain and measure it after every `interval` sweeps.

    Parameters
    ----------
    signs : int8 array, shape (n_sites,)
        1 and -1 on two sublattices; 0 where there are others.
    sums : int64 array, shape (3, n_draws)
        Receives what `measure` returns.
    """
    for draw in range(sums.shape[1]):
        sweep(spins, sites, counted, order, table, step, schedule, state, interval)
        sums[0, draw], sums[1, draw], sums[2, draw] = measure(spins, neighbors, signs)
