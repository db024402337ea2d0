"""Let agents learn on the lattice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.agents.agent import Agent
from isingrl.agents.learner import FloatArray, Learner
from isingrl.agents.learners import make_learner
from isingrl.agents.policy import Policy
from isingrl.agents.policy_arrays import labelled
from isingrl.agents.temperatures import departures_on, softmax_temperatures, warn_of_temperature
from isingrl.runs import check_snapshots, check_start, seed_sequence
from isingrl.schedules import SCHEDULES
from isingrl.spin_model import Model, check_model
from isingrl.support.progress import tqdm
from isingrl.support.validation import check_choice, check_integer, check_real, check_temperature

__all__ = ["train"]

_CHUNK_VISITS = 1e7  # site visits between two updates of the progress bar


def train(
    model: Model,
    agent: Agent,
    temperature: Any,
    *,
    sweeps: int = 500,
    chains: int = 1,
    annealing: float | npt.ArrayLike = 0.5,
    start: str | npt.ArrayLike = "random",
    schedule: str = "checkerboard",
    snapshots: int = 0,
    seed: int | None = None,
    progress: bool = False,
) -> Policy:
    """Let agents learn by their own experience, on lattices of their own at every temperature.

    Parameters
    ----------
    model : Ising
        Lattice, coupling and field.
    agent : Agent
        `MeanFieldQ`, `NeighborhoodQ`, `IndependentQ` or `JointQ`.
    temperature : float or sequence of float, in J/k_B
        Physical temperatures; the softmax temperature follows by the reward's map. At 0 agents
        are greedy, but for their ε.
    sweeps : int
        Learning sweeps, each one action a site that counts.
    chains : int
        Independent trainings at every temperature.
    annealing : float or array_like
        Share of the sweeps, 0 to 1, over which the softmax temperature falls to its value. It
        begins far above the range of the rewards, so that agents meet nearly every situation
        before they settle. At 0 it is constant. Or the softmax temperature of every sweep, shape
        (sweeps,) or (n_temperatures, sweeps).
    start, schedule
        As in `simulate`; a start for each lattice has the shape (n_temperatures, chains, *shape).
    snapshots : int
        How often to keep action values, spins and the losses of all sites in the history: evenly
        spread over the sweeps, up to the last.
    seed, progress
        As in `simulate`.

    Returns
    -------
    Policy
        The trained agents, a rule for `simulate`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or the agents or their reward do not suit the model;
        before any work.
    ImportError
        If the agents have networks and torch is not installed.

    Warns
    -----
    TemperatureMapWarning
        If `temperature` is only a label of the agents, not the temperature of an Ising model.

    Examples
    --------
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
    >>> policy.q_values.dims, policy.history["reward"].dims
    (('temperature', 'n_up', 'action'), ('temperature', 'sweep'))
    >>> policy.q_values.sel(temperature=2.0, action="up").round(6).values.tolist()
    [-4.0, -2.0, 0.0, 2.0, 4.0]
    """
    check_model(model)
    if not isinstance(agent, Agent):
        raise TypeError(
            f"agent must be a MeanFieldQ, NeighborhoodQ, IndependentQ or JointQ; got {agent!r}"
        )
    model.one_field("agents that learn")
    temperatures = check_temperature(temperature)
    sweeps = check_integer("sweeps", sweeps, 1)
    chains = check_integer("chains", chains, 1)
    snapshots = check_integer("snapshots", snapshots, 0)
    kept = check_snapshots(snapshots, sweeps, 1)
    check_choice("schedule", schedule, SCHEDULES)
    agent.check_model(model)
    taus = np.repeat(_taus(model, agent, temperatures, sweeps, annealing), chains, axis=0)
    warn_of_temperature(agent.name, departures_on(agent, model), stacklevel=2)
    first = check_start(start, model, {"temperature": len(temperatures), "chain": chains})
    generator = np.random.Generator(np.random.Philox(seed_sequence(seed)))
    learner = make_learner(model, agent, first, len(taus), schedule, generator)
    arrays = _run(learner, taus, kept, progress)
    parameters = {}
    if agent.network is not None:
        shape = (len(temperatures), chains, -1)
        parameters = {
            name: values.reshape(*shape, *values.shape[1:])
            for name, values in learner.knowledge.items()
        }
    data = labelled(model, agent, temperatures, chains, arrays, parameters)
    return Policy.of(model, agent, data, parameters)


def _run(
    learner: Learner, taus: FloatArray, kept: npt.NDArray[np.int64], progress: bool
) -> dict[str, npt.NDArray[Any]]:
    """Let agents learn in chunks, so that the bar moves and Ctrl-C works between them."""
    n_replicas, sweeps = taus.shape
    model, lattice = learner.model, learner.model.lattice
    rates = np.ones(sweeps)
    if learner.agent.falling_rate:
        rates = 0.5 + 0.5 * np.cos(np.pi * np.arange(sweeps) / sweeps)
    arrays = _empty_history(learner, sweeps, kept.size)
    visits = lattice.n_sites * n_replicas * learner.agent.inner_iterations
    chunk = max(1, int(_CHUNK_VISITS / visits))
    stops = np.union1d(np.append(np.arange(chunk, sweeps, chunk), sweeps), kept)
    begin = 0
    with tqdm(total=sweeps, unit="sweep", disable=not progress, leave=False) as bar:
        for stop in stops:
            part = slice(begin, int(stop))
            shown = learner.advance(taus[:, part], rates[part])
            arrays["reward"][:, part], arrays["loss"][:, part] = shown.reward, shown.loss
            sums = {"totals": shown.total, "state_share": shown.total}  # it is one of them
            arrays[model.order_name][:, part] = model.order(sums)
            for index in np.flatnonzero(kept == stop):
                arrays["q"][:, index] = learner.q
                arrays["site_loss"][:, index] = learner.table_loss
                for replica in range(n_replicas):
                    arrays["spins"][replica, index] = learner.spins(replica)
            bar.update(part.stop - part.start)
            begin = part.stop
    arrays |= {"q_values": learner.q, "visits": learner.visits}
    if kept.size:
        arrays["snapshot"] = kept
    return arrays


def _empty_history(learner: Learner, sweeps: int, snapshots: int) -> dict[str, npt.NDArray[Any]]:
    n_replicas, *values = learner.shape
    model = learner.model
    arrays: dict[str, npt.NDArray[Any]] = {
        name: np.empty((n_replicas, sweeps)) for name in ("reward", "loss", model.order_name)
    }
    if snapshots:
        shape = (n_replicas, snapshots)
        arrays["q"] = np.empty((*shape, *values))
        arrays["site_loss"] = np.empty((*shape, values[0]))
        arrays["spins"] = np.empty((*shape, *model.lattice.shape), dtype=model.values.dtype)
    return arrays


def _taus(
    model: Model, agent: Agent, temperatures: FloatArray, sweeps: int, annealing: Any
) -> FloatArray:
    """Softmax temperature of every sweep, shape (n_temperatures, sweeps)."""
    final = softmax_temperatures(agent, model, temperatures)
    shape = (len(temperatures), sweeps)
    if not np.isscalar(annealing):
        try:
            given = np.asarray(annealing)
        except ValueError:  # rows of different lengths
            given = np.empty(0)
        real = given.dtype.kind in "iuf"
        if given.shape not in (shape, shape[1:]) or not real or not (given >= 0).all():
            raise ValueError(
                f"annealing must be a number or non-negative softmax temperatures of the shape "
                f"{shape[1:]} or {shape}; got {annealing!r}"
            )
        given = given.astype(np.float64)
        return np.ascontiguousarray(np.broadcast_to(given, shape))
    share = check_real("annealing", annealing, minimum=0, maximum=1)
    return _falling(final, sweeps, share, float(np.ptp(agent.reward_function.table(model))))


def _falling(final: FloatArray, sweeps: int, share: float, scale: float) -> FloatArray:
    """Fall from far above the range of the rewards, `scale`, to `final` over that share."""
    if share == 0:
        return np.repeat(final[:, None], sweeps, axis=1)
    progress = np.minimum(1.0, np.arange(1, sweeps + 1) / (share * sweeps))
    return np.asarray(final[:, None] + scale * (1 / progress - 1))
