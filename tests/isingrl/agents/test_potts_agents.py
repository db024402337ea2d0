"""Agents with q actions on the Potts model: the heat bath, mean-field theory, files, refusals."""

import functools
import warnings

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import isingrl as irl
from analysis import effective_temperature, exact
from isingrl.agents import REWARDS, Reward
from isingrl.compositions import Compositions
from isingrl.schedules import SCHEDULES
from tests import oracles
from tests.statistical import Z_LIMIT, z_of_chains

SQUARE = irl.Lattice((6, 6))
TWO = np.array([0.8, 1.7])


def softmax(gain, temperature):
    """Chances ∝ exp(gain / T), from the plain formula."""
    weights = np.exp(gain / temperature)
    return weights / weights.sum(axis=-1, keepdims=True)


def gains(model, table):
    """J n + h δ of every state, by what a table of agents sees."""
    q, n_seen = model.states, table.chances.shape[2]
    field = model.field * (np.arange(q) == 0)
    if table.sites is None:
        return model.coupling * Compositions.of(model.lattice, q).counts + field
    found = []
    for site, own in enumerate(oracles.coupled_neighbors(model)):
        strength = [sum(j for other, j in own if other == seen) for seen in table.sites[site]]
        states = np.arange(n_seen)[:, None] // q ** np.arange(len(strength)) % q
        found.append(((states[:, :, None] == np.arange(q)) * np.reshape(strength, (-1, 1))).sum(1))
    assert len(found) == 1 or table.chances.shape[1] > 1 or np.ptp(found, axis=0).max() == 0
    return np.array(found)[: table.chances.shape[1]] + field


def check_heat_bath(model, agent, sweeps=3000, temperatures=TWO, **options):
    policy = irl.train(model, agent, temperatures, sweeps=sweeps, seed=1, **options)
    assert policy.unvisited == 0
    assert policy.exact_temperature
    table = policy.potts_table(model, policy.temperature)
    for place, temperature in enumerate(policy.temperature):
        wanted = np.broadcast_to(
            softmax(gains(model, table), temperature), table.chances[place].shape
        )
        np.testing.assert_allclose(table.chances[place], wanted, atol=1e-9)
    return policy


HEAT_BATHS = {
    "q = 2": (irl.Potts(SQUARE, 2), irl.MeanFieldQ()),
    "q = 3": (irl.Potts(SQUARE, 3), irl.MeanFieldQ()),
    "q = 4": (irl.Potts(SQUARE, 4), irl.MeanFieldQ()),
    "antiferromagnet in a field": (irl.Potts(SQUARE, 3, -0.7, 0.4), irl.MeanFieldQ()),
    "free": (irl.Potts(irl.Lattice((5, 6), boundary="free"), 3, 1.0, -0.3), irl.MeanFieldQ()),
    "honeycomb": (irl.Potts(irl.Lattice((4, 6), "honeycomb"), 3), irl.MeanFieldQ()),
    "triangular": (irl.Potts(irl.Lattice((6, 6), "triangular"), 3, 0.5), irl.MeanFieldQ()),
    "of one's own": (irl.Potts(irl.Lattice(6), 3, 1.0, 0.2), irl.MeanFieldQ(shared=False)),
    "configurations, q = 2": (irl.Potts(SQUARE, 2, 1.0, 0.3), irl.NeighborhoodQ()),
    "configurations, q = 3": (irl.Potts(SQUARE, 3, -0.6), irl.NeighborhoodQ()),
    "configurations, q = 4": (irl.Potts(irl.Lattice(8), 4, 1.0, -0.4), irl.NeighborhoodQ()),
    "couplings": (irl.Potts(SQUARE, 3, [1.2, -0.4], 0.2), irl.NeighborhoodQ()),
    "couplings of one's own": (
        irl.Potts(irl.Lattice((3, 3)), 2, [1.2, 0.4]), irl.NeighborhoodQ(shared=False)
    ),
    "joint, ring of 4": (irl.Potts(irl.Lattice(4), 3, 1.0, 0.3), irl.JointQ()),
    "joint, ring of 5": (irl.Potts(irl.Lattice(5), 3), irl.JointQ()),
    "joint, 2 x 3": (irl.Potts(irl.Lattice((2, 3)), 2, [1.0, 0.4]), irl.JointQ()),
    "joint, free": (
        irl.Potts(irl.Lattice((2, 2), boundary="free"), 3, 1.0, 0.2), irl.JointQ(shared=False)
    ),
}  # fmt: skip


class TestHeatBath:
    @pytest.mark.parametrize("name", HEAT_BATHS)
    def test_tables_become_the_heat_bath(self, name):
        model, agent = HEAT_BATHS[name]
        sweeps = 40_000 if "joint" in name or "own" in name else 6000
        check_heat_bath(model, agent, sweeps, annealing=0.9)

    @pytest.mark.parametrize("reward", ["energy", "half", "mean", "chapter-1d"])
    def test_rewards_that_stand_for_the_energy(self, reward):
        model = irl.Potts(SQUARE, 3)
        policy = check_heat_bath(model, irl.MeanFieldQ(reward))
        tau = policy.q_values["softmax_temperature"].values
        ratio = {"energy": 1.0, "half": 2.0, "mean": 4.0, "chapter-1d": 1 / 1.8}[reward]
        np.testing.assert_allclose(TWO / tau, ratio)

    @pytest.mark.parametrize(
        ("lattice", "agent"),
        [
            (SQUARE, irl.MeanFieldQ(network=(20,))),
            (irl.Lattice(4), irl.MeanFieldQ(network=(20,), shared=False)),
            pytest.param(irl.Lattice(6), irl.NeighborhoodQ(network=(20,)), marks=pytest.mark.soak),
            pytest.param(irl.Lattice(3), irl.JointQ(network=(20,)), marks=pytest.mark.soak),
        ],
        ids=repr,
    )
    def test_networks_come_near(self, lattice, agent):
        pytest.importorskip("torch")
        model = irl.Potts(lattice, 3)
        policy = irl.train(model, agent, 1.5, sweeps=2500, annealing=0.8, seed=1)
        table = policy.potts_table(model, policy.temperature)
        wanted = softmax(gains(model, table), 1.5)
        assert abs(table.chances[0] - wanted).max() < 0.03

    def test_extreme_temperatures(self):
        model = irl.Potts(SQUARE, 3, 1.0)
        policy = irl.train(model, irl.MeanFieldQ(), [0.0, np.inf], sweeps=4000, seed=1)
        assert policy.unvisited == 0
        chances = policy.potts_table(model, policy.temperature).chances
        gain = gains(model, policy.potts_table(model, policy.temperature))
        best = gain == gain.max(axis=-1, keepdims=True)
        np.testing.assert_allclose(chances[0, 0], best / best.sum(axis=-1, keepdims=True))
        np.testing.assert_allclose(chances[1], 1 / 3)

    def test_epsilon(self):
        model = irl.Potts(SQUARE, 3)
        with pytest.warns(irl.TemperatureMapWarning, match=r"epsilon = 0\.3"):
            policy = irl.train(model, irl.MeanFieldQ(epsilon=0.3), 1.0, sweeps=3000, seed=1)
        table = policy.potts_table(model, policy.temperature)
        wanted = 0.7 * softmax(gains(model, table), 1.0) + 0.1
        np.testing.assert_allclose(table.chances[0, 0], wanted, atol=1e-9)

    def test_several_trainings(self):
        model = irl.Potts(SQUARE, 3)
        policy = check_heat_bath(model, irl.MeanFieldQ())
        assert policy.q_values.dims == ("temperature", "neighbor_states", "action")
        assert policy.q_values["neighbor_states"].values[:3].tolist() == ["4 0 0", "3 1 0", "3 0 1"]
        assert policy.q_values["action"].values.tolist() == [0, 1, 2]
        assert policy.q_values.sel(temperature=0.8, neighbor_states="3 1 0", action=1) == 1.0
        twice = irl.train(model, irl.MeanFieldQ(), TWO, chains=2, sweeps=2000, seed=1)
        assert twice.potts_table(model, TWO, 2).chances.shape == (4, 1, 15, 3)
        assert "order_parameter" in twice.history
        with pytest.raises(ValueError, match="chains must be 2, as many as were trained; got 3"):
            twice.potts_table(model, TWO, 3)

    def test_those_that_see_a_few(self):
        """At T = ∞ what is not seen is any state alike."""
        model = irl.Potts(irl.Lattice((24, 24)), 3)
        agent = irl.MeanFieldQ(neighbors_seen=2, learning_rate=1e-9)
        policy = irl.train(model, agent, [np.inf, 1.0], sweeps=1500, annealing=0.0, seed=1)
        assert policy.q_values.dims == ("temperature", "neighbor_states_seen", "action")
        seen = Compositions((2,), 3).counts
        q = policy.q_values.values[0]
        error = np.sqrt(2 * 2 / 9 / policy.visits.values[0])
        assert (abs(q - (seen + 2 / 3)) < Z_LIMIT * error).all()
        # a site that draws what it sees anew acts by the mean over the draws
        chances = policy.potts_table(model, np.array([1.0])).chances[0, 0]
        expected = Compositions((4,), 3).draws(2) @ softmax(policy.q_values.values[1], 1.0)
        np.testing.assert_allclose(chances, expected, atol=1e-12)
        whole = irl.train(model, irl.MeanFieldQ(neighbors_seen=4), 1.0, sweeps=20, seed=1)
        same = irl.train(model, irl.MeanFieldQ(), 1.0, sweeps=20, seed=1)
        np.testing.assert_array_equal(whole.q_values, same.q_values)
        blind = irl.MeanFieldQ(neighbors_seen=0)
        assert irl.train(model, blind, 1.0, sweeps=20, seed=1).q_values.shape == (1, 1, 3)

    @pytest.mark.parametrize("couplings", [[1.75, 0.25], [2.0, -0.25]])
    def test_those_that_see_the_mean_action_play_the_mean_coupling(self, couplings):
        model = irl.Potts(irl.Lattice((4, 3)), 3, couplings)
        homogenised = irl.Potts(model.lattice, 3, model.mean_coupling)
        temperature = 1.2 * model.mean_coupling
        # rewards have noise, because they depend on which of the neighbours are alike
        agent = irl.MeanFieldQ(learning_rate=1e-9)
        large = irl.Potts(irl.Lattice((32, 32)), 3, couplings)
        policy = irl.train(large, agent, temperature, sweeps=6000, seed=1)
        data = irl.simulate(
            model, policy, sweeps=800, interval=2, thermalization=60, chains=48, seed=2
        )
        known = exact.enumeration(homogenised, temperature)
        z = z_of_chains(data["order_parameter"][0].mean("draw"), float(known["order_parameter"][0]))
        assert abs(z) < Z_LIMIT
        other = exact.enumeration(model, temperature)
        assert abs(data["order_parameter"].mean() - other["order_parameter"][0]) > 0.01


@functools.cache
def trained(name):
    model, agent = HEAT_BATHS[name]
    return irl.train(model, agent, TWO, sweeps=6000, annealing=0.9, seed=3)


class TestRuns:
    @pytest.mark.parametrize("schedule", ["checkerboard", "random-site"])
    @pytest.mark.parametrize("tempered", [False, True])
    @pytest.mark.parametrize(
        ("name", "shape"),
        [("q = 4", (3, 3)), ("free", (3, 4)), ("couplings", (3, 4)), ("joint, ring of 5", (5,)),
         ("triangular", (3, 3)), ("configurations, q = 4", (7,))],
    )  # fmt: skip
    def test_policies_sample_the_model(self, name, shape, tempered, schedule):
        policy = trained(name)
        lattice = irl.Lattice(
            shape, policy.model.lattice.neighborhood, policy.model.lattice.boundary
        )
        own = policy.model
        model = irl.Potts(lattice, own.states, own.coupling, own.field)
        data = irl.simulate(
            model, irl.Tempering(policy, every=3) if tempered else policy, sweeps=800, interval=2,
            thermalization=60, chains=48, schedule=schedule, seed=5,
        )  # fmt: skip
        known = exact.enumeration(model, TWO)
        for place in range(2):
            at, expected = data.isel(temperature=place), known.isel(temperature=place)
            for found, mean in [
                (at["energy"], expected["energy"]),
                (at["order_parameter"], expected["order_parameter"]),
                (at["state_share"][..., 0], expected["state_share"][0]),
            ]:
                assert abs(z_of_chains(found.mean("draw"), float(mean))) < Z_LIMIT

    @settings(max_examples=50)
    @given(
        st.sampled_from(
            ["q = 3", "free", "of one's own", "couplings", "joint, ring of 5", "joint, free"]
        ),
        st.sampled_from(sorted(SCHEDULES)), st.integers(0, 2**32),
    )  # fmt: skip
    def test_sweeps_are_those_of_the_oracle(self, name, schedule, seed):
        policy, model = trained(name), trained(name).model
        table = policy.potts_table(model, TWO)
        engine = policy.engine(model, TWO, 1, "random", schedule, np.random.SeedSequence(seed))
        starts = [engine.spins(chain).ravel().tolist() for chain in range(2)]
        randoms = [oracles.Random(words) for words in engine._states]
        engine.sweep(1)
        for chain, (states, random) in enumerate(zip(starts, randoms, strict=True)):
            agents = oracles.PottsLearners(states, model, policy.agent, schedule, random)
            before = states if schedule != "synchronous" else list(states)
            for site in oracles.visited_sites(model.lattice, schedule, random):
                _, seen = agents.look(before, site)
                own = table.chances[chain, site if table.chances.shape[1] > 1 else 0, seen]
                draw = random.uniform()
                states[site] = sum(1 for each in 1 - np.cumsum(own)[:-1] if draw < max(0, each))
            assert engine.spins(chain).ravel().tolist() == states

    def test_learning_goes_on_from_its_checkpoint(self, tmp_path):
        model = irl.Potts(irl.Lattice((4, 4)), 3)
        agents = {
            "agent": irl.MeanFieldQ(),
            "own": irl.IndependentQ(shared=False),
            "memory": irl.MeanFieldQ("half", replay=20, batch_size=5),
            "policy": irl.train(model, irl.MeanFieldQ(), [1.0, 1.5], sweeps=20, seed=1),
        }
        for name, agent in agents.items():
            run = functools.partial(
                irl.simulate, model, irl.Learning(agent), [1.0, 1.5], thermalization=5, chains=2,
                seed=1,
            )  # fmt: skip
            whole = run(sweeps=40)
            run(sweeps=20, out=tmp_path / name)
            xr.testing.assert_identical(run(sweeps=40, out=tmp_path / name), whole)

    def test_networks_go_on_from_their_checkpoint(self, tmp_path):
        pytest.importorskip("torch")
        model = irl.Potts(irl.Lattice((4, 4)), 3)
        for name, agent in {
            "mean": irl.MeanFieldQ(network=(4,)),
            "blind": irl.IndependentQ(network=(4,), shared=False),
        }.items():
            agents = irl.Learning(agent)
            run = functools.partial(irl.simulate, model, agents, 1.0, chains=2, seed=1)
            whole = run(sweeps=20)
            run(sweeps=10, out=tmp_path / name)
            xr.testing.assert_identical(run(sweeps=20, out=tmp_path / name), whole)


class TestWeiss:
    """Agents that see nothing, learning while they are measured."""

    @pytest.mark.parametrize("side", [16, 48])
    def test_ordered(self, side):
        model, temperatures = irl.Potts(irl.Lattice((side, side)), 3), [1.0, 1.25]
        agent = irl.IndependentQ(learning_rate=1e-3)
        data = irl.simulate(
            model, irl.Learning(agent), temperatures, sweeps=400, thermalization=200, chains=16,
            start="ordered", seed=1,
        )  # fmt: skip
        theory = exact.weiss(model, temperatures)
        assert theory.attrs["lower_spinodal"] > 1.3
        for name in ("order_parameter", "energy"):
            found = data[name].mean("draw").values
            off = found.mean(axis=1) - theory[f"{name}_ordered"].values
            error = found.std(axis=1, ddof=1) / 4
            assert (abs(off) < Z_LIMIT * error + 4 / side**2).all(), (name, off, error)

    @pytest.mark.parametrize("side", [16, 48])
    def test_disordered(self, side):
        model, temperatures = irl.Potts(irl.Lattice((side, side)), 3), [1.6, 2.5]
        assert exact.weiss(model, temperatures).attrs["upper_spinodal"] < 1.5
        agent = irl.IndependentQ(learning_rate=1e-3)
        data = irl.simulate(
            model, irl.Learning(agent), temperatures, sweeps=400, thermalization=200, chains=16,
            seed=2,
        )  # fmt: skip
        assert (exact.weiss(model, temperatures)["order_parameter_disordered"] == 0).all()
        assert (data["order_parameter"].mean(["chain", "draw"]) < 4 / side).all()
        for place in range(2):
            energy = data["energy"][place].mean("draw")
            off, error = float(energy.mean()) + 2 / 3, float(energy.std(ddof=1)) / 4
            assert abs(off) < Z_LIMIT * error + 4 / side**2


class TestFiles:
    @pytest.mark.parametrize(
        "agent",
        [
            irl.MeanFieldQ(), irl.NeighborhoodQ(), irl.IndependentQ(), irl.MeanFieldQ(shared=False),
            irl.MeanFieldQ(neighbors_seen=1), irl.MeanFieldQ(network=(5,)), irl.JointQ(),
        ],
        ids=repr,
    )  # fmt: skip
    def test_policies_come_back(self, agent, tmp_path):
        if agent.network is not None:
            pytest.importorskip("torch")
        lattice = irl.Lattice((2, 2) if isinstance(agent, irl.JointQ) else (4, 4))
        model = irl.Potts(lattice, 3, 1.0, 0.2)
        policy = irl.train(model, agent, [1.0, 1.5], sweeps=20, snapshots=2, seed=1)
        assert policy.history["spins"].dtype == np.uint8
        policy.save(tmp_path)
        again = irl.Policy.load(tmp_path)
        assert again.model == model
        assert again.agent == agent
        xr.testing.assert_identical(again.q_values, policy.q_values)
        xr.testing.assert_identical(again.history, policy.history)
        assert "3 states" in repr(again)
        assert again._repr_html_()
        options = {"sweeps": 5, "snapshots": 2, "seed": 1}
        xr.testing.assert_identical(
            irl.simulate(model, again, **options), irl.simulate(model, policy, **options)
        )

    def test_other_models_are_refused(self):
        model = irl.Potts(irl.Lattice((4, 4)), 3)
        policy = irl.train(model, irl.MeanFieldQ(), 1.0, sweeps=20, seed=1)
        own = irl.train(irl.Ising(model.lattice), irl.MeanFieldQ(), 1.0, sweeps=20, seed=1)
        for other, rule, message in [
            (irl.Potts(model.lattice, 4), policy, "the number of states that .*, 3; got 4"),
            (irl.Ising(model.lattice), policy, "the kind that .* 'Potts'; got 'Ising'"),
            (model, own, "the kind that .* 'Ising'; got 'Potts'"),
            (irl.Potts(irl.Lattice((4, 4), "moore"), 3), policy, "the neighborhood that"),
            (irl.Potts(irl.Lattice((4, 4), boundary="free"), 3), policy, "the boundary that"),
            (irl.Potts(model.lattice, 3, 0.5), policy, "the coupling that .*, 1.0; got 0.5"),
            (irl.Potts(model.lattice, 3, 1.0, 0.1), policy, "the field that .*, 0.0; got 0.1"),
        ]:
            with pytest.raises(ValueError, match=f"model must have {message}"):
                irl.simulate(other, rule, sweeps=5)

    def test_sites_with_other_numbers_of_neighbours_are_refused(self):
        """On a path of two sites each has one neighbour, on longer ones some have two."""
        long, short = (irl.Potts(irl.Lattice(n, boundary="free"), 3) for n in (5, 2))
        policy = irl.train(long, irl.MeanFieldQ(), 1.0, sweeps=50, seed=1)
        irl.simulate(irl.Potts(irl.Lattice(9, boundary="free"), 3), policy, sweeps=2)
        with pytest.raises(ValueError, match="as many neighbours of each site as in the training"):
            irl.simulate(short, policy, sweeps=2)


class TestRefusals:
    @pytest.mark.parametrize(
        ("model", "agent", "message"),
        [
            (irl.Potts(SQUARE, 3, [1.0, 0.5]), irl.MeanFieldQ(), "bonds of different couplings"),
            (irl.Potts(SQUARE, 3), irl.IndependentQ(), "do not see all their neighbours"),
            (irl.Potts(SQUARE, 3), irl.MeanFieldQ(neighbors_seen=2), r"at T = 0\.8 .* the chance"),
            (irl.Potts(SQUARE, 3), irl.MeanFieldQ(discount=0.5), r"the discount 0\.5 lets"),
            (irl.Potts(SQUARE, 3), irl.MeanFieldQ("chapter-2d"), "not proportional to the energy"),
            (irl.Potts(SQUARE, 4), irl.NeighborhoodQ(), "entries of its tables were never visited"),
        ],
    )
    def test_tempering_says_why_a_policy_is_no_heat_bath(self, model, agent, message):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", irl.TemperatureMapWarning)
            policy = irl.train(model, agent, TWO, sweeps=100, seed=1)
        with pytest.raises(ValueError, match=rf"detailed balance .*{message}"):
            irl.simulate(model, irl.Tempering(policy), sweeps=5)

    @pytest.mark.parametrize(
        ("reason", "agent"),
        {
            "the reward 'chapter-2d' is not proportional": irl.MeanFieldQ("chapter-2d"),
            "the discount 0.9 lets": irl.MeanFieldQ(discount=0.9),
            "rewards are read after": irl.NeighborhoodQ(reward_time="after"),
        }.items(),
    )
    def test_a_temperature_that_is_a_label_is_warned_of(self, reason, agent):
        model = irl.Potts(SQUARE, 3)
        with pytest.warns(irl.TemperatureMapWarning, match=reason):
            policy = irl.train(model, agent, 1.0, sweeps=5, seed=1)
        with pytest.warns(irl.TemperatureMapWarning, match=reason):
            irl.simulate(model, policy, sweeps=5, seed=1)
        with pytest.warns(irl.TemperatureMapWarning, match=reason):
            irl.simulate(model, irl.Learning(agent), 1.0, sweeps=5, seed=1)

    def test_others_are_not(self):
        model = irl.Potts(SQUARE, 3, [1.0, 0.4], 0.1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for agent in (irl.MeanFieldQ("half"), irl.IndependentQ(), irl.NeighborhoodQ("mean")):
                irl.train(model, agent, 1.0, sweeps=5, seed=1)

    def test_joint_actions_that_are_too_long(self):
        pair = irl.train(irl.Potts(irl.Lattice(2), 4), irl.JointQ(), 1.0, sweeps=10, seed=1)
        assert pair.q_values[0].size == 16
        with pytest.raises(ValueError, match=r"33,554,432\). MeanFieldQ sees their mean"):
            irl.train(irl.Ising(irl.Lattice((5, 5))), irl.JointQ(), 1.0)
        for model, agent, message in [
            (irl.Potts(irl.Lattice((5, 5)), 3), irl.JointQ(), r"3\^25 .* MeanFieldQ .* 15 values"),
            (
                irl.Potts(irl.Lattice((4, 4), "moore"), 5), irl.NeighborhoodQ(),
                r"5\^8 = 390,625 .*MeanFieldQ sees their mean, 495 values",
            ),
            (
                irl.Potts(irl.Lattice((4, 4, 4), "moore"), 7), irl.MeanFieldQ(),
                r"mean action of at most 65,536 .* IndependentQ sees none",
            ),
        ]:  # fmt: skip
            with pytest.raises(ValueError, match=message):
                irl.train(model, agent, 1.0)
        irl.train(irl.Potts(irl.Lattice((3, 3, 3), "moore"), 7), irl.IndependentQ(), 1.0, sweeps=2)

    def test_tables_of_spins_up(self):
        """They would be those of the state 1."""
        model, t = irl.Potts(SQUARE, 3), np.array([1.0])
        policy = irl.train(model, irl.MeanFieldQ(), 1.0, sweeps=5, seed=1)
        for make in (policy.compile, policy.table, irl.HeatBath().compile):
            with pytest.raises(TypeError, match=r"must be an Ising model for a table of P\(up\)"):
                make(model, t)

    def test_rewards_of_ones_own(self, monkeypatch):
        model = irl.Potts(SQUARE, 3)
        ising = Reward("own", lambda model, a: a * model.local_fields())
        with pytest.raises(ValueError, match="'own' must have of_support to serve agents on a Pot"):
            irl.train(model, irl.MeanFieldQ(ising), 1.0)
        bad = Reward("own", ising.values, of_support=lambda model: np.ones(3))
        with pytest.raises(ValueError, match=r"of_support of reward 'own' must .* shape \(10,\)"):
            irl.train(model, irl.MeanFieldQ(bad), 1.0)
        double = Reward(
            "double", ising.values, lambda model: 0.5,
            of_support=lambda model: 2 * REWARDS["energy"].table(model),
        )  # fmt: skip
        check_heat_bath(model, irl.MeanFieldQ(double))
        wrong = Reward("own", ising.values, of_support=lambda m: 2 * REWARDS["energy"].table(m))
        with pytest.warns(irl.TemperatureMapWarning, match="favours a state by"):
            irl.train(model, irl.MeanFieldQ(wrong), 1.0, sweeps=2)
        for reward in ("chapter-1d", "chapter-2d"):
            with pytest.raises(ValueError, match="stands for coupling > 0 and field = 0"):
                irl.train(irl.Potts(SQUARE, 3, 1.0, 0.5), irl.MeanFieldQ(reward), 1.0)


def test_odds_are_of_two_actions():
    policy = irl.train(irl.Potts(irl.Lattice((4, 4)), 3), irl.MeanFieldQ(), 1.0, sweeps=10, seed=1)
    with pytest.raises(ValueError, match=r"policy must be one of Ising spins.* got one of 3"):
        effective_temperature(policy)
