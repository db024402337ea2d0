"""Battles of two teams: the map, kills, learning curves, win rates and tournaments."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis.plots.axes import axis_label, label_axes, new_axes, variable
from analysis.plots.styles import method_color, method_label
from isingrl.battle.games import ATTACKS, MOVES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "battle_frame",
    "kills_over_time",
    "learning_curve",
    "tournament_matrix",
    "win_rate_bars",
]

SIDES = ("#0072B2", "#D55E00")  # blue and vermillion of Okabe and Ito
FLOOR, WALL = "#f7f4ec", "#4a4a4a"
_WEAKEST = 0.15  # share of the full colour that an agent without health would have
_FAINT = 0.3
_CELL = 0.43  # half the side of the square that an agent is

FloatArray = npt.NDArray[np.float64]


def battle_frame(recording: xr.Dataset, step: int, ax: Axes | None = None) -> Axes:
    """Draw the map at one step of a battle: agents, their health and whom they hit.

    An agent is a square in the colour of its team, the paler the less health it has. A wedge
    points from an attacker to the cell that it hits in this step: in full colour if a foe stands
    there, faint if none does. A cross is left where an agent fell in the step before.

    Parameters
    ----------
    recording : Dataset
        As `isingrl.battle.record` returns it: ``x``, ``y``, ``health`` and ``action`` over (step,
        side, agent), attribute ``map_size``. The coordinate ``side`` names the teams.
    step : int
        Which one, from 0; negative ones count from the end.
    ax : Axes, optional
        Drawn on; a new one if omitted.

    Returns
    -------
    Axes
        With labelled artists for the teams and the marks, for a legend; the title tells the step
        and how many are alive.

    Raises
    ------
    TypeError
        If what is drawn is no Dataset.
    ValueError
        If there is no such step, or the recording lacks a variable, a dim, or its map size.

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
    frames = {name: variable(recording, name, dims, dims) for name in _DRAWN}
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
    here = {name: _at(values, step) for name, values in frames.items()}
    alive = here["health"] > 0
    cells = np.stack([here["x"], here["y"]], axis=-1).astype(int)
    for side, color in enumerate(SIDES):
        living = alive[side]
        foes = cells[1 - side][alive[1 - side]]
        _draw_agents(ax, cells[side][living], here["health"][side][living], color)
        _draw_attacks(ax, cells[side][living], here["action"][side][living], foes, color)
        if step > 0:
            before = {name: _at(values, step - 1)[side] for name, values in frames.items()}
            fallen = (before["health"] > 0) & ~living
            ax.plot(
                before["x"][fallen], before["y"][fallen], ls="none", marker="x", ms=6.0, mew=1.8,
                color=color, zorder=2,
            )  # fmt: skip
        name = method_label(str(_names(recording)[side]))
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
        As `isingrl.battle.record` returns it: ``kills`` over (step, side).
    ax : Axes, optional
        Drawn on; a new one if omitted.
    until : int, optional
        Step of now: what follows is drawn faintly, and marks show where the sides stand. All of
        the game if omitted.

    Returns
    -------
    Axes
        With a labelled artist for each side, for a legend.

    Raises
    ------
    TypeError
        If what is drawn is no Dataset.
    ValueError
        If there is no such step, or the recording lacks ``kills`` or has other dims.

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

    kills = variable(recording, "kills", ("step", "side"), ("step", "side"))
    last = kills.sizes["step"] - 1
    if until is not None and not 0 <= until <= last:
        raise ValueError(f"until must lie in 0 to {last}; got {until}")
    ax = new_axes(ax)
    steps = np.arange(last + 1)
    for side, color in enumerate(SIDES):
        values = kills.isel(side=side).values
        shown = slice(None) if until is None else slice(until + 1)
        # a narrow line on a wide one: both stay visible where they run together
        line: dict[str, Any] = {
            "drawstyle": "steps-post", "color": color, "lw": (3.0, 1.3)[side], "zorder": 2 + side,
        }  # fmt: skip
        name = method_label(str(_names(recording)[side]))
        ax.plot(steps[shown], values[shown], label=name, **line)
        if until is not None:
            ax.plot(steps, values, alpha=0.25, **line)
            ax.plot(until, values[until], "o", ms=(8.0, 5.0)[side], color=color, zorder=4 + side)
    if until is not None:
        ax.axvline(until, color="0.55", lw=0.9, zorder=1)
    most = max(1, int(kills.max()))
    # room at the right, where the last kill of many games is
    ax.set(xlim=(0, 1.02 * max(1, last)), ylim=(-0.05 * most, 1.08 * most), xlabel="step")
    ax.set_ylabel(axis_label(kills))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    return ax


def learning_curve(
    history: xr.Dataset, name: str, ax: Axes | None = None, *, window: int | None = None
) -> Axes:
    """Draw how something changed over a training against the games played.

    Parameters
    ----------
    history : Dataset
        As `isingrl.battle.TrainedTeam.history`: over ``round``, with the coordinates ``games`` and
        ``opponent``. One line an opponent, if there were several.
    name : str
        The variable, for example ``"win"``.
    ax : Axes, optional
        Drawn on; a new one if omitted.
    window : int, optional
        Rounds of one opponent that the running mean is over, as many before as after, fewer at
        the ends; a twentieth of them if omitted. The rounds themselves are dots.

    Returns
    -------
    Axes
        With a labelled artist for each opponent, for a legend.

    Raises
    ------
    TypeError
        If what is drawn is no Dataset.
    ValueError
        If `history` lacks the variable, it has other dims, or the window is not positive.

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
    values = variable(history, name, ("round",), ("round",))
    if window is not None and window < 1:
        raise ValueError(f"window must be at least 1; got {window}")
    ax = new_axes(ax)
    names = list(dict.fromkeys(history["opponent"].values.tolist()))
    for order, opponent in enumerate(names):
        chosen = (history["opponent"] == opponent).values
        x, y = history["games"].values[chosen], values.values[chosen].astype(np.float64)
        width = window or max(1, len(y) // 20)
        color = method_color(opponent, order)
        label = f"against {method_label(opponent)}"
        ax.plot(x, y, ls="none", marker=".", ms=3.0, alpha=0.3, color=color, zorder=2)
        ax.plot(x, _running_mean(y, width), lw=1.6, color=color, label=label, zorder=3 + order)
    return label_axes(ax, history["games"], values)


def win_rate_bars(rates: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the share of games that teams won as bars, in groups of one opponent each.

    Parameters
    ----------
    rates : Dataset
        As `analysis.win_rates` returns it, over (team, opponent); the whiskers are its intervals.
    ax : Axes, optional
        Drawn on; a new one if omitted.

    Returns
    -------
    Axes
        With a labelled artist for each team, for a legend.

    Raises
    ------
    TypeError
        If what is drawn is no Dataset.
    ValueError
        If `rates` lacks a variable or has other dims.

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
    dims = ("team", "opponent")
    names = ("win_rate", "win_rate_low", "win_rate_high")
    rate, low, high = (variable(rates, name, dims, dims).transpose(*dims) for name in names)
    ax = new_axes(ax)
    # A team leaves no gap in the group in which it would play itself.
    played = np.isfinite(rate.values)
    width = 0.8 / max(1, int(played.sum(axis=0).max()))
    rank = np.cumsum(played, axis=0) - 1
    middle = (played.sum(axis=0) - 1) / 2
    for order, team in enumerate(rates["team"].values.tolist()):
        at = played[order]
        x = (np.arange(rates.sizes["opponent"]) + width * (rank[order] - middle))[at]
        y = rate.values[order, at]
        error = np.stack([y - low.values[order, at], high.values[order, at] - y])
        ax.bar(
            x, y, 0.9 * width, yerr=np.maximum(0, error), color=method_color(team, order),
            ecolor="0.25", error_kw={"elinewidth": 1.0, "capsize": 2.5}, label=method_label(team),
        )  # fmt: skip
    # long names in two lines, so that neighbours do not run into each other
    opponents = [fill(method_label(each), 13) for each in rates["opponent"].values.tolist()]
    ax.set_xticks(range(len(opponents)), [f"against\n{each}" for each in opponents])
    ax.set(ylim=(0, 1.03), ylabel=axis_label(rate))
    return ax


def tournament_matrix(rates: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Draw the share of games that teams (rows) won against each other as a heat map.

    Parameters
    ----------
    rates : Dataset
        As `analysis.win_rates` returns it, over (team, opponent).
    ax : Axes, optional
        Drawn on; a new one if omitted.

    Returns
    -------
    Axes
        What was drawn on.

    Raises
    ------
    TypeError
        If what is drawn is no Dataset.
    ValueError
        If `rates` lacks ``win_rate`` or it has other dims.

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

    dims = ("team", "opponent")
    rate = variable(rates, "win_rate", dims, dims).transpose(*dims)
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


_DRAWN = ("x", "y", "health", "action")


def _at(values: xr.DataArray, step: int) -> FloatArray:
    """One step of a variable, shape (2, n_agents)."""
    return np.asarray(values.isel(step=step).transpose("side", "agent"), np.float64)


def _names(recording: xr.Dataset) -> Any:
    return recording["side"].values if "side" in recording.coords else ("first", "second")


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
    """Wedges that point from attackers to what they hit."""
    from matplotlib.collections import PolyCollection

    attacks = action >= len(MOVES)
    start = cells[attacks]
    ahead = ATTACKS[action[attacks].astype(int) - len(MOVES)]
    taken = {tuple(cell) for cell in foes.tolist()}
    hit = np.array([tuple(cell) in taken for cell in (start + ahead).tolist()], bool)
    # of one length straight and across, so that no direction looks the stronger
    along = ahead / np.hypot(*ahead.T)[:, None] if len(ahead) else np.empty((0, 2))
    across = 0.19 * along[:, ::-1] * (1, -1)
    # right of the line between the two, so that those who hit each other are both seen to
    middle = start + 0.5 * ahead - across
    base, tip = middle - 0.36 * along, middle + 0.46 * along
    wedges = np.stack([base - across, tip, base + across], axis=1)
    looks: tuple[tuple[Any, dict[str, Any]], ...] = (
        (~hit, {"facecolors": color, "alpha": _FAINT, "linewidths": 0.0, "zorder": 4}),
        (hit, {"facecolors": color, "edgecolors": "white", "linewidths": 0.8, "zorder": 5}),
    )
    for chosen, look in looks:
        ax.add_collection(PolyCollection(wedges[chosen], **look), autolim=False)


def _running_mean(values: FloatArray, window: int) -> FloatArray:
    """Mean over as many values before as after, NaN left out."""
    reach, kernel = window // 2, np.ones(2 * (window // 2) + 1)
    known = np.isfinite(values)
    count = np.convolve(known, kernel)[reach : reach + len(values)]
    total = np.convolve(np.where(known, values, 0.0), kernel)[reach : reach + len(values)]
    return np.asarray(np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0))
