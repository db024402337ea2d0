"""The toolkit's own engines, set up as in `simulate`, for timings of sweeps alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.literature import critical_temperature
from benchmarks.timing import Case
from isingrl import (
    Dynamics,
    HeatBath,
    Ising,
    Lattice,
    MeanFieldQ,
    Metropolis,
    Policy,
    Potts,
    Rule,
    Tempering,
    random_bonds,
    train,
)
from isingrl.engines.engine import Engine, table_engine
from isingrl.engines.sites import SiteEngine
from isingrl.tables import RuleTable

CHAINS = 64  # of one block of the bit-lane engine
TEMPERED_SIDE, TEMPERATURES = 64, 16
_MOORE_3D_TEMPERATURE = 23.0  # just below the transition of the cubic lattice with 26 neighbours


def square(side: int) -> Ising:
    """The square lattice with four neighbours."""
    return Ising(Lattice((side, side)))


def temperature_for(model: Ising) -> float:
    """The critical temperature if it is known, else a moderate one.

    The rate of the bit-lane engine hardly depends on it. The rate of a code that draws random
    numbers only on demand does.
    """
    lattice = model.lattice
    known = critical_temperature(lattice.ndim, lattice.neighborhood)
    if known is not None:
        return known
    return 1.0 if lattice.ndim == 1 else _MOORE_3D_TEMPERATURE


def _compiled(model: Ising, rule: Rule, chains: int) -> RuleTable:
    return rule.compile(model, np.array([temperature_for(model)]), chains)


def _engine(
    model: Ising, rule: Rule, *, chains: int = CHAINS, schedule: str = "checkerboard"
) -> Engine:
    """The engine that `simulate` would take, from random spins."""
    table = _compiled(model, rule, chains)
    return table_engine(model, table, "random", schedule, np.random.SeedSequence(1))


def sweeps(
    name: str,
    model: Ising,
    rule: Rule,
    *,
    chains: int = CHAINS,
    schedule: str = "checkerboard",
    threads: int = 1,
) -> Case:
    """Sweeps alone."""
    runner = _engine(model, rule, chains=chains, schedule=schedule)
    return Case(name, runner.sweep, chains * model.lattice.n_sites, threads)


def measured_sweeps(name: str, model: Ising, rule: Rule) -> Case:
    """Sweeps with a measurement of energy and magnetization after every one."""
    runner = _engine(model, rule)
    return Case(name, lambda draws: runner.record(draws, 1), CHAINS * model.lattice.n_sites)


def tempering_cases() -> list[Case]:
    """Sweeps at 16 temperatures around the critical one, without exchanges and with them."""
    model = square(TEMPERED_SIDE)
    temperatures = np.linspace(0.9, 1.1, TEMPERATURES) * temperature_for(model)
    chains, seed = CHAINS // TEMPERATURES, np.random.SeedSequence(1)
    rules: dict[str, Dynamics] = {
        "untempered": Metropolis(),
        "tempered": Tempering(Metropolis(), every=10),
    }
    runners = {
        name: rule.engine(model, temperatures, chains, "random", "checkerboard", seed)
        for name, rule in rules.items()
    }
    updates = CHAINS * model.lattice.n_sites
    return [Case(name, runner.sweep, updates) for name, runner in runners.items()]


def byte_site_sweeps(name: str, model: Ising, rule: Rule) -> Case:
    """Sweeps of the plain engine, which `simulate` takes if bit lanes do not apply."""
    table, seed = _compiled(model, rule, CHAINS), np.random.SeedSequence(1)
    runner = SiteEngine(model, table, "random", schedule="checkerboard", seed=seed)
    return Case(name, runner.sweep, CHAINS * model.lattice.n_sites)


def policy(model: Ising, discount: float = 0.0) -> Policy:
    """Mean-field Q agents with a converged table."""
    agent = MeanFieldQ(discount=discount)
    return train(model, agent, temperature_for(model), sweeps=200, seed=1)


def single_thread_cases(side: int, cube: int, large: int) -> list[Case]:
    """All cases of one thread, by the names that `benchmarks.comparisons` compares.

    Parameters
    ----------
    side : int
        L of the two-dimensional lattices.
    cube : int
        L of the larger three-dimensional one.
    large : int
        L of the large two-dimensional one.
    """
    model, rule = square(side), Metropolis()
    ring = Ising(Lattice((side**2,)))
    in_field = Ising(Lattice((side, side)), field=0.1)
    moore = Ising(Lattice((side, side), "moore"))
    dense = Ising(Lattice((cube // 2,) * 3, "moore"))
    return [
        sweeps("metropolis", model, rule),
        byte_site_sweeps("byte sites", model, rule),
        sweeps("heat bath", model, HeatBath()),
        sweeps("policy", model, policy(model)),
        sweeps("discounted policy", model, policy(model, discount=0.5)),
        sweeps("field", in_field, rule),
        sweeps("synchronous", model, HeatBath(), schedule="synchronous"),
        measured_sweeps("measured", model, rule),
        *tempering_cases(),
        sweeps("3D", Ising(Lattice((cube,) * 3)), rule),
        sweeps("3D small", Ising(Lattice((cube // 2,) * 3)), rule),
        sweeps("moore", moore, rule),
        sweeps("3D moore", dense, rule),
        sweeps("1D", ring, rule),
        sweeps("strips", square(2 * large), rule, chains=1),
        sweeps("large", square(large), rule),
    ]


def site_cases(side: int) -> list[Case]:
    """Potts models at T_c, which run on byte sites."""
    lattice, cases = Lattice((side, side)), []
    for q in (3, 10):
        model = Potts(lattice, q)
        temperature = critical_temperature(2, "von_neumann", q)
        assert temperature is not None  # exact
        agents = train(model, MeanFieldQ(), temperature, sweeps=50, seed=1)
        for rule in (Metropolis(), HeatBath(), agents):
            cases.append(_sweeps_at(temperature, f"{rule.name}, q = {q}", model, rule))
    return cases


RATIO = 0.5
"""Coupling of diagonal neighbours over that of near ones, of J1-J2."""


def lattice_models(side: int) -> dict[str, Ising]:
    """A triangular and a honeycomb lattice, and one with two couplings."""
    shells = Lattice((side, side), "moore")
    couplings = [1.0 if 0 in step else RATIO for step in shells.forward_offsets]
    alike = {name: Ising(Lattice((side, side), name)) for name in ("triangular", "honeycomb")}
    return alike | {"J1-J2": Ising(shells, couplings)}


def glass_cases(side: int, cube: int) -> list[Case]:
    """The ±J glass at T = 1 in two dimensions and in three, by Metropolis updates."""
    lattices = {"±J": Lattice((side, side)), "3D ±J": Lattice((cube,) * 3)}
    return [
        _sweeps_at(1.0, name, Ising(each, random_bonds(each, (1.0, -1.0), seed=1)), Metropolis())
        for name, each in lattices.items()
    ]


def _sweeps_at(temperature: float, name: str, model: Any, rule: Rule) -> Case:
    seed = np.random.SeedSequence(1)
    runner = rule.engine(model, np.array([temperature]), CHAINS, "random", "checkerboard", seed)
    return Case(name, runner.sweep, CHAINS * model.lattice.n_sites)


def thread_cases(side: int, medium: int) -> list[Case]:
    """One and two threads over blocks of 64 chains, and over the rows of one block."""
    rule = Metropolis()
    return [
        sweeps(f"{name}, {threads} threads", square(length), rule, chains=chains, threads=threads)
        for name, length, chains in (("blocks", side, 2 * CHAINS), ("rows", medium, CHAINS))
        for threads in (1, 2)
    ]
