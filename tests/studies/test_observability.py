"""Agents that see some of their neighbours: Weiss, one neighbour, the exact Ising model."""

import numpy as np
import pytest
import xarray as xr

from analysis import exact
from studies.observability import Observability, one_neighbor
from studies.running.runner import run

pytestmark = pytest.mark.filterwarnings("ignore::analysis.ShortRunWarning")  # the runs are short

SMALL = Observability(
    shape=(32, 32), temperature=(2.7, 3.3, 3), seen=(0, 1, 3, 4), sweeps=600, thermalization=150,
    chains=4, seed=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return run(SMALL)


@pytest.fixture(scope="module")
def summary(data):
    return SMALL.summarize(data)


def test_every_theory_is_met(data, summary):
    assert dict(data.sizes) == {"seen": 4, "temperature": 3, "chain": 4, "draw": 600}
    temperature = data["temperature"].values
    known = one_neighbor()
    references = [
        (0, "abs_magnetization", exact.weiss(SMALL.model, temperature)["abs_magnetization"].values),
        (1, "abs_magnetization", np.interp(
            temperature, known["temperature"], known["abs_magnetization"]
        )),
        (4, "energy", exact.torus(SMALL.shape, temperature)["energy"].values),
    ]  # fmt: skip
    for seen, name, reference in references:
        chosen = summary.sel(seen=seen)
        z = (chosen[name].values - reference) / chosen[f"{name}_error"].values
        assert (abs(z) < 4.5).all(), (seen, z)


def test_who_sees_more_is_less_ordered(summary):
    order = summary["abs_magnetization"].isel(temperature=0)
    assert (order.diff("seen") < 0).all()
    assert summary["method"].values.tolist() == ["independent-q"] + 3 * ["mean-field-q"]


def test_agents_that_see_nothing_are_independent():
    config = Observability(
        shape=(8, 8), temperature=(2.0, 3.0, 2), seen=(0,), sweeps=30, thermalization=5
    )
    assert config.agent(0).name == "independent-q"
    assert config.agent(4).neighbors_seen is None
    assert config.agent(2).neighbors_seen == 2


def test_one_neighbour_agrees_with_the_green_function_of_a_large_torus():
    known = one_neighbor(50)
    side = 256
    wave = np.cos(2 * np.pi * np.arange(side) / side)
    mean_cosine = (wave[:, None] + wave[None, :]) / 2
    points = known.isel(temperature=slice(2, -1, 9))
    for t, m in zip(points["temperature"].values, points["abs_magnetization"].values, strict=True):
        share = 0.2
        for _ in range(400):
            g = np.fft.ifft2(1 / (1 - share * mean_cosine)).real
            own = 1 + (g[2, 0] + 2 * g[1, 1]) / g[0, 0]
            field, own_over_t = (4 - own) * m / t, own / t
            high, low = np.tanh(own_over_t + field), np.tanh(own_over_t - field)
            if abs((high + low) / 2 - share) < 1e-13:
                break
            share = (high + low) / 2
        assert (high - low) / 2 / (1 - share) == pytest.approx(m, rel=1e-9)


def test_one_neighbour_ends_between_weiss_and_onsager():
    known = one_neighbor()
    end = known.attrs["critical_temperature"]
    assert end == pytest.approx(3.7663617, abs=1e-6)
    assert (np.diff(known["temperature"]) > 0).all()
    assert (np.diff(known["abs_magnetization"]) < 0).all()
    assert known["abs_magnetization"].values[0] > 0.99
    near = known.isel(temperature=slice(-9, -1))
    ratio = near["abs_magnetization"] ** 2 / (end - near["temperature"])
    np.testing.assert_allclose(ratio, ratio[-1], rtol=0.01)  # β = 1/2


@pytest.mark.parametrize(("seen", "power"), [(2, 2), (4, 8)])
def test_the_end_of_order_of_a_known_curve(seen, power):
    config = Observability(temperature=(2.0, 3.0, 41), seen=(seen,))
    t = config.temperatures
    m = np.clip(1.3 * (2.8 - t) - 0.4 * (2.8 - t) ** 2, 0, None) ** (1 / power)
    generator = np.random.default_rng(1)
    noisy = np.repeat(m[:, None, None], 2, axis=1) + generator.normal(0, 1e-3, (t.size, 2, 100))
    data = xr.Dataset(
        dict.fromkeys(("energy", "magnetization"), (("temperature", "chain", "draw"), noisy)),
        {"temperature": t},
        {"n_sites": 4096, "interval": 1},
    ).expand_dims(seen=[seen])
    found = config.summarize(data)
    z = (found["critical_temperature"] - 2.8) / found["critical_temperature_error"]
    assert abs(z.item()) < 4.5
    assert found["critical_temperature_error"].item() < 0.01


def test_no_end_is_claimed_where_order_is_not_seen_to_fall(summary):
    assert np.isnan(summary["critical_temperature"].sel(seen=4))


def test_figure_has_order_and_its_end(summary):
    order, ends = SMALL.plot(summary).axes
    assert order.get_xlabel().startswith("temperature")
    assert order.get_ylabel() == "absolute magnetization per site"
    assert ends.get_xlabel() == "neighbours seen"
    assert "where order ends" in ends.get_ylabel()
    labels = order.get_legend_handles_labels()[1]
    assert {"Weiss mean field", "exact, one neighbour seen", "independent Q, k = 0"} <= set(labels)
