"""Videos of configurations, one frame a snapshot."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from analysis._configurations import spin_array
from analysis.plots.configurations import snapshot, title_of
from analysis.plots.styles import method_label
from isingrl._archives import make_folder, sync
from isingrl._validation import check_choice, check_integer, check_spin_values, require

if TYPE_CHECKING:
    from matplotlib.animation import AbstractMovieWriter

__all__ = ["animation"]

_SUFFIXES = (".gif", ".mp4")
_MOST_PANELS = 12


def animation(
    spins: xr.DataArray | xr.Dataset,
    path: str | os.PathLike[str],
    *,
    frames_per_second: int = 8,
    columns: int = 4,
) -> None:
    """Write a video of planes of spins, dark where they are up, one frame a snapshot.

    The title has the method and the sweep of the frame, and the temperature, which stands above
    the panels where there are several.

    Parameters
    ----------
    spins : DataArray or Dataset
        ±1 over (..., snapshot, x, y), or a Dataset with such a variable ``spins``, as
        `isingrl.simulate` returns it. Other dims become panels, 12 at most, so that one selects a
        chain or a few temperatures before.
    path : path
        Of the video, written whole or not at all; ending in .gif, or in .mp4 (H.264), which
        needs the package imageio-ffmpeg of the extra ``battle``.
    frames_per_second : int
        1 to 50.
    columns : int
        Panels in a row.

    Raises
    ------
    TypeError, ValueError
        If `spins` has other dims, too many panels or other values than ±1, another argument is
        not as described, or the folder cannot be written to.
    ImportError
        If imageio-ffmpeg is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import isingrl as irl
    >>> from analysis import plots
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), [1.0, 3.0], sweeps=4, snapshots=[0, 4], seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     plots.animation(data, Path(folder) / "quench.gif")
    ...     print((Path(folder) / "quench.gif").stat().st_size > 0)
    True
    """
    array = spin_array(spins)
    path = Path(path)
    rate = check_integer("frames_per_second", frames_per_second, 1)
    if rate > 50:
        raise ValueError(f"frames_per_second must be 50 at most; got {rate}")
    check_choice("path: its end", path.suffix, _SUFFIXES)
    missing = {"snapshot", "x", "y"} - set(array.dims)
    if missing or "z" in array.dims or not array.size:
        raise ValueError(
            f"spins must have the dims (..., snapshot, x, y) and at least one snapshot; got "
            f"{dict(array.sizes)} (of cubes, select one z)"
        )
    check_spin_values("spins", array.values)
    panels = _panels(array)
    if len(panels) > _MOST_PANELS:
        raise ValueError(
            f"spins must have {_MOST_PANELS} panels at most; got {len(panels)} (select, for "
            "example, one chain: data.isel(chain=0))"
        )
    writer = _writer(path.suffix, rate)
    make_folder(path.parent)
    scratch = path.with_name(f".{path.stem}.{os.getpid()}.scratch{path.suffix}")
    try:
        _write(
            array, panels, min(check_integer("columns", columns, 1), len(panels)), writer, scratch
        )
        sync(scratch)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _panels(array: xr.DataArray) -> list[xr.DataArray]:
    """One history for each combination of the other dims, the first of them outermost."""
    others = [dim for dim in array.dims if dim not in ("snapshot", "x", "y")]
    lengths = [array.sizes[dim] for dim in others]
    return [
        array.isel(dict(zip(others, places, strict=True))).transpose("snapshot", "x", "y")
        for places in np.ndindex(*lengths)
    ]


def _writer(suffix: str, rate: int) -> AbstractMovieWriter:
    from matplotlib.animation import FFMpegWriter, PillowWriter

    if suffix == ".gif":
        return PillowWriter(fps=rate)
    ffmpeg = require("imageio_ffmpeg", "videos that end in .mp4 need", "battle")

    class Bundled(FFMpegWriter):
        """The program that imageio-ffmpeg brings, whatever the settings of Matplotlib are."""

        @classmethod
        def bin_path(cls) -> str:
            return str(ffmpeg.get_ffmpeg_exe())

    return Bundled(fps=rate, codec="libx264", extra_args=["-pix_fmt", "yuv420p"])


def _write(
    array: xr.DataArray,
    panels: list[xr.DataArray],
    columns: int,
    writer: AbstractMovieWriter,
    path: Path,
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-len(panels) // columns)
    # an even number of pixels, which H.264 needs
    width, height = max(2.2 * columns, 4.0), 2.4 * rows + 0.6
    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    images = []
    for ax, panel in zip(axes.flat, panels, strict=False):
        images.append(snapshot(panel.isel(snapshot=0), ax).images[0])
        if len(panels) > 1:
            ax.set_title(_panel_title(panel, array), fontsize=9)
    titles = _frame_titles(array)
    title = figure.suptitle(titles[-1], fontsize=10)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # nothing may move between frames
    with writer.saving(figure, str(path), dpi=100):
        for k, text in enumerate(titles):
            for image, panel in zip(images, panels, strict=True):
                image.set_data(panel.isel(snapshot=k).transpose("y", "x").values)
            title.set_text(text)
            writer.grab_frame()


def _panel_title(panel: xr.DataArray, array: xr.DataArray) -> str:
    """Values of what the panels differ in."""
    sizes = {dim: size for dim, size in array.sizes.items() if dim not in ("snapshot", "x", "y")}
    differing = [dim for dim, size in sizes.items() if size > 1]
    return ", ".join(title_of(panel[dim]) for dim in differing if dim in panel.coords)


def _frame_titles(array: xr.DataArray) -> list[str]:
    """Method, temperature and sweep of every frame, as far as they are one and known."""
    known = []
    if "method" in array.coords and array["method"].ndim == 0:
        known.append(method_label(str(array["method"].item())))
    if "temperature" in array.coords and array["temperature"].size == 1:
        known.append(title_of(array["temperature"].squeeze()))
    name = "sweep" if "sweep" in array.coords else "snapshot"
    times = np.atleast_1d(array[name].values) if name in array.coords else None
    if times is None or times.shape != (array.sizes["snapshot"],):
        name, times = "frame", np.arange(array.sizes["snapshot"])
    return [", ".join([*known, f"{name} {time:g}"]) for time in times.tolist()]
