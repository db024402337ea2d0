"""The study of coarsening."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from analysis.correlations import domain_length
from isingrl import Ising, Lattice, Metropolis, simulate
from studies.coarsening import LENGTHS, Coarsening, local_exponents, measure
from tests.statistical import check_bernoulli
from tests.studies.outcomes import summary_of

SMALL = Coarsening(
    side=512, temperature=(1.0, 1.8), sweeps=60, window=(4.0, 60.0), long_window=(3.0, 60.0), seed=3
)
QUICK = replace(SMALL, side=64, chains=2, temperature=(1.8,))
AGENTS = {"method": "mean-field-q", "temperature": 1.0}
METROPOLIS = {"method": "metropolis", "temperature": 1.8}


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return summary_of(SMALL, "coarsening", tmp_path_factory.mktemp("coarsening"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return summary_of(QUICK, "coarsening", tmp_path_factory.mktemp("coarsening"))


@pytest.mark.soak
def test_domains_grow_as_a_root_of_time(summary):
    """Agents where thermal noise is weak: what is left over is a few lattice spacings."""
    found = summary.sel({**AGENTS, "definition": "wall_length"})
    error = found["extrapolated_growth_exponent_error"]
    assert error < 0.03
    assert abs(found["extrapolated_growth_exponent"] - 0.5) < 0.03 + 4.5 * error
    # seen straight, the power is smaller by the share of the offset
    assert 0.4 < found["growth_exponent"] < found["extrapolated_growth_exponent"]
    assert 0 < found["extrapolated_growth_offset"] < 4


@pytest.mark.soak
@pytest.mark.parametrize("where", [AGENTS, METROPOLIS], ids=["agents", "metropolis"])
@pytest.mark.parametrize("name", LENGTHS)
def test_local_exponents_lie_about_one_half(summary, where, name):
    found = summary.sel({**where, "definition": name}).isel(step=-1)
    assert abs(found["local_exponent"] - 0.5) < 0.1 + 4.5 * found["local_exponent_error"]


@pytest.mark.soak
def test_walls_run_where_flips_are_nearly_sure(summary):
    """Metropolis flips what costs nothing seven times of eight: on a checkerboard kinks of walls
    then run some way, and domains grow faster than those of agents, which toss a coin.
    """
    theirs, ours = (
        summary.sel({"method": method, "temperature": 1.0, "definition": "wall_length"})
        for method in ("metropolis", "mean-field-q")
    )
    error = np.hypot(theirs["local_exponent_error"], ours["local_exponent_error"])
    assert (theirs["local_exponent"] > ours["local_exponent"] + 4.5 * error).all()


@pytest.mark.parametrize(("edge", "speed"), [(32, 2), (33, -2)])
def test_kinks_of_walls_run(edge, speed):
    """At T = 0 the kinks of a flat wall move two sites in a sweep, unless they rest once in eight
    times: on either sublattice, each away from where it was.
    """
    spins = np.ones((64, 64), dtype=np.int8)
    spins[:16] = -1
    spins[16, :edge] = -1
    data = simulate(
        Ising(Lattice((64, 64))), Metropolis(), 0.0, sweeps=1, chains=2048, snapshots=1,
        start=spins, seed=1,
    )  # fmt: skip
    rows = data["spins"].squeeze()[:, 16].values == -1
    first, last = rows.argmax(axis=1), 47 - rows[:, 47::-1].argmax(axis=1)
    moved = np.array([(first == 2).sum(), (last == edge - 1 + speed).sum()])
    check_bernoulli(moved, np.full(2, 2048), np.full(2, (7 / 8) ** 2))


@pytest.mark.soak
def test_agents_are_the_heat_bath_and_slower_than_metropolis(summary):
    for t in SMALL.temperature:
        ours, theirs = (
            summary["wall_length"].sel({"method": m, "temperature": t}).isel(time=-1)
            for m in ("mean-field-q", "metropolis")
        )
        assert ours < theirs


@pytest.mark.soak
def test_a_step_is_that_of_one_long_run():
    """Lengths at a time are those of a run of that length, within errors."""
    found = measure(SMALL, "metropolis", 1.8, seed=5)["moment_length"].isel(time=-1)
    data = simulate(
        Ising(Lattice((512, 512))), Metropolis(), 1.8, sweeps=60, interval=60, snapshots=1,
        chains=4, seed=11,
    )  # fmt: skip
    spins = data["spins"].isel(temperature=0, snapshot=0, drop=True)
    once = domain_length(spins, dims=())["moment_length"]
    error = np.sqrt((found.var("chain", ddof=1) + once.var("chain", ddof=1)) / 4)
    assert abs(found.mean() - once.mean()) < 4.5 * error


def test_local_exponents_of_a_power():
    time = np.unique(np.rint(np.geomspace(1, 100, 17)).astype(int))
    lengths = xr.DataArray(
        2.0 * time[None] ** 0.4 * np.ones((3, 1)), dims=("chain", "time"), coords={"time": time}
    )
    found = local_exponents(lengths)
    np.testing.assert_allclose(found["local_exponent"], 0.4)
    np.testing.assert_allclose(found["inverse_length"], 0.5 * found["step"] ** -0.4)
    assert found["step"].max() < 100


def test_figure(quick):
    figure = QUICK.plot(quick)
    titles = [ax.get_title() for ax in figure.axes]
    assert sum("sweeps" in ax.get_xlabel() for ax in figure.axes) == 2
    assert {"walls", "structure factor", "$t$ = 60"} <= set(titles)
    text = figure.axes[5].get_legend().get_texts()
    n = quick["growth_exponent"].sel({**METROPOLIS, "definition": "wall_length"}).item()
    assert any(f"{n:.3f}" in each.get_text() for each in text)
