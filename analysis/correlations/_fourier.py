"""Fourier transforms of configurations, and averages over directions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from analysis.errors import FloatArray

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Shells:
    """Sites of a grid in shells by their distance from the origin.

    `shell` and `weight` belong to the sites, flattened; the last shell holds sites too far away.
    `total`, the sum of the weights, and `radius`, the mean distance, belong to the other shells.
    """

    shell: npt.NDArray[np.intp]
    weight: FloatArray
    total: FloatArray
    radius: FloatArray

    def average(self, values: FloatArray) -> FloatArray:
        """Mean over every shell."""
        number = self.total.size
        sums = np.bincount(self.shell, self.weight * values.ravel(), minlength=number + 1)
        return np.asarray(sums[:number] / self.total)


def power_spectrum(spins: npt.NDArray[Any]) -> FloatArray:
    """Return |Σ s exp(ikr)|²/N for half of all wave vectors, in the order of `scipy.fft.rfftn`."""
    transform = scipy.fft.rfftn(spins.astype(np.float64))
    return np.asarray((transform.real**2 + transform.imag**2) / spins.size)


def correlations_of(spectrum: FloatArray, shape: Shape) -> FloatArray:
    """Mean of s(x) s(x + r) over x for all r, from the spectrum."""
    return np.asarray(scipy.fft.irfftn(spectrum, shape))


def correlations_of_pairs(spins: npt.NDArray[Any]) -> FloatArray:
    """Mean of s(x) s(x + r) over pairs of a free lattice, or 0, on a grid of twice its sides."""
    wide = tuple(2 * side for side in spins.shape)
    transform = scipy.fft.rfftn(spins.astype(np.float64), wide)
    sums = scipy.fft.irfftn(transform.real**2 + transform.imag**2, wide)
    return np.asarray(sums / np.maximum(_numbers_of_pairs(spins.shape), 1))


@lru_cache(maxsize=4)
def _numbers_of_pairs(shape: Shape) -> FloatArray:
    lines = [side - np.abs(2 * side * scipy.fft.fftfreq(2 * side)) for side in shape]
    return np.asarray(np.multiply.reduce(np.meshgrid(*lines, indexing="ij")))


def along_axes(values: FloatArray, shape: Shape, *, free: bool = False) -> FloatArray:
    """Values on the axes, shape (ndim, max(shape) // 2 + 1).

    A shorter axis continues with its images or, of a free lattice, with 0.
    """
    number = max(shape) // 2 + 1
    lines = np.zeros((len(shape), number))
    for axis, side in enumerate(shape):
        place = np.arange(min(side, number) if free else number) % side
        if not free:
            place = np.minimum(place, side - place)  # x and -x are alike
        before, after = (0,) * axis, (0,) * (len(shape) - axis - 1)
        lines[axis, : place.size] = values[(*before, place, *after)]
    return lines


def along_lines(spins: npt.NDArray[Any]) -> FloatArray:
    """Correlations of the sums over planes perpendicular to each axis, 1 at distance 0 at T = ∞."""
    shape = spins.shape
    number = max(shape) // 2 + 1
    found = np.empty((spins.ndim, number))
    for axis, side in enumerate(shape):
        others = tuple(k for k in range(spins.ndim) if k != axis)
        sums = spins.sum(axis=others, dtype=np.float64)
        full = correlations_of(power_spectrum(sums), (side,))
        found[axis] = full[np.arange(number) % side] * side / spins.size
    return found


@lru_cache(maxsize=4)
def wave_shells(shape: Shape) -> Shells:
    """Wave vectors up to π in shells of width 2π/max(shape), each with its mirror image."""
    width = 2 * np.pi / max(shape)
    parts = [2 * np.pi * scipy.fft.fftfreq(side) for side in shape[:-1]]
    last = 2 * np.pi * scipy.fft.rfftfreq(shape[-1])
    weight = np.full(last.size, 2.0)
    weight[0] = 1.0
    if shape[-1] % 2 == 0:
        weight[-1] = 1.0
    return _shells([*parts, last], weight, width, np.pi)


@lru_cache(maxsize=4)
def pair_shells(shape: Shape) -> Shells:
    """`distance_shells` of the grid of `correlations_of_pairs`, weighted by numbers of pairs."""
    parts = [2 * side * scipy.fft.fftfreq(2 * side) for side in shape]
    return _shells(parts, _numbers_of_pairs(shape), 1.0, min(shape) / 2)


@lru_cache(maxsize=4)
def distance_shells(shape: Shape) -> Shells:
    """Distances up to half the shortest side, in shells of width 1."""
    parts = [side * scipy.fft.fftfreq(side) for side in shape]
    return _shells(parts, np.ones(shape[-1]), 1.0, min(shape) / 2)


def _shells(parts: list[FloatArray], weight: FloatArray, width: float, most: float) -> Shells:
    grid = np.meshgrid(*parts, indexing="ij", sparse=True)
    radius = np.sqrt(np.add.reduce(np.broadcast_arrays(*[part**2 for part in grid])))
    weights = np.broadcast_to(weight, radius.shape).ravel()
    radii = radius.ravel()
    inside = radii <= most * (1 + 1e-12)
    present, own = np.unique(np.rint(radii[inside] / width), return_inverse=True)
    shell = np.full(radii.size, present.size)
    shell[inside] = own
    total = np.asarray(np.bincount(own, weights[inside]), dtype=np.float64)
    mean = np.bincount(own, (weights * radii)[inside]) / total
    return Shells(shell, weights, total, mean)
