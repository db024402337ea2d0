"""Notebooks run in their small sizes, without a warning, and show what they promise."""

import ast
import re
from pathlib import Path

import jupytext
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from studies.running.notebooks import (
    SMALL_CELL_SECONDS,
    Notebooks,
    execute,
    read_notebook,
    with_parameters,
)

FOLDER = Path(__file__).parents[2] / "studies" / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))
WIDGET = "application/vnd.jupyter.widget-view+json"


def texts(notebook):
    """All that was printed."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(each.text for each in outputs if each.output_type == "stream")


def shown(notebook, mime):
    """Outputs of one kind."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [each["data"][mime] for each in outputs if mime in each.get("data", {})]


def check_sliders(notebook):
    """The first chooses among pictures in the browser, the other two call the kernel."""
    assert len(shown(notebook, WIDGET)) == 2
    models = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    names = [model["model_name"] for model in models.values()]
    assert names.count("LinkModel") == names.count("StackModel") == 1
    assert names.count("FloatSliderModel") == names.count("IntSliderModel") == 1
    (slider,) = (m["state"] for m in models.values() if m["model_name"] == "SelectionSliderModel")
    assert names.count("ImageModel") == len(slider["_options_labels"]) > 1


def check_video(notebook):
    (video,) = [text for text in shown(notebook, "text/html") if "<video" in text]
    assert "controls" in video
    assert 10_000 < len(re.search('data:video/mp4;base64,([^"]+)', video)[1]) < 2_700_000


EXTRA = {
    "agents_as_spins": lambda notebook: texts(notebook).index("all energies equal: True"),
    "battle": check_video,
    "domains_and_coarsening": check_sliders,
    "first_steps": lambda notebook: texts(notebook).index("with the shorter: True"),
    "monte_carlo": lambda notebook: texts(notebook).index("ShortRunWarning: 1 of 1 runs"),
}


NAMES = (
    "agents_as_spins", "battle", "critical_point", "domains_and_coarsening", "first_steps",
    "monte_carlo", "what_agents_see",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_name_what_is_there(name):
    """Cells compile, and what they import exists."""
    tree = ast.parse(jupytext.writes(read_notebook(FOLDER / f"{name}.py"), fmt="py:percent"))
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports
    exec(compile(ast.Module(imports, []), name, "exec"), {})


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_notebooks_run_without_a_warning(name):
    """Run it in its small sizes."""
    notebook = read_notebook(FOLDER / f"{name}.py", small=True)
    # but for those of short runs, and one that ipykernel gives itself when it is told to end
    strict = (
        "import warnings\n\nfrom analysis import FitWarning, ShortRunWarning\n\n"
        "warnings.simplefilter('error')\n"
        "warnings.simplefilter('ignore', ShortRunWarning)\n"
        "warnings.simplefilter('ignore', FitWarning)\n"
        "warnings.simplefilter('ignore', PendingDeprecationWarning)"
    )
    notebook.cells.insert(0, new_code_cell(strict))
    execute(notebook, cell_seconds=SMALL_CELL_SECONDS)
    for cell in notebook.cells:
        if "plt.show()" in cell.source and cell.cell_type == "code":
            found = [output for output in cell.outputs if "image/png" in output.get("data", {})]
            assert found or "interactive(" in cell.source, cell.source
    EXTRA.get(name, len)(notebook)
    assert "Warning: " not in texts(notebook).replace("ShortRunWarning: 1 of 1", "")


@pytest.mark.soak
def test_a_kernel_that_does_not_answer_is_tried_once_more(tmp_path):
    mark = tmp_path / "mark"
    cell = f"""
import pathlib, time
mark = pathlib.Path({str(mark)!r})
if not mark.exists():
    mark.touch()
    time.sleep(600)
print("done")
"""
    notebook = execute(new_notebook(cells=[new_code_cell(cell)]), cell_seconds=2)
    assert texts(notebook) == "done\n"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_sources_are_what_jupytext_would_write(source):
    """So that saving one in Jupyter changes nothing else; and all have small sizes."""
    text = source.read_text(encoding="utf-8")
    notebook = read_notebook(source)
    body = re.compile("^# ---\n.*?^# ---\n", re.DOTALL | re.MULTILINE)
    again = jupytext.writes(notebook, fmt="py:percent")
    assert body.sub("", again) == body.sub("", text)
    assert jupytext.reads(again, fmt="py:percent").metadata.small == notebook.metadata.small
    assert notebook.cells[0].source.startswith("# ")
    assert not any(cell.metadata.get("tags") == ["injected-parameters"] for cell in notebook.cells)


def test_parameters_come_behind_the_full_ones():
    full = new_code_cell("sweeps = 100\nsizes = [8, 16]", metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[full, new_code_cell("print(sweeps, sizes)")])
    with_parameters(notebook, {"sweeps": 5, "sizes": [4]})
    assert notebook.cells[0].source == "sweeps = 100\nsizes = [8, 16]"
    assert notebook.cells[1].source == "sweeps = 5\nsizes = [4]"
    assert with_parameters(new_notebook(), {}).cells == []
    with pytest.raises(ValueError, match=r"must be among \['sizes', 'sweeps'\]; got 'sweep'"):
        with_parameters(notebook, {"sweep": 5})
    with pytest.raises(ValueError, match="one cell with the tag 'parameters'; got 0"):
        with_parameters(new_notebook(cells=[new_markdown_cell("hello")]), {"sweeps": 5})


def test_files_with_outputs(tmp_path, capsys):
    """Cells run in a folder of their own; a cell that fails leaves no file."""
    header = "# ---\n# jupyter:\n#   small:\n#     n: 2\n# ---\n\n"
    cells = "# %% tags=['parameters']\nn = 1\n\n# %%\nopen('{}', 'w').close()\nprint('n =', n)\n"
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(header + cells.format("new"), encoding="utf-8")
    bad.write_text(header + cells.format("none/new"), encoding="utf-8")
    with pytest.raises(CellExecutionError, match="none/new"):
        Notebooks((good, bad), tmp_path / "out", small=True).run()
    (path,) = (tmp_path / "out").iterdir()
    assert path.name == "good.ipynb"
    assert texts(jupytext.read(path)) == "n = 2\n"
    assert str(path) in capsys.readouterr().out
    assert not Path("new").exists()
