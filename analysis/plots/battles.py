"""Battles of two teams: the map, kills, learning curves, win rates and tournaments."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis.errors import FloatArray
from analysis.plots.axes import axis_label, label_axes, new_axes, variable
from analysis.plots.styles import method_label, named_style
from isingrl.battle.games import ATTACKS, MOVES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "battle_frame",
    "kills_over_time",
    "learning_curve",
    "rating_points",
    "tournament_matrix",
    "win_rate_bars",
]

SIDES = ("#0072B2", "#D55E00")  # blue and vermillion of Okabe and Ito
FLOOR, WALL = "#f7f4ec", "#4a4a4a"
_WEAKEST = 0.15  # share of the full colour that an agent without health would have
_FAINT = 0.3
_CELL = 0.43  # half the side of an agent's square
_SHARES = ("team", "opponent")  # dims of win rates


def battle_frame(recording: xr.Dataset, step: int, ax: Axes | None = None) -> Axes:
    """Draw the map at one step of a battle: agents, their health and whom they hit.

    An agent is a square in the colour of its team, paler if it has less health. A wedge points
    from an attacker to the cell that it hits in this step: in full colour if a foe stands there,
    faint otherwise. A cross marks the place where an agent fell in the step before.

    Parameters
    ----------
    recording : Dataset
        From `isingrl.battle.record`: ``x``, ``y``, ``health`` and ``action`` over (step, side,
        agent), attribute ``map_size``. The coordinate ``side`` names the teams.
    step : int
        Number of the step, from 0; negative numbers count from the end.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.

    Returns
    -------
    Axes
        With labelled artists for the teams and the marks, for a legend; titles show the step and
        the numbers alive.

    Raises
    ------
    TypeError, ValueError
        If `recording` is no Dataset, lacks a variable, a dim or its map size, or has no such step.

    Examples
    --------
    >>> from analysis import plots
    >>> from isingrl.battle import Arena, PursuitTeam, RandomTeam, record
    >>> arena = Arena(map_size=8, team_size=2, max_steps=50)
    >>> recording = record(PursuitTeam(), RandomTeam(), arena=arena, seed=1)
    >>> ax = plots.battle_frame(recording, 0)
    >>> ax.get_title(), ax.get_title(loc="left")
    ('step 0', 'first: 2 alive')
    """
    from matplotlib.patches import Rectangle

    dims = ("step", "side", "agent")
    names = ("x", "y", "health", "action")
    drawn = [variable(recording, name, dims).transpose(*dims) for name in names]
    steps = recording.sizes["step"]
    if not -steps <= step < steps:
        raise ValueError(f"step must lie in 0 to {steps - 1}, or count from the end; got {step}")
    if "map_size" not in recording.attrs:
        raise ValueError("recording must have the attribute 'map_size'; it has none")
    size = int(recording.attrs["map_size"])
    step %= steps
    ax = new_axes(ax)
    ax.set_facecolor(WALL)
    ax.add_patch(Rectangle((0.5, 0.5), size - 2, size - 2, facecolor=FLOOR, linewidth=0, zorder=0))
    pair = [max(0, step - 1), step]  # the step before, and this one
    x, y, health, action = (each.values[pair].astype(np.float64) for each in drawn)
    alive = health[1] > 0
    cells = np.stack([x[1], y[1]], axis=-1).astype(int)
    for side, (name, color) in enumerate(zip(_names(recording), SIDES, strict=True)):
        living = alive[side]
        foes = cells[1 - side][alive[1 - side]]
        _draw_agents(ax, cells[side][living], health[1, side][living], color)
        _draw_attacks(ax, cells[side][living], action[1, side][living], foes, color)
        if step > 0:
            fallen = (health[0, side] > 0) & ~living
            last = x[0, side][fallen], y[0, side][fallen]
            ax.plot(*last, ls="none", marker="x", ms=6.0, mew=1.8, color=color, zorder=2)
        ax.plot([], [], ls="none", marker="s", ms=8.0, color=color, label=name)
        place: Any = ("left", "right")[side]
        ax.set_title(f"{name}: {int(living.sum())} alive", loc=place, color=color, fontsize=10)
    for marker, alpha, label in ((">", 1.0, "hit"), (">", _FAINT, "miss"), ("x", 1.0, "fallen")):
        ax.plot([], [], ls="none", marker=marker, color="0.3", alpha=alpha, label=label)
    ax.set_title(f"step {step}", fontsize=10)
    ax.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal", xticks=[], yticks=[])
    return ax


def kills_over_time(
    recording: xr.Dataset, ax: Axes | None = None, until: int | None = None
) -> Axes:
    """Draw how many foes each side has killed against the step.

    Parameters
    ----------
    recording : Dataset
        From `isingrl.battle.record`: ``kills`` over (step, side).
    ax : Axes, optional
        The axes to draw on; new ones if omitted.
    until : int, optional
        The present step: later ones are drawn faintly, and marks show the kills up to now. The
        last step of the game if omitted.

    Returns
    -------
    Axes
        With a labelled artist for each side, for a legend.

    Raises
    ------
    TypeError, ValueError
        If `recording` is no Dataset, lacks ``kills``, has other dims, or has no such step.

    Examples
    --------
    >>> from analysis import plots
    >>> from isingrl.battle import Arena, PursuitTeam, RandomTeam, record
    >>> arena = Arena(map_size=8, team_size=2, max_steps=50)
    >>> recording = record(PursuitTeam(), RandomTeam(), arena=arena, seed=1)
    >>> ax = plots.kills_over_time(recording)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('step', 'foes killed')
    """
    from matplotlib.ticker import MaxNLocator

    kills = variable(recording, "kills", ("step", "side"))
    last = kills.sizes["step"] - 1
    if until is not None and not 0 <= until <= last:
        raise ValueError(f"until must lie in 0 to {last}; got {until}")
    ax = new_axes(ax)
    steps = np.arange(last + 1)
    for side, (name, color) in enumerate(zip(_names(recording), SIDES, strict=True)):
        values = kills.isel(side=side).values
        shown = slice(None) if until is None else slice(until + 1)
        # a narrow line on a wide one, so that both stay visible where they coincide
        line: dict[str, Any] = {
            "drawstyle": "steps-post", "color": color, "lw": (3.0, 1.3)[side], "zorder": 2 + side,
        }  # fmt: skip
        ax.plot(steps[shown], values[shown], label=name, **line)
        if until is not None:
            ax.plot(steps, values, alpha=0.25, **line)
            ax.plot(until, values[until], "o", ms=(8.0, 5.0)[side], color=color, zorder=4 + side)
    if until is not None:
        ax.axvline(until, color="0.55", lw=0.9, zorder=1)
    most = max(1, int(kills.max()))
    # room at the right, because many games end with a kill
    ax.set(xlim=(0, 1.02 * max(1, last)), ylim=(-0.05 * most, 1.08 * most))
    ax.set(xlabel="step", ylabel=axis_label(kills))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    return ax


def learning_curve(
    history: xr.Dataset, name: str, ax: Axes | None = None, *, window: int | None = None
) -> Axes:
    """Draw how a quantity changed during a training against the games played.

    Parameters
    ----------
    history : Dataset
        `isingrl.battle.TrainedTeam.history`: over ``round``, with the coordinates ``games`` and
        ``opponent``. Each opponent has a line of its own.
    name : str
        The variable, for example ``"win"``, or one of the evaluations, ``"evaluation_win"``.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.
    window : int, optional
        Rounds with one opponent in the running mean, equally many before and after, fewer at the
        ends; a twentieth of all if omitted. Single rounds are dots. Evaluations are not averaged
        if it is omitted.

    Returns
    -------
    Axes
        With a labelled artist for each opponent, for a legend.

    Raises
    ------
    TypeError, ValueError
        If `history` is no Dataset, lacks the variable, or has other dims, or if the window is not
        positive.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import plots
    >>> coords = {"games": ("round", [10, 20]), "opponent": ("round", ["self", "self"])}
    >>> history = xr.Dataset({"win": ("round", [0.2, 0.6])}, coords)
    >>> ax = plots.learning_curve(history, "win")
    >>> ax.get_legend_handles_labels()[1]
    ['against self']
    """
    if name in history and "evaluation" in history[name].dims:
        history = _evaluations_as_rounds(history)
        window = window or 1
    values = variable(history, name, ("round",))
    if window is not None and window < 1:
        raise ValueError(f"window must be at least 1; got {window}")
    ax = new_axes(ax)
    names = list(dict.fromkeys(history["opponent"].values.tolist()))
    for order, opponent in enumerate(names):
        chosen = (history["opponent"] == opponent).values
        x, y = history["games"].values[chosen], values.values[chosen].astype(np.float64)
        width = window or max(1, len(y) // 20)
        style = named_style(opponent, order)
        line: dict[str, Any] = {"color": style.color, "label": f"against {style.label}"}
        ax.plot(x, y, ls="none", marker=".", ms=3.0, alpha=0.3, color=style.color, zorder=2)
        ax.plot(x, _running_mean(y, width), lw=1.6, zorder=3 + order, **line)
    return label_axes(ax, history["games"], values)


def _evaluations_as_rounds(history: xr.Dataset) -> xr.Dataset:
    """Evaluations of all opponents one after the other, along ``round``."""
    names = {"evaluation_games": "games", "evaluation_opponent": "opponent"}
    found = history.drop_dims("round").stack(
        round=("evaluation", "evaluation_opponent"), create_index=False
    )
    return found.rename(names)


def win_rate_bars(rates: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the share of games that teams won as bars, in groups of one opponent each.

    Parameters
    ----------
    rates : Dataset
        From `analysis.win_rates`, over (team, opponent); whiskers are the intervals.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.

    Returns
    -------
    Axes
        With a labelled artist for each team, for a legend.

    Raises
    ------
    TypeError, ValueError
        If `rates` is no Dataset, lacks a variable, or has other dims.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import plots, win_rates
    >>> dims, teams = ("team", "opponent"), ["pursuit", "random"]
    >>> counts = {"wins": (dims, [[0, 19], [1, 0]]), "games": (dims, [[0, 20], [20, 0]])}
    >>> rates = win_rates(xr.Dataset(counts, {"team": teams, "opponent": teams}))
    >>> ax = plots.win_rate_bars(rates)
    >>> ax.get_ylabel(), ax.get_legend_handles_labels()[1]
    ('share of games won', ['pursuit', 'random'])
    """
    names = ("win_rate", "win_rate_low", "win_rate_high")
    rate, low, high = (variable(rates, name, _SHARES).transpose(*_SHARES) for name in names)
    ax = new_axes(ax)
    # No team plays itself, and it leaves no gap in that group.
    played = np.isfinite(rate.values)
    width = 0.8 / max(1, int(played.sum(axis=0).max()))
    rank = np.cumsum(played, axis=0) - 1
    middle = (played.sum(axis=0) - 1) / 2
    for order, team in enumerate(rates["team"].values.tolist()):
        at = played[order]
        x = (np.arange(rates.sizes["opponent"]) + width * (rank[order] - middle))[at]
        y = rate.values[order, at]
        error = np.stack([y - low.values[order, at], high.values[order, at] - y])
        style = named_style(team, order)
        ax.bar(
            x, y, 0.9 * width, yerr=np.maximum(0, error), color=style.color, ecolor="0.25",
            error_kw={"elinewidth": 1.0, "capsize": 2.5}, label=style.label,
        )  # fmt: skip
    # long names in two lines, so that neighbours do not overlap
    opponents = [fill(method_label(each), 13) for each in rates["opponent"].values.tolist()]
    ax.set_xticks(range(len(opponents)), [f"against\n{each}" for each in opponents])
    ax.set(ylim=(0, 1.03), ylabel=axis_label(rate))
    return ax


def tournament_matrix(rates: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the share of games that teams (rows) won against each other as a heat map.

    Parameters
    ----------
    rates : Dataset
        From `analysis.win_rates`, over (team, opponent).
    ax : Axes, optional
        The axes to draw on; new ones if omitted.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `rates` is no Dataset, lacks ``win_rate``, or has other dims.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import plots, win_rates
    >>> dims, teams = ("team", "opponent"), ["pursuit", "random"]
    >>> counts = {"wins": (dims, [[0, 19], [1, 0]]), "games": (dims, [[0, 20], [20, 0]])}
    >>> rates = win_rates(xr.Dataset(counts, {"team": teams, "opponent": teams}))
    >>> ax = plots.tournament_matrix(rates)
    >>> ax.get_title(), ax.get_xlabel(), ax.get_ylabel()
    ('share of games won', 'opponent', 'team')
    """
    from matplotlib.colors import LinearSegmentedColormap

    rate = variable(rates, "win_rate", _SHARES).transpose(*_SHARES)
    ax = new_axes(ax)
    ends = [SIDES[1], "#ffffff", SIDES[0]]
    shades = LinearSegmentedColormap.from_list("wins", ends).with_extremes(bad="0.9")
    ax.imshow(rate.values, cmap=shades, vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(rate.values):
        text = "–" if np.isnan(value) else f"{value:.2f}"
        color = "white" if abs(value - 0.5) > 0.35 else "black"
        ax.text(column, row, text, ha="center", va="center", color=color)
    for axis, dim in ((ax.yaxis, "team"), (ax.xaxis, "opponent")):
        labels = [method_label(each) for each in rates[dim].values.tolist()]
        axis.set_ticks(range(len(labels)), labels)
    ax.tick_params(length=0)
    ax.tick_params(axis="x", labelrotation=30)
    for label in ax.get_xticklabels():
        label.set(ha="right", rotation_mode="anchor")
    ax.set(xlabel="opponent", ylabel="team", title=axis_label(rate))
    return ax


def rating_points(ratings: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the ratings of teams, the strongest at the top.

    Parameters
    ----------
    ratings : Dataset
        From `analysis.ratings_over_trainings`, whose intervals are drawn, or from
        `analysis.bradley_terry`, with standard errors: ``rating`` over ``team``.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `ratings` is no Dataset, lacks a variable, or has other dims.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import bradley_terry, plots
    >>> dims, teams = ("team", "opponent"), ["pursuit", "random"]
    >>> counts = {"wins": (dims, [[0, 19], [1, 0]]), "draws": (dims, [[0, 0], [0, 0]])}
    >>> ratings = bradley_terry(xr.Dataset(counts, {"team": teams, "opponent": teams}))
    >>> ax = plots.rating_points(ratings)
    >>> ax.get_xlabel(), [label.get_text() for label in ax.get_yticklabels()]
    ('rating (Elo)', ['random', 'pursuit'])
    """
    rating = variable(ratings, "rating", ("team",))
    if "rating_low" in ratings:
        names = ("rating_low", "rating_high")
        ends = [abs(variable(ratings, name, ("team",)) - rating).values for name in names]
    else:
        ends = [variable(ratings, "rating_error", ("team",)).values] * 2
    ax = new_axes(ax)
    order = np.argsort(rating.values)
    teams = [str(each) for each in ratings["team"].values[order]]
    for row, (place, team) in enumerate(zip(order, teams, strict=True)):
        color = named_style(team, row).color
        ax.errorbar(
            rating.values[place], row, xerr=[[end[place]] for end in ends], fmt="o", color=color,
            capsize=3,
        )  # fmt: skip
    ax.set_yticks(range(len(teams)), [method_label(each) for each in teams])
    ax.set(xlabel=axis_label(rating), ylim=(-0.5, len(teams) - 0.5))
    ax.grid(axis="x", lw=0.4, color="0.85")
    return ax


def _names(recording: xr.Dataset) -> list[str]:
    """Labels of the two teams."""
    names = recording["side"].values if "side" in recording.coords else ("first", "second")
    return [method_label(str(each)) for each in names]


def _draw_agents(ax: Axes, cells: Any, health: FloatArray, color: str) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb

    corners = _CELL * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    floor, full = np.array(to_rgb(FLOOR)), np.array(to_rgb(color))
    share = _WEAKEST + (1 - _WEAKEST) * health[:, None]
    squares = PolyCollection(
        cells[:, None] + corners, facecolors=floor + share * (full - floor), edgecolors=color,
        linewidths=0.8, zorder=3,
    )  # fmt: skip
    ax.add_collection(squares, autolim=False)


def _draw_attacks(ax: Axes, cells: Any, action: FloatArray, foes: Any, color: str) -> None:
    """Draw wedges that point from attackers to the cells that they hit."""
    from matplotlib.collections import PolyCollection

    attacks = action >= len(MOVES)
    start = cells[attacks]
    ahead = ATTACKS[action[attacks].astype(int) - len(MOVES)]
    taken = {tuple(cell) for cell in foes.tolist()}
    hit = np.array([tuple(cell) in taken for cell in (start + ahead).tolist()], bool)
    # one length in all directions, so that none looks stronger
    along = ahead / np.hypot(*ahead.T)[:, None] if len(ahead) else np.empty((0, 2))
    across = 0.19 * along[:, ::-1] * (1, -1)
    # right of the line between the two, so that both wedges show if two agents hit each other
    middle = start + 0.5 * ahead - across
    base, tip = middle - 0.36 * along, middle + 0.46 * along
    wedges = np.stack([base - across, tip, base + across], axis=1)
    faint = PolyCollection(wedges[~hit], facecolors=color, alpha=_FAINT, linewidths=0.0, zorder=4)
    full = PolyCollection(
        wedges[hit], facecolors=color, edgecolors="white", linewidths=0.8, zorder=5
    )
    for each in (faint, full):
        ax.add_collection(each, autolim=False)


def _running_mean(values: FloatArray, window: int) -> FloatArray:
    """Mean over equally many values before and after, without NaN."""
    reach, kernel = window // 2, np.ones(2 * (window // 2) + 1)
    known = np.isfinite(values)
    count = np.convolve(known, kernel)[reach : reach + len(values)]
    total = np.convolve(np.where(known, values, 0.0), kernel)[reach : reach + len(values)]
    return np.asarray(np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0))
