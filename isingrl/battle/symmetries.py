"""The eight symmetries of the square, as they act on views and actions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from isingrl.battle.games import ATTACKS, MOVES, SIGHT, VIEW_SIDE

__all__ = ["ACTION_IMAGES", "ACTION_SOURCES", "CELL_SOURCES"]

_QUARTER, _MIRROR = np.array([[0, -1], [1, 0]]), np.array([[-1, 0], [0, 1]])
_MATRICES = [
    np.linalg.matrix_power(_QUARTER, turns) @ np.linalg.matrix_power(_MIRROR, mirrored)
    for mirrored in (0, 1)
    for turns in range(4)
]


def _cell_sources(matrix: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    steps = np.arange(-SIGHT, SIGHT + 1)
    x, y = (grid.ravel() for grid in np.meshgrid(steps, steps))
    new_x, new_y = matrix @ np.stack([x, y])
    sources = np.empty(VIEW_SIDE**2, np.int64)
    sources[(new_y + SIGHT) * VIEW_SIDE + new_x + SIGHT] = np.arange(VIEW_SIDE**2)
    return sources


def _action_images(matrix: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    images: list[int] = []
    for table in (MOVES, ATTACKS):
        steps, first = table.tolist(), len(images)
        images += [first + steps.index((matrix @ step).tolist()) for step in table]
    return np.array(images)


CELL_SOURCES = np.stack([_cell_sources(matrix) for matrix in _MATRICES])
"""``views[:, CELL_SOURCES[s]]`` are the views after symmetry s; shape (8, 169)."""

ACTION_IMAGES = np.stack([_action_images(matrix) for matrix in _MATRICES])
"""``ACTION_IMAGES[s, a]`` is action a after symmetry s; shape (8, 21)."""

ACTION_SOURCES = np.argsort(ACTION_IMAGES, axis=1)
"""``means[:, ACTION_SOURCES[s]]`` are the mean actions after symmetry s; shape (8, 21)."""
