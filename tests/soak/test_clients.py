"""A Dask cluster whose clients meet, and ask for more memory than there is.

`make soak` runs it.
"""

import multiprocessing
import time

import pytest
import xarray as xr

from studies.running.runner import StudyError, run_to_folder
from tests.studies.conftest import toy_folder
from tests.studies.outcomes import outcome
from tests.studies.test_runner import cluster, stamps, whole
from tests.studies.toy import Toy

__all__ = ["cluster", "toy_folder", "whole"]  # fixtures


def test_one_study_in_two_folders_at_once(tmp_path, whole, cluster):
    """Whose tasks have the same names."""
    study, address = Toy(seconds=0.5), cluster.scheduler_address
    outs = [tmp_path / name for name in ("one", "other")]
    process = multiprocessing.get_context("spawn").Process(
        target=run_to_folder, args=(study, "toy", outs[0]), kwargs={"scheduler": address}
    )
    process.start()
    while not (outs[0] / "tasks" / "ledger.jsonl").exists():
        assert process.is_alive()
        time.sleep(0.01)
    run_to_folder(study, "toy", outs[1], scheduler=address)
    process.join()
    for out in outs:
        xr.testing.assert_identical(outcome(out)["data"], whole["data"])


def test_a_worker_out_of_memory_is_told(tmp_path, cluster):
    with pytest.raises(StudyError, match=r"T = 2: (KilledWorker|MemoryError)"):
        run_to_folder(Toy(accidents=("eat",)), "toy", tmp_path, scheduler=cluster.scheduler_address)
    assert stamps(tmp_path).keys() == {"T = 2.5", "T = 3"}
