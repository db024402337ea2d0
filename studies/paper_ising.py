"""The Ising experiment of Yang et al. (2018): mean-field Q as published, and what decides it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt
import scipy
import tyro
import xarray as xr

from analysis import scaling
from isingrl import (
    Agent,
    Ising,
    Lattice,
    Learning,
    MeanFieldQ,
    Metropolis,
    Policy,
    Rule,
    simulate,
    train,
)
from isingrl.support.validation import check_integer, check_real
from isingrl.tables import RuleTable
from studies import _paper_ising_figure as drawing
from studies.running.extensions import Join
from studies.running.tasks import Task, task_seed
from studies.shared.grids import ascending_grid, last_fall
from studies.shared.trained_policies import trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]

RATIO = drawing.RATIO
PROTOCOLS = {
    # when the reward is read, and whether tables expect all neighbours up at first
    "published": ("after", False),
    "published-ordered": ("after", True),
    "reward-before": ("before", False),
}
_CONVERGED = (Metropolis.name, MeanFieldQ.name)
_FOLLOWED = ("published", "reward-before")  # the protocols whose tables are followed
_MEASURED = ("abs_magnetization", "magnetization_squared", "local_order_squared")
_SETTLING = 0.2  # share of the steps before the first measured one
_CONFIGURATIONS = 50  # from which the mean spin of every site is taken
_SNAPSHOTS = 100  # of tables that are followed
_TRAINING = 500  # sweeps of the agents that are then frozen
_RESAMPLES = 400
_REFINED = 8  # temperatures around the transition, between which draws are reweighted
_PLACES = ("half_order", "half_order_error", "susceptibility_peak", "susceptibility_peak_error")


@dataclass(frozen=True)
class PaperIsing:
    """The Ising experiment of Yang et al. (2018), section 5.2, and what decides its outcome.

    A table an agent, a constant learning rate, reward a S / 2 read after the neighbours have
    moved, all agents at once: order against τ, with the reward read before instead, with agents
    that have converged, and with Metropolis.
    """

    side: int = 20
    """L of the L × L torus."""
    large_side: int = 64
    """L of a larger one, for the finite-size effects."""
    softmax_temperature: Annotated[
        tuple[float, float, int], tyro.conf.arg(metavar="FIRST LAST NUMBER")
    ] = (0.65, 2.2, 32)
    """First and last τ, and how many; T = 2τ."""
    steps: int = 10_000
    """Steps of all agents, the first fifth of which is not measured."""
    large_steps: int = 2_000
    """The same of agents on the larger lattice."""
    learning_rate: float = 0.1
    """Constant rate of the tables."""
    chains: int = 6
    """Independent lattices at every τ, whose spread makes the error bars."""
    error_tau: tuple[float, ...] = (0.8, 1.2)
    """Values of τ at which errors of the action values are shown."""
    picture_tau: tuple[float, ...] = (0.9, 1.2, 2.0)
    """Values of τ at which configurations are shown."""
    seed: int = 1
    """Seed of all random numbers."""

    extends: ClassVar[Mapping[str, Join]] = {}

    @property
    def taus(self) -> Array:
        """All softmax temperatures, shape (number,)."""
        return ascending_grid("softmax_temperature", self.softmax_temperature, 6)

    @property
    def followed_taus(self) -> Array:
        """Softmax temperatures of the tables that are followed, shape (n_followed,)."""
        return np.unique([*self.error_tau, *self.picture_tau])

    def model(self, side: int) -> Ising:
        """Return the ferromagnet on the torus of this side."""
        return Ising(Lattice((side, side)))

    def agent(self, protocol: str) -> MeanFieldQ:
        """Return the agents of a protocol."""
        return MeanFieldQ(
            "half",
            learning_rate=self.learning_rate,
            shared=False,
            reward_time=PROTOCOLS[protocol][0],
            falling_rate=False,
        )

    def tasks(self) -> list[Task]:
        """One task for every protocol and size, and one for every protocol's tables."""
        self._check()
        taus, coarse = self.taus, self.taus[::2]
        runs: list[tuple[Callable[..., xr.Dataset], str, int, Array, int]] = [
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
        """Join everything; what was not run at some size or τ is NaN there."""
        coords: dict[str, Any] = {
            "protocol": [*_CONVERGED, *PROTOCOLS],
            "side": [self.side, self.large_side],
            "softmax_temperature": self.taus,
            "chain": np.arange(self.chains),
        }
        shape = tuple(len(values) for values in coords.values())
        measured = {name: (tuple(coords), np.full(shape, np.nan)) for name in _MEASURED}
        data = xr.Dataset(measured, coords)
        for name in _PLACES:
            data[name] = data[_MEASURED[0]].isel(softmax_temperature=0, chain=0, drop=True).copy()
        followed = []
        for result in results.values():
            if "tau" in result.dims:
                followed.append(result)
                continue
            place = {name: result[name].values for name in ("protocol", "side")}
            for name in set(_PLACES) & set(result):
                data[name].loc[place] = result[name].values
            place["softmax_temperature"] = result["softmax_temperature"].values
            for name in _MEASURED:
                data[name].loc[place] = result[name].values
        return data.merge(xr.concat(followed, "learner", join="exact"))

    def summarize(self, data: xr.Dataset) -> xr.Dataset:
        """Means over chains, where the curves fall through 1/2, errors of the action values."""
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
        for name, curve in (
            ("half_order", "abs_magnetization"),
            ("half_local_order", "local_order"),
        ):
            summary[name], summary[f"{name}_error"] = xr.apply_ufunc(
                _half_and_error,
                data["softmax_temperature"],
                summary[curve],
                summary[f"{curve}_error"],
                input_core_dims=[["softmax_temperature"]] * 3,
                output_core_dims=[[], []],
                vectorize=True,
            )
        for name in _PLACES:  # those by reweighting are better
            summary[name] = data[name].fillna(summary[name]) if name in summary else data[name]
        for name, label in _LABELS.items():
            summary[name].attrs = {"long_name": label}
        return summary

    def plot(self, summary: xr.Dataset) -> Figure:
        """Order against τ, errors of the action values, configurations, and where order ends."""
        return drawing.figure(
            summary,
            self.error_tau,
            self.picture_tau,
            f"Mean-field Q after Yang et al. (2018): {self.chains} lattices at every τ, "
            f"{self.steps:,} steps (L = {self.side}) and {self.large_steps:,} (L = "
            f"{self.large_side}), learning rate {self.learning_rate:g}",
        )

    def _check(self) -> None:
        """Refuse a bad configuration before any work."""
        check_integer("side", self.side, 3)
        if check_integer("large_side", self.large_side, 3) <= self.side:
            raise ValueError(
                f"large_side must be larger than side = {self.side}; got {self.large_side}"
            )
        for name in ("steps", "large_steps"):
            check_integer(name, getattr(self, name), 2 * _SNAPSHOTS)
        check_integer("chains", self.chains, 2)
        check_integer("seed", self.seed, 0)
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
    model, settling = config.model(side), int(_SETTLING * config.steps)

    def run(kind: str, temperature: Array) -> xr.Dataset:
        rule: Rule = Metropolis()
        if name == MeanFieldQ.name:
            rule = trained(
                folder and folder / f"policy{kind}", model, MeanFieldQ("half"), temperature,
                sweeps=_TRAINING, seed=task_seed(seed, f"learning{kind}"), progress=progress,
            )  # fmt: skip
        return simulate(
            model, rule, temperature, sweeps=config.steps - settling, thermalization=settling,
            chains=config.chains, start="up", snapshots=_CONFIGURATIONS,
            seed=task_seed(seed, f"running{kind}"), out=folder and folder / f"run{kind}",
            progress=progress,
        )  # fmt: skip

    data = run("", RATIO * np.array(taus))
    means = _of_every_chain(data, name, side, taus)
    refined = run(" near the transition", RATIO * _near_transition(means))
    return means.assign(_places(refined))


def _near_transition(means: xr.Dataset) -> Array:
    """Softmax temperatures about the largest susceptibility, and those where |m| is near 1/2."""
    tau = means["softmax_temperature"].values
    mean = means.mean("chain")
    variance = mean["magnetization_squared"] - mean["abs_magnetization"] ** 2
    half = int((mean["abs_magnetization"] >= 0.5).sum())
    places = (int((variance / tau).values.argmax()), max(half - 1, 0), half)
    first, last = max(min(places) - 1, 0), min(max(places) + 1, tau.size - 1)
    return np.linspace(tau[first], tau[last], _REFINED)


def _places(data: xr.Dataset) -> dict[str, float]:
    """Softmax temperatures of the largest susceptibility and of |m| = 1/2, by reweighting.

    NaN where the temperatures do not have them between them.
    """
    found = dict.fromkeys(_PLACES, np.nan)
    temperature = data["temperature"].values
    sized = data.drop_vars("softmax_temperature", errors="ignore").expand_dims(size=[0])
    try:
        peak = scaling.pseudo_critical_points(sized).isel(size=0) / RATIO
    except ValueError:  # the largest lies at an end
        pass
    else:
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
    """Agents of a protocol, all at once, who learn while they are measured."""
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
        model,
        Learning(rule),
        temperature,
        sweeps=steps - settling,
        thermalization=settling,
        chains=config.chains,
        start="up" if ordered else "random",
        schedule="synchronous",
        snapshots=_CONFIGURATIONS,
        seed=task_seed(seed, "running"),
        out=folder and folder / "run",
        progress=progress,
    )
    return _of_every_chain(data, name, side, taus)


def follow_tables(
    config: PaperIsing, name: str, *, seed: int, progress: bool = False
) -> xr.Dataset:
    """Squared errors of the action values of agents that begin with tables at 0.

    ``mse_met`` is what Yang et al. show, the error of the entry that an agent is about to use,
    here its expectation over the action; ``mse_table`` is the mean over the whole table.
    """
    model, agent, taus = config.model(config.side), config.agent(name), config.followed_taus
    history = train(
        model,
        agent,
        RATIO * taus,
        sweeps=config.steps,
        chains=config.chains,
        annealing=0,
        schedule="synchronous",
        snapshots=_SNAPSHOTS,
        seed=seed,
        progress=progress,
    ).history
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


def _at(values: Array, state: npt.NDArray[np.int64]) -> Array:
    """Both actions' values in these states, shape (*state.shape, 2)."""
    return np.take_along_axis(values, state[..., None, None], axis=-2)[..., 0, :]


def _of_every_chain(data: xr.Dataset, name: str, side: int, taus: tuple[float, ...]) -> xr.Dataset:
    """Means over the draws of every chain."""
    m, n = data["magnetization"], _CONFIGURATIONS
    square = (data["spins"].mean("snapshot") ** 2).mean(("x", "y"))
    local = (n * square - 1.0) / (n - 1.0)  # without what the mean of n free spins has by chance
    values = (abs(m).mean("draw"), (m**2).mean("draw"), local)
    dims = ("softmax_temperature", "chain")
    return xr.Dataset(
        {key: (dims, value.values) for key, value in zip(_MEASURED, values, strict=True)},
        coords={"softmax_temperature": np.array(taus), "protocol": name, "side": side},
    )


def _half_and_error(tau: Array, values: Array, errors: Array) -> tuple[float, float]:
    """Where a curve falls through 1/2 for good, by a straight line; NaN if it never does.

    The error is that of the points and, in quadrature, that of the line between them.
    """
    there = np.isfinite(values)
    tau, values, errors = tau[there], values[there], errors[there]
    place, curved = last_fall(tau, values, 0.5)
    if not np.isfinite(place):
        return np.nan, np.nan
    noise = np.random.default_rng(0).normal(size=(_RESAMPLES, tau.size))
    found = np.array([last_fall(tau, drawn, 0.5)[0] for drawn in values + errors * noise])
    return place, float(np.hypot(found.std(), curved))  # NaN if some have no such place


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
