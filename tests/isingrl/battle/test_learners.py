"""ReplayMemory, targets and updates against loops over single experiences."""

import copy

import numpy as np
import pytest
import torch

from isingrl.battle import ActorCriticTeam, Arena, Games, IndependentQTeam, MeanFieldQTeam
from isingrl.battle.games import MOVES, Observation
from isingrl.battle.memory import Recorder, ReplayMemory
from isingrl.battle.network_player import NetworkPlayer, make_field
from isingrl.battle.networks import CellLayer, make_network
from isingrl.battle.players import PursuitPlayer, RandomPlayer
from isingrl.battle.policy_learner import PolicyLearner
from isingrl.battle.rounds import begin_players, step
from isingrl.battle.symmetries import ACTION_IMAGES
from isingrl.battle.value_learner import ValueLearner

SMALL = Arena(map_size=8, team_size=3, max_steps=40, gap=0)


def recorded(size=4000, team=0):
    """ReplayMemory of one side of two games of pursuit, and a plain list of all steps by agent."""
    generator, games = np.random.default_rng(2), Games(SMALL, 2)
    memory = ReplayMemory(size, mean_action=False)
    games.begin(generator)
    recorder, lives = Recorder(memory, None, games, team), {}
    player = PursuitPlayer()
    while games.running.any():
        seen = [games.observe(t) for t in (0, 1)]
        decisions = [player.act(seen[t], seen[1 - t], generator) for t in (0, 1)]
        outcomes = games.step(tuple(each.actions for each in decisions))
        recorder.add(seen, decisions, outcomes[team], generator)
        mine = outcomes[team]
        for row, agent in enumerate(seen[team].agents.tolist()):
            lives.setdefault(agent, []).append(
                (
                    seen[team].views[row].copy(),
                    int(decisions[team].actions[row]),
                    float(mine.rewards[row]),
                    bool(mine.dead[row]),
                )
            )
    return memory, lives, games


def test_every_step_knows_what_followed():
    memory, lives, games = recorded()
    batch = memory.draw(3000, np.random.default_rng(1))
    expected = {}
    for agent, steps in lives.items():
        for now, after in zip(steps, [*steps[1:], None], strict=True):
            won = games.survivors[agent // 3, 1] == 0
            if after is not None or now[3] or won:
                expected.setdefault((now[0].tobytes(), now[1], round(now[2], 4)), []).append(
                    None if after is None else after[0].tobytes()
                )
    assert batch.known.sum() > 2000
    for row in np.flatnonzero(batch.known):
        key = (
            batch.views[row].tobytes(), int(batch.actions[row]),
            round(float(batch.rewards[row]), 4),
        )  # fmt: skip
        following = batch.next_views[row].tobytes() if batch.goes_on[row] else None
        assert following in expected[key]


def test_deaths_are_remembered_as_ends():
    memory, lives, _ = recorded(team=1)
    rows = memory.everything()
    died = sum(steps[-1][3] for steps in lives.values())
    assert died > 0
    assert rows["ended"].sum() >= died
    assert (rows["following"][rows["ended"]] == -1).all()


def test_a_full_memory_overwrites_the_oldest():
    memory = ReplayMemory(10, mean_action=False)
    for time in range(8):
        rows = memory.add(np.full((3, 169), time, np.uint8), None, np.full(3, time % 21, np.int32))
        memory.end(rows)
    assert len(memory) == 10
    assert sorted(memory.everything()["actions"].tolist()) == [4, 5, 5, 5, 6, 6, 6, 7, 7, 7]


@pytest.mark.parametrize("name", ["two-headed", "chapter", "convolutional"])
@pytest.mark.parametrize("mean_action", [False, True])
def test_networks_see_the_mean_action_if_they_should(name, mean_action):
    network = make_network(name, mean_action, 21, seed=1)
    generator = np.random.default_rng(0)
    views = torch.from_numpy(generator.integers(0, 202, (5, 169)).astype(np.uint8))
    means = [torch.from_numpy(generator.dirichlet(np.ones(21), 5).astype(np.float32)) for _ in "ab"]
    values = [network(network.look(views), mean if mean_action else None) for mean in means]
    assert values[0].shape == (5, 21)
    assert torch.equal(*values) is not mean_action
    again = make_network(name, mean_action, 21, seed=1)
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_chapters_network_has_359_inputs_and_25_hidden():
    network = make_network("chapter", True, 21, seed=1)
    assert network.view.weight.shape[1] + network.mean.weight.shape[1] == 359
    assert network.output.weight.shape == (21, 25)


@pytest.mark.parametrize("tau", [0.0, 0.3])
def test_an_update_descends_the_loss_of_the_definition(tau):
    team = MeanFieldQTeam(
        softmax_temperature=tau, batch_size=64, symmetric=False, falling_rate=False
    )
    learner = ValueLearner(team, seed=3, device="cpu")
    generator = np.random.default_rng(4)
    memory = learner.memory
    for _ in range(20):
        rows = memory.add(
            generator.integers(0, 202, (30, 169)).astype(np.uint8),
            generator.dirichlet(np.ones(21), 30).astype(np.float32),
            generator.integers(0, 21, 30).astype(np.int32),
        )
        memory.reward(rows, generator.normal(size=30).astype(np.float32))
        memory.link(rows[:18], rows[10:28])
        memory.end(rows[20:])
    batch = memory.draw(64, np.random.default_rng(5))
    before = copy.deepcopy(learner.network)
    slow = copy.deepcopy(learner._target)
    squares = []
    assert not batch.known.all()
    for k in np.flatnonzero(batch.known):

        def values(network, views, means, k=k):
            with torch.no_grad():
                seen = network.look(torch.from_numpy(views[k : k + 1]))
                return network(seen, torch.from_numpy(means[k : k + 1]))[0].double().numpy()

        target = float(batch.rewards[k])
        if batch.goes_on[k]:
            after = values(slow, batch.next_views, batch.next_means)
            weight = np.exp((after - after.max()) / tau) if tau else after == after.max()
            target += team.discount * float((weight * after).sum() / weight.sum())
        squares.append((values(before, batch.views, batch.means)[batch.actions[k]] - target) ** 2)
    loss = learner.update(batch)
    assert loss == pytest.approx(np.mean(squares), rel=1e-4)
    assert learner.update(batch) < loss
    names = [name for name, _ in learner.network.named_parameters()]
    for name, now in learner.network.named_parameters():
        assert not torch.equal(now, dict(before.named_parameters())[name]), name
    moved = dict(learner._target.named_parameters())
    assert any(not torch.equal(moved[name], dict(slow.named_parameters())[name]) for name in names)


@pytest.mark.parametrize("symmetry", range(8))
def test_drawn_steps_are_turned_as_a_whole(symmetry):
    generator = np.random.default_rng(2)
    memory = ReplayMemory(50, mean_action=True)
    views = generator.integers(0, 202, (50, 169)).astype(np.uint8)
    means = generator.dirichlet(np.ones(21), 50).astype(np.float32)
    rows = memory.add(views, means, generator.integers(0, 21, 50).astype(np.int32))
    memory.link(rows[:40], rows[10:])
    memory.end(rows[40:])
    plain, turned = (memory.draw(30, np.random.default_rng(1), s) for s in (0, symmetry))
    # view and mean action of a foe in each cell of `MOVES`, moved to by the action
    for kind in ("", "next_"):
        before, after = (getattr(each, f"{kind}views") for each in (plain, turned))
        cells = [(y + 6) * 13 + x + 6 for x, y in MOVES.tolist()]
        images = ACTION_IMAGES[symmetry]
        for action in range(13):
            np.testing.assert_array_equal(after[:, cells[images[action]]], before[:, cells[action]])
        before, after = (getattr(each, f"{kind}means") for each in (plain, turned))
        np.testing.assert_array_equal(after[:, images], before)
    np.testing.assert_array_equal(turned.actions, ACTION_IMAGES[symmetry][plain.actions])
    np.testing.assert_array_equal(turned.rewards, plain.rewards)


@pytest.mark.parametrize("by_plane", [False, True])
@pytest.mark.parametrize("outputs", [1, 25, 128])
def test_a_layer_on_cells_adds_what_the_planes_say(by_plane, outputs):
    torch.manual_seed(1)
    generator = np.random.default_rng(1)
    layer = CellLayer(3, outputs, by_plane)
    planes = torch.randn(202, 3)
    planes[0] = 0
    planes[generator.random((202, 3)) < 0.4] = 0
    views = generator.integers(0, 202, (40, 169)).astype(np.uint8)
    views[generator.random((40, 169)) < 0.7] = 0
    views[0] = 0
    given = torch.tensor(views)
    seen = planes[given.long()]
    inputs = (seen.mT if by_plane else seen).flatten(1)
    found, expected = layer(given, planes), inputs @ layer.weight.T + layer.bias
    for each in (found, layer._of_all(given, planes)):
        torch.testing.assert_close(each, expected, rtol=1e-4, atol=1e-4)
    weights = torch.randn_like(expected)
    for one, other in zip(
        torch.autograd.grad((found * weights).sum(), tuple(layer.parameters())),
        torch.autograd.grad((expected * weights).sum(), tuple(layer.parameters())),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_exploration_ends_at_the_softmax_temperature():
    team = IndependentQTeam(softmax_temperature=0.1, exploration_temperature=0.9, exploration=0.5)
    learner = ValueLearner(team, seed=1, device="cpu")
    taus = []
    for learner.progress in (0.0, 0.25, 0.5, 0.9):
        taus.append(learner.tau())
    assert taus == pytest.approx([0.9, 0.5, 0.1, 0.1])


@pytest.mark.parametrize(("tau", "spread"), [(1e-4, 0.0), (1e4, 20 / 21)])
def test_the_softmax_temperature_acts(tau, spread):
    team = IndependentQTeam()
    player = NetworkPlayer(team, make_network(team.network, False, 21, 1), lambda: tau)
    n = 4000
    seen = Observation(
        np.zeros((n, 169), np.uint8), np.zeros((n, 2), np.int32), np.array([0, n]), np.arange(n)
    )
    actions = player.act(seen, seen, np.random.default_rng(1)).actions
    most = np.bincount(actions, minlength=21).max() / n
    assert 1 - most == pytest.approx(spread, abs=0.03)


def test_inner_iterations_agree_on_what_team_mates_do():
    # a network that copies what most team mates do: all end up doing the same
    team = MeanFieldQTeam(radius=None, inner_iterations=4)
    network = make_network("chapter", True, 21, 1)
    for tensor in network.parameters():
        tensor.data.zero_()
    network.mean.weight.data[:21] = 10 * torch.eye(21)
    network.output.weight.data[:, :21] = torch.eye(21)
    player = NetworkPlayer(team, network, lambda: 0.01)
    n = 21
    positions = np.stack([np.arange(n), np.arange(n)], axis=1).astype(np.int32)
    seen = Observation(np.zeros((n, 169), np.uint8), positions, np.array([0, n]), np.arange(n))
    player.begin(n)
    decision = player.act(seen, seen, np.random.default_rng(3))
    assert len(set(decision.actions)) == 1
    np.testing.assert_allclose(decision.means[:, decision.actions[0]], 1, rtol=1e-5)


def test_without_inner_iterations_the_step_before_is_seen():
    team = MeanFieldQTeam(radius=None, inner_iterations=0)
    player = NetworkPlayer(team, make_network("chapter", True, 21, 1), lambda: 1.0)
    positions = np.zeros((3, 2), np.int32)
    seen = Observation(np.zeros((3, 169), np.uint8), positions, np.array([0, 3]), np.arange(3))
    generator = np.random.default_rng(3)
    player.begin(3)
    first, second = (player.act(seen, seen, generator) for _ in range(2))
    assert not first.means.any()
    for agent in range(3):
        others = np.delete(first.actions, agent)
        expected = np.bincount(others, minlength=21) / 2
        np.testing.assert_allclose(second.means[agent], expected, rtol=1e-6)


def recorded_means(whose, inner_iterations, learner, steps=6):
    """Positions, actions and recorded means of all steps of one game without deaths.

    With a `learner` its own player acts, else a script, whose means the recorder finds.
    """
    team = MeanFieldQTeam(radius=4, inner_iterations=inner_iterations, mean_of=whose)
    arena = Arena(map_size=10, team_size=(4, 5), max_steps=steps, gap=0)
    generator, games = np.random.default_rng(2), Games(arena, 1, [False])
    memory, network = ReplayMemory(1000, True), make_network("chapter", True, 21, 1)
    own = NetworkPlayer(team, network, lambda: 1.0) if learner else RandomPlayer()
    recorder, found = Recorder(memory, make_field(team), games, 0), []
    games.begin(generator)
    players = (own, RandomPlayer())
    begin_players(games, players)
    while games.running.any():
        seen, decisions, outcomes = step(games, players, generator)
        recorder.add(seen, decisions, outcomes[0], generator)
        assert [len(each.agents) for each in seen] == [4, 5]
        found.append([each.positions for each in seen] + [each.actions for each in decisions])
    return found, memory.everything()["means"].reshape(steps, 4, 21)


@pytest.mark.parametrize("learner", [False, True])
@pytest.mark.parametrize("inner_iterations", [0, 2])
@pytest.mark.parametrize("whose", ["team", "mate", "foes", "nobody"])
def test_agents_see_the_mean_action_of_whom_they_should(whose, inner_iterations, learner):
    found, means = recorded_means(whose, inner_iterations, learner)
    some = False
    for number, (own, foes, actions, _) in enumerate(found):
        before = found[number - 1] if number else None
        if whose == "foes" or inner_iterations == 0:  # of the step before
            shown = None if before is None else before[3 if whose == "foes" else 2]
        else:
            shown = actions
        others = foes if whose == "foes" else own
        for agent in range(4):
            near = [
                j
                for j in range(len(others))
                if (whose == "foes" or j != agent) and abs(others[j] - own[agent]).sum() <= 4
            ]
            mean, expected = means[number, agent], np.zeros(21)
            if whose == "mate" and near and shown is not None:
                assert mean.sum() == 1
                assert mean.argmax() in shown[near]
                some = True
                continue
            if whose != "nobody" and near and shown is not None:
                expected = np.bincount(shown[near], minlength=21) / len(near)
                some = True
            np.testing.assert_allclose(mean, expected, atol=1e-6)
    assert some is (whose != "nobody")


def test_a_policy_learns_what_pays():
    """One step, one action pays: its probability rises to nearly one."""
    team = ActorCriticTeam(network="chapter", learning_rate=0.02, entropy=0.0, falling_rate=False)
    learner = PolicyLearner(team, 2000, seed=1, device="cpu")
    generator = np.random.default_rng(1)
    views = np.zeros((200, 169), np.uint8)
    seen = Observation(views, np.zeros((200, 2), np.int32), np.array([0, 200]), np.arange(200))
    for _ in range(20):
        actions = learner.player().act(seen, seen, generator).actions
        rows = learner.memory.add(views, None, actions)
        learner.memory.reward(rows, (actions == 7).astype(np.float32))
        learner.memory.end(rows)
        for batch in learner.after_round(generator):
            learner.update(batch)
    assert (learner.player().act(seen, seen, generator).actions == 7).mean() > 0.9
    assert len(learner.memory) == 0
