"""Evenly spaced values that a configuration gives as (first, last, number)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isingrl._validation import check_integer, check_temperature

FloatArray = npt.NDArray[np.float64]


def temperature_grid(name: str, grid: tuple[float, float, int]) -> FloatArray:
    """Temperatures of the field `name`, shape (number,).

    Raises
    ------
    TypeError, ValueError
        If they are not distinct non-negative numbers, or fewer than one.
    """
    first, last, number = grid
    check_integer(f"{name}: the number of them", number, 1)
    return check_temperature(np.linspace(first, last, number), name)


def ascending_grid(name: str, grid: tuple[float, float, int], least: int) -> FloatArray:
    """Positive ascending numbers of the field `name`, at least `least` of them.

    Raises
    ------
    ValueError
        If they are not that.
    """
    first, last, number = grid
    if not 0 < first < last < np.inf or number < least:
        raise ValueError(
            f"{name} must be two ascending positive numbers and how many, at least {least}; got "
            f"{first:g} {last:g} {number}"
        )
    return np.linspace(first, last, number)
