"""Conformance tests: all that the package has passes them, and each finds what is broken."""

import itertools
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

import isingrl as irl
from isingrl.agents import REWARDS, Reward
from isingrl.agents.agent import KINDS as AGENTS
from isingrl.agents.view import View, neighbor_count
from isingrl.testing import check_agent, check_dynamics, check_reward, check_rule, check_view

MODEL = irl.Ising(irl.Lattice((4, 4)))
SMALL = irl.Ising(irl.Lattice((2, 4)))
OURS = {name: kind for name, kind in AGENTS.items() if kind.__module__.startswith("isingrl.")}
DEFAULTS = {name: kind() for name, kind in OURS.items()}
VARIANTS = {
    "few seen": irl.MeanFieldQ(neighbors_seen=2, shared=False),
    "replay": irl.NeighborhoodQ(replay=20, batch_size=5, discount=0.5),
    "network": irl.MeanFieldQ(network=(3,)),
    "chapter": irl.MeanFieldQ("chapter-2d"),
}
RULES = {"metropolis": irl.Metropolis(), "heat-bath": irl.HeatBath()}


@pytest.mark.parametrize("model", [MODEL, irl.Ising(irl.Lattice((6,), "moore"), -0.5, 0.3)])
@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_rules_of_the_package_conform(rule, model):
    check_rule(rule, model, detailed_balance=True)


@pytest.mark.parametrize("agent", (DEFAULTS | VARIANTS).values(), ids=list(DEFAULTS | VARIANTS))
def test_agents_of_the_package_conform(agent):
    if agent.network is not None:
        pytest.importorskip("torch")
    check_agent(agent, SMALL if agent.name == "joint-q" else MODEL)


@pytest.mark.parametrize("reward", REWARDS)
def test_rewards_of_the_package_conform(reward):
    check_reward(reward)


POTTS = irl.Potts(irl.Lattice((4, 4)), 3, 1.0, 0.2)


@pytest.mark.parametrize("model", [POTTS, irl.Potts(irl.Lattice((2, 4)), 2, [1.0, -0.5])])
@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_rules_of_a_potts_model_conform(rule, model):
    check_rule(rule, model, detailed_balance=True)


@pytest.mark.parametrize("agent", (DEFAULTS | VARIANTS).values(), ids=list(DEFAULTS | VARIANTS))
def test_agents_of_a_potts_model_conform(agent):
    if agent.network is not None:
        pytest.importorskip("torch")
    model = irl.Potts(irl.Lattice(4 if agent.name == "joint-q" else (4, 4)), 3)
    check_agent(agent, model)
    check_reward(agent.reward, model)


class Reluctant(irl.Metropolis):
    """Without detailed balance on a Potts model."""

    name = "reluctant"
    share: ClassVar[float] = 0.9

    def pair_chances(self, model, temperature):
        chances = super().pair_chances(model, temperature)
        chances[:, : model.bonds.n_supports // 2] *= self.share
        return chances


def test_rules_of_a_potts_model_without_detailed_balance_are_found():
    check_rule(Reluctant(), POTTS)
    message = r"at T = 1\.5 a change from a state with \[\d\] neighbours in it to one with \[\d\]"
    with pytest.raises(AssertionError, match=f"reluctant: {message}"):
        check_rule(Reluctant(), POTTS, detailed_balance=True)
    with pytest.raises(ValueError, match=f"detailed balance .*{message}"):
        irl.simulate(POTTS, irl.Tempering(Reluctant()), [1.5, 2.0], sweeps=1)
    bath = type("Bath", (irl.HeatBath,), {"pair_chances": lambda self, model, t: irl.HeatBath(
        ).pair_chances(model, 1.1 * t)})  # fmt: skip
    with pytest.raises(ValueError, match=f"detailed balance .*{message}"):
        irl.simulate(POTTS, irl.Tempering(bath()), [1.5, 2.0], sweeps=1)


@dataclass(frozen=True)
class Majority(irl.Rule):
    """A rule to break, which conforms itself."""

    name: ClassVar = "majority"

    def table(self, model, temperature):
        noise = 1 / (1 + np.exp(2 / np.maximum(temperature, 0.01)))
        up = 0.5 + (0.5 - noise[:, None]) * np.sign(model.local_fields())
        return np.stack([up, up], axis=1)


def changed(base, **methods):
    return type("Broken", (base,), methods)()


def above_one(self, model, temperature):
    return Majority.table(self, model, temperature) + 0.5


COUNTER = itertools.count()


def fickle(self, model, temperature):
    return Majority.table(self, model, temperature) * (1 - 1e-9 * (next(COUNTER) % 2))


def by_others(self, model, temperature):
    return Majority.table(self, model, temperature) * temperature[0] / temperature.sum()


def greedy_hand(self, model, temperature):
    temperature += 1
    return Majority.table(self, model, temperature)


def undefined_at_zero(self, model, temperature):
    with np.errstate(divide="ignore", invalid="ignore"):
        return Majority.table(self, model, temperature) * (temperature / temperature)[:, None, None]


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({"table": above_one}, "must"),
        ({"table": fickle}, "table must repeat at every call"),
        ({"table": by_others}, "must not depend on others asked for"),
        ({"table": greedy_hand}, "must not change its arguments"),
        ({"table": undefined_at_zero}, "must"),
        ({"table": lambda self, model, temperature: np.zeros((1, 2, 5))}, "must return the shape"),
        ({"name": ""}, r"Broken\.name must be text; got ''"),
        ({"settings": lambda self: {"a": np.ones(1)}}, r"Broken\.settings must be numbers, text"),
        ({"settings": lambda self: 3}, r"Broken\.settings must return a dict"),
    ],
)
def test_broken_rules_are_found(methods, said):
    check_rule(Majority())
    with pytest.raises((AssertionError, ValueError, TypeError), match=said):
        check_rule(changed(Majority, **methods))


def test_a_false_claim_of_detailed_balance_is_found():
    with pytest.raises(AssertionError, match=r"must be exp\(2 \(J S \+ h\) / T\)"):
        check_rule(Majority(), detailed_balance=True)
    with pytest.raises(AssertionError, match="rule must be a Rule; got None"):
        check_rule(None)


class Engine:
    """An engine around another one, to break."""

    updates_a_call = 1e4

    def __init__(self, engine):
        self.engine = engine
        self.extra = 0

    def sweep(self, sweeps):
        self.engine.sweep(sweeps)

    def record(self, draws, interval):
        return self.engine.record(draws, interval)

    def spins(self, chain):
        return self.engine.spins(chain)

    def state(self):
        return self.engine.state()

    def restore(self, state):
        self.engine.restore(state)


class Wrapped(irl.Dynamics):
    name = "wrapped"
    kind = Engine

    def engine(self, model, temperatures, chains, start, schedule, seed):
        engine = irl.HeatBath().engine(model, temperatures, chains, start, schedule, seed)
        return self.kind(engine)


class Unseeded(Engine):
    def __init__(self, engine):
        super().__init__(engine)
        engine.sweep(next(COUNTER) % 50)


class Miscounted(Engine):
    def record(self, draws, interval):
        found = super().record(draws, interval)
        return found | {"totals": found["totals"] + 2}


class Forgetful(Engine):
    """Its state lacks how often it swept, which its next sweeps depend on."""

    def record(self, draws, interval):
        self.extra += 1
        self.engine.sweep(self.extra)
        return super().record(draws, interval)


class Turned(Engine):
    def spins(self, chain):
        return -super().spins(chain)


class Fixed(irl.Dynamics):
    """Whatever the seed, the same."""

    name = "fixed"

    def engine(self, model, temperatures, chains, start, schedule, seed):
        same = np.random.SeedSequence(3)
        return irl.HeatBath().engine(model, temperatures, chains, start, schedule, same)


@pytest.mark.parametrize(
    ("dynamics", "said"),
    [
        (changed(Wrapped, kind=Unseeded), "the same seed must give the same numbers"),
        (changed(Wrapped, kind=Miscounted), "magnetization must be that of its spins"),
        (changed(Wrapped, kind=Forgetful), "must go on from"),
        (changed(Wrapped, kind=Turned), "magnetization must be that of its spins"),
        (Fixed(), "another seed must give another run"),
        (irl.MeanFieldQ(), "dynamics must be a Dynamics"),
    ],
    ids=["seed", "counts", "state", "start", "seeds", "agent"],
)
def test_broken_dynamics_are_found(dynamics, said):
    check_dynamics(Wrapped())
    with pytest.raises(AssertionError, match=said):
        check_dynamics(dynamics)


def see(**changes):
    return lambda lattice: replace(neighbor_count(lattice, None), **changes)


def sees_twice(lattice):
    return View("configuration", np.arange(4), None, sites=lattice.neighbors[:, [0, 0]])


def sees_anew(lattice):
    sides = next(COUNTER) % 2 + np.arange(2)
    return View("configuration", np.arange(4), None, sites=lattice.neighbors[:, sides])


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (see(inputs=np.ones((5, 2))), "inputs of a view must differ from state to state"),
        (sees_twice, "must have each site once"),
        (sees_anew, "must be the same at every call"),
        (lambda lattice: None, "must return a View"),
    ],
    ids=["inputs", "twice", "anew", "none"],
)
def test_broken_views_are_found(view, said):
    check_view(see())
    with pytest.raises((AssertionError, TypeError), match=said):
        check_view(view)


def own(values, **options):
    return Reward("own", values, **options)


@pytest.mark.parametrize(
    ("reward", "said"),
    [
        (own(lambda model, a: a * next(COUNTER) * np.ones(5)), "must be the same at every call"),
        (own(lambda model, a: 2 * a * model.local_fields()), "reward 'own' times its T/τ favours"),
        (own(lambda model, a: a * np.ones(3)), "must return one number for every entry"),
        (own(lambda model, a: a * model.local_fields(), temperature_ratio=lambda model: -1.0),
         "must be a positive finite number"),
    ],
    ids=["anew", "map", "shape", "ratio"],
)  # fmt: skip
def test_broken_rewards_are_found(reward, said):
    check_reward(own(lambda model, a: a * model.local_fields()))
    check_reward(own(lambda model, a: a * model.local_fields() ** 3, exact=False))
    with pytest.raises((AssertionError, ValueError), match=said):
        check_reward(reward)


class LeanQ(irl.MeanFieldQ):
    """An agent to break."""

    name = "lean-q"

    def __init_subclass__(cls):
        cls.name = "broken-q"
        super().__init_subclass__()


class UnsettledQ(LeanQ):
    def settings(self):
        return super().settings() | {"discount": 0.25}


class ObscureQ(LeanQ):
    def settings(self):
        return super().settings() | {"discount": np.float32(0.25)}


class RestlessQ(LeanQ):
    def softmax_temperature(self, model, temperature):
        return temperature * (1 + 1e-6 * next(COUNTER))


class DoubleQ(LeanQ):
    def view(self, lattice):
        return sees_twice(lattice)


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (UnsettledQ(), "UnsettledQ must come back from disk as it was"),
        (ObscureQ(), r"ObscureQ\.settings must be numbers, text"),
        (RestlessQ(), "must give the same numbers|trained with other"),
        (DoubleQ(), "must have each site once"),
        (irl.HeatBath(), "agent must be an Agent"),
    ],
    ids=["settings", "json", "anew", "view", "rule"],
)
def test_broken_agents_are_found(agent, said, monkeypatch):
    monkeypatch.setitem(AGENTS, "broken-q", type(agent))
    with pytest.raises((AssertionError, ValueError), match=said):
        check_agent(agent)


def test_an_agent_with_a_reward_of_its_own_conforms():
    check_agent(LeanQ(own(lambda model, a: 3 * a * model.local_fields(), exact=False)))
