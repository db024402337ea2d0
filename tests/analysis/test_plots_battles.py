"""Figures of battles, on recordings made by hand."""

from collections.abc import Iterator
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
import xarray as xr

from analysis import plots, win_rates
from isingrl.battle.games import ATTACKS, MOVES

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

BLUE, VERMILLION = "#0072B2", "#D55E00"
STAY = 6


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


def attack(dx, dy):
    return len(MOVES) + ATTACKS.tolist().index([dx, dy])


@pytest.fixture
def recording() -> xr.Dataset:
    """Two blue agents, one of which hits, and two vermillion ones, one of which falls."""
    cells = [[(2, 3), (5, 6)], [(3, 3), (7, 2)]]
    place = np.broadcast_to(np.transpose(cells, (2, 0, 1))[:, None], (2, 3, 2, 2)).copy()
    health = np.array([[[1.0, 0.5], [0.2, 1.0]]] * 2 + [[[1.0, 0.5], [0.0, 1.0]]])
    action = np.array([[[attack(1, 0), attack(-1, -1)], [STAY, attack(0, 1)]]] * 3)
    action[2] = -1
    place[:, 2, 1, 0] = 0
    dims = ("step", "side", "agent")
    kills = [[0, 0], [0, 0], [1, 0]]
    return xr.Dataset(
        {
            "x": (dims, place[0]),
            "y": (dims, place[1]),
            "health": (dims, health),
            "action": (dims, action),
            "kills": (("step", "side"), kills, {"long_name": "foes killed", "units": "1"}),
        },
        {"side": ["mean-field-q", "pursuit"]},
        {"map_size": 10},
    )


def polygons(ax):
    """Squares of both sides, then for each side the wedges that miss and those that hit."""
    found = [each for each in ax.collections if isinstance(each, PolyCollection)]
    (first, miss_1, hit_1), (second, miss_2, hit_2) = found[:3], found[3:]
    return (first, second), (miss_1, miss_2), (hit_1, hit_2)


def color_at(ax, x, y):
    """Colour of the pixel at a point of the map."""
    figure = ax.figure
    figure.canvas.draw()
    image = np.asarray(figure.canvas.buffer_rgba())
    column, row = ax.transData.transform((x, y)).round().astype(int)
    return image[image.shape[0] - 1 - row, column, :3] / 255


def test_colours_at_known_cells(recording):
    ax = plots.battle_frame(recording, 0)
    floor = color_at(ax, 8.0, 8.0)
    full = color_at(ax, 1.8, 3.2)
    np.testing.assert_allclose(full, to_rgb(BLUE), atol=0.01)
    np.testing.assert_allclose(color_at(ax, 7.2, 1.8), to_rgb(VERMILLION), atol=0.01)
    half = color_at(ax, 5.2, 6.2)  # the outline is full
    share = np.linalg.norm(half - floor) / np.linalg.norm(full - floor)
    assert 0.4 < share < 0.7
    weak = color_at(ax, 3.2, 3.3)
    assert 0.2 < np.linalg.norm(weak - floor) < np.linalg.norm(half - floor)
    wall = color_at(ax, 0.0, 5.0)
    for x, y in ((9.0, 5.0), (4.0, 0.0), (4.0, 9.0)):
        np.testing.assert_array_equal(color_at(ax, x, y), wall)
    assert wall.max() < 0.4 < floor.min()


def test_rows_run_downwards_and_cells_are_square(recording):
    ax = plots.battle_frame(recording, 0)
    ax.figure.canvas.draw()
    (left, high), (right, low) = ax.transData.transform([(0, 0), (1, 1)])
    assert high > low
    assert right - left == pytest.approx(high - low)


def test_wedges_hit_foes_or_miss(recording):
    _, misses, hits = polygons(plots.battle_frame(recording, 0))
    assert [len(each.get_paths()) for each in hits] == [1, 0]
    assert [len(each.get_paths()) for each in misses] == [1, 1]
    base_1, tip, base_2 = hits[0].get_paths()[0].vertices[:3]
    assert tip[0] > max(base_1[0], base_2[0])  # from (2, 3) towards (3, 3)
    assert np.rint(tip).tolist() == [3, 3]
    assert misses[0].get_alpha() < 0.5
    assert hits[0].get_alpha() is None
    tip = misses[0].get_paths()[0].vertices[1]
    assert (tip < [5, 6]).all()  # from (5, 6) up and to the left


def test_agents_that_hit_each_other_have_wedges_side_by_side(recording):
    mutual = recording.copy(deep=True)
    mutual["action"][0, 1, 0] = attack(-1, 0)
    _, _, hits = polygons(plots.battle_frame(mutual, 0))
    rows = [each.get_paths()[0].vertices[:, 1] for each in hits]
    assert rows[0].min() >= rows[1].max() or rows[1].min() >= rows[0].max()


def test_the_dead_are_not_drawn_but_where_they_fell(recording):
    ax = plots.battle_frame(recording, 2)
    squares, _, hits = polygons(ax)
    assert [len(each.get_paths()) for each in squares] == [2, 1]
    assert not any(each.get_paths() for each in hits)
    crosses = [line for line in ax.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [(*line.get_xdata(), *line.get_ydata(), line.get_color()) for line in crosses] == [
        (3, 3, VERMILLION)
    ]


def test_titles_and_legend_of_a_frame(recording):
    _, ax = plt.subplots()
    assert plots.battle_frame(recording, -1, ax) is ax
    titles = [ax.get_title(loc=place) for place in ("left", "center", "right")]
    assert titles == ["mean-field Q: 2 alive", "step 2", "pursuit: 1 alive"]
    labels = ax.get_legend_handles_labels()[1]
    assert labels == ["mean-field Q", "pursuit", "hit", "miss", "fallen"]
    bare = plots.battle_frame(recording.drop_vars("side"), 0)
    assert bare.get_title(loc="left") == "first: 2 alive"


def test_frames_that_are_none(recording):
    with pytest.raises(ValueError, match="step must lie in 0 to 2, or count from the end; got 3"):
        plots.battle_frame(recording, 3)
    with pytest.raises(ValueError, match="got -4"):
        plots.battle_frame(recording, -4)
    with pytest.raises(ValueError, match="attribute 'map_size'"):
        plots.battle_frame(recording.drop_attrs(), 0)
    with pytest.raises(ValueError, match="got 'action'"):
        plots.battle_frame(recording.drop_vars("action"), 0)
    with pytest.raises(ValueError, match=r"no dims but .*got \('side', 'agent'\)"):
        plots.battle_frame(recording.isel(step=0), 0)
    assert not plt.get_fignums()


def test_kills_and_where_they_stand(recording):
    ax = plots.kills_over_time(recording)
    assert ax.get_legend_handles_labels()[1] == ["mean-field Q", "pursuit"]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0, 0, 1], [0, 0, 0]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "foes killed")
    assert ax.get_xlim()[1] > 2  # a kill in the last step is no line upon the frame
    now = plots.kills_over_time(recording, plt.subplots()[1], until=1)
    marks = [line for line in now.lines if line.get_marker() == "o"]
    assert [(line.get_color(), *line.get_xdata(), *line.get_ydata()) for line in marks] == [
        (BLUE, 1, 0),
        (VERMILLION, 1, 0),
    ]
    shown = [line for line in now.lines if line.get_alpha() is None and len(line.get_xdata()) == 2]
    assert len(shown) == 3  # both lines up to now, and now itself
    with pytest.raises(ValueError, match="until must lie in 0 to 2; got 3"):
        plots.kills_over_time(recording, until=3)


@pytest.fixture
def history() -> xr.Dataset:
    rounds = 40
    loss = np.where(np.arange(rounds) < 4, np.nan, 1.0 / np.arange(1, rounds + 1))
    win = np.arange(rounds) % 2 * 1.0
    opponent = np.where(np.arange(rounds) % 2, "random", "rival")
    return xr.Dataset(
        {"loss": ("round", loss), "win": ("round", win, {"long_name": "share of games won"})},
        {
            "games": ("round", 10 * np.arange(1, rounds + 1), {"long_name": "games played"}),
            "opponent": ("round", opponent),
        },
    )


def test_evaluations_are_curves_too(history):
    results = (("evaluation", "evaluation_opponent"), [[0.0, 0.5], [0.2, 0.9], [0.6, 1.0]])
    watched = history.assign(evaluation_win=results).assign_coords(
        evaluation_games=("evaluation", [0, 50, 100]), evaluation_opponent=["pursuit", "random"]
    )
    ax = plots.learning_curve(watched, "evaluation_win")
    assert ax.get_legend_handles_labels()[1] == ["against pursuit", "against random"]
    line = ax.get_lines()[1]
    np.testing.assert_array_equal(line.get_xdata(), [0, 50, 100])
    np.testing.assert_array_equal(line.get_ydata(), [0.0, 0.2, 0.6])


def test_ratings_are_in_order_with_their_intervals():
    found = xr.Dataset(
        {
            "rating": ("team", [10.0, -50.0, 40.0], {"long_name": "rating", "units": "Elo"}),
            "rating_error": ("team", [5.0, 5.0, 5.0]),
        },
        {"team": ["mean-field-q", "random", "pursuit"]},
    )
    wide = found.assign(rating_low=found["rating"] - 20, rating_high=found["rating"] + 20)
    for ratings, half in ((found, 5), (wide, 20)):
        ax = plots.rating_points(ratings)
        labels = [each.get_text() for each in ax.get_yticklabels()]
        assert labels == ["random", "mean-field Q", "pursuit"]
        values = [each.lines[0].get_xdata()[0] for each in ax.containers]
        assert values == [-50, 10, 40]
        (segment,) = ax.containers[0].lines[2][0].get_segments()
        np.testing.assert_allclose(segment[:, 0], [-50 - half, -50 + half])
        assert ax.get_xlabel() == "rating (Elo)"


def test_one_learning_curve_an_opponent(history):
    ax = plots.learning_curve(history, "win")
    handles, labels = ax.get_legend_handles_labels()
    assert labels == ["against rival", "against random"]
    assert [set(line.get_ydata().tolist()) for line in handles] == [{0.0}, {1.0}]
    assert len({line.get_color() for line in handles}) == 2
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("games played", "share of games won")
    alone = plots.learning_curve(history.isel(round=slice(0, None, 2)), "win")
    assert alone.get_legend_handles_labels()[1] == ["against rival"]


def test_running_means_leave_out_what_is_unknown(history):
    same = history.assign_coords(opponent=("round", ["self"] * 40))
    _, ax = plt.subplots()
    assert plots.learning_curve(same, "loss", ax, window=5) is ax
    mean = np.asarray(ax.get_legend_handles_labels()[0][0].get_ydata())
    loss = same["loss"].values
    assert np.isnan(mean[:2]).all()
    assert mean[2] == loss[4]
    for middle in range(3, 40):
        around = loss[max(0, middle - 2) : middle + 3]
        assert mean[middle] == pytest.approx(np.nanmean(around))
    with pytest.raises(ValueError, match="window must be at least 1; got 0"):
        plots.learning_curve(same, "loss", window=0)
    with pytest.raises(ValueError, match="name must be one of"):
        plots.learning_curve(same, "kill")


@pytest.fixture
def rates() -> xr.Dataset:
    names = ["mean-field-q", "independent-q", "mine"]
    wins = np.array([[0, 30, 50], [15, 0, 25], [0, 25, 0]])
    games = np.where(np.eye(3, dtype=bool), 0, 50)
    dims = ("team", "opponent")
    counts = xr.Dataset(
        {"wins": (dims, wins), "games": (dims, games)}, {"team": names, "opponent": names}
    )
    return win_rates(counts)


def test_bars_with_intervals_in_groups(rates):
    ax = plots.win_rate_bars(rates)
    handles, labels = ax.get_legend_handles_labels()
    assert labels == ["mean-field Q", "independent Q", "mine"]
    assert [[bar.get_height() for bar in group] for group in handles] == [
        [0.6, 1.0],
        [0.3, 0.5],
        [0.0, 0.5],
    ]
    groups = [[round(bar.get_x() + bar.get_width() / 2) for bar in group] for group in handles]
    assert groups == [[1, 2], [0, 2], [0, 1]]
    spans = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for g in handles for bar in g)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    whiskers = handles[0].errorbar.lines[2][0].get_segments()
    low, high = whiskers[0][:, 1]
    assert low == pytest.approx(rates["win_rate_low"].values[0, 1])
    assert high == pytest.approx(rates["win_rate_high"].values[0, 1])
    ticks = [label.get_text() for label in ax.get_xticklabels()]
    assert ticks == ["against\nmean-field Q", "against\nindependent Q", "against\nmine"]
    assert ax.get_ylabel() == "share of games won"


def test_matrix_with_numbers(rates):
    _, ax = plt.subplots()
    assert plots.tournament_matrix(rates.transpose(), ax) is ax
    numbers = {tuple(text.get_position()): text.get_text() for text in ax.texts}
    assert numbers[1, 0] == "0.60"  # column: opponent, row: team
    assert numbers[0, 1] == "0.30"
    assert numbers[0, 0] == "–"
    assert len(numbers) == 9
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "mean-field Q",
        "independent Q",
        "mine",
    ]
    with pytest.raises(ValueError, match="no dims but"):
        plots.tournament_matrix(rates.expand_dims("run"))


def test_teams_of_the_battle_have_styles_of_their_own():
    names = (
        "mean-field-q", "independent-q", "actor-critic", "mean-field-actor-critic", "random",
        "pursuit",
    )  # fmt: skip
    styles = [plots.method_style(name) for name in names]
    assert len({style["color"] for style in styles}) == 6
    assert len({style["marker"] for style in styles}) == 6
    assert plots.method_label("mean-field-actor-critic") == "mean-field actor-critic"
