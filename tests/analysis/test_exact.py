from __future__ import annotations

import itertools
import os
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from analysis import exact
from analysis.exact._kernels import count_states
from isingrl import random_bonds
from isingrl.lattice import Lattice
from isingrl.model import Ising

FloatArray = npt.NDArray[np.float64]
T_C = 2 / np.log(1 + np.sqrt(2))
LATTICES = [
    Lattice((2,)),
    Lattice((7,)),
    Lattice((6,), boundary="free"),
    Lattice((2, 2), neighborhood="moore"),
    Lattice((3, 4)),
    Lattice((2, 5), boundary="free"),
    Lattice((3, 4), neighborhood="moore"),
    Lattice((3, 3), neighborhood="moore", boundary="free"),
    Lattice((2, 2, 3)),
    Lattice((2, 2, 2), neighborhood="moore", boundary="free"),
]


def naive_counts(lattice: Lattice) -> Counter[tuple[int, int]]:
    """Bond and spin sums of every configuration, one at a time."""
    counts: Counter[tuple[int, int]] = Counter()
    pairs = [
        (site, int(neighbor))
        for site in range(lattice.n_sites)
        for neighbor in lattice.neighbors[site]
        if neighbor < lattice.n_sites
    ]
    for spins in itertools.product((-1, 1), repeat=lattice.n_sites):
        twice = sum(spins[i] * spins[j] for i, j in pairs)  # every bond from both of its ends
        counts[twice // 2, sum(spins)] += 1
    return counts


def naive_averages(model: Ising, temperature: float) -> dict[str, float]:
    """Boltzmann averages over every configuration, by the model's own energy."""
    shape = (-1, *model.lattice.shape)
    spins = np.array(list(itertools.product((-1, 1), repeat=model.lattice.n_sites))).reshape(shape)
    n_sites = model.lattice.n_sites
    e, m = model.energy(spins), model.magnetization(spins)
    weights = np.exp(-n_sites * (e - e.min()) / temperature)
    weights /= weights.sum()

    def mean(x: FloatArray) -> float:
        return float(weights @ x)

    order, disordered = (m, np.nan) if model.field else (abs(m), n_sites * mean(m**2) / temperature)
    return {
        "energy": mean(e),
        "energy_squared": mean(e**2),
        "specific_heat": n_sites * (mean(e**2) - mean(e) ** 2) / temperature**2,
        "magnetization": mean(m),
        "abs_magnetization": mean(abs(m)),
        "magnetization_squared": mean(m**2),
        "magnetization_fourth": mean(m**4),
        "susceptibility": n_sites * (mean(order**2) - mean(order) ** 2) / temperature,
        "susceptibility_disordered": disordered,
        "binder_cumulant": 1 - mean(m**4) / (3 * mean(m**2) ** 2),
    }


def values(result: xr.Dataset, *names: str) -> list[float]:
    return [result[name].values.item() for name in names]


class TestSquareLattice:
    def test_critical_temperature(self) -> None:
        assert pytest.approx(2.269185314213022, abs=1e-15) == exact.CRITICAL_TEMPERATURE

    @pytest.mark.parametrize(
        ("temperature", "energy", "specific_heat", "magnetization"),
        [
            (1.5, -1.9511165731, 0.1972745402, 0.98649960262),
            (2.0, -1.7455645753, 0.7248714486, 0.91131937788),
            (2.25, -1.4631027326, 2.053077025, 0.67185402668),
            (2.5, -1.1060792037, 0.8616983568, 0.0),
        ],
    )
    def test_reference_numbers(
        self, temperature: float, energy: float, specific_heat: float, magnetization: float
    ) -> None:
        found = exact.square_lattice(temperature)
        expected = [energy, specific_heat, magnetization]
        names = ("energy", "specific_heat", "abs_magnetization")
        assert values(found, *names) == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("temperature", [0.7, 1.9, 2.4, 6.0, 50.0])
    def test_energy_is_the_derivative_of_onsagers_integral(self, temperature: float) -> None:
        # e = −∂(ln Z/N)/∂K of ln(2 cosh²2K)/2 + (1/π) ∫ ln(1 + √(1 − κ² sin²φ)) dφ over [0, π/2]
        k = 1 / temperature
        kappa = 2 * np.sinh(2 * k) / np.cosh(2 * k) ** 2
        slope = kappa * (2 / np.tanh(2 * k) - 4 * np.tanh(2 * k))

        def integrand(phi: float) -> float:
            root = np.sqrt(1 - (kappa * np.sin(phi)) ** 2)
            return float(-kappa * np.sin(phi) ** 2 / (root * (1 + root)) * slope)

        integral = quad(integrand, 0, np.pi / 2, epsabs=1e-13)[0]
        expected = -(2 * np.tanh(2 * k) + integral / np.pi)
        assert values(exact.square_lattice(temperature), "energy") == pytest.approx([expected])

    def test_limits(self) -> None:
        found = exact.square_lattice([0.0, 1e-3, T_C, 1e12, np.inf])
        np.testing.assert_allclose(found["energy"], [-2, -2, -np.sqrt(2), -2e-12, 0], atol=1e-15)
        np.testing.assert_allclose(found["specific_heat"], [0, 0, np.inf, 2e-24, 0], atol=1e-30)
        np.testing.assert_array_equal(found["abs_magnetization"], [1, 1, 0, 0, 0])

    def test_nothing_jumps_where_the_series_takes_over(self) -> None:
        found = exact.square_lattice([1000 * (1 - 1e-9), 1000 * (1 + 1e-9)])
        for name in ("energy", "specific_heat"):
            assert found[name].values[0] == pytest.approx(found[name].values[1], rel=1e-8)


class TestTwoCouplings:
    """The square lattice with another coupling along each direction."""

    @staticmethod
    def log_partition(beta: float, one: float, other: float) -> float:
        """ln Z / N by sums over both wave numbers of an n × n lattice of even points."""
        waves = 2 * np.pi * (np.arange(400) + 0.5) / 400
        (c1, c2), (s1, s2) = (
            each(2 * beta * np.array([one, other])) for each in (np.cosh, np.sinh)
        )
        waved = s1 * np.cos(waves)[:, None] + s2 * np.cos(waves)
        return float(np.log(2) + np.log(c1 * c2 - waved).mean() / 2)

    @pytest.mark.parametrize(("one", "other"), [(1.8, 0.2), (1.5, 0.5), (0.3, 2.0)])
    @pytest.mark.parametrize("temperature", [0.9, 1.4, 2.6, 6.0])
    def test_derivatives_of_the_free_energy(
        self, temperature: float, one: float, other: float
    ) -> None:
        found = exact.square_lattice(temperature, (one, other))
        beta, step = 1 / temperature, 1e-4
        below, middle, above = (
            self.log_partition(beta + sign * step, one, other) for sign in (-1, 0, 1)
        )
        energy, specific_heat = values(found, "energy", "specific_heat")
        assert energy == pytest.approx(-(above - below) / (2 * step), rel=1e-6)
        curvature = (above - 2 * middle + below) / step**2
        assert specific_heat == pytest.approx(beta**2 * curvature, rel=2e-5, abs=1e-6)

    def test_critical_temperatures(self) -> None:
        # sinh(2 J1/T) sinh(2 J2/T) = 1
        for pair in ((1.5, 0.5), (1.8, 0.2), (0.2, 1.8), (1.0, 1.0), (3.0, 3.0), (1e6, 1.0)):
            critical = exact.square_lattice(1.0, pair).critical_temperature
            assert np.prod(np.sinh(2 * np.array(pair) / critical)) == pytest.approx(1, rel=1e-12)

    def test_equal_couplings_are_one_model(self) -> None:
        t = np.array([0.5, 1.0, 2.0, 2.3, 4.0, np.inf])
        single, double = exact.square_lattice(t), exact.square_lattice(2 * t, 2.0)
        np.testing.assert_allclose(double["energy"], 2 * single["energy"])
        for name in ("specific_heat", "abs_magnetization"):
            np.testing.assert_allclose(double[name], single[name])
        near = exact.square_lattice(t, (1.0, 1.0 + 1e-9))
        for name in ("energy", "specific_heat", "abs_magnetization"):
            np.testing.assert_allclose(near[name], single[name], atol=1e-7)

    def test_order_ends_at_the_critical_temperature(self) -> None:
        critical = exact.square_lattice(1.0, (1.6, 0.4)).critical_temperature
        t = critical * np.array([0.0, 0.5, 1 - 1e-12, 1 + 1e-12, 2.0])
        order = exact.square_lattice(t, (1.6, 0.4))["abs_magnetization"].values
        assert order[0] == 1
        assert (np.diff(order) <= 0).all()
        assert order[2] < 0.05
        assert (order[3:] == 0).all()
        s1, s2 = np.sinh(3.2 / t[1]), np.sinh(0.8 / t[1])
        assert order[1] == pytest.approx((1 - (s1 * s2) ** -2) ** 0.125)

    @pytest.mark.parametrize("coupling", [0.0, -1.0, (1.0, 0.0), (1.0, 2.0, 3.0), "1", (1.0, "2")])
    def test_other_couplings_are_refused(self, coupling: Any) -> None:
        with pytest.raises((TypeError, ValueError), match="coupling must"):
            exact.square_lattice(2.0, coupling)
        with pytest.raises((TypeError, ValueError), match="coupling must"):
            exact.torus((4, 4), 2.0, coupling)

    @pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (2, 4)])
    @pytest.mark.parametrize("pair", [(1.8, 0.2), (0.5, 1.5), (2.0, 2.0)])
    def test_a_torus_is_enumerated(self, shape: tuple[int, int], pair: tuple[float, float]) -> None:
        t = [0.0, 0.3, 1.2, 2.0, 5.0, 1e8, np.inf]
        found = exact.torus(shape, t, pair)
        known = exact.enumeration(Ising(Lattice(shape), pair), t)
        for name in ("energy", "specific_heat"):
            np.testing.assert_allclose(found[name], known[name], rtol=1e-9, atol=1e-12)

    @pytest.mark.parametrize("shape", [(4, 4), (3, 5)])
    @pytest.mark.parametrize("pair", [(200.0, 1.0), (1.0, 200.0)])
    def test_bonds_of_one_direction_freeze_before_the_others(
        self, shape: tuple[int, int], pair: tuple[float, float]
    ) -> None:
        t = [0.5, 2.0, 4.0, 10.0, 60.0, 1000.0]
        found = exact.torus(shape, t, pair)
        known = exact.enumeration(Ising(Lattice(shape), pair), t)
        np.testing.assert_allclose(found["energy"], known["energy"], rtol=1e-12)
        # rounding is that of numbers as large as (J/T)²
        rounding = 1e-14 * (200 / known["temperature"]) ** 2
        error = abs(found["specific_heat"] - known["specific_heat"])
        assert (error <= rounding + 1e-9 * known["specific_heat"]).all()

    def test_a_large_torus_is_the_infinite_lattice(self) -> None:
        t = [1.2, 1.5, 3.5]  # transition at 2.078
        found, known = exact.torus((96, 64), t, (1.5, 0.5)), exact.square_lattice(t, (1.5, 0.5))
        for name in ("energy", "specific_heat"):
            np.testing.assert_allclose(found[name], known[name], rtol=1e-7)


class TestTorus:
    @pytest.mark.parametrize(
        ("side", "temperature", "energy", "specific_heat"),
        [
            (16, T_C, -1.453064853, 1.498704959),
            (64, T_C, -1.42393839, 2.192211393),
            (32, 2.3, -1.375465805, 1.900816613),
        ],
    )
    def test_reference_numbers(
        self, side: int, temperature: float, energy: float, specific_heat: float
    ) -> None:
        found = values(exact.torus((side, side), temperature), "energy", "specific_heat")
        assert found == pytest.approx([energy, specific_heat], abs=1e-8)

    @pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 2), (3, 3), (2, 6), (5, 3), (4, 4)])
    def test_enumeration(self, shape: tuple[int, int]) -> None:
        temperature = [0.0, 0.05, 0.3, 1.0, 2.0, T_C, 2.5, 5.0, 100.0, 1e4, np.inf]
        counted = exact.enumeration(Ising(Lattice(shape)), temperature)
        found = exact.torus(shape, temperature)
        np.testing.assert_allclose(found["energy"], counted["energy"], rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(
            found["specific_heat"], counted["specific_heat"], rtol=1e-10, atol=1e-12
        )

    @given(st.integers(2, 40), st.integers(2, 40), st.floats(0.1, 100.0))
    @settings(deadline=None)
    def test_sides_may_be_exchanged(self, n: int, m: int, temperature: float) -> None:
        one, other = exact.torus((n, m), temperature), exact.torus((m, n), temperature)
        np.testing.assert_allclose(one["energy"], other["energy"], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(
            one["specific_heat"], other["specific_heat"], rtol=1e-8, atol=1e-11
        )

    @given(st.integers(2, 200), st.integers(2, 200), st.floats(0.5, 20.0))
    @settings(deadline=None)
    def test_specific_heat_is_the_slope_of_the_energy(self, n: int, m: int, t: float) -> None:
        step = 1e-4 * t
        # Five points: a large torus bends sharply near its transition.
        found = exact.torus((n, m), t + step * np.array([-2.0, -1.0, 0.0, 1.0, 2.0]))
        slope = found["energy"].values @ np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / (12 * step)
        assert slope == pytest.approx(found["specific_heat"].values[2], rel=1e-6, abs=1e-8)

    def test_large_tori_approach_the_infinite_lattice(self) -> None:
        temperature = np.array([0.1, 0.5, 1.5, 2.0, 2.2, 2.35, 2.6, 5.0, 100.0])
        infinite = exact.square_lattice(temperature)
        found = exact.torus((1024, 1024), temperature)
        for name in ("energy", "specific_heat"):
            np.testing.assert_allclose(found[name], infinite[name], rtol=1e-8, atol=1e-11)

    def test_at_the_critical_temperature_of_a_large_torus(self) -> None:
        # Ferdinand and Fisher: the energy is −√2 but for a term in 1/L, c grows as (8/π)K² ln L.
        sides = np.array([256, 512, 1024])
        found = [values(exact.torus((L, L), T_C), "energy", "specific_heat") for L in sides]
        energy, specific_heat = np.array(found).T
        np.testing.assert_allclose(np.diff((energy + np.sqrt(2)) * sides), 0, atol=1e-4)
        slope = 8 / np.pi / T_C**2 * np.log(2)
        np.testing.assert_allclose(np.diff(specific_heat), slope, rtol=1e-3)

    @pytest.mark.parametrize("shape", [(4,), (4, 4, 4), (1, 4)])
    def test_bad_shapes(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match="shape"):
            exact.torus(shape, 2.0)


class TestRing:
    @pytest.mark.parametrize("n", [2, 3, 4, 7, 12])
    @pytest.mark.parametrize("field", [0.0, 0.3, -1.0])
    def test_enumeration(self, n: int, field: float) -> None:
        temperature = [0.0, 0.05, 0.5, 1.0, 4.0, 1e3, np.inf]
        counted = exact.enumeration(Ising(Lattice((n,)), field=field), temperature)
        found = exact.ring(n, temperature, field)
        assert set(found) == set(counted)
        for name in counted:
            np.testing.assert_allclose(found[name], counted[name], rtol=1e-11, atol=1e-12)

    @pytest.mark.parametrize("n", [20, 101, 1000])
    @pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
    def test_closed_forms_without_field(self, n: int, temperature: float) -> None:
        t = np.tanh(1 / temperature)
        found = exact.ring(n, temperature)
        energy = -t * (1 + t ** (n - 2)) / (1 + t**n)
        square = (1 + t) / (1 - t) * (1 - t**n) / (1 + t**n) / n
        expected = pytest.approx([energy, square], rel=1e-9)
        assert values(found, "energy", "magnetization_squared") == expected

    @pytest.mark.parametrize("n", [9, 60])
    def test_transfer_matrix_in_a_field(self, n: int) -> None:
        temperature, field, step = 1.3, 0.2, 1e-4

        def log_partition(k: float, b: float) -> float:
            spins = np.array([1, -1])
            matrix = np.exp(k * np.outer(spins, spins) + b * (spins[:, None] + spins) / 2)
            return float(np.log((np.linalg.eigvalsh(matrix) ** n).sum()))

        k, b = 1 / temperature, field / temperature
        bonds = (log_partition(k + step, b) - log_partition(k - step, b)) / (2 * step)
        total = (log_partition(k, b + step) - log_partition(k, b - step)) / (2 * step)
        found = exact.ring(n, temperature, field)
        assert values(found, "magnetization") == pytest.approx([total / n], rel=1e-6)
        assert values(found, "energy") == pytest.approx([-(bonds + field * total) / n], rel=1e-6)

    def test_bad_input(self) -> None:
        with pytest.raises(ValueError, match="n must be an integer from 2 to 4096; got 5000"):
            exact.ring(5000, 1.0)
        with pytest.raises(ValueError, match="n must be an integer of at least 2; got 1"):
            exact.ring(1, 1.0)
        with pytest.raises(ValueError, match="field must be finite"):
            exact.ring(5, 1.0, field=np.inf)


class TestEnumeration:
    @pytest.mark.parametrize("lattice", LATTICES, ids=str)
    def test_density_of_states_counts_every_configuration(self, lattice: Lattice) -> None:
        counted = exact.density_of_states(lattice)["multiplicity"]
        found = {
            (int(bonds), int(spins)): int(counted.sel(bond_sum=bonds, spin_sum=spins))
            for bonds in counted["bond_sum"].values
            for spins in counted["spin_sum"].values
        }
        assert {sums: n for sums, n in found.items() if n} == dict(naive_counts(lattice))

    def test_rounding_of_degenerate_levels_gives_no_specific_heat(self) -> None:
        lattice = Lattice((3, 3))
        for seed in range(5):
            bonds = random_bonds(lattice, [0.1, 0.3, -0.7], [0.3, 0.3, 0.4], seed=seed)
            found = exact.enumeration(Ising(lattice, bonds), [0.0, 1e-300, 1e-160, 1e-5])
            np.testing.assert_array_equal(found["specific_heat"], 0.0)

    def test_kernel_counts_half_of_the_configurations(self) -> None:
        lattice = Lattice((3, 3), neighborhood="moore")
        half = count_states(lattice.neighbors, np.ones((9, 8), dtype=np.int64), lattice.n_bonds)
        expected = np.zeros_like(half)
        for (bonds, spins), n in naive_counts(lattice).items():
            expected[bonds + lattice.n_bonds, (spins + 9) // 2] = n
        assert half.sum() == 2**8
        np.testing.assert_array_equal(half + half[:, ::-1], expected)

    @pytest.mark.parametrize("lattice", LATTICES, ids=str)
    @pytest.mark.parametrize(("coupling", "field"), [(1.0, 0.0), (-0.7, 0.0), (1.0, 0.4)])
    def test_averages(self, lattice: Lattice, coupling: float, field: float) -> None:
        model = Ising(lattice, coupling, field)
        found = exact.enumeration(model, [0.6, 2.5])
        for index, temperature in enumerate((0.6, 2.5)):
            for name, value in naive_averages(model, temperature).items():
                assert found[name].values[index] == pytest.approx(
                    value, rel=1e-9, abs=1e-12, nan_ok=True
                )

    def test_reference_numbers(self) -> None:
        names = ("energy", "specific_heat", "abs_magnetization", "binder_cumulant")
        found = values(exact.enumeration(Ising(Lattice((4, 4))), 2.0), *names)
        expected = [-1.7553802888, 0.6055326572, 0.9189432674, 0.6448107912]
        assert found == pytest.approx(expected, abs=1e-9)
        found = values(exact.enumeration(Ising(Lattice((4, 4))), 3.0), names[0], names[2])
        assert found == pytest.approx([-1.0170696270, 0.6012913260], abs=1e-9)
        moore = Ising(Lattice((4, 4), neighborhood="moore"))
        found = values(exact.enumeration(moore, 5.25), names[0], names[2])
        assert found == pytest.approx([-2.7731621018, 0.8055605379], abs=1e-9)

    def test_zero_temperature_averages_over_ground_states(self) -> None:
        # Every antiferromagnetic triangle has six ground states with |m| = 1/3.
        triangle = Ising(Lattice((3,)), coupling=-0.1)
        found = exact.enumeration(triangle, 0.0)
        assert values(found, "energy", "abs_magnetization") == pytest.approx([-0.1 / 3, 1 / 3])
        assert values(found, "specific_heat", "susceptibility") == [0.0, 0.0]
        assert values(found, "magnetization_squared") == pytest.approx([1 / 9])
        assert values(found, "susceptibility_disordered") == [np.inf]
        # At h = 2J a spin of a ring may point along the field or not at no cost: |m| varies.
        tie = exact.enumeration(Ising(Lattice((4,)), coupling=-0.1, field=0.2), 0.0)
        assert values(tie, "susceptibility") == [np.inf]
        cold = exact.enumeration(Ising(Lattice((4,)), coupling=-0.1, field=0.2), 1e-4)
        assert values(tie, "magnetization") == pytest.approx(values(cold, "magnetization"))

    def test_infinite_temperature_averages_over_all_configurations(self) -> None:
        found = exact.enumeration(Ising(Lattice((3, 3)), field=0.5), np.inf)
        names = ("energy", "magnetization", "specific_heat", "susceptibility")
        assert values(found, *names) == pytest.approx([0.0, 0.0, 0.0, 0.0], abs=1e-15)
        assert values(found, "magnetization_squared") == pytest.approx([1 / 9])

    @settings(max_examples=30, deadline=None)
    @given(st.floats(0.05, 50.0), st.floats(-2.0, 2.0), st.floats(-2.0, 2.0))
    def test_reversing_the_field_reverses_the_magnetization(
        self, temperature: float, coupling: float, field: float
    ) -> None:
        lattice = Lattice((3, 3))
        up = exact.enumeration(Ising(lattice, coupling, field), temperature)
        down = exact.enumeration(Ising(lattice, coupling, -field), temperature)
        for name in ("energy", "abs_magnetization", "specific_heat", "susceptibility"):
            np.testing.assert_allclose(up[name], down[name], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(up["magnetization"], -down["magnetization"], atol=1e-12)

    @pytest.mark.skipif(
        os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="minutes when not compiled"
    )
    def test_a_cube_of_27_sites(self) -> None:
        counted = exact.density_of_states(Lattice((3, 3, 3)))["multiplicity"]
        assert int(counted.sum()) == 2**27
        # All 26 others are neighbours: the bond sum follows from the spin sum.
        moore = exact.density_of_states(Lattice((3, 3, 3), neighborhood="moore"))["multiplicity"]
        for spins in range(-27, 28, 2):
            row = moore.sel(spin_sum=spins, bond_sum=(spins**2 - 27) // 2)
            assert int(row) == int(moore.sel(spin_sum=spins).sum())

    def test_the_cache_cannot_be_spoilt(self) -> None:
        lattice = Lattice((3, 3))
        exact.density_of_states(lattice)["multiplicity"][:] = 0
        assert int(exact.density_of_states(lattice)["multiplicity"].sum()) == 2**9

    def test_bad_input(self) -> None:
        with pytest.raises(ValueError, match=r"at most 30 sites.*got 36 with shape \(6, 6\)"):
            exact.enumeration(Ising(Lattice((6, 6))), 2.0)
        with pytest.raises(ValueError, match="at most 30 sites"):
            exact.density_of_states(Lattice((31,)))
        with pytest.raises(TypeError, match="model must be an Ising or a Potts model"):
            exact.enumeration(Lattice((4,)), 2.0)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="lattice must be a Lattice"):
            exact.density_of_states((4, 4))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "result",
    [
        exact.square_lattice([2.0, 3.0]),
        exact.torus((4, 4), [2.0, 3.0]),
        exact.ring(8, [2.0, 3.0]),
        exact.enumeration(Ising(Lattice((3, 3))), [2.0, 3.0]),
    ],
    ids=["square_lattice", "torus", "ring", "enumeration"],
)
def test_results_carry_labels_and_units(result: xr.Dataset) -> None:
    for name in ("temperature", *result):
        assert result[name].dims == ("temperature",)
        assert {"long_name", "units"} <= set(result[name].attrs)
    assert result["energy"].attrs["units"] == "J"


@pytest.mark.parametrize(
    "function",
    [
        exact.square_lattice,
        lambda t: exact.torus((4, 4), t),
        lambda t: exact.ring(8, t),
        lambda t: exact.enumeration(Ising(Lattice((4,))), t),
    ],
    ids=["square_lattice", "torus", "ring", "enumeration"],
)
def test_temperatures(function) -> None:  # type: ignore[no-untyped-def]
    assert function(2.0).sizes == {"temperature": 1}
    refused: tuple[object, ...] = (-1.0, np.nan, [])
    for bad in refused:
        with pytest.raises(ValueError, match="temperature must be"):
            function(bad)
    with pytest.raises(TypeError, match="temperature must be"):
        function("hot")
