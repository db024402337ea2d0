"""The base class of Q-learning agents: reward, learning rule, and view of the lattice."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from isingrl.agents.network import Network
from isingrl.agents.rewards import Reward, check_reward, named_reward, reward_name
from isingrl.agents.temperatures import departures, softmax_temperatures
from isingrl.agents.view import View, view_of
from isingrl.lattice import Lattice
from isingrl.spin_model import Model
from isingrl.support.archives import Arrays
from isingrl.support.kinds import check_name, register
from isingrl.support.reprs import call
from isingrl.support.validation import (
    check_choice,
    check_flag,
    check_integer,
    check_positive,
    check_real,
)

__all__ = ["Agent"]

NEXT_VALUES = ("softmax", "max")
REWARD_TIMES = ("before", "after")
KINDS: dict[str, type[Agent]] = {}
_TABLE_RATE, _NETWORK_RATE = 0.1, 0.03


@dataclass(frozen=True, repr=False)
class Agent(ABC):
    r"""Agents at the sites of a lattice that learn by Q-learning which spin to take.

    An agent observes the others, in a state o, and takes spin up with probability

    .. math:: (1 - \epsilon) \, \frac{1}{1 + e^{-[Q(o, \uparrow) - Q(o, \downarrow)] / \tau}}
       + \frac{\epsilon}{2},

    softmax at τ > 0, greedy at τ = 0, ε-greedy at τ = 0 with ε > 0. Its target for an action a
    is r + γ V(o′), with the state o′ at its next action. Tables move by
    :math:`Q \leftarrow Q + \alpha\,(r + \gamma V(o') - Q)` at every visit. Networks make a step of
    their optimizer after every sweep, down the gradient of the mean of
    :math:`(r + \gamma V(o') - Q)^2` over the sweep's experiences.

    Parameters
    ----------
    reward : {"energy", "half", "mean", "chapter-1d", "chapter-2d"} or Reward
        See `isingrl.agents.rewards`.
    discount : float
        Discount γ in [0, 1]; values above 0 break the exact map from τ to T.
    learning_rate : float, optional
        Rate α in (0, 1]: of tables, 0.1 if omitted, or of the networks' optimizer, 0.03.
    network : Network or sequence of int, optional
        A network with these hidden layers instead of a table.
    shared : bool
        One table or network for all sites, or one a site.
    epsilon : float
        Share ε in [0, 1] of actions that are drawn by a coin.
    next_value : {"softmax", "max"}
        V(o′): expected under the policy, or of the best action.
    target_interval : int, optional
        Sweeps between updates of the Q that gives V(o′); if omitted, that Q is always the latest.
    replay : int, optional
        Size of a memory of experiences (of each table), from which the agents learn; if omitted
        they learn from the experiences just made.
    batch_size : int, optional
        Experiences drawn from the memory after every sweep, with replacement; needs `replay`.
    inner_iterations : int
        Times that the agents act, one after the other on the latest tentative actions of all,
        before a step counts and is learned from.
    reward_time : {"before", "after"}
        "before": the reward counts the neighbours that the agent saw. "after": it counts those at
        the agent's next visit, when they have moved too.
    falling_rate : bool
        Tables: the k-th update of an entry has the rate max(α, 1/k), so that the initial Q = 0
        leaves no trace. Networks: the rate falls to 0 over a training, as half a cosine. If False
        the rate is constant.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown, a number lies outside its interval, or `replay` and `batch_size` do
        not come together.

    References
    ----------
    C. J. C. H. Watkins, P. Dayan, "Q-learning", Mach. Learn. 8, 279 (1992).

    Examples
    --------
    >>> import isingrl as irl
    >>> agent = irl.MeanFieldQ(reward="mean", discount=0.5)
    >>> isinstance(agent, irl.Agent), agent.name, agent.exact_temperature
    (True, 'mean-field-q', False)
    >>> agent.reward_function.formula
    'a (J S + h) / z'
    >>> irl.MeanFieldQ(**agent.settings()) == agent, agent.describe()["temperature_map"]
    (True, 'approximate')
    >>> import numpy as np
    >>> agent.softmax_temperature(irl.Ising(irl.Lattice((8, 8))), np.array([2.0, 3.0])).tolist()
    [0.5, 0.75]
    >>> irl.JointQ().check_model(irl.Ising(irl.Lattice((5, 5))))
    Traceback (most recent call last):
        ...
    ValueError: agent must see a joint action of at most 65,536 values; joint-q ...
    """

    name: ClassVar[str]
    """Name of the method, a value of the dimension ``method``; each class has its own."""

    reward: str | Reward = "energy"
    discount: float = 0.0
    learning_rate: float | None = None
    network: Network | tuple[int, ...] | None = None
    shared: bool = True
    epsilon: float = 0.0
    next_value: str = "softmax"
    target_interval: int | None = None
    replay: int | None = None
    batch_size: int | None = None
    inner_iterations: int = 1
    reward_time: str = "before"
    falling_rate: bool = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        register(cls, KINDS)

    def __post_init__(self) -> None:
        check_name(type(self))
        named_reward(self.reward)
        check_choice("next_value", self.next_value, NEXT_VALUES)
        check_choice("reward_time", self.reward_time, REWARD_TIMES)
        check_flag("shared", self.shared)
        check_flag("falling_rate", self.falling_rate)
        self._set("discount", check_real("discount", self.discount, minimum=0, maximum=1))
        self._set("epsilon", check_real("epsilon", self.epsilon, minimum=0, maximum=1))
        if self.network is not None and not isinstance(self.network, Network):
            self._set("network", Network(self.network))
        rate: Any = self.learning_rate
        if rate is None:
            rate = _TABLE_RATE if self.network is None else _NETWORK_RATE
        self._set("learning_rate", check_positive("learning_rate", rate, maximum=1))
        for name in ("inner_iterations", "target_interval", "replay", "batch_size"):
            if getattr(self, name) is not None or name == "inner_iterations":
                self._set(name, check_integer(name, getattr(self, name), 1))
        if (self.replay is None) != (self.batch_size is None):
            given = f"replay = {self.replay} and batch_size = {self.batch_size}"
            raise ValueError(f"replay and batch_size must be given together; got {given}")

    @abstractmethod
    def view(self, lattice: Lattice, actions: int | None = None) -> View:
        """View of the agents on a lattice.

        Parameters
        ----------
        lattice : Lattice
            The lattice of the agents.
        actions : int, optional
            Number of states of a `Potts` model. It is given for such a model only, so that agents
            for Ising spins need not take it.

        Returns
        -------
        View
            The states that they tell apart.

        Raises
        ------
        ValueError
            If the lattice does not suit them, for example because the joint action is too long.
        """

    @property
    def reward_function(self) -> Reward:
        """The reward itself, also if `reward` is its name."""
        return named_reward(self.reward)

    @property
    def sees_local_field(self) -> bool:
        """Whether an agent sees all of its neighbours."""
        return True

    @property
    def exact_temperature(self) -> bool:
        """Whether the converged agent is exactly the heat bath at the physical temperature."""
        return self.sees_local_field and not departures(self)

    @property
    def tied_to_shape(self) -> bool:
        """Whether the view depends on the size of the lattice."""
        return False

    def softmax_temperature(
        self, model: Model, temperature: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Softmax temperature τ that stands for physical temperatures.

        Parameters
        ----------
        model : Ising
            The model that the reward depends on.
        temperature : ndarray, shape (n_temperatures,)
            In J/k_B.

        Returns
        -------
        ndarray, shape (n_temperatures,)
            In the units of the reward.
        """
        return temperature / self.reward_function.ratio(model)

    def describe(self) -> dict[str, Any]:
        """Attributes of a Dataset that describe the agents.

        Returns
        -------
        dict
            Names and values of attributes.
        """
        return {
            "rule": self.name,
            "agent": json.dumps(self.settings()),
            "temperature_map": "exact" if self.exact_temperature else "approximate",
        }

    def check_model(self, model: Model) -> None:
        """Refuse a model that does not suit the agents.

        Parameters
        ----------
        model : Ising
            The model to train on.

        Raises
        ------
        TypeError, ValueError
            If `view` refuses the lattice, if view or reward are invalid, or if the reward knows
            neither coupling nor field and the model is not a ferromagnet without field.
        """
        if self.learning_rate is None:  # it would count as 0
            raise TypeError(
                f"{type(self).__name__}.__post_init__ must call super().__post_init__(), which "
                "checks and completes the fields of all agents"
            )
        view_of(self, model)
        own = type(self).reward_function is not Agent.reward_function
        who = (
            f"{type(self).__name__}.reward_function"
            if own
            else f"reward {reward_name(self.reward)!r}"
        )
        check_reward(self.reward_function, who, model)

    def settings(self) -> dict[str, Any]:
        """Arguments that make this agent again, ready for JSON.

        Returns
        -------
        dict
            By name.

        Raises
        ------
        TypeError
            If JSON cannot hold a field of a subclass.
        """
        found = asdict(self) | {"reward": reward_name(self.reward)}
        for name, value in found.items():
            try:
                json.dumps(value)
            except TypeError as error:
                raise TypeError(
                    f"{type(self).__name__}.{name} must be numbers, text, or tuples or dicts of "
                    f"them, which JSON can hold; got {value!r}"
                ) from error
        return found

    def __repr__(self) -> str:
        return call(self)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


def ways(agent: Agent, model: Model, temperature: npt.NDArray[np.float64]) -> Arrays:
    """View and rewards of agents, which a user's class or reward may change."""
    return view_of(agent, model).arrays() | {
        "rewards": agent.reward_function.table(model),
        "softmax_temperature": softmax_temperatures(agent, model, temperature),
    }
