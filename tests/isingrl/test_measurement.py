"""Snapshots at chosen sweeps, runs whose length is decided on the way, and ladders."""

import numpy as np
import pytest
import xarray as xr

import analysis
from analysis import exact, precision, thermodynamics
from isingrl import HeatBath, Ising, Lattice, Learning, MeanFieldQ, Metropolis, simulate, train
from tests.statistical import Z_LIMIT, z_of_chains

MODEL = Ising(Lattice((8, 8)))
FREE = Ising(Lattice((3, 5), boundary="free"), field=0.1)
every_engine = pytest.mark.parametrize(
    ("model", "schedule"),
    [
        (MODEL, "checkerboard"),
        (MODEL, "synchronous"),
        (FREE, "checkerboard"),
        (MODEL, "typewriter"),
    ],
    ids=["lanes", "lanes-synchronous", "sites", "sites-typewriter"],
)


def run(model=MODEL, rule=None, temperature=(2.0, 3.0), **options):
    options = {"sweeps": 24, "chains": 2, "seed": 1} | options
    return simulate(model, rule or HeatBath(), temperature, **options)


@every_engine
@pytest.mark.parametrize("interval", [1, 4, 24])
def test_snapshots_at_chosen_sweeps(model, schedule, interval):
    """Those of a run that measures every sweep, whatever the interval; 0 is before the first."""
    kept = [0, 1, 3, 8, 9, 23, 24]
    options = {"model": model, "schedule": schedule, "thermalization": 3, "start": "up"}
    found = run(snapshots=kept, interval=interval, **options)
    whole = run(snapshots=24, **options)
    first = run(sweeps=3, snapshots=1, **(options | {"thermalization": 0}))
    np.testing.assert_array_equal(found["sweep"], kept)
    spins = found["spins"].values
    np.testing.assert_array_equal(spins[:, :, 0], first["spins"].values[:, :, 0])
    np.testing.assert_array_equal(
        spins[:, :, 1:], whole["spins"].values[:, :, np.array(kept[1:]) - 1]
    )
    np.testing.assert_array_equal(found["energy"], whole["energy"][..., interval - 1 :: interval])
    np.testing.assert_array_equal(found["snapshot"], np.array(kept) - interval)


def test_the_snapshot_before_all_sweeps_is_the_start():
    start = np.random.default_rng(1).choice([-1, 1], size=(2, 2, 8, 8))
    found = run(start=start, snapshots=np.array([0, 24]))
    np.testing.assert_array_equal(found["spins"][:, :, 0], start)


def test_snapshots_at_chosen_sweeps_survive_a_kill(tmp_path, monkeypatch):
    options = {"snapshots": [0, 5, 6, 17, 24], "interval": 3, "checkpoint_seconds": 0.0}
    whole = run(**options)
    calls = []

    def stop(engine, *arguments):
        calls.append(arguments)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return record(engine, *arguments)

    from isingrl.engines.lanes import LaneEngine

    record = LaneEngine.record
    with monkeypatch.context() as patch:
        patch.setattr(LaneEngine, "record", stop)
        patch.setattr(LaneEngine, "updates_a_call", 1.0)
        with pytest.raises(KeyboardInterrupt):
            run(out=tmp_path, **options)
    assert any(tmp_path.iterdir())
    xr.testing.assert_identical(run(out=tmp_path, **options), whole)


@pytest.mark.parametrize(
    ("snapshots", "message"),
    [
        ([3, 1], r"ascending sweeps from 0 to 24.*got \[3, 1\]"),
        ([1, 1], r"ascending sweeps"),
        ([25], r"ascending sweeps from 0 to 24"),
        ([-1], "at least 0; got -1"),
        ([0.5], "must be an integer"),
        ("all", "must be an integer"),
        (25, "at most sweeps // interval = 24; got 25"),
    ],
)
def test_bad_snapshots(snapshots, message):
    with pytest.raises((TypeError, ValueError), match=f"^snapshots.*{message}"):
        run(snapshots=snapshots)


@every_engine
@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # of other observables
def test_a_run_ends_when_it_is_precise_enough(model, schedule):
    wanted = 0.02
    options = {"model": model, "schedule": schedule, "temperature": 4.0, "thermalization": 50}
    found = run(sweeps=20_000, until=precision(energy=wanted), **options)
    draws = found.sizes["draw"]
    assert 100 <= draws < 20_000
    assert thermodynamics(found)["energy_error"].item() <= wanted
    assert found.attrs["sweeps"] == draws
    same = run(sweeps=draws, **options)
    xr.testing.assert_identical(found, same)


def test_a_run_that_does_not_come_to_the_precision_ends_with_its_sweeps():
    found = run(sweeps=300, until=precision(energy=1e-9))
    assert found.sizes["draw"] == 300
    assert found.attrs["sweeps"] == 300


def test_an_ended_run_ends_there_again(tmp_path):
    options = {"sweeps": 5_000, "until": precision(energy=0.02), "temperature": 4.0}
    first = run(out=tmp_path, **options)
    xr.testing.assert_identical(run(out=tmp_path, **options), first)
    xr.testing.assert_identical(run(**options), first)


def test_series_in_which_nothing_moves_are_never_precise():
    found = run(temperature=0.0, start="up", sweeps=200, until=precision(energy=1.0))
    assert found.sizes["draw"] == 200


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"until": 1e-3}, TypeError, "until must be a function"),
        ({"until": lambda data: True, "snapshots": 2}, ValueError, "snapshots must be a sequence"),
        ({"loop": True}, ValueError, "loop needs a ladder"),
        ({"ladder": "chain"}, ValueError, "ladder must be one of 'temperature', 'field'"),
        ({"ladder": "field"}, ValueError, "field must be a sequence"),
        ({"ladder": "temperature", "loop": 1}, TypeError, "loop must be True or False"),
        ({"ladder": "temperature", "until": lambda data: True}, ValueError, "until must be None"),
        (
            {"ladder": "temperature", "rule": Learning(MeanFieldQ())}, ValueError,
            "rule must not learn on a ladder"
        ),
    ],
)  # fmt: skip
def test_bad_combinations(options, error, message):
    with pytest.raises(error, match=message):
        run(**options)


@pytest.mark.parametrize(
    ("errors", "error", "message"),
    [
        ({}, TypeError, "must name an observable"),
        ({"energies": 1e-3}, ValueError, "must be one of 'energy'"),
        ({"energy": 0.0}, ValueError, "energy must be a positive"),
        ({"energy": "small"}, TypeError, "energy must be a real number"),
        ({"energy": np.nan}, ValueError, "energy must be finite"),
    ],
)
def test_bad_precision(errors, error, message):
    with pytest.raises(error, match=message):
        precision(**errors)


def test_rungs_begin_where_the_last_one_ended():
    temperature = [4.0, 3.0, 2.0]
    found = run(temperature=temperature, ladder="temperature", snapshots=[0, 24], start="down")
    assert found["energy"].dims == ("temperature", "chain", "draw")
    np.testing.assert_array_equal(found["temperature"], temperature)
    first, last = (found["spins"].isel(snapshot=k).values for k in (0, 1))
    assert (first[0] == -1).all()
    np.testing.assert_array_equal(first[1:], last[:-1])
    np.testing.assert_allclose(MODEL.energy(last), found["energy"].isel(draw=-1))
    again = run(temperature=temperature, ladder="temperature", snapshots=[0, 24], start="down")
    xr.testing.assert_identical(again, found)


def test_a_loop_goes_back_through_the_fields():
    model = Ising(MODEL.lattice, field=[1.0, 0.0, -1.0])
    found = run(model=model, ladder="field", loop=True, snapshots=[0, 24], start="up")
    assert found["energy"].dims == ("branch", "temperature", "field", "chain", "draw")
    assert found["branch"].values.tolist() == ["forward", "backward"]
    np.testing.assert_array_equal(found["field"], [1.0, 0.0, -1.0])
    first, last = (
        found["spins"].isel(snapshot=k).transpose("branch", "field", ...).values for k in (0, 1)
    )
    np.testing.assert_array_equal(first[0, 1:], last[0, :-1])
    np.testing.assert_array_equal(first[1, -1], last[0, -1])
    np.testing.assert_array_equal(first[1, :-1], last[1, 1:])


def test_hysteresis_below_the_critical_temperature_and_none_above():
    """Fields that turn too fast for the magnetization to follow, or not."""
    model = Ising(Lattice((16, 16)), field=[0.3, 0.1, 0.0, -0.1, -0.3])
    found = run(
        model=model, temperature=[1.0, 5.0], ladder="field", loop=True, sweeps=60,
        thermalization=10, chains=16, start="up",
    )  # fmt: skip
    m = found["magnetization"].mean(["chain", "draw"]).sel(field=0.0)
    assert (abs(m.sel(temperature=1.0)) > 0.9).all()
    assert (abs(m.sel(temperature=5.0)) < 0.1).all()
    assert m.sel(temperature=1.0, branch="forward") > 0


def test_annealed_chains_come_to_equilibrium():
    model = Ising(Lattice((4, 4)))
    found = run(
        model=model, rule=Metropolis(), temperature=[4.0, 3.0, 2.0], ladder="temperature",
        sweeps=600, thermalization=50, chains=64,
    )  # fmt: skip
    expected = exact.enumeration(model, found["temperature"])
    for index in range(3):
        means = found["energy"][index].mean("draw").values
        assert abs(z_of_chains(means, expected["energy"][index].item())) < Z_LIMIT
    assert analysis.thermodynamics(found).sizes == {"temperature": 3}


def test_a_ladder_goes_on_after_a_kill(tmp_path):
    policy = train(MODEL, MeanFieldQ(), [3.0, 2.0], sweeps=50, seed=1)
    options = {"rule": policy, "temperature": None, "ladder": "temperature", "chains": 3}
    whole = run(**options)
    run(out=tmp_path, **options)
    for file in (tmp_path / "rung-0001").iterdir():
        file.unlink()
    xr.testing.assert_identical(run(out=tmp_path, **options), whole)


def test_a_ladder_without_a_seed_keeps_that_of_its_folder(tmp_path):
    options = {"ladder": "temperature", "seed": None, "out": tmp_path}
    xr.testing.assert_identical(run(**options), run(**options))
