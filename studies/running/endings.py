"""How a command reports failure: one line on standard error and an exit code."""

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
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, Self

__all__ = [
    "StudyError", "WaitingSignals", "plain_streams", "refuse", "stoppable", "told", "unhandled",
]  # fmt: skip

_AGAIN_SECONDS = 0.05


class StudyError(RuntimeError):
    """A study could not be finished; what was done is kept.

    Parameters
    ----------
    message : str
    traces : sequence of str
        Tracebacks of the tasks that raised errors.
    """

    def __init__(self, message: str, traces: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.traces = tuple(traces)


def refuse(prog: str, message: str) -> NoReturn:
    """End with one line on standard error and exit code 2."""
    print(f"{prog}: error: {message}", file=sys.stderr)
    raise SystemExit(2)


@contextlib.contextmanager
def told(prog: str, *, debug: bool = False) -> Iterator[None]:
    """Tell errors on standard error, and where they come from only if asked to.

    Wrong input ends with exit code 2, what could not be finished with 1, an error that nobody
    thought of with 70, as sysexits.h has it.

    Parameters
    ----------
    prog : str
    debug : bool
        Whether to print tracebacks too.
    """
    try:
        yield
        sys.stdout.flush()  # here, where a closed pipe can be told from other errors
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
    """End as commands do whose reader has gone, such as ``head``: without a word, code 141.

    Python would write what is left once more at the end, and complain.
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
    """Let the first Ctrl-C end what runs within cleanly, with exit code 130.

    SIGTERM and a second Ctrl-C end the process at once, even within a call of C that never
    returns, because nobody handles them. Files are safe, because they are renamed into place.
    Filters of warnings are as before at the end.
    """
    with _restored(), warnings.catch_warnings():
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # some packages catch it
            _handle_once(_Stop())
        try:
            yield
        except KeyboardInterrupt:
            print(f"{prog}: interrupted; {kept}", file=sys.stderr)
            raise SystemExit(130) from None


class _Stop:
    """Raises KeyboardInterrupt at the first Ctrl-C, and once more if Python drops it."""

    def __call__(self, *_: Any) -> NoReturn:
        sys.unraisablehook = self._unraisable
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    def _unraisable(self, lost: Any) -> None:
        # Python drops what is raised while it throws an object away: the stop, which then has
        # to come again, or complaints of what the stop left half made, which nobody can use.
        if isinstance(lost.exc_value, KeyboardInterrupt):
            _handle_once(self)
            # to the main thread, as it may be asleep
            again = (threading.main_thread().ident, signal.SIGINT)
            threading.Timer(_AGAIN_SECONDS, signal.pthread_kill, again).start()


@contextlib.contextmanager
def unhandled() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the process at once: there is nothing to be cleaned up.

    For imports, because some packages catch whatever is raised while they are imported.
    """
    with _restored() as former:
        for number in former:
            signal.signal(number, signal.SIG_DFL)
        yield


@contextlib.contextmanager
def _restored() -> Iterator[dict[int, Any]]:
    """Give the handlers of signals, and set them again at the end."""
    former: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield former
    finally:
        for number, handler in former.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _handle_once(handler: Callable[[int, Any], Any]) -> None:
    """Handle one Ctrl-C; the system ends the process at the next one, whatever it does then.

    Python alone cannot: its handlers wait until a call of C returns. Where the C library has no
    `sysv_signal`, the next Ctrl-C ends the process once the handler was called.
    """
    signal.signal(signal.SIGINT, handler)
    with contextlib.suppress(OSError, AttributeError):
        handle = ctypes.CDLL(None).sysv_signal
        handle.restype, handle.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
        handle(signal.SIGINT, handle(signal.SIGINT, None))


class WaitingSignals:
    """A Ctrl-C waits until it is let through, where Python acts on it."""

    def __init__(self) -> None:
        self._handler: Any = None
        self._came = False

    def __enter__(self) -> Self:
        """Let it wait."""
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self._handler = handler
                self._set(self._note)
        return self

    def __exit__(self, *_: Any) -> None:
        """Let it through, and those to come."""
        if self._handler is not None:
            self._set(self._handler)
        self.let_through()

    def let_through(self) -> None:
        """Act on it if it has come."""
        if self._came:
            self._came, handler = False, self._handler
            self._set(handler)
            self._handler = None
            handler(signal.SIGINT, None)

    def _set(self, handler: Any) -> None:
        """Handle one Ctrl-C within a command, and any number within the program of a user."""
        if isinstance(self._handler, _Stop):
            _handle_once(handler)
        else:
            signal.signal(signal.SIGINT, handler)

    def _note(self, *_: Any) -> None:
        self._came = True
