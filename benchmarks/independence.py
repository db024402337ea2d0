"""Independent values of m² a second at T_c, by single spins and by clusters, on one core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.errors.arrays.times import autocorrelation_times
from benchmarks.clusters import begun, mcising_sweeps
from benchmarks.engines import CHAINS, square, temperature_for
from benchmarks.report import Row, package_version
from benchmarks.timing import Case, Effort, Rate, measure
from isingrl import Ising, Metropolis
from isingrl.engines.clusters import WolffEngine
from isingrl.engines.engine import Engine

SECTION = "Independent values of m² a second at T_c, square lattice, one core"
_SIDES = (32, 64, 128, 256, 512, 1024)
_LARGEST_OF_LANES = 128  # autocorrelation times of larger ones take minutes to measure
_LANES, _PEERS = "Metropolis on lanes", ("mcising", "peapods")
_CLUSTERS = ("Swendsen-Wang", "Wolff")


def rows(effort: Effort, full: bool) -> tuple[list[Row], dict[str, Rate]]:
    """Rates of sweeps over autocorrelation times; small sizes unless `full`."""
    found: list[Row] = []
    rates: dict[str, Rate] = {}
    for side in _SIDES if full else _SIDES[:1]:
        cases, times = _codes(side, min(4_000, 2**20 // side) if full else 400)
        measured = measure(cases, effort)
        rates |= measured
        made = {}
        for case in cases:
            name = case.name.rpartition(", L")[0]
            # the best round of Wolff's clusters is the one with the smallest clusters
            sweeps = measured[case.name].median * 1e9 / case.updates
            made[name] = sweeps * (CHAINS if name == _LANES else 1) / times[name]
        peers = {name: value for name, value in made.items() if name.startswith(_PEERS)}
        best = max(value for name, value in made.items() if name not in peers)
        for name, value in made.items():
            row = Row(SECTION, f"L = {side}, {name}", value=value, unit="a second")
            found.append(row)
        if peers:
            ratio = best / max(peers.values())
            found.append(Row(SECTION, f"L = {side}, best of ours over theirs", None, ratio, "×", 1))
    return found, rates


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw the rows of `SECTION` against the side of the lattice, as a PNG."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if row.section == SECTION and row.unit == "a second" and row.value is not None:
            side, name = row.what.removeprefix("L = ").split(", ")
            curves.setdefault(name, []).append((int(side), row.value))
    figure = Figure(figsize=(6.0, 4.2), layout="constrained")
    ax = figure.subplots()
    for (name, points), marker in zip(curves.items(), "osDv^x", strict=False):
        line = "--" if name.startswith(_PEERS) else "-"
        ax.plot(*zip(*points, strict=True), line, marker=marker, label=name)
    ax.set(xscale="log", yscale="log", xlabel="side $L$ (sites)")
    ax.set_ylabel("independent values of $m^2$ (1/s)")
    ax.set_xticks(_SIDES, [str(side) for side in _SIDES])
    ax.minorticks_off()
    ax.set_title("Square lattice at $T_c$, one core")
    ax.legend(frameon=False)
    figure.savefig(path, dpi=150)


def _codes(side: int, draws: int) -> tuple[list[Case], dict[str, float]]:
    """Cases of one size, and autocorrelation times of m² in sweeps by code.

    mcising's clusters have the law of ours and so the same times. peapods measures its own.
    """
    model = square(side)
    settled = begun(model)
    wolff = WolffEngine(model, _at(model), 1, settled.spins(0)[None], np.random.SeedSequence(1))
    wolff.sweep(50)
    wolff.settle()
    number = int(wolff.settled()["clusters_per_sweep"][0])
    n_sites = side**2
    engines: dict[str, tuple[Engine, int, int]] = {
        "Swendsen-Wang": (settled, 1, n_sites),
        "Wolff": (wolff, 1, n_sites),
    }
    if side <= _LARGEST_OF_LANES:
        lanes = Metropolis().engine(
            model, _at(model), CHAINS, "up", "checkerboard", np.random.SeedSequence(1)
        )
        memory = max(1, round(0.1 * side**2.17))  # sweeps
        lanes.sweep(20 * memory)
        engines[_LANES] = lanes, max(1, memory // 8), n_sites * CHAINS
    times = {
        name: interval * _time(engine, draws if name in _CLUSTERS else draws // 8, interval)
        for name, (engine, interval, _) in engines.items()
    }
    cases = [
        Case(f"{name}, L = {side}", engine.sweep, updates)
        for name, (engine, _, updates) in engines.items()
    ]
    if package_version("mcising") is not None:
        for name, clusters in zip(_CLUSTERS, (1, number), strict=True):
            peer = f"mcising's {name}"
            sweep = mcising_sweeps(side, name.lower().replace("-", "_"), settled.spins(0))
            cases.append(Case(f"{peer}, L = {side}", _repeated(sweep, clusters), n_sites))
            times[peer] = times[name]
    if package_version("peapods") is not None:
        cases.append(Case(f"peapods, L = {side}", lambda n: _peapods(side, n), n_sites))
        times["peapods"] = 2 * float(_peapods(side, draws, 200)["mags2_tau"][0])
    return cases, times


def _at(model: Ising) -> Any:
    return np.array([temperature_for(model)])


def _repeated(sweep: Any, clusters: int) -> Any:
    return lambda n: sweep(n * clusters)


def _time(engine: Engine, draws: int, interval: int) -> float:
    """Autocorrelation time of m² in draws, `analysis`'s convention of 1 + 2 Σ ρ."""
    totals = engine.record(draws, interval)["totals"].astype(float)
    return float(autocorrelation_times(totals[None] ** 2).tau[0])


def _peapods(side: int, sweeps: int, lags: int | None = None) -> dict[str, Any]:
    """Sweeps of Metropolis, each with one of Swendsen and Wang's; measured if with `lags`."""
    from peapods import Ising as Peapods

    model = Peapods((side, side), temperatures=_at(square(side)))
    share = 0.25 if lags else max(0.0, 1 - 2 / sweeps)
    return model.sample(  # type: ignore[no-any-return]
        sweeps, cluster_update_interval=1, cluster_mode="sw", warmup_ratio=share, sequential=True,
        autocorrelation_max_lag=lags,
    )  # fmt: skip
