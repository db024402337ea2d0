"""``python -m benchmarks``: measure, print and save everything."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import battle, clusters, comparisons, independence, labelling, learning, studies
from benchmarks.report import Row, machine, table
from isingrl.support.archives import make_folder
from studies.running.files import write_json

_RATES: dict[str, Callable[[comparisons.Scale], tuple[list[Row], comparisons.Rates]]] = {
    "one-core": comparisons.one_thread,
    "clusters": lambda scale: clusters.rows(scale.effort, scale.full),
    "independence": lambda scale: independence.rows(scale.effort, scale.full),
    "learning": lambda scale: learning.rows(scale.effort, scale.full),
    "battles": lambda scale: battle.rows(scale.effort, scale.full),
    "domains": lambda scale: labelling.rows(scale.effort, scale.full),
    "threads": comparisons.two_threads,
}
_PROCESSES: dict[str, Callable[[comparisons.Scale], list[Row]]] = {
    "memory": comparisons.memory,
    "command": comparisons.command,
    "studies": lambda scale: studies.rows(scale.full),
}


def main() -> None:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small sizes and short timings, for a first look"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("results/benchmarks.json"), help="file for the results"
    )
    parser.add_argument(
        "--only", nargs="+", choices=[*_RATES, *_PROCESSES], metavar="PART",
        help=f"parts to measure: {', '.join((*_RATES, *_PROCESSES))}; default: all",
    )  # fmt: skip
    parser.add_argument("--figure", type=Path, help="PNG of the independent values a second")
    options = parser.parse_args()
    if options.figure and options.only and "independence" not in options.only:
        parser.error("--figure needs the part independence")
    try:
        make_folder(options.out.parent)
    except ValueError as error:
        parser.error(str(error))
    scale = comparisons.QUICK if options.quick else comparisons.FULL

    facts = machine()
    begin = time.perf_counter()
    rows: list[Row] = []
    rates: comparisons.Rates = {}
    chosen = options.only or [*_RATES, *_PROCESSES]
    if not options.quick and not options.only:
        print("all of it takes about 20 minutes on two quiet cores", file=sys.stderr)
    for title in chosen:
        print(f"measuring: {title} ...", file=sys.stderr, flush=True)
        if title in _PROCESSES:
            rows += _PROCESSES[title](scale)
        else:
            found, measured = _RATES[title](scale)
            rows += found
            rates |= measured
    facts["minutes"] = round((time.perf_counter() - begin) / 60, 1)

    print(_machine_line(facts), "", table(rows), "", _verdict(rows), sep="\n")
    content = {
        "quick": options.quick,
        "machine": facts,
        "rows": [row.as_dict() for row in rows],
        "flips_per_ns": {name: asdict(rate) for name, rate in rates.items()},
        "effort": asdict(scale.effort),
    }
    write_json(content, options.out)
    if options.figure:
        independence.draw(rows, options.figure)
    print(f"wrote {options.out}")


def _machine_line(facts: dict[str, Any]) -> str:
    vectors = "AVX-512" if facts["avx512"] else "no AVX-512"
    return (
        f"{facts['processor']}, {vectors}, {facts['cores']} cores, load {facts['load_average']} "
        f"before, {facts['date']}"
    )


def _verdict(rows: list[Row]) -> str:
    judged = [row for row in rows if row.met is not None]
    missed = [f"{row.what} ({row.section})" for row in judged if not row.met]
    text = f"{len(judged) - len(missed)} of {len(judged)} targets met"
    return f"{text}; missed: {'; '.join(missed)}" if missed else text


if __name__ == "__main__":
    main()
