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

    It is there once `analysis` was imported, and not after `import isingrl` alone, which loads no
    analysis. Each method is the function of that name or nearly so
    in `analysis`, errors included.

    Parameters
    ----------
    data : Dataset
        As `isingrl.simulate` returns it: ``energy`` in J and ``magnetization`` per site, (...,
        temperature, chain, draw), and ``spins`` for what asks for configurations.

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
    """

    def __init__(self, data: xr.Dataset) -> None:
        self._data = data

    def thermodynamics(self) -> xr.Dataset:
        """Observables with errors.

        Returns
        -------
        Dataset
            As `analysis.thermodynamics` returns it.

        Raises
        ------
        ValueError
            As `analysis.thermodynamics`.

        Examples
        --------
        >>> import analysis
        >>> from isingrl import HeatBath, Ising, Lattice, simulate
        >>> data = simulate(Ising(Lattice((8, 8))), HeatBath(), [3.0, 4.0], sweeps=2000, seed=1)
        >>> data.isingrl.thermodynamics().specific_heat.dims
        ('temperature',)
        """
        return thermodynamics(self._data)

    def domains(self) -> xr.Dataset:
        """Domains of equal spins of every snapshot, by the neighbours of the data's lattice.

        Returns
        -------
        Dataset
            Over temperature, chain and snapshot, as `analysis.domain_statistics` returns it; sizes
            in sites.

        Raises
        ------
        ValueError
            If there are no ``spins``.

        Examples
        --------
        >>> import analysis
        >>> from isingrl import HeatBath, Ising, Lattice, simulate
        >>> model = Ising(Lattice((8, 8)))
        >>> data = simulate(model, HeatBath(), 0.0, sweeps=1, start="up", snapshots=1, seed=1)
        >>> domains = data.isingrl.domains().squeeze()
        >>> domains.mean_size.sel(phase="up").item(), domains.wall_density.item()
        (64.0, 0.0)
        """
        return domain_statistics(self._data)

    def clusters(self, *, seed: int | None = None) -> xr.Dataset:
        """Fortuin-Kasteleyn clusters of every snapshot, at its temperature and the data's coupling.

        Parameters
        ----------
        seed : int, optional
            Of the bonds that are drawn; fresh entropy without it.

        Returns
        -------
        Dataset
            Over temperature, chain and snapshot, as `analysis.cluster_statistics` returns it; sizes
            in sites.

        Raises
        ------
        ValueError
            As `analysis.cluster_statistics`.

        Examples
        --------
        >>> import analysis
        >>> from isingrl import HeatBath, Ising, Lattice, simulate
        >>> model = Ising(Lattice((8, 8)))
        >>> data = simulate(model, HeatBath(), 0.0, sweeps=1, start="up", snapshots=1, seed=1)
        >>> data.isingrl.clusters(seed=2).mean_size.sel(phase="up").item()
        64.0
        """
        return cluster_statistics(self._data, seed=seed)

    def correlations(
        self, *, connected: str | None = None, dims: tuple[str, ...] = DIMS
    ) -> xr.Dataset:
        """Correlation of spins against their distance.

        Parameters
        ----------
        connected : {"magnetization", "abs_magnetization"}, optional
            Whose mean is squared and subtracted; nothing if omitted.
        dims : tuple of str
            Averaged over; empty for every configuration by itself, without errors.

        Returns
        -------
        Dataset
            As `analysis.spin_correlation` returns it, over distances in lattice spacings.

        Raises
        ------
        ValueError
            As `analysis.spin_correlation`.

        Examples
        --------
        >>> import analysis
        >>> from isingrl import HeatBath, Ising, Lattice, simulate
        >>> model = Ising(Lattice((8, 8)))
        >>> data = simulate(model, HeatBath(), 0.0, sweeps=1, start="up", snapshots=1, seed=1)
        >>> data.isingrl.correlations(dims=()).squeeze().correlation.sel(axis="x").values.tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0]
        """
        return spin_correlation(self._data, connected=connected, dims=dims)

    def structure_factor(self, *, dims: tuple[str, ...] = DIMS) -> xr.Dataset:
        """Structure factor against wave number.

        Parameters
        ----------
        dims : tuple of str
            Averaged over; empty for every configuration by itself, without errors.

        Returns
        -------
        Dataset
            As `analysis.structure_factor` returns it, over inverse lattice spacings.

        Raises
        ------
        ValueError
            As `analysis.structure_factor`.

        Examples
        --------
        >>> import analysis
        >>> from isingrl import HeatBath, Ising, Lattice, simulate
        >>> model = Ising(Lattice((8, 8)))
        >>> data = simulate(model, HeatBath(), 0.0, sweeps=1, start="up", snapshots=1, seed=1)
        >>> data.isingrl.structure_factor(dims=()).squeeze().structure_factor.values[0].round(9)
        np.float64(64.0)
        """
        return structure_factor(self._data, dims=dims)

    def correlation_length(self, *, dims: tuple[str, ...] = DIMS) -> xr.Dataset:
        """Correlation lengths along the axes.

        Parameters
        ----------
        dims : tuple of str
            Averaged over, at least one.

        Returns
        -------
        Dataset
            As `analysis.correlation_length` returns it, in lattice spacings.

        Raises
        ------
        ValueError
            As `analysis.correlation_length`.

        Examples
        --------
        >>> import numpy as np
        >>> import analysis
        >>> from isingrl import HeatBath, Ising, Lattice, simulate
        >>> ring = Ising(Lattice(64))
        >>> data = simulate(
        ...     ring, HeatBath(), 1.0, sweeps=4000, thermalization=200, snapshots=400, seed=1
        ... )
        >>> found = data.isingrl.correlation_length().squeeze()
        >>> deviation = found.exponential_length + 1 / np.log(np.tanh(1.0))
        >>> bool(abs(deviation) < 4 * found.exponential_length_error)
        True
        """
        return correlation_length(self._data, dims=dims)

    def plot(self, name: str, ax: Axes | None = None) -> Axes:
        """Draw an observable against temperature, with error bars.

        Parameters
        ----------
        name : str
            One that `analysis.thermodynamics` knows, for example ``"abs_magnetization"``.
        ax : Axes, optional
            Drawn on; a new one if omitted.

        Returns
        -------
        Axes

        Raises
        ------
        ValueError
            If there is no such observable.

        Notes
        -----
        Draws are reduced first. For several observables take ``data.isingrl.thermodynamics()``
        once, and draw from that.

        Examples
        --------
        >>> import analysis
        >>> from isingrl import HeatBath, Ising, Lattice, simulate
        >>> data = simulate(Ising(Lattice((8, 8))), HeatBath(), [3.0, 4.0], sweeps=2000, seed=1)
        >>> data.isingrl.plot("energy").get_ylabel()
        'energy per site ($J$)'
        """
        summary = self.thermodynamics() if "draw" in self._data.dims else self._data
        return observable(summary, name, ax)


if not hasattr(xr.Dataset, "isingrl"):  # xarray warns of a second time, as when doctests run
    xr.register_dataset_accessor("isingrl")(IsingAccessor)
