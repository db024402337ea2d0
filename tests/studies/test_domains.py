"""The study of domains."""

from dataclasses import replace

import numpy as np
import pytest

from analysis import exact
from studies.domains import Domains
from tests.studies.outcomes import summary_of

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

SMALL = Domains(side=16, temperature=(1.8, 3.3, 8), sizes=(8, 12, 16, 24), snapshots=60, seed=3)
QUICK = replace(SMALL, side=8, temperature=(1.8, 3.3, 3), sizes=(4, 6, 8), snapshots=20)


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return summary_of(SMALL, "domains", tmp_path_factory.mktemp("domains"))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return summary_of(QUICK, "domains", tmp_path_factory.mktemp("domains"))


@pytest.mark.soak
def test_agents_have_the_domains_of_metropolis(summary):
    names = ["largest_fraction", "site_mean_size_without_largest", "wall_density", "wraps_any"]
    for name in [*names, "largest_size"]:
        one, other = (summary[name].sel({"method": m}) for m in ("metropolis", "mean-field-q"))
        error = np.sqrt((summary[f"{name}_error"] ** 2).sum("method"))
        known = error > 0
        z = ((other - one) / error).where(known, 0.0)
        assert (abs(z) < 4.5).all(), (name, z.values)


@pytest.mark.soak
def test_walls_are_counted_by_the_energy(summary):
    known = exact.torus((16, 16), summary["temperature"].values)["energy"]
    walls = (1 + known / 2) / 2
    z = (summary["wall_density"] - walls) / summary["wall_density_error"]
    assert (abs(z) < 4.5).all(), z.values


@pytest.mark.soak
def test_the_largest_domain_has_its_fractal_dimension(summary):
    found = summary["fractal_dimension"]
    np.testing.assert_allclose(found, 187 / 96, rtol=0.02)
    assert (summary["fractal_dimension_error"] < 0.02).all()


def test_figure(quick):
    figure = QUICK.plot(quick)
    labels = [ax.get_xlabel() for ax in figure.axes if ax.get_xlabel()]
    assert sum("temperature" in label for label in labels) == 4
    assert any("sites" in label for label in labels)
