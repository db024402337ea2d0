"""Results as rows of a table, and facts about the machine."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import llvmlite.binding

_PACKAGES = (
    "isingrl", "numpy", "numba", "llvmlite", "xarray", "torch", "magent2", "distributed",
    "mcising", "peapods", "connected-components-3d",
)  # fmt: skip
_HEADER = ("", "flips/ns", "result", "", "target", "met")


@dataclass(frozen=True)
class Row:
    """One line of the results.

    Attributes
    ----------
    section, what : str
    rate : float, optional
        Flips a nanosecond.
    value : float, optional
        A ratio, a time or a size; None if it could not be measured.
    unit : str
        The unit of `value`; for a ratio, the reference.
    at_least, at_most : float, optional
        The target, if there is one.
    note : str
        The reason for a missing value.
    """

    section: str
    what: str
    rate: float | None = None
    value: float | None = None
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def target(self) -> str:
        """The target as text, empty without one."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without target or value."""
        if self.value is None or not self.target:
            return None
        # a bool of Python, because JSON does not take NumPy's
        if self.at_least is not None:
            return bool(self.value >= self.at_least)
        return self.at_most is not None and bool(self.value <= self.at_most)

    def as_dict(self) -> dict[str, Any]:
        """All fields, and whether the target is met."""
        return asdict(self) | {"met": self.met}


def table(rows: Sequence[Row]) -> str:
    """Rows as aligned text, with a heading for each section."""
    lines = [_HEADER, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADER))]
    aligned = [
        "  ".join(
            cell.rjust(width) if column in (1, 2) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    text = [aligned[0], "-" * (sum(widths) + 2 * (len(widths) - 1))]
    section = ""
    for row, line in zip(rows, aligned[1:], strict=True):
        if row.section != section:
            section = row.section
            text += ["", section] if len(text) > 2 else [section]
        text.append(line)
    return "\n".join(text)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"  {row.what}",
        _number(row.rate),
        row.note if row.value is None and row.rate is None else _number(row.value),
        row.unit if row.value is not None else "",
        row.target,
        {True: "yes", False: "NO", None: ""}[row.met],
    )


def _number(value: float | None) -> str:
    """Three significant digits."""
    if value is None:
        return ""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def machine() -> dict[str, Any]:
    """Facts about the machine, the packages and the time."""
    features = llvmlite.binding.get_host_cpu_features()
    return {
        "processor": _processor(),
        "avx512": bool(features.get("avx512f", False)),
        "cores": usable_cores(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {package: package_version(package) for package in _PACKAGES},
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """Name of the processor: from a file of Linux, elsewhere from Python."""
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def package_version(package: str) -> str | None:
    """Version of an installed package, else None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
