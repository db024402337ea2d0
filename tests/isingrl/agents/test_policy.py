"""Policies: on disk, on models, and as tables that the byte engine runs."""

import dataclasses
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from isingrl import Ising, Lattice, Learning, MeanFieldQ, Policy, simulate, train
from isingrl.agents import IndependentQ, JointQ, NeighborhoodQ, Network
from isingrl.engines.engine import table_engine
from isingrl.engines.sites import SiteEngine
from isingrl.support import archives
from tests import oracles

SQUARE = Ising(Lattice((4, 6)), 1.0, 0.1)
SMALL = Ising(Lattice((2, 3)), 1.0, 0.1)
TEMPERATURES = [3.0, 2.0, math.inf]
NETWORK = Network((5, 3), "tanh", bias="one", optimizer="SGD")
POLICIES = {
    "mean-field": (SQUARE, MeanFieldQ("mean"), {}),
    "free": (Ising(Lattice((3, 4), boundary="free")), MeanFieldQ(falling_rate=False), {}),
    "few-seen": (SQUARE, MeanFieldQ(neighbors_seen=2, epsilon=0.1), {"chains": 3}),
    "replay": (SQUARE, MeanFieldQ(replay=20, batch_size=5, discount=0.5), {"snapshots": 2}),
    "a-site": (SQUARE, MeanFieldQ(shared=False), {"chains": 3, "snapshots": 2}),
    "independent": (SQUARE, IndependentQ(), {"snapshots": 1}),
    "independent-a-site": (SQUARE, IndependentQ(shared=False), {"chains": 3}),
    "neighborhood": (SQUARE, NeighborhoodQ(), {"chains": 3}),
    "neighborhood-a-site": (SQUARE, NeighborhoodQ(shared=False), {"snapshots": 3}),
    "joint": (SMALL, JointQ(), {"snapshots": 1}),
    "joint-a-site": (SMALL, JointQ(shared=False), {"chains": 3}),
    "network": (SQUARE, MeanFieldQ(network=(6,)), {"chains": 3, "snapshots": 2}),
    "network-a-site": (SQUARE, NeighborhoodQ(network=NETWORK, shared=False), {"snapshots": 1}),
    "network-of-everyone": (SMALL, JointQ(network=NETWORK), {"chains": 3}),
}
BYTE_POLICIES = ["a-site", "neighborhood", "neighborhood-a-site", "joint", "joint-a-site"]


def trained(name, **options):
    model, agent, settings = POLICIES[name]
    if agent.network is not None:
        pytest.importorskip("torch")
    return train(model, agent, TEMPERATURES, sweeps=12, seed=1, **{**settings, **options})


def saved(tmp_path, name="mean-field"):
    policy = trained(name)
    policy.save(tmp_path)
    return policy


def assert_equal(policy, other):
    assert other.agent == policy.agent
    assert other.model == policy.model
    assert other.chains == policy.chains
    assert other.q_values.identical(policy.q_values)
    assert other.visits.identical(policy.visits)
    assert other.history.identical(policy.history)
    assert other.parameters.keys() == policy.parameters.keys()
    for name, values in policy.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], values)
        assert other.parameters[name].dtype == values.dtype


def no_policy(folder):
    return pytest.raises(ValueError, match=f"path must be a policy folder; {folder} is none")


def change(folder, name=None, values=None, **settings):
    """Alter an array (None: take it away) and settings of a policy on disk, as if saved so."""
    path = folder / "policy.json"
    settings = json.loads(path.read_text()) | settings
    arrays = load_file(folder / "policy.safetensors")
    if name is not None:
        arrays.pop(name, None)
    if values is not None:
        arrays[name] = values
    save_file(arrays, folder / "policy.safetensors", {"settings": json.dumps(settings)})
    whole = (folder / "policy.safetensors").read_bytes()
    path.write_text(json.dumps(settings | {"sha256": hashlib.sha256(whole).hexdigest()}))


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_on_disk_is_the_same(tmp_path, name):
    policy = saved(tmp_path / "deep" / "folder", name)
    other = Policy.load(str(tmp_path / "deep" / "folder"))
    assert_equal(policy, other)
    asked = np.array([2.0, math.inf])
    mine, its = (one.compile(one.model, asked, 3) for one in (policy, other))
    np.testing.assert_array_equal(its.up, mine.up)
    if mine.sites is None:
        assert its.sites is None
    else:
        np.testing.assert_array_equal(its.sites, mine.sites)
    for learn in (False, True):
        runs = [
            simulate(one.model, Learning(one) if learn else one, sweeps=5, chains=3, seed=2)
            for one in (policy, other)
        ]
        assert runs[0].identical(runs[1])
    assert sorted(path.name for path in (tmp_path / "deep" / "folder").iterdir()) == [
        "policy.json", "policy.safetensors"
    ]  # fmt: skip


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
@pytest.mark.parametrize("file", ["policy.safetensors", "policy.json"])
def test_truncated_files_are_no_policy(tmp_path, file, share):
    saved(tmp_path)
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: int(share * len(whole))])
    with no_policy(tmp_path):
        Policy.load(tmp_path)


@pytest.mark.parametrize("text", ["{}", "[]", "3", "null", '{"format": 2}', "\x00", '"text"'])
def test_foreign_json_is_no_policy(tmp_path, text):
    saved(tmp_path)
    (tmp_path / "policy.json").write_text(text)
    with no_policy(tmp_path):
        Policy.load(tmp_path)


def test_json_that_is_no_text_is_no_policy(tmp_path):
    saved(tmp_path)
    (tmp_path / "policy.json").write_bytes(b"\xff\xfe\x00")
    with no_policy(tmp_path):
        Policy.load(tmp_path)


@pytest.mark.parametrize(("settings", "message"), [
    ({"format": "isingrl-policy-1"}, "'isingrl-policy-1', not 'isingrl-policy-2'"),
    ({"agent": {"name": "actor-critic"}}, "its agent is 'actor-critic', not one of independent-q"),
    ({"agent": {"name": "joint-q", "network": None, "colour": 3}}, "colour"),
    ({"agent": {"name": "mean-field-q", "network": None, "discount": 2}}, "discount"),
    ({"lattice": {"shape": [4, 6], "neighborhood": "hexagonal"}}, "hexagonal"),
    ({"lattice": {"shape": [4, 6], "neighborhood": "moore"}}, "shape"),
    ({"coupling": "strong"}, "coupling"),
    ({"chains": 2}, "shape"),
    ({"chains": 0}, ""),
    ({"chains": None}, ""),
])  # fmt: skip
def test_settings_that_do_not_fit_are_refused(tmp_path, settings, message):
    saved(tmp_path)
    change(tmp_path, **settings)
    with no_policy(tmp_path) as caught:
        Policy.load(tmp_path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "name", ["q_values", "visits", "reward", "loss", "magnetization", "temperature", "spins"]
)
def test_missing_arrays_are_refused(tmp_path, name):
    saved(tmp_path, "replay")
    change(tmp_path, name)
    with no_policy(tmp_path):
        Policy.load(tmp_path)


@pytest.mark.parametrize("name", ["q_values", "visits", "reward", "temperature", "q", "spins"])
@pytest.mark.parametrize("size", [0, 7])
def test_arrays_of_the_wrong_size_are_refused(tmp_path, name, size):
    saved(tmp_path, "replay")
    change(tmp_path, name, np.zeros(size))
    with no_policy(tmp_path):
        Policy.load(tmp_path)


def test_unknown_arrays_are_refused(tmp_path):
    saved(tmp_path)
    change(tmp_path, "momentum", np.zeros(3))
    with no_policy(tmp_path) as caught:
        Policy.load(tmp_path)
    assert "momentum" in str(caught.value)


@pytest.mark.parametrize("values", [None, np.zeros(7), np.zeros((3, 3, 1, 2, 7))])
def test_parameters_of_networks_that_do_not_fit_are_refused(tmp_path, values):
    saved(tmp_path, "network")
    change(tmp_path, "parameter.weight_0", values)
    with no_policy(tmp_path):
        Policy.load(tmp_path)


@pytest.mark.parametrize("file", ["policy.safetensors", "policy.json"])
def test_missing_files_are_named(tmp_path, file):
    saved(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(FileNotFoundError, match=f"{tmp_path} has no {file}"):
        Policy.load(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nowhere has no policy\.json"):
        Policy.load(tmp_path / "nowhere")


def test_a_save_that_fails_leaves_the_earlier_policy(tmp_path, monkeypatch):
    policy = saved(tmp_path)

    def full(arrays, path, metadata):
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(archives, "save_file", full)
    with pytest.raises(OSError, match="no space left"):
        trained("neighborhood").save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["policy.json", "policy.safetensors"]
    assert_equal(policy, Policy.load(tmp_path))


def test_a_save_that_is_cut_short_between_its_files_leaves_the_later_policy(tmp_path, monkeypatch):
    saved(tmp_path, "neighborhood-a-site")
    replace = Path.replace

    def cut(self, target):
        if target.name == "policy.json":
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(KeyboardInterrupt):
        saved(tmp_path)
    monkeypatch.undo()
    assert_equal(trained("mean-field"), Policy.load(tmp_path))


def test_a_file_that_took_the_place_of_the_data_is_no_policy(tmp_path):
    saved(tmp_path)
    save_file({"weights": np.zeros(3)}, tmp_path / "policy.safetensors")
    with no_policy(tmp_path):
        Policy.load(tmp_path)


def test_a_later_policy_takes_the_place_of_the_earlier(tmp_path):
    saved(tmp_path, "neighborhood-a-site")
    policy = saved(tmp_path)
    assert_equal(policy, Policy.load(tmp_path))


@pytest.mark.parametrize(("changes", "what"), [
    ({"lattice": Lattice((4, 6), "moore")}, "neighborhood"),
    ({"lattice": Lattice((4, 6), boundary="free")}, "boundary"),
    ({"lattice": Lattice((4, 6, 2))}, "number of dimensions"),
    ({"lattice": Lattice((24,))}, "number of dimensions"),
    ({"coupling": 2.0}, "coupling"),
    ({"field": 0.2}, "field"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["mean-field", "a-site", "neighborhood", "independent"])
def test_other_models_are_refused(name, changes, what):
    policy = trained(name, chains=1, snapshots=0)
    model = dataclasses.replace(SQUARE, **changes)
    refusal = f"model must have the {what} that the policy was trained with"
    for learn in (False, True):
        with pytest.raises(ValueError, match=refusal):
            simulate(model, Learning(policy) if learn else policy, sweeps=1)
    with pytest.raises(ValueError, match=refusal):
        policy.compile(model, np.array([2.0]))


@pytest.mark.parametrize("name", POLICIES)
def test_what_is_tied_to_sites_is_tied_to_the_shape(name):
    policy = trained(name)
    lattice = policy.model.lattice
    shape = (lattice.shape[1], lattice.shape[0])  # as many sites
    other = dataclasses.replace(policy.model, lattice=dataclasses.replace(lattice, shape=shape))
    if policy.agent.shared and not isinstance(policy.agent, JointQ):
        data = simulate(other, policy, sweeps=2, chains=3, seed=1)
        assert data.sides == "x".join(map(str, shape))
    else:
        with pytest.raises(ValueError, match="model must have the shape"):
            simulate(other, policy, sweeps=2, chains=3)


def test_chains_and_temperatures_are_those_of_the_training():
    policy = trained("a-site")
    np.testing.assert_array_equal(policy.temperature, TEMPERATURES)
    for learn in (False, True):
        with pytest.raises(ValueError, match="chains must be 3, as many as were trained; got 2"):
            simulate(SQUARE, Learning(policy) if learn else policy, sweeps=1, chains=2)
        with pytest.raises(ValueError, match=r"trained at, \[3.0, 2.0, inf\]; got 2.5"):
            simulate(SQUARE, Learning(policy) if learn else policy, [2.0, 2.5], sweeps=1, chains=3)
    with pytest.raises(ValueError, match="use compile"):
        policy.table(SQUARE, np.array([2.0]))


@pytest.mark.parametrize("name", POLICIES)
def test_learning_goes_on_from_what_was_learned(name):
    policy = trained(name)
    asked = np.array([math.inf, 3.0])
    seed = np.random.SeedSequence(1)
    engine = Learning(policy).engine(policy.model, asked, 3, "up", "checkerboard", seed)
    learner = engine._learner
    expected = policy.q_values.sel(temperature=asked).values.reshape(2, policy.chains, -1)
    q = learner.q.reshape(2, 3, -1)
    np.testing.assert_allclose(q, np.broadcast_to(expected, q.shape), rtol=1e-12, atol=1e-12)
    for parameter, values in policy.parameters.items():
        known = learner.knowledge[parameter].reshape(2, 3, *values.shape[2:])
        np.testing.assert_array_equal(known, np.broadcast_to(values[[2, 0]], known.shape))
    if policy.agent.network is None:
        visits = policy.visits.sel(temperature=asked).values.reshape(2, policy.chains, -1)
        np.testing.assert_array_equal(
            learner.visits.reshape(2, 3, -1), np.broadcast_to(visits, q.shape)
        )
    before = {key: values.copy() for key, values in learner.knowledge.items()}
    engine.sweep(3)
    key = "visits" if policy.agent.network is None else "weight_0"
    assert (learner.knowledge[key] != before[key]).any()


def test_what_is_learned_exactly_stays_exact():
    policy = train(SQUARE, MeanFieldQ(), 4.0, sweeps=300, annealing=0.8, seed=3)
    fields = SQUARE.local_fields()
    exact = np.stack([-fields, fields], axis=1)
    np.testing.assert_allclose(policy.q_values[0], exact, atol=1e-12)
    seed = np.random.SeedSequence(1)
    engine = Learning(policy).engine(SQUARE, np.array([4.0]), 2, "random", "checkerboard", seed)
    engine.sweep(50)
    np.testing.assert_allclose(engine._learner.q[:, 0], [exact, exact], atol=1e-12)


def seen_sites(agent, lattice, site):
    """Flat indices of the sites whose spins are the bits of what `site` sees."""
    if not isinstance(agent, JointQ):
        return oracles.neighbor_indices(lattice)[site]
    places = oracles.site_list(lattice.shape)
    moved = [
        tuple((x + d) % side for x, d, side in zip(places[site], step, lattice.shape, strict=True))
        for step in places[1:]
    ]
    return [places.index(place) for place in moved]


def chance_of_up(policy, row, chain, spins, site):
    """P(up) of one site, looked up in the action values."""
    agent, lattice = policy.agent, policy.model.lattice
    bits = [int(spins[other] > 0) for other in seen_sites(agent, lattice, site)]
    state = sum(bits)
    if "configuration" in policy.q_values.dims:
        state = sum(bit << place for place, bit in enumerate(bits))
    q = policy.q_values.isel(temperature=row)
    q = q.isel(chain=chain) if policy.chains > 1 else q
    q = (q if agent.shared else q.isel(site=site)).values[state]
    return oracles.softmax_up(q[0], q[1], policy.temperature[row])


def with_random_values(policy, seed):
    """The policy, as if it had learned something everywhere."""
    q = np.random.default_rng(seed).normal(size=policy.q_values.shape)
    return dataclasses.replace(policy, q_values=policy.q_values.copy(data=q))


@pytest.mark.parametrize("name", BYTE_POLICIES)
def test_probabilities_are_those_of_a_loop(name):
    policy = with_random_values(trained(name), 4)
    lattice, chains = policy.model.lattice, policy.chains
    table = policy.compile(policy.model, policy.temperature, chains)
    spins = np.random.default_rng(5).choice([-1, 1], size=(2, lattice.n_sites))
    found = table.probabilities(lattice, spins)
    assert found.shape == (3 * chains, 2, lattice.n_sites)
    for replica, draw, site in np.ndindex(found.shape):
        row, chain = divmod(replica, chains)
        expected = chance_of_up(policy, row, chain, spins[draw], site)
        assert found[replica, draw, site] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", BYTE_POLICIES)
def test_the_byte_engine_runs_them(name):
    model, agent, settings = POLICIES[name]
    chains = settings.get("chains", 1)
    greedy = train(model, agent, 0.0, sweeps=1, chains=chains, seed=1)
    policy = with_random_values(greedy, 6)  # without ties nothing is left to chance
    lattice = model.lattice
    start = np.random.default_rng(7).choice(np.array([-1, 1], np.int8), (chains, *lattice.shape))
    table = policy.compile(model, policy.temperature, chains)
    engine = table_engine(model, table, start, "checkerboard", np.random.SeedSequence(1))
    assert isinstance(engine, SiteEngine)
    engine.sweep(2)
    order = sorted(range(lattice.n_sites), key=lambda site: lattice.sublattices.ravel()[site])
    for chain in range(chains):
        spins = start[chain].ravel().tolist()
        for site in order * 2:
            spins[site] = 1 if chance_of_up(policy, 0, chain, spins, site) > 0.5 else -1
        np.testing.assert_array_equal(engine.spins(chain).ravel(), spins)
