"""Numba kernels of the battle: arrays in, arrays out, nothing but NumPy and Numba imported."""

from isingrl.support import kernel_cache

kernel_cache.install()  # before any kernel is defined
