"""Draws of several temperatures as one sample: multiple histograms, and tests of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy
import xarray as xr

from analysis._fits import POOR, goodness_of_deviations, warn_of_fit
from analysis.errors import FloatArray, jackknife
from analysis.scaling._series import SAMPLES, moments_of, observables_of

LEAST_OVERLAP = 0.03
_BLOCKS = 20  # left out in turn, each with new weights
_TESTED = ("e", "|m|²")
_PRECISION = 1e-8  # of free energies
_STEPS = 10  # of Newton's method at the most
_LONGEST = 100.0  # step of it near the solution


def with_errors(
    sizes: list[xr.Dataset], function: Callable[[list[Histograms]], xr.Dataset]
) -> xr.Dataset:
    """Return a function of the histograms of sizes with errors and the quality of the histograms.

    Series lie over (point, chain, draw), with equally many chains and draws in each size.
    `analysis.scaling.reweight` describes ``smallest_overlap`` and ``goodness_of_fit``.
    """
    draws = [prepared(series) for series in sizes]
    first = [Histograms(Tallies(each)) for each in draws]
    n_points = np.cumsum([0] + [each.sizes["point"] for each in draws])
    joined = xr.concat([each.drop_vars(list(each.coords)) for each in draws], "point")

    def results(part: xr.Dataset) -> xr.Dataset:
        parts = []
        for k, each in enumerate(draws):
            own = part.isel(point=slice(n_points[k], n_points[k + 1]))
            own = own.assign_coords({name: each[name] for name in ("temperature", "n_sites")})
            parts.append(Histograms(Tallies(own), start=first[k].free_energy))
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


class Tallies:
    """Draws of each temperature and energy, added up.

    Draws of one energy have one weight at any temperature. Energies of the Ising model take few
    values, so that the cost of reweighting hardly depends on the number of draws.

    ``energy`` per site has the shape (n_energies,).
    """

    def __init__(self, series: xr.Dataset) -> None:
        self.temperature = series["temperature"].values
        self.n_sites = float(series["n_sites"].values.flat[0])
        energy, magnetization = (
            series[name].transpose("point", *SAMPLES).values for name in ("energy", "magnetization")
        )
        self.energy, place = np.unique(energy, return_inverse=True)
        first = self.energy.size * np.arange(self.temperature.size)
        self._place = place.reshape(energy.shape) + first[:, None, None]
        self._moments = moments_of(energy, magnetization)

    def sums(self, chain: slice = slice(None), draw: slice = slice(None)) -> dict[str, FloatArray]:
        """Return sums over some of the draws, shape (n_temperatures, n_energies), by moment.

        ``number`` is the number of draws.
        """
        place = self._place[:, chain, draw]
        shape = self.temperature.size, self.energy.size
        moments = {"number": np.ones(place.shape)}
        moments |= {name: each[:, chain, draw] for name, each in self._moments.items()}
        bins, flat = shape[0] * shape[1], place.ravel()
        return {
            name: np.asarray(np.bincount(flat, each.ravel(), bins), dtype=np.float64).reshape(shape)
            for name, each in moments.items()
        }


class Histograms:
    """Draws of all temperatures as one sample, each with its weight at any temperature.

    By default all draws of the `tallies`, else those of the `sums`. The free energies, shape
    (n_temperatures,), are dimensionless and known up to a constant.
    """

    def __init__(
        self,
        tallies: Tallies,
        sums: dict[str, FloatArray] | None = None,
        start: FloatArray | None = None,
    ) -> None:
        self._temperature, self._n_sites = tallies.temperature, tallies.n_sites
        self._by_temperature = tallies.sums() if sums is None else sums
        self._sums = {name: each.sum(axis=0) for name, each in self._by_temperature.items()}
        beta = 1 / self._temperature
        self._energy = self._n_sites * tallies.energy
        potentials = beta[:, None] * self._energy
        number = self._by_temperature["number"]
        if start is None:
            means = np.sum(number * self._energy, axis=1) / number.sum(axis=1)
            start = scipy.integrate.cumulative_trapezoid(means, beta, initial=0)
        self.free_energy = _solved(potentials, number, start)
        self._log_densities = self.free_energy[:, None] - potentials
        self._log_mixture = scipy.special.logsumexp(self._log_densities, axis=0)

    def at(self, temperature: float) -> dict[str, float]:
        """Observables at one temperature."""
        known = {"temperature": temperature, "n_sites": self._n_sites}
        return observables_of(self._means(temperature) | known)

    def _means(self, temperature: float) -> dict[str, float]:
        weight = -self._energy / temperature - self._log_mixture
        weight = np.exp(weight - weight.max())
        # no dot product, because threads of BLAS wait for one another on a busy machine
        sums = {name: float(np.sum(weight * each)) for name, each in self._sums.items()}
        number = sums.pop("number")
        return {name: each / number for name, each in sums.items()}

    def differences(self) -> FloatArray:
        """Means by reweighting minus means of single temperatures, of energies and then of m²."""
        reweighted = [self._means(t) for t in self._temperature]
        plain = {name: each.sum(axis=1) for name, each in self._by_temperature.items()}
        return np.concatenate(
            [
                np.array([mean[name] for mean in reweighted]) - plain[name] / plain["number"]
                for name in _TESTED
            ]
        )

    def smallest_overlap(self) -> float:
        """Smallest chance over pairs of neighbours that a draw is taken for one of the other."""
        number = self._by_temperature["number"]
        found = []
        for k in range(self._temperature.size - 1):
            below, above = self._log_densities[k : k + 2]
            one = np.average(scipy.special.expit(above - below), weights=number[k])
            other = np.average(scipy.special.expit(below - above), weights=number[k + 1])
            found.append((one + other) / 2)
        return float(min(found, default=0.5))


def _solved(potentials: FloatArray, numbers: FloatArray, start: FloatArray) -> FloatArray:
    """Free energies of temperatures with equally many draws: the solution of MBAR's equations.

    It minimizes a convex function. Newton's method finds it from nearby; from far away BFGS goes
    first.
    """
    number = numbers.sum(axis=0)
    number = number / number.sum()
    first = np.asarray(start - start[0])
    found = _by_newton(potentials, number, first)
    if found is None:

        def value(rest: FloatArray) -> tuple[float, FloatArray]:
            free = np.append(0.0, rest)
            log_mixture = scipy.special.logsumexp(free[:, None] - potentials, axis=0)
            total = scipy.special.softmax(free[:, None] - potentials, axis=0) @ number
            return np.sum(number * log_mixture) - free.mean(), total[1:] - 1 / free.size

        near = scipy.optimize.minimize(value, first[1:], jac=True, method="BFGS").x
        first = np.append(0.0, near)
        found = _by_newton(potentials, number, first)
    return first if found is None else found


def _by_newton(potentials: FloatArray, number: FloatArray, start: FloatArray) -> FloatArray | None:
    """Solve MBAR's equations, with the first free energy 0; None if `start` is too far away."""
    found = start.copy()
    for _ in range(_STEPS):
        share = scipy.special.softmax(found[:, None] - potentials, axis=0)
        total = share @ number
        curvature = np.diag(total) - (share * number) @ share.T
        try:
            step = np.linalg.solve(curvature[1:, 1:], 1 / found.size - total[1:])
        except np.linalg.LinAlgError:  # histograms that do not overlap
            return None
        longest = np.abs(step).max(initial=0.0)
        if not longest < _LONGEST:
            return None
        found[1:] += step
        if longest < _PRECISION:
            return found
    return None


def prepared(series: xr.Dataset) -> xr.Dataset:
    """Draws by ascending temperature, without the slow sign of m."""
    found = series.sortby("temperature")
    return found.assign(magnetization=abs(found["magnetization"]))
