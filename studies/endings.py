"""How a command ends that does not end well: one line on standard error and an exit code."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, Self

__all__ = ["StudyError", "Terminated", "WaitingSignals", "refuse", "stoppable", "told"]

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


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


class Terminated(BaseException):
    """SIGTERM has come."""


@contextlib.contextmanager
def stoppable(prog: str, kept: str) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end what runs within cleanly, with exit codes 143 and 130.

    Filters of warnings are as before at the end.
    """

    def stop(number: int, _: Any) -> NoReturn:
        def unraisable(lost: Any) -> None:
            # Python drops what is raised while it throws an object away: the stop, which then has
            # to come again, or complaints of what the stop left half made, which nobody can use.
            if isinstance(lost.exc_value, KeyboardInterrupt | Terminated):
                # to the main thread, as it may be asleep
                main = threading.main_thread().ident
                threading.Timer(_AGAIN_SECONDS, signal.pthread_kill, (main, number)).start()

        sys.unraisablehook = unraisable
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    former = {}
    if threading.current_thread() is threading.main_thread():
        former = {sign: signal.signal(sign, stop) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        with warnings.catch_warnings():
            yield
    except (KeyboardInterrupt, Terminated) as stopped:
        terminated = isinstance(stopped, Terminated)
        word, code = ("terminated", 143) if terminated else ("interrupted", 130)
        print(f"{prog}: {word}; {kept}", file=sys.stderr)
        raise SystemExit(code) from None
    finally:
        for sign, handler in former.items():
            signal.signal(sign, handler)


class WaitingSignals:
    """SIGINT and SIGTERM wait until they are let through, where Python acts on them."""

    def __init__(self) -> None:
        self._handlers: dict[int, Callable[[int, Any], Any]] = {}
        self._came: list[int] = []

    def __enter__(self) -> Self:
        """Let them wait."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, lambda number, _: self._came.append(number))
        return self

    def __exit__(self, *_: Any) -> None:
        """Let them through, and those to come."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self.let_through()

    def let_through(self) -> None:
        """Act on those that have come."""
        while self._came:
            number = self._came.pop(0)
            self._handlers[number](number, None)
