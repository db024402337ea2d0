"""The torus of Zai & Brown (2020), section 9.4: one network for all agents, with corrections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import xarray as xr

from isingrl import Ising, Lattice, MeanFieldQ, Network, train
from isingrl.schedules import SCHEDULES, Schedule
from isingrl.support.validation import check_choice, check_real
from studies.running.extensions import Join
from studies.running.tasks import Task
from studies.shared.checks import check_counts
from studies.shared.combination import concat
from studies.shared.figures import legend_below, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TRAININGS = {"chapter": 1, "long": 10, "annealed": 10}  # with their shares of the work
_COLORS = ("#0072B2", "#D55E00", "#009E73")
_SNAPSHOTS = 75


@dataclass(frozen=True)
class Chapter2D:
    """The torus of Zai & Brown (2020), section 9.4: 75 epochs, and longer trainings.

    All agents share one network, which sees the mean action of the eight neighbours. The first
    training has the chapter's settings with three corrections: every target is for the taken
    action alone, its value of the next state comes from the next state, and the output can
    represent it. The second is longer and faster. The third is annealed and has no discount, so
    its fixed point is known.
    """

    side: int = 10
    """L of the L × L torus."""
    epochs: int = 75
    """Epochs of the chapter; in each every agent acts once and the optimizer makes one step."""
    learning_rate: float = 1e-4
    """Learning rate of the chapter."""
    long_epochs: int = 3_000
    """Epochs of the long trainings."""
    long_learning_rate: float = 1e-2
    """Learning rate of the long trainings."""
    tau: float = 0.5
    """Softmax temperature."""
    discount: float = 0.9
    """Discount of the first two trainings."""
    inner_iterations: int = 3
    """Rounds of tentative actions, each seen by the neighbours, before the final action."""
    replay: int = 50
    """Experiences in the memory."""
    batch_size: int = 10
    """Experiences in the batch of every epoch."""
    optimizer: Literal["Adam", "SGD"] = "Adam"
    """Optimizer of the network."""
    schedule: Schedule = "synchronous"
    """Order of updates; the chapter means all at once."""
    chains: int = 32
    """Independent trainings of every kind; the first is shown."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {}

    @property
    def model(self) -> Ising:
        """The ferromagnet on the torus, each site with eight neighbours."""
        return Ising(Lattice((self.side, self.side), "moore"))

    def agent(self, training: str) -> MeanFieldQ:
        """Return the agents of a training."""
        return MeanFieldQ(
            "chapter-2d", discount=0.0 if training == "annealed" else self.discount,
            learning_rate=self.learning_rate if training == "chapter" else self.long_learning_rate,
            network=Network((10,), activation="elu", optimizer=self.optimizer),
            replay=self.replay, batch_size=self.batch_size,
            inner_iterations=self.inner_iterations, falling_rate=training == "annealed",
        )  # fmt: skip

    def label(self, training: str) -> str:
        """Name of a training for a legend."""
        epochs, agent = self._length(training), self.agent(training)
        extra = ", annealed" if training == "annealed" else ""
        discount = rf"$\gamma = {agent.discount:g}$"
        return f"{epochs:,} epochs, rate {agent.learning_rate:g}, {discount}{extra}"

    def tasks(self) -> list[Task]:
        """One task for each training."""
        check_counts(self, side=3, chains=2, seed=0, epochs=2, long_epochs=2)
        check_choice("schedule", self.schedule, SCHEDULES)
        if check_real("tau", self.tau) <= 0:
            raise ValueError(f"tau must be a positive number; got {self.tau:g}")
        for training in _TRAININGS:
            self.agent(training)
        return [
            Task(training, learn, {"config": self, "training": training}, weight=weight)
            for training, weight in _TRAININGS.items()
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the trainings."""
        return concat(results.values(), "training")

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Means and spreads over trainings; log-odds with the sign of the final majority."""
        turned = data["log_odds"].isel(n_up=slice(None, None, -1))
        turned = turned.assign_coords(n_up=data["n_up"].values)
        down = data["spins"].isel(kept=-1).mean(("x", "y")) < 0
        odds = data["log_odds"].where(~down, -turned)
        summary = data[["local_sum", "exact_log_odds"]].isel(training=0, drop=True)
        for name, values in (
            ("loss", data["loss"].where(data["loss"] > 0)),  # 0 before the first experience
            ("order", abs(data["magnetization"])),
            ("log_odds", odds),
            ("rise", data["log_odds"].isel(n_up=-1) - data["log_odds"].isel(n_up=0)),
        ):
            summary[name] = values.mean("chain")
            summary[f"{name}_error"] = values.std("chain", ddof=1) / self.chains**0.5
            for end, share in (("low", 0.16), ("high", 0.84)):
                bound = values.quantile(share, "chain", skipna=False)
                summary[f"{name}_{end}"] = bound.drop_vars("quantile")
        summary["kept_epoch"] = data["kept_epoch"]
        summary["spins"] = data["spins"].isel(chain=0, drop=True)
        for name, label in _LABELS.items():
            summary[name].attrs = {"long_name": label}
        return summary

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw loss and order against epoch, log-odds against S, and configurations."""
        figure = new_figure(figsize=(10.5, 7.2), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(1.75, 1.0))
        upper, lower = parts
        axes = upper.subplots(1, 3)
        for training, color in zip(_TRAININGS, _COLORS, strict=True):
            chosen = summary.sel(training=training)
            label = self.label(training)
            _draw_band(axes[0], chosen, "loss", color, label)
            _draw_band(axes[1], chosen, "order", color, label)
            _draw_odds(axes[2], chosen.isel(kept=-1), label, fmt="o-", color=color)
            if training == "annealed":
                early = chosen.isel(kept=1)
                epoch = f"the same at epoch {int(early['kept_epoch']):,}"
                _draw_odds(axes[2], early, epoch, fmt="s:", color="#56B4E9")
        axes[2].plot(
            summary["local_sum"], summary["exact_log_odds"], "k--", lw=1.0,
            label=r"fixed point at $\gamma = 0$",
        )  # fmt: skip
        axes[0].set(xlabel="epoch", ylabel="loss", xscale="log", yscale="log", ylim=(1e-5, 3))
        axes[1].set(xlabel="epoch", ylabel="order $|m|$", xscale="log", ylim=(0, 1.03))
        axes[2].set(xlabel="sum $S$ of the neighbours (majority up)")
        axes[2].set(ylabel="log-odds of spin up", ylim=(-6, 23))
        legend_below(upper, [axes[2]], 3)
        titles = ["first epoch", *(f"epoch {self._length(name):,}" for name in _TRAININGS)]
        pictures = lower.subplots(1, 4)
        shown = [summary["spins"].sel(training="chapter").isel(kept=0)]
        shown += [summary["spins"].sel(training=name).isel(kept=-1) for name in _TRAININGS]
        for ax, spins, title, color in zip(pictures, shown, titles, ("k", *_COLORS), strict=True):
            ax.imshow(spins, cmap="gray", vmin=-1.6, vmax=1.0, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.set_title(title, color=color, fontsize="medium")
        figure.suptitle(
            f"{self.side} × {self.side} agents with one network (Zai & Brown 2020), "
            rf"$\tau = {self.tau:g}$: mean and middle two thirds of {self.chains} trainings",
            fontsize="medium",
        )
        return figure

    def _length(self, training: str) -> int:
        return self.epochs if training == "chapter" else self.long_epochs


def learn(config: Chapter2D, training: str, *, seed: int, progress: bool = False) -> xr.Dataset:
    """Let the agents learn; series are NaN after the last epoch."""
    model, agent = config.model, config.agent(training)
    epochs = config._length(training)
    temperature = config.tau * agent.reward_function.temperature_ratio(model)
    policy = train(
        model, agent, temperature, sweeps=epochs, chains=config.chains,
        annealing=0.5 if training == "annealed" else 0, schedule=config.schedule,
        snapshots=min(epochs, _SNAPSHOTS), seed=seed, progress=progress,
    )  # fmt: skip
    history = policy.history.isel(temperature=0, drop=True)
    middle = history.sizes["snapshot"] // 4  # if annealed, before a majority forms
    kept = history[["q", "spins"]].isel(snapshot=[0, middle, -1])
    advantage = kept["q"].sel(action="up", drop=True) - kept["q"].sel(action="down", drop=True)
    reward = agent.reward_function.table(model)
    series = history[["loss", "magnetization"]].rename(sweep="epoch")
    longest = max(config.epochs, config.long_epochs)
    data = series.reindex(epoch=np.arange(1, longest + 1))
    data["log_odds"] = (advantage / config.tau).rename(snapshot="kept").drop_vars("kept")
    data["spins"] = kept["spins"].rename(snapshot="kept").drop_vars("kept")
    data["kept_epoch"] = ("kept", kept["snapshot"].values)
    data["exact_log_odds"] = ("n_up", (reward[:, 1] - reward[:, 0]) / config.tau)
    data["local_sum"] = 2 * data["n_up"] - model.lattice.coordination_number
    return data.assign_coords(training=training)


def _draw_odds(ax: Axes, summary: xr.Dataset, label: str, **style: Any) -> None:
    mean = summary["log_odds"].values
    below, above = mean - summary["log_odds_low"].values, summary["log_odds_high"].values - mean
    look: dict[str, Any] = {"ms": 4.0, "lw": 0.9, "markerfacecolor": "none"} | style
    ends = np.maximum([below, above], 0.0)
    ax.errorbar(summary["local_sum"], mean, ends, label=label, **look)


def _draw_band(ax: Axes, summary: xr.Dataset, name: str, color: str, label: str) -> None:
    """Mean, and the middle two thirds of the trainings, against epoch."""
    epoch, mean = summary["epoch"].values, summary[name].values
    low, high = (summary[f"{name}_{end}"].values for end in ("low", "high"))
    ax.plot(epoch, mean, color=color, lw=1.0, label=label)
    ax.fill_between(epoch, low, high, color=color, alpha=0.2, lw=0)


_LABELS = {
    "local_sum": "sum of the neighbour spins",
    "exact_log_odds": "log-odds of spin up at the fixed point without discount",
    "loss": "mean squared error of the action values",
    "order": "absolute magnetization per site",
    "kept_epoch": "epoch of the configurations and log-odds that were kept",
    "log_odds": "log-odds of spin up",
    "rise": "log-odds with all neighbours up less those with all down",
    "spins": "spin",
}
