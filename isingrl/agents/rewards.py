"""What an agent is paid for a spin, and the softmax temperature that makes it physical."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
import numpy.typing as npt

from isingrl._validation import check_choice
from isingrl.model import Ising

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reward:
    """A reward as a function of an agent's spin and its neighbours.

    Attributes
    ----------
    formula : str
        In terms of the action a = ±1, the sum S of the neighbour spins, their number z, the
        coupling J and the field h.
    values : callable
        From the model and the actions a to the reward for every entry of ``lattice.n_up``.
    temperature_ratio : callable
        T/τ for the model: the physical temperature at softmax temperature 1.
    exact : bool
        Whether the log-odds of the two actions are linear in S, so that the converged agent is
        the heat bath at T. Else the ratio holds for small S only.
    knows_model : bool
        Whether J and h enter; else the reward stands for J > 0 and h = 0.

    Examples
    --------
    >>> import isingrl as irl
    >>> from isingrl.agents import REWARDS
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> REWARDS["mean"].formula, REWARDS["mean"].temperature_ratio(model)
    ('a (J S + h) / z', 4.0)
    """

    formula: str
    values: Callable[[Ising, Array], Array] = field(repr=False)
    temperature_ratio: Callable[[Ising], float] = field(repr=False)
    exact: bool = True
    knows_model: bool = True

    def __post_init__(self) -> None:
        for name in ("values", "temperature_ratio"):
            if not callable(getattr(self, name)):
                raise TypeError(f"{name} must be a function; got {getattr(self, name)!r}")

    def table(self, model: Ising) -> Array:
        """Reward of the actions down and up.

        Parameters
        ----------
        model : Ising
            Coupling, field and neighbours.

        Returns
        -------
        ndarray, shape (n_states, 2)
            For each entry of ``lattice.n_up``, in the units of the reward.

        Raises
        ------
        ValueError
            If `values` returns anything but a finite number for each entry.

        Examples
        --------
        >>> import isingrl as irl
        >>> from isingrl.agents import REWARDS
        >>> REWARDS["mean"].table(irl.Ising(irl.Lattice((8, 8))))[:2].tolist()
        [[1.0, -1.0], [0.5, -0.5]]
        """
        shape = model.lattice.n_up.shape
        columns = []
        for action in (-1.0, 1.0):
            try:
                column = np.asarray(self.values(model, np.asarray(action)), dtype=np.float64)
            except TypeError as error:
                raise ValueError(f"reward {self.formula!r} must return numbers: {error}") from error
            if column.shape != shape:
                raise ValueError(
                    f"reward {self.formula!r} must return one number for every entry of "
                    f"lattice.n_up, shape {shape}; got the shape {column.shape}"
                )
            if not np.isfinite(column).all():
                bad = column[~np.isfinite(column)][0]
                raise ValueError(f"reward {self.formula!r} must return finite numbers; got {bad}")
            columns.append(column)
        return np.stack(columns, axis=1)

    def ratio(self, model: Ising) -> float:
        """T/τ for a model, checked.

        Parameters
        ----------
        model : Ising

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If it is no positive finite number.

        Examples
        --------
        >>> import isingrl as irl
        >>> from isingrl.agents import REWARDS
        >>> REWARDS["half"].ratio(irl.Ising(irl.Lattice((8, 8))))
        2.0
        """
        found = self.temperature_ratio(model)
        if not isinstance(found, Real) or not 0 < found < np.inf:
            raise ValueError(
                f"temperature_ratio of reward {self.formula!r} must be a positive finite number; "
                f"got {found!r}"
            )
        return float(found)


def _local_sums(model: Ising) -> Array:
    return 2 * model.lattice.n_up - model.lattice.coordination_number


def _z(model: Ising) -> int:
    return model.lattice.coordination_number


REWARDS: dict[str, Reward] = {
    "energy": Reward(
        "a (J S + h)",
        lambda model, a: a * model.local_fields(),
        lambda model: 1.0,
    ),
    "half": Reward(
        "a (J S + h) / 2",
        lambda model, a: a * model.local_fields() / 2,
        lambda model: 2.0,
    ),
    "mean": Reward(
        "a (J S + h) / z",
        lambda model, a: a * model.local_fields() / _z(model),
        lambda model: float(_z(model)),
    ),
    "chapter-1d": Reward(
        "2 (-1 + 0.9 matches), matches = (z + a S) / 2",
        lambda model, a: 2 * (-1 + 0.9 * (_z(model) + a * _local_sums(model)) / 2),
        lambda model: model.coupling / 0.9,
        knows_model=False,
    ),
    "chapter-2d": Reward(
        "tanh(5 (mean action - 1/2)) = tanh(5 a S / 2 z)",
        lambda model, a: np.tanh(2.5 * a * _local_sums(model) / _z(model)),
        lambda model: model.coupling * _z(model) / 2.5,
        exact=False,
        knows_model=False,
    ),
}
"""Rewards by name: "energy"; "half" (Yang et al. 2018); "mean"; and the two of Zai & Brown,
*Deep Reinforcement Learning in Action* (2020), chapter 9, for the ring and the Moore lattice."""


def check_reward(name: str, model: Ising) -> Reward:
    """Return the reward of a name if it stands for the model.

    Raises
    ------
    TypeError, ValueError
        If the name is unknown, its reward is no `Reward` or not finite, or it knows neither
        coupling nor field and the model is not a ferromagnet without field.
    """
    reward: object = REWARDS[check_choice("reward", name, tuple(REWARDS))]
    if not isinstance(reward, Reward):
        raise TypeError(f"reward {name!r} must be a Reward; got {reward!r}")
    if not reward.knows_model and not (model.coupling > 0 and model.field == 0):
        raise ValueError(
            f"reward {name!r} stands for coupling > 0 and field = 0; got coupling = "
            f"{model.coupling:g} and field = {model.field:g}"
        )
    reward.table(model)
    reward.ratio(model)
    return reward
