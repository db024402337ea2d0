"""Widgets of executed notebooks as plain HTML, without a kernel and without the network."""

from __future__ import annotations

from html import escape
from typing import Any

_VIEW = "application/vnd.jupyter.widget-view+json"
_STATE = "application/vnd.jupyter.widget-state+json"
_CHOOSE = (
    "const shown = this.closest('.pictures');"
    "shown.querySelectorAll('img').forEach((img, k) => {"
    " img.hidden = k != this.value; if (!img.hidden) shown.querySelector('output').value = img.alt;"
    "})"
)


def without_widgets(notebook: Any) -> Any:
    """Replace the widgets of a notebook.

    A slider linked to a stack of pictures stays a slider. Other sliders call the kernel; they are
    replaced by their first picture.

    Parameters
    ----------
    notebook : NotebookNode
        Executed, with the state of its widgets.

    Returns
    -------
    NotebookNode
        The same object.
    """
    models = notebook.metadata.pop("widgets", {}).get(_STATE, {}).get("state", {})
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if _VIEW in output.get("data", {}):
                top = models[output["data"][_VIEW]["model_id"]]
                output["data"] = {"text/html": _html(top, models)}
    return notebook


def _html(top: Any, models: Any) -> str:
    children = [models[_name(each)] for each in top["state"]["children"]]
    slider, *rest = children
    if slider["model_name"] == "SelectionSliderModel":
        pictures = [
            models[_name(each)]["buffers"][0]["data"] for each in rest[0]["state"]["children"]
        ]
        return _slider(slider["state"], pictures)
    shown = [each for each in children if each["model_name"] == "OutputModel"]
    sliders = [each["state"] for each in children if each not in shown]
    values = ", ".join(f"{each['description']}: {each['value']}" for each in sliders)
    images = [
        f'<img src="data:image/png;base64,{output["data"]["image/png"].strip()}" alt="">'
        for each in shown
        for output in each["state"]["outputs"]
        if "image/png" in output.get("data", {})
    ]
    return f"<p>{escape(values)} (sliders, where a kernel is running)</p>{''.join(images)}"


def _slider(state: Any, pictures: list[str]) -> str:
    """Show one of several pictures, chosen by a slider."""
    labels, first = state["_options_labels"], state["index"]
    images = "".join(
        f'<img src="data:image/png;base64,{picture}" alt="{escape(label)}"'
        f"{'' if number == first else ' hidden'}>"
        for number, (picture, label) in enumerate(zip(pictures, labels, strict=True))
    )
    return (
        f'<div class="pictures"><label>{escape(state["description"])} '
        f'<input type="range" min="0" max="{len(labels) - 1}" value="{first}" '
        f'oninput="{_CHOOSE}"> <output>{escape(labels[first])}</output></label>{images}</div>'
    )


def _name(reference: str) -> str:
    return reference.removeprefix("IPY_MODEL_")
