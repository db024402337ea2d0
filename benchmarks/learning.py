"""Cost of learning: compared with a textbook's loop, by dimension, and by number of agents."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from benchmarks.chapter_loop import ChapterLoop
from benchmarks.engines import CHAINS, square, temperature_for
from benchmarks.report import Row
from benchmarks.timing import Case, Effort, Rate, measure
from isingrl import Ising, Lattice, Learning, MeanFieldQ, simulate, train
from isingrl.engines.learning import LearningEngine
from studies.shared.grids import exponent

_EPOCH = MeanFieldQ(
    "chapter-2d", discount=0.9, learning_rate=1e-4, network=(10,), replay=50, batch_size=10,
    inner_iterations=3, falling_rate=False,
)  # fmt: skip
_PAPER = MeanFieldQ(
    "half", learning_rate=0.1, shared=False, reward_time="after", falling_rate=False
)
_PUBLISHED = 170.0  # milliseconds an epoch of the book's public code, 100 agents on one core
_SIDES = (10, 32, 100, 316, 1000, 3162)


def rows(effort: Effort, full: bool) -> tuple[list[Row], dict[str, Rate]]:
    """Everything about learning; short and small unless `full`."""
    networks = measure(_chapter_cases(CHAINS if full else 4), effort)
    agents = measure(_agent_cases(64 if full else 16, _SIDES if full else _SIDES[:3]), effort)
    rates = networks | agents
    return [*_chapter_rows(networks, full), *_agent_rows(agents, full), _paper_row(full)], rates


def _chapter_cases(together: int) -> list[Case]:
    """Epochs of the chapter's two-dimensional setting: its loop, and our trainings."""
    loop = ChapterLoop()

    def trainings(temperatures: npt.NDArray[np.float64], chains: int) -> Case:
        model = Ising(Lattice((10, 10), "moore"))
        number = len(temperatures) * chains
        return Case(
            f"{number} trainings",
            lambda epochs: train(
                model, _EPOCH, temperatures, chains=chains, sweeps=epochs, annealing=0, seed=1
            ),
            number,
        )

    return [
        Case("chapter loop", loop.run, 1),
        trainings(np.array([1.6]), 1),
        trainings(np.linspace(1.0, 3.0, together), 4),
    ]


def _chapter_rows(rates: dict[str, Rate], full: bool) -> list[Row]:
    section = "Epochs of a network: 10×10 agents, 3 inner iterations, batch 10"
    loop, *ours = rates.values()
    milliseconds = 1e-6
    rows = [Row(section, "a loop over agents", value=milliseconds / loop.best, unit="ms an epoch")]
    for rate, what, unit, share in zip(
        ours, ("one training", list(rates)[2]), ("ms an epoch", "ms an epoch of one"),
        (1 / 100, 1 / 1000), strict=True,
    ):  # fmt: skip
        limit = _PUBLISHED * share if full else None
        rows += [
            Row(section, what, value=milliseconds / rate.best, unit=unit, at_most=limit),
            Row(section, "", value=rate.best / loop.best, unit="× faster than the loop"),
        ]
    return rows


def _engine_case(name: str, model: Ising, agent: MeanFieldQ) -> Case:
    temperature = np.array([temperature_for(model)])
    seed = np.random.SeedSequence(1)
    engine = LearningEngine(model, agent, temperature, 1, "random", "checkerboard", seed)
    return Case(name, engine.sweep, model.lattice.n_sites)


def _agent_cases(cube: int, sides: tuple[int, ...]) -> list[Case]:
    """Learning sweeps of tables: by lattice, and by the number of agents."""
    dense = Ising(Lattice((cube,) * 3, "moore"))
    agent = MeanFieldQ()
    return [
        _engine_case("26 neighbours", dense, agent),
        _engine_case("26 neighbours, network", dense, MeanFieldQ(network=(10,))),
        _engine_case("4 neighbours, network", square(512), MeanFieldQ(network=(10,))),
        *(_engine_case(f"{side**2:,} agents", square(side), agent) for side in sides),
    ]


def _agent_rows(rates: dict[str, Rate], full: bool) -> list[Row]:
    section = "Learning sweeps of mean-field Q"
    counts = {
        int(name.split()[0].replace(",", "")): rate
        for name, rate in rates.items()
        if name.endswith(" agents")
    }
    medium = counts[min(counts, key=lambda n: abs(np.log(n / 1e5)))]
    agents = np.array(list(counts), dtype=np.float64)
    slope, error = exponent(agents, agents / [rate.best for rate in counts.values()])
    most = max(counts)
    limit = 4.0 if full else None
    unit = "× the cost an agent of 4 neighbours"
    tables = medium.best / rates["26 neighbours"].best
    networks = rates["4 neighbours, network"].best / rates["26 neighbours, network"].best
    return [
        *(
            Row(section, f"table, {n:,} agents", value=rate.best * 1e3, unit="million actions/s")
            for n, rate in counts.items()
        ),
        Row(section, "3D with 26 neighbours, table", value=tables, unit=unit, at_most=limit),
        Row(section, "3D with 26 neighbours, network", value=networks, unit=unit, at_most=limit),
        Row(
            section, f"exponent of the cost, 100 to {most:,} agents", value=slope,
            unit=f"± {error:.3f}",
        ),
    ]  # fmt: skip


def _paper_row(full: bool) -> Row:
    """Wall time of the protocol of Yang et al. (2018) on all cores."""
    model = square(20)
    tau = np.linspace(0.5, 2.0, 32)
    sweeps = 10_000 if full else 100
    rule, options = Learning(_PAPER), {"schedule": "synchronous", "seed": 1}
    simulate(model, rule, 2 * tau, sweeps=2, **options)  # compiles
    begin = time.perf_counter()
    simulate(model, rule, 2 * tau, sweeps=sweeps, **options)
    seconds = time.perf_counter() - begin
    what = f"protocol of Yang et al. (2018): 20×20, {sweeps:,} steps, 32 values of τ, all cores"
    return Row("Learning", what, value=seconds, unit="s", at_most=20.0 if full else None)
