"""The Potts model on a lattice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from isingrl.bonds import MAX_SUPPORTS
from isingrl.disorder import RandomBonds
from isingrl.lattice import Lattice
from isingrl.spin_model import Model
from isingrl.support.validation import check_integer, check_states

__all__ = ["Potts"]

_MOST = 255  # states that a byte holds beside that of a missing neighbour


@dataclass(frozen=True)
class Potts(Model):
    r"""Potts model of q states.

    .. math:: H = -J \sum_{\langle ij \rangle} \delta(s_i, s_j) - h \sum_i \delta(s_i, 0)

    Each site is in one of q states 0 … q - 1. Neighbour pairs count as in `Ising`, and
    :math:`k_B = 1`. With q = 2 it is the Ising model at half the coupling and half the field, but
    for a constant.

    Parameters
    ----------
    lattice : Lattice
        The sites and their neighbours.
    states : int
        Number of states q, from 2 to 255.
    coupling : float or sequence of float
        Coupling J, finite; negative for an antiferromagnet. Or several, as in `Ising`.
    field : float or sequence of float
        Field h on the state 0, finite, in the units of the coupling. Several distinct fields become
        a dim ``field`` of `simulate`.

    Raises
    ------
    TypeError, ValueError
        If `lattice` is no `Lattice`, `states` no integer from 2 to 255, `coupling` neither a finite
        number nor one for each step, or `field` neither such a number nor a sequence of distinct
        ones; or if there are so many couplings that the neighbours in one state have more than
        512 sums of couplings.

    References
    ----------
    F. Y. Wu, "The Potts model", Rev. Mod. Phys. 54, 235 (1982).

    Examples
    --------
    >>> import numpy as np
    >>> from isingrl import Lattice, Potts
    >>> model = Potts(Lattice((4, 4)), states=3)
    >>> same, stripes = np.zeros((4, 4), int), np.indices((4, 4))[0] % 3
    >>> model.energy([same, stripes]).tolist()
    [-2.0, -1.25]
    >>> model.state_share(stripes).tolist(), model.order_parameter(stripes).tolist()
    ([0.5, 0.25, 0.25], 0.25)
    """

    lattice: Lattice
    states: int
    coupling: float | Sequence[float] = 1.0
    field: float | Sequence[float] = 0.0

    gap = 1
    starts: ClassVar[dict[str, int]] = {"ordered": 0}
    order_name = "order_parameter"
    signs = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.coupling, RandomBonds):
            raise TypeError(
                f"coupling must be a number, or one for each step, of a Potts model; got "
                f"{self.coupling!r}"
            )
        states = check_integer("states", self.states, 2)
        if states > _MOST:
            raise ValueError(f"states must be an integer from 2 to {_MOST}; got {states}")
        object.__setattr__(self, "states", states)
        if self.bonds.n_supports > MAX_SUPPORTS:
            raise ValueError(
                f"coupling must leave at most {MAX_SUPPORTS} sums of the couplings to neighbours "
                f"in one state; the {self.bonds.n_kinds} different couplings make "
                f"{self.bonds.n_supports:,}"
            )

    @property
    def values(self) -> npt.NDArray[np.uint8]:  # type: ignore[override]
        """See `Model`."""
        return np.arange(self.states + 1, dtype=np.uint8)

    @property
    def n_sums(self) -> int:
        """See `Model.n_sums`; bonds between equal states by kind, and sites in each state."""
        return self.bonds.n_kinds + self.states

    def state_share(self, spins: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Share of the sites in each state.

        Parameters
        ----------
        spins : array_like of 0 … q - 1, shape (..., *lattice.shape)
            One configuration or several.

        Returns
        -------
        ndarray, shape (..., q)
        """
        s = self._configurations(spins)
        counts = [self._sites_sum(s == state) for state in range(self.states)]
        return np.stack(counts, axis=-1) / self.lattice.n_sites

    def order_parameter(self, spins: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Order parameter (q x - 1) / (q - 1), x the largest share of a state; from 0 to 1.

        Parameters
        ----------
        spins : array_like of 0 … q - 1, shape (..., *lattice.shape)
            One configuration or several.

        Returns
        -------
        ndarray, shape (...)
        """
        return self._order_of(self.state_share(spins))

    def _order_of(self, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        q = self.states
        return np.asarray((q * shares.max(axis=-1) - 1) / (q - 1))

    def check_spins(self, name: str, spins: npt.NDArray[Any]) -> None:
        """See `Model.check_spins`."""
        check_states(name, spins, self.states)

    def states_of(self, spins: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """See `Model.states_of`."""
        return spins.astype(np.uint8)

    def named_sums(self, sums: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
        """See `Model.named_sums`."""
        n_kinds = self.bonds.n_kinds
        bonds, counts = sums[..., :n_kinds], sums[..., n_kinds:]
        bonds = bonds[..., 0] if n_kinds == 1 else bonds
        return {"bonds": bonds, "totals": counts[..., 0], "state_share": counts}

    def order(self, sums: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
        """See `Model.order`; the order parameter."""
        return self._order_of(sums["state_share"] / self.lattice.n_sites)

    def _pairs(self, own: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.asarray(own == other)

    def _total(self, spins: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        return self._sites_sum(spins == 0)
