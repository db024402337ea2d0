"""Whether a policy is an Ising rule: its log-odds against the local field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.errors import FloatArray
from analysis.exact.homogenisation import homogenised
from analysis.learned.chains import configurations
from analysis.quantities import coordinate, quantity_attrs, with_labels
from isingrl.agents import Policy
from isingrl.model import Ising

__all__ = ["effective_temperature", "log_odds"]


def log_odds(policy: Policy) -> xr.Dataset:
    r"""Log-odds of spin up, ln P(up)/P(down), in every state that an agent may see.

    Parameters
    ----------
    policy : Policy
        Of any agents.

    Returns
    -------
    Dataset
        Over temperature[, chain][, site] and the state:

        - ``log_odds`` of the compiled policy; infinite if it is greedy;
        - ``local_field``: 2(J S + h) over the state, with the sum S of the neighbour spins (for
          joint Q with a free boundary over site and state): the energy of spin down minus the
          energy of spin up, so that an Ising rule has log-odds ``local_field`` / T;
        - ``weight``: share of the learning updates in the state, 0 if it was never met.

        The state is ``n_up``, or ``configuration`` for neighborhood and joint Q. ``n_up`` counts
        all neighbours, even if agents see only a part of them, or none. Then P(up) is the mean
        over the possible observations, and each update is distributed over the ``n_up`` behind its
        observation, by Bayes' rule from equal prior chances. ``softmax_temperature`` and
        ``method`` are coordinates.

    Raises
    ------
    TypeError
        If `policy` is no `Policy`.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import log_odds
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
    >>> found = log_odds(policy)
    >>> found.log_odds.dims, found.local_field.units
    (('temperature', 'n_up'), 'J')
    >>> found.log_odds.sel(temperature=2.0).round(6).values.tolist()
    [-4.0, -2.0, 0.0, 2.0, 4.0]
    """
    if not isinstance(policy, Policy):
        raise TypeError(f"policy must be a Policy, as train returns; got {policy!r}")
    if not isinstance(policy.model, Ising):
        raise ValueError(
            f"policy must be one of Ising spins, whose two actions have odds; got one of "
            f"{policy.model.n_spin_states} actions"
        )
    view, lattice = policy.view, policy.model.lattice
    counted = view.channel is not None
    state = "n_up" if counted else "configuration"
    swapped = policy.q_values.copy(data=policy.q_values.values[..., ::-1])
    # P(down) by itself, because 1 - P(up) loses all digits if spin up is nearly certain
    tables = (
        each.compile(policy.model, policy.temperature, policy.chains)
        for each in (policy, replace(policy, q_values=swapped))
    )
    with np.errstate(divide="ignore"):
        up, down = (np.log(table.up[..., 0, :]) for table in tables)
    dims, coords = _dims_and_coordinates(policy, state, lattice.n_up if counted else view.states)
    shape = [np.size(coords[dim][1]) for dim in dims]
    data = xr.Dataset(
        {
            "log_odds": (dims, (up - down).reshape(shape), quantity_attrs("log_odds")),
            "local_field": _local_field(policy, state),
            "weight": (dims, _shares_of_updates(policy).reshape(shape), quantity_attrs("weight")),
        },
        coords,
        {
            "coupling": policy.model.mean_coupling,
            "field": policy.model.field,
            **policy.describe(),
        },
    )
    return data.assign_coords(method=policy.name)


def effective_temperature(policy: Policy, over: str | Sequence[str] = ()) -> xr.Dataset:
    r"""Temperature of the Ising rule that is nearest to a policy, and how near that is.

    Parameters
    ----------
    policy : Policy
        Of any agents.
    over : {"chain", "site"} or a sequence of them
        Dims to average 1/T_eff over, if the policy has them.

    Returns
    -------
    Dataset
        Over temperature[, chain][, site]:

        - ``effective_temperature`` in J/k_B: infinite for a rule that does not follow the local
          field (independent Q), negative for a rule that opposes it, 0 for a greedy rule or
          log-odds above 745, the limit of doubles, NaN if nothing was learned;
        - ``effective_temperature_error``, its standard error; NaN for an infinite temperature;
        - ``nonlinearity`` in [0, 1]: the weighted rms of the residuals of the fit over the weighted
          rms of the log-odds. 0 for an Ising rule at any temperature, 1 for a rule without a part
          linear in the local field. For a greedy rule 0 if it follows the local field in all
          states that were met, else NaN.

    Raises
    ------
    TypeError, ValueError
        If `policy` is no `Policy` or lacks a dim of `over`.

    Notes
    -----
    With log-odds :math:`\ell_i`, local fields :math:`x_i = 2(J S_i + h)` and weights :math:`w_i`
    of `log_odds`,

    .. math:: \frac{1}{T_\mathrm{eff}} = \frac{\sum_i w_i x_i \ell_i}{\sum_i w_i x_i^2},

    is the least-squares line through the origin, because an Ising rule has no constant. Without a
    field a state counts with the weights of itself and of its mirror image. Then the even part of
    the log-odds (a preference for up or down) enters the nonlinearity and not the slope. States
    that were never met do not count. In a state that was met, an action that was never tried does
    count, because the agent acts by its value, 0.

    The error allows for a scatter that differs between states [1]_. It comes from the distances of
    the odd part from the line in n pairs of mirror images (in n states in a field, or without the
    mirror image), times √(n/(n − 1)), and is NaN for n = 1. It contains nonlinearity as well as
    noise. It takes pairs of one training as independent, which is wrong for networks: several
    trainings and ``over="chain"`` give the error of the mean from their spread. Sites of one
    lattice are averaged first, if requested, and count as independent only if chains are not
    averaged.

    With the chapter-2d reward, τ divides the log-odds 2 tanh(5 S/16)/τ, which bend at every τ, so
    that the nonlinearity depends on τ only by the weights. T_eff lies between T = 3.2 τ, by the
    slope at S → 0, and 16 τ/(2 tanh 2.5) = 8.1 τ, by the largest S, and is higher on a more ordered
    lattice.

    References
    ----------
    .. [1] H. White, "A heteroskedasticity-consistent covariance matrix estimator", Econometrica
       48, 817 (1980).

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import effective_temperature
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
    >>> found = effective_temperature(policy)
    >>> found.effective_temperature.round(6).values.tolist(), found.effective_temperature.units
    ([2.0, 3.0], 'J/k_B')
    >>> bool((found.nonlinearity < 1e-6).all())
    True
    """
    data = log_odds(policy)
    over = (over,) if isinstance(over, str) else tuple(over)
    for dim in over:
        if dim not in ("chain", "site") or dim not in data.dims:
            has = [name for name in ("chain", "site") if name in data.dims]
            raise ValueError(f"over must hold dims of the policy, of {has}; got {dim!r}")
    state = data["log_odds"].dims[-1]
    odds, field, weight = xr.broadcast(data["log_odds"], data["local_field"], data["weight"])
    fit = xr.apply_ufunc(
        lambda *arrays: _fit(*arrays, mirrored=policy.model.field == 0),
        odds, field, weight,
        input_core_dims=[[state]] * 3, output_core_dims=[[]] * 3,
    )  # fmt: skip
    slope, error, rest = fit
    if over:
        slope, error = mean_and_error(slope, over)
        rest = rest.mean(over, skipna=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        temperature = 1 / slope
        width = (error / slope**2).where(~np.isinf(slope), 0.0).where(slope != 0)
    summary = xr.Dataset(
        {
            "effective_temperature": temperature,
            "effective_temperature_error": width,
            "nonlinearity": rest,
        },
        attrs=data.attrs,
    )
    return with_labels(summary, summary)


def mean_and_error(values: xr.DataArray, over: Sequence[str]) -> tuple[xr.DataArray, xr.DataArray]:
    """Mean over the dims ``chain`` and ``site`` and its standard error, from the spread.

    The sites of a lattice learn from one another: with both dims, sites are averaged first and the
    spread is over chains. Without a dim the error is NaN.
    """
    error = xr.full_like(values, np.nan, dtype=np.float64)
    for dim in sorted(over, reverse=True):
        with np.errstate(invalid="ignore"):  # infinite ones
            error = values.std(dim, ddof=1, skipna=False) / np.sqrt(values.sizes[dim])
            values = values.mean(dim, skipna=False)
    return values, error


def _dims_and_coordinates(
    policy: Policy, state: str, values: npt.NDArray[Any]
) -> tuple[list[str], dict[str, Any]]:
    """Dims and coordinates of the policy's actions in every state."""
    q = policy.q_values
    dims = [str(dim) for dim in q.dims if dim in ("temperature", "chain", "site")]
    coords: dict[str, Any] = {dim: (dim, q[dim].values, q[dim].attrs) for dim in dims}
    tau = q["softmax_temperature"]
    coords["softmax_temperature"] = ("temperature", tau.values, {**tau.attrs, "units": "J"})
    coords["temperature"] = coordinate("temperature", policy.temperature)
    coords[state] = coordinate(state, values)
    return [*dims, state], coords


def _local_field(policy: Policy, state: str) -> tuple[tuple[str, ...], FloatArray, dict[str, str]]:
    """Dims, values and attributes of 2(J S + h).

    Of several couplings J is the mean for agents that see the number of up neighbours. Of random
    bonds it is that of the own site for agents with tables of their own, and else of all sites.
    """
    model, label = policy.model, quantity_attrs("local_field")
    random, own = model.bonds.by_site, not policy.agent.shared
    if state == "n_up":
        if random and own:
            sums = 2 * model.lattice.n_up - model.lattice.coordination_number
            means = model.slot_couplings.mean(axis=1)
            return ("site", state), 2 * (np.multiply.outer(means, sums) + model.field), label
        return (state,), 2 * homogenised(model).local_fields(), label
    sites, neighbors = policy.view.sites, model.lattice.neighbors
    assert sites is not None
    # number of bonds of each neighbour that is seen: two if joined twice, but seen once
    mutual = sites[:, :, None] == neighbors[:, None, :]
    joined = (mutual * model.slot_couplings[..., None, :]).sum(axis=-1)
    seen = (sites[:, :, None] == sites[:, None, :]).sum(axis=-1)
    spins = configurations(sites.shape[1])
    fields = 2 * ((joined / seen) @ spins.T + model.field)
    if random and not own:
        return (state,), fields.mean(axis=0), label
    if model.lattice.periodic and not random:  # all sites see alike
        return (state,), fields[0], label
    return ("site", state), fields, label


def _shares_of_updates(policy: Policy) -> FloatArray:
    """Shares of the updates, shape (n_temperatures, n_chains, n_tables, n_states)."""
    n_tables = 1 if policy.agent.shared else policy.model.lattice.n_sites
    shape = (len(policy.temperature), policy.chains, n_tables, policy.view.n_states, 2)
    weights = policy.visits.values.reshape(shape).sum(axis=-1).astype(np.float64)
    channel = policy.view.channel
    if channel is not None:
        weights = weights @ (channel / channel.sum(axis=0)).T
    return np.asarray(weights / np.maximum(1.0, weights.sum(axis=-1, keepdims=True)))


def _fit(
    odds: FloatArray, field: FloatArray, weight: FloatArray, *, mirrored: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slope, its error and the nonlinearity, without the last axis, of states.

    If `mirrored`, the states in reverse order are their mirror images.
    """
    met = weight > 0
    odd, paired = odds, np.zeros_like(met)
    with np.errstate(invalid="ignore", divide="ignore"):
        if mirrored:
            paired = met & met[..., ::-1]
            halved = (odds - odds[..., ::-1]) / 2
            halved[np.isnan(halved)] = 0.0  # infinite on both sides: even
            odd = np.where(paired, halved, odds)
            weight = np.where(met, weight + weight[..., ::-1], 0.0)
        used = met & (field != 0)
        square = (weight * field**2).sum(axis=-1)
        slope = np.where(used, weight * field * odd, 0.0).sum(axis=-1) / square
        line = slope[..., None] * field
        # A pair is one observation in two states.
        n = np.where(paired, 0.5, 1.0).sum(axis=-1, where=used)
        scatter = np.where(used, weight * field * (odd - line), 0.0) ** 2
        variance = (scatter * np.where(paired, 2.0, 1.0)).sum(axis=-1) / square**2
        error = np.sqrt(variance * n / (n - 1))
        total = np.where(met, weight * odds**2, 0.0).sum(axis=-1)
        rest = np.where(met, weight * (odds - line) ** 2, 0.0).sum(axis=-1)
        share = np.sqrt(rest / np.where(total > 0, total, 1.0))
    greedy = (np.isinf(odds) & met).any(axis=-1)
    follows = ((np.sign(odds) == np.sign(field)) | ~met).all(axis=-1)
    share = np.where(greedy, np.where(follows, 0.0, np.nan), share)
    return slope, error, np.where(met.any(axis=-1), share, np.nan)
