"""Checkpoints of `simulate`: they resume killed runs and extend finished ones."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl.disorder import RandomBonds
from isingrl.dynamics import Dynamics
from isingrl.potts import Potts
from isingrl.spin_model import Model
from isingrl.support.archives import (
    Arrays,
    check_same,
    clear_scratch,
    digest_of,
    foreign,
    output_folder,
    part,
    prefixed,
    read_checkpoint,
    write_archive,
)

_FORMAT, _NAME, _WHAT = "isingrl-run-1", "run", "run"
_WRITES = 20.0  # least time between two checkpoints, over the time that one took to write
_REASONS = {
    "sweeps": "which spins are kept depends on it, and a run with snapshots cannot be extended",
    "rule.sha256": "its table, or the view, rewards or knowledge of its agents, has changed",
}


@dataclass
class Series:
    """Measurements of a run so far.

    Attributes
    ----------
    sums : dict of int64 or float64 arrays, shape (n_chains, n_draws) or (n_chains, n_draws, n_bins)
        By name, as `isingrl.engines.engine.Engine.record` returns them; none before the first
        draw.
    spins : int8 or uint8 array, shape (n_chains, n_snapshots, *lattice.shape)
    n_draws : int
        Draws of the whole run.
    thermalized : int
        Sweeps of the thermalization so far.
    draws, snapshots : int
        Draws and configurations so far; the rest of the arrays is empty.
    """

    sums: Arrays
    spins: npt.NDArray[Any]
    n_draws: int
    thermalized: int = 0
    draws: int = 0
    snapshots: int = 0

    @classmethod
    def new(cls, n_chains: int, draws: int, snapshots: int, model: Model) -> Series:
        """Room for a run."""
        shape = n_chains, snapshots, *model.lattice.shape
        return cls({}, np.empty(shape, dtype=model.values.dtype), draws)

    def note(self, measured: Arrays) -> None:
        """Add draws; later draws may have more sums than the first ones, which are left out."""
        (number,) = {values.shape[1] for values in measured.values()}
        if not self.draws:
            shape = len(self.spins), self.n_draws
            self.sums = {
                name: np.empty((*shape, *each.shape[2:]), each.dtype)
                for name, each in measured.items()
            }
        for name, values in self.sums.items():
            values[:, self.draws : self.draws + number] = measured[name]
        self.draws += number

    def measured(self) -> Arrays:
        """The sums so far, by name."""
        return {name: values[:, : self.draws] for name, values in self.sums.items()}

    def arrays(self) -> Arrays:
        """Sums and spins so far, by name."""
        return self.measured() | {"spins": self.spins[:, : self.snapshots]}

    def take(self, thermalized: int, arrays: Arrays) -> None:
        """Go on from the `arrays` of a checkpoint; of a longer run, from its first draws.

        Raises
        ------
        ValueError
            If it belongs to another run.
        """
        sums = {name: values for name, values in arrays.items() if name != "spins"}
        needed = {"spins"} | ({"bonds", "totals"} if sums else set())
        if lacking := needed - arrays.keys():
            raise ValueError(f"its series must hold {sorted(needed)}; it lacks {sorted(lacking)}")
        spins, shape = arrays["spins"], self.spins.shape
        if not (self._holds(spins) and self._fit(sums)):
            found = {name: (values.shape, str(values.dtype)) for name, values in arrays.items()}
            raise ValueError(
                f"its series must be sums of {shape[0]} chains and spins of shape {shape}; "
                f"got {found}"
            )
        self.thermalized, self.snapshots = thermalized, spins.shape[1]
        self.spins[:, : self.snapshots] = spins
        if sums:
            self.note({name: values[:, : self.n_draws] for name, values in sums.items()})

    def _holds(self, spins: npt.NDArray[Any]) -> bool:
        """Whether these are configurations of as many chains and sites, and not too many."""
        n_chains, most, *sites = self.spins.shape
        alike = spins.dtype == self.spins.dtype and spins.shape[:1] == (n_chains,)
        return alike and list(spins.shape[2:]) == sites and spins.shape[1] <= most

    def _fit(self, sums: Arrays) -> bool:
        """Whether these are sums of as many chains, all of as many draws."""
        alike = all(
            values.dtype in (np.int64, np.float64) and len(values) == len(self.spins)
            for values in sums.values()
        )
        return alike and len({values.shape[:2] for values in sums.values()}) <= 1


class RunFolder:
    """The folder that holds the checkpoint of a run.

    `seconds` is the least time between two checkpoints.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self._path, self._seconds = path, seconds
        self._arguments: dict[str, Any] = {}
        self._found = False
        self._state: Arrays = {}
        self._series: Arrays = {}
        self._thermalized = 0
        self._written, self._wait = time.monotonic(), seconds

    def open(
        self, arguments: dict[str, Any], seed: np.random.SeedSequence, given: bool
    ) -> np.random.SeedSequence:
        """Read the checkpoint, if the folder has one, and return the seed of the run.

        Parameters
        ----------
        arguments : dict
            As `run_arguments` returns them.
        seed : SeedSequence
        given : bool
            Whether the user gave the seed; otherwise the checkpoint's takes its place.

        Raises
        ------
        DamagedFileError, ValueError
            If the files are damaged, or belong to a run with other arguments.
        """
        self._arguments = arguments | {"seed": seed.entropy}
        clear_scratch(self._path, _NAME)
        found = read_checkpoint(self._path, _NAME, _FORMAT, _WHAT, "out")
        if found is None:
            return seed
        settings, arrays = found
        with foreign(self._path, _WHAT, "out"):
            theirs = dict(settings["arguments"])
            self._thermalized = int(settings["thermalized"])
            self._state, self._series = part(arrays, "engine."), part(arrays, "series.")
            if not given:
                seed = np.random.SeedSequence(int(theirs["seed"]))
                self._arguments["seed"] = seed.entropy
        check_same(self._path, _WHAT, self._arguments, theirs, _REASONS)
        self._found = True
        return seed

    def resume(self, engine: Any, series: Series) -> None:
        """Set an engine and the measurements to the checkpoint."""
        if self._found:
            with foreign(self._path, _WHAT, "out"):
                series.take(self._thermalized, self._series)
                engine.restore(self._state)
        self._state, self._series = {}, {}
        self._written = time.monotonic()

    def keep(self, engine: Any, series: Series, *, now: bool = False) -> None:
        """Write a checkpoint if it is time for one, or `now`."""
        begun = time.monotonic()
        if not now and begun - self._written < self._wait:
            return
        arrays = prefixed("engine.", engine.state()) | prefixed("series.", series.arrays())
        settings = {
            "format": _FORMAT,
            "arguments": self._arguments,
            "thermalized": series.thermalized,
            "draws": series.draws,
        }
        write_archive(self._path, _NAME, settings, arrays)
        self._written = time.monotonic()
        self._wait = max(self._seconds, _WRITES * (self._written - begun))


@contextmanager
def run_folder(out: Any, seconds: float) -> Iterator[RunFolder | None]:
    """Open and lock the folder of a run while it lasts; None if `out` is None."""
    with output_folder(out) as path:
        yield None if path is None else RunFolder(path, seconds)


def run_arguments(
    model: Model,
    rule: Dynamics,
    temperatures: npt.NDArray[np.float64],
    start: str | npt.NDArray[Any],
    options: dict[str, Any],
) -> dict[str, Any]:
    """Arguments that identify a run, ready for JSON.

    `options` are the numbers, names and flags among the arguments of `simulate`. Without snapshots
    ``sweeps`` is left out, because such a run may be extended.
    """
    options = {
        name: value if isinstance(value, str | bool) else int(value)
        for name, value in options.items()
    }
    if not options["snapshots"]:
        del options["sweeps"]
    coupling: Any = model.coupling
    if isinstance(coupling, RandomBonds):
        coupling = f"random {coupling.digest}"
    return {
        "model": {
            **asdict(model.lattice),
            **({"states": model.states} if isinstance(model, Potts) else {}),
            "coupling": coupling,
            "field": model.field if isinstance(model.field, float) else list(model.field),
        },
        "rule": {"name": rule.name, **rule.settings()},
        # JSON has no infinity
        "temperature": ", ".join(map(repr, temperatures.tolist())),
        "start": start if isinstance(start, str) else f"array {digest_of({'spins': start})}",
        **options,
        # last, because most of the others change it, and errors should name those first
        "rule.sha256": digest_of(rule.known(model, temperatures, options["chains"])),
    }
