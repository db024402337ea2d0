"""Overlaps of replicas: how alike two configurations with the same bonds are."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis._configurations import Configurations
from analysis.quantities import quantity_attrs

__all__ = ["overlaps"]

_DISORDER = ("bond", "coupling")


def overlaps(data: xr.DataArray | xr.Dataset) -> xr.Dataset:
    r"""Overlaps :math:`q = \frac{1}{N} \sum_i s_i^a s_i^b` of pairs of chains, the replicas.

    Chains are independent and have the same bonds. The first and the second are a pair, the third
    and the fourth, and so on, at the same temperature and snapshot.

    Parameters
    ----------
    data : DataArray or Dataset
        Spins ±1 with dims (..., chain, x[, y[, z]]) in any order, an even number of chains, or a
        Dataset with them as ``spins``, as `isingrl.simulate` makes it with ``snapshots=``. Other
        dims, such as ``temperature`` and ``snapshot``, are kept.

    Returns
    -------
    Dataset
        ``overlap`` with dims (..., pair[, snapshot]): ``pair`` takes the place of ``chain``.

    Raises
    ------
    TypeError, ValueError
        If `data` hold no spins ±1, no dim ``chain``, an odd number of chains, or bonds that differ
        from chain to chain.

    Notes
    -----
    In a glass the spins freeze along directions that differ from site to site. The magnetization
    does not show this order, and q does: it is the order parameter of Edwards and Anderson [1]_,
    and its distribution P(q) that of Parisi [2]_. Without a field q and -q are equally likely.

    The mean over realisations of bonds, [...], follows that over snapshots and pairs, ⟨...⟩. The
    cumulant of the overlap, :math:`g = (3 - [\langle q^4 \rangle] / [\langle q^2 \rangle]^2) / 2`,
    therefore is a function of means over realisations: 0 for q of a normal distribution, 1 if q
    is ±q₀.

    References
    ----------
    .. [1] S. F. Edwards, P. W. Anderson, "Theory of spin glasses", J. Phys. F 5, 965 (1975).
    .. [2] G. Parisi, "Order parameter for spin-glasses", Phys. Rev. Lett. 50, 1946 (1983).

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import overlaps
    >>> lattice = irl.Lattice((6, 6))
    >>> glass = irl.Ising(lattice, irl.random_bonds(lattice, (1.0, -1.0), seed=1))
    >>> data = irl.simulate(
    ...     glass, irl.Tempering(irl.HeatBath(), every=1), [0.5, 1.0, 1.5, 2.0], sweeps=2000,
    ...     thermalization=1000, chains=2, snapshots=500, seed=2,
    ... )
    >>> q = overlaps(data).overlap
    >>> q.dims
    ('temperature', 'pair', 'snapshot')
    >>> squared = (q**2).mean(["pair", "snapshot"])
    >>> bool((squared.diff("temperature") < 0).all())
    True
    """
    configurations = Configurations(data)
    if configurations.states is not None:
        raise ValueError(
            "data must be spins ±1, those of an Ising model, to have overlaps; got "
            f"{configurations.states} states"
        )
    leading = configurations.leading
    if "chain" not in leading.dims:
        raise ValueError(f"data must have the dim 'chain'; got {leading.dims}")
    if leading.sizes["chain"] % 2:
        raise ValueError(
            "data must have an even number of chains, two a pair; got "
            f"{leading.sizes['chain']} (simulate takes chains=)"
        )
    for name in _DISORDER:
        if name in data.coords and "chain" in data.coords[name].dims:
            raise ValueError(f"data: {name!r} must be the same for all chains, which are replicas")
    axis = leading.get_axis_num("chain")
    spins = configurations.spins.reshape(*leading.shape, -1)
    first, second = (spins.take(range(k, spins.shape[axis], 2), axis) for k in (0, 1))
    # an integer sum, so that the overlaps of equal spins are exactly 1
    values = (first * second).sum(axis=-1, dtype=np.int64) / configurations.lattice.n_sites
    template = leading.isel(chain=slice(None, None, 2)).rename(chain="pair")
    template = template.drop_vars("chain", errors="ignore")
    found = template.copy(data=values).assign_coords(pair=np.arange(template.sizes["pair"]))
    return found.rename("overlap").assign_attrs(quantity_attrs("overlap")).to_dataset()
