"""Numbers, sizes and wrapping of domains."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from analysis._configurations import SITES, Configurations, SpinArray
from analysis.domains import _kernels as kernels
from analysis.domains._search import Scratch, Search, domain_search, list_domains
from analysis.domains.labels import cluster_search
from analysis.quantities import with_labels
from isingrl.coordinates import size_bins, size_edges

__all__ = ["cluster_statistics", "domain_statistics", "domain_table"]


def domain_statistics(
    spins: xr.DataArray | xr.Dataset, neighborhood: str | None = None, boundary: str | None = None
) -> xr.Dataset:
    r"""Statistics of the domains, connected sites of equal spin, of every configuration.

    Parameters
    ----------
    spins, neighborhood, boundary
        As for `analysis.label_domains`.

    Returns
    -------
    Dataset
        Over the dims of the configurations, with s the sizes of the domains of a ``phase``, in
        sites: "up", "down" or "both", or "0", "1", … and "all" for the states of a Potts model:

        - ``n_domains``, their number;
        - ``mean_size`` :math:`\sum s / \sum 1`, and ``mean_size_without_largest``;
        - ``site_mean_size`` :math:`\sum s^2 / \sum s`, the second moment: the size of the domain
          of a random site [1]_; and ``site_mean_size_without_largest``;
        - ``largest_fraction``, the largest domain's share of all sites;
        - ``wraps`` along ``axis``: whether a domain closes on itself around the torus [2]_. A
          domain that winds around two axes at once wraps both. False with free boundaries;
        - ``size_histogram`` along ``size_bin``: numbers of domains in logarithmic bins; the
          coordinates ``bin_begin``, ``bin_end`` (excluded) and ``bin_width`` are their first
          sizes, ends and numbers of sizes;
        - ``wall_density``, pairs of neighbours with unlike spins over all pairs; without
          ``phase``.

        NaN if no domain is left. Coordinates keep ``n_sites`` and the lattice.

    Raises
    ------
    TypeError, ValueError
        As `analysis.label_domains`.

    References
    ----------
    .. [1] D. Stauffer, A. Aharony, "Introduction to Percolation Theory" (Taylor & Francis, 1994).
    .. [2] J. Machta, Y. S. Choi, A. Lucke, T. Schweizer, L. M. Chayes, "Invaded cluster algorithm
       for Potts models", Phys. Rev. E 54, 1332 (1996): displacements along a tree of sites.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import domain_statistics
    >>> spins = xr.DataArray([[1, 1, -1, -1]] * 2 + [[-1] * 4] * 2, dims=("x", "y"))
    >>> found = domain_statistics(spins)
    >>> found.n_domains.dims, found.n_domains.sel(phase=["up", "down"]).values.tolist()
    (('phase',), [1, 1])
    >>> found.mean_size.sel(phase="down").item(), found.mean_size.units
    (12.0, 'sites')
    >>> found.wall_density.item()
    0.25
    """
    configurations = Configurations(spins, neighborhood, boundary)
    search = domain_search(configurations)
    found = _statistics(configurations, search)
    unlike = np.empty(len(configurations.spins))

    def count(number: int, spins: SpinArray, _: None) -> None:
        unlike[number] = search.unlike_pairs(spins)

    configurations.each(count)
    density = unlike / configurations.lattice.n_bonds
    found["wall_density"] = configurations.by_configuration(density)
    return with_labels(found, ["wall_density"])


def cluster_statistics(
    spins: xr.DataArray | xr.Dataset,
    temperature: Any = None,
    neighborhood: str | None = None,
    boundary: str | None = None,
    *,
    coupling: float | None = None,
    seed: int | None = None,
) -> xr.Dataset:
    r"""Statistics of the Fortuin–Kasteleyn clusters of every configuration.

    Parameters
    ----------
    spins, temperature, neighborhood, boundary, coupling, seed
        As for `analysis.label_clusters`.

    Returns
    -------
    Dataset
        As from `domain_statistics`, for clusters, without ``wall_density``. In equilibrium
        :math:`\langle \sum s^2 \rangle / N^2` over "both", ``site_mean_size`` / N, is an estimator
        of :math:`\langle m^2 \rangle` with less noise [1]_. For a Potts model this is the mean of
        the spin correlation over all pairs of sites.

    Raises
    ------
    TypeError, ValueError
        As `analysis.label_clusters`.

    References
    ----------
    .. [1] U. Wolff, "Comparison between cluster Monte Carlo algorithms in the Ising model", Phys.
       Lett. B 228, 379 (1989).

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import cluster_statistics
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(
    ...     model, irl.HeatBath(), 2.5, sweeps=4000, thermalization=100, snapshots=400, seed=1
    ... )
    >>> squares = cluster_statistics(data, seed=1).site_mean_size.sel(phase="both") / 64
    >>> difference = squares.mean() - (data.magnetization**2).mean()
    >>> bool(abs(difference) < 0.05)
    True
    """
    configurations = Configurations(spins, neighborhood, boundary)
    search = cluster_search(configurations, temperature, coupling, seed)
    return _statistics(configurations, search)


def domain_table(
    spins: xr.DataArray | xr.Dataset, neighborhood: str | None = None, boundary: str | None = None
) -> xr.Dataset:
    """List all domains of all configurations, one by one.

    Parameters
    ----------
    spins, neighborhood, boundary
        As for `domain_statistics`.

    Returns
    -------
    Dataset
        Over ``domain``: ``size`` in sites, ``spin`` ±1 or the state, ``wraps`` along ``axis``, and
        ``label``, the number from `analysis.label_domains`. For each dim of the configurations a
        coordinate ``DIM_index`` is the index of the domain's configuration.

    Raises
    ------
    TypeError, ValueError
        As `domain_statistics`.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import domain_table
    >>> spins = xr.DataArray([[1, 1, -1, -1]] * 2 + [[-1] * 4] * 2, dims=("x", "y"))
    >>> table = domain_table(spins)
    >>> table["size"].values.tolist(), table["spin"].values.tolist()
    ([4, 12], [1, -1])
    >>> table.wraps.sel(axis="y").values.tolist()
    [False, True]
    """
    configurations = Configurations(spins, neighborhood, boundary)
    search = domain_search(configurations)
    tables: list[Any] = [None] * len(configurations.spins)

    def tabulate(number: int, spins: SpinArray, scratch: Scratch) -> None:
        n = list_domains(search, scratch, spins, number)
        tables[number] = tuple(
            values[:n].copy() for values in (scratch.size, scratch.sign, scratch.wraps)
        )

    configurations.each(tabulate, lambda: Scratch(search.rows, configurations.spins.dtype))
    sizes, signs, wraps = (np.concatenate(column) for column in zip(*tables, strict=True))
    numbers = np.array([len(table[0]) for table in tables])
    ndim = configurations.lattice.ndim
    of = np.repeat(np.arange(len(tables)), numbers)
    found = xr.Dataset(
        {
            "size": ("domain", sizes, {"long_name": "size of a domain", "units": "sites"}),
            "spin": ("domain", signs, {"long_name": "spin"}),
            "wraps": (("domain", "axis"), (wraps[:, None] >> np.arange(ndim) & 1).astype(bool)),
            "label": ("domain", np.concatenate([np.arange(n) for n in numbers])),
        },
        {"axis": list(SITES[:ndim])},
    )
    leading = configurations.leading
    places = np.unravel_index(of, leading.shape) if leading.ndim else ()
    for dim, index in zip(leading.dims, places, strict=True):
        found.coords[f"{dim}_index"] = ("domain", index)
    return found


def _statistics(configurations: Configurations, search: Search) -> xr.Dataset:
    number, lattice = len(configurations.spins), configurations.lattice
    edges, n_phases = size_edges(lattice.n_sites), len(configurations.phases)
    n_domains = np.empty((number, n_phases), dtype=np.int64)
    sums, largest = np.empty_like(n_domains), np.empty_like(n_domains)
    squares = np.empty((number, n_phases))
    wraps = np.empty((number, n_phases, lattice.ndim), dtype=bool)
    bins = np.empty((number, n_phases, edges.size - 1), dtype=np.int64)

    def summarize(k: int, spins: SpinArray, scratch: Scratch) -> None:
        n = list_domains(search, scratch, spins, k)
        phase = configurations.phase_of(scratch.sign[:n])
        kernels.summarize(
            n, scratch.size, phase, scratch.wraps, edges, n_domains[k], sums[k],
            squares[k], largest[k], wraps[k], bins[k],
        )  # fmt: skip

    configurations.each(summarize, lambda: Scratch(search.rows, configurations.spins.dtype))
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = np.where(n_domains > 1, sums - largest, np.nan)
        values = {
            "n_domains": n_domains,
            "mean_size": sums / n_domains,
            "mean_size_without_largest": rest / (n_domains - 1),
            "site_mean_size": squares / sums,
            "site_mean_size_without_largest": (squares - largest.astype(float) ** 2) / rest,
            "largest_fraction": largest / lattice.n_sites,
        }
    found = {name: configurations.by_configuration(x, "phase") for name, x in values.items()}
    found["wraps"] = configurations.by_configuration(wraps, "phase", "axis")
    found["size_histogram"] = configurations.by_configuration(bins, "phase", "size_bin")
    return with_labels(xr.Dataset(found), found).assign_coords(
        phase=configurations.phases,
        axis=list(SITES[: lattice.ndim]),
        **size_bins(lattice.n_sites),
        n_sites=lattice.n_sites,
        neighborhood=lattice.neighborhood,
        boundary=lattice.boundary,
    )
