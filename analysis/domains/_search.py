"""Search for domains and clusters of one configuration, in the working memory of one thread."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from analysis._configurations import Configurations, SpinArray
from analysis.domains import _kernels as kernels
from analysis.domains._rows import Rows, bonds_of, rows_of
from isingrl import Lattice
from isingrl.lattice import NEIGHBORHOODS


class Scratch:
    """Working memory, with arrays by run; only the part for the runs of a configuration is used."""

    def __init__(self, rows: Rows, dtype: npt.DTypeLike = np.int8) -> None:
        n_rows, side = rows.shape
        most = n_rows * (side + 1) + 1
        self.begins = np.empty(most, dtype=np.int32)
        self.row_start = np.empty(n_rows + 1, dtype=np.int64)
        self.parent = np.empty(most, dtype=np.int32)
        self.link = np.empty(most, dtype=np.int64)
        self.winding = np.empty(most, dtype=np.int64)
        self.size = np.empty(most, dtype=np.int64)
        self.sign = np.empty(most, dtype=dtype)  # or state, as the spins
        self.wraps = np.empty(most, dtype=np.uint8)
        self.active = np.empty(0, dtype=np.bool_)  # bonds of clusters

    @property
    def runs(self) -> tuple[Any, ...]:
        """First sites of the runs, first runs of the rows, parents."""
        return self.begins, self.row_start, self.parent

    @property
    def links(self) -> tuple[Any, ...]:
        """Parents, links between roots, windings along links, wraps."""
        return self.parent, self.link, self.winding, self.wraps


class Search(Protocol):
    """A way to join the sites of a configuration."""

    rows: Rows

    def join_inside(self, scratch: Scratch, spins: SpinArray, number: int) -> None:
        """Unite sites of configuration `number` that are joined within the boundaries."""

    def join_across(self, scratch: Scratch, spins: SpinArray) -> None:
        """Unite sites that are joined across the boundaries."""

    def cross(self, scratch: Scratch, spins: SpinArray) -> None:
        """Unite sites that are joined across the boundaries, and find domains around the torus."""

    def unlike_pairs(self, spins: SpinArray) -> int:
        """Number of neighbour pairs of unlike spins."""


def domain_search(configurations: Configurations) -> Search:
    """Search for domains of equal spins: by runs in rows if steps are short, else by bonds.

    Runs need two kinds of spins, so that they alternate along a row.
    """
    lattice = configurations.lattice
    runs = configurations.states is None and lattice.neighborhood in NEIGHBORHOODS
    return RunSearch(lattice) if runs else ClusterSearch(lattice)


class RunSearch:
    """Join neighbours of equal spin ±1, run by run."""

    def __init__(self, lattice: Lattice) -> None:
        self.rows = rows_of(lattice)

    def join_inside(self, scratch: Scratch, spins: SpinArray, number: int) -> None:
        kernels.find_runs(spins, *scratch.runs)
        inside = self.rows.inside.ends
        kernels.join_rows(
            spins, scratch.begins, scratch.row_start, inside, self.rows.diagonal, scratch.parent
        )

    def join_across(self, scratch: Scratch, spins: SpinArray) -> None:
        rows = self.rows
        kernels.join_rows(
            spins, scratch.begins, scratch.row_start, rows.across.ends, rows.diagonal,
            scratch.parent,
        )  # fmt: skip
        kernels.join_ends(spins, scratch.row_start, rows.around.ends, scratch.parent)

    def cross(self, scratch: Scratch, spins: SpinArray) -> None:
        rows = self.rows
        kernels.cross_rows(
            spins, scratch.begins, scratch.row_start, *rows.across, rows.diagonal, *scratch.links
        )
        kernels.cross_ends(spins, scratch.row_start, *rows.around, *scratch.links)

    def unlike_pairs(self, spins: SpinArray) -> int:
        rows = self.rows
        ends = rows.inside.ends, rows.across.ends, rows.around.ends
        return int(kernels.unlike_pairs(spins, *ends, rows.diagonal))


class ClusterSearch:
    """Join neighbours of equal spin with the probability of a Fortuin-Kasteleyn bond, or always."""

    def __init__(
        self,
        lattice: Lattice,
        probability: npt.NDArray[np.float64] | None = None,
        seed: np.random.SeedSequence | None = None,
    ) -> None:
        self.rows = rows_of(lattice)
        self._bonds = bonds_of(lattice)
        self._across = self._bonds.windings != 0
        self._probability = probability
        self._entropy = None if seed is None else seed.entropy
        side = lattice.shape[-1]
        self._sites = self._bonds.ends - self._bonds.ends // (side + 1)

    def join_inside(self, scratch: Scratch, spins: SpinArray, number: int) -> None:
        kernels.find_sites(*self.rows.shape, *scratch.runs)
        first, second = spins.ravel()[self._sites.T]
        scratch.active = first == second
        if self._probability is not None:
            # the bonds of a configuration do not depend on the number of threads
            seed = np.random.SeedSequence(self._entropy, spawn_key=(number,))
            drawn = np.random.default_rng(seed).random(first.size)
            scratch.active &= drawn < self._probability[number]
        kernels.join_bonds(self._bonds.ends, scratch.active & ~self._across, scratch.parent)

    def join_across(self, scratch: Scratch, spins: SpinArray) -> None:
        kernels.join_bonds(self._bonds.ends, scratch.active & self._across, scratch.parent)

    def cross(self, scratch: Scratch, spins: SpinArray) -> None:
        active = scratch.active & self._across
        kernels.cross_bonds(self._bonds.ends, active, self._bonds.windings, *scratch.links)

    def unlike_pairs(self, spins: SpinArray) -> int:
        first, second = spins.ravel()[self._sites.T]
        return int(np.count_nonzero(first != second))


def list_domains(search: Search, scratch: Scratch, spins: SpinArray, number: int) -> int:
    """List size, sign and wraps of all domains in the scratch arrays; returns their number."""
    search.join_inside(scratch, spins, number)
    kernels.measure_domains(*scratch.runs, spins, scratch.size, scratch.sign)
    kernels.begin_links(scratch.row_start, scratch.link, scratch.winding, scratch.wraps)
    search.cross(scratch, spins)
    return int(
        kernels.list_domains(
            scratch.row_start, scratch.parent, scratch.link, scratch.winding, scratch.size,
            scratch.sign, scratch.wraps,
        )
    )  # fmt: skip
