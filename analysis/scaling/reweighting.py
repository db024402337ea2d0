"""Observables at any temperature from runs at several, and where they are largest."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis.errors import jackknife
from analysis.quantities import quantity_attrs
from analysis.scaling._series import (
    SAMPLES,
    check_observable,
    moments_of,
    observables_of,
    series_of,
    sizes_of,
)
from isingrl._validation import check_temperature

__all__ = ["pseudo_critical_points", "reweight"]

FloatArray = npt.NDArray[np.float64]
_MOST = 10_000  # draws of all temperatures together: more of them cost time and are correlated
_BLOCKS = 20  # left out in turn, at each of which the weights are found anew
_GRID = 41  # temperatures among which the largest value is sought first


def reweight(data: xr.Dataset, temperature: npt.ArrayLike) -> xr.Dataset:
    r"""Observables at any temperature, from runs at several, by multiple-histogram reweighting.

    Right for rules that sample the Gibbs distribution of the energy: Metropolis, heat bath, and
    agents that have learned the same table. For others fit what was measured.

    Parameters
    ----------
    data : Dataset
        ``energy`` and ``magnetization`` per site over (temperature, chain, draw), as
        `isingrl.simulate` returns them, with ``n_sites``; overlapping in energy.
    temperature : array_like, shape (n,)
        In J/k_B, within the range of the data's.

    Returns
    -------
    Dataset
        Over ``temperature``: ``binder_cumulant``, ``abs_magnetization``, ``susceptibility`` and
        ``specific_heat`` as `analysis.thermodynamics` defines them, each with ``NAME_error`` by a
        jackknife in which the weights are found anew [3]_.

    Raises
    ------
    TypeError, ValueError
        If data are missing or not finite, there are fewer than two temperatures, or `temperature`
        lies outside of them.

    References
    ----------
    .. [1] A. M. Ferrenberg, R. H. Swendsen, "Optimized Monte Carlo data analysis", Phys. Rev. Lett.
       63, 1195 (1989).
    .. [2] M. R. Shirts, J. D. Chodera, "Statistically optimal analysis of samples from multiple
       equilibrium states", J. Chem. Phys. 129, 124105 (2008), by their package pymbar.
    .. [3] Errors by `analysis.errors.jackknife`.

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
    start = _Histograms(_thinned(series))

    def at_temperatures(part: xr.Dataset) -> xr.Dataset:
        histograms = _Histograms(part, start.free_energy)
        return xr.concat([histograms.at(t) for t in wanted], "temperature")

    found = _with_errors(series, at_temperatures)
    for name, values in found.items():
        values.attrs = quantity_attrs(str(name))
    return found.assign_coords(temperature=("temperature", wanted, quantity_attrs("temperature")))


def pseudo_critical_points(data: xr.Dataset, name: str = "susceptibility") -> xr.Dataset:
    """Where an observable is largest for each size, and how large, by reweighting.

    Parameters
    ----------
    data : Dataset
        As for `analysis.scaling.binder_crossings`; of a rule that `reweight` is right for.
    name : {"susceptibility", "specific_heat"}
        Which observable.

    Returns
    -------
    Dataset
        Along ``size``: ``pseudo_critical_temperature`` and ``maximum``, each with ``NAME_error``.

    Raises
    ------
    TypeError, ValueError
        As `reweight`, or if the largest value lies at an end of the temperatures of a size, as
        with fewer than three of them it must.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import scaling
    >>> model = irl.Ising(irl.Lattice((4, 4)))
    >>> data = irl.simulate(model, irl.HeatBath(), [2.0, 2.4, 2.8], sweeps=200, chains=2, seed=1)
    >>> data = data.assign_coords(n_sites=16).expand_dims(size=[4])
    >>> found = scaling.pseudo_critical_points(data, "specific_heat")
    >>> found.pseudo_critical_temperature.dims, found.maximum.units
    (('size',), 'k_B')
    >>> bool(2.2 < found.pseudo_critical_temperature < 2.7)
    True
    """
    if check_observable(name) not in ("susceptibility", "specific_heat"):
        raise ValueError(f"name must be 'susceptibility' or 'specific_heat'; got {name!r}")
    series = sizes_of(data, 1)
    found = [_maximum(series.isel(size=k), name) for k in range(series.sizes["size"])]
    joined = xr.concat(found, "size", coords="minimal", compat="override")
    joined["maximum"].attrs = quantity_attrs(name)
    joined["maximum_error"].attrs = quantity_attrs(f"{name}_error")
    for ending in ("", "_error"):
        each = f"pseudo_critical_temperature{ending}"
        joined[each].attrs = quantity_attrs(each)
    return joined.assign_coords(size=series["size"])


def _maximum(series: xr.Dataset, name: str) -> xr.Dataset:
    known = series["temperature"].values
    grid = np.linspace(known.min(), known.max(), _GRID)
    start = _Histograms(_thinned(series))
    values = [float(start.at(t)[name]) for t in grid]
    best = int(np.argmax(values))
    if best in (0, _GRID - 1):
        raise ValueError(
            f"data: the temperatures of size {series['size'].item()} must have the largest {name} "
            f"between them; it is at {grid[best]:.6g}, an end"
        )
    bounds = grid[best - 1], grid[best + 1]

    def highest(part: xr.Dataset) -> xr.Dataset:
        histograms = _Histograms(part, start.free_energy)
        top = scipy.optimize.minimize_scalar(
            lambda t: -float(histograms.at(t)[name]), bounds=bounds, method="bounded",
            options={"xatol": 1e-6},
        )  # fmt: skip
        return xr.Dataset({"pseudo_critical_temperature": top.x, "maximum": -top.fun})

    return _with_errors(series, highest)


def _with_errors(series: xr.Dataset, function: Callable[[xr.Dataset], xr.Dataset]) -> xr.Dataset:
    thinned = _thinned(series)
    in_a_chain = max(1, -(-_BLOCKS // thinned.sizes["chain"]))
    length = max(1, thinned.sizes["draw"] // in_a_chain)
    return jackknife(thinned, function, block_length=length)


class _Histograms:
    """Draws of all temperatures as one sample, each with its weight at any temperature.

    Attributes
    ----------
    free_energy : float array, shape (n_temperatures,)
        Dimensionless, up to a constant.
    """

    def __init__(self, series: xr.Dataset, start: FloatArray | None = None) -> None:
        self._n_sites = float(series["n_sites"].values.flat[0])
        beta = 1 / series["temperature"].values
        energy = series["energy"].transpose("point", *SAMPLES).values.reshape(beta.size, -1)
        magnetization = series["magnetization"].transpose("point", *SAMPLES).values.ravel()
        counts = np.full(beta.size, energy.shape[1])
        self._energy = self._n_sites * energy.ravel()
        potentials = beta[:, None] * self._energy
        if start is None:  # far from the solution, the solver may take for ever
            means = self._n_sites * energy.mean(axis=1)
            start = scipy.integrate.cumulative_trapezoid(means, beta, initial=0)
        self.free_energy = _solved(potentials, counts, start)
        self._log_mixture = scipy.special.logsumexp(
            self.free_energy[:, None] - potentials, axis=0, b=counts[:, None]
        )
        self._moments = moments_of(energy.ravel(), magnetization)

    def at(self, temperature: float) -> xr.Dataset:
        """Observables at one temperature."""
        weight = -self._energy / temperature - self._log_mixture
        weight = np.exp(weight - weight.max())
        weight /= weight.sum()
        # no dot product: BLAS takes threads for it, which wait for one another on a busy machine
        mean = {name: float(np.sum(weight * each)) for name, each in self._moments.items()}
        return observables_of(
            xr.Dataset(mean, {"temperature": temperature, "n_sites": self._n_sites})
        ).drop_vars(["temperature", "n_sites"])


def _solved(potentials: FloatArray, counts: npt.NDArray[np.int64], start: FloatArray) -> FloatArray:
    """Free energies of all temperatures by MBAR."""
    logger = logging.getLogger("pymbar")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it would tell at every import that JAX is not installed
    try:
        from pymbar import MBAR

        found = MBAR(
            potentials, counts, initial_f_k=start, relative_tolerance=1e-8,
            solver_protocol=({"method": "adaptive"},),
        )  # fmt: skip
    finally:
        logger.setLevel(level)
    return np.asarray(found.f_k)


def _thinned(series: xr.Dataset) -> xr.Dataset:
    """Every n-th draw, so that all together are not too many, without the slow sign of m."""
    total = int(np.prod([series.sizes[dim] for dim in ("point", *SAMPLES)]))
    found = series.isel(draw=slice(None, None, -(-total // _MOST)))
    return found.assign(magnetization=abs(found["magnetization"]))
