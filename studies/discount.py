"""How the discount of mean-field Q-learners moves the transition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import xarray as xr

from analysis import effective_temperature, exact, log_odds
from analysis.learned.odds import mean_and_error
from isingrl import Ising, Lattice, MeanFieldQ, Policy, simulate
from isingrl.support.validation import check_choice, check_real, check_run_length
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts
from studies.shared.combination import concat
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import FloatArray, Grid, last_fall, number_texts, temperature_grid
from studies.shared.trained_policies import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Discount"]

_HALF = 0.5  # |m| at the end of order
_MARKERS = "os^Dv<>p"
_LABELS = {
    "abs_magnetization": ("absolute magnetization per site", "1"),
    "learning_abs_magnetization": ("absolute magnetization per site while learning", "1"),
    "effective_temperature": ("effective temperature", "J/k_B"),
    "bias": ("size of the log-odds among as many up as down", "1"),
    "end_of_order": (r"softmax temperature where $|m| = 1/2$", "J"),
    "even_abs_magnetization": ("absolute magnetization per site without the even part", "1"),
    "even_end_of_order": (r"softmax temperature where $|m| = 1/2$ without the even part", "J"),
    "learning_end_of_order": (r"softmax temperature where $|m| = 1/2$ while learning", "J"),
    "end_of_symmetric_order": (r"softmax temperature where $T_\mathrm{eff} = T_\mathrm{c}$", "J"),
}


@dataclass(frozen=True)
class Discount:
    """Order of agents that discount the future by γ, against their softmax temperature.

    Mean-field Q with energy reward on the square lattice, updated sublattice by sublattice. Order
    is measured three times: in the last half of the training; with the trained policies, from the
    last spins of the training; and with these policies made symmetric under a flip of all spins.
    Errors are from independent trainings.
    """

    shape: tuple[int, int] = (40, 40)
    """Sides of the square lattice."""
    softmax_temperature: Grid = (1.8, 4.6, 29)
    """First and last softmax temperature in J, and how many, evenly spaced."""
    discounts: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 0.9)
    """Discounts γ."""
    learning_rate: float = 0.01
    """Smallest learning rate; the k-th update of an action value has the rate 1/k until then. A
    large rate makes policies noisy, and noise weakens the order more at larger γ. With a small rate
    at large γ the order of the start outlives the training."""
    training_sweeps: int = 1_000
    """Learning sweeps."""
    annealing: float = 0.0
    """Share of the training, up to one half, over which the softmax temperature falls to its
    value."""
    start: Literal["up", "random"] = "up"
    """First configuration of the training. From random spins, or with annealing, stripes can
    freeze in."""
    sweeps: int = 2_000
    """Measured sweeps of every policy."""
    thermalization: int = 500
    """Sweeps of every policy before the first measured one."""
    chains: int = 4
    """Independent trainings at every softmax temperature and discount."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {"discounts": added}

    @property
    def model(self) -> Ising:
        """The ferromagnet without field."""
        return Ising(Lattice(self.shape))

    @property
    def temperatures(self) -> FloatArray:
        """All softmax temperatures; with energy reward they are temperatures at γ = 0."""
        return temperature_grid("softmax_temperature", self.softmax_temperature)

    def agent(self, discount: float) -> MeanFieldQ:
        """Return the agents of a discount."""
        return MeanFieldQ("energy", discount, self.learning_rate)

    def tasks(self) -> list[Task]:
        """One task a discount."""
        if self.model.lattice.ndim != 2:
            raise ValueError(f"shape must have two sides; got {self.shape}")
        check_run_length(self.sweeps, self.thermalization, 1, self.chains)
        check_counts(self, chains=2, training_sweeps=2, seed=0)
        check_real("annealing", self.annealing, minimum=0, maximum=0.5)
        check_choice("start", self.start, ("random", *Ising.starts))
        if not self.discounts or len(set(self.discounts)) < len(self.discounts):
            raise ValueError(f"discounts must be distinct numbers; got {self.discounts}")
        number, alone = len(self.temperatures), unextended(self)
        return [
            Task(
                key=self._key(self.agent(discount).discount),
                function=measure,
                arguments={"config": alone, "discount": discount},
                weight=number,
                resumable=True,
            )
            for discount in self.discounts
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the discounts."""
        return concat([results[self._key(each)] for each in sorted(self.discounts)], "discount")

    def _key(self, discount: float) -> str:
        return f"discount = {number_texts(self.discounts)[float(discount)]}"

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Means over trainings with errors, and the softmax temperatures where order ends."""
        learning = abs(data["learning_magnetization"]).mean("sweep")
        bias = abs(data["log_odds"].sel(n_up=self.model.lattice.coordination_number / 2))
        each = {
            "abs_magnetization": abs(data["magnetization"]).mean("draw"),
            "learning_abs_magnetization": learning,
            "even_abs_magnetization": data["even_abs_magnetization"],
            "effective_temperature": data["effective_temperature"],
            "bias": bias.drop_vars("n_up"),
        }
        places = {
            "end_of_order": _crossing(each["abs_magnetization"], _HALF),
            "learning_end_of_order": _crossing(learning, _HALF),
            "even_end_of_order": _crossing(each["even_abs_magnetization"], _HALF),
            "end_of_symmetric_order": _crossing(
                -each["effective_temperature"], -exact.CRITICAL_TEMPERATURE
            ),
        }
        each |= {name: place for name, (place, _) in places.items()}
        summary = xr.Dataset(attrs=data.attrs)
        for name, values in each.items():
            long_name, units = _LABELS[name]
            mean, error = mean_and_error(values, ["chain"])
            if name in places:  # all trainings share the grid, and so its error
                error = (error**2 + places[name][1].mean("chain") ** 2) ** 0.5
            summary[name] = mean.assign_attrs(long_name=long_name, units=units)
            label = {"long_name": f"standard error of the {long_name}", "units": units}
            summary[f"{name}_error"] = error.assign_attrs(label)
        summary["nonlinearity"] = data["nonlinearity"].mean("chain", keep_attrs=True)
        return summary

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw order against τ, where it ends against γ, and two reasons for it."""
        figure = new_figure(figsize=(9.6, 6.4), layout="constrained")
        axes = figure.subplots(2, 2)
        (order, ends), (slope, bias) = axes
        tau = summary["softmax_temperature"].values
        from matplotlib import colormaps

        colors = colormaps["viridis"](np.linspace(0.0, 0.9, summary.sizes["discount"]))
        grid = np.linspace(tau.min(), tau.max(), 401)
        known = exact.square_lattice(grid)["abs_magnetization"]
        order.plot(grid, known, lw=1.0, color="0.35", label="exact, γ = 0, infinite")
        for index, color in enumerate(colors):
            chosen = summary.isel(discount=index)
            style: dict[str, Any] = {
                "color": color, "marker": _MARKERS[index % len(_MARKERS)], "ms": 4.5,
                "markerfacecolor": "none", "elinewidth": 0.9, "lw": 0.8,
            }  # fmt: skip
            label = f"γ = {chosen['discount'].item():g}"
            for ax, name, ls in ((order, "abs_magnetization", "none"), (bias, "bias", ":")):
                ax.errorbar(tau, chosen[name], chosen[f"{name}_error"], ls=ls, label=label, **style)
            order.plot(tau, chosen["learning_abs_magnetization"], lw=1.0, color=color)
            ratio, width = (
                chosen[name] / chosen["softmax_temperature"]
                for name in ("effective_temperature", "effective_temperature_error")
            )
            slope.errorbar(tau, ratio, width, ls=":", **style)
        gamma = summary["discount"].values
        for name, marker, text in (
            ("end_of_order", "o", "policies at the end"),
            ("learning_end_of_order", "x", "while learning"),
            ("even_end_of_order", "s", "policies, up and down made alike"),
            ("end_of_symmetric_order", "D", r"$T_\mathrm{eff} = T_\mathrm{c}$"),
        ):
            ends.errorbar(
                gamma, summary[name], summary[f"{name}_error"], color="0.1", ls="none",
                marker=marker, markerfacecolor="none", capsize=3.0, label=text,
            )  # fmt: skip
        ends.axhline(exact.CRITICAL_TEMPERATURE, color="0.55", lw=0.9, ls=":")
        ends.set(xlabel="discount γ", ylabel="softmax temperature τ ($J$)", xlim=(-0.05, 1.0))
        title = r"$|m| = 1/2$, or $T_\mathrm{eff} = T_\mathrm{c}$"
        ends.legend(fontsize="small", frameon=False, title=title)
        order.set(ylabel="absolute magnetization per site", ylim=(-0.03, 1.05))
        slope.set(ylabel=r"effective temperature, $T_\mathrm{eff}/\tau$")
        bias.set(ylabel=r"size of the log-odds at $S = 0$")
        bias.set_yscale("symlog", linthresh=0.5)
        bias.set_ylim(bottom=-0.02)
        for ax in (order, slope, bias):
            ax.set_xlabel(r"softmax temperature $\tau$ ($J$)")
        legend_below(figure, [order], 6)
        sides = " × ".join(map(str, self.shape))
        figure.suptitle(
            f"Mean-field Q with discount γ, {sides} sites: {self.chains} trainings of "
            f"{self.training_sweeps:,} sweeps, policies (marks) measured for {self.sweeps:,},\n"
            "agents that learn (lines) in their last half",
            fontsize="medium",
        )
        return figure


def measure(
    config: Discount,
    discount: float,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Train agents of one discount, then run their policies."""
    policy = trained(
        folder and folder / "policy", config.model, config.agent(discount), config.temperatures,
        sweeps=config.training_sweeps, chains=config.chains, annealing=config.annealing,
        start=config.start, snapshots=1, seed=task_seed(seed, "learning"), progress=progress,
    )  # fmt: skip
    data, even = (
        simulate(
            config.model, rule, sweeps=config.sweeps, thermalization=config.thermalization,
            chains=config.chains, start=policy.history["spins"].isel(snapshot=0).values,
            seed=task_seed(seed, use), out=folder and folder / name, progress=progress,
        )
        for rule, use, name in (
            (policy, "running", "run"), (made_alike(policy), "running alike", "run-alike")
        )
    )  # fmt: skip
    data["even_abs_magnetization"] = abs(even["magnetization"]).mean("draw")
    learned = policy.history["magnetization"].isel(sweep=slice(config.training_sweeps // 2, None))
    data["learning_magnetization"] = learned.drop_vars("softmax_temperature")
    fitted = effective_temperature(policy)
    for name in ("effective_temperature", "nonlinearity"):
        data[name] = fitted[name].drop_vars(["method", "softmax_temperature"])
    data["log_odds"] = log_odds(policy)["log_odds"].drop_vars(["method", "softmax_temperature"])
    label = {"long_name": "discount", "units": "1"}
    data.attrs = {name: data.attrs[name] for name in ("versions",)}
    return data.assign_coords(discount=((), float(discount), label))


def made_alike(policy: Policy) -> Policy:
    """Make a policy symmetric in up and down: average Q with its mirror image."""
    q = policy.q_values.transpose(..., "n_up", "action")
    return replace(policy, q_values=(q + q.values[..., ::-1, ::-1]) / 2)


def _crossing(values: xr.DataArray, level: float) -> tuple[xr.DataArray, xr.DataArray]:
    """Return τ where values fall below a level for good, or NaN, and the error of the grid."""
    tau = values["softmax_temperature"].values
    place, error = xr.apply_ufunc(
        lambda curve: last_fall(tau, curve, level), values, input_core_dims=[["temperature"]],
        output_core_dims=[[], []], vectorize=True,
    )  # fmt: skip
    return place, error
