"""Cost of observations: time and memory against the numbers of agents and neighbours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import xarray as xr

from analysis import plots
from isingrl import Agent, IndependentQ, Ising, JointQ, Lattice, MeanFieldQ, NeighborhoodQ, Network
from isingrl.agents.learner import Learner
from isingrl.agents.learners import make_learner
from isingrl.support.validation import check_real
from studies.running.extensions import Join
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts
from studies.shared.figures import legend_below, new_figure
from studies.shared.grids import exponent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AGENTS: tuple[type[Agent], ...] = (IndependentQ, MeanFieldQ, NeighborhoodQ, JointQ)
_SHAPES = (
    (2, 2), (2, 3), (3, 3), (4, 4), (5, 5), (10, 10), (32, 32), (100, 100), (316, 316),
    (1000, 1000), (3162, 3162),
)  # fmt: skip
_WIDTH = 10
_REPEATS = 5
_BYTES_A_STATE = 32  # values and numbers of visits of two actions
_MOST = 1e11  # bytes, upper end of the axis


@dataclass(frozen=True)
class ScalingOfInputs:
    """Cost and memory of agents that see nothing, a mean, a neighbourhood, everyone.

    Seconds of a learning sweep, and bytes of an agent's table or network, against the number of
    agents and the number of neighbours. Times depend on the machine and differ from run to run.
    """

    largest: int = 10_000_000
    """Largest number of agents with tables; with networks it is a hundredth."""
    agents_by_neighbors: int = 4096
    """Approximate number of agents where numbers of neighbours are compared."""
    seconds: float = 0.02
    """Approximate time of a timing in seconds. Each is made five times, and the best counts."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {}

    def tasks(self) -> list[Task]:
        """One task for every lattice: all kinds of agents in turn."""
        check_counts(self, largest=100, agents_by_neighbors=27, seed=0)
        check_real("seconds", self.seconds, minimum=1e-6, maximum=60)
        square = [Lattice(shape) for shape in _SHAPES if np.prod(shape) <= self.largest]
        side, cube = (max(2, round(self.agents_by_neighbors ** (1 / ndim))) for ndim in (2, 3))
        by_neighbors = [
            Lattice((self.agents_by_neighbors,)),
            Lattice((side, side)),
            Lattice((cube, cube, cube)),
            Lattice((side, side), "moore"),
            Lattice((cube, cube, cube), "moore"),
        ]
        return [
            Task(
                key=f"{what}, {'×'.join(map(str, lattice.shape))}, {lattice.neighborhood}",
                function=measure,
                arguments={
                    "lattice": lattice,
                    "with_networks": lattice.n_sites <= most,
                    "shortest": self.seconds,
                },
            )
            for what, lattices, most in (
                ("agents", square, self.largest // 100),
                ("neighbours", by_neighbors, self.largest),
            )
            for lattice in lattices
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join the lattices along ``lattice``; ``series`` is "agents" or "neighbours"."""
        data = xr.concat(list(results.values()), dim="lattice", coords="different", compat="equals")
        return data.assign_coords(series=("lattice", [key.partition(",")[0] for key in results]))

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Best times, and the exponent of the cost of mean-field Q in the number of agents."""
        summary = data.drop_vars("seconds")
        best = data["seconds"].min("repeat")
        summary["seconds"] = best.assign_attrs(data["seconds"].attrs)
        chosen = best.sel({"method": MeanFieldQ.name, "kind": "table"})
        chosen = chosen.isel(lattice=(data["series"] == "agents").values)
        large = chosen.where(chosen["n_agents"] >= 100, drop=True)
        enough = large.sizes["lattice"] >= 4
        found = exponent(large["n_agents"].values, large.values) if enough else (np.nan, np.nan)
        summary["exponent"], summary["exponent_error"] = found
        return summary

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw time and memory against agents (left) and neighbours (right)."""
        figure = new_figure(figsize=(9.5, 7.0), layout="constrained")
        axes = figure.subplots(2, 2, sharex="col", sharey="row")
        for column, (series, x) in enumerate(
            (("agents", "n_agents"), ("neighbours", "n_neighbors"))
        ):
            part = summary.isel(lattice=(summary["series"] == series).values)
            per_agent = part.assign(seconds=part["seconds"] / part["n_agents"] * 1e9)
            _draw(axes[0, column], per_agent, x, "seconds")
            _draw(axes[1, column], part, x, "bytes")
        axes[0, 0].set(ylabel="time of a learning sweep (ns an agent)")
        axes[1, 0].set(ylabel="memory of a table or network (bytes)")
        axes[1, 0].set(xlabel="number of agents (4 neighbours)")
        axes[1, 1].set(xlabel=f"number of neighbours (about {self.agents_by_neighbors:,} agents)")
        axes[1, 1].set_xscale("log", base=2)
        axes[1, 1].set_xticks([2, 4, 6, 8, 26], labels=["2", "4", "6", "8", "26"])
        axes[1, 1].minorticks_off()
        axes[0, 0].set_title(
            "mean-field Q, table: time ∝ agents"
            rf"$^{{{float(summary['exponent']):.3f} \pm {float(summary['exponent_error']):.3f}}}$",
            fontsize="medium",
        )
        from matplotlib.lines import Line2D

        more = {
            "network": Line2D([], [], color="0.3", ls=":"),
            "table": Line2D([], [], color="0.3", ls="-"),
            "refused (length of the input)": Line2D([], [], color="0.3", marker="x", ls="none"),
        }
        legend_below(figure, axes.flat, 4, more=more)
        return figure


def measure(
    lattice: Lattice, with_networks: bool, shortest: float, *, seed: int, progress: bool = False
) -> xr.Dataset:
    """Time learning sweeps of all kinds of agents on a lattice, in turn, several times over.

    Agents refuse a lattice that is too large for them. They get no time, and the bytes that their
    table would take.
    """
    del progress  # a task is too short for a bar
    kinds = ("table", "network")
    shape = (len(_AGENTS), len(kinds))
    seconds = np.full((*shape, _REPEATS), np.nan)
    held = np.full(shape, np.nan)
    refused = np.zeros(shape, dtype=np.int8)
    learners: dict[tuple[int, int], tuple[Learner, int]] = {}
    for index in np.ndindex(shape):
        agent, network = _AGENTS[index[0]], Network((_WIDTH,)) if index[1] else None
        if network is not None and not with_networks:
            continue
        try:
            learner = _learner(lattice, agent(network=network), task_seed(seed, str(index)))
        except ValueError:
            refused[index] = 1
            held[index] = _refused_bytes(lattice, agent, network)
            continue
        held[index] = sum(array.nbytes for array in learner.knowledge.values())
        learners[index[0], index[1]] = learner, _sweeps(learner, shortest)
    for repeat in range(_REPEATS):
        for index, (learner, sweeps) in learners.items():
            seconds[index][repeat] = _time(learner, sweeps) / sweeps
    dims = ("method", "kind")
    time_label = {"long_name": "time of a learning sweep", "units": "s"}
    memory_label = {"long_name": "memory of a table or network", "units": "bytes"}
    refused_label = {"long_name": "whether such agents are refused", "units": "1"}
    return xr.Dataset(
        {
            "seconds": ((*dims, "repeat"), seconds, time_label),
            "bytes": (dims, held, memory_label),
            "refused": (dims, refused, refused_label),
        },
        {
            "method": [agent.name for agent in _AGENTS],
            "kind": list(kinds),
            "n_agents": lattice.n_sites,
            "n_neighbors": lattice.coordination_number,
        },
    )


def _learner(lattice: Lattice, agent: Agent, seed: int) -> Learner:
    generator = np.random.Generator(np.random.Philox(seed))
    return make_learner(Ising(lattice), agent, "random", 1, "checkerboard", generator)


def _time(learner: Learner, sweeps: int) -> float:
    # half of Weiss's critical temperature, where few spins are frozen
    taus = np.full((1, sweeps), learner.model.lattice.coordination_number / 2)
    begin = time.perf_counter()
    learner.advance(taus)
    return time.perf_counter() - begin


def _sweeps(learner: Learner, shortest: float) -> int:
    """Number of sweeps that takes about `shortest` seconds; compiles on the way."""
    _time(learner, 1)
    sweeps = 1
    while (taken := _time(learner, sweeps)) < shortest / 2:
        sweeps *= 2
    return max(1, round(sweeps * shortest / taken))


def _refused_bytes(lattice: Lattice, agent: type[Agent], network: Network | None) -> float:
    """Bytes that a table (values and visits) or a network of the refused length would take."""
    sites = lattice.n_sites - 1 if agent is JointQ else lattice.coordination_number
    length = 2.0 ** min(sites, 1000)
    if network is None:
        return length * _BYTES_A_STATE
    return (length * _WIDTH + _WIDTH + _WIDTH * 2 + 2) * 8


def _draw(ax: Axes, part: xr.Dataset, x: str, name: str) -> None:
    order = part.sortby(x)
    for method in order["method"].values:
        style = plots.method_style(str(method))
        color = style["color"]
        for kind, line in (("table", "-"), ("network", ":")):
            chosen = order.sel({"method": method, "kind": kind})
            allowed = chosen.where(chosen["refused"] == 0)
            label = plots.method_label(str(method)) if kind == "table" else None
            ax.plot(allowed[x], allowed[name], line, label=label, **style)
            if name == "bytes" and kind == "table":
                refused = chosen[name].where((chosen["refused"] == 1) & (chosen[name] < _MOST))
                ax.plot(chosen[x], refused, "x", color=color, ms=6)
                for place, size in zip(chosen[x].values, refused.values, strict=True):
                    if np.isfinite(size):
                        left = place > np.sqrt(chosen[x].min() * chosen[x].max())
                        ax.annotate(
                            f"$2^{{{np.log2(size / _BYTES_A_STATE):.0f}}}$ states",
                            (place, size), xytext=(-6 if left else 6, 0), color=color,
                            textcoords="offset points", va="center", ha="right" if left else "left",
                        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    if name == "bytes":
        ax.set_ylim(8, _MOST)
