"""A layer of a network on the cells of views, most of which are empty.

The input of plane p at cell c is ``planes[code of the cell, p]``. Its weights are the row
``c * cell_step + p * plane_step``. An empty cell has only zeros.
"""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath={"contract"})
def sum_cells(views, planes, weights, bias, cell_step, plane_step, sums):
    """Add the weights of the occupied cells.

    Parameters
    ----------
    views : uint8 array, shape (n, n_cells)
        Codes of the cells.
    planes : float array, shape (n_codes, n_planes)
        Inputs by code; zeros for code 0.
    weights : float array, shape (n_cells * n_planes, n_outputs)
    bias : float array, shape (n_outputs,)
    cell_step, plane_step : int
    sums : float array, shape (n, n_outputs)
        Written.
    """
    n_outputs = sums.shape[1]
    cells = np.empty(views.shape[1] + 1, np.int64)
    used, n_used = _planes_in_use(planes)
    for i in range(views.shape[0]):
        for j in range(n_outputs):
            sums[i, j] = bias[j]
        for k in range(_occupied(views, i, cells)):
            code, first = views[i, cells[k]], cells[k] * cell_step
            for place in range(0, n_used[code] - 1, 2):  # two at a time: half the traffic of sums
                one, two = used[code, place], used[code, place + 1]
                a, b = first + one * plane_step, first + two * plane_step
                x, y = planes[code, one], planes[code, two]
                for j in range(n_outputs):
                    sums[i, j] += x * weights[a, j] + y * weights[b, j]
            if n_used[code] % 2:
                one = used[code, n_used[code] - 1]
                a, x = first + one * plane_step, planes[code, one]
                for j in range(n_outputs):
                    sums[i, j] += x * weights[a, j]


@njit(nogil=True, cache=True, fastmath={"contract"})
def add_outer_products(views, planes, gradients, cell_step, plane_step, weights):
    """Add the gradients of the weights of `sum_cells`.

    Parameters
    ----------
    views, planes, cell_step, plane_step
        As of `sum_cells`.
    gradients : float array, shape (n, n_outputs)
        Those of its sums.
    weights : float array, shape (n_cells * n_planes, n_outputs)
        Added to.
    """
    cells = np.empty(views.shape[1] + 1, np.int64)
    used, n_used = _planes_in_use(planes)
    for i in range(views.shape[0]):
        for k in range(_occupied(views, i, cells)):
            code, first = views[i, cells[k]], cells[k] * cell_step
            for place in range(n_used[code]):
                one = used[code, place]
                a, x = first + one * plane_step, planes[code, one]
                for j in range(gradients.shape[1]):
                    weights[a, j] += x * gradients[i, j]


@njit(nogil=True, cache=True)
def _planes_in_use(planes):
    """Numbers of the planes of each code that are not zero, which come first, and how many."""
    used, n_used = np.zeros(planes.shape, np.int64), np.zeros(planes.shape[0], np.int64)
    for code in range(planes.shape[0]):
        for plane in range(planes.shape[1]):
            if planes[code, plane] != 0:
                used[code, n_used[code]] = plane
                n_used[code] += 1
    return used, n_used


@njit(nogil=True, cache=True)
def _occupied(views, i, cells):
    """Write the numbers of the occupied cells of a view, which come first; return how many."""
    found = 0
    for cell in range(views.shape[1]):
        # no branch: which cells are occupied cannot be foretold
        cells[found] = cell
        found += int(views[i, cell] != 0)
    return found
