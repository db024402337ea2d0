"""Grids that a configuration gives as (first, last, number), and texts of numbers for keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import numpy as np
import numpy.typing as npt
import tyro

from isingrl.support.validation import check_integer, check_temperature

FloatArray = npt.NDArray[np.float64]
Grid = Annotated[tuple[float, float, int], tyro.conf.arg(metavar="FIRST LAST NUMBER")]
"""Type of a field: first and last value, and how many."""


def temperature_grid(name: str, grid: tuple[float, float, int]) -> FloatArray:
    """Temperatures of the field `name`, shape (number,).

    Raises
    ------
    TypeError, ValueError
        If they are not distinct non-negative numbers, one or more.
    """
    first, last, number = grid
    number = check_integer(f"{name}: the number of them", number, 1)
    return check_temperature(np.linspace(first, last, number), name)


def ascending_grid(
    name: str, grid: tuple[float, float, int], least: int, *, geometric: bool = False
) -> FloatArray:
    """Positive ascending numbers of the field `name`, at least `least` of them.

    Raises
    ------
    ValueError
        If the numbers are not positive and ascending, or too few.
    """
    first, last, number = grid
    if not 0 < first < last < np.inf or number < least:
        raise ValueError(
            f"{name} must be two ascending positive numbers and how many, at least {least}; got "
            f"{first:g} {last:g} {number}"
        )
    spaced = np.geomspace if geometric else np.linspace
    return spaced(first, last, check_integer(f"{name}: the number of them", number, least))


def last_fall(x: FloatArray, curve: FloatArray, level: float) -> tuple[float, float]:
    """Place where a curve falls below a level for good, by a straight line, with its error.

    Parameters
    ----------
    x : float array, shape (n,)
        Ascending.
    curve : float array, shape (n,)
    level : float

    Returns
    -------
    pair of float
        Place and error; NaN if the curve never falls below. The error is the distance to the place
        where a parabola with the second differences at the ends of the line would fall.

    Examples
    --------
    >>> import numpy as np
    >>> from studies.shared.grids import last_fall
    >>> last_fall(np.array([0.0, 1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0, 0.0]), 1.5)
    (1.5, 0.0)
    """
    above = np.flatnonzero(curve >= level)
    if not above.size or above[-1] == x.size - 1:
        return np.nan, np.nan
    left = int(above[-1])
    step, fall = x[left + 1] - x[left], curve[left] - curve[left + 1]
    share = (curve[left] - level) / fall
    bends = abs(np.diff(curve, 2))[max(left - 1, 0) : left + 1]
    bend = bends[np.isfinite(bends)].max(initial=0.0)
    return float(x[left] + share * step), float(share * (1 - share) / 2 * step * bend / fall)


def exponent(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Slope of log(y) against log(x), with its standard error."""
    (slope, _), covariance = np.polyfit(np.log(x), np.log(y), 1, cov=True)
    return float(slope), float(np.sqrt(covariance[0, 0]))


def block_texts(blocks: Iterable[FloatArray], digits: int = 6) -> list[str]:
    """Texts of blocks of numbers, "first … last", different for different blocks.

    They have few digits if these are exact or no other block has the same text. Keys of tasks,
    and so the names of files, contain them.

    Parameters
    ----------
    blocks : iterable of float arrays
    digits : int
        Significant ones.

    Examples
    --------
    >>> import numpy as np
    >>> from studies.shared.grids import block_texts
    >>> block_texts([np.array([2.0, 3.0]), np.array([2.0000001, 3.0])])
    ['2 … 3', '2.0000001 … 3.0']
    """
    ends = [(float(block[0]), float(block[-1])) for block in blocks]
    short = [f"{first:.{digits}g} … {last:.{digits}g}" for first, last in ends]
    exact = [all(float(f"{end:.{digits}g}") == end for end in pair) for pair in ends]
    owners = {text: pair for text, pair, it_is in zip(short, ends, exact, strict=True) if it_is}
    return [
        text if owners.setdefault(text, pair) == pair else f"{pair[0]!r} … {pair[1]!r}"
        for text, pair in zip(short, ends, strict=True)
    ]


def number_texts(values: Iterable[float], digits: int = 6) -> dict[float, str]:
    """Texts of numbers by number, different for different numbers, as in `block_texts`."""
    numbers = [float(value) for value in values]
    texts = block_texts([np.array([value]) for value in numbers], digits)
    return {value: text.partition(" ")[0] for value, text in zip(numbers, texts, strict=True)}
