"""What objects show of themselves."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import isingrl as irl
from isingrl import battle
from isingrl.agents import REWARDS
from isingrl.support import reprs


class Tilted(irl.Rule):
    """A rule of a user."""

    name = "tilted"

    def __init__(self, slope):
        self.slope = slope

    def table(self, model, temperature):
        raise NotImplementedError


@pytest.fixture(scope="module")
def policy():
    model = irl.Ising(irl.Lattice((4, 4)), coupling=2.0)
    return irl.train(model, irl.MeanFieldQ(), [2.0, 4.0], sweeps=400, seed=1)


@pytest.mark.parametrize(
    "shown",
    [
        "Lattice(shape=(4, 6), neighborhood='moore', boundary='free')",
        "Metropolis()",
        "HeatBath()",
        "MeanFieldQ(reward='energy', learning_rate=0.1)",
        "MeanFieldQ(reward='half', discount=0.5, learning_rate=0.1, neighbors_seen=2)",
        "NeighborhoodQ(reward='energy', learning_rate=0.03, network=Network(hidden=(8, 8)))",
        "IndependentQ(reward='energy', learning_rate=0.5, shared=False)",
        "JointQ(reward='mean', learning_rate=0.1)",
        "Network(hidden=(10,), activation='tanh', output='tanh')",
        "battle.Arena(map_size=20, team_size=8, kill_reward=2.0)",
        "battle.RandomTeam()",
        "battle.MeanFieldQTeam(network='two-headed', radius=3)",
        "battle.ActorCriticTeam(network='convolutional')",
    ],
)
def test_a_repr_makes_the_object_again(shown):
    names = {name: getattr(irl, name) for name in irl.__all__} | {"battle": battle}
    made = eval(shown, names)
    assert repr(made) == shown.removeprefix("battle.")


def test_other_reprs_say_what_an_object_is():
    assert repr(Tilted(0.5)) == "Tilted(slope=0.5)"
    assert repr(REWARDS["half"]) == (
        "Reward(formula='a (J S + h) / 2', exact=True, knows_model=True)"
    )
    team = battle.TrainedTeam(battle.MeanFieldQTeam(), {"weight": np.zeros((30, 40))})
    assert repr(team) == (
        "<TrainedTeam of MeanFieldQTeam(network='two-headed'): 1,200 parameters, 0 games>"
    )


def test_a_table_says_what_its_states_are():
    model = irl.Ising(irl.Lattice((4, 4)))
    assert repr(irl.HeatBath().compile(model, np.array([1.0, 2.0]))) == (
        "<RuleTable of 2 chains: P(up) by own spin and the number of up neighbours, 5 states, one "
        "for all sites>"
    )
    agent = irl.NeighborhoodQ(shared=False)
    table = irl.train(model, agent, [2.0], sweeps=1, seed=1).compile(model, np.array([2.0]))
    assert "the configuration of 4 sites, 16 states, one a site" in repr(table)


def test_a_policy_says_what_it_is(policy):
    assert repr(policy).splitlines() == [
        "<Policy of MeanFieldQ(reward='energy', learning_rate=0.1)",
        "  model: 4 × 4 sites, von Neumann neighbours, periodic, J = 2, h = 0",
        "  temperature: 2, 4 J/k_B",
        "  softmax temperature: 2, 4 (exact map)",
        "  learned: 400 sweeps",
        "  action values: over (temperature, n_up, action)>",
    ]


def test_html_of_a_policy_shows_the_chances_of_spin_up(policy):
    root = ElementTree.fromstring(policy._repr_html_())
    _, chances = root.iter("table")
    rows = [[cell.text for cell in row] for row in chances.iter("tr")]
    assert rows[0][1:] == ["0", "1", "2", "3", "4"]
    up = policy.table(policy.model, policy.temperature)[:, 0]
    assert [row[0] for row in rows[1:]] == ["2", "4"]
    assert [[float(cell) for cell in row[1:]] for row in rows[1:]] == up.round(3).tolist()


def test_html_of_other_policies_has_no_table_that_nobody_could_read():
    model = irl.Ising(irl.Lattice((4, 4)))
    settings = {"temperature": np.linspace(1, 3, 20), "sweeps": 1, "seed": 1}
    for agent in (irl.NeighborhoodQ(), irl.MeanFieldQ(shared=False)):
        html = irl.train(model, agent, **settings)._repr_html_()
        assert len(list(ElementTree.fromstring(html).iter("table"))) == 1
    html = irl.train(model, irl.MeanFieldQ(), chains=3, **settings)._repr_html_()
    *_, chances = ElementTree.fromstring(html).iter("table")
    assert len(list(chances.iter("tr"))) == 13
    assert "first 12 temperatures" in html
    assert "3 trainings at each temperature" in html
    assert "1 … 3 (20 values) J/k_B" in html


@pytest.mark.parametrize("neighborhood", ["von_neumann", "moore"])
@pytest.mark.parametrize("shape", [(5,), (4, 6), (3, 4, 5)], ids=str)
def test_html_of_a_lattice_shows_its_neighbours(shape, neighborhood):
    lattice = irl.Lattice(shape, neighborhood, "free")
    root = ElementTree.fromstring(lattice._repr_html_())
    svg = root.find(".//{*}svg")
    places = {(site.get("cx"), site.get("cy")) for site in svg.findall(".//{*}circle")}
    assert len(places) == lattice.coordination_number + 1
    assert len(svg.findall(".//{*}line")) == lattice.coordination_number
    inside = [float(value) for place in places for value in place]
    assert 5 < min(inside) < max(inside) < float(svg.get("width")) - 5
    facts = {row[0].text: row[1].text for row in root.iter("tr")}
    assert facts["sides"] == " × ".join(map(str, shape))
    assert facts["bonds"] == f"{lattice.n_bonds}"
    assert facts["neighbours"].startswith(f"{lattice.coordination_number}, ")
    assert svg.get("aria-label") == f"a site and its {lattice.coordination_number} neighbours"


def test_html_is_escaped():
    nasty = '<script>"a" & b</script>'
    parts = [
        reprs.table([(nasty, nasty)]),
        reprs.grid(nasty, [nasty], [(nasty, np.array([0.5]))]),
        reprs.titled(nasty),
        reprs.neighborhood([(1,)], nasty),
    ]
    for part in parts:
        assert "<script>" not in part
        assert nasty in {*ElementTree.fromstring(part).itertext()}
