"""Rewards, policies, temperatures and folders that users bring: refused at once, in plain words."""

import dataclasses
import threading

import numpy as np
import pytest

import isingrl as irl
from isingrl import run as run_module
from isingrl.agents import REWARDS
from isingrl.agents.rewards import Reward
from isingrl.applicability import temperature_indices

MODEL = irl.Ising(irl.Lattice((4, 4)))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (lambda model, a: a * model.local_fields() * np.nan, "finite numbers; got nan"),
        (lambda model, a: a * model.local_fields() + np.inf, "finite numbers; got inf"),
        (lambda model, a: np.zeros(3), r"shape \(5,\); got the shape \(3,\)"),
        (lambda model, a: 1.0, r"got the shape \(\)"),
        (lambda model, a: np.zeros((5, 2)), r"got the shape \(5, 2\)"),
        (lambda model, a: None, "must return"),
        (lambda model, a: ["x"] * 5, "must return|could not convert"),
    ],
    ids=["nan", "inf", "three", "scalar", "two columns", "none", "text"],
)
def test_own_rewards_are_checked(values, said, monkeypatch):
    monkeypatch.setitem(REWARDS, "own", Reward("own", values, lambda model: 1.0))
    with pytest.raises(ValueError, match=said):
        irl.train(MODEL, irl.MeanFieldQ(reward="own"), 2.0, sweeps=2)


@pytest.mark.parametrize("ratio", [0.0, -1.0, np.nan, np.inf, None, "1"])
def test_own_temperature_ratios_are_checked(ratio, monkeypatch):
    own = Reward("own", REWARDS["energy"].values, lambda model: ratio)
    monkeypatch.setitem(REWARDS, "own", own)
    with pytest.raises(ValueError, match="temperature_ratio of reward 'own' must be a positive"):
        irl.train(MODEL, irl.MeanFieldQ(reward="own"), 2.0, sweeps=2)


def test_a_plain_function_is_no_reward(monkeypatch):
    monkeypatch.setitem(REWARDS, "own", lambda model, a: a)
    with pytest.raises(TypeError, match="reward 'own' must be a Reward; got <function"):
        irl.train(MODEL, irl.MeanFieldQ(reward="own"), 2.0, sweeps=2)
    with pytest.raises(TypeError, match="temperature_ratio must be a function; got 1"):
        Reward("own", REWARDS["energy"].values, 1)


@pytest.fixture(scope="module")
def policy():
    return irl.train(MODEL, irl.MeanFieldQ(), [0.1 * 3, 2.0], sweeps=100, seed=1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_action_values_must_be_finite(value, policy):
    wrong = policy.q_values.copy()
    wrong[0, 2, 1] = value
    with pytest.raises(ValueError, match=f"q_values must be finite numbers; got {value}"):
        irl.simulate(MODEL, dataclasses.replace(policy, q_values=wrong), sweeps=2)


def test_temperatures_that_differ_by_rounding_are_the_same(policy):
    data = irl.simulate(MODEL, policy, 0.3, sweeps=2, seed=1)
    assert data.temperature.values == pytest.approx([0.3])
    assert policy.table(MODEL, np.array([0.3])).shape == (1, 2, 5)
    assert policy.knowledge(np.array([0.3]), 1)["q"].shape == (1, 1, 5, 2)
    learned = irl.simulate(MODEL, irl.Learning(policy), 0.3, sweeps=2, seed=1)
    assert learned.sizes["temperature"] == 1
    with pytest.raises(ValueError, match="must be among those"):
        irl.simulate(MODEL, policy, 0.300001, sweeps=2)
    with pytest.raises(ValueError, match="more than once"):
        irl.simulate(MODEL, policy, [0.3, 0.1 * 3], sweeps=2)


def test_zero_and_infinity_are_found_among_temperatures():
    trained = np.array([0.0, 0.1 * 3, np.inf])
    asked = np.array([np.inf, 0.3, 0.0, 1e-300, 1e300])
    assert temperature_indices(asked, trained).tolist() == [2, 1, 0, -1, -1]
    assert temperature_indices(asked, trained[1:2]).tolist() == [-1, 0, -1, -1, -1]


def test_a_policy_with_entries_never_visited_is_not_exact(policy):
    assert policy.exact_temperature == (policy.unvisited == 0)
    visits = policy.visits.copy(data=np.ones_like(policy.visits.values))
    whole = dataclasses.replace(policy, visits=visits)
    assert whole.describe()["temperature_map"] == "exact"
    assert "unvisited_entries" not in whole.describe()
    visits = visits.copy()
    visits[0, 0, 0] = visits[1, 3, 1] = 0
    partly = dataclasses.replace(policy, visits=visits)
    assert partly.describe()["temperature_map"] == "approximate"
    assert partly.describe()["unvisited_entries"] == 2
    assert not partly.exact_temperature
    assert irl.simulate(MODEL, partly, sweeps=2).attrs["unvisited_entries"] == 2


def test_a_second_run_in_one_folder_is_refused(tmp_path, monkeypatch):
    inside, go_on, failures = threading.Event(), threading.Event(), []
    run = run_module.measure

    def waiting(*arguments):
        inside.set()
        assert go_on.wait(30)
        run(*arguments)

    def first():
        try:
            irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=10, seed=1, out=tmp_path)
        except Exception as error:
            failures.append(error)

    monkeypatch.setattr(run_module, "measure", waiting)
    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(30)
    with pytest.raises(ValueError, match="out must not be in use; another run is writing to"):
        irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=10, seed=2, out=tmp_path)
    go_on.set()
    thread.join()
    assert not failures
    again = irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=10, seed=1, out=tmp_path)
    assert again.sizes["draw"] == 10


def test_a_run_that_fails_leaves_its_folder_to_others(tmp_path):
    irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=10, seed=1, out=tmp_path)
    with pytest.raises(ValueError, match="seed = 1") as kept:  # and with it the frames of the call
        irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=10, seed=2, out=tmp_path)
    irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=10, seed=1, out=tmp_path)
    assert kept


def test_a_run_whose_settings_are_gone_goes_on_from_the_other_file(tmp_path):
    first = irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=10, seed=1, out=tmp_path)
    (tmp_path / "run.json").unlink()
    again = irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=10, seed=1, out=tmp_path)
    assert again.energy.equals(first.energy)


def test_an_empty_folder_name_is_refused():
    with pytest.raises(ValueError, match="out must name a folder; got ''"):
        irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=10, out="")
