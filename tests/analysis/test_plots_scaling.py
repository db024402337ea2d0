"""Figures of finite-size scaling."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from analysis import plots, scaling


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def summary():
    x = np.linspace(-1, 1, 5)
    size = np.array([8, 16])
    temperature = 2 * np.exp(x / size[:, None])
    values = 1 / size[:, None] * (1 - x / 2)
    return xr.Dataset(
        {
            "abs_magnetization": (("size", "point"), values),
            "abs_magnetization_error": (("size", "point"), 0.01 * np.ones((2, 5))),
        },
        {"size": size, "temperature": (("size", "point"), temperature)},
    )


FIT = xr.Dataset(
    {
        "critical_temperature": 2.0, "nu": 1.0, "beta_over_nu": 1.0, "gamma_over_nu": 1.0,
        "abs_magnetization_slope": 0.0, "susceptibility_slope": 0.0,
    }
)  # fmt: skip


def points(ax):
    """What was drawn with error bars, by label."""
    return {container.get_label(): container.lines[0].get_xydata() for container in ax.containers}


def test_sizes_are_drawn_apart(summary):
    ax = plots.sizes(summary, "abs_magnetization")
    drawn = points(ax)
    assert list(drawn) == ["$L$ = 8", "$L$ = 16"]
    np.testing.assert_allclose(drawn["$L$ = 16"][:, 0], summary["temperature"].sel(size=16))
    assert "temperature" in ax.get_xlabel()


def test_what_does_not_lie_over_sizes_is_refused(summary):
    for wrong, name, message in (
        (summary, "energy", "'energy'"),
        (summary.drop_vars("abs_magnetization_error"), "abs_magnetization", "_error'"),
        (summary.isel(size=0), "abs_magnetization", "must lie over 'size'"),
        (summary.expand_dims(chain=2), "abs_magnetization", "one more dim"),
        (summary.drop_vars("temperature"), "abs_magnetization", "coordinate 'temperature'"),
    ):
        with pytest.raises(ValueError, match=message):
            plots.sizes(wrong, name)


def test_a_collapse_puts_them_on_one_curve(summary):
    ax = plots.collapse(summary, FIT, "abs_magnetization")
    small, large = points(ax).values()
    np.testing.assert_allclose(small, large)
    np.testing.assert_allclose(small[:, 1], 1 - small[:, 0] / 2)
    with pytest.raises(ValueError, match="name must be one of"):
        plots.collapse(summary, FIT, "energy")


def test_fits_of_another_kind_are_refused(summary):
    values = xr.DataArray([2.5, 2.25, 2.125], dims="size", coords={"size": [2, 4, 8]})
    fit = scaling.extrapolate(values, 0.01 * values, 1.0)
    origin = r"fit must come from analysis\.scaling\."
    for wrong, name, missing in (
        (fit, "abs_magnetization", "critical_temperature'; got nothing"),
        (FIT.drop_vars("beta_over_nu"), "abs_magnetization", "beta_over_nu'; got nothing"),
        (FIT.drop_vars("susceptibility_slope"), "susceptibility", "susceptibility_slope'"),
        (FIT.expand_dims(run=2), "abs_magnetization", r"critical_temperature'; got \{'run': 2\}"),
        (FIT.assign(correction_exponent=1.0), "abs_magnetization", "_correction'; got nothing"),
    ):
        with pytest.raises(ValueError, match=f"{origin}collapse, with one number '.*{missing}"):
            plots.collapse(summary, wrong, name)
    with pytest.raises(ValueError, match=f"{origin}extrapolate, with one number 'limit'; got no"):
        plots.extrapolation(values, 0.01 * values, FIT, 1.0)
    with pytest.raises(TypeError, match=r"fit must be a Dataset, .*; got float"):
        plots.extrapolation(values, 0.01 * values, 2.0, 1.0)
    with pytest.raises(TypeError, match=r"fit must be a Dataset, .*; got dict"):
        plots.collapse(summary, {}, "abs_magnetization")


def test_an_extrapolation_shows_its_limit():
    values = xr.DataArray([2.5, 2.25, 2.125], dims="size", coords={"size": [2, 4, 8]})
    fit = scaling.extrapolate(values, 0.01 * values, 1.0)
    ax = plots.extrapolation(values, 0.01 * values, fit, 1.0, label="maxima")
    (line,) = [each for each in ax.lines if len(each.get_xdata()) == 2 and each.get_ls() == "-"]
    np.testing.assert_allclose(line.get_xydata(), [[0, 2], [0.5, 2.5]])
    np.testing.assert_allclose(points(ax)["maxima"][:, 0], [1 / 2, 1 / 4, 1 / 8])
    assert "1/L" in ax.get_xlabel()


@pytest.mark.parametrize(("exponent", "short"), [(1.0, True), (2.75, False)])
def test_small_powers_have_their_order_of_magnitude_written_once(exponent, short):
    values = xr.DataArray([2.3, 2.28, 2.27], dims="size", coords={"size": [16, 24, 32]})
    fit = scaling.extrapolate(values, 0.01 * values, exponent)
    ax = plots.extrapolation(values, 0.01 * values, fit, exponent)
    ax.figure.draw_without_rendering()
    assert (ax.xaxis.get_offset_text().get_text() == "") == short
    assert max(len(label.get_text()) for label in ax.get_xticklabels()) <= 5


@pytest.mark.parametrize("one_call", [True, False])
def test_methods_of_one_size_are_told_apart(summary, one_call):
    methods = ["metropolis", "heat-bath", "mean-field-q"]
    both = xr.concat([summary.assign_coords(method=each) for each in methods], "method")
    ax = plt.subplots()[1]
    for part in [both] if one_call else [both.sel({"method": each}) for each in methods]:
        plots.sizes(part, "abs_magnetization", ax)
    marks = [each.lines[0] for each in ax.containers]
    looks = {(m.get_color(), m.get_marker(), m.get_markerfacecolor()) for m in marks}
    assert len(looks) == 6
    assert len({mark.get_color() for mark in marks}) == 2  # those of the sizes
    lines = [line.get_linestyle() for line in ax.lines if line.get_linewidth() == 0.7]
    assert len(set(lines)) == 3
    labels = ax.get_legend_handles_labels()[1]
    assert labels[::2] == [
        f"{each}, $L$ = 8" for each in ("Metropolis", "heat bath", "mean-field Q")
    ]


def test_collapses_on_one_axes_differ_and_unknown_errors_have_no_bars(summary):
    unknown = summary.assign(abs_magnetization_error=np.nan * summary["abs_magnetization_error"])
    ax = plots.collapse(summary, FIT, "abs_magnetization")
    plots.collapse(unknown, FIT, "abs_magnetization", ax)
    plots.sizes(unknown, "abs_magnetization", ax, label="unknown")
    ax.figure.canvas.draw()
    marks = [each.lines[0] for each in ax.containers]
    assert len({(m.get_color(), m.get_marker(), m.get_markerfacecolor()) for m in marks}) == 6
    assert ax.get_legend_handles_labels()[1][-1] == "unknown, $L$ = 16"
