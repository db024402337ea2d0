"""Pictures of states of a Potts model."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from PIL import Image, ImageSequence

from analysis import plots, thermodynamics
from analysis.plots.pictures import state_colors
from isingrl import HeatBath, Lattice, Potts, simulate

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def data():
    return simulate(
        Potts(Lattice((8, 6)), states=3), HeatBath(), [0.8, 1.5], sweeps=100, snapshots=[0, 5, 100],
        seed=1,
    )  # fmt: skip


def bars(figure):
    return [ax for ax in figure.axes if "state" in (ax.get_xlabel(), ax.get_ylabel())]


@pytest.mark.parametrize("q", [2, 3, 8, 9, 255])
def test_every_state_has_a_colour_and_the_bar_names_it(q):
    assert len(set(state_colors(q))) == q or q > 200
    states = np.resize(np.arange(q), (16, 16)).astype(np.uint8)
    ax = plots.snapshot(xr.DataArray(states, {"states": q}, ("x", "y")))
    image = ax.images[0]
    pixels = image.to_rgba(image.get_array())[..., :3]
    for x, y in ((0, 0), (0, 1), (15, 15), (7, 14)):
        np.testing.assert_allclose(pixels[y, x], to_rgb(state_colors(q)[states[x, y]]), atol=0.01)
    (bar,) = bars(ax.figure)
    ax.figure.canvas.draw()
    ticks = [int(each.get_text()) for each in bar.get_yticklabels()]
    assert ticks[:2] == [0, 1] if q < 17 else ticks[0] == 0
    assert len(ticks) == q or (q == 255 and len(ticks) == 16)


def test_a_grid_has_one_bar(data):
    figure = plots.snapshots(data.spins.isel(chain=0, snapshot=-1))
    assert len(bars(figure)) == 1
    assert not figure.legends
    assert len([ax for ax in figure.axes if ax.images]) == 2


def test_axes_that_are_given_get_no_bar(data):
    figure, ax = plt.subplots()
    plots.snapshot(data.spins.isel(temperature=0, chain=0, snapshot=0), ax)
    assert figure.axes == [ax]


def test_the_largest_domain_of_a_state_has_its_colour():
    spins = xr.DataArray(np.zeros((6, 6), np.uint8), {"states": 3}, ("x", "y"))
    spins[1:3, 1:3] = spins[4, 4] = 2
    image = plots.domain_map(spins).images[0].get_array()
    colors = state_colors(3)
    np.testing.assert_allclose(image[0, 0], to_rgb(colors[0]))
    np.testing.assert_allclose(image[1, 1], to_rgb(colors[2]))
    small, full = np.array(image[4, 4]), np.array(to_rgb(colors[2]))
    assert (small >= full).all()
    assert (small > full + 0.1).any()


def test_frames_of_an_animation(data, tmp_path):
    chosen = data.isel(temperature=0, chain=0)
    plots.animation(chosen, tmp_path / "run.gif")
    with Image.open(tmp_path / "run.gif") as file:
        frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(file)]
    assert [frame.shape for frame in frames] == [(432, 480, 3)] * 3
    for frame, spins in zip(frames, chosen["spins"].values, strict=True):
        square = frame[:, :400].astype(int)  # without the bar
        found = [
            (abs(square - 255 * np.array(to_rgb(color))).max(axis=-1) < 20).sum()
            for color in state_colors(3)
        ]
        shares = np.bincount(spins.ravel(), minlength=3) / spins.size
        np.testing.assert_allclose(np.array(found) / np.sum(found), shares, atol=0.02)


def test_what_is_no_state_is_refused(data, tmp_path):
    wrong = data.isel(temperature=0, chain=0).assign_coords(states=2)
    with pytest.raises(ValueError, match="spins must hold the states 0 to 1 only"):
        plots.snapshot(wrong.spins.isel(snapshot=0))
    with pytest.raises(ValueError, match="data: spins must hold the states 0 to 1 only"):
        plots.animation(wrong, tmp_path / "run.gif")


def test_the_order_parameter_is_drawn(data):
    ax = plots.observable(thermodynamics(data), "order_parameter")
    assert ax.get_ylabel() == "order parameter"
    coords = {"size": [4, 8], "temperature": [1.0]}
    m = xr.DataArray([[0.8], [0.7]], coords, ("size", "temperature"))
    summary = xr.Dataset({"order_parameter": m, "order_parameter_error": 0.1 * m})
    assert plots.sizes(summary, "order_parameter").get_ylabel() == "order parameter"
    fit = xr.Dataset({"critical_temperature": 1.0, "nu": 1.0, "beta_over_nu": 0.1})
    ax = plots.collapse(summary, fit.assign(order_parameter_slope=0.0), "order_parameter")
    assert "order parameter" in ax.get_ylabel()
