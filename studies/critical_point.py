"""Critical temperatures and exponents of three lattices: mean-field Q beside cluster updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import plots, scaling
from analysis.literature import critical_exponents
from isingrl import MeanFieldQ, SwendsenWang
from isingrl.support.validation import check_real
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task
from studies.shared.checks import check_counts, check_names
from studies.shared.combination import by_point, concat, concat_all, prefixed, without_prefix
from studies.shared.critical import (
    KINDS,
    METHODS,
    WINDOW,
    Kind,
    by_lattice,
    check_sides,
    rough_critical_temperature,
    sides_of,
    simulated,
    temperatures_near,
)
from studies.shared.figures import legend_below, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CUMULANTS = [f"binder_cumulant{end}" for end in ("", "_error", "_systematic")]
_POWERS = 2  # of the correction to scaling: sizes from 6 or 8 on need the second one
_CLUSTERS = "cluster_"  # before the names of what clusters measure
_SHOWN = 5.0  # errors of the chosen fit; fits with larger ones may leave the figure
_RESULTS = {
    "critical_temperature": r"$T_c$ ($J/k_\mathrm{B}$)",
    "nu": r"$\nu$",
    "beta_over_nu": r"$\beta/\nu$",
    "gamma_over_nu": r"$\gamma/\nu$",
}


@dataclass(frozen=True)
class CriticalPoint:
    """Critical temperatures and exponents of the square, the Moore and the simple cubic lattice.

    Finite-size scaling of a few temperatures of each size, by mean-field Q and by Swendsen and
    Wang's clusters, with the literature beside them. Statistical and systematic errors.
    """

    lattices: tuple[str, ...] = ("square", "Moore", "cubic")
    """Names of lattices; triangular and honeycomb exist too."""
    sizes: tuple[int, ...] = (8, 12, 16, 24, 32, 48, 64, 96, 128, 256)
    """Sides of the two-dimensional lattices, five or more different even numbers."""
    cubic_sizes: tuple[int, ...] = (6, 8, 12, 16, 20, 24, 32, 40, 48, 64)
    """Sides of the three-dimensional lattice; as many as of the others, if both kinds are used."""
    window: tuple[float, ...] = WINDOW
    """Temperatures T of each size as ln(T/T_scan) L^(1/ν), with T_scan from a scan and a rough ν:
    two, four or eight numbers of both signs."""
    draws: int = 20_000
    """Draws of each chain of mean-field Q. All temperatures of a size together have 64 chains. A
    draw follows the one before after L^2.17 sweeps (L^2.02 in three dimensions), about a relaxation
    time."""
    cluster_draws: int = 10_000
    """Draws of each chain of clusters. A draw follows the one before after two sweeps."""
    updates: float = 3e12
    """Most updates of sites by mean-field Q for one size of the two-dimensional lattices; clusters,
    which cost more, make a hundredth. Where this is not enough, draws follow one another faster."""
    cubic_updates: float = 6e12
    """The same for the three-dimensional lattice."""
    training_sweeps: int = 200
    """Learning sweeps of the agents before the measurement."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = dict.fromkeys(
        ("lattices", "sizes", "cubic_sizes"), added
    )

    def sides(self, lattice: str) -> tuple[int, ...]:
        """Sides of a lattice, ascending."""
        return sides_of(lattice, self.sizes, self.cubic_sizes)

    def interval(self, lattice: str, method: str, side: int) -> int:
        """Sweeps from one draw to the next."""
        kind = KINDS[lattice]
        updates = self.cubic_updates if kind.ndim == 3 else self.updates
        return kind.interval(method, side, self.draws_of(method), updates)

    def draws_of(self, method: str) -> int:
        """Draws of each chain."""
        return self.cluster_draws if method == SwendsenWang.name else self.draws

    def tasks(self) -> list[Task]:
        """One task for every lattice, method and size."""
        self._check()
        alone = unextended(self)
        return [
            Task(
                key=_key(lattice, method, side),
                function=measure,
                arguments={"config": alone, "lattice": lattice, "method": method, "side": side},
                weight=self._weight(lattice, method, side),
                resumable=True,
            )
            for lattice in self.lattices
            for method in METHODS
            for side in self.sides(lattice)
        ]

    def _weight(self, lattice: str, method: str, side: int) -> int:
        kind = KINDS[lattice]
        n_sites = int(side**kind.ndim)
        sweeps = self.interval(lattice, method, side) * self.draws_of(method)
        return max(1, int(sweeps * n_sites * kind.cost_of(method) / 1e4))

    def _check(self) -> None:
        """Refuse a bad configuration before any work."""
        check_names("lattices", self.lattices, tuple(KINDS))
        check_sides(self.lattices, self.sizes, self.cubic_sizes, _POWERS)
        if len(self.window) not in (2, 4, 8) or not min(self.window) < 0 < max(self.window):
            raise ValueError(
                f"window must be two, four or eight numbers of both signs; got {self.window}"
            )
        for name in ("updates", "cubic_updates"):
            check_real(name, getattr(self, name), minimum=1.0)
        check_counts(self, draws=60, cluster_draws=60, training_sweeps=1, seed=0)

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join everything over (lattice, level, point, chain, draw); sizes by level.

        The names and dims of clusters, other than ``lattice``, begin with ``cluster_``.
        """
        by_method = [
            by_lattice(
                {
                    lattice: concat_all(
                        results, partial(_key, lattice, method), level=self.sides(lattice)
                    )
                    for lattice in self.lattices
                }
            ).drop_vars("method")
            for method in (MeanFieldQ.name, SwendsenWang.name)
        ]
        parts = by_method[0], prefixed(by_method[1], _CLUSTERS, "lattice")
        return xr.merge(parts, combine_attrs="drop_conflicts", join="exact", compat="equals")

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Observables of each run; critical temperatures and exponents."""
        clusters = without_prefix(data, _CLUSTERS, "lattice")
        names = [name for name in data.variables if str(name).startswith(_CLUSTERS)]
        by_method = {SwendsenWang.name: clusters, MeanFieldQ.name: data.drop_vars(names)}
        rows = []
        for lattice in data["lattice"].values:
            found = [
                _analysed(each.sel(lattice=lattice, drop=True), lattice, method)
                for method, each in by_method.items()
            ]
            rows.append(concat(found, "method"))
        return concat(rows, "lattice")

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw Binder cumulants, results against the smallest size, and a table of results."""
        number = summary.sizes["lattice"]
        table = 0.25 + 0.75 * number  # inches
        figure = new_figure(figsize=(3.9 * max(2, number), 13.0 + table), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(13.0, table))
        axes = parts[0].subplots(1 + len(_RESULTS), number, squeeze=False)
        for column, lattice in enumerate(summary["lattice"].values):
            _draw_column(axes[:, column], summary.sel(lattice=lattice))
        for ax in axes[:, 1:].flat:
            ax.set_ylabel("")
        legend_below(parts[0], axes[1], 3)
        _draw_table(parts[1].subplots(), summary)
        figure.suptitle("Critical points: cumulants by mean-field Q, and fits from each size on")
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
    centre = rough_critical_temperature(lattice, method, config.training_sweeps, config.seed)
    data = simulated(
        lattice, method, side, temperatures_near(centre, lattice, side, config.window),
        config.draws_of(method), config.interval(lattice, method, side),
        training_sweeps=config.training_sweeps, seed=seed, folder=folder, progress=progress,
    )  # fmt: skip
    return by_point(data).assign_coords(size=side)


def _analysed(data: xr.Dataset, lattice: str, method: str) -> xr.Dataset:
    """Observables and the critical point of one lattice and method."""
    sized = data.swap_dims(level="size")
    found = scaling.observables(sized).drop_vars("n_sites")
    found = found.swap_dims(size="level").reset_coords("size")
    fit = scaling.critical_point(sized, correction=KINDS[lattice].correction, powers=_POWERS)
    fit = fit.rename({name: f"critical_{name}" for name in _CUMULANTS})
    fits = fit.rename_dims(smallest_size="fit").reset_index("smallest_size")
    found = found.merge(fits.reset_coords("smallest_size"))
    found = found.set_coords(["size", "temperature", "smallest_size"])
    return found.assign_coords(lattice=lattice, method=method)


def _draw_column(axes: npt.NDArray[Any], summary: xr.Dataset) -> None:
    """Draw the cumulants and the results of one lattice."""
    lattice = str(summary["lattice"].item())
    kind = KINDS[lattice]
    agents = summary.sel({"method": MeanFieldQ.name}).drop_dims("fit").swap_dims(level="size")
    plots.sizes(agents, "binder_cumulant", axes[0], label="")
    axes[0].set_title(f"{lattice} lattice")
    axes[0].legend(fontsize=6, frameon=False, ncols=2)
    known = _literature(kind)
    plots.critical_temperature(axes[0], known["critical_temperature"])
    sides = summary["smallest_size"].values
    for ax, (name, label) in zip(axes[1:], _RESULTS.items(), strict=True):
        for method in summary["method"].values:
            _draw_fits(ax, summary.sel({"method": method}), name)
        ax.axhline(known[name], color="0.55", lw=0.9, ls=":", label="exact, or the literature")
        values, errors = (summary[f"fitted_{name}{end}"] for end in ("", "_error"))
        shown = (errors < _SHOWN * summary[f"{name}_error"]).values
        low = min(known[name], (values - errors).values[shown].min())
        high = max(known[name], (values + errors).values[shown].max())
        ax.set_ylim(1.1 * low - 0.1 * high, 1.1 * high - 0.1 * low)
        ax.set(xscale="log", xlabel="smallest side of the fit", ylabel=label)
        ax.set_xticks(sides, [f"{side:g}" for side in sides])
        ax.minorticks_off()


def _draw_fits(ax: Axes, summary: xr.Dataset, name: str) -> None:
    """Draw a result of the fits from each size on; the chosen one filled, with both errors."""
    method = str(summary["method"].item())
    label = plots.method_label(method)
    style = plots.method_style(method) | {"ls": "none", "markersize": 4.5}
    side = summary["smallest_size"].values * (1.03 if method == MeanFieldQ.name else 1 / 1.03)
    values, errors = (summary[f"fitted_{name}{end}"].values for end in ("", "_error"))
    ax.errorbar(
        side, values, errors, label=f"{label}, statistical errors",
        **style | {"markerfacecolor": "white"},
    )  # fmt: skip
    chosen = np.flatnonzero(summary["smallest_size"].values == summary["first_size"].item())
    both = np.hypot(summary[f"{name}_error"].item(), summary[f"{name}_systematic"].item())
    ax.errorbar(
        side[chosen], values[chosen], both, capsize=4, lw=0.7,
        label=f"{label}, chosen, with the systematic error",
        **style | {"markerfacecolor": style["color"]},
    )  # fmt: skip


def _literature(kind: Kind) -> dict[str, float]:
    return {
        "critical_temperature": kind.critical_temperature,
        **critical_exponents(kind.ndim),
    }


def _draw_table(ax: Axes, summary: xr.Dataset) -> None:
    """Draw the table of results, with values from the literature."""
    names, rows = [], []
    for lattice in summary["lattice"].values:
        for method in summary["method"].values:
            at = summary.sel({"lattice": lattice, "method": method})
            names.append(f"{lattice}, {plots.method_label(str(method))}")
            quality = f"{at['chi_square'].item():.1f} / {at['degrees_of_freedom'].item():.1f}"
            rows.append(
                [_with_errors(at, name) for name in _RESULTS]
                + [f"{at['first_size'].item():g}", quality]
            )
        known = _literature(KINDS[str(lattice)])
        names.append(f"{lattice}, literature")
        rows.append([f"{known['critical_temperature']:.5f}"])
        rows[-1] += [f"{known[name]:.4g}" for name in list(_RESULTS)[1:]] + ["", ""]
    from matplotlib.transforms import Bbox

    ax.set_axis_off()
    place = Bbox.from_bounds(0.14, 0, 0.86, 1)
    columns = [*_RESULTS.values(), "from side", r"$\chi^2$ / degrees of freedom"]
    table = ax.table(rows, rowLabels=names, colLabels=columns, bbox=place)
    table.auto_set_font_size(False)
    table.set_fontsize(9)


def _with_errors(found: xr.Dataset, name: str) -> str:
    """Value with statistical and systematic error in units of the last digits, 2.2691(4)(2)."""
    value, *errors = (found[f"{name}{end}"].item() for end in ("", "_error", "_systematic"))
    if not (np.isfinite(errors[0]) and errors[0] > 0):
        return f"{value:.5g}"
    digits = max(0, -int(np.floor(np.log10(errors[0] / 2))))
    return f"{value:.{digits}f}" + "".join(f"({round(each * 10**digits)})" for each in errors)
