"""Critical temperatures and exponents of three lattices: mean-field Q beside Metropolis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import plots, scaling
from analysis.literature import critical_exponents, critical_temperature
from isingrl import Ising, Lattice, MeanFieldQ
from isingrl.support.validation import check_integer
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts, check_names
from studies.shared.combination import by_point, concat, concat_all, numbered
from studies.shared.figures import legend_below, new_figure
from studies.shared.trained_policies import METHODS, learn_and_simulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS, _CHAINS = 16, 4  # 64 chains fill one block of the bit-lane engine
_SAMPLES = ("chain", "draw")
_DRAWS_A_TIME = 4  # draws in a relaxation time
_SCANNED_SIZES = (12, 24)
_ORDERED = 0.6  # below this Binder cumulant the lattice counts as disordered
_POINT_NAMES = {"maximum": r"maximum of $\chi$", "crossing": "crossing of $U$"}
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
        A relaxation time is about L to this power, in sweeps.
    window : pair of float
        First and last ln(T/T_c) L^(1/ν).
    correction : float
        Exponent ω of corrections to scaling. In the plane the regular part of the susceptibility
        gives γ/ν; in three dimensions it is the leading one (Ferrenberg, Xu & Landau 2018).
    """

    ndim: int
    neighborhood: str
    nu: float
    relaxation_exponent: float
    window: tuple[float, float]
    correction: float

    def exponent_of(self, points: str) -> float:
        """Power of 1/L by which the ``"maximum"`` or the ``"crossing"`` tends to T_c."""
        return 1 / self.nu + (self.correction if points == "crossing" else 0.0)

    def model(self, side: int) -> Ising:
        """Return the ferromagnet of this side."""
        return Ising(Lattice((side,) * self.ndim, self.neighborhood))


KINDS = {
    "square": Kind(2, "von_neumann", 1.0, 2.17, (-0.9, 1.6), 1.75),
    "Moore": Kind(2, "moore", 1.0, 2.17, (-0.9, 1.6), 1.75),
    "cubic": Kind(3, "von_neumann", 0.63, 2.02, (-1.0, 1.4), 0.83),
}


@dataclass(frozen=True)
class CriticalPoint:
    """Critical temperatures and exponents of the square, the Moore and the simple cubic lattice.

    Binder crossings, maxima of the susceptibility and data collapse, by mean-field Q and by
    Metropolis, with the literature beside them.
    """

    lattices: tuple[str, ...] = ("square", "Moore", "cubic")
    """Names of lattices."""
    sizes: tuple[int, ...] = (12, 16, 24, 32, 48)
    """Sides of the two-dimensional lattices, four or more different even numbers."""
    cubic_sizes: tuple[int, ...] = (6, 8, 12, 16, 24)
    """Sides of the three-dimensional lattice; as many as of the others, if both kinds are used."""
    relaxation_times: int = 500
    """Length of each of four chains at sixteen temperatures, in units of L^2.17 sweeps (L^2.02 in
    three dimensions), about the longest relaxation time. Thermalization takes a tenth more."""
    training_sweeps: int = 200
    """Learning sweeps of the agents before the measurement."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = dict.fromkeys(
        ("lattices", "sizes", "cubic_sizes"), added
    )

    def sides(self, lattice: str) -> tuple[int, ...]:
        """Sides of a lattice, ascending."""
        return tuple(sorted(self.cubic_sizes if KINDS[lattice].ndim == 3 else self.sizes))

    def tasks(self) -> list[Task]:
        """One task for every lattice, method and size."""
        self._check()
        alone = unextended(self)
        return [
            Task(
                key=_key(lattice, method, side),
                function=measure,
                arguments={"config": alone, "lattice": lattice, "method": method, "side": side},
                weight=max(1, int(side ** (KINDS[lattice].ndim + 2) / 1e4)),
                resumable=True,
            )
            for lattice in self.lattices
            for method in METHODS
            for side in self.sides(lattice)
        ]

    def _check(self) -> None:
        """Refuse a bad configuration before any work."""
        check_names("lattices", self.lattices, tuple(KINDS))
        for name in ("sizes", "cubic_sizes"):
            sides = getattr(self, name)
            for side in sides:
                check_integer(f"{name}: each", side, 2)
            # three or more crossings of successive sizes make an extrapolation with an error
            if len(set(sides)) < max(4, len(sides)) or any(side % 2 for side in sides):
                raise ValueError(f"{name} must be four or more different even sides; got {sides}")
        if len({len(self.sides(lattice)) for lattice in self.lattices}) > 1:
            raise ValueError(
                f"cubic_sizes must be as many as sizes, {len(self.sizes)}; got {self.cubic_sizes}"
            )
        check_counts(self, relaxation_times=5, training_sweeps=1, seed=0)

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join everything over (lattice, method, level, point, chain, draw); sizes by level."""
        rows = [
            concat_all(
                results, partial(_key, lattice), method=list(METHODS), level=self.sides(lattice)
            )
            for lattice in self.lattices
        ]
        coordinates = [name for name in rows[0].coords if name not in rows[0].dims]
        data = concat([row.reset_coords() for row in rows], "lattice")
        return data.set_coords(["temperature", *coordinates]).assign_coords(
            lattice=list(self.lattices)
        )

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Observables; crossings, maxima and their limits; exponents from the collapse."""
        rows = []
        for lattice in data["lattice"].values:
            chosen = data.sel(lattice=lattice)
            rows.append(
                concat(
                    [_analysed(chosen.sel({"method": each}), lattice) for each in METHODS], "method"
                )
            )
        return concat(rows, "lattice")

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw crossings, collapse and limits for every lattice, and the table of results."""
        number = summary.sizes["lattice"]
        table = 0.25 + 0.75 * number  # inches
        figure = new_figure(figsize=(3.9 * max(2, number), 15.0 + table), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(15.0, table))
        axes = parts[0].subplots(6, number, squeeze=False)
        for column, lattice in enumerate(summary["lattice"].values):
            _draw_column(axes[:, column], summary.sel(lattice=lattice))
        for ax in axes[:, 1:].flat:
            ax.set_ylabel("")
        legend_below(parts[0], axes[5], 2)
        _draw_table(parts[1].subplots(), summary)
        figure.suptitle("Critical points: curves and collapse by mean-field Q, limits by both")
        return figure


def _key(lattice: str, method: str, side: int) -> str:
    return f"{lattice}, {method}, L = {side}"


def measure(
    config: CriticalPoint,
    lattice: str,
    method: str,
    side: int,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate one method on one lattice around its own rough critical temperature."""
    kind = KINDS[lattice]
    centre = rough_critical_temperature(config, lattice, method)
    temperature = centre * np.exp(np.linspace(*kind.window, _POINTS) * side ** (-1 / kind.nu))
    interval = max(1, round(side**kind.relaxation_exponent / _DRAWS_A_TIME))
    n_draws = config.relaxation_times * _DRAWS_A_TIME
    data = _run(config, kind, method, side, temperature, n_draws, interval, seed, folder, progress)
    return by_point(data).assign_coords(size=side)


@cache
def rough_critical_temperature(config: CriticalPoint, lattice: str, method: str) -> float:
    """Critical temperature of a method, within about a hundredth, without prior knowledge.

    First a scan up to Weiss's temperature finds where the Binder cumulant of a small lattice falls
    below its ordered value, 2/3. Then the crossing with a larger lattice is found nearby.
    """
    kind = KINDS[lattice]
    small, large = _SCANNED_SIZES
    seed = task_seed(config.seed, f"{lattice}, {method}, scan")
    weiss = kind.model(small).lattice.coordination_number
    wide = weiss * np.linspace(*_SCANNED, 16)
    data = _run(config, kind, method, small, wide, 200, 5, seed)
    square = data["magnetization"] ** 2
    cumulant = 1 - (square**2).mean(_SAMPLES) / (3 * square.mean(_SAMPLES) ** 2)
    falls = int(np.argmax(cumulant.values < _ORDERED))
    ends = slice(falls - 1, falls + 1)
    edge = float(np.interp(-_ORDERED, -cumulant.values[ends], wide[ends]))
    near = edge * np.linspace(0.94, 1.12, _POINTS)
    runs = []
    for side in (small, large):
        interval = max(1, round(side**kind.relaxation_exponent / _DRAWS_A_TIME))
        data = _run(config, kind, method, side, near, 200, interval, seed)
        runs.append(data.assign_coords(size=side))
    crossing = scaling.binder_crossings(concat(runs, "size"))
    return float(crossing["crossing_temperature"].item())


def _run(
    config: CriticalPoint,
    kind: Kind,
    method: str,
    side: int,
    temperature: npt.NDArray[np.float64],
    n_draws: int,
    interval: int,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Train, if the method learns, and simulate."""
    data, _ = learn_and_simulate(
        kind.model(side), METHODS[method](), temperature,
        training={"sweeps": config.training_sweeps},
        seed=seed, folder=folder, progress=progress, sweeps=n_draws * interval,
        thermalization=n_draws * interval // 10, interval=interval, chains=_CHAINS, start="up",
    )  # fmt: skip
    return numbered(data.drop_vars("softmax_temperature", errors="ignore"))


def _analysed(data: xr.Dataset, lattice: str) -> xr.Dataset:
    """Observables, crossings, maxima, limits and collapse of one lattice and method."""
    kind = KINDS[lattice]
    sized = data.drop_vars(["lattice", "method"]).swap_dims(level="size")
    crossings = scaling.binder_crossings(sized)
    maxima = scaling.pseudo_critical_points(sized)
    maxima = maxima.drop_vars(["smallest_overlap", "goodness_of_fit"])
    found = scaling.observables(sized).drop_vars("n_sites")
    found = found.merge(maxima).swap_dims(size="level").reset_coords("size")
    pairs = crossings.drop_vars(["small", "large"]).rename(size="pair_size")
    pairs = pairs[[name for name in pairs if str(name).startswith("crossing_")]]
    found = found.merge(pairs.swap_dims(pair_size="pair").reset_coords("pair_size"))
    for name, points, variable in (
        ("crossing", crossings, "crossing_temperature"),
        ("maximum", maxima, "pseudo_critical_temperature"),
    ):
        values, error = points[variable], points[f"{variable}_error"]
        limit = scaling.extrapolate(values, error, kind.exponent_of(name))
        found = found.merge(limit.rename({str(each): f"{name}_{each}" for each in limit}))
    fit = scaling.collapse(sized, correction=kind.correction)
    found = found.merge(fit.reset_coords(drop=True)).set_coords(["size", "temperature"])
    return found.assign_coords(lattice=lattice, method=data["method"].item())


def _draw_column(axes: npt.NDArray[Any], summary: xr.Dataset) -> None:
    """Draw crossings, collapse and limits of one lattice."""
    lattice = str(summary["lattice"].item())
    kind = KINDS[lattice]
    agents = summary.sel({"method": MeanFieldQ.name})
    shown = agents.drop_dims("pair").swap_dims(level="size")
    plots.sizes(shown, "binder_cumulant", axes[0])
    axes[0].set_title(f"{lattice} lattice")
    axes[0].legend(fontsize=7, frameon=False)
    for ax, name in zip(
        axes[1:4], ("binder_cumulant", "abs_magnetization", "susceptibility"), strict=True
    ):
        plots.collapse(shown, agents, name, ax)
    for ax, points in zip(axes[4:], _POINT_NAMES, strict=True):
        for method in summary["method"].values:
            _draw_limits(ax, summary.sel({"method": method}), points, kind.exponent_of(points))
    known = critical_temperature(kind.ndim, kind.neighborhood)
    if known is not None:
        plots.critical_temperature(axes[0], known)
        for ax in axes[4:]:
            ax.axhline(known, color="0.55", lw=0.9, ls=":")


def _draw_limits(ax: Axes, summary: xr.Dataset, points: str, power: float) -> None:
    """Draw temperatures of the ``"maximum"`` or ``"crossing"`` against L^(-power), and the fit."""
    method = str(summary["method"].item())
    if points == "maximum":
        name = "pseudo_critical_temperature"
        shown = summary.drop_dims("pair").swap_dims(level="size")
    else:
        name = "crossing_temperature"
        shown = summary.drop_dims("level").drop_vars("size", errors="ignore")
        shown = shown.set_coords("pair_size").swap_dims(pair="pair_size").rename(pair_size="size")
    fit = shown.rename({f"{points}_{each}": each for each in ("limit", "limit_error", "amplitude")})
    plots.extrapolation(
        shown[name], shown[f"{name}_error"], fit, power, ax, label=plots.method_label(method),
        **plots.method_style(method),
    )  # fmt: skip
    ax.set_xlim(left=0)
    ax.set_ylabel(f"{_POINT_NAMES[points]} ($J/k_\\mathrm{{B}}$)")


def _draw_table(ax: Axes, summary: xr.Dataset) -> None:
    """Draw the table of results, with values from the literature."""
    columns = {
        "critical_temperature": r"$T_c$, collapse",
        "crossing_limit": r"$T_c$, crossings",
        "maximum_limit": r"$T_c$, maxima",
        "nu": r"$\nu$",
        "beta_over_nu": r"$\beta/\nu$",
        "gamma_over_nu": r"$\gamma/\nu$",
    }
    names, rows = [], []
    for lattice in summary["lattice"].values:
        kind = KINDS[str(lattice)]
        for method in summary["method"].values:
            at = summary.sel({"lattice": lattice, "method": method})
            names.append(f"{lattice}, {plots.method_label(str(method))}")
            rows.append(
                [_with_error(at[name].item(), at[f"{name}_error"].item()) for name in columns]
            )
        known = critical_temperature(kind.ndim, kind.neighborhood)
        exponents = critical_exponents(kind.ndim)
        names.append(f"{lattice}, literature")
        rows.append(
            ["" if known is None else f"{known:.5f}", "", ""]
            + [f"{exponents[name]:.4g}" for name in ("nu", "beta_over_nu", "gamma_over_nu")]
        )
    from matplotlib.transforms import Bbox

    ax.set_axis_off()
    place = Bbox.from_bounds(0.1, 0, 0.9, 1)
    table = ax.table(rows, rowLabels=names, colLabels=list(columns.values()), bbox=place)
    table.auto_set_font_size(False)
    table.set_fontsize(9)


def _with_error(value: float, error: float) -> str:
    """Value with its error in units of the last digits, as 2.2691(4)."""
    if not np.isfinite(error) or error <= 0:
        return f"{value:.5g}"
    digits = max(0, -int(np.floor(np.log10(error / 2))))
    return f"{value:.{digits}f}({round(error * 10**digits)})"
