"""Tables whose sure flips would trap a chain that moves sublattice by sublattice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isingrl.lattice import Lattice

_FEW_SITES = 32


def with_rests(
    tables: npt.NDArray[np.float64], lattice: Lattice, schedule: str
) -> npt.NDArray[np.float64]:
    """Propose with probability one half where sure flips make a checkerboard chain reducible.

    Metropolis at zero field always flips a spin with as many up as down neighbours. On a ring
    the domain walls then move ballistically, and the number of right-movers less that of
    left-movers never changes; configurations in which no spin feels its neighbours (diagonal
    stripes, say) only turn into each other. The weight of such traps vanishes exponentially
    with the size except in one dimension, so they matter on rings and on lattices of a few
    sites. At infinite temperature every flip is sure, on every lattice. The mean of the table
    and of staying put has the same stationary distribution and no traps.

    Parameters
    ----------
    tables : ndarray, shape (n_chains, ..., 2, n_states)
        P(up | own spin, number of up neighbours).
    lattice : Lattice
    schedule : str
    """
    if schedule != "checkerboard":
        return tables
    sure = (tables[..., 0, :] == 1) & (tables[..., 1, :] == 0)
    each = tuple(range(1, sure.ndim))
    small = lattice.ndim == 1 or lattice.n_sites <= _FEW_SITES
    trapped = sure.any(axis=each) if small else sure.all(axis=each)
    stay = np.array([0.0, 1.0])[:, None]
    return np.where(np.expand_dims(trapped, (*each, -1)), (tables + stay) / 2, tables)
