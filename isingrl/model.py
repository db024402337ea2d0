"""The Ising model on a lattice: Hamiltonian, energy and magnetization of given spins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from isingrl.bonds import MAX_STATES
from isingrl.disorder import RandomBonds
from isingrl.lattice import Lattice
from isingrl.spin_model import Model
from isingrl.support.validation import check_spin_values


@dataclass(frozen=True)
class Ising(Model):
    r"""Ising model, :math:`H = -J \sum_{\langle ij \rangle} s_i s_j - h \sum_i s_i`.

    Every neighbour pair counts once, but twice if it is joined twice, across a periodic side of
    length 2; :math:`s_i = \pm 1` and :math:`k_B = 1`.

    Parameters
    ----------
    lattice : Lattice
        The sites and their neighbours.
    coupling : float or sequence of float
        Coupling J, finite; negative for an antiferromagnet. Or several, one for each of
        ``lattice.forward_offsets`` and its opposite: on the square lattice for bonds along y and
        along x. Equal ones are one number. Or `random_bonds`, one for each bond.
    field : float or sequence of float
        Magnetic field h, finite, in the units of the coupling. Several distinct fields become a dim
        ``field`` of `simulate` and of the exact results.

    Raises
    ------
    TypeError, ValueError
        If `lattice` is no `Lattice`, `coupling` neither a finite number nor one for each step, or
        `field` neither such a number nor a sequence of distinct ones; or if there are so many
        couplings that neighbours have more than 65,536 states.

    Examples
    --------
    >>> import numpy as np
    >>> from isingrl import Ising, Lattice
    >>> model = Ising(Lattice((4, 4)), coupling=1.0, field=0.5)
    >>> up = np.ones((4, 4), dtype=int)
    >>> checkerboard = up.copy()
    >>> checkerboard[::2, ::2] = checkerboard[1::2, 1::2] = -1
    >>> model.energy([up, checkerboard]).tolist(), model.magnetization([up, checkerboard]).tolist()
    ([-2.5, 2.0], [1.0, 0.0])
    >>> model.energy_of_sums(np.array([32, 0]), np.array([16, -4])).tolist()
    [-2.5, 0.125]
    >>> model.one_field(), model.local_fields().tolist()
    (0.5, [-3.5, -1.5, 0.5, 2.5, 4.5])
    >>> [model.field for model in Ising(Lattice(8), field=[0.0, 0.5]).each_field]
    [0.0, 0.5]
    >>> chains = Ising(Lattice((4, 4)), coupling=[1.8, 0.2])
    >>> chains.couplings.tolist(), chains.mean_coupling, chains.local_fields().round(1).tolist()
    ([1.8, 0.2], 1.0, [-4.0, -0.4, 3.2, -3.6, 0.0, 3.6, -3.2, 0.4, 4.0])
    """

    lattice: Lattice
    coupling: float | Sequence[float] | RandomBonds = 1.0
    field: float | Sequence[float] = 0.0

    gap = 2
    values = np.array([-1, 1, 0], dtype=np.int8)
    starts: ClassVar[dict[str, int]] = {"up": 1, "down": 0}
    order_name = "magnetization"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bonds.n_states > MAX_STATES:
            raise ValueError(
                f"coupling must leave at most {MAX_STATES:,} states of the neighbours; the "
                f"{self.bonds.n_kinds} different couplings make {self.bonds.n_states:,}"
            )

    @cached_property
    def signs(self) -> npt.NDArray[np.int8]:  # type: ignore[override]
        """Signs of the two sublattices, sites in C order; zeros on other lattices."""
        if self.lattice.n_sublattices != 2:
            return np.zeros(self.lattice.n_sites, dtype=np.int8)
        return (1 - 2 * self.lattice.sublattices.ravel()).astype(np.int8)

    @property
    def n_sums(self) -> int:
        """See `Model.n_sums`; bonds by kind, spins, and spins with signs."""
        return self.bonds.n_kinds + 2

    def magnetization(self, spins: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Magnetization per site, from -1 to 1.

        Parameters
        ----------
        spins : array_like of ±1, shape (..., *lattice.shape)
            As for `energy`.

        Returns
        -------
        ndarray, shape (...)
            One number for each configuration.
        """
        return self._sites_sum(self._configurations(spins)) / self.lattice.n_sites

    def local_fields(self) -> npt.NDArray[np.float64]:
        """Values of the local field J·S + h, S the sum of the neighbour spins.

        With several couplings it is the sum of J·S over the kinds of bonds, plus h.

        Returns
        -------
        ndarray, shape (n_states,)
            In the units of the coupling: one for each entry of ``lattice.n_up``; with several
            couplings for each entry of ``bonds.neighbor_sums``.
        """
        of_bonds = (self.couplings * self.bonds.neighbor_sums).sum(axis=1)
        return np.asarray(of_bonds + self.one_field("local fields"))

    def check_spins(self, name: str, spins: npt.NDArray[Any]) -> None:
        """See `Model.check_spins`."""
        check_spin_values(name, spins)

    def states_of(self, spins: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """See `Model.states_of`."""
        return np.where(spins == 0, 2, spins > 0).astype(np.uint8)

    def named_sums(self, sums: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
        """See `Model.named_sums`; the staggered one on two sublattices alone."""
        bonds, totals, staggered = sums[..., :-2], sums[..., -2], sums[..., -1]
        found = {"bonds": bonds[..., 0] if self.bonds.alike else bonds, "totals": totals}
        two = self.lattice.n_sublattices == 2
        return found | ({"staggered_magnetization": staggered} if two else {})

    def order(self, sums: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
        """See `Model.order`; the magnetization."""
        return np.asarray(sums["totals"] / self.lattice.n_sites)

    def _pairs(self, own: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.asarray(own * other)

    def _total(self, spins: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        return self._sites_sum(spins)
