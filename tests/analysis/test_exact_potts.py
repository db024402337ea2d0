"""Exact results of the Potts model, against plain sums over all configurations."""

import itertools
import math

import numpy as np
import pytest

from analysis import exact, literature
from analysis.exact._kernels import count_potts_states
from isingrl import HeatBath, Ising, Lattice, Potts, simulate

MODELS = [
    Potts(Lattice((2,)), 3),
    Potts(Lattice((5,)), 4, coupling=-0.7, field=0.3),
    Potts(Lattice((7,)), 3, coupling=-1.0),
    Potts(Lattice((5,), boundary="free"), 3, field=-0.4),
    Potts(Lattice((2, 3)), 3, coupling=[1.8, 0.2], field=0.1),
    Potts(Lattice((2, 4), boundary="free"), 3, coupling=[0.5, -1.0]),
    Potts(Lattice((3, 3)), 3),
    Potts(Lattice((3, 3), neighborhood="moore"), 2, coupling=-0.5, field=0.25),
    Potts(Lattice((2, 3), neighborhood="triangular"), 5, field=0.5),
    Potts(Lattice((2,)), 60, field=1.0),
]
TEMPERATURES = [0.3, 1.1, 4.0]
COLD_TO_HOT = [0.0, 1e-310, 1e-200, 0.02, 0.5, 1.0, 30.0, 1e6, math.inf]
# transition, lower and upper spinodal on the square lattice
WEISS = {
    3: (1.4427, 1.3333, 1.4569),
    4: (1.2137, 1.0, 1.2427),
    5: (1.0820, 0.8, 1.1222),
    10: (0.8091, 0.4, 0.8772),
}


def potts(states, field=0.0, coupling=1.0):
    return Potts(Lattice((4, 4)), states, coupling=coupling, field=field)


def configurations(model):
    """Energy, order parameter and shares of each, by the model's own methods."""
    spins = list(itertools.product(range(model.states), repeat=model.lattice.n_sites))
    spins = np.array(spins).reshape(-1, *model.lattice.shape)
    return model.energy(spins), model.order_parameter(spins), model.state_share(spins)


def naive_averages(e, m, share, n, temperature):
    """Averages over all configurations of n sites; at T = 0 over ground states."""
    above = n * (e - e.min())
    weights = (above < 1e-9) * 1.0 if temperature == 0 else np.exp(-above / temperature)
    weights = weights / weights.sum()

    def mean(x):
        return weights @ x

    found = {
        "energy": mean(e),
        "energy_squared": mean(e**2),
        "order_parameter": mean(m),
        "order_parameter_squared": mean(m**2),
        "order_parameter_fourth": mean(m**4),
        "state_share": mean(share),
        "binder_cumulant": 1 - mean(m**4) / (3 * mean(m**2) ** 2),
    }
    if temperature > 0:
        found["susceptibility"] = n * mean((m - mean(m)) ** 2) / temperature
        found["specific_heat"] = n * mean((e - mean(e)) ** 2) / temperature**2
    return found


class TestEnumeration:
    @pytest.mark.parametrize("model", MODELS, ids=str)
    def test_averages(self, model):
        temperatures = [0.0, *TEMPERATURES, math.inf]
        found = exact.enumeration(model, temperatures)
        assert found["state_share"].dims == ("temperature", "state")
        each, n = configurations(model), model.lattice.n_sites
        for index, temperature in enumerate(temperatures):
            expected = naive_averages(*each, n, temperature)
            assert set(expected) | {"susceptibility", "specific_heat"} == set(found)
            for name, value in expected.items():
                np.testing.assert_allclose(
                    found[name].values[index], value, rtol=1e-9, atol=1e-12, err_msg=name
                )

    def test_kernel(self):
        """All configurations one at a time, with two kinds of bonds and free boundaries."""
        lattice, weights, q = Lattice((2, 3), boundary="free"), np.array([1, 5, 5, 1]), 3
        found = count_potts_states(lattice.neighbors, weights, 40, q)
        expected = np.zeros_like(found)
        for states in itertools.product(range(q), repeat=6):
            twice = sum(
                weight
                for site in range(6)
                for weight, other in zip(weights, lattice.neighbors[site], strict=True)
                if other < 6 and states[site] == states[other]
            )
            # with all equal the kernel begins at the largest sum, here more than there is
            bonds = 40 - (4 * 1 + 3 * 5 if lattice.offsets[0][1] else 3 * 1 + 4 * 5) + twice // 2
            expected[bonds, states.count(0), max(map(states.count, range(q)))] += 1
        assert found.sum() == q**6
        np.testing.assert_array_equal(found, expected)

    @pytest.mark.parametrize("coupling", [1.0, -0.6, [1.8, 0.2]])
    @pytest.mark.parametrize("field", [0.0, 0.4, -0.9])
    @pytest.mark.parametrize("boundary", ["periodic", "free"])
    def test_two_states_are_ising(self, coupling, field, boundary):
        """At half the coupling and half the field, but for a constant."""
        lattice = Lattice((3, 4), boundary=boundary)
        half = np.multiply(coupling, 0.5).tolist()
        model = Potts(lattice, 2, coupling=coupling, field=field)
        one = exact.enumeration(model, COLD_TO_HOT)
        two = exact.enumeration(Ising(lattice, half, field / 2), COLD_TO_HOT)
        ordered = np.zeros(lattice.shape, int)
        shift = model.energy(ordered) - Ising(lattice, half, field / 2).energy(ordered + 1)
        np.testing.assert_allclose(one["energy"], two["energy"] + shift, rtol=1e-12, atol=1e-13)
        same = {
            "order_parameter": two["abs_magnetization"],
            "order_parameter_squared": two["magnetization_squared"],
            "specific_heat": two["specific_heat"],
            "binder_cumulant": two["binder_cumulant"],
        } | ({} if field else {"susceptibility": two["susceptibility"]})
        for name, expected in same.items():
            np.testing.assert_allclose(one[name], expected, rtol=1e-9, atol=1e-12, err_msg=name)
        share = (1 + two["magnetization"]) / 2
        np.testing.assert_allclose(one["state_share"].sel(state=0), share, atol=1e-14)

    def test_several_fields(self):
        fields, lattice = [0.0, 0.5, -0.2], Lattice((2, 3))
        found = exact.enumeration(Potts(lattice, 3, field=fields), TEMPERATURES)
        assert found["state_share"].dims == ("temperature", "field", "state")
        assert found["state"].values.tolist() == [0, 1, 2]
        for index, field in enumerate(fields):
            single = exact.enumeration(Potts(lattice, 3, field=field), TEMPERATURES)
            assert found.isel(field=index).identical(single)

    def test_names_labels_and_places_of_measured_ones(self):
        model = Potts(Lattice((3, 3)), 3, field=0.2)
        measured = simulate(model, HeatBath(), TEMPERATURES, sweeps=1, seed=0)
        found = exact.enumeration(model, TEMPERATURES)
        for name in measured:
            assert found[name].attrs == measured[name].attrs
        for name in found.coords:
            assert found[name].variable.identical(measured[name].variable)

    def test_what_it_cannot_do(self):
        with pytest.raises(ValueError, match=r"at most 2\^30 config.* got 3\^20 with shape \(4, 5"):
            exact.enumeration(Potts(Lattice((4, 5)), 3), 1.0)


class TestRing:
    @pytest.mark.parametrize("n", [2, 3, 4, 7])
    @pytest.mark.parametrize("states", [2, 3, 4])
    def test_enumeration(self, n, states):
        fields = [0.0, 0.3, -0.1, -5.0]
        found = exact.ring(n, COLD_TO_HOT, fields, states=states)
        known = exact.enumeration(Potts(Lattice((n,)), states, field=fields), COLD_TO_HOT)
        assert set(found.coords) == set(known.coords)
        for name in found:
            np.testing.assert_allclose(found[name], known[name], rtol=1e-9, atol=1e-12)
            assert found[name].dims == known[name].dims
            assert found[name].attrs == known[name].attrs

    @pytest.mark.parametrize("states", [3, 10, 255])
    def test_eigenvalues(self, states):
        """Without a field e^K + q − 1 once and e^K − 1 for all others."""
        n, t = 50, np.array([0.2, 0.5, 2.0])

        def log_partition(beta):
            k = np.exp(beta)
            return np.log((k + states - 1) ** n + (states - 1) * (k - 1) ** n)

        found, step = exact.ring(n, t, states=states), 1e-5
        slope = (log_partition(1 / t + step) - log_partition(1 / t - step)) / (2 * step)
        np.testing.assert_allclose(found["energy"], -slope / n, rtol=1e-7)
        np.testing.assert_allclose(found["state_share"], 1 / states, rtol=1e-12)

    @pytest.mark.parametrize("n", [101, 1000])
    def test_two_states_are_ising(self, n):
        t = [0.0, 0.05, 0.2, 1.0, math.inf]
        found, known = exact.ring(n, t, 0.2, states=2), exact.ring(n, np.multiply(t, 2), 0.2)
        np.testing.assert_allclose(found["energy"], known["energy"] / 2 - 0.6, rtol=1e-9)
        # the specific heat of many binomials has a rounding error
        np.testing.assert_allclose(found["specific_heat"], known["specific_heat"], rtol=1e-7)
        share = (1 + known["magnetization"]) / 2
        np.testing.assert_allclose(found["state_share"].sel(state=0), share, rtol=1e-9)

    def test_a_small_field_chooses_the_ground_state(self):
        found = exact.ring(1000, [0.0, 1e-16], [1e-9, -1e-9, 0.0], states=4)["state_share"]
        first = np.broadcast_to([1.0, 0.0, 0.25], (2, 3))
        np.testing.assert_allclose(found.sel(state=0), first, atol=1e-12)

    def test_bad_input(self):
        with pytest.raises(ValueError, match="states must be an integer of at least 2; got 1"):
            exact.ring(5, 1.0, states=1)
        with pytest.raises(TypeError, match="states must be an integer"):
            exact.ring(5, 1.0, states="3")


class TestSquareLattice:
    @pytest.mark.parametrize(
        ("states", "latent"), [(2, 0), (4, 0), (5, 0.05292), (10, 0.69605)], ids=str
    )
    def test_reference_numbers(self, states, latent):
        found = exact.potts_square(states)
        assert found["latent_heat"].item() == pytest.approx(latent, abs=5e-6)
        assert found["energy"].item() == -1 - 1 / math.sqrt(states)
        ordered, disordered = found["energy_ordered"].item(), found["energy_disordered"].item()
        assert disordered - ordered == pytest.approx(latent, abs=5e-6)
        assert (ordered + disordered) / 2 == pytest.approx(found["energy"].item())
        assert found["energy_ordered"].attrs["units"] == "J"

    def test_energies_of_ten_states(self):
        found = exact.potts_square(10)
        assert found["energy_ordered"].item() == pytest.approx(-1.66425, abs=5e-6)
        assert found["energy_disordered"].item() == pytest.approx(-0.96820, abs=5e-6)

    def test_two_states_are_onsagers(self):
        found, known = exact.potts_square(2), exact.square_lattice(exact.CRITICAL_TEMPERATURE)
        assert found["temperature"].item() == pytest.approx(exact.CRITICAL_TEMPERATURE / 2)
        assert found["energy"].item() == pytest.approx(known["energy"].item() / 2 - 1)

    def test_many_states_melt_at_once(self):
        """For large q the phases are order, with all bonds, and disorder, with hardly any."""
        found = exact.potts_square(10**8)
        assert found["energy_ordered"].item() == pytest.approx(-2, abs=1e-3)
        assert found["energy_disordered"].item() == pytest.approx(0, abs=1e-3)

    def test_bad_input(self):
        with pytest.raises(ValueError, match="states must be an integer of at least 2; got 1"):
            exact.potts_square(1)


class TestLiterature:
    def test_critical_temperatures(self):
        known = literature.critical_temperature
        assert known(2, "von_neumann", 5) == 1 / math.log(1 + math.sqrt(5))
        assert known(3, "von_neumann", 3) == pytest.approx(1.81632, abs=5e-6)
        for kind in [(2, "triangular"), (3, "von_neumann")]:
            assert known(*kind, states=2) == known(*kind) / 2
        assert known(2, "moore", 3) is known(3, "von_neumann", 4) is known(1, "moore", 2) is None
        with pytest.raises(ValueError, match="states must be an integer of at least 2; got 0"):
            known(2, "von_neumann", 0)

    def test_exponents(self):
        for q, nu, beta in [(2, 1, 1 / 8), (3, 5 / 6, 1 / 9), (4, 2 / 3, 1 / 12)]:
            found = literature.critical_exponents(2, q)
            assert found["nu"] == nu
            assert found["beta_over_nu"] == pytest.approx(beta / nu)
            assert found["gamma_over_nu"] == pytest.approx(2 - 2 * beta / nu)  # hyperscaling
        assert literature.critical_exponents(3, 2) == literature.critical_exponents(3)
        for ndim, states, allowed in [(2, 5, "2, 3 or 4"), (3, 3, "2")]:
            with pytest.raises(ValueError, match=f"states must be {allowed} in .* got {states}"):
                literature.critical_exponents(ndim, states)


class TestWeiss:
    @pytest.mark.parametrize("states", WEISS)
    def test_transition_and_spinodals(self, states):
        attrs = exact.weiss(potts(states), 1.0).attrs
        names = ("critical_temperature", "lower_spinodal", "upper_spinodal")
        assert [attrs[name] for name in names] == pytest.approx(WEISS[states], abs=6e-5)
        x = np.linspace(1e-6, 1 - 1e-9, 10**6)
        highest = (4 * x / np.log((1 + (states - 1) * x) / (1 - x))).max()
        assert attrs["upper_spinodal"] == pytest.approx(highest, rel=1e-10)
        below, above = exact.weiss(
            potts(states), attrs["critical_temperature"] * np.array([1 - 1e-9, 1 + 1e-9])
        )["order_parameter"].values
        assert above == 0
        assert below == pytest.approx(attrs["order_parameter_jump"], abs=1e-6)
        assert attrs["order_parameter_jump"] == (states - 2) / (states - 1)
        # both are stable only between the spinodals
        ends = np.array([attrs[names[1]], attrs[names[2]]])[:, None] * [1 - 1e-6, 1 + 1e-6]
        found = exact.weiss(potts(states), ends.ravel())
        two = found["order_parameter_ordered"] > found["order_parameter_disordered"]
        assert two.values.tolist() == [False, True, True, False]

    @pytest.mark.parametrize("states", [2, 3, 5, 10])
    @pytest.mark.parametrize("field", [0.0, 1e-3, 0.05, 1.0])
    def test_both_phases_are_where_iteration_ends(self, states, field):
        """s_a ∝ exp[(J z s_a + h δ)/T] of all states, from full order and from hardly any."""
        t = np.linspace(0.05, 3.0, 121)
        t = t[abs(t - 4 / states) > 0.03]  # where it hardly moves
        found = exact.weiss(potts(states, field), t)
        first = np.eye(states)[0]
        for name, start in [("ordered", 1.0), ("disordered", 1e-5)]:
            share = np.tile(start * first + (1 - start) / states, (t.size, 1))
            for _ in range(3000):
                exponent = (4 * share + field * first) / t[:, None]
                weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
                share = weight / weight.sum(axis=1, keepdims=True)
            x = (states * share[:, 0] - 1) / (states - 1)
            energy = -2 * (share**2).sum(axis=1) - field * share[:, 0]
            np.testing.assert_allclose(found[f"order_parameter_{name}"], x, atol=1e-6)
            np.testing.assert_allclose(found[f"energy_{name}"], energy, atol=2e-6)

    @pytest.mark.parametrize("states", [2, 3, 4, 10])
    @pytest.mark.parametrize("field", [0.0, 0.01, 0.3])
    def test_equilibrium_is_the_global_minimum(self, states, field):
        """Of the free energy at any x, on a fine grid."""
        x = np.linspace(0, 1, 20001)[:-1]
        share = np.stack([(1 + (states - 1) * x) / states, (1 - x) / states])
        number = np.array([1, states - 1])[:, None]
        energy = -2 * (number * share**2).sum(axis=0) - field * share[0]
        t = np.linspace(0.1, 2.5, 49)
        free = energy + t[:, None] * (number * share * np.log(share)).sum(axis=0)
        found = exact.weiss(potts(states, field), t)
        np.testing.assert_allclose(found["order_parameter"], x[free.argmin(axis=1)], atol=2e-3)

    @pytest.mark.parametrize("field", [0.0, 0.3])
    def test_two_states_are_ising(self, field):
        t = np.array([0.0, 1e-310, 1e-200, 0.1, 1.0, 1.9, 2.0, 2.1, 50.0, math.inf])
        found = exact.weiss(potts(2, field), t)
        known = exact.weiss(Ising(Lattice((4, 4)), 0.5, field / 2), t)
        for name in ("", "_ordered", "_disordered"):
            order = found[f"order_parameter{name}"]
            np.testing.assert_allclose(order, known["magnetization"], rtol=1e-12, atol=1e-15)
            energy = known["energy"] - 1 - field / 2
            np.testing.assert_allclose(found[f"energy{name}"], energy, rtol=1e-12)
        assert found.attrs["critical_temperature"] == known.attrs["critical_temperature"]

    @pytest.mark.parametrize("states", [2, 3, 255])
    def test_limits(self, states):
        found = exact.weiss(potts(states), [0.0, 1e-310, math.inf])
        for name in ("", "_ordered", "_disordered"):
            assert found[f"order_parameter{name}"].values.tolist() == [1, 1, 0]
        np.testing.assert_allclose(found["energy"], [-2, -2, -2 / states], rtol=1e-14)
        free = exact.weiss(potts(states, 0.3, coupling=0.0), [0.0, 0.7, math.inf])
        weight = math.exp(0.3 / 0.7)
        expected = [1, (weight - 1) / (weight + states - 1), 0]
        np.testing.assert_allclose(free["order_parameter"], expected, rtol=1e-14)
        none = exact.weiss(potts(states, coupling=0.0), [0.0, 1.0])
        assert none["order_parameter"].values.tolist() == [0, 0]

    def test_labels_fields_and_couplings(self):
        model = potts(3, [0.0, 0.1], coupling=[1.5, 0.5])
        found = exact.weiss(model, TEMPERATURES)
        assert found["state_share"].dims == ("temperature", "field", "state")
        np.testing.assert_allclose(found["state_share"].sum("state"), 1, rtol=1e-14)
        x = 1.5 * found["state_share"].sel(state=0, drop=True) - 0.5
        np.testing.assert_allclose(found["order_parameter"], x, atol=1e-14)
        assert found["states"] == 3
        assert all({"long_name", "units"} <= set(found[name].attrs) for name in found)
        for index, field in enumerate([0.0, 0.1]):
            single = exact.weiss(potts(3, field, coupling=1.0), TEMPERATURES)
            np.testing.assert_array_equal(found["energy"].isel(field=index), single["energy"])

    def test_what_it_cannot_do(self):
        with pytest.raises(ValueError, match=r"fields of at least 0, as a Potts; got -0\.1"):
            exact.weiss(potts(3, -0.1), 1.0)
        with pytest.raises(ValueError, match="coupling of at least 0; got -1"):
            exact.weiss(potts(3, coupling=-1.0), 1.0)
