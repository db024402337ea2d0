"""Agents, rewards and views that users write: they come back from disk, or are refused at once."""

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import isingrl as irl
from isingrl.agents import REWARDS, Reward
from isingrl.agents.agent import KINDS
from isingrl.agents.view import View, neighbor_count

ROOT = Path(__file__).parents[3]
MODEL = irl.Ising(irl.Lattice((4, 4)))


@dataclass(frozen=True)
class SidewaysQ(irl.Agent):
    """Agents that see two neighbours, with a field of their own."""

    name: ClassVar[str] = "sideways-q"

    sides: tuple[int, ...] = (0, 1)

    def view(self, lattice):
        return View("configuration", np.arange(4), None, sites=lattice.neighbors[:, self.sides])

    @property
    def sees_local_field(self):
        return False


class PlainQ(irl.MeanFieldQ):
    """A subclass that is no dataclass, and has a name alone."""

    name = "plain-q"


class PaidQ(irl.MeanFieldQ):
    """A subclass that is paid twice the energy."""

    name = "paid-q"

    @property
    def reward_function(self):
        return DOUBLE


DOUBLE = Reward("2 a (J S + h)", lambda model, a: 2 * a * model.local_fields(), lambda model: 0.5)
OWN = {
    "view": SidewaysQ(sides=(1, 0)),
    "name": PlainQ("mean", neighbors_seen=2),
    "reward": PaidQ(),
    "network": PlainQ(network=(3,)),
}


def trained(agent, **options):
    return irl.train(MODEL, agent, [2.0, 3.0], sweeps=30, seed=1, **options)


@pytest.mark.parametrize("agent", OWN.values(), ids=list(OWN))
def test_policies_of_own_agents_come_back(agent, tmp_path):
    policy = trained(agent, chains=2)
    policy.save(tmp_path)
    again = irl.Policy.load(tmp_path)
    assert type(again.agent) is type(agent)
    assert again.agent == agent
    assert again.q_values.identical(policy.q_values)
    assert again.q_values.softmax_temperature.equals(policy.q_values.softmax_temperature)
    first, second = (
        irl.simulate(MODEL, each, sweeps=5, chains=2, seed=1) for each in (policy, again)
    )
    assert first.identical(second)


@pytest.mark.parametrize("agent", OWN.values(), ids=list(OWN))
def test_runs_of_own_agents_go_on_from_checkpoints(agent, tmp_path):
    rule, options = irl.Learning(agent), {"temperature": [2.0, 3.0], "seed": 1}
    irl.simulate(MODEL, rule, sweeps=3, out=tmp_path, **options)
    longer = irl.simulate(MODEL, rule, sweeps=8, out=tmp_path, **options)
    assert longer.identical(irl.simulate(MODEL, rule, sweeps=8, **options))


def test_own_rewards_come_back(tmp_path, monkeypatch):
    monkeypatch.setitem(REWARDS, "double", DOUBLE)
    policy = trained(irl.MeanFieldQ("double"))
    policy.save(tmp_path)
    assert irl.Policy.load(tmp_path).q_values.identical(policy.q_values)
    half = replace(DOUBLE, temperature_ratio=lambda model: 2.0)
    paid = replace(DOUBLE, values=REWARDS["energy"].values)
    for other, what in ((half, "softmax temperatures"), (paid, "rewards")):
        monkeypatch.setitem(REWARDS, "double", other)
        with pytest.raises(ValueError, match=rf"were trained with other {what}; .*'double'"):
            irl.Policy.load(tmp_path)
    monkeypatch.delitem(REWARDS, "double")
    with pytest.raises(ValueError, match=r"put into isingrl\.agents\.REWARDS before; got 'double'"):
        irl.Policy.load(tmp_path)


def test_rewards_and_classes_may_be_given(tmp_path, monkeypatch):
    agent = PlainQ(DOUBLE)
    policy = trained(agent)
    assert policy.departures(MODEL) == []
    policy.save(tmp_path)
    with pytest.raises(ValueError, match=r"load takes as rewards=\[\.\.\.\], .*got '2 a \(J S"):
        irl.Policy.load(tmp_path)
    monkeypatch.delitem(KINDS, "plain-q")
    with pytest.raises(ValueError, match=r"'plain-q'.* or be given: load\(path, agents=\[\.\.\.\]"):
        irl.Policy.load(tmp_path, rewards=[DOUBLE])
    again = irl.Policy.load(tmp_path, agents=[PlainQ], rewards=[DOUBLE])
    assert (again.agent, type(again.agent)) == (agent, PlainQ)
    assert again.q_values.identical(policy.q_values)
    assert "reward '2 a (J S + h)'" not in repr(again)
    assert "2 a (J S + h)" in again._repr_html_()
    paid = replace(DOUBLE, values=REWARDS["energy"].values)
    with pytest.raises(ValueError, match=r"trained with other rewards; .*'2 a \(J S \+ h\)' has"):
        irl.Policy.load(tmp_path, agents=[PlainQ], rewards=[paid])


def test_an_own_reward_learns_while_it_is_measured(tmp_path):
    options = {"temperature": 2.0, "seed": 1, "out": tmp_path}
    rule = irl.Learning(irl.MeanFieldQ(DOUBLE))
    irl.simulate(MODEL, rule, sweeps=3, **options)
    assert irl.simulate(MODEL, rule, sweeps=8, **options).sizes["draw"] == 8
    other = replace(DOUBLE, values=REWARDS["half"].values)
    with pytest.raises(ValueError, match=r"rule\.sha256 = .* has changed"):
        irl.simulate(MODEL, irl.Learning(irl.MeanFieldQ(other)), sweeps=9, **options)


def test_a_reward_without_a_map_warns_that_temperature_is_a_label():
    bare = Reward("3 a (J S + h)", lambda model, a: 3 * a * model.local_fields())
    assert bare.ratio(MODEL) == 1.0
    with pytest.warns(
        irl.TemperatureMapWarning, match=r"the reward '3 a \(J S \+ h\)' times its T/τ"
    ):
        trained(irl.MeanFieldQ(bare))


def test_a_formula_is_not_the_name_of_another_reward():
    with pytest.raises(ValueError, match="formula of a reward must not be the name of another"):
        irl.MeanFieldQ(replace(DOUBLE, formula="energy"))


def test_a_run_goes_not_on_with_another_reward_of_the_same_name(tmp_path, monkeypatch):
    monkeypatch.setitem(REWARDS, "double", DOUBLE)
    options = {"temperature": 2.0, "seed": 1, "out": tmp_path}
    irl.simulate(MODEL, irl.Learning(irl.MeanFieldQ("double")), sweeps=3, **options)
    monkeypatch.setitem(REWARDS, "double", REWARDS["half"])
    with pytest.raises(ValueError, match=r"rule\.sha256 = .* has changed"):
        irl.simulate(MODEL, irl.Learning(irl.MeanFieldQ("double")), sweeps=8, **options)


def test_a_class_that_sees_otherwise_since_is_refused(tmp_path, monkeypatch):
    trained(SidewaysQ()).save(tmp_path)
    monkeypatch.setattr(
        SidewaysQ, "view",
        lambda self, lattice: View(
            "configuration", np.arange(4), None, sites=lattice.neighbors[:, [2, 3]]
        ),
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"were trained with other sites; the class SidewaysQ"):
        irl.Policy.load(tmp_path)


def test_another_process_is_told_to_import_the_class(tmp_path):
    trained(SidewaysQ()).save(tmp_path)
    load = f"import isingrl as irl; print(irl.Policy.load({str(tmp_path)!r}).agent)"
    for before, code, said in (
        ("", 1, "a class of your own has to be defined or imported before, with name = 'sideways"),
        ("import tests.isingrl.agents.test_own_agents; ", 0, "SidewaysQ("),
    ):
        run = subprocess.run(
            [sys.executable, "-c", before + load], cwd=ROOT, capture_output=True, text=True
        )
        assert run.returncode == code, run.stderr
        assert said in run.stdout + run.stderr


def test_a_class_needs_a_name_of_its_own():
    class NamelessQ(irl.MeanFieldQ):
        pass

    said = (
        r"NamelessQ must have a name of its own, .* write name = \"a-name\" in the class; "
        r"'mean-field-q' is that of MeanFieldQ"
    )
    with pytest.raises(TypeError, match=said):
        NamelessQ()
    policy = trained(irl.MeanFieldQ())
    agent = object.__new__(NamelessQ)
    agent.__dict__.update(policy.agent.__dict__)
    with pytest.raises(TypeError, match=said):
        replace(policy, agent=agent).save("nowhere")
    assert not Path("nowhere").exists()


def test_an_abstract_class_needs_none():
    class Middle(irl.MeanFieldQ):
        pass

    class LeafQ(Middle):
        name = "leaf-q"

    assert LeafQ().name == "leaf-q"


@pytest.mark.parametrize("name", [3, "", None])
def test_names_are_text(name):
    with pytest.raises(TypeError, match=r"WrongQ\.name must be text"):
        type("WrongQ", (irl.MeanFieldQ,), {"name": name})


def test_names_of_the_package_are_taken():
    said = r"OtherQ\.name must be a name of its own; 'joint-q' is that of isingrl\.agents\.JointQ"
    with pytest.raises(ValueError, match=said):
        type("OtherQ", (irl.MeanFieldQ,), {"name": "joint-q"})


def test_the_latest_class_of_a_name_counts(tmp_path):
    """As where the cell of a notebook is run again."""
    for _ in range(2):
        kind = type("CellQ", (irl.MeanFieldQ,), {"name": "cell-q"})
    trained(kind()).save(tmp_path)
    assert type(irl.Policy.load(tmp_path).agent) is kind


def test_fields_that_json_cannot_hold_are_named():
    @dataclass(frozen=True, eq=False)
    class ArrayQ(irl.MeanFieldQ):
        name: ClassVar[str] = "array-q"
        steps: object = None

    with pytest.raises(TypeError, match=r"ArrayQ\.steps must be numbers, text, or .* got array"):
        trained(ArrayQ(steps=np.arange(2))).describe()


def own_reward(found):
    return type("RewardQ", (irl.MeanFieldQ,), {"name": "reward-q", "reward_function": found})()


def values(function):
    return property(lambda self: Reward("own", function, lambda model: 1.0))


@pytest.mark.parametrize(
    ("found", "error", "said"),
    [
        (lambda self: None, TypeError, "must be a Reward; got <bound method"),
        (property(lambda self: lambda model, a: a), TypeError, "must be a Reward; got <function"),
        (values(lambda model, a: model.local_fields() * np.nan), ValueError,
         r"finite numbers; got nan for 0 up neighbours and the action -1"),
        (values(lambda model, a: np.zeros(3)), ValueError, r"shape \(5,\); got the shape \(3,\)"),
        (values(lambda model, a: model.local_fields() * 1j), ValueError, "must return numbers"),
        (property(lambda self: replace(DOUBLE, temperature_ratio=lambda model: np.nan)), ValueError,
         "temperature_ratio .* positive finite number; got nan"),
    ],
    ids=["method", "function", "nan", "shape", "complex", "ratio"],
)  # fmt: skip
def test_reward_functions_of_own_agents_are_checked(found, error, said):
    agent = own_reward(found)
    for call in (
        lambda: irl.train(MODEL, agent, 2.0, sweeps=2),
        lambda: irl.simulate(MODEL, irl.Learning(agent), 2.0, sweeps=2),
    ):
        with pytest.raises(error, match=rf"RewardQ\.reward_function.*{said}"):
            call()


@pytest.mark.parametrize(
    "found", [np.array([np.nan]), np.array([-1.0]), np.ones(2), None, "1"], ids=repr
)
def test_softmax_temperatures_of_own_agents_are_checked(found):
    methods = {"name": "map-q", "softmax_temperature": lambda self, model, temperature: found}
    agent = type("MapQ", (irl.MeanFieldQ,), methods)()
    for call in (
        lambda: irl.train(MODEL, agent, 2.0, sweeps=2),
        lambda: irl.simulate(MODEL, irl.Learning(agent), 2.0, sweeps=2),
    ):
        with pytest.raises(ValueError, match=r"MapQ\.softmax_temperature must return one non-neg"):
            call()


def counted(**changes):
    view = neighbor_count(MODEL.lattice, None)
    return replace(view, **changes)


def configured(sites, number=4):
    return View("configuration", np.arange(number), None, sites=sites)


CHANNEL, NEIGHBORS = np.eye(5), MODEL.lattice.neighbors[:, :2]


@pytest.mark.parametrize(
    ("view", "error", "said"),
    [
        (lambda: None, TypeError, r"ViewQ\.view must return a View; got None"),
        (lambda: np.arange(4), TypeError, r"ViewQ\.view must return a View; got array"),
        (lambda: counted(dim="spins"), ValueError, "dim of a View must be one of 'n_up'"),
        (lambda: counted(dim=None), ValueError, "dim of a View must name its 5 states; got None"),
        (lambda: counted(states=[0, 1, 2, 3, 4]), TypeError, "states of a View must be an array"),
        (lambda: counted(states=np.eye(5)), ValueError, r"states .* shape \(n\); got \(5, 5\)"),
        (lambda: counted(channel=CHANNEL[:, :3]), ValueError, r"channel .* \(n, 5\); got \(5, 3\)"),
        (lambda: counted(channel=2 * CHANNEL), ValueError, "probabilities that add to 1"),
        (lambda: counted(channel=CHANNEL * np.nan), ValueError, "channel .* be finite numbers"),
        (lambda: counted(channel=CHANNEL[:3]), ValueError,
         r"ViewQ\.view: channel must have a row for each of the 5 entries of lattice\.n_up; got 3"),
        (lambda: counted(inputs=np.full((5, 2), np.inf)), ValueError, "inputs .* finite numbers"),
        (lambda: counted(inputs=np.zeros((4, 2))), ValueError, r"inputs .* \(5, n\); got \(4, 2\)"),
        (lambda: counted(channel=None), ValueError, "channel or sites, one of the two"),
        (lambda: configured(NEIGHBORS, 3), ValueError, r"2\^2 = 4 configurations .* got 3"),
        (lambda: configured(1.0 * NEIGHBORS), ValueError, "sites of a View must be integers"),
        (lambda: configured(NEIGHBORS[:3]), ValueError,
         r"ViewQ\.view: sites must have a row for each of the 16 sites, .* got 3 rows"),
        (lambda: configured(NEIGHBORS + 1), ValueError, "numbers from 0 to 15; .* to 16"),
        (lambda: configured(NEIGHBORS - 1), ValueError, "numbers from 0 to 15; .* from -1"),
    ],
)  # fmt: skip
def test_views_of_own_agents_are_checked(view, error, said):
    agent = type("ViewQ", (irl.MeanFieldQ,), {"name": "view-q", "view": lambda self, _: view()})()
    for call in (
        lambda: irl.train(MODEL, agent, 2.0, sweeps=2),
        lambda: irl.simulate(MODEL, irl.Learning(agent), 2.0, sweeps=2),
    ):
        with pytest.raises(error, match=said):
            call()


def test_a_class_that_forgets_what_all_agents_need():
    class HastyQ(irl.MeanFieldQ):
        name = "hasty-q"

        def __post_init__(self):
            pass

    with pytest.raises(
        TypeError, match=r"HastyQ\.__post_init__ must call super\(\)\.__post_init__"
    ):
        irl.train(MODEL, HastyQ(), 2.0, sweeps=2)


def test_a_network_of_ones_own_is_no_network():
    class Layers:
        def __call__(self, inputs):
            return inputs

    with pytest.raises(TypeError, match=r"hidden must be a sequence of widths; got <.*Layers"):
        irl.MeanFieldQ(network=Layers())
