"""Tell, once, that kernels are being compiled, where that takes longer than a moment."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from functools import cache

from numba.core import event

_SECONDS = 1.0
_PACKAGES = ("isingrl", "analysis")
_log = logging.getLogger("isingrl")


def tell() -> None:
    """Say it to whoever listens to the logger ``isingrl``: on standard error, if nobody does.

    ``logging.getLogger("isingrl").setLevel("ERROR")`` silences it.
    """
    from tqdm import tqdm

    # a bar that is shown is cleared first and drawn again below
    with tqdm.external_write_mode(file=sys.stderr):
        _log.warning(
            "isingrl: compiling kernels for this machine, once; later runs take them from a cache"
        )


class _Patience(event.Listener):  # type: ignore[misc]
    """Counts the seconds that kernels of ours take to compile.

    Numba compiles one function at a time, and within it those that it calls.
    """

    def __init__(self) -> None:
        self.tell: Callable[[], None] = tell
        self._depth, self._spent, self._began = 0, 0.0, 0.0
        self._timer: threading.Timer | None = None
        self._told = False

    def on_start(self, event: event.Event) -> None:
        """Begin to count."""
        if not _is_ours(event):
            return
        self._depth += 1
        if self._depth == 1 and not self._told:
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
        self._told = True
        self.tell()


def _is_ours(compiled: event.Event) -> bool:
    module = str(compiled.data["dispatcher"].py_func.__module__)
    return module.partition(".")[0] in _PACKAGES


_patience = _Patience()


@cache
def watch() -> None:
    """Begin to watch the compiler; what calls kernels asks for it, any number of times."""
    event.register("numba:compile", _patience)


def tell_by(function: Callable[[], None]) -> None:
    """Call `function`, from a thread of its own, in place of `tell`, as where nobody looks."""
    watch()
    _patience.tell = function
