"""Networks: the same gradients as a loop over experiences, and the heat bath in the end."""

import sys

import numba
import numpy as np
import pytest

from isingrl import Ising, Lattice, Learning, MeanFieldQ, simulate, train
from isingrl.agents import JointQ, NeighborhoodQ, Network
from isingrl.agents import learner as learners_of_agents
from isingrl.agents.learner import gathered_loss
from isingrl.agents.learners import make_learner
from isingrl.agents.network import ACTIVATIONS, OPTIMIZERS

torch = pytest.importorskip("torch")
_network_learner = pytest.importorskip("isingrl.agents.network_learner")

SQUARE = Ising(Lattice((4, 6)))
MODULES = {
    "elu": torch.nn.ELU, "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh,
    "sigmoid": torch.nn.Sigmoid, "linear": torch.nn.Identity,
}  # fmt: skip


def sequential(network, parameters, index):
    """One of many networks as torch writes them."""
    stack = []
    for layer in range(len(network.hidden) + 1):
        weight = torch.from_numpy(parameters[f"weight_{layer}"][index].T.copy())
        last = layer == len(network.hidden)
        learned = network.bias == "learned"
        linear = torch.nn.Linear(*reversed(weight.shape), bias=learned or not last)
        linear = linear.to(torch.float64)
        with torch.no_grad():
            linear.weight[:] = weight
            if learned:
                linear.bias[:] = torch.from_numpy(parameters[f"bias_{layer}"][index, 0])
            elif not last:
                linear.bias.fill_(1.0)
                linear.bias.requires_grad_(False)
        stack += [linear, MODULES[network.output if last else network.activation]()]
    return torch.nn.Sequential(*stack)


def assert_same(networks, parameters, gradients=False, **tolerance):
    """Parameters, or their gradients, of networks in a list against arrays by name."""
    for index, network in enumerate(networks):
        layers = [module for module in network if isinstance(module, torch.nn.Linear)]
        for layer, linear in enumerate(layers):
            for name in ("weight", "bias"):
                if f"{name}_{layer}" in parameters:
                    own = getattr(linear, name)
                    own = (own.grad if gradients else own.detach()).numpy()
                    found = parameters[f"{name}_{layer}"][index]
                    np.testing.assert_allclose(found, np.atleast_2d(own.T), **tolerance)


def inputs_of(learner):
    given = learner.view.inputs
    return torch.from_numpy(np.eye(learner.view.n_states) if given is None else given)


def fitted(learner, experiences):
    """Let a learner fit a list of (network, state, action, target)."""
    for array in learner._gathered:
        array[:] = 0
    number, target, square = (array.reshape(-1, *array.shape[2:]) for array in learner._gathered)
    for network, state, action, wanted in experiences:
        number[network, state, action] += 1
        target[network, state, action] += wanted
        square[network, state, action] += wanted**2
    learner._prepare()
    learner._fit(1.0)


def some_experiences(generator, n_networks, n_states, number):
    return [
        (int(generator.integers(n_networks)), int(generator.integers(n_states)),
         int(generator.integers(2)), float(generator.normal(1.0, 3.0)))
        for _ in range(number)
    ]  # fmt: skip


@pytest.mark.parametrize("agent", [
    MeanFieldQ(network=(10,)),
    MeanFieldQ(network=Network((7, 5), "tanh"), shared=False),
    NeighborhoodQ(network=Network((20,), "elu", "tanh", "one")),
    NeighborhoodQ(network=Network((6,), "sigmoid"), shared=False),
], ids=["shared", "a-site", "shared-one-hot", "a-site-one-hot"])  # fmt: skip
def test_the_gathered_loss_is_that_of_single_experiences(agent):
    generator = np.random.default_rng(5)
    learner = make_learner(SQUARE, agent, "random", 2, "checkerboard", generator)
    n_networks = learner.shape[0] * learner.shape[1]
    experiences = some_experiences(generator, n_networks, learner.view.n_states, 20 * n_networks)
    networks = [sequential(agent.network, learner.knowledge, i) for i in range(n_networks)]
    expected = np.zeros(n_networks)
    for index, network in enumerate(networks):
        mine = [experience for experience in experiences if experience[0] == index]
        losses = [
            (network(inputs_of(learner)[state])[action] - target) ** 2
            for _, state, action, target in mine
        ]
        loss = sum(losses) / len(losses)
        loss.backward()
        expected[index] = loss.item()
    before = learner.q.copy()
    fitted(learner, experiences)
    found = gathered_loss(learner._gathered, before)
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-12)
    np.testing.assert_allclose(learner.table_loss.ravel(), expected, rtol=1e-12)
    gradients = {name: tensor.grad.numpy() for name, tensor in learner._networks._tensors.items()}
    assert_same(networks, gradients, gradients=True, rtol=1e-12, atol=1e-12)


def test_a_loss_of_targets_all_met_is_zero():
    agent = MeanFieldQ(network=(4,))
    learner = make_learner(SQUARE, agent, "up", 1, "checkerboard", np.random.default_rng(1))
    met = [(0, state, 1, float(learner.q[0, 0, state, 1])) for state in range(5)]
    before = learner.knowledge
    fitted(learner, met)
    assert 0 <= learner.table_loss[0, 0] < 1e-15
    for tensor in learner._networks.tensors:
        np.testing.assert_allclose(tensor.grad, 0, atol=1e-14)
    assert before.keys() == learner.knowledge.keys()


def sweep_experiences(model, agent, before, after, waiting, q, tau):
    """What one checkerboard sweep taught, from the spins before and after it.

    `waiting` holds what each site saw and did in the sweep before, if that is what is learned
    from now. Returns a list of (site, state, action, target).
    """
    rewards = agent.reward_function.table(model)
    spins, colors = before.copy().ravel(), model.lattice.sublattices.ravel()
    taught = []
    for color in range(model.lattice.n_sublattices):
        for site in np.flatnonzero(colors == color):
            state = int((spins[model.lattice.neighbors[site]] > 0).sum())
            action = int(after.ravel()[site] > 0)
            if agent.discount == 0:
                taught.append((site, state, action, rewards[state, action]))
                continue
            if site in waiting:
                seen, done = waiting[site]
                down, up = q[site if q.shape[0] > 1 else 0, state]
                chance = 1 / (1 + np.exp(-(up - down) / tau))
                value = chance * up + (1 - chance) * down
                taught.append((site, seen, done, rewards[seen, done] + agent.discount * value))
            waiting[site] = state, action
        now = colors == color
        spins[now] = after.ravel()[now]
    return taught


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "a-site"])
@pytest.mark.parametrize("discount", [0.0, 0.6])
def test_sweeps_are_those_of_a_loop_in_torch(optimizer, shared, discount):
    network = Network((5,), optimizer=optimizer)
    agent = MeanFieldQ(network=network, shared=shared, discount=discount, learning_rate=0.02)
    generator = np.random.default_rng(3)
    learner = make_learner(SQUARE, agent, "random", 1, "checkerboard", generator)
    n_networks = learner.shape[1]
    networks = [sequential(network, learner.knowledge, i) for i in range(n_networks)]
    optimizers = [getattr(torch.optim, optimizer)(one.parameters(), lr=0.02) for one in networks]
    first = learner.knowledge
    waiting, visits = {}, np.zeros(learner.visits.shape, dtype=int)
    for sweep, factor in enumerate([1.0, 0.7, 0.4]):
        before, tau = learner.spins(0), 3.0 - sweep / 2
        with torch.no_grad():
            q = np.stack([one(inputs_of(learner)).numpy() for one in networks])
        np.testing.assert_allclose(learner.q[0], q, rtol=1e-9, atol=1e-9)
        progress = learner.advance(np.array([[tau]]), np.array([factor]))
        taught = sweep_experiences(SQUARE, agent, before, learner.spins(0), waiting, q, tau)
        losses = []
        for index in range(n_networks):
            mine = [one for one in taught if shared or one[0] == index]
            optimizers[index].param_groups[0]["lr"] = 0.02 * factor
            optimizers[index].zero_grad()
            errors = [
                (networks[index](inputs_of(learner)[state])[action] - target) ** 2
                for _, state, action, target in mine
            ]
            loss = sum(errors, torch.zeros((), dtype=torch.float64)) / max(1, len(errors))
            if errors:
                loss.backward()
            else:  # a zero gradient is what a network side by side with others has
                for parameter in networks[index].parameters():
                    parameter.grad = torch.zeros_like(parameter)
            optimizers[index].step()
            losses.append(loss.item())
        assert progress.loss[0, 0] == pytest.approx(np.mean(losses), rel=1e-9)
        for site, state, action, _ in taught:
            visits[0, 0 if shared else site, state, action] += 1
        np.testing.assert_array_equal(learner.visits, visits)
        assert_same(networks, learner.knowledge, rtol=1e-9, atol=1e-9)
    for name, values in learner.knowledge.items():
        assert np.isfinite(values).all()
        assert abs(values - first[name]).max() > 0, f"{optimizer} left {name} alone"


@pytest.mark.parametrize("hidden", [(6,), (6, 4)], ids=["one-layer", "two-layers"])
@pytest.mark.parametrize("bias", ["one", "learned"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output", ACTIVATIONS)
def test_side_by_side_is_one_after_the_other(activation, output, bias, hidden):
    network = Network(hidden, activation, output, bias)
    inputs = np.random.default_rng(2).normal(size=(5, 3))
    batch = _network_learner.NetworkBatch(network, inputs, 5, 2, 3, seed=4)
    assert ("bias_0" in batch.parameters) == (bias == "learned")
    found = batch().detach().numpy()
    assert found.shape == (3, 5, 2)
    for index in range(3):
        one = sequential(network, batch.parameters, index)
        expected = one(torch.from_numpy(inputs)).detach().numpy()
        np.testing.assert_allclose(found[index], expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("bias", ["one", "learned"])
def test_unit_vectors_need_not_be_written_out(bias):
    network = Network((6, 4), bias=bias)
    short = _network_learner.NetworkBatch(network, None, 8, 2, 3, seed=4)
    written = _network_learner.NetworkBatch(network, np.eye(8), 8, 2, 3, 0, short.parameters)
    np.testing.assert_allclose(short().detach(), written().detach(), rtol=1e-14)


def test_first_parameters_are_drawn_as_torch_draws_them():
    batch = _network_learner.NetworkBatch(Network((40,)), np.ones((5, 9)), 5, 2, 50, seed=4)
    for name, bound in [("weight_0", 1 / 3), ("bias_0", 1 / 3), ("weight_1", 40**-0.5)]:
        values = batch.parameters[name]
        assert abs(values).max() <= bound
        assert abs(values).max() > 0.99 * bound
        error = bound * np.sqrt(4 / 45 / values.size)  # of the mean square of uniform numbers
        assert abs((values**2).mean() - bound**2 / 3) < 4.5 * error


@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_networks_know_nothing_of_each_other(optimizer):
    agent = MeanFieldQ(network=Network((8,), optimizer=optimizer))
    generator = np.random.default_rng(7)
    batch = make_learner(SQUARE, agent, "random", 3, "checkerboard", generator)
    begin = batch.knowledge
    alone = [
        make_learner(SQUARE, agent, "random", 1, "checkerboard", generator,
                     knowledge={name: values[i : i + 1] for name, values in begin.items()})
        for i in range(3)
    ]  # fmt: skip
    for _ in range(20):
        experiences = some_experiences(generator, 3, 5, 60)
        fitted(batch, experiences)
        for index, one in enumerate(alone):
            fitted(one, [(0, *rest) for network, *rest in experiences if network == index])
    for index, one in enumerate(alone):
        for name, values in one.knowledge.items():
            np.testing.assert_allclose(batch.knowledge[name][index], values[0], rtol=1e-9)
            assert abs(values[0] - begin[name][index]).max() > 1e-3


@pytest.mark.parametrize(
    ("lattice", "temperatures"),
    [
        pytest.param(Lattice((256,)), [0.7, 1.0, 2.0], id="ring"),
        pytest.param(Lattice((32, 32)), [1.8, 2.3, 3.5], id="square", marks=pytest.mark.soak),
        pytest.param(
            Lattice((32, 32), "moore"), [4.0, 5.3, 8.0], id="moore", marks=pytest.mark.soak
        ),
        pytest.param(Lattice((12, 12, 12)), [3.5, 4.5, 7.0], id="cubic", marks=pytest.mark.soak),
    ],
)
def test_networks_become_the_heat_bath(lattice, temperatures):
    """Log-odds within 2 % of the exact ones."""
    model = Ising(lattice)
    agent = MeanFieldQ(network=(10,))
    policy = train(model, agent, temperatures, sweeps=5000, annealing=0.8, seed=1)
    advantage = policy.q_values.sel(action="up") - policy.q_values.sel(action="down")
    log_odds = advantage.transpose("temperature", "n_up") / policy.q_values["softmax_temperature"]
    total = 2 * lattice.n_up - lattice.coordination_number
    expected = 2 * total / np.array(temperatures)[:, None]
    smallest = abs(expected[:, total != 0]).min(axis=1, keepdims=True)
    scale = np.where(total == 0, smallest, abs(expected))
    assert (abs(log_odds.values - expected) < 0.02 * scale).all()


def test_without_torch_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "isingrl.agents.network_learner")
    agent = MeanFieldQ(network=(4,))
    with pytest.raises(ImportError, match=r"isingrl\[networks\]"):
        train(SQUARE, agent, 2.0, sweeps=1)
    with pytest.raises(ImportError, match=r"isingrl\[networks\]"):
        simulate(SQUARE, Learning(agent), 2.0, sweeps=1)
    train(SQUARE, MeanFieldQ(), 2.0, sweeps=1, seed=1)


@pytest.mark.parametrize("agent", [
    MeanFieldQ(network=(10,)),
    MeanFieldQ(network=(4,), shared=False, replay=20, batch_size=5, discount=0.5),
], ids=["shared", "a-site"])  # fmt: skip
def test_threads_change_nothing(monkeypatch, agent):
    monkeypatch.setattr(
        learners_of_agents, "_VISITS_A_THREAD", 1.0
    )  # else so little runs on one thread
    threads = torch.get_num_threads(), numba.get_num_threads()
    policies = []
    try:
        for torch_threads, numba_threads in [(1, 1), (2, 1), (1, 2), (2, 2)]:
            torch.set_num_threads(torch_threads)
            numba.set_num_threads(min(numba_threads, numba.config.NUMBA_NUM_THREADS))
            policies.append(train(SQUARE, agent, [2.0, 3.0], sweeps=30, chains=2, seed=4))
            assert torch.get_num_threads() == torch_threads
    finally:
        torch.set_num_threads(threads[0])
        numba.set_num_threads(threads[1])
    for other in policies[1:]:
        assert other.q_values.identical(policies[0].q_values)
        assert other.history.identical(policies[0].history)
        for name, values in policies[0].parameters.items():
            np.testing.assert_array_equal(other.parameters[name], values)
    different = train(SQUARE, agent, [2.0, 3.0], sweeps=30, chains=2, seed=5)
    assert abs(different.q_values - policies[0].q_values).max() > 1e-3


def test_the_seed_says_everything_whatever_torch_has_drawn():
    agent = JointQ(network=(5,))
    model = Ising(Lattice((2, 3)))
    policies = []
    for _ in range(2):
        torch.rand(3)
        policies.append(train(model, agent, 1.0, sweeps=10, seed=9))
    assert policies[0].q_values.identical(policies[1].q_values)
