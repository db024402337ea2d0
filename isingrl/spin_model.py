"""The base class of models: spins on a lattice with pair couplings and a field."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from isingrl.bonds import Bonds
from isingrl.disorder import RandomBonds
from isingrl.lattice import Lattice
from isingrl.support.validation import check_coupling, check_field, site_axes

__all__ = ["Model"]


class Model(ABC):
    """Spins on a lattice with pair couplings and a field, `Ising` or `Potts`.

    The energy is -J times a sum over the bonds, minus h times a sum over the sites. An engine
    measures both sums.

    Attributes
    ----------
    lattice : Lattice
    coupling : float, tuple of float, or RandomBonds
    field : float or tuple of float
    gap : int
        What a pair of spins that its coupling does not favour costs, over ``|J|``; or a spin that
        the field does not favour, over ``|h|``.
    values : integer ndarray, shape (q + 1,)
        Spins of the states 0 … q - 1 of a site; last what stands for a missing neighbour.
    starts : dict
        Names of ordered first configurations, and the state of all their sites.
    order_name : str
        Name of the measure of order, "magnetization" or "order_parameter".
    signs : int8 ndarray, shape (n_sites,), or None
        As ``isingrl.engines.kernels.sites.measure`` takes them.

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> from isingrl.spin_model import Model
    >>> model = irl.Potts(irl.Lattice((4, 4)), states=3, field=[0.0, 0.5])
    >>> isinstance(model, Model), model.n_spin_states, model.n_sums, model.values.tolist()
    (True, 3, 4, [0, 1, 2, 3])
    >>> [each.field for each in model.each_field], model.in_field(1.0).one_field()
    ([0.0, 0.5], 1.0)
    >>> irl.Ising(irl.Lattice(4)).states_of(np.array([-1, 1, 0])).tolist()
    [0, 1, 2]
    """

    lattice: Lattice
    coupling: float | Sequence[float] | RandomBonds
    field: float | Sequence[float]
    gap: ClassVar[int]
    values: npt.NDArray[Any]
    starts: ClassVar[dict[str, int]]
    order_name: ClassVar[str]
    signs: npt.NDArray[np.int8] | None

    def __post_init__(self) -> None:
        if not isinstance(self.lattice, Lattice):
            raise TypeError(f"lattice must be a Lattice; got {self.lattice!r}")
        if isinstance(self.coupling, RandomBonds):
            if self.coupling.lattice != self.lattice:
                raise ValueError(
                    f"coupling must be RandomBonds on the lattice of the model, {self.lattice!r}; "
                    f"got some on {self.coupling.lattice!r}"
                )
        else:
            coupling = check_coupling(self.coupling, self.lattice.forward_offsets)
            object.__setattr__(self, "coupling", coupling)
        object.__setattr__(self, "field", check_field(self.field))

    @property
    @abstractmethod
    def n_sums(self) -> int:
        """Number of sums that ``isingrl.engines.kernels.sites.measure`` finds."""

    @property
    def n_spin_states(self) -> int:
        """Number of states q of a site."""
        return len(self.values) - 1

    @property
    def each_field(self) -> tuple[Self, ...]:
        """The model in each of its fields; a tuple of itself if the field is one number."""
        if not isinstance(self.field, float):
            return tuple(self.in_field(each) for each in self.field)
        return (self,)

    def in_field(self, field: float | Sequence[float]) -> Self:
        """Return the same model in another field.

        Parameters
        ----------
        field : float or sequence of float
            As of the model.

        Returns
        -------
        Model
            Of the same class.
        """
        return replace(self, field=field)  # type: ignore[type-var]

    @property
    def _step_couplings(self) -> tuple[float, ...]:
        """Coupling of each of ``lattice.forward_offsets``."""
        assert not isinstance(self.coupling, RandomBonds)
        if isinstance(self.coupling, float):
            return (self.coupling,) * len(self.lattice.forward_offsets)
        return tuple(self.coupling)

    @property
    def couplings(self) -> npt.NDArray[np.float64]:
        """Different couplings, in the order in which they were given, shape (n_kinds,)."""
        if isinstance(self.coupling, RandomBonds):
            return np.array(self.coupling.values)
        return np.array(list(dict.fromkeys(self._step_couplings)))

    @property
    def slot_couplings(self) -> npt.NDArray[np.float64]:
        """Coupling of the bond in each neighbour slot, shape (z,); RandomBonds: (n_sites, z)."""
        kinds = np.asarray(self.bonds.kinds)
        return np.where(kinds < 0, 0.0, self.couplings[kinds])

    @property
    def mean_coupling(self) -> float:
        """Mean coupling of the neighbour slots of a site."""
        if isinstance(self.coupling, float):  # a mean of equal numbers has a rounding error
            return self.coupling
        return float(self.slot_couplings.mean())

    @cached_property
    def bonds(self) -> Bonds:
        """Bonds by kind, one kind for each of the different ``couplings``."""
        if isinstance(self.coupling, RandomBonds):
            return Bonds(self.lattice, self.coupling.kinds)
        steps, different = self.lattice.forward_offsets, self.couplings.tolist()
        kinds = map(different.index, self._step_couplings)
        known = dict(zip(steps, kinds, strict=True))
        known |= {tuple(-each for each in step): kind for step, kind in known.items()}
        return Bonds(self.lattice, tuple(known[offset] for offset in self.lattice.offsets))

    def one_coupling(self, what: str = "this") -> float:
        """Return the coupling, if all bonds have the same.

        Parameters
        ----------
        what : str
            The purpose, for the error.

        Returns
        -------
        float
            J.

        Raises
        ------
        ValueError
            If the model has several couplings.
        """
        if not isinstance(self.coupling, float):
            raise ValueError(
                f"model must have one number as its coupling for {what}; got {self.coupling!r}"
            )
        return self.coupling

    def one_field(self, what: str = "this") -> float:
        """Return the field, if the model has only one.

        Parameters
        ----------
        what : str
            The purpose, for the error.

        Returns
        -------
        float
            In the units of the coupling.

        Raises
        ------
        ValueError
            If the model has several fields.
        """
        if not isinstance(self.field, float):
            raise ValueError(
                f"model must have one number as its field for {what}; got {list(self.field)} (take "
                "one of them at a time)"
            )
        return self.field

    def energy(self, spins: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Energy per site, in the units of J.

        Parameters
        ----------
        spins : array_like, shape (..., *lattice.shape)
            One configuration or several; a DataArray may have the dims of its sites anywhere.

        Returns
        -------
        ndarray, shape (...)
            One number for each configuration.

        Raises
        ------
        ValueError
            If `spins` has another shape, or holds values that are no spins of the model.
        """
        s = self._configurations(spins)
        bonds = np.zeros((*s.shape[: s.ndim - self.lattice.ndim], self.bonds.n_kinds), np.int64)
        kinds = np.asarray(self.bonds.kinds)
        for offset in self.lattice.forward_offsets:
            pairs = self._pairs(s, self._shifted(s, offset)) * self.lattice.begins(offset)
            own = kinds[..., self.lattice.offsets.index(offset)]
            if not self.bonds.by_site:
                bonds[..., own] += self._sites_sum(pairs)
                continue
            for kind in range(self.bonds.n_kinds):
                of_kind = (own == kind).reshape(self.lattice.shape)
                bonds[..., kind] += self._sites_sum(pairs * of_kind)
        if self.bonds.alike:
            bonds = bonds[..., 0]
        return self.energy_of_sums(bonds, self._total(s))

    def energy_of_sums(
        self, bonds: npt.NDArray[np.int64], spins: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Energy per site from the sums over bonds and over sites.

        Parameters
        ----------
        bonds : int64 ndarray, shape (...), or (..., n_kinds) with several couplings
            Sums over bonds; over those of each of the ``couplings``.
        spins : int64 ndarray, shape (...)
            Sums over sites.

        Returns
        -------
        ndarray, shape (...)
            In the units of the coupling.
        """
        field, n_sites = self.one_field("an energy"), self.lattice.n_sites
        if isinstance(self.coupling, float):
            return -(self.coupling * bonds + field * spins) / n_sites
        # no matrix product, because its rounding depends on the processor
        of_bonds = (self.couplings * bonds).sum(axis=-1)
        return np.asarray(-(of_bonds + field * spins) / n_sites)

    @abstractmethod
    def _pairs(self, own: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What pairs of spins add to the sum over bonds; 0 if `other` is missing."""

    @abstractmethod
    def _total(self, spins: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Sum over the sites that the field acts on."""

    @abstractmethod
    def check_spins(self, name: str, spins: npt.NDArray[Any]) -> None:
        """Refuse values that are no spins of the model.

        Parameters
        ----------
        name : str
            Of the argument, for the error.
        spins : ndarray
            Of any shape.

        Raises
        ------
        ValueError
            If a value is no spin.
        """

    @abstractmethod
    def states_of(self, spins: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """States of spins, indices into ``values``.

        Parameters
        ----------
        spins : ndarray
            Of any shape.

        Returns
        -------
        uint8 ndarray
            Of the same shape.
        """

    @abstractmethod
    def named_sums(self, sums: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
        """Names for what the kernels measure, as ``isingrl.engines.engine.Engine.record`` has them.

        Parameters
        ----------
        sums : int64 ndarray, shape (..., n_sums)
            Of ``isingrl.engines.kernels.sites.measure``.

        Returns
        -------
        dict of int64 ndarrays
        """

    @abstractmethod
    def order(self, sums: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
        """Measure of order per site.

        Parameters
        ----------
        sums : dict of ndarrays
            As ``named_sums`` returns them.

        Returns
        -------
        ndarray, shape (...)
        """

    def _configurations(self, spins: npt.ArrayLike) -> npt.NDArray[np.int64]:
        shape = self.lattice.shape
        s = np.asarray(site_axes("spins", spins, len(shape)))
        if s.shape[-len(shape) :] != shape:
            raise ValueError(f"spins must have shape (..., {shape}); got {s.shape}")
        self.check_spins("spins", s)
        return s.astype(np.int64)

    def _sites_sum(self, values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        sites = tuple(range(-self.lattice.ndim, 0))
        return np.asarray(values.sum(axis=sites))

    def _shifted(self, s: npt.NDArray[np.int64], offset: tuple[int, ...]) -> npt.NDArray[np.int64]:
        """Spin one `offset` away from every site; that of a missing one beyond a free boundary."""
        axes = range(-self.lattice.ndim, 0)
        for axis, step in zip(axes, offset, strict=True):
            s = np.roll(s, -step, axis=axis)
            if step and not self.lattice.periodic:
                edge = [slice(None)] * s.ndim
                edge[axis] = slice(-step, None) if step > 0 else slice(0, -step)
                s[tuple(edge)] = self.values[-1]
        return s


def check_model(model: Any) -> None:
    """Refuse what is no `Model`."""
    if not isinstance(model, Model):
        raise TypeError(f"model must be an Ising or a Potts model; got {model!r}")
