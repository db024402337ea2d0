"""The study of Yang et al.'s Ising experiment."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis import exact
from analysis.errors import resampling
from analysis.scaling import _histograms
from isingrl import HeatBath, Ising, Lattice, simulate
from studies.paper_ising import PROTOCOLS, RATIO, PaperIsing, _half_and_error, _places
from studies.shared.grids import last_fall
from tests.studies.outcomes import summary_of

SMALL = PaperIsing(
    side=8, large_side=10, softmax_temperature=(0.65, 2.2, 12), steps=3_000, large_steps=200,
    chains=6, picture_tau=(1.2,), seed=3,
)  # fmt: skip
QUICK = replace(SMALL, side=4, large_side=6, softmax_temperature=(0.65, 2.2, 6), steps=200)


@pytest.fixture(scope="module", autouse=True)
def _few_blocks():
    """Each block that is left out costs a reweighting."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "_MOST_LEFT_OUT", 12)
        yield


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return summary_of(SMALL, "paper-ising", tmp_path_factory.mktemp("paper-ising"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_histograms, "_BLOCKS", 4)
        return summary_of(QUICK, "paper-ising", tmp_path_factory.mktemp("paper-ising"))


@pytest.mark.soak
def test_published_agents_begun_ordered_are_mean_field(summary):
    chosen = summary.sel(protocol="published-ordered", side=8).dropna("softmax_temperature")
    tau = chosen["softmax_temperature"].values[:4]
    theory = exact.weiss(SMALL.model(8), RATIO * tau)["abs_magnetization"].values
    ising = exact.square_lattice(RATIO * tau)["abs_magnetization"].values
    order = chosen["abs_magnetization"].values[:4]
    np.testing.assert_allclose(order, theory, atol=0.02)  # the constant rate leaves some noise
    assert (order[-2:] > ising[-2:] + 0.3).all()


@pytest.mark.soak
def test_converged_agents_are_metropolis(summary):
    one, other = (summary.sel(protocol=name) for name in ("metropolis", "mean-field-q"))
    error = np.hypot(one["abs_magnetization_error"], other["abs_magnetization_error"])
    z = ((one["abs_magnetization"] - other["abs_magnetization"]) / error).values
    # six chains each: Student's distribution of at least five degrees of freedom
    assert (abs(z) < stats.t.isf(stats.norm.sf(4.5), 5)).all(), z
    assert (abs(z) < 4.5).mean() > 0.9


@pytest.mark.soak
def test_action_values_come_to_the_exact_table_only_with_the_reward_before(summary):
    last = summary.sel(tau=1.2).isel(step=-1)
    before, after = (last.sel(learner=name) for name in ("reward-before", "published"))
    assert before["mse_met"] < 1e-4
    assert after["mse_met"] > 0.05
    assert after["mse_table"] > 0.5


@pytest.mark.soak
def test_runs_lie_where_they_were_asked_for(summary):
    order = summary["abs_magnetization"]
    there = order.notnull().sum("softmax_temperature")
    assert there.sel(protocol="metropolis").values.tolist() == [12, 12]
    assert there.sel(protocol="published").values.tolist() == [12, 6]
    assert there.sel(protocol="reward-before").values.tolist() == [6, 0]
    assert set(summary["protocol"].values) == {"metropolis", "mean-field-q", *PROTOCOLS}
    assert summary["spins"].shape == (2, 2, 8, 8)
    assert set(np.unique(summary["spins"])) == {-1, 1}


def test_half_is_found():
    tau = np.linspace(0.0, 2.0, 21)
    assert last_fall(tau, 1.0 - tau / 2.0, 0.5)[0] == pytest.approx(1.0)
    assert last_fall(tau, np.where(tau < 0.5, 0.2, 1.0 - 0.4 * tau), 0.5)[0] == pytest.approx(1.25)
    assert np.isnan(last_fall(tau, np.full(21, 0.4), 0.5)).all()
    assert np.isnan(last_fall(tau, np.full(21, 0.6), 0.5)).all()


def test_the_error_of_half_order_holds_that_of_a_coarse_grid():
    """|m| of 64² sites falls so fast that two points of a grid of 0.05 lie on the slope."""
    z = []
    for start in np.linspace(0.7, 0.75, 11):
        tau = start + 0.05 * np.arange(20)
        curve = 0.5 - 0.45 * np.tanh((tau - 1.144) / 0.03)
        place, error = _half_and_error(tau, curve, np.full(20, 0.005))
        z.append((place - 1.144) / error)
    assert np.abs(z).max() < 3, z


@pytest.mark.soak
def test_places_of_converged_agents_are_those_of_reweighting(summary):
    """Between points of the grid, whose steps are 0.14 here; exact on 3² sites by enumeration."""
    for side in (8, 10):
        one, other = (
            summary.sel(protocol=name, side=side) for name in ("metropolis", "mean-field-q")
        )
        for name in ("half_order", "susceptibility_peak"):
            error = np.hypot(one[f"{name}_error"], other[f"{name}_error"])
            assert 0 < error < 0.02
            assert abs(one[name] - other[name]) < 4.5 * error
    model = Ising(Lattice((3, 3)))
    temperature = np.linspace(2.2, 5.4, 8)
    data = simulate(model, HeatBath(), temperature, sweeps=4_000, chains=8, seed=1)
    found = _places(data)
    fine = np.linspace(2.2, 5.4, 4_001)
    known = exact.enumeration(model, fine)
    half = fine[int((known["abs_magnetization"] > 0.5).sum())]
    for name, right in (
        ("half_order", half),
        ("susceptibility_peak", fine[int(known["susceptibility"].values.argmax())]),
    ):
        assert abs(found[name] - right / RATIO) < 4.5 * found[f"{name}_error"], name


@pytest.mark.filterwarnings("ignore::analysis.FitWarning", "ignore::analysis.ShortRunWarning")
def test_figure(quick):
    figure = QUICK.plot(quick)
    labels = [(ax.get_xlabel(), ax.get_ylabel()) for ax in figure.axes]
    assert all("softmax temperature" in x and "order" in y for x, y in labels[:2])
    assert sum("softmax temperature" in x for x, _ in labels) == 5
    assert sum(x == "step" and "Q" in y for x, y in labels) == 2
