"""The example for SLURM: jobs that end, or are killed, at random moments, and the script too.

`make soak` runs it.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tests.fake_slurm import FakeSlurm
from tests.soak.test_commands import FILES, MOST_DEATHS, PATIENCE, STUDY, unbroken
from tests.studies.outcomes import assert_same, outcome

ROOT = Path(__file__).parents[2]
SCRIPT = """
import runpy, sys
main = runpy.run_path({example!r})["main"]
main(
    sys.argv[1:], jobs=2, memory="1GB", log_directory=None, death_timeout=10,
    worker_extra_args=["--lifetime", "{lifetime}s", "--lifetime-stagger", "3s"],
)
"""
ENDS = 25
# a job that is lost is submitted again at once
DASK = {"DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1s"}


def start(slurm, out, lifetime):
    """The script at work."""
    code = SCRIPT.format(example=str(ROOT / "docs/examples/slurm.py"), lifetime=lifetime)
    with out.with_suffix(".log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-c", code, *STUDY, "--out", out],
            stdout=log, stderr=log, cwd=out.parent, start_new_session=True,
            env=os.environ | DASK | {"PATH": slurm.path},
        )  # fmt: skip


def gone(slurm):
    """Seconds until no job is left."""
    began = time.monotonic()
    while left := slurm.running():
        assert time.monotonic() - began < PATIENCE, left
        time.sleep(0.1)
    return time.monotonic() - began


def test_jobs_that_end_at_random_moments(tmp_path):
    whole, _ = unbroken(tmp_path / "whole", STUDY)
    generator, slurm = np.random.default_rng(9), FakeSlurm(tmp_path / "slurm")
    studies, ends, longest = 0, {"script": 0, "job killed": 0, "job terminated": 0}, 0.0
    process, finished, deaths = None, False, 0
    with tqdm(total=ENDS, desc="ends of jobs", unit="end", mininterval=5.0) as bar:
        while sum(ends.values()) < ENDS or not finished:
            out = tmp_path / str(studies)
            if process is None:
                process = start(slurm, out, generator.integers(4, 12))
                finished, deaths = False, 0
            try:
                process.wait(generator.uniform(1, 5))
            except subprocess.TimeoutExpired:
                if sum(ends.values()) >= ENDS:
                    continue
            else:
                assert process.returncode == 0, out.with_suffix(".log").read_text()
                longest = max(longest, gone(slurm))
                assert {path.name for path in out.iterdir()} == FILES
                assert not list(out.rglob(".*"))
                assert_same(outcome(out), whole)
                studies, process, finished = studies + 1, None, True
                continue
            running = slurm.running()
            if deaths == MOST_DEATHS or generator.random() < 0.1:
                process.kill()
                process.wait()
                process = None
                ends["script"] += 1
            elif running:
                sign = generator.choice([signal.SIGKILL, signal.SIGTERM])
                slurm.end(int(generator.choice(running)), sign)
                deaths += 1
                ends["job killed" if sign == signal.SIGKILL else "job terminated"] += 1
            else:
                continue
            bar.update()
    submitted = len(slurm.jobs())
    print(
        f"SLURM: {ends} over {studies} studies, which all ended alike; {submitted} jobs submitted, "
        f"all gone within {longest:.1f} s"
    )
