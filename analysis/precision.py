"""Criterion for the length of a run: the standard errors wanted."""

from __future__ import annotations

from collections.abc import Callable

import xarray as xr

from analysis._parameters import ORDERS
from analysis.quantities import OBSERVABLES
from analysis.thermodynamics import MIN_DRAWS, summarize
from isingrl.support.validation import check_choice, check_real

__all__ = ["precision"]


def precision(**errors: float) -> Callable[[xr.Dataset], bool]:
    """Return a test of small standard errors, for ``isingrl.simulate(..., until=...)``.

    Parameters
    ----------
    **errors : float
        Largest standard error by name of an observable of `analysis.thermodynamics`, in its units;
        ``order_parameter`` is one of Potts models alone.

    Returns
    -------
    function
        True for data in which every observable has at most this error at every temperature and
        field, and the run is long enough to trust it, without a `ShortRunWarning`. An error of 0
        or NaN, for example because nothing moved, is never small enough.

    Raises
    ------
    TypeError, ValueError
        If no error is given, a name is no observable, or an error is not positive. The function
        raises a ValueError if the data have no such observable.

    Notes
    -----
    A stop as soon as an estimated error is small prefers estimates that are too small, by few
    percent in a run of hundreds of autocorrelation times. The condition above requires at least
    50.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import precision, thermodynamics
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(
    ...     model, irl.HeatBath(), [2.0, 3.0], sweeps=100_000, thermalization=200, chains=4,
    ...     until=precision(energy=0.01), seed=1,
    ... )
    >>> bool((thermodynamics(data).energy_error <= 0.01).all()), data.sizes["draw"] < 100_000
    (True, True)
    """
    if not errors:
        raise TypeError("errors must name an observable, as in precision(energy=1e-4); got none")
    known = tuple(name for name, each in OBSERVABLES.items() if each.series in ("energy", *ORDERS))
    for name, error in errors.items():
        check_choice("errors: an observable", name, known)
        if not check_real(name, error) > 0:
            raise ValueError(f"{name} must be a positive standard error; got {error:g}")

    def enough(data: xr.Dataset) -> bool:
        if data.sizes["draw"] < MIN_DRAWS:
            return False
        summary, doubts = summarize(data, errors)
        for name in errors:
            check_choice("errors: an observable", name, [each for each in known if each in summary])
        return not doubts and all(
            bool(((found > 0) & (found <= error)).all())
            for name, error in errors.items()
            for found in (summary[f"{name}_error"],)
        )

    return enough
