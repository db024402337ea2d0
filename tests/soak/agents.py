"""Agents that learn where that takes longest. `make soak` runs it."""

import pytest

from isingrl.battle import IndependentQTeam
from tests.isingrl.agents.test_agent_physics import CURVES, check_curve
from tests.isingrl.agents.test_independent_q import LATTICES, check_all_temperatures
from tests.isingrl.agents.test_networks import WHERE_THEY_LEARN, check_heat_bath
from tests.isingrl.battle.test_training import check_fights


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")
@pytest.mark.parametrize("name", ["square", "moore"])
def test_independent_agents_are_weiss(name):
    check_all_temperatures(LATTICES[name])


@pytest.mark.parametrize("name", ["square", "moore", "cubic"])
def test_networks_become_the_heat_bath(name):
    check_heat_bath(*WHERE_THEY_LEARN[name])


def test_networks_have_the_curve_of_metropolis():
    check_curve(*CURVES["square"])


def test_independent_learners_learn_to_fight():
    check_fights(IndependentQTeam)
