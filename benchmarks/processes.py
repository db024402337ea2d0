"""Measurements that need a separate process: peak memory, and the time of a whole command."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_CURVE = "from studies.command.main import main; main()"  # the script `isingrl`
_LOOK = 0.1  # seconds between two looks at the memory of processes


def peak_megabytes(*what: str | int) -> float:
    """Peak resident memory of a process in 10⁶ bytes; see `benchmarks.peak_memory` for `what`."""
    arguments = [sys.executable, "-m", "benchmarks.peak_memory", *map(str, what)]
    return int(_run(arguments, {})) / 1e6


def curve_seconds(options: list[str], repeats: int) -> tuple[float, float]:
    """Wall time of `isingrl curve`, from the start of the interpreter to the written files.

    Returns
    -------
    cold : float
        With an empty compile cache.
    compiled : float
        The best of `repeats` runs after it.
    """
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        cache.mkdir()
        out = Path(folder) / "curve"
        arguments = [sys.executable, "-c", _CURVE, "curve", "--out", str(out), *options]
        seconds = []
        for _ in range(1 + repeats):
            begin = time.perf_counter()
            _run(arguments, {"NUMBA_CACHE_DIR": str(cache)})
            seconds.append(time.perf_counter() - begin)
    return seconds[0], min(seconds[1:])


def curve_megabytes(options: list[str]) -> tuple[float, float]:
    """Peak memory of `isingrl curve` with all its processes, in 10⁶ bytes, and its wall time.

    On Linux, pages that processes share count once.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = [sys.executable, "-c", _CURVE, "curve", "--out", folder, *options]
        begin, peak = time.perf_counter(), 0
        with subprocess.Popen(arguments, cwd=_ROOT, stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                peak = max(peak, _tree_bytes(process.pid))
                time.sleep(_LOOK)
            _, said = process.communicate()
        if process.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{said}")
        return peak / 1e6, time.perf_counter() - begin


def _tree_bytes(pid: int) -> int:
    """Present memory of a process and its descendants."""
    import psutil

    held = 0
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for each in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                about = each.memory_full_info()
                held += getattr(about, "pss", about.uss)
    return held


def cpu_seconds() -> float:
    """CPU time of this process and its descendants that are alive."""
    import psutil

    own = psutil.Process()
    return sum(sum(each.cpu_times()[:2]) for each in (own, *own.children(recursive=True)))


def _run(arguments: list[str], environment: dict[str, str]) -> str:
    """Run a command in the project's folder and return its output."""
    done = subprocess.run(
        arguments, cwd=_ROOT, env=os.environ | environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout
