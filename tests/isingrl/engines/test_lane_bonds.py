"""Bonds ±J on bit lanes, against the tables and the energies of the model, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import isingrl as irl
from isingrl.engines.lane_bonds import lane_tables
from isingrl.engines.lanes import LaneEngine
from isingrl.tables import RuleTable

SHAPES = {
    "chain": ((18,), "von_neumann"),
    "square": ((4, 6), "von_neumann"),
    "odd": ((3, 10), "von_neumann"),
    "wide": ((4, 128), "von_neumann"),
    "two columns": ((3, 2), "von_neumann"),
    "triangular": ((4, 6), "triangular"),
    "Moore": ((5, 8), "moore"),
    "cubic": ((2, 4, 6), "von_neumann"),
    "cubic Moore": ((3, 4, 6), "moore"),
}


def signed_model(name, bonds, field=0.0):
    """A model with bonds ±0.7 of a kind: at random, all of one sign, or by step."""
    lattice = irl.Lattice(*SHAPES[name])
    steps = len(lattice.forward_offsets)
    if bonds == "by step":
        coupling = [(-1) ** k * 0.7 for k in range(steps)]
    elif bonds == "negative":
        coupling = irl.RandomBonds(lattice, np.full((steps, *lattice.shape), -0.7))
    else:
        coupling = irl.random_bonds(lattice, (0.7, -0.7), seed=5)
    return irl.Ising(lattice, coupling, field)


def certain_table(model, n_chains, seed, counted):
    """P(up) 0 or 1 at random, by own spin and by neighbours with the signs of their bonds."""
    z = model.lattice.coordination_number
    sure = np.random.default_rng(seed).integers(0, 2, size=(n_chains, 1, 2, z + 1)).astype(float)
    if counted:
        return RuleTable(sure)
    pull = model.bonds.neighbor_sums @ np.sign(model.couplings)
    return RuleTable(sure[..., np.clip((pull + z) // 2, 0, z).astype(int)], bonds=model.bonds)


def colors_of(layout):
    """Turn of each site in a sweep, sites in C order."""
    lattice = layout.lattice
    if layout.two_sublattices:
        return lattice.sublattices.ravel()
    side = lattice.shape[-1]
    return (2 * layout._row_classes[:, None] + np.arange(side) % 2).ravel()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(SHAPES)), st.sampled_from(["at random", "negative", "by step"]),
    st.sampled_from(["checkerboard", "synchronous"]), st.sampled_from([1, 3, 64, 70]),
    st.booleans(), st.integers(0, 99),
)  # fmt: skip
def test_a_sweep_follows_the_table_and_sums_are_those_of_the_spins(
    name, bonds, schedule, n_chains, counted, seed
):
    model = signed_model(name, bonds)
    lattice = model.lattice
    if model.bonds.alike:
        return  # a chain has one step
    table = certain_table(model, n_chains, seed, counted)
    tables = lane_tables(model, table, schedule)
    assert tables.by_sign != counted
    spins = np.random.default_rng(seed).choice(
        np.array([-1, 1], np.int8), (n_chains, *lattice.shape)
    )
    synchronous = schedule == "synchronous"
    engine = LaneEngine(
        lattice, tables, spins, synchronous=synchronous, seed=np.random.SeedSequence(seed)
    )
    sums = engine.record(1, 1)
    expected = spins.reshape(n_chains, -1).copy()
    colors = np.zeros(lattice.n_sites) if synchronous else colors_of(engine.layout)
    for color in np.unique(colors):
        own = colors == color
        for chain, old in enumerate(expected):
            up = table.probabilities(lattice, old)[chain]
            old[own] = np.where(up[own] > 0.5, 1, -1)
    found = np.stack([engine.spins(chain) for chain in range(n_chains)])
    np.testing.assert_array_equal(found.reshape(n_chains, -1), expected)
    assert sums["bonds"].shape == (n_chains, 1, len(model.couplings))
    energy = model.energy_of_sums(sums["bonds"][:, 0], sums["totals"][:, 0])
    np.testing.assert_allclose(energy, model.energy(found), atol=1e-12)
    np.testing.assert_array_equal(sums["totals"][:, 0], found.reshape(n_chains, -1).sum(axis=1))


@pytest.mark.parametrize("bonds", ["at random", "negative", "by step"])
@pytest.mark.parametrize("rule", [irl.Metropolis(), irl.HeatBath()], ids=str)
def test_rules_of_such_models_run_on_lanes(rule, bonds):
    model = signed_model("square", bonds, field=0.3)
    for schedule in ("checkerboard", "synchronous"):
        seed = np.random.SeedSequence(1)
        engine = rule.engine(model, np.array([0.0, 1.0, np.inf]), 2, "random", schedule, seed)
        assert isinstance(engine, LaneEngine)


@pytest.mark.parametrize(
    "values",
    [(1.0, -1.0, 0.0), (1.0, -0.5), (1.0, 0.0)],
    ids=["diluted glass", "unequal", "diluted"],
)
def test_other_bonds_do_not(values):
    lattice = irl.Lattice((4, 6))
    model = irl.Ising(lattice, irl.random_bonds(lattice, values, seed=1))
    table = irl.HeatBath().compile(model, np.array([1.0]))
    assert lane_tables(model, table, "checkerboard") is None
    signed = signed_model("square", "at random")
    table = irl.HeatBath().compile(signed, np.array([1.0]))
    assert lane_tables(signed, table, "random-site") is None
    by_kind = RuleTable(np.random.default_rng(1).random(table.up.shape), bonds=table.bonds)
    assert lane_tables(signed, by_kind, "checkerboard") is None
