"""The study of what it costs to see the others; times are never tested."""

import numpy as np
import pytest
import xarray as xr

from studies.running.runner import run, run_to_folder
from studies.scaling_of_inputs import ScalingOfInputs

SMALL = ScalingOfInputs(largest=100_000, agents_by_neighbors=27, seconds=1e-4)


@pytest.fixture(scope="module")
def data():
    return run(SMALL)


def chosen(data, **which):
    series = which.pop("series")
    return data.isel(lattice=(data["series"] == series).values).sel(which)


def test_every_kind_is_timed_or_refused_or_left_out(data):
    refused = data["refused"] == 1
    assert data["seconds"].where(refused).isnull().all()
    timed = data["seconds"].notnull().all("repeat")
    assert (data["seconds"].where(timed) > 0).where(timed, other=True).all()
    left_out = (data["kind"] == "network") & (data["n_agents"] > 1000)
    left_out &= data["series"] == "agents"
    assert (timed | refused | left_out).all()
    assert not (timed & left_out).any()


def test_memory_is_that_of_the_inputs(data):
    table = data.sel(kind="table").isel(lattice=(data["series"] == "agents").values)
    n = table["n_agents"].values
    for method, states in (
        ("independent-q", np.ones(n.size)),
        ("mean-field-q", np.full(n.size, 5.0)),
        ("neighborhood-q", np.full(n.size, 16.0)),
    ):
        np.testing.assert_array_equal(table["bytes"].sel({"method": method}), states * 32)
    joint = table["bytes"].sel({"method": "joint-q"}).values
    np.testing.assert_array_equal(joint, 32 * 2.0 ** np.minimum(n - 1, 1000))


def test_what_is_too_long_is_refused(data):
    joint = chosen(data, series="agents", method="joint-q", kind="table")
    np.testing.assert_array_equal(joint["refused"] == 1, joint["n_agents"] > 17)
    neighbors = chosen(data, series="neighbours", method="neighborhood-q", kind="table")
    assert neighbors["n_neighbors"].values[neighbors["refused"].values == 1].tolist() == [26]
    assert neighbors["bytes"].values.max() == 2**26 * 32
    mean_field = data.sel({"method": "mean-field-q"})
    assert (mean_field["refused"] == 0).all()


def test_exponent_is_the_slope_of_a_power_law(data):
    n = data["n_agents"]
    summary = SMALL.summarize(data.assign(seconds=1e-8 * n**1.25 * xr.ones_like(data["seconds"])))
    assert float(summary["exponent"]) == pytest.approx(1.25)
    assert float(summary["exponent_error"]) < 1e-10


def test_figure_and_files(tmp_path):
    run_to_folder(SMALL, "scaling-of-inputs", tmp_path)
    with xr.open_dataset(tmp_path / "summary.nc", engine="h5netcdf") as summary:
        figure = SMALL.plot(summary.load())
    labels = [ax.get_xlabel() + ax.get_ylabel() for ax in figure.axes]
    for word in ("time of a learning sweep", "bytes", "number of agents", "number of neighbours"):
        assert any(word in label for label in labels)
