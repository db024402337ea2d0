"""Cluster updates: Swendsen-Wang and Wolff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from isingrl.dynamics import Dynamics
from isingrl.engines.clusters import SwendsenWangEngine, WolffEngine
from isingrl.spin_model import Model
from isingrl.support.validation import check_flag

__all__ = ["SwendsenWang", "Wolff"]


@dataclass(frozen=True, repr=False)
class _ClusterUpdate(Dynamics):
    """Base of both: no schedule, and sizes of clusters beside sums over sites."""

    scheduled: ClassVar[bool] = False
    sizes: bool = False

    def __post_init__(self) -> None:
        check_flag("sizes", self.sizes)

    def settings(self) -> dict[str, Any]:
        """See `Dynamics.settings`; `sizes`, if they are wanted."""
        return {"sizes": True} if self.sizes else {}

    @property
    def undivided(self) -> dict[str, dict[str, Any]]:
        """See `Dynamics.undivided`."""
        label = {"long_name": "mean size of the cluster of a site", "units": "sites"}
        histogram = {"long_name": "number of clusters in a bin of sizes", "units": "1"}
        return {"mean_cluster_size": label, "size_histogram": histogram}

    def check_run(
        self,
        model: Model,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        schedule: str,
        ladder: Any,
    ) -> None:
        """See `Dynamics.check_run`; refuses a schedule, and a model that does not suit."""
        if schedule != "checkerboard":
            raise ValueError(
                f"schedule must be left out for {self.name!r}, which updates clusters and no "
                f"single sites; got {schedule!r}"
            )
        self._check_model(model)

    def _check_model(self, model: Model) -> None:
        """Refuse a model that does not suit."""
        raise NotImplementedError


class SwendsenWang(_ClusterUpdate):
    r"""Join neighbours to clusters at random and flip each cluster with probability 1/2.

    A pair of neighbours whose bond is satisfied (equal spins for J > 0, opposite ones for J < 0) is
    joined with probability :math:`1 - e^{-2|J|/T}`. In a field each spin along it is joined to a
    ghost spin with probability :math:`1 - e^{-2|h|/T}`, and the ghost's cluster does not flip. A
    sweep updates all clusters once. It has no schedule. A `Potts` model has the probabilities
    :math:`1 - e^{-|J|/T}` and :math:`1 - e^{-|h|/T}`; see the notes.

    Parameters
    ----------
    sizes : bool
        Whether to count the clusters by size in every draw.

    Notes
    -----
    Near the transition of a ferromagnet, or of an antiferromagnet with two sublattices, a few
    sweeps give an independent configuration on lattices of any size, also if bonds are diluted or
    of different strength at random. In a strong field, on frustrated lattices (in a glass take
    `Tempering`) and far from the transition clusters do not help, but are right.

    Potts models have two kinds of sweeps. If no coupling and no field is negative, neighbours in
    equal states are joined, and sites in the state 0 to the ghost. Each other cluster gets a state
    at random. Else the states are paired at random in each sweep, and some may be left over. The
    two states of a pair are those of an Ising spin: neighbours are joined if they are in equal
    states for J > 0, or in the two states of a pair for J < 0. Each cluster exchanges them with
    probability 1/2. For h < 0 the ghost joins sites in the partner of state 0. Sites in a state
    that is left over keep it; they count in the clusters.

    The Dataset has further variables: ``clusters``, their number per site, and
    ``largest_cluster``, the share of the sites in the largest one, in the last sweep before each
    draw; in a field the ghost's cluster counts as one. Without a field it has
    ``mean_cluster_size``, the mean size of the cluster of a site,
    :math:`\sum_C |C|^2 / N`. Its mean is :math:`N \langle m^2 \rangle` for J ≥ 0 and the same with
    the staggered magnetization for J < 0; frustrated lattices, where neither holds, lack it. Of
    Potts models its mean is :math:`N \langle (q \sum_k x_k^2 - 1) / (q - 1) \rangle` with the
    shares :math:`x_k` of the states for J ≥ 0; with a negative J they lack it. With
    `sizes` it has ``size_histogram``, their numbers in logarithmic bins along ``size_bin``, from
    which `analysis.size_distribution` makes the number of clusters of a size.

    References
    ----------
    R. H. Swendsen, J.-S. Wang, Phys. Rev. Lett. 58, 86 (1987). C. M. Fortuin, P. W. Kasteleyn,
    Physica 57, 536 (1972). Mean cluster size: U. Wolff, Phys. Lett. B 228, 379 (1989). Pairs of
    states: J.-S. Wang, R. H. Swendsen, R. Kotecký, Phys. Rev. Lett. 63, 109 (1989).

    Examples
    --------
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((32, 32)))
    >>> options = {"sweeps": 2000, "thermalization": 200, "seed": 1}
    >>> data = irl.simulate(model, irl.SwendsenWang(), 2.269, **options)
    >>> from analysis import thermodynamics
    >>> summary = thermodynamics(data)
    >>> bool(summary.autocorrelation_time[0] < 20)  # in sweeps; Metropolis needs hundreds
    True
    >>> ratio = summary.susceptibility_improved / summary.susceptibility_disordered
    >>> bool(abs(ratio[0] - 1) < 0.05)
    True
    """

    name = "swendsen-wang"

    def _check_model(self, model: Model) -> None:
        if any(abs(step[-1]) > 1 for step in model.lattice.forward_offsets):
            raise ValueError(
                "neighborhood must have no steps of two sites or more along the last side for "
                f"{self.name!r} (take Wolff()); got {model.lattice.neighborhood!r}"
            )

    def engine(
        self,
        model: Model,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        start: str | npt.NDArray[Any],
        schedule: str,
        seed: np.random.SeedSequence,
    ) -> SwendsenWangEngine:
        """See `Dynamics.engine`; `schedule` has no effect."""
        return SwendsenWangEngine(model, temperatures, chains, start, seed, self.sizes)


class Wolff(_ClusterUpdate):
    r"""Grow a cluster from a random site and flip it; a sweep is a fixed number of clusters.

    Pairs are joined with the probabilities of `SwendsenWang`. A cluster that is joined to the ghost
    spin of the field is given up before it has grown.

    In a `Potts` model another state than that of the first site is drawn at random. The cluster
    grows over sites in these two states, as over Ising spins, and exchanges them. For J ≥ 0 all its
    sites are in one state, and change to the other one. The ghost is joined to sites in the state 0
    for h > 0, and to those in its partner for h < 0; if none of the two states is 0, to no site.

    The number of clusters is that by which a sweep meets about as many sites as the lattice has:
    the number of sites over the mean size of a cluster. Each chain finds it from the last half (or
    up to three quarters) of its `thermalization` and keeps it for all measured sweeps, which
    ``clusters_per_sweep`` in the Dataset shows. Without a thermalization a sweep is one cluster.

    Parameters
    ----------
    sizes : bool
        Whether to estimate the number of clusters by size in every draw; not in a field.

    Notes
    -----
    A sweep that ended once its clusters had as many sites as the lattice would be biased, because
    it would end more often with a large cluster than with a small one. Only the sweeps of the
    thermalization end like this.

    Without a field the Dataset has ``mean_cluster_size``, the mean over the clusters of the last
    sweep before each draw. Its expectation is that of the same variable of `SwendsenWang`, because
    a random site lies in a cluster with a probability proportional to the size of the cluster. For
    the same reason each cluster of s sites counts N/s times, over their number, in
    ``size_histogram``, whose expectation is that of `SwendsenWang`. With a negative
    coupling and more than two states the two rules draw pairs of states differently, so that the
    sizes differ.

    References
    ----------
    U. Wolff, Phys. Rev. Lett. 62, 361 (1989). C. M. Fortuin, P. W. Kasteleyn, Physica 57, 536
    (1972). Pairs of states: J.-S. Wang, R. H. Swendsen, R. Kotecký, Phys. Rev. Lett. 63, 109
    (1989).

    Examples
    --------
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((32, 32)))
    >>> data = irl.simulate(model, irl.Wolff(), 2.269, sweeps=10, thermalization=200, seed=1)
    >>> data.clusters_per_sweep.dims, bool(1 <= data.clusters_per_sweep[0, 0] <= 4)
    (('temperature', 'chain'), True)
    """

    name = "wolff"

    def _check_model(self, model: Model) -> None:
        if self.sizes and any(each.one_field() for each in model.each_field):
            raise ValueError(
                f"sizes must be False for {self.name!r} in a field, where clusters that meet the "
                f"ghost spin are given up; got field = {model.field}"
            )

    def engine(
        self,
        model: Model,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        start: str | npt.NDArray[Any],
        schedule: str,
        seed: np.random.SeedSequence,
    ) -> WolffEngine:
        """See `Dynamics.engine`; `schedule` has no effect."""
        return WolffEngine(model, temperatures, chains, start, seed, self.sizes)
