"""Coordinates of a Dataset that describe its model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.disorder import RandomBonds
from isingrl.potts import Potts
from isingrl.spin_model import Model


def coordinates_of(model: Model) -> dict[str, Any]:
    """Coordinates of a model and its lattice: scalars, except for several fields.

    Several couplings are a text, such as ``"1.8 0.2"``, so that spins by themselves keep them.
    `RandomBonds` are one such as ``"random 1.0 -1.0"``, and ``bond`` over (step, x[, y[, z]]).

    They are no attributes, because xarray drops or mixes up attributes when it joins Datasets.
    """
    lattice = model.lattice
    several = not isinstance(model.field, float)
    fields = np.array([each.one_field() for each in model.each_field])
    name = {"long_name": "magnetic field", "units": "J"}
    coupling: Any = model.coupling
    bonds = {}
    if isinstance(coupling, RandomBonds):
        dims = ("step", *("x", "y", "z")[: lattice.ndim])
        label = {"long_name": "coupling of the bond that begins at a site", "units": "J"}
        bonds["bond"] = dims, coupling.couplings, label
        coupling = " ".join(["random", *map(repr, coupling.values)])
    elif not isinstance(coupling, float):
        coupling = " ".join(map(repr, coupling))
    states = {}
    if isinstance(model, Potts):
        states["states"] = (), model.states, {"long_name": "number of states"}
    return {
        **states,
        **bonds,
        "coupling": ((), coupling, {"long_name": "coupling", "units": "J"}),
        "field": ("field", fields, name) if several else ((), fields[0], name),
        "n_sites": ((), lattice.n_sites, {"long_name": "number of sites"}),
        "sides": "x".join(map(str, lattice.shape)),
        "neighborhood": lattice.neighborhood,
        "boundary": lattice.boundary,
    }


def size_edges(n_sites: int) -> npt.NDArray[np.int64]:
    """First sizes of logarithmic bins, two for each factor of 2, and the largest size plus 1."""
    powers = np.rint(2.0 ** (np.arange(2 * int(n_sites).bit_length() + 2) / 2)).astype(np.int64)
    return np.append(np.unique(powers[powers <= n_sites]), n_sites + 1)


def size_bins(n_sites: int) -> dict[str, Any]:
    """Coordinates of the bins of `size_edges`: their centres, ends and widths."""
    edges = size_edges(n_sites)
    label = {"long_name": "size of a domain", "units": "sites"}
    return {
        "size_bin": ("size_bin", np.sqrt(edges[:-1] * (edges[1:] - 1.0)), label),
        "bin_begin": ("size_bin", edges[:-1]),
        "bin_end": ("size_bin", edges[1:]),
        "bin_width": ("size_bin", np.diff(edges)),
    }
