"""Parallel tempering: acceptances, round trips, and temperatures of equal acceptance."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from analysis._parameters import check_dataset, single, sweeps_between_draws
from analysis.errors import MIN_BLOCKS, FloatArray
from analysis.errors.arrays.doubts import Doubts
from analysis.errors.arrays.estimates import estimate_unwarned, note_doubts
from analysis.errors.samples import check_finite, place_of
from analysis.quantities import quantity_attrs
from isingrl.support.validation import check_integer, check_real, check_temperature

__all__ = ["tempering", "tempering_temperatures"]

IntArray = npt.NDArray[np.int64]

_MEASURED = ("replica", "exchanges")
_INNER = ("temperature", "chain", "draw")
_FINE = 4001  # points of 1/T on which mean energies are interpolated
_STEEPEST = 3.0  # slope over that of the chord, up to which a cubic is monotonic
_LEAST = 1e-12  # acceptance below which no temperatures are proposed


def tempering(data: xr.Dataset) -> xr.Dataset:
    r"""Acceptances of exchanges, and round trips of walkers, of runs with `isingrl.Tempering`.

    Parameters
    ----------
    data : Dataset
        Variables ``replica`` and ``exchanges`` with dims (..., temperature, chain, draw), all
        temperatures of the run, from `isingrl.simulate`; other dims, such as ``field``, are kept.

    Returns
    -------
    Dataset
        Over the other dims, and:

        - ``exchange_acceptance`` (pair) and ``exchange_acceptance_error``, the share of the tried
          exchanges that happened, by counts of the run, with the coordinates ``colder`` and
          ``warmer``, the temperatures of the pair;
        - ``round_trips`` (chain, replica), how often each walker came to the lowest temperature
          from the highest one since it had last come to the lowest;
        - ``round_trip_time`` and ``round_trip_time_error``, in sweeps, the mean over all these
          trips; NaN without any, the error with fewer than two;
        - ``share_going_up`` (temperature), of the walkers at a temperature the share that was last
          at the lowest temperature and not at the highest [1]_.

    Raises
    ------
    TypeError, ValueError
        If `data` is no Dataset, a variable, dim or attribute is missing, draws or temperatures
        were left out, or the run is too short for an error.

    Warns
    -----
    UserWarning
        If draws lie further apart than two exchanges, so that some visits of the lowest and
        highest temperature are not seen: round trips are then too few, and their time too long.
    ShortRunWarning
        See `analysis.ShortRunWarning`; of the acceptances.

    Notes
    -----
    Each pair is tried once in 2 ``every`` sweeps. Acceptances are from draws between which every
    pair was tried equally often. Walkers that are cut off by the end of the run do not count,
    which makes the mean time of few round trips too short.

    ``share_going_up`` falls from 1 at the lowest temperature to 0 at the highest. It falls steeply
    where walkers are held up [1]_.

    If energies decorrelate between exchanges, n temperatures with acceptances a have the mean round
    trip time :math:`2 n\, (1 + \sum (1 - a) / a)` in units of ``every`` [2]_. A longer time shows
    that walkers return where they came from, before they have changed.

    References
    ----------
    .. [1] H. G. Katzgraber, S. Trebst, D. A. Huse, M. Troyer, "Feedback-optimized parallel
       tempering Monte Carlo", J. Stat. Mech. P03018 (2006).
    .. [2] S. Syed, A. Bouchard-Côté, G. Deligiannidis, A. Doucet, "Non-reversible parallel
       tempering: a scalable highly parallel MCMC scheme", J. R. Stat. Soc. B 84, 321 (2022).

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import tempering
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(
    ...     model, irl.Tempering(irl.HeatBath(), every=2), [2.0, 2.2, 2.4], sweeps=4000,
    ...     interval=4, chains=4, seed=1,
    ... )
    >>> found = tempering(data)
    >>> found.exchange_acceptance.dims, found.colder.values.tolist()
    (('pair',), [2.0, 2.2])
    >>> bool((found.exchange_acceptance > 0.4).all()), int(found.round_trips.sum()) > 100
    (True, True)
    """
    check_dataset("data", data)
    missing = [name for name in _MEASURED if name not in data]
    if missing:
        raise ValueError(
            f"data must hold the variables {_MEASURED}, as a run with isingrl.Tempering has them; "
            f"got {sorted(map(str, data.data_vars))}"
        )
    for name in _MEASURED:
        if not set(_INNER) <= set(data[name].dims):
            raise ValueError(f"data: {name!r} must have the dims {_INNER}; got {data[name].dims}")
    temperatures = check_temperature(data["temperature"].values, "data: temperature")
    order = np.argsort(temperatures)
    every, step = _every(data), _step(data)
    bin_draws = math.lcm(step, 2 * every) // step
    _check_length(data, bin_draws, step)
    series = {name: data[name].transpose(..., *_INNER) for name in _MEASURED}
    template = series["replica"].isel(temperature=0, chain=0, draw=0, drop=True)
    template = xr.zeros_like(template, dtype=np.float64)
    shape, n, chains = template.shape, len(order), data.sizes["chain"]
    doubts = Doubts(chains, (data.sizes["draw"] - 1) // bin_draws, "sweeps")
    acceptance, share = np.full((2, *shape, n - 1), np.nan), np.full((*shape, n), np.nan)
    trips = np.zeros((*shape, chains, n), dtype=np.int64)
    time = np.full((2, *shape), np.nan)
    for run in np.ndindex(shape):
        where = place_of(template, run)
        # of the variable, because a DataArray also selects coordinates
        replica, counts = (
            np.asarray(each.variable[(*run, ...)].values)[order] for each in series.values()
        )
        _check_walkers(replica, where)
        per_bin = np.diff(counts[:-1, :, ::bin_draws]) / (bin_draws * step / (2 * every))
        if not ((per_bin >= 0) & (per_bin <= 1)).all():
            raise ValueError(
                "data: 'exchanges' must be counts of one run, draw after draw; got "
                f"{per_bin.min():g} to {per_bin.max():g} exchanges a trial"
            )
        for pair, each in enumerate(per_bin):
            found = estimate_unwarned(each[None], lambda means: means[0], None)
            note_doubts(doubts, found, "exchange_acceptance", where, bin_draws * float(step))
            acceptance[:, *run, pair] = found.value, found.error
        trips[run], durations = _round_trips(replica)
        time[:, *run] = _mean_of(durations * step)
        share[run] = _share_going_up(replica)
    doubts.warn(stacklevel=2)
    if step > 2 * every:
        _warn_of_visits(step, every)
    return _labelled(
        template, temperatures[order], data["chain"].values, acceptance, trips, time, share
    ).assign_attrs(data.attrs)


def tempering_temperatures(
    data: xr.Dataset, number: int | None = None, acceptance: float | None = None
) -> FloatArray:
    r"""Temperatures between which all exchanges of `isingrl.Tempering` are accepted equally often.

    Give either `number` or `acceptance`.

    Parameters
    ----------
    data : Dataset
        A short run at a few temperatures, tempered or not: ``energy`` per site (temperature,
        chain, draw) and the coordinate ``n_sites``. Temperatures must be positive; ∞ is valid. The
        lowest and highest one are kept.
    number : int, optional
        Number of temperatures, at least 2.
    acceptance : float, optional
        Least acceptance, between 0 and 1; the number of temperatures is the smallest that has it.

    Returns
    -------
    ndarray, shape (n_temperatures,)
        In J/k_B, ascending.

    Raises
    ------
    TypeError, ValueError
        If `data` is not as described, not one of `number` and `acceptance` is given, one is out
        of range, or so few temperatures would never exchange.

    Notes
    -----
    With :math:`X = (\beta_i - \beta_j)(E_i - E_j)` an exchange has the probability min(1, e^X), and
    the distributions of both energies give :math:`\langle e^X \rangle = 1`. If X is normal, its
    variance is therefore :math:`-2\langle X \rangle`, and the acceptance is

    .. math:: \mathrm{erfc}\left(\tfrac{1}{2} \sqrt{-\langle X \rangle}\right), \quad
       -\langle X \rangle = (\beta_i - \beta_j)(\langle E \rangle_j - \langle E \rangle_i) ,

    the limit of large systems [1]_. Mean energies are interpolated over β by a cubic with the
    slopes :math:`d\langle E \rangle/d\beta = -\mathrm{var}(E)` that the run shows, limited where it
    would not be monotonic. Equal acceptance is the aim of [2]_. It is not the best choice near a
    phase transition, where walkers are held up [3]_. On lattices of few sites, and across a
    transition of first order, energies are not normal: check the proposal by `tempering`, and call
    this again with the data of that run.

    References
    ----------
    .. [1] C. Predescu, M. Predescu, C. V. Ciobanu, "The incomplete beta function law for parallel
       tempering sampling of classical canonical systems", J. Chem. Phys. 120, 4119 (2004).
    .. [2] K. Hukushima, K. Nemoto, "Exchange Monte Carlo method and application to spin glass
       simulations", J. Phys. Soc. Jpn. 65, 1604 (1996).
    .. [3] H. G. Katzgraber, S. Trebst, D. A. Huse, M. Troyer, "Feedback-optimized parallel
       tempering Monte Carlo", J. Stat. Mech. P03018 (2006).

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import tempering_temperatures
    >>> model = irl.Ising(irl.Lattice((16, 16)))
    >>> short = irl.simulate(
    ...     model, irl.HeatBath(), [1.6, 2.0, 2.3, 2.6, 3.2], sweeps=500, thermalization=100,
    ...     chains=4, start="up", seed=1,
    ... )
    >>> tempering_temperatures(short, number=7).round(1).tolist()
    [1.6, 1.9, 2.1, 2.3, 2.5, 2.8, 3.2]
    >>> len(tempering_temperatures(short, acceptance=0.4))
    9
    """
    if (number is None) == (acceptance is None):
        raise TypeError(
            f"give either number or acceptance; got number={number!r}, acceptance={acceptance!r}"
        )
    if number is not None:
        number = check_integer("number", number, 2)
    elif not 0 < check_real("acceptance", acceptance) < 1:
        raise ValueError(f"acceptance must lie between 0 and 1; got {acceptance!r}")
    grid = _Grid.of(data)
    if number is None:
        assert acceptance is not None
        number = len(grid.steps(acceptance)) + 1
    low, high = _LEAST, 1.0
    if len(grid.steps(low)) > number - 1:
        raise ValueError(
            f"number must be larger: of {number} temperatures from {grid.coldest:g} to "
            f"{grid.warmest:g} some would never exchange"
        )
    while high - low > 1e-9 * high:  # the largest acceptance for which so many steps suffice
        middle = math.sqrt(low * high) if high > 2 * low else (low + high) / 2
        if len(grid.steps(middle, most=number)) > number - 1:
            high = middle
        else:
            low = middle
    betas = [grid.betas[-1], *grid.steps(low)]
    with np.errstate(divide="ignore"):
        return np.asarray(1 / np.array(betas))


class _Grid:
    """Mean energies of a lattice on a fine grid of 1/T, from hot to cold."""

    def __init__(self, betas: FloatArray, energies: FloatArray, variances: FloatArray) -> None:
        rises = np.diff(energies)  # towards cold, where fluctuations may hide the fall
        if (rises > np.sqrt(variances[1:])).any():
            worst = int(np.argmax(rises))
            raise ValueError(
                f"data: the mean energy must rise with the temperature; at T = "
                f"{1 / betas[worst + 1]:g} it is {energies[worst + 1]:g} J, and at the next higher "
                f"temperature {energies[worst]:g} J (is the run thermalized?)"
            )
        energies = np.minimum.accumulate(energies)
        chords = -np.diff(energies) / np.diff(betas)
        most = _STEEPEST * np.minimum(
            np.append(chords, chords[-1]), np.insert(chords, 0, chords[0])
        )
        slopes = -np.minimum(variances, most)
        self.betas = np.linspace(betas[0], betas[-1], _FINE)
        self.energies = scipy.interpolate.CubicHermiteSpline(betas, energies, slopes)(self.betas)
        with np.errstate(divide="ignore"):
            self.coldest, self.warmest = 1 / betas[-1], 1 / betas[0]

    @classmethod
    def of(cls, data: Any) -> _Grid:
        """Read the energies of a run."""
        check_dataset("data", data)
        if "energy" not in data or set(data["energy"].dims) != set(_INNER):
            found = {str(name): each.dims for name, each in data.data_vars.items()}
            raise ValueError(
                f"data must hold 'energy' with the dims {_INNER}, of one field and method; got "
                f"{found}"
            )
        temperatures = check_temperature(data["temperature"].values, "data: temperature")
        if len(temperatures) < 2 or temperatures.min() <= 0:
            raise ValueError(
                "data must have two or more temperatures above 0, to interpolate between them; got "
                f"{temperatures.tolist()}"
            )
        order = np.argsort(temperatures)[::-1]
        energy = data["energy"].transpose(*_INNER).values.astype(np.float64)
        check_finite(energy, "draw of 'energy'")
        energy = energy[order] * single(data, "n_sites")
        return cls(1 / temperatures[order], energy.mean(axis=(1, 2)), energy.var(axis=(1, 2)))

    def steps(self, acceptance: float, most: int = _FINE) -> list[float]:
        """Values of β from the second coldest to the hottest, each of this acceptance."""
        # erfc(√x / 2) = acceptance
        wanted = (2 * float(scipy.special.erfcinv(acceptance))) ** 2
        found: list[float] = []
        beta = float(self.betas[-1])
        while beta > self.betas[0] and len(found) < most:
            energy = np.interp(beta, self.betas, self.energies)
            falls = (beta - self.betas) * (self.energies - energy)  # rises towards hot
            hotter = self.betas < beta
            if not falls[0] > wanted:
                found.append(float(self.betas[0]))
                break
            last = int(np.flatnonzero(hotter & (falls > wanted))[-1])
            right = (self.betas[last + 1], falls[last + 1]) if hotter[last + 1] else (beta, 0.0)
            share = (falls[last] - wanted) / (falls[last] - right[1])
            beta = float(self.betas[last] + share * (right[0] - self.betas[last]))
            found.append(beta)
        return found


def _every(data: xr.Dataset) -> int:
    """Sweeps between exchanges."""
    found = {
        int(each["every"]) for each in (data[name].attrs for name in _MEASURED) if "every" in each
    }
    if len(found) != 1:
        raise ValueError(
            "data: 'replica' and 'exchanges' must have the attribute 'every', the sweeps between "
            f"exchanges; got {sorted(found)} (runs that differ in it: take one at a time)"
        )
    return found.pop()


def _step(data: xr.Dataset) -> int:
    """Sweeps between draws."""
    step = float(sweeps_between_draws(data, xr.DataArray(0.0)))
    if step != int(step):
        raise ValueError(f"data: draws must lie whole sweeps apart; got {step:g}")
    return int(step)


def _check_length(data: xr.Dataset, bin_draws: int, step: int) -> None:
    """Refuse runs that are too short for the error of an acceptance."""
    bins, chains = (data.sizes["draw"] - 1) // bin_draws, data.sizes["chain"]
    if bins * chains < MIN_BLOCKS:
        needed = (-(-MIN_BLOCKS // max(chains, 1)) * bin_draws + 1) * step
        raise ValueError(
            f"data must hold {needed} sweeps or more for the error of an acceptance, with {chains} "
            f"chains and {step} sweeps between draws; got {data.sizes['draw'] * step}"
        )


def _check_walkers(replica: IntArray, where: str) -> None:
    """Refuse draws, shape (n_temperatures, n_chains, n_draws), that lack walkers."""
    n = len(replica)
    if n < 2 or not (np.sort(replica, axis=0) == np.arange(n)[:, None, None]).all():
        at = f" at {where}" if where else ""
        raise ValueError(
            "data: 'replica' must hold every walker once in each draw, at all temperatures of the "
            f"run{at}; got the numbers {np.unique(replica).tolist()} at {n} temperatures"
        )


def _round_trips(replica: IntArray) -> tuple[IntArray, IntArray]:
    """Number of round trips of each walker (n_chains, n_walkers), and draws of every trip."""
    n, chains, _ = replica.shape
    number, durations = np.zeros((chains, n), dtype=np.int64), []
    for chain in range(chains):
        for walker in range(n):
            low, high = (np.flatnonzero(replica[end, chain] == walker) for end in (0, -1))
            times = np.concatenate([low, high])
            order = np.argsort(times)
            lowest = (np.arange(times.size) < low.size)[order]
            arrived = np.diff(lowest.astype(int), prepend=0) == 1
            arrivals = times[order][lowest & arrived]
            if arrivals.size and arrivals[0] == 0:  # it may have come there long before
                arrivals = arrivals[1:]
            trips = np.diff(arrivals)
            number[chain, walker] = trips.size
            durations.append(trips)
    return number, np.concatenate(durations)


def _mean_of(values: IntArray) -> tuple[float, float]:
    """Mean and standard error of independent numbers."""
    if values.size < 2:
        return (float(values[0]) if values.size else np.nan), np.nan
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))


def _share_going_up(replica: IntArray) -> FloatArray:
    """Share of the walkers at each temperature that were last at the lowest, shape (n,)."""
    n, chains, draws = replica.shape
    chain, draw = np.ogrid[:chains, :draws]
    label = np.zeros((n, chains, draws), dtype=np.int8)
    label[replica[0], chain, draw] = 1
    label[replica[-1], chain, draw] = -1
    seen = np.maximum.accumulate(np.where(label != 0, np.arange(draws), 0), axis=2)
    label = np.take_along_axis(label, seen, axis=2)
    there = label[replica, chain, draw]
    up, down = (there == 1).sum(axis=(1, 2)), (there == -1).sum(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        return np.asarray(up / (up + down))


def _warn_of_visits(step: int, every: int) -> None:
    warnings.warn(
        f"some round trips are not seen, because draws lie {step} sweeps apart and walkers stay at "
        f"the lowest and highest temperature for as few as {2 * every}: take an interval of at "
        f"most {2 * every} sweeps to count them all",
        UserWarning,
        stacklevel=3,
    )


def _labelled(
    template: xr.DataArray,
    temperatures: FloatArray,
    chains: npt.NDArray[Any],
    acceptance: FloatArray,
    trips: IntArray,
    time: FloatArray,
    share: FloatArray,
) -> xr.Dataset:
    """Put all results in a Dataset."""
    dims = template.dims
    variables = {
        "exchange_acceptance": ((*dims, "pair"), acceptance[0]),
        "exchange_acceptance_error": ((*dims, "pair"), acceptance[1]),
        "round_trips": ((*dims, "chain", "replica"), trips),
        "round_trip_time": (dims, time[0]),
        "round_trip_time_error": (dims, time[1]),
        "share_going_up": ((*dims, "temperature"), share),
    }
    degrees = quantity_attrs("temperature")
    summary = template.to_dataset(name="replica").drop_vars("replica")
    summary = summary.assign(
        {name: (own, values, quantity_attrs(name)) for name, (own, values) in variables.items()}
    )
    return summary.assign_coords(
        temperature=("temperature", temperatures, degrees),
        colder=("pair", temperatures[:-1], degrees),
        warmer=("pair", temperatures[1:], degrees),
        chain=chains,
        replica=np.arange(len(temperatures)),
    )
