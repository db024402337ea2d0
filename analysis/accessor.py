"""The accessor ``.isingrl`` of Datasets: analysis that knows the lattice from the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from analysis.correlations import correlation_length, spin_correlation, structure_factor
from analysis.correlations.functions import DIMS
from analysis.domains import cluster_statistics, domain_statistics
from analysis.plots import observable
from analysis.thermodynamics import thermodynamics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["IsingAccessor"]


class IsingAccessor:
    """Analysis of a Dataset that `isingrl.simulate` returned, as ``data.isingrl``.

    ``import analysis`` adds it. Each method calls a function of `analysis` with the data and their
    lattice, temperature and coupling, and raises its errors.

    Parameters
    ----------
    data : Dataset
        From `isingrl.simulate`: ``energy`` in J and ``magnetization`` per site, or
        ``order_parameter`` of a Potts model, (..., temperature, chain, draw), and ``spins`` for
        methods that need configurations.

    Examples
    --------
    >>> import analysis
    >>> from isingrl import HeatBath, Ising, Lattice, simulate
    >>> model = Ising(Lattice((8, 8), neighborhood="moore"))
    >>> data = simulate(model, HeatBath(), [9.0, 12.0], sweeps=2000, snapshots=2, seed=1)
    >>> data.isingrl.thermodynamics()["energy"].dims
    ('temperature',)
    >>> data.isingrl.domains().neighborhood.item()
    'moore'
    >>> data.isingrl.plot("energy").get_ylabel()
    'energy per site ($J$)'
    """

    def __init__(self, data: xr.Dataset) -> None:
        self._data = data

    def thermodynamics(self) -> xr.Dataset:
        """See `analysis.thermodynamics`."""
        return thermodynamics(self._data)

    def domains(self) -> xr.Dataset:
        """See `analysis.domain_statistics`."""
        return domain_statistics(self._data)

    def clusters(self, *, seed: int | None = None) -> xr.Dataset:
        """See `analysis.cluster_statistics`."""
        return cluster_statistics(self._data, seed=seed)

    def correlations(
        self, *, connected: str | None = None, dims: tuple[str, ...] = DIMS
    ) -> xr.Dataset:
        """See `analysis.spin_correlation`."""
        return spin_correlation(self._data, connected=connected, dims=dims)

    def structure_factor(self, *, dims: tuple[str, ...] = DIMS) -> xr.Dataset:
        """See `analysis.structure_factor`."""
        return structure_factor(self._data, dims=dims)

    def correlation_length(self, *, dims: tuple[str, ...] = DIMS) -> xr.Dataset:
        """See `analysis.correlation_length`."""
        return correlation_length(self._data, dims=dims)

    def plot(self, name: str, ax: Axes | None = None) -> Axes:
        """See `analysis.plots.observable`, of `analysis.thermodynamics` if the data have draws.

        For several observables, call ``data.isingrl.thermodynamics()`` once and draw from it.
        """
        summary = self.thermodynamics() if "draw" in self._data.dims else self._data
        return observable(summary, name, ax)


if not hasattr(xr.Dataset, "isingrl"):  # xarray warns of a second one, as in doctests
    xr.register_dataset_accessor("isingrl")(IsingAccessor)
