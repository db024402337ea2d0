from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import xarray as xr
from scipy.signal import lfilter

FloatArray = npt.NDArray[np.float64]


@pytest.fixture(scope="session")
def as_data() -> Callable[..., xr.Dataset]:
    """Series of shape (..., temperature, chain, draw) as a Dataset like that of `simulate`."""

    def build(
        energy: FloatArray,
        magnetization: FloatArray,
        temperature: npt.ArrayLike,
        *,
        dims: tuple[str, ...] = (),
        coords: dict[str, object] | None = None,
        n_sites: int = 16,
        interval: int = 1,
    ) -> xr.Dataset:
        order = (*dims, "temperature", "chain", "draw")
        n_chains, n_draws = energy.shape[-2:]
        return xr.Dataset(
            {
                "energy": (order, energy, {"long_name": "energy per site", "units": "J"}),
                "magnetization": (order, magnetization, {"units": "1"}),
            },
            {
                "temperature": np.atleast_1d(temperature),
                "chain": np.arange(n_chains),
                "draw": np.arange(n_draws),
                **(coords or {}),
            },
            {"n_sites": n_sites, "interval": interval, "rule": "made up"},
        )

    return build


@pytest.fixture(scope="session")
def autoregressive() -> Callable[..., FloatArray]:
    """Gaussian series of variance 1 whose correlation decays as rho^t, in equilibrium."""

    def build(rng: np.random.Generator, tau: float, shape: tuple[int, ...]) -> FloatArray:
        rho = (tau - 1) / (tau + 1)
        n_burn = int(30 * tau)
        noise = rng.normal(size=(*shape[:-1], shape[-1] + n_burn))
        series = lfilter([np.sqrt(1 - rho**2)], [1, -rho], noise, axis=-1)
        return np.asarray(series[..., n_burn:])

    return build
