"""Spins that users bring: ±1 alone, and the dims of a DataArray by their names."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import isingrl as irl
from analysis import domain_statistics, plots, spin_correlation
from isingrl.envs import IsingVectorEnv

MODEL = irl.Ising(irl.Lattice((4, 6)))
UP = np.random.default_rng(1).integers(0, 2, size=(4, 6))
SPINS = 2 * UP - 1


def as_data(function):
    return lambda values: function(xr.DataArray(values, dims=("x", "y")))


TAKERS = {
    "energy": MODEL.energy,
    "magnetization": MODEL.magnetization,
    "simulate": lambda start: irl.simulate(MODEL, irl.HeatBath(), 2.0, sweeps=1, start=start),
    "train": lambda start: irl.train(MODEL, irl.MeanFieldQ(), 2.0, sweeps=1, start=start),
    "domains": as_data(domain_statistics),
    "correlations": as_data(lambda spins: spin_correlation(spins, dims=())),
    "plot": as_data(plots.snapshot),
    "environment": lambda start: IsingVectorEnv(MODEL).reset(options={"start": start}),
}
NOT_SPINS = {
    "0 and 1": UP,
    "all up, as booleans": np.ones((4, 6), dtype=bool),
    "all up, as bytes": np.ones((4, 6), dtype=np.uint8),
    "-1 as a byte": SPINS.astype(np.uint8),
    "a zero": np.where(np.arange(24).reshape(4, 6) == 7, 0, SPINS),
    "halves": SPINS / 2,
    "nan": np.where(np.arange(24).reshape(4, 6) == 7, np.nan, SPINS),
    "complex": SPINS + 0j,
    "text": SPINS.astype(str),
}


@pytest.mark.parametrize("values", NOT_SPINS)
@pytest.mark.parametrize("taker", TAKERS)
def test_what_is_no_spin_is_refused(taker, values):
    with pytest.raises(ValueError, match=r"(start|spins) must hold the spins -1 and \+1 only; got"):
        TAKERS[taker](NOT_SPINS[values])


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("taker", TAKERS)
def test_any_signed_numbers_are_spins(taker, dtype):
    TAKERS[taker](SPINS.astype(dtype))


def test_energies_go_by_the_names_of_dims():
    square = irl.Ising(irl.Lattice((4, 4)), field=0.3)
    values = np.random.default_rng(2).choice([-1, 1], size=(3, 4, 4))
    spins = xr.DataArray(values, dims=("chain", "x", "y"))
    for function in (square.energy, square.magnetization):
        for dims in (("x", "y", "chain"), ("y", "chain", "x"), ("chain", "y", "x")):
            np.testing.assert_array_equal(function(spins.transpose(*dims)), function(values))
    for dims in (("a", "b"), ("x", "z"), ("chain", "y"), ("x", "y", "z")):
        wrong = xr.DataArray(np.ones((4,) * len(dims)), dims=dims)
        with pytest.raises(ValueError, match=r"spins must have the dims \(\.\.\., x, y\)"):
            square.energy(wrong)


def test_starts_go_by_the_names_of_dims():
    model = irl.Ising(irl.Lattice((4, 4)))
    values = np.random.default_rng(3).choice([-1, 1], size=(4, 4, 4, 4))
    spins = xr.DataArray(values, dims=("temperature", "chain", "x", "y"))
    options = {"sweeps": 3, "chains": 4, "snapshots": 3, "seed": 4}
    temperatures = [1.0, 2.0, 3.0, 4.0]

    def run(start):
        return irl.simulate(model, irl.HeatBath(), temperatures, start=start, **options)

    expected = run(values)
    for dims in (("chain", "temperature", "x", "y"), ("y", "x", "chain", "temperature")):
        xr.testing.assert_identical(run(spins.transpose(*dims)), expected)
    # what all chains, or all temperatures, share need not be said
    shared = spins.isel(temperature=0)
    repeated = np.broadcast_to(values[0], values.shape)
    xr.testing.assert_identical(run(shared), run(repeated))
    shared = spins.isel(chain=1)
    repeated = np.broadcast_to(values[:, 1:2], values.shape)
    xr.testing.assert_identical(run(shared), run(repeated))
    xr.testing.assert_identical(run(spins[0, 0].transpose("y", "x")), run(values[0, 0]))
    for wrong in (spins.rename(chain="snapshot"), spins.rename(x="site"), spins.rename(y="z")):
        with pytest.raises(ValueError, match=r"start must have the dims \(\[temperature, chain\]"):
            run(wrong)
    with pytest.raises(ValueError, match="start must have shape"):
        run(spins.isel(chain=slice(3)))


def test_runs_go_on_from_the_last_snapshot_of_others():
    model = irl.Ising(irl.Lattice((4, 6)), field=[0.0, 0.1])
    first = irl.simulate(model, irl.HeatBath(), [1.0, 2.0], sweeps=5, chains=3, snapshots=1, seed=5)
    last = first.spins.isel(snapshot=-1)
    options = {"sweeps": 2, "chains": 3, "snapshots": 2, "seed": 6}
    expected = irl.simulate(model, irl.HeatBath(), [1.0, 2.0], start=last.values, **options)
    for order in (last, last.transpose("y", "chain", "field", "x", "temperature")):
        found = irl.simulate(model, irl.HeatBath(), [1.0, 2.0], start=order, **options)
        xr.testing.assert_identical(found, expected)
