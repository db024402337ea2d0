"""Strength of teams from their games: win rates and ratings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy
import xarray as xr

from analysis.errors import FloatArray
from analysis.quantities import error_attrs

__all__ = ["bradley_terry", "rates_over_trainings", "ratings_over_trainings", "win_rates"]

ELO = 400 / np.log(10)
"""Points of Elo's scale a unit of natural log-odds."""
_TRAININGS = ("training", "opponent_training")
_POWER = 0.8
_RATES = {
    "win_rate": ("wins", "games won"),
    "draw_rate": ("draws", "games drawn"),
    "loss_rate": ("losses", "games lost"),
}


def win_rates(tournament: xr.Dataset, level: float = 0.95) -> xr.Dataset:
    r"""Shares of games won, with Wilson's intervals.

    Parameters
    ----------
    tournament : Dataset
        Integer counts ``wins`` and ``games``, and perhaps ``draws`` and ``losses``, over any dims,
        for example (team, opponent) from `isingrl.battle.tournament`.
    level : float
        Confidence level of the intervals, in (0, 1).

    Returns
    -------
    Dataset
        Over the dims of the counts, NaN without games: ``win_rate``, and ``win_rate_low`` and
        ``win_rate_high``, the ends of its interval; ``draw_rate`` and ``loss_rate`` if these were
        counted. A draw is no win. Attribute ``level``.

    Raises
    ------
    ValueError
        If a count is missing, is no integer, or lies outside 0 to ``games``, or if `level` lies
        outside (0, 1).

    Notes
    -----
    The interval holds every probability p within :math:`z \sqrt{p (1 - p) / n}` of the observed
    share [1]_. It stays in [0, 1] and has a width even at 0 and at n wins.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
       J. Am. Stat. Assoc. 22, 209 (1927).

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import win_rates
    >>> rates = win_rates(xr.Dataset({"wins": ("team", [8, 0]), "games": ("team", [10, 10])}))
    >>> rates.win_rate.dims, rates.win_rate.values.tolist()
    (('team',), [0.8, 0.0])
    >>> rates.win_rate_low.round(2).values.tolist(), rates.win_rate_high.round(2).values.tolist()
    ([0.49, 0.0], [0.94, 0.28])
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1); got {level}")
    games = _counts(tournament, "games")
    wins = _counts(tournament, "wins")
    rates = xr.Dataset(attrs={"level": level})
    for name, (kind, text) in _RATES.items():
        if kind not in tournament:
            continue
        counts = _counts(tournament, kind)
        if bool((counts > games).any()):
            most = float((counts - games).max())
            raise ValueError(f"{kind} must not exceed games; got up to {most:g} more")
        rates[name] = counts / games.where(games > 0)
        rates[name].attrs = {"long_name": f"share of {text}", "units": "1"}

    def ends(wins: int, games: int) -> tuple[float, float]:
        if not games:
            return np.nan, np.nan
        test = scipy.stats.binomtest(int(wins), int(games))
        low, high = test.proportion_ci(level, method="wilson")
        return low, high

    low, high = xr.apply_ufunc(
        ends, wins, games, output_core_dims=[[], []], vectorize=True, output_dtypes=[float, float]
    )
    for name, end, values in (("low", "lower", low), ("high", "upper", high)):
        text = f"{end} end of the {100 * level:g} % interval of the share of games won"
        rates[f"win_rate_{name}"] = values.assign_attrs(long_name=text, units="1")
    return rates


def rates_over_trainings(contests: xr.Dataset, level: float = 0.95) -> xr.Dataset:
    r"""Shares of games won by methods that were trained several times, with intervals over those.

    Parameters
    ----------
    contests : Dataset
        Counts ``wins`` and ``games``, and perhaps ``draws`` and ``losses``, over ``training`` and
        ``opponent_training``, of the same length of two or more, and any other dims.
    level : float
        Confidence level of the intervals, in (0, 1).

    Returns
    -------
    Dataset
        As from `win_rates`, without the dims of the trainings. With draws and losses also
        ``lead``, the share of games won less the share lost, its standard error ``lead_error``,
        and ``trainings_needed``, the number of trainings of each method from which on a lead as
        large as this one, with trainings that differ as these do, is seen with a probability of
        80 % as different from 0 at the level.

    Raises
    ------
    ValueError
        As `win_rates`, or if the dims of the trainings are not as described.

    Notes
    -----
    Games of one training are not independent samples of its method. Therefore each training is left
    out of both sides in turn. The standard error of this jackknife, times Student's t for the
    number of trainings less one, is half of the interval, which is cut at 0 and 1 [1]_. The number
    of trainings needed is that of a normal distribution, and is itself as uncertain as the lead.

    References
    ----------
    .. [1] B. Efron and C. Stein, "The jackknife estimate of variance", Ann. Stat. 9, 586 (1981).

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from analysis import rates_over_trainings
    >>> dims = ("training", "opponent_training")
    >>> wins = (dims, [[60, 70, 65], [55, 62, 58], [71, 66, 69]])
    >>> contests = xr.Dataset({"wins": wins, "games": (dims, np.full((3, 3), 100))})
    >>> rates = rates_over_trainings(contests)
    >>> [round(rates[name].item(), 2) for name in ("win_rate", "win_rate_low", "win_rate_high")]
    [0.64, 0.53, 0.75]
    """
    number = _trainings(contests)
    rates = win_rates(contests.sum(_TRAININGS, keep_attrs=True), level)
    student = scipy.special.stdtrit(number - 1, (1 + level) / 2)

    def error_of(count: Callable[[xr.Dataset], xr.DataArray]) -> FloatArray:
        """Standard error of a count over the number of games."""
        return _jackknife_error(
            contests[[name for name in ("wins", "losses", "games") if name in contests]],
            lambda some: (count(some) / some["games"].where(some["games"] > 0)).values,
        )

    half = student * error_of(lambda some: some["wins"])
    for name, sign in (("low", -1), ("high", 1)):
        end = np.clip(rates["win_rate"] + sign * half, 0, 1)
        rates[f"win_rate_{name}"] = end.assign_attrs(rates[f"win_rate_{name}"].attrs)
    if "losses" not in contests:
        return rates
    error = error_of(lambda some: some["wins"] - some["losses"])
    lead = rates["win_rate"] - rates["loss_rate"]
    attrs = {"long_name": "share of games won less the share lost", "units": "1"}
    z = scipy.special.ndtri((1 + level) / 2) + scipy.special.ndtri(_POWER)
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = np.ceil(number * (z * error / lead.values) ** 2)
    text = "trainings of each method that would show this lead"
    return rates.assign(
        lead=lead.assign_attrs(attrs),
        lead_error=(lead.dims, error, error_attrs(attrs)),
        trainings_needed=(
            lead.dims, np.where(np.isnan(needed), np.nan, np.maximum(needed, 2)),
            {"long_name": text, "units": "1"},
        ),
    )  # fmt: skip


def ratings_over_trainings(contests: xr.Dataset, level: float = 0.95) -> xr.Dataset:
    r"""Ratings of methods that were trained several times, with intervals over those.

    Parameters
    ----------
    contests : Dataset
        Integer counts ``wins`` and ``draws`` over (team, opponent) and the dims ``training`` and
        ``opponent_training``, of the same length of two or more.
    level : float
        Confidence level of the intervals, in (0, 1).

    Returns
    -------
    Dataset
        Over ``team``: ``rating`` on Elo's scale, with the mean 0, of all trainings together as
        from `bradley_terry`; its standard error ``rating_error``, and ``rating_low`` and
        ``rating_high``, the ends of its interval. Attribute ``level``.

    Raises
    ------
    ValueError
        As `bradley_terry`, or if `level` or the dims of the trainings are not as described.

    Notes
    -----
    The errors come from how trainings differ, by the jackknife of `rates_over_trainings`, and
    intervals from Student's t for the number of trainings less one.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from analysis import ratings_over_trainings
    >>> dims = ("team", "opponent", "training", "opponent_training")
    >>> new = np.array([[15, 14, 17], [12, 13, 11], [16, 18, 15]])
    >>> wins = np.array([[0 * new, 20 - new.T], [new, 0 * new]])
    >>> counts = {"wins": (dims, wins), "draws": (dims, 0 * wins)}
    >>> teams = ["old", "new"]
    >>> found = ratings_over_trainings(xr.Dataset(counts, {"team": teams, "opponent": teams}))
    >>> found.rating.dims, found.rating.round(0).values.tolist()
    (('team',), [-85.0, 85.0])
    >>> bool((found.rating_low < found.rating).all())
    True
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1); got {level}")
    number = _trainings(contests)
    counts = contests[["wins", "draws"]]
    found = bradley_terry(counts.sum(_TRAININGS))
    error = _jackknife_error(counts, lambda some: bradley_terry(some)["rating"].values)
    half = scipy.special.stdtrit(number - 1, (1 + level) / 2) * error
    attrs = found["rating"].attrs
    found["rating_error"] = ("team", error, error_attrs(attrs))
    for name, which, end in (("low", "lower", -half), ("high", "upper", half)):
        text = f"{which} end of the {100 * level:g} % interval of the rating"
        shifted = found["rating"] + end
        found[f"rating_{name}"] = shifted.assign_attrs(attrs | {"long_name": text})
    return found.assign_attrs(level=level)


def _trainings(contests: xr.Dataset) -> int:
    """Number of trainings on each side."""
    sizes = [contests.sizes.get(dim, 0) for dim in _TRAININGS]
    if sizes[0] != sizes[1] or sizes[0] < 2:
        raise ValueError(
            f"contests must have as many trainings as opponent_trainings, two or more; got {sizes}"
        )
    return sizes[0]


def _jackknife_error(contests: xr.Dataset, function: Callable[[xr.Dataset], Any]) -> FloatArray:
    """Standard error of a function of all counts, from leaving out trainings on both sides."""
    number = _trainings(contests)
    found = []
    for left_out in range(number):
        kept = dict.fromkeys(_TRAININGS, np.delete(np.arange(number), left_out))
        found.append(function(contests.isel(kept).sum(_TRAININGS)))
    return np.asarray(np.sqrt(np.var(found, axis=0) * (number - 1)))


def bradley_terry(tournament: xr.Dataset) -> xr.Dataset:
    r"""Ratings of teams on Elo's scale.

    Parameters
    ----------
    tournament : Dataset
        Integer counts ``wins`` and ``draws`` over (team, opponent), as
        `isingrl.battle.tournament` returns them.

    Returns
    -------
    Dataset
        Over ``team``: ``rating``, with the mean 0, and ``rating_error``, its standard error with
        respect to that mean. A team that is 400 points ahead should win ten times for each loss.

    Raises
    ------
    ValueError
        If a count is missing, no integer, negative, or over other dims; if teams and opponents
        differ or are fewer than two; or if two teams have different draws with each other.

    Notes
    -----
    A team of strength :math:`\theta_i` wins against another with the probability
    :math:`p_{ij} = 1/(1 + e^{\theta_j - \theta_i})` [1]_ [2]_. With a draw as half a win of each,
    :math:`s_{ij}` points out of :math:`n_{ij}` games,

    .. math:: \ln L = \sum_{i \ne j} s_{ij} \ln p_{ij}

    is maximized. A team that won, or lost, all of its games would have an infinite strength.
    Therefore **every pair gets one further game, drawn**. This weak prior moves a win rate p from n
    games towards one half by (p − ½)/(n + 1), which shows only if nearly all games were won. Errors
    come from the observed information :math:`\sum_j n_{ij} p_{ij} (1 - p_{ij})`, with the further
    games. If many games are drawn they are too large, because a draw varies less than a game with
    a winner.

    References
    ----------
    .. [1] R. A. Bradley and M. E. Terry, "Rank analysis of incomplete block designs",
       Biometrika 39, 324 (1952).
    .. [2] E. Zermelo, "Die Berechnung der Turnier-Ergebnisse als ein Maximumproblem der
       Wahrscheinlichkeitsrechnung", Math. Z. 29, 436 (1929).

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import bradley_terry
    >>> dims, teams = ("team", "opponent"), ["old", "new"]
    >>> counts = {"wins": (dims, [[0, 20], [80, 0]]), "draws": (dims, [[0, 0], [0, 0]])}
    >>> found = bradley_terry(xr.Dataset(counts, {"team": teams, "opponent": teams}))
    >>> found.rating.dims, found.rating.round(0).values.tolist(), found.rating.units
    (('team',), [-119.0, 119.0], 'Elo')
    """
    points = _points(tournament)
    n_teams = len(points)
    games = points + points.T
    level = np.full((n_teams, n_teams), 1 / n_teams)  # fixes the mean, because no game does

    def loss(strength: FloatArray) -> float:
        ahead = strength[:, None] - strength
        likelihood = (points * scipy.special.log_expit(ahead)).sum()
        return float(-likelihood + 0.5 * strength @ level @ strength)

    def slope(strength: FloatArray) -> Any:
        expected = games * scipy.special.expit(strength[:, None] - strength)
        return (expected - points).sum(axis=1) + level @ strength

    def information(strength: FloatArray) -> Any:
        ahead = strength[:, None] - strength
        weight = games * scipy.special.expit(ahead) * scipy.special.expit(-ahead)
        return np.diag(weight.sum(axis=1)) - weight + level

    fit = scipy.optimize.minimize(
        loss, np.zeros(n_teams), jac=slope, hess=information, method="trust-exact",
        options={"gtol": 1e-9 * games.sum()},
    )  # fmt: skip
    strength = fit.x - fit.x.mean()
    variance = np.diag(np.linalg.inv(information(strength)) - level)
    attrs = {"long_name": "rating", "units": "Elo"}
    return xr.Dataset(
        {
            "rating": ("team", ELO * strength, attrs),
            "rating_error": ("team", ELO * np.sqrt(variance), error_attrs(attrs)),
        },
        {"team": tournament["team"]} if "team" in tournament.coords else None,
    )


def _counts(tournament: xr.Dataset, name: str) -> xr.DataArray:
    if name not in tournament:
        raise ValueError(f"tournament must hold {name!r}; got {sorted(map(str, tournament))}")
    counts = tournament[name]
    if counts.dtype.kind not in "iu" or bool((counts < 0).any()):
        raise ValueError(
            f"{name} must be integers of at least 0; got {counts.dtype} from {counts.min().item()}"
        )
    return counts


def _points(tournament: xr.Dataset) -> FloatArray:
    """Points of teams (rows) against each other, with the further drawn game."""
    arrays = []
    for name in ("wins", "draws"):
        counts = _counts(tournament, name)
        if set(counts.dims) != {"team", "opponent"}:
            raise ValueError(f"{name} must lie over 'team' and 'opponent'; got {counts.dims}")
        arrays.append(counts.transpose("team", "opponent"))
    teams, opponents = (arrays[0][dim].values.tolist() for dim in ("team", "opponent"))
    if teams != opponents or len(teams) < 2:
        raise ValueError(
            f"teams must be two or more, and the opponents in order; got {teams} and {opponents}"
        )
    wins, draws = (array.values.astype(np.float64) for array in arrays)
    if (draws != draws.T).any():
        i, j = np.argwhere(draws != draws.T)[0]
        raise ValueError(
            f"draws must be the same for both teams; {teams[i]!r} and {teams[j]!r} have "
            f"{draws[i, j]:g} and {draws[j, i]:g}"
        )
    points = wins + draws / 2 + 1 / 2
    np.fill_diagonal(points, 0)
    return np.asarray(points)
