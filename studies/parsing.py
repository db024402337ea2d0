"""Options of commands: parsed by tyro, errors on one line."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import tyro


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


def refuse(prog: str, message: str) -> NoReturn:
    """End with one line on standard error and exit code 2."""
    print(f"{prog}: error: {message}", file=sys.stderr)
    raise SystemExit(2)


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
