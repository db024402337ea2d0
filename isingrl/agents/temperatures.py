"""The map from softmax to physical temperatures, and a warning where it is not exact."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from isingrl.agents.rewards import reward_name
from isingrl.pair_tables import support_energies
from isingrl.potts import Potts

if TYPE_CHECKING:
    from isingrl.agents.agent import Agent
    from isingrl.spin_model import Model

__all__ = ["TemperatureMapWarning"]

_ROUNDING = 1e-9  # relative error


class TemperatureMapWarning(UserWarning):
    """`temperature` is a label of these agents, and not the temperature of an Ising model.

    `isingrl.train` and `isingrl.simulate` warn if the reward of the agents is not proportional to
    the energy, or if they discount later rewards, act by coins, or are paid after their neighbours
    moved. The function `analysis.effective_temperature` measures the temperature of a policy.

    Examples
    --------
    >>> import warnings
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", irl.TemperatureMapWarning)  # it is known
    ...     policy = irl.train(model, irl.MeanFieldQ("chapter-2d"), 2.0, sweeps=100, seed=1)
    >>> policy.describe()["temperature_map"]
    'approximate'
    """


def departures(agent: Agent) -> list[str]:
    """Why softmax at τ is not the heat bath at T, for agents that see all of their neighbours."""
    reasons = []
    if not agent.reward_function.exact:
        reasons.append(
            f"the reward {reward_name(agent.reward)!r} is not proportional to the energy"
        )
    if agent.discount > 0:
        reasons.append(f"the discount {agent.discount:g} lets later rewards count")
    if agent.epsilon > 0:
        reasons.append(f"the share epsilon = {agent.epsilon:g} of all actions is drawn by a coin")
    if agent.reward_time != "before":
        reasons.append("rewards are read after the neighbours moved")
    return reasons


def softmax_temperatures(
    agent: Agent, model: Model, temperature: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Softmax temperatures of agents, checked, because a subclass may have a map of its own."""
    found = np.asarray(agent.softmax_temperature(model, temperature))
    if found.shape != temperature.shape or found.dtype.kind not in "iuf" or not (found >= 0).all():
        raise ValueError(
            f"{type(agent).__name__}.softmax_temperature must return one non-negative number for "
            f"each of the {len(temperature)} temperatures; got {found!r}"
        )
    return found.astype(np.float64)


def mismatch(agent: Agent, model: Any) -> list[str]:
    """Reasons why a reward that claims to be exact is no multiple of the energy by its map."""
    reward = agent.reward_function
    if not reward.exact:
        return []
    table = reward.table(model)
    if isinstance(model, Potts):
        wanted, own, favoured = -support_energies(model), table, "a state"
        wanted, own = wanted - wanted[0], own - own[0]
    else:
        wanted, own, favoured = 2 * model.local_fields(), table[:, 1] - table[:, 0], "up"
    with np.errstate(divide="ignore", invalid="ignore"):
        found = own / softmax_temperatures(agent, model, np.ones(1))
    scale = _ROUNDING * abs(wanted).max()
    if np.allclose(found, wanted, rtol=_ROUNDING, atol=scale):
        return []
    worst = int(abs(found - wanted).argmax())
    shown = _shown(model, worst)
    return [
        f"the reward {reward_name(agent.reward)!r} times its T/τ favours {favoured} by "
        f"{found[worst]:g} with {shown}, and the energy by {wanted[worst]:g} "
        "(mend its temperature_ratio, or give it exact=False)"
    ]


def _shown(model: Any, state: int) -> str:
    """Words for what a reward depends on."""
    if isinstance(model, Potts):
        equal = model.bonds.supports[state % model.bonds.n_supports].tolist()
        return f"{equal} neighbours in it, by kind of bond"
    return str(model.bonds.shown(state))


def departures_on(agent: Agent, model: Model) -> list[str]:
    """Why `temperature` is only a label of agents on a model.

    Agents that see fewer neighbours are left out, because they are another model with its own
    temperature; their name or `neighbors_seen` says so.
    """
    reasons = [] if agent.exact_temperature else departures(agent)
    return reasons + mismatch(agent, model)


def warn_of_temperature(name: str, reasons: list[str], stacklevel: int) -> None:
    """Warn, if there are reasons, that `temperature` is only a label of agents."""
    if reasons:
        warnings.warn(
            f"temperature is only a label of these {name} agents, and not the temperature of "
            f"an Ising model, because {' and '.join(reasons)}. "
            "analysis.effective_temperature(policy) measures the temperature that a trained policy "
            "has, and how far it is from an Ising model",
            TemperatureMapWarning,
            stacklevel=stacklevel + 1,
        )
