"""Observables at any temperature from runs at several, and their maxima."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis.quantities import coordinate, quantity_attrs, with_labels
from analysis.scaling._histograms import (
    Histograms,
    Tallies,
    prepared,
    warn_of_histograms,
    with_errors,
)
from analysis.scaling._series import NAMES, named, series_of, sizes_of
from isingrl.support.validation import check_choice, check_temperature

__all__ = ["pseudo_critical_points", "reweight"]

_GRID = 41  # temperatures of the first search for the largest value


def reweight(data: xr.Dataset, temperature: npt.ArrayLike) -> xr.Dataset:
    r"""Observables at any temperature, from runs at several, by multiple-histogram reweighting.

    This is right for rules that sample the Gibbs distribution of the energy: Metropolis, heat bath,
    and agents that have learned the same table. For other rules, fit the measured observables.

    Parameters
    ----------
    data : Dataset
        ``energy`` and ``magnetization`` per site, or ``order_parameter`` of a Potts model, over
        (temperature, chain, draw), from `isingrl.simulate`, with ``n_sites``. The energies of the
        runs must overlap.
    temperature : array_like, shape (n,)
        In J/k_B, within the range of the data.

    Returns
    -------
    Dataset
        Over ``temperature``: ``binder_cumulant``, ``abs_magnetization`` (``order_parameter`` of a
        Potts model), ``susceptibility`` and ``specific_heat`` as `analysis.thermodynamics` defines
        them, each with ``NAME_error`` by
        `analysis.errors.jackknife` with new weights for each block; ``smallest_overlap`` of
        neighbouring temperatures, the chance that a draw of one is taken for one of the other (1/2
        if they are equal); and ``goodness_of_fit``, the chance that noise makes energies and m²
        differ as much between reweighting and the plain means of the temperatures.

    Raises
    ------
    TypeError, ValueError
        If data are missing or not finite, there are fewer than two temperatures, or `temperature`
        lies outside of their range.

    Warns
    -----
    FitWarning
        If the overlap is below 0.03 [3]_ or the goodness of fit below 0.01, because temperatures
        are too far apart, or because draws do not follow the Gibbs distribution at their
        temperature.

    References
    ----------
    .. [1] A. M. Ferrenberg, R. H. Swendsen, "Optimized Monte Carlo data analysis", Phys. Rev. Lett.
       63, 1195 (1989).
    .. [2] M. R. Shirts, J. D. Chodera, "Statistically optimal analysis of samples from multiple
       equilibrium states", J. Chem. Phys. 129, 124105 (2008).
    .. [3] P. V. Klimovich, M. R. Shirts, D. L. Mobley, "Guidelines for the analysis of free energy
       calculations", J. Comput. Aided Mol. Des. 29, 397 (2015).

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import exact, scaling
    >>> model = irl.Ising(irl.Lattice((4, 4)))
    >>> data = irl.simulate(model, irl.HeatBath(), [2.2, 2.4], sweeps=1000, chains=2, seed=1)
    >>> found = scaling.reweight(data, [2.3])
    >>> found.specific_heat.dims, found.specific_heat.units
    (('temperature',), 'k_B')
    >>> deviation = found.specific_heat - exact.torus((4, 4), 2.3).specific_heat
    >>> bool(abs(deviation) < 4 * found.specific_heat_error)
    True
    """
    series = series_of(data)
    wanted = check_temperature(temperature)
    known = series["temperature"].values
    if known.size < 2:
        raise ValueError(f"data must hold at least two temperatures; got {known}")
    if not (known.min() <= wanted.min() and wanted.max() <= known.max()):
        raise ValueError(
            f"temperature must lie between {known.min():.6g} and {known.max():.6g}, where there "
            f"are data; got {wanted.min():.6g} to {wanted.max():.6g}"
        )

    def at_temperatures(parts: list[Histograms]) -> xr.Dataset:
        rows = [parts[0].at(t) for t in wanted]
        return xr.Dataset({name: ("temperature", [row[name] for row in rows]) for name in NAMES})

    found = with_errors([series], at_temperatures)
    warn_of_histograms(found, "the temperatures")
    found = with_labels(named(found, data), (*NAMES, "order_parameter"))
    return found.assign_coords(temperature=coordinate("temperature", wanted))


def pseudo_critical_points(data: xr.Dataset, name: str = "susceptibility") -> xr.Dataset:
    """Return place and height of the maximum of an observable for each size, by reweighting.

    Parameters
    ----------
    data : Dataset
        As for `analysis.scaling.binder_crossings`, from a rule that samples the Gibbs distribution.
    name : {"susceptibility", "specific_heat"}
        The observable.

    Returns
    -------
    Dataset
        Along ``size``: ``pseudo_critical_temperature`` and ``maximum``, each with ``NAME_error``;
        ``smallest_overlap`` and ``goodness_of_fit`` as from `reweight`.

    Raises
    ------
    TypeError, ValueError
        As `reweight`, or if the largest value lies at an end of the temperatures of a size, as is
        always the case for fewer than three.

    Warns
    -----
    FitWarning
        As `reweight`.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import scaling
    >>> model = irl.Ising(irl.Lattice((4, 4)))
    >>> data = irl.simulate(model, irl.HeatBath(), [2.0, 2.4, 2.8], sweeps=200, chains=2, seed=1)
    >>> found = scaling.pseudo_critical_points(data.expand_dims(size=[4]), "specific_heat")
    >>> found.pseudo_critical_temperature.dims, found.maximum.units
    (('size',), 'k_B')
    >>> bool(2.2 < found.pseudo_critical_temperature < 2.7)
    True
    """
    check_choice("name", name, ("susceptibility", "specific_heat"))
    series = sizes_of(data, 1)
    found = [_maximum(series.isel(size=k), name) for k in range(series.sizes["size"])]
    joined = xr.concat(found, "size", coords="minimal", compat="override")
    joined["maximum"].attrs = quantity_attrs(name)
    joined["maximum_error"].attrs = quantity_attrs(f"{name}_error")
    return with_labels(joined, ["pseudo_critical_temperature"]).assign_coords(size=series["size"])


def _maximum(series: xr.Dataset, name: str) -> xr.Dataset:
    known = series["temperature"].values
    side = series["size"].item()
    grid = np.linspace(known.min(), known.max(), _GRID)
    start = Histograms(Tallies(prepared(series)))
    values = [start.at(t)[name] for t in grid]
    best = int(np.argmax(values))
    if best in (0, _GRID - 1):
        raise ValueError(
            f"data: the temperatures of size {side} must have the largest {name} between them; it "
            f"is at {grid[best]:.6g}, an end"
        )
    bounds = grid[best - 1], grid[best + 1]

    def highest(parts: list[Histograms]) -> xr.Dataset:
        top = scipy.optimize.minimize_scalar(
            lambda t: -parts[0].at(t)[name], bounds=bounds, method="bounded",
            options={"xatol": 1e-6},
        )  # fmt: skip
        return xr.Dataset({"pseudo_critical_temperature": top.x, "maximum": -top.fun})

    found = with_errors([series], highest)
    warn_of_histograms(found, f"size {side}", 3)
    return found
