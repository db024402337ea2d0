"""Acceptances, round trips and proposed temperatures of parallel tempering."""

import re

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from analysis import exact, tempering, tempering_temperatures
from isingrl import HeatBath, Ising, Lattice, Tempering, simulate
from tests.statistical import Z_LIMIT

SQUARE = Ising(Lattice((4, 4)))
TEMPERATURES = [2.5, 2.0, 4.0, 3.0]


@pytest.fixture(scope="module")
def data():
    """Temperatures in no order, draws that do not fit exchanges, and two fields."""
    model = Ising(Lattice((4, 4)), 1.0, (0.0, 0.4))
    return simulate(
        model, Tempering(HeatBath(), every=6), TEMPERATURES, sweeps=6000, thermalization=50,
        interval=4, chains=12, seed=1,
    )  # fmt: skip


def exact_acceptance(model, temperatures):
    """Mean of min(1, exp((β - β') (E - E'))) over all pairs of configurations."""
    n = model.lattice.n_sites
    spins = 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) - 1
    energies = model.energy(spins.reshape(-1, *model.lattice.shape)) * n
    levels, counts = np.unique(energies.round(9), return_counts=True)
    cold, hot = (
        (weights := counts * np.exp(-(levels - levels[0]) / t)) / weights.sum()
        for t in temperatures
    )
    gap = 1 / temperatures[0] - 1 / temperatures[1]
    chance = np.minimum(1, np.exp(gap * (levels[:, None] - levels)))
    return cold @ chance @ hot


def test_acceptances_are_exact(data):
    found = tempering(data)
    assert found.exchange_acceptance.dims == ("field", "pair")
    assert found.colder.values.tolist() == [2.0, 2.5, 3.0]
    assert found.warmer.values.tolist() == [2.5, 3.0, 4.0]
    for field in (0.0, 0.4):
        own = found.sel(field=field)
        for pair in range(3):
            between = float(own.colder[pair]), float(own.warmer[pair])
            expected = exact_acceptance(Ising(SQUARE.lattice, 1.0, field), between)
            off = own.exchange_acceptance[pair] - expected
            assert abs(off / own.exchange_acceptance_error[pair]) < Z_LIMIT
            assert 0 < own.exchange_acceptance_error[pair] < 0.02


def test_thinned_data_have_the_same_counts(data):
    """Of the sweeps that they cover."""
    whole = tempering(data.isel(draw=slice(0, 1 + 3 * 480)))
    with pytest.warns(UserWarning, match="some round trips are not seen, because draws lie 24 sw"):
        thinned = tempering(data.isel(draw=slice(0, 1 + 3 * 480, 6)))
    np.testing.assert_allclose(thinned.exchange_acceptance, whole.exchange_acceptance)
    assert (thinned.round_trips <= whole.round_trips).all()


def trips_slowly(low, high):
    """Draws of each round trip of a walker, from whether it is at the ends, draw by draw."""
    trips, begin, turned, before = [], None, False, bool(low[0])
    for draw, (at_low, at_high) in enumerate(zip(low, high, strict=True)):
        if at_high:
            turned, before = True, False
        if at_low and not before and (turned or begin is None):
            if begin is not None:
                trips.append(draw - begin)
            begin, turned = draw, False
        if at_low:
            before = True
    return trips


def walkers_data(replica, every=1, step=1):
    """A Dataset of given walkers, shape (temperature, chain, draw)."""
    dims = ("temperature", "chain", "draw")
    attrs = {"every": every}
    n, chains, draws = replica.shape
    return xr.Dataset(
        {
            "replica": (dims, replica, attrs),
            "exchanges": (dims, np.zeros_like(replica), attrs),
        },
        coords={
            "temperature": np.arange(1.0, n + 1), "chain": np.arange(chains),
            "draw": ("draw", step * np.arange(draws), {"units": "sweeps"}),
        },
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")
@settings(max_examples=30)
@given(seed=st.integers(0, 1000), n=st.integers(2, 4), chains=st.integers(1, 3))
def test_round_trips_are_those_of_plain_python(seed, n, chains):
    generator = np.random.default_rng(seed)
    replica = np.empty((n, chains, 60), dtype=np.int64)
    for chain in range(chains):
        order = np.arange(n)
        for draw in range(60):
            pair = generator.integers(0, n)
            if pair < n - 1:
                order[[pair, pair + 1]] = order[[pair + 1, pair]]
            replica[:, chain, draw] = order
    found = tempering(walkers_data(replica))
    durations, up, down = [], np.zeros(n), np.zeros(n)
    for chain in range(chains):
        heading = [0] * n
        for walker in range(n):
            low, high = replica[0, chain] == walker, replica[-1, chain] == walker
            trips = trips_slowly(low, high)
            durations += trips
            assert found.round_trips[chain, walker] == len(trips)
        for draw in range(60):
            heading[replica[0, chain, draw]] = 1
            heading[replica[-1, chain, draw]] = -1
            for place in range(n):
                now = heading[replica[place, chain, draw]]
                up[place] += now == 1
                down[place] += now == -1
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found.share_going_up, up / (up + down))
    mean = np.mean(durations) if durations else np.nan
    np.testing.assert_allclose(found.round_trip_time, mean)
    error = np.std(durations, ddof=1) / len(durations) ** 0.5 if len(durations) > 1 else np.nan
    np.testing.assert_allclose(found.round_trip_time_error, error)


@pytest.mark.parametrize("number", [4, 8, 16])
def test_round_trips_take_as_long_as_theory_says(number):
    """Twice the temperatures, about twice the time: Syed et al., J. R. Stat. Soc. B 84, 321."""
    run = simulate(
        Ising(Lattice((4, 4))), Tempering(HeatBath(), every=8), np.linspace(3, 8, number),
        sweeps=12_000, thermalization=100, interval=8, chains=16, seed=3,
    )  # fmt: skip
    found = tempering(run)
    ratio = 1 / found.exchange_acceptance - 1
    expected = 8 * 2 * number * (1 + ratio.sum())
    # trips that the end cuts off are missing
    short = expected / run.sizes["draw"] / 8
    off = found.round_trip_time - expected * (1 - short)
    assert abs(off) < Z_LIMIT * found.round_trip_time_error + 0.01 * expected
    assert found.round_trips.sum() > 500
    share = found.share_going_up.values
    assert share[0] == 1
    assert share[-1] == 0
    assert (np.diff(share) < 0).all()


def test_joined_runs_are_judged_one_by_one(data):
    fields = [data.isel(field=[k]) for k in range(2)]
    together = tempering(data)
    for k, each in enumerate(fields):
        xr.testing.assert_allclose(tempering(each), together.isel(field=[k]))


def test_temperatures_have_equal_acceptance():
    """By runs at the proposed temperatures, with as many as asked for and as wanted."""
    model = Ising(Lattice((16, 16)))
    short = simulate(
        model, HeatBath(), [1.6, 2.0, 2.3, 2.7, 3.5, np.inf], sweeps=1000, thermalization=200,
        chains=8, start="up", seed=1,
    )  # fmt: skip
    proposed = tempering_temperatures(short, acceptance=0.3)
    assert proposed[0] == pytest.approx(1.6)
    assert proposed[-1] == np.inf
    assert (np.diff(proposed) > 0).all()
    np.testing.assert_array_equal(proposed, tempering_temperatures(short, number=len(proposed)))
    run = simulate(
        model, Tempering(HeatBath()), proposed, sweeps=8000, thermalization=200, interval=10,
        chains=8, seed=2,
    )  # fmt: skip
    found = tempering(run).exchange_acceptance
    assert found.min() > 0.27
    assert found.std() < 0.05
    again = tempering(
        simulate(
            model, Tempering(HeatBath()), tempering_temperatures(run, number=len(proposed)),
            sweeps=8000, thermalization=200, interval=10, chains=8, seed=3,
        )
    ).exchange_acceptance  # fmt: skip
    assert again.std() < 0.03


def test_proposals_follow_the_formula():
    """Energies with known means and variances, here of a two-level system a site."""
    n, temperatures = 400, np.linspace(1, 3, 9)
    generator = np.random.default_rng(1)
    energy = -np.tanh(1 / temperatures)
    draws = generator.normal(
        energy[:, None, None], (np.cosh(1 / temperatures) * n**0.5)[:, None, None] ** -1,
        (9, 2, 4000),
    )  # fmt: skip
    given_data = xr.Dataset(
        {"energy": (("temperature", "chain", "draw"), draws)},
        coords={"temperature": temperatures, "n_sites": n},
    )
    proposed = tempering_temperatures(given_data, number=6)
    falls = -np.diff(1 / proposed) * np.diff(-np.tanh(1 / proposed)) * n
    acceptance = special.erfc(np.sqrt(falls) / 2)
    np.testing.assert_allclose(acceptance, acceptance.mean(), atol=0.005)


@settings(max_examples=30)
@given(number=st.integers(2, 40), coldest=st.floats(0.5, 2.2), ratio=st.floats(1.05, 10))
def test_as_many_temperatures_as_asked_for_between_the_same_ends(number, coldest, ratio):
    temperatures = coldest * np.linspace(1, ratio, 6)
    exactly = exact.torus((8, 8), temperatures)
    spread = np.sqrt(exactly.specific_heat.values * temperatures**2 / 64)
    draws = exactly.energy.values[:, None, None] + spread[:, None, None] * np.array([[[-1, 1]]])
    given_data = xr.Dataset(
        {"energy": (("temperature", "chain", "draw"), draws)},
        coords={"temperature": temperatures, "n_sites": 64},
    )
    found = tempering_temperatures(given_data, number=number)
    assert len(found) == number
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(found[[0, -1]], temperatures[[0, -1]])


def energies(temperatures, means):
    draws = np.asarray(means)[:, None, None] + np.array([[[-0.01, 0.01]]])
    return xr.Dataset(
        {"energy": (("temperature", "chain", "draw"), draws)},
        coords={"temperature": temperatures, "n_sites": 1e4},
    )


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (energies([1, 2], [-2, -1]), {}, "give either number or acceptance; got number=None, acc"),
        (energies([1, 2], [-2, -1]), {"number": 3, "acceptance": 0.2}, "give either number or acc"),
        (energies([1, 2], [-2, -1]), {"number": 1}, "number must be an integer of at least 2; got"),
        (energies([1, 2], [-2, -1]), {"acceptance": 1.0}, "acceptance must lie between 0 and 1; g"),
        (energies([1, 2], [-2, -1]), {"number": 3}, "number must be larger: of 3 temperatures fro"),
        (energies([1, 2], [-1, -2]), {"number": 3}, "the mean energy must rise with the temperatu"),
        (energies([0, 2], [-2, -1]), {"number": 3}, "data must have two or more temperatures abov"),
        (energies([2], [-1]), {"number": 3}, "data must have two or more temperatures above 0, to"),
        (energies([1, 2], [-2, -1]).expand_dims(field=2), {"number": 3}, "of one field and metho"),
        (None, {"number": 3}, "data must be an xarray Dataset; got NoneType"),
    ],
)  # fmt: skip
def test_data_that_propose_nothing_are_refused(data, options, said):
    with pytest.raises((ValueError, TypeError), match=re.escape(said)):
        tempering_temperatures(data, **options)


def test_temperatures_below_which_nothing_moves_are_no_obstacle():
    frozen = energies([0.1, 0.2, 1.0], [-2, -2, -1.9])
    frozen["energy"][:2] = -2.0
    assert len(tempering_temperatures(frozen, acceptance=0.01)) > 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.drop_vars("replica"), "data must hold the variables ('replica', 'exch"),
        (lambda data: data.isel(temperature=slice(3)), "must hold every walker once in each draw"),
        (lambda data: data.isel(chain=0), "'replica' must have the dims ('temperature', 'chain'"),
        (lambda data: data.isel(draw=slice(5)), "data must hold 28 sweeps or more for the error"),
        (lambda data: data.isel(draw=slice(None, None, -1)), "'draw' must ascend by even steps"),
        (lambda data: data.assign(exchanges=3 * data.exchanges), "must be counts of one run, dra"),
        (lambda data: data.drop_attrs(), "must have the attribute 'every'"),
        (lambda data: data.energy, "data must be an xarray Dataset; got DataArray"),
    ],
)  # fmt: skip
def test_data_of_no_tempered_run_are_refused(data, change, said):
    with pytest.raises((ValueError, TypeError), match=re.escape(said)):
        tempering(change(data))
