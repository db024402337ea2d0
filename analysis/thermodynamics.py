"""Observables of simulated energies and magnetizations, each with its standard error."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from types import MappingProxyType

import numpy as np
import xarray as xr

from analysis._parameters import Shown, numbers_along, sweeps_between_draws
from analysis.errors import FloatArray, MomentFunction, arviz_arrays, autocorrelation_times
from analysis.errors.doubts import Doubts
from analysis.errors.estimates import estimate_unwarned, note_doubts
from analysis.errors.wells import wells_of
from analysis.quantities import quantity_attrs
from isingrl.support.validation import check_temperature

MIN_DRAWS = 20
"""Draws a chain below which `thermodynamics` refuses."""


def thermodynamics(data: xr.Dataset) -> xr.Dataset:
    r"""Thermodynamic observables with standard errors.

    Parameters
    ----------
    data : Dataset
        Variables ``energy`` and ``magnetization`` (per site) with dims (..., temperature, chain,
        draw), as `isingrl.simulate` returns them; other dims, such as ``method``, are kept.
        The coordinates ``n_sites``, ``field`` (0 if missing) and ``draw`` say what they were
        measured on and when. Of data that lie on disk, opened by `xarray.open_dataset`, one run is
        read at a time.

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
        - with the variable ``staggered_magnetization``, which every lattice with two sublattices
          has, the same of it, as an antiferromagnet needs them: ``abs_staggered_magnetization``,
          ``staggered_susceptibility`` (that without a field) and ``staggered_binder_cumulant``;
        - ``NAME_error``, a standard error that includes autocorrelation, for each of these;
        - ``autocorrelation_time`` :math:`\tau = 1 + 2\sum_{t \ge 1} \rho(t)` (emcee's convention:
          the variance of a mean of n draws is τσ²/n) in sweeps, the larger of that of e and |m|,
          with its own error;
        - ``effective_sample_size`` (of the mean) and ``r_hat`` (rank-normalized, split) by
          ArviZ, the worse of that of e and |m|.

        Series that change fewer than ten times have NaN for error and τ; R-hat
        of a single chain is NaN too. At T = 0 susceptibilities and specific heat are 0/0, NaN;
        at T = ∞ they are 0. The Binder cumulant is NaN where m is always 0.

    Raises
    ------
    TypeError
        If `data` is no Dataset.
    ValueError
        If a variable, dim, coordinate or attribute is missing, a draw is not finite, or there
        are fewer than 20 draws a chain.

    Warns
    -----
    ShortRunWarning
        Where all chains together may hold fewer than 50 autocorrelation times, or each fewer than
        10, where few rare events make most of an error, or where next to nothing changed. That of
        ``magnetization`` counts in a field alone, those of staggered observables if the coupling
        is negative.

    Notes
    -----
    Values are the formulas above at the means over all draws; for χ, C and U₄ their bias, of
    relative order τ/n, is far below the error. `analysis.errors.estimate` makes the errors, each
    observable by its own τ. The sign of m can take far longer to turn than |m| below the
    transition: there ``magnetization`` says where the chains are, not what equilibrium is.

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
    summary, doubts = summarize(data, {*OBSERVABLES, *STAGGERED})
    doubts.warn(stacklevel=2)
    return summary


def summarize(data: xr.Dataset, judged: Container[str]) -> tuple[xr.Dataset, Doubts]:
    """`thermodynamics` without a warning, and what speaks against the errors of `judged`."""
    template, n_chains, n_draws = _check_series(data)
    shape = template.shape
    shown = Shown.of(data, template)
    field = numbers_along(data, "field", template, default=0.0)
    coupling = numbers_along(data, "coupling", template, default=1.0)
    factors = _factors(template, shown.n_sites, field)
    interval = sweeps_between_draws(data, template)
    doubts = Doubts(n_chains, n_draws, "sweeps")
    staggered = "staggered_magnetization" in data
    names = [*OBSERVABLES, *(STAGGERED if staggered else ())]
    found = {name: np.full((4, *shape), np.nan) for name in names}
    sample_size, r_hat = np.full((2, *shape), np.nan)
    for run in np.ndindex(shape):
        e, m = (_load(data[name], template, run) for name in ("energy", "magnetization"))
        shown.check(run, e, m, _where(template, run))
        orders = [(OBSERVABLES, m, m if field[run] else np.abs(m))]
        if staggered:
            other = _read(data["staggered_magnetization"], template, run)
            if not np.isnan(other).all():  # as of lattices that lie beside and do not have it
                _check_finite(other, "staggered_magnetization", template, run)
                orders.append((STAGGERED, other, np.abs(other)))
        for observables, x, order in orders:
            wells = wells_of(np.sign(x), x.shape)
            # what is slow in e or |m| is in every observable, if weakly
            slowest = autocorrelation_times(np.stack([e, np.abs(x)])).slowest
            memory = float(np.fmax.reduce(slowest, initial=1.0))
            for name, (moments, function) in observables.items():
                series = moments(e, x, order)
                series = series if series.ndim == 3 else series[None]
                each = estimate_unwarned(series, function, wells, memory)
                # without a field the sign of m says where the chains are
                unwanted = name == "magnetization" and field[run] == 0
                # and a ferromagnet has no staggered order
                unwanted |= name in STAGGERED and coupling[run] >= 0
                if name in judged and not unwanted:
                    note_doubts(doubts, each, name, _where(template, run), float(interval[run]))
                found[name][:, *run] = (
                    each.value, each.error,
                    each.autocorrelation_time, each.autocorrelation_time_error,
                )  # fmt: skip
        sample_size[run], r_hat[run] = _diagnostics(e, np.abs(m))

    variables: dict[str, FloatArray] = {}
    for name, (value, error, _, _) in found.items():
        factor = factors.get(name, np.ones(shape))
        variables[name], variables[f"{name}_error"] = value * factor, error * factor
    (_, _, tau_e, error_e), (_, _, tau_m, error_m) = found["energy"], found["abs_magnetization"]
    tau = np.fmax(tau_e, tau_m)
    variables["autocorrelation_time"] = tau * interval
    variables["autocorrelation_time_error"] = interval * np.where(tau == tau_e, error_e, error_m)
    variables["effective_sample_size"] = sample_size
    variables["r_hat"] = r_hat

    summary = template.to_dataset(name="energy").drop_vars("energy")
    for name, values in variables.items():
        summary[name] = (template.dims, values, quantity_attrs(name))
    labels = {**quantity_attrs("temperature"), **data["temperature"].attrs}
    summary = summary.assign_coords(temperature=summary["temperature"].assign_attrs(labels))
    return summary.assign_attrs(data.attrs), doubts


def _mean(means: FloatArray) -> FloatArray:
    return np.asarray(means[0])


def _variance(means: FloatArray) -> FloatArray:
    return np.asarray(means[1] - means[0] ** 2)


def _binder(means: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1.0 - means[1] / (3.0 * means[0] ** 2))


def _powers_about_mean(x: FloatArray) -> FloatArray:
    """Deviations and their squares: raw moments would leave a variance at low T no digits."""
    deviations = x - x.mean()
    return np.stack([deviations, deviations**2])


def _square_and_fourth(m: FloatArray) -> FloatArray:
    square = m * m
    return np.stack([square, square * square])


_Moments = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
OBSERVABLES: Mapping[str, tuple[_Moments, MomentFunction]] = MappingProxyType(
    {
        "energy": (lambda e, m, order: e, _mean),
        "magnetization": (lambda e, m, order: m, _mean),
        "abs_magnetization": (lambda e, m, order: np.abs(m), _mean),
        "susceptibility": (lambda e, m, order: _powers_about_mean(order), _variance),
        "susceptibility_disordered": (lambda e, m, order: m * m, _mean),
        "specific_heat": (lambda e, m, order: _powers_about_mean(e), _variance),
        "binder_cumulant": (lambda e, m, order: _square_and_fourth(m), _binder),
    }
)
STAGGERED: Mapping[str, tuple[_Moments, MomentFunction]] = MappingProxyType(
    {
        "abs_staggered_magnetization": OBSERVABLES["abs_magnetization"],
        "staggered_susceptibility": OBSERVABLES["susceptibility"],
        "staggered_binder_cumulant": OBSERVABLES["binder_cumulant"],
    }
)


def _check_series(data: xr.Dataset) -> tuple[xr.DataArray, int, int]:
    """Zeros with the dims and coordinates of the runs, and numbers of chains and draws.

    Nothing of the series is read.
    """
    if not isinstance(data, xr.Dataset):
        raise TypeError(f"data must be an xarray.Dataset; got {type(data).__name__}")
    required = ("temperature", "chain", "draw")
    for name in ("energy", "magnetization"):
        if name not in data:
            raise ValueError(
                f"data must hold the variables 'energy' and 'magnetization'; got {list(data)}"
            )
        missing = [dim for dim in required if dim not in data[name].dims]
        if missing:
            raise ValueError(f"data: {name!r} must have the dims {required}; got {data[name].dims}")
    if "temperature" not in data.coords:
        raise ValueError("data must have the coordinate 'temperature'; it has none")
    check_temperature(data["temperature"].values, "data: the coordinate 'temperature'")
    if data.sizes["draw"] < MIN_DRAWS:
        raise ValueError(
            f"data must hold at least {MIN_DRAWS} draws a chain for an error bar to mean anything; "
            f"got {data.sizes['draw']} (more sweeps, or a shorter interval)"
        )
    every = dict.fromkeys((*data["energy"].dims, *data["magnetization"].dims))
    inner = [dim for dim in ("temperature", "field") if dim in every]
    dims = [*(dim for dim in every if dim not in (*required, *inner)), *inner]
    own = [name for name, each in data["energy"].coords.items() if set(each.dims) <= set(dims)]
    known = [*own, *(dim for dim in dims if dim in data.coords)]
    coords = {name: data[name].variable for name in known}
    zeros = xr.DataArray(np.zeros([data.sizes[dim] for dim in dims]), coords, dims)
    # which turns the coordinates, too
    return zeros.transpose(*dims), data.sizes["chain"], data.sizes["draw"]


def _load(series: xr.DataArray, template: xr.DataArray, run: tuple[int, ...]) -> FloatArray:
    """Read one run of a series, shape (n_chains, n_draws), all of whose draws must be finite."""
    values = _read(series, template, run)
    _check_finite(values, str(series.name), template, run)
    return values


def _read(series: xr.DataArray, template: xr.DataArray, run: tuple[int, ...]) -> FloatArray:
    """One run of a series, shape (n_chains, n_draws)."""
    place = dict(zip(template.dims, run, strict=True))
    # of the variable: a DataArray would take its coordinates along, many times as slowly
    own = series.variable.isel({dim: i for dim, i in place.items() if dim in series.dims})
    values = np.asarray(own.values if own.dims == ("chain", "draw") else own.values.T)
    return np.ascontiguousarray(values, dtype=np.float64)


def _check_finite(
    values: FloatArray, name: str, template: xr.DataArray, run: tuple[int, ...]
) -> None:
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ValueError(
            f"data: every draw of {name!r} must be finite; got {bad} that are not at "
            f"{_where(template, run)}"
        )


def _where(template: xr.DataArray, run: tuple[int, ...]) -> str:
    """Coordinates of a run, in words."""
    return ", ".join(
        f"{dim} = {template[dim].values[index] if dim in template.coords else index}"
        for dim, index in zip(template.dims, run, strict=True)
    )


def _factors(
    template: xr.DataArray, n_sites: FloatArray, field: FloatArray
) -> dict[str, FloatArray]:
    """Numbers that turn variances and second moments into responses."""
    along = xr.broadcast(template["temperature"], template)[0].transpose(*template.dims)
    temperature = np.asarray(along, dtype=np.float64)
    temperature = np.where(temperature > 0, temperature, np.nan)
    susceptibility = n_sites / temperature
    return {
        "susceptibility": susceptibility,
        "staggered_susceptibility": susceptibility,
        "susceptibility_disordered": np.where(field == 0, susceptibility, np.nan),
        "specific_heat": n_sites / temperature**2,
    }


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
