"""The Potts model: energies, what is refused, and exactness of all rules against enumeration."""

import functools
import zlib

import numba
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, identity
from scipy.sparse.csgraph import connected_components

import isingrl as irl
from analysis import exact
from isingrl.gibbs import gibbs_violation
from isingrl.lattice import BOUNDARIES
from isingrl.rules import compiled
from isingrl.schedules import SCHEDULES
from tests import oracles
from tests.statistical import Z_LIMIT, check_bernoulli, check_standard_normal, z_of_chains
from tests.strategies import lattices

SQUARE = irl.Lattice((4, 4))
RULES = {"metropolis": irl.Metropolis(), "heat-bath": irl.HeatBath()}


@st.composite
def models(draw):
    """A model with couplings of up to three values."""
    lattice = draw(lattices.filter(lambda each: len(each.forward_offsets) < 5))
    steps = len(lattice.forward_offsets)
    couplings = st.lists(st.sampled_from([1.5, 0.25, -0.75]), min_size=steps, max_size=steps)
    field = draw(st.sampled_from([0.0, 0.5, -0.25]))
    return irl.Potts(lattice, draw(st.sampled_from([2, 3, 4, 7])), draw(couplings), field)


def random_states(model, seed):
    return np.random.default_rng(seed).integers(model.states, size=model.lattice.shape)


class TestModel:
    @settings(max_examples=60)
    @given(models(), st.integers(0, 2**32))
    def test_energies_and_order(self, model, seed):
        states = random_states(model, seed)
        assert model.energy(states) == pytest.approx(oracles.potts_energy(model, states), abs=1e-12)
        flat, q = states.ravel().tolist(), model.states
        shares = [flat.count(state) / len(flat) for state in range(q)]
        assert model.state_share(states).tolist() == pytest.approx(shares)
        order = (q * max(shares) - 1) / (q - 1)
        assert model.order_parameter(states) == pytest.approx(order, abs=1e-12)

    @settings(max_examples=40)
    @given(models(), st.sampled_from(sorted(RULES)), st.sampled_from(sorted(SCHEDULES)))
    def test_what_a_run_measures_is_that_of_its_spins(self, model, rule, schedule):
        data = irl.simulate(
            model, RULES[rule], 1.5, sweeps=3, snapshots=3, schedule=schedule, seed=1
        )
        spins = data["spins"].values
        assert spins.dtype == np.uint8
        np.testing.assert_allclose(data["energy"], model.energy(spins), atol=1e-12)
        np.testing.assert_allclose(data["state_share"], model.state_share(spins))
        np.testing.assert_allclose(data["order_parameter"], model.order_parameter(spins))

    def test_several_configurations_and_data_arrays(self):
        model = irl.Potts(irl.Lattice((3, 4)), 3, [1.0, 0.5], 0.25)
        states = np.random.default_rng(1).integers(3, size=(2, 5, 3, 4))
        found = model.energy(states)
        assert found.shape == (2, 5)
        assert model.state_share(states).shape == (2, 5, 3)
        assert found[1, 2] == model.energy(states[1, 2])
        array = xr.DataArray(states, dims=("a", "b", "x", "y")).transpose("y", "a", "x", "b")
        np.testing.assert_array_equal(model.energy(array), found)

    def test_two_states_are_the_ising_model_at_half_the_coupling(self):
        lattice, coupling, field = irl.Lattice((3, 4), "triangular"), [1.0, 0.5, -0.25], 0.5
        potts = irl.Potts(lattice, 2, coupling, field)
        ising = irl.Ising(lattice, np.divide(coupling, 2), field / 2)
        spins = np.random.default_rng(1).choice([-1, 1], size=(20, 3, 4))
        moved = potts.energy((1 - spins) // 2) - ising.energy(spins)  # state 0 is up
        np.testing.assert_allclose(moved, -sum(coupling) / 2 - field / 2)

    def test_fields(self):
        model = irl.Potts(SQUARE, 3, field=[0.0, 0.5])
        assert [each.field for each in model.each_field] == [0.0, 0.5]
        assert model.in_field(1.0) == irl.Potts(SQUARE, 3, field=1.0)
        with pytest.raises(ValueError, match="model must have one number as its field"):
            model.energy(np.zeros((4, 4), int))


WRONG = {
    "lattice": ((4, 4), {}, TypeError, r"lattice must be a Lattice; got \(4, 4\)"),
    "one": (SQUARE, {"states": 1}, ValueError, "states must be an integer of at least 2; got 1"),
    "many": (SQUARE, {"states": 256}, ValueError, "states must be an integer from 2 to 255; got"),
    "half": (SQUARE, {"states": 2.5}, TypeError, "states must be an integer of at least 2; got 2"),
    "flag": (SQUARE, {"states": True}, TypeError, "states must be an integer .*; got True"),
    "text": (SQUARE, {"states": "3"}, TypeError, "states must be an integer .*; got '3'"),
    "coupling": (SQUARE, {"coupling": np.nan}, ValueError, "coupling must be finite; got nan"),
    "couplings": (SQUARE, {"coupling": [1, 2, 3]}, ValueError, "coupling must be .* 2 of them"),
    "field": (SQUARE, {"field": [0.5, 0.5]}, ValueError, "field must be .*; got 0.5 more than"),
    "supports": (
        irl.Lattice((3, 3, 3), "moore"), {"coupling": np.arange(1.0, 14.0)}, ValueError,
        "coupling must leave at most 512 sums .* 13 different couplings make 1,594,323",
    ),
}  # fmt: skip


class TestBadInput:
    @pytest.mark.parametrize("name", WRONG)
    def test_wrong_models_are_named(self, name):
        lattice, options, error, message = WRONG[name]
        with pytest.raises(error, match=message):
            irl.Potts(lattice, **({"states": 3} | options))

    @pytest.mark.parametrize(
        ("states", "message"),
        [
            (np.full((4, 4), 3), "must hold the states 0 to 2 only; got the value 3"),
            (np.full((4, 4), -1), "must hold the states 0 to 2 only; got the value -1"),
            (np.zeros((4, 4)), "must hold the states 0 to 2 only, as integers; .* float64"),
            (np.zeros((4, 4), bool), "must hold the states 0 to 2 only, as integers; .* bool"),
            (np.zeros((4, 5), int), r"must have .*\(4, 4\).*; got \(4, 5\)"),
        ],
    )
    def test_wrong_states_are_named(self, states, message):
        model = irl.Potts(SQUARE, 3)
        for function in (model.energy, model.order_parameter, model.state_share):
            with pytest.raises(ValueError, match=f"spins {message}"):
                function(states)
        with pytest.raises(ValueError, match=f"start {message}"):
            irl.simulate(model, irl.HeatBath(), 1.0, sweeps=1, start=states)

    def test_wrong_starts_and_rules_are_named(self):
        model = irl.Potts(SQUARE, 3)
        with pytest.raises(ValueError, match=r"start must be .*'ordered'.*; got 'up'"):
            irl.simulate(model, irl.HeatBath(), 1.0, sweeps=1, start="up")

        class Voter(irl.Rule):
            name = "voter"

            def table(self, model, temperature):
                return np.full((len(temperature), 2, 5), 0.5)

        with pytest.raises(TypeError, match="model must be an Ising model for the rule 'voter'"):
            irl.simulate(model, Voter(), 1.0, sweeps=1)


@settings(max_examples=60)
@given(
    models().filter(lambda each: each.lattice.n_sites <= 40), st.sampled_from(sorted(RULES)),
    st.sampled_from(sorted(SCHEDULES)), st.sampled_from([0.0, 0.4, 1.5, np.inf]),
    st.integers(0, 2**32),
)  # fmt: skip
def test_sweeps_are_those_of_the_oracle(model, rule, schedule, temperature, seed):
    seed = np.random.SeedSequence(seed)
    engine = RULES[rule].engine(model, np.array([temperature]), 1, "random", schedule, seed)
    states, random = engine.spins(0).ravel().tolist(), oracles.Random(engine._states[0])
    for _ in range(3):
        engine.sweep(1)
        oracles.potts_sweep(states, model, rule, temperature, schedule, random)
        assert engine.spins(0).ravel().tolist() == states
        assert [int(word) for word in engine._states[0]] == random.state


# Laws, by matrices of all configurations.


def sweep_matrix(model, rule, temperature, schedule):
    """Chances from every configuration to every other in one sweep in order."""
    q, n = model.states, model.lattice.n_sites
    table = compiled(rule, model, np.array([temperature]), 1).for_schedule(model.lattice, schedule)
    chances, by_weight = table.arrays[0], table.arrays.ndim == 4
    places = q ** np.arange(n)
    start = np.arange(q**n)
    states = start[:, None] // places % q
    neighbors, field = oracles.neighbor_indices(model.lattice), model.lattice.coordination_number
    support = np.zeros((q, len(start)), dtype=int)
    order = np.arange(n)
    if schedule == "checkerboard":
        order = np.argsort(model.lattice.sublattices.ravel(), kind="stable")
    matrix = identity(q**n, format="csr")
    for site in order:
        for state in range(q):
            equal = (states[:, neighbors[site]] == state).sum(axis=1)
            support[state] = equal + (field + 1) * (state == 0)
        own = states[:, site]
        for_own = np.choose(own, support)
        if by_weight:
            best = support[0]
            for each in support:
                best = np.where(chances[0, each, best] > 1, each, best)
            step = chances[0][support, best]
            step /= step.sum(axis=0)
        else:
            step = chances[support, for_own] / (q - 1)
            step[own, start] = 0
            step[own, start] = 1 - step.sum(axis=0)
        to = start + (np.arange(q)[:, None] - own) * places[site]
        once = csr_array((step.ravel(), (np.tile(start, q), to.ravel())), shape=(q**n, q**n))
        matrix = matrix @ once
    return matrix


def law(model, temperature):
    q, lattice = model.states, model.lattice
    states = np.arange(q**lattice.n_sites)[:, None] // q ** np.arange(lattice.n_sites) % q
    energy = lattice.n_sites * model.energy(states.reshape(-1, *lattice.shape))
    weights = np.exp(-(energy - energy.min()) / temperature)
    return weights / weights.sum()


SMALL = [
    (irl.Lattice(2), 5),
    (irl.Lattice(4), 3),
    (irl.Lattice(5), 3),
    (irl.Lattice(5, boundary="free"), 3),
    (irl.Lattice(8), 2),
    (irl.Lattice((2, 3)), 3),
    (irl.Lattice((2, 2)), 4),
    (irl.Lattice((2, 3), "moore", "free"), 3),
    (irl.Lattice((2, 3), "triangular", "free"), 3),
    (irl.Lattice((3, 3), "triangular"), 2),
    (irl.Lattice((2, 2), "honeycomb"), 3),
    (irl.Lattice((2, 3), "honeycomb", "free"), 3),
    (irl.Lattice((2, 4)), 2),
]


@pytest.mark.parametrize("schedule", ["checkerboard", "typewriter"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("lattice", "q"), SMALL, ids=str)
def test_one_closed_class_with_the_boltzmann_distribution(lattice, q, rule, schedule):
    z = lattice.coordination_number
    for coupling, field, reduced in [
        (1.0, 0.0, 0.3), (-1.0, 0.0, 0.3), (1.0, 1.0, 0.3), (-1.0, 2.0, 0.3), (1.0, -0.4, 0.3),
        (1.0, 1e-9, 0.3), (1e-7, 0.0, 0.3), (1.0, 0.5, 1e9), (1.0, 0.0, np.inf),
    ]:  # fmt: skip
        model = irl.Potts(lattice, q, coupling, field)
        matrix = sweep_matrix(model, RULES[rule], reduced * z, schedule)
        np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-12)
        expected = law(model, reduced * z)
        np.testing.assert_allclose(expected @ matrix, expected, rtol=1e-9, atol=1e-14)
        matrix.eliminate_zeros()
        n_classes, label = connected_components(matrix, directed=True, connection="strong")
        rows, columns = matrix.nonzero()
        left = np.unique(label[rows[label[rows] != label[columns]]])
        assert n_classes - len(left) == 1, (coupling, field, reduced)
        if q**lattice.n_sites < 100:
            slowest = np.sort(abs(np.linalg.eigvals(matrix.toarray())))[-2]
            assert slowest < 0.99, (coupling, field, reduced)


@pytest.mark.parametrize("start", ["ordered", "random"])
@pytest.mark.parametrize("q", [2, 3])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_sure_changes_do_not_oscillate_at_infinite_temperature(q, schedule, start):
    data = irl.simulate(
        irl.Potts(irl.Lattice((8, 8)), q), irl.Metropolis(), np.inf, sweeps=300, chains=32,
        thermalization=50, start=start, schedule=schedule, seed=3,
    )  # fmt: skip
    assert abs(z_of_chains(data["energy"].values[0].mean(axis=1), -2 / q)) < Z_LIMIT
    shares = data["state_share"].values[0, :, :, 0]
    assert abs(z_of_chains(shares.mean(axis=1), 1 / q)) < Z_LIMIT
    # the share of a state varies as that of coins at every time, also of even sweeps alone
    spread = ((shares[:, ::2] - 1 / q) ** 2).mean(axis=1)
    assert abs(z_of_chains(spread, (1 / q) * (1 - 1 / q) / 64)) < Z_LIMIT


# Means of runs, against enumeration.

MODELS = {
    "q = 2": irl.Potts(irl.Lattice((3, 4)), 2),
    "q = 2, in a field": irl.Potts(irl.Lattice((4, 4)), 2, -1.0, 0.5),
    "q = 3": irl.Potts(irl.Lattice((3, 4)), 3),
    "q = 3, antiferromagnet": irl.Potts(irl.Lattice((3, 4)), 3, -1.0),
    "q = 3, in a field, free": irl.Potts(irl.Lattice((3, 4), boundary="free"), 3, 1.0, 0.3),
    "q = 3, against a field": irl.Potts(irl.Lattice((3, 3)), 3, 1.0, -0.5),
    "q = 3, couplings": irl.Potts(irl.Lattice((3, 4)), 3, [1.5, -0.5], 0.2),
    "q = 3, moore": irl.Potts(irl.Lattice((3, 3), "moore"), 3),
    "q = 3, triangular": irl.Potts(irl.Lattice((3, 3), "triangular"), 3, [1.0, 0.5, -0.25]),
    "q = 3, honeycomb": irl.Potts(irl.Lattice((2, 6), "honeycomb"), 3),
    "q = 3, honeycomb, antiferromagnet in a field": irl.Potts(
        irl.Lattice((3, 3), "honeycomb", "free"), 3, -1.0, 0.4
    ),
    "q = 3, triangular, antiferromagnet, free": irl.Potts(
        irl.Lattice((3, 3), "triangular", "free"), 3, -1.0
    ),
    "q = 4, moore, antiferromagnet in a field": irl.Potts(
        irl.Lattice((2, 4), "moore", "free"), 4, -0.5, -0.3
    ),
    "q = 4": irl.Potts(irl.Lattice((3, 3)), 4, 1.0, 0.2),
    "q = 4, cubic": irl.Potts(irl.Lattice((2, 2, 2), boundary="free"), 4),
    "q = 5": irl.Potts(irl.Lattice(7), 5, 1.0, -0.3),
    "q = 5, antiferromagnet": irl.Potts(irl.Lattice((2, 3)), 5, -1.0, 0.4),
}
GIBBS = [schedule for schedule in SCHEDULES if schedule != "synchronous"]
SYSTEMS = [
    (name, rule, schedule)
    for name in MODELS
    for rule in (*RULES, "tempering")
    for schedule in (GIBBS if rule != "tempering" else ["checkerboard"])
]


def scores(data, expected):
    """Deviations of the first temperature from exact means, as standard normal numbers."""
    at, known = data.isel(temperature=0), expected.isel(temperature=0)
    series = {
        "energy": (at["energy"], known["energy"]),
        "order": (at["order_parameter"], known["order_parameter"]),
        "order squared": (at["order_parameter"] ** 2, known["order_parameter_squared"]),
        "share of 0": (at["state_share"][..., 0], known["state_share"][0]),
        "share of 1": (at["state_share"][..., 1], known["state_share"][1]),
    }
    return {
        name: z_of_chains(found.mean("draw"), float(mean)) for name, (found, mean) in series.items()
    }


@functools.cache
def known(name, temperature):
    return exact.enumeration(MODELS[name], temperature)


def z_scores(name, rule, schedule):
    model, seed = MODELS[name], zlib.crc32(f"{name} {rule} {schedule}".encode())
    temperature = 0.25 * model.lattice.coordination_number * (0.8 + 0.4 * (seed % 4))
    temperatures, dynamics = [temperature], RULES.get(rule)
    if rule == "tempering":
        dynamics = irl.Tempering(irl.Metropolis(), every=3)
        temperatures = [temperature, 1.3 * temperature, np.inf]
    data = irl.simulate(
        model, dynamics, temperatures, sweeps=800, interval=2, thermalization=100, chains=48,
        schedule=schedule, seed=seed,
    )  # fmt: skip
    return scores(data, known(name, temperature))


class TestExactness:
    def test_means_agree_with_enumeration(self):
        """In every system, and all together with scores that are standard normal."""
        scores = [z_scores(*each) for each in SYSTEMS]
        for system, each in zip(SYSTEMS, scores, strict=True):
            for observable, z in each.items():
                assert abs(z) < Z_LIMIT, f"{system}, {observable}: z = {z:.2f}"
        names = ("energy", "order", "order squared", "share of 0", "share of 1")
        for number in range(len(names)):
            check_standard_normal([each[names[(k + number) % 5]] for k, each in enumerate(scores)])

    @pytest.mark.parametrize("rule", RULES)
    @pytest.mark.parametrize(("coupling", "field"), [(1.0, 0.0), (-1.0, 0.0), (1.0, -0.5)])
    def test_ground_states_at_zero(self, coupling, field, rule):
        """On a path, where no domain wall or fault is stuck."""
        model = irl.Potts(irl.Lattice(9, boundary="free"), 3, coupling, field)
        data = irl.simulate(
            model, RULES[rule], 0.0, sweeps=10, thermalization=3000, chains=8, seed=1
        )
        lowest = float(exact.enumeration(model, 0.0)["energy"][0])
        np.testing.assert_allclose(data["energy"], lowest)

    @pytest.mark.parametrize("temperature", [0.0, 1e-300])
    @pytest.mark.parametrize("rule", RULES)
    def test_ties_at_zero_are_drawn_fairly(self, rule, temperature):
        """From all equal, the first sublattice of an antiferromagnet may take any other state."""
        model = irl.Potts(irl.Lattice((40, 40)), 5, -1.0)
        engine = RULES[rule].engine(
            model, np.array([temperature]), 4, "ordered", "checkerboard", np.random.SeedSequence(1)
        )
        engine.sweep(1)
        first = model.lattice.sublattices == 0
        states = np.concatenate([engine.spins(chain)[first] for chain in range(4)])
        counts = np.bincount(states, minlength=5)
        check_bernoulli(counts, np.full(5, states.size), np.array([0, 1, 1, 1, 1]) / 4)

    @pytest.mark.parametrize("temperature", [0.0, 0.5, 2.0, np.inf])
    @pytest.mark.parametrize("coupling", [1.0, -0.6])
    def test_the_heat_bath_of_two_states_is_that_of_ising(self, coupling, temperature):
        t, lattice = np.array([temperature]), irl.Lattice((4, 4))
        weights = irl.HeatBath().pair_chances(irl.Potts(lattice, 2, coupling, 0.4), t)[0, 0]
        up = irl.HeatBath().table(irl.Ising(lattice, coupling / 2, 0.2), t)[0, 0]
        for n_up, expected in enumerate(up):
            zero, one = 5 + n_up, 4 - n_up  # supports of the states 0, with the field, and 1
            best = zero if weights[zero, one] > 1 else one
            own = weights[zero, best] / (weights[zero, best] + weights[one, best])
            assert own == pytest.approx(expected, abs=1e-15)

    def test_two_states_have_the_means_of_ising(self):
        lattice = irl.Lattice((24, 24))
        options = {"sweeps": 1000, "thermalization": 200, "interval": 2, "chains": 16}
        potts = irl.simulate(
            irl.Potts(lattice, 2, 1.0, 0.1), irl.Metropolis(), 1.3, seed=1, **options
        )
        ising = irl.simulate(
            irl.Ising(lattice, 0.5, 0.05), irl.Metropolis(), 1.3, seed=2, **options
        )
        up, energy = 2 * potts["state_share"][0, ..., 0] - 1, potts["energy"][0] + 1.05
        for own, other in ((up, ising["magnetization"][0]), (energy, ising["energy"][0])):
            own, other = own.mean("draw").values, other.mean("draw").values
            error = np.sqrt((own.var(ddof=1) + other.var(ddof=1)) / 16)
            assert abs(own.mean() - other.mean()) < Z_LIMIT * error


@settings(max_examples=60)
@given(models(), st.sampled_from(sorted(RULES)))
def test_tables_have_detailed_balance(model, rule):
    """At any temperature and in several fields, as tempering demands it."""
    temperatures = np.array([0.0, 1e-300, 0.01, 0.7, 1e9, np.inf])
    for fields in (model, model.in_field([0.1, -0.3, 0.75])):
        table = compiled(RULES[rule], fields, temperatures, 2)
        assert gibbs_violation(table, fields, temperatures, 2) is None
        off = gibbs_violation(table, fields, 1.001 * temperatures, 2)
        assert off is not None
        assert off.startswith(("at T = 0.01001 a change", "at T = 0.7007 a change"))


@pytest.mark.parametrize("rule", RULES)
def test_as_many_states_as_a_byte_holds(rule):
    model = irl.Potts(irl.Lattice((8, 8)), 255)
    data = irl.simulate(
        model, RULES[rule], [0.3, np.inf], sweeps=400, chains=8, snapshots=4, seed=1
    )
    spins = data["spins"].values
    assert spins.max() == 254
    np.testing.assert_allclose(
        data["energy"].isel(draw=data["snapshot"].values), model.energy(spins)
    )
    hot = data["energy"].values[1].mean(axis=1)
    assert abs(z_of_chains(hot, -2 / 255)) < Z_LIMIT
    cold = irl.simulate(model, RULES[rule], 0.2, sweeps=50, start="ordered", seed=1)
    assert cold["energy"].mean() < -1.5


@pytest.fixture
def threads():
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


DYNAMICS = {
    **{name: (rule, {}) for name, rule in RULES.items()},
    "tempering": (irl.Tempering(irl.HeatBath(), every=3), {}),
    "ladder": (irl.HeatBath(), {"ladder": "temperature"}),
    "fields": (irl.Metropolis(), {"fields": [0.0, 0.5]}),
}


class TestRuns:
    @pytest.mark.parametrize("name", DYNAMICS)
    def test_threads_and_checkpoints_change_nothing(self, name, tmp_path, threads):
        rule, options = DYNAMICS[name]
        options = dict(options)
        model = irl.Potts(SQUARE, 3, [1.0, 0.5], options.pop("fields", 0.2))
        run = functools.partial(
            irl.simulate, model, rule, [1.0, 1.5], thermalization=5, chains=3, seed=1, **options
        )
        numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
        whole = run(sweeps=40)
        numba.set_num_threads(1)
        xr.testing.assert_identical(run(sweeps=40), whole)
        run(sweeps=40 if "ladder" in options else 20, out=tmp_path)
        xr.testing.assert_identical(run(sweeps=40, out=tmp_path), whole)

    def test_a_run_of_another_number_of_states_is_refused(self, tmp_path):
        options = {"sweeps": 10, "seed": 1, "out": tmp_path}
        irl.simulate(irl.Potts(SQUARE, 3), irl.HeatBath(), 1.0, **options)
        with pytest.raises(ValueError, match=r"model\.states = 3, not 4"):
            irl.simulate(irl.Potts(SQUARE, 4), irl.HeatBath(), 1.0, **options)
        with pytest.raises(ValueError, match=r"model\.states = 3, not None"):
            irl.simulate(irl.Ising(SQUARE), irl.HeatBath(), 1.0, **options)

    def test_data_come_back_from_a_file(self, tmp_path):
        data = irl.simulate(
            irl.Potts(SQUARE, 3, field=[0.0, 0.5]), irl.HeatBath(), [1.0, 2.0], sweeps=10,
            snapshots=2, seed=1,
        )  # fmt: skip
        assert data["state_share"].dims == ("temperature", "field", "chain", "draw", "state")
        assert data["states"].item() == 3
        data.to_netcdf(tmp_path / "data.nc")
        with xr.open_dataset(tmp_path / "data.nc") as found:
            xr.testing.assert_identical(found.load(), data)

    def test_starts(self):
        model = irl.Potts(SQUARE, 3)
        options = {"sweeps": 1, "snapshots": 1, "seed": 1}
        cold = irl.simulate(model, irl.Metropolis(), 0.0, start="ordered", **options)
        assert (cold["spins"] == 0).all()
        stripes = np.indices((4, 4))[0] % 3
        for start in (stripes, stripes.astype(np.uint8)):
            held = irl.simulate(
                irl.Potts(SQUARE, 3, 1.0), irl.HeatBath(), 0.0, start=np.ones_like(start), **options
            )
            assert (held["spins"] == 1).all()
            irl.simulate(model, irl.HeatBath(), 1.0, start=start, **options)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("schedule", ["checkerboard", "random-site"])
def test_every_ladder_step_keeps_the_law(boundary, schedule):
    model = irl.Potts(irl.Lattice((3, 3), boundary=boundary), 3, 1.0, 0.2)
    data = irl.simulate(
        model, irl.HeatBath(), [1.2, 1.6], sweeps=800, thermalization=100, interval=2, chains=48,
        ladder="temperature", schedule=schedule, seed=5,
    )  # fmt: skip
    expected = exact.enumeration(model, [1.2, 1.6])
    for place in range(2):
        at = [place]
        found = scores(data.isel(temperature=at), expected.isel(temperature=at))
        assert max(map(abs, found.values())) < Z_LIMIT, found
