"""Disks that are full at random moments. `make soak` runs it, as root."""

import os
import subprocess
from contextlib import contextmanager

import numpy as np
import pytest
import xarray as xr
from tqdm import tqdm

from isingrl import HeatBath, Ising, Lattice, run_files, simulate
from isingrl.engines.sites import SiteEngine
from studies.running.ledger import Ledger
from studies.running.runner import StudyError, run_to_folder
from studies.running.tasks import jobs
from tests.soak.test_commands import FILES, STUDY, Started, unbroken
from tests.studies.outcomes import assert_same, outcome
from tests.studies.toy import Toy

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
ROUNDS, COMMANDS = 30, 5
TOY = Toy(temperatures=tuple(np.linspace(1, 4, 10)), sweeps=400)


@contextmanager
def small_disk(folder, kilobytes):
    """Give a function that changes the size of the disk that the folder lies on."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", folder], check=True)

    def resize(kilobytes):
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", folder], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", folder], check=True)


def complaint(action):
    """What is said about a full disk, "" if nothing."""
    try:
        action()
    except (StudyError, OSError, ValueError) as error:
        return str(error)
    return ""


def used(folder):
    """Kilobytes."""
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize // 1024


def test_studies_on_small_disks(tmp_path):
    run_to_folder(TOY, "toy", tmp_path / "whole")
    whole = outcome(tmp_path / "whole")
    with small_disk(tmp_path / "large", 100_000):
        run_to_folder(TOY, "toy", tmp_path / "large" / "out")
        needed = used(tmp_path / "large")
    generator, full = np.random.default_rng(6), 0
    for number in tqdm(range(ROUNDS), desc="full disks", mininterval=5.0):
        size = int(generator.uniform(100, needed))
        with small_disk(tmp_path / str(number), size) as resize:
            out, done = tmp_path / str(number) / "out", set()
            while said := complaint(lambda out=out: run_to_folder(TOY, "toy", out)):
                assert "No space left" in said
                full += 1
                before = done
                done, damaged = Ledger(out / "tasks").finished(jobs(TOY.tasks(), TOY.seed))
                assert not damaged
                assert done >= before
                size += int(generator.uniform(10, 60))
                resize(size)
            assert_same(outcome(out), whole)
            assert not list(out.rglob(".*"))
    print(f"studies: {full} full disks over {ROUNDS} studies, which all ended alike")


def test_the_command_on_small_disks(tmp_path):
    with small_disk(tmp_path / "large", 100_000):
        whole, _ = unbroken(tmp_path / "large" / "out", STUDY)
        needed = used(tmp_path / "large")
    generator, full = np.random.default_rng(7), 0
    for number in tqdm(range(COMMANDS), desc="full disks of the command"):
        size = int(generator.uniform(0.1, 0.9) * needed)
        with small_disk(tmp_path / str(number), size) as resize:
            out = tmp_path / str(number) / "out"
            while True:
                started = Started(out, STUDY, log=tmp_path / "log")
                assert started.ended(300)
                if started.process.returncode == 0:
                    break
                said = started.log.read_text()
                assert started.process.returncode == 1, said
                assert "No space left" in said
                assert "Traceback" not in said
                full += 1
                size += int(generator.uniform(0.2, 0.5) * needed)
                resize(size)
            assert_same(outcome(out), whole)
            assert {path.name for path in out.iterdir()} == FILES
            assert not list(out.rglob(".*"))
    print(f"command: {full} full disks over {COMMANDS} studies, which all ended alike")


def test_runs_on_small_disks(tmp_path, monkeypatch):
    monkeypatch.setattr(SiteEngine, "updates_a_call", 1e5)
    monkeypatch.setattr(run_files, "_WRITES", 0.0)

    def run(folder):
        return simulate(
            Ising(Lattice((16, 17))), HeatBath(), [2.0, 3.0], sweeps=8000, interval=1, seed=4,
            out=folder, checkpoint_seconds=0,
        )  # fmt: skip

    whole = run(None)
    generator, full = np.random.default_rng(8), 0
    for number in tqdm(range(ROUNDS), desc="full disks of runs", mininterval=5.0):
        size = int(generator.uniform(50, 700))
        with small_disk(tmp_path / str(number), size) as resize:
            folder = tmp_path / str(number) / "run"
            while said := complaint(lambda folder=folder: run(folder)):
                assert "No space left" in said
                full += 1
                size += int(generator.uniform(10, 200))
                resize(size)
            xr.testing.assert_identical(run(folder), whole)
            assert {path.name for path in folder.iterdir()} == {"run.json", "run.safetensors"}
    print(f"runs: {full} full disks over {ROUNDS} runs, which all ended alike")
