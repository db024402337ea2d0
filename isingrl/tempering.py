"""Parallel tempering: chains at neighbouring temperatures exchange their configurations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.dynamics import Dynamics
from isingrl.engines.exchanges import Exchanges
from isingrl.engines.tempered import tempered_engine
from isingrl.engines.tempering import TemperingEngine
from isingrl.gibbs import gibbs_violation
from isingrl.rules import Rule, compiled
from isingrl.spin_model import Model
from isingrl.support.validation import check_integer

__all__ = ["Tempering"]


@dataclass(frozen=True, eq=False)
class Tempering(Dynamics):
    r"""Parallel tempering (replica exchange) of a rule, over all temperatures of a run.

    After `every` sweeps the configurations of neighbouring temperatures i and j trade places with
    probability :math:`\min(1, e^{(\beta_i - \beta_j)(E_i - E_j)})`, :math:`\beta = 1/T`, with the
    energies E of the model, bonds and field. So each temperature keeps its Gibbs distribution, and
    configurations that are stuck at a low temperature are renewed at a high one.

    Parameters
    ----------
    rule : Rule
        `Metropolis`, `HeatBath`, a `Policy`, or a rule of your own, with detailed balance at its
        temperatures: the table is checked to one part in a million. A policy passes if it was
        trained without discount on a reward that is proportional to the energy, sees all
        neighbours, and has visited every entry of its tables.
    every : int
        Sweeps between exchanges, counted from the first sweep of the run, whatever the interval of
        measurements.

    Raises
    ------
    TypeError, ValueError
        If `rule` is no `Rule`, or `every` no positive integer.

    Notes
    -----
    Exchanges are between chains of the same number in the same field. The pairs are neighbours by
    value, in whatever order the temperatures are given: first, third, … pair and second, fourth, …
    pair in turn, so that each pair is tried every 2 `every` sweeps. A measurement at the time of an
    exchange comes after it. T = ∞ is β = 0. T = 0 is the limit β → ∞: an exchange with it happens
    if it does not raise the energy there.

    `isingrl.simulate` refuses fewer than two temperatures, the schedule "synchronous" (its
    stationary distribution is not Gibbs's), a `ladder`, and rules without detailed balance. Data
    stay by temperature: series and spins are those of the walker that is there. Two variables come
    with them, both (temperature[, field], chain, draw):

    - ``replica``, which walker it is: the index of the temperature where it began;
    - ``exchanges``, the number of exchanges with the next higher temperature since the first
      sweep, also of the thermalization.

    `analysis.tempering` turns them into acceptances and round trips, and
    `analysis.tempering_temperatures` proposes temperatures. Draws of different temperatures of one
    chain are correlated; the error bars hold for each temperature.

    References
    ----------
    .. [1] R. H. Swendsen, J.-S. Wang, "Replica Monte Carlo simulation of spin-glasses", Phys. Rev.
       Lett. 57, 2607 (1986).
    .. [2] C. J. Geyer, "Markov chain Monte Carlo maximum likelihood", Computing Science and
       Statistics: Proc. 23rd Symp. on the Interface, 156 (1991).
    .. [3] K. Hukushima, K. Nemoto, "Exchange Monte Carlo method and application to spin glass
       simulations", J. Phys. Soc. Jpn. 65, 1604 (1996).

    Examples
    --------
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((16, 16)))
    >>> tempering = irl.Tempering(irl.HeatBath(), every=10)
    >>> data = irl.simulate(
    ...     model, tempering, [1.5, 1.8, 2.1, 2.4], sweeps=1000, interval=10, chains=2, seed=1
    ... )
    >>> data.method.item(), data.replica.dims
    ('tempered-heat-bath', ('temperature', 'chain', 'draw'))
    >>> sorted(data.replica.isel(chain=0, draw=-1).values.tolist())
    [0, 1, 2, 3]
    >>> irl.simulate(model, irl.Tempering(irl.HeatBath()), 2.0, sweeps=10)
    Traceback (most recent call last):
        ...
    ValueError: temperature must hold at least two temperatures to exchange; got [2.0]
    """

    rule: Rule
    every: int = 10

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Rule):
            raise TypeError(
                "rule must be a Rule, such as Metropolis(), HeatBath() or a Policy, whose table "
                f"shows its stationary distribution; got {self.rule!r}"
            )
        object.__setattr__(self, "every", check_integer("every", self.every, 1))

    @property
    def name(self) -> str:
        """Name of the method: "tempered-" and that of the rule."""
        return f"tempered-{self.rule.name}"

    @property
    def undivided(self) -> dict[str, dict[str, Any]]:
        """See `Dynamics.undivided`."""
        units = {"units": "1", "every": self.every}
        return {
            "replica": {"long_name": "index of the temperature where the walker began", **units},
            "exchanges": {"long_name": "exchanges with the next higher temperature", **units},
        }

    def temperatures(self, model: Model, temperature: Any) -> npt.NDArray[np.float64]:
        """See `Dynamics.temperatures`; at least two."""
        found = self.rule.temperatures(model, temperature)
        if len(found) < 2:
            raise ValueError(
                f"temperature must hold at least two temperatures to exchange; got {found.tolist()}"
            )
        return found

    def check_run(
        self,
        model: Model,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        schedule: str,
        ladder: Any,
    ) -> None:
        """See `Dynamics.check_run`; refuses what the class says."""
        if ladder is not None:
            raise ValueError(
                "ladder must be None with Tempering, which runs all temperatures at once; got "
                f"{ladder!r}"
            )
        if schedule == "synchronous":
            raise ValueError(
                'schedule must not be "synchronous" with Tempering, because the stationary '
                'distribution is not Gibbs\'s if all sites move at once; take "checkerboard", '
                '"typewriter" or "random-site"'
            )
        rule = self.rule
        reasons = rule.departures(model)
        if not reasons:
            table = compiled(rule, model, temperatures, chains)
            violation = gibbs_violation(table, model, temperatures, chains)
            if violation is None:
                return
            reasons = [violation]
            if unvisited := rule.describe().get("unvisited_entries"):
                reasons.append(
                    f"{unvisited} entries of its tables were never visited and decide by a coin "
                    "(train it for longer)"
                )
        raise ValueError(
            "rule must have detailed balance with the model at its temperatures to be tempered; "
            f"{rule.name} does not: {'; '.join(reasons)}"
        )

    def engine(
        self,
        model: Model,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        start: str | npt.NDArray[Any],
        schedule: str,
        seed: np.random.SeedSequence,
    ) -> TemperingEngine:
        """See `Dynamics.engine`; around bit lanes if they hold the lattice, else bytes."""
        table = compiled(self.rule, model, temperatures, chains)
        engine = tempered_engine(model, table, start, schedule, seed)
        return TemperingEngine(engine, Exchanges(model, temperatures, chains, seed), self.every)

    def softmax_temperature(
        self, model: Model, temperature: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64] | None:
        """See `Dynamics.softmax_temperature`; that of the rule."""
        return self.rule.softmax_temperature(model, temperature)

    def departures(self, model: Model) -> list[str]:
        """See `Dynamics.departures`; those of the rule, which `check_run` refuses."""
        return self.rule.departures(model)

    def describe(self) -> dict[str, Any]:
        """See `Dynamics.describe`; that of the rule, and `every` as ``exchange_interval``."""
        return self.rule.describe() | {"exchange_interval": self.every}

    def settings(self) -> dict[str, Any]:
        """See `Dynamics.settings`; those of the rule, and `every`."""
        return self.rule.settings() | {"every": self.every}

    def known(
        self, model: Model, temperatures: npt.NDArray[np.float64], chains: int
    ) -> dict[str, npt.NDArray[Any]]:
        """See `Dynamics.known`; that of the rule."""
        return self.rule.known(model, temperatures, chains)
