"""Checks of user input: each error names the argument, what was given and what is allowed."""

from __future__ import annotations

import importlib
import math
import operator
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr


def require(package: str, need: str, extra: str) -> Any:
    """Import an optional package and return it; the error names the extra that installs it.

    `need` is the beginning of that error, such as "networks need".
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ImportError(f"{need} {package}, which the extra isingrl[{extra}] brings") from error


def check_integer(name: str, value: Any, minimum: int) -> int:
    """Return `value` as an int of at least `minimum`; 1e4 is one, booleans and 1.5 are not."""
    allowed = f"an integer of at least {minimum}"
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be {allowed}; got {value!r}")
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be {allowed}; got {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name} must be {allowed}; got {number}")
    return number


def check_real(
    name: str, value: Any, *, minimum: float = -math.inf, maximum: float = math.inf
) -> float:
    """Return `value` as a finite float within the closed interval [minimum, maximum]."""
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be a real number; got {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite; got {value!r}")
    if not minimum <= number <= maximum:
        raise ValueError(f"{name} must lie in [{minimum:g}, {maximum:g}]; got {value!r}")
    return number


def check_positive(name: str, value: Any, maximum: float) -> float:
    """Return `value` as a float within the interval (0, maximum]."""
    number = check_real(name, value, minimum=0, maximum=maximum)
    if number == 0:
        raise ValueError(f"{name} must lie in (0, {maximum:g}]; got 0")
    return number


def check_coupling(value: Any, steps: Sequence[Any]) -> float | tuple[float, ...]:
    """Return a coupling as a float, or several, one for each of the `steps`, as a tuple.

    Several equal ones are one float.
    """
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str | bytes):
        return check_real("coupling", value)
    found = tuple(check_real("coupling", each) for each in value)
    if len(found) != len(steps):
        shown = ", ".join(map(str, steps))
        raise ValueError(
            f"coupling must be a finite number, or {len(steps)} of them, for the steps {shown}; "
            f"got {len(found)}"
        )
    return found[0] if len(set(found)) == 1 else found


def check_field(value: Any) -> float | tuple[float, ...]:
    """Return a magnetic field as a float, or several distinct ones as a tuple of them."""
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str | bytes):
        return check_real("field", value)
    allowed = "a finite number or a sequence of distinct finite numbers"
    try:
        given = np.asarray(value)
    except ValueError:  # rows of different lengths
        given = np.asarray(value, dtype=object)
    if given.size == 0:
        raise ValueError(f"field must be {allowed}; got an empty sequence")
    if given.dtype.kind not in "iuf":
        raise TypeError(f"field must be {allowed}; got {value!r}")
    if given.ndim > 1:
        raise ValueError(f"field must be {allowed}; got an array of shape {given.shape}")
    fields = given.astype(np.float64)
    _check_each("field", fields, np.isfinite(fields), allowed, "in one field")
    return tuple(fields.tolist())


def check_flag(name: str, value: Any) -> bool:
    """Return `value` if it is a bool."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False; got {value!r}")
    return value


def check_choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return `value` if it is one of the `allowed` names."""
    if not isinstance(value, str) or value not in allowed:
        names = ", ".join(repr(choice) for choice in allowed)
        raise ValueError(f"{name} must be one of {names}; got {value!r}")
    return value


def check_temperature(value: Any, name: str = "temperature") -> npt.NDArray[np.float64]:
    """Return temperatures as a float array of shape (n_temperatures,); 0 and infinity are valid."""
    allowed = "a non-negative number (0 and inf included) or a sequence of distinct such numbers"
    if isinstance(value, str | bytes | bool):
        raise TypeError(f"{name} must be {allowed}; got {value!r}")
    given = np.asarray(value)
    if given.dtype.kind not in "iuf":
        if given.size == 0:
            raise ValueError(f"{name} must be {allowed}; got an empty sequence")
        raise TypeError(f"{name} must be {allowed}; got {value!r}")
    if given.ndim > 1:
        raise ValueError(f"{name} must be {allowed}; got an array of shape {given.shape}")
    temperatures = np.atleast_1d(given).astype(np.float64)
    if temperatures.size == 0:
        raise ValueError(f"{name} must be {allowed}; got an empty sequence")
    _check_each(name, temperatures, temperatures >= 0, allowed, "at one temperature")
    return temperatures


def _check_each(
    name: str,
    values: npt.NDArray[np.float64],
    valid: npt.NDArray[np.bool_],
    allowed: str,
    where: str,
) -> None:
    """Refuse values that are not valid or come more than once."""
    if not valid.all():
        raise ValueError(f"{name} must be {allowed}; got {values[~valid][0]!s}")
    unique, counts = np.unique(values, return_counts=True)
    if unique.size < values.size:
        raise ValueError(
            f"{name} must be {allowed}; got {unique[counts > 1][0]!s} more than once "
            f"(use chains for repeated runs {where})"
        )


def check_shape(name: str, given: npt.NDArray[Any], shapes: Sequence[tuple[int, ...]]) -> None:
    """Refuse an array with none of the `shapes`."""
    if given.shape not in shapes:
        allowed = " or ".join(str(shape) for shape in shapes)
        raise ValueError(f"{name} must have shape {allowed}; got {given.shape}")


def check_spin_values(name: str, given: npt.NDArray[Any]) -> None:
    """Refuse other values than ±1, and types that cannot hold -1."""
    if given.dtype.kind not in "if":
        raise ValueError(
            f"{name} must hold the spins -1 and +1 only; got an array of dtype {given.dtype} (of "
            "0 and 1, or booleans, 2 * up - 1 makes spins, once they are signed integers)"
        )
    wrong = (given != 1) & (given != -1)  # np.isin takes thirty times as long
    if wrong.any():
        raise ValueError(
            f"{name} must hold the spins -1 and +1 only; got the value {given[wrong][0]!s}"
        )


def check_states(name: str, given: npt.NDArray[Any], states: int) -> None:
    """Refuse other values than the integers 0 … states - 1."""
    allowed = f"{name} must hold the states 0 to {states - 1} only"
    if given.dtype.kind not in "iu":
        raise ValueError(f"{allowed}, as integers; got an array of dtype {given.dtype}")
    wrong = (given < 0) | (given >= states)
    if wrong.any():
        raise ValueError(f"{allowed}; got the value {given[wrong][0]!s}")


def site_axes(name: str, value: Any, ndim: int, leading: Mapping[str, int] | None = None) -> Any:
    """Return an array with the axes of the sites last; those of a DataArray are found by name.

    `leading` are names and lengths of the dims before those of the sites; if omitted, all names
    are allowed. A DataArray that has some of them is repeated along the others.
    """
    if not isinstance(value, xr.DataArray):
        return value
    sites = ("x", "y", "z")[:ndim]
    others = [dim for dim in value.dims if dim not in sites]
    wrong = [dim for dim in others if leading is not None and dim not in leading]
    if wrong or not set(sites) <= set(value.dims) or set(others) & {"x", "y", "z"}:
        before = "..." if leading is None else f"[{', '.join(leading)}]"
        raise ValueError(
            f"{name} must have the dims ({before}, {', '.join(sites)}), in any order; got "
            f"{tuple(map(str, value.dims))}"
        )
    if leading is None or not others:
        return value.transpose(*others, *sites).values
    missing = {dim: length for dim, length in leading.items() if dim not in others}
    return (
        value.drop_vars(missing, errors="ignore")
        .expand_dims(missing)
        .transpose(*leading, *sites)
        .values
    )


def check_run_length(
    sweeps: Any, thermalization: Any, interval: Any, chains: Any
) -> tuple[int, int, int, int]:
    """Return how long and how often a run measures, as integers."""
    sweeps = check_integer("sweeps", sweeps, 1)
    thermalization = check_integer("thermalization", thermalization, 0)
    interval = check_integer("interval", interval, 1)
    if interval > sweeps:
        raise ValueError(f"interval must be at most sweeps = {sweeps}; got {interval}")
    return sweeps, thermalization, interval, check_integer("chains", chains, 1)
