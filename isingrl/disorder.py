"""Bonds that differ from site to site: ±J, dilution, and couplings of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.lattice import Lattice
from isingrl.support.archives import digest_of
from isingrl.support.validation import check_integer, check_real

__all__ = ["RandomBonds", "random_bonds"]

_ROUNDING = 1e-9  # of a sum of shares
_MOST = 127  # different couplings


@dataclass(frozen=True, eq=False, repr=False)
class RandomBonds:
    """A coupling for every bond of a lattice; two are equal if all their couplings are.

    Attributes
    ----------
    lattice : Lattice
    couplings : float64 ndarray, shape (n_steps, *lattice.shape)
        Of the bond that begins at a site along each of ``lattice.forward_offsets``; 0 where none
        begins.

    Raises
    ------
    ValueError
        If the couplings have another shape, are not finite, or all are 0.

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> ring = irl.Lattice(4)
    >>> bonds = irl.RandomBonds(ring, np.array([[1.0, -1.0, 0.0, 1.0]]))
    >>> bonds
    <RandomBonds on 4 sites: 2 of 1.0, 1 of -1.0>
    >>> irl.Ising(ring, bonds).energy([1, 1, 1, 1]).item()
    -0.25
    """

    lattice: Lattice
    couplings: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        steps = self.lattice.forward_offsets
        given = np.asarray(self.couplings, dtype=np.float64)
        shape = (len(steps), *self.lattice.shape)
        if given.shape != shape:
            raise ValueError(
                f"couplings must have the shape {shape}, one array for each of the steps {steps}; "
                f"got {given.shape}"
            )
        if not np.isfinite(given).all():
            raise ValueError(f"couplings must be finite; got {given[~np.isfinite(given)][0]}")
        own = np.where([self._begins(step) for step in steps], given, 0.0)
        own.setflags(write=False)
        object.__setattr__(self, "couplings", own)
        if not 0 < len(self.values) <= _MOST:
            raise ValueError(
                f"couplings must have 1 to {_MOST} different values beside 0; got "
                f"{len(self.values)}"
            )

    def _begins(self, step: tuple[int, ...]) -> npt.NDArray[np.bool_]:
        """Sites with a bond along a step."""
        lattice = self.lattice
        ends = lattice.neighbors[:, lattice.offsets.index(step)]
        return np.asarray(lattice.begins(step) & (ends < lattice.n_sites).reshape(lattice.shape))

    @cached_property
    def values(self) -> tuple[float, ...]:
        """Different couplings, without 0, largest first."""
        found = np.unique(self.couplings)[::-1]
        return tuple(found[found != 0].tolist())

    @cached_property
    def kinds(self) -> npt.NDArray[np.int8]:
        """Place in `values` of the bond in each neighbour slot, -1 for none, (n_sites, z)."""
        lattice = self.lattice
        n, z = lattice.neighbors.shape
        of_bonds = np.full(self.couplings.shape, -1, dtype=np.int8)
        for kind, value in enumerate(self.values):
            of_bonds[self.couplings == value] = kind
        kinds = np.full((n, z), -1, dtype=np.int8)
        for step, own in zip(lattice.forward_offsets, of_bonds.reshape(-1, n), strict=True):
            ahead = lattice.offsets.index(step)
            opposite = tuple(-each for each in step)
            # the odd neighbour of the honeycomb lattice is in the same slot of both ends
            back = lattice.offsets.index(opposite) if opposite in lattice.offsets else ahead
            there = own >= 0
            kinds[there, ahead] = own[there]
            kinds[lattice.neighbors[there, ahead], back] = own[there]
        return kinds

    @property
    def digest(self) -> str:
        """Text that tells these couplings from others."""
        return digest_of({"couplings": self.couplings})

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, RandomBonds)
            and self.lattice == other.lattice
            and np.array_equal(self.couplings, other.couplings)
        )

    def __hash__(self) -> int:
        return hash((self.lattice, self.couplings.tobytes()))

    def __repr__(self) -> str:
        sides = " × ".join(map(str, self.lattice.shape))
        numbers = ", ".join(f"{(self.couplings == each).sum()} of {each}" for each in self.values)
        return f"<RandomBonds on {sides} sites: {numbers}>"


def random_bonds(
    lattice: Lattice,
    values: Sequence[float],
    share: Sequence[float] | None = None,
    *,
    seed: int,
) -> RandomBonds:
    """Draw the coupling of every bond by itself, for `isingrl.Ising`.

    Parameters
    ----------
    lattice : Lattice
        The sites and their neighbours.
    values : sequence of float
        Different couplings: ``(1.0, -1.0)`` for a ±J glass, ``(1.0, 0.0)`` for a diluted magnet.
    share : sequence of float, optional
        Probability of each of the values; equal ones if omitted. They add up to 1.
    seed : int
        The same seed gives the same bonds.

    Returns
    -------
    RandomBonds

    Raises
    ------
    TypeError, ValueError
        If `lattice` is no `Lattice`, the values are not finite or not different, the shares are not
        as many, negative, or do not add up to 1, or all bonds that were drawn are 0.

    References
    ----------
    S. F. Edwards, P. W. Anderson, "Theory of spin glasses", J. Phys. F 5, 965 (1975).

    Examples
    --------
    >>> import isingrl as irl
    >>> lattice = irl.Lattice((16, 16))
    >>> glass = irl.Ising(lattice, irl.random_bonds(lattice, (1.0, -1.0), seed=1))
    >>> glass.couplings.tolist(), glass.coupling.couplings.shape
    ([1.0, -1.0], (2, 16, 16))
    >>> data = irl.simulate(glass, irl.HeatBath(), 1.0, sweeps=10, seed=2)
    >>> data.bond_energy.sizes["bond_coupling"], data.bond.dims
    (2, ('step', 'x', 'y'))
    """
    if not isinstance(lattice, Lattice):
        raise TypeError(f"lattice must be a Lattice; got {lattice!r}")
    chosen = _numbers("values", values)
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"values must be different; got {chosen}")
    shares = [1 / len(chosen)] * len(chosen) if share is None else _numbers("share", share)
    if len(shares) != len(chosen):
        raise ValueError(f"share must be {len(chosen)} numbers, one a value; got {len(shares)}")
    if min(shares) < 0 or abs(sum(shares) - 1) > _ROUNDING:
        raise ValueError(f"share must be numbers of at least 0 that add up to 1; got {shares}")
    generator = np.random.Generator(np.random.Philox(check_integer("seed", seed, 0)))
    shape = (len(lattice.forward_offsets), *lattice.shape)
    drawn = np.searchsorted(np.cumsum(shares)[:-1], generator.random(shape), side="right")
    return RandomBonds(lattice, np.array(chosen)[drawn])


def _numbers(name: str, given: Any) -> list[float]:
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | np.ndarray):
        raise TypeError(f"{name} must be a sequence of numbers; got {given!r}")
    if not len(given):
        raise ValueError(f"{name} must hold at least one number; got an empty sequence")
    return [check_real(f"{name}: each", each) for each in given]
