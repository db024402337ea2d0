"""Numba kernels: arrays in, arrays out, nothing but NumPy and Numba imported."""

from isingrl.engines.kernels import cache

cache.install()  # before any kernel is defined
