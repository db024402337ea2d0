"""How many neighbours are in each state, as one number, and tables by it."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import isingrl as irl
from isingrl.compositions import Compositions
from isingrl.state_tables import StateTable, joint_codes
from isingrl.tables import states_seen
from tests import oracles
from tests.strategies import lattices

some = st.builds(
    lambda totals, states: Compositions(tuple(sorted(totals)), states),
    st.sets(st.integers(1, 6), min_size=1, max_size=3),
    st.integers(2, 5),
)


@given(some)
def test_every_composition_is_there_once(ways):
    assert ways.holds
    found = list(map(tuple, ways.counts.tolist()))
    expected = {
        counts
        for counts in itertools.product(range(ways.totals[-1] + 1), repeat=ways.states)
        if sum(counts) in ways.totals
    }
    assert set(found) == expected
    assert len(found) == len(expected) == ways.size
    assert found == sorted(found, reverse=True)
    assert ways.shown() == [" ".join(map(str, counts)) for counts in found]


@given(some)
def test_sums_of_codes_lead_to_them(ways):
    assert ways.codes.shape == (ways.states + 1,)
    assert ways.codes[-1] == 0
    for place, counts in enumerate(ways.counts):
        assert ways.index[counts @ ways.codes[:-1]] == place
    assert (ways.index >= 0).sum() == ways.size


@pytest.mark.parametrize(("total", "states"), [(2, 3), (3, 2), (4, 3), (4, 4), (6, 2)])
def test_draws_are_counted(total, states):
    ways = Compositions((total,), states)
    for seen in range(total + 1):
        chances = ways.draws(seen)
        shown = list(map(tuple, Compositions((seen,), states).counts.tolist()))
        np.testing.assert_allclose(chances.sum(axis=1), 1)
        for counts, row in zip(ways.counts, chances, strict=True):
            neighbors = [state for state, number in enumerate(counts) for _ in range(number)]
            met = Counter()
            for drawn in itertools.combinations(range(total), seen):
                of = [neighbors[slot] for slot in drawn]
                met[tuple(of.count(state) for state in range(states))] += 1
            expected = [met[each] / math.comb(total, seen) for each in shown]
            np.testing.assert_allclose(row, expected)


def test_too_many_sums_are_told():
    assert Compositions((26,), 6).holds
    assert not Compositions((26,), 7).holds
    assert not Compositions((4,), 255).holds


@settings(max_examples=60)
@given(lattices.filter(lambda each: each.coordination_number <= 8), st.integers(2, 4),
       st.integers(0, 2**32))  # fmt: skip
def test_sites_see_the_numbers_of_their_neighbours(lattice, q, seed):
    ways = Compositions.of(lattice, q)
    neighbors = oracles.neighbor_indices(lattice)
    assert ways.totals == tuple(sorted({len(each) for each in neighbors}))
    states = np.append(np.random.default_rng(seed).integers(q, size=lattice.n_sites), q)
    sites, codes, index = StateTable(np.zeros((1, 1, ways.size, q))).view(lattice)
    found = index[states_seen(states, sites, codes)]
    for site, others in enumerate(neighbors):
        expected = np.bincount(states[others], minlength=q)
        np.testing.assert_array_equal(ways.counts[found[site]], expected)


def test_joint_configurations_are_numbers_in_base_q():
    lattice = irl.Lattice((3, 4))
    table = StateTable(np.zeros((1, 1, 81, 3)), lattice.neighbors)
    states = np.append(np.random.default_rng(1).integers(3, size=12), 3)
    sites, codes, index = table.view(lattice)
    found = index[states_seen(states, sites, codes)]
    expected = (states[lattice.neighbors] * 3 ** np.arange(4)).sum(axis=1)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(joint_codes(4, 3), codes)


@given(st.integers(2, 6), st.integers(0, 2**32))
def test_thresholds_of_chances(q, seed):
    chances = np.random.default_rng(seed).dirichlet(np.full(q, 0.3), size=(2, 1, 5))
    table = StateTable(chances)
    assert table.arrays.shape == (2, 1, 1, 5, q - 1)
    for state in range(q - 1):
        above = chances[..., state + 1 :].sum(axis=-1)
        np.testing.assert_allclose(table.arrays[:, :, 0, :, state], above, atol=1e-15)
    np.testing.assert_allclose(table.with_arrays(table.arrays).chances, chances, atol=1e-15)
    assert table.for_schedule(irl.Lattice(4), "checkerboard") is table
