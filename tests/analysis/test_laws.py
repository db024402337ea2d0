import numpy as np
import pytest
import xarray as xr

from analysis import FitWarning, power_law
from tests.statistical import check_standard_normal

X = np.array([8.0, 16.0, 32.0, 64.0, 100.0])


def points(y):
    return xr.DataArray(y, dims=(*("trial",)[: np.ndim(y) - 1], "size"), coords={"size": X})


def test_an_exact_law_comes_back():
    y = points(3.0 * X**-1.25)
    found = power_law(y, 0.1 * y, "size")
    np.testing.assert_allclose([found["exponent"], found["amplitude"]], [-1.25, 3.0])
    assert found["chi_square"] < 1e-20
    assert found["degrees_of_freedom"] == 3


def test_errors_are_those_of_many_trials(subtests):
    rng = np.random.default_rng(3)
    true = 2.0 * X**1.5
    error = true * np.array([0.001, 0.004, 0.002, 0.003, 0.001])
    y = points(true + error * rng.normal(size=(2_000, 5)))
    found = power_law(y, points(error), "size")
    for name, value in (("exponent", 1.5), ("amplitude", 2.0)):
        with subtests.test(name):
            check_standard_normal(((found[name] - value) / found[f"{name}_error"]).values)
    scatter = float(found["chi_square"].mean())
    assert abs(scatter - 3) < 4.5 * np.sqrt(2 * 3 / 2_000)


@pytest.mark.parametrize(
    ("y", "error", "name"),
    [
        ([1.0, 2.0, 3.0, 4.0, 0.0], np.ones(5), "values"),
        ([1.0, 2.0, 3.0, 4.0, np.nan], np.ones(5), "values"),
        (np.ones(5), [1.0, 1.0, 0.0, 1.0, 1.0], "error"),
    ],
)
def test_bad_points_are_named(y, error, name):
    with pytest.raises(ValueError, match=name):
        power_law(points(y), points(error), "size")


def test_one_point_is_not_enough():
    with pytest.raises(ValueError, match="2 or more"):
        power_law(points(X)[:1], points(X)[:1], "size")


def test_a_curve_that_is_no_power_law_is_warned_of_and_its_errors_grow():
    y = points(3.0 * X**-1.25 + 0.01)
    with pytest.warns(FitWarning, match=r"1 of 1 fits have a goodness below 0\.01.*Leave out"):
        found = power_law(y, 0.01 * y, "size")
    good = power_law(points(3.0 * X**-1.25), 0.01 * y, "size")
    assert found["goodness_of_fit"] < 0.01 < good["goodness_of_fit"]
    scale = float(np.sqrt(found["chi_square"] / found["degrees_of_freedom"]))
    relative = [float(law["exponent_error"]) for law in (found, good)]
    assert relative[0] > 0.5 * scale * relative[1] > 0


def test_two_points_have_no_goodness_and_one_value_twice_is_refused():
    y = points(3.0 * X**-1.25)
    assert np.isnan(power_law(y[:2], y[:2], "size")["goodness_of_fit"])
    with pytest.raises(ValueError, match="size must hold two or more different values"):
        power_law(y.isel(size=[1, 1]), y.isel(size=[1, 1]), "size")
