"""Several fields in one run: each is a chain with its own table, whatever makes the moves."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import isingrl as irl
from analysis import exact, plots, thermodynamics
from tests.statistical import Z_LIMIT

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

FIELDS = [0.0, 0.2, -0.5]
TEMPERATURES = [2.5, 4.0]
LATTICE = irl.Lattice((4, 4))
MODEL = irl.Ising(LATTICE, field=FIELDS)
DIMS = ("temperature", "field", "chain", "draw")

ENGINES = {
    "lanes": (LATTICE, {}),
    "synchronous-lanes": (LATTICE, {"schedule": "synchronous"}),
    "sites": (irl.Lattice((3, 3)), {}),
    "sequential": (LATTICE, {"schedule": "sequential"}),
    "free": (irl.Lattice((4, 4), boundary="free"), {}),
    "moore": (irl.Lattice((4, 4), neighborhood="moore"), {}),
    "ring": (irl.Lattice(10), {}),
    "cubic": (irl.Lattice((2, 2, 4)), {}),
}


class NextNearest(irl.Rule):
    """A table of its own for every site, by the joint configuration of two others."""

    name = "next-nearest"

    def table(self, model, temperature):
        raise NotImplementedError

    def compile(self, model, temperature, chains=1):
        n = model.lattice.n_sites
        sites = np.stack([np.roll(np.arange(n), 2), np.roll(np.arange(n), -2)], axis=1)
        sums = np.array([-2.0, 0.0, 0.0, 2.0])
        field = 2 * (sums + model.one_field()) / np.repeat(temperature, chains)[:, None]
        up = 1 / (1 + np.exp(-field))
        up = np.broadcast_to(up[:, None, None], (len(up), 1, 2, 4))
        return irl.tables.RuleTable(up.copy(), sites.astype(np.int32))


@pytest.mark.parametrize("rule", [irl.HeatBath(), irl.Metropolis()], ids=lambda rule: rule.name)
@pytest.mark.parametrize("engine", ENGINES)
def test_each_field_has_its_own_table(engine, rule):
    """At T = 0 and in strong fields everything follows its own field, from any start."""
    lattice, options = ENGINES[engine]
    fields = [-40.0, 40.0, -50.0]
    model = irl.Ising(lattice, field=fields)
    data = irl.simulate(
        model, rule, [0.0, 1.0], sweeps=5, thermalization=50, interval=2, chains=2, snapshots=2,
        seed=1, **options,
    )  # fmt: skip
    assert data["energy"].dims == data["magnetization"].dims == DIMS
    sites = ("x", "y", "z")[: lattice.ndim]
    assert data["spins"].dims == ("temperature", "field", "chain", "snapshot", *sites)
    np.testing.assert_array_equal(data["field"], fields)
    sign = np.sign(data["field"])
    xr.testing.assert_equal(
        *xr.broadcast(data["magnetization"].reset_coords(drop=True), sign.reset_coords(drop=True))
    )
    for k, one in enumerate(model.each_field):
        spins = data["spins"].isel(field=k)
        kept = data["energy"].isel(field=k).sel(draw=data["snapshot"].values)
        np.testing.assert_allclose(one.energy(spins.values), kept.values)


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "synchronous-lanes"])
def test_observables_are_exact_in_every_field(engine):
    lattice, options = ENGINES[engine]
    model = irl.Ising(lattice, field=FIELDS)
    temperature = [4.0, 6.0] if engine == "moore" else TEMPERATURES
    data = irl.simulate(
        model, irl.HeatBath(), temperature, sweeps=4000, thermalization=100, chains=8, seed=2,
        **options,
    )  # fmt: skip
    summary, theory = thermodynamics(data), exact.enumeration(model, temperature)
    assert summary["energy"].dims == theory["energy"].dims == ("temperature", "field")
    names = ("energy", "magnetization", "susceptibility", "specific_heat")
    for name in names:
        z = (summary[name] - theory[name]) / summary[f"{name}_error"]
        assert abs(z).max() < Z_LIMIT, name
    # without a field ⟨m⟩ = 0, in one ⟨m²⟩ is no response
    disordered = summary["susceptibility_disordered"]
    z = (disordered - theory["susceptibility_disordered"]) / summary[
        "susceptibility_disordered_error"
    ]
    assert abs(z.sel(field=0.0)).max() < Z_LIMIT
    assert disordered.sel(field=FIELDS[1:]).isnull().all()


def test_the_susceptibility_is_the_answer_to_the_field():
    """The three formulas at 4 × 4, T = 2.5, against differences of exact magnetizations."""
    data = irl.simulate(
        MODEL, irl.HeatBath(), 2.5, sweeps=10_000, thermalization=100, chains=8, seed=3
    )
    summary = thermodynamics(data).squeeze("temperature")
    step = 1e-4
    shifted = [
        exact.enumeration(irl.Ising(LATTICE, field=np.add(FIELDS, s)), 2.5) for s in (-step, step)
    ]
    low, high = (each["magnetization"].values[0] for each in shifted)
    response = (high - low) / (2 * step)
    assert response[1] == pytest.approx(1.9006, abs=1e-4)
    measured, error = (
        summary[f"susceptibility{end}"].where(
            summary.field != 0, summary[f"susceptibility_disordered{end}"]
        )
        for end in ("", "_error")
    )
    assert (abs(measured - response) < Z_LIMIT * error).all()
    np.testing.assert_allclose(
        exact.enumeration(MODEL, 2.5)["susceptibility"][0, 1:], response[1:], rtol=1e-6
    )


def test_exact_results_of_several_fields_are_those_of_each():
    theories = {
        "enumeration": lambda h: exact.enumeration(irl.Ising(LATTICE, field=h), TEMPERATURES),
        "ring": lambda h: exact.ring(10, TEMPERATURES, field=h),
        "weiss": lambda h: exact.weiss(irl.Ising(LATTICE, field=h), TEMPERATURES),
    }
    for theory in theories.values():
        several = theory(FIELDS)
        for field in FIELDS:
            one = theory(field)
            assert one["energy"].dims == ("temperature",)
            xr.testing.assert_equal(several.sel(field=field), one)
    for bad in ([], [0.1, 0.1], [np.nan]):
        with pytest.raises(ValueError, match="field must be"):
            exact.ring(10, 1.0, field=bad)


def test_one_field_in_a_sequence_is_a_dim_of_length_one():
    options = {"sweeps": 30, "chains": 3, "seed": 4}
    several = irl.simulate(irl.Ising(LATTICE, field=[0.2]), irl.HeatBath(), 2.5, **options)
    one = irl.simulate(irl.Ising(LATTICE, field=0.2), irl.HeatBath(), 2.5, **options)
    assert several["energy"].dims == DIMS
    np.testing.assert_array_equal(several["energy"].isel(field=0), one["energy"])


def test_starts_of_every_field():
    generator = np.random.default_rng(5)
    first = generator.choice([-1, 1], size=(2, 3, 2, 4, 4))
    data = irl.simulate(
        irl.Ising(LATTICE, field=FIELDS), irl.HeatBath(), [0.0, 1e-3], sweeps=1, start=first,
        chains=2, schedule="sequential", snapshots=1, seed=5,
    )  # fmt: skip
    assert data["spins"].shape == (2, 3, 2, 1, 4, 4)
    for start in ("up", "down", first[0, 0, 0]):
        irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=1, start=start, seed=6)
    with pytest.raises(ValueError, match=r"start must have shape .*\(1, 3, 2, 4, 4\)"):
        irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=1, start=first, chains=2)


def test_a_run_goes_on_from_its_checkpoint_field_by_field(tmp_path):
    options = {"chains": 2, "seed": 7, "thermalization": 5}
    irl.simulate(MODEL, irl.HeatBath(), TEMPERATURES, sweeps=10, out=tmp_path, **options)
    found = irl.simulate(MODEL, irl.HeatBath(), TEMPERATURES, sweeps=30, out=tmp_path, **options)
    whole = irl.simulate(MODEL, irl.HeatBath(), TEMPERATURES, sweeps=30, **options)
    xr.testing.assert_equal(found, whole)
    other = irl.Ising(LATTICE, field=FIELDS[:2])
    with pytest.raises(ValueError, match="field"):
        irl.simulate(other, irl.HeatBath(), TEMPERATURES, sweeps=30, out=tmp_path, **options)


def test_tables_by_configuration_differ_by_field_too():
    """And their energy is that of the model, which is told."""
    fields = [-40.0, 40.0]
    model = irl.Ising(irl.Lattice(8), field=fields)
    with pytest.warns(UserWarning, match=r"energy is that of the model.*'next-nearest'"):
        data = irl.simulate(
            model, NextNearest(), [1.0, 2.0], sweeps=3, thermalization=5, chains=2, seed=8
        )
    np.testing.assert_array_equal(data["energy"], -41)
    for k, sign in enumerate((-1, 1)):
        assert (data["magnetization"].isel(field=k) == sign).all()


def test_policies_and_learning_take_one_field():
    one = irl.Ising(LATTICE, field=0.2)
    policy = irl.train(one, irl.MeanFieldQ(), 2.5, sweeps=50, seed=9)
    assert irl.simulate(one, policy, sweeps=1, seed=9)["field"] == 0.2
    # in a sequence of that field alone, too
    several = irl.simulate(irl.Ising(LATTICE, field=[0.2]), policy, sweeps=1, seed=9)
    assert several["energy"].dims == DIMS
    with pytest.raises(ValueError, match=r"field that the policy was trained with, 0\.2; got 0\.0"):
        irl.simulate(MODEL, policy, sweeps=1)
    for learn in (
        lambda: irl.train(MODEL, irl.MeanFieldQ(), 2.5, sweeps=5),
        lambda: irl.simulate(MODEL, irl.Learning(irl.MeanFieldQ()), 2.5, sweeps=5),
        lambda: irl.simulate(MODEL, irl.Learning(policy), sweeps=5),
    ):
        with pytest.raises(ValueError, match="one number as its field for agents that learn"):
            learn()


def test_plots_of_the_magnetization_against_the_field():
    data = irl.simulate(
        MODEL, irl.HeatBath(), TEMPERATURES, sweeps=2000, thermalization=100, chains=2, seed=10
    )
    summary, theory = thermodynamics(data), exact.enumeration(MODEL, TEMPERATURES)
    ax = Figure().subplots()
    plots.observable(summary.sel(temperature=4.0), "magnetization", ax)
    plots.exact_curve(theory.isel(temperature=[1]), "magnetization", ax)
    assert ax.get_xlabel() == "magnetic field ($J$)"
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), FIELDS)
    np.testing.assert_array_equal(ax.lines[-1].get_xdata(), sorted(FIELDS))
    assert ax.get_legend_handles_labels()[1] == ["exact, 4×4", "heat bath"]
    ax = plots.observable(summary.isel(field=[1]), "energy", Figure().subplots())
    assert ax.get_xlabel().startswith("temperature")
    for draw in (plots.observable, plots.exact_curve):
        with pytest.raises(ValueError, match="select one temperature or one field"):
            draw(summary, "energy", Figure().subplots())
