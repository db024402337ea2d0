"""The couplings of a square lattice, one for each direction."""

from __future__ import annotations

from typing import Any

import numpy as np

from isingrl.support.validation import check_positive

_LARGEST = 1e300


def check_couplings(coupling: Any) -> tuple[float, float]:
    """Return the couplings along y and along x from a positive number or a pair of them."""
    given = np.atleast_1d(np.asarray(coupling, dtype=object)).tolist()
    if len(given) not in (1, 2):
        raise ValueError(f"coupling must be a positive number or a pair of them; got {coupling!r}")
    pair = [check_positive("coupling", each, _LARGEST) for each in given]
    return pair[0], pair[-1]
