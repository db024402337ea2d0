"""Execute notebooks: from their sources, jupytext scripts, to files with all outputs.

``python -m studies.running.notebooks studies/notebooks/*.py`` runs them at full size. What a
notebook may be told stands in its cell with the tag ``parameters``; the header of a source names
values of them under ``small``, with which it runs in seconds: those of the tests.
"""

from __future__ import annotations

import ast
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tyro

from isingrl.support.archives import make_folder, replacing
from isingrl.support.validation import require
from studies.command.parsing import run_command

__all__ = ["execute", "read_notebook", "run_notebooks", "with_parameters"]

_PARAMETERS = "parameters"
_INJECTED = "injected-parameters"  # as papermill calls it
SMALL_CELL_SECONDS = 120
"""More than a cell of a small notebook takes."""
_START_SECONDS = 300  # for a kernel on a busy machine


def read_notebook(path: Path, *, small: bool = False) -> Any:
    """Read the source of a notebook.

    Parameters
    ----------
    path : Path
        Of a jupytext script or an .ipynb file.
    small : bool
        Whether to take the small values of its header.

    Returns
    -------
    NotebookNode
        Without outputs.

    Raises
    ------
    ValueError
        If `small` names what the notebook has no parameter for.
    ImportError
        If jupytext is not installed.
    """
    jupytext = require("jupytext", "notebooks need", "notebooks")
    notebook = jupytext.read(path)
    return with_parameters(notebook, notebook.metadata.get("small", {})) if small else notebook


def with_parameters(notebook: Any, values: Mapping[str, Any]) -> Any:
    """Set parameters of a notebook, in a cell of their own behind that of the full values.

    Parameters
    ----------
    notebook : NotebookNode
        With a cell whose tags hold ``parameters``, in which each of them is assigned.
    values : mapping
        Literals by name; without any, the notebook is left as it is.

    Returns
    -------
    NotebookNode
        The same object.

    Raises
    ------
    ValueError
        If there is no such cell, or it does not assign a name.
    """
    if not values:
        return notebook
    tagged = [k for k, cell in enumerate(notebook.cells) if _has_tag(cell, _PARAMETERS)]
    if len(tagged) != 1:
        raise ValueError(
            f"notebook must have one cell with the tag {_PARAMETERS!r}; got {len(tagged)}"
        )
    known = _assigned(notebook.cells[tagged[0]].source)
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"parameters must be among {sorted(known)}; got {unknown[0]!r}")
    lines = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    nbformat = require("nbformat", "notebooks need", "notebooks")
    cell = nbformat.v4.new_code_cell(lines, metadata={"tags": [_INJECTED]})
    notebook.cells.insert(tagged[0] + 1, cell)
    return notebook


def execute(notebook: Any, *, cell_seconds: int | None = None) -> Any:
    """Run all cells in a kernel of this Python, in an empty folder that is removed.

    Parameters
    ----------
    notebook : NotebookNode
    cell_seconds : int, optional
        Longest time of a cell. If one takes longer the notebook is run once more: a message of a
        kernel gets lost now and then, and would be waited for without end.

    Returns
    -------
    NotebookNode
        The same object, with outputs and the state of its widgets.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises.
    nbclient.exceptions.CellTimeoutError
        If a cell takes longer both times.
    ImportError
        If nbclient is not installed.
    """
    require("nbclient", "notebooks need", "notebooks")
    from nbclient.exceptions import CellTimeoutError

    try:
        _run_cells(notebook, cell_seconds)
    except CellTimeoutError:
        _run_cells(notebook, cell_seconds)
    return notebook


def _run_cells(notebook: Any, cell_seconds: int | None) -> None:
    from nbclient import NotebookClient
    from traitlets.config import Config

    with TemporaryDirectory() as folder, TemporaryDirectory() as sockets:
        # by files where there are such sockets: no port can be taken, nor anyone else listen
        connection = {"connection_file": f"{sockets}/kernel.json"}
        if os.name == "posix":
            connection["transport"] = "ipc"
        client = NotebookClient(
            notebook, kernel_name="python3", startup_timeout=_START_SECONDS, record_timing=False,
            coalesce_streams=True, timeout=cell_seconds,
            resources={"metadata": {"path": folder}}, config=Config(KernelManager=connection),
        )  # fmt: skip
        client.execute()


def run_notebooks(
    sources: tyro.conf.Positional[tuple[Path, ...]],
    out: Path = Path("results/notebooks"),
    small: tyro.conf.FlagCreatePairsOff[bool] = False,
) -> None:
    """Execute notebooks and leave them with their outputs in a folder.

    Args:
        sources: Jupytext scripts.
        out: Folder for the .ipynb files.
        small: Use the small sizes that their headers name.
    """
    nbformat = require("nbformat", "notebooks need", "notebooks")
    make_folder(out)
    for source in sources:
        begun = time.monotonic()
        path = out / f"{source.stem}.ipynb"
        notebook = execute(read_notebook(source, small=small))
        with replacing(path) as scratch:
            nbformat.write(notebook, scratch)
        print(f"{path}  {time.monotonic() - begun:.0f} s", flush=True)


def _has_tag(cell: Any, tag: str) -> bool:
    return tag in cell.metadata.get("tags", ())


def _assigned(source: str) -> set[str]:
    """Names that are assigned at the top of some code."""
    return {
        target.id
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


if __name__ == "__main__":
    name = "python -m studies.running.notebooks"
    run_command(name, run_notebooks, sys.argv[1:], "those that were finished are kept")
