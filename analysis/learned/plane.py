"""The plane of all up-down symmetric rules of the square lattice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis.learned.odds import log_odds
from isingrl.agents import Policy

__all__ = ["MAX_ASYMMETRY", "majority_vote_plane"]

MAX_ASYMMETRY = 0.05
"""Largest asymmetry of a rule in the plane."""

_LABELS = {
    "x": r"$x = 2 P(\mathrm{up} \mid S = 2) - 1$",
    "y": r"$y = 2 P(\mathrm{up} \mid S = 4) - 1$",
    "asymmetry": "asymmetry of the rule",
}


def majority_vote_plane(rule: Policy | xr.DataArray | npt.ArrayLike) -> xr.Dataset:
    r"""Point of a rule among all symmetric rules of the square lattice with four neighbours.

    A rule that treats up and down alike and sees the sum S of the neighbour spins has two
    parameters [1]_,

    .. math:: P(\uparrow | S = \pm 2) = \frac{1 \pm x}{2}, \quad
       P(\uparrow | S = \pm 4) = \frac{1 \pm y}{2}, \quad P(\uparrow | S = 0) = \frac12.

    Heat bath at T lies on the line y = 2x/(1 + x²), with x = tanh(2J/T), and is critical at
    (1/√2, 2√2/3). Majority vote with noise q lies on x = y = 1 − 2q and is critical at about 0.850.
    The voter model is the point (1/2, 1), where the line of Ising-like critical points ends.

    Parameters
    ----------
    rule : Policy, DataArray or array_like
        A policy for the two-dimensional von Neumann lattice, or P(up) as a DataArray over
        ``n_up``, 0 to 4, and other dims, or as an array of shape (5,) or (n_rules, 5), for example
        ``HeatBath().table(model, temperature)[:, 0]``.

    Returns
    -------
    Dataset
        ``x``, ``y`` and ``asymmetry`` over temperature[, chain][, site] of a policy, the other
        dims of a DataArray, or ``rule``. x and y come from the odd part of the table, for
        neighborhood and joint Q from means over the configurations with one S. ``asymmetry`` is
        the largest difference in P(up) between the rule and the point, over all states.

    Raises
    ------
    TypeError, ValueError
        If `rule` is for another lattice, is no table of probabilities, or has an asymmetry above
        0.05.

    References
    ----------
    .. [1] M. J. de Oliveira, J. F. F. Mendes, M. A. Santos, "Nonequilibrium spin models with
       Ising universal behaviour", J. Phys. A 26, 2317 (1993).

    Examples
    --------
    >>> import numpy as np
    >>> import isingrl as irl
    >>> from analysis import exact, majority_vote_plane
    >>> critical = np.array([exact.CRITICAL_TEMPERATURE])
    >>> table = irl.HeatBath().table(irl.Ising(irl.Lattice((8, 8))), critical)[:, 0]
    >>> point = majority_vote_plane(table)
    >>> point.x.round(4).values.tolist(), point.y.round(4).values.tolist()
    ([0.7071], [0.9428])
    """
    up, n_up, attrs = _table(rule)
    state = up.dims[-1]
    mean = np.stack([up.values[..., n_up == k].mean(axis=-1) for k in range(5)], axis=-1)
    x, y = mean[..., 3] - mean[..., 1], mean[..., 4] - mean[..., 0]
    point = (1 + np.stack([-y, -x, 0 * x, x, y], axis=-1)[..., n_up]) / 2
    asymmetry = up.copy(data=abs(up.values - point)).max([state])
    worst = asymmetry.argmax(...) if asymmetry.ndim else {}
    at = asymmetry.isel(worst)
    if at > MAX_ASYMMETRY:
        where = ", ".join(f"{dim} = {at[dim].item()}" for dim in asymmetry.dims)
        raise ValueError(
            f"rule must treat up and down alike, P(up | S) + P(up | -S) = 1, to within "
            f"{MAX_ASYMMETRY:g} of each; got an asymmetry of {at.item():.3g}"
            + (f" at {where}" if where else "")
        )
    dims = asymmetry.dims
    data = asymmetry.to_dataset(name="asymmetry").assign(x=(dims, x), y=(dims, y))
    for name, label in _LABELS.items():
        data[name].attrs = {"long_name": label, "units": "1"}
    return data.assign_attrs(attrs)


def _table(
    rule: Policy | xr.DataArray | npt.ArrayLike,
) -> tuple[xr.DataArray, npt.NDArray[np.int64], dict[str, Any]]:
    """P(up) with the state as the last dim, the number of up neighbours by state, attributes."""
    if isinstance(rule, Policy):
        lattice = rule.model.lattice
        if (lattice.ndim, lattice.neighborhood, lattice.periodic) != (2, "von_neumann", True):
            raise ValueError(
                f"rule must be for the periodic square lattice with four neighbours; got a policy "
                f"for {lattice}"
            )
        coupling = rule.model.one_coupling("the plane of majority-vote rules")
        data = log_odds(rule)
        up = xr.apply_ufunc(scipy.special.expit, data["log_odds"])
        sums = (data["local_field"] / 2 - rule.model.field) / coupling
        return up, np.rint((sums.values + 4) / 2).astype(np.int64), data.attrs
    table: xr.DataArray
    if isinstance(rule, xr.DataArray):
        if "n_up" not in rule.dims or rule["n_up"].values.tolist() != [0, 1, 2, 3, 4]:
            raise ValueError(
                f"rule must lie over n_up = 0, 1, 2, 3, 4, four neighbours; got the dims "
                f"{dict(rule.sizes)}"
            )
        table = rule.transpose(..., "n_up")
    else:
        array = np.asarray(rule)
        if array.dtype.kind not in "iuf":
            raise TypeError(f"rule must be a Policy or a table of P(up); got {rule!r}")
        if array.ndim not in (1, 2) or array.shape[-1] != 5:
            raise ValueError(
                f"rule must have the shape (5,) or (n_rules, 5), P(up) for 0 to 4 up neighbours; "
                f"got {array.shape}"
            )
        table = xr.DataArray(array, dims=("rule", "n_up")[-array.ndim :])
    if not ((table >= 0) & (table <= 1)).all():
        raise ValueError(f"rule must hold probabilities; got {table.values}")
    return table.astype(np.float64), np.arange(5, dtype=np.int64), {}
