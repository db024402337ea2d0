"""How domains grow after a quench: mean-field Q beside Metropolis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import domain_length, exact, growth_law, plots, structure_factor
from analysis.errors import jackknife
from analysis.plots.styles import colors, draw_marks, style_of
from analysis.quantities import quantity_attrs
from isingrl import Agent, Ising, Lattice, MeanFieldQ, simulate, train
from isingrl.support.validation import check_temperature
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts
from studies.shared.combination import concat, concat_all
from studies.shared.figures import new_figure
from studies.shared.grids import number_texts
from studies.shared.trained_policies import METHODS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LENGTHS = ("wall_length", "moment_length")
_PICTURES = 5
_PICTURE_SIDE = 512
_STEPS_A_DECADE = 6
_POROD = 15.0  # kL of the point that fixes the line of Porod's law
_SPAN = 3  # steps between the two times of a local exponent, half a decade


@dataclass(frozen=True)
class Coarsening:
    """Growth of domains after a quench from infinite temperature.

    Length of the domains by the structure factor and by the walls, and its growth exponent, which
    is 1/2 if curvature drives the walls: mean-field Q beside Metropolis at two temperatures.
    """

    side: int = 4096
    """L of the lattice of L × L sites, even."""
    temperature: tuple[float, ...] = (1.0, 1.8)
    """Temperatures after the quench in J/k_B, below the critical one, 2.269."""
    sweeps: int = 700
    """Last time of a measurement."""
    window: tuple[float, float] = (65.0, 700.0)
    """First and last time of the fit of a power, in sweeps."""
    long_window: tuple[float, float] = (20.0, 700.0)
    """First and last time of the fit of a power with an offset, in sweeps."""
    chains: int = 4
    """Independent quenches of each method at every temperature."""
    training_side: int = 64
    """Side of the lattice on which the agents learn; one table serves lattices of any size."""
    training_sweeps: int = 200
    """Learning sweeps before the quench."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {"temperature": added}

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """Times of measurements, in sweeps, evenly spaced on a logarithmic axis."""
        number = 1 + round(_STEPS_A_DECADE * np.log10(self.sweeps))
        times = [round(float(t)) for t in np.geomspace(1, self.sweeps, number)]
        return np.array(sorted(set(times)), dtype=np.int64)

    @property
    def scaled(self) -> npt.NDArray[np.int64]:
        """Times in the long window at which the structure factor is kept."""
        first, last = self.long_window
        chosen = self.times[::-_SPAN][::-1]
        return np.asarray(chosen[(chosen >= first) & (chosen <= last)])

    @property
    def pictured(self) -> npt.NDArray[np.int64]:
        """Times of the pictures in the figure."""
        chosen = np.rint(np.linspace(0, self.times.size - 1, _PICTURES)).astype(int)
        return np.asarray(self.times[np.unique(chosen)])

    def tasks(self) -> list[Task]:
        """One task a method and temperature."""
        check_counts(self, side=2, sweeps=1, chains=2, training_side=2, training_sweeps=1, seed=0)
        critical = exact.CRITICAL_TEMPERATURE
        temperatures = check_temperature(self.temperature)
        if not ((temperatures > 0) & (temperatures < critical)).all():
            raise ValueError(
                f"temperature must lie between 0 and {critical:.4f}; got {self.temperature}"
            )
        for name in ("window", "long_window"):
            first, last = getattr(self, name)
            inside = int(((self.times >= first) & (self.times <= last)).sum())
            if inside < 6:
                raise ValueError(
                    f"{name} must hold at least 6 of the times {self.times.tolist()}; got {inside} "
                    f"from {first:g} to {last:g}"
                )
        alone = unextended(self)
        return [
            Task(
                key=self._key(method, t),
                function=measure,
                arguments={"config": alone, "method": method, "temperature": t},
            )
            for method in METHODS
            for t in self.temperature
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join methods and temperatures."""
        temperatures = sorted(self.temperature)
        return concat_all(results, self._key, method=list(METHODS), temperature=temperatures)

    def _key(self, method: str, temperature: float) -> str:
        return f"{method}, T = {number_texts(self.temperature)[float(temperature)]}"

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Means with errors, fits of L = A tⁿ and of L = L₀ + A tⁿ, and local exponents."""
        means = data[[*LENGTHS, "structure_factor"]]
        summary = jackknife(means, lambda samples: samples.mean("chain"), dims=("chain",))
        lengths = xr.concat(
            [data[name].rename("length") for name in LENGTHS],
            xr.Variable("definition", list(LENGTHS)),
            combine_attrs="drop",
        )
        local = jackknife(lengths, local_exponents, dims=("chain",))
        summary = summary.assign(growth_law(lengths, self.window, offset=False)).assign(local)
        for name in summary:
            summary[name].attrs = quantity_attrs(str(name))
        extrapolated = growth_law(lengths, self.long_window)
        summary = summary.assign(
            {f"extrapolated_{name}": extrapolated[name] for name in extrapolated}
        )
        summary["picture"] = data["picture"]
        return summary

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw pictures, lengths against time, local exponents, and scaled structure factors."""
        figure = new_figure(figsize=(11.0, 10.6), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(1, 2.9))
        self._draw_pictures(parts[0], summary)
        axes = parts[1].subplots(2, 3)
        for column, name in enumerate(LENGTHS):
            for ax in axes[:, column]:
                ax.set_title({"wall_length": "walls", "moment_length": "structure factor"}[name])
            self._draw_lengths(axes[0, column], summary, name)
            self._draw_local(axes[1, column], summary.sel(definition=name))
        # for each method the temperature, first or last, at which its exponent settles sooner
        for ax, method, order in zip(axes[:, 2], METHODS, (-1, 0), strict=True):
            self._draw_scaled(ax, summary.sel({"method": method}).isel(temperature=order))
        return figure

    def _draw_pictures(self, figure: Any, summary: xr.Dataset) -> None:
        """Draw a corner of one lattice of agents, at the first temperature."""
        chosen = summary["picture"].sel({"method": MeanFieldQ.name}).isel(temperature=0)
        axes = figure.subplots(1, chosen.sizes["picture_time"], squeeze=False)
        for ax, time in zip(axes.flat, chosen["picture_time"].values, strict=True):
            plots.snapshot(chosen.sel(picture_time=time), ax)
            ax.set_title(f"$t$ = {time}", fontsize=10)
        side = chosen.sizes["x"]
        figure.suptitle(
            f"Quench of {self.side}² agents with mean-field Q to $T$ = "
            f"{chosen['temperature'].item():g} $J/k_\\mathrm{{B}}$: a corner of {side}² sites "
            "after $t$ sweeps"
        )

    def _draw_lengths(self, ax: Axes, summary: xr.Dataset, name: str) -> None:
        series = [(method, t) for method in METHODS for t in summary["temperature"].values]
        for order, (method, t) in enumerate(series):
            at = summary.sel({"method": method, "temperature": t, "definition": name})
            n, error = at["growth_exponent"].item(), at["growth_exponent_error"].item()
            label = f"{plots.method_label(method)}, $T$ = {t:g}: $n$ = {n:.3f} ± {error:.3f}"
            plots.domain_growth(at, name, ax, law=at, window=self.window, label=label)
            apart = 4 * min(1, 2 - order)  # the slower ones end close to one another
            _label(ax, at["time"].values[-1], at[name].values[-1], t, apart)
        ax.set_ylabel("domain length $L$ (lattice spacings)")
        ax.set_xlim(right=5 * self.sweeps)
        low, high = ax.get_ylim()
        share = min(0.8, 0.0775 * len(series))  # of the axis, for the legend
        ax.set_ylim(low, high * (high / low) ** (share / (1 - share)))
        ax.legend(loc="upper left", fontsize=8, frameon=False, handletextpad=0.2)

    def _draw_local(self, ax: Axes, summary: xr.Dataset) -> None:
        """Draw local exponents against 1/L; for L = L₀ + A tⁿ they are a line, n (1 − L₀/L)."""
        ax.axhline(0.5, color="0.35", lw=1, ls="--", zorder=1)
        for method in METHODS:
            for t in summary["temperature"].values:
                at = summary.sel({"method": method, "temperature": t})
                style = style_of(at, 0, ax)
                inverse, local = at["inverse_length"].values, at["local_exponent"].values
                n, error, offset = (
                    at[f"extrapolated_growth_{name}"].item()
                    for name in ("exponent", "exponent_error", "offset")
                )
                label = f"{style.label}, $T$ = {t:g}: $n$ = {n:.3f} ± {error:.3f}"
                width = at["local_exponent_error"].values
                draw_marks(ax, inverse, local, None, width, style, label, 3)
                used = at["step"].values >= self.long_window[0]
                ends = np.array([0.0, inverse[used].max()])
                ax.plot(ends, n * (1 - offset * ends), lw=0.9, color=style.color, zorder=2)
                _label(ax, inverse[0], local[0], t)
        ax.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.17), fontsize=8, frameon=False,
            handletextpad=0.2, title="extrapolated to $1/L$ = 0:", title_fontsize=8,
        )  # fmt: skip
        ax.set_xlim(0, 1.3 * summary["inverse_length"].max().item())
        ax.set_xlabel(plots.axis_label(summary["inverse_length"]))
        ax.set_ylabel(plots.axis_label(summary["local_exponent"]))

    def _draw_scaled(self, ax: Axes, summary: xr.Dataset) -> None:
        """Draw S(k) in units of the length; on one curve if domains look alike at all times."""
        times = summary["scaled_time"].values
        for time, color in zip(times, colors(times.size), strict=True):
            at = summary.sel(scaled_time=time, time=time)
            plots.structure_factor(
                at, ax, length=at["wall_length"].item(), label=f"$t$ = {time}", color=color
            )
        # Porod's law of sharp walls, drawn through the last S(k) at a k where noise is small
        x, y = at["wave_number"].values * at["wall_length"].item(), at["structure_factor"].values
        middle = np.argmin(abs(x - _POROD))
        line = np.array([0.5, 8.0]) * x[middle]
        height = y[middle] / at["wall_length"].item() ** 2 * (line / x[middle]) ** -3
        ax.plot(line, height, color="0.35", lw=1, label="$(kL)^{-3}$, Porod", zorder=4)
        ax.legend(fontsize=8, frameon=False, loc="lower left")
        method = plots.method_label(str(summary["method"].item()))
        ax.set_title(f"{method}, $T$ = {summary['temperature'].item():g}")


def measure(
    config: Coarsening, method: str, temperature: float, *, seed: int, progress: bool = False
) -> xr.Dataset:
    """Quench one method from infinite temperature and measure at all times; agents learn first.

    Returns
    -------
    Dataset
        ``wall_length``, ``moment_length`` over (chain, time); ``structure_factor`` (scaled_time,
        chain, wave_number); ``picture`` (picture_time, x, y), a corner of the first lattice.
    """
    model = Ising(Lattice((config.side,) * 2))
    rule = METHODS[method]()
    if isinstance(rule, Agent):
        rule = train(
            Ising(Lattice((config.training_side,) * 2)), rule, temperature,
            sweeps=config.training_sweeps, seed=task_seed(seed, "learning"), progress=progress,
        )  # fmt: skip
    energy = exact.square_lattice(temperature)["energy"].item()
    start: Any = "random"
    before, found, spectra, pictures = 0, [], [], []
    for time in config.times.tolist():
        data = simulate(
            model, rule, temperature, sweeps=time - before, interval=time - before, snapshots=1,
            chains=config.chains, start=start, seed=task_seed(seed, f"until {time}"),
            progress=progress,
        )  # fmt: skip
        spins = data["spins"].isel(temperature=0, snapshot=0, drop=True)
        lengths = domain_length(spins, equilibrium_wall_density=(1 + energy / 2) / 2, dims=())
        found.append(lengths)
        if time in config.scaled:
            spectra.append(structure_factor(spins, dims=())["structure_factor"])
        if time in config.pictured:
            corner = slice(0, _PICTURE_SIDE)
            pictures.append(spins.isel(chain=0, x=corner, y=corner, drop=True))
        start, before = data["spins"].values[:, :, 0], time
    result = concat(found, xr.Variable("time", config.times, quantity_attrs("time")))
    result = result.transpose("chain", "time")
    result["structure_factor"] = xr.concat(spectra, xr.Variable("scaled_time", config.scaled))
    result["picture"] = xr.concat(pictures, xr.Variable("picture_time", config.pictured))
    return result.drop_vars("softmax_temperature", errors="ignore").assign_coords(
        temperature=((), temperature, quantity_attrs("temperature")), method=method
    )


def local_exponents(lengths: xr.DataArray) -> xr.Dataset:
    """Slopes d ln L / d ln t of means over chains, and the 1/L at their middles.

    Each slope is over half a decade of time, without overlap.
    """
    mean = lengths.mean("chain").transpose(..., "time")
    mean = mean.isel(time=slice((mean.sizes["time"] - 1) % _SPAN, None, _SPAN))  # up to the last
    length, time = mean.values, mean["time"].values
    slope = np.diff(np.log(length), axis=-1) / np.diff(np.log(time))
    dims = (*mean.dims[:-1], "step")
    return xr.Dataset(
        {
            "local_exponent": (dims, slope),
            "inverse_length": (dims, (length[..., 1:] * length[..., :-1]) ** -0.5),
        },
        {"step": np.sqrt(time[1:] * time[:-1])},
    )


def _label(ax: Axes, x: float, y: float, temperature: float, above: int = 0) -> None:
    """Name the temperature of a series at its end."""
    ax.annotate(
        f"$T$ = {temperature:g}", (x, y), xytext=(7, above), textcoords="offset points",
        va="center", fontsize=8,
    )  # fmt: skip


__all__ = ["LENGTHS", "METHODS", "Coarsening", "local_exponents", "measure"]
