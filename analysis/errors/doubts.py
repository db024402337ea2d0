"""Which error bars cannot be trusted, as far as the data tell, and the warning that says so."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import scipy

from analysis.errors.blocks import block_edges
from analysis.errors.times import FloatArray

MIN_TIMES = 50
"""Autocorrelation times that all chains together must hold for error bars to be trusted."""
MIN_TIMES_A_CHAIN = 10
"""Autocorrelation times that each chain must hold for tau itself to be trusted."""
MIN_CHANGES = 10
"""Changes of a series below which nothing is known of its error."""
MAX_SKEWNESS = 0.45
"""Of an estimate's distribution; beyond it too few events are left to correct an error by them."""

_MOST_SUMS = 1000
_FEWEST_SUMS = 40
_NOISE = 24.0  # over the square of the number of sums: two standard errors, squared
_ROUNDING = 1e-12  # relative: a constant varies by that much once it has been transformed


class ShortRunWarning(UserWarning):
    """A run holds too little for its error bars to be trusted.

    It holds too few autocorrelation times, few rare events make most of its error, or next to
    nothing changed in it, so that its error is NaN. The message names the worst variable and run.

    Examples
    --------
    >>> import warnings
    >>> import isingrl as irl
    >>> from analysis import ShortRunWarning, thermodynamics
    >>> model = irl.Ising(irl.Lattice((16, 16)))
    >>> data = irl.simulate(model, irl.HeatBath(), 2.27, sweeps=40, seed=1)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", ShortRunWarning)
    ...     summary = thermodynamics(data)
    >>> [warning.category.__name__ for warning in caught]
    ['ShortRunWarning']
    """


class Doubts:
    """Collects what speaks against error bars, and warns once of each kind."""

    def __init__(self, n_chains: int, n_draws: int, unit: str) -> None:
        self._n_chains, self._n_draws, self._unit = n_chains, n_draws, unit
        self._runs: set[str] = set()
        self._found: dict[str, list[tuple[float, str, str, str]]] = {}

    def judge(
        self,
        variable: str,
        where: str,
        *,
        still: bool,
        longest_time: float,
        skewness: float,
        interval: float = 1.0,
    ) -> None:
        """Note what speaks against the error of one variable of one run."""
        self._runs.add(where)
        if still:
            self._note("still", 0.0, variable, where, "")
            return
        needed = longest_time * max(MIN_TIMES / self._n_chains, MIN_TIMES_A_CHAIN)
        if needed > self._n_draws:
            says = (
                f"its autocorrelation time may be {longest_time * interval:.3g} {self._unit}, "
                f"which needs {needed * interval:.3g} {self._unit} a chain or more; got "
                f"{self._n_draws * interval:.3g}"
            )
            self._note("short", needed * interval, variable, where, says)
        elif abs(skewness) > MAX_SKEWNESS:
            says = f"its distribution is as skewed as if {skewness**-2:.2g} events had made it"
            self._note("rare", abs(skewness), variable, where, says)

    def warn(self, stacklevel: int) -> None:
        """Give the warnings, one for each kind, to the caller `stacklevel` calls up."""
        for kind, found in self._found.items():
            _, variable, where, says = max(found, key=lambda each: each[0])
            runs = f"{len({each[2] for each in found})} of {len(self._runs)} runs"
            place = f" at {where}" if where else ""
            if kind == "still":
                names = ", ".join(dict.fromkeys(each[1] for each in found))
                message = (
                    f"{runs} changed fewer than {MIN_CHANGES} times, so that no error can be "
                    f"known: it is NaN, of {names}, first{place}. Run longer chains, or start "
                    "them from different states."
                )
            elif kind == "short":
                message = (
                    f"{runs} may hold fewer than {MIN_TIMES} autocorrelation times over all "
                    f"chains, or than {MIN_TIMES_A_CHAIN} a chain, so that their error bars are "
                    f"probably too small. Worst is {variable}{place}: {says}. Run longer chains."
                )
            else:
                message = (
                    f"{runs} rest on few rare events, so that their error bars are probably too "
                    f"small. Worst is {variable}{place}: {says}. Run longer chains, or more of "
                    "them."
                )
            warnings.warn(message, ShortRunWarning, stacklevel=stacklevel + 1)

    def _note(self, kind: str, size: float, variable: str, where: str, says: str) -> None:
        self._found.setdefault(kind, []).append((size, variable, where, says))


def changes_of(series: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Draws that differ from the one before, and chains that start unlike most.

    Parameters
    ----------
    series : array_like, shape (..., n_chains, n_draws)

    Returns
    -------
    ndarray of int, shape (...)
    """
    x = np.asarray(series, dtype=np.float64)
    size = np.max(np.abs(x), axis=(-2, -1), keepdims=True)
    steps = np.sum(np.abs(np.diff(x, axis=-1)) > _ROUNDING * size, axis=(-2, -1))
    first = x[..., 0]
    alike = np.abs(first[..., :, None] - first[..., None, :]) <= _ROUNDING * size
    return np.asarray(steps + first.shape[-1] - alike.sum(axis=-1).max(axis=-1), dtype=np.int64)


def skewness_of_mean(influence: FloatArray, shortest: float) -> float:
    """Skewness of the distribution of the mean of a series, from sums over blocks.

    Parameters
    ----------
    influence : ndarray, shape (n_chains, n_draws)
    shortest : float
        Least length of a block; longer ones are tried too, as long as there are 40 of them, and
        the largest skewness counts, less what noise gives.

    Returns
    -------
    float

    Notes
    -----
    For a number of equal rare events it is one over the root of that number.
    """
    n_chains, n_draws = influence.shape
    deviations = influence - influence.mean()
    length = int(max(1.0, np.ceil(shortest), n_chains * n_draws / _MOST_SUMS))
    worst = 0.0
    while n_draws >= length and n_chains * (n_draws // length) >= _FEWEST_SUMS:
        edges = block_edges(n_draws, length)
        sums = np.add.reduceat(deviations, edges, axis=-1).ravel()
        square = float(np.sum(sums**2))
        if square > 0.0:
            skewness = float(np.sum((sums / np.sqrt(square)) ** 3))
            beyond_noise = skewness**2 - _NOISE / sums.size**2
            if beyond_noise > worst**2:
                worst = float(np.copysign(np.sqrt(beyond_noise), skewness))
        length *= 2
    return worst


def interval_factor(degrees: float, skewness: float) -> float:
    r"""Factor that makes 1.96 standard errors an interval of 95 %.

    Parameters
    ----------
    degrees : float
        Degrees of freedom of the error; its factor is Student's.
    skewness : float
        Of the estimate's distribution.

    Returns
    -------
    float

    Notes
    -----
    By Edgeworth's expansion a skewness g moves the two-sided quantile z of a mean over its error
    by :math:`g^2 (z^4 + 2z^2 - 3) / (18z)` [1]_, because the error is too small wherever rare
    events are missing.

    References
    ----------
    .. [1] P. Hall, "Theoretical comparison of bootstrap confidence intervals", Ann. Stat. 16, 927
       (1988).
    """
    z = scipy.special.ndtri(0.975)
    student = scipy.special.stdtrit(max(degrees, 1.0), 0.975) / z
    return float(student * (1.0 + skewness**2 * (z**4 + 2.0 * z**2 - 3.0) / (18.0 * z**2)))
