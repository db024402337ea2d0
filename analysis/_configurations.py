"""Configurations of spins along named dims, flattened for kernels and restored afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import xarray as xr

from analysis._parameters import along, parameter, single, states_of
from analysis.errors import FloatArray
from isingrl import Lattice
from isingrl.support.threads import run_in_threads
from isingrl.support.validation import (
    check_real,
    check_spin_values,
    check_states,
    check_temperature,
)

SITES = ("x", "y", "z")
SpinArray = npt.NDArray[np.integer[Any]]


class Configurations:
    """Spins of any number of configurations of one lattice.

    The array `spins` has the shape (n_configurations, n_rows, side), and `leading` has the dims and
    coordinates of the configurations. By default neighbourhood and boundary are as the data say, or
    else nearest neighbours and periodic. A boundary must agree with the data, but a part of a
    lattice is free.

    Spins are int8 ±1 or, if the data have the coordinate ``states``, uint8 states of a Potts model.
    Their number is the attribute `states`, None for ±1.
    """

    def __init__(
        self, spins: Any, neighborhood: str | None = None, boundary: str | None = None
    ) -> None:
        array = spin_array(spins)
        ndim = sum(dim in SITES for dim in array.dims)
        sites = SITES[:ndim]
        if not ndim or set(sites) != set(array.dims) & set(SITES):
            raise ValueError(
                f"spins must have the dims (..., x[, y[, z]]); got {tuple(map(str, array.dims))}"
            )
        array = array.transpose(..., *sites)
        shape = array.shape[-ndim:]
        if array.size == 0:
            raise ValueError(
                f"spins must hold at least one configuration; got the shape {array.shape}"
            )
        self._array, self._data = array, spins
        self.states = states_of(spins)
        boundary = self._boundary(boundary, dict(zip(sites, shape, strict=True)))
        self.lattice = Lattice(
            shape, self.known("neighborhood", "von_neumann", neighborhood), boundary
        )
        values = array.values.reshape(-1, self.lattice.n_sites // shape[-1], shape[-1])
        for configuration in values:
            check_spins("spins", configuration, self.states)
        dtype = np.int8 if self.states is None else np.uint8
        self.spins: SpinArray = np.ascontiguousarray(values, dtype=dtype)
        first_site = dict.fromkeys(sites, 0)
        self.leading = array.isel(first_site, drop=True)

    def known(self, name: str, default: Any, given: Any = None) -> Any:
        """Return the given value or, if it is None, the value of the data, or else the default."""
        if given is not None or parameter(self._data, name) is None:
            return default if given is None else given
        return single(self._data, name)

    def agreed(self, name: str, default: Any, given: Any) -> Any:
        """As `known`, but a given value must agree with the data if they have one."""
        known = self.known(name, given)
        if given is not None and known != given:
            raise ValueError(f"{name} must be that of the data, {known!r}; got {given!r}")
        return default if known is None else known

    def _boundary(self, given: str | None, shape: dict[str, int]) -> str:
        """Boundary of the data, or a free one for a part of their lattice."""
        whole = self.known("sides", "")
        sides = dict(zip(SITES, map(int, whole.split("x")), strict=False)) if whole else {}
        cut = [dim for dim, side in shape.items() if sides.get(dim, side) != side]
        if not cut:
            return str(self.agreed("boundary", "periodic", given))
        if self.known("boundary", "periodic", given) != "free":
            raise ValueError(
                f"boundary must be 'free' for a part of a lattice: spins have {shape[cut[0]]} of "
                f"{sides[cut[0]]} sites along {cut[0]!r}, so that opposite faces are not joined: "
                "spins.assign_coords(boundary='free') says so (if this is a lattice of its own, "
                "drop the coordinate 'sides')"
            )
        return "free"

    def each(
        self,
        function: Callable[[int, SpinArray, Any], None],
        memory: Callable[[], Any] = lambda: None,
    ) -> None:
        """Call ``function(number, spins, memory)`` for every configuration, in threads.

        Each thread calls `memory` once for its working memory.
        """

        def work(first: int, last: int) -> None:
            own = memory()
            for k in range(first, last):
                function(k, self.spins[k], own)

        number, threads = len(self.spins), numba.get_num_threads()
        parts = min(number, 4 * threads if number > 16 * threads else threads)
        bounds = number * np.arange(parts + 1) // parts
        ranges = list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
        run_in_threads(work, ranges, threads)

    def with_sites(self, values: npt.NDArray[Any], long_name: str) -> xr.DataArray:
        """One value a site, with the dims and coordinates of the spins."""
        found = self._array.copy(data=values.reshape(self._array.shape))
        found.attrs = {"long_name": long_name}
        return found.rename(long_name)

    def by_configuration(self, values: npt.NDArray[Any], *dims: str) -> xr.DataArray:
        """Values (n_configurations, ...) with the dims of the configurations and `dims`."""
        shape = (*self.leading.shape, *values.shape[1:])
        template = self.leading
        return xr.DataArray(
            values.reshape(shape), coords=template.coords, dims=(*template.dims, *dims)
        )

    @property
    def phases(self) -> list[str]:
        """Names of the phases that domains belong to, and of all together."""
        if self.states is None:
            return ["up", "down", "both"]
        return [*map(str, range(self.states)), "all"]

    def phase_of(self, spins: SpinArray) -> SpinArray:
        """Indices into `phases`."""
        return (1 - spins) // 2 if self.states is None else spins

    def order_of(self, spins: SpinArray) -> dict[str, FloatArray]:
        """Measures of order of one configuration, by name."""
        if self.states is None:
            m = spins.mean()
            return {"magnetization": m, "abs_magnetization": abs(m)}
        share = np.bincount(spins.ravel()).max() / spins.size
        return {"order_parameter": (self.states * share - 1) / (self.states - 1)}

    def quadratic(self, function: Callable[[Any], FloatArray], spins: SpinArray) -> FloatArray:
        """Return a function of products of two spins.

        Such a product of states of a Potts model is (q δ - 1)/(q - 1), that of unit vectors to the
        corners of a simplex: a sum over states of products of numbers.
        """
        if self.states is None:
            return function(spins)
        q = self.states
        parts = (np.sqrt(q / (q - 1)) * ((spins == state) - 1 / q) for state in range(q))
        return np.asarray(sum(map(function, parts)))

    def bond_probability(self, temperature: Any, coupling: Any) -> npt.NDArray[np.float64]:
        """Probability of a Fortuin-Kasteleyn bond in each configuration, without a field."""
        self.agreed("neighborhood", None, self.lattice.neighborhood)
        fields = parameter(self._data, "field")
        if fields is not None and (fields.values != 0).any():
            shown = ", ".join(f"{each:g}" for each in np.unique(fields.values))
            raise ValueError(f"field must be 0 for clusters; the data have field = {shown}")
        coupling = self.agreed("coupling", 1.0, coupling)
        if isinstance(coupling, str):
            raise ValueError(
                f"coupling must be one number for clusters of equal spins; the data have {coupling}"
            )
        if not check_real("coupling", coupling) > 0:
            raise ValueError(
                f"coupling must be positive for clusters of equal spins; got {coupling:g}"
            )
        if temperature is None:
            if "temperature" not in self.leading.coords:
                raise ValueError(
                    "temperature must be given, or be a coordinate of spins; got neither"
                )
            t = along(self.leading["temperature"], self.leading).ravel()
            check_temperature(np.unique(t))
        else:
            t = np.full(len(self.spins), check_temperature(temperature).item())
        with np.errstate(divide="ignore"):
            step = 2.0 if self.states is None else 1.0  # of a bond's energy between equal and not
            return np.asarray(-np.expm1(-step * coupling / t))


def check_spins(name: str, spins: npt.NDArray[Any], states: int | None) -> None:
    """Refuse other values than ±1, or than the states of a Potts model."""
    if states is None:
        check_spin_values(name, spins)
    else:
        check_states(name, spins, states)


def spin_array(spins: Any) -> xr.DataArray:
    """Return a DataArray of spins, or the variable ``spins`` of a Dataset."""
    if isinstance(spins, xr.Dataset):
        if "spins" not in spins:
            raise ValueError(
                f"spins: a Dataset must hold the variable 'spins'; got {sorted(map(str, spins))} "
                "(simulate keeps it with snapshots=)"
            )
        return spins["spins"]
    if not isinstance(spins, xr.DataArray):
        raise TypeError(
            f"spins must be an xarray DataArray with the dims (..., x[, y[, z]]), or a Dataset "
            f"with a variable 'spins'; got {type(spins).__name__}"
        )
    return spins
