"""Texts that describe objects: one line, or a little HTML for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

_NEIGHBORHOODS = {"von_neumann": "von Neumann", "moore": "Moore"}
_SHOWN = 4
_MUTED = "color:gray;font-weight:normal"
_CELL = "text-align:left;padding:0.1em 0.8em 0.1em 0"


def call(instance: Any) -> str:
    """Call that makes a dataclass again: its first argument, and others than the defaults."""
    given = []
    for number, each in enumerate(fields(instance)):
        value = getattr(instance, each.name)
        if number == 0 or each.default is MISSING or value != each.default:
            given.append(f"{each.name}={value!r}")
    return f"{type(instance).__name__}({', '.join(given)})"


def without_later(instance: Any, settings: dict[str, Any], later: Iterable[str]) -> dict[str, Any]:
    """Settings of a dataclass without its `later` fields at their defaults, as in older files."""
    defaults = {each.name: each.default for each in fields(instance) if each.name in later}
    return {
        name: value
        for name, value in settings.items()
        if name not in defaults or value != defaults[name]
    }


def numbers(values: npt.ArrayLike) -> str:
    """Numbers in a line: all of a few, else the first, the last and how many."""
    given = np.ravel(np.asarray(values)).tolist()
    if len(given) <= _SHOWN:
        return ", ".join(f"{value:g}" for value in given)
    return f"{given[0]:g} … {given[-1]:g} ({len(given)} values)"


def sides(shape: Sequence[int]) -> str:
    """Sides of a lattice, "64 × 64"."""
    return " × ".join(map(str, shape))


def neighborhood_name(neighborhood: str) -> str:
    """Name of a neighbourhood for readers; "steps 0,1 1,0" of one without a name."""
    if neighborhood[-1].isdigit():
        return f"steps {neighborhood}"
    return _NEIGHBORHOODS.get(neighborhood, neighborhood)


def table(rows: Iterable[tuple[str, Any]]) -> str:
    """HTML table of names and values."""
    lines = [
        f'<tr><th style="{_CELL};{_MUTED}">{escape(name)}</th>'
        f'<td style="{_CELL}">{escape(str(value))}</td></tr>'
        for name, value in rows
    ]
    return f'<table style="color:inherit"><tbody>{"".join(lines)}</tbody></table>'


def grid(
    corner: str,
    columns: Sequence[str],
    rows: Sequence[tuple[str, npt.NDArray[np.float64]]],
) -> str:
    """HTML table of probabilities, with darker cells for higher ones; `corner` is its caption."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    lines = [f'<tr><th style="{_MUTED}">{escape(corner)}</th>{head}</tr>']
    for name, values in rows:
        # a tint that leaves the text readable on light and on dark pages
        cells = "".join(
            f'<td style="background:rgba(230,97,1,{0.55 * value:.2f})">{value:.3f}</td>'
            for value in values.tolist()
        )
        lines.append(f'<tr><th style="{_MUTED}">{escape(name)}</th>{cells}</tr>')
    return f'<table style="color:inherit"><tbody>{"".join(lines)}</tbody></table>'


def titled(title: str, *parts: str) -> str:
    """HTML parts side by side, under a title."""
    boxes = "".join(f'<div style="overflow-x:auto">{part}</div>' for part in parts if part)
    style = "display:flex;flex-wrap:wrap;gap:1em;align-items:center"
    return f'<div><strong>{escape(title)}</strong><div style="{style}">{boxes}</div></div>'


def neighborhood(offsets: Sequence[Sequence[int]], label: str) -> str:
    """SVG picture of a site, filled, and its neighbours, with the bonds between them.

    `offsets` are the steps to the neighbours. `label` describes the picture for blind readers.
    """
    size, bond = 112, 34.0
    ends = [_on_paper(offset, bond) for offset in offsets]
    center = size / 2
    place = [(center + x, center + y) for x, y in ends]
    lines = "".join(
        f'<line x1="{center:g}" y1="{center:g}" x2="{x:.1f}" y2="{y:.1f}"/>' for x, y in place
    )
    sites = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in place)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" '
        f'viewBox="0 0 {size} {size}" role="img" aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>"
        f'<g stroke="currentColor" stroke-opacity="0.4">{lines}</g>'
        f'<g fill="#7ba6cc" stroke="currentColor" stroke-opacity="0.6">{sites}</g>'
        f'<circle cx="{center:g}" cy="{center:g}" r="5.5" fill="#e66101"/></svg>'
    )


def _on_paper(offset: Sequence[int], bond: float) -> tuple[float, float]:
    """Place of a neighbour in the picture: x down, y to the right, as rows and columns of arrays.

    The third dimension goes back, up and to the right. A ring's sites lie in a row.
    """
    if len(offset) == 1:
        return bond * offset[0], 0.0
    down, right, back = (*offset, 0)[:3]
    return bond * (right + 0.42 * back), bond * (down - 0.3 * back)
