"""Models on strips, site by site: each is summed over once all its neighbours are in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.errors import FloatArray
from analysis.exact._datasets import in_each_field, over_temperature, states_shared
from analysis.exact.canonical import specific_heat_of, susceptibility_of
from isingrl.coordinates import coordinates_of
from isingrl.model import Ising
from isingrl.potts import Potts
from isingrl.spin_model import check_model
from isingrl.support.validation import check_temperature

MAX_FRONTIER = 2**21
"""Most configurations of the sites that are held at a time: two million."""
_ROUNDING = 1e-12  # relative error of a sum of energies


def transfer_matrix(model: Ising | Potts, temperature: npt.ArrayLike) -> xr.Dataset:
    r"""Any model on a strip, exactly: 10 × L Ising spins, or 20 × L with free boundaries.

    Parameters
    ----------
    model : Ising or Potts
        Any lattice, couplings by step or by bond, and fields. The sites go in one after the other
        along the longest side. At most 2^21 configurations may be held of those whose neighbours
        are not all in, and of the first ones, if the longest side is periodic.
    temperature : float or sequence of float
        In the units of the coupling over k_B; 0 and infinity are valid.

    Returns
    -------
    Dataset
        Over ``temperature``, and ``field`` if the model has several, per site: ``energy`` with the
        field's part, ``specific_heat``, ``magnetization``, ``magnetization_squared``, and
        ``susceptibility_disordered``, :math:`N \langle m^2 \rangle / T`, NaN in a field. T = 0
        averages over all ground states. Of a Potts model ``energy``, ``specific_heat`` and
        ``state_share`` over ``state``.

    Raises
    ------
    TypeError, ValueError
        If `model` is neither an `Ising` nor a `Potts`, is too wide, or `temperature` is no
        non-negative number or sequence of such numbers.

    Notes
    -----
    The transfer matrix is a product of sparse ones, one a site [1]_. Beside the logarithm of the
    weight of each configuration of the frontier, the means and variances of the energy and of the
    magnetization of the sites behind are kept, so that no difference of large numbers is needed at
    any temperature. At T = 0 configurations count of which the sites behind have the lowest energy.

    References
    ----------
    .. [1] H. A. Kramers, G. H. Wannier, "Statistics of the two-dimensional ferromagnet", Phys. Rev.
       60, 252 (1941).

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import exact
    >>> lattice = irl.Lattice((6, 8))
    >>> glass = irl.Ising(lattice, irl.random_bonds(lattice, (1.0, -1.0), seed=1))
    >>> exact.transfer_matrix(glass, [0.0, 1.0]).energy.round(4).values.tolist()
    [-1.4583, -1.3287]
    >>> uniform = irl.Ising(irl.Lattice((6, 40)))
    >>> found, known = exact.transfer_matrix(uniform, 2.0), exact.torus((6, 40), 2.0)
    >>> bool(abs(found.energy - known.energy) < 1e-10)
    True
    """
    check_model(model)
    t = check_temperature(temperature)
    steps = _steps(model)
    widest = max(step.width for step in steps)
    if model.n_spin_states**widest > MAX_FRONTIER:
        raise ValueError(
            f"model must be narrower, with at most {MAX_FRONTIER:,} configurations held at a time; "
            f"got {model.n_spin_states}^{widest} on the lattice {model.lattice.shape}"
        )
    values = in_each_field(model, lambda field: _averages(model, steps, field, t))
    return over_temperature(t, values, coordinates_of(model))


@dataclass(frozen=True)
class _Step:
    """A site that goes in: what it is joined to, and what is then summed over.

    Attributes
    ----------
    joined : list of (int, float)
        Places in the frontier of its neighbours, and the couplings to them.
    width : int
        Sites in the frontier, of which it is the last one.
    summed : list of int
        Places in the frontier, in the order in which they leave it.
    """

    joined: list[tuple[int, float]]
    width: int
    summed: list[int]


def _couplings(model: Ising | Potts) -> list[dict[int, float]]:
    """Coupling of each site to each of its neighbours, doubled bonds added up."""
    table = model.lattice.neighbors
    of_slots = np.broadcast_to(model.slot_couplings, table.shape)
    found: list[dict[int, float]] = [{} for _ in range(len(table))]
    for site, slot in zip(*np.nonzero(table < len(table)), strict=True):
        other = int(table[site, slot])
        found[site][other] = found[site].get(other, 0.0) + float(of_slots[site, slot])
    return found


def _steps(model: Ising | Potts) -> list[_Step]:
    shape, couplings = model.lattice.shape, _couplings(model)
    sites = np.moveaxis(np.arange(model.lattice.n_sites).reshape(shape), np.argmax(shape), 0)
    order = sites.ravel().tolist()
    turn = {site: place for place, site in enumerate(order)}
    frontier: list[int] = []
    steps = []
    for place, site in enumerate(order):
        joined = [
            (k, couplings[site][other])
            for k, other in enumerate(frontier)
            if other in couplings[site]
        ]
        frontier.append(site)
        width, summed = len(frontier), []
        for other in list(frontier):
            if max(turn[each] for each in (other, *couplings[other])) <= place:
                summed.append(frontier.index(other))
                frontier.remove(other)
        steps.append(_Step(joined, width, summed))
    return steps


def _averages(
    model: Ising | Potts, steps: list[_Step], field: float, temperature: FloatArray
) -> dict[str, FloatArray]:
    n_sites = model.lattice.n_sites
    moments = np.array([_moments(model, steps, field, float(each)) for each in temperature]).T
    _, energy, energy_variance, total, variance = moments
    found = {
        "energy": energy / n_sites,
        "specific_heat": specific_heat_of(energy_variance / n_sites, temperature),
    }
    if isinstance(model, Potts):
        return found | {"state_share": states_shared(total / n_sites, model.states)}
    square = (variance + total**2) / n_sites**2
    return found | {
        "magnetization": total / n_sites,
        "magnetization_squared": square,
        "susceptibility_disordered": susceptibility_of(n_sites * square, field, temperature),
    }


def _moments(
    model: Ising | Potts, steps: list[_Step], field: float, temperature: float
) -> FloatArray:
    """Log weight, mean and variance of the energy, and of the sum that the field acts on."""
    q = model.n_spin_states
    if isinstance(model, Ising):
        spins = np.array([-1.0, 1.0])
        pairs = np.multiply.outer(spins, spins)
    else:
        spins, pairs = np.eye(q)[0], np.eye(q)
    size = sum(abs(each) for step in steps for _, each in step.joined) + abs(field) * len(steps)
    at_zero = temperature == 0 or math.isinf(size / temperature)
    found = np.zeros(5)
    for step in steps:
        found = np.repeat(found[..., None], q, axis=-1)
        energy = -field * spins
        for place, coupling in step.joined:
            axes = [1] * (found.ndim - 1)
            axes[place] = axes[-1] = q
            energy = energy - coupling * pairs.reshape(axes)
        if not at_zero:
            found[0] -= energy / temperature
        found[1] += energy
        found[3] += spins
        for place in step.summed:
            found = _summed(found, 1 + place, _ROUNDING * size if at_zero else None)
    return found


def _summed(found: FloatArray, axis: int, rounding: float | None) -> FloatArray:
    """Sum over a site: the mixture of its states, or at T = 0 of those of the lowest energy."""
    log_weight = found[0]
    if rounding is not None:
        lowest = found[1].min(axis=axis - 1, keepdims=True)
        log_weight = np.where(found[1] <= lowest + rounding, log_weight, -np.inf)
    highest = log_weight.max(axis=axis - 1, keepdims=True)
    weight = np.exp(log_weight - highest)
    total = weight.sum(axis=axis - 1, keepdims=True)
    weight /= total
    means, variances = found[1::2], found[2::2]
    mean = (weight * means).sum(axis=axis, keepdims=True)
    variance = (weight * (variances + (means - mean) ** 2)).sum(axis=axis)
    out = np.empty((5, *variance.shape[1:]))
    out[0] = np.squeeze(highest + np.log(total), axis=axis - 1)
    out[1::2], out[2::2] = np.squeeze(mean, axis=axis), variance
    return out
