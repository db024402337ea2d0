"""The protocol of engines, and the engine for a table."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from isingrl.engines.lane_bonds import lane_tables
from isingrl.engines.lanes import LaneEngine
from isingrl.engines.sites import SiteEngine
from isingrl.spin_model import Model
from isingrl.tables import Table


class Engine(Protocol):
    """Sweeps the spins of all chains, and measures them."""

    updates_a_call: float
    """Site updates in about a tenth of a second, after which `simulate` can be interrupted."""

    def sweep(self, sweeps: int) -> None:
        """Make `sweeps` sweeps of every chain."""

    def record(self, draws: int, interval: int) -> dict[str, npt.NDArray[Any]]:
        """Measure `draws` times, after `interval` sweeps each.

        Returns
        -------
        dict of int64 or float64 arrays, shape (n_chains, draws)
            ``bonds``, sums over bonds, along one more axis over ``model.couplings`` if these are
            several; ``totals``, sums over the sites that the field acts on; of a `Potts` model
            ``state_share``, the sites in each state along one more axis; and any further sums over
            sites. Each further sum, divided by the number of sites, becomes the variable of its
            name in the Dataset. What `Dynamics.undivided` names is no sum over sites, and becomes a
            variable as it is; it may have one more axis, over the bins of
            `isingrl.coordinates.size_edges`.
        """

    def spins(self, chain: int) -> npt.NDArray[Any]:
        """Spins of one chain, shape (*lattice.shape)."""

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Copies of everything that the next sweeps depend on, by name."""

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Set the engine to a `state`."""


@runtime_checkable
class SettlingEngine(Engine, Protocol):
    """Engine that sets parameters of its sweeps by what it meets in the thermalization."""

    def settle(self) -> None:
        """End the thermalization: keep the parameters. Later calls have no effect."""

    def settled(self) -> dict[str, npt.NDArray[np.int64]]:
        """Return the parameters that it keeps, by name.

        Returns
        -------
        dict of int64 arrays, shape (n_chains,)
            Each becomes a variable of the Dataset.
        """


def table_engine(
    model: Model,
    table: Table,
    start: str | npt.NDArray[Any],
    schedule: str,
    seed: np.random.SeedSequence,
) -> Engine:
    """Make the engine for a table: bit lanes if they hold the model, else bytes."""
    table = table.for_schedule(model.lattice, schedule)
    lanes = lane_tables(model, table, schedule)
    if lanes is not None:
        synchronous = schedule == "synchronous"
        return LaneEngine(model.lattice, lanes, start, synchronous=synchronous, seed=seed)
    return SiteEngine(model, table, start, schedule=schedule, seed=seed)


def on_device(engine: Engine, device: str) -> Engine:
    """Return an engine that has made no sweep on "cpu", or its like on "cuda"."""
    if device == "cpu":
        return engine
    if type(engine) is not LaneEngine:
        raise ValueError(
            "device must be 'cpu' for this run; a GPU takes rules and policies on Ising models "
            "with one coupling or ±J, on periodic lattices whose last side is even, updated by "
            "sublattices or all at once"
        )
    from isingrl.engines.cuda_lanes import CudaLaneEngine

    return CudaLaneEngine(engine)
