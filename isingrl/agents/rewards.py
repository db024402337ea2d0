"""Rewards for spins, and the softmax temperature that makes each one physical."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.model import Ising
from isingrl.pair_tables import support_energies
from isingrl.potts import Potts
from isingrl.spin_model import Model
from isingrl.support.functions import tanh

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reward:
    """A reward as a function of an agent's spin and its neighbours.

    Attributes
    ----------
    formula : str
        In terms of the action a = ±1, the sum S of the neighbour spins, their number z, the
        coupling J and the field h. Files keep it as the name of a reward of your own.
    values : callable
        Function of the model and the action a that returns the reward for every entry of
        ``model.local_fields()``, which are those of ``lattice.n_up`` if all couplings are equal.
    temperature_ratio : callable, optional
        Function of the model that returns T/τ, the physical temperature at softmax temperature 1;
        1 if omitted.
    exact : bool
        Whether the log-odds of the two actions are linear in S, so that the converged agent is
        the heat bath at T. If False the ratio holds for small S only.
    knows_model : bool
        Whether the reward depends on J and h; if False it stands for J > 0 and h = 0.
    of_support : callable, optional
        Function of a `Potts` model that returns the reward of an action, by how many neighbours do
        the same: for each row of ``model.bonds.supports``, and again for the action 0, on which the
        field acts. Without it the reward is for Ising spins alone.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.agents import REWARDS
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> REWARDS["mean"].formula, REWARDS["mean"].ratio(model)
    ('a (J S + h) / z', 4.0)
    >>> REWARDS["mean"].table(model)[:2].tolist()
    [[1.0, -1.0], [0.5, -0.5]]
    >>> double = irl.agents.Reward("2 a (J S + h)", lambda model, a: 2 * a * model.local_fields())
    >>> irl.MeanFieldQ(reward=double).settings()["reward"]
    '2 a (J S + h)'
    """

    formula: str
    values: Callable[[Ising, Array], Array] = field(repr=False)
    temperature_ratio: Callable[[Any], float] = field(default_factory=lambda: _one, repr=False)
    exact: bool = True
    knows_model: bool = True
    of_support: Callable[[Potts], Array] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("values", "temperature_ratio"):
            if not callable(getattr(self, name)):
                raise TypeError(f"{name} must be a function; got {getattr(self, name)!r}")

    def table(self, model: Any) -> Array:
        """Reward of the actions.

        Parameters
        ----------
        model : Ising or Potts
            Coupling, field and neighbours.

        Returns
        -------
        ndarray, shape (n_states, 2) or (2 n_supports,)
            In the units of the reward: of down and up for each entry of ``model.local_fields()``;
            on a Potts model as of `of_support`.

        Raises
        ------
        ValueError
            If the function does not return one finite number for each entry, or none is there for
            the model.
        """
        if isinstance(model, Potts):
            return self._by_support(model)
        shape = (model.bonds.n_states,)
        columns = []
        for action in (-1.0, 1.0):
            try:
                found = np.asarray(self.values(model, np.asarray(action)))
                column = found.astype(np.float64, casting="same_kind")
            except TypeError as error:
                raise ValueError(f"reward {self.formula!r} must return numbers: {error}") from error
            if column.shape != shape:
                raise ValueError(
                    f"reward {self.formula!r} must return one number for every entry of "
                    f"model.local_fields(), shape {shape}; got the shape {column.shape}"
                )
            bad = np.flatnonzero(~np.isfinite(column))
            if bad.size:
                raise ValueError(
                    f"reward {self.formula!r} must return finite numbers; got {column[bad[0]]} for "
                    f"{model.bonds.shown(bad[0])} and the action {action:+g}"
                )
            columns.append(column)
        return np.stack(columns, axis=1)

    def _by_support(self, model: Potts) -> Array:
        if self.of_support is None:
            raise ValueError(
                f"reward {self.formula!r} must have of_support to serve agents on a Potts model"
            )
        found = np.asarray(self.of_support(model), dtype=np.float64)
        shape = (2 * model.bonds.n_supports,)
        if found.shape != shape or not np.isfinite(found).all():
            raise ValueError(
                f"of_support of reward {self.formula!r} must return finite numbers of the shape "
                f"{shape}, two for each row of model.bonds.supports; got {found!r}"
            )
        return found

    def ratio(self, model: Any) -> float:
        """Return T/τ for a model.

        Parameters
        ----------
        model : Ising or Potts

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If `temperature_ratio` returns no positive finite number.
        """
        found = self.temperature_ratio(model)
        if not isinstance(found, Real) or not 0 < found < np.inf:
            raise ValueError(
                f"temperature_ratio of reward {self.formula!r} must be a positive finite number; "
                f"got {found!r}"
            )
        return float(found)


def _one(model: Any) -> float:
    return 1.0


def _local_sums(model: Ising) -> Array:
    return np.asarray(model.bonds.neighbor_sums.sum(axis=1))


def _z(model: Any) -> int:
    return int(model.lattice.coordination_number)


def _per_flip(model: Any) -> float:
    """Change of the energy of a bond, over J, if it becomes satisfied."""
    return 1.0 if isinstance(model, Potts) else 2.0


def _matches(model: Potts) -> Array:
    """Number of neighbours that do the same, for each support."""
    return np.tile(model.bonds.supports.sum(axis=1), 2).astype(np.float64)


REWARDS: dict[str, Reward] = {
    "energy": Reward(
        "a (J S + h)",
        lambda model, a: a * model.local_fields(),
        of_support=lambda model: -support_energies(model),
    ),
    "half": Reward(
        "a (J S + h) / 2",
        lambda model, a: a * model.local_fields() / 2,
        lambda model: 2.0,
        of_support=lambda model: -support_energies(model) / 2,
    ),
    "mean": Reward(
        "a (J S + h) / z",
        lambda model, a: a * model.local_fields() / _z(model),
        lambda model: float(_z(model)),
        of_support=lambda model: -support_energies(model) / _z(model),
    ),
    "chapter-1d": Reward(
        "2 (-1 + 0.9 matches), matches = (z + a S) / 2",
        lambda model, a: 2 * (-1 + 0.9 * (_z(model) + a * _local_sums(model)) / 2),
        lambda model: _per_flip(model) * model.one_coupling() / 1.8,
        knows_model=False,
        of_support=lambda model: 2 * (-1 + 0.9 * _matches(model)),
    ),
    "chapter-2d": Reward(
        "tanh(5 (mean action - 1/2)) = tanh(5 a S / 2 z)",
        lambda model, a: tanh(2.5 * a * _local_sums(model) / _z(model)),
        lambda model: _per_flip(model) * model.one_coupling() * _z(model) / 5.0,
        exact=False,
        knows_model=False,
        of_support=lambda model: tanh(5 * (_matches(model) / _z(model) - 0.5)),
    ),
}
"""Rewards by name: "energy"; "half" (Yang et al. 2018); "mean"; and the two of Zai & Brown,
*Deep Reinforcement Learning in Action* (2020), chapter 9, for the ring and the Moore lattice."""


def named_reward(reward: Any) -> Reward:
    """Return a reward given by name or itself; refuse one that has the name of another."""
    if isinstance(reward, Reward):
        if REWARDS.get(reward.formula, reward) is not reward:
            raise ValueError(
                f"formula of a reward must not be the name of another; got {reward.formula!r}"
            )
        return reward
    if not isinstance(reward, str) or reward not in REWARDS:
        names = ", ".join(map(repr, REWARDS))
        raise ValueError(
            f"reward must be one of {names}, or one of your own: a Reward, which load takes as "
            f"rewards=[...], or its name, put into isingrl.agents.REWARDS before; got {reward!r}"
        )
    return _checked(REWARDS[reward], f"reward {reward!r}")


def reward_name(reward: str | Reward) -> str:
    """Name of a reward for files and messages: its formula, if it is one of a user's own."""
    return reward.formula if isinstance(reward, Reward) else reward


def check_reward(reward: object, who: str, model: Model) -> Reward:
    """Return a reward if it is finite and stands for the model; `who` names it in errors."""
    checked = _checked(reward, who)
    if not checked.knows_model:
        one = model.one_coupling(who)
        if not (one > 0 and model.field == 0):
            raise ValueError(
                f"{who} stands for coupling > 0 and field = 0; got coupling = {one:g} and field = "
                f"{model.field:g}"
            )
    try:
        checked.table(model)
        checked.ratio(model)
    except ValueError as error:
        raise ValueError(f"{who}: {error}") from error
    return checked


def _checked(reward: object, who: str) -> Reward:
    if not isinstance(reward, Reward):
        raise TypeError(f"{who} must be a Reward; got {reward!r}")
    return reward
