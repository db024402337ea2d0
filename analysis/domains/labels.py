"""Which sites belong together: domains of equal spins, and Fortuin-Kasteleyn clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from analysis._configurations import Configurations
from analysis.domains._search import (
    ClusterSearch,
    DomainSearch,
    Int8Array,
    Scratch,
    Search,
    label,
)
from isingrl.runs import seed_sequence

__all__ = ["label_clusters", "label_domains"]


def label_domains(
    spins: xr.DataArray | xr.Dataset,
    neighborhood: str | None = None,
    boundary: str | None = None,
) -> xr.DataArray:
    """Label the domains, connected sites of equal spin, of every configuration.

    Parameters
    ----------
    spins : DataArray or Dataset
        ±1 with dims (..., x[, y[, z]]), or a Dataset with such a variable ``spins``, as
        `isingrl.simulate` returns it with snapshots.
    neighborhood : {"von_neumann", "moore"}, optional
        Which sites are connected: nearest neighbours, or diagonal ones too. That of the data's
        lattice if omitted, or nearest neighbours if they do not say; another one is a choice.
    boundary : {"periodic", "free"}, optional
        Whether opposite faces are joined; the data's own if omitted, or periodic if they do not
        say. Parts of a lattice, ``data.spins.isel(x=slice(9))``, have a free one.

    Returns
    -------
    DataArray
        int32 of the same dims: 0, 1, … in the order of the domains' first sites (last axis
        fastest), for each configuration by itself.

    Raises
    ------
    TypeError, ValueError
        If `spins` is no DataArray with these dims, holds other values than ±1 or nothing, a name
        is unknown, or the boundary another one than the data's.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import label_domains
    >>> up, down = [1, 1, -1, -1], [-1, -1, -1, -1]
    >>> spins = xr.DataArray([up, up, down, down], dims=("x", "y"))
    >>> label_domains(spins).values.tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    """
    configurations = Configurations(spins, neighborhood, boundary)
    return _labels_of(configurations, DomainSearch(configurations.lattice), "domain")


def label_clusters(
    spins: xr.DataArray | xr.Dataset,
    temperature: Any = None,
    neighborhood: str | None = None,
    boundary: str | None = None,
    *,
    coupling: float | None = None,
    seed: int | None = None,
) -> xr.DataArray:
    r"""Label the Fortuin–Kasteleyn clusters of every configuration.

    Neighbours of equal spin are joined by a bond with probability
    :math:`1 - \exp(-2J/k_\mathrm{B}T)` [1]_. For spins of the Ising model at that temperature, two
    sites are in one cluster as often as their spins are correlated.

    Parameters
    ----------
    spins
        As for `label_domains`.
    temperature : float, optional
        In J/k_B; the coordinate ``temperature`` of `spins` if omitted.
    neighborhood, boundary
        As for `label_domains`, but those of the data's lattice alone.
    coupling : float, optional
        Coupling J > 0; that of the data if omitted, or 1 if they do not say.
    seed : int, optional
        Of the bonds.

    Returns
    -------
    DataArray
        As `label_domains` returns it.

    Raises
    ------
    TypeError, ValueError
        As `label_domains`; if there is no temperature, `coupling` is not positive, or it or the
        neighbourhood is another one than the data's; or if there is a field, in which clusters do
        not tell the magnetization.

    References
    ----------
    .. [1] C. M. Fortuin, P. W. Kasteleyn, "On the random-cluster model", Physica 57, 536 (1972).

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import label_clusters, label_domains
    >>> up, down = [1, 1, -1, -1], [-1, -1, -1, -1]
    >>> spins = xr.DataArray([up, up, down, down], dims=("x", "y"))
    >>> frozen = label_clusters(spins, temperature=0.0)
    >>> frozen.equals(label_domains(spins))
    True
    """
    configurations = Configurations(spins, neighborhood, boundary)
    search = cluster_search(configurations, temperature, coupling, seed)
    return _labels_of(configurations, search, "cluster")


def cluster_search(
    configurations: Configurations, temperature: Any, coupling: Any, seed: Any
) -> ClusterSearch:
    """Search for clusters with the bonds of a temperature."""
    probability = configurations.bond_probability(temperature, coupling)
    return ClusterSearch(configurations.lattice, probability, seed_sequence(seed))


def _labels_of(configurations: Configurations, search: Search, name: str) -> xr.DataArray:
    labels = np.empty(configurations.spins.shape, dtype=np.int32)

    def work(number: int, spins: Int8Array, scratch: Scratch) -> None:
        label(search, scratch, spins, number, labels[number])

    configurations.each(work, lambda: Scratch(search.rows))
    return configurations.with_sites(labels, name)
