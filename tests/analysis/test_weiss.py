"""Mean-field theory against its own equation, its expansions and its limits."""

import math

import matplotlib
import numpy as np
import pytest

from analysis import exact, plots
from isingrl import Ising, Lattice

matplotlib.use("Agg")
from matplotlib import pyplot as plt

SQUARE = Lattice((4, 4))
LATTICES = [Lattice(6), SQUARE, Lattice((4, 6), "moore"), Lattice((4, 4, 4))]


def solve(model, temperature):
    result = exact.weiss(model, temperature)
    return result["magnetization"].values


@pytest.mark.parametrize(
    "lattice", LATTICES, ids=lambda lattice: f"z={lattice.coordination_number}"
)
@pytest.mark.parametrize(("coupling", "field"), [(1.0, 0.0), (0.7, 0.3), (1.0, -2.0), (0.0, 0.5)])
def test_stable_solutions(lattice, coupling, field):
    model = Ising(lattice, coupling, field)
    critical = coupling * lattice.coordination_number
    t = np.linspace(0.05, 1.5 * critical + 1, 301)
    m = solve(model, t)
    np.testing.assert_allclose(m, np.tanh((critical * m + field) / t), rtol=0, atol=1e-12)
    assert (m * field >= 0).all()
    # a perturbation dies out, and there is nothing larger: iteration from m = 1 comes down to it
    assert ((1 - m**2) * critical < t).all()
    far = abs(t - critical) > 0.05
    iterated = np.full(t.shape, math.copysign(1.0, field))
    for _ in range(4000):
        iterated = np.tanh((critical * iterated + field) / t)
    np.testing.assert_allclose(m[far], iterated[far], rtol=0, atol=1e-12)


def test_reference_numbers():
    m = solve(Ising(SQUARE), [2.0, 2.5, 3.0, 3.5])
    np.testing.assert_allclose(m, [0.9575, 0.8906, 0.7755, 0.5811], rtol=0, atol=5e-5)


@pytest.mark.parametrize("below", [2.0**-10, 2.0**-20, 2.0**-35, 2.0**-50])
def test_digits_just_below_the_transition(below):
    """With δ = 1 − T/T_c: T/T_c = m / artanh m = 1 − m²/3 − 4m⁴/45 − 44 m⁶/945 − 0.03 m⁸ …"""
    m = solve(Ising(SQUARE), 4 * (1 - below))[0]
    third = m**2 / 3 + 4 * m**4 / 45 + 44 * m**6 / 945
    assert third == pytest.approx(below, rel=1e-14 + 3 * below**3, abs=0)


@pytest.mark.parametrize("field", [1e-9, 1e-15, 1e-100])
def test_critical_isotherm(field):
    """At T_c, u − tanh u = h/T_c: u³ (1 − 2u²/5)/3."""
    m = solve(Ising(SQUARE, 1.0, field), 4.0)[0]
    expected = (3 * field / 4) ** (1 / 3)
    assert m == pytest.approx(expected, rel=1e-14 + expected**2, abs=0)


def test_limits():
    free = solve(Ising(SQUARE), [0.0, 1e-300, 4.0, 4.5, math.inf])
    assert free.tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert solve(Ising(SQUARE, 1.0, -0.1), [0.0, math.inf]).tolist() == [-1.0, 0.0]
    assert solve(Ising(SQUARE, 0.0), [0.0, 1.0]).tolist() == [0.0, 0.0]
    np.testing.assert_allclose(
        solve(Ising(SQUARE, 0.0, 0.3), 0.7), math.tanh(0.3 / 0.7), rtol=1e-15
    )


def test_energy_and_labels():
    model = Ising(Lattice((4, 4, 4)), 0.5, -0.25)
    result = exact.weiss(model, [0.0, 2.0, math.inf])
    ground = model.energy(-np.ones((4, 4, 4)))
    assert result["energy"].values[0] == ground == -0.5 * 3 - 0.25
    m = result["magnetization"].values
    np.testing.assert_array_equal(result["abs_magnetization"], -m)
    np.testing.assert_allclose(result["energy"], -1.5 * m**2 + 0.25 * m, rtol=1e-15)
    assert not np.signbit(result["energy"].values[2])
    assert result["energy"].attrs["units"] == "J"
    assert result.attrs["critical_temperature"] == 3.0
    assert "shape" not in result.attrs


def test_its_line_is_told_from_exact_ones():
    _, ax = plt.subplots()
    plots.exact_curve(exact.weiss(Ising(SQUARE), [1.0, 2.0]), "abs_magnetization", ax)
    plots.exact_curve(exact.square_lattice([1.0, 2.0]), "abs_magnetization", ax)
    theory, infinite = ax.lines
    assert (theory.get_linestyle(), theory.get_label()) == ("-.", "Weiss mean field")
    assert infinite.get_label() == "exact, infinite"
    plt.close("all")


def test_what_it_cannot_do():
    with pytest.raises(TypeError, match="model must be an Ising or a Potts model; got"):
        exact.weiss(SQUARE, 1.0)
    with pytest.raises(ValueError, match="coupling of at least 0; got -1"):
        exact.weiss(Ising(SQUARE, -1.0), 1.0)
    with pytest.raises(ValueError, match="boundary 'periodic'; got 'free'"):
        exact.weiss(Ising(Lattice((4, 4), boundary="free")), 1.0)
    with pytest.raises(ValueError, match="temperature must be a non-negative number"):
        exact.weiss(Ising(SQUARE), -1.0)
