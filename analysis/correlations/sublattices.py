"""Antiferromagnets as ferromagnets: the spins of every other site reversed."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis._configurations import Configurations
from analysis._parameters import parameter, several_couplings

__all__ = ["staggered_spins"]


def staggered_spins(spins: xr.DataArray | xr.Dataset) -> xr.DataArray:
    r"""Reverse the spins of one of the two sublattices, where x + y + z is odd.

    An antiferromagnet without a field becomes the ferromagnet of the same :math:`|J|`. Lengths,
    structure factors, clusters and domains of the result describe the antiferromagnetic order.

    Parameters
    ----------
    spins : DataArray or Dataset
        As for `analysis.spin_correlation`, of a lattice with two sublattices.

    Returns
    -------
    DataArray
        :math:`(-1)^{x+y+z} s` with the dims of the spins, and the coordinate ``coupling`` negated
        if present. Its mean over the sites is the staggered magnetization.

    Raises
    ------
    TypeError, ValueError
        As `analysis.spin_correlation`, if the data are of a Potts model, or if the lattice has more
        than two sublattices, for example by an odd periodic side or by Moore neighbours.

    References
    ----------
    L. Néel, "Propriétés magnétiques de l'état métallique et énergie d'interaction entre atomes
    magnétiques", Ann. Phys. (Paris) 11, 232 (1936), for the two sublattices.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import staggered_spins
    >>> model = irl.Ising(irl.Lattice((8, 8)), coupling=-1.0)
    >>> data = irl.simulate(
    ...     model, irl.HeatBath(), 1.0, sweeps=500, thermalization=500, snapshots=1, seed=1
    ... )
    >>> order = abs(staggered_spins(data).mean(["x", "y"])).squeeze()
    >>> bool(order > 0.9), bool(abs(data.magnetization).max() < 0.2)
    (True, True)
    """
    configurations = Configurations(spins)
    lattice = configurations.lattice
    if configurations.states is not None:
        raise ValueError(
            "spins must be ±1, those of an Ising model, to be reversed; the data have "
            f"{configurations.states} states"
        )
    if lattice.n_sublattices != 2:
        raise ValueError(
            "spins must come from a lattice with two sublattices, so that no two neighbours share "
            f"one; {lattice} has {lattice.n_sublattices}"
        )
    sign = 1 - 2 * lattice.sublattices
    values = configurations.spins * sign.reshape(configurations.spins.shape[1:]).astype(np.int8)
    found = configurations.with_sites(values, "staggered spin").rename("spins")
    coupling = parameter(spins, "coupling")
    if coupling is None:
        return found
    if coupling.dtype.kind not in "iuf":
        text = str(coupling.item())
        negated = " ".join(repr(-each) for each in several_couplings(text))
        random = "random " if text.startswith("random") else ""
        return found.assign_coords(coupling=random + negated)
    return found.assign_coords(coupling=-coupling)
