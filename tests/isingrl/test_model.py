"""Energy and magnetization of given spins against loops over bonds and sites."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isingrl import Ising, Lattice
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS
from tests import oracles
from tests.strategies import lattices

finite = st.floats(-3, 3)


@st.composite
def models_and_spins(draw):
    lattice = draw(lattices)
    model = Ising(lattice, draw(finite), draw(finite))
    bits = draw(st.integers(0, 2**lattice.n_sites - 1))
    spins = [2 * (bits >> site & 1) - 1 for site in range(lattice.n_sites)]
    return model, np.reshape(spins, lattice.shape)


@given(models_and_spins())
def test_energy_and_magnetization_match_loops(model_and_spins):
    model, spins = model_and_spins
    assert model.energy(spins) == pytest.approx(oracles.energy(model, spins), abs=1e-12)
    assert model.magnetization(spins) == pytest.approx(sum(spins.ravel().tolist()) / spins.size)


@given(models_and_spins())
def test_a_flip_changes_the_energy_by_the_local_field(model_and_spins):
    model, spins = model_and_spins
    lattice = model.lattice
    site = lattice.n_sites // 2
    flat = spins.ravel().tolist()
    up = oracles.n_up(flat, oracles.neighbor_indices(lattice), site, lattice.coordination_number)
    local_field = model.local_fields()[list(lattice.n_up).index(up)]
    flipped = spins.copy()
    flipped.flat[site] *= -1
    change = (model.energy(flipped) - model.energy(spins)) * lattice.n_sites
    assert change == pytest.approx(2 * flat[site] * local_field, abs=1e-9)


@pytest.mark.parametrize("neighborhood", NEIGHBORHOODS)
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4)], ids=str)
def test_leading_axes_are_kept(shape, boundary, neighborhood):
    model = Ising(Lattice(shape, neighborhood, boundary), 0.7, -0.3)
    spins = np.random.default_rng(1).choice([-1, 1], size=(2, 3, *shape)).astype(np.int8)
    assert model.energy(spins).shape == model.magnetization(spins).shape == (2, 3)
    for index in np.ndindex(2, 3):
        assert model.energy(spins)[index] == pytest.approx(oracles.energy(model, spins[index]))
        assert model.magnetization(spins)[index] == spins[index].mean()


def test_int8_sums_do_not_overflow():
    model = Ising(Lattice((40, 40)), field=0.5)
    spins = np.ones((40, 40), dtype=np.int8)
    assert model.energy(spins) == -2.5
    assert model.magnetization(-spins) == -1


def test_a_pair_joined_twice_counts_twice():
    ring = Ising(Lattice((2,)))
    assert ring.energy([1, 1]) * 2 == -2
    assert ring.energy([1, -1]) * 2 == 2
    assert Ising(Lattice((2,), boundary="free")).energy([1, 1]) * 2 == -1


def test_spins_of_another_shape_are_named():
    with pytest.raises(ValueError, match=r"spins must have shape .*\(4, 4\).*; got \(4, 5\)"):
        Ising(Lattice((4, 4))).energy(np.ones((4, 5)))
    with pytest.raises(ValueError, match=r"spins must have shape .*; got \(4,\)"):
        Ising(Lattice((4, 4))).magnetization(np.ones(4))


@pytest.mark.parametrize("name", ["coupling", "field"])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (math.nan, ValueError),
        (math.inf, ValueError),
        (-math.inf, ValueError),
        ("1", TypeError),
        (None, TypeError),
        (1j, TypeError),
        (True, TypeError),
        (["1"], TypeError),
        ([1.0, None], TypeError),
        ([[1.0], [1.0, 2.0]], TypeError),
    ],
    ids=repr,
)
def test_couplings_and_fields_that_are_no_finite_numbers_are_named(name, value, error):
    with pytest.raises(error, match=rf"{name} must be .*got"):
        Ising(Lattice((4, 4)), **{name: value})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "got an empty sequence"),
        ([0.1, 0.1], r"got 0\.1 more than once"),
        ([0.0, -0.0], r"got 0\.0 more than once|got -0\.0 more than once"),
        ([0.1, math.nan], "got nan"),
        ([0.1, math.inf], "got inf"),
        ([[0.1, 0.2]], r"got an array of shape \(1, 2\)"),
        (np.empty(0), "got an empty sequence"),
    ],
    ids=repr,
)
def test_fields_are_distinct_finite_numbers(value, message):
    with pytest.raises(ValueError, match=f"field must be .*{message}"):
        Ising(Lattice((4, 4)), field=value)


@pytest.mark.parametrize("value", [[0.5, 0], (0.5, 0.0), np.array([0.5, 0.0], dtype=np.float32)])
def test_several_fields_are_a_tuple_of_floats(value):
    model = Ising(Lattice((4, 4)), field=value)
    assert model.field == (0.5, 0.0)
    assert model == Ising(Lattice((4, 4)), field=[0.5, 0.0])
    assert hash(model) == hash(Ising(Lattice((4, 4)), field=[0.5, 0.0]))
    assert [each.field for each in model.each_field] == [0.5, 0.0]
    for use in (
        model.one_field, model.local_fields, lambda: model.energy(np.ones((4, 4))),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"model must have one number as its field.*\[0\.5, 0"):
            use()
    one = Ising(Lattice((4, 4)), field=0.5)
    assert one.each_field == (one,)


def test_a_lattice_is_wanted():
    with pytest.raises(TypeError, match=r"lattice must be a Lattice; got \(4, 4\)"):
        Ising((4, 4))
