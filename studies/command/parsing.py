"""Options of commands: classes of options, filled by tyro, with errors on one line."""

from __future__ import annotations

import contextlib
import io
from itertools import pairwise
from typing import Annotated, Any, Protocol, TypeVar

import tyro

from studies.command.exits import refuse, stoppable

__all__ = ["Command", "Debug", "parse", "run_command"]

Debug = Annotated[
    tyro.conf.FlagCreatePairsOff[bool], tyro.conf.arg(help="Show where errors come from.")
]
"""Option that `studies.command.main.main` looks for itself; classes name it for their help."""
_REGISTRY = tyro.constructors.ConstructorRegistry()
T = TypeVar("T")


class Command(Protocol):
    """A command as a dataclass: its fields are the options."""

    def run(self) -> Any:
        """Run the command."""


@_REGISTRY.primitive_rule
def _counts(
    told: tyro.constructors.PrimitiveTypeInfo,
) -> tyro.constructors.PrimitiveConstructorSpec[int] | None:
    """Let integers be written as 1e4, too."""
    if told.type is not int:
        return None
    return tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="INT",
        instance_from_str=lambda words: _whole(words[0]),
        is_instance=lambda value: isinstance(value, int) and not isinstance(value, bool),
        str_from_instance=lambda value: [str(value)],
    )


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        number = float(word)
        if not number.is_integer():
            raise ValueError(f"{word} is no integer") from None
        return int(number)


def parse(prog: str, kind: type[T], options: list[str], **settings: Any) -> T:
    """Make a dataclass from options, or end with one line and exit code 2.

    Parameters
    ----------
    prog : str
    kind : type
        A dataclass.
    options : list of str
    **settings
        As of ``tyro.cli``.
    """
    for before, value in pairwise([prog, *options]):
        if not value or (value.startswith("--") and value.endswith("=")):
            name = value.rstrip("=") or (before if before.startswith("--") else "an argument")
            refuse(prog, f"{name} must not be empty; got ''")
    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            made: T = tyro.cli(kind, prog=prog, args=options, registry=_REGISTRY, **settings)
            return made
    except SystemExit as stop:
        if not stop.code:
            raise
        refuse(prog, _first_sentence(messages.getvalue()))


def run_command(prog: str, kind: type[Command], options: list[str], kept: str) -> None:
    """Run the command that the options make.

    Parameters
    ----------
    prog : str
    kind : type
        Of the command.
    options : list of str
    kept : str
        Told after an interruption.
    """
    command = parse(prog, kind, options)
    with stoppable(prog, kept):
        command.run()


def _first_sentence(message: str) -> str:
    """Text of a framed message of tyro, from its title to the next rule, on one line."""
    lines = [line.strip("│╭╮╰╯ ") for line in message.splitlines()[1:]]
    said = ["" if set(line) <= set("─-") else line for line in lines]  # without rules
    return " ".join(said).strip().partition("  ")[0]
