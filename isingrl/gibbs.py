"""Whether a rule's table keeps the Gibbs distribution of a model at its temperature."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from isingrl.compositions import Compositions
from isingrl.model import Ising
from isingrl.pair_tables import PairTable, support_changes
from isingrl.spin_model import Model
from isingrl.state_tables import StateTable
from isingrl.tables import RuleTable, Table

_TOLERANCE = 1e-6  # relative error of the balance, far below what a run can measure
_ROUNDING = 8 * np.finfo(np.float64).eps  # error of a probability and its complement

FloatArray = npt.NDArray[np.float64]


def gibbs_violation(
    table: Table, model: Model, temperatures: npt.NDArray[np.float64], chains: int
) -> str | None:
    """Say where a table lacks detailed balance with the model at its temperatures, if it does.

    Detailed balance is P(down → up) / P(up → down) = exp(2 (J S + h) / T) with S the sum of the
    neighbour spins, for every site and whatever it sees.

    Parameters
    ----------
    table : RuleTable
        Tables of all chains, ordered by temperature, field and chain.
    model : Ising
        Its bonds and fields.
    temperatures : ndarray, shape (n_temperatures,)
        In J/k_B.
    chains : int
        Chains at every temperature in every field.

    Returns
    -------
    str or None
        The first violation; None if there is none.

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> from isingrl.gibbs import gibbs_violation
    >>> model, temperatures = irl.Ising(irl.Lattice((4, 4))), np.array([2.0])
    >>> table = irl.HeatBath().compile(model, temperatures)
    >>> gibbs_violation(table, model, temperatures, 1) is None
    True
    >>> gibbs_violation(table, model, 1.1 * temperatures, 1)
    'at T = 2.2 and 0 up neighbours up is favoured by a factor of 0.0183, the model by 0.0263'
    """
    if isinstance(table, StateTable):
        return _violation_of_states(table, model, temperatures, chains)
    if isinstance(table, PairTable):
        return _violation_of_pairs(table, model, temperatures, chains)
    assert isinstance(table, RuleTable)
    assert isinstance(model, Ising)  # whose tables these are
    energies = _bond_energies(table, model)
    if isinstance(energies, str):
        return energies
    shape = (len(temperatures), len(model.each_field), chains, *table.up.shape[1:])
    up = table.up.reshape(shape)
    for place, each in enumerate(model.each_field):
        field = each.one_field()
        twice = 2 * (energies + field)
        for t, temperature in enumerate(temperatures):
            reduced = _over(twice, float(temperature))
            rises, falls = up[t, place, :, :, 0], 1.0 - up[t, place, :, :, 1]
            left = rises * scipy.special.expit(-reduced)
            right = falls * scipy.special.expit(reduced)
            # NaN where a state does not occur
            off = abs(left - right) > _TOLERANCE * np.maximum(left, right) + _ROUNDING
            if off.any():
                chain, site, state = np.argwhere(off)[0]
                kind = min(site, rises.shape[1] - 1)
                seen = f"configuration {state} of the sites seen"
                if table.sites is None:
                    seen = model.bonds.shown(state)
                ratio = _ratio(rises[chain, kind, state], falls[chain, kind, state])
                own = "" if isinstance(model.field, float) else f", h = {field:g}"
                wanted = np.exp(reduced[min(site, len(reduced) - 1), state])
                return (
                    f"at T = {temperature:g}{own} and {seen} up is favoured by a factor of "
                    f"{ratio:.3g}, the model by {wanted:.3g}"
                )
    return None


def _bond_energies(table: RuleTable, model: Ising) -> FloatArray | str:
    """J S of a site, S the sum of its neighbours, by site and state seen; or what it cannot see.

    The shape is (1 or n_sites, n_states), with NaN where a state does not occur.
    """
    bonds = model.bonds
    if table.sites is None:
        if table.bonds is None and not bonds.alike:
            return "sites do not tell bonds of different couplings apart"
        if table.bonds is not None and not np.array_equal(table.bonds.kinds, bonds.kinds):
            return "sites see other kinds of bonds than those of the model"
        return np.asarray((bonds.neighbor_sums * model.couplings).sum(axis=1)[None])
    strength = _strengths(table.sites, model)
    if isinstance(strength, str):
        return strength
    sites, present = table.sites, table.sites < model.lattice.n_sites
    kinds = np.concatenate([strength, present], axis=1)
    if table.up.shape[1] == 1:  # sites with one table differ at free boundaries alone
        kinds = np.unique(kinds, axis=0)
    strength, present = np.split(kinds, 2, axis=1)
    bits = np.arange(table.up.shape[3])[:, None] >> np.arange(sites.shape[1]) & 1
    energies = np.asarray(strength @ (2.0 * bits.T - 1.0))
    occurs = (present.astype(bool)[:, None, :] | (bits == 0)).all(axis=2)
    return np.where(occurs, energies, np.nan)


def _strengths(sites: npt.NDArray[np.int32], model: Model) -> FloatArray | str:
    """Coupling of each site to those that it sees, shape (n_sites, k); or what it cannot see."""
    n, neighbors = model.lattice.n_sites, model.lattice.neighbors
    mutual = sites[:, :, None] == neighbors[:, None, :]
    present = sites < n
    joined = mutual.sum(axis=2) * present
    if (joined.sum(axis=1) != (neighbors < n).sum(axis=1)).any():
        return "sites do not see all their neighbours"
    return np.asarray((mutual * model.slot_couplings[..., None, :]).sum(axis=2) * present)


def _violation_of_pairs(
    table: PairTable, model: Any, temperatures: npt.NDArray[np.float64], chains: int
) -> str | None:
    """As `gibbs_violation`, for rules of a Potts model."""
    bonds, by_weight = model.bonds, table.arrays.ndim == 4
    n = bonds.n_supports
    shape = (len(temperatures), len(model.each_field), chains, 2 * n, 2 * n)
    chances = table.arrays.reshape(shape)
    # no two states are both 0, nor have more neighbours than there are
    both = bonds.supports[:, None] + bonds.supports
    possible = np.tile((both <= bonds.supports.max(axis=0)).all(axis=-1), (2, 2))
    possible[n:, n:] = False
    for place, each in enumerate(model.each_field):
        change = support_changes(each)
        for t, temperature in enumerate(temperatures):
            reduced, found = _over(change, float(temperature)), chances[t, place]
            if by_weight:
                wanted = np.exp(np.minimum(-reduced, 0.0))
                off = abs(found - wanted) > _TOLERANCE * wanted + _ROUNDING
                off = np.where(reduced < 0, found <= 1, off)
            else:
                left = found * scipy.special.expit(reduced)
                right = found.swapaxes(1, 2) * scipy.special.expit(-reduced)
                off = abs(left - right) > _TOLERANCE * np.maximum(left, right) + _ROUNDING
            off &= possible
            if off.any():
                _, to, own = np.argwhere(off)[0]
                seen = [bonds.supports[state % n].tolist() for state in (own, to)]
                return (
                    f"at T = {temperature:g} a change from a state with {seen[0]} neighbours in it "
                    f"to one with {seen[1]}, by kind of bond, has another chance than by the model"
                )
    return None


def _violation_of_states(
    table: StateTable, model: Any, temperatures: npt.NDArray[np.float64], chains: int
) -> str | None:
    """As `gibbs_violation`, for agents on a Potts model: they must be its heat bath."""
    n_seen, q = table.chances.shape[2:]
    if table.sites is not None:
        strength = _strengths(table.sites, model)
        if isinstance(strength, str):
            return strength
        if table.chances.shape[1] == 1:
            strength = np.unique(strength, axis=0)
        digits = np.arange(n_seen)[:, None] // q ** np.arange(table.sites.shape[1]) % q
        gain = np.einsum("ij,sja->isa", strength, digits[:, :, None] == np.arange(q))
    elif not model.bonds.alike:
        return "sites do not tell bonds of different couplings apart"
    elif n_seen == 1:
        return "sites do not see all their neighbours"
    else:
        ways = Compositions.of(model.lattice, q)
        gain = model.one_coupling() * ways.counts[None].astype(np.float64)
    shape = (len(temperatures), len(model.each_field), chains, *table.chances.shape[1:])
    chances = table.chances.reshape(shape)
    for place, each in enumerate(model.each_field):
        in_field = gain + each.one_field() * (np.arange(q) == 0)
        below_best = in_field - in_field.max(axis=-1, keepdims=True)
        for t, temperature in enumerate(temperatures):
            weight = np.exp(_over(below_best, float(temperature)))
            wanted = weight / weight.sum(axis=-1, keepdims=True)
            found = chances[t, place]
            off = abs(found - wanted) > _TOLERANCE * wanted + _ROUNDING
            if off.any():
                chain, site, seen, state = np.argwhere(off)[0]
                kind = min(site, len(wanted) - 1)
                return (
                    f"at T = {temperature:g} and what is seen as number {seen} the state {state} "
                    f"has the chance {found[chain, site, seen, state]:.3g}, by the model "
                    f"{wanted[kind, seen, state]:.3g}"
                )
    return None


def _over(energies: FloatArray, temperature: float) -> FloatArray:
    """Energies over temperature; 0/0 and x/∞ are 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(energies == 0, 0.0, energies / temperature)


def _ratio(rises: float, falls: float) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.divide(rises, falls))
