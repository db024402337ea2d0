"""The command ``isingrl completion``: scripts that complete commands and options in a shell."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

import tyro

from studies.command import battle_commands, file_commands
from studies.command.catalogue import STUDIES
from studies.command.parsing import Command, deferred, run_command
from studies.command.study_command import options_of

__all__ = ["completion", "main"]

Shell = Literal["bash", "zsh", "fish"]


def main(options: list[str]) -> None:
    """Print the script for the shell that the options name."""
    run_command("isingrl completion", completion, options, "nothing was written")


def completion(shell: tyro.conf.Positional[Shell]) -> None:
    """Print a script that completes studies, commands and their options in a shell.

    For bash, once: isingrl completion bash > ~/.local/share/bash-completion/completions/isingrl.
    For zsh, into a file _isingrl of a folder in $fpath; for fish, into
    ~/.config/fish/completions/isingrl.fish. Options are those of this version.

    Args:
        shell: Which one.
    """
    battle = {name: deferred(command) for name, command in battle_commands.COMMANDS.items()}
    others = {**file_commands.COMMANDS, "completion": completion}
    commands: dict[str, Any] = {name: options_of(name) for name in STUDIES}
    commands |= {name: deferred(command) for name, command in others.items()}
    commands["battle"] = _one_of(battle)
    tyro.cli(
        _one_of(commands), prog="isingrl", args=["--tyro-write-completion", shell, "-"],
        config=(tyro.conf.OmitSubcommandPrefixes,),
    )  # fmt: skip


def _one_of(commands: dict[str, Command]) -> Any:
    """Type whose values tyro makes by one of the commands."""
    parts = [
        Annotated[Any, tyro.conf.subcommand(name=name, constructor=command)]
        for name, command in commands.items()
    ]
    return reduce(or_, parts)
