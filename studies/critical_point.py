"""Critical temperatures and exponents of three lattices: mean-field Q beside cluster updates."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import plots, scaling
from analysis.literature import critical_exponents, critical_temperature
from isingrl import Agent, Dynamics, Ising, Lattice, MeanFieldQ, SwendsenWang
from isingrl.support.validation import check_integer, check_real
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts, check_names
from studies.shared.combination import by_point, concat, concat_all, numbered
from studies.shared.figures import legend_below, new_figure
from studies.shared.trained_policies import learn_and_simulate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METHODS: dict[str, Callable[[], Dynamics | Agent]] = {
    SwendsenWang.name: SwendsenWang,
    MeanFieldQ.name: MeanFieldQ,
}
_LANES = 64  # chains at all temperatures; they fill one block of the bit-lane engine
_SAMPLES = ("chain", "draw")
_CLUSTER_INTERVAL = 2  # sweeps; relaxation times of clusters hardly depend on the size
_CLUSTER_COST = 100  # of one site update by clusters, compared with one on lanes
_SCANNED_SIZES = {2: (12, 24, 48), 3: (8, 12, 24)}
_SCANS = 16  # temperatures of the first scan
_SCANNED_DRAWS = 16  # in a relaxation time
_SECOND_SCAN = np.linspace(-0.06, 0.11, 16)  # of ln T; the cumulant falls below T_c
_THIRD_SCAN = np.linspace(-0.015, 0.015, 4)
_ORDERED = 0.6  # below this Binder cumulant the lattice counts as disordered
_SCANNED = (0.4, 1.0)  # of z J/k_B, Weiss's critical temperature, an upper bound
_CUMULANTS = [f"binder_cumulant{end}" for end in ("", "_error", "_systematic")]
_SHOWN = 5.0  # errors of the chosen fit; fits with larger ones may leave the figure
_RESULTS = {
    "critical_temperature": r"$T_c$ ($J/k_\mathrm{B}$)",
    "nu": r"$\nu$",
    "beta_over_nu": r"$\beta/\nu$",
    "gamma_over_nu": r"$\gamma/\nu$",
}


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
    """

    ndim: int
    neighborhood: str
    nu: float
    relaxation_exponent: float
    correction: float

    def model(self, side: int) -> Ising:
        """Return the ferromagnet of this side."""
        return Ising(Lattice((side,) * self.ndim, self.neighborhood))


KINDS = {
    "square": Kind(2, "von_neumann", 1.0, 2.17, 1.75),
    "Moore": Kind(2, "moore", 1.0, 2.17, 1.75),
    "cubic": Kind(3, "von_neumann", 0.63, 2.02, 0.83),
}


@dataclass(frozen=True)
class CriticalPoint:
    """Critical temperatures and exponents of the square, the Moore and the simple cubic lattice.

    Finite-size scaling of a few temperatures of each size, by mean-field Q and by Swendsen and
    Wang's clusters, with the literature beside them. Statistical and systematic errors.
    """

    lattices: tuple[str, ...] = ("square", "Moore", "cubic")
    """Names of lattices."""
    sizes: tuple[int, ...] = (8, 12, 16, 24, 32, 48, 64, 96, 128, 256)
    """Sides of the two-dimensional lattices, four or more different even numbers."""
    cubic_sizes: tuple[int, ...] = (6, 8, 12, 16, 20, 24, 32, 40, 48, 64)
    """Sides of the three-dimensional lattice; as many as of the others, if both kinds are used."""
    window: tuple[float, ...] = (-0.7, -0.233, 0.233, 0.7)
    """Temperatures T of each size as ln(T/T_scan) L^(1/ν), with T_scan from a scan and a rough ν:
    two, four or eight numbers of both signs."""
    draws: int = 10_000
    """Draws of each chain. All temperatures of a size together have 64 chains. A draw of
    mean-field Q follows the one before after L^2.17 sweeps (L^2.02 in three dimensions), about a
    relaxation time; one of clusters after two sweeps."""
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
        return tuple(sorted(self.cubic_sizes if KINDS[lattice].ndim == 3 else self.sizes))

    def interval(self, lattice: str, method: str, side: int) -> int:
        """Sweeps from one draw to the next."""
        kind = KINDS[lattice]
        updates = self.cubic_updates if kind.ndim == 3 else self.updates
        if method == SwendsenWang.name:
            updates /= _CLUSTER_COST
        affordable = updates / (self.draws * _LANES * side**kind.ndim)
        return max(1, int(min(_relaxation_time(kind, method, side), affordable)))

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
        n_sites = int(side ** KINDS[lattice].ndim)
        cost = _CLUSTER_COST if method == SwendsenWang.name else 1
        return self.interval(lattice, method, side) * n_sites * cost

    def _check(self) -> None:
        """Refuse a bad configuration before any work."""
        check_names("lattices", self.lattices, tuple(KINDS))
        for name in ("sizes", "cubic_sizes"):
            sides = getattr(self, name)
            for side in sides:
                check_integer(f"{name}: each", side, 2)
            # three sizes have as many values as the fit has unknowns, and one is left out
            if len(set(sides)) < max(4, len(sides)) or any(side % 2 for side in sides):
                raise ValueError(f"{name} must be four or more different even sides; got {sides}")
        if len({len(self.sides(lattice)) for lattice in self.lattices}) > 1:
            raise ValueError(
                f"cubic_sizes must be as many as sizes, {len(self.sizes)}; got {self.cubic_sizes}"
            )
        if len(self.window) not in (2, 4, 8) or not min(self.window) < 0 < max(self.window):
            raise ValueError(
                f"window must be two, four or eight numbers of both signs; got {self.window}"
            )
        for name in ("updates", "cubic_updates"):
            check_real(name, getattr(self, name), minimum=1.0)
        check_counts(self, draws=60, training_sweeps=1, seed=0)

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
        """Observables of each run; critical temperatures and exponents."""
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


def _relaxation_time(kind: Kind, method: str, side: int) -> float:
    """Sweeps after which draws are nearly independent."""
    if method == SwendsenWang.name:
        return _CLUSTER_INTERVAL
    return float(side**kind.relaxation_exponent)


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
    temperature = centre * np.exp(np.array(config.window) * side ** (-1 / kind.nu))
    interval = config.interval(lattice, method, side)
    data = _run(
        config, kind, method, side, temperature, config.draws, interval, seed, folder, progress
    )
    return by_point(data).assign_coords(size=side)


@cache
def rough_critical_temperature(config: CriticalPoint, lattice: str, method: str) -> float:
    """Critical temperature of a method, within about a thousandth, without prior knowledge.

    First a scan up to Weiss's temperature finds where the Binder cumulant of a small lattice falls
    below its ordered value, 2/3. Then crossings with larger lattices are found nearby.
    """
    kind = KINDS[lattice]
    sizes = _SCANNED_SIZES[kind.ndim]
    seed = task_seed(config.seed, f"{lattice}, {method}, scan")

    def scan(side: int, temperature: npt.NDArray[np.float64], n_draws: int) -> xr.Dataset:
        interval = max(1, round(_relaxation_time(kind, method, side) / _SCANNED_DRAWS))
        return _run(config, kind, method, side, temperature, n_draws, interval, seed)

    wide = kind.model(sizes[0]).lattice.coordination_number * np.linspace(*_SCANNED, _SCANS)
    square = scan(sizes[0], wide, 200)["magnetization"] ** 2
    cumulant = 1 - (square**2).mean(_SAMPLES) / (3 * square.mean(_SAMPLES) ** 2)
    falls = int(np.argmax(cumulant.values < _ORDERED))
    ends = slice(falls - 1, falls + 1)
    found = float(np.interp(-_ORDERED, -cumulant.values[ends], wide[ends]))
    windows = ((_SECOND_SCAN, 1000), (_THIRD_SCAN, 2000))
    for pair, (window, n_draws) in zip(itertools.pairwise(sizes), windows, strict=True):
        near = found * np.exp(window)
        runs = [scan(side, near, n_draws).assign_coords(size=side) for side in pair]
        crossing = scaling.binder_crossings(concat(runs, "size"))
        found = float(crossing["crossing_temperature"].item())
    return found


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
        thermalization=n_draws * interval // 10, interval=interval,
        chains=_LANES // temperature.size, start="up",
    )  # fmt: skip
    data = data[["energy", "magnetization"]]
    return numbered(data.drop_vars("softmax_temperature", errors="ignore"))


def _analysed(data: xr.Dataset, lattice: str) -> xr.Dataset:
    """Observables and the critical point of one lattice and method."""
    sized = data.drop_vars(["lattice", "method"]).swap_dims(level="size")
    found = scaling.observables(sized).drop_vars("n_sites")
    found = found.swap_dims(size="level").reset_coords("size")
    fit = scaling.critical_point(sized, correction=KINDS[lattice].correction)
    fit = fit.rename({name: f"critical_{name}" for name in _CUMULANTS})
    fits = fit.rename_dims(smallest_size="fit").reset_index("smallest_size")
    found = found.merge(fits.reset_coords("smallest_size"))
    found = found.set_coords(["size", "temperature", "smallest_size"])
    return found.assign_coords(lattice=lattice, method=data["method"].item())


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
    known = critical_temperature(kind.ndim, kind.neighborhood)
    assert known is not None  # of every lattice in KINDS
    return {"critical_temperature": known, **critical_exponents(kind.ndim)}


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
