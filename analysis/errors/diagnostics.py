"""Diagnostics of error bars: autocorrelation, binning, equilibration."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis.errors.arrays.blocks import MIN_BLOCKS, binned_error
from analysis.errors.arrays.equilibrium import settled
from analysis.errors.arrays.times import autocorrelation_times
from analysis.errors.samples import (
    check_number,
    coordinates_beside,
    finite_series_along,
    numbers_of,
    samples_of,
)
from analysis.quantities import error_attrs


def autocorrelation(
    data: xr.Dataset | xr.DataArray, *, dims: tuple[str, ...] = ("chain", "draw")
) -> xr.Dataset:
    """Integrated autocorrelation time of every variable, in samples, with its standard error.

    Parameters
    ----------
    data : Dataset or DataArray
        Samples along `dims`; variables without them are left out.
    dims : tuple of str
        Dims of independent chains and, last, of samples in order of time.

    Returns
    -------
    Dataset
        Over the other dims, the time of each variable and its error as ``NAME_error``; NaN if a
        series is constant. See `analysis.errors.autocorrelation_times`.

    Raises
    ------
    TypeError, ValueError
        If `data` is neither a Dataset nor a DataArray, a dim is missing, or a sample is not
        finite.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import errors
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), [2.3, 5.0], sweeps=4000, chains=2, seed=1)
    >>> times = errors.autocorrelation(data)
    >>> slow, fast = times.energy.values
    >>> bool(slow > 3 * fast), times.energy.units
    (True, 'draws')
    """
    samples = samples_of(data, dims)
    found = coordinates_beside(samples, dims)
    for series in finite_series_along(samples, dims):
        times = autocorrelation_times(series.values)
        attrs = _attrs("autocorrelation time", series)
        found[series.name] = (series.dims[:-2], times.tau, attrs)
        found[f"{series.name}_error"] = (series.dims[:-2], times.error, error_attrs(attrs))
    return found


def binning(
    data: xr.Dataset | xr.DataArray, *, dims: tuple[str, ...] = ("chain", "draw")
) -> xr.Dataset:
    """Standard error of the mean from blocks of growing length.

    It grows until blocks are longer than the autocorrelation time, and then stays constant. If it
    does not become constant, the run is too short for any error bar.

    Parameters
    ----------
    data, dims
        As for `autocorrelation`.

    Returns
    -------
    Dataset
        Over ``block_length`` (powers of 2 that leave at least 20 blocks): for each variable the
        standard error of its mean, and as ``NAME_error`` the error of this error.

    Raises
    ------
    TypeError, ValueError
        As `autocorrelation`, or if the data hold fewer than 20 samples.

    References
    ----------
    H. Flyvbjerg, H. G. Petersen, "Error estimates on averages of correlated data", J. Chem. Phys.
    91, 461 (1989).

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from analysis import errors
    >>> draws = np.random.default_rng(1).normal(size=(4, 1000))
    >>> found = errors.binning(xr.DataArray(draws, dims=("chain", "draw"), name="x"))
    >>> found.block_length.values.tolist()
    [1, 2, 4, 8, 16, 32, 64, 128]
    >>> bool((abs(found.x - 1 / np.sqrt(4000)) < 4 * found.x_error).all())
    True
    """
    samples = samples_of(data, dims)
    n_chains, n_draws = numbers_of(samples, dims)
    check_number(n_chains * n_draws)
    longest = min(n_draws, n_chains * n_draws // MIN_BLOCKS)
    lengths = [1 << power for power in range(longest.bit_length())]
    lengths = [length for length in lengths if n_chains * (n_draws // length) >= MIN_BLOCKS]
    found = coordinates_beside(samples, dims).assign_coords(block_length=lengths)
    found["block_length"].attrs = {"long_name": "block length", "units": "draws"}
    for series in finite_series_along(samples, dims):
        errors, own = zip(*(binned_error(series.values, each) for each in lengths), strict=True)
        place = (*series.dims[:-2], "block_length")
        attrs = error_attrs(series.attrs)
        found[series.name] = (place, np.stack(errors, axis=-1), attrs)
        found[f"{series.name}_error"] = (place, np.stack(own, axis=-1), error_attrs(attrs))
    return found


def equilibration(
    data: xr.Dataset | xr.DataArray, *, dims: tuple[str, ...] = ("chain", "draw")
) -> xr.Dataset:
    """Samples to leave out at the beginning, for every variable.

    Parameters
    ----------
    data, dims
        As for `autocorrelation`, of chains that started alike. Give the magnitude of m rather than
        m, because the sign of m may never settle.

    Returns
    -------
    Dataset
        Over the other dims, the number of samples to leave out. If it is more than half of the
        run, the run is too short to find it.

    Raises
    ------
    TypeError, ValueError
        As `autocorrelation`, or if a chain holds fewer than 40 samples.

    Notes
    -----
    The cut leaves a rest that holds most autocorrelation times, averaged over chains: a longer cut
    wastes samples, a shorter one keeps a drift that looks like a long correlation [1]_. About 60
    cuts are tried, closer together near the beginning. A series of more than 2,000 samples is
    averaged over bins before.

    References
    ----------
    .. [1] J. D. Chodera, "A simple method for automated equilibration detection in molecular
       simulations", J. Chem. Theory Comput. 12, 1799 (2016).

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from analysis import errors
    >>> t = np.arange(2000.0)
    >>> noise = np.random.default_rng(1).normal(size=2000)
    >>> x = xr.DataArray(np.exp(-t / 50) + 0.1 * noise, dims="draw", name="x")
    >>> cut = int(errors.equilibration(x, dims=("draw",))["x"])
    >>> 50 < cut < 500
    True
    """
    samples = samples_of(data, dims)
    found = coordinates_beside(samples, dims)
    for series in finite_series_along(samples, dims):
        mean = np.asarray(series.values).mean(axis=-2, keepdims=True)
        n_draws = mean.shape[-1]
        if n_draws < 2 * MIN_BLOCKS:
            raise ValueError(
                f"data must hold at least {2 * MIN_BLOCKS} samples a chain to tell where it has "
                f"settled; got {n_draws}"
            )
        attrs = _attrs("equilibration", series)
        found[series.name] = (series.dims[:-2], settled(mean), attrs)
    return found


def _attrs(what: str, series: xr.DataArray) -> dict[str, str]:
    name = series.attrs.get("long_name", series.name)
    return {"long_name": f"{what} of the {name}", "units": "draws"}
