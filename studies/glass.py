"""Glasses of random bonds ±J: overlaps, ground states, and what agents find on the same bonds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr

from analysis import ShortRunWarning, exact, overlaps
from analysis.errors import jackknife
from isingrl import (
    Agent,
    Ising,
    Lattice,
    MeanFieldQ,
    Metropolis,
    NeighborhoodQ,
    Tempering,
    random_bonds,
    simulate,
)
from isingrl.support.validation import check_integer
from studies import _glass_figure as drawing
from studies import _glass_summary as reduction
from studies._glass_summary import DIMENSIONS, EACH, ONE, OWN, PREFIXES, QUENCHED, WINDOWS
from studies.running.extensions import Join, added, longer, unextended
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts
from studies.shared.combination import concat, concat_all, prefixed
from studies.shared.grids import FloatArray, Grid, ascending_grid
from studies.shared.trained_policies import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Glass"]

# rewards of mean-field Q have noise, because they depend on which neighbours are up: learn means;
# those of neighborhood Q have none, so that one visit is enough
_AGENTS: dict[str, Callable[[], Agent]] = {
    ONE: lambda: MeanFieldQ(learning_rate=1e-9, falling_rate=True),
    OWN: lambda: MeanFieldQ(learning_rate=1e-9, falling_rate=True, shared=False),
    EACH: lambda: NeighborhoodQ(learning_rate=1.0, shared=False),
}
_REPLICAS = 2
_FEWEST = 400  # sweeps, so that each part of a run has some draws
_INTERVAL = 10  # sweeps between energies; overlaps are taken half as often
_COUNTED = {2: (5, 5), 3: (3, 3, 3)}  # shapes of the lattices that are enumerated, by dimensions
_SMALLEST = 3  # a shorter periodic side would have two bonds between the same sites
_BINS = 21  # an odd number, so that the middle one is around q = 0


@dataclass(frozen=True)
class Glass:
    """Overlaps and ground states of ±J glasses, and the energies that agents find on their bonds.

    The bonds of periodic square and simple cubic lattices are +J or -J, at random with equal
    shares. Parallel tempering samples two replicas of each realisation of bonds. Agents that see
    how many neighbours are up, with one table for all or one a site, and agents that see each
    neighbour run on the same bonds.
    """

    sizes: tuple[int, ...] = (6, 8, 12, 16)
    """Sides of the square lattices, two or more different numbers from 3."""
    cubic_sizes: tuple[int, ...] = (4, 6, 8)
    """Sides of the simple cubic lattices, two or more different numbers from 3."""
    realisations: int = 64
    """Realisations of bonds for each size."""
    temperature: Grid = (0.2, 2.0, 19)
    """First and last temperature of the square lattices in J/k_B, ascending, and how many."""
    cubic_temperature: Grid = (0.6, 1.8, 17)
    """First and last temperature of the cubic lattices in J/k_B, ascending, and how many."""
    sweeps: int = 20_000
    """Sweeps of each replica at every temperature. The second half is measured, and compared with
    the second quarter to see whether it is in equilibrium."""
    shown: tuple[float, float] = (0.5, 0.6)
    """Temperatures in J/k_B at which the distribution of the overlap is measured, on square and on
    cubic lattices; those of the grids that are nearest."""
    counted: int = 8
    """Realisations of bonds on 5×5 and 3×3×3 sites, for which all configurations are counted."""
    agents_sides: tuple[int, int] = (16, 6)
    """Sides of the square and of the cubic lattice of the agents, which are also sizes."""
    agents_realisations: int = 16
    """Realisations of bonds for agents, the first ones of tempering."""
    training_sweeps: int = 5_000
    """Learning sweeps of agents at every temperature before they run."""
    agents_sweeps: int = 2_000
    """Sweeps of agents at every temperature, of which the second half is measured."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {
        "sizes": added, "cubic_sizes": added, "realisations": longer,
    }  # fmt: skip

    def temperatures(self, ndim: int) -> FloatArray:
        """All temperatures in two or three dimensions, ascending, shape (number,)."""
        if ndim == 2:
            return ascending_grid("temperature", self.temperature, 2)
        return ascending_grid("cubic_temperature", self.cubic_temperature, 2)

    def sides(self, ndim: int) -> list[int]:
        """Sides of the lattices in two or three dimensions, ascending."""
        return sorted(self.sizes if ndim == 2 else self.cubic_sizes)

    def model(self, shape: tuple[int, ...], number: int) -> Ising:
        """Return a realisation of the glass, the same for all methods."""
        lattice = Lattice(shape)
        seed = task_seed(self.seed, f"bonds of {_key(shape, number)}")
        return Ising(lattice, random_bonds(lattice, (1.0, -1.0), seed=seed))

    def agents_shape(self, ndim: int) -> tuple[int, ...]:
        """Shape of the lattice of the agents."""
        return (self.agents_sides[ndim - 2],) * ndim

    def tasks(self) -> list[Task]:
        """One task for every realisation of a size and of the agents, two for counts."""
        self._check()
        alone, tasks = unextended(self), []

        def add(
            key: str, function: Callable[..., xr.Dataset], updates: float, **which: Any
        ) -> None:
            weight = max(1, int(updates / 1e6))
            tasks.append(Task(key, function, {"config": alone, **which}, weight, resumable=True))

        for ndim in DIMENSIONS:
            number = len(self.temperatures(ndim))
            a_site = number * _REPLICAS * self.sweeps
            for side in self.sides(ndim):
                shape = (side,) * ndim
                for k in range(self.realisations):
                    updates = a_site * side**ndim
                    add(_key(shape, k), measure, updates, shape=shape, number=k)
            shape = _COUNTED[ndim]
            updates = self.counted * a_site * prod(shape)
            add(_counted_key(ndim), measure_counted, updates, ndim=ndim)
            updates = (
                number
                * self.agents_sides[ndim - 2] ** ndim
                * (8 * self.training_sweeps + 5 * _REPLICAS * self.agents_sweeps)
            )
            for k in range(self.agents_realisations):
                add(_agents_key(ndim, k), measure_agents, updates, ndim=ndim, number=k)
        return tasks

    def _check(self) -> None:
        """Refuse a bad configuration before any work."""
        check_counts(
            self, realisations=2, sweeps=_FEWEST, counted=1, agents_realisations=2,
            training_sweeps=1, agents_sweeps=2 * _INTERVAL, seed=0,
        )  # fmt: skip
        fields = {2: ("sizes", "temperature"), 3: ("cubic_sizes", "cubic_temperature")}
        for ndim, (name, field) in fields.items():
            given = getattr(self, name)
            for each in given:
                check_integer(f"{name}: each", each, _SMALLEST)
            if len(set(given)) < max(2, len(given)):
                raise ValueError(f"{name} must be two or more different sides; got {given}")
            temperatures = self.temperatures(ndim)
            shown = self.shown[ndim - 2] if len(self.shown) == 2 else np.nan
            if not temperatures[0] <= shown <= temperatures[-1]:
                raise ValueError(
                    f"shown must be two temperatures within temperature and cubic_temperature; got "
                    f"{self.shown}, and {field} is {getattr(self, field)}"
                )
            sides = self.agents_sides
            if len(sides) != 2 or sides[ndim - 2] not in given:
                raise ValueError(
                    f"agents_sides must be one of sizes and one of cubic_sizes; got {sides}, and "
                    f"{name} are {given}"
                )
        if self.agents_realisations > self.realisations:
            raise ValueError(
                f"agents_realisations must be at most realisations, {self.realisations}; got "
                f"{self.agents_realisations}"
            )

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join all realisations; names begin with ``square_`` or ``cubic_``, but ``window``.

        Tempering has the dims (level, realisation, temperature, window), with sizes by ``level``,
        agents (method, trained, temperature), and counted lattices (counted, temperature).
        """
        parts = []
        for ndim in DIMENSIONS:
            sides = self.sides(ndim)
            tempered = concat_all(
                results, lambda side, k, ndim=ndim: _key((side,) * ndim, k),
                level=sides, realisation=range(self.realisations),
            )  # fmt: skip
            trained_ones = range(self.agents_realisations)
            agents = concat([results[_agents_key(ndim, k)] for k in trained_ones], "trained")
            part = xr.merge(
                [tempered.assign_coords(size=("level", sides)), agents,
                 results[_counted_key(ndim)]],
                combine_attrs="drop_conflicts", join="exact", compat="equals",
            )  # fmt: skip
            parts.append(prefixed(part, PREFIXES[ndim], "window"))
        return xr.merge(parts, combine_attrs="drop_conflicts", join="exact", compat="equals")

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Means over realisations with errors: overlaps, ground states, and energies of agents."""
        return reduction.summary(data, self.agents_sides)

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw P(q), its cumulant, energies of agents, and what they lack, in both dimensions."""
        return drawing.figure(summary)


def _key(shape: tuple[int, ...], number: int) -> str:
    return f"{'x'.join(map(str, shape))}, realisation {number + 1}"


def _counted_key(ndim: int) -> str:
    return f"counted, {'x'.join(map(str, _COUNTED[ndim]))}"


def _agents_key(ndim: int, number: int) -> str:
    return f"agents in {ndim} dimensions, realisation {number + 1}"


def measure(
    config: Glass,
    shape: tuple[int, ...],
    number: int,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Temper two replicas of one realisation."""
    data = _tempered(config, config.model(shape, number), seed, folder and folder / "run", progress)
    q = overlaps(data)["overlap"].isel(pair=0)
    n_sites = int(data["n_sites"])
    shown = q.sel(temperature=config.shown[len(shape) - 2], method="nearest")
    energy = data["energy"]
    kept = {
        "energy": _by_window(energy.mean("chain"), "draw"),
        "overlap_squared": _by_window(q**2, "snapshot"),
        "overlap_fourth": _by_window(q**4, "snapshot"),
        "overlap_density": _density(shown.values[shown.size // 2 :], n_sites),
        "lowest_energy": energy.min(["temperature", "draw"]).rename(chain="replica"),
    }
    found = xr.Dataset(kept, attrs={"versions": data.attrs["versions"]})
    names = [str(name) for name in found.coords if name not in ("temperature", "bin")]
    return found.drop_vars(names).assign_coords(
        window=list(WINDOWS), shown_temperature=shown["temperature"].item()
    )


def _tempered(
    config: Glass, model: Ising, seed: int, folder: Path | None, progress: bool
) -> xr.Dataset:
    return simulate(
        model, Tempering(Metropolis(), every=1), config.temperatures(model.lattice.ndim),
        sweeps=config.sweeps, interval=_INTERVAL, chains=_REPLICAS,
        snapshots=config.sweeps // (2 * _INTERVAL), seed=seed, out=folder, progress=progress,
    )  # fmt: skip


def _by_window(series: xr.DataArray, dim: str) -> xr.DataArray:
    """Means over windows of a run that double in length, the last of which is its second half."""
    n = series.sizes[dim]
    ends = [n // 2 ** (len(WINDOWS) - k) for k in range(len(WINDOWS) + 1)]
    means = [series.isel({dim: slice(a, b)}).mean(dim) for a, b in pairwise(ends)]
    return xr.concat(means, "window").transpose(..., "window")


def _density(q: FloatArray, n_sites: int) -> xr.DataArray:
    """Density of the overlap in bins from -1 to 1, of both signs together.

    Overlaps are multiples of 2/N. A bin counts as wide as the multiples in it, because some bins
    hold one more than others.
    """

    def counts(values: FloatArray) -> FloatArray:
        both = np.concatenate([values, -values])
        return np.histogram(both, bins=_BINS, range=(-1 - 1e-9, 1 + 1e-9))[0] / both.size

    possible = np.arange(-n_sites, n_sites + 1, 2) / n_sites
    width = counts(possible) * possible.size * 2 / n_sites
    density = np.divide(counts(q), width, out=np.zeros(_BINS), where=width > 0)
    middle = np.linspace(-1, 1, _BINS + 1)[:-1] + 1 / _BINS
    return xr.DataArray(density, {"bin": middle}, ("bin",))


def measure_counted(
    config: Glass,
    ndim: int,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Temper small lattices, and count all of their configurations."""
    found = []
    for number in range(config.counted):
        model = config.model(_COUNTED[ndim], number)
        own = folder and folder / f"run{number}"
        data = _tempered(config, model, task_seed(seed, f"{number}"), own, progress)
        temperature = data["temperature"].values
        with warnings.catch_warnings():  # an error is NaN where all draws are ground states
            warnings.simplefilter("ignore", ShortRunWarning)
            second_half = data["energy"].isel(draw=slice(data.sizes["draw"] // 2, None))
            measured = jackknife(second_half, lambda draws: draws.mean(["chain", "draw"]))
        known = exact.enumeration(model, [0.0, *temperature])["energy"].values
        along = {
            "counted_energy": measured["energy"].values,
            "counted_energy_error": measured["energy_error"].values,
            "exact_energy": known[1:],
        }
        each: dict[str, Any] = {name: ("temperature", value) for name, value in along.items()}
        each["counted_lowest"] = data["energy"].min().item()
        each["exact_lowest"] = known[0]
        found.append(xr.Dataset(each, {"temperature": temperature}))
    return concat(found, "counted")


def measure_agents(
    config: Glass,
    ndim: int,
    number: int,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Train agents on one realisation at all temperatures, and cool them, or start at random."""
    model, found = config.model(config.agents_shape(ndim), number), []
    falling = config.temperatures(ndim)[::-1]
    half = config.agents_sweeps // 2
    for name, agent in _AGENTS.items():
        part = name.replace(" ", "-")
        policy = trained(
            folder and folder / f"policy-{part}", model, agent(), falling,
            sweeps=config.training_sweeps, seed=task_seed(seed, f"learning, {name}"),
            progress=progress,
        )  # fmt: skip
        runs = {name: "temperature", QUENCHED: None} if name == EACH else {name: "temperature"}
        for method, ladder in runs.items():
            data = simulate(
                model, policy, sweeps=config.agents_sweeps - half, thermalization=half,
                interval=_INTERVAL, chains=_REPLICAS, ladder=ladder,
                seed=task_seed(seed, f"running, {method}"),
                out=folder and folder / f"run-{part}-{ladder}", progress=progress,
            )  # fmt: skip
            energy = data["energy"].mean(["chain", "draw"]).sortby("temperature")
            found.append(energy.drop_vars(set(energy.coords) - {"temperature"}))
    methods = [ONE, OWN, EACH, QUENCHED]
    together = xr.concat(found, xr.IndexVariable("method", methods))
    return together.rename("agents_energy").to_dataset()
