"""Pictures of configurations, and size distributions."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

from analysis import domain_statistics, plots, size_distribution
from analysis.plots.pictures import DOWN, UP
from isingrl import HeatBath, Ising, Lattice, simulate
from isingrl.lattice import HONEYCOMB, TRIANGULAR

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def spins(*shape, dims):
    return xr.DataArray(np.random.default_rng(1).choice([-1, 1], size=shape), dims=dims)


def colors_of(ax):
    image = ax.images[0]
    return image.to_rgba(image.get_array())[..., :3]


def test_a_snapshot_is_dark_where_spins_are_up_and_y_points_up():
    plane = spins(4, 6, dims=("x", "y"))
    ax = plots.snapshot(plane)
    pixels = colors_of(ax)
    assert pixels.shape == (6, 4, 3)
    for x in range(4):
        for y in range(6):
            expected = to_rgb(UP if plane[x, y] == 1 else DOWN)
            np.testing.assert_allclose(pixels[y, x], expected, atol=0.01)
    assert ax.images[0].origin == "lower"


def test_neighbouring_domains_are_told_apart_and_equal_ones_look_alike():
    plane = xr.DataArray(np.full((6, 6), -1), dims=("x", "y"))
    plane[1:3, 1:3] = plane[4, 4] = 1
    pixels = colors_of(plots.domain_map(plane))
    up = pixels[1, 1]
    assert (pixels[1:3, 1:3] == up).all()
    different = [tuple(pixels[0, 0]), tuple(up), tuple(pixels[4, 4])]
    assert len(set(different)) == 3


def test_a_grid_of_temperatures():
    planes = spins(5, 4, 4, dims=("temperature", "x", "y"))
    figure = plots.snapshots(planes.assign_coords(temperature=[1.0, 1.5, 2.0, 2.5, 3.0]))
    drawn = [ax for ax in figure.axes if ax.images]
    assert len(drawn) == 5
    assert "1.5" in drawn[1].get_title()
    scales = {(ax.images[0].norm.vmin, ax.images[0].norm.vmax) for ax in drawn}
    assert scales == {(-1, 1)}


def test_cubes_are_drawn_as_slices():
    cubes = spins(2, 4, 4, 8, dims=("temperature", "x", "y", "z"))
    figure = plots.snapshots(cubes.assign_coords(temperature=[4.0, 5.0]), slices=4)
    titles = [ax.get_title() for ax in figure.axes]
    assert len(titles) == 8
    assert all(f"z = {z}" in title for z, title in zip([0, 2, 4, 6] * 2, titles, strict=True))
    np.testing.assert_allclose(
        colors_of(figure.axes[5])[..., 0], np.where(cubes[1, :, :, 2].T == 1, to_rgb(UP)[0],
        to_rgb(DOWN)[0]), atol=0.01,
    )  # fmt: skip


def test_rings_are_drawn_against_time():
    rings = spins(2, 7, 16, dims=("temperature", "snapshot", "x"))
    ax = plots.snapshots(rings).axes[0]
    assert colors_of(ax).shape == (7, 16, 3)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("site", "snapshot")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: plots.snapshot(spins(2, 3, 4, dims=("chain", "x", "y"))), "two dims"),
        (lambda: plots.snapshots(spins(3, 4, 4, dims=("chain", "x", "y"))), "dim must be one of"),
        (lambda: plots.snapshots(spins(3, 4, 4, dims=("a", "x", "y")), "a", columns=0), "columns"),
        (lambda: plots.snapshots(spins(3, 4, 4, dims=("a", "x", "y")), "a", slices=0), "slices"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("value", [0, 2, np.nan])
def test_other_values_than_spins_are_no_configuration(value):
    plane = spins(1, 4, 4, dims=("temperature", "x", "y")).astype(float)
    plane[0, 1, 2] = value
    for draw in (plots.snapshot, plots.domain_map):
        with pytest.raises(ValueError, match=r"spins -1 and \+1 only; got"):
            draw(plane[0])
    with pytest.raises(ValueError, match=r"spins -1 and \+1 only; got"):
        plots.snapshots(plane)


@pytest.mark.parametrize("draw", [plots.snapshot, plots.snapshots, plots.domain_map])
def test_a_numpy_array_has_no_dims(draw):
    with pytest.raises(TypeError, match="spins must be an xarray DataArray"):
        draw(np.ones((4, 4)))


@pytest.fixture(scope="module")
def distribution():
    data = simulate(
        Ising(Lattice((16, 16))),
        HeatBath(),
        [2.27, 3.0],
        sweeps=200,
        snapshots=20,
        chains=4,
        seed=1,
    )
    return size_distribution(domain_statistics(data).sel(phase="both"))


def test_densities_count_every_domain_once(distribution):
    density = distribution["domain_density"]
    assert density.sizes["temperature"] == 2
    # every site lies in one domain: Σ s n_s = 1, up to the width of the bins
    sites = (density * density["bin_width"] * density["size_bin"]).sum("size_bin")
    np.testing.assert_allclose(sites, 1, rtol=0.1)
    assert (distribution["domain_density_error"].sel(size_bin=1.0) > 0).all()


def test_a_distribution_on_logarithmic_axes(distribution):
    at = distribution.isel(temperature=0)
    ax = plots.size_distribution(at, exponent=2.0)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert "sites" in ax.get_xlabel()
    (law,) = [line for line in ax.lines if len(line.get_xdata()) == 2]
    x, y = np.log(law.get_xdata()), np.log(law.get_ydata())
    assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx(-2)
    with pytest.raises(ValueError, match="size_bin"):
        plots.size_distribution(distribution)
    with pytest.raises(ValueError, match="'domain_density'"):
        plots.size_distribution(xr.Dataset({"energy": 1.0}))
    with pytest.raises(ValueError, match="at least one domain"):
        plots.size_distribution(at * 0)


def test_something_else_has_no_distribution():
    with pytest.raises(ValueError, match="domain_statistics"):
        size_distribution(xr.Dataset({"energy": 1.0}))
    with pytest.raises(TypeError, match="statistics must be"):
        size_distribution(spins(4, 4, dims=("x", "y")))


def test_neighbors_on_a_triangular_lattice_are_drawn_equally_near():
    lattice = Lattice((5, 6), TRIANGULAR, "free")
    ax = plots.snapshot(spins(5, 6, dims=("x", "y")).assign_coords(neighborhood=TRIANGULAR))
    (image,) = ax.images
    slant = image.get_transform() - ax.transData
    places = slant.transform(np.stack(np.indices(lattice.shape), axis=-1).reshape(-1, 2))
    distance = np.linalg.norm(places[:, None] - places[lattice.neighbors.clip(max=29)], axis=-1)
    np.testing.assert_allclose(distance[lattice.neighbors < 30], 1)
    left, right = ax.get_xlim()
    assert left < places[:, 0].min()
    assert right > places[:, 0].max()


def test_sites_of_a_honeycomb_are_triangles_that_touch_their_neighbors():
    lattice, plane = Lattice((4, 6), HONEYCOMB, "free"), spins(4, 6, dims=("x", "y"))
    ax = plots.snapshot(plane.assign_coords(neighborhood=HONEYCOMB))
    assert not ax.images
    (cells,) = ax.collections
    corners = np.array([path.vertices[:3] for path in cells.get_paths()])
    drawn = plane.transpose("y", "x").values.ravel()
    dark = cells.get_facecolors()[:, 0] < 0.5
    np.testing.assert_array_equal(dark, drawn > 0)
    order = np.arange(24).reshape(4, 6).T.ravel()  # cells go row by row of the picture
    by_site = np.empty_like(corners)
    by_site[order] = corners
    places = by_site.mean(axis=1)
    distance = np.linalg.norm(places[:, None] - places[lattice.neighbors.clip(max=23)], axis=-1)
    np.testing.assert_allclose(distance[lattice.neighbors < 24], 1)
    for site, others in enumerate(lattice.neighbors):
        for other in others[others < 24]:
            gaps = np.linalg.norm(by_site[site][:, None] - by_site[other], axis=-1)
            assert np.count_nonzero(gaps < 1e-9) == 2  # they share an edge
