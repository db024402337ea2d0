from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import xarray as xr
from scipy import stats

from analysis import ShortRunWarning, exact, quantities, thermodynamics
from analysis.literature import critical_temperature
from isingrl import HeatBath, Ising, Lattice, Metropolis, Rule, simulate

FloatArray = npt.NDArray[np.float64]
AsData = Callable[..., xr.Dataset]
OBSERVABLES = (
    "energy",
    "magnetization",
    "abs_magnetization",
    "susceptibility",
    "susceptibility_disordered",
    "specific_heat",
    "binder_cumulant",
)


def assert_standard_normal(z: FloatArray, *, excess: float = 0.15, skew: float = 0.2) -> None:
    """Mean 0 and variance 1 but for a chance of 1e-5 and what a finite number of blocks adds.

    `excess` is the variance that a t of few degrees has beyond 1, and `skew` the mean that z gets
    where an estimate and its error fluctuate together, as those of variances do.
    """
    n = z.size
    assert np.isfinite(z).all()
    assert abs(z.mean()) < 4.5 / np.sqrt(n) + skew
    assert 1 - 4.5 * np.sqrt(2 / n) < z.var(ddof=1) < (1 + excess) * (1 + 4.5 * np.sqrt(2 / n))


def exact_samples(
    rng: np.random.Generator,
    lattice: Lattice,
    temperature: float,
    stay: float,
    shape: tuple[int, ...],
) -> tuple[FloatArray, FloatArray]:
    """Draws from the Boltzmann distribution, each kept from the one before with a probability.

    The chain is in equilibrium and its correlations decay as ``stay**t``.
    """
    states = exact.density_of_states(lattice)["multiplicity"].stack(group=("bond_sum", "spin_sum"))
    weights = states.values * np.exp(states["bond_sum"].values / temperature)
    fresh = rng.choice(weights.size, size=shape, p=weights / weights.sum())
    renewed = rng.random(shape) >= stay
    renewed[..., 0] = True
    last = np.maximum.accumulate(np.where(renewed, np.arange(shape[-1]), 0), axis=-1)
    group = np.take_along_axis(fresh, last, axis=-1)
    n_sites = lattice.n_sites
    return -states["bond_sum"].values[group] / n_sites, states["spin_sum"].values[group] / n_sites


def heat_bath_ring(
    rng: np.random.Generator, n: int, temperature: float, field: float, n_runs: int, n_sweeps: int
) -> tuple[FloatArray, FloatArray]:
    """Plain heat bath on many rings side by side, measured after every sweep of random sites."""
    spins = rng.choice([-1, 1], size=(n_runs, n))
    energy, magnetization = np.empty((2, n_runs, n_sweeps))
    for sweep in range(-50, n_sweeps):
        for site in rng.integers(n, size=n):
            around = spins[:, site - 1] + spins[:, (site + 1) % n]
            p_up = 1 / (1 + np.exp(-2 * (around + field) / temperature))
            spins[:, site] = np.where(rng.random(n_runs) < p_up, 1, -1)
        if sweep >= 0:
            m = spins.mean(axis=1)
            energy[:, sweep] = -(spins * np.roll(spins, 1, axis=1)).mean(axis=1) - field * m
            magnetization[:, sweep] = m
    return energy, magnetization


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # of hundreds of runs, a few
def test_errors_cover_gaussian_series(
    as_data: AsData, autoregressive: Callable[..., FloatArray]
) -> None:
    rng = np.random.default_rng(11)
    shape = (150, 1, 2, 4000)
    data = as_data(
        autoregressive(rng, 6.0, shape), autoregressive(rng, 6.0, shape), 2.0, dims=("run",)
    )
    summary = thermodynamics(data)
    half_normal = np.sqrt(2 / np.pi)
    truth = {
        "energy": 0.0,
        "magnetization": 0.0,
        "abs_magnetization": half_normal,
        "susceptibility": 16 / 2 * (1 - half_normal**2),
        "susceptibility_disordered": 16 / 2,
        "specific_heat": 16 / 4,
        "binder_cumulant": 0.0,
    }
    for name, value in truth.items():
        z = (summary[name] - value) / summary[f"{name}_error"]
        assert_standard_normal(z.values.ravel())
    assert float(summary["autocorrelation_time"].mean()) == pytest.approx(6.0, rel=0.05)
    assert float(summary["effective_sample_size"].mean()) == pytest.approx(8000 / 6, rel=0.05)
    assert float(summary["r_hat"].max()) < 1.05


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # of hundreds of runs, a few
def test_errors_cover_exact_samples_of_the_ising_model(as_data: AsData) -> None:
    rng = np.random.default_rng(12)
    lattice = Lattice((4, 4))
    temperature = [2.0, 2.7, 4.0]
    samples = [exact_samples(rng, lattice, t, 0.8, (100, 2, 3000)) for t in temperature]
    energy, magnetization = (np.stack(part, axis=1) for part in zip(*samples, strict=True))
    summary = thermodynamics(as_data(energy, magnetization, temperature, dims=("run",)))
    difference = summary - exact.enumeration(Ising(lattice), temperature)
    for name in OBSERVABLES:
        assert_standard_normal((difference[name] / summary[f"{name}_error"]).values.ravel())


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # of hundreds of runs, a few
def test_errors_cover_a_heat_bath_in_a_field(as_data: AsData) -> None:
    rng = np.random.default_rng(13)
    energy, magnetization = heat_bath_ring(rng, 8, 1.5, 0.1, 400, 1000)
    data = as_data(
        energy.reshape(200, 1, 2, -1),
        magnetization.reshape(200, 1, 2, -1),
        1.5,
        dims=("run",),
        coords={"field": 0.1},
        n_sites=8,
    )
    summary = thermodynamics(data)
    difference = summary - exact.ring(8, 1.5, field=0.1)
    assert summary["susceptibility_disordered"].isnull().all()
    for name in set(OBSERVABLES) - {"susceptibility_disordered"}:
        assert_standard_normal((difference[name] / summary[f"{name}_error"]).values.ravel())


@pytest.mark.parametrize("rule", [Metropolis(), HeatBath()], ids=lambda rule: rule.name)
@pytest.mark.parametrize("n", [60, pytest.param(1000, marks=pytest.mark.soak)])
def test_intervals_of_95_percent_hold_the_exact_values_at_the_critical_point(
    rule: Rule, n: int
) -> None:
    """Count the misses of `n` runs of four chains."""
    chains = 4
    model, temperature = Ising(Lattice((4, 4))), critical_temperature(2, "von_neumann")
    data = simulate(
        model, rule, temperature, sweeps=6000, thermalization=200, interval=4,
        chains=n * chains, seed=21,
    )  # fmt: skip
    runs = data.coarsen(chain=chains).construct(chain=("run", "chain"))
    found = thermodynamics(runs)
    expected = exact.enumeration(model, temperature)
    for name in (
        "energy", "abs_magnetization", "specific_heat", "susceptibility", "binder_cumulant",
    ):  # fmt: skip
        off = abs(found[name] - expected[name].item()) / found[f"{name}_error"]
        misses = int((off > 1.96).sum())
        # 3 to 7 %, and what this number of runs can tell
        assert stats.binom.sf(misses - 1, n, 0.07) > 1e-4, name
        assert stats.binom.cdf(misses, n, 0.03) > 1e-4, name


def test_values_are_the_formulas(as_data: AsData) -> None:
    rng = np.random.default_rng(14)
    e, m = rng.normal(size=(2, 3, 2, 100))
    t = np.array([1.0, 2.0, 5.0])
    summary = thermodynamics(as_data(e, m, t, n_sites=9))

    def mean(x: FloatArray) -> FloatArray:
        return np.asarray(x.mean(axis=(1, 2)))

    expected = {
        "energy": mean(e),
        "magnetization": mean(m),
        "abs_magnetization": mean(abs(m)),
        "susceptibility": 9 * (mean(m**2) - mean(abs(m)) ** 2) / t,
        "susceptibility_disordered": 9 * mean(m**2) / t,
        "specific_heat": 9 * (mean(e**2) - mean(e) ** 2) / t**2,
        "binder_cumulant": 1 - mean(m**4) / (3 * mean(m**2) ** 2),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(summary[name], values, rtol=1e-12, atol=1e-14)
        assert (summary[f"{name}_error"] > 0).all()


def test_a_new_series_needs_entries_of_tables_alone(
    as_data: AsData, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"charge_squared": quantities.Observable("charge", "x", (2,), temperature_power=1)}
    label = {"charge_squared": ("response of the charge", "1/J")}
    module = sys.modules["analysis.thermodynamics"]  # the package has the function by that name
    monkeypatch.setattr(module, "OBSERVABLES", {**quantities.OBSERVABLES, **entry})
    monkeypatch.setattr(quantities, "QUANTITIES", {**quantities.QUANTITIES, **label})
    e, m, charge = np.random.default_rng(30).normal(size=(3, 1, 2, 400))
    data = as_data(e, m, 2.0)
    found = thermodynamics(data.assign(charge=(data["energy"].dims, charge)))
    expected = 16 * (charge**2).mean() / 2
    np.testing.assert_allclose(found["charge_squared"], expected, rtol=1e-12)
    assert abs(expected - 8) < 4.5 * found["charge_squared_error"]
    assert found["charge_squared"].units == "1/J"
    xr.testing.assert_identical(found[list(thermodynamics(data))], thermodynamics(data))


def test_interval_turns_draws_into_sweeps(
    as_data: AsData, autoregressive: Callable[..., FloatArray]
) -> None:
    x = autoregressive(np.random.default_rng(15), 3.0, (1, 2, 2000))
    once, fifth = (thermodynamics(as_data(x, x, 2.0, interval=k)) for k in (1, 5))
    np.testing.assert_allclose(5 * once["autocorrelation_time"], fifth["autocorrelation_time"])


def test_the_slower_observable_sets_the_autocorrelation_time(
    as_data: AsData, autoregressive: Callable[..., FloatArray]
) -> None:
    rng = np.random.default_rng(16)
    slow = autoregressive(rng, 20.0, (1, 2, 5000))
    fast = rng.normal(size=slow.shape)
    for e, m in ((slow, fast), (fast, slow + 10.0)):
        summary = thermodynamics(as_data(e, m, 2.0))
        assert float(summary["autocorrelation_time"][0]) == pytest.approx(20.0, rel=0.3)
        assert float(summary["effective_sample_size"][0]) == pytest.approx(500, rel=0.3)


def test_methods_sizes_labels_and_softmax_temperatures_are_kept(as_data: AsData) -> None:
    rng = np.random.default_rng(17)
    e, m = 1 + 0.1 * rng.normal(size=(2, 2, 3, 2, 400))
    softmax = np.array([[np.nan] * 3, [0.5, 1.0, 1.5]])
    coords = {
        "method": ["metropolis", "mean-field-q"],
        "softmax_temperature": (("method", "temperature"), softmax),
    }
    data = as_data(e, m, [1.0, 2.0, 3.0], dims=("method",), coords=coords)
    before = data.copy(deep=True)
    summary = thermodynamics(data)
    xr.testing.assert_identical(data, before)
    assert summary["energy"].dims == ("method", "temperature")
    np.testing.assert_array_equal(summary["softmax_temperature"], softmax)
    assert set(summary.coords) == {"method", "temperature", "softmax_temperature"}
    assert summary.attrs == data.attrs
    for name in ("temperature", *summary):
        assert {"long_name", "units"} <= set(summary[name].attrs)
    one = thermodynamics(data.isel(method=1))
    xr.testing.assert_allclose(one.drop_vars("method"), summary.isel(method=1).drop_vars("method"))


def test_number_of_sites_along_a_dim(as_data: AsData) -> None:
    e, m = 1 + 0.1 * np.random.default_rng(18).normal(size=(2, 2, 1, 2, 150))
    data = as_data(e, m, 2.0, dims=("size",), coords={"n_sites": ("size", [16, 64])})
    summary = thermodynamics(data)
    for index, n_sites in enumerate((16, 64)):
        expected = n_sites * e[index].var() / 4
        assert float(summary["specific_heat"][index, 0]) == pytest.approx(expected)


def test_order_of_dims_does_not_matter(as_data: AsData) -> None:
    e, m = 1 + 0.1 * np.random.default_rng(19).normal(size=(2, 3, 2, 150))
    data = as_data(e, m, [1.0, 2.0, 3.0])
    shuffled = thermodynamics(data.transpose("draw", "temperature", "chain"))
    xr.testing.assert_identical(shuffled, thermodynamics(data))


def test_series_that_never_change_have_no_error(as_data: AsData) -> None:
    rng = np.random.default_rng(20)
    e, m = rng.normal(size=(2, 3, 2, 400))
    e[0], m[0] = -1.23, 1.0
    e[1], m[1] = -1.23, 0.0
    with pytest.warns(ShortRunWarning, match=r"2 of 3 runs .*NaN, of energy, .*temperature = 0"):
        summary = thermodynamics(as_data(e, m, [0.0, 1.0, np.inf]))
    np.testing.assert_allclose(summary["energy"][:2], -1.23)
    frozen = summary.isel(temperature=0)
    for name in ("energy", "magnetization", "abs_magnetization", "binder_cumulant"):
        assert np.isfinite(frozen[name])
        assert np.isnan(frozen[f"{name}_error"])
    assert float(frozen["binder_cumulant"]) == pytest.approx(2 / 3)
    for name in ("autocorrelation_time", "effective_sample_size", "r_hat", "specific_heat"):
        assert np.isnan(frozen[name])
    still = summary.isel(temperature=1)
    assert still["specific_heat"] == 0.0
    assert np.isnan(still["specific_heat_error"])
    assert np.isnan(still["binder_cumulant"])
    hot = summary.isel(temperature=2)
    for name in ("specific_heat", "susceptibility", "susceptibility_disordered"):
        assert hot[name] == 0.0
        assert hot[f"{name}_error"] == 0.0


def test_chains_stuck_in_different_states_are_told(as_data: AsData) -> None:
    states = np.array([-2.0, -1.5])
    e = np.broadcast_to(states[:, None], (1, 2, 100))
    with pytest.warns(ShortRunWarning, match="NaN, of energy"):
        summary = thermodynamics(as_data(e, np.ones((1, 2, 100)), 0.1))
    assert summary["r_hat"] > 10
    assert summary["effective_sample_size"] < 5
    assert np.isnan(summary["energy_error"])
    # many chains that froze, as after quenches, know the spread of what they froze in
    e = np.broadcast_to(np.tile(states, 20)[:, None], (1, 40, 100))
    with pytest.warns(ShortRunWarning, match="10 a chain"):
        summary = thermodynamics(as_data(e, e, 0.1))
    assert summary["energy_error"].item() == pytest.approx(0.25 / np.sqrt(39), rel=0.2)


def test_one_chain_has_no_r_hat(as_data: AsData) -> None:
    e, m = np.random.default_rng(21).normal(size=(2, 1, 1, 500))
    summary = thermodynamics(as_data(e, m, 2.0))
    assert np.isnan(summary["r_hat"]).all()
    assert (summary["effective_sample_size"] > 300).all()


def test_a_short_run_is_told_what_it_needs(
    as_data: AsData, autoregressive: Callable[..., FloatArray]
) -> None:
    rng = np.random.default_rng(22)
    e = np.stack([autoregressive(rng, tau, (2, 500)) for tau in (1.0, 100.0)])
    data = as_data(e, e, [2.0, 2.3], interval=10)
    with pytest.warns(ShortRunWarning, match=r"1 of 2 runs.*temperature = 2\.3.*got 5e\+03"):
        thermodynamics(data)


def test_many_chains_may_be_short(
    as_data: AsData, autoregressive: Callable[..., FloatArray]
) -> None:
    x = autoregressive(np.random.default_rng(25), 3.0, (1, 32, 60))
    assert float(thermodynamics(as_data(x, x, 2.0))["autocorrelation_time"][0]) < 6.0
    x = autoregressive(np.random.default_rng(25), 10.0, (1, 32, 60))
    with pytest.warns(ShortRunWarning, match="10 a chain"):
        thermodynamics(as_data(x, x, 2.0))


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # of hundreds of runs, a few
def test_the_first_run_that_is_not_finite_is_named(as_data: AsData) -> None:
    e, m = np.random.default_rng(27).normal(size=(2, 2, 3, 2, 50))
    e[1, 2, 0, :4] = np.nan
    m[1, 1, 1, 7] = -np.inf
    data = as_data(e, m, [1.0, 2.0, 3.0], dims=("size",), coords={"size": [8, 16]})
    message = "'magnetization' must be finite; got 1 that are not at size = 16, temperature = 2"
    with pytest.raises(ValueError, match=message):
        thermodynamics(data)


def test_series_with_different_dims(as_data: AsData) -> None:
    rng = np.random.default_rng(28)
    e, m = 1 + 0.1 * rng.normal(size=(2, 2, 3, 2, 400))
    coords = {"method": ["metropolis", "heat-bath"], "name": ("method", ["a", "b"])}
    data = as_data(e, m, [1.0, 2.0, 3.0], dims=("method",), coords=coords)
    fewer = data.assign(energy=data["energy"].isel(method=0, drop=True))
    full = data.assign(
        energy=data["energy"].isel(method=[0, 0]).assign_coords(data["method"].coords)
    )
    found, expected = thermodynamics(fewer), thermodynamics(full)
    assert set(found["energy"].dims) == {"method", "temperature"}
    for name in expected:
        xr.testing.assert_equal(found[name].variable, expected[name].variable)
    fewer = data.assign(magnetization=data["magnetization"].isel(method=0, drop=True))
    assert thermodynamics(fewer).sizes == {"method": 2, "temperature": 3}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d.drop_vars("energy"), "variables 'energy' and 'magnetization'"),
        (lambda d: d.isel(chain=0), "'energy' must have the dims"),
        (lambda d: d.drop_vars("temperature"), "coordinate 'temperature'"),
        (lambda d: d.assign_coords(temperature=[-1.0]), "'temperature' must be .*got -1"),
        (lambda d: d.isel(draw=slice(19)), "at least 20 draws a chain.*got 19"),
        (
            lambda d: d.where(d["draw"] > 2),
            r"'energy' must be finite; got 6 that are not at temperature = 2\.0$",
        ),
        (
            lambda d: d.assign(magnetization=d["magnetization"].where(d["chain"] > 0, np.inf)),
            r"'magnetization' must be finite; got 50 that are not at temperature = 2\.0$",
        ),
        (lambda d: d.drop_attrs(), "attribute or coordinate 'n_sites'"),
        (lambda d: d.assign_attrs(interval=0), "'interval' must be positive; got 0"),
        (lambda d: d.assign_coords(n_sites=("chain", [1, 2])), "'n_sites' must lie along"),
    ],
)
def test_bad_data(spoil: Callable[[xr.Dataset], xr.Dataset], message: str, as_data: AsData) -> None:
    e, m = np.random.default_rng(24).normal(size=(2, 1, 2, 50))
    with pytest.raises(ValueError, match=message):
        thermodynamics(spoil(as_data(e, m, 2.0)))


def test_data_must_be_a_dataset() -> None:
    with pytest.raises(TypeError, match=r"data must be an xarray Dataset; got ndarray"):
        thermodynamics(np.zeros(3))  # type: ignore[arg-type]
