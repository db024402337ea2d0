"""The command ``isingrl completion``: scripts that complete commands and options in a shell."""

from __future__ import annotations

import io
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

import tyro

from studies.command import battle_commands, file_commands
from studies.command.catalogue import STUDIES
from studies.command.parsing import Debug, run_command
from studies.command.study_command import options_of

__all__ = ["Completion", "main"]


def main(name: str, options: list[str]) -> None:
    """Print the script for the shell that the options name."""
    run_command(f"isingrl {name}", Completion, options, "nothing was written")


@dataclass(frozen=True)
class Completion:
    """Print a script that completes studies, commands and their options in a shell.

    For bash, once: isingrl completion bash > ~/.local/share/bash-completion/completions/isingrl.
    For zsh, into a file _isingrl of a folder in $fpath; for fish, into
    ~/.config/fish/completions/isingrl.fish. Options are those of this version.
    """

    shell: tyro.conf.Positional[Literal["bash", "zsh", "fish"]]
    """Name of the shell."""
    debug: Debug = False

    def run(self) -> None:
        """Print the script."""
        studies = [_named(name, *options_of(name)) for name in STUDIES]
        battle = [_named(name, kind) for name, kind in battle_commands.COMMANDS.items()]
        others = {**file_commands.COMMANDS, "completion": Completion}
        commands = [
            *studies,
            *(_named(name, kind) for name, kind in others.items()),
            _named("battle", Any, {"constructor": reduce(or_, battle)}),
        ]
        arguments = ["--tyro-write-completion", self.shell, "-"]
        config = (tyro.conf.OmitSubcommandPrefixes,)
        with redirect_stdout(io.StringIO()) as script, suppress(SystemExit):
            tyro.cli(reduce(or_, commands), prog="isingrl", args=arguments, config=config)
        for line in script.getvalue().splitlines():
            # bash would take each line of a description for a word
            print(line.replace(r"\n", " ") if line.startswith("COMPLETION_SPEC") else line)


def _named(name: str, kind: Any, about: dict[str, Any] | None = None) -> Any:
    return Annotated[kind, tyro.conf.subcommand(name, **about or {})]
