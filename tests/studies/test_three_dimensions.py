"""The study of the simple cubic lattice."""

import numpy as np
import pytest
from scipy import stats

from studies.three_dimensions import ThreeDimensions
from tests.studies.outcomes import summary_of

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

SMALL = ThreeDimensions(
    side=8, reduced_temperature=(0.55, 1.15, 5), training_sweeps=100, sweeps=1_000,
    thermalization=200, interval=2, chains=4, seed=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return summary_of(SMALL, "three-dimensions", tmp_path_factory.mktemp("three-dimensions"))


def test_both_neighbourhoods_and_methods_at_their_temperatures(summary):
    assert dict(summary.sizes) == {"neighborhood": 2, "method": 2, "point": 5}
    reduced = np.linspace(0.55, 1.15, 5)
    for neighborhood, z in (("von_neumann", 6), ("moore", 26)):
        temperature = summary["temperature"].sel(neighborhood=neighborhood)
        np.testing.assert_allclose(temperature, z * reduced)


def test_agents_are_metropolis(summary):
    deviation = summary["deviation"].values.ravel()
    assert (abs(deviation) < 4.5).all(), deviation
    assert stats.chi2.sf(float(summary["chi_square"].sum()), deviation.size) > 1e-5


def test_order_ends_between_the_coldest_and_the_hottest(summary):
    order = summary["abs_magnetization"]
    assert (order.isel(point=0) > 0.9).all()
    assert (order.isel(point=-1) < 0.2).all()


def test_figure(summary):
    figure = SMALL.plot(summary)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["6 neighbours", "26 neighbours"]
    assert "magnetization" in figure.axes[0].get_ylabel()
    assert all("temperature" in ax.get_xlabel() for ax in figure.axes[2:4])
