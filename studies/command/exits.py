"""Early ends of commands: one line on standard error and an exit code."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from studies.running.errors import StudyError

__all__ = ["plain_streams", "refuse", "stoppable", "told", "unhandled"]

_PATIENCE = 10.0  # seconds
_AGAIN = 0.05  # seconds


def refuse(prog: str, message: str) -> NoReturn:
    """End with one line on standard error and exit code 2."""
    print(f"{prog}: error: {message}", file=sys.stderr)
    raise SystemExit(2)


@contextlib.contextmanager
def told(prog: str, *, debug: bool = False) -> Iterator[None]:
    """Report errors on standard error, and where they come from only if asked to.

    Wrong input ends with exit code 2, studies that could not be finished and a lack of memory with
    1, any other error, which is a fault of this package, with 70, as in sysexits.h.

    Parameters
    ----------
    prog : str
    debug : bool
        Whether to print tracebacks too.
    """
    try:
        yield
        sys.stdout.flush()  # here, where an error can only be that of a closed pipe
    except BrokenPipeError:
        _close_quietly()
    except Exception as error:
        if debug:
            for trace in getattr(error, "traces", ()) or (traceback.format_exc(),):
                print(trace, file=sys.stderr)
        if isinstance(error, ImportError | OSError | TypeError | ValueError):
            refuse(prog, str(error))
        if isinstance(error, StudyError):
            line, code = str(error), 1
        elif isinstance(error, MemoryError):
            line, code = f"not enough memory: {_one_line(error) or 'no more is left'}", 1
        else:
            line, code = f"{type(error).__name__}: {_one_line(error)}", 70
            if not debug:
                line += " (a fault of isingrl; --debug shows where)"
        print(f"{prog}: {line}", file=sys.stderr)
        raise SystemExit(code) from None


def plain_streams() -> None:
    """Let standard output and error replace what their encoding lacks, such as τ in ASCII."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _close_quietly() -> NoReturn:
    """End quietly with code 141, because the reader of the output has gone.

    Python would otherwise write the rest of its buffers at the end, and complain.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    raise SystemExit(128 + signal.SIGPIPE)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


@contextlib.contextmanager
def stoppable(prog: str, kept: str) -> Iterator[None]:
    """Let the first Ctrl-C end the command with one line and exit code 130.

    If Python needs more than ten seconds to clean up, the process ends all the same: files are safe
    at every moment, because they are renamed into place. The system itself ends the process at
    SIGTERM and at a second Ctrl-C, even within a call of C that never returns. The filters of
    warnings are restored at the end.
    """
    line = f"{prog}: interrupted; {kept}\n"

    def stop(*_: Any) -> NoReturn:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        sys.unraisablehook = again
        timer = threading.Timer(_PATIENCE, leave)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    def again(lost: Any) -> None:
        # Python drops exceptions of destructors: a stop, which then has to come again, and errors
        # of objects that a stop left half made, which are of no use
        if isinstance(lost.exc_value, KeyboardInterrupt):
            _handle_once(stop)
            main = (threading.main_thread().ident, signal.SIGINT)  # which may be asleep
            threading.Timer(_AGAIN, signal.pthread_kill, main).start()

    def say() -> None:
        nonlocal line
        said, line = line, ""
        sys.stderr.write(said)
        sys.stderr.flush()

    def leave() -> NoReturn:
        with contextlib.suppress(Exception):
            say()
        os._exit(130)

    with unhandled(), warnings.catch_warnings():
        if threading.current_thread() is threading.main_thread():
            _handle_once(stop)
        try:
            yield
        except KeyboardInterrupt:
            say()
            raise SystemExit(130) from None


@contextlib.contextmanager
def unhandled() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the process at once; restore the handlers at the end.

    For imports, because some packages catch all errors during their import.
    """
    former: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        former = {
            number: signal.signal(number, signal.SIG_DFL)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _handle_once(handler: Callable[[int, Any], Any]) -> None:
    """Handle one Ctrl-C; the system itself ends the process at the next one.

    Python alone cannot, because its handlers wait until a call of C returns. If the C library has
    no `sysv_signal`, the next Ctrl-C ends the process after the handler was called.
    """
    signal.signal(signal.SIGINT, handler)
    with contextlib.suppress(OSError, AttributeError):
        handle = ctypes.CDLL(None).sysv_signal
        handle.restype, handle.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
        handle(signal.SIGINT, handle(signal.SIGINT, None))
