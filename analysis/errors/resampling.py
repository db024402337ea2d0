"""Errors of any function of Datasets: jackknife, and bootstrap over chains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.errors.arrays.blocks import (
    FloatArray,
    block_edges,
    block_length_for,
    block_lengths,
    jackknife_variance,
    shared_between_blocks,
)
from analysis.errors.arrays.doubts import MIN_CHANGES, ROUNDING, Doubts, changes_of, student_factor
from analysis.errors.arrays.times import autocorrelation_times
from analysis.errors.samples import (
    check_finite,
    check_number,
    coordinates_beside,
    numbers_of,
    place_of,
    samples_of,
    series_along,
)
from analysis.quantities import error_attrs
from isingrl.support.validation import check_integer

DatasetFunction = Callable[[Any], Any]

MIN_CHAINS = 8
"""Chains below which `bootstrap` refuses."""
_RUNS = ("temperature", "field", "method", "size", "run")  # dims of runs
_MOST_LEFT_OUT = 100  # blocks; more hardly sharpen an error bar (7 % here), but each costs a call


def jackknife(
    data: xr.Dataset | xr.DataArray,
    function: DatasetFunction,
    *,
    dims: tuple[str, ...] = ("chain", "draw"),
    block_length: int | None = None,
) -> xr.Dataset:
    """Any smooth function of correlated samples, with its standard error.

    Parameters
    ----------
    data : Dataset or DataArray
        Samples along `dims`; other dims are free, and a variable may lack `dims`. The function
        gets NaN unchanged; autocorrelation times take NaN as the mean.
    function : callable
        Maps such a Dataset (or DataArray) to one without `dims`, for example a ratio of means. It
        is called once with `data` and once without each block. Then it gets one long chain with a
        gap, so that it must not depend on the order of the samples.
    dims : tuple of str
        Dims of independent chains and, last, of samples in order of time: ``("chain", "draw")``
        or ``("chain", "snapshot")``. ``("chain",)`` alone leaves out whole chains.
    block_length : int, optional
        Samples in a block, which lies within a chain. If omitted, ten times the longest
        autocorrelation time of all variables that the function uses, or shorter to leave at least
        20 blocks. Correlations between blocks are then corrected for, with the times of the
        variables and runs behind a result, if it has the dims of the runs (such as temperature).

    Returns
    -------
    Dataset
        Variables of the function's result and, as ``NAME_error``, their standard errors, times
        Student's factor for the number of blocks, so that 1.96 of them are a 95 % interval. Whole
        chains have the plain standard error. An error is NaN if next to nothing changed in the
        run.

    Raises
    ------
    TypeError, ValueError
        If `data` is neither a Dataset nor a DataArray, a dim is missing, the function's result
        still has it, or the data hold fewer than 20 samples (2 chains to leave out whole chains).

    Warns
    -----
    ShortRunWarning
        If a variable that the function uses may hold too few autocorrelation times, or next to
        nothing changed: see `analysis.ShortRunWarning`.

    Notes
    -----
    A function uses a variable if another choice of its samples changes the result. One more call
    for each variable tests this.

    References
    ----------
    B. Efron, "The Jackknife, the Bootstrap and Other Resampling Plans" (SIAM, 1982); blocks, as in
    H. Flyvbjerg, H. G. Petersen, J. Chem. Phys. 91, 461 (1989), for correlated samples.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from analysis import errors
    >>> rng = np.random.default_rng(1)
    >>> x = xr.DataArray(rng.normal(size=(2, 500)), dims=("chain", "draw"), name="x")
    >>> result = errors.jackknife(x, lambda x: (x**2).mean(("chain", "draw")))
    >>> bool(abs(result["x"] - 1) < 4 * result["x_error"])
    True
    """
    samples = samples_of(data, dims)
    value = _result(function(data), dims)
    rests: Iterator[Any]
    if dims == ("chain",):
        n_chains = samples.sizes["chain"]
        if n_chains < 2:
            raise ValueError(f"data must hold at least 2 chains to leave one out; got {n_chains}")
        rests = (data.isel(chain=np.arange(n_chains) != chain) for chain in range(n_chains))
        share = np.full(n_chains, float(n_chains))
    else:
        n_chains, n_draws = numbers_of(samples, dims)
        check_number(n_chains * n_draws)
        slowest = _slowest_times(data, samples, function, value, dims)
        most = max((float(each.times.max()) for each in slowest), default=1.0)
        length = _length_of_blocks(block_length, n_chains, n_draws, most)
        edges = block_edges(n_draws, length)
        rests = _without_blocks(data, dims, edges)
        share = n_chains * n_draws / block_lengths(n_chains, n_draws, edges)
    left_out = [_result(function(rest), dims) for rest in rests]
    without = xr.concat(left_out, "block", join="exact", coords="minimal", compat="override")

    def error(name: str) -> FloatArray:
        last = without[name].transpose(*value[name].dims, "block")
        variance = jackknife_variance(value[name].values, last, share)
        if dims == ("chain",):
            return np.asarray(np.sqrt(variance))
        tau, still = _times_behind(name, value[name], slowest)
        variance = variance * shared_between_blocks(tau, length, n_draws, share.size)
        return np.where(still, np.nan, np.sqrt(variance)) * student_factor(share.size - 1.0)

    result = _with_errors(value, error)
    if dims != ("chain",):
        _warn(slowest, n_chains, n_draws)
    return result


def bootstrap(
    data: xr.Dataset | xr.DataArray,
    function: DatasetFunction,
    *,
    n_resamples: int = 200,
    seed: int = 0,
) -> xr.Dataset:
    """Any function of independent chains, with its standard error.

    Whole chains are drawn with replacement, so that the function may do anything within a chain
    and need not be smooth.

    Parameters
    ----------
    data : Dataset or DataArray
        With the dim ``chain`` of independent chains.
    function : callable
        Maps such a Dataset (or DataArray) to one without the dim ``chain``.
    n_resamples : int
        Resamples; the relative uncertainty of the error is about 1/√(2 n_resamples) and
        1/√(2 n_chains).
    seed : int
        Seed of the random choice of chains.

    Returns
    -------
    Dataset
        Variables of the function's result and, as ``NAME_error``, their standard errors.

    Raises
    ------
    TypeError, ValueError
        If `data` is neither a Dataset nor a DataArray, or holds fewer than 8 chains or a sample
        that is not finite; if the function's result still has the dim; or if `n_resamples` is no
        integer of at least 2 or `seed` no integer of at least 0.

    References
    ----------
    B. Efron, "Bootstrap methods: another look at the jackknife", Ann. Stat. 7, 1 (1979).

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from analysis import errors
    >>> rng = np.random.default_rng(1)
    >>> x = xr.DataArray(rng.normal(size=(40, 25)), dims=("chain", "draw"), name="x")
    >>> result = errors.bootstrap(x, lambda x: x.median(("chain", "draw")), n_resamples=50)
    >>> bool(abs(result["x"]) < 4 * result["x_error"])
    True
    """
    n_resamples = check_integer("n_resamples", n_resamples, 2)
    seed = check_integer("seed", seed, 0)
    samples = samples_of(data, ("chain",))
    n_chains = data.sizes["chain"]
    if n_chains < MIN_CHAINS:
        raise ValueError(
            f"data must hold at least {MIN_CHAINS} chains to draw from; got {n_chains} (run more "
            "chains, or use jackknife)"
        )
    for values in samples.data_vars.values():
        if "chain" in values.dims and values.dtype.kind in "fc":
            check_finite(values, f"sample of {values.name!r}")
    value = _result(function(data), ("chain",))
    rng = np.random.default_rng(seed)
    drawn = [
        _result(function(data.isel(chain=rng.integers(n_chains, size=n_chains))), ("chain",))
        for _ in range(n_resamples)
    ]
    resamples = xr.concat(drawn, "resample", join="exact", coords="minimal", compat="override")
    # resamples vary about the mean of these chains, which contains them
    factor = np.sqrt(n_chains / (n_chains - 1.0))

    def error(name: str) -> FloatArray:
        spread = resamples[name].std("resample", ddof=1).transpose(*value[name].dims)
        return np.asarray(factor * spread)

    return _with_errors(value, error)


@dataclass(frozen=True)
class _Behind:
    """Times of every run of a variable, and the results that depend on it."""

    name: str
    times: xr.DataArray
    longest: xr.DataArray
    still: xr.DataArray
    used: xr.Dataset


def _slowest_times(
    data: Any, samples: xr.Dataset, function: DatasetFunction, value: xr.Dataset, dims: Any
) -> list[_Behind]:
    """Longest times of the variables that the function uses; 1 if only rounding varies."""
    found = []
    along = series_along(samples, dims)
    for series in along:
        own = series.dims[-2:]
        values = series.fillna(series.mean(own)).transpose(*series.dims).values
        moved = xr.DataArray(changes_of(values), dims=series.dims[:-2])
        # some, such as the correlation at distance 0, must be constant
        within = [dim for dim in moved.dims if dim not in _RUNS]
        still = (moved < MIN_CHANGES).all(within).broadcast_like(moved).transpose(*moved.dims)
        if len(along) > 1:
            used = _depends_on(str(series.name), data, function, value, dims)
        else:
            used = xr.ones_like(value, dtype=bool)
        if not any(each.any() for each in used.values()):
            continue
        times = autocorrelation_times(values)
        slowest = np.where(moved.values > 0, np.fmax(times.slowest, 1.0), 1.0)
        spread = np.nan_to_num(times.error / times.tau)
        place, coords = series.dims[:-2], coordinates_beside(samples, dims).coords
        beside = {name: each for name, each in coords.items() if set(each.dims) <= set(place)}
        numbers = (slowest, slowest * (1.0 + 2.0 * spread), still.values)
        most, longest, quiet = (xr.DataArray(each, beside, place) for each in numbers)
        found.append(_Behind(str(series.name), most, longest, quiet, used))
    return found


def _depends_on(
    name: str, data: xr.Dataset, function: DatasetFunction, value: xr.Dataset, dims: Any
) -> xr.Dataset:
    """Tell where the result changes if some samples of a variable replace the others."""
    rng = np.random.default_rng(0)
    drawn = {dim: rng.integers(0, data.sizes[dim], data.sizes[dim]) for dim in dims}
    series = data[name]
    other = series.variable.isel(drawn).values
    if np.array_equal(other, series.values, equal_nan=other.dtype.kind == "f"):  # a constant
        other = other + rng.integers(0, 2, other.shape)
    try:
        result = _result(function(data.assign({name: (series.dims, other, series.attrs)})), dims)
        changed = {}
        for each, before in value.data_vars.items():
            after = result[each].transpose(*before.dims).values
            same = np.isclose(after, before.values, rtol=ROUNDING, atol=0.0, equal_nan=True)
            changed[each] = (before.dims, ~same)
    except Exception:  # a function that fails on other samples depends on them
        return xr.ones_like(value, dtype=bool)
    return xr.Dataset(changed)


def _warn(slowest: list[_Behind], n_chains: int, n_draws: int) -> None:
    """Warn of runs that are too short, or in which no used variable changed."""
    doubts = Doubts(n_chains, n_draws, "samples")
    found = [
        (each, run, place_of(each.times, run))
        for each in slowest
        for run in np.ndindex(each.times.shape)
    ]
    moving = {where for each, run, where in found if not each.still.values[run]}
    for each, run, where in found:
        doubts.judge(
            each.name, where, still=where not in moving,
            longest_time=float(each.longest.values[run]), degrees=np.inf,
        )  # fmt: skip
    doubts.warn(stacklevel=3)


def _times_behind(
    name: str, value: xr.DataArray, slowest: list[_Behind]
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Longest time of the samples behind a result, and whether next to nothing changed in them."""
    longest = xr.DataArray(np.ones(value.shape), dims=value.dims)
    still = xr.DataArray(np.ones(value.shape, dtype=bool), dims=value.dims)
    rests_on_any = ~still
    for each in slowest:
        times, quiet, used = (
            array.drop_vars(list(array.coords))
            for array in (each.times, each.still, each.used[name])
        )
        other = [dim for dim, n in times.sizes.items() if value.sizes.get(dim) != n]
        longest = xr.where(used, np.maximum(longest, times.max(other)), longest)
        still = still & (quiet.all(other) | ~used)
        rests_on_any = rests_on_any | used
    order, still = value.dims, still & rests_on_any
    return np.asarray(longest.transpose(*order)), np.asarray(still.transpose(*order))


def _length_of_blocks(wanted: Any, n_chains: int, n_draws: int, slowest: float) -> int:
    if wanted is None:
        fewest = -(-n_chains * n_draws // _MOST_LEFT_OUT)
        return min(n_draws, max(fewest, block_length_for(n_chains, n_draws, slowest)))
    length = check_integer("block_length", wanted, 1)
    if n_chains * (n_draws // length) < 2:
        raise ValueError(
            f"block_length must leave at least 2 blocks; got {length} of {n_draws} samples in each "
            f"of {n_chains} chains"
        )
    return length


def _without_blocks(
    data: Any, dims: tuple[str, ...], edges: npt.NDArray[np.int64]
) -> Iterator[Any]:
    """Yield the data without one block each, with all chains joined to one."""
    samples = samples_of(data, dims)
    strung = samples.stack(_sample=dims, create_index=False).drop_vars(dims, errors="ignore")
    strung = strung.assign(
        {
            name: values.expand_dims(list(dims[:-1]))
            for name, values in strung.data_vars.items()
            if "_sample" in values.dims
        }
    ).rename(_sample=dims[-1])
    one = strung if isinstance(data, xr.Dataset) else strung[next(iter(strung))].rename(data.name)
    n_draws, total = samples.sizes[dims[-1]], strung.sizes[dims[-1]]
    ends = np.append(edges[1:], n_draws)
    for first in range(0, total, n_draws):
        for begin, end in zip(edges, ends, strict=True):
            kept = np.r_[0 : first + begin, first + end : total]
            yield one.isel({dims[-1]: kept})


def _result(found: Any, dims: tuple[str, ...]) -> xr.Dataset:
    """Return the result of a function as a Dataset."""
    if isinstance(found, xr.DataArray):
        found = found.to_dataset(name="value" if found.name is None else found.name)
    if not isinstance(found, xr.Dataset):
        raise TypeError(
            f"function must return a Dataset or a DataArray; got {type(found).__name__}"
        )
    left = [dim for dim in dims if dim in found.dims]
    if left:
        raise ValueError(f"function must return a result without the dims {dims}; it has {left}")
    return found


def _with_errors(value: xr.Dataset, error: Callable[[str], FloatArray]) -> xr.Dataset:
    """Add NAME_error after each variable."""
    found = value.drop_vars(list(value.data_vars))
    for name, values in value.data_vars.items():
        found[name] = values
        found[f"{name}_error"] = (values.dims, error(str(name)), error_attrs(values.attrs))
    return found
