"""A study on SLURM: every worker is a job of one core, which dask-jobqueue submits.

Copy this file, set JOBS and JOB for your cluster, and give it the arguments of `isingrl`:

    python slurm.py curve --sweeps 400000 --out results/curve

It runs as long as the study: start it in tmux on a login node, or as a job. Needs the extra
isingrl[cluster].
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Any

from dask_jobqueue.slurm import SLURMCluster

from studies.command.main import main as isingrl

JOBS = 20
JOB: dict[str, Any] = {
    # "queue": "…", "account": "…",
    "cores": 1,
    "processes": 1,
    "memory": "2GB",
    "walltime": "04:00:00",
    # A worker that leaves before its job ends does not count as a failure of its task.
    "worker_extra_args": ["--lifetime", "225m", "--lifetime-stagger", "5m"],
    "log_directory": "slurm-logs",
    "scheduler_options": {"dashboard_address": ":0"},  # 8787 may be somebody else's
}


def main(study: Sequence[str], jobs: int = JOBS, **changes: Any) -> None:
    """Run a study on workers that are jobs; a job that ends is replaced by a new one.

    Parameters
    ----------
    study : sequence of str
        Arguments of `isingrl` on the command line.
    jobs : int
        Number of jobs at the same time.
    **changes
        Changes of `JOB`.
    """
    with SLURMCluster(**JOB | changes) as cluster:
        cluster.adapt(minimum_jobs=jobs, maximum_jobs=jobs)
        cluster.wait_for_workers(1)  # the first job may have to wait for hours
        isingrl([*study, "--scheduler", cluster.scheduler_address])


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # which also cancels the jobs
    main(sys.argv[1:])
