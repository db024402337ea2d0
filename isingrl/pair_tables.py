"""Tables of the Potts model: how a site weighs one state against another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.bonds import Bonds
from isingrl.lattice import Lattice
from isingrl.potts import Potts
from isingrl.schedules import draws_sites
from isingrl.tables import LAZY, NEARLY_SURE, Table

__all__ = ["PairTable", "support_changes", "support_energies"]

_ROUNDING = 1e-14  # relative error of the difference of two energies


@dataclass(frozen=True, eq=False)
class PairTable(Table):
    """Chances of a change between two states, by what supports each of them, for every chain.

    The support of a state is a number: how many neighbours are in this state, by kind of bond, as
    an index into ``bonds.supports``; for the state 0, on which the field acts, it counts on from
    ``bonds.n_supports``.

    Parameters
    ----------
    arrays : float64 ndarray, shape (n_chains, n, n) or (n_chains, 1, n, n)
        By the supports of another state, drawn at random, and of the own one: the probability of
        changing to it. Or, with four dims, the weight of a state of one support over that of a
        state of another, or any number above 1 if it is larger; the new state is drawn by these
        weights.
    bonds : Bonds
        Of the model.
    states : int
        Number of states q.

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> model = irl.Potts(irl.Lattice((8, 8)), states=3)
    >>> table = irl.Metropolis().potts_table(model, np.array([1.0]))
    >>> table.arrays[0, :3, 2].round(3).tolist()
    [0.135, 0.368, 1.0]
    """

    arrays: npt.NDArray[np.float64]
    bonds: Bonds
    states: int

    def with_arrays(self, arrays: npt.NDArray[np.float64]) -> PairTable:
        """See `Table.with_arrays`."""
        return replace(self, arrays=arrays)

    def view(self, lattice: Lattice) -> tuple[Any, Any, Any]:
        """See `Table.view`."""
        return lattice.neighbors, self.bonds.support_codes, None

    def for_schedule(self, lattice: Lattice, schedule: str) -> PairTable:
        """See `Table.for_schedule`; of two states alone, as those of Ising spins.

        With more states the other one is drawn at random, so that no change is sure.
        """
        if draws_sites(schedule) or self.states > 2 or self.arrays.ndim == 4:
            return self
        back = self.arrays.swapaxes(-1, -2)
        lazy = (self.arrays >= NEARLY_SURE) & (back >= NEARLY_SURE)
        return replace(self, arrays=np.where(lazy, LAZY * self.arrays, self.arrays))


def support_energies(model: Potts) -> npt.NDArray[np.float64]:
    """Energy of a state by its support, first of states without the field.

    Parameters
    ----------
    model : Potts
        In one field.

    Returns
    -------
    float64 ndarray, shape (2 n_supports,)
        For each row of ``model.bonds.supports``, and again for the state 0, on which the field
        acts.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.pair_tables import support_energies
    >>> support_energies(irl.Potts(irl.Lattice(8), states=3, field=0.5)).tolist()
    [-0.0, -1.0, -2.0, -0.5, -1.5, -2.5]
    """
    of_bonds = -(model.couplings * model.bonds.supports).sum(axis=1)
    return np.concatenate([of_bonds, of_bonds - model.one_field("energies")])


def support_changes(model: Potts) -> npt.NDArray[np.float64]:
    """Energies of changes from one support to another; rounding errors are 0.

    Parameters
    ----------
    model : Potts
        In one field.

    Returns
    -------
    float64 ndarray, shape (2 n_supports, 2 n_supports)
        To each of the `support_energies`, from each of them.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.pair_tables import support_changes
    >>> support_changes(irl.Potts(irl.Lattice(8), states=3))[:3, 0].tolist()
    [0.0, -1.0, -2.0]
    """
    energy = support_energies(model)
    change = energy[:, None] - energy
    return np.where(abs(change) <= _ROUNDING * abs(energy).max(), 0.0, change)
