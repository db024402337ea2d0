"""Growth laws: known ones come back, errors are those of repeated samples."""

import numpy as np
import pytest
import xarray as xr

from analysis import FitWarning
from analysis.correlations import growth_law
from tests.statistical import check_standard_normal

TIMES = np.unique(np.rint(np.geomspace(1, 1000, 25)).astype(int))


def lengths(exponent, amplitude, offset, *, chains=4, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    exact = offset + amplitude * TIMES**exponent
    # what a chain has more of at one time it has at the next ones too
    relative = noise * np.cumsum(rng.normal(size=(chains, TIMES.size)), axis=1)
    return xr.DataArray(
        exact * (1 + relative), dims=("chain", "time"), coords={"time": TIMES}, name="length"
    )


@pytest.mark.parametrize("law", [(0.5, 2.0, 3.0), (1 / 3, 1.5, -0.5), (0.5, 4.0, 0.0)])
def test_a_known_law_comes_back(law):
    found = growth_law(lengths(*law), (3, 1000))
    names = ("growth_exponent", "growth_amplitude", "growth_offset")
    for name, expected in zip(names, law, strict=True):
        assert found[name] == pytest.approx(expected, abs=1e-4)
        assert found[f"{name}_error"] == pytest.approx(0, abs=1e-6)
    assert found["growth_offset"].attrs["units"] == "lattice spacings"


def test_without_an_offset_a_slope_is_fitted():
    """To small relative deviations, a straight line on logarithmic axes."""
    noisy = lengths(0.5, 2.0, 0.0, noise=0.001, seed=5)
    found = growth_law(noisy, (3, 1000), offset=False)
    inside = noisy.mean("chain").sel(time=slice(3, 1000))
    slope, _ = np.polyfit(np.log(inside["time"]), np.log(inside), 1)
    assert found["growth_exponent"] == pytest.approx(slope, abs=1e-5)
    assert found["growth_offset"] == 0
    assert found["growth_offset_error"] == 0
    bent = growth_law(lengths(0.5, 2.0, 3.0), (3, 1000), offset=False)
    assert bent["growth_exponent"] < 0.48


def test_times_beyond_the_window_do_not_count():
    bent = lengths(0.5, 2.0, 3.0)
    bent = bent.where((bent["time"] >= 10) & (bent["time"] <= 500), 7.0)
    assert growth_law(bent, (10, 500))["growth_exponent"] == pytest.approx(0.5, abs=1e-4)
    assert growth_law(bent, (1, 1000))["growth_exponent"] != pytest.approx(0.5, abs=0.01)


@pytest.mark.soak
def test_errors_are_those_of_repeated_quenches():
    found = [
        growth_law(lengths(0.5, 2.0, 1.0, chains=40, noise=0.003, seed=k), (3, 1000))
        for k in range(30)
    ]
    z = [(each["growth_exponent"] - 0.5) / each["growth_exponent_error"] for each in found]
    check_standard_normal([float(each) * np.sqrt(37 / 39) for each in z])  # Student, 39 degrees


def test_other_dims_stay():
    both = xr.concat([lengths(0.5, 2.0, 0.0), lengths(0.25, 2.0, 0.0)], "method")
    found = growth_law(both, (3, 1000))["growth_exponent"]
    np.testing.assert_allclose(found, [0.5, 0.25], atol=1e-4)
    assert found.dims == ("method",)


def test_what_levels_off_has_no_exponent():
    level = lengths(-0.5, -5.0, 10.0)
    assert np.isnan(growth_law(level, (1, 1000))["growth_exponent"])


@pytest.mark.parametrize(
    ("length", "window", "message"),
    [
        (lengths(0.5, 1.0, 0.0).isel(chain=0), (1, 1000), "length must have the dims"),
        (lengths(0.5, 1.0, 0.0).drop_vars("time"), (1, 1000), "coordinate"),
        (-lengths(0.5, 1.0, 0.0), (1, 1000), "positive"),
        (lengths(0.5, 1.0, 0.0) * np.nan, (1, 1000), "positive"),
        (lengths(0.5, 1.0, 0.0), (100, 200), "window must hold at least 6 times"),
        (lengths(0.5, 1.0, 0.0, chains=1), (1, 1000), "at least 2 chains"),
    ],
)
def test_bad_input_is_refused(length, window, message):
    with pytest.raises(ValueError, match=message):
        growth_law(length, window)


def test_lengths_that_do_not_follow_the_law_are_warned_of():
    time = np.arange(10.0, 210.0, 10.0)
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.02, size=(8, time.size))
    dims = ("chain", "time")
    good = xr.DataArray(1 + 2 * time**0.5 + noise, {"time": time}, dims)
    assert growth_law(good, (10.0, 200.0))["goodness_of_fit"] >= 0.01
    kinked = good + 0.05 * np.maximum(time - 100.0, 0.0)
    with pytest.warns(FitWarning, match="narrower window"):
        assert growth_law(kinked, (10.0, 200.0))["goodness_of_fit"] < 0.01
