"""Other codes for 2D Metropolis, each with its fastest sweep on one core.

They simulate one chain, because its spins stay in the nearest cache: more chains would not be
faster per spin on one core.
"""

from __future__ import annotations

import numpy as np

from benchmarks import plain_numba
from benchmarks.report import package_version
from benchmarks.timing import Case


def peer_cases(side: int, temperature: float) -> list[Case]:
    """The installed other codes, and the plain Numba loop; peapods with bonds ±J at T = 1, too."""
    cases = [_plain_numba(side, temperature)]
    if package_version("mcising") is not None:
        cases.append(_mcising(side, temperature))
    if package_version("peapods") is not None:
        cases += [_peapods(side, temperature), _peapods(side, 1.0, "bimodal", "peapods ±J")]
    return cases


def _plain_numba(side: int, temperature: float) -> Case:
    generator = np.random.default_rng(1)
    spins = (2 * generator.integers(0, 2, size=(side, side)) - 1).astype(np.int8)
    accept = plain_numba.acceptance(temperature)
    return Case("plain Numba", lambda n: plain_numba.sweep(spins, accept, n), side**2)


def _mcising(side: int, temperature: float) -> Case:
    """The compiled core of mcising, which makes any number of sweeps in one call.

    The benchmark of mcising also times `IsingSimulation.sweep`: a sequential scan in Rust, without
    measurements. Its runners over temperatures only put the same sweep on several threads.
    """
    from mcising import IsingSimulation

    simulation = IsingSimulation(side, 1.0, 0.0, 0.0, 0.0, 1)
    return Case("mcising", lambda n: simulation.sweep(n, temperature=temperature), side**2)


def _peapods(
    side: int, temperature: float, couplings: str = "ferro", name: str = "peapods"
) -> Case:
    """`sample` of peapods, which also measures after the warm-up.

    All but two sweeps are declared warm-up, so the measurements (otherwise about a sixth of the
    time) cost nothing. Without any measured sweep it would divide by zero. `sequential` prevents
    the use of the thread pool.
    """
    from peapods import Ising

    model = Ising((side, side), couplings, temperatures=np.array([temperature]))

    def run(sweeps: int) -> None:
        share = max(0.0, 1 - 2 / sweeps)
        model.sample(sweeps, sweep_mode="metropolis", warmup_ratio=share, sequential=True)

    return Case(name, run, side**2)
