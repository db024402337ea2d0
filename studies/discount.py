"""How the discount of mean-field Q-learners moves the transition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import tyro
import xarray as xr

from analysis import effective_temperature, exact, log_odds
from analysis.learned.odds import mean_and_error
from isingrl import Ising, Lattice, MeanFieldQ, Policy, simulate
from isingrl.runs import STARTS
from isingrl.support.validation import (
    check_choice,
    check_integer,
    check_real,
    check_run_length,
)
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task, task_seed
from studies.shared.combination import concat
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import last_fall, number_texts, temperature_grid
from studies.shared.trained_policies import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Discount"]

FloatArray = npt.NDArray[np.float64]

_HALF = 0.5  # |m| at which order counts as ended
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
    is measured thrice: while the agents learn, in their last half; with the policies that they end
    with, which go on from the spins that they end with; and with these policies less what prefers
    up or down. Errors are from independent trainings.
    """

    shape: tuple[int, int] = (40, 40)
    """Sides of the square lattice."""
    softmax_temperature: Annotated[
        tuple[float, float, int], tyro.conf.arg(metavar="FIRST LAST NUMBER")
    ] = (1.8, 4.6, 29)
    """First and last softmax temperature in J, and how many, evenly spaced."""
    discounts: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 0.9)
    """Discounts γ."""
    learning_rate: float = 0.01
    """Smallest learning rate; an action value that is learned k times has the rate 1/k before. A
    large one makes policies noisy, which orders them the less the larger γ; with a small one at
    large γ the order of the start outlives the training."""
    training_sweeps: int = 1_000
    """Learning sweeps."""
    annealing: float = 0.0
    """Share of them, up to one half, over which the softmax temperature falls to its value."""
    start: Literal["up", "random"] = "up"
    """First configuration of the training; random ones, and all that are annealed, can freeze into
    stripes."""
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
        check_integer("chains", self.chains, 2)
        check_integer("training_sweeps", self.training_sweeps, 2)
        check_real("annealing", self.annealing, minimum=0, maximum=0.5)
        check_choice("start", self.start, STARTS)
        check_integer("seed", self.seed, 0)
        if not self.discounts or len(set(self.discounts)) < len(self.discounts):
            raise ValueError(f"discounts must be distinct numbers; got {self.discounts}")
        number, alone, keys = len(self.temperatures), unextended(self), self._keys()
        return [
            Task(
                key=keys[float(self.agent(discount).discount)],
                function=measure,
                arguments={"config": alone, "discount": discount},
                weight=number,
                resumable=True,
            )
            for discount in self.discounts
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the discounts."""
        keys = self._keys()
        return concat([results[keys[float(each)]] for each in sorted(self.discounts)], "discount")

    def _keys(self) -> dict[float, str]:
        texts = number_texts(self.discounts)
        return {discount: f"discount = {text}" for discount, text in texts.items()}

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
            if name in places:  # all trainings share the grid, and what it misses
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
                "color": color,
                "marker": _MARKERS[index % len(_MARKERS)],
                "ms": 4.5,
                "elinewidth": 0.9,
            }
            label = f"γ = {chosen['discount'].item():g}"
            open_style = {**style, "markerfacecolor": "none", "ls": "none"}
            for ax, name, ls in ((order, "abs_magnetization", "none"), (bias, "bias", ":")):
                ax.errorbar(tau, chosen[name], chosen[f"{name}_error"], **{**open_style, "ls": ls},
                            lw=0.8, label=label)  # fmt: skip
            order.plot(tau, chosen["learning_abs_magnetization"], lw=1.0, color=color)
            ratio, width = (
                chosen[name] / chosen["softmax_temperature"]
                for name in ("effective_temperature", "effective_temperature_error")
            )
            slope.errorbar(tau, ratio, width, **{**open_style, "ls": ":"}, lw=0.8)
        gamma = summary["discount"].values
        for name, marker, text in (
            ("end_of_order", "o", "policies at the end"),
            ("learning_end_of_order", "x", "while learning"),
            ("even_end_of_order", "s", "policies, up and down made alike"),
            ("end_of_symmetric_order", "D", r"$T_\mathrm{eff} = T_\mathrm{c}$"),
        ):
            ends.errorbar(
                gamma,
                summary[name],
                summary[f"{name}_error"],
                color="0.1",
                ls="none",
                marker=marker,
                markerfacecolor="none",
                capsize=3.0,
                label=text,
            )
        ends.axhline(exact.CRITICAL_TEMPERATURE, color="0.55", lw=0.9, ls=":")
        ends.set(xlabel="discount γ", ylabel="softmax temperature τ ($J$)", xlim=(-0.05, 1.0))
        ends.legend(
            fontsize="small",
            frameon=False,
            title=r"$|m| = 1/2$, or $T_\mathrm{eff} = T_\mathrm{c}$",
        )
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
    """Train agents of one discount, then run what they learned."""
    learning_seed, running_seed = (task_seed(seed, use) for use in ("learning", "running"))
    policy = trained(
        folder and folder / "policy",
        config.model,
        config.agent(discount),
        config.temperatures,
        sweeps=config.training_sweeps,
        chains=config.chains,
        annealing=config.annealing,
        start=config.start,
        snapshots=1,
        seed=learning_seed,
        progress=progress,
    )
    settings: dict[str, Any] = {
        "sweeps": config.sweeps,
        "thermalization": config.thermalization,
        "chains": config.chains,
        "start": policy.history["spins"].isel(snapshot=0).values,
        "progress": progress,
    }
    data = simulate(
        config.model, policy, seed=running_seed, out=folder and folder / "run", **settings
    )
    even = simulate(
        config.model, made_alike(policy), seed=task_seed(seed, "running alike"),
        out=folder and folder / "run-alike", **settings,
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
    """Take from a policy what prefers up or down: average Q with its mirror image."""
    q = policy.q_values.transpose(..., "n_up", "action")
    return replace(policy, q_values=(q + q.values[..., ::-1, ::-1]) / 2)


def _crossing(values: xr.DataArray, level: float) -> tuple[xr.DataArray, xr.DataArray]:
    """τ at which values fall below a level for good, NaN if not seen; and the error of the grid."""
    tau = values["softmax_temperature"].values
    place, error = xr.apply_ufunc(
        lambda curve: last_fall(tau, curve, level), values, input_core_dims=[["temperature"]],
        output_core_dims=[[], []], vectorize=True,
    )  # fmt: skip
    return place, error
