"""The example with stable-baselines3, at a small size."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from analysis import thermodynamics
from isingrl import HeatBath, Ising, Lattice, simulate
from tests.statistical import Z_LIMIT

pytest.importorskip("torch")
pytest.importorskip("pettingzoo")
pytest.importorskip("stable_baselines3")
pytest.importorskip("supersuit")

from isingrl.envs import IsingEnv

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning"),  # the runs are short
]

ROOT = Path(__file__).parents[3]
SMALL = Ising(Lattice((8, 8)))


@pytest.fixture(scope="module")
def example():
    path = ROOT / "docs/examples/learn_with_stable_baselines3.py"
    spec = importlib.util.spec_from_file_location("learn_with_stable_baselines3", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_values_of_dqn_become_the_heat_bath(example):
    T = np.array([2.0, 2.5, 3.5])
    advantage = example.learn_values(example.through_supersuit(SMALL, 1), steps=300, seed=1)
    env = IsingEnv(SMALL)
    taus = env.softmax_temperature(T)
    rule = env.rule(lambda o: expit(advantage(o) / taus[:, None]), T, name="dqn")
    np.testing.assert_allclose(rule.table(SMALL, T), HeatBath().table(SMALL, T), atol=1e-3)
    stands_for, field = example.stands_for(rule, SMALL, T)
    np.testing.assert_allclose(stands_for, T, rtol=2e-3)
    np.testing.assert_allclose(field, 0, atol=2e-3)
    model = Ising(Lattice((16, 16)))
    run = {"sweeps": 3000, "thermalization": 300, "chains": 32, "start": "up"}
    back, own = (
        thermodynamics(simulate(model, each, T, seed=seed, **run))
        for seed, each in enumerate((rule, HeatBath()))
    )
    for name in ("abs_magnetization", "energy"):
        error = np.hypot(back[f"{name}_error"], own[f"{name}_error"])
        assert (abs(back[name] - own[name]) < Z_LIMIT * error).all()


def test_ppo_comes_near_the_heat_bath(example):
    """As near as the noise of its gradients lets it."""
    T = 2.5
    learned = example.learn_policy(example.as_arrays(SMALL, 1), T, steps=1600, seed=1)
    rule = IsingEnv(SMALL).rule(learned, T)
    known = HeatBath().table(SMALL, np.array([T]))
    assert abs(rule.table(SMALL, np.array([T])) - known).max() < 0.03
    (stands_for,), (field,) = example.stands_for(rule, SMALL, np.array([T]))
    assert abs(stands_for - T) < 0.2
    assert abs(field) < 0.1


def test_the_example_runs_through_supersuit(example, capsys):
    example.main(
        temperature=[2.0, 3.0], through="supersuit", train_side=4, value_steps=40,
        policy_steps=64, side=8, sweeps=200, chains=4,
    )  # fmt: skip
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines[::2]] == ["heat-bath", "dqn", "ppo", "ppo-symmetric"]
    assert all(len(line.split()) == 8 for line in lines)
