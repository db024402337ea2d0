"""The study of domains."""

import numpy as np
import pytest
import xarray as xr

from analysis import exact
from studies.domains import Domains
from studies.runner import configuration, run, run_to_folder

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

SMALL = Domains(side=16, temperature=(1.8, 3.3, 8), sizes=(8, 12, 16, 24), snapshots=60, seed=3)
TINY = Domains(
    side=8, temperature=(2.0, 3.0, 4), sizes=(4, 6, 8), snapshots=20, relaxation_times=1.0
)


@pytest.fixture(scope="module")
def summary():
    return SMALL.summarize(run(SMALL))


def test_agents_have_the_domains_of_metropolis(summary):
    names = ["largest_fraction", "site_mean_size_without_largest", "wall_density", "wraps_any"]
    for name in [*names, "largest_size"]:
        one, other = (summary[name].sel({"method": m}) for m in ("metropolis", "mean-field-q"))
        error = np.sqrt((summary[f"{name}_error"] ** 2).sum("method"))
        known = error > 0
        z = ((other - one) / error).where(known, 0.0)
        assert (abs(z) < 4.5).all(), (name, z.values)


def test_walls_are_counted_by_the_energy(summary):
    known = exact.torus((16, 16), summary["temperature"].values)["energy"]
    walls = (1 + known / 2) / 2
    z = (summary["wall_density"] - walls) / summary["wall_density_error"]
    assert (abs(z) < 4.5).all(), z.values


def test_the_largest_domain_has_its_fractal_dimension(summary):
    found = summary["fractal_dimension"]
    np.testing.assert_allclose(found, 187 / 96, rtol=0.02)
    assert (summary["fractal_dimension_error"] < 0.02).all()


def test_figure_and_files(summary, tmp_path):
    figure = SMALL.plot(summary)
    labels = [ax.get_xlabel() for ax in figure.axes if ax.get_xlabel()]
    assert sum("temperature" in label for label in labels) == 4
    assert any("sites" in label for label in labels)
    run_to_folder(TINY, "domains", tmp_path)
    with xr.open_dataset(tmp_path / "summary.nc", engine="h5netcdf") as back:
        assert TINY.plot(back.load()).axes


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"side": 1}, "side"),
        ({"temperature": (3.0, 2.0, 4)}, "temperature"),
        ({"sizes": (8, 16)}, "sizes"),
        ({"sizes": (8, 16, 16)}, "sizes"),
        ({"sizes": (1, 8, 16)}, "sizes"),
        ({"relaxation_times": 0.1}, "relaxation_times"),
        ({"snapshots": 10}, "snapshots"),
        ({"training_sweeps": 0}, "training_sweeps"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_bad_configuration_is_refused(changes, name):
    with pytest.raises((TypeError, ValueError), match=name):
        Domains(**(configuration(SMALL) | changes)).tasks()
