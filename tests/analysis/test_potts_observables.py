"""Observables of Potts models: against enumeration, and two states against Ising models."""

import numpy as np
import pytest
import xarray as xr

import analysis
from analysis import (
    ShortRunWarning,
    precision,
    scaling,
    tempering,
    tempering_temperatures,
    thermodynamics,
)
from isingrl import HeatBath, Ising, Lattice, Metropolis, Potts, Tempering, simulate
from tests.analysis.potts_oracle import as_potts, enumerated
from tests.statistical import Z_LIMIT

NAMES = ["energy", "order_parameter", "specific_heat", "susceptibility", "binder_cumulant"]
SQUARE = Potts(Lattice((3, 3)), states=3)
MODELS = {
    "square": SQUARE,
    "field": Potts(Lattice((2, 4)), states=3, coupling=0.7, field=0.4),
    "free": Potts(Lattice((3, 2), boundary="free"), states=4),
    "antiferromagnet": Potts(Lattice(7), states=3, coupling=-1.0),
}


def run(model, temperature, rule=None, **options):
    options = {"sweeps": 10_000, "thermalization": 100, "chains": 4, "seed": 1} | options
    return simulate(model, rule or HeatBath(), temperature, **options)


@pytest.fixture(scope="module")
def data():
    return run(SQUARE, [0.8, 1.1])


class TestThermodynamics:
    @pytest.mark.parametrize("name", MODELS)
    @pytest.mark.parametrize("rule", [Metropolis(), HeatBath()], ids=lambda rule: rule.name)
    def test_observables_are_those_of_all_configurations(self, rule, name):
        model = MODELS[name]
        found = thermodynamics(run(model, [0.9, 1.6], rule))
        assert sorted(set(found) & set(analysis.quantities.OBSERVABLES)) == sorted(NAMES)
        for t in found.temperature.values:
            at = found.sel(temperature=t)
            for each, value in enumerated(model, t).observables().items():
                z = (at[each] - value) / at[f"{each}_error"]
                assert abs(z) < Z_LIMIT, (each, t, float(z))
            assert at.autocorrelation_time >= 1
            assert at.effective_sample_size > 0
            assert abs(at.r_hat - 1) < 0.02

    def test_labels(self, data):
        found = thermodynamics(data)
        assert found.order_parameter.attrs == {"long_name": "order parameter", "units": "1"}
        assert found.order_parameter_error.long_name == "standard error of the order parameter"
        assert found.susceptibility.units == "1/J"
        assert found.states == 3

    def test_two_states_are_an_ising_model(self):
        data = run(Ising(Lattice((4, 5))), [2.0, 3.0])
        ising, potts = thermodynamics(data), thermodynamics(as_potts(data))
        np.testing.assert_allclose(potts.order_parameter, ising.abs_magnetization)
        for name in ("specific_heat", "susceptibility", "binder_cumulant"):
            np.testing.assert_allclose(potts[name], ising[name])
            np.testing.assert_allclose(potts[f"{name}_error"], ising[f"{name}_error"], rtol=0.2)
        for name in ("autocorrelation_time", "effective_sample_size", "r_hat"):
            np.testing.assert_allclose(potts[name], ising[name])

    def test_sizes_of_clusters_have_a_mean_alone(self, data):
        found = thermodynamics(data.assign(mean_cluster_size=1 + data.order_parameter))
        np.testing.assert_allclose(found.mean_cluster_size, 1 + found.order_parameter)
        assert "susceptibility_improved" not in found

    def test_numbers_of_states_side_by_side(self, data):
        four = run(Potts(Lattice((3, 3)), states=4), [0.8, 1.1])
        both = xr.concat([data, four], "states", coords="different", compat="equals", join="outer")
        found = thermodynamics(both)
        for q, each in ((3, data), (4, four)):
            own = thermodynamics(each).order_parameter
            np.testing.assert_array_equal(found.order_parameter.sel(states=q), own)

    @pytest.mark.parametrize("wrong", [8, 10, 18])
    def test_a_number_of_sites_that_the_order_contradicts(self, data, wrong):
        with pytest.raises(ValueError, match="order parameters there fit 9 sites"):
            thermodynamics(data.assign_coords(n_sites=wrong))

    @pytest.mark.parametrize("name", MODELS)
    def test_models_are_told_from_others_by_their_energies(self, name):
        model, data = MODELS[name], run(MODELS[name], [1.3], sweeps=2_000)
        other = data.assign_coords(coupling=0.37 * model.coupling)
        if model.field:  # where the order parameter does not tell the energy of the bonds
            thermodynamics(other)
        else:
            with pytest.raises(ValueError, match="do not fit a model with coupling"):
                thermodynamics(other)

    def test_what_is_missing_is_named(self, data):
        with pytest.raises(ValueError, match="'magnetization', or 'order_parameter' of a Potts"):
            thermodynamics(data.drop_vars("order_parameter"))
        with pytest.raises(ValueError, match="coordinate 'states'"):
            thermodynamics(data.drop_vars("states"))


def test_precision_ends_a_run():
    enough = precision(order_parameter=0.01, energy=0.02)
    found = thermodynamics(run(SQUARE, [1.0], sweeps=20_000, until=enough))
    assert (found.order_parameter_error <= 0.01).all()
    with pytest.raises(ValueError, match="must be one of 'energy', 'order_parameter'"):
        run(SQUARE, [1.0], until=precision(abs_magnetization=0.01))
    with pytest.raises(ValueError, match="must be one of 'energy', 'magnetization'"):
        run(Ising(Lattice((4, 4))), [3.0], until=enough)


@pytest.fixture(scope="module")
def pair():
    runs = []
    for side in (4, 6, 8, 12):
        temperature = 2.27 * np.exp(np.linspace(-0.6, 0.8, 4) / side)
        each = simulate(
            Ising(Lattice((side, side))), HeatBath(), temperature, sweeps=6_000,
            thermalization=500, interval=10, chains=2, seed=side,
        )  # fmt: skip
        each = each.rename_dims(temperature="point").reset_index("temperature")
        runs.append(each.reset_coords("temperature"))
    size = xr.Variable("size", [4, 6, 8, 12])

    def joined(runs):
        found = xr.concat(
            runs, size, data_vars="all", coords="different", compat="equals",
            combine_attrs="drop_conflicts",
        )  # fmt: skip
        return found.set_coords("temperature")

    return joined(runs), joined([as_potts(each) for each in runs])


class TestScaling:
    @pytest.mark.filterwarnings("ignore::analysis.FitWarning")  # the sizes are few and small
    @pytest.mark.parametrize(
        "function",
        [
            scaling.observables,
            scaling.binder_crossings,
            lambda data: scaling.collapse(data, degree=2, correction=1.75),
            lambda data: scaling.critical_point(data, correction=1.75),
            lambda data: scaling.pseudo_critical_points(data.isel(size=[0, 2]), "specific_heat"),
        ],
        ids=["observables", "crossings", "collapse", "critical point", "maxima"],
    )
    def test_two_states_are_an_ising_model(self, function, pair):
        ising, potts = map(function, pair)
        names = {each: each.replace("abs_magnetization", "order_parameter") for each in ising}
        assert set(potts) == set(names.values())
        for own, name in names.items():
            np.testing.assert_allclose(potts[name], ising[own], rtol=1e-4, atol=1e-6, err_msg=name)
            assert potts[name].attrs.get("units") == ising[own].attrs.get("units")

    def test_points_of_all_sizes_lie_on_one_curve(self, pair):
        fit = {"critical_temperature": 2.27, "nu": 1.0, "beta_over_nu": 0.125}
        points = []
        for data, name in zip(pair, ("abs_magnetization", "order_parameter"), strict=True):
            known = xr.Dataset({**fit, f"{name}_slope": 0.1})
            points.append(scaling.collapsed(scaling.observables(data), known, name))
        xr.testing.assert_allclose(*points)

    def test_reweighting_is_exact(self, data):
        found = scaling.reweight(data, [0.9, 1.0])
        assert found.order_parameter.long_name == "order parameter"
        for t in (0.9, 1.0):
            expected, at = enumerated(SQUARE, t).observables(), found.sel(temperature=t)
            for name in NAMES[1:]:
                z = (at[name] - expected[name]) / at[f"{name}_error"]
                assert abs(z) < Z_LIMIT, (name, t, float(z))


def test_tempering():
    grid = [0.7, 0.9, 1.2]
    data = run(SQUARE, grid, Tempering(HeatBath(), every=1), interval=2, sweeps=20_000)
    found = tempering(data)
    cold, warm = (enumerated(SQUARE, t) for t in grid[:2])
    gain = 9 * (1 / cold.temperature - 1 / warm.temperature)
    levels, chances = [], []
    for each in (cold, warm):
        energies, level = np.unique(each.energy.round(9), return_inverse=True)
        levels.append(energies)
        chances.append(np.bincount(level, each.weight))
    accepted = np.minimum(1, np.exp(gain * np.subtract.outer(*levels)))
    acceptance = chances[0] @ accepted @ chances[1]
    z = (found.exchange_acceptance[0] - acceptance) / found.exchange_acceptance_error[0]
    assert abs(z) < Z_LIMIT
    ladder = tempering_temperatures(data, number=4)
    assert ladder[[0, -1]].round(12).tolist() == [0.7, 1.2]


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")
def test_the_accessor_takes_them_all():
    data = run(Potts(Lattice((4, 4)), states=3), [1.2], sweeps=400, snapshots=40)
    found = data.isingrl
    assert "order_parameter" in found.thermodynamics()
    assert found.plot("order_parameter").get_ylabel() == "order parameter"
    assert found.domains().phase.values.tolist() == ["0", "1", "2", "all"]
    assert "all" in found.clusters(seed=1).phase
    for result in (found.correlations(), found.structure_factor(), found.correlation_length()):
        assert result.temperature.values.tolist() == [1.2]


def test_short_runs_are_told():
    with pytest.warns(ShortRunWarning, match="order_parameter"):
        thermodynamics(run(SQUARE, [0.5], sweeps=100, chains=1))
