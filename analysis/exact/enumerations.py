"""Small lattices of any kind by counting all of their configurations."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.exact._kernels import count_potts_states, count_states
from analysis.exact.canonical import States, canonical_ensemble
from isingrl.bonds import Bonds
from isingrl.lattice import Lattice
from isingrl.model import Ising
from isingrl.potts import Potts
from isingrl.spin_model import check_model
from isingrl.support.compilation import watch
from isingrl.support.validation import check_temperature

watch()

_MAX_COUNTS = 10**8  # that are kept while configurations are counted
MAX_SITES = 30
"""Largest Ising lattice that is enumerated: half of its 2^30 configurations take some seconds."""


def enumeration(model: Ising | Potts, temperature: npt.ArrayLike) -> xr.Dataset:
    """Any model of up to 2^30 configurations, exactly: 30 sites of an Ising model.

    Parameters
    ----------
    model : Ising or Potts
        Any lattice, coupling and field, or several of them. With 3 states up to 18 sites, with 4 up
        to 15.
    temperature : float or sequence of float
        In the units of the coupling over k_B; 0 and infinity are valid.

    Returns
    -------
    Dataset
        Over ``temperature``, and ``field`` if the model has several, per site: ``energy`` with the
        field's part, ``specific_heat``, ``magnetization``, ``abs_magnetization``,
        ``susceptibility`` and ``susceptibility_disordered`` as `analysis.thermodynamics` defines
        them, ``binder_cumulant``, and the moments ``energy_squared``, ``magnetization_squared`` and
        ``magnetization_fourth``. T = 0 averages over all ground states. If these leave a variance,
        the susceptibility is infinite there.

        Of a Potts model ``order_parameter``, its moments ``order_parameter_squared`` and
        ``order_parameter_fourth``, and ``state_share`` over ``state`` take the place of the
        magnetizations. ``susceptibility``, N(⟨m²⟩ − ⟨m⟩²)/T, and ``binder_cumulant`` are those of
        the order parameter m.

    Raises
    ------
    TypeError, ValueError
        If `model` is neither an `Ising` nor a `Potts`, has more than 2^30 configurations or too
        many different couplings, or `temperature` is no non-negative number or sequence of such
        numbers.

    Examples
    --------
    >>> import isingrl as irl
    >>> import numpy as np
    >>> from analysis import exact
    >>> model = irl.Ising(irl.Lattice((3, 3), neighborhood="moore"), coupling=-1.0, field=0.5)
    >>> exact.enumeration(model, [0.0, 2.0]).energy.round(4).values.tolist()
    [-0.5, -0.421]
    >>> potts = exact.enumeration(irl.Potts(irl.Lattice((3, 3)), states=3), [0.0, 1.0, np.inf])
    >>> potts.order_parameter.round(4).values.tolist(), potts.state_share.sizes["state"]
    ([1.0, 0.8679, 0.2507], 3)
    """
    check_model(model)
    t = check_temperature(temperature)
    lattice = model.lattice
    kinds: Any = model.bonds.kinds
    if not isinstance(kinds, tuple):
        kinds = tuple(tuple(each) for each in kinds.tolist())
    if isinstance(model, Potts):
        states = _counted_potts(lattice, kinds, model.states)
    else:
        bond_sum, spin_sum, counts = _counted(lattice, kinds)
        row, column = np.nonzero(counts)
        multiplicity = np.log(counts[row, column])
        states = States(bond_sum[row], spin_sum[column], multiplicity, lattice.n_sites)
    return canonical_ensemble(states, model, t)


def density_of_states(lattice: Lattice) -> xr.Dataset:
    """Numbers of configurations by the sums of s_i s_j over bonds and of s_i over sites.

    One pass over the configurations serves every temperature, coupling and field, and the counts
    of a lattice are kept.

    Parameters
    ----------
    lattice : Lattice
        Of up to 30 sites.

    Returns
    -------
    Dataset
        ``multiplicity`` (int64) over ``bond_sum`` and ``spin_sum``, with the total 2^n_sites; bond
        sums that do not occur are left out.

    Raises
    ------
    TypeError, ValueError
        If `lattice` is no `Lattice` or has more than 30 sites.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import exact
    >>> states = exact.density_of_states(irl.Lattice(4))
    >>> states.multiplicity.sum("spin_sum").to_series().to_dict()
    {-4: 2, 0: 12, 4: 2}
    """
    if not isinstance(lattice, Lattice):
        raise TypeError(f"lattice must be a Lattice; got {lattice!r}")
    bond_sum, spin_sum, counts = _counted(lattice, (0,) * lattice.coordination_number)
    number, bonds, sites = (
        {"long_name": name, "units": "1"}
        for name in ("number of configurations", "sum over bonds", "sum over sites")
    )
    return xr.Dataset(
        {"multiplicity": (("bond_sum", "spin_sum"), counts.copy(), number)},
        {
            "bond_sum": ("bond_sum", bond_sum[:, 0], bonds),
            "spin_sum": ("spin_sum", spin_sum, sites),
        },
        {
            "shape": list(lattice.shape),
            "neighborhood": lattice.neighborhood,
            "boundary": lattice.boundary,
        },
    )


@lru_cache(maxsize=64)
def _counted(
    lattice: Lattice, kinds: tuple[Any, ...]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Sums over bonds by kind, shape (n_sums, n_kinds), sums over sites, and numbers of both."""
    if lattice.n_sites > MAX_SITES:
        raise ValueError(
            f"lattice must have at most {MAX_SITES} sites to be enumerated; "
            f"got {lattice.n_sites} with shape {lattice.shape}"
        )
    present = _bonds_present(lattice, kinds)
    sides = 2 * present + 1  # number of sums of each kind
    place = _places(sides, lattice, lattice.n_sites + 1)
    weights = np.append(place, 0)[np.array(kinds)]  # 0 where there is no bond
    weights = np.broadcast_to(weights, lattice.neighbors.shape).copy()
    half = count_states(lattice.neighbors, weights, int(present @ place))
    # The other half has every spin reversed.
    counts = half + half[:, ::-1]
    occurs = np.flatnonzero(counts.any(axis=1))
    bond_sum = occurs[:, None] // place % sides - present
    spin_sum = np.arange(-lattice.n_sites, lattice.n_sites + 1, 2)
    return bond_sum, spin_sum, counts[occurs]


@lru_cache(maxsize=64)
def _counted_potts(lattice: Lattice, kinds: tuple[Any, ...], n_states: int) -> States:
    n_sites = lattice.n_sites
    if n_states**n_sites > 2**MAX_SITES:
        raise ValueError(
            f"model must have at most 2^{MAX_SITES} configurations to be enumerated; got "
            f"{n_states}^{n_sites} with shape {lattice.shape}"
        )
    present = _bonds_present(lattice, kinds)
    sides = present + 1  # number of sums of each kind
    place = _places(sides, lattice, (n_sites + 1) ** 2)
    counts = count_potts_states(
        lattice.neighbors, place[list(kinds)], int(present @ place), n_states
    )
    bonds, first, most = np.nonzero(counts)
    multiplicity = np.log(counts[bonds, first, most])
    return States(bonds[:, None] // place % sides, first, multiplicity, n_sites, most)


def _bonds_present(lattice: Lattice, kinds: tuple[Any, ...]) -> npt.NDArray[np.int64]:
    """Numbers of bonds by kind."""
    own = kinds if isinstance(kinds[0], int) else np.array(kinds, dtype=np.int8)
    there = Bonds(lattice, own).neighbors < lattice.n_sites
    return np.asarray(there.sum(axis=(1, 2)) // 2)


def _places(
    sides: npt.NDArray[np.int64], lattice: Lattice, counts_each: int
) -> npt.NDArray[np.int64]:
    """Values of the digits of a number that holds the sums over bonds by kind."""
    if sides.prod() * counts_each > _MAX_COUNTS:
        raise ValueError(
            f"coupling must have fewer different values to be enumerated; got {sides.size} on "
            f"{lattice.n_sites} sites, with {sides.prod():,} sums over bonds"
        )
    return np.cumprod([1, *sides[:-1]])
