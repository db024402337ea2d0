"""Videos and frames of a small battle made by hand."""

import builtins
import gc
import warnings
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

from studies.shared.videos import write_frames, write_video

imageio = pytest.importorskip("imageio.v2")
pytest.importorskip("imageio_ffmpeg")


@pytest.fixture(scope="module")
def recording():
    """A walk of two agents against one, which falls at the end."""
    steps = 5
    dims = ("step", "side", "agent")
    x = np.zeros((steps, 2, 2), int)
    x[:, 0] = 1 + np.arange(steps)[:, None]
    x[:, 1] = 7
    y = np.broadcast_to([[2, 5], [5, 0]], x.shape)
    health = np.ones(x.shape) * [[1, 1], [1, 0]]
    health[-1, 1] = 0
    kills = np.zeros((steps, 2), int)
    kills[-1, 0] = 1
    return xr.Dataset(
        {
            "x": (dims, x),
            "y": (dims, y),
            "health": (dims, health),
            "action": (dims, np.full(x.shape, 6)),
            "kills": (("step", "side"), kills, {"long_name": "foes killed", "units": "1"}),
        },
        {"side": ["first", "second"]},
        {"map_size": 9},
    )


def read(path):
    with warnings.catch_warnings():
        # imageio's reader of mp4, which only the tests use, leaves its pipes to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        with imageio.get_reader(path) as reader:
            number = reader.count_frames() if path.suffix == ".mp4" else len(reader)
            frames = [np.asarray(reader.get_data(k))[..., :3] for k in range(number)]
            about = reader.get_meta_data()
        del reader
        gc.collect()
    return frames, about


def share(frame, color):
    """Share of pixels that are nearly of a colour."""
    return (abs(frame.astype(int) - color).max(axis=-1) < 40).mean()


@pytest.fixture(scope="module")
def gif(recording, tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "new" / "battle.gif"
    write_video(recording, path, names=("mean-field-q", "random"), frames_per_second=10)
    return path


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_a_frame_a_step(recording, gif, tmp_path, suffix):
    path = gif
    if suffix == "mp4":
        path = tmp_path / "new" / "battle.mp4"
        write_video(recording, path, names=("mean-field-q", "random"), frames_per_second=10)
    frames, about = read(path)
    assert len(frames) == recording.sizes["step"]
    assert frames[0].shape == (720, 1280, 3)
    assert [each.name for each in path.parent.iterdir()] == [path.name]  # nothing else is left
    blue, vermillion = (0, 114, 178), (213, 94, 0)
    of_map = [frame[:, :720] for frame in frames]
    health = [frame[:240, 760:] for frame in frames]
    assert share(health[0], blue) == pytest.approx(share(health[0], vermillion), rel=0.1)
    assert share(health[-1], vermillion) < 0.2 * share(health[-1], blue)
    assert share(of_map[0], blue) == pytest.approx(2 * share(of_map[0], vermillion), rel=0.25)
    assert share(of_map[-1], vermillion) < 0.4 * share(of_map[0], vermillion)
    differ = [abs(a.astype(int) - b).max() for a, b in pairwise(frames)]
    assert min(differ) > 100  # every frame is drawn anew
    if suffix == "mp4":
        assert about["fps"] == 10
        assert about["codec"].startswith("h264")
        assert about["pix_fmt"].startswith("yuv420p")
    else:
        assert about["duration"] == 100


def test_nothing_moves_between_frames(gif):
    frames, _ = read(gif)
    bottom = [frame[-60:].astype(int) for frame in frames]  # the legend
    assert np.ptp(bottom[0]) > 200
    assert all(abs(each - bottom[0]).max() < 30 for each in bottom)  # every frame has a palette


def test_single_frames(recording, tmp_path):
    paths = write_frames(recording, tmp_path / "frames", [0, 4])
    assert [path.name for path in paths] == ["step-0000.png", "step-0004.png"]
    images = [imageio.imread(path) for path in paths]
    assert images[0].shape == images[1].shape
    assert (images[0] != images[1]).any()
    with pytest.raises(ValueError, match="step must lie in 0 to 4; got 5"):
        write_frames(recording, tmp_path, [0, 5])
    with pytest.raises(ValueError, match="step must be an integer of at least 0; got -1"):
        write_frames(recording, tmp_path, [-1])
    assert [each.name for each in tmp_path.iterdir()] == ["frames"]


def test_other_suffixes_are_refused_before_any_work(tmp_path):
    with pytest.raises(ValueError, match=r"out must end in \.mp4 or \.gif; got '.*battle\.avi'"):
        write_video(None, tmp_path / "new" / "battle.avi")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"frames_per_second": 0}, ValueError, "frames_per_second must be an integer of at least"),
        ({"frames_per_second": 2.5}, TypeError, "frames_per_second must be an integer"),
        ({"frames_per_second": 60}, ValueError, "frames_per_second must be 50 at most; got 60"),
        ({"names": ("one",)}, ValueError, r"names must be two; got \('one',\)"),
        ({"names": "ab"}, ValueError, "names must be two; got 'ab'"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_bad_arguments(recording, tmp_path, given, error, message):
    with pytest.raises(error, match=message):
        write_video(recording, tmp_path / "battle.mp4", **given)
    assert not list(tmp_path.iterdir())


def test_what_is_no_battle_leaves_nothing(recording, tmp_path):
    with pytest.raises(ValueError, match="got 'health'"):
        write_video(recording.drop_vars("health"), tmp_path / "battle.mp4")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="out must be a folder that can be written to"):
        write_video(recording, tmp_path / "file" / "battle.mp4")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("missing", ["imageio", "imageio_ffmpeg"])
def test_without_imageio(recording, tmp_path, monkeypatch, missing):
    known = builtins.__import__

    def without(name, *rest, **more):
        if name == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return known(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"install isingrl\[battle\]"):
        write_video(recording, tmp_path / "battle.mp4")
