"""Parallel tempering by `simulate`: exact laws at every temperature, and what is refused."""

import hashlib
import re
from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr

import isingrl.engines.lane_bonds
from analysis import exact, thermodynamics
from isingrl import (
    HeatBath,
    IndependentQ,
    Ising,
    Lattice,
    Learning,
    MeanFieldQ,
    Metropolis,
    NeighborhoodQ,
    Policy,
    Rule,
    Tempering,
    simulate,
    train,
)
from isingrl.testing import check_dynamics
from tests.statistical import Z_LIMIT, check_standard_normal, z_of_chains

MOMENTS = {
    "energy": lambda e, m: e,
    "energy_squared": lambda e, m: e**2,
    "magnetization": lambda e, m: m,
    "abs_magnetization": lambda e, m: abs(m),
    "magnetization_squared": lambda e, m: m**2,
    "magnetization_fourth": lambda e, m: m**4,
}
SQUARE = Lattice((4, 4))


@dataclass(frozen=True)
class System:
    """What is simulated, at temperatures relative to z |J|."""

    name: str
    model: Ising
    rule: object
    temperatures: tuple = (0.9, 0.45, 0.65, np.inf)
    schedule: str = "checkerboard"
    lanes: bool = False

    @property
    def kelvin(self):
        """The temperatures."""
        scale = self.model.lattice.coordination_number * abs(self.model.coupling)
        return [scale * each for each in self.temperatures]


def learned(agent):
    return lambda model, temperatures: train(model, agent, temperatures, sweeps=2000, seed=3)


SYSTEMS = [
    System("metropolis", Ising(SQUARE), Metropolis(), lanes=True),
    System("heat-bath-field", Ising(SQUARE, 1.0, 0.3), HeatBath(), lanes=True),
    System("metropolis-fields", Ising(SQUARE, 1.0, (0.0, 0.5)), Metropolis(), lanes=True),
    System("moore-antiferromagnet", Ising(Lattice((4, 4), "moore"), -1.0), HeatBath(), lanes=True),
    System("ring-typewriter", Ising(Lattice((9,)), 1.0, 0.2), Metropolis(), schedule="typewriter"),
    System("free-random-site", Ising(Lattice((3, 4), boundary="free")), HeatBath(),
           schedule="random-site"),
    System("cube", Ising(Lattice((2, 2, 3)), -1.0, 0.5), Metropolis()),
    System("mean-field-q", Ising(SQUARE), learned(MeanFieldQ()), (0.9, 0.6, 0.7), lanes=True),
    System("neighborhood-q", Ising(SQUARE), learned(NeighborhoodQ()), (0.9, 0.6, 0.7)),
]  # fmt: skip


@pytest.fixture(scope="module")
def scores():
    """Deviations of all systems from enumeration, by system, engine, place and moment."""
    found = {}
    for system in SYSTEMS:
        rule = system.rule
        if not isinstance(rule, Rule):
            rule = rule(system.model, system.kelvin)
        for engine in ("lanes", "sites") if system.lanes else ("sites",):
            with pytest.MonkeyPatch.context() as patch:
                if engine == "sites":
                    patch.setattr(isingrl.engines.lane_bonds, "fits", lambda lattice: False)
                data = simulate(
                    system.model, Tempering(rule, every=3), system.kelvin, sweeps=600,
                    thermalization=60, interval=2, chains=32, schedule=system.schedule,
                    seed=len(found),
                )  # fmt: skip
            found[system.name, engine] = _scores(system, data)
    return found


def _scores(system, data):
    several = "field" in data.dims
    expected = exact.enumeration(system.model, system.kelvin)
    e, m = (data[name].values for name in ("energy", "magnetization"))
    if not several:
        e, m = e[:, None], m[:, None]
    found = {}
    for name, function in MOMENTS.items():
        values = function(e, m).mean(axis=-1)
        wanted = expected[name].transpose("temperature", ...).values.reshape(values.shape[:2])
        for place in np.ndindex(values.shape[:2]):
            found[name, place] = z_of_chains(values[place], float(wanted[place]))
    return found


def test_moments_are_exact_at_every_temperature(scores):
    for system, found in scores.items():
        for at, z in found.items():
            assert abs(z) < Z_LIMIT, f"{system}, {at}: z = {z:.2f}"


@pytest.mark.parametrize("moment", MOMENTS)
def test_z_scores_together_are_standard_normal(scores, moment):
    """One temperature a system, in turn, because those of one chain are correlated."""
    chosen = []
    for turn, found in enumerate(scores.values()):
        places = [at for at in found if at[0] == moment]
        chosen.append(found[places[turn % len(places)]])
    check_standard_normal(chosen)


def test_error_bars_of_thermodynamics_hold_at_each_temperature():
    model, temperatures = Ising(SQUARE), [1.8, 2.4, 3.2]
    data = simulate(
        model, Tempering(HeatBath(), every=5), temperatures, sweeps=20_000, thermalization=100,
        chains=4, seed=5,
    )  # fmt: skip
    summary, expected = thermodynamics(data), exact.enumeration(model, temperatures)
    for name in ("energy", "abs_magnetization", "specific_heat", "binder_cumulant"):
        z = (summary[name] - expected[name]) / summary[f"{name}_error"]
        assert (abs(z) < Z_LIMIT).all(), f"{name}: {z.values}"


def test_stripes_stay_without_exchanges_and_go_with_them():
    """A third of random starts end in stripes, which nothing moves at T = 0.3."""
    model = Ising(Lattice((12, 12)))
    temperatures = [0.3, 1.2, 1.6, 1.9, 2.1, 2.3, 2.6]
    options = {"sweeps": 100, "thermalization": 4000, "chains": 32, "seed": 4}
    stuck = simulate(model, HeatBath(), temperatures[0], **options)
    free = simulate(model, Tempering(HeatBath()), temperatures, **options)
    ordered = [
        abs(each.magnetization.isel(temperature=0)).mean("draw").values > 0.99
        for each in (stuck, free)
    ]
    assert 4 < (~ordered[0]).sum() < 20
    assert ordered[1].all()
    up = (free.magnetization.isel(temperature=0) > 0).mean().item()
    assert 0.1 < up < 0.9


def test_data_stay_by_temperature_and_say_who_was_there():
    model, temperatures = Ising(SQUARE, 1.0, (0.0, 0.2)), [3.0, 2.0, 2.5]
    data = simulate(
        model, Tempering(Metropolis(), every=2), temperatures, sweeps=60, chains=3, snapshots=20,
        thermalization=7, interval=3, seed=2,
    )  # fmt: skip
    assert data.method.item() == "tempered-metropolis"
    assert data.attrs["exchange_interval"] == data.replica.attrs["every"] == 2
    for name in ("replica", "exchanges"):
        assert data[name].dims == ("temperature", "field", "chain", "draw")
        assert data[name].dtype == np.int64
    assert (np.sort(data.replica, axis=0) == np.arange(3)[:, None, None, None]).all()
    assert (data.exchanges.diff("draw") >= 0).all()
    assert (data.exchanges.sel(temperature=3.0) == 0).all()
    spins = data.spins.transpose("temperature", "field", "chain", "snapshot", "x", "y").values
    for k, each in enumerate(model.each_field):
        np.testing.assert_allclose(each.energy(spins[:, k]), data.energy.isel(field=k))


def test_a_start_is_given_by_temperature():
    start = np.ones((2, 1, 4, 4), dtype=int)
    start[1] = -1
    data = simulate(
        Ising(SQUARE), Tempering(HeatBath()), [0.5, 0.6], sweeps=3, start=start, snapshots=[0],
        seed=1,
    )  # fmt: skip
    assert data.spins.isel(snapshot=0).mean(("x", "y")).squeeze().values.tolist() == [1, -1]


@pytest.mark.parametrize("model", [Ising(SQUARE), Ising(Lattice((3, 5)), -1.0, 0.1)], ids=str)
def test_tempering_conforms(model):
    check_dynamics(Tempering(HeatBath(), every=2), model)


@pytest.mark.parametrize(
    ("schedule", "digest"),
    [("checkerboard", "3dddb6a96cc2a759"), ("typewriter", "464bfb1e170fa6b6")],
    ids=["lanes", "sites"],
)
def test_the_same_seed_gives_the_bits_that_are_pinned(schedule, digest):
    data = simulate(
        Ising(Lattice((4, 6)), 1.0, 0.1), Tempering(Metropolis(), 3), [3.0, 2.0, 2.5], sweeps=24,
        thermalization=5, interval=2, chains=2, schedule=schedule, seed=3,
    )  # fmt: skip
    found = hashlib.sha256()
    for name in ("energy", "magnetization", "replica", "exchanges"):
        found.update(data[name].values.astype("<f8").tobytes())
    assert found.hexdigest()[:16] == digest


def test_a_run_goes_on_and_is_extended(tmp_path):
    def run(sweeps, out=None, seed=1, every=3):
        rule = Tempering(Metropolis(), every)
        return simulate(
            Ising(SQUARE), rule, [2.0, 3.0, 4.0], sweeps=sweeps, thermalization=4, interval=2,
            chains=30, seed=seed, out=out,
        )  # fmt: skip

    whole = run(50)
    for sweeps in (14, 50, 30):
        data = run(sweeps, tmp_path)
        expected = whole.isel(draw=slice(sweeps // 2)).assign_attrs(sweeps=sweeps)
        xr.testing.assert_identical(data, expected)
    with pytest.raises(ValueError, match=r"rule\.every = 3, not 4"):
        run(60, tmp_path, every=4)


class Voter(Rule):
    """A rule without detailed balance."""

    name = "voter"

    def table(self, model, temperature):
        share = model.lattice.n_up / model.lattice.coordination_number
        return np.broadcast_to(share, (len(temperature), 2, len(share)))


class Hot(HeatBath):
    """A heat bath at twice the temperature, from T = 2.5 on."""

    name = "hot"

    def table(self, model, temperature):
        return super().table(model, temperature * np.where(temperature > 2.5, 2, 1))


def policy(agent, sweeps=500, **options):
    return train(Ising(SQUARE), agent, [2.5, 3.0], sweeps=sweeps, seed=1, **options)


@pytest.mark.filterwarnings("ignore::isingrl.TemperatureMapWarning")
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Voter, "voter does not: at T = 2 and 0 up neighbours up is favoured by a factor of 0, "),
        (Hot, "hot does not: at T = 3 and .* by a factor of 0.264, the model by 0.0695"),
        (lambda: policy(MeanFieldQ(discount=0.5)), "the discount 0.5 lets later rewards count"),
        (lambda: policy(MeanFieldQ(epsilon=0.1)), "the share epsilon = 0.1 of all actions is"),
        (lambda: policy(MeanFieldQ(neighbors_seen=2)), "at T = 2.5 and 0 up neighbours"),
        (lambda: policy(IndependentQ()), "at T = 2.5 and 0 up neighbours"),
        (lambda: policy(MeanFieldQ(), sweeps=1), "never visited and decide by a coin"),
    ],
    ids=["voter", "hot", "discount", "epsilon", "few seen", "none seen", "not learned"],
)  # fmt: skip
def test_rules_without_the_gibbs_law_are_refused(rule, said, tmp_path):
    rule = rule()
    temperatures = None if isinstance(rule, Policy) else [2.0, 3.0]
    folder = tmp_path / "new"
    with pytest.raises(ValueError, match=f"rule must have detailed balance.*({said})"):
        simulate(Ising(SQUARE), Tempering(rule), temperatures, sweeps=10, out=folder)
    assert not folder.exists()


def test_a_policy_of_several_trainings_runs_tempered():
    data = simulate(
        Ising(SQUARE), Tempering(policy(NeighborhoodQ(), 2000, chains=2)), sweeps=100, chains=2,
        seed=1,
    )  # fmt: skip
    assert data.exchanges.isel(draw=-1, temperature=0).min() > 0
    assert data.softmax_temperature.values.tolist() == [2.5, 3.0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"temperature": 2.0}, "temperature must hold at least two temperatures to exchange; got"),
        ({"temperature": None}, "temperature must be given"),
        ({"schedule": "synchronous"}, 'schedule must not be "synchronous" with Tempering'),
        ({"ladder": "temperature"}, "ladder must be None with Tempering"),
        ({"ladder": "field"}, "ladder must be None with Tempering"),
    ],
)
def test_options_that_do_not_suit_are_refused(options, said, tmp_path):
    arguments = {"temperature": [2.0, 3.0], "sweeps": 10, "out": tmp_path / "new"} | options
    with pytest.raises((ValueError, TypeError), match=re.escape(said)):
        simulate(Ising(SQUARE), Tempering(HeatBath()), **arguments)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((MeanFieldQ(),), "rule must be a Rule, such as Metropolis(), HeatBath() or a Policy"),
        ((Learning(MeanFieldQ()),), "got Learning("),
        ((Tempering(HeatBath()),), "got Tempering("),
        ((HeatBath(), 0), "every must be an integer of at least 1; got 0"),
        ((HeatBath(), 2.5), "every must be an integer of at least 1; got 2.5"),
    ],
)
def test_arguments_are_checked(arguments, said):
    with pytest.raises((ValueError, TypeError), match=re.escape(said)):
        Tempering(*arguments)
