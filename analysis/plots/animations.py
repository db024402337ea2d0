"""Configurations of a run as an animation, and files of frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis._configurations import SITES, check_spins
from analysis._parameters import check_dataset, states_of
from analysis.plots.pictures import snapshot, state_bar, title_of
from analysis.plots.styles import style_of
from isingrl.support.archives import make_folder, replacing
from isingrl.support.validation import check_integer

__all__ = ["animation"]

Pixels = npt.NDArray[np.uint8]

_SUFFIXES = (".mp4", ".gif")
_FASTEST = 50


def animation(
    data: xr.Dataset, path: str | os.PathLike[str], *, frames_per_second: int = 8
) -> None:
    """Write an animation of the configurations of one chain: a frame for each snapshot.

    The title shows the method, the temperature and the sweep. States of a Potts model have a colour
    bar.

    Parameters
    ----------
    data : Dataset
        From `isingrl.simulate` with ``snapshots``: ``spins`` of a plane, or of a slice of a cube,
        along ``snapshot``. Other dims, such as ``temperature`` and ``chain``, must have the length
        1; ``data.isel(temperature=0, chain=0)`` takes one of several.
    path : path
        The file, ending in .gif or .mp4 (H.264, which needs the extra ``battle``). It is written
        completely or not at all.
    frames_per_second : int
        1 to 50. A GIF counts in hundredths of a second and may be slightly faster or slower.

    Raises
    ------
    TypeError
        If `data` is no Dataset, or `frames_per_second` no integer.
    ValueError
        If `data` lacks ``spins`` or ``snapshot``, or holds several chains or temperatures, or
        values that are no spins; if `path` has another ending or its folder cannot be written to;
        or if `frames_per_second` is out of range.
    ImportError
        If `path` is an MP4, and imageio or imageio-ffmpeg is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import isingrl as irl
    >>> from analysis import plots
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), 2.0, sweeps=10, snapshots=[0, 1, 10], seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plots.animation(data, f"{folder}/quench.gif")
    """
    path = check_video(path, "path")
    frames = _frames(data)
    rate = check_integer("frames_per_second", frames_per_second, 1)
    if rate > _FASTEST:
        raise ValueError(f"frames_per_second must be {_FASTEST} at most; got {rate}")
    make_folder(path.parent, "the folder of path")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    spins = frames["spins"]
    states = states_of(spins)
    # 400 or 480 × 432 pixels: H.264 needs multiples of 2 and codes blocks of 16
    width, height = (4.0 if states is None else 4.8), 4.32
    figure = Figure(figsize=(width, height), dpi=100)
    canvas: Any = FigureCanvasAgg(figure)
    side, edge = 0.92 * 4.0, 0.04 * 4.0
    ax = figure.add_axes((edge / width, 0.04, side / width, side / height))
    if states is not None:
        beside = (edge + side + 0.1) / width, 0.04, 0.15 / width, side / height
        state_bar(figure, states, cax=figure.add_axes(beside))
    with video_file(path, rate) as append:
        for number in range(spins.sizes["snapshot"]):
            frame = frames.isel(snapshot=number)
            ax.clear()
            snapshot(frame["spins"], ax)
            ax.set_title(_title(frame, number), fontsize=10)
            canvas.draw()
            append(np.array(canvas.buffer_rgba())[..., :3])


def check_video(path: str | os.PathLike[str], name: str) -> Path:
    """Return the path of a video, an argument `name`, if its kind is known and can be written."""
    path = Path(path)
    if path.suffix not in _SUFFIXES:
        raise ValueError(f"{name} must end in {' or '.join(_SUFFIXES)}; got {str(path)!r}")
    for module in ("imageio", "imageio_ffmpeg") if path.suffix == ".mp4" else ():
        try:
            __import__(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            raise ImportError(
                f"MP4 videos need {module.replace('_', '-')}; install isingrl[battle], or write a "
                ".gif"
            ) from error
    return path


@contextmanager
def video_file(path: Path, rate: int) -> Iterator[Callable[[Pixels], None]]:
    """Yield a function that appends a frame to a video in an existing folder.

    A frame has the shape (height, width, 3) with even sides, and `rate` counts frames per second.
    After an error no file is left.
    """
    with replacing(path) as scratch:
        if path.suffix == ".gif":
            yield from _gif(scratch, rate)
        else:
            yield from _mp4(scratch, rate)


def _gif(path: Path, rate: int) -> Iterator[Callable[[Pixels], None]]:
    from PIL import Image

    images: list[Any] = []
    palette = Image.Palette.ADAPTIVE  # needs a third of the memory
    yield lambda pixels: images.append(Image.fromarray(pixels).convert("P", palette=palette))
    images[0].save(path, save_all=True, append_images=images[1:], duration=1000 / rate, loop=0)


def _mp4(path: Path, rate: int) -> Iterator[Callable[[Pixels], None]]:
    from imageio import v2 as imageio

    settings: dict[str, Any] = {
        "format": "FFMPEG", "fps": rate, "codec": "libx264", "pixelformat": "yuv420p",
        "macro_block_size": 2, "quality": 8,
    }  # fmt: skip
    writer: Any = imageio.get_writer(path, **settings)
    with writer:
        yield writer.append_data


def _frames(data: Any) -> xr.Dataset:
    """Spins over ``snapshot`` and two dims of sites, with the coordinates for titles."""
    found = check_dataset("data", data)
    if "spins" not in found or "snapshot" not in found["spins"].dims:
        raise ValueError(
            "data must have 'spins' along 'snapshot', as isingrl.simulate makes them with "
            f"snapshots=; got {sorted(map(str, found))}"
        )
    frames = found[["spins"]]
    for dim, length in frames.sizes.items():
        if dim == "snapshot" or dim in SITES:
            continue
        if length != 1:
            raise ValueError(
                f"data must hold one {dim}; got {length}: take one, as data.isel({dim}=0) does"
            )
        frames = frames.squeeze(dim)
    sites = [str(dim) for dim in frames["spins"].dims if dim in SITES]
    if len(sites) != 2 or "x" not in sites:
        raise ValueError(
            f"data must hold planes, or slices of cubes as data.isel(z=0) takes them; got the "
            f"sites {tuple(sites)}"
        )
    if not frames["spins"].size:
        raise ValueError("data must hold at least one snapshot; it holds none")
    check_spins("data: spins", frames["spins"].values, states_of(frames["spins"]))
    return frames


def _title(frame: xr.Dataset, number: int) -> str:
    """Method, temperature and time, as far as the frame has them."""
    parts = [style_of(frame, 0).label] if "method" in frame.coords else []
    if "temperature" in frame.coords:
        parts.append(title_of(frame["temperature"]))
    known = "sweep" in frame.coords
    parts.append(f"sweep {frame['sweep'].item()}" if known else f"snapshot {number}")
    return ", ".join(parts)
