"""What rules that were trained have in common: the model and the temperatures that they are for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.model import Ising
from isingrl.support.validation import check_temperature

_SAME = 8 * np.finfo(np.float64).eps  # relative


def check_same_model(model: Ising, trained: Ising, *, shape: bool) -> None:
    """Refuse a model that a policy was not made for.

    Parameters
    ----------
    model, trained : Ising
        What it is asked for, and what it was trained on.
    shape : bool
        Whether the shape of the lattice matters, too.

    Raises
    ------
    ValueError
        If they differ in more than the shape, or in that.
    """
    own, asked = trained.lattice, model.lattice
    same = [
        (asked.neighborhood, own.neighborhood, "neighborhood"),
        (asked.ndim, own.ndim, "number of dimensions"),
        (asked.boundary, own.boundary, "boundary"),
        (model.coupling, trained.coupling, "coupling"),
        (model.field, trained.field, "field"),
    ]
    if shape:
        same.append((asked.shape, own.shape, "shape"))
    for given, known, what in same:
        if given != known:
            raise ValueError(
                f"model must have the {what} that the policy was trained with, {known!r}; "
                f"got {given!r}"
            )


def choose_temperatures(
    temperature: Any, trained: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Temperatures asked for, which must be among those trained at; all of them if None.

    Raises
    ------
    TypeError, ValueError
        If `temperature` is no such temperature.
    """
    if temperature is None:
        return trained
    asked = check_temperature(temperature)
    index = temperature_indices(asked, trained)
    unknown = asked[index < 0]
    if unknown.size:
        raise ValueError(
            f"temperature must be among those the policy was trained at, "
            f"{trained.tolist()}; got {unknown[0]!s}"
        )
    return check_temperature(trained[index])


def temperature_indices(
    asked: npt.NDArray[np.float64], trained: npt.NDArray[np.float64]
) -> npt.NDArray[np.intp]:
    """Where temperatures stand among those trained at, −1 for others.

    Those that differ by rounding are the same, as 0.3 and ``0.1 * 3`` are.
    """
    if not trained.size:
        return np.full(len(asked), -1)
    with np.errstate(invalid="ignore"):
        off = np.where(asked[:, None] == trained, 0.0, abs(asked[:, None] - trained))
    nearest = off.argmin(axis=1)
    same = off[np.arange(len(asked)), nearest] <= _SAME * abs(asked)
    same |= asked == trained[nearest]
    return np.where(same, nearest, -1)
