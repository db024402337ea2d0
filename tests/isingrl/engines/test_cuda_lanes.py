"""Bit lanes on a GPU have the bits of those on a CPU: on Numba's simulator, and on a GPU if any."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba import cuda

import isingrl as irl
from tests.isingrl.engines import cuda_cases

QUICK = ["square, any table", "square, synchronous", "square, bands", "bonds"]
MODEL = irl.Ising(irl.Lattice((4, 8)))


def simulated(names):
    """What `cuda_cases` prints."""
    run = subprocess.run(
        [sys.executable, "-m", cuda_cases.__name__, *names],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_runs_of_the_simulator_have_the_bits_of_the_cpu():
    found = simulated(QUICK)
    assert found["cases"] == {name: [] for name in QUICK}
    assert found["resumed"] == []
    assert found["full"] == (
        "MemoryError: device must have 24,612 bytes of free memory for these chains; it has 1,000"
    )
    for what in ("tempering", "odd side"):
        assert found[what].startswith("ValueError: device must be 'cpu' for this run; a GPU takes")


@pytest.mark.soak
def test_more_runs_of_the_simulator_have_the_bits_of_the_cpu():
    names = [name for name in cuda_cases.RUNS if name not in QUICK]
    assert simulated(names)["cases"] == {name: [] for name in names}


@pytest.mark.skipif(not cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("name", cuda_cases.RUNS)
def test_runs_on_a_gpu_have_the_bits_of_the_cpu(name):
    assert cuda_cases.differences(name) == []


@pytest.mark.skipif(cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_cuda_is_refused():
    with pytest.raises(ValueError, match="device must be 'cpu', as Numba finds no GPU"):
        irl.simulate(MODEL, irl.Metropolis(), 2.0, sweeps=1, device="cuda")


def test_other_devices_are_refused():
    with pytest.raises(ValueError, match="device must be one of 'cpu', 'cuda'; got 'tpu'"):
        irl.simulate(MODEL, irl.Metropolis(), 2.0, sweeps=1, device="tpu")
