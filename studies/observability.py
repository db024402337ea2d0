"""Agents that see some of their neighbours: from Weiss's theory to the exact Ising model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis import exact, plots, thermodynamics
from isingrl import Agent, IndependentQ, Ising, Lattice, Learning, MeanFieldQ, simulate
from isingrl.support.validation import check_integer, check_real, check_run_length
from studies.running.extensions import Join, added, longer, unextended
from studies.running.tasks import Task
from studies.shared.combination import concat
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import FloatArray, Grid, temperature_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Observability", "one_neighbor"]

_COLORS = ("#0072B2", "#009E73", "#CC79A7")  # for one, two and three neighbours
_MARKERS = ("s", "D", "v")
_EXPONENTS = {False: 0.5, True: 0.125}  # β of agents that see a part, and all
_WINDOWS = {False: (0.25, 0.75), True: (0.55, 0.95)}  # of |m| in the fit
_MIN_POINTS = 4


@dataclass(frozen=True)
class Observability:
    """Order of agents that see k of their four neighbours, against temperature.

    The neighbours are drawn anew at every look, and the agents learn while they are measured.
    Blind agents (independent Q) follow Weiss's mean-field theory; agents that see all neighbours
    (mean-field Q) are the exact Ising model. The second panel is the critical temperature.
    """

    shape: tuple[int, int] = (64, 64)
    """Sides of the square lattice."""
    temperature: Grid = (1.8, 4.4, 53)
    """First and last temperature in J/k_B, and how many, evenly spaced."""
    seen: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Numbers of neighbours that agents see."""
    memory: float = 2.0
    """Memory of the action values in sweeps: the learning rate is 1 / (memory × sites). A shorter
    memory adds noise, which weakens the order; a longer one is slower."""
    sweeps: int = 1_000
    """Measured sweeps a chain; the agents go on learning."""
    thermalization: int = 400
    """Learning sweeps a chain before the first measured one, from all spins up."""
    chains: int = 2
    """Independent chains, each with agents of its own, at every temperature."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {"seen": added, "sweeps": longer}

    @property
    def model(self) -> Ising:
        """The ferromagnet without field."""
        return Ising(Lattice(self.shape))

    @property
    def temperatures(self) -> FloatArray:
        """All temperatures, shape (number,)."""
        return temperature_grid("temperature", self.temperature)

    def agent(self, seen: int) -> Agent:
        """Return agents that see `seen` neighbours."""
        rate = 1 / (self.memory * self.model.lattice.n_sites)
        if seen == 0:
            return IndependentQ(learning_rate=rate)
        z = self.model.lattice.coordination_number
        return MeanFieldQ(learning_rate=rate, neighbors_seen=None if seen == z else seen)

    def tasks(self) -> list[Task]:
        """One task a number of neighbours."""
        lattice = self.model.lattice
        if lattice.ndim != 2:
            raise ValueError(f"shape must have two sides; got {self.shape}")
        check_real("memory", self.memory, minimum=1 / lattice.n_sites)
        check_run_length(self.sweeps, self.thermalization, 1, self.chains)
        check_integer("seed", self.seed, 0)
        z = lattice.coordination_number
        if not self.seen or len(set(self.seen)) < len(self.seen) or max(self.seen) > z:
            raise ValueError(f"seen must hold distinct integers from 0 to {z}; got {self.seen}")
        number, alone = len(self.temperatures), unextended(self)
        return [
            Task(
                key=_key(check_integer("seen", seen, 0)),
                function=measure,
                arguments={"config": alone, "seen": seen},
                weight=number,
                resumable=True,
                sweeps=self.sweeps,
            )
            for seen in self.seen
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the numbers of neighbours seen."""
        return concat([results[_key(seen)] for seen in sorted(self.seen)], "seen")

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Observables with errors, and the critical temperature of every k."""
        summary = thermodynamics(data)
        z = self.model.lattice.coordination_number
        seen = summary["seen"].values
        ends = np.array([_end_of_order(summary.sel(seen=k), full=k == z) for k in seen])
        label = {"long_name": "temperature where order ends", "units": "J/k_B"}
        summary["critical_temperature"] = ("seen", ends[:, 0], label)
        label = {**label, "long_name": f"standard error of the {label['long_name']}"}
        summary["critical_temperature_error"] = ("seen", ends[:, 1], label)
        return summary

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw |m| against T for every k beside the known curves, and critical temperatures."""
        figure = new_figure(figsize=(8.8, 5.0), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(2.1, 1))
        grid = np.linspace(*self.temperature[:2], 601)
        known = [exact.weiss(self.model, grid), one_neighbor(), exact.square_lattice(grid)]
        for result, style in zip(known, ("-.", ":", "-"), strict=True):
            label = result.attrs.get("theory", "exact, infinite")
            x, y = result["temperature"].values, result["abs_magnetization"].values
            left.plot(x, y, ls=style, lw=1.2, color="0.35", label=label, zorder=2)
        z = self.model.lattice.coordination_number
        for k in summary["seen"].values:
            self._draw_measured(left, right, summary.sel(seen=k), z)
        left.set(xlim=(grid[0] - 0.05, grid[-1] + 0.05), ylim=(-0.03, 1.03))
        left.set_xlabel(plots.axis_label(summary["temperature"]))
        left.set_ylabel(plots.axis_label(summary["abs_magnetization"]))
        theories = {0: float(z), 1: known[1].attrs["critical_temperature"]}
        theories[z] = exact.CRITICAL_TEMPERATURE
        right.plot(
            list(theories), list(theories.values()), ls="none", marker="_", ms=22.0, color="0.35",
            label="exact",
        )  # fmt: skip
        right.set(xlim=(-0.5, z + 0.5), ylim=(2.0, 4.25), xticks=range(z + 1))
        right.set_xlabel("neighbours seen")
        right.set_ylabel(plots.axis_label(summary["critical_temperature"]))
        right.legend(loc="lower left", fontsize="small", frameon=False)
        legend_below(figure, [left], 4)
        sides = " × ".join(map(str, self.shape))
        figure.suptitle(
            f"Agents that see k of their 4 neighbours, {sides} sites: {self.chains} chains of "
            f"{self.sweeps:,} sweeps, memory of {self.memory:g} sweeps",
            fontsize="medium",
        )
        return figure

    def _draw_measured(self, left: Any, right: Any, chosen: xr.Dataset, z: int) -> None:
        k = int(chosen["seen"])
        method = str(chosen["method"].item())
        style = plots.method_style(method)
        if k not in (0, z):
            style |= {"color": _COLORS[k - 1], "marker": _MARKERS[k - 1], "markersize": 5.0}
        style |= {"ls": "none", "elinewidth": 0.9, "zorder": 3}
        left.errorbar(
            chosen["temperature"].values, chosen["abs_magnetization"].values,
            chosen["abs_magnetization_error"].values,
            label=f"{plots.method_label(method)}, k = {k}", **style,
        )  # fmt: skip
        end, error = chosen["critical_temperature"], chosen["critical_temperature_error"]
        right.errorbar(k, end.item(), error.item(), capsize=3.0, **style)


def _key(seen: int) -> str:
    return f"{seen} neighbours seen"


def measure(
    config: Observability,
    seen: int,
    *,
    sweeps: int,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate agents that learn while they are measured, at all temperatures."""
    data = simulate(
        config.model, Learning(config.agent(seen)), config.temperatures, sweeps=sweeps,
        thermalization=config.thermalization, chains=config.chains, start="up", seed=seed,
        out=folder and folder / "run", progress=progress,
    )  # fmt: skip
    label = {"long_name": "number of neighbours seen", "units": "1"}
    return data.assign_coords(seen=((), seen, label))


def one_neighbor(number: int = 400) -> xr.Dataset:
    r"""Exact order of agents that see one neighbour, on the infinite square lattice.

    Parameters
    ----------
    number : int
        Points of the curve, which ends at the critical temperature.

    Returns
    -------
    Dataset
        ``abs_magnetization`` over ``temperature`` in J/k_B, ascending; the attribute
        ``critical_temperature`` is 3.7664.

    Notes
    -----
    An agent that sees the spin s of one random neighbour takes spin up with a probability linear
    in s, :math:`P(\uparrow | s) = (1 + \mu + \lambda s)/2`. So agents with one policy are a noisy
    voter model. Its pair correlations obey a closed linear equation on every schedule [1]_. They
    are :math:`m^2 + (1 - m^2)\, G_\lambda(r)/G_\lambda(0)` with the lattice Green function
    :math:`G_\lambda(0) = (2/\pi)\, K(\lambda)`, and :math:`m = \mu/(1 - \lambda)`. The
    learned values follow,

    .. math:: E[S | s] = A s + (4 - A)\, m, \quad
       A = \frac{4}{\lambda^2} \left(1 - \frac{1}{G_\lambda(0)}\right),

    and determine the policy: :math:`\tanh(E[S | s]/T) = \mu + \lambda s`. Order ends where
    :math:`T = (4 - A)(1 + \lambda)` and :math:`\lambda = \tanh(A/T)`.

    References
    ----------
    .. [1] B. L. Granovsky, N. Madras, "The noisy voter model", Stoch. Proc. Appl. 55, 23 (1995);
       in one dimension they are the equations of R. J. Glauber, J. Math. Phys. 4, 294 (1963).
    """

    def own_share(share: float) -> float:
        return 4 / share**2 * (1 - np.pi / (2 * float(scipy.special.ellipk(share**2))))

    def beyond(share: float) -> float:
        a = own_share(share)
        return float((4 - a) * np.arctanh(share) - a / (1 + share))

    def excess(m: float, share: float) -> float:
        bias = m * (1 - share)
        with_field, against = np.arctanh(share + bias), np.arctanh(share - bias)
        a = own_share(share)
        return float((4 - a) * (with_field + against) - a * (with_field - against) / m)

    critical = scipy.optimize.brentq(beyond, 0.1, 0.5)
    shares = critical * (1 - np.linspace(0, 1, number + 1)[1:-1] ** 2)
    order = np.array(
        [scipy.optimize.brentq(excess, 1e-9, 1 - 1e-15, args=(share,)) for share in shares]
    )
    a = np.array([own_share(share) for share in shares])
    bias = order * (1 - shares)
    temperature = 2 * a / (np.arctanh(shares + bias) + np.arctanh(shares - bias))
    end = float((4 - own_share(critical)) * (1 + critical))
    return xr.Dataset(
        {"abs_magnetization": ("temperature", np.append(0.0, order)[::-1])},
        {"temperature": np.append(end, temperature)[::-1]},
        {"theory": "exact, one neighbour seen", "critical_temperature": end},
    )


def _end_of_order(summary: xr.Dataset, *, full: bool) -> tuple[float, float]:
    """Critical temperature and its standard error, NaN without enough points.

    |m|^(1/β) is fitted by a parabola in T within a window of |m|, because the finite lattice rounds
    the transition below it. The error of the fit, enlarged by √(χ²/ν) if the parabola does not
    hold, is combined with half of the shift of the result without the point of the highest |m|.
    """
    power = 1 / _EXPONENTS[full]
    low, high = _WINDOWS[full]
    t, m = summary["temperature"].values, summary["abs_magnetization"].values
    error = np.maximum(summary["abs_magnetization_error"].values, 1e-12)
    used = np.flatnonzero((m > low) & (m < high))
    if used.size < _MIN_POINTS:
        return np.nan, np.nan
    weight = 1 / (power * m ** (power - 1) * error)

    def root(points: npt.NDArray[np.int64]) -> tuple[float, float]:
        center = t[points].max()
        x, y = t[points] - center, m[points] ** power
        fit, covariance = np.polyfit(x, y, 2, w=weight[points], cov="unscaled")
        square = np.sum(((np.polyval(fit, x) - y) * weight[points]) ** 2)
        roots = np.roots(fit)
        roots = roots[np.isreal(roots)].real
        if not roots.size:
            return np.nan, np.nan
        end = roots[np.argmin(abs(roots))]
        slope = 2 * fit[0] * end + fit[1]
        powers = np.array([end**2, end, 1.0])
        scatter = max(1.0, square / (points.size - 3)) if points.size > 3 else 1.0
        return center + end, float(np.sqrt(scatter * (powers @ covariance @ powers))) / abs(slope)

    end, width = root(used)
    trimmed, _ = root(used[np.argsort(m[used])[:-1]])
    return end, float(np.hypot(width, (trimmed - end) / 2))
