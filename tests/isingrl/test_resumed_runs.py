"""Runs that were cut, killed or extended end as if they had run in one piece."""

import dataclasses

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import isingrl.measurement as measurement
from isingrl import HeatBath, Ising, Lattice, Learning, Metropolis, run_files, simulate, train
from isingrl.agents import IndependentQ, JointQ, MeanFieldQ, NeighborhoodQ, Network
from isingrl.agents.network import OPTIMIZERS
from isingrl.engines.engine import table_engine
from isingrl.engines.lanes import LaneEngine
from isingrl.engines.learning import LearningEngine
from isingrl.engines.sites import SiteEngine
from isingrl.support.archives import read_archive
from tests.killing import kill_at_random

ENGINES = (LaneEngine, SiteEngine, LearningEngine)
SQUARE = Ising(Lattice((4, 6)), 1.0, 0.1)
DEEP = {"discount": 0.5, "reward_time": "after", "target_interval": 3}
CASES = {
    "lanes": (SQUARE, Metropolis(), {}),
    "synchronous-lanes": (SQUARE, HeatBath(), {"schedule": "synchronous", "interval": 1}),
    "synchronous-odd": (SQUARE, HeatBath(), {"schedule": "synchronous", "interval": 3}),
    "strips": (Ising(Lattice((2, 64))), HeatBath(), {"chains": 1}),
    "several-blocks": (SQUARE, HeatBath(), {"chains": 70}),
    "moore": (Ising(Lattice((4, 6), "moore")), HeatBath(), {}),
    "3D": (Ising(Lattice((3, 2, 4))), HeatBath(), {}),
    "ring": (Ising(Lattice((10,))), Metropolis(), {}),
    "sites": (Ising(Lattice((3, 5))), Metropolis(), {}),
    "sequential": (SQUARE, HeatBath(), {"schedule": "sequential"}),
    "synchronous-sites": (Ising(Lattice((3, 5))), HeatBath(), {"schedule": "synchronous"}),
    "free": (Ising(Lattice((3, 4), boundary="free")), Metropolis(), {}),
    "array": (SQUARE, HeatBath(), {"start": np.where(np.eye(4, 6) > 0, 1, -1)}),
    "snapshots": (SQUARE, HeatBath(), {"snapshots": 3}),
    "sites-snapshots": (Ising(Lattice((3, 5))), HeatBath(), {"snapshots": 4}),
    "table": (SQUARE, Learning(IndependentQ()), {}),
    "snapshots-of-agents": (SQUARE, Learning(IndependentQ(shared=False)), {"snapshots": 2}),
    "synchronous-agents": (SQUARE, Learning(MeanFieldQ()), {"schedule": "synchronous"}),
    "far-sighted": (SQUARE, Learning(MeanFieldQ("mean", inner_iterations=2, **DEEP)), {}),
    "joint": (Ising(Lattice((2, 3))), Learning(JointQ(discount=0.3, reward_time="after")), {}),
    "neighborhood": (SQUARE, Learning(NeighborhoodQ(shared=False, **DEEP)), {}),
    "memory": (SQUARE, Learning(MeanFieldQ(replay=15, batch_size=8, **DEEP)), {}),
    "network": (SQUARE, Learning(MeanFieldQ(network=(5, 4), **DEEP)), {}),
    "network-a-site": (
        Ising(Lattice((2, 3))), Learning(NeighborhoodQ(network=(5,), shared=False)), {},
    ),
    "network-with-memory": (
        SQUARE, Learning(MeanFieldQ(network=(5,), replay=15, batch_size=8, **DEEP)), {},
    ),
}  # fmt: skip
pytestmark = pytest.mark.usefixtures("torch_if_needed")
every_case = pytest.mark.parametrize("name", CASES)


def run(name, out=None, **options):
    model, rule, own = CASES[name]
    default = {"sweeps": 24, "thermalization": 5, "interval": 2, "chains": 2, "seed": 3}
    arguments = default | own | options
    return simulate(model, rule, [2.0, 3.0], out=out, checkpoint_seconds=0, **arguments)


@pytest.fixture
def calls(monkeypatch):
    """A function that says after how many calls, of one sweep or draw, engines are interrupted."""
    limits = []
    monkeypatch.setattr(run_files, "_WRITES", 0.0)

    def limited(original):
        def call(*arguments):
            if not limits[-1]:
                raise KeyboardInterrupt
            limits[-1] -= 1
            return original(*arguments)

        return call

    def limit(number):
        for engine in ENGINES if not limits else ():
            monkeypatch.setattr(engine, "updates_a_call", 1.0)
            monkeypatch.setattr(engine, "sweep", limited(engine.sweep))
            monkeypatch.setattr(engine, "record", limited(engine.record))
        limits.append(number)

    return limit


@pytest.fixture
def no_engine(monkeypatch):
    """A function after which no engine may make a sweep."""

    def refuse(*_):
        raise AssertionError("the engine ran")

    def forbid():
        for engine in ENGINES:
            monkeypatch.setattr(engine, "sweep", refuse)
            monkeypatch.setattr(engine, "record", refuse)

    return forbid


def in_pieces(name, out, limit, calls_a_piece, **options):
    """Run with an interruption after every few calls of the engine; returns how many there were."""
    for cuts in range(1000):
        limit(calls_a_piece)
        try:
            return run(name, out, **options), cuts
        except KeyboardInterrupt:
            pass
    raise AssertionError("it gets nowhere")


def check_cut(go_on, out, limit, calls):
    """Cut a run after so many calls of the engine; once more it must end like an unbroken one."""
    whole = go_on(None)
    limit(calls)
    with pytest.raises(KeyboardInterrupt):
        go_on(out)
    limit(100)
    xr.testing.assert_identical(go_on(out), whole)


@every_case
def test_cut_anywhere_it_ends_alike(name, tmp_path, calls):
    whole = run(name)
    for calls_a_piece in (1, 4):
        found, cuts = in_pieces(name, tmp_path / str(calls_a_piece), calls, calls_a_piece)
        assert cuts >= (5 + 8) // calls_a_piece - 1
        xr.testing.assert_identical(found, whole)
    assert sorted(path.name for path in (tmp_path / "1").iterdir()) == [
        "run.json", "run.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in CASES if "snapshots" not in name])
def test_an_extended_run_is_a_longer_one(name, tmp_path, no_engine):
    wholes = {sweeps: run(name, sweeps=sweeps) for sweeps in (9, 10, 25, 38)}
    xr.testing.assert_identical(run(name, tmp_path, sweeps=9), wholes[9])
    for sweeps in (10, 25, 38):
        xr.testing.assert_identical(run(name, tmp_path, sweeps=sweeps), wholes[sweeps])
    before = (tmp_path / "run.safetensors").read_bytes()
    no_engine()
    for sweeps in (38, 9, 25):
        xr.testing.assert_identical(run(name, tmp_path, sweeps=sweeps), wholes[sweeps])
    assert (tmp_path / "run.safetensors").read_bytes() == before


def test_a_cut_run_may_be_made_shorter_or_longer(tmp_path, calls, no_engine):
    wholes = {sweeps: run("lanes", sweeps=sweeps) for sweeps in (8, 40)}
    calls(5 + 6)
    with pytest.raises(KeyboardInterrupt):
        run("lanes", tmp_path)
    xr.testing.assert_identical(run("lanes", tmp_path, sweeps=8), wholes[8])
    calls(100)
    xr.testing.assert_identical(run("lanes", tmp_path, sweeps=40), wholes[40])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on(name, tmp_path, calls):
    pytest.importorskip("torch")
    agent = MeanFieldQ(network=Network((5,), optimizer=name), learning_rate=0.03)

    def learn(out):
        return simulate(
            SQUARE, Learning(agent), [2.0, 3.0], sweeps=12, seed=3, out=out, checkpoint_seconds=0
        )

    check_cut(learn, tmp_path, calls, 5)
    learn(tmp_path / "whole")
    found, expected = (
        read_archive(out, "run", "isingrl-run-1", "run")[1]
        for out in (tmp_path, tmp_path / "whole")
    )
    for key, values in expected.items():
        np.testing.assert_array_equal(found[key], values, strict=True, err_msg=key)


@pytest.mark.parametrize("learn", [False, True])
def test_a_policy_goes_on(learn, tmp_path, calls):
    policy = train(SQUARE, MeanFieldQ(), [2.0, 3.0], sweeps=5, seed=1)

    def go_on(out, policy=policy):
        rule = Learning(policy) if learn else policy
        return simulate(SQUARE, rule, sweeps=12, seed=3, out=out, checkpoint_seconds=0)

    check_cut(go_on, tmp_path, calls, 4)
    other = dataclasses.replace(policy, q_values=2 * policy.q_values)
    with pytest.raises(ValueError, match=r"out must be .*of one with rule\.sha256 = "):
        go_on(tmp_path, other)


@settings(max_examples=30)
@given(
    sides=st.sampled_from([(6,), (4, 4), (3, 5), (2, 32), (3, 2, 4)]),
    schedule=st.sampled_from(["checkerboard", "synchronous", "sequential"]),
    interval=st.integers(1, 3),
    pieces=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=4),
)
def test_an_engine_restored_goes_on(sides, schedule, interval, pieces):
    """Through a fresh engine between any sweeps and draws."""
    model = Ising(Lattice(sides))
    table = HeatBath().compile(model, np.array([1.5, 2.5]), 2)

    def engine(seed, start):
        return table_engine(model, table, start, schedule, np.random.SeedSequence(seed))

    whole, parts = engine(1, "random"), engine(1, "random")
    for sweeps, draws in pieces:
        if sweeps:
            whole.sweep(sweeps)
            for _ in range(sweeps):
                parts.sweep(1)
        state = parts.state()
        parts.record(1, 1)  # what comes after does not change a state
        parts = engine(2, "up")
        parts.restore(state)
        expected = whole.record(draws, interval)
        found = [parts.record(1, interval) for _ in range(draws)]
        for name, values in expected.items():
            measured = np.concatenate([each[name] for each in found], axis=1)
            np.testing.assert_array_equal(measured, values)
    for chain in range(4):
        np.testing.assert_array_equal(parts.spins(chain), whole.spins(chain))


KILLED = Ising(Lattice((32, 33)))


def _simulate_often_checked_in(folder):
    SiteEngine.updates_a_call = 1e5
    run_files._WRITES = 0.0
    _simulate_in(folder)


def _simulate_in(folder):
    options = {"sweeps": 15_000, "thermalization": 1000, "snapshots": 5, "seed": 4}
    return simulate(
        KILLED, HeatBath(), [2.0, 3.0], interval=10, out=folder, checkpoint_seconds=0, **options
    )


def _written(folder):
    file = folder / "run.json"
    return file.stat().st_mtime_ns if file.exists() else None


def _soon_after_a_write(process, folder, generator, number):
    before = _written(folder)
    while process.exitcode is None and _written(folder) == before:
        process.join(0.002)  # it sets up, which takes far longer than the run
    process.join(generator.uniform(0.0, 0.2))


@pytest.mark.soak
def test_killed_at_any_moment_it_ends_alike(tmp_path):
    """Kill -9 at four random moments between and within writes; `make soak` has fifty."""
    whole = _simulate_in(None)

    def check(folder):
        xr.testing.assert_identical(_simulate_in(folder), whole)
        assert not list(folder.glob(".*"))

    modules = ["isingrl.simulation", "hypothesis", "pytest"]
    last = kill_at_random(
        _simulate_often_checked_in, tmp_path, 4, 3, modules, _soon_after_a_write, check
    )
    check(last)


def test_without_a_seed_a_run_goes_on_with_its_own(tmp_path, calls):
    calls(9)
    with pytest.raises(KeyboardInterrupt):
        run("lanes", tmp_path, seed=None)
    calls(1000)
    resumed = run("lanes", tmp_path, seed=None)
    seed = int(resumed.attrs["seed_entropy"])
    xr.testing.assert_identical(resumed, run("lanes", seed=seed))
    xr.testing.assert_identical(run("lanes", tmp_path, seed=seed), resumed)
    with pytest.raises(ValueError, match=f"of one with seed = {seed}, not 6$"):
        run("lanes", tmp_path, seed=6)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_may_change(threads, tmp_path, calls, monkeypatch):
    whole = run("several-blocks")
    calls(8)
    with pytest.raises(KeyboardInterrupt):
        run("several-blocks", tmp_path)
    calls(100)
    monkeypatch.setattr("numba.get_num_threads", lambda: threads)
    xr.testing.assert_identical(run("several-blocks", tmp_path), whole)


def test_the_bar_begins_with_what_is_done(tmp_path, monkeypatch):
    bars = []

    class Bar(measurement.tqdm):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            bars.append((options["initial"], options["total"]))

    monkeypatch.setattr(measurement, "tqdm", Bar)
    for sweeps in (8, 20, 8):
        run("lanes", tmp_path, sweeps=sweeps)
    assert bars == [(0, 13), (13, 25), (13, 13)]


def test_checkpoints_take_little_of_the_time(tmp_path, monkeypatch):
    clock = [0.0]
    written = []

    def write(*_):
        written.append(clock[0])
        clock[0] += 1.0

    monkeypatch.setattr(run_files, "write_archive", write)
    monkeypatch.setattr(run_files.time, "monotonic", lambda: clock[0])

    def later(self, draws, interval, _original=LaneEngine.record):
        clock[0] += 6.0
        return _original(self, draws, interval)

    monkeypatch.setattr(LaneEngine, "record", later)
    monkeypatch.setattr(LaneEngine, "updates_a_call", 1.0)
    model, rule, _ = CASES["lanes"]
    simulate(model, rule, 2.0, sweeps=20, seed=1, out=tmp_path, checkpoint_seconds=10)
    # the first after ten seconds; then 20 s after each that took one, and the last at the end
    assert written == [12.0, 37.0, 62.0, 87.0, 112.0, 125.0]
