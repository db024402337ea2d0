"""The command ``isingrl``: run a study and leave its files in a folder, and look at them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from studies.command.catalogue import STUDIES
from studies.command.exits import plain_streams, refuse, stoppable, told, unhandled

__all__ = ["main"]

_COMMANDS = {
    "battle": ("battle_commands", "teams that learn to fight, tournaments, videos"),
    "status": ("file_commands", "how far a study is, running or not"),
    "show": ("file_commands", "the summary in a file, and its figure again"),
    "rerun": (
        "file_commands",
        "a file's study once more, and whether the numbers are the same",
    ),
    "completion": ("completion", "a script that completes all this in bash, zsh or fish"),
}
"""Module and purpose of each command."""
_USAGE = """usage: isingrl STUDY [OPTIONS]   (isingrl STUDY --help lists the options)
       isingrl COMMAND [OPTIONS]"""
_DEBUG = "--debug"


def main(arguments: list[str] | None = None) -> None:
    """Run the study or command that the command line names.

    Wrong options end with one line on standard error and exit code 2, tasks that failed and full
    disks with exit code 1, faults of this package with 70, Ctrl-C with 130. SIGTERM and a second
    Ctrl-C end the process at once. A closed pipe ends it with 141.
    ``--debug``, anywhere, shows tracebacks too.
    """
    plain_streams()
    given = sys.argv[1:] if arguments is None else arguments
    words = [word for word in given if word != _DEBUG]
    if not words or words[0] in ("-h", "--help"):
        with told("isingrl"):
            print(_help())
        return
    name, *options = words
    # a battle's command is two words
    prog = " ".join(["isingrl", *words[: 2 if name == "battle" else 1]])
    with told(prog, debug=_DEBUG in given):
        with unhandled():
            run = _command(name)
        with stoppable(prog, "nothing was begun"):
            run(options)


def _command(name: str) -> Callable[[list[str]], Any]:
    """Import the module that runs a study or command."""
    if name in STUDIES:
        STUDIES[name]  # is imported now
    elif name not in _COMMANDS:
        known = ", ".join([*_COMMANDS, *STUDIES])
        refuse("isingrl", f"STUDY must be one of {known}; got {name!r}")
    module, _ = _COMMANDS.get(name, ("study_command", ""))
    return partial(import_module(f"studies.command.{module}").main, name)


def _help() -> str:
    blocks = [_USAGE]
    others = {name: line for name, (_, line) in _COMMANDS.items()}
    for title, lines in (("studies", STUDIES.lines), ("other commands", others)):
        rows = [f"  {name:18s} {line}" for name, line in lines.items()]
        blocks.append("\n".join([f"{title}:", *rows]))
    return "\n\n".join([*blocks, f"{_DEBUG}, anywhere, shows where an error comes from."])
