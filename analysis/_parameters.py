"""Parameters of the runs in a Dataset: sites, times of draws, couplings, fields, lattices.

They are coordinates, because these stay with the numbers if Datasets are joined or parts are
taken. Files of earlier versions have attributes instead, which serve if the coordinate is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.errors import FloatArray
from isingrl.lattice import HONEYCOMB

_MANY = 100  # even changes of the magnetization; so many are not due to chance
_SEVERAL = 4  # values
_ROUNDING = 1e-13  # of a magnetization

ORDERS = ("magnetization", "order_parameter")
"""Series of order: of an Ising model, and of a Potts model."""


def check_dataset(name: str, value: Any) -> xr.Dataset:
    """Return `value` if it is a Dataset."""
    if not isinstance(value, xr.Dataset):
        raise TypeError(f"{name} must be an xarray Dataset; got {type(value).__name__}")
    return value


def measured(data: Any) -> tuple[str, str]:
    """Names of the energies and of the series of order, which the Dataset must hold."""
    found = set(check_dataset("data", data).data_vars)
    orders = [name for name in ORDERS if name in found]
    if "energy" not in found or not orders:
        raise ValueError(
            "data must hold the variables 'energy' and 'magnetization', or 'order_parameter' of a "
            f"Potts model; got {sorted(map(str, found))}"
        )
    return "energy", orders[0]


def states_of(data: xr.Dataset | xr.DataArray) -> int | None:
    """Return the number of states of a Potts model; None for other data."""
    return None if parameter(data, "states") is None else int(single(data, "states"))


def parameter(data: xr.Dataset | xr.DataArray, name: str) -> xr.DataArray | None:
    """Return the coordinate of that name or, as a scalar, the attribute; None without both."""
    if name in data.coords:
        variable = data.coords[name].variable
        return xr.DataArray(variable.values, dims=variable.dims, name=name)
    if name == "sides" and "shape" in data.attrs:
        return xr.DataArray("x".join(map(str, np.atleast_1d(data.attrs["shape"]))), name=name)
    if name in data.attrs:
        return xr.DataArray(np.asarray(data.attrs[name]).item(), name=name)
    return None


def required(data: xr.Dataset | xr.DataArray, name: str) -> xr.DataArray:
    """Return a parameter that must be present."""
    value = parameter(data, name)
    if value is None:
        raise ValueError(
            f"data must have the attribute or coordinate {name!r}, as isingrl.simulate makes it; "
            f"got the coordinates {sorted(map(str, data.coords))}"
        )
    return value


def single(data: xr.Dataset | xr.DataArray, name: str) -> Any:
    """Return the one value of a parameter that all data must share."""
    value = required(data, name)
    values = np.unique(value.values)
    if values.size != 1:
        raise ValueError(
            f"data must have one {name} here; got {values.tolist()} along {value.dims}: take a "
            "part with one of them at a time"
        )
    return values.tolist()[0]


def numbers_along(
    data: xr.Dataset, name: str, template: xr.DataArray, default: float | None = None
) -> FloatArray:
    """Return a parameter of each run, in the template's shape, or the default if it is missing."""
    value = parameter(data, name)
    if value is None and default is not None:
        return np.full(template.shape, default)
    value = required(data, name)
    if not set(value.dims) <= set(template.dims):
        raise ValueError(
            f"data: {name!r} must lie along {template.dims}, one value a run; got {value.dims}: "
            "runs that differ in it lie side by side along a dim of their own"
        )
    if value.dtype.kind not in "iuf":
        raise ValueError(f"data: {name!r} must be a number; got {value.values}")
    return along(value, template)


def least_coupling(coupling: xr.DataArray) -> xr.DataArray:
    """Couplings as numbers; of several, which are a text, the least."""
    if coupling.dtype.kind in "iuf":
        return coupling
    least = [min(several_couplings(str(each))) for each in coupling.values.flat]
    return coupling.copy(data=np.reshape(least, coupling.shape))


def several_couplings(text: str) -> list[float]:
    """Couplings of a text such as "1.8 0.2", or "random 1.0 -1.0" of bonds that differ by site."""
    return [float(each) for each in text.removeprefix("random ").split()]


def along(value: xr.DataArray, template: xr.DataArray) -> FloatArray:
    """Return values in the template's shape, repeated along missing dims."""
    # of the variable, because a DataArray also aligns coordinates, which takes milliseconds
    repeated = value.variable.set_dims(dict(template.sizes)).transpose(*template.dims)
    return np.array(repeated, dtype=np.float64)


def positive_along(data: xr.Dataset, name: str, template: xr.DataArray) -> FloatArray:
    """Return a positive parameter of each run, as `numbers_along`."""
    values = numbers_along(data, name, template)
    if not (values > 0).all():
        raise ValueError(f"data: {name!r} must be positive; got {values.min():g}")
    return values


def sweeps_between_draws(data: xr.Dataset, template: xr.DataArray) -> FloatArray:
    """Return the number of sweeps between draws of each run.

    The coordinate ``draw`` is in sweeps if its units say so. Otherwise it is a number, which
    ``interval`` turns into sweeps. Thinned runs are right in both cases.
    """
    draw = data.coords.get("draw")
    step = _step(draw)
    if draw is None or draw.attrs.get("units") != "sweeps":
        return positive_along(data, "interval", template) * step
    if "interval" in data.coords and (numbers_along(data, "interval", template) != step).any():
        raise ValueError(
            f"data: 'draw' says that draws lie {step:g} sweeps apart, and 'interval' "
            f"{np.unique(data['interval'])}. {_NUMBERED}"
        )
    return np.full(template.shape, step)


_NUMBERED = (
    "Runs of several intervals lie side by side if their draws are numbered: "
    "run.assign_coords(draw=range(n_draws), interval=...) for each"
)


def _step(draw: xr.DataArray | None) -> float:
    if draw is None or draw.dtype.kind not in "iuf":
        return 1.0
    steps = np.diff(draw.values)
    uneven = np.flatnonzero((steps <= 0) | ~np.isclose(steps, steps[:1]))
    if uneven.size:
        first, second = draw.values[uneven[0] : uneven[0] + 2]
        raise ValueError(
            "data: the coordinate 'draw' must ascend by even steps, or draws are no series in "
            f"time; got {second!s} after {first!s}. {_NUMBERED}"
        )
    return float(steps[0]) if steps.size else 1.0


@dataclass(frozen=True)
class Shown:
    """Parameters of each run as the data state them, NaN if unknown, to compare with its series.

    A coupling is unknown where bonds differ.

    With ``compat="override"``, its future default, xarray keeps the coordinates of the first
    Dataset without a comparison, so that a run may have the coordinates of another one.

    The sum of s_i s_j over bonds changes in units of ``step``: 4 if every site has an even number
    of neighbours, 2 on other lattices. The number of bonds between equal states of a Potts model
    changes by 1. ``states`` is its number of states. In a field its coupling counts as unknown,
    because the order parameter does not show the sites in state 0.
    """

    n_sites: FloatArray
    coupling: FloatArray
    field: FloatArray
    step: FloatArray
    states: FloatArray | None = None

    @classmethod
    def of(cls, data: xr.Dataset, template: xr.DataArray) -> Shown:
        """Read all parameters, in the template's shape."""
        boundary = parameter(data, "boundary")
        even = xr.DataArray(False) if boundary is None else boundary == "periodic"
        neighborhood = parameter(data, "neighborhood")
        if neighborhood is not None:
            even = even & (neighborhood != HONEYCOMB)
        step = xr.where(even, 4.0, 2.0)
        known = set(step.dims) <= set(template.dims)
        coupling = parameter(data, "coupling")
        several = coupling is not None and coupling.dtype.kind not in "iuf"
        found = cls(
            positive_along(data, "n_sites", template),
            np.full(template.shape, np.nan)
            if several
            else numbers_along(data, "coupling", template, default=np.nan),
            numbers_along(data, "field", template, default=np.nan),
            along(step, template) if known else np.full(template.shape, 2.0),
        )
        if measured(data)[1] == "magnetization":
            return found
        return replace(
            found,
            coupling=np.where(found.field == 0, found.coupling, np.nan),
            step=np.ones(template.shape),
            states=positive_along(data, "states", template),
        )

    def check(
        self, run: tuple[int, ...], energy: FloatArray, order: FloatArray, where: str
    ) -> None:
        """Refuse series, shape (n_chains, n_draws), of another model.

        Averages of several draws look like a larger lattice and are refused too, because they
        fluctuate less than draws.
        """
        n_sites, coupling, field = (
            float(each[run]) for each in (self.n_sites, self.coupling, self.field)
        )
        name = "magnetizations"
        if self.states is not None:
            # as a magnetization, with the sites of the largest state down
            q = float(self.states[run])
            order, name = 1 - 2 * ((q - 1) * order + 1) / q, "order parameters"
        for e, m in zip(energy, order, strict=True):
            shown = _sites_shown(m)
            if shown is None:
                continue
            few = np.count_nonzero(np.diff(m)) < _MANY
            if shown != n_sites and not (n_sites % shown == 0 and few):
                raise ValueError(
                    f"data: n_sites is {n_sites:g} at {where}, but the {name} there fit "
                    f"{shown} sites, or are averages of draws, which fluctuate less than draws. "
                    f"{_JOINED}"
                )
            bonds = n_sites * ((e - e[0]) + field * (m - m[0]))
            scale = abs(coupling) * float(self.step[run])
            rounding = 1e-14 * n_sites * (np.abs(e).max() + abs(field))
            if not scale > 100 * rounding:  # NaN, or next to no coupling
                continue
            if np.abs(bonds / scale - np.rint(bonds / scale)).max() > 0.01:
                raise ValueError(
                    f"data: the energies at {where} do not fit a model with coupling = "
                    f"{coupling:g} and field = {field:g}, the coordinates of the data. {_JOINED} "
                    "(For energies of your own, drop the coordinate 'coupling'.)"
                )


_JOINED = (
    "Join runs that differ in it with xr.concat(..., "
    'coords="different", compat="equals"), which keeps the coordinates of each.'
)


def _sites_shown(magnetization: FloatArray) -> int | None:
    """Smallest number of spins with a mean that can take these values, or None."""
    values = np.unique(magnetization)
    values = values[np.diff(values, prepend=-np.inf) > _ROUNDING]
    if values.size < _SEVERAL or abs(values).max() > 1:
        return None
    shown = np.rint(2 / np.diff(values).min())
    down = (1 - values) * shown / 2
    return int(shown) if np.allclose(down, np.rint(down), rtol=0, atol=1e-6) else None
