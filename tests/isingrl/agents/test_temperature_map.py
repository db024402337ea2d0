"""Agents whose `temperature` is a label are warned of, and their own temperature is measured."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest

import isingrl as irl
from analysis import effective_temperature
from isingrl.agents import REWARDS, NeighborhoodQ, Reward
from studies.curve import Curve
from studies.running.runner import run

SQUARE = irl.Ising(irl.Lattice((8, 8)))
INEXACT = {
    "the reward 'chapter-2d' is not proportional": irl.MeanFieldQ("chapter-2d"),
    "the discount 0.9 lets": irl.MeanFieldQ(discount=0.9),
    "epsilon = 0.1 of all actions": irl.MeanFieldQ(epsilon=0.1),
    "rewards are read after": NeighborhoodQ(reward_time="after"),
}


@pytest.mark.parametrize(("reason", "agent"), INEXACT.items(), ids=list(INEXACT))
def test_agents_without_that_temperature_are_warned_of_once_a_call(reason, agent):
    with pytest.warns(irl.TemperatureMapWarning, match=reason) as trained:
        policy = irl.train(SQUARE, agent, [2.0, 3.0], sweeps=5, seed=1)
    with pytest.warns(irl.TemperatureMapWarning, match=reason) as frozen:
        irl.simulate(SQUARE, policy, sweeps=5, seed=1)
    with pytest.warns(irl.TemperatureMapWarning, match=reason) as learning:
        irl.simulate(SQUARE, irl.Learning(agent), [2.0, 3.0], sweeps=5, seed=1)
    with pytest.warns(irl.TemperatureMapWarning, match=reason) as ladder:
        irl.simulate(SQUARE, policy, sweeps=5, ladder="temperature", seed=1)
    for caught in (trained, frozen, learning, ladder):
        (warning,) = caught
        assert warning.filename == __file__
        assert "analysis.effective_temperature(policy)" in str(warning.message)


@pytest.mark.parametrize(
    "agent",
    [
        irl.MeanFieldQ(), irl.MeanFieldQ("half"), NeighborhoodQ("mean"), irl.IndependentQ(),
        irl.MeanFieldQ(neighbors_seen=2),
    ],
    ids=repr,
)  # fmt: skip
def test_others_are_not(agent):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        policy = irl.train(SQUARE, agent, 2.0, sweeps=5, seed=1)
        irl.simulate(SQUARE, policy, sweeps=5, seed=1)
        irl.simulate(SQUARE, irl.Learning(agent), 2.0, sweeps=5, seed=1)
        irl.simulate(SQUARE, irl.HeatBath(), 2.0, sweeps=5, seed=1)


@dataclass(frozen=True)
class LaterQ(irl.MeanFieldQ):
    """A class of a user's own, which knows better."""

    name = "later-q"

    @property
    def exact_temperature(self):
        return True


def test_a_class_of_ones_own_may_know_better():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        irl.train(SQUARE, LaterQ(discount=0.5), 2.0, sweeps=5, seed=1)


@pytest.mark.parametrize(
    ("values", "ratio"),
    [
        (lambda model, a: 3 * a * model.local_fields(), 1.0),
        (lambda model, a: a * model.local_fields(), 2.0),
        (lambda model, a: np.tanh(a * model.local_fields()), 1.0),
        (lambda model, a: a * (model.local_fields() + 0.5), 1.0),
    ],
    ids=["scale", "ratio", "bent", "field"],
)
def test_a_reward_that_says_it_is_exact_is_not_believed(values, ratio, monkeypatch):
    monkeypatch.setitem(REWARDS, "own", Reward("own", values, lambda model: ratio))
    agent = irl.MeanFieldQ("own")
    with pytest.warns(
        irl.TemperatureMapWarning, match=r"the reward 'own' times its T/τ favours up"
    ):
        policy = irl.train(SQUARE, agent, 2.0, sweeps=100, seed=1)
    assert not policy.unvisited
    assert policy.describe()["temperature_map"] == "approximate"
    with pytest.warns(irl.TemperatureMapWarning):
        assert irl.simulate(SQUARE, policy, sweeps=2).attrs["temperature_map"] == "approximate"
    with pytest.warns(irl.TemperatureMapWarning):
        data = irl.simulate(SQUARE, irl.Learning(agent), 2.0, sweeps=2)
    assert data.attrs["temperature_map"] == "approximate"


@pytest.mark.parametrize("coupling", [1.0, -0.7])
@pytest.mark.parametrize("field", [0.0, 0.3])
@pytest.mark.parametrize("reward", [name for name, each in REWARDS.items() if each.exact])
def test_rewards_of_the_package_are_what_they_say(reward, coupling, field):
    if reward == "chapter-1d" and (coupling < 0 or field):
        return
    model = irl.Ising(irl.Lattice((4, 5), boundary="free"), coupling=coupling, field=field)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        irl.train(model, irl.MeanFieldQ(reward), 2.0, sweeps=2, seed=1)


def test_the_temperature_that_they_have_is_measured():
    model = irl.Ising(irl.Lattice((16, 16)))
    policy = irl.train(model, irl.MeanFieldQ("chapter-2d"), 2.0, seed=1)
    found = effective_temperature(policy)
    assert found.effective_temperature.item() == pytest.approx(3.96, abs=0.02)
    assert found.nonlinearity.item() > 0.1
    exact = irl.train(model, irl.MeanFieldQ("half"), 2.0, seed=1)
    assert effective_temperature(exact).effective_temperature.item() == pytest.approx(2.0)


def test_a_discount_lets_order_grow_with_temperature():
    """Which no temperature describes, so that it had better be warned of."""
    model, temperature = irl.Ising(irl.Lattice((16, 16))), [2.0, 2.269, 3.0]
    with pytest.warns(irl.TemperatureMapWarning, match=r"discount 0\.9"):
        policy = irl.train(model, irl.MeanFieldQ(discount=0.9), temperature, seed=1)
    with pytest.warns(irl.TemperatureMapWarning):
        data = irl.simulate(model, policy, sweeps=2000, start="up", seed=1)
    order = abs(data.magnetization).mean(["chain", "draw"]).values
    assert (np.diff(order) > 0).all(), order
    assert data.attrs["temperature_map"] == "approximate"


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")
def test_a_study_whose_reader_may_not_know_says_so_once():
    study = Curve(
        (4, 4), temperature=(2.0, 3.0, 2), methods=("mean-field-q",), discount=0.5, sweeps=200,
        thermalization=0, training_sweeps=5,
    )  # fmt: skip
    with pytest.warns() as caught:
        study.plot(study.summarize(run(study)))
    told = [each for each in caught if issubclass(each.category, irl.TemperatureMapWarning)]
    assert len(told) == 1
