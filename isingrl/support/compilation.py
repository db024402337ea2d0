"""Tell the user, once on each machine, that kernels are being compiled."""

from __future__ import annotations

import functools
import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numba
from numba.core import event

from isingrl.support import kernel_cache

_SECONDS = 1.0
_ONCE = "isingrl: compiling kernels for this machine, once; later runs take them from a cache"
_MARKER = "isingrl-compiling-told"
_log = logging.getLogger("isingrl")


def tell(line: str | None = None) -> None:
    """Send a line to the logger ``isingrl``, which writes to standard error by default.

    ``logging.getLogger("isingrl").setLevel("ERROR")`` silences it. The default line is `words`.
    """
    from tqdm import tqdm

    # tqdm clears its bar first and draws it again below the line
    with tqdm.external_write_mode(file=sys.stderr):
        _log.warning(words() if line is None else line)


def tell_once(line: str) -> None:
    """Send a line as `tell` does, but the usual line only once on a machine.

    Otherwise many programs would send it, because each may need kernels that others did not.
    """
    if line != _ONCE or not _was_told():
        tell(line)


def _was_told() -> bool:
    """Whether the line was sent since kernels and Numba were installed; note that it was."""
    folder = kernel_cache.folder()
    if folder is None:
        return False
    marker = Path(folder) / _MARKER
    package = Path(kernel_cache.__file__).parents[1]
    sources = [Path(numba.__file__), *package.rglob("kernels/*.py")]
    with suppress(OSError):
        if marker.stat().st_mtime >= max(each.stat().st_mtime for each in sources):
            return True
    with suppress(OSError):
        marker.touch()
    return False


def words() -> str:
    """Line that says that kernels are compiled, and why they are not cached if they cannot be."""
    if not kernel_cache.problems:
        return _ONCE
    return (
        f"isingrl: compiling kernels, which every start has to do again, because "
        f"{kernel_cache.problems[0]}; NUMBA_CACHE_DIR can name another folder"
    )


class _Patience(event.Listener):  # type: ignore[misc]
    """Counts the seconds that our kernels take to compile; sends the line after one second.

    Numba compiles one function at a time, and within it the functions that it calls.
    """

    def __init__(self) -> None:
        self.tell: Callable[[str], None] = tell_once
        self._depth, self._spent, self._began = 0, 0.0, 0.0
        self._timer: threading.Timer | None = None
        self._told = set[str]()

    def on_start(self, event: event.Event) -> None:
        """Begin to count."""
        if not _is_ours(event):
            return
        self._depth += 1
        if self._depth == 1 and words() not in self._told:
            self._began = time.monotonic()
            self._timer = threading.Timer(max(0.0, _SECONDS - self._spent), self._tell)
            self._timer.daemon = True
            self._timer.start()

    def on_end(self, event: event.Event) -> None:
        """Stop counting."""
        if not _is_ours(event):
            return
        self._depth -= 1
        if self._depth == 0 and self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._spent += time.monotonic() - self._began

    def _tell(self) -> None:
        line = words()
        self._told.add(line)
        self.tell(line)


def _is_ours(compiled: event.Event) -> bool:
    module = str(compiled.data["dispatcher"].py_func.__module__)
    return module.partition(".")[0] in kernel_cache.PACKAGES


_patience = _Patience()


@functools.cache
def watch() -> None:
    """Begin to watch the compiler; every module that calls kernels calls this first."""
    event.register("numba:compile", _patience)


def tell_by(function: Callable[[str], None]) -> None:
    """Call `function` with the line, from another thread, in place of `tell_once`."""
    watch()
    _patience.tell = function
