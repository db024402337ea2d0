"""Studies that are cut short, damaged, extended or run on several processes."""

import contextlib
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import xarray as xr

from studies.running import cluster as cluster_module
from studies.running import runner
from studies.running.executors import InProcess, Workers
from studies.running.extensions import joined
from studies.running.files import open_dataset, write_dataset
from studies.running.ledger import Ledger
from studies.running.progress import Display, Status
from studies.running.runner import StudyError, run, run_to_folder
from studies.running.tasks import Task, jobs
from studies.temperature_map import TemperatureMap
from tests.killing import Share, kill_at_random
from tests.studies.outcomes import assert_same, outcome
from tests.studies.toy import Toy, average

ROOT = Path(__file__).parents[2]


def stamps(out):
    """When each task was started, by key."""
    lines = (out / "tasks" / "ledger.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines if line.endswith("}")]  # else cut short
    return {entry["key"]: entry["started"] for entry in entries}


def noted(folder):
    """Temperatures that were run, in order."""
    return [line.split()[0] for line in (folder / "notes").read_text().splitlines()]


@pytest.fixture(scope="module")
def whole(toy_folder):
    """Files of the toy study when nothing happens to it."""
    return outcome(toy_folder)


@pytest.fixture
def out(toy_folder, tmp_path):
    """A copy of its folder."""
    return shutil.copytree(toy_folder, tmp_path / "toy")


def test_run_gives_the_data_of_the_files(whole):
    data = run(Toy())
    assert not data.chunks
    xr.testing.assert_identical(data.drop_attrs(deep=False), whole["data"])


def test_a_second_start_does_nothing_again(tmp_path, whole, capsys):
    notes = tmp_path / "notes"
    notes.mkdir()
    out = tmp_path / "out"
    study = Toy(notes=str(notes), later=True)
    for _ in range(2):
        run_to_folder(study, "toy", out, progress=True)
        assert noted(notes) == ["2", "2.5", "3"]
    assert "4 of 4 tasks done" in capsys.readouterr().err
    assert np.isfinite(outcome(out)["data"]["mean"])


def test_files_say_where_they_come_from(tmp_path):
    run_to_folder(Toy(seed=7), "toy", tmp_path)
    for name in ("data.nc", "summary.nc"):
        with open_dataset(tmp_path / name) as data:
            about = json.loads(data.attrs["provenance"])
            assert json.loads(data.attrs["config"])["temperatures"] == [2.0, 2.5, 3.0]
        assert about["seed_entropy"] == 7
        assert about["started"] <= about["ended"]
        assert {"isingrl", "numpy", "numba", "torch", "xarray"} <= about["versions"].keys()
        assert about["machine"].keys() >= {"host", "processor", "cores", "python"}
        with open_dataset(tmp_path / name, group="provenance") as tasks:
            assert tasks["task"].values.tolist() == ["T = 2", "T = 2.5", "T = 3"]
            assert (tasks["seconds"] > 0).all()
            assert (tasks["started"].values <= tasks["ended"].values).all()
    tree = xr.open_datatree(tmp_path / "data.nc", engine="h5netcdf")
    assert set(tree.children) == {"provenance"}
    tree.close()


def test_what_killed_writes_left_is_removed(tmp_path):
    (tmp_path / ".data.7.scratch.zarr" / "energy").mkdir(parents=True)
    (tmp_path / ".data.7.scratch.nc").touch()
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / ".T-=-2.5-05776d71ad170176.7.scratch.safetensors").touch()
    mine = tmp_path / ".mine.7.nc"
    mine.touch()
    run_to_folder(Toy(), "toy", tmp_path)
    assert list(tmp_path.rglob(".*")) == [mine]


@pytest.mark.parametrize("damage", ["truncated", "changed", "removed", "ledger"])
def test_a_damaged_result_is_told_and_made_again(damage, out, whole, capsys):
    tasks = out / "tasks"
    path = sorted(tasks.glob("T-=-2.5-*.safetensors"))[0]
    content, before = path.read_bytes(), stamps(out)
    if damage == "truncated":
        path.write_bytes(content[:-100])
    elif damage == "changed":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "removed":
        path.unlink()
    else:  # a crash within a line
        ledger = tasks / "ledger.jsonl"
        ledger.write_bytes(ledger.read_bytes()[:-40])
    for name in ("data.nc", "summary.nc", "figure.png"):
        (out / name).unlink()
    run_to_folder(Toy(), "toy", out)
    assert_same(outcome(out), whole)
    said = capsys.readouterr().err
    assert ("'T = 2.5' is damaged" in said) == (damage != "ledger")
    again = "T = 3" if damage == "ledger" else "T = 2.5"
    assert {key for key, stamp in stamps(out).items() if stamp != before[key]} == {again}
    assert len(Ledger(tasks).finished(jobs(Toy().tasks(), 1))[0]) == 3


def test_another_configuration_starts_anew_and_keeps_what_was_there(out, capsys):
    former = stamps(out)
    run_to_folder(Toy(side=6), "toy", out)
    said = capsys.readouterr().err
    assert "side was 8 and is 6: starting anew" in said
    aside = out / "earlier-tasks-1"
    assert str(aside) in said
    assert len(list(aside.glob("*.safetensors"))) == 3
    assert stamps(out).keys() == former.keys()
    run_to_folder(Toy(), "toy", out)
    assert (out / "earlier-tasks-2").is_dir()


def test_an_extended_study_does_nothing_twice(tmp_path, whole):
    small = Toy(temperatures=(2.0, 3.0), sweeps=25)
    run_to_folder(small, "toy", tmp_path)
    more = joined(small, replace(small, temperatures=(2.5,)))
    assert more.temperatures == (2.0, 3.0, 2.5)
    before = stamps(tmp_path)
    run_to_folder(more, "toy", tmp_path, extend=True)
    after = stamps(tmp_path)
    assert {key: after[key] for key in before} == before
    longer = joined(more, replace(more, sweeps=40))
    run_to_folder(longer, "toy", tmp_path, extend=True)
    xr.testing.assert_identical(
        outcome(tmp_path)["data"].sortby("temperature"), whole["data"].sortby("temperature")
    )
    with pytest.raises(ValueError, match=r"sweeps, 40; got 30"):
        joined(longer, replace(longer, sweeps=30))
    with pytest.raises(ValueError, match=r"temperatures, sweeps; side was 8, and cannot become 6"):
        joined(longer, replace(longer, side=6))


def test_a_task_that_raises_is_told_and_the_others_go_on(tmp_path, whole):
    study = Toy(accidents=("", "raise"))
    with pytest.raises(StudyError, match=r"1 of 3 tasks raised errors") as stop:
        run_to_folder(study, "toy", tmp_path)
    for word in ("T = 2.5: RuntimeError: no luck at 2.5", "temperature=2.5", "accident='raise'"):
        assert word in str(stop.value)
    assert stamps(tmp_path).keys() == {"T = 2", "T = 3"}
    assert not (tmp_path / "data.nc").exists()
    status = Status.read(tmp_path / "tasks")
    assert (status.state, status.done, len(status.failures)) == ("failed", 2, 1)
    assert "no luck" in status.failures[0]["traceback"]


@pytest.mark.parametrize(
    ("accident", "error", "message"),
    [("full", StudyError, r"No space left on device.*kept"), ("stop", KeyboardInterrupt, None)],
)
def test_full_disks_and_stops_that_cleaning_up_hides_end_it_at_once(
    accident, error, message, tmp_path
):
    with pytest.raises(error, match=message):
        run_to_folder(Toy(accidents=("", accident)), "toy", tmp_path)
    assert stamps(tmp_path).keys() == {"T = 2"}
    assert Status.read(tmp_path / "tasks").state == "stopped"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_a_small_file_system(tmp_path):
    out = tmp_path / "small"
    out.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", out], check=True)
    try:
        study = Toy(temperatures=tuple(np.linspace(1, 4, 30)), sweeps=400)
        with pytest.raises(StudyError, match="kept"):
            run_to_folder(study, "toy", out)
        done = Ledger(out / "tasks").finished(jobs(study.tasks(), 1))
        assert 0 < len(done[0]) < 30
        assert not done[1]
        subprocess.run(["mount", "-o", "remount,size=30m", out], check=True)
        before = stamps(out)
        run_to_folder(study, "toy", out)
        after = stamps(out)
        assert {key: after[key] for key in before} == before
        found = outcome(out)
    finally:
        subprocess.run(["umount", out], check=True)
    run_to_folder(study, "toy", tmp_path / "large")
    assert_same(found, outcome(tmp_path / "large"))


def test_a_second_start_on_one_folder_stops(tmp_path):
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=run_to_folder, args=(Toy(seconds=60), "toy", tmp_path))
    process.start()
    try:
        while not runner.is_running(tmp_path / "tasks"):
            time.sleep(0.05)
        with pytest.raises(ValueError, match=r"out must not be in use; .*isingrl status"):
            run_to_folder(Toy(), "toy", tmp_path)
    finally:
        process.kill()
        process.join()
    assert not runner.is_running(tmp_path / "tasks")
    run_to_folder(Toy(), "toy", tmp_path)


def _run_in(folder):
    run_to_folder(Toy(), "toy", folder)


@pytest.mark.soak
def test_killed_at_random_moments_it_ends_alike(tmp_path, whole):
    """Three, over as many studies as that takes; `make soak` kills the command fifty times."""

    def check(folder):
        assert_same(outcome(folder), whole)
        assert not list(folder.rglob(".*"))

    # all that a run imports, so that kills hit its work
    modules = ["studies.running.runner", "tests.studies.toy", "pytest", "dask.array", "distributed"]
    modules += ["h5netcdf", "isingrl.engines.lanes", "matplotlib.backends.backend_agg", "pint"]
    last = kill_at_random(_run_in, tmp_path, 3, 1, modules, Share(0.1), check)
    _run_in(last)
    check(last)


# Two processes of this machine, and a Dask cluster on loopback.


@pytest.mark.soak
def test_processes_compile_what_is_not_in_the_cache(tmp_path):
    """As those of the command do, which import its script, and with it numba, at once."""
    script = tmp_path / "script.py"
    script.write_text(
        "import numba, pathlib\n"
        "from studies.running.runner import run_to_folder\n"
        "from tests.studies.toy import Toy\n"
        "if __name__ == '__main__':\n"
        "    study = Toy((2.0, 3.0), accidents=('compile', 'compile'))\n"
        f"    run_to_folder(study, 'toy', pathlib.Path({str(tmp_path)!r}), workers=2)\n"
    )
    path = {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, script], check=True, env=os.environ | path)
    assert stamps(tmp_path).keys() == {"T = 2", "T = 3"}


def test_a_worker_that_dies_is_replaced(tmp_path, whole):
    study = Toy(accidents=("", "die once"), notes=str(tmp_path), seconds=0.2)
    run_to_folder(study, "toy", tmp_path / "out", workers=2)
    assert sorted(set(noted(tmp_path))) == ["2", "2.5", "3"]
    assert noted(tmp_path).count("2.5") == 2
    xr.testing.assert_identical(outcome(tmp_path / "out")["data"], whole["data"])


def test_a_worker_that_dies_while_it_starts_is_replaced(tmp_path, whole):
    me = psutil.Process()
    before, dead = me.children(recursive=True), []

    def kill():
        while not dead:
            for each in me.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    # copies of the process that has imported everything
                    if each not in before and each.ppid() != me.pid:
                        each.kill()
                        dead.append(each)
                        return
            time.sleep(0.001)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    run_to_folder(Toy(), "toy", tmp_path, workers=2)
    assert dead
    assert_same(outcome(tmp_path), whole)


def test_errors_of_processes_are_told_as_of_one(tmp_path):
    """And that a task kills its worker every time."""
    study = Toy(accidents=("die always", "raise"), notes=str(tmp_path))
    with pytest.raises(StudyError, match=r"2 of 3 tasks raised errors") as stop:
        run_to_folder(study, "toy", tmp_path / "out", workers=2)
    assert re.search(r"T = 2: ChildProcessError: .* for want of memory", str(stop.value))
    assert "T = 2.5: RuntimeError: no luck at 2.5" in str(stop.value)
    assert stamps(tmp_path / "out").keys() == {"T = 3"}
    failures = Status.read(tmp_path / "out" / "tasks").failures
    assert any("measure" in each["traceback"] for each in failures if each["key"] == "T = 2.5")


@pytest.fixture(scope="module")
def cluster():
    import dask
    from distributed import LocalCluster

    # on a busy machine a worker may take long to come back, and nobody else would replace it
    patience = dask.config.set({"distributed.deploy.lost-worker-timeout": "5m"})
    with (
        patience,
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit="500MB"
        ) as cluster,
    ):
        yield cluster


# spins alone; then agents with tables and with networks, trained and measured
ALIKE = {
    "toy": (Toy(), ["processes", "cluster"]),
    "networks": (
        TemperatureMap(
            shape=(4, 4), ring=8, rewards=("mean",), reduced_temperature=(0.8, 1.6, 2),
            training_sweeps=1, network_training_sweeps=2, sweeps=20, thermalization=1, chains=2,
        ),
        ["processes"],  # which have more memory than that cluster
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")
@pytest.mark.usefixtures("torch_if_needed")
@pytest.mark.parametrize("name", ["toy", pytest.param("networks", marks=pytest.mark.soak)])
def test_processes_and_clusters_give_the_same_bits(name, tmp_path, cluster):
    study, ways = ALIKE[name]
    options = {"processes": {"workers": 2}, "cluster": {"scheduler": cluster.scheduler_address}}
    run_to_folder(study, name, tmp_path / "here")
    for way in ways:
        run_to_folder(study, name, tmp_path / way, **options[way])
        assert_same(outcome(tmp_path / way), outcome(tmp_path / "here"))


def die_as_worker_0(folder, dask_worker):
    if dask_worker.name == 0:
        os._exit(1)
    return cluster_module._sees(folder)


def test_a_worker_that_is_lost_while_it_is_asked_is_done_without(
    tmp_path, whole, cluster, monkeypatch
):
    cluster.wait_for_workers(2)  # which other tests kill
    with monkeypatch.context() as patch:
        patch.setattr(cluster_module, "_sees", die_as_worker_0)
        run_to_folder(Toy(), "toy", tmp_path, scheduler=cluster.scheduler_address)
    assert_same(outcome(tmp_path), whole)


def test_a_worker_killed_from_outside_loses_nothing(tmp_path, whole, cluster):
    study = Toy(seconds=0.5, notes=str(tmp_path))
    notes, folder = tmp_path / "notes", tmp_path / "tasks"

    def kill():
        while not (notes.exists() and "\n" in notes.read_text()):
            time.sleep(0.01)
        os.kill(int(notes.read_text().split()[1]), signal.SIGKILL)  # it is asleep in its task

    killer = threading.Thread(target=kill)
    killer.start()
    with (
        Workers(1, cluster.scheduler_address, progress=False) as engine,
        Display("toy", folder.parent, shown=False) as display,
    ):
        folder.mkdir()
        done = runner.complete(study, folder, engine, display)
    killer.join()
    data = runner.joined_data(study, done).load()
    xr.testing.assert_identical(data.drop_attrs(deep=False), whole["data"])
    assert len(noted(tmp_path)) >= 4


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"workers": 0}, ValueError, "workers must be an integer of at least 1; got 0"),
        ({"workers": 1.5}, TypeError, "workers must be an integer"),
        ({"scheduler": "8786"}, ValueError, "scheduler must be an address .* got '8786'"),
        ({"scheduler": "tcp://127.0.0.1:9"}, ValueError, "scheduler must be .* that runs"),
        ({"scheduler": "smoke://127.0.0.1:9"}, ValueError, "scheduler must be"),
        ({"form": "csv"}, ValueError, "format must be"),
        ({"out": "file/out"}, ValueError, "out must be a folder that can be written to"),
    ],
)
def test_bad_options_are_refused(options, error, message, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "_CONNECT_SECONDS", 0.2)
    (tmp_path / "file").touch()
    with pytest.raises(error, match=message):
        run_to_folder(Toy(), "toy", **options | {"out": tmp_path / options.get("out", "out")})
    assert not list(tmp_path.glob("out/tasks/*.safetensors"))


def test_many_finished_tasks_are_all_found(tmp_path):
    study = Toy(temperatures=tuple(np.linspace(1, 4, 100)), sweeps=2, side=2)
    with Display("toy", tmp_path, shown=False) as display:
        runner.complete(study, tmp_path, InProcess(), display)
    made = jobs(study.tasks(), 1)
    done, damaged = Ledger(tmp_path).finished(made)
    assert done == {job.name for job in made}
    assert not damaged
    path = Ledger(tmp_path).result(made[50])
    path.write_bytes(path.read_bytes()[:-1])
    done, damaged = Ledger(tmp_path).finished(made)
    assert len(done) == 99
    assert damaged == [made[50].task.key]


def test_hdf5_outlives_disks_that_are_full(tmp_path):
    """It would crash at the second attempt."""
    numbers = np.random.default_rng(1).normal(size=(8, 20_000))
    data = xr.Dataset({"energy": (("chain", "draw"), numbers)})
    path, limit = tmp_path / "data.nc", resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (10_000, 1_000_000, 1_000_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                write_dataset(data, path, data)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        assert not list(tmp_path.iterdir())
    write_dataset(data, path, data)
    for group in (None, "provenance"):
        with open_dataset(path, group) as found:
            xr.testing.assert_identical(found.load(), data)


STOPPED_WRITES = """
import pathlib, signal, time
import numpy as np, xarray as xr
from studies.running.files import clear_scratch, open_dataset, write_dataset

numbers = np.random.default_rng(1).normal(size=(16, 2000))
whole = xr.Dataset({"energy": (("chain", "draw"), numbers)})
path = pathlib.Path("data.nc")
signal.signal(signal.SIGALRM, signal.default_int_handler)
for data in (whole, whole.chunk(chain=1)):
    write_dataset(data, path)
    began = time.monotonic()
    write_dataset(data, path)
    usual, stops = time.monotonic() - began, 0
    path.unlink()
    for k in range(30):
        signal.setitimer(signal.ITIMER_REAL, usual * (k + 1) / 31)
        try:
            write_dataset(data, path)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            stops += 1
        if path.exists():
            with open_dataset(path) as found:
                xr.testing.assert_identical(found.load(), whole)
    assert stops > 5
    write_dataset(data, path)
    with open_dataset(path) as found:
        xr.testing.assert_identical(found.load(), whole)
    clear_scratch(path.parent)  # left where the stop came while it was removed
    assert list(path.parent.iterdir()) == [path]
"""


@pytest.mark.soak
def test_hdf5_outlives_ctrl_c(tmp_path):
    """Of data in memory and in blocks. An exception within its writing would make it crash."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-c", STOPPED_WRITES]
    subprocess.run(program, cwd=tmp_path, env=environment, check=True)


def test_names_of_jobs_follow_from_what_arguments_say():
    def names(*arguments):
        tasks = [Task(f"{k}", average, {"of": of}) for k, of in enumerate(arguments)]
        return [job.name for job in jobs(tasks, 1)]

    shared = np.arange(3.0)
    assert names(shared, shared, [shared]) == names(shared, shared.copy(), [shared.copy()])
    assert names(shared, 2 * shared)[1] != names(shared, shared)[1]
