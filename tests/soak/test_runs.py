"""Long runs with checkpoints, killed at random moments. `make soak` runs it."""

import pytest
import xarray as xr
from tqdm import tqdm

from isingrl import HeatBath, Ising, Lattice, Learning, Metropolis, run_files, simulate
from isingrl.agents import IndependentQ, MeanFieldQ
from isingrl.engines.lanes import LaneEngine
from isingrl.engines.learning import LearningEngine
from isingrl.engines.sites import SiteEngine
from tests.killing import Share, kill_at_random

LEARN = {"thermalization": 10, "interval": 1}
DEEP = {"discount": 0.5, "reward_time": "after", "target_interval": 3}
CASES = {
    "lanes": (Metropolis(), {"sweeps": 6000, "snapshots": 5}, 13),
    "sites": (HeatBath(), {"sweeps": 3000, "schedule": "sequential"}, 12),
    "table": (Learning(IndependentQ()), {"sweeps": 3000, **LEARN}, 12),
    "network": (
        Learning(MeanFieldQ(network=(8,), replay=2000, batch_size=64, **DEEP)),
        {"sweeps": 400, **LEARN}, 13,
    ),
}  # fmt: skip
MODULES = ["isingrl.simulation", "pytest", "hypothesis", "torch._dynamo", "tqdm"]


def run(name, folder):
    rule, options, _ = CASES[name]
    arguments = {"thermalization": 1000, "interval": 10, "chains": 2, "seed": 4} | options
    return simulate(
        Ising(Lattice((32, 32))), rule, [2.0, 2.3], out=folder, checkpoint_seconds=0, **arguments
    )


def run_often_checked(name, folder):
    """With a checkpoint after every few sweeps."""
    for engine in (LaneEngine, SiteEngine, LearningEngine):
        engine.updates_a_call = 2e5
    run_files._WRITES = 0.0
    run(name, folder)


class Target:
    """A case to run in a folder."""

    def __init__(self, name):
        self.name = name

    def __call__(self, folder):
        run_often_checked(self.name, folder)


@pytest.mark.parametrize("name", CASES)
def test_killed_at_random_moments(name, tmp_path):
    """Fifty in all."""
    whole, kills = run(name, None), CASES[name][2]
    ends = []

    def check(folder):
        xr.testing.assert_identical(run(name, folder), whole)
        assert {path.name for path in folder.iterdir()} == {"run.json", "run.safetensors"}
        ends.append(folder)

    with tqdm(total=kills, desc=f"kill -9 of {name}", unit="kill", mininterval=5.0) as bar:
        last = kill_at_random(
            Target(name), tmp_path, kills, 5, MODULES, Counted(Share(0.0), bar), check
        )
    check(last)
    print(f"{name}: {kills} kills over {len(ends)} runs, which all ended alike")


class Counted:
    """Pauses that show how many ended with a kill."""

    def __init__(self, pause, bar):
        self.pause, self.bar = pause, bar

    def __call__(self, process, folder, generator, number):
        self.pause(process, folder, generator, number)
        if process.exitcode is None:
            self.bar.update()
