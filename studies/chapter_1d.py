"""The ring of Zai & Brown (2020), section 9.3: greedy agents, each with a network of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import plots
from isingrl import HeatBath, Ising, Lattice, NeighborhoodQ, Network, simulate, train
from isingrl.schedules import SCHEDULES, Schedule
from isingrl.support.validation import check_choice
from studies.running.extensions import Join
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts
from studies.shared.combination import concat
from studies.shared.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METHODS = (NeighborhoodQ.name, HeatBath.name)


@dataclass(frozen=True)
class Chapter1D:
    """The ring of Zai & Brown (2020), section 9.3: frozen domains of greedy agents.

    Every site has an agent with its own network. An agent sees the joint action of its two
    neighbours and takes the action with the highest value. The heat bath at T = 0 runs from the
    same starts.
    """

    n_sites: int = 20
    """Agents on the ring."""
    epochs: int = 200
    """Epochs; in each every agent acts once and its optimizer makes one step."""
    learning_rate: float = 1e-3
    """Rate of stochastic gradient descent."""
    chains: int = 256
    """Independent rings, each from its own random start; the first is shown."""
    schedule: Schedule = "checkerboard"
    """Order of updates. With updates all at once an even ring is two independent halves."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {}

    @property
    def model(self) -> Ising:
        """The ferromagnet on the ring."""
        return Ising(Lattice((self.n_sites,)))

    @property
    def agent(self) -> NeighborhoodQ:
        """The agents of the chapter."""
        network = Network((20,), activation="elu", output="tanh", bias="one", optimizer="SGD")
        return NeighborhoodQ(
            "chapter-1d", learning_rate=self.learning_rate, network=network, shared=False,
            falling_rate=False,
        )  # fmt: skip

    @property
    def start(self) -> npt.NDArray[np.int8]:
        """First configurations of both methods, shape (1, chains, n_sites)."""
        generator = np.random.default_rng(task_seed(self.seed, "start"))
        drawn = generator.integers(0, 2, size=(1, self.chains, self.n_sites), dtype=np.int8)
        return (2 * drawn - 1).astype(np.int8)

    def tasks(self) -> list[Task]:
        """One task for each method."""
        check_counts(self, n_sites=3, epochs=1, chains=2, seed=0)
        check_choice("schedule", self.schedule, SCHEDULES)
        self.agent.check_model(self.model)
        arguments = {"config": self}
        return [
            Task(_METHODS[0], learn, arguments, weight=10),
            Task(_METHODS[1], quench, arguments),
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the methods' spins."""
        agents, heat_bath = (results[name] for name in _METHODS)
        data = concat([agents[["spins"]], heat_bath], "method")
        return data.assign(site_loss=agents["site_loss"].drop_vars("method"))

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Numbers of domains against time and in the end, losses, and the first ring."""
        each = count_domains(data["spins"])
        numbers = xr.DataArray(np.arange(1, self.n_sites + 1), dims="number")
        share = (each.isel(epoch=-1) == numbers).mean("chain")
        loss = data["site_loss"].mean("site")
        summary = xr.Dataset(
            {
                "domains": each.mean("chain"),
                "domains_error": each.std("chain", ddof=1) / self.chains**0.5,
                "share": share,
                "share_error": np.sqrt(share * (1 - share) / self.chains),
                "mean_loss": loss.mean("chain"),
                "mean_loss_error": loss.std("chain", ddof=1) / self.chains**0.5,
                "site_loss": data["site_loss"].isel(chain=0, drop=True),
                "spins": data["spins"].isel(chain=0, drop=True),
            },
            coords={"number": numbers.values},
        )
        for name, label in _LABELS.items():
            summary[name].attrs = {"long_name": label}
        return summary

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw losses, numbers of domains in time and in the end, and one ring of each method."""
        figure = new_figure(figsize=(10.0, 7.6), layout="constrained")
        axes = figure.subplots(2, 2)
        self._draw_losses(axes[0, 0], summary)
        for name in _METHODS:
            self._draw_domains(axes[0, 1], axes[1, 1], summary.sel({"method": name}))
        axes[0, 1].set(xlabel="epoch", ylabel="number of domains", xscale="symlog", yscale="log")
        axes[0, 1].set(xlim=(0, self.epochs), yticks=[1, 2, 3, 4, 5, 10])
        axes[0, 1].set_yticklabels(["1", "2", "3", "4", "5", "10"])
        axes[0, 1].legend(frameon=False)
        most = int(summary["number"].where(summary["share"].sum("method") > 0).max()) + 1
        axes[1, 1].set(xlabel=f"domains after {self.epochs} epochs", ylabel="share of the rings")
        axes[1, 1].set(xlim=(0.2, most), xticks=range(1, most), ylim=(0, 1.05))
        axes[1, 1].legend(frameon=False)
        axes[1, 0].remove()
        pictures = axes[1, 0].get_subplotspec().subgridspec(1, 2)
        for column, name in enumerate(_METHODS):
            ax = figure.add_subplot(pictures[column])
            spins = summary["spins"].sel({"method": name})
            ax.imshow(
                spins, cmap="gray", vmin=-1.6, vmax=1.0, aspect="auto", interpolation="nearest",
                extent=(-0.5, self.n_sites - 0.5, self.epochs + 0.5, -0.5),
            )  # fmt: skip
            ax.set(xlabel="site", title=plots.method_label(name))
            ax.set_ylabel("" if column else "epoch")
        figure.suptitle(
            f"Ring of {self.n_sites} greedy agents, each with its own network (Zai & Brown 2020): "
            f"{self.chains} rings",
            fontsize="medium",
        )
        return figure

    def _draw_losses(self, ax: Axes, summary: xr.Dataset) -> None:
        losses = summary["site_loss"]
        epoch = losses["epoch"].values[1:]
        ax.plot(epoch, losses.transpose("epoch", "site").values[1:], ".", color="0.65", ms=1.5)
        ax.plot([], [], "o", color="0.65", ms=3.0, label=f"the {self.n_sites} agents of one ring")
        color = plots.method_style(_METHODS[0])["color"]
        mean = summary["mean_loss"].values[1:]
        error = summary["mean_loss_error"].values[1:]
        ax.plot(epoch, mean, color=color, label="mean over all rings")
        ax.fill_between(epoch, mean - error, mean + error, color=color, alpha=0.3, lw=0)
        floor = 0.6**2
        ax.axhline(floor, color="0.2", lw=0.9, ls="--", label=r"$(1.6 - 1)^2$: tanh at its limit")
        ax.set(xlabel="epoch", ylabel=r"loss $(r - Q)^2$", ylim=(0, None))
        ax.legend(frameon=False, fontsize="small")

    def _draw_domains(self, left: Axes, right: Axes, summary: xr.Dataset) -> None:
        name = str(summary["method"].item())
        style, label = plots.method_style(name), plots.method_label(name)
        color = style["color"]
        mean, error = summary["domains"].values, summary["domains_error"].values
        epoch = summary["epoch"].values
        left.plot(epoch, mean, color=color, label=label)
        left.fill_between(epoch, mean - error, mean + error, color=color, alpha=0.3, lw=0)
        there = summary["share"].values > 0
        place = summary["number"].values[there] + (0.1 if name == HeatBath.name else -0.1)
        right.bar(
            place, summary["share"].values[there], 0.2, yerr=summary["share_error"].values[there],
            color=color, alpha=0.6, label=label,
        )  # fmt: skip


def count_domains(spins: xr.DataArray) -> xr.DataArray:
    """Number of runs of equal spins around rings along the dim ``x``."""
    return (spins != spins.roll(x=1)).sum("x").clip(min=1)


def learn(config: Chapter1D, *, seed: int, progress: bool = False) -> xr.Dataset:
    """Let the agents learn, and keep every epoch."""
    policy = train(
        config.model, config.agent, 0.0, sweeps=config.epochs, chains=config.chains, annealing=0,
        start=config.start, schedule=config.schedule, snapshots=config.epochs, seed=seed,
        progress=progress,
    )  # fmt: skip
    history = policy.history.isel(temperature=0, drop=True)
    data = _with_start(config, history["spins"], NeighborhoodQ.name)
    loss = history["site_loss"].transpose("chain", "snapshot", "site").values
    unknown = np.full_like(loss[:, :1], np.nan)  # before the first epoch
    data["site_loss"] = (("chain", "epoch", "site"), np.concatenate([unknown, loss], axis=1))
    return data


def quench(config: Chapter1D, *, seed: int, progress: bool = False) -> xr.Dataset:
    """Run the heat bath at T = 0 from the same starts."""
    data = simulate(
        config.model, HeatBath(), 0.0, sweeps=config.epochs, chains=config.chains,
        start=config.start, schedule=config.schedule, snapshots=config.epochs, seed=seed,
        progress=progress,
    )  # fmt: skip
    return _with_start(config, data["spins"].isel(temperature=0, drop=True), HeatBath.name)


def _with_start(config: Chapter1D, spins: xr.DataArray, method: str) -> xr.Dataset:
    """Put the first configurations before the epochs."""
    later = spins.transpose("chain", "snapshot", "x").values
    joined = np.concatenate([config.start[0][:, None], later], axis=1)
    return xr.Dataset(
        {"spins": (("chain", "epoch", "x"), joined)},
        coords={"epoch": np.arange(config.epochs + 1), "method": method},
    )


_LABELS = {
    "domains": "number of domains",
    "domains_error": "standard error of the number of domains",
    "share": "share of the rings with so many domains in the end",
    "mean_loss": "mean squared error of the action values",
    "site_loss": "squared error of the action values of the first ring",
    "spins": "spin of the first ring",
}
