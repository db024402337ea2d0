"""Plain text of docstrings that reStructuredText would misread."""

from __future__ import annotations

import re
import sys
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.typing import ExtensionMetadata

_LITERAL_OR_STAR = re.compile(r"``.*?``|(?<=[ (])\*(?=[a-z][^*]*$)")


def escape_stars(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Escape the star of ``(n, *shape)``, which would begin an emphasis."""
    lines[:] = [
        _LITERAL_OR_STAR.sub(lambda found: r"\*" if found[0] == "*" else found[0], line)
        for line in lines
    ]


def describe_data(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Describe data by the text below its definition, not by the docstring of its type."""
    if what != "data":
        return
    package, _, own = name.rpartition(".")
    lines[:] = []
    for module in list(sys.modules):
        if f"{module}.".startswith(f"{package}.") and vars(sys.modules[module]).get(own) is obj:
            comments = ModuleAnalyzer.for_module(module).find_attr_docs()
            lines[:] = lines or comments.get(("", own), [])


def leave_parameters(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Leave parameters in backticks without a link."""
    target = node.get("reftarget", "")
    return content if target.isidentifier() and target.islower() else None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect the handlers."""
    app.connect("autodoc-process-docstring", describe_data, priority=0)
    app.connect("autodoc-process-docstring", escape_stars)
    app.connect("missing-reference", leave_parameters)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
