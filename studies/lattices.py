"""Critical temperatures on five lattices: of agents that see neighbours, and that see nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr

from analysis import plots, scaling, thermodynamics
from analysis.plots.styles import colors
from isingrl import IndependentQ, Ising, Learning, MeanFieldQ, simulate
from isingrl.support.validation import check_integer, check_real, check_run_length
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task
from studies.shared.checks import check_counts, check_names
from studies.shared.combination import by_point, concat, concat_all, prefixed, without_prefix
from studies.shared.critical import (
    KINDS,
    LANES,
    WINDOW,
    by_lattice,
    check_sides,
    rough_critical_temperature,
    sides_of,
    simulated,
    temperatures_near,
)
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import FloatArray, Grid, ascending_grid
from studies.shared.weiss import mean_weiss_temperature, weiss_temperature

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Lattices"]

_AGENTS = MeanFieldQ.name
_BLIND = "independent_"  # before the names of what independent Q measures
_LEARNING_COST = 150  # of one site update by agents that learn, compared with one on lanes
_TEMPERATURE_UNITS = "J/k_B"
_FITTED = ("chi_square", "degrees_of_freedom", "goodness_of_fit", "first_size")
_MARKERS = "osD^v"


@dataclass(frozen=True)
class Lattices:
    """Critical temperatures of agents on lattices with three to eight neighbours.

    Mean-field Q sees its neighbours and is compared with the exact value or the literature.
    Independent Q sees nothing and is compared with Weiss's z J/k_B, which depends on the number
    of neighbours z alone.
    """

    lattices: tuple[str, ...] = tuple(KINDS)
    """Names of lattices."""
    sizes: tuple[int, ...] = (8, 12, 16, 24, 32, 40)
    """Sides of the two-dimensional lattices for mean-field Q, four or more different even
    numbers."""
    cubic_sizes: tuple[int, ...] = (6, 8, 12, 16, 24, 32)
    """Sides of the three-dimensional lattice; as many as of the others, if both kinds are used."""
    draws: int = 10_000
    """Draws of each chain of mean-field Q. All four temperatures of a size together have 64 chains.
    A draw follows the one before after L^2.17 sweeps (L^2.02 in three dimensions), about a
    relaxation time."""
    updates: float = 8e11
    """Most updates of sites by mean-field Q for one size. The honeycomb lattice, whose updates cost
    more, makes a fortieth. Where this is not enough, draws follow one another faster."""
    training_sweeps: int = 200
    """Learning sweeps of mean-field Q before the measurement."""
    independent_sides: tuple[int, int] = (64, 16)
    """Side of the two-dimensional lattices and of the three-dimensional one for independent Q, two
    even numbers."""
    reduced_temperature: Grid = (0.6, 0.9, 4)
    """First and last temperature of independent Q in units of zJ/k_B, below 1, and how many."""
    memory: float = 20.0
    """Memory of the action values of independent Q in sweeps: the learning rate is
    1 / (memory × sites)."""
    sweeps: int = 10_000
    """Measured sweeps a chain of independent Q, which goes on learning."""
    thermalization: int = 4_000
    """Learning sweeps a chain of independent Q before the first measured one."""
    chains: int = 4
    """Independent chains of independent Q at every temperature."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = dict.fromkeys(
        ("lattices", "sizes", "cubic_sizes"), added
    )

    @property
    def reduced_temperatures(self) -> FloatArray:
        """Temperatures of independent Q in units of zJ/k_B, shape (number,)."""
        return ascending_grid("reduced_temperature", self.reduced_temperature, 1)

    def sides(self, lattice: str) -> tuple[int, ...]:
        """Sides of a lattice for mean-field Q, ascending."""
        return sides_of(lattice, self.sizes, self.cubic_sizes)

    def interval(self, lattice: str, side: int) -> int:
        """Sweeps of mean-field Q from one draw to the next."""
        return KINDS[lattice].interval(_AGENTS, side, self.draws, self.updates)

    def independent_model(self, lattice: str) -> Ising:
        """Return the ferromagnet on which independent Q learns."""
        kind = KINDS[lattice]
        return kind.model(self.independent_sides[kind.ndim == 3])

    def tasks(self) -> list[Task]:
        """One task for every lattice and size of mean-field Q; one a lattice of independent Q."""
        self._check()
        alone, tasks = unextended(self), []
        for lattice in self.lattices:
            kind = KINDS[lattice]
            tasks += [
                Task(
                    key=_key(lattice, side),
                    function=measure,
                    arguments={"config": alone, "lattice": lattice, "side": side},
                    weight=self.interval(lattice, side) * side**kind.ndim * kind.cost,
                    resumable=True,
                )
                for side in self.sides(lattice)
            ]
            runs = self.chains * len(self.reduced_temperatures) * self.sweeps
            n_sites = self.independent_model(lattice).lattice.n_sites
            tasks.append(
                Task(
                    key=_independent_key(lattice),
                    function=measure_independent,
                    arguments={"config": alone, "lattice": lattice},
                    weight=max(1, runs * n_sites * _LEARNING_COST // (self.draws * LANES)),
                    resumable=True,
                )
            )
        return tasks

    def _check(self) -> None:
        """Refuse a bad configuration before any work."""
        check_names("lattices", self.lattices, tuple(KINDS))
        check_sides(self.lattices, self.sizes, self.cubic_sizes)
        check_real("updates", self.updates, minimum=1.0)
        check_counts(self, draws=60, training_sweeps=1, seed=0)
        for side in self.independent_sides:
            check_integer("independent_sides: each", side, 2)
        if len(self.independent_sides) != 2 or any(side % 2 for side in self.independent_sides):
            raise ValueError(
                f"independent_sides must be two even sides; got {self.independent_sides}"
            )
        if self.reduced_temperatures[-1] >= 1:
            raise ValueError(
                "reduced_temperature must lie below 1, where Weiss's theory has order; got "
                f"{self.reduced_temperatures[-1]:g}"
            )
        check_real("memory", self.memory, minimum=1.0)
        check_run_length(self.sweeps, self.thermalization, 1, self.chains)

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join mean-field Q over (lattice, level, point, chain, draw), sizes by level.

        What independent Q measures has names, and dims but ``lattice``, that begin with
        ``independent_``.
        """
        seeing = by_lattice(
            {
                lattice: concat_all(results, partial(_key, lattice), level=self.sides(lattice))
                for lattice in self.lattices
            }
        ).drop_vars("method")
        blind = by_lattice(
            {lattice: results[_independent_key(lattice)] for lattice in self.lattices}
        ).drop_vars("method")
        parts = [seeing, prefixed(blind, _BLIND, "lattice")]
        return xr.merge(parts, combine_attrs="drop_conflicts", join="exact", compat="equals")

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Critical temperatures of mean-field Q, Weiss temperatures of independent Q."""
        blind = without_prefix(data, _BLIND, "lattice")
        seeing = data.drop_vars([name for name in data.variables if str(name).startswith(_BLIND)])
        rows = [
            xr.merge(
                [
                    _critical(seeing.sel(lattice=lattice), str(lattice)),
                    self._blind(blind.sel(lattice=lattice)),
                ],
                join="exact",
                compat="equals",
            ).assign(_known(str(lattice)))
            for lattice in data["lattice"].values
        ]
        return concat(rows, "lattice").assign_coords(lattice=data["lattice"].values)

    def _blind(self, data: xr.Dataset) -> xr.Dataset:
        """Weiss temperature of each run of independent Q, and their mean with weights."""
        each = weiss_temperature(thermodynamics(data.swap_dims(point="temperature")))
        found = each.rename({name: f"single_{name}" for name in each.data_vars})
        found = by_point(found).rename_dims(point="reduced_temperature").reset_coords(drop=True)
        found = found.drop_vars("temperature")
        label = {"long_name": "in units of Weiss's critical temperature", "units": "zJ/k_B"}
        found = found.assign_coords(
            reduced_temperature=("reduced_temperature", self.reduced_temperatures, label)
        )
        return found.assign(mean_weiss_temperature(each))

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw both temperatures against z, and how far they are from the known values."""
        figure = new_figure(figsize=(10.0, 5.8), layout="constrained")
        parts: Any = figure.subfigures(1, 2, width_ratios=(1.0, 1.15))
        left = parts[0].subplots()
        top, bottom = parts[1].subplots(2, 1)
        _draw_temperatures(left, summary)
        _draw_deviations(top, summary)
        _draw_single(bottom, summary)
        legend_below(parts[0], [left], 2)
        legend_below(parts[1], [bottom], 5, handletextpad=0.2, columnspacing=1.0)
        figure.suptitle("Where agents order, on lattices with z neighbours")
        return figure


def _key(lattice: str, side: int) -> str:
    return f"{lattice}, {_AGENTS}, L = {side}"


def _independent_key(lattice: str) -> str:
    return f"{lattice}, {IndependentQ.name}"


def measure(
    config: Lattices,
    lattice: str,
    side: int,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate mean-field Q on one lattice around its own rough critical temperature."""
    centre = rough_critical_temperature(lattice, _AGENTS, config.training_sweeps, config.seed)
    data = simulated(
        lattice, _AGENTS, side, temperatures_near(centre, lattice, side, WINDOW),
        config.draws, config.interval(lattice, side),
        training_sweeps=config.training_sweeps, seed=seed, folder=folder, progress=progress,
    )  # fmt: skip
    return by_point(data).assign_coords(size=side)


def measure_independent(
    config: Lattices,
    lattice: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate independent Q, which learns while it is measured, at all its temperatures."""
    model = config.independent_model(lattice)
    agent = IndependentQ(learning_rate=1 / (config.memory * model.lattice.n_sites))
    temperature = model.lattice.coordination_number * config.reduced_temperatures
    data = simulate(
        model, Learning(agent), temperature, sweeps=config.sweeps,
        thermalization=config.thermalization, chains=config.chains, start="up", seed=seed,
        out=folder and folder / "run", progress=progress,
    )  # fmt: skip
    data.attrs = {"versions": data.attrs["versions"]}
    data = data[["energy", "magnetization"]].drop_vars("softmax_temperature", errors="ignore")
    return by_point(data)


def _critical(data: xr.Dataset, lattice: str) -> xr.Dataset:
    """Critical temperature of mean-field Q on one lattice, and how well the fit holds."""
    sized = data.drop_vars("lattice").swap_dims(level="size")
    fit = scaling.critical_point(sized, correction=KINDS[lattice].correction)
    ends = ("", "_error", "_systematic")
    return fit[[*(f"critical_temperature{end}" for end in ends), *_FITTED]].reset_coords(drop=True)


def _known(lattice: str) -> dict[str, xr.Variable]:
    kind = KINDS[lattice]
    label = {"long_name": "exact critical temperature, or the literature"}
    return {
        "coordination_number": xr.Variable(
            (), kind.coordination_number, {"long_name": "number of neighbours", "units": "1"}
        ),
        "known_temperature": xr.Variable(
            (), kind.critical_temperature, label | {"units": _TEMPERATURE_UNITS}
        ),
    }


def _errors(summary: xr.Dataset) -> dict[str, tuple[FloatArray, FloatArray, FloatArray]]:
    """Temperature where agents order, its error, and the known value, by method."""
    value, *errors = (
        summary[f"critical_temperature{end}"].values for end in ("", "_error", "_systematic")
    )
    weiss, error = (summary[f"weiss_temperature{end}"].values for end in ("", "_error"))
    return {
        _AGENTS: (value, np.hypot(*errors), summary["known_temperature"].values),
        IndependentQ.name: (weiss, error, summary["coordination_number"].values),
    }


def _style(method: str) -> dict[str, Any]:
    return plots.method_style(method) | {"ls": "none", "capsize": 3.0, "elinewidth": 0.9}


def _draw_temperatures(ax: Axes, summary: xr.Dataset) -> None:
    """Draw temperatures against z, with the names of the lattices and their known T_c / z."""
    z = summary["coordination_number"].values
    ends = np.array([z.min() - 0.5, z.max() + 2.2])
    ax.plot(ends, ends, color="0.35", lw=1.0, ls="-.", label=r"Weiss, $zJ/k_\mathrm{B}$")
    for method, (value, error, _) in _errors(summary).items():
        aside = _aside(z) if method == IndependentQ.name else 0.0
        ax.errorbar(z + aside, value, error, label=plots.method_label(method), **_style(method))
    known = summary["known_temperature"].values
    ax.plot(z, known, ls="none", marker="_", ms=18.0, color="0.35", label="exact, or literature")
    for x, y, name in zip(z, known, summary["lattice"].values, strict=True):
        ax.annotate(
            f"{name}, {y / x:.3f}$\\,z$", (x, y), xytext=(7, -13), textcoords="offset points",
            fontsize=9,
        )  # fmt: skip
    ax.set(xlim=tuple(ends), ylim=(0, None), xticks=range(z.min(), z.max() + 1))
    ax.set_xlabel("number of neighbours z")
    ax.set_ylabel(r"temperature where order ends ($J/k_\mathrm{B}$)")


def _aside(z: FloatArray) -> FloatArray:
    """Shifts that keep lattices with equally many neighbours apart."""
    equal = z[:, None] == z
    rank = np.tril(equal, -1).sum(1)
    return np.asarray(0.2 * (rank - (equal.sum(1) - 1) / 2))


def _draw_deviations(ax: Axes, summary: xr.Dataset) -> None:
    """Draw relative deviations of both kinds of agents from what is known."""
    places = np.arange(summary.sizes["lattice"])
    for side, (method, (value, error, known)) in zip(
        (-1, 1), _errors(summary).items(), strict=True
    ):
        ax.errorbar(
            places + 0.08 * side, 1e4 * (value / known - 1), 1e4 * error / known, **_style(method)
        )
    ax.axhline(0.0, color="0.55", lw=0.9, ls=":")
    ax.set_xticks(places, [str(name) for name in summary["lattice"].values])
    ax.set(xlim=(-0.5, places[-1] + 0.5), ylabel="relative deviation ($10^{-4}$)")
    ax.set_title("mean-field Q from exact, independent Q from Weiss", fontsize=10)


def _draw_single(ax: Axes, summary: xr.Dataset) -> None:
    """Draw deviations of the Weiss temperature from zJ at every temperature."""
    number = summary.sizes["lattice"]
    reduced = summary["reduced_temperature"].values
    step = 0.08 * (reduced[-1] - reduced[0] or 0.1) / number
    for k, color in enumerate(colors(number)):
        at = summary.isel(lattice=k)
        z = at["coordination_number"].item()
        value, error = (at[f"single_weiss_temperature{end}"].values for end in ("", "_error"))
        ax.errorbar(
            reduced + step * (k - (number - 1) / 2), 1e4 * (value / z - 1), 1e4 * error / z,
            color=color, marker=_MARKERS[k % len(_MARKERS)], ms=4.5, markerfacecolor="none",
            ls="none", elinewidth=0.9, label=str(at["lattice"].item()),
        )  # fmt: skip
    ax.axhline(0.0, color="0.55", lw=0.9, ls=":")
    ax.set(xticks=reduced, ylabel="relative deviation ($10^{-4}$)")
    ax.set_xlabel(r"temperature $T$ ($zJ/k_\mathrm{B}$)")
    ax.set_title(r"independent Q: $T\,\mathrm{artanh}(m)/m$ from $zJ/k_\mathrm{B}$", fontsize=10)
