"""Let agents learn on the lattice."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from tqdm.auto import tqdm

from isingrl._kernels.learning import learn
from isingrl._site_engine import SCHEDULES, local_sum_step, start_configurations, update_order
from isingrl._threads import run_in_threads
from isingrl._validation import check_choice, check_integer, check_temperature
from isingrl.agents.mean_field_q import MeanFieldQ
from isingrl.agents.policy import Policy, assemble, softmax_temperature
from isingrl.model import Ising
from isingrl.simulation import check_start, seed_sequence

_CHUNK_VISITS = 1e7  # site visits between two looks at the progress bar and the keyboard


def train(
    model: Ising,
    agent: MeanFieldQ,
    temperature: Any,
    *,
    sweeps: int = 500,
    start: str | npt.ArrayLike = "random",
    schedule: str = "checkerboard",
    seed: int | None = None,
    progress: bool = False,
) -> Policy:
    """Let agents learn by their own experience, on one lattice for every temperature.

    The softmax temperature falls to its final value over the first half of the sweeps, so that
    the agents have met nearly every situation before they settle.

    Parameters
    ----------
    model : Ising
    agent : MeanFieldQ
    temperature : float or sequence of float, in J/k_B
        Physical temperatures; the softmax temperature follows by the reward's map.
    sweeps : int
        Learning sweeps, each one action a site.
    start, schedule, seed, progress
        As in `simulate`; a start for each lattice has the shape (n_temperatures, 1, *shape).

    Returns
    -------
    Policy

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, before any work; also if the reward knows neither
        coupling nor field and the model is not a ferromagnet without field.

    Examples
    --------
    >>> from isingrl import Ising, Lattice, MeanFieldQ
    >>> policy = train(Ising(Lattice((8, 8))), MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
    >>> [float(q) for q in policy.q_values.sel(temperature=2.0, action="up")]
    [-4.0, -2.0, 0.0, 2.0, 4.0]
    """
    if not isinstance(model, Ising):
        raise TypeError(f"model must be an Ising model; got {model!r}")
    if not isinstance(agent, MeanFieldQ):
        raise TypeError(f"agent must be a MeanFieldQ; got {agent!r}")
    temperatures = check_temperature(temperature)
    sweeps = check_integer("sweeps", sweeps, 1)
    check_choice("schedule", schedule, tuple(SCHEDULES))
    reward = agent.reward_function
    if not reward.knows_model and not (model.coupling > 0 and model.field == 0):
        raise ValueError(
            f"reward {agent.reward!r} stands for coupling > 0 and field = 0; got coupling = "
            f"{model.coupling:g} and field = {model.field:g}"
        )
    lattice = model.lattice
    rewards = reward.table(model)
    scale = float(np.ptp(rewards))
    generator = np.random.Generator(np.random.Philox(seed_sequence(seed)))
    first = check_start(start, lattice.shape, (len(temperatures), 1))
    spins = start_configurations(first, lattice.shape, len(temperatures), generator)
    taus = _falling(softmax_temperature(agent, model, temperatures), sweeps, scale)

    states = generator.integers(0, 2**64, size=(len(temperatures), 4), dtype=np.uint64)
    shape = (len(temperatures), len(lattice.n_up), 2)
    arrays = {
        "q_values": np.zeros(shape),
        "visits": np.zeros(shape, dtype=np.int64),
        "q": np.empty((shape[0], sweeps, *shape[1:])),
        "reward": np.empty((shape[0], sweeps)),
        "magnetization": np.empty((shape[0], sweeps)),
    }
    last_states = np.full((shape[0], lattice.n_sites), -1, dtype=np.int16)
    last_actions = np.zeros((shape[0], lattice.n_sites), dtype=np.int8)
    order, step = update_order(lattice), local_sum_step(lattice)

    def advance(index: int, part: slice) -> None:
        learn(
            spins[index], lattice.neighbors, order, step, SCHEDULES[schedule],
            arrays["q_values"][index], arrays["visits"][index], rewards, taus[index, part],
            agent.learning_rate, agent.discount, last_states[index], last_actions[index],
            states[index], arrays["q"][index, part], arrays["reward"][index, part],
            arrays["magnetization"][index, part],
        )  # fmt: skip

    chunk = max(1, int(_CHUNK_VISITS / (lattice.n_sites * len(temperatures))))
    with tqdm(total=sweeps, unit="sweep", disable=not progress, leave=False) as bar:
        for begin in range(0, sweeps, chunk):
            part = slice(begin, min(begin + chunk, sweeps))
            run_in_threads(
                advance, [(index, part) for index in range(shape[0])], numba.get_num_threads()
            )
            bar.update(part.stop - part.start)
    return assemble(model, agent, temperatures, arrays)


def _falling(final: npt.NDArray[np.float64], sweeps: int, scale: float) -> npt.NDArray[np.float64]:
    """Softmax temperature of every sweep, shape (n_temperatures, sweeps).

    It starts far above the range of the rewards, `scale`, and reaches `final` halfway.
    """
    progress = np.minimum(1.0, 2 * np.arange(1, sweeps + 1) / sweeps)
    return np.asarray(final[:, None] + scale * (1 / progress - 1))
