"""The Ising experiment of Yang et al. (2018): mean-field Q as published, and with changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis import scaling
from isingrl import Agent, Ising, Lattice, Learning, MeanFieldQ, Metropolis, Policy, simulate, train
from isingrl.support.validation import check_integer, check_real
from isingrl.tables import RuleTable
from studies import _paper_ising_figure as drawing
from studies.running.extensions import Join
from studies.running.tasks import Task, task_seed
from studies.shared.checks import check_counts
from studies.shared.grids import FloatArray, Grid, ascending_grid, last_fall
from studies.shared.trained_policies import learn_and_simulate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATIO = drawing.RATIO
PROTOCOLS = {
    # time at which the reward is read, and whether the first tables expect all neighbours up
    "published": ("after", False),
    "published-ordered": ("after", True),
    "reward-before": ("before", False),
}
_CONVERGED = (Metropolis.name, MeanFieldQ.name)
_FOLLOWED = ("published", "reward-before")  # protocols with tables that are followed
_MEASURED = ("abs_magnetization", "magnetization_squared", "local_order_squared")
_SETTLING = 0.2  # share of the steps before the first measured one
_CONFIGURATIONS = 50  # in the mean spin of every site
_SNAPSHOTS = 100  # of tables that are followed
_TRAINING = 500  # learning sweeps of the converged agents
_RESAMPLES = 400
_REFINED = 8  # temperatures of the reweighted runs around the transition
_PLACES = ("half_order", "half_order_error", "susceptibility_peak", "susceptibility_peak_error")


@dataclass(frozen=True)
class PaperIsing:
    """The Ising experiment of Yang et al. (2018), section 5.2, and variants with other outcomes.

    As published, every agent has a table and a constant learning rate, reads the reward a S / 2
    after the neighbours have moved, and all agents act at once. Order against τ is compared with
    agents that read the reward before the move, with converged agents and with Metropolis.
    """

    side: int = 20
    """L of the L × L torus."""
    large_side: int = 64
    """L of a larger one, for the finite-size effects."""
    softmax_temperature: Grid = (0.65, 2.2, 32)
    """First and last τ, and how many; T = 2τ."""
    steps: int = 10_000
    """Steps of all agents; the first fifth is not measured."""
    large_steps: int = 2_000
    """Steps of learning agents on the larger lattice."""
    learning_rate: float = 0.1
    """Constant rate of the tables."""
    chains: int = 6
    """Independent lattices at every τ; their spread gives the error bars."""
    error_tau: tuple[float, ...] = (0.8, 1.2)
    """Values of τ at which errors of the action values are shown."""
    picture_tau: tuple[float, ...] = (0.9, 1.2, 2.0)
    """Values of τ at which configurations are shown."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {}

    @property
    def taus(self) -> FloatArray:
        """All softmax temperatures, shape (number,)."""
        return ascending_grid("softmax_temperature", self.softmax_temperature, 6)

    @property
    def followed_taus(self) -> FloatArray:
        """Softmax temperatures of the tables that are followed, shape (n_followed,)."""
        return np.unique([*self.error_tau, *self.picture_tau])

    def model(self, side: int) -> Ising:
        """Return the ferromagnet on the torus of this side."""
        return Ising(Lattice((side, side)))

    def agent(self, protocol: str) -> MeanFieldQ:
        """Return the agents of a protocol."""
        return MeanFieldQ(
            "half", learning_rate=self.learning_rate, shared=False,
            reward_time=PROTOCOLS[protocol][0], falling_rate=False,
        )  # fmt: skip

    def tasks(self) -> list[Task]:
        """One task for every protocol and size, and one for every protocol's tables."""
        self._check()
        taus, coarse = self.taus, self.taus[::2]
        runs: list[tuple[Callable[..., xr.Dataset], str, int, FloatArray, int]] = [
            (measure_agents, "published", self.side, taus, 40),
            (measure_agents, "published-ordered", self.side, coarse, 20),
            (measure_agents, "reward-before", self.side, coarse, 20),
            (measure_agents, "published", self.large_side, coarse, 40),
        ]
        for side in (self.side, self.large_side):
            runs += [(measure_converged, name, side, taus, 2) for name in _CONVERGED]
        tasks = [
            Task(
                key=f"{name}, L = {side}",
                function=function,
                arguments={"config": self, "name": name, "side": side, "taus": tuple(grid)},
                weight=weight,
                resumable=True,
            )
            for function, name, side, grid, weight in runs
        ]
        return tasks + [
            Task(f"tables, {name}", follow_tables, {"config": self, "name": name}, weight=10)
            for name in _FOLLOWED
        ]

    def assemble(self, results: dict[str, xr.Dataset]) -> xr.Dataset:
        """Join everything, with NaN at sizes and τ that a protocol lacks."""
        followed = [result for result in results.values() if "tau" in result.dims]
        measured = [
            result.expand_dims(["protocol", "side"])
            for result in results.values()
            if "tau" not in result.dims
        ]
        data = xr.merge(measured, join="outer", compat="no_conflicts").reindex(
            protocol=[*_CONVERGED, *PROTOCOLS], side=[self.side, self.large_side],
            softmax_temperature=self.taus,
        )  # fmt: skip
        return data.merge(xr.concat(followed, "learner", join="exact"))

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Means over chains, τ where the curves fall through 1/2, errors of the action values."""
        variance = data["magnetization_squared"] - data["abs_magnetization"] ** 2
        temperature = RATIO * data["softmax_temperature"]
        curves: dict[str, xr.DataArray] = {
            "abs_magnetization": data["abs_magnetization"],
            "susceptibility": data["side"] ** 2 * variance / temperature,
            "local_order": data["local_order_squared"].clip(min=0.0) ** 0.5,
            "mse_met": data["mse_met"],
            "mse_table": data["mse_table"],
        }
        summary = data[["abs_magnetization"]].rename(abs_magnetization="chain_magnetization")
        for name, values in curves.items():
            summary[name] = values.mean("chain")
            summary[f"{name}_error"] = values.std("chain", ddof=1) / np.sqrt(self.chains)
        summary["spins"] = data["spins"].isel(chain=0)
        halves = (("half_order", "abs_magnetization"), ("half_local_order", "local_order"))
        for name, curve in halves:
            summary[name], summary[f"{name}_error"] = xr.apply_ufunc(
                _half_and_error, data["softmax_temperature"], summary[curve],
                summary[f"{curve}_error"], input_core_dims=[["softmax_temperature"]] * 3,
                output_core_dims=[[], []], vectorize=True,
            )  # fmt: skip
        for name in _PLACES:  # reweighted ones are more precise
            summary[name] = data[name].fillna(summary[name]) if name in summary else data[name]
        for name, label in _LABELS.items():
            summary[name].attrs = {"long_name": label}
        return summary

    def plot(self, summary: xr.Dataset) -> Figure:
        """Draw order against τ, errors of action values, configurations, and the ends of order."""
        return drawing.figure(
            summary, self.error_tau, self.picture_tau,
            f"Mean-field Q after Yang et al. (2018): {self.chains} lattices at every τ, "
            f"{self.steps:,} steps (L = {self.side}) and {self.large_steps:,} (L = "
            f"{self.large_side}), learning rate {self.learning_rate:g}",
        )  # fmt: skip

    def _check(self) -> None:
        """Refuse a bad configuration before any work."""
        check_integer("side", self.side, 3)
        if check_integer("large_side", self.large_side, 3) <= self.side:
            raise ValueError(
                f"large_side must be larger than side = {self.side}; got {self.large_side}"
            )
        least = 2 * _SNAPSHOTS
        check_counts(self, steps=least, large_steps=least, chains=2, seed=0)
        for name in ("error_tau", "picture_tau"):
            taus = getattr(self, name)
            if not 1 <= len(taus) <= 3:
                raise ValueError(f"{name} must hold one to three values of τ; got {len(taus)}")
            for tau in taus:
                if check_real(f"{name}: a τ", tau) <= 0:
                    raise ValueError(f"{name} must hold positive numbers; got {tau:g}")
        for name in PROTOCOLS:
            self.agent(name)


def measure_converged(
    config: PaperIsing,
    name: str,
    side: int,
    taus: tuple[float, ...],
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Metropolis, or trained agents with one frozen table, one sublattice after the other."""
    settling = int(_SETTLING * config.steps)

    def run(part: str, temperature: FloatArray) -> xr.Dataset:
        rule = MeanFieldQ("half") if name == MeanFieldQ.name else Metropolis()
        data, _ = learn_and_simulate(
            config.model(side), rule, temperature, training={"sweeps": _TRAINING}, seed=seed,
            folder=folder, progress=progress, part=part, sweeps=config.steps - settling,
            thermalization=settling, chains=config.chains, start="up", snapshots=_CONFIGURATIONS,
        )  # fmt: skip
        return data

    data = run("", RATIO * np.array(taus))
    means = _of_every_chain(data, name, side, taus)
    refined = run(" near the transition", RATIO * _near_transition(means))
    return means.assign(_places(refined))


def _near_transition(means: xr.Dataset) -> FloatArray:
    """Softmax temperatures around the largest susceptibility and around |m| = 1/2."""
    tau = means["softmax_temperature"].values
    mean = means.mean("chain")
    variance = mean["magnetization_squared"] - mean["abs_magnetization"] ** 2
    half = int((mean["abs_magnetization"] >= 0.5).sum())
    places = (int((variance / tau).values.argmax()), max(half - 1, 0), half)
    first, last = max(min(places) - 1, 0), min(max(places) + 1, tau.size - 1)
    return np.linspace(tau[first], tau[last], _REFINED)


def _places(data: xr.Dataset) -> dict[str, float]:
    """Softmax temperatures of the largest susceptibility and of |m| = 1/2, by reweighting.

    NaN if they lie outside the simulated temperatures.
    """
    found = dict.fromkeys(_PLACES, np.nan)
    temperature = data["temperature"].values
    sized = data.drop_vars("softmax_temperature", errors="ignore").expand_dims(size=[0])
    with suppress(ValueError):  # the largest lies at an end
        peak = scaling.pseudo_critical_points(sized).isel(size=0) / RATIO
        for ending in ("", "_error"):
            name = f"pseudo_critical_temperature{ending}"
            found[f"susceptibility_peak{ending}"] = float(peak[name])
    fine = np.linspace(temperature[0], temperature[-1], 41)
    curve = scaling.reweight(data, fine)
    order = scipy.interpolate.CubicSpline(fine, curve["abs_magnetization"] - 0.5)
    ends = order.roots(extrapolate=False)
    if ends.size == 1:
        error = np.interp(ends[0], fine, curve["abs_magnetization_error"]) / abs(order(ends[0], 1))
        found["half_order"] = float(ends[0] / RATIO)
        found["half_order_error"] = float(error / RATIO)
    return found


def measure_agents(
    config: PaperIsing,
    name: str,
    side: int,
    taus: tuple[float, ...],
    *,
    seed: int,
    folder: Path | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate agents of a protocol, all at once, that learn while they are measured."""
    model, temperature = config.model(side), RATIO * np.array(taus)
    agent, ordered = config.agent(name), PROTOCOLS[name][1]
    steps = config.steps if side == config.side else config.large_steps
    settling = int(_SETTLING * steps)
    rule: Agent | Policy = agent
    if ordered:
        policy = train(model, agent, temperature, sweeps=1, seed=task_seed(seed, "learning"))
        all_up = agent.reward_function.table(model)[-1]
        rule = replace(policy, q_values=xr.zeros_like(policy.q_values) + all_up)
    data = simulate(
        model, Learning(rule), temperature, sweeps=steps - settling, thermalization=settling,
        chains=config.chains, start="up" if ordered else "random", schedule="synchronous",
        snapshots=_CONFIGURATIONS, seed=task_seed(seed, "running"), out=folder and folder / "run",
        progress=progress,
    )  # fmt: skip
    return _of_every_chain(data, name, side, taus)


def follow_tables(
    config: PaperIsing, name: str, *, seed: int, progress: bool = False
) -> xr.Dataset:
    """Squared errors of the action values of agents that begin with tables at 0.

    ``mse_met``, which Yang et al. show, is the error of the next entry that an agent uses, here
    its expectation over the action; ``mse_table`` is the mean over the whole table.
    """
    model, agent, taus = config.model(config.side), config.agent(name), config.followed_taus
    history = train(
        model, agent, RATIO * taus, sweeps=config.steps, chains=config.chains, annealing=0,
        schedule="synchronous", snapshots=_SNAPSHOTS, seed=seed, progress=progress,
    ).history  # fmt: skip
    q, spins = history["q"].values, history["spins"].values
    square = (q - agent.reward_function.table(model)) ** 2
    state = RuleTable(q).states(model.lattice, spins.reshape(*spins.shape[:3], -1))
    down, up = np.moveaxis(_at(q, state), -1, 0)
    chance = 1.0 / (1.0 + np.exp((down - up) / taus[:, None, None, None]))
    down, up = np.moveaxis(_at(square, state), -1, 0)
    met = chance * up + (1.0 - chance) * down
    return xr.Dataset(
        {
            "mse_met": (("tau", "chain", "step"), met.mean(axis=-1)),
            "mse_table": (("tau", "chain", "step"), square.mean(axis=(-3, -2, -1))),
            "spins": (("tau", "chain", "x", "y"), spins[:, :, -1]),
        },
        coords={
            "tau": taus,
            "chain": np.arange(config.chains),
            "step": history["snapshot"].values,
            "learner": name,
        },
    )


def _at(values: FloatArray, state: npt.NDArray[np.int64]) -> FloatArray:
    """Values of both actions in these states, shape (*state.shape, 2)."""
    return np.take_along_axis(values, state[..., None, None], axis=-2)[..., 0, :]


def _of_every_chain(data: xr.Dataset, name: str, side: int, taus: tuple[float, ...]) -> xr.Dataset:
    """Means over the draws of every chain."""
    m, n = data["magnetization"], _CONFIGURATIONS
    square = (data["spins"].mean("snapshot") ** 2).mean(("x", "y"))
    local = (n * square - 1.0) / (n - 1.0)  # less the expectation of n free spins, 1/n
    values = (abs(m).mean("draw"), (m**2).mean("draw"), local)
    dims = ("softmax_temperature", "chain")
    return xr.Dataset(
        {key: (dims, value.values) for key, value in zip(_MEASURED, values, strict=True)},
        coords={"softmax_temperature": np.array(taus), "protocol": name, "side": side},
    )


def _half_and_error(tau: FloatArray, values: FloatArray, errors: FloatArray) -> tuple[float, float]:
    """Place where a curve falls through 1/2 for good, by a straight line, and its error, or NaN.

    The errors of the points and of the line between them are added in quadrature.
    """
    there = np.isfinite(values)
    tau, values, errors = tau[there], values[there], errors[there]
    place, curved = last_fall(tau, values, 0.5)
    if not np.isfinite(place):
        return np.nan, np.nan
    noise = np.random.default_rng(0).normal(size=(_RESAMPLES, tau.size))
    found = np.array([last_fall(tau, drawn, 0.5)[0] for drawn in values + errors * noise])
    return place, float(np.hypot(found.std(), curved))  # NaN if a resampled curve has no place


_LABELS = {
    "chain_magnetization": "absolute magnetization per site of each chain",
    "abs_magnetization": "absolute magnetization per site",
    "susceptibility": "susceptibility per site",
    "local_order": "root mean square over sites of the mean spin",
    "mse_met": "squared error of the action values about to be used",
    "mse_table": "squared error of all action values",
    "spins": "spin after the last step",
    "half_order": "softmax temperature where order falls through 1/2",
    "half_local_order": "softmax temperature where the order of single sites falls through 1/2",
    "susceptibility_peak": "softmax temperature of the largest susceptibility",
}
