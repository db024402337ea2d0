"""Policies as tables by observations, which `simulate` runs as rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.applicability import check_ising, check_same_model, choose_temperatures
from isingrl.compositions import Compositions
from isingrl.envs._observations import SiteView, distinct, observe_on
from isingrl.model import Ising
from isingrl.potts import Potts
from isingrl.rules import Rule
from isingrl.spin_model import Model
from isingrl.state_tables import StateTable
from isingrl.support.validation import check_temperature
from isingrl.tables import RuleTable

__all__ = ["ObservedRule"]

Array = npt.NDArray[np.float64]

_ROUNDING = 1e-5  # error of a sum of probabilities in single precision


@dataclass(frozen=True, eq=False)
class ObservedRule(Rule):
    """Action probabilities of a policy, by its distinct observations.

    `IsingEnv.rule` and `IsingVectorEnv.rule` make it. It runs on lattices of any shape with the
    same neighbours, model and boundary. With a free boundary, and observations other than the mean
    action, it runs on its own shape only, because sites at the border observe less.

    Attributes
    ----------
    model : Ising or Potts
        Model of the environment.
    observation : {"mean-action", "configuration", "window"}
    radius : int or None
        Half-width of the window.
    temperature : ndarray, shape (n_temperatures,)
        Physical temperatures that the policies stand for, in J/k_B.
    up : ndarray, shape (n_temperatures, n_tables, n_states)
        P(up) by the number of up neighbours, an index into ``lattice.n_up``, or by the
        configuration of the sites observed, as in `isingrl.tables.RuleTable`; one table for all
        sites, or one a site. Of a Potts model the probabilities of all states, along one more axis,
        by how many neighbours are in each state, or by the configuration in base q.
    name : str
        Name of the method, a value of the dimension ``method``.

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> from isingrl.envs import IsingVectorEnv, ObservedRule
    >>> model = irl.Ising(irl.Lattice((4, 4)))
    >>> T = np.array([2.0, 3.0])
    >>> heat_bath = IsingVectorEnv(model).rule(
    ...     lambda share: 1 / (1 + np.exp(-8 * (2 * share[:, 0] - 1) / T[:, None])), T
    ... )
    >>> isinstance(heat_bath, ObservedRule), heat_bath.up.shape
    (True, (2, 1, 5))
    >>> large = irl.Ising(irl.Lattice((64, 64)))
    >>> bool(np.allclose(heat_bath.table(large, T), irl.HeatBath().table(large, T)))
    True
    """

    model: Ising | Potts
    observation: str
    radius: int | None
    temperature: Array
    up: Array
    name: str = "policy"

    def table(self, model: Ising, temperature: Array) -> Array:
        """See `Rule.table`; only observations of the mean action have such a table."""
        compiled = self.compile(model, temperature)
        if not compiled.counted:
            raise ValueError(
                f"observation must be 'mean-action' for a table by the number of up neighbours; "
                f"got {self.observation!r}: use compile"
            )
        return np.asarray(compiled.up[:, 0])

    def compile(self, model: Ising, temperature: Array, chains: int = 1) -> RuleTable:
        """See `Rule.compile`; refuses models with other neighbours."""
        check_ising(model, self.name)
        self._check_model(model)
        up, sites = self._chosen(model, temperature, chains)
        return RuleTable(np.stack([up, up], axis=-2), sites)

    def potts_table(self, model: Potts, temperature: Array, chains: int = 1) -> StateTable:
        """See `Rule.potts_table`; refuses what `compile` refuses."""
        self._check_model(model)
        chances, sites = self._chosen(model, temperature, chains)
        lattices = model.lattice, self.model.lattice
        met = [Compositions.of(lattice, model.states).totals for lattice in lattices]
        if sites is None and met[0] != met[1]:
            raise ValueError(
                f"model must have sites with {met[1]} neighbours, as in the environment of the "
                f"policy; got {met[0]}"
            )
        return StateTable(chances, sites)

    def _chosen(
        self, model: Model, temperature: Array, chains: int
    ) -> tuple[Array, npt.NDArray[np.int32] | None]:
        """Tables of all chains, and the sites observed."""
        chosen = [int(np.flatnonzero(self.temperature == each)[0]) for each in temperature]
        seen = observe_on(model, self.observation, self.radius)
        return np.repeat(self.up[chosen], chains, axis=0), None if seen.counted else seen.sites

    def temperatures(self, model: Model, temperature: Any) -> Array:
        """See `Dynamics.temperatures`; None means all its own temperatures."""
        self._check_model(model)
        return choose_temperatures(temperature, self.temperature)

    def describe(self) -> dict[str, str]:
        """See `Dynamics.describe`."""
        radius = {} if self.radius is None else {"radius": str(self.radius)}
        return {"rule": self.name, "observation": self.observation} | radius

    def _check_model(self, model: Model) -> None:
        check_same_model(model, self.model, shape=self.up.shape[1] > 1)


def tabulate(
    model: Ising | Potts,
    observation: SiteView,
    probability_up: Callable[[npt.NDArray[np.float32]], npt.ArrayLike],
    temperature: Any,
    name: str,
) -> ObservedRule:
    """Call a policy once with all distinct observations; see `IsingEnv.rule`."""
    temperatures = check_temperature(temperature)
    if not isinstance(name, str) or not name:
        raise TypeError(f"name must be a name; got {name!r}")
    if not callable(probability_up):
        raise TypeError(f"probability_up must be a function of observations; got {probability_up}")
    observations, index = distinct(observation, model)
    up = np.asarray(probability_up(observations.copy()))
    n, n_temperatures = len(observations), len(temperatures)
    last = () if isinstance(model, Ising) else (model.states,)
    allowed = [(n_temperatures, n, *last)] + ([(n, *last)] if n_temperatures == 1 else [])
    if up.shape not in allowed or up.dtype.kind not in "iuf":
        raise ValueError(
            f"probability_up must return numbers of the shape {allowed[-1]} for observations of "
            f"the shape {observations.shape}; got {up.dtype} of the shape {up.shape}"
        )
    up = up.astype(np.float64).reshape(n_temperatures, n, *last)
    bad = up[~((up >= 0) & (up <= 1))]
    if bad.size:
        raise ValueError(f"probability_up must return probabilities, 0 to 1; got {bad[0]!s}")
    if last:
        total = up.sum(axis=-1, keepdims=True)
        off = abs(total - 1) > _ROUNDING
        if off.any():
            raise ValueError(
                "probability_up must return probabilities of all states that add up to 1; got the "
                f"sum {total[off][0]!s}"
            )
        up = up / total
    up = up[:, None] if index is None else up[:, index]
    return ObservedRule(model, observation.name, observation.radius, temperatures, up, name)
