from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
import xarray as xr

from analysis import exact, plots
from analysis.plots.axes import logarithmic_axes
from analysis.plots.styles import _STYLES, Style, method_label, method_style, set_style, style_of
from analysis.quantities import quantity_attrs

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

TEMPERATURE = np.array([1.5, 2.0, 2.5, np.inf])


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def summary() -> xr.Dataset:
    values = np.array([[-1.9, -1.7, -1.1, 0.0], [-1.92, -1.72, -1.12, 0.0]])
    softmax = np.stack([np.full(4, np.nan), TEMPERATURE / 2])
    return xr.Dataset(
        {
            "energy": (("method", "temperature"), values, quantity_attrs("energy")),
            "energy_error": (("method", "temperature"), np.full((2, 4), 0.01)),
        },
        {
            "temperature": ("temperature", TEMPERATURE, quantity_attrs("temperature")),
            "method": ["metropolis", "mean-field-q"],
            "softmax_temperature": (("method", "temperature"), softmax, {"units": "J"}),
        },
    )


def test_one_mark_a_method_with_error_bars_and_labels(summary: xr.Dataset) -> None:
    ax = plots.observable(summary, "energy")
    handles, labels = ax.get_legend_handles_labels()
    assert labels == ["Metropolis", "mean-field Q"]
    containers = [handle for handle in handles if isinstance(handle, ErrorbarContainer)]
    marks = [container.lines[0] for container in containers]
    assert len({mark.get_marker() for mark in marks}) == 2
    assert len({mark.get_color() for mark in marks}) == 2
    for handle, drawn in zip(containers, summary["energy"].values, strict=True):
        np.testing.assert_array_equal(handle.lines[0].get_ydata(), drawn[:3])  # T = ∞ is left out
        assert handle.has_yerr
    assert ax.get_xlabel() == r"temperature ($J/k_\mathrm{B}$)"
    assert ax.get_ylabel() == "energy per site ($J$)"


def test_axes_in_axes_out(summary: xr.Dataset) -> None:
    _, ax = plt.subplots()
    assert plots.observable(summary, "energy", ax) is ax
    assert plots.exact_curve(exact.square_lattice([1.0, 2.0]), "energy", ax) is ax
    assert plots.critical_temperature(ax) is ax
    assert len(plt.get_fignums()) == 1


def test_a_summary_without_methods(summary: xr.Dataset) -> None:
    selected = summary.isel(method=1)
    labels = plots.observable(selected, "energy").get_legend_handles_labels()[1]
    assert labels == ["mean-field Q"]
    bare = selected.drop_vars(["method", "energy_error"])
    assert plots.observable(bare, "energy").get_legend_handles_labels()[1] == ["simulation"]


def test_methods_unknown_here_are_drawn_under_their_names(summary: xr.Dataset) -> None:
    other = summary.assign_coords(method=["kawasaki", "metropolis"])
    labels = plots.observable(other, "energy").get_legend_handles_labels()[1]
    assert labels == ["kawasaki", "Metropolis"]
    assert plots.method_label("kawasaki") == "kawasaki"
    assert plots.method_label("mean-field-q") == "mean-field Q"


def test_exact_lines_are_solid_if_infinite_and_dashed_if_finite() -> None:
    _, ax = plt.subplots()
    temperature = [2.5, 1.5, exact.CRITICAL_TEMPERATURE, np.inf]
    plots.exact_curve(exact.square_lattice(temperature), "specific_heat", ax)
    plots.exact_curve(exact.torus((8, 16), temperature), "specific_heat", ax)
    infinite, finite = ax.lines
    assert (infinite.get_linestyle(), infinite.get_label()) == ("-", "exact, infinite")
    assert (finite.get_linestyle(), finite.get_label()) == ("--", "exact, 8×16")
    np.testing.assert_array_equal(finite.get_xdata(), sorted(temperature)[:3])
    assert np.isnan(np.asarray(infinite.get_ydata())[1])


def test_critical_temperature_is_marked() -> None:
    ax = plots.critical_temperature(plt.subplots()[1], 4.5)
    assert list(np.asarray(ax.lines[0].get_xdata())) == [4.5, 4.5]


def test_softmax_axis_is_the_linear_map(summary: xr.Dataset) -> None:
    ax = plots.observable(summary, "energy")
    ax.set_xlim(1.0, 3.0)
    second = plots.softmax_axis(ax, summary)
    ax.figure.canvas.draw()
    assert second.get_xlim() == pytest.approx((0.5, 1.5))
    assert second.get_xlabel() == r"softmax temperature $\tau$ ($J$)"


def test_softmax_axis_refuses_what_is_no_single_map(summary: xr.Dataset) -> None:
    ax = plt.subplots()[1]
    with pytest.raises(ValueError, match="must have the coordinate 'softmax_temperature'"):
        plots.softmax_axis(ax, summary.drop_vars("softmax_temperature"))
    with pytest.raises(ValueError, match="must hold a positive number"):
        plots.softmax_axis(ax, summary.isel(method=[0]))
    two = summary["softmax_temperature"].copy()
    two[0] = TEMPERATURE
    with pytest.raises(ValueError, match=r"ratios from 0\.5 to 1 \(select one method\)"):
        plots.softmax_axis(ax, summary.assign_coords(softmax_temperature=two))


def test_bad_names_and_dims(summary: xr.Dataset) -> None:
    with pytest.raises(ValueError, match=r"name must be one of \['energy', .*got 'enthalpy'"):
        plots.observable(summary, "enthalpy")
    with pytest.raises(ValueError, match="no dims but"):
        plots.observable(summary.expand_dims("size"), "energy")
    with pytest.raises(ValueError, match="no dims but"):
        plots.exact_curve(summary, "energy")


def test_labels_without_attributes() -> None:
    assert plots.axis_label(xr.DataArray(0.0, name="energy")) == "energy per site ($J$)"
    assert plots.axis_label(xr.DataArray(0.0, name="binder_cumulant")) == "Binder cumulant"
    assert plots.axis_label(xr.DataArray(0.0, name="made_up")) == "made_up"
    named = xr.DataArray(0.0, name="x", attrs={"long_name": "length", "units": "sites"})
    assert plots.axis_label(named) == "length (sites)"


RADIUS = np.array([0.5, 1.0, 2.0, 4.0])


def at_one_temperature(
    kind: str, method: str, temperature: float, error: float = 0.1
) -> xr.Dataset:
    """What a function of `plots` draws along one dim, of one method."""
    name, dim = {
        "spin_correlation": ("radial_correlation", "radius"),
        "structure_factor": ("structure_factor", "wave_number"),
        "size_distribution": ("domain_density", "size_bin"),
        "domain_growth": ("wall_length", "time"),
        "observable": ("energy", "temperature"),
    }[kind]
    found = xr.Dataset(
        {name: (dim, 1 / RADIUS), f"{name}_error": (dim, error / RADIUS)}, {dim: RADIUS}
    )
    known = (
        {"method": method}
        if dim == "temperature"
        else {"method": method, "temperature": temperature}
    )
    return found.assign_coords(known)


def draw(kind: str, found: xr.Dataset, ax: Axes | None, **settings: str) -> Axes:
    name = {"domain_growth": ["wall_length"], "observable": ["energy"]}.get(kind, [])
    drawn: Axes = getattr(plots, kind)(found, *name, ax=ax, **settings)
    return drawn


def looks(ax: Axes) -> list[tuple[object, ...]]:
    """Colour, mark and filling of all that has error bars."""
    marks = [each.lines[0] for each in ax.containers if isinstance(each, ErrorbarContainer)]
    return [(mark.get_color(), mark.get_marker(), mark.get_markerfacecolor()) for mark in marks]


KINDS = ["spin_correlation", "structure_factor", "size_distribution", "domain_growth", "observable"]


@pytest.mark.parametrize("kind", KINDS)
def test_calls_on_one_axes_differ(kind: str) -> None:
    ax = plt.subplots()[1]
    series = [(method, t) for t in (2.0, 2.5, 3.0) for method in ("metropolis", "heat-bath")]
    for method, t in series:
        draw(kind, at_one_temperature(kind, method, t), ax)
    drawn = looks(ax)
    assert len(set(drawn)) == len(series)
    assert len({color for color, *_ in drawn}) == len(series)
    for (method, _), (color, marker, _) in zip(series[:2], drawn[:2], strict=True):
        own = plots.method_style(method)
        assert (color, marker) == (own["color"], own["marker"])
    if kind != "observable":
        labels = ax.get_legend_handles_labels()[1]
        assert labels[0] == "Metropolis, $T$ = 2"
        assert len(set(labels)) == len(series)
    for _ in range(10):  # more than there are colours
        draw(kind, at_one_temperature(kind, "metropolis", 2.0), ax, label="again")
    assert len({look[:2] for look in looks(ax)}) == len(ax.containers)
    assert ax.get_legend_handles_labels()[1][-1] == "again"


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_method_differs_too(kind: str) -> None:
    ax = plt.subplots()[1]
    for t in (2.0, 3.0):
        draw(kind, at_one_temperature(kind, "", t).drop_vars("method"), ax)
    assert len(set(looks(ax))) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_errors_that_are_not_known_have_no_bars(kind: str) -> None:
    ax = draw(kind, at_one_temperature(kind, "metropolis", 2.0, np.nan), None)
    ax.figure.canvas.draw()
    assert len(ax.containers[0].lines[0].get_xdata()) == RADIUS.size


def test_a_method_of_ones_own_may_be_given_a_style(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.plots.styles._STYLES", dict(_STYLES))
    before = style_of(xr.Dataset(coords={"method": "unknown"}), 30)
    own = Style("voter model", "#000000", "h", 8.0)
    set_style("voter", own)
    assert style_of(xr.Dataset(coords={"method": "voter"}), 0) == own
    assert method_label("voter") == "voter model"
    assert method_style("voter")["marker"] == "h"
    assert style_of(xr.Dataset(coords={"method": "unknown"}), 30) == before
    for method, style in (("voter", "h"), (3, own)):
        with pytest.raises(TypeError, match="set_style needs the name of a method and a Style"):
            set_style(method, style)  # type: ignore[arg-type]


def test_no_mark_of_a_method_looks_like_an_error_bar() -> None:
    for style in _STYLES.values():
        assert style.marker not in "+|1234", style.label


@pytest.mark.parametrize("factor", [1.2, 3.0, 8.0, 15.0, 60.0, 1e6])
def test_ticks_of_logarithmic_axes_do_not_overlap(factor: float) -> None:
    figure, ax = plt.subplots(figsize=(3.0, 2.25), layout="constrained")
    ax.plot([0.21, 0.21 * factor], [0.21, 0.21 * factor])
    logarithmic_axes(ax)
    figure.canvas.draw()
    for axis, end in ((ax.xaxis, "x"), (ax.yaxis, "y")):
        low, high = axis.get_view_interval()
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        shown = [tick for tick in ticks if low <= tick.get_loc() <= high and tick.label1.get_text()]
        boxes = sorted(
            (getattr(box, f"{end}0"), getattr(box, f"{end}1"))
            for box in (tick.label1.get_window_extent() for tick in shown)
        )
        assert len(boxes) >= 2
        assert all(left[1] < right[0] for left, right in pairwise(boxes))
