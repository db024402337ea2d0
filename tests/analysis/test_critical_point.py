"""Critical points from made-up Gibbs distributions with known exponents, and the square lattice."""

import warnings

import numpy as np
import pytest
import xarray as xr

from analysis import FitWarning, exact, scaling
from analysis.scaling import critical_points
from analysis.scaling.critical_points import critical_point
from isingrl import Ising, Lattice, SwendsenWang, simulate
from tests.analysis.test_scaling import join
from tests.statistical import Z_LIMIT

PHI = np.linspace(-3.5, 3.5, 1401)
OMEGA = 1.5


def known_cumulant():
    weight = np.exp(-(PHI**4) + PHI**2)
    square, fourth = (np.average(PHI**power, weights=weight) for power in (2, 4))
    return 1 - fourth / (3 * square**2)


KNOWN = {
    "critical_temperature": 2.0,
    "nu": 0.8,
    "beta_over_nu": 0.25,
    "gamma_over_nu": 1.5,
    "binder_cumulant": known_cumulant(),
}


def made_up(seed, n_draws, sides=(8, 12, 16, 24, 32), first=0.3, second=0.0, power=6.0, slope=0.0):
    """Exact draws of p(φ) ~ exp(-φ⁴ + (1 + corrections) φ² - E/T + E/T_c), m = φ L^(-β/ν).

    E is proportional to -L^(1/ν) φ², so that all follows scaling laws, and to the corrections
    `first` L^(-ω) and, on demand, `second` L^(-power), and one of the slopes.
    """
    rng, runs = np.random.default_rng(seed), {}
    for side in sides:
        temperature = 2.0 * np.exp(np.array([-0.35, 0.0, 0.35]) * side ** (-1 / 0.8))
        energy = -6 * side ** (1 / 0.8) * (1 + slope * side**-OMEGA) * PHI**2
        draws = []
        for t in temperature:
            shift = first * side**-OMEGA + second * side**-power
            log_weight = -(PHI**4) + (1 + shift) * PHI**2 - energy * (1 / t - 1 / 2.0)
            total = np.cumsum(np.exp(log_weight - log_weight.max()))
            draws.append(np.searchsorted(total / total[-1], rng.random((4, n_draws))))
        dims = ("temperature", "chain", "draw")
        runs[side] = xr.Dataset(
            {
                "energy": (dims, energy[draws] / side**2),
                "magnetization": (dims, side**-0.25 * PHI[draws]),
            },
            {"temperature": temperature, "n_sites": side**2, "draw": range(n_draws)},
        )
    return join(runs)


def square_lattice(sides, sweeps, interval=2):
    runs = {}
    for side in sides:
        temperature = 2.27 * np.exp(np.array([-0.5, -0.15, 0.15, 0.5]) / side)
        runs[side] = simulate(
            Ising(Lattice((side, side))), SwendsenWang(), temperature, sweeps=sweeps,
            thermalization=200, interval=interval, chains=2, start="up", seed=side,
        )  # fmt: skip
    return join(runs)


def z_scores(found, known):
    return {name: float((found[name] - known[name]) / found[f"{name}_error"]) for name in known}


def quiet(data, correction=OMEGA, **options):
    """The result, without warnings of small sizes and short runs, which are rare but do occur."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return critical_point(data, correction=correction, **options)


@pytest.fixture(scope="module")
def small():
    return made_up(0, 100)


class TestMadeUp:
    def trials(self, n, n_draws):
        return [z_scores(quiet(made_up(seed, n_draws)), KNOWN) for seed in range(n)]

    def check(self, trials):
        for name in KNOWN:
            z = np.array([trial[name] for trial in trials])
            assert (abs(z) < Z_LIMIT).all(), (name, z)
            assert abs(z.mean()) < Z_LIMIT / np.sqrt(z.size), (name, z)
            # the choice of the first size adds to the spread
            assert z.std(ddof=1) < 1 + 2.5 / np.sqrt(z.size), (name, z)

    def test_errors_cover_the_truth(self):
        self.check(self.trials(4, 200))

    @pytest.mark.soak
    def test_errors_are_those_of_many_trials(self):
        self.check(self.trials(40, 400))

    def test_small_sizes_with_a_second_correction_are_left_out(self):
        found = quiet(made_up(1, 400, second=1e5))
        assert found["first_size"] > 8
        for name, z in z_scores(found, KNOWN).items():
            assert abs(z) < Z_LIMIT, name

    def test_a_second_correction_describes_small_sizes(self):
        data = made_up(1, 2_000, sides=(6, 8, 12, 16, 24, 32), second=150.0, power=2 * OMEGA)
        one, two = (z_scores(quiet(data, powers=powers), KNOWN) for powers in (1, 2))
        assert max(map(abs, one.values())) > Z_LIMIT > max(map(abs, two.values()))

    def test_slopes_have_a_correction(self):
        found = quiet(made_up(3, 2_000, slope=12.0))
        for name, z in z_scores(found, KNOWN).items():
            assert abs(z) < Z_LIMIT, name

    def test_magnetizations_are_compared_at_the_cumulant_of_infinite_size(self, monkeypatch):
        point, cumulants = critical_points._point, []

        def recorded(*arguments):
            cumulants.append(arguments[4][1])
            return point(*arguments)

        monkeypatch.setattr(critical_points, "_point", recorded)
        found = quiet(made_up(1, 2_000, first=5.0))
        known = KNOWN["binder_cumulant"]
        assert abs(cumulants[-1] - known) < Z_LIMIT * found["binder_cumulant_error"]
        assert abs(cumulants[0] - known) > 4 * abs(cumulants[-1] - known)  # where sizes cross

    def test_the_result_has_errors_labels_and_quality(self, small):
        found = quiet(small)
        for name in KNOWN:
            assert found[f"{name}_error"] > 0
            assert found[f"{name}_systematic"] > 0
            assert found[f"{name}_systematic"].attrs["units"] == found[name].attrs["units"]
        assert found["critical_temperature"].attrs["units"] == "J/k_B"
        assert found["first_size"] in (8, 12)
        assert 0 <= found["goodness_of_fit"] <= 1
        assert found["degrees_of_freedom"] > 0

    def test_other_curves_for_each_size_are_warned_of(self):
        data = made_up(2, 400)
        scale = xr.DataArray([1.0, 1.1, 0.9, 1.1, 0.9], {"size": data["size"]}, ("size",))
        data["magnetization"] = data["magnetization"] * scale
        with pytest.warns(FitWarning, match="Add larger sizes, or take another correction"):
            critical_point(data, correction=OMEGA)


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"correction": 0.0}, "correction must lie"),
            ({"correction": 1.5, "correction_spread": 1.5}, "correction_spread must lie"),
            ({"correction": 1.5, "powers": 3}, "powers must be 1 or 2"),
            ({"correction": 1.5, "powers": 0}, "powers must be an integer of at least 1"),
        ],
    )
    def test_exponents(self, small, options, message):
        with pytest.raises(ValueError, match=message):
            critical_point(small, **options)

    def test_data_that_are_too_few(self, small):
        with pytest.raises(ValueError, match="at least 4 sizes"):
            critical_point(small.isel(size=slice(3)), correction=1.5)
        with pytest.raises(ValueError, match="at least 5 sizes"):
            critical_point(small.isel(size=slice(4)), correction=1.5, powers=2)
        with pytest.raises(ValueError, match="at least two temperatures"):
            critical_point(small.isel(point=[1]), correction=1.5)
        with pytest.raises(ValueError, match="at least 15 draws"):
            critical_point(small.isel(draw=slice(14)), correction=1.5)

    @pytest.mark.parametrize(
        ("size", "message"),
        [(8, "must bracket the crossing"), (16, "size 16 must reach below and above the crossing")],
    )
    def test_temperatures_that_are_not_those_of_the_transition(self, small, size, message):
        factor = xr.where(small["size"] == size, 1.2, 1.0)
        with pytest.raises(ValueError, match=message):
            critical_point(
                small.assign_coords(temperature=factor * small["temperature"]), correction=1.5
            )


SQUARE = {
    "critical_temperature": exact.CRITICAL_TEMPERATURE,
    "nu": 1.0,
    "beta_over_nu": 1 / 8,
    "gamma_over_nu": 7 / 4,
    "binder_cumulant": 0.61069,  # G. Kamieniarz, H. W. J. Blöte, J. Phys. A 26, 201 (1993)
}


class TestSquareLattice:
    def check(self, found, largest):
        for name, z in z_scores(found, SQUARE).items():
            assert abs(z) < Z_LIMIT, name
        for name, error in largest.items():
            assert found[f"{name}_error"] < error, name

    @pytest.mark.soak
    def test_small_lattices(self):
        found = quiet(square_lattice((8, 12, 16, 24, 32), 2_500), 7 / 4)
        self.check(found, {"critical_temperature": 0.02, "nu": 0.2, "beta_over_nu": 0.04})

    @pytest.mark.soak
    def test_lattices_to_128(self):
        sides = (8, 12, 16, 24, 32, 48, 64, 96, 128)
        found = scaling.critical_point(square_lattice(sides, 20_000), correction=7 / 4)
        self.check(found, {"critical_temperature": 5e-4, "nu": 0.01, "beta_over_nu": 0.002})
