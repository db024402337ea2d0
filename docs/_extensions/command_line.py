"""The directive ``help``: the output of a command with ``--help``."""

from __future__ import annotations

import contextlib
import io
import os
from unittest import mock

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from studies.command.main import main

_COLUMNS = 88


class Help(SphinxDirective):
    """The output of ``isingrl ARGUMENTS --help``, unchanged."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Make the block."""
        words = self.arguments[0].split() if self.arguments else []
        text = help_text(words)
        command = " ".join(["isingrl", *words, "--help"])
        block = nodes.literal_block(text, f"$ {command}\n{text}", language="text")
        return [block]


def help_text(words: list[str]) -> str:
    """Text that a command prints with ``--help``, without trailing blanks."""
    printed = io.StringIO()
    with (
        mock.patch.dict(os.environ, COLUMNS=str(_COLUMNS)),
        contextlib.redirect_stdout(printed),
        contextlib.suppress(SystemExit),
    ):
        main([*words, "--help"])
    return "\n".join(line.rstrip() for line in printed.getvalue().splitlines())


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    app.add_directive("help", Help)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
