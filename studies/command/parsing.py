"""Options of commands: parsed by tyro, errors on one line."""

from __future__ import annotations

import contextlib
import inspect
import io
from collections.abc import Callable
from functools import partial, wraps
from itertools import pairwise
from typing import Annotated, Any, get_type_hints

import tyro

from studies.command.exits import refuse, stoppable

__all__ = ["Command", "deferred", "parse", "run_command"]

Command = Callable[..., Any]
_DEBUG = inspect.Parameter(
    "debug",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        tyro.conf.FlagCreatePairsOff[bool], tyro.conf.arg(help="Show where errors come from.")
    ],
)
_REGISTRY = tyro.constructors.ConstructorRegistry()


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


def parse(prog: str, command: Command, options: list[str]) -> Any:
    """Call `command` with what the options say, or end with one line and exit code 2.

    What it prints on standard error is not shown: it should only take the options over.
    """
    for before, value in pairwise([prog, *options]):
        if not value or (value.startswith("--") and value.endswith("=")):
            name = value.rstrip("=") or (before if before.startswith("--") else "an argument")
            refuse(prog, f"{name} must not be empty; got ''")
    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            return tyro.cli(command, prog=prog, args=options, registry=_REGISTRY)
    except SystemExit as stop:
        if not stop.code:
            raise
        refuse(prog, _first_sentence(messages.getvalue()))


def deferred(command: Command) -> Command:
    """Return `command` as tyro takes it: it says what is to be done, and does it when called.

    It also has the option --debug, for which `studies.command.main.main` looks itself.
    """

    @wraps(command)
    def later(*args: Any, debug: bool = False, **settings: Any) -> Any:
        return partial(command, *args, **settings)

    signature = inspect.signature(command)
    parameters = [*signature.parameters.values(), _DEBUG]
    later.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    hints = get_type_hints(command, include_extras=True)
    later.__annotations__ = {**hints, _DEBUG.name: _DEBUG.annotation}
    del later.__wrapped__  # where tyro would look for the types
    return later


def run_command(prog: str, command: Command, options: list[str], kept: str) -> None:
    """Call `command` with what the options say, in the open.

    Parameters
    ----------
    prog : str
    command : callable
    options : list of str
    kept : str
        What is said when it is interrupted.
    """
    run = parse(prog, deferred(command), options)
    with stoppable(prog, kept):
        run()


def _first_sentence(message: str) -> str:
    """Text of a framed message of tyro, from its title to the next rule, on one line."""
    lines = [line.strip("│╭╮╰╯ ") for line in message.splitlines()[1:]]
    said = ["" if set(line) <= set("─-") else line for line in lines]  # without rules
    return " ".join(said).strip().partition("  ")[0]
