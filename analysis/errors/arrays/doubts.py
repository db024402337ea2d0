"""Error bars that cannot be trusted, as far as the data tell, and the warning about them."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import scipy

from analysis.errors.arrays.blocks import FloatArray, block_edges

MIN_TIMES = 50
"""Autocorrelation times that all chains together must hold for error bars to be trusted."""
MIN_TIMES_A_CHAIN = 10
"""Autocorrelation times that each chain must hold for tau itself to be trusted."""
MIN_CHANGES = 10
"""Fewest changes of a series from which its error can be known."""
MIN_DEGREES = 3
"""Fewest degrees of freedom of an error; below, too few events make it."""

_MOST_SUMS = 1000
_FEWEST_SUMS = 40
ROUNDING = 1e-12  # relative variation of a constant by rounding, after a transformation


class ShortRunWarning(UserWarning):
    """A run holds too little for its error bars to be trusted.

    It holds too few autocorrelation times, or few rare events make most of its error, or next to
    nothing changed in it and its error is NaN. The message names the worst variable and run.

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
    """Collects objections to error bars, and warns once of each kind."""

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
        degrees: float,
        interval: float = 1.0,
    ) -> None:
        """Note an objection to the error of one variable of one run."""
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
        elif degrees < MIN_DEGREES:
            says = f"its error bar has {degrees:.2g} degrees of freedom"
            self._note("rare", -degrees, variable, where, says)

    def __bool__(self) -> bool:
        return bool(self._found)

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
    """Numbers, shape (...), of draws unlike the one before and of chains that start unlike most."""
    x = np.asarray(series, dtype=np.float64)
    size = np.max(np.abs(x), axis=(-2, -1), keepdims=True)
    steps = np.sum(np.abs(np.diff(x, axis=-1)) > ROUNDING * size, axis=(-2, -1))
    first = x[..., 0]
    alike = np.abs(first[..., :, None] - first[..., None, :]) <= ROUNDING * size
    return np.asarray(steps + first.shape[-1] - alike.sum(axis=-1).max(axis=-1), dtype=np.int64)


def degrees_of_freedom(influence: FloatArray, shortest: float) -> float:
    r"""Degrees of freedom of the error of a mean, from sums over blocks: few if few events make it.

    They are infinite if the sums are Gaussian, or if the shortest blocks are fewer than 40. Longer
    blocks are tried too, as long as at least 40 are left, and the fewest degrees of freedom count.

    The sample variance of n numbers with excess kurtosis κ has the relative variance
    :math:`(2 + \kappa) / n`, and for f degrees of freedom it is 2/f (G. E. P. Box, "Non-normality
    and tests on variances", Biometrika 40, 318 (1953)). The number of blocks counts elsewhere. Here
    f is :math:`n / \kappa`, half of the value by κ alone, because κ of a sample with few events is
    too small; two standard errors of κ are subtracted before. If k rare and equal events make the
    variance, f is about k.
    """
    n_chains, n_draws = influence.shape
    deviations = influence - influence.mean()
    length = int(max(1.0, np.ceil(shortest), n_chains * n_draws / _MOST_SUMS))
    fewest = np.inf
    while n_draws >= length and n_chains * (n_draws // length) >= _FEWEST_SUMS:
        squares = np.add.reduceat(deviations, block_edges(n_draws, length), axis=-1).ravel() ** 2
        if squares.any():
            kurtosis = squares.size * float(np.sum((squares / squares.sum()) ** 2)) - 3.0
            beyond_noise = kurtosis - 2.0 * np.sqrt(24.0 / squares.size)
            if beyond_noise > 0.0:
                fewest = min(fewest, squares.size / beyond_noise)
        length *= 2
    return fewest


def student_factor(degrees: float) -> float:
    """Student's factor, by which 1.96 standard errors become an interval of 95 %."""
    return float(scipy.special.stdtrit(max(degrees, 1.0), 0.975) / scipy.special.ndtri(0.975))
