"""The directive ``gallery``: the studies of docs/studies/README.md as cards with their figures."""

from __future__ import annotations

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

_FIGURE = re.compile(r"^!\[.*?\]\((?P<path>[^)]+)\)", re.MULTILINE)
_ROW = re.compile(
    r"^\| \[(?P<name>[\w-]+)\]\((?P<page>[\w-]+)\.md\) \| (?P<question>.+) \|$", re.MULTILINE
)


class Gallery(SphinxDirective):
    """One card for each row of a table of studies: figure, name and question, with a link."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Make the grid."""
        relative, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        rows = studies(Path(path).read_text(encoding="utf-8"))
        if not rows:
            raise self.error(f"{relative} has no row like | [NAME](PAGE.md) | QUESTION |")
        folder = Path(path).parent
        return self.parse_text_to_nodes(
            _cards([(*row, figure(folder / f"{row[1]}.md")) for row in rows])
        )


def studies(table: str) -> list[tuple[str, str, str]]:
    """Name, page and question of the studies in a table of Markdown."""
    return _ROW.findall(table)


def figure(page: Path) -> str:
    """Path of the first figure of a page, as written there."""
    found = _FIGURE.search(page.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"the page of a study must have a figure; {page.name} has none")
    return found["path"]


def _cards(rows: list[tuple[str, str, str, str]]) -> str:
    lines = ["::::{grid} 1 2 2 3", ":gutter: 3", ""]
    for name, page, question, path in rows:
        lines += [
            f":::{{grid-item-card}} {name}",
            f":img-top: {path}",
            f":img-alt: figure of the study {name}",
            f":link: {page}",
            ":link-type: doc",
            ":class-card: gallery",
            question,
            ":::",
            "",
        ]
    return "\n".join([*lines, "::::"])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
