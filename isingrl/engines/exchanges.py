"""Exchanges of a tempered run: which walker is at which temperature."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from isingrl.spin_model import Model

IntArray = npt.NDArray[np.int64]


class Events(NamedTuple):
    """Times at which a run is measured, because of a draw or of an exchange after it.

    Attributes
    ----------
    gaps : int64 ndarray, shape (n_events,)
        Sweeps before each.
    first : int64 ndarray, shape (n_events,)
        First pair of the exchange, 0 or 1, or -1 for none.
    drawn : bool ndarray, shape (n_events,)
        Whether it is a draw.
    """

    gaps: IntArray
    first: IntArray
    drawn: npt.NDArray[np.bool_]


class Exchanges:
    """Walkers at the places of a run, and the exchanges between neighbouring temperatures.

    Places are the chains of `isingrl.simulate`, ordered by temperature, field and chain. Each
    walker begins at the place of its number.

    Attributes
    ----------
    walkers : int64 ndarray, shape (n_places,)
        The walker at each place.
    random : uint64 ndarray, shape (4,)
        Generator of the exchanges.
    """

    def __init__(
        self,
        model: Model,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        seed: np.random.SeedSequence,
    ) -> None:
        fields = [each.one_field() for each in model.each_field]
        self.n_ladders = len(fields) * chains
        places = np.arange(len(temperatures) * self.n_ladders, dtype=np.int64)
        order = np.argsort(temperatures)
        self._ladders = np.ascontiguousarray(places.reshape(len(temperatures), -1)[order].T)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            self._gaps = -np.diff(1 / temperatures[order])
        self._couplings, self._fields = model.couplings, np.repeat(fields, chains)
        self.walkers = places
        # a stream beside that of the sweeps, which begins at the seed
        generator = np.random.Generator(np.random.Philox(seed).jumped())
        self.random = generator.integers(0, 2**64, size=4, dtype=np.uint64)

    @property
    def in_field(self) -> bool:
        """Whether energies depend on the sums of spins."""
        return bool(self._fields.any())

    @property
    def tables(self) -> IntArray:
        """Place of each walker, which names its table."""
        return np.argsort(self.walkers)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """As `isingrl.engines.kernels.tempering.exchange` takes them."""
        return (
            self._ladders, self._gaps, self._couplings, self._fields, self.walkers, self.random,
        )  # fmt: skip
