"""The byte-site engine against loops that use the same random numbers."""

import numpy as np
import pytest

from isingrl import Ising, Lattice
from isingrl._kernels import sites
from isingrl._site_engine import SCHEDULES, SiteEngine, local_sum_step, padded, update_order
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS
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


def random_table(lattice, rng, n_chains):
    table = rng.random((n_chains, 2, len(lattice.n_up)))
    table[rng.random(table.shape) < 0.1] = 0
    table[rng.random(table.shape) < 0.1] = 1
    return table


def test_random_numbers_are_those_of_the_oracle():
    state = np.random.default_rng(1).integers(0, 2**64, size=4, dtype=np.uint64)
    table = np.full((2, 3), 0.25)
    spins = padded(np.ones(2, dtype=np.int8))
    random = oracles.Random(state)
    lattice = Lattice((2,))
    for _ in range(100):
        sites.sweep(
            spins, lattice.neighbors, update_order(lattice), table, 2, sites.CHECKERBOARD, state, 1
        )
        expected = [1 if random.uniform() < 0.25 else -1 for _ in range(2)]
        assert spins.tolist() == [*expected, 0]
        assert [int(word) for word in state] == random.state


@every_schedule
@every_kind
def test_sweeps_are_those_of_the_oracle(lattice, schedule):
    rng = np.random.default_rng(lattice.n_sites)
    (table,) = random_table(lattice, rng, 1)
    state = rng.integers(0, 2**64, size=4, dtype=np.uint64)
    start = rng.choice(np.array([-1, 1], dtype=np.int8), size=lattice.shape)
    spins, expected, random = padded(start), start.ravel().tolist(), oracles.Random(state)
    for n_sweeps in (1, 2, 3):
        sites.sweep(
            spins, lattice.neighbors, update_order(lattice), table, local_sum_step(lattice),
            SCHEDULES[schedule], state, n_sweeps,
        )  # fmt: skip
        for _ in range(n_sweeps):
            oracles.sweep(expected, lattice, table, schedule, random)
        assert spins.tolist() == [*expected, 0]
    assert [int(word) for word in state] == random.state


@every_schedule
@every_kind
def test_engine_measures_every_chain_with_its_own_table(lattice, schedule):
    rng = np.random.default_rng(lattice.n_sites)
    n_chains, draws, interval = 3, 4, 2
    tables = random_table(lattice, rng, n_chains)
    start = rng.choice(np.array([-1, 1], dtype=np.int8), size=(n_chains, *lattice.shape))
    engine = SiteEngine(lattice, tables, start, schedule=schedule, seed=np.random.SeedSequence(1))
    randoms = [oracles.Random(state) for state in engine._states]
    bonds, totals = engine.record(draws, interval)
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


@every_kind
def test_measures_match_the_model(lattice):
    rng = np.random.default_rng(2)
    model = Ising(lattice, 0.7, 0.2)
    for spins in rng.choice(np.array([-1, 1], dtype=np.int8), size=(5, *lattice.shape)):
        bonds, total = sites.measure(padded(spins), lattice.neighbors)
        assert total == spins.sum()
        energy = model.energy_of_sums(np.int64(bonds), np.int64(total))
        assert energy == pytest.approx(oracles.energy(model, spins))


def test_named_starts():
    lattice = Lattice((50, 40))
    tables = np.full((3, 2, 5), 0.5)
    engines = {
        start: SiteEngine(
            lattice, tables, start, schedule="checkerboard", seed=np.random.SeedSequence(1)
        )
        for start in ("up", "down", "random")
    }
    assert (engines["up"].spins(2) == 1).all()
    assert (engines["down"].spins(0) == -1).all()
    first, second = engines["random"].spins(0), engines["random"].spins(1)
    assert set(np.unique(first)) == {-1, 1}
    assert abs(first.mean()) < 4.5 / np.sqrt(lattice.n_sites)
    assert abs((first * second).mean()) < 4.5 / np.sqrt(lattice.n_sites)
