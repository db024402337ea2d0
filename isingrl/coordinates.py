"""Coordinates of a Dataset that describe its model."""

from __future__ import annotations

from typing import Any

import numpy as np

from isingrl.model import Ising


def coordinates_of(model: Ising) -> dict[str, Any]:
    """Coordinates of a model and its lattice: scalars, except for several fields.

    They are no attributes, because xarray drops or mixes up attributes when it joins Datasets.
    """
    lattice = model.lattice
    several = not isinstance(model.field, float)
    fields = np.array([each.one_field() for each in model.each_field])
    name = {"long_name": "magnetic field", "units": "J"}
    return {
        "coupling": ((), model.coupling, {"long_name": "coupling", "units": "J"}),
        "field": ("field", fields, name) if several else ((), fields[0], name),
        "n_sites": ((), lattice.n_sites, {"long_name": "number of sites"}),
        "sides": "x".join(map(str, lattice.shape)),
        "neighborhood": lattice.neighborhood,
        "boundary": lattice.boundary,
    }
