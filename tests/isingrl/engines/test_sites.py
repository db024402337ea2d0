"""The byte-site engine against loops that use the same random numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isingrl import Ising, Lattice
from isingrl.engines.kernels import sites
from isingrl.engines.sites import SiteEngine, schedule_code, update_order
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS
from isingrl.schedules import SCHEDULES
from isingrl.tables import RuleTable, codes_of
from tests import oracles

every_kind = pytest.mark.parametrize(
    "lattice",
    [
        pytest.param(Lattice(shape, n, b), id=f"{'x'.join(map(str, shape))}-{n}-{b}")
        for shape in [(2,), (7,), (3, 4), (5, 5), (2, 3, 4), (3, 3, 3)]
        for n in NEIGHBORHOODS
        for b in BOUNDARIES
    ],
)
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES)


def _states(spins):
    """States of spins, with that of a missing neighbour behind them."""
    return np.append(np.ravel(spins) > 0, 2).astype(np.uint8)


def random_table(lattice, rng, n_chains):
    table = rng.random((n_chains, 2, len(lattice.n_up)))
    table[rng.random(table.shape) < 0.1] = 0
    table[rng.random(table.shape) < 0.1] = 1
    return table


def test_random_numbers_are_those_of_the_oracle():
    state = np.random.default_rng(1).integers(0, 2**64, size=4, dtype=np.uint64)
    table = np.full((1, 2, 3), 0.25)
    spins = _states(np.ones(2))
    random = oracles.Random(state)
    lattice = Lattice((2,))
    for _ in range(100):
        sites.sweep(
            spins, *codes_of(lattice, None), None, update_order(lattice, "checkerboard"), table,
            sites.IN_ORDER, state, 1,
        )  # fmt: skip
        expected = [1 if random.uniform() < 0.25 else -1 for _ in range(2)]
        assert sites.SPINS[spins].tolist() == [*expected, 0]
        assert [int(word) for word in state] == random.state


@every_schedule
@every_kind
def test_sweeps_are_those_of_the_oracle(lattice, schedule):
    rng = np.random.default_rng(lattice.n_sites)
    (table,) = random_table(lattice, rng, 1)
    state = rng.integers(0, 2**64, size=4, dtype=np.uint64)
    start = rng.choice(np.array([-1, 1], dtype=np.int8), size=lattice.shape)
    spins, expected = _states(start), start.ravel().tolist()
    random = oracles.Random(state)
    for n_sweeps in (1, 2, 3):
        sites.sweep(
            spins, *codes_of(lattice, None), None, update_order(lattice, schedule), table[None],
            schedule_code(schedule), state, n_sweeps,
        )  # fmt: skip
        for _ in range(n_sweeps):
            oracles.sweep(expected, lattice, table, schedule, random)
        assert sites.SPINS[spins].tolist() == [*expected, 0]
    assert [int(word) for word in state] == random.state


@every_schedule
@every_kind
def test_engine_measures_every_chain_with_its_own_table(lattice, schedule):
    rng = np.random.default_rng(lattice.n_sites)
    n_chains, draws, interval = 3, 4, 2
    tables = random_table(lattice, rng, n_chains)
    start = rng.choice(np.array([-1, 1], dtype=np.int8), size=(n_chains, *lattice.shape))
    engine = SiteEngine(
        Ising(lattice), RuleTable(tables[:, None]), start, schedule=schedule,
        seed=np.random.SeedSequence(1),
    )  # fmt: skip
    randoms = [oracles.Random(state) for state in engine._states]
    measured = engine.record(draws, interval)
    bonds, totals = measured["bonds"], measured["totals"]
    pairs = oracles.bonds(lattice)
    model = Ising(lattice)
    for chain, random in enumerate(randoms):
        spins = start[chain].ravel().tolist()
        for draw in range(draws):
            for _ in range(interval):
                oracles.sweep(spins, lattice, tables[chain], schedule, random)
            assert bonds[chain, draw] == sum(spins[i] * spins[j] for i, j in pairs)
            assert totals[chain, draw] == sum(spins)
        assert engine.spins(chain).ravel().tolist() == spins
        assert model.energy(engine.spins(chain)) == pytest.approx(
            -bonds[chain, -1] / lattice.n_sites
        )


@st.composite
def rules(draw):
    """A lattice and tables of any form, most of them of no use."""
    shape = draw(st.sampled_from([(2,), (7,), (3, 4), (2, 3, 2)]))
    lattice = Lattice(
        shape, draw(st.sampled_from(NEIGHBORHOODS)), draw(st.sampled_from(BOUNDARIES))
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_tables = draw(st.sampled_from([1, lattice.n_sites]))
    sites, n_states = None, len(lattice.n_up)
    if draw(st.booleans()):
        k = draw(st.integers(0, 5))
        sites = rng.integers(lattice.n_sites, size=(lattice.n_sites, k)).astype(np.int32)
        n_states = 2**k
    bonds = None
    if sites is None and draw(st.booleans()):
        steps = len(lattice.forward_offsets)
        coupling = draw(st.lists(st.sampled_from([1, 2]), min_size=steps, max_size=steps))
        bonds, n_tables = Ising(lattice, coupling).bonds, 1
        n_states = bonds.n_states
    up = rng.random((2, n_tables, 2, n_states))
    up[rng.random(up.shape) < 0.1] = rng.integers(2)
    return lattice, RuleTable(up, sites, bonds)


@settings(max_examples=80)
@given(rules(), st.sampled_from(sorted(SCHEDULES)), st.integers(0, 2**32))
def test_any_rule_runs_as_the_oracle_does(lattice_and_rule, schedule, seed):
    lattice, rule = lattice_and_rule
    engine = SiteEngine(
        Ising(lattice), rule, "random", schedule=schedule, seed=np.random.SeedSequence(seed)
    )
    expected = [engine.spins(chain).ravel().tolist() for chain in range(2)]
    randoms = [oracles.Random(state) for state in engine._states]
    for sweeps in (1, 2):
        engine.sweep(sweeps)
        for chain, random in enumerate(randoms):
            for _ in range(sweeps):
                oracles.sweep_by_rule(expected[chain], lattice, rule, chain, schedule, random)
            assert engine.spins(chain).ravel().tolist() == expected[chain]
            assert [int(word) for word in engine._states[chain]] == random.state


@settings(max_examples=60)
@given(
    q=st.sampled_from([2, 3, 5, 255]), k=st.integers(0, 6), own_tables=st.booleans(),
    schedule=st.sampled_from(sorted(SCHEDULES)), seed=st.integers(0, 2**32),
)  # fmt: skip
def test_any_codes_and_states_run_as_the_oracle_does(q, k, own_tables, schedule, seed):
    """Of sites in any order, that may be missing, with any number of states and any codes."""
    rng = np.random.default_rng(seed)
    lattice = Lattice((3, 4))
    n_sites = lattice.n_sites
    seen = rng.integers(n_sites + 1, size=(n_sites, k)).astype(np.int32)
    codes = rng.integers(4, size=(k, q + 1)).astype(np.int32)
    chances = rng.random((n_sites if own_tables else 1, q, 3 * k + 1, q - 1))
    table = np.ascontiguousarray(np.sort(chances, axis=-1)[..., ::-1])  # P(new state > s)
    spins = np.append(rng.integers(q, size=n_sites), q).astype(np.uint8)
    state = rng.integers(0, 2**64, size=4, dtype=np.uint64)
    expected, random = spins.tolist(), oracles.Random(state)
    order, code = update_order(lattice, schedule), schedule_code(schedule)
    if q == 2:  # the same as P(up)
        also, its_state = spins.copy(), state.copy()
        sites.sweep(also, seen, codes, None, order, table[..., 0], code, its_state, 2)
    sites.sweep(spins, seen, codes, None, order, table, code, state, 2)
    for _ in range(2):
        oracles.sweep_by_codes(expected, lattice, seen, codes, table, schedule, random)
    assert spins.tolist() == expected
    assert [int(word) for word in state] == random.state
    if q == 2:
        np.testing.assert_array_equal(also, spins)
        np.testing.assert_array_equal(its_state, state)


@given(rules(), st.integers(0, 2**32))
def test_probabilities_are_those_of_a_loop(lattice_and_rule, seed):
    lattice, rule = lattice_and_rule
    spins = np.random.default_rng(seed).choice([-1, 1], size=(3, 2, lattice.n_sites))
    found = rule.probabilities(lattice, spins)
    assert found.shape == (2, *spins.shape)
    for chain, first, second, site in np.ndindex(found.shape):
        one = spins[first, second].tolist()
        expected = oracles.chance_of_up(one, lattice, rule, chain, site)
        assert found[chain, first, second, site] == expected


@every_kind
def test_measures_match_the_model(lattice):
    rng = np.random.default_rng(2)
    model = Ising(lattice, 0.7, 0.2)
    for spins in rng.choice(np.array([-1, 1], dtype=np.int8), size=(5, *lattice.shape)):
        signs = rng.choice(np.array([-1, 1], dtype=np.int8), size=lattice.n_sites)
        sums = np.zeros(3, dtype=np.int64)
        sites.measure(_states(spins), lattice.neighbors[None], signs, sums)
        bonds, total, staggered = sums
        assert total == spins.sum()
        assert staggered == (signs * spins.ravel()).sum()
        energy = model.energy_of_sums(np.int64(bonds), np.int64(total))
        assert energy == pytest.approx(oracles.energy(model, spins))


def test_named_starts():
    model = Ising(Lattice((50, 40)))
    tables = RuleTable(np.full((3, 1, 2, 5), 0.5))
    engines = {
        start: SiteEngine(
            model, tables, start, schedule="checkerboard", seed=np.random.SeedSequence(1)
        )
        for start in ("up", "down", "random")
    }
    assert (engines["up"].spins(2) == 1).all()
    assert (engines["down"].spins(0) == -1).all()
    first, second = engines["random"].spins(0), engines["random"].spins(1)
    assert set(np.unique(first)) == {-1, 1}
    assert abs(first.mean()) < 4.5 / np.sqrt(model.lattice.n_sites)
    assert abs((first * second).mean()) < 4.5 / np.sqrt(model.lattice.n_sites)
