"""Peak memory of a process with one task; the process prints it in bytes.

``python -m benchmarks.peak_memory simulate L START`` simulates 64 chains, ``domains NUMBER L``
finds the statistics of the domains of random spins, ``play GAMES`` and ``train GAMES`` let small
teams battle.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np
import xarray as xr

from analysis import domain_statistics
from isingrl import Ising, Lattice, Metropolis, simulate
from isingrl.battle import Arena, MeanFieldQTeam, PursuitTeam, play, train

_ARENA = Arena(map_size=12, team_size=4, max_steps=50)


def main(what: str, *arguments: str) -> None:
    """Run one task as a user would, and print the peak."""
    {"simulate": _simulate, "domains": _domains, "play": _play, "train": _train}[what](*arguments)
    print(peak_bytes())


def _simulate(side: str, start: str) -> None:
    model = Ising(Lattice((int(side), int(side))))
    simulate(model, Metropolis(), 2.27, sweeps=1, chains=64, start=start, seed=1)


def _domains(number: str, side: str) -> None:
    spins = np.empty((int(number), int(side), int(side)), dtype=np.int8)
    rng = np.random.default_rng(1)
    for snapshot in spins:
        snapshot[:] = 2 * rng.integers(0, 2, size=snapshot.shape, dtype=np.int8) - 1
    domain_statistics(xr.DataArray(spins, dims=("snapshot", "x", "y")))


def _play(games: str) -> None:
    team = train(MeanFieldQTeam(memory=1000), "self", arena=_ARENA, games=1, seed=1)
    play(team, PursuitTeam(), int(games), arena=_ARENA, seed=1)


def _train(games: str) -> None:
    """Learn with a memory that fewer than ten games fill."""
    train(MeanFieldQTeam(memory=2000), ["self", "pursuit"], arena=_ARENA, games=int(games), seed=1)


def peak_bytes() -> int:
    """Largest resident set of this process so far.

    On Linux ``ru_maxrss`` of a child includes the memory of its parent at the start of the child,
    but a file has the child's own peak. Other systems do not need such a file.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
