"""Neighbours, bonds and sublattices against loops over coordinates."""

import math

import numpy as np
import pytest
from hypothesis import given

from isingrl import Lattice
from isingrl.lattice import BOUNDARIES, HONEYCOMB, NEIGHBORHOODS, TRIANGULAR
from tests import oracles
from tests.strategies import lattices

SHAPES = [
    (2,), (3,), (4,), (7,), (8,),
    (2, 2), (2, 3), (3, 2), (3, 3), (4, 4), (5, 4), (4, 7),
    (2, 2, 2), (2, 3, 4), (3, 3, 3), (4, 2, 5), (4, 4, 4), (3, 5, 2),
]  # fmt: skip
SPECIAL = [
    ((4, 6), HONEYCOMB), ((2, 2), HONEYCOMB),
    ((2, 2), TRIANGULAR), ((3, 6), TRIANGULAR), ((4, 5), TRIANGULAR),
    ((7,), [(1,), (3,)]), ((6, 4), [(1, 1), (1, -1)]), ((5, 5), [(0, 1), (1, 0), (2, 1)]),
    ((3, 4, 4), [(0, 0, 1), (1, 0, 0), (-1, 2, 3)]),
]  # fmt: skip

every_lattice = pytest.mark.parametrize(
    "lattice",
    [
        pytest.param(Lattice(shape, n, b), id=f"{'x'.join(map(str, shape))}-{n}-{b}")
        for shape in SHAPES
        for n in NEIGHBORHOODS
        for b in BOUNDARIES
    ]
    + [
        pytest.param(Lattice(shape, n, b), id=f"{'x'.join(map(str, shape))}-{n}-{b}")
        for shape, n in SPECIAL
        for b in BOUNDARIES
    ],
)


@every_lattice
def test_neighbors_are_those_found_by_walking(lattice):
    for row, expected in zip(lattice.neighbors, oracles.neighbor_indices(lattice), strict=True):
        missing = lattice.coordination_number - len(expected)
        assert sorted(row.tolist()) == sorted([*expected, *[lattice.n_sites] * missing])
    assert lattice.neighbors.shape == (lattice.n_sites, lattice.coordination_number)


@every_lattice
def test_being_neighbors_is_mutual_slot_by_slot(lattice):
    for slot in range(lattice.coordination_number):
        there = lattice.neighbors[:, slot]
        present = there < lattice.n_sites
        back = lattice.neighbors[there[present], -1 - slot]
        np.testing.assert_array_equal(back, np.flatnonzero(present))


@every_lattice
def test_number_of_bonds(lattice):
    assert lattice.n_bonds == len(oracles.bonds(lattice))
    if lattice.periodic:
        assert lattice.n_bonds == lattice.n_sites * lattice.coordination_number // 2


@pytest.mark.parametrize(
    ("ndim", "neighborhood", "z"),
    [
        (1, "von_neumann", 2), (2, "von_neumann", 4), (3, "von_neumann", 6),
        (1, "moore", 2), (2, "moore", 8), (3, "moore", 26), (2, TRIANGULAR, 6),
        (2, HONEYCOMB, 3),
    ],
)  # fmt: skip
def test_coordination_number(ndim, neighborhood, z):
    lattice = Lattice((4,) * ndim, neighborhood)
    assert lattice.coordination_number == z
    np.testing.assert_array_equal(lattice.n_up, np.arange(z + 1))
    free = Lattice((4,) * ndim, neighborhood, "free")
    np.testing.assert_array_equal(free.n_up, np.arange(0, z + 0.5, 0.5))


@every_lattice
def test_up_neighbors_of_all_configurations_are_among_n_up(lattice):
    rng = np.random.default_rng(5)
    neighbors = oracles.neighbor_indices(lattice)
    for _ in range(20):
        spins = rng.choice([-1, 1], size=lattice.n_sites).tolist()
        for site in range(lattice.n_sites):
            up = oracles.n_up(spins, neighbors, site, lattice.coordination_number)
            assert up in lattice.n_up


@given(lattices)
def test_no_two_neighbors_share_a_sublattice(lattice):
    colors = lattice.sublattices.ravel()
    for site, others in enumerate(oracles.neighbor_indices(lattice)):
        assert all(colors[other] != colors[site] for other in others)
    np.testing.assert_array_equal(np.unique(colors), np.arange(lattice.n_sublattices))
    assert lattice.sublattices.shape == lattice.shape


@given(lattices)
def test_there_are_two_sublattices_where_two_suffice(lattice):
    adjacency = oracles.neighbor_indices(lattice)
    assert (lattice.n_sublattices == 2) == oracles.two_colorable(adjacency)


@pytest.mark.parametrize(
    ("shape", "neighborhood", "boundary", "n"),
    [
        ((6,), "von_neumann", "periodic", 2),
        ((5,), "von_neumann", "periodic", 3),
        ((5,), "von_neumann", "free", 2),
        ((4, 4), "von_neumann", "periodic", 2),
        ((3, 4), "von_neumann", "periodic", 3),
        ((4, 4), "moore", "periodic", 4),
        ((3, 4), "moore", "periodic", 6),
        ((3, 5), "moore", "periodic", 9),
        ((3, 5), "moore", "free", 4),
        ((3, 3, 3), "von_neumann", "periodic", 3),
        ((4, 4, 4), "moore", "periodic", 8),
        ((3, 6), TRIANGULAR, "periodic", 3),
        ((4, 6), HONEYCOMB, "periodic", 2),
        ((3, 5), HONEYCOMB, "free", 2),
        ((4, 8), TRIANGULAR, "periodic", 4),
        ((5, 4), TRIANGULAR, "free", 3),
        ((8, 8), "1,-1 1,1", "periodic", 2),
        ((8, 8), "0,2 2,0", "periodic", 2),
        ((8, 8), "0,1 0,2 1,0 2,0", "periodic", 4),
    ],
)
def test_numbers_of_sublattices(shape, neighborhood, boundary, n):
    assert Lattice(shape, neighborhood, boundary).n_sublattices == n


def test_sides_may_come_in_several_forms():
    for shape in (4, [4], (np.int32(4),), np.array([4])):
        assert Lattice(shape).shape == (4,)
        assert Lattice(shape) == Lattice((4,))
    assert hash(Lattice([3, 4])) == hash(Lattice((3, 4)))


@pytest.mark.parametrize(
    ("shape", "error"),
    [
        ((), ValueError),
        ([], ValueError),
        ((2, 2, 2, 2), ValueError),
        ((4, 1), ValueError),
        (1, ValueError),
        ((4, 0), ValueError),
        ((-4, 4), ValueError),
        ((4.5, 4), TypeError),
        (4.5, TypeError),
        (("4", "4"), TypeError),
        ("44", TypeError),
        ((True, 4), TypeError),
        (None, TypeError),
        ((math.nan, 4), TypeError),
        (((4, 4), 4), TypeError),
    ],
    ids=repr,
)
def test_bad_shapes_are_named(shape, error):
    with pytest.raises(error, match=r"shape.*got"):
        Lattice(shape)


@pytest.mark.parametrize("name", ["Moore", "", "hexagonal", None, 4])
def test_unknown_neighborhoods_and_boundaries_are_named(name):
    with pytest.raises(ValueError, match=r"neighborhood must be one of .*'honeycomb', or.*; got"):
        Lattice((4, 4), neighborhood=name)
    with pytest.raises(ValueError, match=r"boundary must be one of 'periodic', 'free'; got"):
        Lattice((4, 4), boundary=name)


@pytest.mark.parametrize(
    ("shape", "steps", "message"),
    [
        ((6,), TRIANGULAR, "needs two sides"),
        ((4, 4, 4), HONEYCOMB, "needs two sides"),
        ((4, 5), HONEYCOMB, "even sides for a periodic honeycomb"),
        ((6, 6), [(0, 0)], "a step must not be zero"),
        ((6, 6), [(0, 1), (0, -1)], "none twice, nor its opposite"),
        ((6, 6), [(0, 1), (0, 1)], "none twice, nor its opposite"),
        ((6, 6), [], "at least one"),
        ((6, 6), [(0, 6)], "shorter than the sides"),
        ((6, 6), [(0, 1, 1)], "steps of 2 integers each; got the step"),
        ((6, 6), [(0, 1.0)], "got the step"),
        ((6, 6), "0,1 x,2", "got '0,1 x,2'"),
        ((6, 6), [1, 2], "or steps"),
    ],
    ids=repr,
)
def test_bad_steps_are_named(shape, steps, message):
    with pytest.raises(ValueError, match=message):
        Lattice(shape, steps)


def test_steps_with_a_name_get_it():
    assert Lattice((4, 4), [(0, 1), (1, 0)]) == Lattice((4, 4))
    assert Lattice((4, 4), [(-1, -1), (0, -1), (1, 0)]).neighborhood == TRIANGULAR
    plain = Lattice((8, 8), [(2, 0), (0, 1), (1, 0)])
    assert plain.neighborhood == "0,1 1,0 2,0"
    assert plain == Lattice((8, 8), plain.neighborhood)
