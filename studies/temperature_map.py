"""Temperature of agents against their softmax temperature, for every reward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np
import scipy
import xarray as xr

from analysis import effective_temperature, exact, log_odds, thermodynamics
from analysis.literature import critical_temperature
from analysis.quantities import quantity_attrs
from isingrl import Ising, Lattice, MeanFieldQ, simulate
from isingrl.agents import REWARDS
from isingrl.support.validation import check_run_length
from studies.running.extensions import Join, added, unextended
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts, check_names
from studies.shared.combination import concat_all
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import FloatArray, Grid, temperature_grid
from studies.shared.trained_policies import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["TemperatureMap"]

RewardName = Literal["energy", "half", "mean", "chapter-1d", "chapter-2d"]

_NAMES = {"von_neumann": "von Neumann", "moore": "Moore"}
_COLORS = {
    "energy": "#0072B2", "half": "#009E73", "mean": "#CC79A7", "chapter-1d": "#E69F00",
    "chapter-2d": "#D55E00",
}  # fmt: skip
_MARKERS = {"ring": "^", "von_neumann": "o", "moore": "s"}
_LEARNERS = ("table", "network")
_MAX_UP = 8
_WIDEST = 4.0  # factor about T that bounds the search for a thermodynamic temperature


class _Case(NamedTuple):
    reward: str
    lattice: str  # "ring", or the neighbourhood in two dimensions

    @property
    def name(self) -> str:
        return f"{self.reward}, {_NAMES.get(self.lattice, self.lattice)}"

    def key(self, learner: str) -> str:
        return f"{self.name}, {learner}"


@dataclass(frozen=True)
class TemperatureMap:
    """Effective temperature of policies of mean-field Q against their softmax temperature.

    The chapter's reward in one dimension is used on a ring, its reward in two dimensions with Moore
    neighbours, and every other reward in two dimensions with both neighbourhoods. Where the exact
    energy is known, the measured energy gives the temperature of the policies independently.
    """

    shape: tuple[int, int] = (32, 32)
    """Sides of the lattice in two dimensions."""
    ring: int = 256
    """Sites of the ring."""
    rewards: tuple[RewardName, ...] = ("energy", "half", "mean", "chapter-1d", "chapter-2d")
    """Rewards of the agents."""
    reduced_temperature: Grid = (0.6, 2.0, 8)
    """First and last temperature, over the critical one in two dimensions and in J/k_B on the ring,
    and how many, evenly spaced."""
    hidden: tuple[int, ...] = (10,)
    """Widths of the hidden layers of the networks."""
    training_sweeps: int = 400
    """Learning sweeps of tables."""
    network_training_sweeps: int = 3_000
    """Learning sweeps of networks."""
    sweeps: int = 10_000
    """Measured sweeps of every policy."""
    thermalization: int = 500
    """Sweeps of every policy before the first measured one, from all spins up."""
    chains: int = 4
    """Independent trainings at every temperature."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {"rewards": added}

    @property
    def cases(self) -> list[_Case]:
        """Pairs of a reward and a lattice."""
        places = {"chapter-1d": ("ring",), "chapter-2d": ("moore",)}
        return [
            _Case(reward, lattice)
            for reward in self.rewards
            for lattice in places.get(reward, ("von_neumann", "moore"))
        ]

    @property
    def reduced(self) -> FloatArray:
        """All temperatures over their scale, shape (number,)."""
        values = temperature_grid("reduced_temperature", self.reduced_temperature)
        if values.min() == 0 or np.isinf(values).any():
            raise ValueError(
                "reduced_temperature must lie above 0 and be finite; got {:g} {:g} {}".format(
                    *self.reduced_temperature
                )
            )
        return values

    def model(self, lattice: str) -> Ising:
        """Return the ferromagnet without field on one of the lattices."""
        if lattice == "ring":
            return Ising(Lattice((self.ring,)))
        return Ising(Lattice(self.shape, lattice))

    def temperatures(self, lattice: str) -> FloatArray:
        """Return the temperatures in J/k_B, shape (number,)."""
        scale = 1.0 if lattice == "ring" else critical_temperature(2, lattice)
        assert scale is not None
        return self.reduced * scale

    def agent(self, reward: str, learner: str) -> MeanFieldQ:
        """Return the agents of a reward, with tables or networks."""
        return MeanFieldQ(reward, network=self.hidden if learner == "network" else None)

    def tasks(self) -> list[Task]:
        """One task for every reward, lattice and learner."""
        if len(self.shape) != 2:
            raise ValueError(f"shape must have two sides; got {self.shape}")
        check_names("rewards", self.rewards, get_args(RewardName))
        check_run_length(self.sweeps, self.thermalization, 1, self.chains)
        check_counts(self, chains=2, training_sweeps=1, network_training_sweeps=1, seed=0)
        for case in self.cases:
            for learner in _LEARNERS:
                self.agent(case.reward, learner).view(self.model(case.lattice).lattice)
        number, alone = len(self.reduced), unextended(self)
        return [
            Task(
                key=case.key(learner),
                function=measure,
                arguments={
                    "config": alone, "reward": case.reward, "lattice": case.lattice,
                    "learner": learner,
                },
                weight=number * (1 if learner == "table" else 8),
                resumable=True,
            )
            for case in self.cases
            for learner in _LEARNERS
        ]  # fmt: skip

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join tables and networks, then the cases."""
        return concat_all(results, _Case.key, case=self.cases, learner=_LEARNERS)

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Add the relative distances of the temperatures from the map."""
        summary = data.copy()
        for name in ("effective_temperature", "thermodynamic_temperature"):
            for part, exact_ratio, what in (
                (name, 1, "relative residual"), (f"{name}_error", 0, "relative error")
            ):  # fmt: skip
                residual = data[part] / data["temperature"] - exact_ratio
                label = {"long_name": f"{what} of the {name.replace('_', ' ')}", "units": "1"}
                residual_name = part.replace("temperature", "residual", 1)
                summary[residual_name] = residual.assign_attrs(label)
        return summary

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw the map, the residuals, and the reward without an exact map."""
        figure = new_figure(figsize=(12.5, 7.0), layout="constrained")
        names: Any = [["chart", "effective", "odds"], ["chart", "thermodynamic", "bent"]]
        axes = figure.subplot_mosaic(names)
        chart = axes["chart"]
        for index, case in enumerate(self.cases):
            one = summary.isel(case=index)
            table, network = (one.sel(learner=learner) for learner in _LEARNERS)
            tau, t = one["softmax_temperature"].values, one["temperature"].values
            color = _COLORS[case.reward]
            style: dict[str, Any] = {
                "color": color, "marker": _MARKERS[case.lattice], "ls": "none", "ms": 5.0,
                "elinewidth": 0.9,
            }  # fmt: skip
            chart.errorbar(
                tau, network["effective_temperature"], network["effective_temperature_error"],
                label=case.name, markerfacecolor="none", **style,
            )  # fmt: skip
            chart.plot(tau, table["effective_temperature"], ".", ms=3.0, color=color)
            exact_map = REWARDS[case.reward].exact
            chart.plot(tau, t, lw=0.9, ls="-" if exact_map else ":", color=color)
            if not exact_map:
                _draw_bent(axes["odds"], axes["bent"], table)
                continue
            for name, shown, face, beside in (
                ("effective", network, "none", 0.0),
                ("thermodynamic", network, "none", 0.0),
                ("thermodynamic", table, color, 0.5),
            ):
                shift = 1 + 0.008 * (index + beside - len(self.cases) / 2)  # errors side by side
                axes[name].errorbar(
                    shift * one["reduced_temperature"].values, shown[f"{name}_residual"],
                    shown[f"{name}_residual_error"], markerfacecolor=face, **style,
                )  # fmt: skip
        chart.set(xscale="log", yscale="log", xlabel=r"softmax temperature $\tau$ ($J$)")
        chart.set_ylabel(r"effective temperature $T_\mathrm{eff}$ ($J/k_\mathrm{B}$)")
        chart.set_title("lines: the map, dotted for small $S$ only", fontsize="medium")
        exact_cases = [case.name for case in self.cases if REWARDS[case.reward].exact]
        table = summary.sel(learner="table", case=exact_cases)
        worst = float(abs(table["effective_residual"]).max()) if exact_cases else np.nan
        axes["effective"].set_yscale("symlog", linthresh=1e-4)
        axes["effective"].set_ylabel(r"$T_\mathrm{eff}/T - 1$ from log-odds")
        axes["effective"].set_title(f"networks (tables: within {worst:.0e})", fontsize="medium")
        axes["thermodynamic"].set_ylabel("$T(e)/T - 1$ from the energy")
        axes["thermodynamic"].set_title("open: networks; filled: tables", fontsize="medium")
        for name in ("effective", "thermodynamic"):
            axes[name].axhline(0, color="0.55", lw=0.9, zorder=1)
            axes[name].set_xlabel(r"$T/T_\mathrm{c}$ (ring: $k_\mathrm{B}T/J$)")
        legend_below(figure, [chart], 4, fontsize="small")
        sides = " × ".join(map(str, self.shape))
        figure.suptitle(
            f"Mean-field Q, {sides} sites (ring of {self.ring}): {self.chains} trainings of "
            f"{self.training_sweeps:,} sweeps (tables, dots) or {self.network_training_sweeps:,} "
            f"(networks, open), {self.sweeps:,} measured",
            fontsize="medium",
        )
        return figure


def measure(
    config: TemperatureMap,
    reward: str,
    lattice: str,
    learner: str,
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Train agents of one reward, fit their log-odds, and run their policies."""
    model, temperature = config.model(lattice), config.temperatures(lattice)
    policy = trained(
        folder and folder / "policy", model, config.agent(reward, learner), temperature,
        sweeps=config.network_training_sweeps if learner == "network" else config.training_sweeps,
        chains=config.chains, seed=task_seed(seed, "learning"), progress=progress,
    )  # fmt: skip
    data = effective_temperature(policy, over="chain").drop_vars("method")
    # in units of the softmax temperature, which differs between policies
    advantage = (log_odds(policy)["log_odds"] * data["softmax_temperature"]).mean("temperature")
    for name, values in (
        ("advantage", advantage.mean("chain")),
        ("advantage_error", advantage.std("chain", ddof=1) / np.sqrt(config.chains)),
    ):
        data[name] = values.drop_vars("method").reindex(n_up=np.arange(_MAX_UP + 1.0))
        data[name].attrs = {"long_name": r"log-odds times $\tau$", "units": "J"}
    if REWARDS[reward].exact and lattice != "moore":
        run = simulate(
            model, policy, sweeps=config.sweeps, thermalization=config.thermalization,
            chains=config.chains, start="up", seed=task_seed(seed, "running"),
            out=folder and folder / "run", progress=progress,
        )  # fmt: skip
        found = _thermodynamic(config, lattice, temperature, thermodynamics(run))
    else:
        found = np.full((2, len(temperature)), np.nan)
    for name, values in zip(("", "_error"), found, strict=True):
        label = {"long_name": f"{name[1:]} thermodynamic temperature".strip(), "units": "J/k_B"}
        data[f"thermodynamic_temperature{name}"] = ("temperature", values, label)
    data = data.rename(temperature="reduced_temperature")
    label = {"long_name": "temperature over its scale", "units": "1"}
    data = data.assign_coords(
        reduced_temperature=("reduced_temperature", config.reduced, label),
        temperature=("reduced_temperature", temperature, quantity_attrs("temperature")),
        case=_Case(reward, lattice).name, learner=learner,
    )  # fmt: skip
    data.attrs = {"trainings": config.chains}
    return data


def _thermodynamic(
    config: TemperatureMap, lattice: str, temperature: FloatArray, measured: xr.Dataset
) -> FloatArray:
    """Temperature at which the exact energy equals the measured one, and its standard error."""

    def known(t: float) -> xr.Dataset:
        if lattice == "ring":
            return exact.ring(config.ring, t)
        return exact.torus(config.shape, t)

    found = np.full((2, len(temperature)), np.nan)
    for index, t in enumerate(temperature):
        energy = float(measured["energy"][index])

        def excess(at: float, energy: float = energy) -> float:
            return float(known(at)["energy"][0]) - energy

        low, high = t / _WIDEST, t * _WIDEST
        if excess(low) < 0 < excess(high):
            at = scipy.optimize.brentq(excess, low, high)
            heat = float(known(at)["specific_heat"][0])
            found[:, index] = at, float(measured["energy_error"][index]) / heat
    return found


def _draw_bent(odds: Any, bent: Any, one: xr.Dataset) -> None:
    """Draw the nonlinear log-odds of the chapter's reward on the Moore lattice."""
    sums = 2 * one["n_up"].values - _MAX_UP
    s = np.linspace(-_MAX_UP, _MAX_UP, 201)
    color = _COLORS["chapter-2d"]
    odds.errorbar(sums, one["advantage"], one["advantage_error"], color=color, ls="none",
                  marker="s", markerfacecolor="none", label="learned")  # fmt: skip
    odds.plot(s, 2 * np.tanh(5 * s / 16), lw=1.0, color="0.35", label=r"$2\,\tanh(5S/16)$")
    odds.plot(s, 2 * s / 3.2, lw=1.0, ls=":", color="0.35", label=r"$T = 3.2\,\tau$, small $S$")
    odds.set(xlabel="sum of the neighbour spins $S$", ylabel=r"log-odds times $\tau$ ($J$)")
    odds.set(ylim=(-2.6, 2.6))
    odds.set_title("chapter-2d, Moore: no Ising rule", fontsize="medium")
    odds.legend(fontsize="small", frameon=False)
    x = one["reduced_temperature"].values
    for name, marker, label in (
        ("effective_residual", "s", r"$T_\mathrm{eff}/T - 1$, $T = 3.2\,\tau$"),
        ("nonlinearity", "D", "nonlinearity of the log-odds"),
    ):
        error = one.get(f"{name}_error")
        bent.errorbar(x, one[name], error, color=color, ls=":", lw=0.8, marker=marker,
                      markerfacecolor="none", label=label)  # fmt: skip
    bent.set(xlabel=r"$T/T_\mathrm{c}$", ylabel="distance from the map", ylim=(0, None))
    bent.set_title("chapter-2d, Moore", fontsize="medium")
    bent.legend(fontsize="small", frameon=False)
