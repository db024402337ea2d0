"""Tables are checked wherever they come in."""

import numpy as np
import pytest

import analysis
from isingrl import HeatBath, Ising, Lattice, Rule, simulate
from isingrl.tables import RuleTable

SQUARE = Ising(Lattice((4, 4)))
FREE = Ising(Lattice((3, 3), boundary="free"))
T = [2.0, 2.5]
GOOD = HeatBath().table(SQUARE, np.array(T))


def given(table):
    """A rule that returns this table."""

    class Mine(Rule):
        name = "mine"

        def table(self, model, temperature):
            return table

    return Mine()


def compiling(table):
    """A rule that compiles to this."""

    class Mine(Rule):
        name = "mine"

        def table(self, model, temperature):
            raise AssertionError

        def compile(self, model, temperature, chains=1):
            return table

    return Mine()


def entry(value, *place):
    table = GOOD.copy()
    table[place] = value
    return table


BAD_TABLES = {
    "above-one": (
        np.full((2, 2, 5), 1.2),
        ValueError,
        r"must lie in \[0, 1\]; got 1.2 for chain 0",
    ),
    "below-zero": (entry(-0.1, 1, 0, 3), ValueError, r"got -0.1 for chain .*own spin down, 3 up"),
    "nan": (entry(np.nan, 0, 1, 4), ValueError, r"got nan for chain 0, own spin up, 4 up"),
    "infinite": (entry(np.inf, 0, 0, 0), ValueError, r"got inf"),
    "few-states": (GOOD[..., :3], ValueError, r"shape \(2, 2, 5\).*got \(2, 2, 3\)"),
    "many-states": (np.full((2, 2, 7), 0.5), ValueError, r"shape \(2, 2, 5\).*got \(2, 2, 7\)"),
    "one-own-spin": (GOOD[:, :1], ValueError, r"got \(2, 1, 5\)"),
    "three-own-spins": (np.full((2, 3, 5), 0.5), ValueError, r"got \(2, 3, 5\)"),
    "one-temperature": (GOOD[:1], ValueError, r"got \(1, 2, 5\)"),
    "no-temperatures": (GOOD[0], ValueError, r"got \(2, 5\)"),
    "a-number": (0.5, ValueError, r"got \(\)"),
    "complex": (GOOD + 0j, TypeError, "real numbers; got dtype complex128"),
    "words": (np.full((2, 2, 5), "up"), TypeError, "real numbers; got dtype <U2"),
    "nothing": (None, TypeError, "real numbers; got dtype object"),
}


@pytest.mark.parametrize("chains", [1, 3])
@pytest.mark.parametrize(("table", "error", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_tables_of_rules(table, error, message, chains):
    with pytest.raises(error, match=f"^rule 'mine': .*{message}"):
        simulate(SQUARE, given(table), T, sweeps=1, chains=chains, seed=1)


@pytest.mark.parametrize(("table", "error", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_tables_of_rules_in_transition_matrices(table, error, message):
    small = Ising(Lattice((2, 4)))
    with pytest.raises(error, match=f"^rule 'mine': .*{message}"):
        analysis.detailed_balance_violation(given(table), small, T)


def joint(up=0.5, states=16, sites=SQUARE.lattice.neighbors):
    return RuleTable(np.full((2, 1, 2, states), up), sites)


BAD_COMPILED = {
    "no-table": (GOOD, TypeError, "compile must return a RuleTable; got array"),
    "values": (joint(1.5), ValueError, "got 1.5 for chain 0, own spin down, configuration 0"),
    "joint-states": (joint(states=8), ValueError, r"shape \(2, 1, 2, 16\)"),
    "chains": (RuleTable(GOOD[:1, None]), ValueError, r"shape \(2, 1, 2, 5\).*got \(1, 1, 2, 5\)"),
    "tables": (
        RuleTable(np.full((2, 3, 2, 5), 0.5)), ValueError, r"\(2, 16, 2, 5\) with one a site"
    ),
    "axes": (RuleTable(GOOD), ValueError, r"got \(2, 2, 5\)"),
    "site-numbers": (joint(sites=SQUARE.lattice.neighbors + 5), ValueError, r"lie in \[0, 16\]"),
    "negative-sites": (joint(sites=SQUARE.lattice.neighbors - 1), ValueError, r"lie in \[0, 16\]"),
    "sites-of-others": (joint(sites=FREE.lattice.neighbors), ValueError, r"of shape \(16, k\)"),
    "sites-as-floats": (joint(sites=SQUARE.lattice.neighbors / 1), ValueError, "dtype float64"),
}  # fmt: skip


@pytest.mark.parametrize("schedule", ["checkerboard", "random-site"])
@pytest.mark.parametrize(("table", "error", "message"), BAD_COMPILED.values(), ids=BAD_COMPILED)
def test_compiled_tables(table, error, message, schedule):
    with pytest.raises(error, match=f"^rule 'mine': .*{message}"):
        simulate(SQUARE, compiling(table), T, sweeps=1, schedule=schedule, seed=1)


def test_a_table_for_another_boundary_is_refused():
    """With free boundaries there are half numbers of up neighbours."""
    with pytest.raises(ValueError, match=r"shape \(2, 2, 9\).*got \(2, 2, 5\)"):
        simulate(FREE, given(GOOD), T, sweeps=1, seed=1)


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(np.where(GOOD > 0.5, 1 + 1e-15, -1e-15), id="rounding"),
        pytest.param(np.where(GOOD > 0.5, 1, 0), id="integers"),
        pytest.param(GOOD > 0.5, id="flags"),
        pytest.param(np.where(GOOD > 0.5, 1, 0).tolist(), id="lists"),
    ],
)
def test_certain_tables_in_any_form_are_the_same(table):
    expected = simulate(
        SQUARE, given(np.where(GOOD > 0.5, 1.0, 0.0)), T, sweeps=5, chains=2, seed=1
    )
    found = simulate(SQUARE, given(table), T, sweeps=5, chains=2, seed=1)
    np.testing.assert_array_equal(found["energy"], expected["energy"])
