"""Comparisons of rates, and their targets."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.engines import (
    RATIO,
    TEMPERATURES,
    TEMPERED_SIDE,
    glass_cases,
    lattice_models,
    single_thread_cases,
    site_cases,
    square,
    sweeps,
    temperature_for,
    thread_cases,
)
from benchmarks.peers import peer_cases, peer_lattice_cases
from benchmarks.processes import curve_seconds, peak_megabytes
from benchmarks.report import Row, usable_cores
from benchmarks.timing import Effort, Rate, measure
from isingrl import Metropolis

Rates = dict[str, Rate]

_SHORTEST_WITH_THREADS = 0.25  # seconds


@dataclass(frozen=True)
class Scale:
    """Sizes, and the duration of timings."""

    effort: Effort
    cube: int = 64
    large: int = 2048
    medium: int = 1024
    memory: int = 4096
    curve: tuple[str, ...] = ()
    curve_repeats: int = 3
    full: bool = True
    side: int = 128


FULL = Scale(Effort(seconds=0.3, rounds=9))
QUICK = Scale(
    Effort(seconds=0.02, rounds=3),
    cube=32,
    large=512,
    medium=512,
    memory=1024,
    curve=("--shape", "32", "32", "--temperature", "2", "3", "8", "--sweeps", "1000"),
    curve_repeats=1,
    full=False,
)


def one_thread(scale: Scale) -> tuple[list[Row], Rates]:
    """Everything that runs on one core, timed in turn."""
    model = square(scale.side)
    cases = single_thread_cases(scale.side, scale.cube, scale.large) + site_cases(scale.side)
    cases += glass_cases(scale.side, scale.cube // 2)
    peers = peer_cases(scale.side, temperature_for(model))
    lattices = lattice_models(scale.side)
    cases += [sweeps(name, each, Metropolis()) for name, each in lattices.items()]
    temperatures = {name: temperature_for(each) for name, each in lattices.items()}
    peers += peer_lattice_cases(scale.side, temperatures, RATIO)
    rates = measure([*cases, *peers], scale.effort)
    rows = [*_against_others(rates, scale), *_among_our_own(rates, scale)]
    rows += [*_glass(rates, scale), *_on_lattices(rates, scale), *_on_byte_sites(rates, scale)]
    return rows, rates


def _against_others(rates: Rates, scale: Scale) -> list[Row]:
    ours = rates["metropolis"].best
    section = f"2D Metropolis at T_c, L = {scale.side}, 64 chains, one core"
    rows = [Row(section, "bit lanes", ours)]
    targets = {"mcising": 60.0, "plain Numba": 130.0, "peapods": None, "byte sites": None}
    for name, target in targets.items():
        if name not in rates:
            rows.append(Row(section, name, note="not installed"))
            continue
        rate = rates[name].best
        unit = "× slower than bit lanes"
        rows.append(Row(section, name, rate, ours / rate, unit, at_least=target))
    return rows


def _among_our_own(rates: Rates, scale: Scale) -> list[Row]:
    ours = rates["metropolis"].best
    side, cube, large = scale.side, scale.cube, scale.large
    section = "Other rules and lattices, 64 chains, one core"
    lines: list[tuple[str, str, float | None]] = [
        ("heat bath", "heat bath", 0.7),
        ("policy", "mean-field-Q policy", 0.7),
        ("discounted policy", "mean-field-Q policy, discount 0.5", None),
        ("field", "Metropolis in a field", None),
        ("synchronous", "synchronous heat bath", None),
        ("measured", "Metropolis, measured at every sweep", 0.6),
        ("3D", f"3D, 6 neighbours, L = {cube}", 0.6),
        ("3D small", f"3D, 6 neighbours, L = {cube // 2}", 0.6 if scale.full else None),
        ("moore", f"2D, 8 neighbours, L = {side}", 0.3),
        ("3D moore", f"3D, 26 neighbours, L = {cube // 2}", None),
        ("1D", f"1D, L = {side**2}", None),
        ("strips", f"one chain of L = {2 * large} in strips", 0.5),
    ]
    rows = [
        Row(section, what, rates[name].best, rates[name].best / ours, "of 2D Metropolis", target)
        for name, what, target in lines
    ]
    tempered, untempered = (rates[name].best for name in ("tempered", "untempered"))
    what = f"Tempering(Metropolis(), every=10), {TEMPERATURES} temperatures, L = {TEMPERED_SIDE}"
    unit = "of the same run without exchanges"
    rows.append(Row(section, what, tempered, tempered / untempered, unit, at_least=0.9))
    big = rates["large"].best
    what, unit = f"L = {large}", f"× the cost a spin of L = {side}"
    limit = 1.4 if scale.full else None
    rows.append(Row("Large lattices", what, big, ours / big, unit, at_most=limit))
    return rows


def _glass(rates: Rates, scale: Scale) -> list[Row]:
    section = f"Metropolis on bonds ±J at T = 1, L = {scale.side}, 64 chains, one core"
    ours, cube = rates["±J"].best, scale.cube // 2
    plane, space = rates["metropolis"].best, rates["3D small"].best
    rows = [
        Row(section, "bit lanes", ours, ours / plane, "of equal bonds", at_least=0.5),
        Row(
            section, f"bit lanes, 3D, L = {cube}", rates["3D ±J"].best,
            rates["3D ±J"].best / space, "of equal bonds", at_least=0.5 if scale.full else None,
        ),
    ]  # fmt: skip
    peer = "peapods ±J"
    if peer not in rates:
        return [*rows, Row(section, "peapods", note="not installed")]
    rate = rates[peer].best
    return [*rows, Row(section, "peapods", rate, ours / rate, "× slower than bit lanes")]


def _on_lattices(rates: Rates, scale: Scale) -> list[Row]:
    section = f"Metropolis on other lattices, L = {scale.side}, 64 chains, one core"
    rows = []
    for name in ("triangular", "honeycomb", "J1-J2"):
        ours = rates[name].best
        rows.append(Row(section, name, ours))
        peers = ("mcising", "peapods") if name == "triangular" else ("mcising",)
        for peer in (f"{each}, {name}" for each in peers):
            if peer not in rates:
                rows.append(Row(section, peer, note="not installed"))
                continue
            rate = rates[peer].best
            rows.append(Row(section, peer, rate, ours / rate, "× slower"))
    return rows


def _on_byte_sites(rates: Rates, scale: Scale) -> list[Row]:
    section = f"Potts models on byte sites, L = {scale.side}, 64 chains, one core"
    unit, ours = "of Ising spins on byte sites", rates["byte sites"].best
    lines: list[tuple[str, str, float | None]] = [
        ("metropolis, q = 3", "Metropolis, q = 3", 0.5),
        ("heat-bath, q = 3", "heat bath, q = 3", None),
        ("mean-field-q, q = 3", "mean-field-Q policy, q = 3", None),
        ("metropolis, q = 10", "Metropolis, q = 10", None),
        ("heat-bath, q = 10", "heat bath, q = 10", None),
        ("mean-field-q, q = 10", "mean-field-Q policy, q = 10", None),
    ]
    return [
        Row(section, what, rates[name].best, rates[name].best / ours, unit, at_least=target)
        for name, what, target in lines
    ]


def two_threads(scale: Scale) -> tuple[list[Row], Rates]:
    """Two threads against one."""
    section = "Two threads"
    lines = [
        ("blocks", f"128 chains, L = {scale.side}"),
        ("rows", f"64 chains, L = {scale.medium}"),
    ]
    if usable_cores() < 2:
        return [Row(section, what, note="skipped: one core") for _, what in lines], {}
    # the system may take tens of milliseconds to move a new thread to an idle core
    effort = Effort(max(scale.effort.seconds, _SHORTEST_WITH_THREADS), scale.effort.rounds)
    rates = measure(thread_cases(scale.side, scale.medium), effort)
    rows = []
    for name, what in lines:
        one, two = (rates[f"{name}, {threads} threads"] for threads in (1, 2))
        unit = f"× one thread, on {two.cores:.2f} cores"
        rows.append(Row(section, what, two.best, two.best / one.best, unit, at_least=1.7))
    return rows, rates


def memory(scale: Scale) -> list[Row]:
    """Peak memory of a large simulation, and the part that the lattices add.

    The target holds for the added part at full size. The rest, for Python, the libraries and the
    compiled kernels, does not depend on the size.
    """
    section, limit = "Peak memory, 64 chains", 300.0 if scale.full else None
    empty = peak_megabytes("simulate", 16, "random")
    rows = [Row(section, "whole process, L = 16", value=empty, unit="MB")]
    for start in ("up", "random"):
        what = f"L = {scale.memory}, start {start}"
        peak = peak_megabytes("simulate", scale.memory, start)
        rows += [
            Row(section, f"whole process, {what}", value=peak, unit="MB"),
            Row(section, f"added by {what}", value=peak - empty, unit="MB", at_most=limit),
        ]
    return rows


def command(scale: Scale) -> list[Row]:
    """Time of the whole command `isingrl curve`."""
    section = "isingrl curve, whole process" + ("" if scale.full else ", a small one")
    cold, compiled = curve_seconds(list(scale.curve), scale.curve_repeats)
    limits = (12.0, 60.0) if scale.full else (None, None)
    return [
        Row(section, "compiled before", value=compiled, unit="s", at_most=limits[0]),
        Row(section, "empty compile cache", value=cold, unit="s", at_most=limits[1]),
    ]
