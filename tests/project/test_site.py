"""What Sphinx is given beside the pages: widgets as HTML, the gallery, docstrings, help."""

import importlib
import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from studies.command.catalogue import STUDIES

DOCS = Path(__file__).parents[2] / "docs"
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


@pytest.fixture(name="extension")
def load_extension(monkeypatch):
    monkeypatch.syspath_prepend(DOCS / "_extensions")
    return importlib.import_module


def model(name, buffers=(), **state):
    return {"model_name": name, "state": state, "buffers": [{"data": each} for each in buffers]}


def notebook_with(models):
    output = new_output("display_data", {VIEW: {"model_id": "top"}, "text/plain": "VBox(...)"})
    cell = new_code_cell("slider", outputs=[output])
    return new_notebook(cells=[cell], metadata={"widgets": {STATE: {"state": models}}})


def html_of(notebook):
    (data,) = (output["data"] for cell in notebook.cells for output in cell.outputs)
    assert list(data) == ["text/html"]
    assert "widgets" not in notebook.metadata
    return data["text/html"]


def test_a_slider_among_pictures_stays_one(extension):
    models = {
        "top": model("VBoxModel", children=["IPY_MODEL_slider", "IPY_MODEL_stack"]),
        "slider": model(
            "SelectionSliderModel", _options_labels=["1.5", "<2.5>"], index=1, description="T"
        ),
        "stack": model("StackModel", children=["IPY_MODEL_cold", "IPY_MODEL_hot"]),
        "cold": model("ImageModel", ["QUJD"]),
        "hot": model("ImageModel", ["REVG"]),
    }
    html = html_of(extension("widgets").without_widgets(notebook_with(models)))
    images = re.findall(r'<img src="data:image/png;base64,(\w+)" alt="([^"]+)"( hidden)?>', html)
    assert images == [("QUJD", "1.5", " hidden"), ("REVG", "&lt;2.5&gt;", "")]
    assert '<input type="range" min="0" max="1" value="1"' in html


def test_of_widgets_that_call_the_kernel_the_first_picture_stays(extension):
    picture = {"output_type": "display_data", "data": {"image/png": "QUJD\n"}}
    models = {
        "top": model("VBoxModel", children=["IPY_MODEL_slider", "IPY_MODEL_shown"]),
        "slider": model("FloatSliderModel", value=1.5, description="T"),
        "shown": model("OutputModel", outputs=[picture]),
    }
    html = html_of(extension("widgets").without_widgets(notebook_with(models)))
    assert "T: 1.5" in html
    assert '<img src="data:image/png;base64,QUJD"' in html


def test_the_gallery_has_every_study_and_its_figure(extension):
    gallery = extension("gallery")
    rows = gallery.studies((DOCS / "studies" / "README.md").read_text(encoding="utf-8"))
    assert [name for name, _, _ in rows] == sorted(STUDIES)
    for _, page, _ in rows:
        assert (DOCS / "studies" / gallery.figure(DOCS / "studies" / f"{page}.md")).exists()


@pytest.mark.parametrize(
    ("line", "escaped"),
    [
        ("spins : array_like of ±1, shape (..., *lattice.shape)", r"(..., \*lattice.shape)"),
        ("has the shape (n_temperatures, chains, *shape).", r"chains, \*shape)."),
        ("``(copies, *lattice.shape)``", "``(copies, *lattice.shape)``"),
        ("the *mean* action", "the *mean* action"),
    ],
    ids=["shape", "sentence", "literal", "emphasis"],
)
def test_stars_of_shapes_are_no_emphasis(extension, line, escaped):
    lines = [line]
    extension("docstrings").escape_stars(None, "function", "simulate", None, None, lines)
    assert escaped in lines[0]


def test_data_are_described_by_the_text_below_them(extension):
    exact = importlib.import_module("analysis.exact")
    lines = [float.__doc__]
    name, value = "analysis.exact.CRITICAL_TEMPERATURE", exact.CRITICAL_TEMPERATURE
    extension("docstrings").describe_data(None, "data", name, value, None, lines)
    assert lines[0].startswith("Temperature of the transition of the square lattice")


def test_help_is_what_a_command_prints(extension):
    text = extension("command_line").help_text(["curve"])
    assert text.startswith("usage: isingrl curve")
    assert "--temperature FIRST LAST NUMBER" in text
    assert not re.search(r" $", text, re.MULTILINE)
