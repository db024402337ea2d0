"""Executed notebooks for the tutorial: from ``make notebooks``, or small ones made here."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata
from widgets import without_widgets

from isingrl.support.archives import replacing
from studies.running.notebooks import SMALL_CELL_SECONDS, execute, read_notebook

logger = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "studies" / "notebooks"
FULL = ROOT / "results" / "notebooks"
_NOTE = """

:::{note}
The lattices and runs of this page are small, because they were computed together with the page.
After `make notebooks` it shows full sizes.
:::
"""


def provide(app: Sphinx) -> None:
    """Write an executed notebook to the folder ``tutorial`` for every source."""
    folder = Path(app.srcdir) / "tutorial"
    sources = sorted(SOURCES.glob("*.py"))
    wanted = {folder / f"{source.stem}.ipynb": source for source in sources}
    for path in set(folder.glob("*.ipynb")) - wanted.keys():
        path.unlink()
    missing = []
    for target, source in wanted.items():
        full = FULL / target.name
        if _is_of(full, source):
            _write(nbformat.read(full, nbformat.NO_CONVERT), target)
        elif not _is_fresh(target, source):
            logger.info("executing %s at its small size ...", source.name)
            missing.append(target)
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # each runs a kernel, a process
        made = threads.map(_small, [wanted[target] for target in missing])
        for notebook, target in zip(made, missing, strict=True):
            _write(notebook, target)


def _small(source: Path) -> Any:
    """Execute the small form of a notebook; add a note about its size, and remove warnings."""
    notebook = execute(read_notebook(source, small=True), cell_seconds=SMALL_CELL_SECONDS)
    notebook.cells[0].source += _NOTE
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
    return notebook


def _write(notebook: Any, path: Path) -> None:
    """Write a notebook if it has changed; Sphinx does not read an unchanged one again."""
    text = nbformat.writes(without_widgets(notebook))
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        with replacing(path) as scratch:
            scratch.write_text(text, encoding="utf-8")


def _is_of(executed: Path, source: Path) -> bool:
    """Whether an executed notebook has the cells of a source."""
    if not executed.exists():
        return False
    made, wanted = read_notebook(executed), read_notebook(source)
    return [cell.source for cell in made.cells] == [cell.source for cell in wanted.cells]


def _is_fresh(target: Path, source: Path) -> bool:
    """Whether a notebook is newer than its source and the packages."""
    if not target.exists():
        return False
    code = [path for name in ("isingrl", "analysis") for path in (ROOT / name).rglob("*.py")]
    made = target.stat().st_mtime
    return all(path.stat().st_mtime < made for path in (source, *code))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make the notebooks before Sphinx looks for pages."""
    app.connect("builder-inited", provide)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
