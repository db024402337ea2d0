"""The example for SLURM, without a queue."""

import importlib.util
import re
import time
from pathlib import Path

import pytest

from studies.command.catalogue import STUDIES
from studies.running.runner import run_to_folder
from tests.fake_slurm import FakeSlurm
from tests.studies.outcomes import assert_same, outcome
from tests.studies.toy import Toy

pytest.importorskip("dask_jobqueue")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("slurm", ROOT / "docs/examples/slurm.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.soak
def test_a_study_on_slurm_gives_the_same_bits(example, tmp_path, monkeypatch):
    slurm = FakeSlurm(tmp_path / "slurm")
    monkeypatch.setenv("PATH", slurm.path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the toy is not installed
    monkeypatch.setitem(STUDIES, "toy", Toy)
    monkeypatch.chdir(tmp_path)
    example.main(["toy", "--out", "out"], jobs=1, memory="500MB")
    run_to_folder(Toy(), "toy", tmp_path / "here")
    assert_same(outcome(tmp_path / "out"), outcome(tmp_path / "here"))
    assert len(slurm.jobs()) == 1
    assert slurm.jobs() == slurm.jobs("cancelled")
    began = time.monotonic()
    while slurm.running():
        assert time.monotonic() - began < 60
        time.sleep(0.1)
    (script,) = slurm.scripts()
    for line in ("#SBATCH --cpus-per-task=1", "#SBATCH --mem=477M", "#SBATCH -t 04:00:00"):
        assert line in script
    assert "--nthreads 1 --memory-limit 476.84MiB --nanny" in script


def test_workers_leave_before_their_walltime(example):
    hours, minutes, _ = map(int, example.JOB["walltime"].split(":"))
    options = example.JOB["worker_extra_args"]
    lifetime, stagger = (int(re.fullmatch(r"(\d+)m", text)[1]) for text in options[1::2])
    assert options[::2] == ["--lifetime", "--lifetime-stagger"]
    assert lifetime + stagger < 60 * hours + minutes  # which both may add up to
