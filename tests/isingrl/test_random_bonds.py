"""Models with a coupling for every bond: what is drawn, energies, exactness, agents, files."""

import functools
import zlib

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import isingrl as irl
from analysis import exact, log_odds, staggered_spins, thermodynamics
from isingrl.disorder import RandomBonds
from tests import oracles
from tests.statistical import Z_LIMIT, check_standard_normal, z_of_chains
from tests.strategies import lattices


def model_of(shape, neighborhood, boundary, values, field, seed=3):
    lattice = irl.Lattice(shape, neighborhood, boundary)
    return irl.Ising(lattice, irl.random_bonds(lattice, values, seed=seed), field)


MODELS = {
    "glass": model_of((3, 4), "von_neumann", "periodic", (1.0, -1.0), 0.0),
    "glass in a field": model_of((2, 6), "von_neumann", "periodic", (0.8, -0.8), 0.3),
    "free, three values": model_of((3, 4), "von_neumann", "free", (1.0, -0.5, 0.0), 0.3),
    "diluted honeycomb": model_of((2, 6), "honeycomb", "periodic", (1.0, 0.0), 0.2),
    "cubic glass": model_of((2, 2, 3), "von_neumann", "periodic", (1.0, -1.0), 0.0),
    "Moore": model_of((3, 3), "moore", "periodic", (1.0, -1.0), -0.4),
    "diluted ring": model_of((9,), "von_neumann", "periodic", (1.0, 0.0), 0.1),
    "triangular": model_of((3, 4), "triangular", "periodic", (1.0, -0.3), 0.0),
}
RULES = {
    "metropolis": irl.Metropolis(),
    "heat-bath": irl.HeatBath(),
    "tempering": irl.Tempering(irl.Metropolis(), every=5),
    "swendsen-wang": irl.SwendsenWang(),
    "wolff": irl.Wolff(),
}
SYSTEMS = [
    (name, rule, schedule)
    for name in MODELS
    for rule in RULES
    for schedule in ("checkerboard", "sequential", "typewriter")
    if schedule == "checkerboard" or rule in ("metropolis", "heat-bath")
]


def plain_energy(model, spins):
    """Energy per site by a loop over the bonds that begin at each site."""
    lattice, sites = model.lattice, oracles.site_list(model.lattice.shape)
    total = -model.field * float(np.sum(spins))
    for step, couplings in zip(lattice.forward_offsets, model.coupling.couplings, strict=True):
        for place in sites:
            if step not in oracles.steps_of(lattice.neighborhood, lattice.ndim, place):
                continue
            other = tuple(x + d for x, d in zip(place, step, strict=True))
            wrapped = tuple(x % side for x, side in zip(other, lattice.shape, strict=True))
            if lattice.periodic or wrapped == other:
                total -= couplings[place] * spins[place] * spins[wrapped]
    return total / lattice.n_sites


@st.composite
def models(draw):
    lattice = draw(lattices.filter(lambda each: len(each.forward_offsets) < 5))
    values = draw(st.sampled_from([(1.0, -1.0), (1.0, 0.0), (0.7, -0.2, 0.0), (2.0,)]))
    try:
        bonds = irl.random_bonds(lattice, values, seed=draw(st.integers(0, 99)))
    except ValueError:  # all of a few bonds were drawn as 0
        reject()
    return irl.Ising(lattice, bonds, draw(st.sampled_from([0.0, 0.3])))


class TestModel:
    @settings(max_examples=60, deadline=None)
    @given(models(), st.integers(0, 2**32))
    def test_energies_and_local_fields(self, model, seed):
        spins = np.random.default_rng(seed).choice([-1, 1], size=model.lattice.shape)
        assert model.energy(spins) == pytest.approx(plain_energy(model, spins), abs=1e-12)
        table = irl.HeatBath().compile(model, np.array([1.0]))
        site = seed % spins.size
        field = model.local_fields()[table.states(model.lattice, spins.ravel())[site]]
        turned = spins.copy()
        turned.flat[site] *= -1
        cost = (plain_energy(model, turned) - plain_energy(model, spins)) * spins.size
        if model.lattice.neighbors[site].tolist().count(site) == 0:
            assert 2 * spins.flat[site] * field == pytest.approx(cost, abs=1e-9)

    def test_shares(self):
        lattice = irl.Lattice((64, 64))
        bonds = irl.random_bonds(lattice, (1.0, -1.0, 0.0), (0.2, 0.5, 0.3), seed=1)
        found = [(bonds.couplings == each).mean() for each in (1.0, -1.0, 0.0)]
        spread = np.sqrt(0.25 / bonds.couplings.size)
        assert np.abs(np.array(found) - [0.2, 0.5, 0.3]).max() < Z_LIMIT * spread
        assert irl.random_bonds(lattice, (1.0, -1.0), seed=1) == irl.random_bonds(
            lattice, (1.0, -1.0), seed=1
        )
        assert irl.random_bonds(lattice, (1.0, -1.0), seed=1) != bonds

    def test_equal_bonds_are_the_uniform_model(self):
        lattice = irl.Lattice((4, 4))
        uniform = irl.Ising(lattice, RandomBonds(lattice, np.ones((2, 4, 4))))
        spins = np.random.default_rng(1).choice([-1, 1], size=(5, 4, 4))
        np.testing.assert_allclose(uniform.energy(spins), irl.Ising(lattice).energy(spins))
        assert uniform.mean_coupling == 1.0

    def test_mean_coupling(self):
        model = MODELS["diluted ring"]
        assert model.mean_coupling == pytest.approx(model.coupling.couplings.mean())

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"values": (1.0, 1.0)}, ValueError, "values must be different"),
            ({"values": ()}, ValueError, "values must hold at least one number"),
            ({"values": 1.0}, TypeError, "values must be a sequence"),
            ({"values": (1.0, np.inf)}, ValueError, "values: each must be finite"),
            ({"share": (0.5, 0.6)}, ValueError, "share must be .* add up to 1"),
            ({"share": (1.5, -0.5)}, ValueError, "share must be numbers of at least 0"),
            ({"share": (1.0,)}, ValueError, "share must be 2 numbers"),
            ({"seed": -1}, ValueError, "seed must be an integer of at least 0"),
            ({"lattice": (4, 4)}, TypeError, "lattice must be a Lattice"),
            ({"values": (0.0,)}, ValueError, "1 to 127 different values beside 0; got 0"),
        ],
        ids=str,
    )
    def test_bad_input(self, options, error, message):
        given_ = {"lattice": irl.Lattice((4, 4)), "values": (1.0, -1.0), "seed": 1} | options
        with pytest.raises(error, match=message):
            irl.random_bonds(**given_)

    def test_other_lattices_and_models_are_refused(self):
        lattice = irl.Lattice((4, 4))
        bonds = irl.random_bonds(lattice, (1.0, -1.0), seed=1)
        with pytest.raises(ValueError, match="RandomBonds on the lattice of the model"):
            irl.Ising(irl.Lattice((4, 6)), bonds)
        with pytest.raises(ValueError, match=r"couplings must have the shape \(2, 4, 4\)"):
            RandomBonds(lattice, np.ones((4, 4)))
        with pytest.raises(ValueError, match="couplings must be finite"):
            RandomBonds(lattice, np.full((2, 4, 4), np.nan))
        with pytest.raises(TypeError, match=r"coupling must be a number.* of a Potts model"):
            irl.Potts(lattice, 3, bonds)


@functools.cache
def enumerated(name, temperature):
    model = MODELS[name]
    spins = oracles.configurations(model.lattice.n_sites).reshape(-1, *model.lattice.shape)
    e, m = model.energy(spins), abs(model.magnetization(spins))
    weights = np.exp(-model.lattice.n_sites * (e - e.min()) / temperature)
    observables = {"energy": e, "abs_magnetization": m, "magnetization_squared": m**2}
    return {name: weights @ each / weights.sum() for name, each in observables.items()}


def z_scores(name, rule, schedule):
    model, seed = MODELS[name], zlib.crc32(f"{name} {rule} {schedule}".encode())
    temperature = model.lattice.coordination_number * (0.4 + 0.3 * (seed % 100) / 100)
    temperatures = [temperature, 1.4 * temperature] if rule == "tempering" else [temperature]
    data = irl.simulate(
        model, RULES[rule], temperatures, sweeps=400, interval=2, thermalization=100, chains=48,
        schedule=schedule, seed=seed,
    ).isel(temperature=0)  # fmt: skip
    m = data["magnetization"]
    series = {"energy": data["energy"], "abs_magnetization": abs(m), "magnetization_squared": m**2}
    expected = enumerated(name, temperature)
    return [z_of_chains(series[each].mean("draw"), expected[each]) for each in expected]


class TestExactness:
    @pytest.mark.parametrize("name", MODELS)
    def test_enumeration(self, name):
        found = exact.enumeration(MODELS[name], [1.0, 3.0])
        for place, temperature in enumerate((1.0, 3.0)):
            for observable, expected in enumerated(name, temperature).items():
                assert float(found[observable][place]) == pytest.approx(expected, rel=1e-10)

    def test_means_agree_with_enumeration(self):
        """In every system, and all together with scores that are standard normal."""
        scores = [z_scores(*each) for each in SYSTEMS]
        for system, each in zip(SYSTEMS, scores, strict=True):
            assert max(map(abs, each)) < Z_LIMIT, (system, each)
        for number in range(3):
            check_standard_normal([each[(k + number) % 3] for k, each in enumerate(scores)])

    @pytest.mark.parametrize("rule", ["swendsen-wang", "wolff"])
    def test_the_mean_cluster_size_is_a_moment_of_the_magnetization(self, rule):
        model = model_of((16, 16), "von_neumann", "periodic", (1.0, 0.4, 0.0), 0.0)
        data = irl.simulate(model, RULES[rule], 1.5, sweeps=2000, thermalization=200, chains=8,
                            interval=4, seed=1)  # fmt: skip
        found = thermodynamics(data).isel(temperature=0)
        plain, improved = found["susceptibility_disordered"], found["susceptibility_improved"]
        error = found["susceptibility_disordered_error"]
        assert abs(plain - improved) < Z_LIMIT * error
        glass = irl.simulate(MODELS["glass"], RULES[rule], 1.0, sweeps=2, seed=1)
        assert "mean_cluster_size" not in glass

    def test_ground_states_at_zero_temperature(self):
        model = MODELS["glass"]
        data = irl.simulate(model, irl.Tempering(irl.HeatBath()), [0.0, 0.4, 0.8, 1.6], sweeps=2000,
                            thermalization=500, chains=4, seed=1)  # fmt: skip
        lowest = float(exact.enumeration(model, 0.0)["energy"][0])
        np.testing.assert_allclose(data["energy"].isel(temperature=0), lowest, atol=1e-12)


class TestAgents:
    @pytest.mark.parametrize("name", ["glass", "diluted ring"])
    def test_those_with_tables_of_their_own_learn_their_bonds(self, name):
        model = MODELS[name]
        temperature = 0.6 * model.lattice.coordination_number
        agent = irl.NeighborhoodQ(shared=False)
        policy = irl.train(model, agent, temperature, sweeps=20_000, seed=1)
        table, flat = policy.compile(model, policy.temperature), oracles.configurations(9)[:40]
        spins = np.resize(flat, (40, model.lattice.n_sites))
        heat_bath = irl.HeatBath().compile(model, np.array([temperature]))
        np.testing.assert_allclose(
            table.probabilities(model.lattice, spins),
            heat_bath.probabilities(model.lattice, spins),
            atol=1e-9,
        )

    @pytest.mark.parametrize("kind", [irl.NeighborhoodQ, irl.MeanFieldQ])
    def test_log_odds_are_beside_the_local_fields_of_the_own_bonds(self, kind):
        model = MODELS["glass"]
        policy = irl.train(model, kind(shared=False), 4.0, sweeps=20_000, seed=1)
        found = log_odds(policy).isel(temperature=0)
        assert found["local_field"].dims == found["log_odds"].dims
        if kind is irl.NeighborhoodQ:
            np.testing.assert_allclose(found["log_odds"], found["local_field"] / 4.0, atol=1e-9)
        else:  # which neighbours are up does not matter if all or none are
            ends = {"n_up": [0, -1]}
            odds, fields = found["log_odds"].isel(ends), found["local_field"].isel(ends)
            np.testing.assert_allclose(odds, fields / 4.0, atol=1e-9)
        shared = log_odds(irl.train(model, kind(), 4.0, sweeps=10, seed=1))["local_field"]
        np.testing.assert_allclose(shared, found["local_field"].mean("site"), atol=1e-12)

    def test_one_table_for_all_sites_sees_the_mean_coupling(self):
        lattice = irl.Lattice((32, 32))
        model = irl.Ising(lattice, irl.random_bonds(lattice, (1.0, -1.0), seed=1))
        agent = irl.MeanFieldQ(learning_rate=1e-9, falling_rate=True)
        policy = irl.train(model, agent, 1.0, sweeps=4000, seed=1)
        data = irl.simulate(model, policy, sweeps=500, thermalization=100, chains=8, seed=2)
        assert abs(model.mean_coupling) < 0.05
        # a paramagnet of this mean coupling has almost no energy, the glass about -1.3
        assert abs(float(data["energy"].mean())) < 0.2
        glass = irl.simulate(model, irl.HeatBath(), 1.0, sweeps=500, thermalization=500, seed=2)
        assert float(glass["energy"].mean()) < -1.1

    def test_a_policy_keeps_its_bonds(self, tmp_path):
        model = MODELS["glass"]
        policy = irl.train(model, irl.MeanFieldQ(), 1.0, sweeps=100, seed=1)
        policy.save(tmp_path)
        loaded = irl.Policy.load(tmp_path)
        assert loaded.model == model
        assert "RandomBonds" in loaded._repr_html_()
        other = irl.Ising(model.lattice, irl.random_bonds(model.lattice, (1.0, -1.0), seed=9))
        with pytest.raises(ValueError, match="coupling that the policy was trained with"):
            irl.simulate(other, loaded, sweeps=10)


@pytest.fixture(scope="module")
def data():
    options = {"sweeps": 400, "snapshots": 2, "chains": 2, "seed": 1}
    return irl.simulate(MODELS["glass"], irl.HeatBath(), [2.0, 3.0], **options)


class TestData:
    def test_bonds_are_kept(self, data, tmp_path):
        np.testing.assert_array_equal(data["bond"], MODELS["glass"].coupling.couplings)
        assert data["coupling"].item() == "random 1.0 -1.0"
        np.testing.assert_allclose(data["bond_energy"].sum("bond_coupling"), data["energy"])
        data.to_netcdf(tmp_path / "data.nc")
        with xr.open_dataset(tmp_path / "data.nc") as found:
            xr.testing.assert_identical(found.load(), data)
        lattice = MODELS["glass"].lattice
        assert RandomBonds(lattice, data["bond"].values) == MODELS["glass"].coupling

    def test_observables(self, data):
        found = thermodynamics(data)
        assert (found["energy_error"] > 0).all()

    def test_staggered_spins_have_the_opposite_couplings(self):
        model = model_of((4, 4), "von_neumann", "periodic", (1.0, -0.5), 0.0)
        data = irl.simulate(model, irl.HeatBath(), 2.0, sweeps=10, snapshots=2, seed=1)
        assert staggered_spins(data)["coupling"].item() == "random -1.0 0.5"

    @pytest.mark.parametrize("rule", RULES)
    def test_a_run_goes_on_from_its_checkpoint(self, rule, tmp_path):
        run = functools.partial(irl.simulate, MODELS["glass"], RULES[rule], [2.0, 3.0])
        options = {"thermalization": 5, "chains": 2, "seed": 1}
        run(sweeps=20, out=tmp_path, **options)
        xr.testing.assert_identical(
            run(sweeps=40, out=tmp_path, **options), run(sweeps=40, **options)
        )
        other = model_of((3, 4), "von_neumann", "periodic", (1.0, -1.0), 0.0, seed=4)
        with pytest.raises(ValueError, match="coupling"):
            irl.simulate(other, RULES[rule], [2.0, 3.0], sweeps=40, out=tmp_path, **options)
