"""Checks that a trained rule suits a model and temperatures."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.model import Ising
from isingrl.spin_model import Model
from isingrl.support.validation import check_temperature

_SAME = 8 * np.finfo(np.float64).eps  # relative difference of equal temperatures


def check_ising(model: Model, rule: str) -> None:
    """Refuse a model whose spins are not up and down, for a table of P(up)."""
    if not isinstance(model, Ising):
        raise TypeError(
            f"model must be an Ising model for a table of P(up) of {rule!r}; got {model!r}, for "
            "which potts_table makes one"
        )


def check_same_model(model: Model, trained: Model, *, shape: bool) -> None:
    """Refuse a model that differs from that of the training, `trained`; perhaps also in shape."""
    own, asked = trained.lattice, model.lattice
    same: list[tuple[Any, Any, str]] = [
        (type(model).__name__, type(trained).__name__, "kind"),
        (model.n_spin_states, trained.n_spin_states, "number of states"),
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
    """Return temperatures if they were trained; for None, all temperatures of the training."""
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
    """Indices of temperatures among those of the training; −1 for others.

    Temperatures that differ by rounding, such as 0.3 and ``0.1 * 3``, are the same.
    """
    if not trained.size:
        return np.full(len(asked), -1)
    with np.errstate(invalid="ignore"):
        off = np.where(asked[:, None] == trained, 0.0, abs(asked[:, None] - trained))
    nearest = off.argmin(axis=1)
    same = (off[np.arange(len(asked)), nearest] <= _SAME * abs(asked)) & np.isfinite(asked)
    same |= asked == trained[nearest]
    return np.where(same, nearest, -1)
