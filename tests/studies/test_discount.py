"""The study of the discount."""

import numpy as np
import pytest
import xarray as xr

from isingrl import Ising, Lattice, MeanFieldQ, train
from studies.discount import Discount, _crossing, made_alike
from tests.studies.outcomes import summary_of

SMALL = Discount(
    shape=(24, 24), softmax_temperature=(1.8, 3.6, 7), discounts=(0.0, 0.5), training_sweeps=600,
    sweeps=1_000, thermalization=300, chains=4, seed=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    return summary_of(SMALL, "discount", tmp_path_factory.mktemp("discount"))


def test_without_discount_it_is_the_ising_model(summary):
    plain = summary.sel(discount=0.0)
    np.testing.assert_allclose(plain["effective_temperature"], SMALL.temperatures, rtol=1e-12)
    np.testing.assert_allclose(plain["bias"], 0, atol=1e-12)
    np.testing.assert_allclose(plain["nonlinearity"], 0, atol=1e-12)
    assert 2.2 < plain["end_of_order"] < 2.6  # 2.269 and what 24 × 24 sites add


def test_discount_lets_order_persist_by_a_preference_that_is_learned(summary):
    plain, discounted = (summary.sel(discount=discount) for discount in (0.0, 0.5))
    for name in ("end_of_order", "learning_end_of_order"):
        gain = discounted[name] - plain[name]
        assert gain > 4.5 * np.hypot(discounted[f"{name}_error"], plain[f"{name}_error"])
        assert gain > 0.4
    assert discounted["even_end_of_order"] < discounted["end_of_order"] - 0.3
    ordered = discounted.sel(temperature=2.7)
    assert ordered["bias"] > 4.5 * ordered["bias_error"]
    assert ordered["abs_magnetization"] > ordered["even_abs_magnetization"] + 0.3


def test_made_alike_prefers_neither_up_nor_down():
    policy = train(Ising(Lattice((4, 4))), MeanFieldQ(discount=0.5), 2.5, sweeps=20, seed=1)
    up = [rule.compile(rule.model, rule.temperature).up for rule in (policy, made_alike(policy))]
    assert abs(up[0] + up[0][..., ::-1] - 1).max() > 1e-3
    np.testing.assert_allclose(up[1] + up[1][..., ::-1], 1, atol=1e-14)


def test_crossing_is_interpolated_at_the_last_fall():
    tau = ("temperature", [1.0, 2.0, 3.0, 4.0])
    order = xr.DataArray(
        [[1.0, 0.2, 0.8, 0.3], [0.9, 0.8, 0.7, 0.6], [0.4, 0.3, 0.2, 0.1]],
        dims=("chain", "temperature"), coords={"softmax_temperature": tau},
    )  # fmt: skip
    np.testing.assert_allclose(_crossing(order, 0.5)[0], [3.6, np.nan, np.nan])


def test_figure(summary):
    order, ends, slope, bias = SMALL.plot(summary).axes
    assert "magnetization" in order.get_ylabel()
    assert "discount" in ends.get_xlabel()
    assert "effective temperature" in slope.get_ylabel()
    assert "log-odds" in bias.get_ylabel()
