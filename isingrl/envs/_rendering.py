"""Spins as pictures and as text."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.model import Ising
from isingrl.spin_model import Model

__all__ = ["as_image", "as_text"]

_SIDE = 256  # least number of pixels of the longer side
_UP, _DOWN, _GAP = (31, 42, 68), (238, 241, 246), (255, 255, 255)


def as_image(model: Model, spins: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Draw spins: x downwards, y to the right, layers z side by side.

    Parameters
    ----------
    model : Ising or Potts
    spins : integer ndarray, one to three dimensions

    Returns
    -------
    uint8 ndarray, shape (height, width, 3)
        Squares of at least one pixel, in a picture of 256 or more along its longer side. Dark where
        Ising spins are up; the states of a Potts model have hues.
    """
    plane = _plane(model, spins)
    pixels = -(-_SIDE // max(plane.shape))
    return _colors(model)[plane].repeat(pixels, axis=0).repeat(pixels, axis=1)


def as_text(model: Model, spins: npt.NDArray[Any]) -> str:
    """Write spins, a full block where they are up and a dot where they are down; as `as_image`.

    The states of a Potts model are numbers, with spaces between them if they have several digits.
    """
    plane = _plane(model, spins)
    if isinstance(model, Ising):
        return "\n".join("".join("·█ "[state] for state in row) for row in plane)
    q = model.n_spin_states
    width = len(str(q - 1))
    signs = [str(state).rjust(width) for state in range(q)] + [" " * width]
    return "\n".join((" " * (width > 1)).join(signs[state] for state in row) for row in plane)


def _colors(model: Model) -> npt.NDArray[np.uint8]:
    """Colors of the states, and of a gap."""
    if isinstance(model, Ising):
        return np.array([_DOWN, _UP, _GAP], np.uint8)
    q = model.n_spin_states
    hues = [colorsys.hsv_to_rgb(state / q, 0.65, 0.85) for state in range(q)]
    return np.array([*(255 * np.array(hues)), _GAP]).astype(np.uint8)


def _plane(model: Model, spins: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Rows and columns of states; the layers of three dimensions with a gap between them."""
    states = model.states_of(spins)
    if states.ndim < 3:
        return np.atleast_2d(states)
    gapped = np.pad(states, ((0, 0), (0, 1), (0, 0)), constant_values=model.n_spin_states)
    return np.moveaxis(gapped, 2, 1).reshape(len(states), -1)[:, :-1]
