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
from analysis.plots.battles import SIDES
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
    """Write a video of a battle, 1280 × 720 pixels: the map, and beside it health and kills.

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
        self.figure = new_figure(figsize=(12.8, 7.2), dpi=100, layout="constrained")
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self._canvas: Any = FigureCanvasAgg(self.figure)
        grid = self.figure.add_gridspec(3, 2, width_ratios=(3, 2), height_ratios=(2, 4, 2))
        self._map = self.figure.add_subplot(grid[:, 0])
        self._health, self._strip, legend = (
            self.figure.add_subplot(grid[row, 1]) for row in range(3)
        )
        self.draw(0)
        # not `legend_below`, because two teams may have one name
        handles, labels = self._map.get_legend_handles_labels()
        legend.legend(handles, labels, loc="center", ncols=2, frameon=False, fontsize=12)
        legend.set_axis_off()
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")  # nothing may move between frames

    def draw(self, step: int) -> None:
        """Show a step."""
        self._map.clear()
        plots.battle_frame(self._recording, step, self._map)
        self._health.clear()
        self._draw_health(step)
        self._strip.clear()
        plots.kills_over_time(self._recording, self._strip, step)

    def _draw_health(self, step: int) -> None:
        """Draw the health of both teams as bars, with their names and the score."""
        at = self._recording.isel(step=step)
        sizes = (self._recording["health"].isel(step=0) > 0).sum("agent").values
        health = at["health"].sum("agent").values / sizes
        shares = at["kills"].values / sizes[::-1]
        ax = self._health
        names = [plots.method_label(str(each)) for each in at["side"].values]
        for side, name in enumerate(names):
            ax.barh(-side, 1, color=SIDES[side], alpha=0.15, height=0.45)
            ax.barh(-side, health[side], color=SIDES[side], height=0.45)
            ax.text(0, 0.28 - side, name, color=SIDES[side], fontsize=13, va="bottom")
            text = f"health {health[side]:.0%}"
            ax.text(1, 0.28 - side, text, fontsize=12, ha="right", va="bottom")
        ax.set(xlim=(0, 1), ylim=(-1.3, 0.75))
        ax.set_title(f"score {shares[0] - shares[1]:+.2f}", fontsize=14)
        ax.set_axis_off()

    def pixels(self, step: int) -> npt.NDArray[np.uint8]:
        """Picture of a step, shape (height, width, 3)."""
        self.draw(step)
        self._canvas.draw()
        return np.asarray(self._canvas.buffer_rgba())[..., :3]
