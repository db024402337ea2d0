"""Options of commands: parsed by tyro, errors on one line."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any, NoReturn

import tyro

from studies.runner import StudyError

_AGAIN_SECONDS = 0.05


def parse(prog: str, command: Callable[..., Any], options: list[str]) -> Any:
    """Call `command` with what the options say, or end with one line and exit code 2.

    What it prints on standard error is not shown: it should only take the options over.
    """
    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            return tyro.cli(command, prog=prog, args=options)
    except SystemExit as stop:
        if not stop.code:
            raise
        refuse(prog, _first_sentence(messages.getvalue()))


def run_command(prog: str, command: Callable[..., None], options: list[str], kept: str) -> None:
    """Call `command` with what the options say, in the open.

    What is wrong with them or the files that they name ends with one line and exit code 2.

    Parameters
    ----------
    prog : str
    command : callable
    options : list of str
    kept : str
        What is said when it is interrupted.
    """

    @wraps(command)
    def later(*args: Any, **settings: Any) -> Any:
        return partial(command, *args, **settings)

    run = parse(prog, later, options)
    with told(prog), stoppable(prog, kept):
        run()


def refuse(prog: str, message: str) -> NoReturn:
    """End with one line on standard error and exit code 2."""
    print(f"{prog}: error: {message}", file=sys.stderr)
    raise SystemExit(2)


@contextlib.contextmanager
def told(prog: str) -> Iterator[None]:
    """Tell errors on standard error: wrong input with exit code 2, an unfinished study with 1."""
    try:
        yield
    except (ImportError, OSError, TypeError, ValueError) as error:
        refuse(prog, str(error))
    except StudyError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        raise SystemExit(1) from None


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
                threading.Timer(_AGAIN_SECONDS, signal.raise_signal, (number,)).start()

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


def _first_sentence(message: str) -> str:
    """What a framed message of tyro says, on one line."""
    words: list[str] = []
    for line in message.splitlines():
        text = line.strip("│╭╮╰╯ ")
        if line.startswith("╭"):
            continue
        if text.startswith("─"):
            break
        words.append(text)
    return " ".join(words)
