"""Models whose bonds differ: energies, exactness of all rules, and what agents make of them."""

import functools
import zlib

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import isingrl as irl
from analysis import exact, label_clusters, thermodynamics
from isingrl.bonds import Bonds
from isingrl.tables import RuleTable
from tests import oracles
from tests.statistical import Z_LIMIT, check_standard_normal, z_of_chains
from tests.strategies import lattices

MODELS = {
    "anisotropic": irl.Ising(irl.Lattice((3, 4)), [1.6, 0.4]),
    "free, in a field": irl.Ising(irl.Lattice((3, 4), boundary="free"), [0.5, 1.5], 0.4),
    "of both signs": irl.Ising(irl.Lattice((3, 4)), [1.0, -0.5], -0.3),
    "shells": irl.Ising(irl.Lattice((3, 4), "moore"), [-0.2, 1.0, -0.2, 1.0]),
    "triangular": irl.Ising(irl.Lattice((3, 4), "triangular"), [1.0, 0.6, -0.4]),
    "honeycomb": irl.Ising(irl.Lattice((2, 6), "honeycomb"), [1.2, 0.6]),
    "cubic": irl.Ising(irl.Lattice((2, 3, 2), boundary="free"), [1.0, 0.5, 0.8]),
    "two ranges": irl.Ising(irl.Lattice((4, 3), [(0, 1), (1, 0), (2, 0)]), [1.0, 0.7, 0.3]),
}
RULES = {
    "metropolis": irl.Metropolis(),
    "heat-bath": irl.HeatBath(),
    "swendsen-wang": irl.SwendsenWang(),
    "wolff": irl.Wolff(),
    "tempering": irl.Tempering(irl.HeatBath(), every=5),
}
SYSTEMS = [
    (name, rule, schedule)
    for name in MODELS
    for rule in RULES
    for schedule in ("checkerboard", "sequential")
    if schedule == "checkerboard" or rule in ("metropolis", "heat-bath")
]
WITH_AGENTS = [
    name
    for name, model in MODELS.items()
    if model.lattice.periodic and model.lattice.coordination_number <= 4  # all can be met
]


@st.composite
def models(draw):
    """A model with couplings of up to three values."""
    lattice = draw(lattices.filter(lambda each: len(each.forward_offsets) < 5))
    steps = len(lattice.forward_offsets)
    couplings = st.lists(st.sampled_from([1.5, 0.2, -0.7]), min_size=steps, max_size=steps)
    return irl.Ising(lattice, draw(couplings), draw(st.sampled_from([0.0, 0.3])))


def random_spins(model, seed):
    return np.random.default_rng(seed).choice([-1, 1], size=model.lattice.shape)


class TestModel:
    @settings(max_examples=60)
    @given(models(), st.integers(0, 2**32))
    def test_energies_and_local_fields(self, model, seed):
        spins = random_spins(model, seed)
        flat = spins.ravel().tolist()
        assert model.energy(spins) == pytest.approx(oracles.energy(model, spins), abs=1e-12)
        states = RuleTable(np.zeros((1, 1, 2, 1)), bonds=model.bonds).states(model.lattice, flat)
        site = seed % len(flat)
        assert states[site] == oracles.state_by_kind(flat, model.bonds, site)
        field = model.local_fields()[states[site]]
        assert field == pytest.approx(oracles.local_field(model, flat, site), abs=1e-12)

    def test_equal_couplings_are_one(self):
        model = irl.Ising(irl.Lattice((4, 4)), [0.5, 0.5])
        assert model == irl.Ising(irl.Lattice((4, 4)), 0.5)
        assert model.mean_coupling == 0.5

    def test_refusals(self):
        square, cubic = irl.Lattice((4, 4)), irl.Lattice((3, 3, 3), "moore")
        with pytest.raises(ValueError, match=r"2 of them, for the steps \(0, 1\), \(1, 0\); got 3"):
            irl.Ising(square, [1.0, 2.0, 3.0])
        with pytest.raises(ValueError, match=r"at most 65,536 states .* 13 different couplings"):
            irl.Ising(cubic, np.arange(1.0, 14.0))
        with pytest.raises(ValueError, match="one number as its coupling for a curve"):
            irl.Ising(square, [1.0, 2.0]).one_coupling("a curve")

    def test_tables_of_other_bonds_are_refused(self):
        lattice = irl.Lattice((4, 4))
        table = RuleTable(np.full((1, 1, 2, 9), 0.5), bonds=Bonds(lattice, (0, 1, 1, 0)))
        assert "2 kinds of bonds" in repr(table.check(lattice, 1, "mine"))
        with pytest.raises(ValueError, match="must have the bonds of the model"):
            table.check(irl.Lattice((4, 6)), 1, "mine")


def averages(model, temperature):
    """Exact means of energy, |m|, m² and the energies by coupling, over all configurations."""
    lattice = model.lattice
    spins = oracles.configurations(lattice.n_sites).reshape(-1, *lattice.shape)
    e, m = model.energy(spins), abs(model.magnetization(spins))
    weights = np.exp(-lattice.n_sites * (e - e.min()) / temperature)
    found = {"energy": e, "abs_magnetization": m, "magnetization_squared": m**2}
    for place, each in enumerate(model.couplings):
        # d(energy)/dJ by two energies, which are linear in J
        others = [each + 1.0 if j == each else j for j in model.coupling]
        raised = irl.Ising(lattice, others, model.field).energy(spins)
        found[f"bond_energy {place}"] = each * (raised - e)
    return {name: weights @ values / weights.sum() for name, values in found.items()}


def scores(data, expected, place=0):
    """Deviations of one temperature from exact means, as standard normal numbers."""
    at = data.isel(temperature=place)
    series = {
        "energy": at["energy"],
        "abs_magnetization": abs(at["magnetization"]),
        "magnetization_squared": at["magnetization"] ** 2,
    }
    for kind in range(data.sizes["bond_coupling"]):
        series[f"bond_energy {kind}"] = at["bond_energy"].isel(bond_coupling=kind)
    return {name: z_of_chains(series[name].mean("draw"), each) for name, each in expected.items()}


def z_scores(name, rule, schedule):
    model, seed = MODELS[name], zlib.crc32(f"{name} {rule} {schedule}".encode())
    temperature = model.lattice.coordination_number * (0.5 + 0.4 * (seed % 100) / 100)
    temperatures = [temperature, 1.4 * temperature] if rule == "tempering" else [temperature]
    data = irl.simulate(
        model, RULES[rule], temperatures, sweeps=800, interval=2, thermalization=60, chains=48,
        schedule=schedule, seed=seed,
    )  # fmt: skip
    return scores(data, averages(model, temperature))


class TestExactness:
    @pytest.mark.parametrize("name", MODELS)
    def test_enumeration(self, name):
        model, temperatures = MODELS[name], [1.0, 3.0]
        found = exact.enumeration(model, temperatures)
        for place, temperature in enumerate(temperatures):
            for observable, expected in averages(model, temperature).items():
                if observable in found:
                    assert float(found[observable][place]) == pytest.approx(expected, rel=1e-10)

    def test_means_agree_with_enumeration(self):
        """In every system, and all together with scores that are standard normal."""
        scores = [z_scores(*each) for each in SYSTEMS]
        for system, each in zip(SYSTEMS, scores, strict=True):
            for observable, z in each.items():
                assert abs(z) < Z_LIMIT, f"{system}, {observable}: z = {z:.2f}"
        names = ("energy", "abs_magnetization", "bond_energy 0", "bond_energy 1")
        for number in range(len(names)):
            check_standard_normal([each[names[(k + number) % 4]] for k, each in enumerate(scores)])


class TestAgents:
    @pytest.mark.parametrize("name", WITH_AGENTS)
    def test_those_that_see_the_configuration_are_exact(self, name):
        model = MODELS[name]
        temperature = 0.8 * model.lattice.coordination_number
        policy = irl.train(model, irl.NeighborhoodQ(), temperature, sweeps=3000, seed=1)
        data = irl.simulate(
            model, policy, sweeps=1000, interval=2, thermalization=60, chains=48, seed=2
        )
        for observable, z in scores(data, averages(model, temperature)).items():
            assert abs(z) < Z_LIMIT, f"{observable}: z = {z:.2f}"

    @pytest.mark.parametrize("couplings", [[1.75, 0.25], [0.5, 1.5], [2.0, -0.25]])
    def test_those_that_see_the_mean_action_play_the_mean_coupling(self, couplings):
        model = irl.Ising(irl.Lattice((4, 4)), couplings)
        homogenised = exact.homogenised(model)
        assert homogenised.coupling == np.mean(couplings)
        temperature = 2.6 * homogenised.coupling
        # rewards have noise, because they depend on which of the neighbours are up; so learn means
        agent = irl.MeanFieldQ(learning_rate=1e-9, falling_rate=True)
        large = irl.Ising(irl.Lattice((32, 32)), couplings)
        policy = irl.train(large, agent, temperature, sweeps=20_000, seed=1)
        options = {"sweeps": 1000, "interval": 2, "thermalization": 60, "chains": 48, "seed": 2}
        data = irl.simulate(model, policy, **options)
        known = exact.enumeration(homogenised, temperature)
        # bonds of both directions are alike, so that the mean coupling gives the energy
        z = scores(data, {name: float(known[name][0]) for name in ("energy", "abs_magnetization")})
        assert max(map(abs, z.values())) < Z_LIMIT, z
        other = exact.enumeration(model, temperature)
        assert abs(data["magnetization"]).mean() - other["abs_magnetization"][0] > 0.01

    def test_independent_agents_are_those_of_weiss(self):
        model = irl.Ising(irl.Lattice((48, 48)), [1.75, 0.25])
        agent = irl.IndependentQ(learning_rate=0.02, falling_rate=False)
        data = irl.simulate(
            model, irl.Learning(agent), 3.0, sweeps=2000, thermalization=500, interval=10, seed=1,
            start="up",
        )  # fmt: skip
        weiss = exact.weiss(model, 3.0)
        assert weiss.critical_temperature == 4.0
        found = thermodynamics(data)
        off = float(found["abs_magnetization"][0] - weiss["abs_magnetization"][0])
        assert abs(off) < Z_LIMIT * found["abs_magnetization_error"][0] + 0.003

    def test_tempering_refuses_a_policy_of_another_law(self):
        model = MODELS["anisotropic"]
        policy = irl.train(model, irl.MeanFieldQ(), [2.0, 3.0], sweeps=100, seed=1)
        with pytest.raises(ValueError, match="do not tell bonds of different couplings apart"):
            irl.simulate(model, irl.Tempering(policy), sweeps=10)

    def test_a_policy_keeps_its_couplings(self, tmp_path):
        model = MODELS["anisotropic"]
        policy = irl.train(model, irl.MeanFieldQ(), 3.0, sweeps=100, seed=1)
        policy.save(tmp_path)
        loaded = irl.Policy.load(tmp_path)
        assert loaded.model == model
        assert "J = 1.6, 0.4" in loaded._repr_html_()
        with pytest.raises(ValueError, match=r"coupling that the policy was trained with, \(1.6"):
            irl.simulate(irl.Ising(model.lattice, [0.4, 1.6]), loaded, sweeps=10)

    def test_rewards_that_know_no_couplings_are_refused(self):
        model = irl.Ising(irl.Lattice((4, 4)), [1.0, 0.5])
        with pytest.raises(ValueError, match="one number as its coupling for reward 'chapter-2d'"):
            irl.train(model, irl.MeanFieldQ("chapter-2d"), 2.0, sweeps=10)


@pytest.fixture(scope="module")
def data():
    options = {"sweeps": 400, "snapshots": 2, "chains": 2, "seed": 1}
    return irl.simulate(MODELS["anisotropic"], irl.HeatBath(), [2.0, 3.0], **options)


class TestData:
    def test_energies_by_coupling_add_up(self, data):
        assert data["bond_energy"].dims == ("temperature", "chain", "draw", "bond_coupling")
        assert data["bond_coupling"].values.tolist() == [1.6, 0.4]
        np.testing.assert_allclose(data["bond_energy"].sum("bond_coupling"), data["energy"])

    def test_couplings_are_coordinates_and_survive_a_file(self, data, tmp_path):
        assert data["coupling"].item() == data["spins"].coupling.item() == "1.6 0.4"
        data.to_netcdf(tmp_path / "data.nc")
        with xr.open_dataset(tmp_path / "data.nc") as found:
            xr.testing.assert_identical(found.load(), data)

    def test_observables(self, data):
        found = thermodynamics(data.sel(temperature=[3.0]))
        assert (found["energy_error"] > 0).all()
        assert found["coupling"].item() == "1.6 0.4"

    def test_clusters_of_one_coupling_are_refused(self, data):
        with pytest.raises(ValueError, match="coupling must be one number for clusters"):
            label_clusters(data.spins, seed=1)

    @pytest.mark.parametrize("rule", RULES)
    def test_a_run_goes_on_from_its_checkpoint(self, rule, tmp_path):
        run = functools.partial(irl.simulate, MODELS["of both signs"], RULES[rule], [2.0, 3.0])
        options = {"thermalization": 5, "chains": 2, "seed": 1}
        run(sweeps=20, out=tmp_path, **options)
        xr.testing.assert_identical(
            run(sweeps=40, out=tmp_path, **options), run(sweeps=40, **options)
        )
        with pytest.raises(ValueError, match="coupling"):
            irl.simulate(
                MODELS["anisotropic"], RULES[rule], [2.0, 3.0], sweeps=40, out=tmp_path, **options
            )
