"""Whether a rule's table obeys detailed balance with the Gibbs measure of some couplings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

from isingrl.bonds import Bonds

FloatArray = npt.NDArray[np.float64]

_TOLERANCE = 1e-9  # relative error of log-odds
_ROUNDING = 8 * np.finfo(np.float64).eps  # error of a probability and its complement
_BEYOND = 30.0  # log-odds of this size may be infinite in doubles


def obeys_gibbs(
    rises: FloatArray,
    falls: FloatArray,
    sites: npt.NDArray[np.int32] | None,
    n_sites: int,
    bonds: Bonds | None = None,
) -> npt.NDArray[np.bool_]:
    """Whether every chain has the log-odds of Ising spins with pair couplings and fields.

    The log-odds ``x = log(rises / falls)`` must be a sum of one number for each spin seen, and
    the number must be the same for i seen by j as for j seen by i. A flip and its reverse may be
    rarer by the same factor, because that does not change the measure. A chain does not obey if
    some state allows no flip at all, because the measure is then unknown.

    Parameters
    ----------
    rises, falls : ndarray, shape (n_chains, n_tables, n_states)
        Probabilities of a flip from down and from up, see `isingrl.tables.RuleTable`.
    sites : int32 ndarray, shape (n_sites, k), or None
        Sites seen; None if states are numbers of up neighbours.
    bonds : Bonds, optional
        Bonds by whose kinds up neighbours are counted.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        log_odds = np.log(rises) - np.log(falls)
    certainty = np.minimum(rises, falls)  # log-odds have the rounding error divided by this
    n_tables, n_states = rises.shape[1:]
    if sites is None:
        counts = np.arange(n_states, dtype=np.float64)[:, None]
        columns = (counts if bonds is None else bonds.neighbor_sums)[None]
        occurs = np.ones((1, n_states), dtype=bool)
    else:
        if n_tables == 1 and (sites == n_sites).any():
            rises, falls, log_odds, certainty = (
                np.repeat(each, n_sites, axis=1) for each in (rises, falls, log_odds, certainty)
            )
        own = sites if rises.shape[1] > 1 else sites[:1]
        bits = np.arange(n_states)[:, None] >> np.arange(sites.shape[1]) & 1
        present = own[:, None, :] < n_sites
        columns = np.where(present, 2.0 * bits - 1.0, 0.0)
        occurs = (present | (bits == 0)).all(axis=2)
    found = np.zeros(len(log_odds), dtype=bool)
    for chain, x in enumerate(log_odds):
        if chain and np.array_equal(x, log_odds[chain - 1]):  # a chain of the same temperature
            found[chain] = found[chain - 1]
        else:
            found[chain] = _chain_obeys(x, certainty[chain], columns, occurs, sites, n_sites)
    return found


def _chain_obeys(
    log_odds: FloatArray,
    certainty: FloatArray,
    columns: FloatArray,
    occurs: npt.NDArray[np.bool_],
    sites: npt.NDArray[np.int32] | None,
    n_sites: int,
) -> bool:
    """Whether the log-odds of one chain, shape (n_tables, n_states), are linear and symmetric."""
    if np.isnan(log_odds[np.broadcast_to(occurs, log_odds.shape)]).any():
        return False
    finite = np.isfinite(log_odds) & occurs
    counted = sites is None and columns.shape[2] == 1
    if counted and finite.sum(axis=1).max() <= 1:  # almost T = 0: only the order is left
        return bool(
            (log_odds[:, 1:] >= log_odds[:, :-1]).all()
            or (log_odds[:, 1:] <= log_odds[:, :-1]).all()
        )
    weight = np.where(finite, certainty, 0.0)
    x = np.where(finite, log_odds, 0.0)
    design = np.concatenate([np.ones((*columns.shape[:2], 1)), columns], axis=2)
    if counted:  # one slope for all tables, because each bond has two ends
        total = weight.sum(axis=1, keepdims=True)
        place = columns[..., 0] - (weight * columns[..., 0]).sum(axis=1, keepdims=True) / total
        slope = (weight * place * x).sum() / (weight * place**2).sum()
        fit = (weight * x).sum(axis=1, keepdims=True) / total + slope * place
    else:
        normal = np.einsum("ts,tsp,tsq->tpq", weight, design, design)
        right = np.einsum("ts,tsp,ts->tp", weight, design, x)
        found = (np.linalg.pinv(normal, hermitian=True) @ right[..., None])[..., 0]
        fit = np.einsum("tsp,tp->ts", design, found)
        if sites is not None and not _mutual(found[:, 1:], sites, n_sites):
            return False
    error = np.abs(x - fit)
    with np.errstate(divide="ignore"):
        close = error <= _TOLERANCE * (1 + np.abs(fit)) + _ROUNDING / weight
    beyond = np.where(log_odds > 0, fit, -fit) > _BEYOND
    return bool(np.where(finite, close, beyond | ~occurs).all())


def _mutual(bonds: FloatArray, sites: npt.NDArray[np.int32], n_sites: int) -> bool:
    """Whether every bond, shape (n_tables, k), is the same at both ends."""
    each = np.broadcast_to(bonds, sites.shape)
    seen = sites < n_sites
    first = np.broadcast_to(np.arange(n_sites)[:, None], sites.shape)[seen]
    matrix = scipy.sparse.csr_array((each[seen], (first, sites[seen])), shape=(n_sites, n_sites))
    largest = float(np.abs(each).max(initial=0.0))
    return bool(abs(matrix - matrix.T).max() <= 1e-6 * largest) if matrix.nnz else True
