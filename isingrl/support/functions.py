"""Functions with the same bits on all processors, by the C library.

NumPy's own differ in the last digit between processors with and without AVX-512. Runs record
digests of their tables, and could not go on elsewhere.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["exp", "expm1", "tanh"]

exp = np.vectorize(math.exp, otypes=[np.float64])
"""Elementwise exponential function."""
expm1 = np.vectorize(math.expm1, otypes=[np.float64])
"""Elementwise exponential function minus 1."""
tanh = np.vectorize(math.tanh, otypes=[np.float64])
"""Elementwise hyperbolic tangent."""
