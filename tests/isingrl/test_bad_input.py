"""Wrong arguments are named, with what was given and what is allowed, before any work."""

import math

import numpy as np
import pytest

import isingrl.agents.training
import isingrl.simulation
from isingrl import HeatBath, Ising, Lattice, MeanFieldQ, Metropolis, simulate, train

MODEL = Ising(Lattice((4, 4)))
UP = np.ones((4, 4), dtype=int)


@pytest.fixture(autouse=True)
def no_work(monkeypatch):
    """Fail where work begins."""

    def refuse(*args, **options):
        raise AssertionError("work began before the arguments were checked")

    monkeypatch.setattr(isingrl.rules, "table_engine", refuse)
    monkeypatch.setattr(isingrl.learning, "LearningEngine", refuse)
    monkeypatch.setattr(isingrl.agents.training, "make_learner", refuse)


POLICY = train(MODEL, MeanFieldQ(), [2.0, 3.0], sweeps=5, seed=1)


@pytest.fixture
def policy():
    return POLICY


TEMPERATURES = [
    (-1.0, ValueError),
    ([2.0, -0.1], ValueError),
    (math.nan, ValueError),
    ([2.0, math.nan], ValueError),
    (-math.inf, ValueError),
    ([], ValueError),
    ([2.0, 2.0], ValueError),
    ([[1.0, 2.0]], ValueError),
    ("2.0", TypeError),
    (["2.0"], TypeError),
    ([None], TypeError),
    (1j, TypeError),
    (True, TypeError),
    ([True, False], TypeError),
]


@pytest.mark.parametrize(("temperature", "error"), TEMPERATURES, ids=repr)
def test_temperature(temperature, error):
    message = r"temperature must be .*; got "
    with pytest.raises(error, match=message):
        simulate(MODEL, HeatBath(), temperature, sweeps=1)
    with pytest.raises(error, match=message):
        train(MODEL, MeanFieldQ(), temperature)


@pytest.mark.parametrize("rule", [Metropolis(), HeatBath()], ids=lambda rule: rule.name)
def test_temperature_missing(rule):
    with pytest.raises(TypeError, match=r"temperature must be given for \w+\(\); got None"):
        simulate(MODEL, rule, sweeps=1)


def test_temperature_missing_for_training():
    with pytest.raises(TypeError, match=r"temperature must be .*; got None"):
        train(MODEL, MeanFieldQ(), None)


def test_temperature_that_a_policy_was_not_trained_at(policy):
    with pytest.raises(ValueError, match=r"temperature must be .*\[2.0, 3.0\]; got 2.5"):
        simulate(MODEL, policy, [2.0, 2.5], sweeps=1)
    with pytest.raises(ValueError, match=r"temperature must be .*; got -1"):
        simulate(MODEL, policy, -1, sweeps=1)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (Ising(Lattice((4, 4), "moore")), "neighborhood"),
        (Ising(Lattice((4,))), "number of dimensions"),
        (Ising(Lattice((4, 4, 4))), "number of dimensions"),
        (Ising(Lattice((4, 4), boundary="free")), "boundary"),
        (Ising(Lattice((4, 4)), coupling=-1.0), "coupling"),
        (Ising(Lattice((4, 4)), field=0.5), "field"),
    ],
)
def test_policy_on_another_model(policy, other, what):
    with pytest.raises(ValueError, match=rf"model must have the {what} .*; got"):
        simulate(other, policy, sweeps=1)


def test_policy_on_a_lattice_of_another_shape_is_fine(policy):
    policy.temperatures(Ising(Lattice((8, 6))), None)


INTEGERS = {
    "sweeps": [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("1", TypeError),
               (True, TypeError), (None, TypeError)],
    "interval": [(0, ValueError), (-1, ValueError), (11, ValueError), (0.5, TypeError),
                 (None, TypeError)],
    "chains": [(0, ValueError), (-2, ValueError), (2.5, TypeError), ([2], TypeError)],
    "thermalization": [(-1, ValueError), (0.5, TypeError), (None, TypeError)],
    "snapshots": [(-1, ValueError), (11, ValueError), (1.5, TypeError)],
    "seed": [(-1, ValueError), (1.5, TypeError), ("x", TypeError)],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [(name, value, error) for name, cases in INTEGERS.items() for value, error in cases],
    ids=repr,
)
def test_integers_of_simulate(name, value, error):
    options = {"sweeps": 10} | {name: value}
    with pytest.raises(error, match=rf"{name} must be .*; got {_shown(value)}"):
        simulate(MODEL, HeatBath(), 2.0, **options)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [(name, value, error) for name in ("sweeps", "seed") for value, error in INTEGERS[name]],
    ids=repr,
)
def test_integers_of_train(name, value, error):
    with pytest.raises(error, match=rf"{name} must be .*; got {_shown(value)}"):
        train(MODEL, MeanFieldQ(), 2.0, **{name: value})


def _shown(value):
    return repr(value).replace("[", r"\[")


@pytest.mark.parametrize("call", ["simulate", "train"])
@pytest.mark.parametrize("schedule", ["Checkerboard", "random", "", None, 1])
def test_schedule(schedule, call):
    with pytest.raises(ValueError, match=r"schedule must be one of 'checkerboard', .*; got"):
        _run(call, schedule=schedule)


@pytest.mark.parametrize("call", ["simulate", "train"])
@pytest.mark.parametrize("start", ["", "Up", "hot"])
def test_start_name(start, call):
    with pytest.raises(ValueError, match=r"start must be one of 'random', 'up', 'down'; got"):
        _run(call, start=start)


@pytest.mark.parametrize("call", ["simulate", "train"])
@pytest.mark.parametrize(
    "start",
    [UP[:3], UP.ravel(), UP[None], np.ones((2, 1, 4, 4)), np.ones((1, 2, 4, 4)), 1, None, []],
    ids=lambda start: str(np.shape(start)) + str(np.ndim(start) or start),
)
def test_start_shape(start, call):
    with pytest.raises(ValueError, match=r"start must have shape \(4, 4\) or .*; got \("):
        _run(call, start=start)


@pytest.mark.parametrize("call", ["simulate", "train"])
@pytest.mark.parametrize(
    "start",
    [0 * UP, 2 * UP, UP * 0.5, UP * math.nan, UP * 1j, UP == 1, np.full((4, 4), "up")],
    ids=lambda start: str(start[0, 0]) + str(start.dtype),
)
def test_start_values(start, call):
    with pytest.raises(ValueError, match=r"start must hold the spins -1 and \+1 only; got"):
        _run(call, start=start)


def _run(call, **options):
    if call == "simulate":
        return simulate(MODEL, HeatBath(), 2.0, sweeps=1, **options)
    return train(MODEL, MeanFieldQ(), 2.0, **options)


@pytest.mark.parametrize("model", [None, Lattice((4, 4)), "ising"], ids=repr)
def test_model(model):
    with pytest.raises(TypeError, match=r"model must be an Ising or a Potts model; got"):
        simulate(model, HeatBath(), 2.0, sweeps=1)
    with pytest.raises(TypeError, match=r"model must be an Ising or a Potts model; got"):
        train(model, MeanFieldQ(), 2.0)


@pytest.mark.parametrize("rule", [None, HeatBath, "metropolis", MeanFieldQ()], ids=repr)
def test_rule(rule):
    with pytest.raises(TypeError, match=r"rule must be .*; got"):
        simulate(MODEL, rule, 2.0, sweeps=1)


@pytest.mark.parametrize(
    "agent",
    [None, MeanFieldQ, "energy", HeatBath()],
    ids=["none", "class", "name", "rule"],
)
def test_agent(agent):
    with pytest.raises(TypeError, match=r"agent must be a MeanFieldQ, .* or JointQ; got"):
        train(MODEL, agent, 2.0)


@pytest.mark.parametrize("reward", ["chapter-1d", "chapter-2d"])
@pytest.mark.parametrize(
    "model",
    [Ising(Lattice((4, 4)), field=0.1), Ising(Lattice((4, 4)), coupling=-1.0),
     Ising(Lattice((4, 4)), coupling=0.0)],
    ids=["field", "antiferromagnet", "free"],
)  # fmt: skip
def test_rewards_that_know_no_model(model, reward):
    with pytest.raises(ValueError, match=rf"reward '{reward}' stands for coupling > 0 and field"):
        train(model, MeanFieldQ(reward), 2.0)
