"""Videos of configurations: what every frame shows, and what is refused."""

import sys

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from analysis import plots
from analysis.plots.animations import _frame_titles, _panel_title, _panels
from isingrl import HeatBath, Ising, Lattice, simulate


@pytest.fixture(scope="module")
def data():
    model = Ising(Lattice((16, 16)))
    return simulate(model, HeatBath(), [1.0, 3.0], sweeps=9, snapshots=[0, 3, 9], chains=2, seed=1)


def frames(path):
    with Image.open(path) as video:
        for k in range(video.n_frames):
            video.seek(k)
            yield np.asarray(video.convert("L"), dtype=float)


def test_every_snapshot_is_a_frame(data, tmp_path):
    path = tmp_path / "new" / "quench.gif"
    up = xr.ones_like(data.spins.isel(temperature=0, chain=0))
    up[1] = -1  # dark, paper, dark
    plots.animation(up, path)
    brightness = [frame.mean() for frame in frames(path)]
    assert len(brightness) == 3
    assert brightness[1] > brightness[0] + 50
    assert brightness[1] > brightness[2] + 50
    assert [each.name for each in path.parent.iterdir()] == ["quench.gif"]


def test_titles_name_method_temperature_and_sweep(data):
    one = data.spins.isel(temperature=0)
    assert _frame_titles(one) == [
        rf"heat bath, $T$ = 1 $J/k_\mathrm{{B}}$, sweep {sweep}" for sweep in (0, 3, 9)
    ]
    several = data.spins.isel(chain=[0])
    assert _frame_titles(several)[-1] == "heat bath, sweep 9"
    titles = [_panel_title(panel, several) for panel in _panels(several)]
    assert titles == [rf"$T$ = {t} $J/k_\mathrm{{B}}$" for t in (1, 3)]
    bare = xr.DataArray(np.ones((2, 4, 4)), dims=("snapshot", "x", "y"))
    assert _frame_titles(bare) == ["frame 0", "frame 1"]


def test_a_panel_shows_its_own_spins(data):
    panels = _panels(data.spins.transpose("x", "snapshot", "chain", "temperature", "y"))
    assert len(panels) == 4
    chosen = data.spins.sel(chain=0, temperature=3.0)
    np.testing.assert_array_equal(panels[1], chosen.transpose("snapshot", "x", "y"))


def test_an_mp4_is_written_by_the_program_of_the_extra(data, tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    plots.animation(data, tmp_path / "a.mp4")
    assert b"ftyp" in (tmp_path / "a.mp4").read_bytes()[:16]


def test_a_missing_program_names_its_extra_and_leaves_what_is_there(data, tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    path.write_text("before")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(
        ImportError, match=r"need imageio_ffmpeg, which the extra isingrl\[battle\]"
    ):
        plots.animation(data, path)
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda s: s.isel(snapshot=0), {}, "dims"),
        (lambda s: s.rename(y="z"), {}, "dims"),
        (lambda s: s.isel(snapshot=slice(0)), {}, "at least one snapshot"),
        (lambda s: s * 0, {}, "-1 and \\+1 only"),
        (lambda s: s.isel(chain=[0] * 7), {}, "12 panels at most; got 14"),
        (lambda s: s, {"frames_per_second": 51}, "frames_per_second must be 50 at most"),
        (lambda s: s, {"columns": 0}, "columns must be"),
        (lambda s: s, {"path": "a.avi"}, "path: its end must be one of '.gif', '.mp4'; got '.avi'"),
    ],
)
def test_what_cannot_be_animated_is_refused(data, tmp_path, change, options, message):
    path = tmp_path / options.pop("path", "a.gif")
    with pytest.raises(ValueError, match=message):
        plots.animation(change(data.spins), path, **options)
    assert not list(tmp_path.iterdir())
