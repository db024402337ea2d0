"""Figures of correlations: what is drawn where, and with which labels."""

import matplotlib
import numpy as np
import pytest
import xarray as xr

from analysis.correlations import domain_length, growth_law, spin_correlation, structure_factor
from analysis.plots import correlations as plots

matplotlib.use("agg")
pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short
TIMES = np.array([1, 2, 4, 8, 16, 32, 64, 128])


@pytest.fixture(scope="module")
def spins():
    rng = np.random.default_rng(4)
    return xr.DataArray(
        rng.choice([-1, 1], size=(2, 20, 12, 10)), dims=("chain", "snapshot", "x", "y")
    ).assign_coords(method="heat-bath")


def marks(ax):
    """Points of the first errorbar, and the ends of its bars."""
    container = ax.containers[0]
    return container[0].get_xydata(), container[2][0].get_segments()


def test_correlations_have_error_bars_and_labels(spins):
    found = spin_correlation(spins)
    ax = plots.spin_correlation(found)
    points, bars = marks(ax)
    np.testing.assert_allclose(points[:, 0], found["radius"])
    np.testing.assert_allclose(points[:, 1], found["radial_correlation"])
    error = found["radial_correlation_error"].values
    known = np.isfinite(error)  # a spin agrees with itself: nothing varies at distance 0
    lengths = [np.ptp(bar[:, 1]) for bar, drawn in zip(bars, known, strict=True) if drawn]
    np.testing.assert_allclose(lengths, 2 * error[known], atol=1e-12)
    assert known[1:].all()
    assert ax.get_xlabel() == "distance (lattice spacings)"
    assert ax.get_ylabel() == "spin correlation"
    assert ax.get_legend_handles_labels()[1] == ["heat bath"]
    with pytest.raises(ValueError, match="radius"):
        plots.spin_correlation(spin_correlation(spins, dims=()))


def test_a_structure_factor_on_logarithmic_axes_without_zero(spins):
    found = structure_factor(spins)
    ax = plots.structure_factor(found)
    points, _ = marks(ax)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    np.testing.assert_allclose(points[:, 0], found["wave_number"][1:])
    assert ax.get_xlabel() == "wave number (1/lattice spacing)"
    assert ax.get_ylabel() == "structure factor, $S(k)$"


def test_a_scaled_structure_factor(spins):
    found = structure_factor(spins)
    points, _ = marks(plots.structure_factor(found, length=3.0, label="scaled"))
    np.testing.assert_allclose(points[:, 0], 3 * found["wave_number"][1:])
    np.testing.assert_allclose(points[:, 1], found["structure_factor"][1:] / 9)
    assert "wave_number" in found.coords
    np.testing.assert_allclose(found["wave_number"][0], 0)  # what was given is left as it was
    for length in (0, -1.0, np.nan):
        with pytest.raises(ValueError, match="length must be"):
            plots.structure_factor(found, length=length)


@pytest.fixture
def growth():
    lengths = xr.Dataset(
        {"wall_length": ("time", 2 * TIMES**0.5), "wall_length_error": ("time", 0.1 * TIMES**0.5)},
        {"time": TIMES},
    )
    law = xr.Dataset({"growth_exponent": 0.5, "growth_amplitude": 2.0, "growth_offset": 0.0})
    return lengths, law


def test_growth_with_its_law_and_window(growth):
    lengths, law = growth
    ax = plots.domain_growth(lengths, "wall_length", law=law, window=(2, 64))
    points, _ = marks(ax)
    np.testing.assert_allclose(points, np.stack([TIMES, 2 * TIMES**0.5], axis=1))
    inside, beyond = (line for line in ax.lines if len(line.get_xdata()) == 200)
    np.testing.assert_allclose(inside.get_xdata()[[0, -1]], (2, 64))
    np.testing.assert_allclose(beyond.get_xdata()[[0, -1]], (1, 128))
    for line in (inside, beyond):
        np.testing.assert_allclose(line.get_ydata(), 2 * line.get_xdata() ** 0.5)
    assert ax.get_ylabel() == "domain length, from the walls (lattice spacings)"
    assert ax.get_xlabel() == "time (sweeps)"
    plots.domain_growth(lengths, "wall_length", ax, window=(2, 64))
    assert len(ax.patches) == 1  # one window, though drawn twice


def test_growth_of_measured_lengths():
    rng = np.random.default_rng(1)
    spins = xr.DataArray(
        rng.choice([-1, 1], size=(8, 3, 16, 16)), dims=("time", "chain", "x", "y"),
        coords={"time": TIMES},
    )  # fmt: skip
    each = domain_length(spins, dims=())
    law = growth_law(each["moment_length"], (1, 128))
    ax = plots.domain_growth(domain_length(spins), "moment_length", law=law, window=(1, 128))
    assert len(ax.containers) == 1


def test_what_cannot_be_drawn_is_refused(growth):
    lengths, law = growth
    with pytest.raises(ValueError, match="window"):
        plots.domain_growth(lengths, "wall_length", law=law)
    with pytest.raises(ValueError, match=r"law must come from analysis\.growth_law, .*_exponent'"):
        plots.domain_growth(
            lengths, "wall_length", law=law.drop_vars("growth_exponent"), window=(2, 64)
        )
    with pytest.raises(ValueError, match="name must be one of"):
        plots.domain_growth(lengths, "length")
    with pytest.raises(ValueError, match="time"):
        plots.domain_growth(lengths.isel(time=0), "wall_length")
    with pytest.raises(TypeError, match="Dataset"):
        plots.domain_growth(lengths["wall_length"], "wall_length")


def looks(ax):
    lines = [container.lines[0] for container in ax.containers]
    return [(line.get_color(), line.get_marker()) for line in lines]


def test_temperatures_of_one_method_differ_in_color_and_mark(spins):
    several = xr.concat([spins] * 5, "temperature").assign_coords(temperature=np.arange(1.0, 6.0))
    for analyze, draw in (
        (spin_correlation, plots.spin_correlation),
        (structure_factor, plots.structure_factor),
    ):
        found, ax = analyze(several), None
        for t in found["temperature"].values:
            ax = draw(found.sel(temperature=t), ax)
        for kind in zip(*looks(ax), strict=True):
            assert len(set(kind)) == 5
        labels = ax.get_legend_handles_labels()[1]
        assert labels == [f"heat bath, $T$ = {t}" for t in range(1, 6)]


def test_growth_at_two_temperatures_has_two_looks(growth):
    lengths, law = growth
    ax = None
    for t in (1.0, 1.8):
        at = lengths.assign_coords(method="metropolis", temperature=t)
        ax = plots.domain_growth(at, "wall_length", ax, law=law, window=(2, 64))
    (first, second) = looks(ax)
    assert first[0] != second[0]
    assert first[1] != second[1]
    chosen = plots.domain_growth(at, "wall_length", color="#123456")
    assert looks(chosen) == [("#123456", "x")]  # the mark is the method's


@pytest.mark.parametrize("width", [3, 5])
def test_ticks_of_wave_numbers_keep_apart(spins, width):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(width, 2.5), layout="constrained")
    plots.structure_factor(structure_factor(spins), ax)
    figure.draw_without_rendering()
    for axis in (ax.xaxis, ax.yaxis):
        drawn = [*axis.get_majorticklabels(), *axis.get_minorticklabels()]
        boxes = [each.get_window_extent() for each in drawn if each.get_text()]
        inside = [box for box in boxes if box.overlaps(figure.bbox)]
        assert len(inside) >= 1
        assert not any(a.overlaps(b) for k, a in enumerate(inside) for b in inside[:k])
    plt.close(figure)
