"""The folder of a run: other arguments, damaged files and places that cannot be written to."""

import dataclasses
import errno
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from isingrl import HeatBath, Ising, Lattice, Learning, Metropolis, simulate
from isingrl.agents import IndependentQ, MeanFieldQ
from isingrl.engines.lanes import LaneEngine
from isingrl.engines.learning import LearningEngine
from isingrl.engines.sites import SiteEngine
from isingrl.support import archives
from isingrl.support.archives import read_archive

SQUARE = Ising(Lattice((4, 6)), 1.0, 0.1)


@pytest.fixture
def no_engine(monkeypatch):
    """A function after which no engine may make a sweep."""

    def refuse(*_):
        raise AssertionError("the engine ran")

    def forbid():
        for engine in (LaneEngine, SiteEngine, LearningEngine):
            monkeypatch.setattr(engine, "sweep", refuse)
            monkeypatch.setattr(engine, "record", refuse)

    return forbid


def run(out=None, **options):
    arguments = {
        "model": SQUARE, "rule": Metropolis(), "temperature": [2.0, 3.0], "chains": 2,
        "sweeps": 24, "thermalization": 5, "interval": 2, "seed": 3, "out": out,
    }  # fmt: skip
    return simulate(**arguments | options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": Ising(Lattice((4, 8)), 1.0, 0.1)}, r"model\.shape = \[4, 6\], not \[4, 8\]"),
        ({"model": Ising(Lattice((4, 6)), 0.5, 0.1)}, r"model\.coupling = 1\.0, not 0\.5"),
        ({"model": Ising(Lattice((4, 6)), 1.0, 0.0)}, r"model\.field = 0\.1, not 0\.0"),
        ({"rule": HeatBath()}, r"rule\.name = metropolis, not heat-bath"),
        ({"temperature": [2.0, np.inf]}, r"temperature = 2\.0, 3\.0, not 2\.0, inf"),
        ({"chains": 3}, "chains = 2, not 3"),
        ({"start": "up"}, "start = random, not up"),
        ({"start": np.ones((4, 6))}, "start = random, not array [0-9a-f]{64}"),
        ({"schedule": "synchronous"}, "schedule = checkerboard, not synchronous"),
        ({"thermalization": 6}, "thermalization = 5, not 6"),
        ({"interval": 3}, "interval = 2, not 3"),
        ({"snapshots": 2}, "snapshots = 0, not 2"),
        ({"rule": Learning(IndependentQ())}, r"rule\.name = metropolis, not independent-q"),
        ({"seed": 4}, "seed = 3, not 4"),
    ],
)
def test_other_arguments_are_refused(change, message, tmp_path, no_engine):
    run(tmp_path)
    no_engine()
    allowed = f"out must be a new folder or that of the same run; .* is of one with {message}$"
    with pytest.raises(ValueError, match=allowed):
        run(tmp_path, **change)


def test_other_agents_are_refused(tmp_path):
    agent = MeanFieldQ(discount=0.5)
    run(tmp_path, rule=Learning(agent))
    other = dataclasses.replace(agent, discount=0.25)
    with pytest.raises(ValueError, match=r"of one with rule\.discount = 0\.5, not 0\.25$"):
        run(tmp_path, rule=Learning(other))


@pytest.mark.parametrize("sweeps", [20, 30])
def test_a_run_with_snapshots_keeps_its_length(sweeps, tmp_path, no_engine):
    run(tmp_path, snapshots=3)
    no_engine()
    with pytest.raises(ValueError, match=f"sweeps = 24, not {sweeps}: which spins are kept"):
        run(tmp_path, snapshots=3, sweeps=sweeps)


def truncate(folder):
    data = folder / "run.safetensors"
    data.write_bytes(data.read_bytes()[:200])


def flip(folder):
    data = folder / "run.safetensors"
    content = bytearray(data.read_bytes())
    content[-9] ^= 1
    data.write_bytes(content)


def of_another_format(folder):
    rewrite(folder, lambda settings, arrays: settings.update(format="isingrl-run-0"))


def without_arguments(folder):
    rewrite(folder, lambda settings, arrays: settings.pop("arguments"))


def without_engine(folder):
    rewrite(folder, lambda settings, arrays: arrays.pop("engine.words"))


def without_everything(folder):
    rewrite(folder, lambda settings, arrays: [arrays.clear(), arrays.update(x=np.zeros(1))])


def of_other_shape(folder):
    rewrite(folder, lambda settings, arrays: arrays.update({"series.bonds": np.zeros((4, 3))}))


def rewrite(folder, change):
    settings, arrays = read_archive(folder, "run", "isingrl-run-1", "run")
    change(settings, arrays)
    archives.write_archive(folder, "run", settings, arrays)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(truncate, "", id="truncated"),
        pytest.param(flip, "run.safetensors was changed", id="flipped"),
        pytest.param(lambda f: (f / "run.json").write_text("no JSON"), "", id="no-json"),
        pytest.param(lambda f: (f / "run.json").write_text("[]"), "", id="list"),
        pytest.param(lambda f: (f / "run.json").write_text(json.dumps({})), "sha256", id="empty"),
        pytest.param(lambda f: (f / "run.safetensors").unlink(), "has no run.safe", id="missing"),
        pytest.param(of_another_format, "its format is 'isingrl-run-0'", id="format"),
        pytest.param(without_arguments, "arguments", id="arguments"),
        pytest.param(without_engine, "its arrays must be", id="engine"),
        pytest.param(without_everything, "its series must hold .*'spins'", id="everything"),
        pytest.param(of_other_shape, "its series must be", id="series"),
    ],
)
def test_damaged_and_foreign_files_are_refused(spoil, message, tmp_path, no_engine):
    run(tmp_path)
    no_engine()
    spoil(tmp_path)
    with pytest.raises(ValueError, match=f"out must be a run folder; .*{message}"):
        run(tmp_path)


def test_a_write_cut_between_its_two_files_is_whole(tmp_path):
    run(tmp_path, sweeps=8)
    earlier = (tmp_path / "run.json").read_bytes()
    run(tmp_path, sweeps=16)
    (tmp_path / "run.json").write_bytes(earlier)
    xr.testing.assert_identical(run(tmp_path, sweeps=20), run(sweeps=20))


def test_what_another_process_replaces_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    """Else settings of one write would go with arrays of another."""
    archives.write_archive(tmp_path, "run", {"format": "f", "n": 1}, {"n": np.array([1])})

    def load(path, _original=archives.load_file):
        for n in range(2, 4 if len(loaded) < 2 else 2):
            archives.write_archive(tmp_path, "run", {"format": "f", "n": n}, {"n": np.array([n])})
        loaded.append(_original(path))
        return loaded[-1]

    loaded = []
    monkeypatch.setattr(archives, "load_file", load)
    settings, arrays = read_archive(tmp_path, "run", "f", "run")
    assert (settings["n"], arrays["n"].tolist(), len(loaded)) == (3, [3], 3)


def test_what_a_killed_write_left_is_removed(tmp_path):
    left = tempfile.mkdtemp(prefix=".run-", dir=tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    run(tmp_path)
    assert not Path(left).exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"checkpoint_seconds": float("nan")}, ValueError, "checkpoint_seconds must be finite"),
        ({"checkpoint_seconds": -1.0}, ValueError, "checkpoint_seconds must lie in"),
        ({"checkpoint_seconds": "1"}, TypeError, "checkpoint_seconds must be a real number"),
        ({"out": 3}, TypeError, "out must be a path; got 3"),
        ({"out": True}, TypeError, "out must be a path; got True"),
    ],
)
def test_bad_input(options, error, message, no_engine):
    no_engine()
    with pytest.raises(error, match=message):
        simulate(SQUARE, HeatBath(), 2.0, sweeps=5, **options)


@pytest.mark.parametrize("place", ["file", "file/folder"])
def test_a_folder_that_cannot_be_written_to(place, tmp_path, no_engine):
    (tmp_path / "file").touch()
    no_engine()
    with pytest.raises(ValueError, match=r"out must be a folder that can be written to; .*file"):
        run(tmp_path / place)


def test_wrong_arguments_make_no_folder(tmp_path):
    with pytest.raises(ValueError, match="interval must be"):
        run(tmp_path / "new", interval=100)
    assert not (tmp_path / "new").exists()


def test_a_full_disk_is_told(tmp_path):
    resource = pytest.importorskip("resource")
    run(tmp_path, sweeps=8)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="cannot be written to") as stop:
            run(tmp_path, sweeps=80)
        assert stop.value.errno == errno.EFBIG
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    xr.testing.assert_identical(run(tmp_path, sweeps=80), run(sweeps=80))
