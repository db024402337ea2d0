"""Engines of parallel tempering, against exchanges in plain Python and against themselves."""

import math

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import isingrl.engines.lane_bonds
from isingrl import HeatBath, Ising, Lattice, Metropolis, Tempering, random_bonds
from isingrl.engines.exchanges import Exchanges
from isingrl.engines.kernels.tempering import exchange, swap_lanes
from isingrl.engines.lane_bonds import LaneTables
from isingrl.engines.lane_rule import LaneRule
from isingrl.engines.tempered import TemperedLanes, TemperedSites
from tests import oracles

SEED = np.random.SeedSequence(7)
SQUARE = Ising(Lattice((4, 6)), 1.0, (0.0, 0.3))
GLASS = Ising(Lattice((4, 32)), random_bonds(Lattice((4, 32)), (0.5, -0.5), seed=2), 0.1)
TEMPERATURES = np.array([2.0, 5.0, 3.0])
MODELS = {
    "lanes": (SQUARE, TEMPERATURES, 2, "checkerboard"),
    "several blocks": (SQUARE, np.array([3.0, 2.0, np.inf, 1.5, 4.0]), 15, "checkerboard"),
    "strips": (Ising(Lattice((2, 64))), np.array([2.0, 2.2]), 3, "checkerboard"),
    "odd sites": (Ising(Lattice((3, 5)), -1.0, 0.2), np.array([2.5, 3.0, 0.0]), 2, "checkerboard"),
    "typewriter": (SQUARE, TEMPERATURES, 2, "typewriter"),
    "random sites": (SQUARE, TEMPERATURES, 2, "random-site"),
    "signed bonds": (GLASS, np.array([1.0, 1.2, 1.1]), 24, "checkerboard"),
}


def engine_of(name, every=2, rule=None):
    model, temperatures, chains, schedule = MODELS[name]
    tempering = Tempering(rule or HeatBath(), every)
    return tempering.engine(model, temperatures, chains, "random", schedule, SEED)


def carry_out(exchanges, first, bonds, totals):
    """Try every second pair; returns 1 at the colder place of each that was exchanged."""
    n = exchanges.walkers.size
    accepted, swapped = np.zeros(n, dtype=np.int64), np.zeros((n // 2, 2), dtype=np.int64)
    bonds, totals = (np.asarray(each, dtype=np.int64) for each in (bonds, totals))
    number = exchange(first, exchanges.arguments, bonds[:, None], totals, accepted, swapped)
    assert number == accepted.sum()
    return accepted


def energies(model, temperatures, chains, bonds, totals):
    """Energies of all places, from sums of shape (n_places,)."""
    fields = [each.one_field() for each in model.each_field]
    along = np.tile(np.repeat(fields, chains), len(temperatures))
    of_kinds = bonds if bonds.ndim > 1 else bonds[:, None]
    return -of_kinds @ model.couplings - along * totals


def exchange_slowly(number, model, temperatures, chains, walkers, energy, random):
    """Exchange number 1, 2, … in plain Python, in place; returns the colder places exchanged.

    `energy` is that of each walker.
    """
    n_ladders = len(model.each_field) * chains
    order = sorted(range(len(temperatures)), key=lambda k: temperatures[k])
    done = []
    for ladder in range(n_ladders):
        for pair in range((number - 1) % 2, len(order) - 1, 2):
            cold, hot = (order[pair + k] * n_ladders + ladder for k in (0, 1))
            beta = [1 / t if t > 0 else math.inf for t in temperatures[order[pair : pair + 2]]]
            draw = random.uniform()
            fall = energy[walkers[cold]] - energy[walkers[hot]]
            if fall >= 0 or draw < math.exp((beta[0] - beta[1]) * fall):
                walkers[cold], walkers[hot] = walkers[hot], walkers[cold]
                done.append(cold)
    return done


@pytest.mark.parametrize("name", MODELS)
def test_exchanges_are_those_of_plain_python(name):
    """The energies that decide are measured; all draws lie at exchanges."""
    model, temperatures, chains, _ = MODELS[name]
    engine, draws = engine_of(name), 40
    n_places = len(temperatures) * len(model.each_field) * chains
    random = oracles.Random(engine.state()["random"])
    measured = engine.record(draws, 2)
    ladders = np.arange(n_places) % (n_places // len(temperatures))
    walkers, counts = list(range(n_places)), np.zeros(n_places, dtype=int)
    for draw in range(draws):
        found = measured["replica"][:, draw] * (n_places // len(temperatures)) + ladders
        energy = np.empty(n_places)
        energy[found] = energies(
            model, temperatures, chains, measured["bonds"][:, draw], measured["totals"][:, draw]
        )
        for place in exchange_slowly(
            draw + 1, model, temperatures, chains, walkers, energy, random
        ):
            counts[place] += 1
        assert walkers == found.tolist()
        np.testing.assert_array_equal(counts, measured["exchanges"][:, draw])
    assert counts.sum() > draws / 4


@pytest.mark.parametrize("name", ["odd sites", "typewriter", "random sites"])
def test_walkers_are_swept_with_the_tables_of_their_places(name):
    """A whole run of the byte-site engine in plain Python."""
    model, temperatures, chains, schedule = MODELS[name]
    engine, every = engine_of(name, every=3, rule=Metropolis()), 3
    state = engine.state()
    spins = [each[:-1].tolist() for each in state["walkers.spins"]]
    streams = [oracles.Random(each) for each in state["walkers.states"]]
    random = oracles.Random(state["random"])
    lattice, n_places = model.lattice, len(spins)
    tables = [
        Metropolis().compile(each, temperatures[k : k + 1]).for_schedule(lattice, schedule).up[0, 0]
        for k in range(len(temperatures))
        for each in model.each_field
        for _ in range(chains)
    ]
    walkers = list(range(n_places))
    engine.sweep(1)
    engine.record(2, 3)
    for sweep in range(1, 8):
        for place, walker in enumerate(walkers):
            oracles.sweep(spins[walker], lattice, tables[place], schedule, streams[walker])
        if sweep % every == 0:
            bonds = [sum(s[i] * s[j] for i, j in oracles.bonds(lattice)) for s in spins]
            energy = np.empty(n_places)
            totals = np.array([sum(s) for s in spins])
            energy[walkers] = energies(
                model, temperatures, chains, np.array(bonds)[walkers], totals[walkers]
            )
            exchange_slowly(sweep // every, model, temperatures, chains, walkers, energy, random)
    assert walkers != list(range(n_places))
    for place, walker in enumerate(walkers):
        assert engine.spins(place).ravel().tolist() == spins[walker]


@pytest.mark.parametrize("name", MODELS)
def test_what_is_measured_is_that_of_the_spins_at_each_temperature(name):
    model, temperatures, chains, _ = MODELS[name]
    engine = engine_of(name)
    for interval in (1, 2, 3):
        measured = engine.record(1, interval)
        spins = np.stack([engine.spins(k) for k in range(len(measured["bonds"]))])
        axes = tuple(range(1, spins.ndim))
        np.testing.assert_array_equal(measured["totals"][:, 0], spins.sum(axes))
        fields = spins.reshape(len(temperatures), -1, chains, *model.lattice.shape)
        of_model = [each.energy(fields[:, k]) for k, each in enumerate(model.each_field)]
        found = energies(
            model, temperatures, chains, measured["bonds"][:, 0], measured["totals"][:, 0]
        )
        expected = np.stack(of_model, axis=1).ravel() * model.lattice.n_sites
        np.testing.assert_allclose(found, expected, atol=1e-9)


def joined(parts):
    return {name: np.concatenate([each[name] for each in parts], axis=1) for name in parts[0]}


@pytest.mark.parametrize("name", ["several blocks", "strips", "odd sites"])
@settings(max_examples=8)
@given(data=st.data())
def test_a_run_in_pieces_has_the_same_bits(name, data):
    """Wherever calls are cut, and whether an engine is made anew from its state."""
    whole, cut = engine_of(name), engine_of(name)
    whole.sweep(5)
    expected = whole.record(20, 3)
    for sweeps in data.draw(st.sampled_from([(5,), (1, 4), (2, 2, 1)])):
        cut.sweep(sweeps)
    parts = []
    while (left := 20 - sum(each["bonds"].shape[1] for each in parts)) > 0:
        ahead = data.draw(st.integers(0, 2))
        cut.sweep(ahead)
        parts.append(cut.record(1, 3 - ahead))
        if left > 1:
            parts.append(cut.record(data.draw(st.integers(1, left - 1)), 3))
        state = cut.state()
        cut = engine_of(name)
        cut.restore(state)
    for key, values in joined(parts).items():
        np.testing.assert_array_equal(values, expected[key], err_msg=key)
    for place in range(len(expected["bonds"])):
        np.testing.assert_array_equal(cut.spins(place), whole.spins(place))


def test_long_intervals_hold_many_exchanges(monkeypatch):
    """More events between two draws than are handled at a time."""
    whole = engine_of("odd sites", every=1).record(2, 20)
    monkeypatch.setattr("isingrl.engines.tempering._EVENTS", 7)
    for key, values in engine_of("odd sites", every=1).record(2, 20).items():
        np.testing.assert_array_equal(values, whole[key])


@pytest.fixture
def threads():
    """A function that runs another one on a number of threads."""
    before = numba.get_num_threads()

    def on(number, function):
        numba.set_num_threads(number)
        try:
            return function()
        finally:
            numba.set_num_threads(before)

    yield on
    numba.set_num_threads(before)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two threads")
def test_threads_do_not_change_the_bits(threads, monkeypatch):
    """Threads take blocks in turn, share the rows of one block, or take walkers in turn."""
    monkeypatch.setattr("isingrl.engines.tempered._WORTH_THREADS", 0.0)
    large = Ising(Lattice((512, 512)))

    def rows():
        tempering = Tempering(HeatBath(), 1)
        at = np.array([2.3, 2.31])
        return tempering.engine(large, at, 32, "random", "checkerboard", SEED).record(3, 1)

    def few(name):
        return lambda: engine_of(name).record(30, 3)

    for run in (rows, few("several blocks"), few("odd sites")):
        one, two = threads(1, run), threads(2, run)
        for key, values in one.items():
            np.testing.assert_array_equal(two[key], values, err_msg=key)


@settings(max_examples=50)
@given(data=st.data())
def test_walkers_stay_a_permutation(data):
    """At any temperatures, 0 and ∞ among them, and any energies."""
    number, chains = data.draw(st.integers(2, 6)), data.draw(st.integers(1, 3))
    values = st.floats(0, 1e3) | st.sampled_from([0.0, 5e-324, math.inf])
    temperatures = np.array(
        data.draw(st.lists(values, min_size=number, max_size=number, unique=True))
    )
    fields = data.draw(st.sampled_from([0.0, (0.0, 1.5)]))
    model = Ising(Lattice((4, 4)), data.draw(st.sampled_from([1.0, -1.0])), fields)
    exchanges = Exchanges(model, temperatures, chains, np.random.SeedSequence(1))
    n = exchanges.walkers.size
    total = np.zeros(n, dtype=np.int64)
    for first in (0, 1, 0, 1):
        sums = st.lists(st.integers(-32, 32), min_size=n, max_size=n)
        before = exchanges.walkers.copy()
        accepted = carry_out(exchanges, first, data.draw(sums), data.draw(sums))
        assert sorted(exchanges.walkers) == list(range(n))
        ladder = np.arange(n) % exchanges.n_ladders
        np.testing.assert_array_equal(exchanges.walkers % exchanges.n_ladders, ladder)
        assert (exchanges.walkers != before).sum() == 2 * accepted.sum()
        total += accepted
    assert total.max(initial=0) <= 2


def test_an_exchange_with_zero_temperature_never_raises_the_energy_there():
    model, temperatures = Ising(Lattice((4, 4))), np.array([0.0, 2.0])
    for bonds, exchanged in (([10, 4], False), ([4, 10], True), ([4, 4], True)):
        exchanges = Exchanges(model, temperatures, 1, SEED)
        accepted = carry_out(exchanges, 0, bonds, [0, 0])
        assert accepted.tolist() == [int(exchanged), 0]


def test_equal_energies_are_exchanged_at_zero_temperature_both_ways():
    """Although a sum of bonds and a sum of spins balance each other but for rounding."""
    model, temperatures = Ising(Lattice((4, 4)), 0.1, 0.3), np.array([0.0, 2.0])
    for bonds, totals in (([6, 0], [0, 2]), ([0, 6], [2, 0])):
        exchanges = Exchanges(model, temperatures, 1, SEED)
        assert carry_out(exchanges, 0, bonds, totals).tolist() == [1, 0]


def test_acceptances_have_their_probability():
    """Frequencies of the kernel against exp((β - β')(E - E'))."""
    n = 20_000
    model, temperatures = Ising(Lattice((4, 4)), 1.0, 0.5), np.array([2.0, 2.5])
    exchanges = Exchanges(model, temperatures, n, SEED)
    bonds, totals = np.repeat([8, 0], n), np.repeat([-6, 4], n)
    number = carry_out(exchanges, 0, bonds, totals).sum()
    rise = (8 * 1.0 - 6 * 0.5) - 4 * 0.5  # E' - E for E = -J bonds - h totals
    chance = math.exp(-(1 / 2.0 - 1 / 2.5) * rise)
    assert 0.5 < chance < 1
    assert abs(number - n * chance) < 4.5 * math.sqrt(n * chance * (1 - chance))


@pytest.mark.parametrize(("shape", "n_chains"), [((4, 6), 70), ((2, 64), 9), ((2, 2048), 2)])
@pytest.mark.parametrize("rule", [HeatBath(), Metropolis()])
def test_tables_move_between_lanes_whole(shape, n_chains, rule):
    """After exchanges lanes hold what they would hold if they were made anew."""
    model = Ising(Lattice(shape), 1.0, 0.1)
    table = rule.compile(model, np.linspace(1.5, 4, n_chains)).for_schedule(
        model.lattice, "checkerboard"
    )
    tables = LaneTables(table.up[:, 0])
    engine = TemperedLanes(model.lattice, tables, "up", synchronous=False, seed=SEED)
    order, generator = np.arange(n_chains), np.random.default_rng(1)
    for _ in range(20):
        a, b = generator.choice(n_chains, 2, replace=False)
        swap_lanes(a, b, engine.layout.strips, *engine._bits)
        order[[a, b]] = order[[b, a]]
    found = [each.copy() for each in engine._bits]
    engine.assign(order)
    for part, wanted in zip(found, engine._bits, strict=True):
        np.testing.assert_array_equal(part, wanted)


def test_lane_rules_of_many_chains_serve_any_lanes():
    model = Ising(Lattice((4, 6)))
    tables = HeatBath().compile(model, np.linspace(1, 4, 100)).up[:, 0]
    lanes = np.arange(30, 94)
    for got, wanted in zip(
        LaneRule(tables).of_lanes(lanes), LaneRule(tables[lanes]).arguments, strict=True
    ):
        np.testing.assert_array_equal(got, wanted)


def test_an_engine_is_chosen_as_for_the_rule(monkeypatch):
    assert isinstance(engine_of("lanes")._engine, TemperedLanes)
    assert isinstance(engine_of("typewriter")._engine, TemperedSites)
    monkeypatch.setattr(isingrl.engines.lane_bonds, "fits", lambda lattice: False)
    assert isinstance(engine_of("lanes")._engine, TemperedSites)
