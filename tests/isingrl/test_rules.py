"""Tables of the rules against their formulas, their limits, and detailed balance."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isingrl import HeatBath, Ising, Lattice, Metropolis, Rule
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS

MODELS = [
    pytest.param(
        Ising(Lattice((4,) * ndim, neighborhood, boundary), coupling, field),
        id=f"{ndim}D-{neighborhood}-{boundary}-J{coupling:g}-h{field:g}",
    )
    for ndim in (1, 2, 3)
    for neighborhood in NEIGHBORHOODS
    for boundary in BOUNDARIES
    for coupling in (1.0, -0.7)
    for field in (0.0, 0.4)
]
every_model = pytest.mark.parametrize("model", MODELS)
TEMPERATURES = np.array([0.05, 0.8, 2.5, 30.0])


def entries(model, table):
    """Temperature index, own spin, sum of neighbour spins and P(up) of every entry."""
    for t, own, index in np.ndindex(table.shape):
        total = 2 * model.lattice.n_up[index] - model.lattice.coordination_number
        yield t, 2 * own - 1, total, table[t, own, index]


def shape_of(model, temperatures):
    return len(temperatures), 2, len(model.lattice.n_up)


@every_model
def test_heat_bath_is_the_boltzmann_distribution_of_one_spin(model):
    table = HeatBath().table(model, TEMPERATURES)
    assert table.shape == shape_of(model, TEMPERATURES)
    for t, _, total, up in entries(model, table):
        reduced = (model.coupling * total + model.field) / TEMPERATURES[t]
        weight_up, weight_down = math.exp(reduced), math.exp(-reduced)
        assert up == pytest.approx(weight_up / (weight_up + weight_down), rel=1e-12)


@every_model
def test_metropolis_accepts_by_the_cost_of_a_flip(model):
    table = Metropolis().table(model, TEMPERATURES)
    assert table.shape == shape_of(model, TEMPERATURES)
    for t, own, total, up in entries(model, table):
        cost = 2 * own * (model.coupling * total + model.field)
        accept = min(1.0, math.exp(min(0.0, -cost / TEMPERATURES[t])))
        flip = up if own == -1 else 1 - up
        assert flip == pytest.approx(accept, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("rule", [Metropolis(), HeatBath()], ids=lambda rule: rule.name)
@every_model
def test_detailed_balance(model, rule):
    table = rule.table(model, TEMPERATURES)
    for t, temperature in enumerate(TEMPERATURES):
        # Weights of a spin up and down among its neighbours, the larger one set to 1.
        reduced = model.local_fields() / temperature
        up = np.exp(reduced - abs(reduced))
        down = np.exp(-reduced - abs(reduced))
        to_up, to_down = down * table[t, 0], up * (1 - table[t, 1])
        np.testing.assert_allclose(to_up, to_down, rtol=1e-9, atol=1e-15)


@given(st.floats(0, 1e6), st.floats(-5, 5), st.floats(-5, 5), st.sampled_from(NEIGHBORHOODS))
def test_tables_are_probabilities(temperature, coupling, field, neighborhood):
    model = Ising(Lattice((3, 4), neighborhood), coupling, field)
    for rule in (Metropolis(), HeatBath()):
        table = rule.table(model, np.array([temperature, math.inf, 0.0]))
        assert ((table >= 0) & (table <= 1)).all()


@every_model
def test_zero_temperature_is_exact(model):
    metropolis = Metropolis().table(model, np.zeros(1))
    for _, own, total, up in entries(model, metropolis):
        cost = own * (model.coupling * total + model.field)
        after = -own if cost <= 0 else own  # moves that cost nothing are always made
        assert up == (after + 1) / 2
    heat_bath = HeatBath().table(model, np.zeros(1))
    for _, _, total, up in entries(model, heat_bath):
        gain = model.coupling * total + model.field
        assert up == (0.5 if gain == 0 else float(gain > 0))


@every_model
def test_infinite_temperature_is_exact(model):
    temperature = np.array([math.inf])
    assert (HeatBath().table(model, temperature) == 0.5).all()
    metropolis = Metropolis().table(model, temperature)
    assert (metropolis[:, 0] == 1).all()
    assert (metropolis[:, 1] == 0).all()


@pytest.mark.parametrize("rule", [Metropolis(), HeatBath()], ids=lambda rule: rule.name)
def test_tables_are_continuous_towards_the_limits(rule):
    model = Ising(Lattice((4, 4)), 1.0, 0.3)  # no local field vanishes
    cold = rule.table(model, np.array([0.0, 1e-300, 1e-3]))
    np.testing.assert_allclose(cold[1:], cold[:1].repeat(2, axis=0), atol=1e-15)
    hot = rule.table(model, np.array([math.inf, 1e300]))
    np.testing.assert_allclose(hot[1], hot[0], atol=1e-15)


@pytest.mark.parametrize("rule", [Metropolis(), HeatBath()], ids=lambda rule: rule.name)
def test_negative_coupling_turns_the_neighbors_round(rule):
    lattice = Lattice((4, 4), "moore")
    ferro = rule.table(Ising(lattice, 1.3), TEMPERATURES)
    antiferro = rule.table(Ising(lattice, -1.3), TEMPERATURES)
    np.testing.assert_allclose(antiferro, ferro[:, :, ::-1], rtol=1e-12)
    assert not np.allclose(antiferro, rule.table(Ising(lattice, 1.3), np.array([math.inf])))


@pytest.mark.parametrize("rule", [Metropolis(), HeatBath()], ids=lambda rule: rule.name)
def test_without_coupling_a_spin_follows_the_field_alone(rule):
    table = rule.table(Ising(Lattice((4, 4)), 0.0, 0.5), np.array([1.0]))
    assert (table == table[..., :1]).all()


def test_names_and_temperatures():
    model = Ising(Lattice((4, 4)))
    assert (Metropolis().name, HeatBath().name) == ("metropolis", "heat-bath")
    assert HeatBath().describe() == {"rule": "heat-bath"}
    assert HeatBath().softmax_temperature(model, TEMPERATURES) is None
    np.testing.assert_array_equal(Metropolis().temperatures(model, 2), [2.0])
    np.testing.assert_array_equal(Metropolis().temperatures(model, (3, 1)), [3.0, 1.0])


def test_a_rule_needs_a_table_and_a_name():
    with pytest.raises(TypeError, match="abstract"):
        Rule()
