"""A rule as a Markov chain over all configurations of a small lattice."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis.errors import FloatArray
from analysis.exact.canonical import boltzmann_weights
from analysis.quantities import coordinate, quantity_attrs
from isingrl.agents import Policy
from isingrl.engines.sites import update_order
from isingrl.model import Ising
from isingrl.rules import Rule, compiled
from isingrl.schedules import SCHEDULES, draws_sites
from isingrl.support.validation import check_choice
from isingrl.tables import RuleTable

__all__ = [
    "MAX_CHAIN_SITES",
    "detailed_balance_violation",
    "stationary_distribution",
    "transition_matrix",
]

MAX_CHAIN_SITES = 12
"""Largest lattice with a transition matrix: 2^12 configurations, 128 MiB and some seconds each."""

_REDUCIBLE = "the chain must have one stationary distribution; it is reducible"
_BLOCK = 64  # states eliminated between two products of matrices


def transition_matrix(
    rule: Rule, model: Ising, temperature: float, schedule: str = "random-site"
) -> scipy.sparse.csr_array:
    """Probabilities of going from any configuration of a lattice to any other.

    Parameters
    ----------
    rule : Rule
        `Metropolis`, `HeatBath` or a `Policy` with one training a temperature.
    model : Ising
        Of at most 12 sites.
    temperature : float
        In J/k_B; 0 and infinity are valid.
    schedule : {"random-site", "checkerboard", "typewriter", "synchronous"}
        One step updates a random site; all sites in a sweep, sublattice after sublattice or row
        after row; or all sites at once.

    Returns
    -------
    csr_array, shape (2^N, 2^N)
        From the row's to the column's configuration; bit i of its number is set if site i, in C
        order, is up. Rows sum to 1. The rule acts as in `simulate`, with the lazy flips of
        `isingrl.tables.RuleTable.for_schedule`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import transition_matrix
    >>> matrix = transition_matrix(irl.HeatBath(), irl.Ising(irl.Lattice(4)), 2.0)
    >>> matrix.shape, bool(abs(matrix.sum(axis=1) - 1).max() < 1e-12)
    ((16, 16), True)
    """
    _check(rule, model, schedule)
    given = rule.temperatures(model, temperature)
    if len(given) > 1:
        raise ValueError(f"temperature must be one number; got {temperature!r}")
    up = _up_by_site(rule, model, given, schedule)
    if len(up) > 1:
        raise ValueError(
            f"rule must have one training a temperature; got a policy of {len(up)} chains"
        )
    return _matrix(up[0], model, schedule)


def stationary_distribution(matrix: Any) -> FloatArray:
    r"""Distribution that a Markov chain leaves unchanged, π P = π.

    Parameters
    ----------
    matrix : array_like or sparse array, shape (n, n)
        Transition matrix P of probabilities, with rows that sum to 1.

    Returns
    -------
    ndarray, shape (n,)
        Probabilities π; 0 for transient states.

    Raises
    ------
    ValueError
        If `matrix` is no square matrix of probabilities, or the chain is reducible: several closed
        sets of states have several such distributions.

    Notes
    -----
    States are eliminated one after the other [1]_, in blocks and without a subtraction. Therefore
    even the smallest probability has nearly all of its digits, even if the chain rarely passes
    between wells. The time grows as n³.

    References
    ----------
    .. [1] W. K. Grassmann, M. I. Taksar, D. P. Heyman, "Regenerative analysis and steady state
       distributions for Markov chains", Oper. Res. 33, 1107 (1985).

    Examples
    --------
    >>> from analysis import stationary_distribution
    >>> stationary_distribution([[0.9, 0.1], [0.2, 0.8]]).round(6).tolist()
    [0.666667, 0.333333]
    """
    p = scipy.sparse.csr_array(matrix, dtype=np.float64)
    if p.ndim != 2 or p.shape[0] != p.shape[1]:
        raise ValueError(f"matrix must be square; got the shape {p.shape}")
    sums = np.asarray(p.sum(axis=1))
    if (p.data < 0).any() or not np.allclose(sums, 1, rtol=0, atol=1e-9):
        raise ValueError(
            f"matrix must hold probabilities, and each row must sum to 1; got a least entry of "
            f"{p.data.min():g} and sums from {sums.min():.9g} to {sums.max():.9g}"
        )
    closed = _closed_class(p)
    distribution = np.zeros(p.shape[0])
    distribution[closed] = _eliminated(p[closed][:, closed].toarray())
    return distribution


def detailed_balance_violation(
    rule: Rule, model: Ising, temperature: Any = None, schedule: str = "random-site"
) -> xr.Dataset:
    r"""Exact distance of a rule from equilibrium on a small lattice.

    Parameters
    ----------
    rule : Rule
        `Metropolis`, `HeatBath` or a `Policy` of any agents.
    model : Ising
        Of at most 12 sites.
    temperature : float or sequence of float, optional
        In J/k_B; a policy has its own by default, other rules need it.
    schedule : {"random-site", "checkerboard", "typewriter", "synchronous"}
        As in `transition_matrix`.

    Returns
    -------
    Dataset
        Over temperature, and chain for a policy of several trainings, with the `transition_matrix`
        P and its `stationary_distribution` π:

        - ``detailed_balance_violation``: :math:`\sum_{i<j} |\pi_i P_{ij} - \pi_j P_{ji}|`, the
          net flow of probability between configurations in a step, from 0 for a reversible chain
          to 1;
        - ``gibbs_distance``: total-variation distance
          :math:`\tfrac12 \sum_i |\pi_i - e^{-E_i/T}/Z|` of π from the Gibbs distribution at the
          physical temperature, from 0 to 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or the chain is reducible, as most are at T = 0.

    Notes
    -----
    Only single updates (``"random-site"``) show whether a rule obeys detailed balance: heat bath
    and Metropolis do, and lead to the Gibbs distribution. If each site sees all others alike, as on
    a 3 × 3 Moore lattice, every rule that treats up and down alike obeys it, because only the
    number of up spins matters, which moves along a line. A sweep over sublattices in a fixed order
    leads to the same distribution but is not reversible. The synchronous heat bath is reversible
    without a field, with the distribution π ∝ Π cosh(J S_i/T) [1]_. Tables hold P(up), and
    1 − P(up) has 16 decimal places. At low temperatures spins may turn down more rarely than this
    can show, and the distribution has the same error.

    References
    ----------
    .. [1] P. Peretto, "Collective properties of neural networks: a statistical physics approach",
       Biol. Cybern. 50, 51 (1984).

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import detailed_balance_violation
    >>> ring = irl.Ising(irl.Lattice(4))
    >>> single = detailed_balance_violation(irl.HeatBath(), ring, 2.0)
    >>> sweep = detailed_balance_violation(irl.HeatBath(), ring, 2.0, schedule="checkerboard")
    >>> bool(single.detailed_balance_violation < 1e-12), bool(sweep.gibbs_distance < 1e-12)
    (True, True)
    >>> bool(sweep.detailed_balance_violation > 0.1)
    True
    """
    _check(rule, model, schedule)
    t = rule.temperatures(model, temperature)
    up = _up_by_site(rule, model, t, schedule)
    lattice = model.lattice
    spins = configurations(lattice.n_sites)
    energies = model.energy(spins.reshape(-1, *lattice.shape)) * lattice.n_sites
    shape = (len(t), len(up) // len(t))
    violation, distance = np.empty(shape), np.empty(shape)
    for index in np.ndindex(shape):
        temperature_here = float(t[index[0]])
        matrix = _matrix(up[np.ravel_multi_index(index, shape)], model, schedule)
        try:
            law = stationary_distribution(matrix)
        except ValueError as error:
            raise ValueError(f"at temperature = {temperature_here:g}: {error}") from None
        violation[index] = _net_flow(matrix, law)
        distance[index] = abs(law - _gibbs(energies, temperature_here)).sum() / 2
    dims = ("temperature", "chain")
    values = {"detailed_balance_violation": violation, "gibbs_distance": distance}
    data = xr.Dataset(
        {name: (dims, array, quantity_attrs(name)) for name, array in values.items()},
        {"temperature": coordinate("temperature", t), "chain": np.arange(shape[1])},
        {
            "schedule": schedule,
            "shape": list(lattice.shape),
            "neighborhood": lattice.neighborhood,
            "boundary": lattice.boundary,
            "coupling": model.coupling,
            "field": model.field,
            **rule.describe(),
        },
    )
    if shape[1] == 1:
        data = data.isel(chain=0, drop=True)
    return data.assign_coords(method=rule.name)


def _check(rule: Rule, model: Ising, schedule: str) -> None:
    if not isinstance(rule, Rule):
        raise TypeError(f"rule must be a Rule, such as HeatBath() or a Policy; got {rule!r}")
    if not isinstance(model, Ising):
        raise TypeError(f"model must be an Ising model; got {model!r}")
    model.one_field("a transition matrix")
    check_choice("schedule", schedule, SCHEDULES)
    n_sites = model.lattice.n_sites
    if n_sites > MAX_CHAIN_SITES:
        raise ValueError(
            f"model must have at most {MAX_CHAIN_SITES} sites, 2^{MAX_CHAIN_SITES} "
            f"configurations; got {n_sites} with shape {model.lattice.shape}"
        )


def configurations(n_sites: int) -> npt.NDArray[np.int64]:
    """Spins of every configuration, shape (2^n_sites, n_sites)."""
    return 2 * (np.arange(2**n_sites)[:, None] >> np.arange(n_sites) & 1) - 1


def _up_by_site(rule: Rule, model: Ising, temperature: FloatArray, schedule: str) -> FloatArray:
    """P(up) of every site, shape (n_temperatures * n_chains, 2^n_sites, n_sites)."""
    chains = rule.chains if isinstance(rule, Policy) else 1
    table: RuleTable = compiled(rule, model, temperature, chains)
    table = table.for_schedule(model.lattice, schedule)
    return table.probabilities(model.lattice, configurations(model.lattice.n_sites))


def _matrix(up: FloatArray, model: Ising, schedule: str) -> scipy.sparse.csr_array:
    """Transition matrix from P(up), shape (2^n_sites, n_sites)."""
    n_states, n_sites = up.shape
    if schedule == "synchronous":
        joint = np.ones((n_states, 1))
        for site in range(n_sites):
            p = up[:, site, None]
            joint = np.concatenate([joint * (1 - p), joint * p], axis=1)
        return scipy.sparse.csr_array(joint)
    singles = (_single(up[:, site], site) for site in update_order(model.lattice, schedule))
    if draws_sites(schedule):
        return sum(singles, start=scipy.sparse.csr_array((n_states, n_states))) / n_sites
    # One site after the other, as in the engine, because joint Q sees all sites of a sublattice.
    return reduce(lambda before, single: before @ single, singles)


def _single(up: FloatArray, site: int) -> scipy.sparse.csr_array:
    """Transition matrix of an update of one site, `up` being its P(up) in every configuration."""
    states = np.arange(len(up))
    bit = np.int64(1) << site
    columns = np.concatenate([states & ~bit, states | bit])
    entries = np.concatenate([1 - up, up]), (np.tile(states, 2), columns)
    matrix = scipy.sparse.csr_array(entries, shape=(len(up), len(up)))
    matrix.eliminate_zeros()
    return matrix


def _closed_class(p: scipy.sparse.csr_array) -> npt.NDArray[np.intp]:
    """States of the one closed set."""
    p.eliminate_zeros()
    n_classes, label = scipy.sparse.csgraph.connected_components(p, connection="strong")
    row, column = p.nonzero()
    left = np.unique(label[row[label[row] != label[column]]])
    closed = np.setdiff1d(np.arange(n_classes), left)
    if len(closed) > 1:
        raise ValueError(
            f"{_REDUCIBLE}, with {len(closed)} sets of configurations that are never left"
        )
    return np.flatnonzero(label == closed[0])


def _eliminated(p: FloatArray) -> FloatArray:
    """Stationary distribution of an irreducible chain; overwrites `p`."""
    n = len(p)
    weight = np.empty(n)
    for stop in range(n, 0, -_BLOCK):
        start = max(0, stop - _BLOCK)
        for k in range(stop - 1, max(start, 1) - 1, -1):
            # the chain observed only below k; the product updates rows below the block later
            leaving = p[k, :k].sum()
            if leaving == 0:
                raise ValueError(f"{_REDUCIBLE}, some of its probabilities too small for doubles")
            p[:k, k] /= leaving
            p[start:k, :k] += np.outer(p[start:k, k], p[k, :k])
            p[:start, start:k] += np.outer(p[:start, k], p[k, start:k])
        p[:start, :start] += p[:start, start:stop] @ p[start:stop, :start]
    weight[0] = 1.0
    for k in range(1, n):
        weight[k] = weight[:k] @ p[:k, k]
    return np.asarray(weight / weight.sum())


def _net_flow(matrix: scipy.sparse.csr_array, law: FloatArray) -> float:
    """Sum over pairs of |π_i P_ij − π_j P_ji|."""
    flow = scipy.sparse.diags_array(law) @ matrix
    return float(abs(flow - flow.T).sum() / 2)


def _gibbs(energies: FloatArray, temperature: float) -> FloatArray:
    above = energies - energies.min()
    if temperature == 0:  # energies that differ by rounding alone are one level
        above = np.where(above <= 1e-12 * np.abs(energies).max(), 0.0, above)
    return boltzmann_weights(0.0, above, temperature)
