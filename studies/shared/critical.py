"""Runs near the critical temperature of a lattice, which a scan finds without prior knowledge."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import literature, scaling
from isingrl import Agent, Dynamics, Ising, Lattice, MeanFieldQ, SwendsenWang
from isingrl.lattice import HONEYCOMB, TRIANGULAR
from isingrl.support.validation import check_integer
from studies.running.tasks import task_seed
from studies.shared.combination import concat, numbered
from studies.shared.trained_policies import learn_and_simulate

METHODS: dict[str, Callable[[], Dynamics | Agent]] = {
    SwendsenWang.name: SwendsenWang,
    MeanFieldQ.name: MeanFieldQ,
}
WINDOW = (-0.7, -0.233, 0.233, 0.7)
"""Temperatures T of a size as ln(T/T_scan) L^(1/ν), with T_scan from the scan and a rough ν."""
LANES = 64
"""Chains at all temperatures of a size; they fill one block of the bit-lane engine."""
_SAMPLES = ("chain", "draw")
_CLUSTER_INTERVAL = 2  # sweeps; relaxation times of clusters hardly depend on the size
_CLUSTER_COST = 100  # of one site update by clusters, compared with one on lanes
_BYTE_COST = 40  # of one site update on the byte-site engine, compared with one on lanes
_SCANS = 16  # temperatures of the first scan
_SCANNED_DRAWS = 16  # in a relaxation time
_SECOND_SCAN = np.linspace(-0.06, 0.11, 16)  # of ln T; the cumulant falls below T_c
_THIRD_SCAN = np.linspace(-0.015, 0.015, 4)
_ORDERED = 0.6  # below this Binder cumulant the lattice counts as disordered
_SCANNED = (0.4, 1.0)  # of z J/k_B, Weiss's critical temperature, an upper bound


@dataclass(frozen=True)
class Kind:
    """A lattice, and assumptions on its critical point.

    Attributes
    ----------
    ndim, neighborhood
        Of the lattice.
    nu : float
        Rough exponent ν. Windows of temperature narrow with the size by it.
    relaxation_exponent : float
        A relaxation time of single spins is about L to this power, in sweeps.
    correction : float
        Exponent ω of the leading correction to scaling: in the plane of the regular part of the
        susceptibility, γ/ν; in three dimensions from Ferrenberg, Xu & Landau (2018).
    scanned_sizes : tuple of int
        Three sides for the scan; small where updates cost more.
    cost : int
        Of one site update by agents, compared with one on lanes.
    scanned_draws : tuple of int
        Draws of each chain for the two crossings of the scan; more where small sides are near each
        other.
    """

    ndim: int
    neighborhood: str
    nu: float
    relaxation_exponent: float
    correction: float
    scanned_sizes: tuple[int, int, int]
    cost: int = 1
    scanned_draws: tuple[int, int] = (1000, 2000)

    @property
    def coordination_number(self) -> int:
        """Number of neighbours z."""
        return self.model(4).lattice.coordination_number

    @property
    def critical_temperature(self) -> float:
        """Exact, or from the literature, in J/k_B."""
        known = literature.critical_temperature(self.ndim, self.neighborhood)
        assert known is not None  # of every lattice in KINDS
        return known

    def model(self, side: int) -> Ising:
        """Return the ferromagnet of this side."""
        return Ising(Lattice((side,) * self.ndim, self.neighborhood))

    def cost_of(self, method: str) -> int:
        """Cost of one site update by this method, compared with one on lanes."""
        return _CLUSTER_COST if method == SwendsenWang.name else self.cost

    def relaxation_time(self, method: str, side: int) -> float:
        """Sweeps after which draws are nearly independent."""
        if method == SwendsenWang.name:
            return _CLUSTER_INTERVAL
        return float(side**self.relaxation_exponent)

    def scan_interval(self, method: str, side: int) -> int:
        """Sweeps from one draw of a scan to the next."""
        return max(1, round(self.relaxation_time(method, side) / _SCANNED_DRAWS))

    def interval(self, method: str, side: int, draws: int, updates: float) -> int:
        """Sweeps from one draw to the next.

        Parameters
        ----------
        method : str
        side : int
        draws : int
            Of each of the 64 chains.
        updates : float
            Most site updates on lanes for this size; where one costs more, fewer.
        """
        affordable = updates / self.cost_of(method) / (draws * LANES * side**self.ndim)
        return max(1, int(min(self.relaxation_time(method, side), affordable)))


def _plane(neighborhood: str) -> Kind:
    return Kind(2, neighborhood, 1.0, 2.17, 1.75, (12, 24, 48))


KINDS = {
    "honeycomb": Kind(2, HONEYCOMB, 1.0, 2.17, 1.75, (8, 16, 24), _BYTE_COST, (4000, 2000)),
    "square": _plane("von_neumann"),
    "triangular": _plane(TRIANGULAR),
    "cubic": Kind(3, "von_neumann", 0.63, 2.02, 0.83, (8, 12, 24)),
    "Moore": _plane("moore"),
}
"""Lattices by name, with few neighbours first."""


def sides_of(lattice: str, sizes: Iterable[int], cubic_sizes: Iterable[int]) -> tuple[int, ...]:
    """Sides of a lattice, ascending."""
    return tuple(sorted(cubic_sizes if KINDS[lattice].ndim == 3 else sizes))


def check_even_sides(name: str, sides: tuple[int, ...], least: int) -> None:
    """Refuse sides of lattices, a field `name`, that are odd, alike, or fewer than `least`."""
    for side in sides:
        check_integer(f"{name}: each", side, 2)
    if len(set(sides)) < max(least, len(sides)) or any(side % 2 for side in sides):
        raise ValueError(f"{name} must be {least} or more different even sides; got {sides}")


def check_sides(
    lattices: Sequence[str], sizes: tuple[int, ...], cubic_sizes: tuple[int, ...], powers: int = 1
) -> None:
    """Check the fields `sizes` and `cubic_sizes`, sides of lattices of two and three dimensions.

    Parameters
    ----------
    lattices, sizes, cubic_sizes
        Of a study.
    powers : int
        As of `analysis.scaling.critical_point`, which needs 3 more sizes than this.

    Raises
    ------
    TypeError, ValueError
        If they are no different even numbers, too few, or not equally many though the lattices are
        of both kinds.
    """
    for name, sides in (("sizes", sizes), ("cubic_sizes", cubic_sizes)):
        check_even_sides(name, sides, 3 + powers)
    if len({len(sides_of(lattice, sizes, cubic_sizes)) for lattice in lattices}) > 1:
        raise ValueError(f"cubic_sizes must be as many as sizes, {len(sizes)}; got {cubic_sizes}")


def temperatures_near(
    centre: float, lattice: str, side: int, window: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Temperatures of a size around `centre`, by numbers as in `WINDOW`."""
    shifts = np.array(window) * side ** (-1 / KINDS[lattice].nu)
    return np.asarray(centre * np.exp(shifts))


def where_cumulant_falls(data: xr.Dataset, level: float) -> float:
    """Temperature at which the Binder cumulant of a run first falls through a level.

    Parameters
    ----------
    data : Dataset
        ``magnetization`` over (temperature, chain, draw), temperatures ascending.
    level : float
    """
    square, temperature = data["magnetization"] ** 2, data["temperature"].values
    cumulant = (1 - (square**2).mean(_SAMPLES) / (3 * square.mean(_SAMPLES) ** 2)).values
    falls = max(1, int(np.argmax(cumulant < level)))
    ends = slice(falls - 1, falls + 1)
    return float(np.interp(-level, -cumulant[ends], temperature[ends]))


@cache
def rough_critical_temperature(lattice: str, method: str, training_sweeps: int, seed: int) -> float:
    """Critical temperature of a method, within about a thousandth, without prior knowledge.

    First a scan up to Weiss's temperature finds where the Binder cumulant of a small lattice falls
    below its ordered value, 2/3. Then crossings with larger lattices are found nearby.

    Parameters
    ----------
    lattice, method : str
    training_sweeps : int
        Learning sweeps of agents.
    seed : int
        Seed of the study.
    """
    kind = KINDS[lattice]
    sizes = kind.scanned_sizes
    seed = task_seed(seed, f"{lattice}, {method}, scan")

    def scan(side: int, temperature: npt.NDArray[np.float64], n_draws: int) -> xr.Dataset:
        return simulated(
            lattice, method, side, temperature, n_draws, kind.scan_interval(method, side),
            training_sweeps=training_sweeps, seed=seed,
        )  # fmt: skip

    wide = kind.coordination_number * np.linspace(*_SCANNED, _SCANS)
    found = where_cumulant_falls(scan(sizes[0], wide, 200), _ORDERED)
    windows = zip((_SECOND_SCAN, _THIRD_SCAN), kind.scanned_draws, strict=True)
    for pair, (window, n_draws) in zip(itertools.pairwise(sizes), windows, strict=True):
        near = found * np.exp(window)
        runs = [scan(side, near, n_draws).assign_coords(size=side) for side in pair]
        crossing = scaling.binder_crossings(concat(runs, "size"))
        found = float(crossing["crossing_temperature"].item())
    return found


def simulated(
    lattice: str,
    method: str,
    side: int,
    temperature: npt.NDArray[np.float64],
    n_draws: int,
    interval: int,
    *,
    training_sweeps: int,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Train, if the method learns, and simulate; all temperatures together have 64 chains.

    Parameters
    ----------
    lattice, method : str
    side : int
    temperature : float array, shape (n,)
    n_draws : int
        Of each chain.
    interval : int
        Sweeps from one draw to the next.
    training_sweeps, seed, folder, progress
        As in `learn_and_simulate`.

    Returns
    -------
    Dataset
        ``energy`` and ``magnetization``, with numbered draws.
    """
    data, _ = learn_and_simulate(
        KINDS[lattice].model(side), METHODS[method](), temperature,
        training={"sweeps": training_sweeps},
        seed=seed, folder=folder, progress=progress, sweeps=n_draws * interval,
        thermalization=n_draws * interval // 10, interval=interval,
        chains=LANES // temperature.size, start="up",
    )  # fmt: skip
    data = data[["energy", "magnetization"]]
    return numbered(data.drop_vars("softmax_temperature", errors="ignore"))


def by_lattice(rows: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Join the data of lattices along ``lattice``; all keep their own temperatures and sizes."""
    first = next(iter(rows.values()))
    coordinates: list[Any] = [name for name in first.coords if name not in first.dims]
    data = concat([row.reset_coords() for row in rows.values()], "lattice")
    return data.set_coords(["temperature", *coordinates]).assign_coords(lattice=list(rows))
