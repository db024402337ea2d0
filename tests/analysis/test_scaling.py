"""Finite-size scaling on exact, made-up and simulated data."""

import warnings

import numpy as np
import pytest
import xarray as xr

from analysis import FitWarning, exact, power_law, scaling, thermodynamics
from analysis.scaling._histograms import Histograms, Tallies, prepared
from analysis.scaling._series import moments, observables_of, series_of, sizes_of
from isingrl import HeatBath, Ising, Lattice, simulate
from tests.statistical import Z_LIMIT, check_standard_normal

SAMPLES = ("chain", "draw")


def join(runs):
    """Runs by size, each with temperatures of its own along `point`."""
    parts = [
        run.rename_dims(temperature="point")
        .reset_index("temperature")
        .reset_coords("temperature")
        .drop_vars("softmax_temperature", errors="ignore")
        .assign_coords(
            size=side, draw=np.arange(run.sizes["draw"]), interval=run.draw.attrs.get("interval", 1)
        )
        for side, run in runs.items()
    ]
    joined = xr.concat(
        parts, "size", data_vars="all", coords="different", compat="equals",
        combine_attrs="drop_conflicts",
    )  # fmt: skip
    return joined.set_coords("temperature")


@pytest.fixture(scope="module")
def square():
    """The square lattice near its critical temperature, narrower for larger sizes."""
    runs = {}
    for side, interval in ((6, 5), (8, 10), (12, 25), (16, 50)):
        temperature = 2.27 * np.exp(np.linspace(-0.9, 1.6, 16) / side)
        runs[side] = simulate(
            Ising(Lattice((side, side))), HeatBath(), temperature, sweeps=1_500 * interval,
            thermalization=40 * interval, interval=interval, chains=4, start="up", seed=side,
        )  # fmt: skip
    return join(runs)


@pytest.fixture(scope="module")
def fit(square):
    with pytest.warns(FitWarning, match="or small sizes"):  # six sites a side are few
        return scaling.collapse(square)


@pytest.fixture(scope="module")
def found(square):
    return scaling.observables(square)


def test_observables_are_those_of_thermodynamics(square, found):
    for side in square["size"].values:
        run = square.sel(size=side).swap_dims(point="temperature")
        known = thermodynamics(run)
        for name in ("binder_cumulant", "abs_magnetization", "susceptibility", "specific_heat"):
            at = found[name].sel(size=side)
            np.testing.assert_allclose(at, known[name], rtol=1e-9)
            ratio = found[f"{name}_error"].sel(size=side) / known[f"{name}_error"].values
            # both errors are estimates, from some twenty blocks at the least
            assert 0.7 < float(np.median(ratio)) < 1.4
    assert found["susceptibility"].attrs["units"] == "1/J"


class TestCrossings:
    def test_crossings_lie_near_the_exact_critical_temperature(self, square):
        found = scaling.binder_crossings(square)
        z = (found["crossing_temperature"] - exact.CRITICAL_TEMPERATURE) / found[
            "crossing_temperature_error"
        ]
        # pairs of small lattices cross within a hundredth of T_c (Binder 1981)
        shift = 0.01 * exact.CRITICAL_TEMPERATURE / found["crossing_temperature_error"]
        assert (abs(z) < Z_LIMIT + shift).all(), z.values
        assert (abs(found["crossing_cumulant"] - 0.611) < 0.02).all()
        np.testing.assert_array_equal(found["small"], [6, 8, 12])
        np.testing.assert_array_equal(found["large"], [8, 12, 16])
        assert found["crossing_temperature"].attrs["units"] == "J/k_B"

    def test_an_order_of_sizes_or_temperatures_does_not_matter(self, square):
        shuffled = square.isel(size=[2, 0], point=np.random.default_rng(1).permutation(16))
        one, other = (
            scaling.binder_crossings(data) for data in (square.isel(size=[0, 2]), shuffled)
        )
        xr.testing.assert_allclose(one, other)

    def test_temperatures_must_bracket_it(self, square):
        with pytest.raises(ValueError, match="must bracket a crossing"):
            scaling.binder_crossings(square.isel(point=slice(11, 16)))

    @pytest.mark.parametrize(
        ("grid", "warned"),
        [
            (np.arange(1.7, 2.31, 0.02), False),
            pytest.param(np.arange(1.98, 2.5, 0.03), None, marks=pytest.mark.soak),
            pytest.param(np.arange(1.61, 2.6, 0.05), None, marks=pytest.mark.soak),
            (np.arange(1.65, 2.6, 0.1), True),
            (np.array([1.5, 1.8, 1.9, 1.97, 1.99, 2.05, 2.08, 2.3, 2.9]), None),
        ],
    )
    def test_errors_cover_on_every_grid_or_a_warning_is_issued(self, grid, warned):
        rng = np.random.default_rng(3)
        z, warnings_of = [], []
        for _ in range(2):
            data = two_phases(rng, (32, 64), grid, n_draws=200)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", FitWarning)
                found = scaling.binder_crossings(data).isel(size=0)
            warnings_of.append(bool(caught))
            z.append(
                float((found["crossing_temperature"] - 2) / found["crossing_temperature_error"])
            )
            assert 1.6 < found["first_temperature"] <= 2.0 < found["last_temperature"] < 2.4
            assert caught or found["goodness_of_fit"] >= 0.01
        assert (np.abs(z) < Z_LIMIT).all(), z
        assert warned is None or all(warned == each for each in warnings_of), warnings_of

    @pytest.mark.parametrize("grid", [np.arange(1.2, 1.5, 0.02), np.arange(3.0, 4.0, 0.05)])
    def test_noise_that_crosses_is_not_taken_for_a_crossing(self, grid):
        rng = np.random.default_rng(4)
        for _ in range(3):
            data = two_phases(rng, (8, 12), grid, n_draws=50)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", FitWarning)
                try:
                    scaling.binder_crossings(data)
                except ValueError as error:
                    caught.append(str(error))
            assert any("from noise" in str(each) or "must bracket" in str(each) for each in caught)

    def test_differences_of_one_sign_are_no_crossing(self):
        data = two_phases(np.random.default_rng(5), (8, 12), np.arange(2.1, 2.4, 0.05), 200)
        with pytest.raises(ValueError, match="must bracket a crossing"):
            scaling.binder_crossings(data)

    def test_four_temperatures_are_needed(self, square):
        with pytest.raises(ValueError, match="temperatures of each size"):
            scaling.binder_crossings(square.isel(point=slice(5, 8)))


@pytest.mark.filterwarnings("ignore::analysis.FitWarning")  # small lattices
class TestCollapse:
    def test_it_finds_the_exact_critical_point_and_exponents(self, fit):
        known = {
            "critical_temperature": exact.CRITICAL_TEMPERATURE,
            "nu": 1.0,
            "beta_over_nu": 1 / 8,
            "gamma_over_nu": 7 / 4,
        }
        # small lattices deviate by what this fit leaves out, less than these shares
        shares = (0.002, 0.03, 0.06, 0.03)
        for (name, value), share in zip(known.items(), shares, strict=True):
            error = float(fit[f"{name}_error"])
            assert abs(fit[name] - value) < Z_LIMIT * error + share * value, name
            assert 0 < error < 0.05 * value

    def test_a_correction_to_scaling_is_one_more_term_of_each_curve(self, square, fit, found):
        longer = scaling.collapse(square, correction=2.0)
        assert longer["degrees_of_freedom"] == fit["degrees_of_freedom"] - 3
        assert longer["chi_square"] <= fit["chi_square"] * (1 + 1e-9)
        assert longer["critical_temperature_error"] > fit["critical_temperature_error"]
        plain = longer.drop_vars("correction_exponent")
        for name in ("binder_cumulant", "abs_magnetization", "susceptibility"):
            with_term, without = (scaling.collapsed(found, f, name)["y"] for f in (plain, longer))
            expected = longer[f"{name}_correction"] / square["size"] ** 2.0
            np.testing.assert_allclose(
                *xr.broadcast(with_term - without, expected), rtol=1e-6, atol=1e-12
            )

    def test_a_poor_fit_is_told_by_its_goodness(self, fit):
        assert 0 <= fit["goodness_of_fit"] < 0.01  # the fixture asks for the warning

    @pytest.mark.soak
    def test_errors_are_those_of_many_trials(self):
        rng, n = np.random.default_rng(5), 6
        z = []
        for _ in range(n):
            data = made_up(rng, n_draws=100)
            found = scaling.collapse(data, critical_temperature=2.0, degree=3)
            z.append(
                [
                    float((found[name] - value) / found[f"{name}_error"])
                    for name, value in (("critical_temperature", 2.0), ("nu", 0.8))
                ]
            )
        for each in np.array(z).T:
            assert abs(each.mean()) < Z_LIMIT / np.sqrt(n)
            # an error of some twenty blocks makes z a t of as many degrees
            assert 0.5 < each.std() < 1.7

    def test_collapsed_points_lie_on_one_curve(self, found, fit):
        for name in ("binder_cumulant", "abs_magnetization", "susceptibility"):
            points = scaling.collapsed(found, fit, name)
            x, y, error = (points[v].values.ravel() for v in ("x", "y", "y_error"))
            curve = np.polynomial.Polynomial.fit(x, y, 5, w=1 / error)
            chi_square = float(np.sum(((y - curve(x)) / error) ** 2))
            assert chi_square < 2 * (x.size - 6), name
        with pytest.raises(ValueError, match="name must be one of"):
            scaling.collapsed(found, fit, "energy")

    def test_too_few_sizes_or_points_are_refused(self, square):
        with pytest.raises(ValueError, match="at least 3 sizes"):
            scaling.collapse(square.isel(size=[0, 1]))
        with pytest.raises(ValueError, match="at least 14 points"):
            scaling.collapse(square.isel(point=slice(6, 9)))
        with pytest.raises(ValueError, match="degree"):
            scaling.collapse(square, degree=0)
        with pytest.raises(ValueError, match="correction"):
            scaling.collapse(square, correction=-1.0)
        with pytest.raises(ValueError, match="critical_temperature"):
            scaling.collapse(square, critical_temperature=9.0)


def two_phases(rng, sides, temperature, n_draws):
    """Gaussian magnetizations about ±c, whose cumulants are those of the square lattice; T_c = 2.

    The cumulant is (2/3)/(1 + r)², r the variance about c over c²; its logarithmic ratio was
    fitted to runs of 64² sites.
    """
    runs = {}
    for side in sides:
        log_ratio = 2.37 - 2 * np.arcsinh(side * np.log(temperature / 2.0) / 1.2)
        r = np.sqrt(1 + np.exp(-log_ratio)) - 1
        shape = (temperature.size, 4, n_draws)
        noise = np.sqrt(r)[:, None, None] * rng.normal(size=shape)
        m = side**-0.125 * (rng.choice([-1.0, 1.0], size=shape) + noise)
        runs[side] = with_noise(rng, m, temperature, side)
    return join(runs)


def made_up(rng, n_draws):
    """Gaussian magnetizations whose mean and width follow scaling laws with T_c = 2, ν = 0.8."""
    runs = {}
    for side in (8, 12, 16):
        temperature = 2.0 * np.exp(np.linspace(-1, 1, 8) * side ** (-1 / 0.8))
        x = np.log(temperature / 2.0) * side ** (1 / 0.8)
        centre = (0.8 - 0.2 * x)[:, None, None]
        width = (0.3 + 0.05 * x)[:, None, None]
        m = side**-0.2 * (centre + width * rng.normal(size=(8, 4, n_draws)))
        runs[side] = with_noise(rng, m, temperature, side)
    return join(runs)


def with_noise(rng, magnetization, temperature, side):
    """A run of these magnetizations, whose energies say nothing."""
    dims = ("temperature", "chain", "draw")
    energy = rng.normal(size=magnetization.shape)
    return xr.Dataset(
        {"energy": (dims, energy), "magnetization": (dims, magnetization)},
        {"temperature": temperature, "n_sites": side**2, "draw": range(energy.shape[-1])},
    )


@pytest.fixture(scope="module")
def eight():
    temperature = np.linspace(1.9, 3.1, 7)
    return simulate(
        Ising(Lattice((8, 8))), HeatBath(), temperature, sweeps=20_000, thermalization=500,
        interval=10, chains=8, start="up", seed=9,
    )  # fmt: skip


@pytest.fixture(scope="module")
def one_size(eight):
    return eight.expand_dims(size=[8]).assign_coords(n_sites=("size", [64]))


def reweighted_by_iteration(series, temperature):
    """Means of e and m² by MBAR's equations, iterated draw by draw."""
    beta = 1 / series["temperature"].values
    energy = series["energy"].values.reshape(beta.size, -1)
    potentials = beta[:, None] * energy.ravel() * series["n_sites"].values.flat[0]
    free = np.zeros(beta.size)
    for _ in range(2000):
        mixture = np.exp(free[:, None] - potentials).sum(axis=0)
        free = -np.log(np.sum(np.exp(-potentials) / mixture, axis=1))
        free -= free[0]
    n_sites = series["n_sites"].values.flat[0]
    weight = np.exp(-energy.ravel() * n_sites / temperature)
    weight /= np.exp(free[:, None] - potentials).sum(axis=0)
    square = series["magnetization"].values.ravel() ** 2
    return np.array([np.average(each, weights=weight) for each in (energy.ravel(), square)])


class TestHistograms:
    @pytest.fixture
    def series(self, eight):
        return prepared(series_of(eight.isel(draw=slice(0, 200))))

    @pytest.mark.parametrize("start", [None, np.linspace(0, 900, 7)], ids=["near", "far"])
    def test_draws_of_one_energy_are_one_with_their_number(self, series, start):
        histograms = Histograms(Tallies(series), start=start)
        known = reweighted_by_iteration(series, 2.2)
        energy, square = (histograms._means(2.2)[name] for name in ("e", "|m|²"))
        np.testing.assert_allclose([energy, square], known, rtol=1e-6)

    def test_a_block_less_is_a_series_without_it(self, series):
        tallies = Tallies(series)
        total, block = tallies.sums(), tallies.sums(draw=slice(20, 60))
        rest = {name: each - block[name] for name, each in total.items()}
        kept = series.isel(draw=np.r_[0:20, 60:200])
        found = Histograms(tallies, rest).at(2.3)
        known = Histograms(Tallies(kept)).at(2.3)
        for name, value in known.items():
            assert found[name] == pytest.approx(value, rel=1e-7), name


class TestReweighting:
    def test_the_specific_heat_between_measured_temperatures_is_kaufmans(self, eight):
        wanted = np.linspace(2.0, 3.0, 9)
        found = scaling.reweight(eight, wanted)
        known = exact.torus((8, 8), wanted)["specific_heat"]
        z = (found["specific_heat"] - known) / found["specific_heat_error"]
        assert (abs(z) < Z_LIMIT).all(), z.values

    def test_a_small_lattice_is_enumerated(self):
        model = Ising(Lattice((4, 4)))
        data = simulate(
            model, HeatBath(), [2.0, 2.6, 3.2], sweeps=20_000, thermalization=100, interval=5,
            chains=8, start="random", seed=2,
        )  # fmt: skip
        wanted = [2.2, 2.9]
        found, known = scaling.reweight(data, wanted), exact.enumeration(model, wanted)
        for name in ("binder_cumulant", "abs_magnetization", "susceptibility", "specific_heat"):
            z = (found[name] - known[name]) / found[f"{name}_error"]
            assert (abs(z) < Z_LIMIT).all(), (name, z.values)

    def test_the_maximum_of_the_specific_heat_is_the_exact_one(self, one_size):
        found = scaling.pseudo_critical_points(one_size, "specific_heat").isel(size=0)
        grid = np.linspace(2.0, 3.0, 2001)
        heat = exact.torus((8, 8), grid)["specific_heat"].values
        for name, value in (
            ("pseudo_critical_temperature", grid[heat.argmax()]),
            ("maximum", heat.max()),
        ):
            assert abs(found[name] - value) < Z_LIMIT * found[f"{name}_error"], name

    def test_runs_that_reweighting_is_not_right_for_are_warned_of(self, eight):
        found = scaling.reweight(eight, [2.2])
        assert found["smallest_overlap"] > 0.1
        assert found["goodness_of_fit"] > 0.01
        other = eight.assign_coords(temperature=1.4 * eight["temperature"])
        with pytest.warns(FitWarning, match="may not sample the Gibbs distribution"):
            assert scaling.reweight(other, [3.2])["goodness_of_fit"] < 0.01
        model = Ising(Lattice((16, 16)))
        apart = simulate(model, HeatBath(), [1.8, 3.2], sweeps=500, thermalization=200, chains=4,
                         start="up", seed=3)  # fmt: skip
        with pytest.warns(FitWarning, match="hardly overlap"):
            assert scaling.reweight(apart, [2.2])["smallest_overlap"] < 0.03

    def test_beyond_the_data_is_refused(self, eight):
        with pytest.raises(ValueError, match=r"temperature must lie between 1\.9 and 3\.1"):
            scaling.reweight(eight, [1.5])
        with pytest.raises(ValueError, match="at least two temperatures"):
            scaling.reweight(eight.isel(temperature=[0]), [1.9])

    def test_a_maximum_at_the_end_is_refused(self, one_size):
        with pytest.raises(ValueError, match="an end"):
            scaling.pseudo_critical_points(one_size.isel(temperature=slice(0, 3)))
        with pytest.raises(ValueError, match="name must be"):
            scaling.pseudo_critical_points(one_size, "energy")


class TestExtrapolation:
    SIZES = np.array([8.0, 16.0, 32.0, 64.0])

    def over_sizes(self, y):
        dims = (*("trial",)[: np.ndim(y) - 1], "size")
        return xr.DataArray(y, dims=dims, coords={"size": self.SIZES})

    def test_an_exact_law_comes_back(self):
        y = self.over_sizes(2.5 + 0.7 * self.SIZES**-1.5)
        found = scaling.extrapolate(y, 0.01 * y, 1.5)
        np.testing.assert_allclose([found["limit"], found["amplitude"]], [2.5, 0.7])
        assert found["degrees_of_freedom"] == 2

    def test_errors_are_those_of_many_trials(self):
        rng = np.random.default_rng(4)
        error = np.array([0.02, 0.01, 0.02, 0.03])
        true = 2.5 + 0.7 / self.SIZES
        y = self.over_sizes(true + error * rng.normal(size=(2_000, 4)))
        found = scaling.extrapolate(y, self.over_sizes(error), 1.0)
        check_standard_normal(((found["limit"] - 2.5) / found["limit_error"]).values)
        check_standard_normal(((found["amplitude"] - 0.7) / found["amplitude_error"]).values)

    def test_small_sizes_with_a_further_power_are_left_out(self):
        size = np.array([4.0, 6.0, 8.0, 16.0, 32.0, 64.0])
        y = xr.DataArray(2.5 + 0.7 / size + 3 * size**-3.0, {"size": size}, ("size",))
        found = scaling.extrapolate(y.isel(size=[3, 0, 5, 1, 4, 2]), 0.001 * y / y, 1.0)
        assert found["first_size"] == 8
        assert found["goodness_of_fit"] >= 0.1
        assert abs(found["limit"] - 2.5) < 2 * found["limit_error"]

    def test_a_wrong_power_is_warned_of_and_the_error_grows(self):
        y = self.over_sizes(2.5 + 0.7 * self.SIZES**-0.3)
        with pytest.warns(FitWarning, match=r"extrapolation.*Add larger sizes"):
            found = scaling.extrapolate(y, 1e-4 * y / y, 2.0)
        assert found["goodness_of_fit"] < 0.01
        assert found["limit_error"] > 5e-4

    def test_bad_input_is_named(self):
        y = self.over_sizes(np.ones(4))
        for values, error, exponent, name in (
            (y[:2], y[:2], 1.0, "values"),
            (y, 0 * y, 1.0, "error"),
            (y * np.nan, y, 1.0, "values"),
            (y, y, 0.0, "exponent"),
            (y, y, np.nan, "exponent"),
        ):
            with pytest.raises(ValueError, match=name):
                scaling.extrapolate(values, error, exponent)


@pytest.mark.parametrize("function", [scaling.observables, scaling.collapse])
class TestBadInput:
    def test_what_is_missing_is_named(self, function, square):
        with pytest.raises(TypeError, match="data must be an xarray Dataset"):
            function(square["energy"])
        with pytest.raises(ValueError, match="'energy' and 'magnetization'"):
            function(square.drop_vars("energy"))
        for name in ("n_sites", "temperature", "size"):
            with pytest.raises(ValueError, match=f"coordinate '{name}'"):
                function(square.drop_vars(name))
        with pytest.raises(ValueError, match="dims"):
            function(square.isel(chain=0))

    def test_draws_that_are_not_finite(self, function, square):
        broken = square.copy(deep=True)
        broken["magnetization"][1, 2, 0, 7] = np.nan
        with pytest.raises(ValueError, match="magnetization"):
            function(broken)

    @pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
    def test_temperatures_that_are_none(self, function, square, wrong):
        temperature = square["temperature"].copy(deep=True)
        temperature[1, 3] = wrong
        with pytest.raises(ValueError, match="'temperature' must be positive and finite"):
            function(square.assign_coords(temperature=temperature))

    def test_one_size_twice(self, function, square):
        with pytest.raises(ValueError, match="sizes must differ"):
            function(square.isel(size=[0, 0, 1]))


def test_common_temperatures_are_taken_too():
    temperature = [2.0, 2.2, 2.4, 2.6]
    runs = [
        simulate(
            Ising(Lattice((side, side))), HeatBath(), temperature, sweeps=100, chains=2, seed=side
        ).assign_coords(size=side)
        for side in (4, 6)
    ]
    data = xr.concat(
        runs, "size", coords="different", compat="equals", combine_attrs="drop_conflicts"
    )
    series = sizes_of(data, 2)
    np.testing.assert_array_equal(series["temperature"].sel(size=6), temperature)
    mean = moments(series).mean(SAMPLES)
    assert observables_of(mean)["susceptibility"].sizes == {"size": 2, "point": 4}


def test_runs_in_a_field_are_refused():
    model = Ising(Lattice((4, 4)), field=0.1)
    data = simulate(model, HeatBath(), [2.0, 2.4, 2.8], sweeps=100, seed=1)
    for function in (
        lambda: scaling.reweight(data, [2.2]),
        lambda: scaling.observables(data.expand_dims(size=[4])),
    ):
        with pytest.raises(ValueError, match=r"without a field.*got field = \[0\.1\]"):
            function()


def test_power_law_is_found_where_it_is_documented():
    assert scaling.power_law is power_law
