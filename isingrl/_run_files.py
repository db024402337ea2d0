"""Checkpoints of `simulate`: from them a killed run goes on, and a finished one further."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from isingrl._archives import (
    Arrays,
    check_same,
    clear_scratch,
    digest_of,
    foreign,
    lock_folder,
    make_folder,
    output_path,
    part,
    read_checkpoint,
    write_archive,
)
from isingrl.agents.agent import Agent, ways
from isingrl.agents.policy import Policy
from isingrl.model import Ising
from isingrl.rules import Rule
from isingrl.tables import RuleTable

_FORMAT, _NAME, _WHAT = "isingrl-run-1", "run", "run"
_WRITES = 20.0  # times as long as a checkpoint took to write passes before the next one, at least
_REASONS = {
    "sweeps": "which spins are kept depends on it, and a run with snapshots cannot be extended",
    "rule.sha256": "its table, or what its agents see, are paid or know, has changed",
}


@dataclass
class Series:
    """What a run has measured.

    Attributes
    ----------
    bonds, totals : int64 arrays, shape (n_chains, n_draws)
        Sums of s_i s_j over bonds and of s_i over sites.
    spins : int8 array, shape (n_chains, n_snapshots, *lattice.shape)
    thermalized : int
        Sweeps of the thermalization that are made.
    draws, snapshots : int
        How many are there; what comes after them is yet to be measured.
    """

    bonds: npt.NDArray[np.int64]
    totals: npt.NDArray[np.int64]
    spins: npt.NDArray[np.int8]
    thermalized: int = 0
    draws: int = 0
    snapshots: int = 0

    @classmethod
    def new(cls, n_chains: int, draws: int, snapshots: int, shape: tuple[int, ...]) -> Series:
        """Room for a run."""
        bonds, totals = (np.empty((n_chains, draws), dtype=np.int64) for _ in range(2))
        return cls(bonds, totals, np.empty((n_chains, snapshots, *shape), dtype=np.int8))

    def arrays(self) -> Arrays:
        """All that was measured so far, by name."""
        return {
            "bonds": self.bonds[:, : self.draws],
            "totals": self.totals[:, : self.draws],
            "spins": self.spins[:, : self.snapshots],
        }

    def take(self, thermalized: int, arrays: Arrays) -> None:
        """Take over what `arrays` returned, of a longer run its first draws.

        Raises
        ------
        ValueError
            If it is of another run.
        """
        known, kept = arrays["bonds"].shape[-1], arrays["spins"].shape[1]
        n_chains, sites = len(self.bonds), self.spins.shape[2:]
        expected = {
            "bonds": ((n_chains, known), np.dtype(np.int64)),
            "totals": ((n_chains, known), np.dtype(np.int64)),
            "spins": ((n_chains, kept, *sites), np.dtype(np.int8)),
        }
        found = {name: (values.shape, values.dtype) for name, values in arrays.items()}
        if found != expected or kept > self.spins.shape[1]:
            raise ValueError(f"its series must be {expected}; got {found}")
        self.thermalized, self.snapshots = thermalized, kept
        self.draws = min(known, self.bonds.shape[1])
        for name, values in self.arrays().items():
            values[:] = arrays[name][:, : values.shape[1]]


class RunFolder:
    """The folder that holds the checkpoint of a run.

    Parameters
    ----------
    out : path
    seconds : float
        Least time between two checkpoints.

    Raises
    ------
    TypeError, ValueError
        If `out` is no path, no folder that can be written to, or another run writes to it.
    """

    def __init__(self, out: Any, seconds: float) -> None:
        self._path, self._seconds = output_path(out), seconds
        self._arguments: dict[str, Any] = {}
        self._found = False
        self._state: Arrays = {}
        self._series: Arrays = {}
        self._thermalized = 0
        make_folder(self._path)
        self._lock = lock_folder(self._path)
        self._written, self._wait = time.monotonic(), seconds

    def close(self) -> None:
        """Let others write to the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def open(
        self, arguments: dict[str, Any], seed: np.random.SeedSequence, given: bool
    ) -> np.random.SeedSequence:
        """Read the checkpoint, if there is one.

        Parameters
        ----------
        arguments : dict
            As `run_arguments` returns them.
        seed : SeedSequence
        given : bool
            Whether the seed was asked for; else that of the checkpoint is as good.

        Returns
        -------
        SeedSequence
            That of the run.

        Raises
        ------
        DamagedFileError, ValueError
            If its files are damaged, or other files or those of a run with other arguments.
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
        """Put an engine and what was measured where the checkpoint left them."""
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
        arrays = {f"engine.{name}": values for name, values in engine.state().items()}
        arrays |= {f"series.{name}": values for name, values in series.arrays().items()}
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
    """Keep others out of the folder of a run while it lasts; None if `out` is None."""
    if out is None:
        yield None
        return
    folder = RunFolder(out, seconds)
    try:
        yield folder
    finally:
        folder.close()


def run_arguments(
    model: Ising,
    rule: Rule | Agent,
    table: RuleTable | None,
    temperatures: npt.NDArray[np.float64],
    start: str | npt.NDArray[np.int8],
    options: dict[str, Any],
) -> dict[str, Any]:
    """What identifies a run, ready for JSON.

    Parameters
    ----------
    model : Ising
    rule : Rule or Agent
    table : RuleTable or None
        What the rule compiles to; None for agents that learn.
    temperatures : ndarray, shape (n_temperatures,)
    start : str or int8 array, shape (n_chains, *lattice.shape)
    options : dict
        Numbers, names and flags among the arguments of `simulate`; ``sweeps`` counts with
        snapshots alone, without them a run may be extended.
    """
    lattice = model.lattice
    options = {name: _plain(value) for name, value in options.items()}
    if not options["snapshots"]:
        del options["sweeps"]
    agent = rule.agent if isinstance(rule, Policy) else rule
    known: Arrays = {}
    if table is not None:
        known = {"up": table.up} | ({} if table.sites is None else {"sites": table.sites})
    else:
        assert isinstance(agent, Agent)
        known = ways(agent, model, temperatures)
        if isinstance(rule, Policy):
            known |= rule.knowledge(temperatures, options["chains"])
    return {
        "model": {
            "shape": list(lattice.shape),
            "neighborhood": lattice.neighborhood,
            "boundary": lattice.boundary,
            "coupling": model.coupling,
            "field": model.field if isinstance(model.field, float) else list(model.field),
        },
        "rule": {
            "name": rule.name,
            **(agent.settings() if isinstance(agent, Agent) else {}),
        },
        # JSON has no infinity
        "temperature": ", ".join(map(repr, temperatures.tolist())),
        "start": start if isinstance(start, str) else f"array {digest_of({'spins': start})}",
        **options,
        # last, as it follows from most of the others, which say more
        "rule.sha256": digest_of(known),
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | bool) else int(value)
