"""What `simulate` returns: Datasets, starts, snapshots, seeds, threads and limits."""

import json
import math

import numba
import numpy as np
import pytest
import xarray as xr

import isingrl
from isingrl import HeatBath, Ising, Lattice, MeanFieldQ, Metropolis, Rule, simulate, train
from isingrl.engines.engine import table_engine
from isingrl.engines.lane_bonds import LaneTables
from isingrl.engines.lanes import LaneEngine
from isingrl.engines.sites import SiteEngine
from isingrl.runs import check_snapshots
from isingrl.schedules import SCHEDULES
from tests.statistical import Z_LIMIT, z_of_chains

MODEL = Ising(Lattice((4, 6)), coupling=0.8, field=0.1)
MODELS = [
    pytest.param(MODEL, id="2D"),
    pytest.param(Ising(Lattice((9,)), 1.0, 0.2), id="odd-ring"),
    pytest.param(Ising(Lattice((3, 2, 4), "moore"), -1.0), id="3D"),
    pytest.param(Ising(Lattice((3, 4), boundary="free")), id="free"),
]


@pytest.fixture
def threads(monkeypatch):
    """A function that sets the number of threads, beyond the number of cores if need be."""

    def set_threads(n):
        monkeypatch.setattr(numba, "get_num_threads", lambda: n)

    return set_threads


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("model", MODELS)
def test_dataset(model, schedule):
    data = simulate(
        model, HeatBath(), [2.0, 1.5, 3.0], sweeps=11, thermalization=2, interval=2, chains=2,
        schedule=schedule, snapshots=3, seed=7,
    )  # fmt: skip
    lattice = model.lattice
    series = ("temperature", "chain", "draw")
    axes = ("x", "y", "z")[: lattice.ndim]
    assert data["energy"].dims == data["magnetization"].dims == series
    assert data["energy"].shape == (3, 2, 5)
    assert data["spins"].dims == ("temperature", "chain", "snapshot", *axes)
    assert data["spins"].shape == (3, 2, 3, *lattice.shape)
    assert data["spins"].dtype == np.int8
    assert set(np.unique(data["spins"])) == {-1, 1}
    np.testing.assert_array_equal(data["temperature"], [2.0, 1.5, 3.0])
    np.testing.assert_array_equal(data["chain"], [0, 1])
    np.testing.assert_array_equal(data["draw"], 2 * np.arange(5))
    np.testing.assert_array_equal(data["snapshot"], check_snapshots(3, 10, 2) - 2)
    assert data["draw"].attrs["units"] == data["snapshot"].attrs["units"] == "sweeps"
    assert data["method"].item() == "heat-bath"
    assert data["energy"].attrs == {"long_name": "energy per site", "units": "J"}
    assert data["magnetization"].attrs["units"] == "1"
    assert data["temperature"].attrs["units"] == "J/k_B"
    for name in ("magnetization", "spins", "temperature", "snapshot"):
        assert data[name].attrs["long_name"]
    coordinates = {
        "method": "heat-bath",
        "sides": "x".join(map(str, lattice.shape)),
        "n_sites": lattice.n_sites,
        "neighborhood": lattice.neighborhood,
        "boundary": lattice.boundary,
        "coupling": model.coupling,
        "field": model.field,
        "schedule": schedule,
    }
    assert {name: data[name].item() for name in coordinates} == coordinates
    expected = {"sweeps": 11, "thermalization": 2, "start": "random", "seed_entropy": "7"}
    assert {name: data.attrs[name] for name in expected} == expected
    assert f"isingrl {isingrl.__version__}" in data.attrs["versions"]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("model", MODELS)
def test_snapshots_are_the_configurations_that_were_measured(model, schedule):
    data = simulate(
        model, Metropolis(), [2.0, 3.0], sweeps=12, interval=3, chains=3, schedule=schedule,
        snapshots=4, seed=1,
    )  # fmt: skip
    np.testing.assert_array_equal(data["snapshot"], [0, 3, 6, 9])
    spins = data["spins"].values
    np.testing.assert_allclose(model.energy(spins), data["energy"].values, rtol=1e-12)
    np.testing.assert_allclose(model.magnetization(spins), data["magnetization"].values)


@pytest.mark.parametrize(("draws", "n"), [(10, 1), (10, 3), (10, 10), (7, 4), (1000, 999), (5, 0)])
def test_snapshots_are_spread_evenly_and_end_with_the_last_draw(draws, n):
    kept = check_snapshots(n, draws, 1) - 1
    assert len(kept) == n
    assert ((kept >= 0) & (kept < draws)).all()
    gaps = np.diff(np.concatenate([[-1], kept]))
    if n:
        assert kept[-1] == draws - 1
        assert gaps.min() >= 1
        assert gaps.max() - gaps.min() <= 1


def test_without_snapshots_there_are_no_spins():
    assert "spins" not in simulate(MODEL, HeatBath(), 2.0, sweeps=1, seed=1)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("snapshots", [0, 5])
def test_snapshots_and_chunks_do_not_change_the_series(schedule, snapshots, monkeypatch):
    options = {"sweeps": 30, "thermalization": 9, "interval": 2, "schedule": schedule, "seed": 3}
    for engine in (LaneEngine, SiteEngine):
        whole = simulate(MODEL, HeatBath(), [2.0, 3.0], **options)
        # So that calls of the engine end after four sweeps at most.
        monkeypatch.setattr(engine, "updates_a_call", 4 * 2 * MODEL.lattice.n_sites)
        parts = simulate(MODEL, HeatBath(), [2.0, 3.0], snapshots=snapshots, **options)
        for name in ("energy", "magnetization"):
            np.testing.assert_array_equal(parts[name], whole[name])


@pytest.mark.parametrize("side", [4, 8, 64])
def test_calls_of_small_lattices_are_no_longer_than_those_of_large_ones(side):
    """Else Ctrl-C waited long. What a sweep costs is counted in the words that it goes through."""
    model = Ising(Lattice((side, side)))
    table = HeatBath().compile(model, np.array([2.0]), 2)
    seed = np.random.SeedSequence(1)
    tables = LaneTables(table.up[:, 0])
    engine = LaneEngine(model.lattice, tables, "up", synchronous=False, seed=seed)
    sweeps = engine.updates_a_call / (2 * side**2)
    assert 1e8 < sweeps * 64 * engine.layout.n_words <= LaneEngine.updates_a_call


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_interval_thins_the_series(schedule):
    options = {"thermalization": 3, "chains": 2, "schedule": schedule, "seed": 5}
    fine = simulate(MODEL, HeatBath(), 2.0, sweeps=20, **options)
    for interval in (2, 3, 20):
        coarse = simulate(MODEL, HeatBath(), 2.0, sweeps=20, interval=interval, **options)
        expected = fine["energy"].values[..., interval - 1 :: interval]
        np.testing.assert_array_equal(coarse["energy"], expected)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_thermalization_is_left_out_of_the_series(schedule):
    options = {"chains": 2, "schedule": schedule, "seed": 5}
    whole = simulate(MODEL, HeatBath(), 2.0, sweeps=12, **options)
    later = simulate(MODEL, HeatBath(), 2.0, sweeps=5, thermalization=7, **options)
    np.testing.assert_array_equal(later["magnetization"], whole["magnetization"][..., 7:])


@pytest.mark.parametrize("model", MODELS)
def test_starts(model):
    """At T = 0 nothing moves in a field along the start."""
    for start, spin in (("up", 1), ("down", -1)):
        frozen = Ising(model.lattice, coupling=0.0, field=spin)
        data = simulate(frozen, Metropolis(), 0.0, sweeps=1, start=start, snapshots=1, seed=1)
        assert (data["spins"] == spin).all()
        assert data.attrs["start"] == start


class Stay(Rule):
    """No spin ever turns."""

    name = "stay"

    def table(self, model, temperature):
        own = np.array([0.0, 1.0])[:, None]
        return np.broadcast_to(own, (len(temperature), 2, len(model.lattice.n_up)))


@pytest.mark.parametrize("model", MODELS)
def test_start_arrays_go_to_their_chains(model):
    shape = model.lattice.shape
    spins = np.random.default_rng(1).choice([-1, 1], size=(2, 3, *shape))
    for start, first in ((spins, spins), (spins[0, 0].tolist(), spins[0, 0])):
        data = simulate(
            model, Stay(), [1.0, math.inf], sweeps=1, chains=3, start=start, snapshots=1, seed=1
        )
        expected = np.broadcast_to(first, (2, 3, *shape))
        np.testing.assert_array_equal(data["spins"].values[:, :, 0], expected)
        assert data.attrs["start"] == "array"


def test_random_starts_are_fair_and_differ():
    lattice = Lattice((32, 32))
    data = simulate(Ising(lattice), Stay(), 1.0, sweeps=1, chains=128, snapshots=1, seed=1)
    spins = data["spins"].values[0, :, 0].reshape(128, -1).astype(np.int64)
    assert abs(spins.mean()) < Z_LIMIT / np.sqrt(spins.size)
    overlap = spins @ spins.T / lattice.n_sites
    off = overlap[np.triu_indices(128, 1)]
    assert abs(off).max() < 6 / np.sqrt(lattice.n_sites)  # of 8128 numbers


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("model", MODELS)
def test_a_seed_fixes_the_numbers(model, schedule):
    def run(seed):
        data = simulate(
            model, HeatBath(), [1.5, 2.5], sweeps=5, chains=2, schedule=schedule, snapshots=1,
            seed=seed,
        )  # fmt: skip
        return data["spins"].values

    np.testing.assert_array_equal(run(3), run(3))
    assert (run(3) != run(4)).any()


def test_without_a_seed_the_entropy_is_kept():
    first, second = (simulate(MODEL, HeatBath(), 2.0, sweeps=20) for _ in range(2))
    assert first.attrs["seed_entropy"] != second.attrs["seed_entropy"]
    again = simulate(MODEL, HeatBath(), 2.0, sweeps=20, seed=int(first.attrs["seed_entropy"]))
    xr.testing.assert_identical(first, again)


@pytest.mark.parametrize("schedule", ["checkerboard", "synchronous"])
@pytest.mark.parametrize(
    ("shape", "chains", "several"),
    [((512, 512), 64, True), ((512, 512), 2, False), ((16, 16), 200, False)],
)
def test_threads_of_the_lanes_do_not_change_the_numbers(shape, chains, several, schedule, threads):
    model = Ising(Lattice(shape))
    results = []
    for n in (1, 2, 3):
        threads(n)
        engine = table_engine(
            model, HeatBath().compile(model, np.array([2.2]), chains), "random", schedule,
            np.random.SeedSequence(6),
        )  # fmt: skip
        assert (engine._bands.shape[1] - 1 > 1) == several  # bands for threads to share
        engine.sweep(2)
        results.append((*engine.record(3, 1).values(), engine.spins(0), engine.spins(chains - 1)))
    for other in results[1:]:
        for found, expected in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("model", MODELS)
def test_threads_do_not_change_the_numbers(model, schedule, threads):
    results = []
    for n in (1, 2, 5):
        threads(n)
        data = simulate(
            model, HeatBath(), [2.0, 3.0], sweeps=10, chains=70, schedule=schedule, snapshots=2,
            seed=2,
        )  # fmt: skip
        results.append(data)
    xr.testing.assert_identical(results[1], results[0])
    xr.testing.assert_identical(results[2], results[0])


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs a second core")
def test_numba_sets_the_number_of_threads():
    before = numba.get_num_threads()
    model = Ising(Lattice((64, 64)))
    try:
        results = []
        for n in (1, 2):
            numba.set_num_threads(n)
            results.append(simulate(model, Metropolis(), 2.2, sweeps=5, chains=128, seed=1))
    finally:
        numba.set_num_threads(before)
    xr.testing.assert_identical(*results)


def test_the_lane_engine_is_taken_wherever_it_fits():
    def engine_of(lattice, schedule="checkerboard"):
        model = Ising(lattice)
        table = HeatBath().compile(model, np.array([2.0]))
        return type(table_engine(model, table, "up", schedule, np.random.SeedSequence(1)))

    assert engine_of(Lattice((4, 6))) is LaneEngine
    assert engine_of(Lattice((3, 6))) is LaneEngine
    assert engine_of(Lattice((4, 6)), "synchronous") is LaneEngine
    assert engine_of(Lattice((4, 6)), "sequential") is SiteEngine
    assert engine_of(Lattice((6, 3))) is SiteEngine
    assert engine_of(Lattice((4, 6), boundary="free")) is SiteEngine


def test_a_chain_has_the_temperature_that_it_stands_at():
    """Whatever the order of the temperatures, and however chains fall into blocks of 64."""
    model = Ising(Lattice((16,)))
    temperatures = np.array([3.0, 0.7, 100.0, 1.5])
    data = simulate(
        model, HeatBath(), temperatures, sweeps=3000, thermalization=200, interval=3, chains=40,
        seed=8,
    )  # fmt: skip
    t = np.tanh(1 / temperatures)
    expected = -t * (1 + t**14) / (1 + t**16)
    for found, value in zip(data["energy"].values, expected, strict=True):
        assert abs(z_of_chains(found.mean(axis=1), value)) < Z_LIMIT


@pytest.mark.parametrize("schedule", ["checkerboard", "typewriter", "random-site"])
@pytest.mark.parametrize("model", MODELS)
def test_zero_temperature_only_goes_down(model, schedule):
    """Unless all sites move at once."""
    data = simulate(model, Metropolis(), 0.0, sweeps=30, chains=5, schedule=schedule, seed=1)
    assert (np.diff(data["energy"].values, axis=-1) <= 1e-12).all()
    assert np.isfinite(data["energy"]).all()


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("model", MODELS)
def test_heat_bath_at_infinite_temperature_draws_independent_spins(model, schedule):
    data = simulate(model, HeatBath(), math.inf, sweeps=400, chains=50, schedule=schedule, seed=1)
    m = data["magnetization"].values[0]
    n = model.lattice.n_sites
    # Random sites leave a part of the spins where they were, which correlates the draws.
    assert abs(z_of_chains(m.mean(axis=1), 0.0)) < Z_LIMIT
    assert abs(z_of_chains((m**2).mean(axis=1), 1 / n)) < Z_LIMIT


@pytest.mark.parametrize("schedule", ["checkerboard", "typewriter", "synchronous"])
def test_metropolis_at_infinite_temperature_flips_seven_spins_of_eight(schedule):
    model = Ising(Lattice((8, 8)))
    m = simulate(
        model, Metropolis(), math.inf, sweeps=500, chains=50, schedule=schedule, snapshots=500,
        seed=1,
    )  # fmt: skip
    spins = m["spins"].values[0]
    flips = (spins[:, 1:] != spins[:, :-1]).mean(axis=(1, 2, 3))
    assert abs(z_of_chains(flips, 7 / 8)) < Z_LIMIT
    squares = (m["magnetization"].values[0] ** 2).mean(axis=1)
    assert abs(z_of_chains(squares, 1 / 64)) < Z_LIMIT


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_progress_shows_a_bar_and_changes_nothing(schedule, capsys):
    options = {"sweeps": 10, "thermalization": 5, "schedule": schedule, "seed": 1}
    quiet = simulate(MODEL, HeatBath(), 2.0, **options)
    assert capsys.readouterr().err == ""
    loud = simulate(MODEL, HeatBath(), 2.0, progress=True, **options)
    assert "sweep" in capsys.readouterr().err
    xr.testing.assert_identical(loud, quiet)


def test_netcdf_round_trip(tmp_path):
    policy = train(MODEL, MeanFieldQ("mean"), [2.0, 3.0], sweeps=50, seed=1)
    for rule, temperature in ((Metropolis(), [1.0, math.inf]), (policy, None)):
        data = simulate(MODEL, rule, temperature, sweeps=4, chains=2, snapshots=2, seed=1)
        path = tmp_path / f"{rule.name}.nc"
        data.to_netcdf(path, engine="h5netcdf")
        with xr.open_dataset(path, engine="h5netcdf") as loaded:
            xr.testing.assert_equal(loaded, data)
            assert loaded["spins"].dtype == np.int8
            assert loaded.attrs.keys() == data.attrs.keys()
            for name, value in data.attrs.items():
                np.testing.assert_array_equal(loaded.attrs[name], value)
            assert loaded["energy"].attrs == data["energy"].attrs


def test_policies_bring_their_temperatures_and_softmax_temperatures():
    policy = train(MODEL, MeanFieldQ("mean"), [2.0, 3.0], sweeps=50, seed=1)
    data = simulate(MODEL, policy, sweeps=2, seed=1)
    np.testing.assert_array_equal(data["temperature"], [2.0, 3.0])
    np.testing.assert_allclose(data["softmax_temperature"], [0.5, 0.75])
    assert data["softmax_temperature"].dims == ("temperature",)
    assert data.method == "mean-field-q"
    assert data.attrs["temperature_map"] == "exact"
    assert json.loads(data.attrs["agent"]) == policy.agent.settings()
    one = simulate(MODEL, policy, 3.0, sweeps=2, seed=1)
    np.testing.assert_array_equal(one["temperature"], [3.0])
