"""Peak memory of a process that simulates 64 chains: ``python -m benchmarks.peak_memory L START``.

Prints bytes. It is a process of its own, so that nothing else counts.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from isingrl import Ising, Lattice, Metropolis, simulate


def main(side: int, start: str) -> None:
    """Simulate one sweep from a named start, as a user would, and print the peak."""
    model = Ising(Lattice((side, side)))
    simulate(model, Metropolis(), 2.27, sweeps=1, chains=64, start=start, seed=1)
    print(peak_bytes())


def peak_bytes() -> int:
    """Largest resident set of this process so far.

    Linux counts into a child's ``ru_maxrss`` what its parent held when it started the child, and
    tells the child's own peak in a file; other systems have no such file and need none.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
