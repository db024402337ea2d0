"""Checks of user input: each error names the argument, what was given and what is allowed."""

from __future__ import annotations

import importlib
import math
import operator
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt


def require(package: str, need: str, extra: str) -> Any:
    """Import a package that is optional, and return it.

    Parameters
    ----------
    package : str
    need : str
        What needs it, with the verb: "networks need".
    extra : str
        Which brings it.

    Raises
    ------
    ImportError
        If it is not installed, naming the extra.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ImportError(f"{need} {package}, which the extra isingrl[{extra}] brings") from error


def check_integer(name: str, value: Any, minimum: int) -> int:
    """Return `value` as an int of at least `minimum`; booleans and floats are refused."""
    allowed = f"an integer of at least {minimum}"
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be {allowed}; got {value!r}")
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
    bad = fields[~np.isfinite(fields)]
    if bad.size:
        raise ValueError(f"field must be {allowed}; got {bad[0]!s}")
    unique, counts = np.unique(fields, return_counts=True)
    if unique.size < fields.size:
        raise ValueError(
            f"field must be {allowed}; got {unique[counts > 1][0]!s} more than once "
            "(use chains for repeated runs in one field)"
        )
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
    bad = temperatures[~(temperatures >= 0)]
    if bad.size:
        raise ValueError(f"{name} must be {allowed}; got {bad[0]!s}")
    unique, counts = np.unique(temperatures, return_counts=True)
    if unique.size < temperatures.size:
        raise ValueError(
            f"{name} must be {allowed}; got {unique[counts > 1][0]!s} more than once "
            "(use chains for repeated runs at one temperature)"
        )
    return temperatures


def check_spins(name: str, value: Any, shapes: Sequence[tuple[int, ...]]) -> npt.NDArray[np.int8]:
    """Return an int8 array of ±1 whose shape is one of `shapes`."""
    given = np.asarray(value)
    if given.shape not in shapes:
        allowed = " or ".join(str(shape) for shape in shapes)
        raise ValueError(f"{name} must have shape {allowed}; got {given.shape}")
    if given.dtype.kind not in "iuf" or not _is_spin(given).all():
        raise ValueError(f"{name} must hold the spins -1 and +1 only; got {_sample(given)}")
    return given.astype(np.int8)


def _is_spin(given: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.asarray((given == 1) | (given == -1))  # np.isin takes thirty times as long


def _sample(given: npt.NDArray[Any]) -> str:
    if given.dtype.kind not in "iuf":
        return f"an array of dtype {given.dtype}"
    return f"the value {given[~_is_spin(given)][0]!s}"


def check_run_length(sweeps: Any, thermalization: Any, interval: Any, chains: Any) -> None:
    """Check how long and how often a run measures."""
    sweeps = check_integer("sweeps", sweeps, 1)
    check_integer("thermalization", thermalization, 0)
    interval = check_integer("interval", interval, 1)
    if interval > sweeps:
        raise ValueError(f"interval must be at most sweeps = {sweeps}; got {interval}")
    check_integer("chains", chains, 1)
