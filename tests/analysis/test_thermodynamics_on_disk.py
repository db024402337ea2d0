"""Series that lie on disk are read run by run."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from xarray.backends.h5netcdf_ import H5NetCDFArrayWrapper

from analysis import thermodynamics

AsData = Callable[..., xr.Dataset]


@pytest.fixture(scope="module")
def many_runs(as_data: AsData) -> xr.Dataset:
    e, m = np.random.default_rng(29).normal(size=(2, 4, 8, 2, 5000))
    return as_data(e, m, np.linspace(1.0, 3.0, 8), dims=("size",))


@pytest.fixture(scope="module")
def expected(many_runs: xr.Dataset) -> xr.Dataset:
    return thermodynamics(many_runs)


@pytest.mark.parametrize(
    "order", [(), ("chain", "draw", "temperature", "size")], ids=["as-returned", "shuffled"]
)
def test_data_on_disk_are_read_run_by_run(
    order: tuple[str, ...],
    many_runs: xr.Dataset,
    expected: xr.Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many_runs.transpose(*order).to_netcdf(tmp_path / "data.nc", engine="h5netcdf")
    read: list[int] = []

    def spy(self: Any, key: Any, _original: Any = H5NetCDFArrayWrapper._getitem) -> Any:
        values = _original(self, key)
        if self.variable_name in ("energy", "magnetization"):
            read.append(values.size)
        return values

    monkeypatch.setattr(H5NetCDFArrayWrapper, "_getitem", spy)
    with xr.open_dataset(tmp_path / "data.nc", engine="h5netcdf") as opened:
        found = thermodynamics(opened)
    xr.testing.assert_identical(found.load(), expected)
    assert read == [2 * 5000] * (2 * 32)


def test_data_on_disk_take_the_memory_of_one_run(many_runs: xr.Dataset, tmp_path: Path) -> None:
    many_runs.to_netcdf(tmp_path / "data.nc", engine="h5netcdf")
    size = many_runs["energy"].nbytes + many_runs["magnetization"].nbytes
    thermodynamics(many_runs.isel(size=[0], temperature=[0]))  # what is imported and kept
    with xr.open_dataset(tmp_path / "data.nc", engine="h5netcdf") as opened:
        tracemalloc.start()
        thermodynamics(opened)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < size / 2
