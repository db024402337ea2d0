"""Animations of small lattices: their frames, and what is refused."""

import builtins

import numpy as np
import pytest
import xarray as xr
from PIL import Image, ImageSequence

from analysis import plots
from analysis.plots.pictures import DOWN, UP
from isingrl import HeatBath, Ising, Lattice, simulate

SWEEPS = [0, 1, 2, 5, 10]


def run(neighborhood):
    return simulate(
        Ising(Lattice((4, 6), neighborhood)),
        HeatBath(),
        [2.0, 3.0],
        sweeps=10,
        snapshots=SWEEPS,
        chains=2,
        seed=1,
    )


@pytest.fixture(scope="module")
def data():
    return run("von_neumann")


def rgb(color):
    return np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)])


@pytest.mark.parametrize("neighborhood", ["von_neumann", "triangular", "honeycomb"])
def test_a_frame_a_snapshot_with_its_spins(neighborhood, tmp_path):
    chosen = run(neighborhood).isel(temperature=1, chain=0)
    path = tmp_path / "new" / "run.gif"
    plots.animation(chosen, path, frames_per_second=10)
    with Image.open(path) as file:
        frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(file)]
        assert file.info["duration"] == 100
    assert len(frames) == len(SWEEPS)
    assert [each.name for each in path.parent.iterdir()] == ["run.gif"]
    for frame, spins in zip(frames, chosen["spins"].values, strict=True):
        share = (abs(frame.astype(int) - rgb(UP)).max(axis=-1) < 20).sum()
        other = (abs(frame.astype(int) - rgb(DOWN)).max(axis=-1) < 8).sum()
        assert share / (share + other) == pytest.approx((spins == 1).mean(), abs=0.02)


@pytest.mark.parametrize(
    ("change", "title"),
    [
        (lambda d: d, r"heat bath, $T$ = 3 $J/k_\mathrm{B}$, sweep "),
        (lambda d: d.drop_vars(["sweep", "method"]), r"$T$ = 3 $J/k_\mathrm{B}$, snapshot "),
    ],
)
def test_titles_tell_what_is_known(data, tmp_path, monkeypatch, change, title):
    titles = []
    monkeypatch.setattr("matplotlib.axes.Axes.set_title", lambda _, text, **__: titles.append(text))
    plots.animation(change(data.isel(temperature=[1], chain=[0])), tmp_path / "run.gif")
    numbers = SWEEPS if title.endswith("sweep ") else range(len(SWEEPS))
    assert titles == [f"{title}{number}" for number in numbers]


def test_mp4(data, tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    from imageio_ffmpeg import count_frames_and_secs

    path = tmp_path / "run.mp4"
    plots.animation(data.isel(temperature=0, chain=0), path, frames_per_second=5)
    frames, seconds = count_frames_and_secs(path)
    assert (frames, seconds) == (len(SWEEPS), pytest.approx(1.0))
    assert list(tmp_path.iterdir()) == [path]


def test_slices_of_cubes(data, tmp_path):
    cubes = data.isel(temperature=0, chain=0).expand_dims(z=3)
    with pytest.raises(ValueError, match=r"data\.isel\(z=0\).*got the sites"):
        plots.animation(cubes, tmp_path / "run.gif")
    plots.animation(cubes.isel(z=1), tmp_path / "run.gif")
    assert (tmp_path / "run.gif").stat().st_size > 0


@pytest.mark.parametrize(
    ("change", "settings", "error", "message"),
    [
        (lambda d: d, {}, ValueError, r"one temperature; got 2: take one, as data\.isel\(temp"),
        (lambda d: d.isel(temperature=0), {}, ValueError, "one chain; got 2"),
        (lambda d: d.isel(temperature=0, chain=0, y=0), {}, ValueError, "must hold planes"),
        (lambda d: d.drop_vars("spins"), {}, ValueError, "'spins' along 'snapshot'"),
        (lambda d: d.isel(snapshot=0), {}, ValueError, "'spins' along 'snapshot'"),
        (lambda d: d["spins"], {}, TypeError, "data must be an xarray Dataset; got DataArray"),
        (
            lambda d: d.isel(temperature=0, chain=0, snapshot=slice(0)),
            {},
            ValueError,
            "at least one snapshot",
        ),
        (
            lambda d: xr.zeros_like(d.isel(temperature=0, chain=0)),
            {},
            ValueError,
            r"data: spins must hold the spins -1 and \+1 only; got the value 0",
        ),
        (
            lambda d: d.isel(temperature=0, chain=0),
            {"frames_per_second": 0},
            ValueError,
            "frames_per_second must be",
        ),
        (
            lambda d: d.isel(temperature=0, chain=0),
            {"frames_per_second": 51},
            ValueError,
            "frames_per_second must be 50 at most; got 51",
        ),
    ],
)
def test_what_cannot_be_animated_is_refused(data, tmp_path, change, settings, error, message):
    with pytest.raises(error, match=message):
        plots.animation(change(data), tmp_path / "new" / "run.gif", **settings)
    assert not list(tmp_path.iterdir())


def test_paths_that_cannot_be_written(data, tmp_path):
    chosen = data.isel(temperature=0, chain=0)
    with pytest.raises(ValueError, match=r"path must end in \.mp4 or \.gif; got 'run\.avi'"):
        plots.animation(chosen, "run.avi")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="the folder of path must be a folder that can be written"):
        plots.animation(chosen, tmp_path / "file" / "run.gif")


def test_a_file_that_was_there_stays_if_writing_fails(data, tmp_path, monkeypatch):
    path = tmp_path / "run.gif"
    path.write_bytes(b"old")

    def full(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="no space"):
        plots.animation(data.isel(temperature=0, chain=0), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("missing", ["imageio", "imageio_ffmpeg"])
def test_mp4_alone_needs_the_extra(data, tmp_path, monkeypatch, missing):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == missing:
            raise ModuleNotFoundError(name, name=name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    chosen = data.isel(temperature=0, chain=0)
    with pytest.raises(ImportError, match=r"install isingrl\[battle\]"):
        plots.animation(chosen, tmp_path / "run.mp4")
    plots.animation(chosen, tmp_path / "run.gif")
