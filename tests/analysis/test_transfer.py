"""Transfer matrices against enumeration and against exact results of long strips."""

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import isingrl as irl
from analysis import exact
from tests.strategies import lattices

TEMPERATURES = [0.0, 0.05, 0.3, 2.0, 1e4, np.inf]


@st.composite
def models(draw):
    lattice = draw(lattices.filter(lambda each: each.n_sites <= 12))
    steps, field = len(lattice.forward_offsets), draw(st.sampled_from([0.0, 0.3, [0.0, -0.5]]))
    states = draw(st.sampled_from([None, None, 2, 3]))
    if states and states**lattice.n_sites > 1e5:
        reject()
    coupling = draw(
        st.sampled_from([1.0, -1.0, 0.0])
        | st.lists(st.sampled_from([1.0, -0.5, 0.0]), min_size=steps, max_size=steps)
    )
    if states:
        return irl.Potts(lattice, states, coupling, field)
    values = draw(st.sampled_from([None, (1.0, -1.0), (0.7, -0.2, 0.0)]))
    try:
        if values:
            coupling = irl.random_bonds(lattice, values, seed=draw(st.integers(0, 99)))
        model = irl.Ising(lattice, coupling, field)
        exact.enumeration(model, 1.0)
    except ValueError:  # too many couplings, or none
        reject()
    return model


@settings(max_examples=30, deadline=None)
@given(models())
def test_averages_are_those_of_enumeration(model):
    found, known = (
        function(model, TEMPERATURES) for function in (exact.transfer_matrix, exact.enumeration)
    )
    for name, values in found.items():
        assert values.dims == known[name].dims
        scale = 1 + np.abs(known[name].where(np.isfinite(known[name])).fillna(0.0))
        np.testing.assert_allclose(values / scale, known[name] / scale, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("coupling", [(1.0, 1.0), (1.8, 0.2)])
def test_long_strips_are_the_torus(coupling):
    model = irl.Ising(irl.Lattice((6, 50)), list(coupling))
    grid = [0.5, 2.0, 2.3, 5.0]
    found, known = exact.transfer_matrix(model, grid), exact.torus((6, 50), grid, coupling)
    for name in ("energy", "specific_heat"):
        np.testing.assert_allclose(found[name], known[name], rtol=1e-10, atol=1e-10)


def test_long_rings_of_potts_spins():
    grid = [0.0, 0.4, 1.0, np.inf]
    model = irl.Potts(irl.Lattice(300), 3, field=0.1)
    found, known = exact.transfer_matrix(model, grid), exact.ring(300, grid, 0.1, states=3)
    for name in found:
        np.testing.assert_allclose(found[name], known[name], rtol=1e-9, atol=1e-12)


def test_the_glass_is_tempered_to_it():
    lattice = irl.Lattice((8, 8))
    model = irl.Ising(lattice, irl.random_bonds(lattice, (1.0, -1.0), seed=1))
    grid = [0.3, 0.5, 0.8, 1.2, 1.8]
    data = irl.simulate(
        model, irl.Tempering(irl.Metropolis(), every=1), grid, sweeps=20_000, thermalization=2_000,
        interval=10, chains=12, seed=1,
    )  # fmt: skip
    known = exact.transfer_matrix(model, grid)
    for name, series in {
        "energy": data["energy"], "magnetization_squared": data["magnetization"] ** 2,
    }.items():  # fmt: skip
        means = series.mean("draw")
        error = means.std("chain", ddof=1) / np.sqrt(means.sizes["chain"])
        assert (abs((means.mean("chain") - known[name]) / error) < 6).all(), name  # t, 11 freedoms
    lowest = exact.transfer_matrix(model, 0.0)["energy"].item()
    assert data["energy"].min().item() == pytest.approx(lowest)


def test_what_does_not_fit_is_refused():
    with pytest.raises(
        ValueError, match=r"must be narrower, .* got 2\^33 on the lattice \(16, 16\)"
    ):
        exact.transfer_matrix(irl.Ising(irl.Lattice((16, 16))), 1.0)
    with pytest.raises(TypeError, match="model must be an Ising or a Potts model"):
        exact.transfer_matrix(irl.Lattice((4, 4)), 1.0)
    with pytest.raises(ValueError, match="temperature"):
        exact.transfer_matrix(irl.Ising(irl.Lattice((4, 4))), -1.0)
