"""The studies of the chapter's ring and torus."""

import numpy as np
import pytest
import xarray as xr

from studies.chapter_1d import Chapter1D, count_domains
from studies.chapter_2d import Chapter2D
from studies.running.runner import configuration, run, run_to_folder

RING = Chapter1D(epochs=80, chains=32, seed=2)
TORUS = Chapter2D(epochs=20, long_epochs=600, chains=4, seed=2)


@pytest.fixture(scope="module")
def ring():
    data = run(RING)
    return data, RING.summarize(data)


@pytest.fixture(scope="module")
def torus():
    return TORUS.summarize(run(TORUS))


def test_domains_are_counted_around_the_ring():
    rows = ["++++", "+--+", "+-+-", "-+--", "----"]
    spins = np.array([[1 if sign == "+" else -1 for sign in row] for row in rows])
    counted = count_domains(xr.DataArray(spins, dims=("chain", "x")))
    assert counted.values.tolist() == [1, 2, 4, 2, 1]


def test_both_methods_begin_alike(ring):
    first = ring[0]["spins"].isel(epoch=0)
    assert (first.isel(method=0) == first.isel(method=1)).all()
    assert abs(first.mean()) < 4.5 / np.sqrt(first.size)


def test_greedy_agents_freeze_into_domains_and_the_heat_bath_does_not(ring):
    summary = ring[1]
    agents, heat_bath = (
        summary.sel({"method": name, "epoch": 80}) for name in ("neighborhood-q", "heat-bath")
    )
    assert agents["domains"] - heat_bath["domains"] > 4.5 * agents["domains_error"]
    assert agents["domains"] < 5
    assert heat_bath["domains"] < 1.5
    np.testing.assert_allclose(summary["share"].sum("number"), 1.0)


def test_losses_of_the_ring_fall_to_where_tanh_ends(ring):
    loss = ring[1]["mean_loss"]
    assert np.isnan(loss[0])
    assert loss.sel(epoch=80) < loss.sel(epoch=1) / 3
    # an aligned agent is paid 1.6 and can expect 1 at most; a wall is paid -0.2
    assert loss.sel(epoch=80) > 0.2


def test_long_trainings_order_and_the_annealed_one_learns_the_reward(torus):
    order = torus["order"].sel(training=["long", "annealed"]).sel(epoch=600)
    assert (order > 0.8).all()
    annealed = torus.sel(training="annealed").isel(kept=-1)
    known = annealed["log_odds"].sel(n_up=8)
    assert abs(known - annealed["exact_log_odds"].sel(n_up=8)) < 0.3
    assert annealed["exact_log_odds"].values[[4, 5]] == pytest.approx([0, 4 * np.tanh(0.625)])


def test_a_short_training_learns_next_to_nothing(torus):
    rise = torus["rise"].sel(training="chapter")
    assert abs(rise.isel(kept=-1) - rise.isel(kept=0)) < 0.2
    assert torus["exact_log_odds"].values[-1] - torus["exact_log_odds"].values[0] > 7
    assert np.isnan(torus["loss"].sel(training="chapter", epoch=[1, 21, 600])).all()


@pytest.mark.parametrize(
    "study",
    [
        Chapter1D(**(configuration(RING) | {"epochs": 5, "chains": 2})),
        Chapter2D(**(configuration(TORUS) | {"epochs": 5, "long_epochs": 8, "chains": 2})),
    ],
    ids=["ring", "torus"],
)
def test_figures_of_files(study, tmp_path):
    run_to_folder(study, "chapter", tmp_path)
    with xr.open_dataset(tmp_path / "summary.nc", engine="h5netcdf") as back:
        assert study.plot(back.load()).axes


def test_labels_of_the_figures(ring, torus):
    axes = RING.plot(ring[1]).axes
    assert [ax.get_xlabel() for ax in axes[:3]] == ["epoch", "epoch", "domains after 80 epochs"]
    assert "loss" in axes[0].get_ylabel()
    axes = TORUS.plot(torus).axes
    assert [ax.get_xlabel() for ax in axes[:2]] == ["epoch", "epoch"]
    assert "sum $S$" in axes[2].get_xlabel()
    assert axes[2].get_ylabel() == "log-odds of spin up"
