"""Other codes for Metropolis, each with its fastest sweep on one core.

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
        cases.append(_mcising("mcising", side, temperature))
    if package_version("peapods") is not None:
        cases.append(_peapods("peapods", side, temperature))
        cases.append(_peapods("peapods ±J", side, 1.0, couplings="bimodal"))
    return cases


def peer_lattice_cases(side: int, temperatures: dict[str, float], ratio: float) -> list[Case]:
    """The installed other codes on triangular and honeycomb lattices, and with J_2/J_1 = `ratio`.

    mcising puts two sites into each of the side² cells of a honeycomb.
    """
    at, cases = temperatures, []
    if package_version("mcising") is not None:
        cases += [
            _mcising("mcising, triangular", side, at["triangular"], "triangular"),
            _mcising("mcising, honeycomb", side, at["honeycomb"], "honeycomb"),
            _mcising("mcising, J1-J2", side, at["J1-J2"], ratio=ratio),
        ]
    if package_version("peapods") is not None:
        geometry = {"geometry": "triangular"}
        cases.append(_peapods("peapods, triangular", side, at["triangular"], **geometry))
    return cases


def _plain_numba(side: int, temperature: float) -> Case:
    generator = np.random.default_rng(1)
    spins = (2 * generator.integers(0, 2, size=(side, side)) - 1).astype(np.int8)
    accept = plain_numba.acceptance(temperature)
    return Case("plain Numba", lambda n: plain_numba.sweep(spins, accept, n), side**2)


def _mcising(
    name: str, side: int, temperature: float, lattice: str = "square", ratio: float = 0.0
) -> Case:
    """The compiled core of mcising, which makes any number of sweeps in one call.

    The benchmark of mcising also times `IsingSimulation.sweep`: a sequential scan in Rust, without
    measurements. Its runners over temperatures only put the same sweep on several threads.
    """
    from mcising import IsingSimulation

    simulation = IsingSimulation(side, 1.0, ratio, 0.0, 0.0, 1, lattice_type=lattice)
    return Case(name, lambda n: simulation.sweep(n, temperature=temperature), simulation.num_sites)


def _peapods(name: str, side: int, temperature: float, **options: str) -> Case:
    """`sample` of peapods, which also measures after the warm-up.

    All but two sweeps are declared warm-up, so the measurements (otherwise about a sixth of the
    time) cost nothing. Without any measured sweep it would divide by zero. `sequential` prevents
    the use of the thread pool.
    """
    from peapods import Ising

    model = Ising((side, side), temperatures=np.array([temperature]), **options)

    def run(sweeps: int) -> None:
        share = max(0.0, 1 - 2 / sweeps)
        model.sample(sweeps, sweep_mode="metropolis", warmup_ratio=share, sequential=True)

    return Case(name, run, side**2)
