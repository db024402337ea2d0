from __future__ import annotations

from collections.abc import Iterator

import matplotlib
import numpy as np
import pytest
import xarray as xr

from analysis import exact, plots
from analysis.quantities import quantity_attrs

matplotlib.use("Agg")
from matplotlib import pyplot as plt
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
    other = summary.assign_coords(method=["wolff", "metropolis"])
    labels = plots.observable(other, "energy").get_legend_handles_labels()[1]
    assert labels == ["wolff", "Metropolis"]
    assert plots.method_label("wolff") == "wolff"
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


def test_a_method_drawn_twice_has_two_looks(summary: xr.Dataset) -> None:
    one = summary.isel(method=0)
    ax = plots.observable(one, "energy")
    plots.observable(one, "energy", ax, label="Metropolis, $L$ = 16")
    handles, labels = ax.get_legend_handles_labels()
    assert labels == ["Metropolis", "Metropolis, $L$ = 16"]
    lines = [handle.lines[0] for handle in handles if isinstance(handle, ErrorbarContainer)]
    assert len({line.get_color() for line in lines}) == 2
    assert len({line.get_marker() for line in lines}) == 2
    with pytest.raises(ValueError, match="label is for one method"):
        plots.observable(summary, "energy", label="both")


def test_error_bars_are_told_from_marks_and_absent_where_errors_are_nan(
    summary: xr.Dataset,
) -> None:
    assert plots.method_style("heat-bath")["marker"] not in "+|1"
    at = summary.isel(method=1)
    error = at["energy_error"].copy(data=[0.01, np.nan, 0.01, 0.01])
    ax = plots.observable(at.assign(energy_error=error), "energy")
    line, caps, bars = ax.containers[0].lines
    assert len(line.get_ydata()) == 3
    assert caps  # ends that are seen inside an open circle
    drawn = [segment for segment in bars[0].get_segments() if np.isfinite(segment).all()]
    assert [segment.shape for segment in drawn if segment.size] == [(2, 2)] * 2
