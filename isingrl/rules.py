"""Update rules as tables: P(up | own spin, number of up neighbours) for every temperature."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from isingrl.applicability import check_ising
from isingrl.dynamics import Dynamics
from isingrl.engines.engine import Engine, table_engine
from isingrl.model import Ising
from isingrl.pair_tables import PairTable, support_changes
from isingrl.potts import Potts
from isingrl.spin_model import Model
from isingrl.support.functions import exp, expm1
from isingrl.tables import RuleTable, Table, check_probabilities


class Rule(Dynamics):
    """A rule: the next spin of a site as a function of its own spin and its neighbours.

    A rule is a table for every temperature, so that Metropolis, heat bath and trained agents run
    on the same engines. A new rule needs a `name` and a `table`. `simulate` checks the shape of
    the table and its probabilities. If the rule obeys detailed balance, flips that are nearly sure
    both ways are made lazy (`isingrl.tables.RuleTable.for_schedule`).

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> class Voter(irl.Rule):
    ...     name = "voter"
    ...     def table(self, model, temperature):
    ...         share = model.lattice.n_up / model.lattice.coordination_number
    ...         return np.broadcast_to(share, (len(temperature), 2, len(share)))
    >>> data = irl.simulate(irl.Ising(irl.Lattice((8, 8))), Voter(), 1.0, sweeps=10, seed=1)
    >>> data.method.item(), dict(data.sizes)
    ('voter', {'temperature': 1, 'chain': 1, 'draw': 10})
    """

    @abstractmethod
    def table(self, model: Ising, temperature: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Probability of spin up after the update.

        Parameters
        ----------
        model : Ising
            Neighbours, coupling and field.
        temperature : ndarray, shape (n_temperatures,)
            In J/k_B; 0 and infinity included.

        Returns
        -------
        ndarray, shape (n_temperatures, 2, n_states)
            For own spin down and up, and for each entry of ``model.lattice.n_up``. If the model
            has several couplings, the entries may also be those of ``model.local_fields()``.
        """

    def pair_chances(
        self, model: Potts, temperature: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Chances of a change between two states of a Potts model; by default refused.

        Parameters
        ----------
        model : Potts
            Neighbours, coupling and field.
        temperature : ndarray, shape (n_temperatures,)
            In J/k_B; 0 and infinity included.

        Returns
        -------
        ndarray, shape (n_temperatures, n, n) or (n_temperatures, 1, n, n)
            As ``isingrl.pair_tables.PairTable`` takes them.

        Raises
        ------
        TypeError
            If the rule is one of Ising spins.
        """
        raise TypeError(
            f"model must be an Ising model for the rule {self.name!r}, whose table is that of "
            f"spins up and down; got {model!r}"
        )

    def potts_table(
        self, model: Potts, temperature: npt.NDArray[np.float64], chains: int = 1
    ) -> Table:
        """As `compile`, for a Potts model: a table of `pair_chances`.

        Parameters
        ----------
        model, temperature, chains
            As of `compile`.

        Returns
        -------
        Table
            ``n_temperatures * chains`` chains.
        """
        chances = np.repeat(self.pair_chances(model, temperature), chains, axis=0)
        return PairTable(chances, model.bonds, model.states)

    def compile(
        self, model: Ising, temperature: npt.NDArray[np.float64], chains: int = 1
    ) -> RuleTable:
        """Tables of all chains for an engine; chains of one temperature lie side by side.

        Parameters
        ----------
        model : Ising
            Its lattice has the sites that a site sees.
        temperature : ndarray, shape (n_temperatures,)
            In J/k_B.
        chains : int
            Chains at every temperature.

        Returns
        -------
        RuleTable
            ``n_temperatures * chains`` chains.

        Raises
        ------
        TypeError
            If the model is a `Potts`, for which `potts_table` makes the tables.
        """
        check_ising(model, self.name)
        up = check_probabilities(self.table(model, temperature), self.name)
        expected = len(temperature), 2, len(model.lattice.n_up)
        by_kind = (*expected[:2], model.bonds.n_states)
        if up.shape not in (expected, by_kind):
            raise ValueError(
                f"rule {self.name!r}: table must return the shape {expected}, (temperatures, own "
                f"spin, entries of n_up); got {up.shape}"
            )
        by_count = up.shape == expected and not (up.shape == by_kind and model.bonds.by_site)
        bonds = None if by_count else model.bonds
        return RuleTable(np.repeat(up, chains, axis=0)[:, None], bonds=bonds)

    def engine(
        self,
        model: Model,
        temperatures: npt.NDArray[np.float64],
        chains: int,
        start: str | npt.NDArray[Any],
        schedule: str,
        seed: np.random.SeedSequence,
    ) -> Engine:
        """See `Dynamics.engine`; bit lanes if they hold the lattice, else bytes."""
        table = compiled(self, model, temperatures, chains)
        own = isinstance(table, RuleTable) and (table.sites is not None or table.up.shape[1] > 1)
        if own and not type(self).__module__.startswith("isingrl."):
            _warn_of_own_bonds(self, model)
        return table_engine(model, table, start, schedule, seed)

    def known(
        self, model: Model, temperatures: npt.NDArray[np.float64], chains: int
    ) -> dict[str, npt.NDArray[Any]]:
        """See `Dynamics.known`: the table."""
        table = compiled(self, model, temperatures, chains)
        if not isinstance(table, RuleTable):
            return {"chances": table.arrays}
        return {"up": table.up} | ({} if table.sites is None else {"sites": table.sites})


class Metropolis(Rule):
    """Propose another state of the spin and accept with probability min(1, exp(-ΔE/T)).

    The other state of an Ising spin is the opposite one; of a Potts spin it is drawn at random.

    At T = 0 moves that cost energy are never accepted, and other moves always; at T = ∞ all moves
    are. If sites are not drawn at random, such sure flips can trap a chain. `simulate` therefore
    proposes flips that are nearly sure both ways with probability 7/8
    (`isingrl.tables.RuleTable.for_schedule`), with the same stationary law.

    References
    ----------
    N. Metropolis et al., J. Chem. Phys. 21, 1087 (1953).

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> down, up = irl.Metropolis().table(model, np.array([2.0]))[0]
    >>> down.round(3).tolist()
    [0.018, 0.135, 1.0, 1.0, 1.0]
    """

    name = "metropolis"

    def table(self, model: Ising, temperature: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """See `Rule.table`."""
        cost = _reduced(2 * model.local_fields(), temperature)
        from_down = exp(-np.maximum(-cost, 0.0))
        from_up = -expm1(-np.maximum(cost, 0.0))
        return np.stack([from_down, from_up], axis=1)

    def pair_chances(
        self, model: Potts, temperature: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """See `Rule.pair_chances`."""
        return np.asarray(exp(-np.maximum(_costs(model, temperature), 0.0)))


class HeatBath(Rule):
    """Draw the spin from its Boltzmann distribution given the neighbours (Glauber dynamics).

    For Ising spins P(up) = 1 / (1 + exp(-2 (J·S + h) / T)) with S the sum of the neighbour spins,
    for Potts spins P(s) ∝ exp((J n + h δ) / T) with n neighbours in the state s, δ = 1 for s = 0.
    At T = 0 the state of the least energy is taken, and one of several is drawn fairly.

    References
    ----------
    R. J. Glauber, J. Math. Phys. 4, 294 (1963).

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> down, up = irl.HeatBath().table(model, np.array([2.0]))[0]
    >>> down.round(3).tolist(), bool((down == up).all())
    ([0.018, 0.119, 0.5, 0.881, 0.982], True)
    """

    name = "heat-bath"

    def table(self, model: Ising, temperature: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """See `Rule.table`."""
        up = scipy.special.expit(_reduced(2 * model.local_fields(), temperature))
        return np.stack([up, up], axis=1)

    def pair_chances(
        self, model: Potts, temperature: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """See `Rule.pair_chances`."""
        # the best state has the weight 1, so that larger ones are never added
        return np.asarray(exp(np.minimum(-_costs(model, temperature), 1.0))[:, None])


def compiled(rule: Rule, model: Model, temperature: npt.NDArray[np.float64], chains: int) -> Any:
    """Compile a rule in every field and check its tables.

    The chains of one temperature and field lie side by side, then come those of the next field.
    """
    tables: list[Any] = []
    each: Any
    for each in model.each_field:
        if isinstance(each, Potts):
            tables.append(rule.potts_table(each, temperature, chains))
            continue
        table = rule.compile(each, temperature, chains)
        if not isinstance(table, RuleTable):
            raise TypeError(f"rule {rule.name!r}: compile must return a RuleTable; got {table!r}")
        tables.append(table.check(model.lattice, len(temperature) * chains, rule.name))
    arrays = [each.arrays for each in tables]
    split = [each.reshape(len(temperature), chains, *each.shape[1:]) for each in arrays]
    joined = np.stack(split, axis=1)
    return tables[0].with_arrays(joined.reshape(-1, *joined.shape[3:]))


def _costs(model: Potts, temperature: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Energies of changes from one support to another over T, shape (n_temperatures, to, from)."""
    change = support_changes(model)
    return _reduced(change.ravel(), temperature).reshape(len(temperature), *change.shape)


def _warn_of_own_bonds(rule: Rule, model: Model) -> None:
    warnings.warn(
        f"energy is that of the model, with its coupling {model.coupling}, and not of bonds that "
        f"the rule {rule.name!r} may have of its own, by site or configuration; this concerns the "
        "specific heat and other results of the energy, too",
        UserWarning,
        stacklevel=5,  # the caller of `simulate`
    )


def _reduced(
    energies: npt.NDArray[np.float64], temperature: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Energies over temperature, shape (n_temperatures, n_energies); 0/0 and x/∞ are 0."""
    t = temperature[:, None]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = energies / t
    return np.where(energies == 0, 0.0, np.where(np.isinf(t), 0.0, ratio))
