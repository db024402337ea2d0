"""Draws of several temperatures as one sample: multiple histograms, and tests of them."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import numpy as np
import scipy
import xarray as xr

from analysis._fits import POOR, goodness_of_deviations, warn_of_fit
from analysis.errors import FloatArray, jackknife
from analysis.scaling._series import SAMPLES, moments_of, observables_of

LEAST_OVERLAP = 0.03
_MOST = 10_000  # draws of all temperatures together; more cost time and are correlated
_BLOCKS = 20  # left out in turn, each with new weights
_TESTED = ("e", "|m|²")
_PRECISION = 1e-8  # of free energies
_STEPS = 10  # of Newton's method, which takes three or four from a near start


def with_errors(
    sizes: list[xr.Dataset], function: Callable[[list[Histograms]], xr.Dataset]
) -> xr.Dataset:
    """Return a function of the histograms of sizes with errors and the quality of the histograms.

    Series lie over (point, chain, draw), with equally many chains and draws in each size.
    `analysis.scaling.reweight` describes ``smallest_overlap`` and ``goodness_of_fit``.
    """
    most = max(series.sizes["point"] for series in sizes)
    draws = [thinned(series.sortby("temperature"), most) for series in sizes]
    first = [Histograms(each) for each in draws]
    n_points = np.cumsum([0] + [each.sizes["point"] for each in draws])
    joined = xr.concat([each.drop_vars(list(each.coords)) for each in draws], "point")

    def results(part: xr.Dataset) -> xr.Dataset:
        parts = []
        for k, each in enumerate(draws):
            own = part.isel(point=slice(n_points[k], n_points[k + 1]))
            own = own.assign_coords({name: each[name] for name in ("temperature", "n_sites")})
            parts.append(Histograms(own, first[k].free_energy))
        differences = np.concatenate([each.differences() for each in parts])
        return function(parts).assign(difference=("tested", differences))

    in_a_chain = max(1, -(-_BLOCKS // joined.sizes["chain"]))
    length = max(1, joined.sizes["draw"] // in_a_chain)
    found = jackknife(joined, results, block_length=length)
    quality = goodness_of_deviations(
        found["difference"], found["difference_error"], in_a_chain * joined.sizes["chain"]
    )
    found = found.drop_vars(["difference", "difference_error"])
    return found.assign(
        smallest_overlap=min(each.smallest_overlap() for each in first), goodness_of_fit=quality
    )


def warn_of_histograms(found: xr.Dataset, what: str, stacklevel: int = 2) -> None:
    """Issue a `FitWarning` if histograms hardly overlap or contradict each other."""
    overlap, quality = float(found["smallest_overlap"]), float(found["goodness_of_fit"])
    if overlap < LEAST_OVERLAP:
        warn_of_fit(
            f"{what}: the energies of neighbouring temperatures hardly overlap (by {overlap:.2g}, "
            f"where {LEAST_OVERLAP:g} is needed), so that errors between them may be too small. "
            "Add temperatures between them.",
            stacklevel + 1,
        )
    if quality < POOR:
        warn_of_fit(
            f"{what}: energies or m² by reweighting differ from the means of single temperatures "
            f"(goodness of fit {quality:.2g}, where {POOR:g} is the least that is acceptable). The "
            "rule may not sample the Gibbs distribution, or runs are too short.",
            stacklevel + 1,
        )


class Histograms:
    """Draws of all temperatures as one sample, each with its weight at any temperature.

    `free_energy`, shape (n_temperatures,), is dimensionless and known up to a constant.
    """

    def __init__(self, series: xr.Dataset, start: FloatArray | None = None) -> None:
        self._n_sites = float(series["n_sites"].values.flat[0])
        beta = 1 / series["temperature"].values
        energy = series["energy"].transpose("point", *SAMPLES).values.reshape(beta.size, -1)
        magnetization = series["magnetization"].transpose("point", *SAMPLES).values.ravel()
        self._energy = self._n_sites * energy.ravel()
        potentials = beta[:, None] * self._energy
        near = None if start is None else _improved(potentials, start)
        if near is None:
            means = self._n_sites * energy.mean(axis=1)
            start = scipy.integrate.cumulative_trapezoid(means, beta, initial=0)
            near = _solved(potentials, energy.shape[1], start)
        self.free_energy = near
        log_densities = self.free_energy[:, None] - potentials
        self._log_mixture = scipy.special.logsumexp(log_densities, axis=0)
        self._moments = moments_of(energy.ravel(), magnetization)
        self._temperature = series["temperature"].values
        self._log_densities = log_densities.reshape(beta.size, *energy.shape)

    def at(self, temperature: float) -> dict[str, float]:
        """Observables at one temperature."""
        known = {"temperature": temperature, "n_sites": self._n_sites}
        return observables_of(self._means(temperature) | known)

    def _means(self, temperature: float) -> dict[str, float]:
        weight = -self._energy / temperature - self._log_mixture
        weight = np.exp(weight - weight.max())
        weight /= weight.sum()
        # no dot product, because threads of BLAS wait for one another on a busy machine
        return {name: float(np.sum(weight * each)) for name, each in self._moments.items()}

    def differences(self) -> FloatArray:
        """Means by reweighting minus means of single temperatures, of energies and then of m²."""
        reweighted = [self._means(t) for t in self._temperature]
        plain = {
            name: self._moments[name].reshape(self._temperature.size, -1).mean(axis=1)
            for name in _TESTED
        }
        return np.concatenate(
            [np.array([mean[name] for mean in reweighted]) - plain[name] for name in _TESTED]
        )

    def smallest_overlap(self) -> float:
        """Smallest chance over pairs of neighbours that a draw is taken for one of the other."""
        found = []
        for k in range(self._temperature.size - 1):
            pair = self._log_densities[k : k + 2, k : k + 2]
            one = scipy.special.expit(pair[1, 0] - pair[0, 0]).mean()
            other = scipy.special.expit(pair[0, 1] - pair[1, 1]).mean()
            found.append((one + other) / 2)
        return float(min(found, default=0.5))


def _improved(potentials: FloatArray, start: FloatArray) -> FloatArray | None:
    """Solution of MBAR's equations by Newton's method; None if `start` is too far from it."""
    found = np.asarray(start - start[0])
    n_temperatures, n = potentials.shape
    for _ in range(_STEPS):
        share = scipy.special.softmax(found[:, None] - potentials, axis=0)
        total = share.sum(axis=1)
        curvature = np.diag(total) - share @ share.T
        try:
            step = np.linalg.solve(curvature[1:, 1:], (n / n_temperatures - total)[1:])
        except np.linalg.LinAlgError:  # histograms that do not overlap
            return None
        found[1:] += step
        if np.abs(step).max(initial=0.0) < _PRECISION:
            return found
    return None


def _solved(potentials: FloatArray, n_draws: int, start: FloatArray) -> FloatArray:
    """Free energies of all temperatures by MBAR, with the same number of draws at each."""
    logger = logging.getLogger("pymbar")
    level = logger.level
    logger.setLevel(logging.ERROR)  # else every import reports that JAX is not installed
    try:
        from pymbar import MBAR

        with warnings.catch_warnings():
            # pymbar gives every method the options of one, and writes into its arguments
            warnings.simplefilter("ignore", scipy.optimize.OptimizeWarning)
            found = MBAR(
                potentials, np.full(len(potentials), n_draws), initial_f_k=start - start[0],
                relative_tolerance=_PRECISION, solver_protocol=({"method": "adaptive"},),
            )  # fmt: skip
    finally:
        logger.setLevel(level)
    return np.asarray(found.f_k)


def thinned(series: xr.Dataset, n_points: int | None = None, most: int = _MOST) -> xr.Dataset:
    """Every n-th draw, to limit the total number, without the slow sign of m."""
    points = n_points or series.sizes["point"]
    total = points * int(np.prod([series.sizes[dim] for dim in SAMPLES]))
    found = series.isel(draw=slice(None, None, -(-total // most)))
    return found.assign(magnetization=abs(found["magnetization"]))
