"""Cluster updates at T_c, compared with mcising and with a plain union-find."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from benchmarks import plain_numba
from benchmarks.engines import square, temperature_for
from benchmarks.report import Row, package_version
from benchmarks.timing import Case, Effort, Rate, measure
from isingrl import Ising, Lattice
from isingrl.engines.clusters import SwendsenWangEngine, WolffEngine

_SETTLED = 200  # sweeps of Swendsen-Wang; their chains forget the start in ten


def rows(effort: Effort, full: bool) -> tuple[list[Row], dict[str, Rate]]:
    """Everything about cluster updates; small lattices unless `full`."""
    side, large, cube = (128, 1024, 64) if full else (32, 128, 16)
    models = {
        f"L = {side}": (square(side), 0.1),
        f"L = {large}": (square(large), 0.08),
        f"3D, L = {cube}": (Ising(Lattice((cube,) * 3)), 0.08),
    }
    sizes = (side // 4, side, 4 * side)
    installed = package_version("mcising") is not None
    cases = [_swendsen_wang(name, model) for name, (model, _) in models.items()]
    cases.append(_plain(side))
    cases += [case for length in sizes for case in _wolff_cases(length, installed)]
    if installed:
        cases.append(_mcising_swendsen_wang(side))
    rates = measure(cases, effort)
    return [*_swendsen_wang_rows(rates, models, side, full), *_wolff_rows(rates, sizes)], rates


def _swendsen_wang_rows(
    rates: dict[str, Rate], models: dict[str, tuple[Ising, float]], side: int, full: bool
) -> list[Row]:
    section = "Swendsen-Wang at T_c, one chain, one core"
    found = []
    for name, (_, target) in models.items():
        rate = rates[f"Swendsen-Wang, {name}"].best
        limit = target if full else None
        found.append(Row(section, name, rate, rate, "flips/ns", at_least=limit))
    ours = rates[f"Swendsen-Wang, L = {side}"].best
    others = {"plain union-find": None, "mcising": 2.0}
    for name, least in others.items():
        what = f"{name}, L = {side}"
        if f"Swendsen-Wang, {what}" not in rates:
            found.append(Row(section, what, note="not installed"))
            continue
        rate = rates[f"Swendsen-Wang, {what}"].best
        found.append(Row(section, what, rate, ours / rate, "× slower than ours", at_least=least))
    return found


def _wolff_rows(rates: dict[str, Rate], sizes: tuple[int, ...]) -> list[Row]:
    section = "Wolff at T_c, one chain, one core: flipped sites/ns"
    found = []
    for length in sizes:
        ours = rates[f"Wolff, L = {length}"].best
        found.append(Row(section, f"L = {length}", ours))
        what = f"mcising, L = {length}"
        if f"Wolff, {what}" not in rates:
            found.append(Row(section, what, note="not installed"))
            continue
        rate = rates[f"Wolff, {what}"].best
        found.append(Row(section, what, rate, ours / rate, "× slower than ours", at_least=2.0))
    return found


def begun(model: Ising) -> SwendsenWangEngine:
    """Swendsen-Wang in equilibrium."""
    temperatures = np.array([temperature_for(model)])
    engine = SwendsenWangEngine(model, temperatures, 1, "random", np.random.SeedSequence(1))
    engine.sweep(_SETTLED)
    return engine


def _swendsen_wang(name: str, model: Ising) -> Case:
    return Case(f"Swendsen-Wang, {name}", begun(model).sweep, model.lattice.n_sites)


def _plain(side: int) -> Case:
    spins = begun(square(side)).spins(0)
    chance = -np.expm1(-2 / temperature_for(square(side)))
    name = f"Swendsen-Wang, plain union-find, L = {side}"
    return Case(name, lambda n: plain_numba.swendsen_wang(spins, chance, n), side**2)


def _wolff_cases(side: int, installed: bool) -> list[Case]:
    """Sweeps of as many clusters as have N sites on average, ours and mcising's.

    Both codes make clusters of the same law from the same spins, so that their clusters have the
    same mean size; it counts as the number of updates.
    """
    model = square(side)
    settled = begun(model)
    size = float(settled.record(2_000, 1)["mean_cluster_size"].mean())
    number = round(model.lattice.n_sites / size)
    start = settled.spins(0)
    temperatures = np.array([temperature_for(model)])
    ours = WolffEngine(model, temperatures, 1, start[None], np.random.SeedSequence(1))
    ours.settle()
    updates = round(number * size)
    cases = [Case(f"Wolff, L = {side}", lambda n: ours.sweep(n * number), updates)]
    if installed:
        clusters = mcising_sweeps(side, "wolff", start)
        cases.append(Case(f"Wolff, mcising, L = {side}", lambda n: clusters(n * number), updates))
    return cases


def _mcising_swendsen_wang(side: int) -> Case:
    sweep = mcising_sweeps(side, "swendsen_wang", begun(square(side)).spins(0))
    return Case(f"Swendsen-Wang, mcising, L = {side}", sweep, side**2)


def mcising_sweeps(
    side: int, algorithm: str, start: npt.NDArray[np.int8]
) -> Callable[[int], tuple[int, int, int]]:
    """Sweeps of mcising's compiled core, without measurements; one of Wolff is one cluster."""
    from mcising import IsingSimulation

    temperature = temperature_for(square(side))
    simulation = IsingSimulation(side, 1.0, 0.0, 0.0, 0.0, 1, algorithm=algorithm)
    simulation.set_spins(start)
    return lambda n: simulation.sweep(n, temperature=temperature)  # type: ignore[no-any-return]
