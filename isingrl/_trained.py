"""What rules that were trained have in common: the model and the temperatures that they are for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl._validation import check_temperature
from isingrl.model import Ising


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
    unknown = asked[~np.isin(asked, trained)]
    if unknown.size:
        raise ValueError(
            f"temperature must be among those the policy was trained at, "
            f"{trained.tolist()}; got {unknown[0]!s}"
        )
    return asked
