"""Size distributions of domains."""

from __future__ import annotations

import xarray as xr

from analysis._parameters import check_dataset, required
from analysis.errors import jackknife
from analysis.quantities import with_labels

__all__ = ["size_distribution"]


def size_distribution(
    statistics: xr.Dataset, dims: tuple[str, ...] = ("chain", "snapshot")
) -> xr.Dataset:
    """Mean number of domains of a size, per site.

    Parameters
    ----------
    statistics : Dataset
        With ``size_histogram``: from `analysis.domain_statistics`, `analysis.cluster_statistics`,
        or a run of `isingrl.SwendsenWang` or `isingrl.Wolff` with their sizes.
    dims : tuple of str
        Dims to average over: chains and, last, snapshots or draws in order of time.

    Returns
    -------
    Dataset
        ``domain_density`` n_s along ``size_bin``, the number per site of the lattice and per size
        in the bin, and ``domain_density_error``.

    Raises
    ------
    TypeError, ValueError
        If `statistics` is no Dataset or has no histogram, or as `analysis.errors.jackknife`.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import domain_statistics, size_distribution
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), 3.0, sweeps=4000, snapshots=400, seed=1)
    >>> found = size_distribution(domain_statistics(data))
    >>> found.domain_density.dims
    ('temperature', 'phase', 'size_bin')
    >>> sites = found.domain_density * found.bin_width * found.size_bin
    >>> bool(abs(sites.sum("size_bin").sel(phase="both").item() - 1) < 0.1)
    True
    """
    check_dataset("statistics", statistics)
    if "size_histogram" not in statistics:
        raise ValueError(
            "statistics must come from domain_statistics, cluster_statistics or a cluster update "
            f"with sizes=True; got the variables {sorted(map(str, statistics))}"
        )
    counts = statistics["size_histogram"].rename("domain_density")
    found = jackknife(counts, lambda counts: counts.mean(dims), dims=dims)
    scaled: xr.Dataset = found / (statistics["bin_width"] * required(statistics, "n_sites"))
    return with_labels(scaled, scaled).assign_attrs(statistics.attrs)
