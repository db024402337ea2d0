"""Labels of sites by domains of equal spins or by Fortuin-Kasteleyn clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from analysis._configurations import Configurations, SpinArray
from analysis.domains import _kernels as kernels
from analysis.domains._search import ClusterSearch, Scratch, Search, domain_search
from isingrl.runs import seed_sequence

__all__ = ["label_clusters", "label_domains"]


def label_domains(
    spins: xr.DataArray | xr.Dataset, neighborhood: str | None = None, boundary: str | None = None
) -> xr.DataArray:
    """Label the domains, connected sites of equal spin, of every configuration.

    Parameters
    ----------
    spins : DataArray or Dataset
        ±1 with dims (..., x[, y[, z]]), or a Dataset with such a variable ``spins``, from
        `isingrl.simulate` with snapshots. States 0 … q - 1 of a Potts model have the coordinate
        ``states`` q, as `simulate` makes it.
    neighborhood : {"von_neumann", "moore"}, optional
        Connected sites: nearest neighbours, or diagonal ones too. If omitted, those of the data's
        lattice, or nearest neighbours; it may differ from the data.
    boundary : {"periodic", "free"}, optional
        Whether opposite faces are joined. If omitted, the boundary of the data, or a periodic one.
        A part of a lattice, ``data.spins.isel(x=slice(9))``, has a free boundary.

    Returns
    -------
    DataArray
        int32 over the same dims: 0, 1, … in each configuration, by the first sites of the domains
        (last axis fastest).

    Raises
    ------
    TypeError, ValueError
        If `spins` is no DataArray with these dims, is empty, or holds other values; if a name is
        unknown; or if the boundary differs from the data's.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import label_domains
    >>> spins = xr.DataArray([[1, 1, -1, -1]] * 2 + [[-1] * 4] * 2, dims=("x", "y"))
    >>> label_domains(spins).values.tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    """
    configurations = Configurations(spins, neighborhood, boundary)
    return _labels_of(configurations, domain_search(configurations), "domain")


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

    A bond joins neighbours of equal spin with probability :math:`1 - \exp(-2J/k_\mathrm{B}T)`
    [1]_. In the Ising model at that temperature, the probability that two sites are in one cluster
    is the correlation of their spins. For a Potts model it is :math:`1 - \exp(-J/k_\mathrm{B}T)`.

    Parameters
    ----------
    spins
        As for `label_domains`.
    temperature : float, optional
        In J/k_B; the coordinate ``temperature`` of `spins` if omitted.
    neighborhood, boundary
        As for `label_domains`, but they must agree with the data.
    coupling : float, optional
        Coupling J > 0; if omitted, the coupling of the data, or 1.
    seed : int, optional
        Seed of the bonds.

    Returns
    -------
    DataArray
        As from `label_domains`.

    Raises
    ------
    TypeError, ValueError
        As `label_domains`; if no temperature is known, `coupling` is not positive, or it or the
        neighbourhood differs from the data's; or in a field, because clusters do not give the
        magnetization there.

    References
    ----------
    .. [1] C. M. Fortuin, P. W. Kasteleyn, "On the random-cluster model", Physica 57, 536 (1972).

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import label_clusters, label_domains
    >>> spins = xr.DataArray([[1, 1, -1, -1]] * 2 + [[-1] * 4] * 2, dims=("x", "y"))
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

    def work(number: int, spins: SpinArray, scratch: Scratch) -> None:
        search.join_inside(scratch, spins, number)
        search.join_across(scratch, spins)
        kernels.write_labels(*scratch.runs, labels[number])

    configurations.each(work, lambda: Scratch(search.rows, configurations.spins.dtype))
    return configurations.with_sites(labels, name)
