"""Execute notebooks: from their sources, jupytext scripts, to files with all outputs.

``python -m studies.running.notebooks studies/notebooks/*.py`` runs them at full size. The
parameters of a notebook stand in its cell with the tag ``parameters``; the header of a source has
values of them under ``small``, with which it runs in seconds, as in the tests.
"""

from __future__ import annotations

import ast
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tyro

from isingrl.support.archives import make_folder, replacing
from isingrl.support.validation import require
from studies.command.parsing import run_command

__all__ = ["Notebooks", "execute", "read_notebook", "with_parameters"]

_PARAMETERS = "parameters"
_INJECTED = "injected-parameters"  # as papermill calls it
SMALL_CELL_SECONDS = 120
"""More than a cell of a small notebook takes."""
_START_SECONDS = 300  # for a kernel on a busy machine


def read_notebook(path: Path, *, small: bool = False) -> Any:
    """Read the source of a notebook, without outputs.

    Parameters
    ----------
    path : Path
        Of a jupytext script or an .ipynb file.
    small : bool
        Whether to take the small values of its header.

    Returns
    -------
    NotebookNode

    Raises
    ------
    ValueError
        If `small` has a value for an unknown parameter.
    ImportError
        If jupytext is not installed.
    """
    jupytext = require("jupytext", "notebooks need", "notebooks")
    notebook = jupytext.read(path)
    return with_parameters(notebook, notebook.metadata.get("small", {})) if small else notebook


def with_parameters(notebook: Any, values: Mapping[str, Any]) -> Any:
    """Set parameters of a notebook, in a cell behind that of the full values; returns it.

    Parameters
    ----------
    notebook : NotebookNode
        With a cell whose tags hold ``parameters``, in which each of them is assigned.
    values : mapping
        Literals by name; without any, the notebook stays as it is.

    Raises
    ------
    ValueError
        If there is no such cell, or it does not assign a name.
    """
    if not values:
        return notebook
    tags = [cell.metadata.get("tags", ()) for cell in notebook.cells]
    places = [place for place, given in enumerate(tags) if _PARAMETERS in given]
    if len(places) != 1:
        raise ValueError(
            f"notebook must have one cell with the tag {_PARAMETERS!r}; got {len(places)}"
        )
    known = {
        target.id
        for node in ast.parse(notebook.cells[places[0]].source).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if unknown := sorted(set(values) - known):
        raise ValueError(f"parameters must be among {sorted(known)}; got {unknown[0]!r}")
    lines = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    nbformat = require("nbformat", "notebooks need", "notebooks")
    cell = nbformat.v4.new_code_cell(lines, metadata={"tags": [_INJECTED]})
    notebook.cells.insert(places[0] + 1, cell)
    return notebook


def execute(notebook: Any, *, cell_seconds: int | None = None) -> Any:
    """Run all cells in a kernel of this Python, in an empty folder; returns the notebook.

    Parameters
    ----------
    notebook : NotebookNode
        Gets outputs and the state of its widgets.
    cell_seconds : int, optional
        Longest time of a cell. If one takes longer, the notebook runs once more, because messages
        of kernels get lost now and then and nbclient would wait for ever.

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
        # files as sockets, on which nobody else can listen and which no other program can take
        connection = {"connection_file": f"{sockets}/kernel.json"}
        if os.name == "posix":
            connection["transport"] = "ipc"
        client = NotebookClient(
            notebook, kernel_name="python3", startup_timeout=_START_SECONDS, record_timing=False,
            coalesce_streams=True, timeout=cell_seconds,
            resources={"metadata": {"path": folder}}, config=Config(KernelManager=connection),
        )  # fmt: skip
        client.execute()


@dataclass(frozen=True)
class Notebooks:
    """Execute notebooks and leave them with their outputs in a folder."""

    sources: tyro.conf.Positional[tuple[Path, ...]]
    """Jupytext scripts."""
    out: Path = Path("results/notebooks")
    """Folder for the .ipynb files."""
    small: tyro.conf.FlagCreatePairsOff[bool] = False
    """Use the small sizes of their headers."""

    def run(self) -> None:
        """Execute them one after the other."""
        nbformat = require("nbformat", "notebooks need", "notebooks")
        make_folder(self.out)
        for source in self.sources:
            begun = time.monotonic()
            path = self.out / f"{source.stem}.ipynb"
            notebook = execute(read_notebook(source, small=self.small))
            with replacing(path) as scratch:
                nbformat.write(notebook, scratch)
            print(f"{path}  {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    name = "python -m studies.running.notebooks"
    run_command(name, Notebooks, sys.argv[1:], "finished notebooks are kept")
