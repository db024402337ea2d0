"""Tables of every form that the bit-lane kernels know, and counts of what came of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from isingrl import Lattice
from isingrl.engines.lane_layout import LANES
from isingrl.tables import LAZY

COORDINATION_NUMBERS = (2, 4, 6, 8, 26)
PLANES = {2: 2, 4: 3, 6: 3, 8: 4, 26: 5}

SPECIAL = (0.0, 1.0, 2.0**-20, 2.0**-13, 1 - 2.0**-13, 1 - 2.0**-20, 0.5, 1 / 3)
"""Chances on which binary digits are likely to go wrong."""

N_ENTRIES = {
    "mirrored": lambda z: z // 2 + 1,
    "own spin does not matter": lambda z: z + 1,
    "sure up to half": lambda z: z // 2,
    "sure from half on": lambda z: z // 2,
    "lazy up to half": lambda z: z // 2,
    "lazy from half on": lambda z: z // 2,
    "symmetric": lambda z: z + 1,
    "any": lambda z: 2 * (z + 1),
}

every_form = pytest.mark.parametrize(
    ("z", "form"),
    [
        pytest.param(z, form, id=f"{z}-{form.replace(' ', '-')}")
        for z in COORDINATION_NUMBERS
        for form in N_ENTRIES
        if (z, form) != (26, "mirrored")  # which the kernels do not know
    ],
)


def lattice_of(z, n_sites=2**11):
    """A lattice of a power of two of sites with z neighbours."""
    ndim = {2: 1, 4: 2, 6: 3, 8: 2, 26: 3}[z]
    sides = [2] * ndim
    while math.prod(sides) < n_sites:
        sides[-1 - sides[::-1].index(min(sides))] *= 2  # the last of the shortest sides
    return Lattice(sides, "moore" if z in (8, 26) else "von_neumann")


def alternating(lattice):
    """A configuration in which every site has fewer than half of its neighbours on its side."""
    places = np.indices(lattice.shape)
    axes = places[:1] if lattice.neighborhood == "moore" else places
    return np.where(axes.sum(axis=0) % 2, 1, -1).astype(np.int8)


def table_of_flips(flips):
    """P(up | own spin, up neighbours) where a flip depends on the number that agree."""
    return np.stack([flips[..., ::-1], 1 - flips], axis=-2)


def random_tables(z, form, rng):
    """A table of the form for every lane, each another, half of the entries `SPECIAL`."""
    shape = (LANES, z + 1)

    def chances():
        special = rng.choice(SPECIAL, size=shape)
        return np.where(rng.random(shape) < 0.5, special, rng.random(shape))

    half = z // 2
    if form == "any":
        return np.stack([chances(), chances()], axis=1)
    p = chances()
    if form == "own spin does not matter":
        return np.stack([p, p], axis=1)
    if form == "mirrored":
        p[:, half] = 0.5
        p[:, :half] = 1 - p[:, :half:-1]
        return np.stack([p, p], axis=1)
    likely = rng.choice([1, LAZY], size=shape) if form.startswith("lazy") else 1
    if form.endswith("up to half"):
        p[:, : half + 1] = np.broadcast_to(likely, shape)[:, : half + 1]
    elif form.endswith("from half on"):
        p[:, half:] = np.broadcast_to(likely, shape)[:, half:]
    return table_of_flips(p)


def rare_tables(z, form, chance):
    """A table of the form with a rare flip.

    A spin that is down among spins that are down rises with the chance; in the forms that are sure
    or lazy from half on, a spin with fewer than half of its neighbours on its side flips with it.
    """
    half = z // 2
    rare = np.full(z + 1, chance)
    if form == "any":
        return np.stack([rare, np.linspace(chance, chance / 2, z + 1)])
    if form == "own spin does not matter":
        return np.stack([rare, rare])
    if form == "mirrored":
        p = np.where(np.arange(z + 1) < half, chance, 1 - chance)
        p[half] = 0.5
        return np.stack([p, p])
    likely = LAZY if form.startswith("lazy") else 1
    if form.endswith("up to half"):
        rare[: half + 1] = likely
    elif form.endswith("from half on"):
        rare[half:] = likely
    return table_of_flips(rare)


def tally(lattice, own, seen, after, sites=None):
    """Numbers of up spins and of trials by chain, own spin before and up neighbours seen.

    All configurations have the shape (n_chains, *lattice.shape); the counts (n_chains, 2, z + 1).
    `sites`, a mask of shape lattice.shape, chooses those that count; all of them if omitted.
    """
    n_chains = len(own)
    z = lattice.coordination_number
    chosen = slice(None) if sites is None else sites.ravel()
    own, seen, after = (spins.reshape(n_chains, -1) > 0 for spins in (own, seen, after))
    up = seen[:, lattice.neighbors[chosen]].sum(axis=2)
    chain = np.arange(n_chains)[:, None]
    cell = ((chain * 2 + own[:, chosen]) * (z + 1) + up).ravel()
    size = n_chains * 2 * (z + 1)
    trials = np.bincount(cell, minlength=size)
    successes = np.bincount(cell[after[:, chosen].ravel()], minlength=size)
    return successes.reshape(n_chains, 2, z + 1), trials.reshape(n_chains, 2, z + 1)
