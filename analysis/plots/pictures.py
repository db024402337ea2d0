"""Configurations of spins as pictures: snapshots and maps of their domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis._configurations import SITES, check_spins, spin_array
from analysis._parameters import parameter, states_of
from analysis.domains import domain_table, label_domains
from analysis.plots.axes import axis_label, new_axes
from isingrl.lattice import HONEYCOMB, TRIANGULAR

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = ["domain_map", "snapshot", "snapshots"]

UP, DOWN = "#16324f", "#f3efe6"  # dark on paper
# of the states of a Potts model: light and dark in turn, which readers tell apart without colour
_STATES = (
    "#0072B2", "#F0E442", "#D55E00", "#56B4E9", "#000000", "#CC79A7", "#009E73", "#E69F00",
)  # fmt: skip
_TICKS = 16  # states that a colour bar names at the most
_LARGEST = {1: "#D55E00", -1: "#0072B2"}
_SHADES = {1: ("#fbd9bd", "#e8a06a"), -1: ("#d6e6f2", "#86b4d6")}


def snapshot(spins: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Draw one configuration, dark where spins are up.

    The states of a Potts model have a colour each, which a colour bar names if `ax` is omitted.

    Parameters
    ----------
    spins : DataArray
        ±1 over (x, y), of a plane or a slice; or over (DIM, x), of a ring, with another dim such
        as ``snapshot``, which runs upwards. States 0 … q - 1 of a Potts model have the coordinate
        ``states`` q. On a triangular or a honeycomb lattice all neighbours are drawn equally near.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        If `spins` is no DataArray with two dims, or holds other values.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import plots
    >>> spins = xr.DataArray([[1, 1, -1, -1]] * 2 + [[-1] * 4] * 2, dims=("x", "y"))
    >>> ax = plots.snapshot(spins)
    >>> ax.images[0].get_array().tolist()
    [[1, 1, -1, -1], [1, 1, -1, -1], [-1, -1, -1, -1], [-1, -1, -1, -1]]
    """
    spins = spin_array(spins)
    image, states = _image(spins), states_of(spins)
    check_spins("spins", image, states)
    known, ax = ax, new_axes(ax)
    _draw(ax, image, spins, **_scale(states))
    if known is None and states is not None:
        state_bar(ax.figure, states, ax=ax)
    return _without_ticks(ax, spins)


def domain_map(
    spins: xr.DataArray,
    neighborhood: str | None = None,
    boundary: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the domains of a plane: warm colours up, cold ones down, the largest in full colour.

    Domains of a Potts model have shades of the colours of `snapshot`.

    Parameters
    ----------
    spins : DataArray
        As for `analysis.label_domains`, over (x, y).
    neighborhood, boundary : str, optional
        As for `analysis.label_domains`.
    ax : Axes, optional
        The axes to draw on; new ones if omitted.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    TypeError, ValueError
        As `analysis.label_domains`, or if `spins` does not have two dims.

    Examples
    --------
    >>> import xarray as xr
    >>> from analysis import plots
    >>> spins = xr.DataArray([[1, 1, -1, -1]] * 2 + [[-1] * 4] * 2, dims=("x", "y"))
    >>> ax = plots.domain_map(spins)
    >>> ax.images[0].get_array().shape
    (4, 4, 3)
    """
    from matplotlib.colors import to_rgb

    spins = spin_array(spins)
    labels = label_domains(spins, neighborhood, boundary)
    image = _image(labels)
    ax = new_axes(ax)
    table = domain_table(spins, neighborhood, boundary)
    # a fixed stream of random shades: the same configuration gives the same picture
    mixed = np.random.default_rng(0).random(table.sizes["domain"])[:, None]
    colors = np.empty((mixed.size, 3))
    full, shades = _LARGEST, _SHADES
    states = states_of(spins)
    if states is not None:
        full = dict(enumerate(state_colors(states)))
        shades = {spin: (_paler(color, 0.75), _paler(color, 0.4)) for spin, color in full.items()}
    for spin, ends in shades.items():
        own = (table["spin"] == spin).values
        first, last = (np.array(to_rgb(end)) for end in ends)
        colors[own] = first + mixed[own] * (last - first)
        if own.any():
            largest = int(np.argmax(table["size"].values * own))
            colors[largest] = to_rgb(full[spin])
    _draw(ax, colors[image], spins, neighborhood)
    return _without_ticks(ax, spins)


def snapshots(
    spins: xr.DataArray, dim: str = "temperature", *, columns: int = 4, slices: int = 4
) -> Figure:
    r"""Draw a grid of configurations on one scale, as one prints them.

    Parameters
    ----------
    spins : DataArray
        As for `snapshot`, over `dim` and (x, y) of planes; (x, y, z) of cubes, each a row of slices
        along z; or (another dim, x) of rings.
    dim : str
        Dim of the panels; its coordinate stands above them.
    columns : int
        Number of panels in a row, for planes and rings.
    slices : int
        Number of slices of each cube.

    Returns
    -------
    Figure
        With a legend below, or a colour bar of the states of a Potts model.

    Raises
    ------
    TypeError, ValueError
        If `spins` is no DataArray, has other dims or values, or a number is not positive.

    Examples
    --------
    >>> import isingrl as irl
    >>> from analysis import plots
    >>> model = irl.Ising(irl.Lattice((8, 8)))
    >>> data = irl.simulate(model, irl.HeatBath(), [1.0, 5.0], sweeps=10, snapshots=1, seed=1)
    >>> figure = plots.snapshots(data.spins.isel(chain=0, snapshot=0))
    >>> print([ax.get_title() for ax in figure.axes][0])
    $T$ = 1 $J/k_\mathrm{B}$
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    spins = spin_array(spins)
    if dim not in spins.dims:
        raise ValueError(f"dim must be one of {spins.dims}; got {dim!r}")
    for name, number in (("columns", columns), ("slices", slices)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1; got {number}")
    cuts: list[int | None] = [None]
    if "z" in spins.dims:
        places = np.linspace(0, spins.sizes["z"], slices, endpoint=False).astype(int)
        cuts = np.unique(places).tolist()
    panels = [(point, cut) for point in range(spins.sizes[dim]) for cut in cuts]
    columns = len(cuts) if "z" in spins.dims else min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.1 * columns, 2.25 * rows + 0.4), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, (point, cut) in zip(axes.flat, panels, strict=False):
        chosen = spins.isel({dim: point})
        snapshot(chosen if cut is None else chosen.isel(z=cut), ax)
        title = title_of(chosen[dim]) if dim in spins.coords else f"{dim} {point}"
        ax.set_title(title if cut is None else f"{title}, z = {cut}", fontsize=9)
    states = states_of(spins)
    if states is not None:
        state_bar(figure, states, ax=axes, location="bottom", shrink=0.6, aspect=30)
        return figure
    patches = [
        Patch(facecolor=color, edgecolor="0.4", label=label)
        for color, label in ((UP, "spin up"), (DOWN, "spin down"))
    ]
    place: Any = "outside lower center"
    figure.legend(handles=patches, loc=place, ncols=2, frameon=False, fontsize=9)
    return figure


def state_colors(states: int) -> list[str]:
    """Colours of the states of a Potts model; of many states they can hardly be told apart."""
    if states <= len(_STATES):
        return list(_STATES[:states])
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(color) for color in colormaps["turbo"](np.linspace(0.0, 1.0, states))]


def state_bar(figure: Any, states: int, **place: Any) -> Colorbar:
    """Add a colour bar of the states of a Potts model; `place` as for ``Figure.colorbar``."""
    from matplotlib.cm import ScalarMappable

    scale = ScalarMappable()
    scale.set_cmap(_scale(states)["cmap"])
    scale.set_clim(-0.5, states - 0.5)
    shown = range(0, states, -(-states // _TICKS))
    bar: Colorbar = figure.colorbar(scale, ticks=list(shown), label="state", **place)
    bar.ax.tick_params(length=0, which="both")
    return bar


def _scale(states: int | None) -> dict[str, Any]:
    """Colours of spins, as keyword arguments of ``Axes.imshow``."""
    from matplotlib.colors import ListedColormap

    if states is None:
        return {"cmap": ListedColormap([DOWN, UP]), "vmin": -1, "vmax": 1}
    return {"cmap": ListedColormap(state_colors(states)), "vmin": -0.5, "vmax": states - 0.5}


def _paler(color: str, share: float) -> Any:
    """Mix a colour with a share of white."""
    from matplotlib.colors import to_rgb

    return tuple(share + (1 - share) * np.array(to_rgb(color)))


_PIXELS: dict[str, Any] = {"interpolation": "nearest", "origin": "lower"}


def _draw(
    ax: Axes,
    image: npt.NDArray[Any],
    spins: xr.DataArray,
    neighborhood: str | None = None,
    **settings: Any,
) -> None:
    """Draw a pixel a site; parallelograms on a triangular lattice, triangles on a honeycomb."""
    picture = ax.imshow(image, **_PIXELS, **settings)
    known = parameter(spins, "neighborhood")
    if neighborhood is None and known is not None and known.ndim == 0:
        neighborhood = known.item()
    if not set(spins.dims) <= set(SITES):
        return
    if neighborhood == TRIANGULAR:
        _slant(ax, picture)
    elif neighborhood == HONEYCOMB:
        _triangulate(ax, picture)


def _slant(ax: Axes, picture: AxesImage) -> None:
    """Turn the first axis by 120° from the second, so that six sites are equally near."""
    from matplotlib.transforms import Affine2D

    slant = Affine2D.from_values(1.0, 0.0, -0.5, 0.75**0.5, 0.0, 0.0)
    left, right, low, high = picture.get_extent()
    picture.set_transform(slant + ax.transData)
    corners = slant.transform([(x, y) for x in (left, right) for y in (low, high)])
    (left, low), (right, high) = corners.min(axis=0), corners.max(axis=0)
    ax.set(xlim=(left, right), ylim=(low, high), frame_on=False)


def _triangulate(ax: Axes, picture: AxesImage) -> None:
    """Draw the triangle around each site of a honeycomb instead of the pixels of a brick wall."""
    from matplotlib.collections import PolyCollection

    values = np.asarray(picture.get_array())
    colors = picture.to_rgba(values).reshape(-1, 4)
    y, x = np.indices(values.shape[:2]).reshape(2, -1)
    picture.remove()
    odd = (x + y) % 2
    centre = np.stack([1.5 * x - 0.5 * odd, 0.75**0.5 * y], axis=1)
    angle = np.pi / 3 * (1 - odd[:, None] + [0, 2, 4])  # between the bonds of the site
    corners = centre[:, None] + np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    ax.add_collection(PolyCollection(corners, facecolors=colors, edgecolors=colors, linewidths=0.4))
    ax.set(xlim=(corners[..., 0].min(), corners[..., 0].max()), frame_on=False)
    ax.set(ylim=(corners[..., 1].min(), corners[..., 1].max()), aspect="equal")


def _image(values: xr.DataArray) -> npt.NDArray[Any]:
    """Values with the horizontal axis last: y against x, or time against x."""
    if values.ndim != 2 or "x" not in values.dims:
        raise ValueError(f"spins must have two dims, x among them, to be drawn; got {values.dims}")
    return values.transpose(..., "x").values


def _without_ticks(ax: Axes, spins: xr.DataArray) -> Axes:
    """Remove the ticks; sites of a plane stay square, and a history fills its axes."""
    ax.set(xticks=[], yticks=[])
    other = next(str(dim) for dim in spins.dims if dim != "x")
    if other not in SITES:
        ax.set_aspect("auto")
        ax.set(xlabel="site", ylabel=other)
    return ax


def title_of(value: xr.DataArray) -> str:
    """Name, value and units of a scalar coordinate."""
    if value.name == "temperature":
        return rf"$T$ = {value.item():.4g} $J/k_\mathrm{{B}}$"
    text = value.item() if isinstance(value.item(), str) else f"{value.item():.4g}"
    return f"{axis_label(value)} = {text}"
