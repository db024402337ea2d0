"""Overlaps of replicas, against loops and against all pairs of configurations."""

import itertools

import numpy as np
import pytest
import xarray as xr

import isingrl as irl
from analysis import overlaps
from tests.statistical import Z_LIMIT, z_of_chains


def glass(shape, seed=1):
    lattice = irl.Lattice(shape)
    return irl.Ising(lattice, irl.random_bonds(lattice, (1.0, -1.0), seed=seed))


@pytest.mark.parametrize("shape", [(6,), (3, 4), (2, 3, 4)])
def test_overlaps_are_those_of_a_loop(shape):
    data = irl.simulate(
        glass(shape), irl.HeatBath(), [1.0, 2.0], sweeps=30, chains=4, snapshots=3, seed=2
    )
    found = overlaps(data)
    assert found["overlap"].dims == ("temperature", "pair", "snapshot")
    assert found["overlap"].attrs == {"long_name": "overlap of two replicas", "units": "1"}
    assert found["snapshot"].equals(data["snapshot"])
    assert "chain" not in found.coords
    spins = data["spins"].values
    for t, pair, k in itertools.product(range(2), range(2), range(3)):
        one, other = (spins[t, 2 * pair + each, k].ravel().tolist() for each in (0, 1))
        q = sum(a * b for a, b in zip(one, other, strict=True)) / len(one)
        assert found["overlap"].values[t, pair, k] == q


def test_dims_come_in_any_order_and_need_no_snapshot():
    spins = irl.simulate(
        glass((4, 4)), irl.HeatBath(), [1.0, 2.0], sweeps=9, chains=2, snapshots=3, seed=2
    )["spins"]
    turned = spins.transpose("x", "snapshot", "chain", "y", "temperature")
    expected = overlaps(spins)["overlap"]
    found = overlaps(turned)["overlap"]
    assert found.dims == ("snapshot", "pair", "temperature")
    xr.testing.assert_equal(found.transpose(*expected.dims), expected)
    one = overlaps(spins.isel(snapshot=0, temperature=1))["overlap"]
    assert one.dims == ("pair",)
    assert one.item() == expected[1, 0, 0]


def test_equal_and_reversed_replicas():
    spins = xr.DataArray(np.ones((4, 7), dtype=np.int8), dims=("chain", "x"))
    spins[3] = -1
    assert overlaps(spins)["overlap"].values.tolist() == [1.0, -1.0]


def test_moments_are_those_of_all_pairs_of_configurations():
    model, temperature = glass((2, 4), seed=3), [0.7, 1.5]
    every = np.array(list(itertools.product((1, -1), repeat=8)))
    energy = 8 * model.energy(every.reshape(-1, 2, 4))
    data = irl.simulate(
        model, irl.HeatBath(), temperature, sweeps=4_000, thermalization=200, chains=60,
        snapshots=400, seed=4,
    )  # fmt: skip
    for t, power in itertools.product(temperature, (2, 4)):
        weight = np.exp(-energy / t)
        weight /= weight.sum()
        q = (every @ every.T / 8) ** power
        found = (overlaps(data)["overlap"] ** power).mean("snapshot")
        assert abs(z_of_chains(found.sel(temperature=t), weight @ q @ weight)) < Z_LIMIT


def test_what_has_no_overlaps_is_refused():
    lattice = irl.Lattice((4, 4))
    data = irl.simulate(irl.Ising(lattice), irl.HeatBath(), 2.0, sweeps=2, chains=3, snapshots=1)
    with pytest.raises(ValueError, match=r"even number of chains.*got 3"):
        overlaps(data)
    with pytest.raises(ValueError, match="dim 'chain'"):
        overlaps(data.isel(chain=0))
    with pytest.raises(ValueError, match="'spins'"):
        overlaps(data.drop_vars("spins"))
    with pytest.raises(TypeError, match="DataArray"):
        overlaps(data["spins"].values)
    pair = data.isel(chain=slice(2))
    with pytest.raises(ValueError, match="'coupling' must be the same"):
        overlaps(pair.assign_coords(coupling=("chain", [1.0, -1.0])))
    potts = irl.simulate(
        irl.Potts(lattice, states=3), irl.HeatBath(), 1.0, sweeps=2, chains=2, snapshots=1
    )
    with pytest.raises(ValueError, match="3 states"):
        overlaps(potts)
