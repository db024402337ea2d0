"""Spins as pictures and as text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["as_image", "as_text"]

_SIDE = 256  # least number of pixels of the longer side
_UP, _DOWN, _GAP = (31, 42, 68), (238, 241, 246), (255, 255, 255)


def as_image(spins: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
    """Draw spins, dark where they are up: x downwards, y to the right, layers z side by side.

    Parameters
    ----------
    spins : int8 ndarray of ±1, one to three dimensions

    Returns
    -------
    uint8 ndarray, shape (height, width, 3)
        Squares of at least one pixel, in a picture of 256 or more along its longer side.
    """
    plane = _plane(spins)
    colors = np.array([_GAP, _UP, _DOWN], np.uint8)[plane]  # −1 is the last
    pixels = -(-_SIDE // max(plane.shape))
    return colors.repeat(pixels, axis=0).repeat(pixels, axis=1)


def as_text(spins: npt.NDArray[np.int8]) -> str:
    """Write spins, a full block where they are up and a dot where they are down; as `as_image`."""
    return "\n".join("".join(" █·"[spin] for spin in row) for row in _plane(spins))


def _plane(spins: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Rows and columns; the layers of three dimensions with a gap of zeros between them."""
    if spins.ndim < 3:
        return np.atleast_2d(spins)
    gapped = np.pad(spins, ((0, 0), (0, 1), (0, 0)))
    return np.moveaxis(gapped, 2, 1).reshape(len(spins), -1)[:, :-1]
