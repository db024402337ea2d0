"""Executed notebooks for the tutorial: those of ``make notebooks``, or small ones made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "studies" / "notebooks"
FULL = ROOT / "results" / "notebooks"
_NOTE = """

:::{note}
The numbers and figures of this page come from lattices and runs that are small, made with the page.
`make notebooks` makes those of full size, which the page then shows.
:::
"""


def provide(app: Sphinx) -> None:
    """Leave a notebook with outputs in the folder ``tutorial`` for every source."""
    folder = Path(app.srcdir) / "tutorial"
    sources = sorted(SOURCES.glob("*.py"))
    for stale in set(folder.glob("*.ipynb")) - {folder / f"{each.stem}.ipynb" for each in sources}:
        stale.unlink()
    for source in sources:
        target = folder / f"{source.stem}.ipynb"
        if _is_current(FULL / target.name, source):
            _write(_read(FULL / target.name), target)
        elif not _is_newer(target, source):
            logger.info("executing %s at its small size ...", source.name)
            _write(_small(source), target)


def _small(source: Path) -> Any:
    """Execute the small form of a notebook, with a note that says so."""
    from studies.notebook_runs import execute, read_notebook

    notebook = execute(read_notebook(source, small=True))
    notebook.cells[0].source += _NOTE
    return notebook


def _is_current(executed: Path, source: Path) -> bool:
    """Whether an executed notebook has the cells of its source."""
    from studies.notebook_runs import read_notebook

    if not executed.exists():
        return False
    made, wanted = _read(executed), read_notebook(source)
    return [each.source for each in made.cells] == [each.source for each in wanted.cells]


def _is_newer(target: Path, source: Path) -> bool:
    """Whether a small notebook was made after its source, and the packages, were last changed."""
    if not target.exists():
        return False
    code = [each for package in ("isingrl", "analysis") for each in (ROOT / package).rglob("*.py")]
    made = target.stat().st_mtime
    return all(each.stat().st_mtime < made for each in (source, *code))


def _read(path: Path) -> Any:
    import nbformat

    return nbformat.read(path, as_version=4)


def _write(notebook: Any, path: Path) -> None:
    """Write a notebook unless it is there, so that Sphinx does not read it again."""
    import nbformat

    text = nbformat.writes(notebook)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make the notebooks before Sphinx looks for pages."""
    app.connect("builder-inited", provide)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
