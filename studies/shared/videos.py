"""Videos and still frames of recorded battles."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis import plots
from analysis.plots.animations import check_video, video_file
from isingrl.support.archives import make_folder
from isingrl.support.progress import tqdm
from isingrl.support.validation import check_integer
from studies.running.files import write_figure
from studies.shared.figures import new_figure

__all__ = ["write_frames", "write_video"]


def write_video(
    recording: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    names: tuple[str, str] = ("first", "second"),
    frames_per_second: int = 8,
    progress: bool = False,
) -> None:
    """Write a video of a battle: the map, and below it the kills so far.

    Parameters
    ----------
    recording : Dataset
        As `isingrl.battle.record` returns it; every step becomes a frame.
    path : path
        File of the video, ending in .mp4 (H.264, which browsers and slides play) or .gif. An
        interrupted call leaves no file.
    names : pair of str
        Names of the first and the second team; methods get their labels of other figures.
    frames_per_second : int
        1 to 50; a GIF counts in hundredths of a second and may be a little faster or slower.
    progress : bool
        Whether to show a bar.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, the folder cannot be written to, or the recording is
        not from a battle.
    ImportError
        If imageio or imageio-ffmpeg, which an MP4 needs, is not installed.
    """
    path = check_video(path, "out")
    rate = check_integer("frames_per_second", frames_per_second, 1)
    if rate > 50:
        raise ValueError(f"frames_per_second must be 50 at most; got {rate}")
    figure = _BattleFigure(recording, names)
    make_folder(path.parent)
    with video_file(path, rate) as append:
        for step in tqdm(range(recording.sizes["step"]), unit="frame", disable=not progress):
            append(figure.pixels(step))


def write_frames(
    recording: xr.Dataset,
    folder: str | os.PathLike[str],
    steps: Iterable[int],
    *,
    names: tuple[str, str] = ("first", "second"),
) -> list[Path]:
    """Write single frames of the video of a battle as PNG files.

    Parameters
    ----------
    recording : Dataset
        As `isingrl.battle.record` returns it.
    folder : path
        Folder of the files; step 12 becomes step-0012.png.
    steps : iterable of int
        Numbers of steps, from 0.
    names : pair of str
        As in `write_video`.

    Returns
    -------
    list of Path

    Raises
    ------
    TypeError, ValueError
        If a step does not exist, the folder cannot be written to, or the recording is not from a
        battle.
    """
    figure = _BattleFigure(recording, names)
    numbers = [check_integer("step", step, 0) for step in steps]
    last = recording.sizes["step"] - 1
    for step in numbers:
        if step > last:
            raise ValueError(f"step must lie in 0 to {last}; got {step}")
    folder = Path(folder)
    make_folder(folder)
    paths = [folder / f"step-{step:04d}.png" for step in numbers]
    for step, path in zip(numbers, paths, strict=True):
        figure.draw(step)
        write_figure(figure.figure, path)
    return paths


class _BattleFigure:
    """A figure with a fixed layout that shows one step after another."""

    def __init__(self, recording: xr.Dataset, names: tuple[str, str]) -> None:
        if isinstance(names, str) or len(names) != 2:
            raise ValueError(f"names must be two; got {names!r}")
        self._recording = recording.assign_coords(side=[str(name) for name in names])
        # 720 × 912 pixels: H.264 wants multiples of 2, and codes blocks of 16
        self.figure = new_figure(figsize=(7.2, 9.12), dpi=100, layout="constrained")
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self._canvas: Any = FigureCanvasAgg(self.figure)
        self._map, self._strip = self.figure.subplots(2, height_ratios=(6, 1))
        self.draw(0)
        # not `legend_below`, because two teams may have one name
        handles, labels = self._map.get_legend_handles_labels()
        place: Any = "outside lower center"
        self.figure.legend(handles, labels, loc=place, ncols=3, frameon=False, fontsize=9)
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")  # nothing may move between frames

    def draw(self, step: int) -> None:
        """Show a step."""
        self._map.clear()
        plots.battle_frame(self._recording, step, self._map)
        self._strip.clear()
        plots.kills_over_time(self._recording, self._strip, step)

    def pixels(self, step: int) -> npt.NDArray[np.uint8]:
        """Picture of a step, shape (height, width, 3)."""
        self.draw(step)
        self._canvas.draw()
        return np.asarray(self._canvas.buffer_rgba())[..., :3]
