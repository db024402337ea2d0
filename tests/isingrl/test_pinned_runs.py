"""Runs, trainings and files of an earlier commit: the same bits, and files that still go on.

``python -m tests.isingrl.test_pinned_runs`` writes the digests anew, for a change of the numbers on
purpose. The folders beside them stay those of the commit that wrote them.
"""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from isingrl import HeatBath, Ising, Lattice, Metropolis, Policy, simulate, train
from isingrl.agents import IndependentQ, JointQ, MeanFieldQ, NeighborhoodQ
from isingrl.battle import Arena, MeanFieldQTeam, TrainedTeam
from isingrl.battle import train as train_team
from studies.command.main import main
from tests.isingrl.test_resumed_runs import CASES, run

PINNED = Path(__file__).parent / "pinned"
DIGESTS = PINNED / "digests.json"
SQUARE = Ising(Lattice((4, 6)), 1.0, 0.1)
RING = Ising(Lattice((6,)))
AGENTS = {
    "energy": (SQUARE, MeanFieldQ(), {}),
    "discount": (SQUARE, MeanFieldQ(discount=0.9), {"schedule": "synchronous"}),
    "chapter-1d": (RING, MeanFieldQ(reward="chapter-1d"), {}),
    "table-a-site": (SQUARE, NeighborhoodQ(shared=False), {"chains": 2}),
    "independent": (SQUARE, IndependentQ(), {}),
    "joint": (RING, JointQ(), {}),
    "memory": (SQUARE, MeanFieldQ(replay=15, batch_size=8), {}),
    "network": (SQUARE, MeanFieldQ(network=(5,)), {}),
}
CURVE = [
    "curve", "--shape", "4", "4", "--temperature", "2", "3", "2", "--sweeps", "40", "--seed", "7",
]  # fmt: skip


def several_fields():
    model = Ising(Lattice((4, 6)), field=(0.0, 0.2))
    return simulate(model, Metropolis(), [2.0, 3.0], sweeps=20, chains=2, snapshots=2, seed=3)


def cooling():
    model = Ising(Lattice((6, 6)))
    return simulate(
        model, HeatBath(), [3.0, 2.0, 1.0], sweeps=10, ladder="temperature", loop=True, seed=3
    )


def typewriter():
    model = Ising(Lattice((3, 4, 2), "moore"))
    return simulate(model, Metropolis(), [20.0], sweeps=20, schedule="typewriter", seed=3)


def learned(name):
    """Spins of what was learned: numbers of a network differ in the last bits by processor."""
    model, agent, options = AGENTS[name]
    policy = train(model, agent, [2.0, 3.0], sweeps=30, seed=5, **options)
    chains = options.get("chains", 1)
    data = simulate(model, policy, sweeps=20, chains=chains, snapshots=4, seed=6)
    return data if name == "network" else data.assign(q_values=policy.q_values)


def battle():
    team = MeanFieldQTeam(memory=400, batch_size=16)
    arena = Arena(map_size=12, team_size=4, max_steps=10)
    trained = train_team(team, games=4, arena=arena, side_by_side=2, seed=5)
    return trained.history.drop_vars("loss").round(9)


def curve(folder, *options):
    main([*CURVE, "--out", str(folder), "--workers", "1", *options])
    return xr.load_dataset(folder / "data.nc")


RUNS = {
    **{f"simulate-{name}": lambda name=name: run(name) for name in CASES},
    **{f"train-{name}": lambda name=name: learned(name) for name in AGENTS},
    "several-fields": several_fields,
    "cooling": cooling,
    "typewriter": typewriter,
    "battle": battle,
}


def digests(data):
    """SHA-256 of every variable, by name: later commits may measure more."""
    found = {}
    for name, values in data.data_vars.items():
        own = np.ascontiguousarray(values.values)
        about = f"{own.shape} {own.dtype.str}".encode()
        found[name] = hashlib.sha256(about + own.tobytes()).hexdigest()
    return found


@pytest.mark.parametrize("name", RUNS)
def test_the_bits_are_those_of_the_commit_that_was_pinned(name):
    if "network" in name or name == "battle":
        pytest.importorskip("torch")
    pinned = json.loads(DIGESTS.read_text())[name]
    found = digests(RUNS[name]())
    assert {variable: found[variable] for variable in pinned} == pinned


@pytest.fixture
def folder(tmp_path):
    """A copy of the pinned folders."""
    copy = tmp_path / "pinned"
    shutil.copytree(PINNED, copy)
    return copy


def test_a_finished_study_is_shown_reruns_and_goes_on(folder, tmp_path, capsys):
    main(["show", str(folder / "curve")])
    main(["rerun", str(folder / "curve")])
    assert "is reproduced" in capsys.readouterr().out
    longer = ("--sweeps", "80")
    more = curve(folder / "curve", *longer, "--extend")
    whole = curve(tmp_path / "new", *longer)
    xr.testing.assert_equal(more, whole[list(more)])  # less what is measured since


def test_a_study_cut_short_goes_on_to_the_same_bits(folder, tmp_path):
    before = {path.name for path in (folder / "half" / "tasks").glob("*.safetensors")}
    assert len(before) == 1
    found, whole = curve(folder / "half"), curve(tmp_path / "new")
    for name in json.loads(DIGESTS.read_text())["simulate-lanes"]:
        xr.testing.assert_equal(found[name], whole[name])


@pytest.mark.parametrize("name", ["lanes", "sites", "memory"])
def test_a_run_goes_on_to_the_same_bits(name, folder):
    more = run(name, folder / f"run-{name}", sweeps=48)
    whole = run(name, sweeps=48)
    xr.testing.assert_equal(more, whole[list(more)])  # less what is measured since


def test_a_policy_is_read(folder):
    policy = Policy.load(folder / "policy")
    model, agent, options = AGENTS["discount"]
    assert policy.agent == agent
    again = train(model, agent, [2.0, 3.0], sweeps=30, seed=5, **options)
    np.testing.assert_array_equal(policy.q_values, again.q_values)
    found, expected = (simulate(model, each, sweeps=20, seed=6) for each in (policy, again))
    xr.testing.assert_identical(found, expected)


def test_a_trained_team_is_read_and_plays(folder):
    pytest.importorskip("torch")
    trained = TrainedTeam.load(folder / "team")
    assert trained.team == MeanFieldQTeam(memory=400, batch_size=16)


if __name__ == "__main__":
    DIGESTS.write_text(
        json.dumps({name: digests(make()) for name, make in RUNS.items()}, indent=1) + "\n"
    )
