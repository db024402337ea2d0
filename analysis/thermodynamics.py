"""Observables of simulated energies and measures of order, each with its standard error."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

import numpy as np
import xarray as xr

from analysis._parameters import (
    ORDERS,
    Shown,
    along,
    least_coupling,
    measured,
    numbers_along,
    parameter,
    sweeps_between_draws,
)
from analysis.errors import Estimate, FloatArray, arviz_arrays, autocorrelation_times
from analysis.errors.arrays.doubts import Doubts
from analysis.errors.arrays.estimates import estimate_unwarned, note_doubts
from analysis.errors.arrays.wells import wells_of
from analysis.errors.samples import check_finite, place_of
from analysis.quantities import OBSERVABLES, Observable, power, quantity_attrs, variance
from isingrl.support.validation import check_temperature

MIN_DRAWS = 20
"""Draws a chain below which `thermodynamics` refuses."""


def thermodynamics(data: xr.Dataset) -> xr.Dataset:
    r"""Thermodynamic observables with standard errors.

    Parameters
    ----------
    data : Dataset
        Variables ``energy`` and ``magnetization`` (per site), or ``order_parameter`` of a Potts
        model in its place, with dims (..., temperature, chain, draw), from `isingrl.simulate`;
        other dims, such as ``method``, are kept. The coordinates ``n_sites``, ``field`` (0 if
        missing) and ``draw`` give the number of sites, the field and the times. Data on disk,
        opened by `xarray.open_dataset`, are read one run at a time.

    Returns
    -------
    Dataset
        Over temperature and the other dims, with N sites and means over chains and draws:

        - ``energy`` ⟨e⟩, ``magnetization`` ⟨m⟩, ``abs_magnetization`` ⟨|m|⟩;
        - ``susceptibility``, in a field N(⟨m²⟩ − ⟨m⟩²)/T, which is ∂⟨m⟩/∂h; without one
          N(⟨m²⟩ − ⟨|m|⟩²)/T, right below the transition and at it;
        - ``susceptibility_disordered`` N⟨m²⟩/T, ∂⟨m⟩/∂h without a field, right above the
          transition; NaN in a field;
        - ``specific_heat`` N(⟨e²⟩ − ⟨e⟩²)/T²;
        - ``binder_cumulant`` 1 − ⟨m⁴⟩/(3⟨m²⟩²);
        - if the data have ``staggered_magnetization``, as on every lattice with two sublattices,
          its ``abs_staggered_magnetization``, ``staggered_susceptibility`` (by the formula without
          a field) and ``staggered_binder_cumulant``, for antiferromagnets;
        - if the data have ``mean_cluster_size``, as from `isingrl.SwendsenWang` and
          `isingrl.Wolff` without a field, its mean and ``susceptibility_improved``, the mean over
          T. It estimates N⟨m²⟩/T as ``susceptibility_disordered`` does, with less noise above the
          transition; for J < 0 it does so with the staggered magnetization;
        - of a Potts model, with m the order parameter: ``energy``, ``specific_heat``,
          ``order_parameter`` ⟨m⟩, ``susceptibility`` N(⟨m²⟩ − ⟨m⟩²)/T in any field,
          ``binder_cumulant`` and, if there, ``mean_cluster_size``, and no others. m is never
          negative, so that its Binder cumulant does not tend to 0 in the disordered phase;
        - ``NAME_error``, a standard error that includes autocorrelation, for each of these;
        - ``autocorrelation_time`` :math:`\tau = 1 + 2\sum_{t \ge 1} \rho(t)` (emcee's convention:
          the variance of a mean of n draws is τσ²/n) in sweeps, the larger value of e and
          :math:`|m|`, with its error;
        - ``effective_sample_size`` (of the mean) and ``r_hat`` (rank-normalized, split) by
          ArviZ, the worse value of e and :math:`|m|`.

        If a series changes fewer than ten times, its error and τ are NaN; R-hat of a single chain
        is NaN too. At T = 0 susceptibilities and specific heat are 0/0, NaN; at T = ∞ they are 0.
        The Binder cumulant is NaN if m is always 0.

    Raises
    ------
    TypeError, ValueError
        If `data` is no Dataset, a variable, dim, coordinate or attribute is missing, a draw is not
        finite, or a chain has fewer than 20 draws.

    Warns
    -----
    ShortRunWarning
        If all chains together may hold fewer than 50 autocorrelation times, or each fewer than 10,
        if few rare events make most of an error, or if next to nothing changed.
        ``magnetization`` counts only in a field, and staggered observables only if the coupling is
        negative.

    Notes
    -----
    Values are the formulas above at the means over all draws; for χ, C and U₄ their bias, of
    relative order τ/n, is far below the error. `analysis.errors.estimate` makes the errors, each
    observable by its own τ. Below the transition the sign of m can need far longer to turn than
    :math:`|m|` to change: there ``magnetization`` shows the state of the chains, not equilibrium.

    References
    ----------
    .. [1] J. Goodman, J. Weare, "Ensemble samplers with affine invariance", Commun. Appl. Math.
       Comput. Sci. 5, 65 (2010); D. Foreman-Mackey et al., "emcee", PASP 125, 306 (2013).
    .. [2] A. Vehtari et al., "Rank-normalization, folding, and localization: an improved R-hat",
       Bayesian Anal. 16, 667 (2021).
    .. [3] K. Binder, "Finite size scaling analysis of Ising model block distribution functions",
       Z. Phys. B 43, 119 (1981).

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import exact, thermodynamics
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(
    ...     model, irl.HeatBath(), [2.3, 3.0], sweeps=20_000, thermalization=200, chains=2, seed=1
    ... )
    >>> summary = thermodynamics(data)
    >>> summary.energy.dims, summary.specific_heat.units
    (('temperature',), 'k_B')
    >>> deviation = summary.energy - exact.torus((8, 8), [2.3, 3.0]).energy
    >>> bool((abs(deviation) < 4 * summary.energy_error).all())
    True
    """
    summary, doubts = summarize(data, OBSERVABLES)
    doubts.warn(stacklevel=2)
    return summary


def summarize(data: xr.Dataset, judged: Container[str]) -> tuple[xr.Dataset, Doubts]:
    """`thermodynamics` without a warning, and the objections to the errors of `judged`."""
    template = _runs_of(data)
    shape = template.shape
    shown = Shown.of(data, template)
    field = numbers_along(data, "field", template, default=0.0)
    known = parameter(data, "coupling")
    coupling = np.ones(shape) if known is None else along(least_coupling(known), template)
    interval = sweeps_between_draws(data, template)
    doubts = Doubts(data.sizes["chain"], data.sizes["draw"], "sweeps")
    energy, order = measured(data)
    observables = _observables_of(data, order)
    series = dict.fromkeys(each.series for each in observables.values())
    found = {name: np.full((4, *shape), np.nan) for name in observables}
    sample_size, r_hat = np.full((2, *shape), np.nan)
    for run in np.ndindex(shape):
        where = place_of(template, run)
        draws = {name: _read(data[name], template, run, where) for name in series}
        e, m = draws[energy], draws[order]
        shown.check(run, e, m, where)
        of_model = float(field[run]), float(coupling[run])
        for name, each in _estimates(observables, draws, field[run] != 0):
            if name in judged and _says_something(name, *of_model):
                note_doubts(doubts, each, name, where, float(interval[run]))
            found[name][:, *run] = (
                each.value, each.error,
                each.autocorrelation_time, each.autocorrelation_time_error,
            )  # fmt: skip
        sample_size[run], r_hat[run] = _diagnostics(e, np.abs(m))

    n_sites, temperature = shown.n_sites, along(template["temperature"], template)
    temperature = np.where(temperature > 0, temperature, np.nan)
    variables: dict[str, FloatArray] = {}
    for name, (value, error, _, _) in found.items():
        factor = observables[name].response(1.0, n_sites, temperature)
        if name == "susceptibility_disordered":
            factor = np.where(field == 0, factor, np.nan)
        variables[name], variables[f"{name}_error"] = value * factor, error * factor
    size = "abs_magnetization" if order == "magnetization" else order
    (_, _, tau_e, error_e), (_, _, tau_m, error_m) = found["energy"], found[size]
    tau = np.fmax(tau_e, tau_m)
    variables["autocorrelation_time"] = tau * interval
    variables["autocorrelation_time_error"] = interval * np.where(tau == tau_e, error_e, error_m)
    variables["effective_sample_size"] = sample_size
    variables["r_hat"] = r_hat

    summary = template.to_dataset(name="energy").drop_vars("energy")
    summary = summary.assign(
        {name: (template.dims, each, quantity_attrs(name)) for name, each in variables.items()}
    )
    labels = {**quantity_attrs("temperature"), **data["temperature"].attrs}
    summary = summary.assign_coords(temperature=summary["temperature"].assign_attrs(labels))
    return summary.assign_attrs(data.attrs), doubts


def _says_something(name: str, field: float, coupling: float) -> bool:
    """Whether the error of an observable decides if a run is long enough."""
    # without a field the sign of m is the state of the chains, and a ferromagnet does not stagger
    if name == "magnetization":
        return field != 0
    return "staggered" not in name or coupling < 0


def _observables_of(data: xr.Dataset, order: str) -> dict[str, Observable]:
    """Observables of the series that the data hold, by name."""
    found = dict(OBSERVABLES)
    if order == "magnetization":
        del found["order_parameter"]
    else:
        for name in ("susceptibility", "binder_cumulant"):
            found[name] = replace(found[name], series=order)
        del found["susceptibility_improved"]  # of the magnetization, too
    return {name: each for name, each in found.items() if each.series in data}


def _estimates(
    observables: dict[str, Observable], draws: dict[str, FloatArray], in_field: bool
) -> Iterator[tuple[str, Estimate]]:
    """Observables of one run by name, series by series; the energy goes with that of order."""
    e = draws["energy"]
    for series, x in draws.items():
        if series == "energy" or np.isnan(x).all():
            continue
        wells = wells_of(np.sign(x), x.shape)
        # a slow part of e or |m| is in every observable, even if it is weak
        slowest = autocorrelation_times(np.stack([e, np.abs(x)])).slowest
        memory = float(np.fmax.reduce(slowest, initial=1.0))
        own = ("energy", series) if series in ORDERS else (series,)
        for name, each in observables.items():
            if each.series in own:
                moments = _moments(each, draws[each.series], in_field)
                yield name, estimate_unwarned(moments, each.of_means, wells, memory)


def _moments(observable: Observable, x: FloatArray, in_field: bool) -> FloatArray:
    """Powers of the draws of a series, shape (n_powers, n_chains, n_draws)."""
    if observable.of == "|x|" or (observable.of == "order" and not in_field):
        x = np.abs(x)
    if observable.function is variance:  # which would lose all digits by raw moments at low T
        x = x - x.mean()
    return np.stack([power(x, each) for each in observable.powers])


def _runs_of(data: xr.Dataset) -> xr.DataArray:
    """Zeros with the dims and coordinates of the runs, without reading the series."""
    required = ("temperature", "chain", "draw")
    names = measured(data)
    for name in names:
        if not set(required) <= set(data[name].dims):
            raise ValueError(f"data: {name!r} must have the dims {required}; got {data[name].dims}")
    if "temperature" not in data.coords:
        raise ValueError("data must have the coordinate 'temperature'; it has none")
    check_temperature(data["temperature"].values, "data: the coordinate 'temperature'")
    if data.sizes["draw"] < MIN_DRAWS:
        raise ValueError(
            f"data must hold at least {MIN_DRAWS} draws a chain for an error bar to mean anything; "
            f"got {data.sizes['draw']} (more sweeps, or a shorter interval)"
        )
    every = dict.fromkeys(dim for name in names for dim in data[name].dims)
    inner = [dim for dim in ("temperature", "field") if dim in every]
    dims = [*(dim for dim in every if dim not in (*required, *inner)), *inner]
    own = [name for name, each in data["energy"].coords.items() if set(each.dims) <= set(dims)]
    known = [*own, *(dim for dim in dims if dim in data.coords)]
    coords = {name: data[name].variable for name in known}
    zeros = xr.DataArray(np.zeros([data.sizes[dim] for dim in dims]), coords, dims)
    return zeros.transpose(*dims)  # transposes the coordinates, too


def _read(
    series: xr.DataArray, template: xr.DataArray, run: tuple[int, ...], where: str
) -> FloatArray:
    """One run of a series, shape (n_chains, n_draws); all NaN if its lattice has no such series."""
    place = dict(zip(template.dims, run, strict=True))
    # of the variable, because a DataArray also selects coordinates, which is many times slower
    own = series.variable.isel({dim: i for dim, i in place.items() if dim in series.dims})
    values = np.asarray(own.values if own.dims == ("chain", "draw") else own.values.T)
    values = np.ascontiguousarray(values, dtype=np.float64)
    if series.name in ("energy", *ORDERS) or not np.isnan(values).all():
        check_finite(values, f"draw of {series.name!r}", f" at {where}")
    return values


def _diagnostics(*observables: FloatArray) -> tuple[float, float]:
    """Smallest effective sample size and largest R-hat of a run over observables that vary."""
    varying = [series for series in observables if np.ptp(series) > 0]
    if not varying:
        return np.nan, np.nan
    arviz, together = arviz_arrays(), np.stack(varying)
    # Chains that are constant but differ have no variance within: R-hat is infinite.
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = arviz.ess(together, method="mean")
        several = together.shape[1] > 1
        r_hats = arviz.rhat(together, method="rank") if several else np.full(len(varying), np.nan)
    return float(np.fmin.reduce(sizes)), float(np.fmax.reduce(r_hats))
